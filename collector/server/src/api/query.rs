//! What is said in the query of an address about a submission.

use std::collections::BTreeSet;

use pony_formats::{ClientInfo, Format, ModelError, Tagset, Value};

use super::Problem;

/// Parameters that become keys of `client_info` as they are.
const FACTS: [&str; 7] =
    ["branch", "change_request", "ci", "ci_url", "commit", "repository", "started"];

/// What the tests of a step are called by, if nothing else is said.
const STEP_NAME: &str = "tests";

/// What a platform is called that nobody named.
const UNKNOWN: &str = "unknown";

/// What a query says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Description {
    pub(super) tagset: Tagset,
    facts: Vec<(&'static str, Value)>,
    /// The format of the output; found out from it when not said.
    pub(super) format: Option<Format>,
    /// Of the step.
    pub(super) name: String,
    /// For `should-build`: whether the build is reserved.
    pub(super) reserve: bool,
    /// For `should-build`: how long it may take, in seconds.
    pub(super) allowance: Option<f64>,
}

impl Description {
    /// Reads a query; `None` when it names no package. What is not known is refused, as it may be a slip of the
    /// pen. `host` is the machine when none is named.
    pub(super) fn read(pairs: &[(String, String)], host: &str) -> Result<Option<Self>, Problem> {
        let Some((_, package)) = pairs.iter().find(|(name, _)| name == "package") else {
            return match pairs.first() {
                Some((name, _)) => Err(Problem::malformed(format!("`{name}` without `package`"))),
                None => Ok(None),
            };
        };
        let tagset = Tagset {
            package: package.clone(),
            host: host.to_owned(),
            arch: UNKNOWN.to_owned(),
            tags: BTreeSet::new(),
        };
        let mut description = Self {
            tagset,
            facts: Vec::new(),
            format: None,
            name: STEP_NAME.to_owned(),
            reserve: true,
            allowance: None,
        };
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in pairs {
            if name != "tag" && seen.contains(&name.as_str()) {
                return Err(Problem::malformed(format!("`{name}` comes twice")));
            }
            seen.push(name);
            description.take(name, value)?;
        }
        Ok(Some(description))
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let wrong = |expected: &str| {
            let found: String = value.chars().take(40).collect();
            Problem::unacceptable(format!("`{name}`: expected {expected}, found {found:?}"))
        };
        match name {
            "package" => {}
            "host" => value.clone_into(&mut self.tagset.host),
            "arch" => value.clone_into(&mut self.tagset.arch),
            "tag" => drop(self.tagset.tags.insert(value.to_owned())),
            "name" => value.clone_into(&mut self.name),
            "from" => self.format = Some(value.parse().map_err(|_| wrong("a format"))?),
            "reserve" => {
                self.reserve = value.parse().map_err(|_| wrong("true or false"))?;
            }
            "allowance" => self.allowance = Some(seconds(value).ok_or_else(|| wrong(SECONDS))?),
            "duration" => {
                let duration = seconds(value).ok_or_else(|| wrong(SECONDS))?;
                self.facts.push(("duration", Value::Double(duration)));
            }
            _ => {
                let Some(fact) = FACTS.iter().find(|fact| **fact == name) else {
                    let name: String = name.chars().take(40).collect();
                    return Err(Problem::malformed(format!("no parameter {name:?}")));
                };
                self.facts.push((fact, value.into()));
            }
        }
        Ok(())
    }

    /// The first bag of the submission.
    pub(super) fn client_info(&self, success: bool) -> Result<ClientInfo, ModelError> {
        let client_info = ClientInfo::new(&self.tagset, success)?;
        self.facts.iter().try_fold(client_info, |info, (key, value)| info.with(key, value.clone()))
    }
}

const SECONDS: &str = "a number of seconds, at most 31536000";

/// At most a year: more is a mistake.
fn seconds(text: &str) -> Option<f64> {
    text.parse().ok().filter(|seconds| (0.0..=31_536_000.0).contains(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &[(&str, &str)]) -> Result<Option<Description>, Problem> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Description::read(&query.iter().map(owned).collect::<Vec<_>>(), "shed")
    }

    #[test]
    fn a_package_is_enough() {
        let description = read(&[("package", "hay loft")]).unwrap().unwrap();
        let client_info = description.client_info(true).unwrap();
        assert_eq!(client_info.tagset().wire_members().len(), 3);
        assert_eq!((client_info.host(), client_info.arch()), ("shed", "unknown"));
        assert_eq!((description.name.as_str(), description.format), ("tests", None));
        assert_eq!(read(&[]).unwrap(), None);
    }

    #[test]
    fn everything_can_be_said() {
        let query = [
            ("tag", "nightly"),
            ("package", "hayloft"),
            ("host", "barn"),
            ("arch", "linux-x86_64"),
            ("tag", "asan"),
            ("commit", "0123"),
            ("duration", "1.5"),
            ("from", "junit"),
            ("name", "unit"),
        ];
        let description = read(&query).unwrap().unwrap();
        let client_info = description.client_info(false).unwrap();
        assert_eq!(client_info.tags().collect::<Vec<_>>(), ["asan", "nightly"]);
        assert_eq!((client_info.duration(), client_info.success()), (Some(1.5), false));
        assert_eq!(client_info.bag()["commit"], Value::from("0123"));
        assert_eq!(description.format, Some(Format::Junit));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let refused = |query: &[(&str, &str)]| {
            let all: Vec<_> = [("package", "x")].iter().chain(query).copied().collect();
            read(&all).is_err()
        };
        assert!(read(&[("host", "x")]).is_err(), "no package");
        assert!(refused(&[("pakcage", "x")]));
        assert!(refused(&[("host", "a"), ("host", "b")]));
        assert!(refused(&[("from", "xml")]));
        assert!(refused(&[("reserve", "yes")]));
        for duration in ["-1", "NaN", "inf", "1e12", "", "one"] {
            assert!(refused(&[("duration", duration)]), "{duration}");
        }
        let empty = read(&[("package", "")]).unwrap().unwrap();
        assert!(empty.client_info(true).is_err());
    }
}
