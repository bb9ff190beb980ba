//! Developer tasks, run as `cargo xtask <task>`. Each is also a plain command, printed before it runs.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use cargo_metadata::MetadataCommand;

/// One task.
struct Task {
    name: &'static str,
    purpose: &'static str,
    /// Gets the words after its name.
    run: fn(&Workspace, &[String]) -> Outcome,
}

/// Every task.
const TASKS: [Task; 3] = [
    Task {
        name: "ci",
        purpose: "check, build and test as steps of one result, stored and rendered below target/pony",
        run: ci,
    },
    Task {
        name: "bench",
        purpose: "compare with peers what is read, written and rendered: bench formats, bench store, bench site",
        run: bench,
    },
    Task {
        name: "faults",
        purpose: "inject faults into the programs (--long for hours, --help for more)",
        run: faults,
    },
];

/// What can be compared: its name, and the package that does it, a workspace of its own.
const BENCHES: [(&str, &str); 3] =
    [("formats", "formats/bench"), ("store", "collector/store/bench"), ("site", "site-gen/bench")];

/// Whether a task did what it should; an error is one sentence.
type Outcome = Result<bool, String>;

/// Where things are, by `cargo metadata`.
struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

fn main() -> ExitCode {
    let mut words = env::args().skip(1);
    let word = words.next().unwrap_or_else(|| "help".to_owned());
    let words: Vec<String> = words.collect();
    if ["help", "--help", "-h"].contains(&&*word) {
        say(&usage());
        return ExitCode::SUCCESS;
    }
    let Some(task) = TASKS.iter().find(|known| known.name == word) else {
        say(&format!("xtask: error: unknown task `{word}`\n{}", usage()));
        return ExitCode::from(64);
    };
    match Workspace::find().and_then(|workspace| (task.run)(&workspace, &words)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(sentence) => {
            say(&format!("xtask: error: {sentence}"));
            ExitCode::FAILURE
        }
    }
}

/// Builds the two programs and has them check, report and render this workspace.
fn ci(workspace: &Workspace, _: &[String]) -> Outcome {
    // The whole workspace, so that its later steps find everything built with the same features.
    if !run(workspace, &cargo(), ["build", "--workspace"])? {
        return Ok(false);
    }
    let program = |name: &str| {
        workspace.target.join("debug").join(name).with_extension(env::consts::EXE_EXTENSION)
    };
    let folder = workspace.target.join("pony");
    let (repo, site) = (folder.join("results.git"), folder.join("site"));
    let report = [OsStr::new("ci"), "--repo".as_ref(), repo.as_ref()];
    let green = run(workspace, program("pony-report").as_ref(), report)?;
    let build =
        [OsStr::new("build"), "--repo".as_ref(), repo.as_ref(), "--out".as_ref(), site.as_ref()];
    let rendered = run(workspace, program("pony-site").as_ref(), build)?;
    say(&format!("results: {}\nsite:    {}", repo.display(), site.join("index.html").display()));
    Ok(green && rendered)
}

/// Builds a benchmark and runs it; what follows its name are its own arguments.
fn bench(workspace: &Workspace, words: &[String]) -> Outcome {
    let names = BENCHES.map(|(name, _)| name).join(", ");
    let Some((name, arguments)) = words.split_first() else {
        return Err(format!("bench what? One of: {names}"));
    };
    let Some((_, folder)) = BENCHES.iter().find(|(known, _)| known == name) else {
        return Err(format!("no benchmark `{name}`; there are: {names}"));
    };
    let manifest = workspace.root.join(folder).join("Cargo.toml");
    let mut command = vec!["run".into(), "--release".into(), "--manifest-path".into()];
    command.extend([manifest.into_os_string(), "--".into()]);
    command.extend(arguments.iter().map(OsString::from));
    run(workspace, &cargo(), command)
}

/// Builds the programs as they are released, and has `pony-faults` try them.
fn faults(workspace: &Workspace, words: &[String]) -> Outcome {
    if !run(workspace, &cargo(), ["build", "--release", "--workspace", "--bins"])? {
        return Ok(false);
    }
    let program = workspace.target.join("release").join("pony-faults");
    run(workspace, program.with_extension(env::consts::EXE_EXTENSION).as_ref(), words)
}

/// The cargo that runs us.
fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

impl Workspace {
    fn find() -> Result<Self, String> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec();
        let metadata = metadata.map_err(|error| format!("cannot read the workspace: {error}"))?;
        Ok(Self { root: metadata.workspace_root.into(), target: metadata.target_directory.into() })
    }
}

/// Runs a program in the workspace's root; says whether it succeeded.
fn run<A: AsRef<OsStr>>(
    workspace: &Workspace,
    program: &OsStr,
    args: impl IntoIterator<Item = A>,
) -> Outcome {
    let mut command = Command::new(program);
    command.args(args).current_dir(&workspace.root);
    say(&format!("$ {command:?}"));
    let status = command.status();
    status
        .map(|status| status.success())
        .map_err(|error| format!("cannot run {program:?}: {error}"))
}

fn usage() -> String {
    let mut text = "usage: cargo xtask <task>\n".to_owned();
    for Task { name, purpose, .. } in TASKS {
        text.push_str(&format!("\n  {name:<8}{purpose}"));
    }
    text
}

/// Writes to standard error; a closed one is nobody's loss.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
