//! CI systems by the variables they set. [`systems`] has a row for each.
//!
//! Nothing but what a row names is read, so that no secret of the environment is ever submitted.

mod systems;

use super::checkout::public_address;
use super::{Fact, Surroundings, github};
use systems::{Change, SYSTEMS, System};

/// The CI system that this runs in, as far as it is known.
fn system(surroundings: &Surroundings) -> Option<&'static System> {
    let is_here = |system: &&System| {
        let (variable, expected) = system.sign;
        surroundings.var(variable).is_some_and(|value| expected.is_none_or(|it| it == value))
    };
    SYSTEMS.iter().find(is_here)
}

/// What machines of the CI system around are called together, `github`, `azure`, or `ci` for one that is not known;
/// and the variable that tells. `None` outside CI.
pub(super) fn label(surroundings: &Surroundings) -> Option<(&'static str, &'static str)> {
    match system(surroundings) {
        Some(system) => Some((system.name.split('-').next()?, system.sign.0)),
        None => surroundings.var("CI").map(|_| ("ci", "CI")),
    }
}

/// `ci`, and `ci_url`, `ci_job`, `ci_run`, `ci_attempt`, `branch`, `commit`, `repository`, `change_request` and
/// `change_target` where the system tells them. Empty outside CI.
pub(super) fn facts(surroundings: &Surroundings) -> Vec<(&'static str, Fact)> {
    let Some(system) = system(surroundings) else {
        let ci = surroundings.var("CI").map(|_| ("ci", Fact::new("unknown", "CI")));
        return ci.into_iter().collect();
    };
    let first = |names: &[&'static str]| {
        let mut values = names.iter().filter_map(|name| Some((*name, surroundings.var(name)?)));
        values.next().map(|(name, value)| Fact::new(value, name))
    };
    let filled = |template, accept: fn(&str) -> Option<String>| {
        let (value, names) = fill(template, surroundings)?;
        Some(Fact::new(accept(&value)?, names))
    };
    let web_address = |url: &str| is_web_address(url).then(|| url.to_owned());
    let branch = |names| first(names).map(|fact| fact.map(|name| short(name).to_owned()));
    // A change that is none has no target either.
    let change = change_request(system, surroundings);
    let change_target = branch(system.change_target).filter(|_| change.is_some());
    let found = [
        ("ci", Some(Fact::new(system.name, system.sign.0))),
        ("ci_url", filled(system.url, web_address)),
        ("ci_job", filled(system.job, |name| Some(name.to_owned()))),
        ("ci_run", first(system.run)),
        ("ci_attempt", first(system.attempt)),
        ("branch", branch(system.branch)),
        ("commit", first(system.commit)),
        ("repository", filled(system.repository, public_address)),
        ("change_request", change),
        ("change_target", change_target),
    ];
    found.into_iter().filter_map(|(key, fact)| Some((key, fact?))).collect()
}

/// The number of the pull or merge request that the run is of.
fn change_request(system: &System, surroundings: &Surroundings) -> Option<Fact> {
    match system.change {
        Change::Github => github::pull_request(surroundings),
        Change::In(names) => {
            let mut values = names.iter().filter_map(|name| Some((*name, surroundings.var(name)?)));
            let (name, value) = values.find(|(_, value)| *value != "false")?;
            Some(Fact::new(value, name))
        }
    }
}

fn short(branch: &str) -> &str {
    branch.strip_prefix("refs/heads/").unwrap_or(branch)
}

/// The template with its variables, and their names; `None` when one is missing or the template is empty.
fn fill(template: &str, surroundings: &Surroundings) -> Option<(String, String)> {
    if template.is_empty() {
        return None;
    }
    let mut pieces = template.split('{');
    let (mut text, mut names) = (pieces.next()?.to_owned(), Vec::new());
    for piece in pieces {
        let (name, literal) = piece.split_once('}')?;
        text.push_str(surroundings.var(name)?);
        text.push_str(literal);
        names.push(name);
    }
    Some((text, names.join(", ")))
}

fn is_web_address(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::super::tests::surroundings;
    use super::*;

    fn texts(surroundings: &Surroundings) -> Vec<(&'static str, String)> {
        let facts = facts(surroundings).into_iter();
        facts.map(|(key, fact)| (key, fact.value.as_str().unwrap_or_default().to_owned())).collect()
    }

    #[test]
    fn a_run_links_to_its_page() {
        let github = surroundings(&[
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://forge.example"),
            ("GITHUB_REPOSITORY", "ox/cart"),
            ("GITHUB_RUN_ID", "7"),
            ("GITHUB_RUN_ATTEMPT", "2"),
            ("GITHUB_HEAD_REF", ""),
            ("GITHUB_REF_NAME", "main"),
            ("GITHUB_TOKEN", "secret"),
        ]);
        let expected = [
            ("ci", "github-actions"),
            ("ci_url", "https://forge.example/ox/cart/actions/runs/7/attempts/2"),
            ("branch", "main"),
            ("repository", "https://forge.example/ox/cart"),
        ];
        let mut found = texts(&github);
        found.retain(|(key, _)| !matches!(*key, "ci_run" | "ci_attempt"));
        assert_eq!(found, expected.map(|(key, value)| (key, value.to_owned())));
        let (_, url) = facts(&github).remove(1);
        assert_eq!(
            url.from,
            "GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT"
        );
    }

    #[test]
    fn a_change_request_is_told_from_its_branch() {
        let change = |variables: &[(&str, &str)]| {
            let facts = texts(&surroundings(variables));
            facts.into_iter().find(|(key, _)| *key == "change_request").map(|(_, value)| value)
        };
        let github = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_REF", "refs/pull/7/merge"),
            ("GITHUB_HEAD_REF", "main"),
            ("GITHUB_BASE_REF", "main"),
        ];
        assert_eq!(change(&github).as_deref(), Some("7"));
        let push = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_BASE_REF", ""),
        ];
        assert_eq!(change(&push), None);
        let travis = |value| [("TRAVIS", "true"), ("TRAVIS_PULL_REQUEST", value)];
        assert_eq!(change(&travis("false")), None);
        assert_eq!(change(&travis("12")).as_deref(), Some("12"));
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        assert!(texts(&surroundings(&[])).is_empty());
        let bare = surroundings(&[("GITLAB_CI", "1"), ("CI_JOB_URL", "javascript:x")]);
        assert_eq!(texts(&bare), [("ci", "gitlab".to_owned())]);
        assert_eq!(texts(&surroundings(&[("CI", "1")])), [("ci", "unknown".to_owned())]);
        let woodpecker = texts(&surroundings(&[("CI", "woodpecker"), ("CI_COMMIT_SHA", "abc")]));
        let expected = [("ci", "woodpecker"), ("commit", "abc")];
        assert_eq!(woodpecker, expected.map(|(key, value)| (key, value.to_owned())));
    }
}
