//! Replays every input in `formats/fuzz/found`: what fuzzing found, and what we could think of.

use std::path::Path;

/// The fuzz targets themselves, which need another compiler to be run.
#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "there it is a library")]
mod targets;

#[test]
fn no_input_that_was_ever_found_breaks_anything() {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/found");
    let folders: Vec<_> = found.read_dir().unwrap().map(|entry| entry.unwrap()).collect();
    for folder in &folders {
        let name = folder.file_name();
        let is_target = targets::TARGETS.iter().any(|(target, _)| **target == name);
        assert!(is_target, "no fuzz target is called {}", name.display());
    }
    assert_eq!(folders.len(), targets::TARGETS.len(), "every target has inputs");
    for (name, target) in targets::TARGETS {
        let inputs = found.join(name).read_dir().unwrap();
        let mut replayed = 0;
        for input in inputs {
            let path = input.unwrap().path();
            println!("{}", path.display());
            target(&std::fs::read(&path).unwrap());
            replayed += 1;
        }
        assert!(replayed > 0, "{name} has no inputs");
    }
}
