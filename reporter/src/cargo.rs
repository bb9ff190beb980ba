//! [`CargoProject`]: whose the test binaries are that cargo announces.
//!
//! `Running tests/it/main.rs (target/debug/deps/it-<hash>)` says neither package nor target, and two packages of
//! a workspace may have the same. But the compiler leaves `it-<hash>.d` beside the executable, which names the file
//! that it was compiled from, and `cargo metadata` says which target that is. Nothing is built for it.

use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand};
use pony_formats::{CargoTarget, CargoTargets, announced_executables};

use crate::input::Source;

/// Bytes of a file of dependencies that are read; the first are enough.
const DEP_INFO_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The project that tests belong to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CargoProject {
    /// Its `Cargo.toml`; otherwise that of the folder here, or the next above it.
    pub(crate) manifest: Option<PathBuf>,
}

impl CargoProject {
    /// The project that a command runs the tests of: what its own `--manifest-path` says, or the one here.
    pub(crate) fn of_command(words: &[impl AsRef<std::ffi::OsStr>]) -> Self {
        const OPTION: &str = "--manifest-path";
        let words = words.iter().filter_map(|word| word.as_ref().to_str());
        let mut words = words.take_while(|word| *word != "--");
        let manifest = words.find_map(|word| match word.strip_prefix(OPTION) {
            Some("") => Some(None),
            Some(value) => value.strip_prefix('=').map(Some),
            None => None,
        });
        Self { manifest: manifest.and_then(|value| value.or_else(|| words.next())).map(Into::into) }
    }

    /// The targets of the project, and which of them are the executables that cargo announces in `output`. The
    /// error is what cargo says.
    pub(crate) fn targets(&self, output: &[u8]) -> Result<CargoTargets, String> {
        let mut command = MetadataCommand::new();
        if let Some(manifest) = &self.manifest {
            command.manifest_path(manifest);
        }
        let metadata = ask(&mut command)?;
        let (targets, sources) = targets(&metadata);
        let mut known = CargoTargets::new(targets);
        for path in announced_executables(output) {
            let executable = Path::new(&path);
            let source = source(executable, metadata.workspace_root.as_std_path());
            let index = source.and_then(|source| which(executable, &source, known.all(), &sources));
            if let Some(index) = index {
                known.add_executable(&path, index);
            }
        }
        Ok(known)
    }
}

/// Asks cargo about the members of a workspace. The error is what cargo says, on one line.
pub(crate) fn ask(command: &mut MetadataCommand) -> Result<Metadata, String> {
    command.no_deps().exec().map_err(|error| {
        let reason = error.to_string();
        reason.lines().map(str::trim).collect::<Vec<_>>().join(" ")
    })
}

/// Every target, and the file that each is compiled from.
fn targets(metadata: &Metadata) -> (Vec<CargoTarget>, Vec<PathBuf>) {
    let packages = metadata.workspace_packages();
    let all = packages.iter().flat_map(|package| {
        package.targets.iter().map(|target| {
            let folder = package.manifest_path.parent();
            let source = folder.and_then(|folder| target.src_path.strip_prefix(folder).ok());
            let source = source.map(|path| path.as_str().replace('\\', "/"));
            let described = CargoTarget {
                package: package.name.to_string(),
                kind: target.kind.first().map(ToString::to_string).unwrap_or_default(),
                name: target.name.clone(),
                source: source.unwrap_or_default(),
            };
            (described, target.src_path.clone().into_std_path_buf())
        })
    });
    all.unzip()
}

/// The file that an executable was compiled from, if the compiler left word of it.
fn source(executable: &Path, workspace_root: &Path) -> Option<PathBuf> {
    let file = executable.file_name()?.to_str()?;
    let stem = file.strip_suffix(".exe").or(file.strip_suffix(".wasm")).unwrap_or(file);
    let dep_info = Source::File(executable.with_file_name(format!("{stem}.d")));
    let text = String::from_utf8(dep_info.read_up_to(DEP_INFO_BYTES_MAX).ok()?).ok()?;
    Some(workspace_root.join(first_dependency(&text)?))
}

/// Which of the targets was compiled from this file. There may be several, told apart by the name of the
/// executable, `it-<hash>`, where `-` of the target became `_`.
fn which(
    executable: &Path,
    source: &Path,
    targets: &[CargoTarget],
    sources: &[PathBuf],
) -> Option<usize> {
    let file = executable.file_name()?.to_str()?;
    let name = file.rsplit_once('-').map_or(file, |(name, _)| name);
    let is_named = |index: &usize| targets[*index].name.replace('-', "_") == name;
    let compiled = (0..targets.len()).filter(|index| sources[*index] == source);
    compiled.min_by_key(|index| !is_named(index))
}

/// The first file after the colon of the first rule. The compiler writes blanks in names as `\ `.
fn first_dependency(dep_info: &str) -> Option<String> {
    let (_, dependencies) = dep_info.lines().next()?.split_once(": ")?;
    let mut name = String::new();
    let mut characters = dependencies.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek() == Some(&' ') => name.extend(characters.next()),
            ' ' => break,
            other => name.push(other),
        }
    }
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(command: &str) -> Option<PathBuf> {
        let words: Vec<&str> = command.split(' ').collect();
        CargoProject::of_command(&words).manifest
    }

    #[test]
    fn a_command_may_name_the_project() {
        assert_eq!(manifest("cargo test"), None);
        assert_eq!(
            manifest("cargo test --manifest-path a/Cargo.toml -q"),
            Some("a/Cargo.toml".into())
        );
        assert_eq!(
            manifest("cargo test --manifest-path=a/Cargo.toml"),
            Some("a/Cargo.toml".into())
        );
        assert_eq!(manifest("cargo test --manifest-path"), None);
        assert_eq!(manifest("cargo test -- --manifest-path a"), None);
    }

    #[test]
    fn targets_of_one_file_are_told_apart_by_their_names() {
        let target = |name: &str| CargoTarget {
            package: "barn".to_owned(),
            kind: "bin".to_owned(),
            name: name.to_owned(),
            source: "src/main.rs".to_owned(),
        };
        let targets = ["barn", "hay-loft", "shed"].map(target);
        let sources = ["/b/src/main.rs", "/b/src/main.rs", "/b/src/shed.rs"].map(PathBuf::from);
        let which = |executable: &str, source: &str| {
            which(Path::new(executable), Path::new(source), &targets, &sources)
        };
        assert_eq!(which("target/debug/deps/barn-01", "/b/src/main.rs"), Some(0));
        assert_eq!(which("target/debug/deps/hay_loft-01", "/b/src/main.rs"), Some(1));
        assert_eq!(which("target/debug/deps/other-01", "/b/src/shed.rs"), Some(2));
        assert_eq!(which("target/debug/deps/barn-01", "/elsewhere/src/main.rs"), None);
    }

    #[test]
    fn the_compiler_says_what_it_compiled() {
        let first = |text| first_dependency(text);
        let text =
            "/t/debug/deps/it-1: barn/tests/it/main.rs barn/tests/it/hay.rs\n\nbarn/tests:\n";
        assert_eq!(first(text).as_deref(), Some("barn/tests/it/main.rs"));
        assert_eq!(first("a: my\\ barn/it.rs x\n").as_deref(), Some("my barn/it.rs"));
        assert_eq!(first("a: C:\\barn\\it.rs x\n").as_deref(), Some("C:\\barn\\it.rs"));
        for none in ["", "a:", "a: ", "no rule"] {
            assert_eq!(first(none), None, "{none:?}");
        }
    }
}
