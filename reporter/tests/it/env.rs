//! `pony-report env`, and who has the last word about what it says.

use std::process::Command;

use crate::world::{Outcome, World, results};

/// A cargo project that says what it is called here.
fn project(world: &World) {
    world.file("src/lib.rs", "");
    world.file(
        "Cargo.toml",
        "[package]\nname = \"loft\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
         [package.metadata.pony]\npackage = \"hayloft\"\ntags = [\"nightly\", \"slow\"]\n",
    );
}

/// The lines of `env --output json`, as `key=value from`.
fn env(command: &mut Command) -> Vec<String> {
    let outcome = Outcome::of(command, None).ends_with(0);
    let lines = outcome.stdout();
    let line = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| line[key].as_str().map_or(line[key].to_string(), str::to_owned);
        format!("{}={} {}", text("key"), text("value"), text("from"))
    };
    lines.lines().map(line).collect()
}

#[test]
fn a_flag_comes_before_the_environment_before_the_project_before_what_is_detected() {
    let world = World::new();
    project(&world);
    let says = |arguments: &[&str], variables: &[(&str, &str)], expected: &[&str]| {
        let mut command = world.pony(&[&["env", "--output", "json"], arguments].concat());
        command.env("CARGO_NET_OFFLINE", "true").envs(variables.iter().copied());
        // Where rustup has its toolchains, it finds them below the true home.
        let home = std::env::var_os("RUSTUP_HOME").or_else(|| {
            Some(std::path::Path::new(&std::env::var_os("HOME")?).join(".rustup").into())
        });
        command.envs(home.map(|home| ("RUSTUP_HOME", home)));
        let lines = env(&mut command);
        for line in expected {
            assert!(lines.iter().any(|found| found == line), "{line} is not in {lines:#?}");
        }
    };
    let metadata = "[package.metadata.pony]";
    says(
        &[],
        &[],
        &[
            &format!("package=hayloft {metadata}"),
            &format!("tag=nightly {metadata}"),
            &format!("tag=slow {metadata}"),
            "host=shed PONY_HOST",
        ],
    );
    let variables = [
        ("PONY_PACKAGE", "barn"),
        ("PONY_TAGS", "a, b"),
        ("PONY_ARCH", "pdp-11"),
        ("PONY_REPO", "ox:y"),
    ];
    let said = [
        "package=barn PONY_PACKAGE",
        "tag=a PONY_TAGS",
        "tag=b PONY_TAGS",
        "arch=pdp-11 PONY_ARCH",
        "target=ox:y PONY_REPO",
    ];
    says(&[], &variables, &said);
    let flags = ["--package", "cart", "--tag", "c", "--arch", "z80", "--server", "http://h/"];
    let said =
        ["package=cart --package", "tag=c --tag", "arch=z80 --arch", "target=http://h/ --server"];
    says(&flags, &variables, &said);
}

#[test]
fn what_it_says_is_for_people_too() {
    let world = World::new();
    let mut command = world.pony(&["env", "--package", "barn"]);
    command.env("GITLAB_CI", "1").env("CI_JOB_NAME", "a\u{1b}[31mb").env("CI_COMMIT_SHA", "abc");
    let outcome = Outcome::of(&mut command, None).ends_with(0);
    let outcome = outcome.mentions("\nci_job          a\\u{1b}[31mb ").mentions("CI_JOB_NAME\n");
    outcome.mentions("package         barn ").mentions("commit          abc ");
}

#[test]
fn no_secret_of_the_environment_is_shown_or_stored() {
    let world = World::new();
    let secrets = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_TOKEN", "pl4nted"),
        ("ACTIONS_RUNTIME_TOKEN", "pl4nted"),
        ("AWS_SECRET_ACCESS_KEY", "pl4nted"),
        ("PONY_SERVER", "http://ann:pl4nted@127.0.0.1:1/"),
        ("PATH_TO_SECRETS", "/pl4nted"),
    ];
    let mut command = world.pony(&["env"]);
    Outcome::of(command.envs(secrets), None).ends_with(0).never_says("pl4nted");
    let run = ["run", "--repo", "r.git", "--package", "barn", "--", "echo", "ok"];
    let mut command = world.pony(&run);
    Outcome::of(command.envs(secrets), None).ends_with(0);
    let stored = &results(&world.path("r.git"), "barn")[0];
    assert!(!format!("{stored:?}").contains("pl4nted"));
}
