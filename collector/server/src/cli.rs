//! The command line: what was typed becomes a [`Plan`].

mod clients;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use pony_formats::Limits;
use pony_store::{ArchivePlan, CommitId};
use tracing_subscriber::EnvFilter;

use crate::{archive, client, failure, maintain, serve, verify};

/// What is shown below the options of `serve`.
const SERVE_EXAMPLES: &str = "\
Examples:
  pony-collector serve --repo results.git
  pony-collector client add --repo results.git ci-linux
  pony-collector serve --repo results.git --listen 0.0.0.0:8000 --base-url https://ci.example/

Clients use the printed address: `pony-report run --server http://127.0.0.1:8000/ -- make check`.
The log goes to standard error; PONY_LOG=debug says more.

Exit status:
  0 stopped by a signal   3 damaged repository   64 wrong usage   66 not a results repository
  70 fault of this program   73 cannot create or listen   74 input or output failed
  75 the repository is in use, try later   78 newer repository, it would be shown in the site, or
  others can reach the address and nobody may submit";

/// What is shown below the options of `maintain`.
const MAINTAIN_NOTES: &str = "\
Packs what came since the last time as small as git can, checks the new pack against the old ones,
and only then removes these; then has git write the commit-graph. Nothing is deleted that is not in
the new pack, whether a branch needs it or not. Safe to kill at any point, and beside readers.

A running collector does this by itself, at low priority: once 16 MiB have come, or after a day.
For repositories that `pony-report --repo` writes to, run it now and then. Without git, packs are
only joined.

Exit status:
  0 done   3 damaged repository   64 wrong usage   66 not a results repository
  74 input or output failed, or git did   75 somebody is writing   78 newer repository";

/// What is shown below the options of `archive`.
const ARCHIVE_NOTES: &str = "\
Copies the results to the archive, reads the copy back, and only then takes them out of REPO in one
commit, which names the archive in `format.json`. Results keep their keys, receipts and uploaded
files. Killed at any point, start it again: it goes on, and no result is ever in neither.

git's history still holds what was taken out. --drop-history ends that: the archive fetches the
history and keeps it under a tag, then REPO starts anew with one commit of what remains. Commit
ids that somebody noted are then found in the archive only, and clones of REPO must be made again.
Nobody may push to REPO meanwhile.

Stop a collector first; nothing is moved while it runs.

Examples:
  pony-collector archive --before 2026-01-01 --to 2025.git results.git
  pony-collector archive --before 2026-01-01 --to 2025.git \\
      --url https://ci.example/2025.git --drop-history results.git

Exit status:
  0 done, or nothing to do   3 a result is damaged: nothing was taken out   64 wrong usage
  66 not a results repository   73 cannot create   74 input or output failed, or git did
  75 somebody is writing   78 newer repository";
/// What is shown below the options of `verify`.
const VERIFY_EXAMPLES: &str = "\
Examples:
  pony-collector verify results.git
  pony-collector verify --since \"$(cat last-head)\" results.git

Reads every object, result and uploaded file, follows the history, compares the index with a new one,
and has git look too (`git fsck --strict`). Damage is listed on standard output, one line each; what could not
be checked is a warning on standard error. Changes nothing, and may be run beside a collector.

Exit status:
  0 sound   3 damaged, or the commit of --since is not in the history   64 wrong usage
  66 not a results repository   74 input or output failed   78 newer repository";

/// Collects test results in a git repository and shows them as a site.
#[derive(Debug, Parser)]
#[command(name = "pony-collector", version, arg_required_else_help = true)]
struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Accept results over XML-RPC and serve the site.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),
    /// Say who may submit.
    #[command(after_help = clients::NOTES)]
    Client(clients::ClientArgs),
    /// Make a results repository smaller and faster to read.
    #[command(after_help = MAINTAIN_NOTES)]
    Maintain(MaintainArgs),
    /// Move old results into another results repository.
    #[command(after_help = ARCHIVE_NOTES)]
    Archive(ArchiveArgs),
    /// Check that everything in a repository is as it was written.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// A commit that must be in the history, such as the head at the last check
    #[arg(long, value_name = "COMMIT")]
    since: Option<CommitId>,

    /// The results repository; a clone will do, and nothing is written
    #[arg(value_name = "REPO")]
    repo: PathBuf,
}

/// What `verify` is to do.
#[derive(Debug, Clone)]
pub(crate) struct VerifyPlan {
    pub(crate) repo: PathBuf,
    pub(crate) since: Option<CommitId>,
}

