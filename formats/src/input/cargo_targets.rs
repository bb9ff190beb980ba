//! [`CargoTargets`]: what the output of `cargo test` does not say of its test binaries.
//!
//! Cargo announces `Running tests/it/main.rs (target/debug/deps/it-<hash>)`, which can be a target of
//! any package. Who has asked cargo about the project can say whose it is; this is how.

use std::collections::{BTreeMap, HashSet};

use super::cargo_test::line::{CargoLine, Executable, Target};
use super::terminal::Screen;

/// A target of a cargo package, as `cargo metadata` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CargoTarget {
    /// The name of its package.
    pub package: String,
    /// The first of its kinds: `lib`, `proc-macro`, `bin`, `test`, `example`, `bench`, or a kind of library
    /// such as `cdylib`.
    pub kind: String,
    /// Its own name.
    pub name: String,
    /// The file it is compiled from, relative to the folder of its package, with `/` between folders.
    pub source: String,
}

/// The targets of a cargo project, to give the tests of [`parse_with`](super::parse_with) the ids that
/// they have under nextest. The default knows none.
#[derive(Debug, Clone, Default)]
pub struct CargoTargets {
    targets: Vec<CargoTarget>,
    /// Indices into `targets`, by the name of the executable.
    executables: BTreeMap<String, usize>,
}

impl CargoTarget {
    /// The id of its test binary (nextest 0.9.143): the package for a library, `package::name` for an
    /// integration test, otherwise `package::kind/name`.
    pub fn binary_id(&self) -> String {
        binary_id(&self.package, &self.kind, &self.name)
    }
}

/// What nextest calls a test binary.
pub(super) fn binary_id(package: &str, kind: &str, name: &str) -> String {
    match kind {
        "lib" | "rlib" | "dylib" | "cdylib" | "staticlib" | "proc-macro" => package.to_owned(),
        "test" => format!("{package}::{name}"),
        _ => format!("{package}::{kind}/{name}"),
    }
}

impl CargoTargets {
    /// The targets of one workspace.
    pub fn new(targets: Vec<CargoTarget>) -> Self {
        Self { targets, executables: BTreeMap::new() }
    }

    /// All of them.
    pub fn all(&self) -> &[CargoTarget] {
        &self.targets
    }

    /// Says which target an executable is, both by its path as [`announced_executables`] gives it and by the
    /// index of the target in [`CargoTargets::all`].
    pub fn add_executable(&mut self, path: &str, target: usize) {
        if target < self.targets.len() {
            self.executables.insert(Executable::file_stem(path).to_owned(), target);
        }
    }

    /// The first part of the ids of a target's tests: what is known of its executable; otherwise of the only
    /// target that is compiled to that name from that file; otherwise what the line itself says.
    pub(super) fn id_of(&self, target: &Target<'_>) -> String {
        let found = target.executable.and_then(|executable| {
            let known = self.executables.get(executable.stem);
            known.and_then(|&index| self.targets.get(index)).or_else(|| self.only(executable))
        });
        found.map_or_else(|| target.id.clone(), CargoTarget::binary_id)
    }

    fn only(&self, executable: Executable<'_>) -> Option<&CargoTarget> {
        let source = executable.source.replace('\\', "/");
        let is_it = |target: &&CargoTarget| {
            target.source == source
                && target.name.replace('-', "_") == executable.name().replace('-', "_")
        };
        let mut found = self.targets.iter().filter(is_it);
        found.next().filter(|_| found.next().is_none())
    }

    /// The id of a binary of which nextest says no kind (`libtest-json`). If nothing else tells, a library is
    /// recognised by its name.
    pub(super) fn id_without_kind(&self, package: &str, name: &str) -> String {
        let is_it = |target: &&CargoTarget| target.package == package && target.name == name;
        let mut found = self.targets.iter().filter(is_it);
        match found.next().filter(|_| found.next().is_none()) {
            Some(target) => target.binary_id(),
            None if name == package.replace('-', "_") => package.to_owned(),
            None => format!("{package}::{name}"),
        }
    }
}

