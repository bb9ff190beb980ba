//! CI systems by the variables they set. One row per system; to support another, add a row.
//!
//! Nothing but what a row names is read, so that no secret of the environment is ever submitted.

use super::Surroundings;

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
}

/// The first that fits counts: Gitea and Forgejo also claim to be GitHub.
const SYSTEMS: [System; 14] = [
    System {
        name: "gitea-actions",
        sign: "GITEA_ACTIONS",
        url: "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_NUMBER}",
        branch: &["GITHUB_HEAD_REF", "GITHUB_REF_NAME"],
        commit: &["GITHUB_SHA"],
    },
    System {
        name: "github-actions",
        sign: "GITHUB_ACTIONS",
        url: "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}/attempts/{GITHUB_RUN_ATTEMPT}",
        branch: &["GITHUB_HEAD_REF", "GITHUB_REF_NAME"],
        commit: &["GITHUB_SHA"],
    },
    System {
        name: "gitlab",
        sign: "GITLAB_CI",
        url: "{CI_JOB_URL}",
        branch: &["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME"],
        commit: &["CI_COMMIT_SHA"],
    },
    System {
        name: "jenkins",
        sign: "JENKINS_URL",
        url: "{BUILD_URL}",
        branch: &["CHANGE_BRANCH", "BRANCH_NAME", "GIT_BRANCH"],
        commit: &["GIT_COMMIT"],
    },
    System {
        name: "buildkite",
        sign: "BUILDKITE",
        url: "{BUILDKITE_BUILD_URL}",
        branch: &["BUILDKITE_BRANCH"],
        commit: &["BUILDKITE_COMMIT"],
    },
    System {
        name: "circleci",
        sign: "CIRCLECI",
        url: "{CIRCLE_BUILD_URL}",
        branch: &["CIRCLE_BRANCH"],
        commit: &["CIRCLE_SHA1"],
    },
    System {
        name: "azure-pipelines",
        sign: "TF_BUILD",
        url: "{SYSTEM_TEAMFOUNDATIONSERVERURI}{SYSTEM_TEAMPROJECTID}/_build/results?buildId={BUILD_BUILDID}",
        branch: &["BUILD_SOURCEBRANCH"],
        commit: &["SYSTEM_PULLREQUEST_SOURCECOMMITID", "BUILD_SOURCEVERSION"],
    },
    System {
        name: "appveyor",
        sign: "APPVEYOR",
        url: "https://ci.appveyor.com/project/{APPVEYOR_REPO_NAME}/builds/{APPVEYOR_BUILD_ID}",
        branch: &["APPVEYOR_REPO_BRANCH"],
        commit: &["APPVEYOR_REPO_COMMIT"],
    },
    System {
        name: "travis",
        sign: "TRAVIS",
        url: "{TRAVIS_JOB_WEB_URL}",
        branch: &["TRAVIS_BRANCH"],
        commit: &["TRAVIS_PULL_REQUEST_SHA", "TRAVIS_COMMIT"],
    },
    System {
        name: "drone",
        sign: "DRONE",
        url: "{DRONE_BUILD_LINK}",
        branch: &["DRONE_BRANCH"],
        commit: &["DRONE_COMMIT_SHA"],
    },
    System {
        name: "bitbucket",
        sign: "BITBUCKET_BUILD_NUMBER",
        url: "https://bitbucket.org/{BITBUCKET_REPO_FULL_NAME}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",
        branch: &["BITBUCKET_BRANCH"],
        commit: &["BITBUCKET_COMMIT"],
    },
    System {
        name: "semaphore",
        sign: "SEMAPHORE",
        url: "{SEMAPHORE_ORGANIZATION_URL}/workflows/{SEMAPHORE_WORKFLOW_ID}",
        branch: &["SEMAPHORE_GIT_BRANCH"],
        commit: &["SEMAPHORE_GIT_SHA"],
    },
    System {
        name: "codebuild",
        sign: "CODEBUILD_BUILD_ID",
        url: "{CODEBUILD_PUBLIC_BUILD_URL}",
        branch: &["CODEBUILD_WEBHOOK_HEAD_REF"],
        commit: &["CODEBUILD_RESOLVED_SOURCE_VERSION"],
    },
    System { name: "teamcity", sign: "TEAMCITY_VERSION", url: "", branch: &[], commit: &[] },
];

/// `ci`, and `ci_url`, `branch` and `commit` where the system tells them. Empty outside CI.
pub(super) fn facts(surroundings: &Surroundings) -> Vec<(&'static str, String)> {
    let Some(system) = SYSTEMS.iter().find(|system| surroundings.var(system.sign).is_some()) else {
        return match surroundings.var("CI") {
            Some(_) => vec![("ci", "unknown".to_owned())],
            None => Vec::new(),
        };
    };
    let first = |names: &[&str]| names.iter().find_map(|name| surroundings.var(name));
    let mut facts = vec![("ci", system.name.to_owned())];
    facts.extend(fill(system.url, surroundings).map(|url| ("ci_url", url)));
    facts.extend(first(system.branch).map(|branch| ("branch", short(branch).to_owned())));
    facts.extend(first(system.commit).map(|commit| ("commit", commit.to_owned())));
    facts
}

fn short(branch: &str) -> &str {
    branch.strip_prefix("refs/heads/").unwrap_or(branch)
}

/// The template with its variables; `None` when one is missing or it makes no web address.
fn fill(template: &str, surroundings: &Surroundings) -> Option<String> {
    let mut pieces = template.split('{');
    let mut url = pieces.next()?.to_owned();
    for piece in pieces {
        let (name, literal) = piece.split_once('}')?;
        url.push_str(surroundings.var(name)?);
        url.push_str(literal);
    }
    (url.starts_with("https://") || url.starts_with("http://")).then_some(url)
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
        ];
        assert_eq!(facts(&github), expected.map(|(key, value)| (key, value.to_owned())));
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
