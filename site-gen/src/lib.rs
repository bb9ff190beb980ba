//! Renders a results repository as a static site: HTML, RSS and JSON.
//!
//! [`build()`] is all there is to call, and [`check_folder()`] before serving what it writes. Inside, data flows one way: `history` collects what is known of every
//! result, `analysis` what is known of every test, `view` makes it fit to be shown, `pages`, `feeds`, `changes` and `published` turn views into HTML, RSS
//! and JSON, and `folder` writes what has changed.
//!
//! # The site
//!
//! | address | content |
//! | --- | --- |
//! | `index.html`, `index.json` | all packages |
//! | `p/<package>/` | the latest result of every build line |
//! | `p/<package>/state.json` | what the next build goes on from; not for others |
//! | `p/<package>/show_all/`, `…/show_all/<n>/` | every result, newest first |
//! | `p/<package>/latest/` | leads to the newest result of any build line |
//! | `p/<package>/<key>/` | one result; `result.json` beside it has everything, `passed-<n>.html` and the like the names of many tests |
//! | `p/<package>/tests/` | the tests worth a look: failing, flaky, fixed, new, vanished |
//! | `p/<package>/test/<test>/` | one of the most urgent of them on all build lines |
//! | `p/<package>/commit/<commit>/` | all results of a commit, joined; reruns are attempts |
//! | `p/<package>/line/<line>/` | a build line: tests against commits, plots, steps in the duration, newest results |
//! | `p/<package>/compare/` | any two results, by script |
//! | `machine/<host>/` | all that a machine tests, whatever the package |
//! | `search/` | packages, tests and failure messages, by script; `search/packages.js` and `p/<package>/search/` are its index |
//! | `about/` | how to clone the repository, what words mean, what scripts can read |
//! | `p/<package>/history/<line>.json` | what is remembered of every test of a build line |
//! | `rss2/changes.xml`, `rss2/_generic/<package>/changes.xml` | what began to fail and what was repaired |
//! | `rss2/silent.xml` | build lines from which a result was expected |
//! | `p/<package>/line/<line>/changes.xml` | changes on a build line |
//! | `p/<package>/line/<line>/latest/` | leads to the newest result of a build line |
//! | `p/<package>/badge.svg`, `…/badge/<branch>.svg`, `…/line/<line>/badge.svg` | badges, with the JSON of shields.io beside them |
//! | `sitemap.xml` | the lasting pages, when the address of the site is known |
//! | `rss2/all.xml`, `rss2/failed.xml` | the newest results of all packages |
//! | `rss2/_generic/<package>/all.xml`, `…/failed.xml` | the newest result of every build line |
//!
//! Beside every feed are the same items as Atom (`.atom`) and JSON Feed (`.json`).
//!
//! `<package>` is [`pony_formats::names::url_component`] of the package's name. The feeds are also at the addresses of the
//! original collector, which have no extension (`rss2/all`): a server should give those the type
//! `application/rss+xml`. Every link inside the site is relative and names a file, so that it works from a disk.
//! No page needs JavaScript. `site.js` adds to them what only a script can, and the content security policy of every
//! page allows no other script, and no request to another site.
//!
//! A site is derived: it may be deleted at any time, and building it again gives the same bytes as
//! having brought it up to date (for the same [`Options`], including the time).

mod analysis;
mod badges;
mod build;
mod changes;
mod digest;
mod error;
mod feeds;
mod folder;
mod history;
mod load;
mod options;
mod pages;
mod published;
mod search;
mod silent;
mod state;
mod terminal;
mod text;
mod view;

pub use build::{Built, build};
pub use error::SiteError;
pub use folder::check_folder;
pub use options::{Options, base_url};
