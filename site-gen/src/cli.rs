//! The command line of `pony-site`: what was typed becomes what is meant, what went wrong an exit code.

use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use pony_site::{Built, Options, Progress, SiteError};
use pony_store::{Store, StoreError};

const AFTER_HELP: &str = "\
Examples:
  pony-site build --repo results.git --out site
  pony-site build --repo results.git --out site --base-url https://ci.example/

Exit status: 0 done, 1 a result cannot be read (with --strict), 3 damaged repository, 64 usage,
66 not a results repository, 70 fault of this program, 73 cannot create or not a site,
74 cannot read or write, 78 newer repository.";

/// Results that a build has to render for it to take a while.
const WORTH_A_BAR: usize = 100;

/// Renders a results repository as a static site.
#[derive(Debug, Parser)]
#[command(name = "pony-site", version, about)]
pub(crate) struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Brings a site up to date with the newest commit of a results repository.
    #[command(after_help = AFTER_HELP)]
    Build(BuildArgs),
}

#[derive(Debug, Args)]
struct BuildArgs {
    /// The results repository, a bare git repository.
    #[arg(long, value_name = "DIR")]
    repo: PathBuf,
    /// The folder of the site: new, empty, or an earlier build of a site.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The address the site will be served from. Feeds need it for absolute links; pages do not.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Where readers can clone the results repository from, for the page about the site.
    #[arg(long, value_name = "ADDRESS")]
    clone_url: Option<String>,
    /// The WebSub hub that the feeds name.
    #[arg(long, value_name = "URL", requires = "base_url")]
    hub: Option<String>,
    /// Link uploaded files: they are served below each result's page.
    #[arg(long)]
    link_artifacts: bool,
    /// Render as of this time instead of now, for example 2026-03-01T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// Exit with 1 when a result cannot be read.
    #[arg(long)]
    strict: bool,
}

impl Cli {
    /// Runs the verb. Returns the exit code of a run that did what it should.
    pub(crate) fn run(self, out: &mut impl Write, err: &mut impl Write) -> anyhow::Result<u8> {
        let Verb::Build(args) = self.verb;
        let options = Options {
            base_url: args.base_url,
            link_artifacts: args.link_artifacts,
            live: false,
            clone_url: args.clone_url,
            hub: args.hub,
            now: args.now.unwrap_or_else(Timestamp::now),
        };
        let store = Store::open(&args.repo)?;
        let bar = progress_bar();
        let built =
            pony_site::build_watched(&store, &args.out, &options, &|Progress { done, all }| {
                if all >= WORTH_A_BAR {
                    bar.set_length(all as u64);
                    bar.set_position(done as u64);
                }
            });
        bar.finish_and_clear();
        let built = built?;
        report(&built, out, err)?;
        Ok(u8::from(args.strict && !built.unreadable.is_empty()))
    }
}

/// Only for a person at a terminal, and not in CI.
fn progress_bar() -> ProgressBar {
    if !io::stderr().is_terminal() || std::env::var_os("CI").is_some() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::no_length();
    match ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} results ({elapsed})") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn report(built: &Built, out: &mut impl Write, err: &mut impl Write) -> anyhow::Result<()> {
    let mut write = || {
        for result in &built.unreadable {
            writeln!(err, "pony-site: warning: cannot be read: {}", result.escape_debug())?;
        }
        writeln!(out, "{} files written", built.files_written)
    };
    match write() {
        // Whoever read the output has seen enough of it.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to the standard output"),
    }
}

/// The exit code of an error, as in sysexits.h.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    const USAGE: u8 = 64;
    const SOFTWARE: u8 = 70;
    const CANNOT_CREATE: u8 = 73;
    const IO: u8 = 74;
    if let Some(error) = error.downcast_ref::<StoreError>() {
        return error.exit_status();
    }
    match error.downcast_ref::<SiteError>() {
        Some(SiteError::Store(error)) => error.exit_status(),
        Some(SiteError::BaseUrl { .. }) => USAGE,
        Some(SiteError::Foreign { .. } | SiteError::InsideRepository { .. }) => CANNOT_CREATE,
        Some(SiteError::Io { action, .. }) if action.is_creation() => CANNOT_CREATE,
        Some(SiteError::Render(_)) => SOFTWARE,
        Some(_) | None => IO,
    }
}
