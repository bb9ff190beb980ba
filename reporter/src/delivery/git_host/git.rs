//! [`Git`]: the program, in a temporary repository that has one remote. It carries everything and knows the
//! credentials, as it does for `git push`.

use std::cell::Cell;
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::failure::{GitFailure, Kind};
use crate::target::{Credentials, GitUrl};

/// Where the newest commit is kept.
const TIP: &str = "refs/pony/tip";

/// How long one command may take: a push of tens of megabytes over a slow line.
const COMMAND_PATIENCE: Duration = Duration::from_secs(300);

/// What is kept of what git says.
const SAID_BYTES_MAX: usize = 64 * 1024;

/// How often to look whether a command has ended.
const POLL: Duration = Duration::from_millis(10);

/// How long to listen to a command that has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Settings that must be as they are here, whatever the person has configured. Everything else is theirs.
const SETTINGS: [&str; 11] = [
    // Objects are fetched by their names, which older versions of the protocol cannot.
    "protocol.version=2",
    // Or it would say what it has, and be sent what makes sense only with what it does not have.
    "fetch.negotiationAlgorithm=noop",
    "fetch.recurseSubmodules=false",
    "maintenance.auto=false",
    "gc.auto=0",
    // To find out what to send, it must not ask for folders that were not fetched.
    "pack.useSparse=true",
    "push.followTags=false",
    "push.gpgSign=false",
    "push.recurseSubmodules=no",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
];

/// Variables that would have git work on another repository, as in a hook: `git rev-parse --local-env-vars`, but
/// for those with configuration.
const LOCAL_VARIABLES: [&str; 12] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// The variables that tell git's helper the credentials of the address.
const NAME: &str = "PONY_GIT_NAME";
const SECRET: &str = "PONY_GIT_SECRET";

/// How git says that a web host does not take the credentials that it was given.
const NOT_TAKEN: &str = "Authentication failed";

/// How git says that neither its helpers nor a person have a password.
const NO_PASSWORD: &str = "could not read Password";

/// git, ready to talk to one remote.
#[derive(Debug)]
pub(super) struct Git<'u> {
    url: &'u GitUrl,
    folder: tempfile::TempDir,
    /// Whether the address says all that git needs. A name alone may be a token, which only the host knows.
    is_told_all: Cell<bool>,
}

/// What a push came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pushed {
    /// The branch is at the commit.
    Yes,
    /// The branch is where it was; git's reason, and what the host said besides.
    No(String),
    /// Nobody knows: the connection broke.
    Unknown(GitFailure),
}

impl<'u> Git<'u> {
    /// Makes the repository. It goes when this is dropped.
    pub(super) fn new(url: &'u GitUrl) -> Result<Self, GitFailure> {
        let broken = |error: io::Error| {
            GitFailure::new(Kind::Io, format!("cannot make a temporary repository: {error}"))
        };
        let folder = tempfile::Builder::new().prefix("pony-").tempdir().map_err(broken)?;
        let is_told_all = Cell::new(url.credentials().is_some());
        let git = Self { url, folder, is_told_all };
        let said = git.run(&["init", "--quiet", "--bare", "--template=", "."])?;
        said.check(url)?;
        let address = quoted(&url.to_string());
        let config = format!(
            "[core]\n\trepositoryFormatVersion = 1\n\tbare = true\n[extensions]\n\tpartialClone = origin\n\
             [remote \"origin\"]\n\turl = {address}\n\tpromisor = true\n\
             \tpartialCloneFilter = tree:0\n"
        );
        fs::write(git.path().join("config"), config).map_err(broken)?;
        Ok(git)
    }

    /// The repository.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fetches the newest commit without its folders, and returns its id; `None` when there is no such branch.
    /// With `everything`, all folders and files come as well: for hosts that do not give out single ones.
    pub(super) fn fetch_tip(&self, everything: bool) -> Result<Option<String>, GitFailure> {
        let branch = self.url.branch();
        let refspec = format!("+refs/heads/{branch}:{TIP}");
        let mut words = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth=1"];
        words.push(if everything { "--refetch" } else { "--filter=tree:0" });
        if everything {
            // Or the filter of the configuration would count.
            words.push("--no-filter");
        }
        let said = self.run(&[&words[..], &["origin", &refspec]].concat())?;
        // As git says it since 2008, untranslated.
        if said.errors.contains("couldn't find remote ref") {
            return Ok(None);
        }
        said.check(self.url)?;
        let said = self.run(&["rev-parse", "--verify", TIP])?;
        said.check(self.url)?;
        Ok(Some(said.output.trim().to_owned()))
    }

