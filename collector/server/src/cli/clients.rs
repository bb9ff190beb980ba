//! The options of `client`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::client::{Action, ClientPlan};
use crate::registry::{client_name, package_pattern};

/// What is shown below the options.
pub(super) const NOTES: &str = "\
Examples:
  pony-collector client add --repo results.git ci-linux
  pony-collector client add --repo results.git --package 'orchard*' orchard-ci
  pony-collector client revoke --repo results.git ci-linux

The token is all that `add` says on standard output. It is shown once: the repository keeps only what
it hashes to. A running collector notices at once who was added or revoked.

Exit status:
  0 done   64 wrong usage, or no such client   66 not a results repository   73 cannot create
  78 the list of clients is damaged";

#[derive(Debug, Args)]
pub(super) struct ClientArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Let a client submit, and show its token.
    Add {
        #[command(flatten)]
        place: Place,
        /// Only results of packages whose names match, with `*` and `?` (may be repeated) [default: all]
        #[arg(long = "package", value_name = "PATTERN", value_parser = package_pattern)]
        packages: Vec<String>,
        /// What to call it
        #[arg(value_name = "NAME", value_parser = client_name)]
        name: String,
    },
    /// Show who may submit.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Let a client submit no longer.
    Revoke {
        #[command(flatten)]
        place: Place,
        /// What it is called
        #[arg(value_name = "NAME")]
        name: String,
    },
}

#[derive(Debug, Args)]
struct Place {
    /// The results repository of the collector; `add` creates it
    #[arg(long, value_name = "PATH")]
    repo: PathBuf,
}

impl From<ClientArgs> for ClientPlan {
    fn from(args: ClientArgs) -> Self {
        let (place, action) = match args.verb {
            Verb::Add { place, packages, name } => (place, Action::Add { name, packages }),
            Verb::List { place } => (place, Action::List),
            Verb::Revoke { place, name } => (place, Action::Revoke { name }),
        };
        Self { repo: place.repo, action }
    }
}
