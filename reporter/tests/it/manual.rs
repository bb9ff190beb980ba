//! What shells and `man` are told.

use crate::world::World;

const VERBS: [&str; 9] =
    ["run", "ci", "submit", "convert", "validate", "retry", "env", "completions", "man"];

#[test]
fn shells_complete_every_verb_and_every_flag() {
    let world = World::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = world.run(&["completions", shell]).ends_with(0).stdout();
        for word in VERBS.into_iter().chain(["max-output", "redact", "manifest-path"]) {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    world.run(&["completions", "tcsh"]).ends_with(64).complains("tcsh");
}

#[test]
fn the_program_and_every_verb_have_a_manual_page() {
    let world = World::new();
    let page = world.run(&["man"]).ends_with(0).stdout();
    assert!(page.contains(".TH pony-report 1"), "{page}");
    assert!(page.contains("PONY_SPOOL"), "the environment is described");
    for verb in VERBS {
        let page = world.run(&["man", verb]).ends_with(0).stdout();
        let version = env!("CARGO_PKG_VERSION");
        let title = format!(".TH pony-report-{verb} 1  \"pony-report {version}\"");
        assert!(page.contains(&title), "{page}");
        assert!(page.contains("Examples:"), "{page}");
    }
    world.run(&["man", "frobnicate"]).ends_with(64).complains("there is no verb `frobnicate`");
}
