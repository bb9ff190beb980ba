//! Inputs that no reader should trust, by every verb that reads files: a table of what they are and what
//! has to come of them. Nothing may be stored, spooled or hung on, and no content repeated.

use std::fs::{self, File};

use crate::inputs::JUNIT;
use crate::world::World;

/// Appears in every file that is not a report, and must never be said.
const SECRET: &str = "root:$6$hay$loft";

/// One input.
struct Row {
    what: &'static str,
    name: String,
    status: i32,
    /// Part of the message.
    message: String,
}

impl Row {
    fn new(what: &'static str, name: &str, status: i32, message: &str) -> Self {
        Self { what, name: name.to_owned(), status, message: message.to_owned() }
    }
}

fn contents(world: &World) -> Vec<Row> {
    world.file("empty.xml", "");
    world.file("blank.xml", " \n\n");
    world.file("cut.xml", &JUNIT[..JUNIT.len() - 30]);
    world.file("page.xml", format!("<html><body>{SECRET}</body></html>"));
    world.file("doctype.xml", format!("<!DOCTYPE html>\n<html><body>{SECRET}</body></html>"));
    world.file(
        "external.xml",
        "<!DOCTYPE r [<!ENTITY x SYSTEM 'secret.txt'>]><testsuite>&x;</testsuite>",
    );
    world.file("secret.txt", format!("{SECRET}\n").repeat(100));
    world.file("noise.bin", [0, 1, 2, 255].repeat(1000));
    // As large as it says, and takes no room.
    File::create(world.path("huge.xml")).unwrap().set_len(2 << 30).unwrap();
    vec![
        Row::new("empty", "empty.xml", 65, "empty.xml:1:1: the input is empty"),
        Row::new("blank", "blank.xml", 65, "blank.xml:1:1: the input is empty"),
        Row::new("truncated", "cut.xml", 65, "cut.xml:6:"),
        Row::new("HTML by mistake", "page.xml", 65, "page.xml:1:1: not JUnit: root is <html>"),
        Row::new("HTML with its type", "doctype.xml", 65, "doctype.xml:1:1: DTD not allowed"),
        Row::new("an external entity", "external.xml", 65, "external.xml:1:1: DTD not allowed"),
        Row::new("some other text", "secret.txt", 65, "secret.txt:1:1: no test results found"),
        Row::new("noise", "noise.bin", 65, "noise.bin:1:1: looks like binary data"),
        Row::new(
            "2 GiB",
            "huge.xml",
            65,
            "huge.xml: over the limit of 67108864 bytes: raise it with --max-size",
        ),
    ]
}

fn places(world: &World) -> Vec<Row> {
    world.file("folder/x", "");
    let long = "n".repeat(100_000);
    vec![
        Row::new("a folder", "folder", 66, "cannot read folder: it is a folder"),
        Row::new("missing", "missing.xml", 66, "cannot read missing.xml: "),
        Row::new("below a file", "empty.xml/x", 66, "cannot read empty.xml/x: "),
        Row::new("a name of 100 kB", &long, 66, "cannot read nnnn"),
    ]
}

#[cfg(unix)]
fn places_of_unix(world: &World) -> Vec<Row> {
    use std::io::{Write as _, stderr};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    std::process::Command::new("mkfifo").arg(world.path("fifo")).status().unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(world.path("socket")).unwrap();
    for (target, link) in [
        ("/dev/zero", "to-device"),
        ("fifo", "to-fifo"),
        ("folder", "to-folder"),
        ("nowhere", "to-nowhere"),
        ("to-itself", "to-itself"),
        ("secret.txt", "to-secret"),
    ] {
        symlink(target, world.path(link)).unwrap();
    }
    let mut rows = vec![
        Row::new("a FIFO", "fifo", 66, "cannot read fifo: it is not a regular file"),
        Row::new("a socket", "socket", 66, "cannot read socket: it is not a regular file"),
        Row::new("a device", "/dev/zero", 66, "cannot read /dev/zero: it is not a regular file"),
        Row::new(
            "a link to a device",
            "to-device",
            66,
            "cannot read to-device: it is not a regular",
        ),
        Row::new("a link to a FIFO", "to-fifo", 66, "cannot read to-fifo: it is not a regular"),
        Row::new("a link to a folder", "to-folder", 66, "cannot read to-folder: it is a folder"),
        Row::new("a link to nowhere", "to-nowhere", 66, "cannot read to-nowhere: "),
        Row::new("a link to itself", "to-itself", 66, "cannot read to-itself: "),
        Row::new("a link to a secret", "to-secret", 65, "to-secret:1:1: no test results found"),
    ];
    let locked = world.file("locked.xml", SECRET);
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    match File::open(&locked) {
        Err(_) => rows.push(Row::new("unreadable", "locked.xml", 66, "cannot read locked.xml: ")),
        Ok(_) => {
            let _ = writeln!(stderr(), "NOT CHECKED: no file is unreadable for the superuser");
        }
    }
    // A regular file that opens and whose bytes do not come.
    if cfg!(target_os = "linux") {
        let memory = "/proc/self/mem";
        rows.push(Row::new("bytes that do not come", memory, 66, "cannot read /proc/self/mem: "));
    }
    rows
}

#[test]
fn hostile_inputs_get_the_answer_they_deserve_from_every_verb() {
    let world = World::new();
    let mut rows = contents(&world);
    rows.extend(places(&world));
    #[cfg(unix)]
    rows.extend(places_of_unix(&world));
    let verbs: [&[&str]; 4] = [
        &["submit", "--repo", "r.git", "--package", "p"],
        &["convert"],
        &["convert", "--to", "tally"],
        &["validate"],
    ];
    for row in &rows {
        for verb in verbs {
            world
                .run(&[verb, &[row.name.as_str()]].concat())
                .ends_with(row.status)
                .printed("")
                .complains(&format!("pony-report: error: {}", row.message))
                .never_says(SECRET);
            assert!(!world.path("r.git").exists(), "{}: a repository was made", row.what);
            assert!(world.spooled("").is_empty(), "{}: spooled", row.what);
        }
    }
    println!("hostile: {} inputs checked by {} verbs each", rows.len(), verbs.len());
}

#[test]
fn names_that_look_like_flags_are_names_where_they_must_be() {
    let world = World::new();
    world.file("-rf", JUNIT);
    world.run(&["validate", "--", "-rf"]).ends_with(0).mentions("-rf: junit\n");
    world.run(&["validate", "--output=-rf", "-rf"]).ends_with(64).printed("");
    world.run(&["validate", "-rf"]).ends_with(64).printed("");
}

#[test]
#[cfg(unix)]
fn a_pipe_without_end_is_read_up_to_the_limit() {
    let world = World::new();
    let mut command = world.pony(&["validate", "--max-size", "1M", "-"]);
    command.stdin(File::open("/dev/zero").unwrap());
    crate::world::Outcome::of(&mut command, None)
        .ends_with(65)
        .complains("-: over the limit of 1048576 bytes");
}
