//! The names of this machine and its platform.

use std::fs;
use std::process::{Command, Stdio};

use super::Surroundings;

/// Files that hold nothing but the host name: Linux, then most Unix systems.
const FILES: [&str; 2] = ["/proc/sys/kernel/hostname", "/etc/hostname"];

/// Variables that hold it: shells, then Windows.
const VARIABLES: [&str; 2] = ["HOSTNAME", "COMPUTERNAME"];

/// The host name, or `unknown`.
pub(crate) fn host(surroundings: &Surroundings) -> String {
    let files = FILES.iter().filter_map(|path| fs::read_to_string(path).ok());
    let variables = VARIABLES.iter().filter_map(|name| surroundings.var(name).map(str::to_owned));
    let names = files.chain(variables).chain(std::iter::once_with(ask_the_system).flatten());
    names
        .map(|name| name.trim().to_owned())
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

fn ask_the_system() -> Option<String> {
    let asked =
        Command::new("hostname").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(asked.stdout).ok()
}

/// The platform, for example `linux-x86_64`.
pub(crate) fn arch() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}
