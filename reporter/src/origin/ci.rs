//! CI systems by the variables they set. One row per system; to support another, add a row.
//!
//! Nothing but what a row names is read, so that no secret of the environment is ever submitted.

use super::checkout::public_address;
use super::{Surroundings, github};

/// How one CI system describes a run.
struct System {
    /// What `ci` says.
    name: &'static str,
    /// The variable that only this system sets.
    sign: &'static str,
    /// The address of the run; `{NAME}` stands for a variable, and all of them must be set.
    url: &'static str,
    /// Variables with the branch, the best first.
    branch: &'static [&'static str],
    /// Variables with the commit, the best first.
    commit: &'static [&'static str],
    /// The address of the source's repository, as `url`.
    repository: &'static str,
    change: Change,
}

/// Where the number of the pull or merge request is.
enum Change {
    /// In the first of these variables that is set; `false` where there is none.
    In(&'static [&'static str]),
    /// See [`github`].
    Github,
}

/// The first that fits counts: Gitea and Forgejo also claim to be GitHub.
const SYSTEMS: [System; 14] = [
    System {
        name: "gitea-actions",
        sign: "GITEA_ACTIONS",
        url: "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_NUMBER}",
        branch: &["GITHUB_HEAD_REF", "GITHUB_REF_NAME"],
        commit: &["GITHUB_SHA"],
        repository: "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}",
        change: Change::Github,
    },
    System {
        name: "github-actions",
        sign: "GITHUB_ACTIONS",
        url: "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}/attempts/{GITHUB_RUN_ATTEMPT}",
        branch: &["GITHUB_HEAD_REF", "GITHUB_REF_NAME"],
        commit: &["GITHUB_SHA"],
        repository: "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}",
        change: Change::Github,
    },
    System {
        name: "gitlab",
        sign: "GITLAB_CI",
        url: "{CI_JOB_URL}",
        branch: &["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME"],
        commit: &["CI_COMMIT_SHA"],
        repository: "{CI_PROJECT_URL}",
        change: Change::In(&["CI_MERGE_REQUEST_IID"]),
    },
    System {
        name: "jenkins",
        sign: "JENKINS_URL",
        url: "{BUILD_URL}",
        branch: &["CHANGE_BRANCH", "BRANCH_NAME", "GIT_BRANCH"],
        commit: &["GIT_COMMIT"],
        repository: "{GIT_URL}",
        change: Change::In(&["CHANGE_ID"]),
    },
    System {
        name: "buildkite",
        sign: "BUILDKITE",
        url: "{BUILDKITE_BUILD_URL}",
        branch: &["BUILDKITE_BRANCH"],
        commit: &["BUILDKITE_COMMIT"],
        repository: "{BUILDKITE_REPO}",
        change: Change::In(&["BUILDKITE_PULL_REQUEST"]),
    },
    System {
        name: "circleci",
        sign: "CIRCLECI",
        url: "{CIRCLE_BUILD_URL}",
        branch: &["CIRCLE_BRANCH"],
        commit: &["CIRCLE_SHA1"],
        repository: "{CIRCLE_REPOSITORY_URL}",
        change: Change::In(&["CIRCLE_PR_NUMBER", "CIRCLE_PULL_REQUEST"]),
    },
    System {
        name: "azure-pipelines",
        sign: "TF_BUILD",
        url: "{SYSTEM_TEAMFOUNDATIONSERVERURI}{SYSTEM_TEAMPROJECTID}/_build/results?buildId={BUILD_BUILDID}",
        branch: &["BUILD_SOURCEBRANCH"],
        commit: &["SYSTEM_PULLREQUEST_SOURCECOMMITID", "BUILD_SOURCEVERSION"],
        repository: "{BUILD_REPOSITORY_URI}",
        change: Change::In(&[
            "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER",
            "SYSTEM_PULLREQUEST_PULLREQUESTID",
        ]),
    },
    System {
        name: "appveyor",
        sign: "APPVEYOR",
        url: "https://ci.appveyor.com/project/{APPVEYOR_REPO_NAME}/builds/{APPVEYOR_BUILD_ID}",
        branch: &["APPVEYOR_REPO_BRANCH"],
        commit: &["APPVEYOR_REPO_COMMIT"],
        repository: "",
        change: Change::In(&["APPVEYOR_PULL_REQUEST_NUMBER"]),
    },
    System {
        name: "travis",
        sign: "TRAVIS",
        url: "{TRAVIS_JOB_WEB_URL}",
        branch: &["TRAVIS_BRANCH"],
        commit: &["TRAVIS_PULL_REQUEST_SHA", "TRAVIS_COMMIT"],
        repository: "",
        change: Change::In(&["TRAVIS_PULL_REQUEST"]),
    },
    System {
        name: "drone",
        sign: "DRONE",
        url: "{DRONE_BUILD_LINK}",
        branch: &["DRONE_BRANCH"],
        commit: &["DRONE_COMMIT_SHA"],
        repository: "{DRONE_REPO_LINK}",
        change: Change::In(&["DRONE_PULL_REQUEST"]),
    },
    System {
        name: "bitbucket",
        sign: "BITBUCKET_BUILD_NUMBER",
        url: "https://bitbucket.org/{BITBUCKET_REPO_FULL_NAME}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",
        branch: &["BITBUCKET_BRANCH"],
        commit: &["BITBUCKET_COMMIT"],
        repository: "{BITBUCKET_GIT_HTTP_ORIGIN}",
        change: Change::In(&["BITBUCKET_PR_ID"]),
    },
    System {
        name: "semaphore",
        sign: "SEMAPHORE",
        url: "{SEMAPHORE_ORGANIZATION_URL}/workflows/{SEMAPHORE_WORKFLOW_ID}",
        branch: &["SEMAPHORE_GIT_BRANCH"],
        commit: &["SEMAPHORE_GIT_SHA"],
        repository: "{SEMAPHORE_GIT_URL}",
        change: Change::In(&["SEMAPHORE_GIT_PR_NUMBER"]),
    },
    System {
        name: "codebuild",
        sign: "CODEBUILD_BUILD_ID",
        url: "{CODEBUILD_PUBLIC_BUILD_URL}",
        branch: &["CODEBUILD_WEBHOOK_HEAD_REF"],
        commit: &["CODEBUILD_RESOLVED_SOURCE_VERSION"],
        repository: "",
        change: Change::In(&[]),
    },
    System {
        name: "teamcity",
        sign: "TEAMCITY_VERSION",
        url: "",
        branch: &[],
        commit: &[],
        repository: "",
        change: Change::In(&["TEAMCITY_PULLREQUEST_NUMBER"]),
    },
];

