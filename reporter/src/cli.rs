//! What was typed: [`Args`], as clap reads them, and nothing deduced from them.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args as ClapArgs, CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use pony_formats::{Format, Limits};

use crate::exit;
use crate::input::format_names;

const AFTER_HELP: &str = "\
Examples:
  pony-report run -- cargo test                     run, watch, store
  pony-report run --junit report.xml -- pytest --junitxml=report.xml
  pony-report ci                                    check, build, test a cargo project
  pony-report submit --server https://ci.example/ target/junit.xml
  nosetests -v 2>&1 | pony-report --package hayloft
  pony-report convert --to tally results/*.xml
  pony-report validate results/*.xml                can they be read? is anything odd?

Without --repo and --server, results go to $PONY_SERVER or $PONY_REPO, or else to the
repository $XDG_DATA_HOME/pony/results.git (~/.local/share/pony/results.git), which is created
on first use. An address of a git host needs no server: git pushes there, with its credentials.
What cannot be delivered waits in $PONY_SPOOL ($XDG_STATE_HOME/pony/spool) for
`pony-report retry`.

Environment, below flags and above what is detected: PONY_PACKAGE, PONY_HOST, PONY_ARCH, PONY_TAGS
(separated by commas), PONY_SERVER, PONY_REPO, PONY_BRANCH, PONY_SPOOL, PONY_REDACT.

Exit status: 0 done, 1 a step of `ci` failed, 64 usage, 65 broken or rejected data, 66 cannot
open input, 73 cannot create, also a file on a git host, 74 cannot read or write, 75 try later
(kept in the spool), 76 not a collector, 77 no permission, 78 configuration, 3 damaged repository.
`run` passes on the status of its command, 127 when it was not found, 126 when it cannot be
executed, 128+n after signal n.";

const AFTER_RUN_HELP: &str = "\
The command runs in the same process group with the same standard input; what it prints goes
through byte for byte, except that it is not a terminal to the command any more. Ctrl-C ends
both, and nothing is submitted then.

Test results are read from the files given with --junit, or named in the command's own words
(--junitxml=F, --junit-xml=F, --junit-xml-path=F, --xunit-file=F, --xml=F), if the command wrote
them. Otherwise pytest, nose, nose2, ctest, vitest, jest and mocha are asked for a report in a
temporary file, unless their words or configuration speak of reports, or with --as-is; pytest and
vitest say so in a line. The reports that Maven and Gradle write are found. Else what was printed
is read.

A run is a success when the command's status is 0, no test failed, and every file given with --junit
was written and can be read. Neither a file that cannot nor a failed delivery changes the status
that is passed on; with --strict they do when that was 0.

Examples:
  pony-report run -- cargo test --workspace
  pony-report run --tag nightly --junit 'reports/**/*.xml' -- mvn -q verify
  pony-report run --strict --server https://name:secret@ci.example/ -- nosetests -v
  pony-report run --repo git@forge.example:ox/results.git -- go test -json ./...
  pony-report run --repo \"$PROJECT\" --branch pony-results -- pytest --junitxml=out.xml";

/// Turns test output into results, and stores them in a git repository or sends them to a collector.
#[derive(Debug, Parser)]
#[command(name = "pony-report", version, args_conflicts_with_subcommands = true)]
#[command(after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
    /// Without a verb: `submit` what is piped in.
    #[command(flatten)]
    pub(crate) piped: SubmissionArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a command, show what it prints, and submit the tests it ran
    Run(RunArgs),
    /// Check, build and test the cargo project here, and submit all of it
    Ci(CiArgs),
    /// Submit what test runners wrote or printed before
    Submit(SubmitArgs),
    /// Convert what test runners wrote or printed, and submit nothing
    Convert(ConvertArgs),
    /// Say whether files can be read, as what, and what is odd about them
    Validate(ValidateArgs),
    /// Send what could not be delivered earlier
    Retry(RetryArgs),
    /// Say what is known of this machine and this run, and from where
    Env(EnvArgs),
    /// Write a script that completes this command line in a shell
    Completions(CompletionsArgs),
    /// Write the manual page of this program or of a verb
    Man(ManArgs),
}

#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_RUN_HELP)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) submission: SubmissionArgs,
    /// JUnit XML that the command writes; may hold *, ? and ** (may be repeated)
    #[arg(long, value_name = "PATH|GLOB")]
    pub(crate) junit: Vec<String>,
    /// Run the command exactly as it is typed: ask no runner for a report
    #[arg(long)]
    pub(crate) as_is: bool,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Runs `cargo fmt --check`, `cargo clippy`, `cargo build` and `cargo test` on the whole workspace,
each as one step. The exit status is 1 when a step failed; the submission is made in any case. A
failed delivery changes the status only with --strict, when that was 0.

Examples:
  pony-report ci --repo target/pony/results.git
  pony-report ci --tag nightly --server https://ci.example/")]
