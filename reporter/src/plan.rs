//! What is meant: [`Plan`], with every default filled in and everything checked that can be checked
//! before a command runs.

use std::ffi::OsStr;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap_complete::Shell;
use pony_formats::{ClientInfo, Format, Limits};

use crate::cargo::CargoProject;
use crate::cli::{
    Args, CiArgs, ConvertArgs, EnvArgs, Output, ReadingArgs, RetryArgs, RunArgs, SubmissionArgs,
    SubmitArgs, TargetArgs, TextOrJson, ValidateArgs, Verb,
};
use crate::execution::Command;
use crate::exit::Failure;
use crate::identity::{self, Identity};
use crate::input::Source;
use crate::job::Job;
use crate::origin::{Fact, Surroundings};
use crate::redaction::Redaction;
use crate::spool::Spool;
use crate::target::{GitUrl, ServerUrl, Target};

/// Notes that `validate` shows of one input.
const NOTES_MAX: usize = 100;

/// What the process is to do.
#[derive(Debug)]
pub(crate) enum Plan {
    Help,
    Run(Box<RunPlan>),
    Ci(Box<CiPlan>),
    Submit(Box<SubmitPlan>),
    Convert(ConvertPlan),
    Validate(ValidatePlan),
    Retry(RetryPlan),
    Env(EnvPlan),
    Completions(Shell),
    Man(Option<String>),
}

/// `pony-report run`.
#[derive(Debug)]
pub(crate) struct RunPlan {
    /// What to run.
    pub(crate) command: Command,
    /// Everything else.
    pub(crate) submit: SubmitPlan,
}

/// `pony-report ci`.
#[derive(Debug)]
pub(crate) struct CiPlan {
    /// Where the project is.
    pub(crate) folder: PathBuf,
    /// Everything else.
    pub(crate) submit: SubmitPlan,
}

/// `pony-report submit`.
#[derive(Debug)]
pub(crate) struct SubmitPlan {
    /// Who and where, with `success` still to be found out.
    pub(crate) client_info: ClientInfo,
    /// What to read.
    pub(crate) sources: Vec<Source>,
    /// How to read it.
    pub(crate) reading: Reading,
    /// Whether a failed delivery fails what went well.
    pub(crate) strict: bool,
    /// The job of GitHub Actions that shows it.
    pub(crate) job: Option<Job>,
    /// Where to send it.
    pub(crate) target: Target,
    /// Where it waits; `None` when the person has no home.
    pub(crate) spool: Option<Spool>,
}

/// `pony-report convert`.
#[derive(Debug)]
pub(crate) struct ConvertPlan {
    pub(crate) sources: Vec<Source>,
    pub(crate) reading: Reading,
    pub(crate) to: Output,
}

/// `pony-report validate`.
#[derive(Debug)]
pub(crate) struct ValidatePlan {
    pub(crate) sources: Vec<Source>,
    pub(crate) reading: Reading,
    pub(crate) output: TextOrJson,
}

/// `pony-report retry`.
#[derive(Debug)]
pub(crate) struct RetryPlan {
    pub(crate) task: RetryTask,
    pub(crate) spool: Spool,
    /// Where everything goes, whatever the spool says.
    pub(crate) target: Option<Target>,
    /// Whether the spool still says to which branch, where it does.
    pub(crate) to_own_branch: bool,
    /// Whose credentials may be used for their own submissions.
    pub(crate) known: Vec<Target>,
}

/// `pony-report env`.
#[derive(Debug)]
pub(crate) struct EnvPlan {
    pub(crate) identity: Identity,
    /// Where results would go.
    pub(crate) target: Fact,
    /// Where they would wait.
    pub(crate) spool: Option<Fact>,
    pub(crate) output: TextOrJson,
}

/// What `retry` does with what waits.
#[derive(Debug)]
pub(crate) enum RetryTask {
    Send,
    List,
    Discard(Vec<PathBuf>),
}

/// How inputs are read.
#[derive(Debug)]
pub(crate) struct Reading {
    /// The format, when it is not to be guessed.
    pub(crate) from: Option<Format>,
    pub(crate) limits: Limits,
    pub(crate) project: Project,
    /// What is not to be stored of it.
    pub(crate) redaction: Redaction,
}

/// Which cargo project the tests are of, if they are of one. To ask about it is to run cargo, which does
/// what the configuration of that project says: only where a command was run anyway, or somebody asked for it.
#[derive(Debug)]
pub(crate) enum Project {
    Unknown,
    /// The one that a command was probably run for.
    Supposed(CargoProject),
    /// The one that was named.
    Named(CargoProject),
}

