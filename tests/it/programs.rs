//! The real programs, built once, and how to run them so that a failure explains itself.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use cargo_metadata::Message;

/// The folder that holds `pony-report`, `pony-site` and `pony-collector`.
///
/// Cargo tells a test only the programs of its own package, so this asks cargo; after
/// `cargo test --workspace` there is nothing left to build.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let output = Command::new(env!("CARGO"))
            .args(["build", "--workspace", "--bins", "--message-format=json-render-diagnostics"])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let messages = Message::parse_stream(output.stdout.as_slice());
        let programs = messages.filter_map(|message| match message.unwrap() {
            Message::CompilerArtifact(artifact) => artifact.executable,
            _ => None,
        });
        let report = programs.into_iter().find(|path| path.file_stem() == Some("pony-report"));
        report.unwrap().parent().unwrap().into()
    })
}

/// A program of ours, or one from `PATH`, in `folder` and with nothing of the caller's
/// environment that could change what it does.
pub(crate) fn command(program: &str, folder: &Path) -> Command {
    let ours = self::folder().join(program);
    let mut command =
        Command::new(if ours.exists() { ours.as_os_str() } else { OsStr::new(program) });
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(self::folder().to_owned()).chain(std::env::split_paths(&path));
    command
        .current_dir(folder)
        .env("PATH", std::env::join_paths(paths).unwrap())
        .env("HOME", folder)
        .env("XDG_DATA_HOME", folder.join("data"))
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("NO_COLOR", "1");
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let ours = ["PONY_", "CARGO_PKG_", "GIT_"].iter().any(|prefix| text.starts_with(prefix));
        if ours || ["CI", "GITHUB_ACTIONS", "CARGO_TARGET_DIR", "RUSTFLAGS"].contains(&&*text) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs to the end with `input` on standard input.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // From a thread, so that neither side waits for the other when the input is large.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// Runs and insists on an exit code; returns standard output.
#[track_caller]
pub(crate) fn expect(command: &mut Command, input: &[u8], code: i32) -> String {
    let output = run(command, input);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    if output.status.code() != Some(code) {
        let mut report = format!("expected exit code {code}, got {}\n", output.status);
        let _ = writeln!(report, "$ {command:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
        panic!("{report}");
    }
    stdout
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A program beside pony that a test compares it with. `None`, with a line that says what was not
/// checked, when it is not installed; a failure where `PONY_REQUIRE_PEERS` promises that it is.
pub(crate) fn peer(program: &str, probe: &[&str]) -> Option<()> {
    let found =
        Command::new(program).args(probe).output().is_ok_and(|output| output.status.success());
    if !found {
        not_checked(&format!("`{program} {}` does not work here", probe.join(" ")));
    }
    found.then_some(())
}

/// Says what a test leaves out; a failure where `PONY_REQUIRE_PEERS` promises that everything is there.
pub(crate) fn not_checked(what: &str) {
    assert!(std::env::var_os("PONY_REQUIRE_PEERS").is_none(), "{what}");
    let _ = writeln!(std::io::stderr(), "NOT CHECKED: {what}");
}

/// A running collector, killed when dropped.
pub(crate) struct Collector {
    child: Child,
    /// `http://127.0.0.1:PORT/`.
    pub(crate) url: String,
}

impl Collector {
    /// Starts a collector on a free port and waits until it listens.
    pub(crate) fn start(folder: &Path) -> Self {
        let mut child = command("pony-collector", folder)
            .args(["serve", "--repo", "results.git", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| panic!("no address in {line:?}")).to_owned();
        // The rest is read away, so that the collector never waits for us.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        Self { child, url }
    }

    /// SIGKILL: no chance to tidy up.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