pub(crate) struct CiArgs {
    #[command(flatten)]
    pub(crate) identity: IdentityArgs,
    #[command(flatten)]
    pub(crate) size: SizeArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Each input becomes one step, all of them one submission. It is a success when no test failed; the
exit status is 0 once it is stored, whatever the tests said, or once it waits in the spool because
nobody answers now. With --strict, it is 0 only when it is stored.

Examples:
  pony-report submit --package hayloft junit.xml
  pony-report submit --strict --repo https://forge.example/ox/results.git junit.xml
  cargo test 2>&1 | pony-report submit --tag nightly -")]
pub(crate) struct SubmitArgs {
    #[command(flatten)]
    pub(crate) submission: SubmissionArgs,
    /// What to read; `-` is standard input, the default when that is a pipe
    #[arg(value_name = "FILE|-")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  pony-report convert junit.xml > results_list.json
  pony-report convert --to junit --from nose test.log
  pony-report convert --to tally reports/*.xml")]
pub(crate) struct ConvertArgs {
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    /// What to write
    #[arg(long, value_enum, default_value_t = Output::ResultsList)]
    pub(crate) to: Output,
    /// What to read; `-` is standard input, the default when that is a pipe
    #[arg(value_name = "FILE|-")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Each input that `submit` would take gets a block: its format, its counts, and a note by line and
column for whatever is odd but was tolerated, such as totals that do not add up. What would be
refused is refused with the same message.

Exit status: 0 when all would be taken, odd or not; 65 when one would be refused, 66 when one
cannot be opened. Of several the highest.

Examples:
  pony-report validate junit.xml
  pony-report validate --output json reports/*.xml
  cargo test 2>&1 | pony-report validate --from cargo-test -")]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    /// What to write
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    pub(crate) output: TextOrJson,
    /// What to read; `-` is standard input, the default when that is a pipe
    #[arg(value_name = "FILE|-")]
    pub(crate) files: Vec<PathBuf>,
}

/// What `validate` and `env` write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextOrJson {
    /// Lines for people
    Text,
    /// One line of JSON each
    Json,
}

/// What `convert` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// The steps of a submission as canonical JSON
    ResultsList,
    /// One JUnit XML document
    Junit,
    /// One CTRF document
    Ctrf,
    /// One line of JSON per input: how many tests ended how
    Tally,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Submissions are sent to where they should have gone, unless a flag names another place. With --repo
alone, each still goes to its own branch there. Those for one git host go in one push; it takes no
files beside a result, so a submission with some waits for a collector or a folder. Passwords are
not kept in the spool: name the collector or the git host with its password in PONY_SERVER or
PONY_REPO, or --server or --repo.
What a collector rejects moves to the folder `rejected` of the spool, with the reason beside it.

Examples:
  pony-report retry
  pony-report retry --list
  pony-report retry --discard FILE                  for example one with a mistyped --repo")]
pub(crate) struct RetryArgs {
    /// Send nothing, list what waits: its file, what it is and where it should go
    #[arg(long, conflicts_with = "discard")]
    pub(crate) list: bool,
    /// Send nothing, delete this file of the spool (may be repeated)
    #[arg(long, value_name = "FILE")]
    pub(crate) discard: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
One line for each thing that a submission made here would say of itself, and where it would go: its
name, its value, and the flag, variable, file or command that it is from. Nothing is sent.

Examples:
  pony-report env
  pony-report env --output json --tag nightly")]
pub(crate) struct EnvArgs {
    #[command(flatten)]
    pub(crate) identity: IdentityArgs,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// What to write
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    pub(crate) output: TextOrJson,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  pony-report completions bash > ~/.local/share/bash-completion/completions/pony-report
  pony-report completions fish > ~/.config/fish/completions/pony-report.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  pony-report man | man -l -
  pony-report man run > ~/.local/share/man/man1/pony-report-run.1")]
pub(crate) struct ManArgs {
    /// The verb, for example `run`
    pub(crate) verb: Option<String>,
}

/// What `run` and `submit` have in common.
#[derive(Debug, ClapArgs)]
pub(crate) struct SubmissionArgs {
    #[command(flatten)]
    pub(crate) identity: IdentityArgs,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct IdentityArgs {
    /// What is tested [default: the Cargo or Python project here, or the folder's name]
    #[arg(long, value_name = "NAME")]
    pub(crate) package: Option<String>,
    /// A label of this build line, for example `nightly` (may be repeated)
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// The machine [default: its host name; in CI the system and the platform, such as
    /// github-ubuntu-24.04]
    #[arg(long)]
    pub(crate) host: Option<String>,
    /// The platform [default: for example linux-x86_64]
    #[arg(long)]
    pub(crate) arch: Option<String>,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct ReadingArgs {
    #[arg(long, value_name = "FORMAT", help = from_help())]
    pub(crate) from: Option<Format>,
    /// The Cargo.toml of the project whose tests these are, to ask cargo which package each belongs to
    /// [default with `run`: that of the command, or the one here]
    #[arg(long, value_name = "PATH")]
    pub(crate) manifest_path: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) size: SizeArgs,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct OutputArgs {
    /// The most of one stream of a step that is stored in the result, beginning and end, in bytes or
    /// with K, M or G; the whole becomes a file beside it
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    #[arg(default_value_t = Limits::DEFAULT.stream_bytes_max)]
    pub(crate) max_output: usize,
    /// Store [redacted] instead of what this regular expression fits in what was printed (may be
    /// repeated); values of variables that are called like secrets always go [default: $PONY_REDACT]
    #[arg(long, value_name = "REGEX")]
    pub(crate) redact: Vec<String>,
    /// Fail when results cannot be read or delivered now, although all else went well
    #[arg(long)]
    pub(crate) strict: bool,
    /// In GitHub Actions, write neither a job summary nor annotations
    #[arg(long)]
    pub(crate) no_github: bool,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct SizeArgs {
    /// The largest input in bytes, or with K, M or G
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    #[arg(default_value_t = Limits::DEFAULT.input_bytes_max)]
    pub(crate) max_size: usize,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct TargetArgs {
    /// Store in this git repository: a folder, which is created when it does not exist, or any
    /// address that `git push` takes
    #[arg(long, value_name = "PATH|URL", conflicts_with = "server")]
    pub(crate) repo: Option<OsString>,
    /// The branch that holds the results, pushed by git also into a folder; it is created when it does
    /// not exist [default for an address: main]
    #[arg(long, value_name = "NAME", conflicts_with = "server")]
    pub(crate) branch: Option<String>,
    /// Send to the collector at this address; its last component is replaced by `xmlrpc`, so a
    /// prefix must end in a slash
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// Say nothing but warnings and errors
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

fn from_help() -> String {
    format!("The input's format: {} [default: guessed from the content]", format_names())
}

fn parse_size(text: &str) -> Result<usize, String> {
    let upper = text.to_ascii_uppercase();
    let plain = upper.trim_end_matches('B').trim_end_matches('I');
    let (digits, unit) = match plain.char_indices().last() {
        Some((at, 'K')) => (&plain[..at], 1 << 10),
        Some((at, 'M')) => (&plain[..at], 1 << 20),
        Some((at, 'G')) => (&plain[..at], 1 << 30),
        _ => (plain, 1_usize),
    };
    digits
        .parse()
        .ok()
        .and_then(|number: usize| number.checked_mul(unit))
        .ok_or_else(|| "expected bytes, or a number with K, M or G".to_owned())
}

impl Args {
    /// Whether only warnings and errors are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        match &self.verb {
            None => self.piped.target.quiet,
            Some(Verb::Run(args)) => args.submission.target.quiet,
            Some(Verb::Ci(args)) => args.target.quiet,
            Some(Verb::Submit(args)) => args.submission.target.quiet,
            Some(
                Verb::Convert(_)
                | Verb::Validate(_)
                | Verb::Env(_)
                | Verb::Completions(_)
                | Verb::Man(_),
            ) => false,
            Some(Verb::Retry(args)) => args.target.quiet,
        }
    }
}

/// What can be typed.
pub(crate) fn definition() -> clap::Command {
    Args::command()
}

/// Reads a command line.
pub(crate) fn parse(words: impl Iterator<Item = OsString>) -> Result<Args, clap::Error> {
    Args::try_parse_from(words)
}

/// Prints what clap has to say, and returns the exit status: clap's own 2 is a 64 here.
pub(crate) fn explain(error: &clap::Error) -> i32 {
    if !error.use_stderr() {
        // A closed pipe is the reader's choice.
        let _ = error.print();
        return exit::OK;
    }
    let text = error.to_string();
    let lines: Vec<String> = text.lines().map(crate::messages::printable).collect();
    let _ = writeln!(std::io::stderr(), "pony-report: {}", lines.join("\n"));
    exit::USAGE
}

/// Prints the help, and returns the exit status.
pub(crate) fn print_help() -> i32 {
    let help = definition().render_help();
    let _ = write!(std::io::stdout(), "{help}");
    exit::OK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        definition().debug_assert();
    }

    #[test]
    fn no_line_of_the_help_is_broken_in_two() {
        let mut command = definition();
        let own = command.get_after_help().map(ToString::to_string);
        let verbs = command.get_subcommands().filter_map(|verb| verb.get_after_help());
        let texts: Vec<String> = own.into_iter().chain(verbs.map(ToString::to_string)).collect();
        assert!(texts.len() > 4);
        for line in texts.iter().flat_map(|text| text.lines()) {
            assert!(line.len() <= 100, "{line}");
        }
        command.build();
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("10"), Ok(10));
        assert_eq!(parse_size("2k"), Ok(2048));
        assert_eq!(parse_size("64MiB"), Ok(64 << 20));
        for wrong in ["", "M", "-1", "1.5M", "99999999999999999999G"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn everything_after_the_command_belongs_to_the_command() {
        let words = ["pony-report", "run", "--tag", "a", "--", "cargo", "test", "--", "--help"];
        let args = parse(words.iter().map(OsString::from)).unwrap();
        let Some(Verb::Run(run)) = args.verb else { panic!("not a run") };
        assert_eq!(run.command, ["cargo", "test", "--", "--help"]);
    }
}
