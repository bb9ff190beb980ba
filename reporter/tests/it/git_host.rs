//! Straight to a git host: what is pushed, what happens when others push, and what becomes of what is refused.
//! Here the host is a folder behind git's own file transport; `tests/it/git_hosts.rs` has servers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::inputs::CARGO;
use crate::world::{Outcome, World, deserted, results};

/// Runs git in a folder, and returns what it prints.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=x", "-c", "user.email=x@x"]).args(arguments);
    let output = command.current_dir(folder).stdin(Stdio::null()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// An empty bare repository, and its address.
fn host(world: &World, name: &str) -> (PathBuf, String) {
    let path = world.path(name);
    let parent = world.path("");
    git(&parent, &["init", "--quiet", "--bare", "--initial-branch=main", name]);
    // As git hosts have it.
    for setting in ["uploadpack.allowFilter", "receive.fsckObjects"] {
        git(&path, &["config", setting, "true"]);
    }
    let url = format!("file://{}", path.display());
    (path, url)
}

/// A hook of the host.
#[cfg(unix)]
fn hook(repository: &Path, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = repository.join("hooks").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn submit(url: &str) -> [&str; 6] {
    ["submit", "--strict", "--repo", url, "--package", "barn"]
}

/// The history is linear, everything in it is sound, and the branch has so many commits.
#[track_caller]
fn assert_sound(repository: &Path, branch: &str, commits: usize) {
    let count =
        |words: &[&str]| git(repository, &[&["rev-list", "--count"], words, &[branch]].concat());
    assert_eq!(count(&[]), format!("{commits}\n"));
    assert_eq!(count(&["--merges"]), "0\n");
    assert_eq!(git(repository, &["fsck", "--strict", "--no-dangling"]), "");
}

#[test]
fn what_is_pushed_is_what_a_writer_would_have_stored() {
    let world = World::new();
    let (path, url) = host(&world, "r.git");
    for _ in 0..3 {
        let said =
            world.pipe(CARGO, &submit(&url)).ends_with(0).mentions("barn: 1 passed, 1 failed; ");
        said.mentions(&format!(" at {url}\n"));
    }
    assert_sound(&path, "main", 4);
    world.pipe(CARGO, &submit("local.git")).ends_with(0);
    let of_writer = world.path("local.git");
    let first = |repository: &Path| git(repository, &["rev-list", "--max-parents=0", "main"]);
    assert_eq!(first(&path), first(&of_writer), "both begin with the same commit");
    let pushed = results(&path, "barn");
    let stored = results(&of_writer, "barn").remove(0);
    assert_eq!(pushed.len(), 3);
    assert!(pushed.iter().all(|result| result.submission == stored.submission));
    assert!(pushed.is_sorted_by_key(|result| result.receipt.key));
    assert!(pushed.iter().all(|result| result.receipt.submission_id.is_some()));
    let names = |repository: &Path| {
        let files = git(repository, &["ls-tree", "-r", "--name-only", "main"]);
        let names = files.lines().map(|path| path.rsplit('/').next().unwrap().to_owned());
        names.collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(names(&path), names(&of_writer));
    assert!(world.spooled("").is_empty());
}

#[test]
fn results_go_to_a_branch_of_the_projects_own_repository() {
    let world = World::new();
    let (path, _) = host(&world, "project.git");
    git(&world.path(""), &["clone", "--quiet", "project.git", "checkout"]);
    let checkout = world.path("checkout");
    git(&checkout, &["commit", "--quiet", "--allow-empty", "--message", "source"]);
    git(&checkout, &["push", "--quiet", "origin", "HEAD:main"]);
    let source = git(&path, &["rev-parse", "main"]);
    for _ in 0..2 {
        let arguments = [&submit("project.git")[..], &["--branch", "pony/results"]].concat();
        world.pipe(CARGO, &arguments).ends_with(0);
    }
    assert_eq!(git(&path, &["rev-parse", "main"]), source);
    assert_sound(&path, "pony/results", 3);
    // By the environment, too.
    let mut command = world.pony(&["submit", "--package", "barn"]);
    command.env("PONY_REPO", &path).env("PONY_BRANCH", "pony/results");
    Outcome::of(&mut command, Some(CARGO.as_bytes())).ends_with(0);
    assert_sound(&path, "pony/results", 4);
}

#[test]
fn what_waits_goes_in_one_push() {
    let world = World::new();
    let url = format!("file://{}", world.path("r.git").display());
    for _ in 0..3 {
        world
            .pipe(CARGO, &submit(&url))
            .ends_with(66)
            .complains("does not appear to be a git repository");
    }
    assert_eq!(world.spooled("").len(), 3);
    let (path, _) = host(&world, "r.git");
    git(&path, &["config", "core.logAllRefUpdates", "always"]);
    let outcome = world.run(&["retry"]).ends_with(0);
    assert_eq!(outcome.stdout().lines().count(), 3, "{outcome}");
    assert_eq!(git(&path, &["reflog", "main"]).lines().count(), 1, "one push");
    assert_sound(&path, "main", 4);
    assert_eq!(results(&path, "barn").len(), 3);
    assert!(world.spooled("").is_empty());
}

#[test]
#[cfg(unix)]
fn a_lost_race_is_run_again_on_top_of_what_won() {
    let world = World::new();
    let (path, url) = host(&world, "r.git");
    world.pipe(CARGO, &submit(&url)).ends_with(0);
    // Another result, which turns up on the branch while ours is being pushed.
    git(&path, &["branch", "other", "main"]);
    world.pipe(CARGO, &[&submit(&url)[..], &["--branch", "other"]].concat()).ends_with(0);
    let script =
        "[ -e raced ] || { touch raced; git update-ref refs/heads/main refs/heads/other; }";
    hook(&path, "update", script);
    world.pipe(CARGO, &submit(&url)).ends_with(0);
    assert!(path.join("raced").exists());
    assert_sound(&path, "main", 4);
    assert_eq!(results(&path, "barn").len(), 3);
    let keys: Vec<_> = results(&path, "barn").iter().map(|result| result.receipt.key).collect();
    let log =
        git(&path, &["log", "--reverse", "--format=%(trailers:key=Result-Key,valueonly)", "main"]);
    let logged: Vec<String> = log.split_whitespace().map(str::to_owned).collect();
    let sorted: Vec<String> = keys.iter().map(ToString::to_string).collect();
    assert_eq!(logged, sorted, "keys come in the order of the commits");
}

#[test]
fn jobs_that_push_at_once_lose_nothing_and_force_nothing() {
    let world = World::new();
    let (path, url) = host(&world, "r.git");
    let jobs: Vec<_> = (0..6)
        .map(|job| {
            let log = CARGO.replace("burns", &format!("burns{job}"));
            world.file(&format!("{job}.log"), log);
            let file = format!("{job}.log");
            let mut command = world.pony(&[&submit(&url)[..], &[&file]].concat());
            command.env("PONY_SPOOL", world.path(&format!("spool{job}")));
            command.stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut job in jobs {
        assert!(job.wait().unwrap().success());
    }
    assert_sound(&path, "main", 7);
    let mut seen: Vec<String> = results(&path, "barn")
        .iter()
        .flat_map(|result| result.submission.results_list[0].tests().to_vec())
        .map(|test| test.id)
        .filter(|id| id.contains("burns"))
        .collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 6, "{seen:?}");
}

#[test]
#[cfg(unix)]
fn a_push_that_arrived_though_nobody_said_so_is_not_made_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let (path, url) = host(&world, "r.git");
    // A git whose connection breaks after it has pushed.
    let real = git(&world.path(""), &["--exec-path"]).trim().to_owned() + "/git";
    let script = format!(
        "#!/bin/sh\n'{real}' \"$@\" || exit\ncase \"$*\" in *' push '*) \
         echo 'fatal: the remote end hung up unexpectedly' >&2; exit 128;; esac\n"
    );
    let fake = world.file("bin/git", script);
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
    let path_variable =
        format!("{}:{}", world.path("bin").display(), std::env::var("PATH").unwrap());
    let mut command = world.pony(&submit(&url));
    command.env("PATH", path_variable);
    let outcome = Outcome::of(&mut command, Some(CARGO.as_bytes())).ends_with(75);
    outcome.complains("the remote end hung up unexpectedly; kept for `pony-report retry` in ");
    assert_eq!(results(&path, "barn").len(), 1);
    // Others push meanwhile.
    world.pipe(CARGO, &["submit", "--repo", &url, "--package", "shed"]).ends_with(0);
    let [key] = results(&path, "barn").iter().map(|one| one.receipt.key).collect::<Vec<_>>()[..]
    else {
        panic!("what waits was sent along, and found")
    };
    assert!(world.spooled("").is_empty());
    world.run(&["retry"]).ends_with(0).printed("nothing to send\n");
    assert_eq!(results(&path, "barn")[0].receipt.key, key);
    assert_sound(&path, "main", 3);
}

#[test]
#[cfg(unix)]
fn a_refused_push_says_why_and_keeps_the_result() {
    for (script, status, complaint) in [
        (
            "echo 'main is protected' >&2; exit 1",
            77,
            "pre-receive hook declined: main is protected",
        ),
        ("exit 1", 77, "it refuses the push to its branch `main`: pre-receive hook declined"),
    ] {
        let world = World::new();
        let (path, url) = host(&world, "r.git");
        world.pipe(CARGO, &submit(&url)).ends_with(0);
        let before = git(&path, &["rev-parse", "main"]);
        hook(&path, "pre-receive", script);
        let outcome = world.pipe(CARGO, &submit(&url)).ends_with(status).complains(complaint);
        assert_eq!(outcome.stderr().lines().count(), 1, "{outcome}");
        assert_eq!(git(&path, &["rev-parse", "main"]), before);
        let waits = world.spooled("");
        assert!(waits.iter().any(|path| path.extension().is_some_and(|it| it == "json")));
        fs::remove_file(path.join("hooks/pre-receive")).unwrap();
        world.run(&["retry"]).ends_with(0);
        assert_sound(&path, "main", 3);
    }
}

#[test]
#[cfg(unix)]
fn what_a_host_does_not_take_keeps_none_of_the_others() {
    let world = World::new();
    let (path, url) = host(&world, "r.git");
    world.pipe(CARGO, &submit(&url)).ends_with(0);
    // Nothing goes through, so everything waits.
    hook(&path, "pre-receive", "exit 1");
    for number in 0..7 {
        let name = if number == 4 { "forbidden" } else { "burns" };
        let log = CARGO.replace("burns", name);
        world.pipe(log, &submit(&url)).ends_with(77);
    }
    // Now the host takes everything but one.
    let script = "while read old new name; do \
                  if git grep -q forbidden \"$new\" -- '*tests.txt'; then \
                  echo 'no secrets here' >&2; exit 1; fi; done";
    hook(&path, "pre-receive", script);
    let outcome = world.run(&["retry"]).ends_with(77);
    let outcome = outcome.complains("pre-receive hook declined: no secrets here; kept for ");
    assert_eq!(outcome.stdout().lines().count(), 6, "{outcome}");
    assert_eq!(outcome.stderr().lines().count(), 1, "{outcome}");
    assert_eq!(results(&path, "barn").len(), 7);
    let is_entry = |path: &&PathBuf| path.extension().is_some_and(|it| it == "json");
    let waits = world.spooled("");
    let entries: Vec<_> = waits.iter().filter(is_entry).collect();
    let [entry] = entries[..] else { panic!("not one entry: {waits:?}") };
    assert!(fs::read_to_string(entry).unwrap().contains("forbidden"));
    assert_sound(&path, "main", 8);
}

#[test]
fn a_repository_of_something_else_is_left_alone() {
    let world = World::new();
    let (path, url) = host(&world, "project.git");
    git(&world.path(""), &["clone", "--quiet", "project.git", "checkout"]);
    let checkout = world.path("checkout");
    git(&checkout, &["commit", "--quiet", "--allow-empty", "--message", "source"]);
    git(&checkout, &["push", "--quiet", "origin", "HEAD:trunk"]);
    let refuses = |complaint: &str, status| {
        let before = git(&path, &["for-each-ref"]);
        world.pipe(CARGO, &submit(&url)).ends_with(status).complains(complaint);
        assert_eq!(git(&path, &["for-each-ref"]), before);
    };
    refuses("it has no branch `main`: ", 66);
    git(&checkout, &["push", "--quiet", "origin", "HEAD:main"]);
    refuses("is not a results repository: its branch has no `format.json`", 66);
    let newer = r#"{"format": "pony-results", "version": {"major": 2, "minor": 0}}"#;
    fs::write(checkout.join("format.json"), newer).unwrap();
    git(&checkout, &["add", "format.json"]);
    git(&checkout, &["commit", "--quiet", "--message", "newer"]);
    git(&checkout, &["push", "--quiet", "origin", "HEAD:main"]);
    refuses("has format 2.0, this version writes format 1.1: update pony", 78);
    assert_eq!(world.spooled("").len(), 3);
}

#[test]
fn credentials_of_an_address_are_neither_printed_nor_kept() {
    let world = World::new();
    let url = deserted().replace("http://", "http://ann:s3cret@") + "r.git";
    world
        .pipe(CARGO, &submit(&url))
        .ends_with(75)
        .complains("Failed to connect")
        .never_says("s3cret");
    let [kept] = &world.spooled("")[..] else { panic!("not one entry") };
    assert!(!fs::read_to_string(kept).unwrap().contains("s3cret"));
}

#[test]
#[cfg(unix)]
fn without_git_it_says_so() {
    let world = World::new();
    let mut command = world.pony(&submit("https://host.example/r.git"));
    command.env("PATH", world.path("nothing"));
    Outcome::of(&mut command, Some(CARGO.as_bytes()))
        .ends_with(78)
        .complains("git is not installed");
    assert_eq!(world.spooled("").len(), 1);
}

#[test]
fn of_output_that_is_too_long_nothing_is_promised_that_a_git_host_has_no_place_for() {
    let world = World::new();
    let (path, url) = host(&world, "r.git");
    let log = "all work and no play\n".repeat(1000) + CARGO;
    world.pipe(log, &[&submit(&url)[..], &["--max-output", "1K"]].concat()).ends_with(0);
    let result = results(&path, "barn").remove(0);
    let output = result.submission.results_list[0].output().unwrap();
    assert!(output.contains("[pony left out ") && !output.contains(" file "), "{output}");
}

#[test]
fn what_is_no_address_or_branch_is_refused_before_anything_runs() {
    let world = World::new();
    for (arguments, complaint) in [
        (&["--repo", "https://host.example/a b"][..], "--repo: an address has no blanks"),
        (&["--repo", "r.git", "--branch", "a..b"], "git has no branch called \"a..b\""),
        (&["--repo", "r.git", "--branch=-x"], "git has no branch called \"-x\""),
        (&["--branch", "x"], "--branch: of which repository?"),
    ] {
        let run = [&["run"][..], arguments, &["--", "touch", "ran"]].concat();
        world.run(&run).ends_with(64).complains(complaint);
    }
    assert!(!world.path("ran").exists());
}

#[test]
fn what_waits_keeps_its_own_branch_when_another_repository_is_named() {
    let world = World::new();
    let gone = format!("file://{}", world.path("gone.git").display());
    for branch in ["results", "nightly"] {
        let arguments = [&submit(&gone)[..], &["--branch", branch]].concat();
        world.pipe(CARGO, &arguments).ends_with(66);
    }
    world.pipe(CARGO, &submit(&gone)).ends_with(66);
    let (path, url) = host(&world, "r.git");
    let waiting = world.spooled("");
    world.pipe(CARGO, &submit(&url)).ends_with(0);
    assert_eq!(world.spooled(""), waiting, "they are for another");
    let mut retry = world.pony(&["retry", "--repo", &url]);
    retry.env("PONY_BRANCH", "elsewhere");
    Outcome::of(&mut retry, None).ends_with(0);
    // A variable counts only for those that have none.
    for (branch, commits) in [("results", 2), ("nightly", 2), ("main", 2), ("elsewhere", 2)] {
        assert_sound(&path, branch, commits);
    }
    assert!(world.spooled("").is_empty());
    // Those for a collector have none, either.
    world.pipe(CARGO, &["submit", "--server", &deserted(), "--package", "barn"]).ends_with(0);
    let mut retry = world.pony(&["retry", "--repo", &url]);
    retry.env("PONY_BRANCH", "elsewhere");
    Outcome::of(&mut retry, None).ends_with(0);
    assert_sound(&path, "elsewhere", 3);
    // A folder, too; and a flag counts more.
    let other = world.path("other.git");
    for flags in [&["--repo", "other.git"][..], &["--repo", "other.git", "--branch", "third"]] {
        let arguments = [&submit(&gone)[..], &["--branch", "results"]].concat();
        world.pipe(CARGO, &arguments).ends_with(66);
        git(&world.path(""), &["init", "--quiet", "--bare", "other.git"]);
        world.run(&[&["retry"], flags].concat()).ends_with(0);
    }
    assert_sound(&other, "results", 2);
    assert_sound(&other, "third", 2);
}

#[test]
fn files_that_a_git_host_has_no_place_for_keep_their_submission_in_the_spool() {
    let world = World::new();
    let (path, url) = host(&world, "r.git");
    let log = "all work and no play\n".repeat(1000) + CARGO;
    let down = deserted();
    let arguments = ["submit", "--server", &down, "--package", "barn", "--max-output", "1K"];
    world.pipe(&log, &arguments).ends_with(0).complains("warning: cannot reach");
    let [entry] = &world.spooled("")[..] else { panic!("not one entry") };
    world
        .run(&["retry", "--repo", &url])
        .ends_with(73)
        .complains("a git host has no place for steps-00-output.txt, which goes with the result")
        .complains("; kept for `pony-report retry` in ");
    assert!(git(&path, &["for-each-ref"]).is_empty());
    let kept = entry.with_extension("files").join("steps-00-output.txt");
    assert_eq!(fs::read_to_string(kept).unwrap(), log);
    world.run(&["retry", "--repo", "local.git"]).ends_with(0);
    assert!(world.spooled("").is_empty());
}