/// The paths of the test binaries that cargo announces in its output, each once, as it prints them: relative
/// to the folder where it ran, unless they are elsewhere. A test may have printed such a line.
pub fn announced_executables(input: &[u8]) -> Vec<String> {
    let mut seen = HashSet::new();
    let screen = Screen::of(input);
    let lines = screen.lines().filter_map(|line| match CargoLine::find(line.text)?.1 {
        CargoLine::Target(target) => Some(target.executable?.path),
        CargoLine::TargetFailed(_) => None,
    });
    lines.filter(|path| seen.insert(*path)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(package: &str, kind: &str, name: &str, source: &str) -> CargoTarget {
        let [package, kind, name, source] = [package, kind, name, source].map(str::to_owned);
        CargoTarget { package, kind, name, source }
    }

    fn id(targets: &CargoTargets, line: &str) -> String {
        match CargoLine::find(line).unwrap().1 {
            CargoLine::Target(target) => targets.id_of(&target),
            CargoLine::TargetFailed(_) => panic!("{line}"),
        }
    }

    const IT: &str = "     Running tests/it/main.rs (target/debug/deps/it-0123456789abcdef)";

    #[test]
    fn ids_are_those_of_nextest() {
        let targets = CargoTargets::new(vec![
            target("hay-loft", "lib", "hay_loft", "src/lib.rs"),
            target("hay-loft", "bin", "hay-loft", "src/main.rs"),
            target("hay-loft", "test", "it", "tests/it/main.rs"),
            target("hay-loft", "bench", "mow", "benches/mow.rs"),
            target("hay-loft", "example", "mow", "examples/mow.rs"),
        ]);
        let unit = |source: &str, file: &str| {
            format!("     Running unittests {source} (target/debug/deps/{file}-0123456789abcdef)")
        };
        assert_eq!(id(&targets, &unit("src/lib.rs", "hay_loft")), "hay-loft");
        assert_eq!(id(&targets, &unit("src/main.rs", "hay_loft")), "hay-loft::bin/hay-loft");
        assert_eq!(id(&targets, &unit(r"src\main.rs", "hay_loft")), "hay-loft::bin/hay-loft");
        assert_eq!(id(&targets, &unit("benches/mow.rs", "mow")), "hay-loft::bench/mow");
        assert_eq!(id(&targets, &unit("examples/mow.rs", "mow")), "hay-loft::example/mow");
        assert_eq!(id(&targets, IT), "hay-loft::it");
        assert_eq!(id(&CargoTargets::default(), IT), "it");
        assert_eq!(id(&targets, "   Doc-tests hay_loft"), "hay_loft::doc");
    }

    #[test]
    fn of_two_targets_alike_only_the_executable_tells() {
        let all = ["barn", "loft"].map(|package| target(package, "test", "it", "tests/it/main.rs"));
        let mut targets = CargoTargets::new(all.to_vec());
        assert_eq!(id(&targets, IT), "it");
        targets.add_executable("target/debug/deps/it-0123456789abcdef", 1);
        targets.add_executable("target/debug/deps/it-0000000000000000", 0);
        targets.add_executable("target/debug/deps/it-1111111111111111", 7);
        assert_eq!(id(&targets, IT), "loft::it");
        assert_eq!(id(&targets, &IT.replace("0123456789abcdef", "0000000000000000")), "barn::it");
        assert_eq!(id(&targets, &IT.replace("0123456789abcdef", "1111111111111111")), "it");
    }

    #[test]
    fn a_kind_that_is_not_said_is_looked_up() {
        let targets = CargoTargets::new(vec![
            target("barn", "bin", "rake", "src/bin/rake.rs"),
            target("barn", "lib", "barn_lib", "src/lib.rs"),
            target("barn", "test", "two", "tests/two.rs"),
            target("barn", "bench", "two", "benches/two.rs"),
        ]);
        let id = |name| targets.id_without_kind("barn", name);
        assert_eq!(
            [id("rake"), id("barn_lib"), id("two")],
            ["barn::bin/rake", "barn", "barn::two"]
        );
        let none = CargoTargets::default();
        assert_eq!(none.id_without_kind("hay-loft", "hay_loft"), "hay-loft");
        assert_eq!(none.id_without_kind("barn", "rake"), "barn::rake");
    }

    #[test]
    fn executables_are_named_once_and_as_they_were_printed() {
        let text = format!(
            "{IT}\n{IT}\n     Running unittests src/lib.rs (/t/debug/deps/a-0123456789abcdef.exe)\n   Doc-tests a\n"
        );
        let expected =
            ["target/debug/deps/it-0123456789abcdef", "/t/debug/deps/a-0123456789abcdef.exe"];
        assert_eq!(announced_executables(text.as_bytes()), expected);
    }
}