    /// Fetches these objects and nothing else.
    pub(super) fn fetch_objects(&self, names: &[String]) -> Result<(), GitFailure> {
        let mut words = vec![
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--filter=tree:0",
            "origin",
        ];
        words.extend(names.iter().map(String::as_str));
        self.run(&words)?.check(self.url)
    }

    /// The branches that there are.
    pub(super) fn branches(&self) -> Result<Vec<String>, GitFailure> {
        let said = self.run(&["ls-remote", "--quiet", "--heads", "origin"])?;
        said.check(self.url)?;
        let names = said.output.lines().filter_map(|line| line.split_once("\trefs/heads/"));
        Ok(names.map(|(_, name)| name.to_owned()).collect())
    }

    /// Moves the branch to a commit, if it is an ancestor of that.
    pub(super) fn push(&self, commit: &str) -> Result<Pushed, GitFailure> {
        let refspec = format!("{commit}:refs/heads/{}", self.url.branch());
        let said = self.run(&["push", "--porcelain", "--no-verify", "origin", &refspec])?;
        if said.status.is_some_and(|status| status.success()) {
            return Ok(Pushed::Yes);
        }
        Ok(match refusal(&said.output) {
            Some(reason) => {
                let remarks = said.remarks(self.url);
                let remarks = if remarks.is_empty() { remarks } else { format!(": {remarks}") };
                Pushed::No(format!("{reason}{remarks}"))
            }
            None => Pushed::Unknown(said.failure(self.url)),
        })
    }

    fn run(&self, words: &[&str]) -> Result<Said, GitFailure> {
        let said = self.run_once(words)?;
        let credentials = self.url.credentials().filter(|_| self.is_told_all.get());
        match credentials {
            Some(Credentials { name, password: None }) if said.errors.contains(NOT_TAKEN) => {
                self.look_for_password_of(&name)?;
                let again = self.run_once(words)?;
                // Nobody has one: then what the host says of the token is the cause. git's words would show it.
                let is_found = !again.errors.contains(NO_PASSWORD);
                self.is_told_all.set(!is_found);
                Ok(if is_found { again } else { said })
            }
            _ => Ok(said),
        }
    }

    /// From now on git finds the password, as it does for `git push`. The name is in a file, which nobody else reads.
    fn look_for_password_of(&self, name: &str) -> Result<(), GitFailure> {
        self.is_told_all.set(false);
        let (host, name) = (quoted(self.url.host()), quoted(name));
        let path = self.path().join("config");
        let append = |mut file: fs::File| {
            file.write_all(format!("[credential {host}]\n\tusername = {name}\n").as_bytes())
        };
        OpenOptions::new().append(true).open(path).and_then(append).map_err(|error| {
            GitFailure::new(Kind::Io, format!("cannot write to a temporary repository: {error}"))
        })
    }

    fn run_once(&self, words: &[&str]) -> Result<Said, GitFailure> {
        let mut command = Command::new("git");
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        if let Some(credentials) = self.url.credentials().filter(|_| self.is_told_all.get()) {
            for setting in helper_settings(self.url) {
                command.args(["-c", &setting]);
            }
            let Credentials { name, password } = credentials;
            command.env(NAME, name).env(SECRET, password.unwrap_or_default());
        }
        command.args(words).current_dir(self.path());
        for name in LOCAL_VARIABLES {
            command.env_remove(name);
        }
        command.env("GIT_DIR", self.path()).env("LC_ALL", "C").env("GIT_NO_LAZY_FETCH", "1");
        if !is_attended() {
            command.env("GIT_TERMINAL_PROMPT", "0");
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                GitFailure::new(Kind::NoGit, "git is not installed".to_owned())
            }
            _ => GitFailure::new(Kind::NoGit, format!("cannot run git: {error}")),
        })?;
        Said::by(child).map_err(|error| {
            GitFailure::new(Kind::Io, format!("cannot hear what git says: {error}"))
        })
    }
}

/// Whether somebody is there to answer what git may ask.
fn is_attended() -> bool {
    std::env::var_os("CI").is_none() && io::stderr().is_terminal()
}

/// Has git get the credentials of an address from the environment of its helper, and from nobody else: whoever else is
/// asked also gets to keep what the host has taken. They come last of all settings, wherever the person has others.
/// Arguments can be read by everybody on the machine, the environment cannot.
fn helper_settings(url: &GitUrl) -> [String; 2] {
    let key = format!("credential.{}.helper", url.host());
    let helper = format!(
        "!f() {{ if test \"$1\" = get; then printf 'username=%s\\npassword=%s\\n' \"${NAME}\" \"${SECRET}\"; fi; }}; f"
    );
    // An empty one takes the others out.
    [format!("{key}="), format!("{key}={helper}")]
}