/// Turns what was typed into what is meant.
pub(crate) fn plan(args: Args, surroundings: &Surroundings) -> Result<Plan, Failure> {
    match args.verb {
        None if std::io::stdin().is_terminal() => Ok(Plan::Help),
        None => plan_submit(args.piped, vec![Source::Stdin], surroundings),
        Some(Verb::Run(args)) => plan_run(args, surroundings),
        Some(Verb::Ci(args)) => plan_ci(args, surroundings),
        Some(Verb::Submit(SubmitArgs { submission, files })) => {
            plan_submit(submission, sources(files)?, surroundings)
        }
        Some(Verb::Convert(args)) => plan_convert(args),
        Some(Verb::Validate(args)) => plan_validate(args),
        Some(Verb::Retry(args)) => plan_retry(args, surroundings),
        Some(Verb::Env(args)) => plan_env(args, surroundings),
        Some(Verb::Completions(args)) => Ok(Plan::Completions(args.shell)),
        Some(Verb::Man(args)) => Ok(Plan::Man(args.verb)),
    }
}

fn plan_run(args: RunArgs, surroundings: &Surroundings) -> Result<Plan, Failure> {
    let mut submit = submission(args.submission, Vec::new(), surroundings)?;
    if let Project::Unknown = submit.reading.project {
        submit.reading.project = Project::Supposed(CargoProject::of_command(&args.command));
    }
    Ok(Plan::Run(Box::new(RunPlan {
        command: Command {
            words: args.command,
            name: None,
            kind: "test",
            junit: args.junit,
            as_is: args.as_is,
        },
        submit,
    })))
}

fn plan_ci(args: CiArgs, surroundings: &Surroundings) -> Result<Plan, Failure> {
    let CiArgs { identity, size, output, target } = args;
    let reading = ReadingArgs { from: None, manifest_path: None, size };
    let args = SubmissionArgs { identity, reading, output, target };
    let mut submit = submission(args, Vec::new(), surroundings)?;
    submit.reading.project = Project::Supposed(CargoProject::default());
    Ok(Plan::Ci(Box::new(CiPlan { folder: surroundings.folder().to_owned(), submit })))
}

fn plan_submit(
    args: SubmissionArgs,
    sources: Vec<Source>,
    surroundings: &Surroundings,
) -> Result<Plan, Failure> {
    Ok(Plan::Submit(Box::new(submission(args, sources, surroundings)?)))
}

fn plan_convert(args: ConvertArgs) -> Result<Plan, Failure> {
    let sources = sources(args.files)?;
    let mut reading = reading(&args.reading);
    // There is no result that files could be beside of.
    reading.limits.stream_bytes_max = usize::MAX;
    Ok(Plan::Convert(ConvertPlan { sources, reading, to: args.to }))
}

fn plan_validate(args: ValidateArgs) -> Result<Plan, Failure> {
    let ValidateArgs { reading: args, output, files } = args;
    let mut reading = reading(&args);
    reading.limits.oddities_max = NOTES_MAX;
    Ok(Plan::Validate(ValidatePlan { sources: sources(files)?, reading, output }))
}

fn plan_retry(args: RetryArgs, surroundings: &Surroundings) -> Result<Plan, Failure> {
    let spool = Spool::of(surroundings).ok_or_else(|| {
        Failure::Config("no home folder, so no spool: set PONY_SPOOL to its folder".to_owned())
    })?;
    // Whichever the spool names: both may be set here.
    let server = surroundings.var("PONY_SERVER").map(|url| server(url, "PONY_SERVER"));
    let repo = surroundings
        .var("PONY_REPO")
        .map(|repo| repository(repo.as_ref(), "PONY_REPO", branch(&args.target, surroundings)));
    let known = server.into_iter().chain(repo).collect::<Result<_, _>>()?;
    let task = match args.discard {
        _ if args.list => RetryTask::List,
        files if files.is_empty() => RetryTask::Send,
        files => RetryTask::Discard(files),
    };
    Ok(Plan::Retry(RetryPlan {
        task,
        spool,
        to_own_branch: args.target.branch.is_none(),
        target: named_target(&args.target, surroundings)?,
        known,
    }))
}

fn plan_env(args: EnvArgs, surroundings: &Surroundings) -> Result<Plan, Failure> {
    let EnvArgs { identity, target: target_args, output } = args;
    let from = match (&target_args.server, &target_args.repo) {
        (Some(_), _) => "--server",
        (None, Some(_)) => "--repo",
        (None, None) if surroundings.var("PONY_SERVER").is_some() => "PONY_SERVER",
        (None, None) if surroundings.var("PONY_REPO").is_some() => "PONY_REPO",
        (None, None) => "nothing else is named",
    };
    let target = target(&target_args, surroundings)?;
    let spool_from = surroundings.var("PONY_SPOOL").map_or("the home folder", |_| "PONY_SPOOL");
    let spool = Spool::of(surroundings);
    Ok(Plan::Env(EnvPlan {
        identity: identity::of(identity, surroundings)?,
        target: Fact::new(target.to_string(), from),
        spool: spool.map(|spool| Fact::new(spool.folder().display().to_string(), spool_from)),
        output,
    }))
}

