//! What GitHub tells of a pull request only in the file about the event that started the run.
//!
//! Its format is that of the webhook `pull_request`
//! (docs.github.com, "Webhook events and payloads"), of which three members are read.

use std::fs::File;
use std::io::Read as _;

use serde::Deserialize;

use super::{Fact, Surroundings};

/// Bytes of the file about an event. GitHub's own limit for payloads is 25 MB.
const EVENT_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Where it says so.
const EVENT: &str = "the file at GITHUB_EVENT_PATH";

#[derive(Deserialize)]
struct Event {
    pull_request: PullRequest,
}

#[derive(Deserialize)]
struct PullRequest {
    number: u64,
    head: Head,
}

#[derive(Deserialize)]
struct Head {
    sha: String,
}

fn event(surroundings: &Surroundings) -> Option<Event> {
    let file = File::open(surroundings.var("GITHUB_EVENT_PATH")?).ok()?;
    // A pipe or device would hold the tests up.
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = Vec::new();
    file.take(EVENT_BYTES_MAX).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// The number of the pull request that a run is of, `unknown` when only that can be told that it is of one.
///
/// The ref has it, unless the workflow is started by `pull_request_target`, which runs on the base branch.
pub(super) fn pull_request(surroundings: &Surroundings) -> Option<Fact> {
    // Only set for pull requests.
    surroundings.var("GITHUB_HEAD_REF").or(surroundings.var("GITHUB_BASE_REF"))?;
    let name = surroundings.var("GITHUB_REF").unwrap_or_default();
    let number = name.strip_prefix("refs/pull/").and_then(|rest| rest.split('/').next());
    let of_event = || {
        let number = event(surroundings)?.pull_request.number;
        Some(Fact::new(number.to_string(), EVENT))
    };
    let found = number.map(|number| Fact::new(number, "GITHUB_REF")).or_else(of_event);
    Some(found.unwrap_or_else(|| Fact::new("unknown", "GITHUB_BASE_REF")))
}

/// The commit that somebody wrote, where the one that was checked out is GitHub's own: what the pull request
/// would be once merged, which is thrown away after the run.
pub(super) fn head_of_merge(
    surroundings: &Surroundings,
    checked_out: Option<&Fact>,
) -> Option<Fact> {
    surroundings.var("GITHUB_ACTIONS")?;
    let is_merge = surroundings
        .var("GITHUB_REF")
        .is_some_and(|name| name.starts_with("refs/pull/") && name.ends_with("/merge"));
    let merge = surroundings.var("GITHUB_SHA").filter(|_| is_merge)?;
    if checked_out.is_some_and(|commit| commit.text() != merge) {
        return None;
    }
    let head = event(surroundings)?.pull_request.head.sha;
    let is_id = head.len() >= 40 && head.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| Fact::new(head, EVENT))
}

#[cfg(test)]
mod tests {
    use super::super::tests::surroundings;
    use super::*;

    const HEAD: &str = "0123456789012345678901234567890123456789";

    fn event_file() -> (tempfile::NamedTempFile, String) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let event = serde_json::json!({
            "action": "opened",
            "pull_request": {"number": 7, "head": {"sha": HEAD, "ref": "main"}, "title": "x"},
        });
        std::fs::write(file.path(), event.to_string()).unwrap();
        let path = file.path().to_str().unwrap().to_owned();
        (file, path)
    }

    #[test]
    fn the_number_of_a_pull_request_is_never_a_branch() {
        let (_file, path) = event_file();
        let target = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_HEAD_REF", "topic"),
            ("GITHUB_BASE_REF", "main"),
        ];
        let with_event = [&target[..], &[("GITHUB_EVENT_PATH", &path)]].concat();
        let number = |variables: &[(&str, &str)]| {
            Some(pull_request(&surroundings(variables))?.text().to_owned())
        };
        assert_eq!(number(&with_event).as_deref(), Some("7"));
        assert_eq!(number(&target).as_deref(), Some("unknown"));
        let plain = [("GITHUB_REF", "refs/pull/12/merge"), ("GITHUB_HEAD_REF", "topic")];
        assert_eq!(number(&plain).as_deref(), Some("12"));
        assert_eq!(number(&[("GITHUB_REF", "refs/heads/main")]), None);
    }

    #[test]
    fn the_commit_is_that_of_the_author_unless_something_else_is_checked_out() {
        let (_file, path) = event_file();
        let merge = "f".repeat(40);
        let of = |reference: &str, checked_out: Option<&str>| {
            let variables = [
                ("GITHUB_ACTIONS", "true"),
                ("GITHUB_REF", reference),
                ("GITHUB_SHA", &merge),
                ("GITHUB_EVENT_PATH", &path),
            ];
            let checked_out = checked_out.map(|commit| Fact::new(commit, "git status"));
            let head = head_of_merge(&surroundings(&variables), checked_out.as_ref())?;
            Some(head.text().to_owned())
        };
        assert_eq!(of("refs/pull/7/merge", Some(&merge)).as_deref(), Some(HEAD));
        assert_eq!(of("refs/pull/7/merge", None).as_deref(), Some(HEAD));
        assert_eq!(of("refs/pull/7/merge", Some("abc")), None);
        // `pull_request_target` checks out the base branch.
        assert_eq!(of("refs/heads/main", Some(&merge)), None);
    }

    #[test]
    fn what_is_no_event_tells_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for text in ["", "{", "{}", "{\"pull_request\": {\"number\": -1}}"] {
            std::fs::write(file.path(), text).unwrap();
            let path = file.path().to_str().unwrap();
            assert!(event(&surroundings(&[("GITHUB_EVENT_PATH", path)])).is_none(), "{text}");
        }
        assert!(event(&surroundings(&[("GITHUB_EVENT_PATH", "/dev/zero")])).is_none());
    }
}
