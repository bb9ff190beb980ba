//! What git itself says: `git fsck --strict`, an independent reader of the same files.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Output};
use std::{fs, io};

use super::Findings;

/// How often git may begin anew, because packs were joined beneath it: it holds on to those that it has seen.
const TRIES_MAX: usize = 5;

pub(super) fn check(git_dir: &Path, findings: &mut Findings) {
    let mut tries = 1;
    let output = loop {
        let packs = names_of_packs(git_dir);
        let output = fsck(git_dir);
        let is_sound = output.as_ref().is_ok_and(|output| output.status.success());
        if is_sound || tries == TRIES_MAX || names_of_packs(git_dir) == packs {
            break output;
        }
        tries += 1;
    };
    let output = match output {
        Ok(output) => output,
        Err(error) => {
            let reason = match error.kind() {
                io::ErrorKind::NotFound => "git is not installed".to_owned(),
                _ => error.to_string(),
            };
            return findings.note(format!("git fsck was not run: {reason}"));
        }
    };
    findings.checked.fsck = true;
    let text = [output.stderr, output.stdout].concat();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    match (output.status.success(), lines.is_empty()) {
        (false, true) => findings.damaged("git fsck", output.status),
        (false, false) => lines.iter().for_each(|line| findings.damaged("git fsck", line)),
        // Warnings.
        (true, _) => lines.iter().for_each(|line| findings.note(format!("git fsck: {line}"))),
    }
}

fn fsck(git_dir: &Path) -> io::Result<Output> {
    Command::new("git")
        // Somebody else's repository may be looked at: fsck runs nothing that is in it.
        .args(["-c", "safe.directory=*", "--git-dir"])
        .arg(git_dir)
        .args(["fsck", "--strict", "--full", "--no-dangling", "--no-progress"])
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C")
        .env_remove("GIT_OBJECT_DIRECTORY")
        .env_remove("GIT_ALTERNATE_OBJECT_DIRECTORIES")
        .output()
}

/// A folder that cannot be read has none.
fn names_of_packs(git_dir: &Path) -> BTreeSet<OsString> {
    let entries = fs::read_dir(git_dir.join("objects/pack")).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name()).collect()
}
