//! The table of CI systems: one row for each; to support another, add a row.
//!
//! From their documentation of predefined variables, and from what Trunk's, Datadog's and Allure's uploaders read. What
//! is wrong in a row leaves something unsaid, and nothing else.

/// How one CI system describes a run. What it does not tell is left empty.
pub(super) struct System {
    /// What `ci` says.
    pub(super) name: &'static str,
    /// The variable that only this system sets, and its value where that is what tells.
    pub(super) sign: (&'static str, Option<&'static str>),
    /// The address of the run; `{NAME}` stands for a variable, and all of them must be set.
    pub(super) url: &'static str,
    /// Variables with the branch, the best first.
    pub(super) branch: &'static [&'static str],
    /// Variables with the commit, the best first.
    pub(super) commit: &'static [&'static str],
    /// The address of the source's repository, as `url`.
    pub(super) repository: &'static str,
    pub(super) change: Change,
    /// Variables with the branch that the change is to go to.
    pub(super) change_target: &'static [&'static str],
    /// What the job is called, as `url`.
    pub(super) job: &'static str,
    /// Variables with what runs of the same commit are told apart by.
    pub(super) run: &'static [&'static str],
    /// Variables with how often the job was started anew.
    pub(super) attempt: &'static [&'static str],
}

/// Where the number of the pull or merge request is.
pub(super) enum Change {
    /// In the first of these variables that is set; `false` where there is none.
    In(&'static [&'static str]),
    /// See [`super::github`].
    Github,
}

/// A system that tells nothing.
const SILENT: System = System {
    name: "",
    sign: ("", None),
    url: "",
    branch: &[],
    commit: &[],
    repository: "",
    change: Change::In(&[]),
    change_target: &[],
    job: "",
    run: &[],
    attempt: &[],
};

/// What others copied from GitHub.
const GITHUB: System = System {
    name: "github-actions",
    sign: ("GITHUB_ACTIONS", None),
    url: "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}/attempts/{GITHUB_RUN_ATTEMPT}",
    branch: &["GITHUB_HEAD_REF", "GITHUB_REF_NAME"],
    commit: &["GITHUB_SHA"],
    repository: "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}",
    change: Change::Github,
    change_target: &["GITHUB_BASE_REF"],
    job: "{GITHUB_WORKFLOW} / {GITHUB_JOB}",
    run: &["GITHUB_RUN_ID"],
    attempt: &["GITHUB_RUN_ATTEMPT"],
};