/// A value of git's configuration.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', r"\\").replace('"', "\\\""))
}

/// What git said, and how it ended.
#[derive(Debug)]
pub(super) struct Said {
    /// `None` when it had to be stopped.
    pub(super) status: Option<ExitStatus>,
    pub(super) output: String,
    pub(super) errors: String,
}

impl Said {
    fn by(mut child: Child) -> io::Result<Self> {
        let output = Heard::listen(child.stdout.take());
        let errors = Heard::listen(child.stderr.take());
        let deadline = Instant::now() + COMMAND_PATIENCE;
        let status = loop {
            match child.try_wait()? {
                Some(status) => break Some(status),
                None if Instant::now() >= deadline => {
                    // It may have ended meanwhile.
                    let _ = child.kill();
                    child.wait()?;
                    break None;
                }
                None => std::thread::sleep(POLL),
            }
        };
        Ok(Self { status, output: output.so_far(), errors: errors.so_far() })
    }

    fn check(&self, url: &GitUrl) -> Result<(), GitFailure> {
        match self.status {
            Some(status) if status.success() => Ok(()),
            _ => Err(self.failure(url)),
        }
    }

    fn failure(&self, url: &GitUrl) -> GitFailure {
        match self.status {
            Some(_) => GitFailure::of_git(&url.censor(&self.errors)),
            None => {
                let seconds = COMMAND_PATIENCE.as_secs();
                GitFailure::new(Kind::Unreachable, format!("no answer for {seconds} seconds"))
            }
        }
    }

    /// What the host said for people to read.
    fn remarks(&self, url: &GitUrl) -> String {
        let lines = self.errors.lines().filter_map(|line| line.strip_prefix("remote: "));
        let lines: Vec<&str> = lines.map(str::trim).filter(|line| !line.is_empty()).collect();
        super::failure::bounded(&url.censor(&lines.join(" ")))
    }
}

/// The beginning of a stream, which is read beside the others.
struct Heard {
    kept: Arc<Mutex<Vec<u8>>>,
    end: Receiver<()>,
}

impl Heard {
    fn listen(stream: Option<impl Read + Send + 'static>) -> Self {
        let (sender, end) = mpsc::channel();
        let heard = Self { kept: Arc::default(), end };
        let kept = Arc::clone(&heard.kept);
        std::thread::spawn(move || {
            let mut stream = stream.map(BufReader::new);
            // Read also when no more is kept, or git would wait for somebody to do so.
            while let Some(piece) = stream.as_mut().and_then(|stream| stream.fill_buf().ok()) {
                let size = piece.len();
                if size == 0 {
                    break;
                }
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                let room = SAID_BYTES_MAX.saturating_sub(kept.len());
                kept.extend_from_slice(&piece[..size.min(room)]);
                drop(kept);
                stream.iter_mut().for_each(|stream| stream.consume(size));
            }
            // Nobody may be waiting any more.
            let _ = sender.send(());
        });
        heard
    }

    /// What was heard, all of it unless somebody keeps the stream open: what git starts for the transport may
    /// live on.
    fn so_far(self) -> String {
        let _ = self.end.recv_timeout(LAST_WORDS);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

/// The reason in the line about a branch that was certainly not moved: `!`, both names, `[rejected] (reason)`.
fn refusal(output: &str) -> Option<String> {
    let line = output.lines().find_map(|line| line.strip_prefix("!\t"))?;
    let (_, summary) = line.split_once('\t')?;
    let is_certain = summary.starts_with("[rejected]") || summary.starts_with("[remote rejected]");
    let reason = summary.split_once('(').map_or(summary, |(_, reason)| reason);
    is_certain.then(|| reason.trim_end_matches(')').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn what_a_command_leaves_running_is_not_waited_for() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo said; echo complained >&2; sleep 30 &"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let said = Said::by(command.spawn().unwrap()).unwrap();
        assert!(said.status.unwrap().success());
        assert_eq!((said.output.as_str(), said.errors.as_str()), ("said\n", "complained\n"));
    }

    #[test]
    fn only_a_certain_refusal_counts_as_one() {
        let line =
            |summary: &str| refusal(&format!("To x\n!\tabc:refs/heads/main\t{summary}\nDone\n"));
        assert_eq!(line("[rejected] (fetch first)").as_deref(), Some("fetch first"));
        let hook = line("[remote rejected] (protected branch hook declined)");
        assert_eq!(hook.as_deref(), Some("protected branch hook declined"));
        assert_eq!(line("[remote failure] (remote failed to report status)"), None);
        assert_eq!(refusal("To x\n=\tabc:refs/heads/main\t[up to date]\nDone\n"), None);
        assert_eq!(refusal(""), None);
    }
}
