//! `client`: adds, lists and revokes clients.

use std::io::Write;
use std::path::{Path, PathBuf};

use pony_store::Store;

use crate::registry::{Client, Registry};

/// What to do with the clients of a repository.
#[derive(Debug, Clone)]
pub(crate) struct ClientPlan {
    pub(crate) repo: PathBuf,
    pub(crate) action: Action,
}

#[derive(Debug, Clone)]
pub(crate) enum Action {
    Add { name: String, packages: Vec<String> },
    List,
    Revoke { name: String },
}

/// Does it. A token is all that is said on `out` when a client is added, so that it can be caught; what it is
/// goes to `notes`.
pub(crate) fn client(
    plan: &ClientPlan,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> anyhow::Result<()> {
    let repo = &plan.repo;
    match &plan.action {
        // Before a collector that listens to others can start.
        Action::Add { .. } => drop(Store::open_or_create(repo)?),
        Action::List | Action::Revoke { .. } => drop(Store::open(repo)?),
    }
    let folder = repo.join("pony");
    pony_store::create_folder(&folder)?;
    let registry = Registry::of(&folder);
    match &plan.action {
        Action::Add { name, packages } => {
            let token = registry.add(name, packages.clone())?;
            writeln!(out, "{token}")?;
            let _ = writeln!(notes, "{}", advice(name, packages));
        }
        Action::List => list(&registry.read()?, repo, out)?,
        Action::Revoke { name } => {
            registry.revoke(name)?;
            writeln!(out, "client `{name}` may no longer submit")?;
        }
    }
    Ok(())
}

fn advice(name: &str, packages: &[String]) -> String {
    let rights = match packages {
        [] => "results of all packages".to_owned(),
        some => format!("results of {}", some.join(", ")),
    };
    format!(
        "This is the token of client `{name}`, who may submit {rights}. It is not shown again.\n\
         Use it in the address: pony-report run --server http://{name}:TOKEN@HOST/ -- make check"
    )
}

fn list(clients: &[Client], repo: &Path, out: &mut dyn Write) -> std::io::Result<()> {
    if clients.is_empty() {
        return writeln!(out, "no clients in `{}`", repo.display());
    }
    for client in clients {
        let packages = match &client.packages[..] {
            [] => "all packages".to_owned(),
            some => some.join(", "),
        };
        let added = client.added.strftime("%Y-%m-%d");
        writeln!(out, "{:<24} added {added}  {packages}", client.name)?;
    }
    Ok(())
}
