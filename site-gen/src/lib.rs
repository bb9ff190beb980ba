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
//! | `p/<package>/latest/` | the newest result of any build line |
//! | `p/<package>/<key>/` | one result; `result.json` beside it has everything, `passed-<n>.html` and the like the names of many tests |
//! | `p/<package>/tests/` | the tests worth a look: failing, flaky, fixed, new, vanished |
//! | `p/<package>/test/<test>/` | one of the most urgent of them on all build lines |
//! | `p/<package>/history/<line>.json` | what is remembered of every test of a build line |
//! | `rss2/changes.xml`, `rss2/_generic/<package>/changes.xml` | what began to fail and what was repaired |
//! | `rss2/all.xml`, `rss2/failed.xml` | the newest results of all packages |
//! | `rss2/_generic/<package>/all.xml`, `…/failed.xml` | the newest result of every build line |
//!
//! `<package>` is [`pony_formats::names::url_component`] of the package's name. The feeds are also at the addresses of the
//! original collector, which have no extension (`rss2/all`): a server should give those the type
//! `application/rss+xml`. Every link inside the site is relative and names a file, so that it works from a disk.
//! No page needs JavaScript, and the content security policy of every page forbids it.
//!
//! A site is derived: it may be deleted at any time, and building it again gives the same bytes as
//! having brought it up to date (for the same [`Options`], including the time).

mod analysis;
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
mod state;
mod text;
mod view;

pub use build::{Built, build};
pub use error::SiteError;
pub use folder::check_folder;
pub use options::{Options, base_url};
