//! Since which commit a test fails, which tests are flaky, which machines are silent.
//!
//! Everything here is pure: results go in, one after another, and what is known of every test comes out.
//!
//! # What is compared with what
//!
//! - A *build line* is a tagset: package, host, arch and tags. Its results are compared with each other, never
//!   with those of another line; pages put what was found on all lines side by side.
//! - Only the *main line* of development counts ([`Trunk`]): results of other branches and of change requests
//!   neither begin nor end anything. They are compared with the main line instead.
//! - The unit is the *commit*, not the result. All results of one commit on one line are attempts at the same
//!   thing. A result without a commit, or of a checkout with changes of its own, is a unit for itself.
//! - The order of commits is the order in which their first results arrived: results carry no better one. A
//!   later result of an earlier commit does not move it.
//!
//! # Words
//!
//! At a commit a test is *bad* when every attempt was bad (failed, errored, unexpected pass), and *good* when
//! one was good (passed, flaky, expected failure). Skipped and absent say nothing: they neither begin nor end a
//! run. A *run* is a maximal series of commits with the same verdict.
//!
//! - *Failing since*: the first commit of the run of bad ones that reaches to the newest commit; *last good* is
//!   the last commit of the run before it.
//! - *Newly failing*: that run began at the newest commit. *Fixed*: a run of good ones began there.
//! - *Flaky*, with proof: good and bad at one commit, by a later result or by attempts inside of one. Without
//!   proof: the verdict changed at least [`FLIPS_MIN`] times in the last [`WINDOW`] commits, with at least
//!   [`VERDICTS_MIN`] verdicts. The *flip rate* is that of Kowalczyk et al., "Modeling and Ranking Flaky
//!   Services at Apple" (ICSE-SEIP 2020): changes over opportunities for one, `flips / (verdicts - 1)`. They let
//!   old scores fade exponentially; here what is more than [`WINDOW`] commits old no longer counts at all, which
//!   a reader can check by counting, and so a test that was repaired is flaky no longer after that many.
//! - *New*: first seen at the newest commit. *Vanished*: not seen there, though on this line before; forgotten
//!   after [`WINDOW`] commits.
//! - *Silent*: see [`Rhythm`]. *Slower* and *faster*: see [`trend`].
//!
//! # What is kept
//!
//! Runs, not results: a test that has passed ten thousand times is one run. So *failing since* is exact however
//! long ago that was, one more result costs the same however many there are, and a
//! rebuild from all results ends with the same [`LineHistory`].

mod comparison;
mod joined;
mod line_history;
mod machine;
mod notes;
mod package_history;
mod recent;
mod revision;
mod rhythm;
mod test_history;
mod trend;

pub(crate) use comparison::{Compared, Comparison, Named};
pub(crate) use joined::{Attempted, JoinedCommit, Joint};
pub(crate) use line_history::{Commit, LineDigest, LineHistory, LineName, LineTests, Observed};
pub(crate) use machine::{MACHINE_ROWS_MAX, Machine};
pub(crate) use notes::{Note, ResultNotes, Since, Subject};
pub(crate) use package_history::{Concern, Kind, LINES_MAX, PackageHistory, Standing, Turn};
pub(crate) use recent::{Recent, Said};
pub(crate) use revision::{Repository, Revision, TESTED_COMMIT, Trunk, TrunkFinder, is_commit_id};
pub(crate) use rhythm::{Rhythm, Silence};
pub(crate) use test_history::{Evidence, Failing, Run, TestHistory, Verdict};
pub(crate) use trend::{LevelStep, SERIES_MAX, steps};

#[cfg(test)]
pub(crate) use line_history::tests::line as line_of_results;

/// Commits that are looked back on: for flakiness, for results that come again, for vanished tests.
pub(crate) const WINDOW: u32 = 50;

/// Changes of the verdict that make a test flaky without proof. A regression and its repair are two.
pub(crate) const FLIPS_MIN: usize = 4;

/// The least number of verdicts that a flip rate is worth anything with.
pub(crate) const VERDICTS_MIN: u32 = 10;