#[derive(Debug, Args)]
struct ArchiveArgs {
    /// Move the results received on earlier days (UTC)
    #[arg(long, value_name = "DATE", value_parser = past_day)]
    before: Date,

    /// The archive; created when there is nothing at the path
    #[arg(long, value_name = "PATH")]
    to: PathBuf,

    /// Where readers find the archive [default: the path]
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// What to call the archive [default: its file name, without `.git`]
    #[arg(long)]
    name: Option<String>,

    /// Start the history of the repository anew, to free the space
    #[arg(long)]
    drop_history: bool,

    /// The results repository
    #[arg(value_name = "REPO")]
    repo: PathBuf,
}

impl ArchiveArgs {
    fn into_plan(self) -> (PathBuf, ArchivePlan) {
        let file_name = self.to.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = file_name.strip_suffix(".git").unwrap_or(&file_name).to_owned();
        let plan = ArchivePlan {
            before: self.before,
            name: self.name.unwrap_or(name),
            url: self.url.unwrap_or_else(|| self.to.display().to_string()),
            to: self.to,
            drop_history: self.drop_history,
        };
        (self.repo, plan)
    }
}

#[derive(Debug, Args)]
struct MaintainArgs {
    /// Pack everything anew, also the large old packs
    #[arg(long)]
    all: bool,

    /// The results repository
    #[arg(value_name = "REPO")]
    repo: PathBuf,
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// The results repository; created when there is nothing at the path
    #[arg(long, value_name = "PATH")]
    repo: PathBuf,

    /// The address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000", value_parser = listen)]
    listen: String,

    /// The folder of the site [default: pony/site in the repository]
    #[arg(long, value_name = "DIR")]
    site: Option<PathBuf>,

    /// The address that readers use, for feeds and redirects [default for feeds: the one listened on]
    #[arg(long, value_name = "URL", value_parser = base_url)]
    base_url: Option<String>,

    /// The largest submission, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 16 * 1024 * 1024)]
    max_body: usize,

    /// The largest uploaded file, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 50 * 1024 * 1024)]
    max_upload: usize,

    /// The most that is stored of the uploaded files of one result together, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 200 * 1024 * 1024)]
    max_uploads_per_result: u64,

    /// The most of one stream of a step that is stored in a result, in bytes: beginning and end. The
    /// whole becomes a file of the result
    #[arg(long, value_name = "BYTES", default_value_t = Limits::DEFAULT.stream_bytes_max)]
    max_output: usize,

    /// How long a client may pause while it sends or receives, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    patience: u64,

    /// The most connections of one address at the same time [default: 32, but this machine, where a
    /// proxy may be, has no limit of its own]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    max_connections_per_address: Option<u16>,

    /// Let everybody submit, without a token [default: clients with a token; while there are none,
    /// programs on this machine]
    #[arg(long)]
    open: bool,

    /// The most that is taken from everybody without a token, programs on this machine apart, in
    /// bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1024 * 1024 * 1024)]
    max_from_strangers: u64,

    /// Store the network addresses of clients with their results
    #[arg(long)]
    store_addresses: bool,
}

/// What `serve` is to do.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) repo: PathBuf,
    pub(crate) listen: String,
    pub(crate) site: PathBuf,
    /// Ends with a slash.
    pub(crate) base_url: Option<String>,
    pub(crate) body_bytes_max: usize,
    pub(crate) upload_bytes_max: usize,
    /// Of all files of one result.
    pub(crate) uploads_bytes_max: u64,
    /// Of one stream of a step.
    pub(crate) stream_bytes_max: usize,
    pub(crate) patience: Duration,
    /// `None` for the default.
    pub(crate) connections_per_address_max: Option<usize>,
    /// Whether clients need no token.
    pub(crate) is_open: bool,
    /// Of all submissions and files of those without a token.
    pub(crate) strangers_bytes_max: u64,
    pub(crate) store_addresses: bool,
}

impl From<ServeArgs> for Plan {
    fn from(args: ServeArgs) -> Self {
        Self {
            site: args.site.unwrap_or_else(|| args.repo.join("pony").join("site")),
            repo: args.repo,
            listen: args.listen,
            base_url: args.base_url,
            body_bytes_max: args.max_body,
            upload_bytes_max: args.max_upload,
            uploads_bytes_max: args.max_uploads_per_result,
            stream_bytes_max: args.max_output,
            patience: Duration::from_secs(args.patience),
            connections_per_address_max: args.max_connections_per_address.map(usize::from),
            is_open: args.open,
            strangers_bytes_max: args.max_from_strangers,
            store_addresses: args.store_addresses,
        }
    }
}

