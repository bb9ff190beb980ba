//! The git checkout around the current folder, as `git` itself tells it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use pony_formats::Value;

use super::Fact;

/// `commit`, `branch` (unless detached), `dirty` (whether tracked files differ) and `repository` (where others
/// find it). Nothing where there is no checkout, no commit or no git.
pub(super) fn facts(folder: &Path) -> BTreeMap<&'static str, Fact> {
    let status = git(folder, &["status", "--porcelain=v2", "--branch", "--untracked-files=no"]);
    let found = status.map(|status| read(&status)).unwrap_or_default();
    let found = found.into_iter().map(|(key, value)| (key, Fact::new(value, "git status")));
    let mut facts: BTreeMap<_, _> = found.collect();
    if !facts.is_empty()
        && let Some(remote) = git(folder, &["config", "--get", "remote.origin.url"])
        && let Some(address) = public_address(remote.trim())
    {
        facts.insert("repository", Fact::new(address, "git config remote.origin.url"));
    }
    facts
}

/// What git says; nothing unless it succeeds.
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let said = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        // Looking must not disturb a git command that runs beside the tests.
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    said.status.success().then(|| String::from_utf8_lossy(&said.stdout).into_owned())
}

/// The address of a repository as others may know it: without a name or password, a query or a fragment.
/// `None` for a path of this machine.
pub(super) fn public_address(remote: &str) -> Option<String> {
    let remote = remote.split(['?', '#']).next().unwrap_or_default();
    if remote.contains(|character: char| character.is_whitespace() || character.is_control()) {
        return None;
    }
    match remote.split_once("://") {
        Some((scheme @ ("https" | "http" | "ssh" | "git"), rest)) => {
            let (host, path) = rest.split_once('/')?;
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            // A password with a slash in it, which should have been encoded, ends up in the path.
            (!host.is_empty() && !path.contains('@')).then(|| format!("{scheme}://{host}/{path}"))
        }
        Some(_) => None,
        // `user@host:path`, as ssh and scp have it. Without a user it might be a drive or a path.
        None => {
            let (user, rest) = remote.split_once('@')?;
            let (host, path) = rest.split_once(':')?;
            let plain = !user.contains(['/', ':']) && !host.contains('/') && !host.is_empty();
            plain.then(|| format!("ssh://{host}/{}", path.trim_start_matches('/')))
        }
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
    fn an_address_tells_no_secret_and_no_path_of_this_machine() {
        let cases = [
            (
                "https://ox:secret@forge.example/ox/cart.git",
                Some("https://forge.example/ox/cart.git"),
            ),
            ("https://token@forge.example/ox/cart?key=1#x", Some("https://forge.example/ox/cart")),
            ("git@forge.example:ox/cart.git", Some("ssh://forge.example/ox/cart.git")),
            ("ssh://git@forge.example:2222/ox/cart", Some("ssh://forge.example:2222/ox/cart")),
            ("https://ox:sec/ret@forge.example/ox/cart", None),
            ("../cart.git", None),
            ("/srv/git/cart.git", None),
            ("file:///srv/git/cart.git", None),
            ("C:\\git\\cart", None),
            ("", None),
        ];
        for (remote, address) in cases {
            assert_eq!(public_address(remote).as_deref(), address, "{remote}");
        }
    }

    #[test]
    fn a_detached_head_has_no_branch_and_a_new_repository_nothing() {
        let detached = read("# branch.oid 0123\n# branch.head (detached)\n");
        assert_eq!(detached.keys().copied().collect::<Vec<_>>(), ["commit", "dirty"]);
        assert!(read("# branch.oid (initial)\n# branch.head main\n").is_empty());
    }
}
