//! What git itself says: `git fsck --strict`, an independent reader of the same files.

use std::io;
use std::path::Path;
use std::process::Command;

use super::Findings;

pub(super) fn check(git_dir: &Path, findings: &mut Findings) {
    let output = Command::new("git")
        // Somebody else's repository may be looked at: fsck runs nothing that is in it.
        .args(["-c", "safe.directory=*", "--git-dir"])
        .arg(git_dir)
        .args(["fsck", "--strict", "--full", "--no-dangling", "--no-progress"])
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C")
        .env_remove("GIT_OBJECT_DIRECTORY")
        .env_remove("GIT_ALTERNATE_OBJECT_DIRECTORIES")
        .output();
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