/// Only the form: whether the host exists is found out by listening.
fn listen(text: &str) -> Result<String, String> {
    let port = |(host, port): (&str, &str)| port.parse::<u16>().ok().filter(|_| !host.is_empty());
    match text.rsplit_once(':').and_then(port) {
        Some(_) => Ok(text.to_owned()),
        None => Err("expected a host and a port, for example 127.0.0.1:8000".to_owned()),
    }
}

/// What is still to come cannot be moved.
fn past_day(text: &str) -> Result<Date, String> {
    let day: Date =
        text.parse().map_err(|_| "expected a day, for example 2026-01-31".to_owned())?;
    let today = Offset::UTC.to_datetime(Timestamp::now()).date();
    if day > today { Err(format!("it is after today, {today} (UTC)")) } else { Ok(day) }
}

fn base_url(text: &str) -> Result<String, String> {
    pony_site::base_url(text).map_err(|error| error.to_string())
}

/// Does what the command line says and returns the exit status to end with.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command = match Command::try_parse_from(args) {
        Ok(command) => command,
        Err(error) => {
            // Nothing can be done for somebody who closed the stream.
            if !error.use_stderr() {
                let _ = error.print();
                return ExitCode::SUCCESS;
            }
            // Without a verb, clap has the help to say.
            let what = if error.kind() == DisplayHelpOnMissingArgumentOrSubcommand {
                ""
            } else {
                "pony-collector: "
            };
            let _ = write!(io::stderr(), "{what}{error}");
            return ExitCode::from(failure::USAGE);
        }
    };
    log_to_stderr();
    let result = match command.verb {
        Verb::Serve(args) => serve::serve(args.into(), &mut io::stdout()),
        Verb::Archive(args) => {
            let (repo, plan) = args.into_plan();
            archive::archive(&repo, &plan, &mut io::stdout())
        }
        Verb::Client(args) => client::client(&args.into(), &mut io::stdout(), &mut io::stderr()),
        Verb::Maintain(args) => maintain::maintain(&args.repo, args.all, &mut io::stdout()),
        Verb::Verify(VerifyArgs { since, repo }) => {
            verify::verify(&VerifyPlan { repo, since }, &mut io::stdout())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "pony-collector: error: {error:#}");
            ExitCode::from(failure::exit_code(&error))
        }
    }
}

fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("PONY_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(args: &[&str]) -> Plan {
        let args = ["pony-collector", "serve", "--repo", "r.git"].iter().chain(args);
        match Command::try_parse_from(args).unwrap().verb {
            Verb::Serve(args) => args.into(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_site_is_inside_the_repository_unless_said_otherwise() {
        assert_eq!(plan(&[]).site, PathBuf::from("r.git/pony/site"));
        assert_eq!(plan(&["--site", "www"]).site, PathBuf::from("www"));
    }

    #[test]
    fn a_base_url_ends_with_a_slash() {
        let base_url = |url| plan(&["--base-url", url]).base_url.unwrap();
        assert_eq!(base_url("https://ci.example"), "https://ci.example/");
        assert_eq!(base_url("http://ci.example/pony/"), "http://ci.example/pony/");
    }

    #[test]
    fn only_days_that_have_begun_are_archived() {
        assert_eq!(past_day("2026-01-31"), Ok("2026-01-31".parse().unwrap()));
        for text in ["", "soon", "2026-02-30", "9999-01-01"] {
            assert!(past_day(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_archive_is_called_like_its_folder() {
        let args =
            ["pony-collector", "archive", "--before", "2026-01-01", "--to", "x/2025.git", "r.git"];
        let Verb::Archive(args) = Command::try_parse_from(args).unwrap().verb else { panic!() };
        let (repo, plan) = args.into_plan();
        assert_eq!(repo, PathBuf::from("r.git"));
        assert_eq!((plan.name.as_str(), plan.url.as_str()), ("2025", "x/2025.git"));
    }

    #[test]
    fn an_address_that_is_no_base_is_refused() {
        for url in
            ["ci.example", "ftp://ci.example", "http://", "http:///x", "http://a b", "http://a/?x"]
        {
            assert!(super::base_url(url).is_err(), "{url}");
        }
    }
}
