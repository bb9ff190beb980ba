//! [`Identity`]: whose result it is, and what is known of what was tested.
//!
//! What a flag says counts most, then what a variable `PONY_*` says, then what the project says of itself, and last
//! what was detected.

use std::collections::{BTreeMap, BTreeSet};

use pony_formats::{ClientInfo, Limits, Tagset};

use crate::cli::IdentityArgs;
use crate::exit::Failure;
use crate::origin::{self, Fact, Surroundings};

/// Everything that `client_info` says before anything has run, each with where it is from.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) package: Fact,
    pub(crate) host: Fact,
    pub(crate) arch: Fact,
    pub(crate) tags: Vec<Fact>,
    /// See [`origin::facts`].
    pub(crate) facts: BTreeMap<&'static str, Fact>,
}

/// Finds everything out.
pub(crate) fn of(args: IdentityArgs, surroundings: &Surroundings) -> Result<Identity, Failure> {
    let variable = |name: &str| Some(Fact::new(surroundings.var(name)?, name));
    let flag = |value: Option<String>, name: &str| value.map(|value| Fact::new(value, name));
    let package = flag(args.package, "--package").or_else(|| variable("PONY_PACKAGE"));
    let host = flag(args.host, "--host").or_else(|| variable("PONY_HOST"));
    let arch = flag(args.arch, "--arch").or_else(|| variable("PONY_ARCH"));
    // A project is asked only who is not named: to ask it may be to run cargo.
    let (package, tags_of_project) = match package {
        Some(package) => (given(package)?, Vec::new()),
        None => {
            let project = origin::project(surroundings);
            (detected(project.package), project.tags)
        }
    };
    let tags = if !args.tags.is_empty() {
        args.tags.into_iter().map(|tag| Fact::new(tag, "--tag")).collect()
    } else if let Some(list) = surroundings.var("PONY_TAGS") {
        let tags = list.split(',').map(str::trim).filter(|tag| !tag.is_empty());
        tags.map(|tag| Fact::new(tag, "PONY_TAGS")).collect()
    } else {
        tags_of_project
    };
    Ok(Identity {
        package,
        host: host.map_or_else(|| Ok(detected(origin::host(surroundings))), given)?,
        arch: arch.map_or_else(|| Ok(detected(origin::arch())), given)?,
        tags: tags.into_iter().map(given).collect::<Result<_, _>>()?,
        facts: origin::facts(surroundings),
    })
}

impl Identity {
    /// The beginning of a submission.
    pub(crate) fn client_info(&self) -> Result<ClientInfo, Failure> {
        let text = |fact: &Fact| fact.text().to_owned();
        let tagset = Tagset {
            package: text(&self.package),
            host: text(&self.host),
            arch: text(&self.arch),
            tags: self.tags.iter().map(text).collect::<BTreeSet<_>>(),
        };
        let described = ClientInfo::new(&tagset, false).and_then(|info| {
            let mut facts = self.facts.iter();
            facts.try_fold(info, |info, (key, fact)| info.with(key, fact.value.clone()))
        });
        described.map_err(|error| Failure::Usage(error.to_string()))
    }
}

/// A name that somebody gave is refused when it cannot be stored.
fn given(name: Fact) -> Result<Fact, Failure> {
    let max = Limits::DEFAULT.name_bytes_max;
    let refuse = |problem: String| Err(Failure::Usage(format!("{}: {problem}", name.from)));
    match name.text().len() {
        0 => refuse("expected a name, found nothing".to_owned()),
        bytes if bytes > max => refuse(format!("{bytes} bytes, at most {max} are allowed")),
        _ => Ok(name),
    }
}

/// A name that was detected is made to fit, so that no folder's name keeps tests from running.
fn detected(name: Fact) -> Fact {
    let text = name.text();
    let end = text.floor_char_boundary(Limits::DEFAULT.name_bytes_max);
    Fact::new(&text[..end], name.from.clone())
}
