//! The names of this machine and its platform.

use std::fs;
use std::process::{Command, Stdio};

use super::{Fact, Surroundings, ci};

/// Files that hold nothing but the host name: Linux, then most Unix systems.
const FILES: [&str; 2] = ["/proc/sys/kernel/hostname", "/etc/hostname"];

/// Variables that hold it: shells, then Windows.
const VARIABLES: [&str; 2] = ["HOSTNAME", "COMPUTERNAME"];

/// Where Linux distributions say who they are: os-release(5).
const RELEASES: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

/// What this program was built for.
const BUILD: &str = "this program";

/// The name of this machine, or `unknown`. In CI, where machines have a new name for each job, the CI system
/// and what the machine runs, for example `github-ubuntu-24.04`: a build line is of machines that are alike.
pub(crate) fn host(surroundings: &Surroundings) -> Fact {
    if let Some((label, sign)) = ci::label(surroundings) {
        let release =
            |path: &&'static str| Some((name_of_release(&fs::read_to_string(path).ok()?)?, *path));
        // GitHub and those who do as it does name their images: macos15, win25.
        let image = || Some((surroundings.var("ImageOS")?.to_owned(), "ImageOS"));
        let (system, from) = RELEASES
            .iter()
            .find_map(release)
            .or_else(image)
            .unwrap_or_else(|| (std::env::consts::OS.to_owned(), BUILD));
        return Fact::new(format!("{label}-{system}"), format!("{sign}, {from}"));
    }
    let files = FILES.iter().filter_map(|path| Some((fs::read_to_string(path).ok()?, *path)));
    let variables = VARIABLES.iter();
    let variables = variables.filter_map(|name| Some((surroundings.var(name)?.to_owned(), *name)));
    let asked = std::iter::once_with(ask_the_system).flatten().map(|name| (name, "hostname"));
    let mut names = files.chain(variables).chain(asked);
    match names.find(|(name, _)| !name.trim().is_empty()) {
        Some((name, from)) => Fact::new(name.trim(), from),
        None => Fact::new("unknown", "nothing tells it"),
    }
}

/// `ubuntu-24.04` of an os-release file: the distribution, and its version up to the second number, as a new
/// patch level makes no other build line.
fn name_of_release(text: &str) -> Option<String> {
    let value = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.trim().strip_prefix(name));
        let value = lines.find_map(|rest| rest.strip_prefix('='))?;
        Some(value.trim_matches(['"', '\'']).to_owned()).filter(|value| !value.is_empty())
    };
    let distribution = value("ID")?;
    Some(match value("VERSION_ID") {
        Some(version) => {
            let numbers: Vec<&str> = version.split('.').take(2).collect();
            format!("{distribution}-{}", numbers.join("."))
        }
        None => distribution,
    })
}

fn ask_the_system() -> Option<String> {
    let asked =
        Command::new("hostname").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(asked.stdout).ok()
}

/// The platform, for example `linux-x86_64`.
pub(crate) fn arch() -> Fact {
    Fact::new(format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH), BUILD)
}

#[cfg(test)]
mod tests {
    use super::super::tests::surroundings;
    use super::*;

    #[test]
    fn machines_of_a_ci_system_that_are_alike_have_one_name() {
        let host = |name| {
            let variables = [("CI", "1"), (name, "1"), ("HOSTNAME", "fv-az123"), ("ImageOS", "x")];
            host(&surroundings(&variables)).text().to_owned()
        };
        assert!(host("GITHUB_ACTIONS").starts_with("github-"));
        assert!(host("TF_BUILD").starts_with("azure-"));
        assert!(host("SOME_OTHER").starts_with("ci-"));
        assert!(!host("GITHUB_ACTIONS").contains("fv-az123"));
    }

    #[test]
    fn a_release_has_a_name_and_up_to_two_numbers() {
        let cases = [
            (
                "NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n",
                Some("ubuntu-24.04"),
            ),
            ("ID=alpine\nVERSION_ID=3.19.1\n", Some("alpine-3.19")),
            ("ID='arch'\nBUILD_ID=rolling\n", Some("arch")),
            ("VERSION_ID=1\n", None),
            ("", None),
        ];
        for (text, name) in cases {
            assert_eq!(name_of_release(text).as_deref(), name, "{text}");
        }
    }
}
