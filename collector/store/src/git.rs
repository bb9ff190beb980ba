//! [`Git`]: the program, for what gix cannot do: deltas, the commit-graph, and fetching.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Action, PackScope, StoreError};

/// Where git makes packs, below `objects`: on the same file system as their place, and out of everybody's
/// sight. All of it goes when git was killed.
const WORKPLACE: &str = "objects/tmp_pony_maintain";

/// What git leaves when it is killed while it writes the commit-graph. It takes moments.
const GRAPH_LOCK: &str = "objects/info/commit-graph.lock";

/// Age from which a lock is nobody's.
const STALE: Duration = Duration::from_secs(60);

/// How long a git whose starter was killed may go on putting files into the workplace.
const ORPHAN_PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait for it before the next try.
const ORPHAN_POLL: Duration = Duration::from_millis(20);

/// Memory that git may use for finding deltas, by thread.
const WINDOW_MEMORY: &str = "pack.windowMemory=64m";

/// A git that can be started.
#[derive(Debug)]
pub(crate) struct Git {
    /// The words before its arguments.
    words: &'static [&'static str],
}

impl Git {
    /// `None` when there is none.
    pub(crate) fn find() -> Option<Self> {
        // With the lowest priority, where that can be said: submissions come first.
        let ways: [&[&str]; 2] = [&["nice", "-n", "19", "git"], &["git"]];
        let works = |words: &&[&str]| {
            let (program, first) = (words[0], &words[1..]);
            let mut command = Command::new(program);
            let asked = command.args(first).arg("--version").stdin(Stdio::null()).output();
            asked.is_ok_and(|output| output.status.success())
        };
        ways.into_iter().find(works).map(|words| Self { words })
    }

    /// Makes one pack of everything in the packs with these indexes. Returns its index, in the workplace.
    pub(crate) fn pack<'p>(
        &self,
        git_dir: &Path,
        indexes: impl Iterator<Item = &'p Path>,
        scope: PackScope,
    ) -> Result<PathBuf, StoreError> {
        let mut names = String::new();
        for index in indexes {
            let name = index.with_extension("pack");
            names.push_str(&name.file_name().unwrap_or_default().to_string_lossy());
            names.push('\n');
        }
        // What was written in haste is compressed anew, which makes it half as large.
        let mut args = vec!["pack-objects", "--stdin-packs", "--no-reuse-object"];
        if scope == PackScope::All {
            args.push("--no-reuse-delta");
        }
        self.make(git_dir, &args, &names)
    }

    /// Makes one pack of everything that a branch or tag needs, and checks that nothing else is needed.
    pub(crate) fn pack_reachable(&self, git_dir: &Path) -> Result<PathBuf, StoreError> {
        let index = self.make(git_dir, &["pack-objects", "--all", "--no-reuse-object"], "")?;
        let mut command = self.command(git_dir);
        command
            .args(["rev-list", "--objects", "--all", "--quiet"])
            .env("GIT_OBJECT_DIRECTORY", git_dir.join(WORKPLACE));
        output(command, "", git_dir)?;
        Ok(index)
    }

    /// All branches and tags and where they are, as text.
    pub(crate) fn references(&self, git_dir: &Path) -> Result<String, StoreError> {
        let mut command = self.command(git_dir);
        command.arg("for-each-ref");
        output(command, "", git_dir)
    }

    /// Fetches a branch and its whole history from another repository, as `reference`, and checks that all
    /// of it is there. Both are paths of git folders.
    pub(crate) fn fetch(
        &self,
        git_dir: &Path,
        from: &Path,
        branch: &str,
        reference: &str,
    ) -> Result<(), StoreError> {
        let mut command = self.command(git_dir);
        command.args(["-c", "core.fsync=all", "-c", "fetch.fsckObjects=true", "fetch", "--quiet"]);
        command.args(["--no-tags", "--no-write-fetch-head", "--no-auto-gc"]);
        command.arg(from).arg(format!("+{branch}:{reference}"));
        output(command, "", git_dir)?;
        let mut command = self.command(git_dir);
        command.args(["rev-list", "--objects", "--quiet", reference]);
        output(command, "", git_dir).map(drop)
    }

    /// Has `pack-objects` make a pack in the workplace, and checks every object in it.
    fn make(&self, git_dir: &Path, args: &[&str], input: &str) -> Result<PathBuf, StoreError> {
        let place = git_dir.join(WORKPLACE);
        let packs = place.join("pack");
        std::fs::create_dir_all(&packs).map_err(StoreError::io(Action::Create, &packs))?;
        let mut command = self.command(git_dir);
        command
            .args(args)
            .args(["--delta-base-offset", "-q"])
            .arg(packs.join("pack"))
            // git's own temporary files are below its object folder.
            .env("GIT_OBJECT_DIRECTORY", &place)
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", git_dir.join("objects"));
        let name = output(command, input, git_dir)?;
        let index = packs.join(format!("pack-{}.idx", name.trim()));
        let mut command = self.command(git_dir);
        command.arg("verify-pack").arg(&index);
        output(command, "", git_dir)?;
        Ok(index)
    }

    /// Writes the commit-graph of everything that a branch needs.
    pub(crate) fn write_commit_graph(&self, git_dir: &Path) -> Result<(), StoreError> {
        let mut command = self.command(git_dir);
        command.args(["commit-graph", "write", "--reachable", "--no-progress"]);
        output(command, "", git_dir).map(drop)
    }

    /// git in this repository, whatever the surroundings say; with the repository's configuration only.
    fn command(&self, git_dir: &Path) -> Command {
        let mut command = Command::new(self.words[0]);
        command.args(&self.words[1..]).arg("--git-dir").arg(git_dir);
        command.args(["-c", "safe.directory=*", "-c", "pack.threads=1", "-c", WINDOW_MEMORY]);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GIT_") {
                command.env_remove(name);
            }
        }
        let nowhere = git_dir.join("no-configuration");
        command
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", nowhere)
            .env("LC_ALL", "C");
        command
    }
}