/// The first that fits counts: Gitea and Forgejo also claim to be GitHub.
pub(super) const SYSTEMS: &[System] = &[
    System {
        name: "gitea-actions",
        sign: ("GITEA_ACTIONS", None),
        url: "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_NUMBER}",
        ..GITHUB
    },
    GITHUB,
    System {
        name: "gitlab",
        sign: ("GITLAB_CI", None),
        url: "{CI_JOB_URL}",
        branch: &["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME"],
        commit: &["CI_COMMIT_SHA"],
        repository: "{CI_PROJECT_URL}",
        change: Change::In(&["CI_MERGE_REQUEST_IID"]),
        change_target: &["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"],
        job: "{CI_JOB_NAME}",
        run: &["CI_PIPELINE_ID"],
        ..SILENT
    },
    System {
        name: "jenkins",
        sign: ("JENKINS_URL", None),
        url: "{BUILD_URL}",
        branch: &["CHANGE_BRANCH", "BRANCH_NAME", "GIT_BRANCH"],
        commit: &["GIT_COMMIT"],
        repository: "{GIT_URL}",
        change: Change::In(&["CHANGE_ID"]),
        change_target: &["CHANGE_TARGET"],
        job: "{JOB_NAME}",
        run: &["BUILD_NUMBER"],
        ..SILENT
    },
    System {
        name: "buildkite",
        sign: ("BUILDKITE", None),
        url: "{BUILDKITE_BUILD_URL}",
        branch: &["BUILDKITE_BRANCH"],
        commit: &["BUILDKITE_COMMIT"],
        repository: "{BUILDKITE_REPO}",
        change: Change::In(&["BUILDKITE_PULL_REQUEST"]),
        change_target: &["BUILDKITE_PULL_REQUEST_BASE_BRANCH"],
        job: "{BUILDKITE_LABEL}",
        run: &["BUILDKITE_BUILD_NUMBER"],
        attempt: &["BUILDKITE_RETRY_COUNT"],
    },
    System {
        name: "circleci",
        sign: ("CIRCLECI", None),
        url: "{CIRCLE_BUILD_URL}",
        branch: &["CIRCLE_BRANCH"],
        commit: &["CIRCLE_SHA1"],
        repository: "{CIRCLE_REPOSITORY_URL}",
        change: Change::In(&["CIRCLE_PR_NUMBER", "CIRCLE_PULL_REQUEST"]),
        job: "{CIRCLE_JOB}",
        run: &["CIRCLE_WORKFLOW_ID"],
        ..SILENT
    },
    System {
        name: "azure-pipelines",
        sign: ("TF_BUILD", None),
        url: "{SYSTEM_TEAMFOUNDATIONSERVERURI}{SYSTEM_TEAMPROJECTID}/_build/results?buildId={BUILD_BUILDID}",
        branch: &["SYSTEM_PULLREQUEST_SOURCEBRANCH", "BUILD_SOURCEBRANCH"],
        commit: &["SYSTEM_PULLREQUEST_SOURCECOMMITID", "BUILD_SOURCEVERSION"],
        repository: "{BUILD_REPOSITORY_URI}",
        change: Change::In(&[
            "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER",
            "SYSTEM_PULLREQUEST_PULLREQUESTID",
        ]),
        change_target: &["SYSTEM_PULLREQUEST_TARGETBRANCH"],
        job: "{BUILD_DEFINITIONNAME} / {AGENT_JOBNAME}",
        run: &["BUILD_BUILDID"],
        attempt: &["SYSTEM_JOBATTEMPT", "SYSTEM_STAGEATTEMPT"],
    },
    System {
        name: "appveyor",
        sign: ("APPVEYOR", None),
        url: "https://ci.appveyor.com/project/{APPVEYOR_REPO_NAME}/builds/{APPVEYOR_BUILD_ID}",
        branch: &["APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH", "APPVEYOR_REPO_BRANCH"],
        commit: &["APPVEYOR_PULL_REQUEST_HEAD_COMMIT", "APPVEYOR_REPO_COMMIT"],
        change: Change::In(&["APPVEYOR_PULL_REQUEST_NUMBER"]),
        job: "{APPVEYOR_JOB_NAME}",
        run: &["APPVEYOR_BUILD_NUMBER"],
        ..SILENT
    },
    System {
        name: "travis",
        sign: ("TRAVIS", None),
        url: "{TRAVIS_JOB_WEB_URL}",
        branch: &["TRAVIS_PULL_REQUEST_BRANCH", "TRAVIS_BRANCH"],
        commit: &["TRAVIS_PULL_REQUEST_SHA", "TRAVIS_COMMIT"],
        change: Change::In(&["TRAVIS_PULL_REQUEST"]),
        job: "{TRAVIS_JOB_NAME}",
        run: &["TRAVIS_BUILD_ID"],
        ..SILENT
    },
    System {
        name: "woodpecker",
        sign: ("CI", Some("woodpecker")),
        url: "{CI_PIPELINE_URL}",
        branch: &["CI_COMMIT_SOURCE_BRANCH", "CI_COMMIT_BRANCH"],
        commit: &["CI_COMMIT_SHA"],
        repository: "{CI_REPO_URL}",
        change: Change::In(&["CI_COMMIT_PULL_REQUEST"]),
        change_target: &["CI_COMMIT_TARGET_BRANCH"],
        job: "{CI_WORKFLOW_NAME}",
        run: &["CI_PIPELINE_NUMBER"],
        ..SILENT
    },
    System {
        name: "drone",
        sign: ("DRONE", None),
        url: "{DRONE_BUILD_LINK}",
        branch: &["DRONE_SOURCE_BRANCH", "DRONE_BRANCH"],
        commit: &["DRONE_COMMIT_SHA"],
        repository: "{DRONE_REPO_LINK}",
        change: Change::In(&["DRONE_PULL_REQUEST"]),
        change_target: &["DRONE_TARGET_BRANCH"],
        job: "{DRONE_STAGE_NAME}",
        run: &["DRONE_BUILD_NUMBER"],
        ..SILENT
    },
    System {
        name: "bitbucket",
        sign: ("BITBUCKET_BUILD_NUMBER", None),
        url: "https://bitbucket.org/{BITBUCKET_REPO_FULL_NAME}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",
        branch: &["BITBUCKET_BRANCH"],
        commit: &["BITBUCKET_COMMIT"],
        repository: "{BITBUCKET_GIT_HTTP_ORIGIN}",
        change: Change::In(&["BITBUCKET_PR_ID"]),
        change_target: &["BITBUCKET_PR_DESTINATION_BRANCH"],
        run: &["BITBUCKET_BUILD_NUMBER"],
        ..SILENT
    },
    System {
        name: "semaphore",
        sign: ("SEMAPHORE", None),
        url: "{SEMAPHORE_ORGANIZATION_URL}/workflows/{SEMAPHORE_WORKFLOW_ID}",
        branch: &["SEMAPHORE_GIT_PR_BRANCH", "SEMAPHORE_GIT_BRANCH"],
        commit: &["SEMAPHORE_GIT_PR_SHA", "SEMAPHORE_GIT_SHA"],
        repository: "{SEMAPHORE_GIT_URL}",
        change: Change::In(&["SEMAPHORE_GIT_PR_NUMBER"]),
        job: "{SEMAPHORE_JOB_NAME}",
        run: &["SEMAPHORE_WORKFLOW_ID"],
        ..SILENT
    },
    System {
        name: "codebuild",
        sign: ("CODEBUILD_BUILD_ID", None),
        url: "{CODEBUILD_PUBLIC_BUILD_URL}",
        branch: &["CODEBUILD_WEBHOOK_HEAD_REF"],
        commit: &["CODEBUILD_RESOLVED_SOURCE_VERSION"],
        change_target: &["CODEBUILD_WEBHOOK_BASE_REF"],
        run: &["CODEBUILD_BUILD_NUMBER"],
        ..SILENT
    },
    System {
        name: "teamcity",
        sign: ("TEAMCITY_VERSION", None),
        change: Change::In(&["TEAMCITY_PULLREQUEST_NUMBER"]),
        job: "{TEAMCITY_BUILDCONF_NAME}",
        run: &["BUILD_NUMBER"],
        ..SILENT
    },
    System {
        name: "cirrus",
        sign: ("CIRRUS_CI", None),
        url: "https://cirrus-ci.com/task/{CIRRUS_TASK_ID}",
        branch: &["CIRRUS_BRANCH"],
        commit: &["CIRRUS_CHANGE_IN_REPO"],
        repository: "{CIRRUS_REPO_CLONE_URL}",
        change: Change::In(&["CIRRUS_PR"]),
        change_target: &["CIRRUS_BASE_BRANCH"],
        job: "{CIRRUS_TASK_NAME}",
        run: &["CIRRUS_BUILD_ID"],
        ..SILENT
    },
    System {
        name: "bamboo",
        sign: ("bamboo_buildNumber", None),
        url: "{bamboo_buildResultsUrl}",
        branch: &["bamboo_planRepository_branchName"],
        commit: &["bamboo_planRepository_revision"],
        change: Change::In(&["bamboo_repository_pr_key"]),
        change_target: &["bamboo_repository_pr_targetBranch"],
        run: &["bamboo_buildNumber"],
        ..SILENT
    },
    System {
        name: "bitrise",
        sign: ("BITRISE_BUILD_SLUG", None),
        url: "{BITRISE_BUILD_URL}",
        branch: &["BITRISE_GIT_BRANCH"],
        commit: &["BITRISE_GIT_COMMIT"],
        repository: "{GIT_REPOSITORY_URL}",
        change: Change::In(&["BITRISE_PULL_REQUEST"]),
        change_target: &["BITRISEIO_GIT_BRANCH_DEST"],
        run: &["BITRISE_BUILD_NUMBER"],
        ..SILENT
    },
    System {
        name: "codefresh",
        sign: ("CF_BUILD_ID", None),
        url: "{CF_BUILD_URL}",
        branch: &["CF_BRANCH"],
        commit: &["CF_REVISION"],
        change: Change::In(&["CF_PULL_REQUEST_NUMBER"]),
        change_target: &["CF_PULL_REQUEST_TARGET"],
        run: &["CF_BUILD_ID"],
        ..SILENT
    },
    System {
        name: "buddy",
        sign: ("BUDDY", None),
        url: "{BUDDY_EXECUTION_URL}",
        branch: &["BUDDY_EXECUTION_BRANCH"],
        commit: &["BUDDY_EXECUTION_REVISION"],
        repository: "{BUDDY_SCM_URL}",
        change: Change::In(&["BUDDY_EXECUTION_PULL_REQUEST_NO"]),
        job: "{BUDDY_PIPELINE_NAME}",
        run: &["BUDDY_EXECUTION_ID"],
        ..SILENT
    },
    System {
        name: "sourcehut",
        sign: ("JOB_URL", None),
        url: "{JOB_URL}",
        run: &["JOB_ID"],
        ..SILENT
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_system_has_a_name_and_a_sign_of_its_own() {
        let names: BTreeSet<_> = SYSTEMS.iter().map(|system| system.name).collect();
        let signs: BTreeSet<_> = SYSTEMS.iter().map(|system| system.sign).collect();
        assert_eq!((names.len(), signs.len()), (SYSTEMS.len(), SYSTEMS.len()));
        assert!(!names.contains("") && signs.iter().all(|(variable, _)| !variable.is_empty()));
    }

    #[test]
    fn no_variable_that_is_read_may_hold_a_secret() {
        let template = |text: &'static str| {
            text.split('{').skip(1).filter_map(|piece| piece.split('}').next()).collect::<Vec<_>>()
        };
        for system in SYSTEMS {
            let mut read = [system.url, system.repository, system.job].map(template).concat();
            let lists =
                [system.branch, system.commit, system.change_target, system.run, system.attempt];
            read.extend(lists.concat());
            if let Change::In(names) = system.change {
                read.extend(names);
            }
            for name in read {
                let secret =
                    ["TOKEN", "SECRET", "PASSWORD", "KEY"].iter().any(|word| name.contains(word));
                assert!(!secret, "{name}");
            }
        }
    }
}
