//! A [`World`] to run the binary in, and a [`Collector`] for it to talk to.

use std::fmt;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::JoinHandle;

use pony_formats::{ResultKey, TestResult};
use pony_store::Store;
use tempfile::TempDir;

/// A home folder and nothing else: no variable of the machine's but `PATH` reaches the program.
pub(crate) struct World {
    home: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("work")).unwrap();
        Self { home }
    }

    /// A path below the folder in which the program runs.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join("work").join(name)
    }

    /// Writes a file into that folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// The program with its arguments, standard input empty.
    pub(crate) fn pony(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pony-report"));
        let home = self.home.path();
        command
            .args(arguments)
            .current_dir(home.join("work"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .env("XDG_DATA_HOME", home.join("data"))
            .env("XDG_STATE_HOME", home.join("state"))
            .env("PONY_HOST", "shed")
            // No repository around the temporary folder is part of a test.
            .env("GIT_CEILING_DIRECTORIES", home)
            .stdin(Stdio::null());
        command
    }

    /// Runs the program.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(&mut self.pony(arguments), None)
    }

    /// Runs the program with something on its standard input.
    pub(crate) fn pipe(&self, input: impl AsRef<[u8]>, arguments: &[&str]) -> Outcome {
        Outcome::of(&mut self.pony(arguments), Some(input.as_ref()))
    }

    /// The files in the spool, or in its folder `rejected`.
    pub(crate) fn spooled(&self, folder: &str) -> Vec<PathBuf> {
        let folder = self.home.path().join("state/pony/spool").join(folder);
        let Ok(listing) = fs::read_dir(folder) else { return Vec::new() };
        let mut files: Vec<PathBuf> =
            listing.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
        files.sort();
        files
    }

    /// The repository that is used when none is named.
    pub(crate) fn default_repository(&self) -> PathBuf {
        self.home.path().join("data/pony/results.git")
    }
}

/// All results of a package in a repository, the oldest first.
pub(crate) fn results(repository: &Path, package: &str) -> Vec<TestResult> {
    let snapshot = Store::open(repository).unwrap().snapshot().unwrap();
    let keys: Vec<ResultKey> = snapshot.results(package).unwrap();
    keys.into_iter().map(|key| snapshot.read(package, key).unwrap().unwrap()).collect()
}

/// A run of the program that has ended. Every check shows all of it on failure.
pub(crate) struct Outcome {
    command: String,
    output: Output,
}

impl Outcome {
    pub(crate) fn of(command: &mut Command, input: Option<&[u8]>) -> Self {
        if input.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
            // The program may refuse before it has read everything.
            let _ = stdin.write_all(input);
        }
        let output = child.wait_with_output().unwrap();
        Self { command: format!("{command:?}"), output }
    }

    #[track_caller]
    pub(crate) fn ends_with(self, status: i32) -> Self {
        assert_eq!(self.output.status.code(), Some(status), "{self}");
        self
    }

    #[track_caller]
    pub(crate) fn printed(self, stdout: impl AsRef<[u8]>) -> Self {
        assert!(self.output.stdout == stdout.as_ref(), "{self}\nexpected other output");
        self
    }

    #[track_caller]
    pub(crate) fn mentions(self, text: &str) -> Self {
        assert!(self.stdout().contains(text), "{self}\nexpected on stdout: {text}");
        self
    }

    #[track_caller]
    pub(crate) fn complains(self, text: &str) -> Self {
        assert!(self.stderr().contains(text), "{self}\nexpected on stderr: {text}");
        self
    }

    #[track_caller]
    pub(crate) fn never_says(self, text: &str) -> Self {
        let said = self.stdout() + &self.stderr();
        assert!(!said.contains(text), "{self}\nunexpected: {text}");
        self
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    pub(crate) fn stderr_bytes(&self) -> &[u8] {
        &self.output.stderr
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "command: {}", self.command)?;
        writeln!(f, "status: {}", self.output.status)?;
        writeln!(f, "--- stdout\n{}", self.stdout())?;
        write!(f, "--- stderr\n{}", self.stderr())
    }
}

/// A server on a free port that gives one prepared answer per connection, and then is gone.
pub(crate) struct Collector {
    pub(crate) url: String,
    thread: JoinHandle<Vec<String>>,
}

impl Collector {
    pub(crate) fn answering(answers: &[String]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let answers = answers.to_vec();
        let thread = std::thread::spawn(move || {
            let answer = |answer: String| {
                let (mut stream, _) = listener.accept().unwrap();
                let request = read_request(&mut stream);
                // The program may hang up before it has read everything.
                let _ = stream.write_all(answer.as_bytes());
                request
            };
            answers.into_iter().map(answer).collect()
        });
        Self { url, thread }
    }

    /// The requests that came; waits until every answer was given.
    pub(crate) fn requests(self) -> Vec<String> {
        self.thread.join().unwrap()
    }
}

/// An address at which nobody answers.
pub(crate) fn deserted() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            if body.len() >= length.unwrap_or(0_usize) {
                return text;
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return text,
            Ok(length) => request.extend_from_slice(&buffer[..length]),
        }
    }
}

/// An HTTP answer.
pub(crate) fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// The answer of a collector that has stored a submission.
pub(crate) fn stored(key: &str) -> String {
    let key = format!("<value><i8>{key}</i8></value>");
    let auth = "<value><string>0123456789abcdef</string></value>";
    answer(
        "200 OK",
        &format!(
            "<?xml version='1.0'?>\n<methodResponse><params><param><value><array><data>{key}{auth}\
             </data></array></value></param></params></methodResponse>"
        ),
    )
}

/// The answer of a collector that does not like a submission.
pub(crate) fn fault(code: i32, message: &str) -> String {
    let member = |name: &str, value: String| {
        format!("<member><name>{name}</name><value>{value}</value></member>")
    };
    let code = member("faultCode", format!("<int>{code}</int>"));
    let message = member("faultString", format!("<string>{message}</string>"));
    answer(
        "200 OK",
        &format!(
            "<methodResponse><fault><value><struct>{code}{message}</struct></value></fault></methodResponse>"
        ),
    )
}
