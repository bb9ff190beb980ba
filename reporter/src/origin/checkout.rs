//! The git checkout around the current folder, as `git` itself tells it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use pony_formats::Value;

/// `commit`, `branch` (unless detached) and `dirty` (whether tracked files differ). Nothing where
/// there is no checkout, no commit or no git.
pub(super) fn facts(folder: &Path) -> BTreeMap<&'static str, Value> {
    let status = Command::new("git")
        .args(["status", "--porcelain=v2", "--branch", "--untracked-files=no"])
        .current_dir(folder)
        // Looking must not disturb a git command that runs beside the tests.
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    match status {
        Ok(status) if status.status.success() => read(&String::from_utf8_lossy(&status.stdout)),
        _ => BTreeMap::new(),
    }
}

/// Reads porcelain version 2: headers begin with `#`, every other line is a change.
fn read(status: &str) -> BTreeMap<&'static str, Value> {
    let mut facts = BTreeMap::new();
    let header = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    let Some(commit) = header("# branch.oid ").filter(|commit| *commit != "(initial)") else {
        return facts;
    };
    facts.insert("commit", Value::from(commit));
    if let Some(branch) = header("# branch.head ").filter(|branch| *branch != "(detached)") {
        facts.insert("branch", Value::from(branch));
    }
    let dirty = status.lines().any(|line| !line.starts_with('#'));
    facts.insert("dirty", Value::from(dirty));
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_with_changes() {
        let status = "# branch.oid 0123\n# branch.head main\n1 .M N... 100644 a\n";
        let expected = BTreeMap::from([
            ("branch", Value::from("main")),
            ("commit", Value::from("0123")),
            ("dirty", Value::from(true)),
        ]);
        assert_eq!(read(status), expected);
    }

    #[test]
    fn a_detached_head_has_no_branch_and_a_new_repository_nothing() {
        let detached = read("# branch.oid 0123\n# branch.head (detached)\n");
        assert_eq!(detached.keys().copied().collect::<Vec<_>>(), ["commit", "dirty"]);
        assert!(read("# branch.oid (initial)\n# branch.head main\n").is_empty());
    }
}