fn submission(
    args: SubmissionArgs,
    sources: Vec<Source>,
    surroundings: &Surroundings,
) -> Result<SubmitPlan, Failure> {
    let target = target(&args.target, surroundings)?;
    let mut reading = reading(&args.reading);
    reading.limits.stream_bytes_max = args.output.max_output;
    if let Target::GitHost(_) = target {
        // Nowhere to put them.
        reading.limits.whole_bytes_max = 0;
    }
    reading.redaction = Redaction::of(&args.output.redact, surroundings, &target)?;
    Ok(SubmitPlan {
        client_info: identity::of(args.identity, surroundings)?.client_info()?,
        sources,
        reading,
        strict: args.output.strict,
        job: Job::around(surroundings).filter(|_| !args.output.no_github),
        target,
        spool: Spool::of(surroundings),
    })
}

fn reading(args: &ReadingArgs) -> Reading {
    Reading {
        from: args.from,
        limits: Limits { input_bytes_max: args.size.max_size, ..Limits::DEFAULT },
        project: match &args.manifest_path {
            Some(path) => Project::Named(CargoProject { manifest: Some(path.clone()) }),
            None => Project::Unknown,
        },
        redaction: Redaction::default(),
    }
}

fn sources(files: Vec<PathBuf>) -> Result<Vec<Source>, Failure> {
    if !files.is_empty() {
        return Ok(files.into_iter().map(Source::from).collect());
    }
    if std::io::stdin().is_terminal() {
        return Err(Failure::Usage("nothing to read: name a file, or pipe one in".to_owned()));
    }
    Ok(vec![Source::Stdin])
}

fn target(args: &TargetArgs, surroundings: &Surroundings) -> Result<Target, Failure> {
    if let Some(target) = named_target(args, surroundings)? {
        return Ok(target);
    }
    match (surroundings.var("PONY_SERVER"), surroundings.var("PONY_REPO")) {
        (_, None) if args.branch.is_some() => {
            Err(Failure::Usage("--branch: of which repository? pass --repo".to_owned()))
        }
        (Some(_), Some(_)) => Err(Failure::Usage(
            "PONY_SERVER and PONY_REPO are both set: unset one, or pass --server or --repo"
                .to_owned(),
        )),
        (Some(url), None) => server(url, "PONY_SERVER"),
        (None, Some(repo)) => repository(repo.as_ref(), "PONY_REPO", branch(args, surroundings)),
        (None, None) => match surroundings.data_folder() {
            Some(folder) => Ok(Target::Repository(folder.join("results.git"))),
            None => Err(Failure::Config(
                "no home folder for the default repository: pass --repo or --server".to_owned(),
            )),
        },
    }
}

fn named_target(args: &TargetArgs, surroundings: &Surroundings) -> Result<Option<Target>, Failure> {
    match (&args.server, &args.repo) {
        (Some(url), _) => server(url, "--server").map(Some),
        (None, Some(repo)) => repository(repo, "--repo", branch(args, surroundings)).map(Some),
        (None, None) => Ok(None),
    }
}

fn branch(args: &TargetArgs, surroundings: &Surroundings) -> Option<String> {
    args.branch.clone().or_else(|| surroundings.var("PONY_BRANCH").map(str::to_owned))
}

fn server(url: &str, given_by: &str) -> Result<Target, Failure> {
    let url = ServerUrl::parse(url);
    url.map(Target::Server).map_err(|reason| Failure::Usage(format!("{given_by}: {reason}")))
}

/// A path becomes absolute, so that the spool can be sent from another folder. With a branch it is git's.
fn repository(repo: &OsStr, given_by: &str, branch: Option<String>) -> Result<Target, Failure> {
    let wrong = |reason: String| Failure::Usage(format!("{given_by}: {reason}"));
    if let Some(url) = repo.to_str().filter(|text| GitUrl::is_meant_by(text)) {
        return GitUrl::parse(url, branch).map(Target::GitHost).map_err(wrong);
    }
    let path = std::path::absolute(repo).map_err(|error| wrong(error.to_string()))?;
    match branch {
        None => Ok(Target::Repository(path)),
        branch => GitUrl::of_path(&path, branch).map(Target::GitHost).map_err(wrong),
    }
}