/// The CI system that this runs in, as far as it is known.
fn system(surroundings: &Surroundings) -> Option<&'static System> {
    SYSTEMS.iter().find(|system| surroundings.var(system.sign).is_some())
}

/// What machines of the CI system around are called together: `github`, `azure`; `ci` for one that is not known.
/// `None` outside CI.
pub(super) fn label(surroundings: &Surroundings) -> Option<&'static str> {
    match system(surroundings) {
        Some(system) => system.name.split('-').next(),
        None => surroundings.var("CI").map(|_| "ci"),
    }
}

/// `ci`, and `ci_url`, `branch`, `commit`, `repository` and `change_request` where the system tells them. Empty
/// outside CI.
pub(super) fn facts(surroundings: &Surroundings) -> Vec<(&'static str, String)> {
    let Some(system) = system(surroundings) else {
        return match surroundings.var("CI") {
            Some(_) => vec![("ci", "unknown".to_owned())],
            None => Vec::new(),
        };
    };
    let first = |names: &[&str]| names.iter().find_map(|name| surroundings.var(name));
    let mut facts = vec![("ci", system.name.to_owned())];
    let url = fill(system.url, surroundings).filter(|url| is_web_address(url));
    facts.extend(url.map(|url| ("ci_url", url)));
    facts.extend(first(system.branch).map(|branch| ("branch", short(branch).to_owned())));
    facts.extend(first(system.commit).map(|commit| ("commit", commit.to_owned())));
    let repository = fill(system.repository, surroundings).as_deref().and_then(public_address);
    facts.extend(repository.map(|address| ("repository", address)));
    facts.extend(change_request(system, surroundings).map(|change| ("change_request", change)));
    facts
}

/// The number of the pull or merge request that the run is of.
fn change_request(system: &System, surroundings: &Surroundings) -> Option<String> {
    match system.change {
        Change::Github => github::pull_request(surroundings),
        Change::In(names) => {
            let mut values = names.iter().filter_map(|name| surroundings.var(name));
            values.find(|value| *value != "false").map(str::to_owned)
        }
    }
}

fn short(branch: &str) -> &str {
    branch.strip_prefix("refs/heads/").unwrap_or(branch)
}

/// The template with its variables; `None` when one is missing or the template is empty.
fn fill(template: &str, surroundings: &Surroundings) -> Option<String> {
    if template.is_empty() {
        return None;
    }
    let mut pieces = template.split('{');
    let mut url = pieces.next()?.to_owned();
    for piece in pieces {
        let (name, literal) = piece.split_once('}')?;
        url.push_str(surroundings.var(name)?);
        url.push_str(literal);
    }
    Some(url)
}

fn is_web_address(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::super::tests::surroundings;
    use super::*;

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
        assert_eq!(facts(&github), expected.map(|(key, value)| (key, value.to_owned())));
    }

    #[test]
    fn a_change_request_is_told_from_its_branch() {
        let change = |variables: &[(&str, &str)]| {
            let facts = facts(&surroundings(variables));
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
        assert!(facts(&surroundings(&[])).is_empty());
        let bare = surroundings(&[("GITLAB_CI", "1"), ("CI_JOB_URL", "javascript:x")]);
        assert_eq!(facts(&bare), [("ci", "gitlab".to_owned())]);
        assert_eq!(facts(&surroundings(&[("CI", "1")])), [("ci", "unknown".to_owned())]);
    }

    #[test]
    fn every_system_has_a_name_and_a_sign_of_its_own() {
        let distinct = |key: fn(&System) -> &str| {
            SYSTEMS.iter().map(key).collect::<std::collections::BTreeSet<_>>().len()
        };
        assert_eq!(distinct(|system| system.name), SYSTEMS.len());
        assert_eq!(distinct(|system| system.sign), SYSTEMS.len());
    }
}
