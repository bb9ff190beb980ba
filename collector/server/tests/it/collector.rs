//! A running collector, and what a client says to it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use pony_formats::xmlrpc::{Fault, Response, read_response, write_call};
use pony_formats::{Bag, Limits, Value};
use tempfile::TempDir;

use crate::http;

/// A folder for one repository.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn repo(&self) -> PathBuf {
        self.path("results.git")
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap()
    }

    /// Waits until the log has this text.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, text: &str) {
        // Only so that a mistake ends the test.
        let start = std::time::Instant::now();
        while !self.log().contains(text) {
            assert!(start.elapsed().as_secs() < 60, "the log never had {text:?}: {}", self.log());
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// `pony-collector serve` on this repository.
    pub(crate) fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pony-collector"));
        command.args(["serve", "--repo"]).arg(self.repo()).args(more);
        if !more.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        command.env_remove("PONY_LOG").stdin(Stdio::null());
        command
    }

    /// Starts a collector and waits until it listens.
    pub(crate) fn start(&self, more: &[&str]) -> Collector {
        let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = self.command(more);
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address =
            line.strip_prefix("listening on http://").and_then(|rest| rest.split('/').next());
        match address.and_then(|address| address.parse().ok()) {
            Some(address) => Collector { child, address },
            None => {
                let status = child.wait().unwrap();
                panic!("said {line:?}, {status}, log: {}", self.log())
            }
        }
    }

    /// Checks the repository with git. It is confused by packs that a collector joins beneath it, so it begins
    /// anew then.
    #[track_caller]
    pub(crate) fn fsck(&self) {
        let packs = || {
            let entries = std::fs::read_dir(self.repo().join("objects/pack")).unwrap();
            entries.map(|entry| entry.unwrap().file_name()).collect::<BTreeSet<_>>()
        };
        loop {
            let before = packs();
            let mut fsck = Command::new("git");
            fsck.arg("-C").arg(self.repo()).args(["fsck", "--strict", "--full"]);
            let output = fsck.output().unwrap();
            if output.status.success() {
                return;
            }
            assert!(packs() != before, "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

/// The output of a git command that must succeed.
#[track_caller]
pub(crate) fn git(repo: &Path, args: &[&str]) -> String {
    let output = Command::new("git").arg("-C").arg(repo).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A collector that listens. Killed when dropped.
pub(crate) struct Collector {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Collector {
    /// Makes a call and returns its answer.
    pub(crate) fn answer(&self, method: &str, params: &[Value]) -> Result<Value, Fault> {
        let answer = http::post(self.address, "/xmlrpc", write_call(method, params).as_bytes());
        fault_or_value(&answer)
    }

    /// Makes a call that must not be refused.
    #[track_caller]
    pub(crate) fn call(&self, method: &str, params: &[Value]) -> Value {
        self.answer(method, params).unwrap()
    }

    /// Submits a result without steps and returns its key and auth key.
    #[track_caller]
    pub(crate) fn add(&self, client_info: Bag) -> (i64, String) {
        self.add_with_steps(client_info, vec![])
    }

    #[track_caller]
    pub(crate) fn add_with_steps(&self, client_info: Bag, steps: Vec<Value>) -> (i64, String) {
        let params = [Value::Struct(client_info), Value::Array(steps)];
        let answer = self.call("add_results", &params);
        let [key, auth_key] = answer.as_array().unwrap() else { panic!("{answer:?}") };
        (key.as_int().unwrap(), auth_key.as_str().unwrap().to_owned())
    }

    /// Whether a machine with this client_info should build; it reserves nothing.
    #[track_caller]
    pub(crate) fn should_build(&self, client_info: Bag) -> bool {
        let params = [Value::Struct(client_info), false.into()];
        let answer = self.call("check_should_build", &params);
        answer.as_array().unwrap()[0] == Value::Bool(true)
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and waits.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let status = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
        self.child.wait().unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // Both fail when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What an answer to a call holds. Calls, right or wrong, are answered with status 200.
#[track_caller]
pub(crate) fn fault_or_value(answer: &http::Answer) -> Result<Value, Fault> {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("text/xml"));
    assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
    match read_response(&answer.body, &Limits::DEFAULT).unwrap() {
        Response::Success(value) => Ok(value),
        Response::Fault(fault) => Err(fault),
    }
}

/// A client_info of the host `shed`.
pub(crate) fn client_info(package: &str, success: bool) -> Bag {
    Bag::from([
        ("package".to_owned(), package.into()),
        ("host".to_owned(), "shed".into()),
        ("arch".to_owned(), "linux-x86_64".into()),
        ("tags".to_owned(), Value::Array(vec!["nightly".into()])),
        ("success".to_owned(), success.into()),
    ])
}
