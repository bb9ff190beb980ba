//! What must not be stored is not: neither in results, nor in files beside them, nor in the spool.

use std::fs;

use crate::inputs::CARGO;
use crate::run::{files, only_result, script};
use crate::world::{Outcome, World, deserted, results};

#[test]
fn secrets_are_shown_but_neither_stored_nor_spooled() {
    let world = World::new();
    let text = "echo \"key=$DEPLOY_TOKEN card 1234\"; i=0; \
                while [ $i -lt 300 ]; do echo \"$DEPLOY_TOKEN $i\"; i=$((i+1)); done";
    let mut arguments = script(text);
    arguments.splice(1..1, ["--redact", "card [0-9]+", "--max-output", "1K"]);
    let secret = ("DEPLOY_TOKEN", "t0ps3cretvalue");
    let outcome = Outcome::of(world.pony(&arguments).envs([secret]), None).ends_with(0);
    outcome.mentions("key=t0ps3cretvalue card 1234\n");
    let result = only_result(&world);
    let output = result.submission.results_list[0].output().unwrap();
    assert!(output.starts_with("key=[redacted] [redacted]\n"), "{output}");
    assert!(!format!("{result:?}").contains("t0ps3cret"));
    let [(_, whole)] = &files(&world)[..] else { panic!("not one file") };
    assert!(whole.ends_with("[redacted] 299\n") && !whole.contains("t0ps3cret"), "{whole}");

    let url = deserted();
    let arguments =
        ["run", "--server", &url, "--package", "p", "--", "sh", "-c", "echo $DEPLOY_TOKEN"];
    Outcome::of(world.pony(&arguments).envs([secret]), None).ends_with(0);
    let [entry] = &world.spooled("")[..] else { panic!("not one entry") };
    let kept = fs::read_to_string(entry).unwrap();
    assert!(kept.contains("[redacted]") && !kept.contains("t0ps3cret"));
    world
        .run(&["run", "--redact", "(", "--", "touch", "ran"])
        .ends_with(64)
        .complains("--redact: ");
    assert!(!world.path("ran").exists());
}

#[test]
fn secrets_are_taken_out_before_output_is_cut_and_may_have_many_lines() {
    let world = World::new();
    let key = "BEGIN\nMIIEvQ\nMIIEvR\nEND";
    let text = format!("{}{key}{}", "x".repeat(500), "y".repeat(2000));
    world.file("log", &text);
    let options = ["--redact", "(?s)BEGIN.*?END", "--max-output", "1K"];
    let submit = ["submit", "--repo", "r.git", "--package", "p", "both.log"];
    world.file("both.log", format!("{text}\n{CARGO}"));
    for mut arguments in [script("cat log"), submit.to_vec()] {
        arguments.splice(1..1, options);
        world.run(&arguments).ends_with(0);
        let results = results(&world.path("r.git"), "p");
        let result = results.last().unwrap();
        let output = result.submission.results_list[0].output().unwrap();
        assert!(output.starts_with("xxx") && !output.contains("MII"), "{output}");
    }
    let whole = |(_, whole): &(String, String)| whole.contains(&("x".to_owned() + "[redacted]y"));
    assert!(files(&world).iter().all(whole) && !files(&world).is_empty());
}

#[test]
fn no_part_of_a_secret_is_left_where_the_whole_is_cut_as_well() {
    let world = World::new();
    let secret = ("DEPLOY_TOKEN", "t0ps3cretvalue");
    // In one piece, and with the rest of the secret in another.
    for (text, max_size) in [
        ("i=0; while [ $i -lt 100 ]; do echo \"$i $DEPLOY_TOKEN\"; i=$((i+1)); done", "1031"),
        (
            "head -c 1990 /dev/zero | tr '\\0' .; printf t0ps3; sleep 0.1; echo cretvalue more",
            "1995",
        ),
        ("head -c 1990 /dev/zero | tr '\\0' .; printf t0ps3; sleep 0.1; echo cretvalue more", "2K"),
    ] {
        let mut arguments = script(text);
        arguments.splice(1..1, ["--max-output", "1K", "--max-size", max_size]);
        Outcome::of(world.pony(&arguments).envs([secret]), None).ends_with(0);
        let files = files(&world);
        let (_, whole) = files.last().unwrap();
        assert!(whole.len() > 500 && !whole.contains("t0p"), "{whole}");
        fs::remove_dir_all(world.path("r.git")).unwrap();
    }
}