/// Runs a command to its end. Returns what it printed.
fn output(mut command: Command, input: &str, git_dir: &Path) -> Result<String, StoreError> {
    let failed = |source: io::Error| StoreError::Io {
        action: Action::Maintain,
        path: git_dir.to_owned(),
        source,
    };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    // Small enough for a pipe to hold, or git reads it all before it writes.
    let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(input.as_bytes()));
    let Output { status, stdout, stderr } = child.wait_with_output().map_err(failed)?;
    if !status.success() {
        let said = String::from_utf8_lossy(&stderr);
        let said = said.lines().map(str::trim).filter(|line| !line.is_empty());
        let said: Vec<&str> = said.collect();
        return Err(failed(io::Error::other(format!("git: {status}: {}", said.join("; ")))));
    }
    written.map_err(failed)?;
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}

/// Removes a folder in which a git may still be at work: it outlives whoever started it and was killed, until it
/// finds that what it reads or writes is gone.
fn remove_workplace(place: &Path) -> Result<(), StoreError> {
    let start = Instant::now();
    loop {
        match std::fs::remove_dir_all(place) {
            Ok(()) => return Ok(()),
            Err(_) if !place.exists() => return Ok(()),
            // Something was put into it, or taken out, meanwhile.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotFound
                ) && start.elapsed() < ORPHAN_PATIENCE => {}
            Err(error) => return Err(StoreError::io(Action::Remove, place)(error)),
        }
        thread::sleep(ORPHAN_POLL);
    }
}

/// Removes what a run has left that was killed.
pub(crate) fn remove_leftovers(git_dir: &Path) -> Result<(), StoreError> {
    remove_workplace(&git_dir.join(WORKPLACE))?;
    let lock = git_dir.join(GRAPH_LOCK);
    let age = lock.metadata().and_then(|metadata| metadata.modified()).map(|time| time.elapsed());
    // A time in the future means that the clock was moved.
    if age.is_ok_and(|age| age.map_or(true, |age| age > STALE)) {
        std::fs::remove_file(&lock).map_err(StoreError::io(Action::Remove, &lock))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_git_that_outlived_its_starter_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join(WORKPLACE);
        std::fs::create_dir_all(&place).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..20_000 {
                    // Fails once the folder is gone.
                    if std::fs::write(place.join(format!("pack-{number}")), "").is_err() {
                        return;
                    }
                }
            });
            while !place.join("pack-100").exists() {
                thread::yield_now();
            }
            remove_leftovers(folder.path()).unwrap();
        });
        assert!(!place.exists());
    }
}
