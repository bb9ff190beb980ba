//! [`Project`]: what cargo says of the project around a folder.

use std::path::Path;
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand};

use crate::cargo;
use crate::exit::Failure;

/// A cargo package or workspace.
#[derive(Debug)]
pub(super) struct Project {
    /// The version of the root package, or the one that all members share.
    pub(super) version: Option<String>,
    /// What `rustc --version` says.
    pub(super) rustc: Option<String>,
    /// Everything that is built: package, kind and name, sorted.
    pub(super) targets: Vec<String>,
}

impl Project {
    /// Asks `cargo metadata`.
    pub(super) fn around(folder: &Path) -> Result<Self, Failure> {
        let metadata = cargo::ask(MetadataCommand::new().current_dir(folder))
            .map_err(|reason| Failure::Config(format!("no cargo project here: {reason}")))?;
        Ok(Self { version: version(&metadata), rustc: rustc(), targets: targets(&metadata) })
    }
}

fn version(metadata: &Metadata) -> Option<String> {
    if let Some(root) = metadata.root_package() {
        return Some(root.version.to_string());
    }
    let members = metadata.workspace_packages();
    let first = &members.first()?.version;
    members.iter().all(|member| member.version == *first).then(|| first.to_string())
}

fn targets(metadata: &Metadata) -> Vec<String> {
    let members = metadata.workspace_packages();
    let targets = members.iter().flat_map(|package| {
        package.targets.iter().map(|target| {
            let kinds: Vec<String> = target.kind.iter().map(ToString::to_string).collect();
            format!("{} {} {}", package.name, kinds.join("+"), target.name)
        })
    });
    let mut targets: Vec<String> = targets.collect();
    targets.sort();
    targets
}

fn rustc() -> Option<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| output.status.success() && !text.is_empty())
}
