//! [`Place`]: where the programs are, and folders to try them in.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

/// Where Linux keeps files in memory.
const MEMORY: &str = "/dev/shm";

/// Where the programs are, and whether what is missing here is an error.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder of `pony-report` and `pony-collector`.
    pub programs: PathBuf,
}

impl Place {
    /// One of our programs, with nothing of the caller's environment that could change what it does.
    /// `home` is its working folder and its home, spool included.
    pub fn command(&self, program: &str, home: &Path) -> Command {
        let mut command = Command::new(self.programs.join(program));
        tame(&mut command, home);
        command
    }

    /// A program from `PATH` in the same surroundings.
    pub fn tool(&self, program: impl AsRef<OsStr>, home: &Path) -> Command {
        let mut command = Command::new(program);
        tame(&mut command, home);
        command
    }

    /// A folder in memory, where syncing costs nothing: for faults that the disk has no part in.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn fast_folder(&self) -> anyhow::Result<TempDir> {
        let builder = &mut tempfile::Builder::new();
        let builder = builder.prefix("pony-faults-");
        let memory = Path::new(MEMORY);
        let made = if memory.is_dir() { builder.tempdir_in(memory) } else { builder.tempdir() };
        made.context("cannot create a temporary folder")
    }

    /// A folder on a disk.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn disk_folder(&self) -> anyhow::Result<TempDir> {
        let made = tempfile::Builder::new().prefix("pony-faults-").tempdir();
        made.context("cannot create a temporary folder")
    }

    /// Runs git in a folder; it must succeed. Returns what it printed.
    ///
    /// # Errors
    /// What git said.
    pub fn git(&self, folder: &Path, args: &[&str]) -> anyhow::Result<String> {
        let output = self.try_git(folder, args)?;
        ensure!(output.status.success(), "git {}: {}", args.join(" "), said(&output));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs git in a folder.
    ///
    /// # Errors
    /// When git cannot be started.
    pub fn try_git(&self, folder: &Path, args: &[&str]) -> anyhow::Result<Output> {
        let mut command = self.tool("git", folder);
        command.args(args).output().context("cannot run git")
    }
}

fn tame(command: &mut Command, home: &Path) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let ours = ["PONY_", "CARGO_PKG_", "GIT_"].iter().any(|prefix| text.starts_with(prefix));
        if ours || ["CI", "GITHUB_ACTIONS"].contains(&&*text) {
            command.env_remove(name);
        }
    }
    command
        .current_dir(home)
        .stdin(std::process::Stdio::null())
        .env("HOME", home)
        .env("XDG_STATE_HOME", home.join("state"))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "Somebody")
        .env("GIT_AUTHOR_EMAIL", "somebody@example.org")
        .env("GIT_COMMITTER_NAME", "Somebody")
        .env("GIT_COMMITTER_EMAIL", "somebody@example.org")
        .env("NO_COLOR", "1")
        .env("PONY_LOG", "warn");
}

/// What a program printed, in one line.
pub fn said(output: &Output) -> String {
    let bytes = [&output.stdout[..], b" ", &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    format!("{}: {}", output.status, text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whether a program is here.
pub fn has(program: &str, probe: &str) -> bool {
    Command::new(program).arg(probe).output().is_ok_and(|output| output.status.success())
}

/// Copies a folder with everything in it.
///
/// # Errors
/// When something cannot be read or written.
pub fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy_folder(&source, &target)?;
        } else {
            fs::copy(&source, &target)
                .with_context(|| format!("cannot copy {}", source.display()))?;
        }
    }
    Ok(())
}

/// Every file below a folder, as paths from it; sorted.
///
/// # Errors
/// When a folder cannot be read.
pub fn files_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(&at).with_context(|| format!("cannot read {}", at.display()))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                files.push(entry.path().strip_prefix(folder)?.to_owned());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a path ends with one of these extensions.
pub fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    extensions.iter().any(|wanted| path.extension() == Some(OsStr::new(wanted)))
}
