//! [`ClientInfo`]: who ran what, and whether it succeeded.

use super::{ModelError, Tagset};
use crate::limits::Limits;
use crate::value::{Bag, Value};

/// The first bag of a submission. Keeps every key, and guarantees the ones that indexing needs:
/// `package`, `host` and `arch` are strings (the package not empty), `tags` is an array of
/// strings or nil, `success` is a boolean.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientInfo(Bag);

/// Prefixes that the protocol uses for the fixed members of a tagset.
const RESERVED_TAG_PREFIXES: [&str; 3] = ["__package=", "__arch=", "__host="];

impl ClientInfo {
    /// A client_info with the required keys.
    ///
    /// # Errors
    /// As [`ClientInfo::from_bag`].
    pub fn new(tagset: &Tagset, success: bool) -> Result<Self, ModelError> {
        let tags = tagset.tags.iter().map(|tag| Value::from(tag.as_str())).collect();
        Self::from_bag(Bag::from([
            ("package".to_owned(), Value::from(tagset.package.as_str())),
            ("host".to_owned(), Value::from(tagset.host.as_str())),
            ("arch".to_owned(), Value::from(tagset.arch.as_str())),
            ("tags".to_owned(), Value::Array(tags)),
            ("success".to_owned(), Value::Bool(success)),
        ]))
    }

    /// Checks the keys that indexing needs. `success` may also be the int 0 or 1.
    ///
    /// # Errors
    /// Names the first key that is missing or of the wrong type, too long or too many.
    pub fn from_bag(bag: Bag) -> Result<Self, ModelError> {
        Self::check_identity(&bag)?;
        match bag.get("success") {
            Some(Value::Bool(_) | Value::Int(0 | 1)) => Ok(Self(bag)),
            Some(other) => Err(ModelError::new("client_info.success", "a boolean", other)),
            None => Err(ModelError::missing("client_info.success", "a boolean")),
        }
    }

    /// Reads only the identity: `check_should_build` sends no `success`.
    ///
    /// # Errors
    /// As [`ClientInfo::from_bag`], but for `success`.
    pub fn tagset_of(bag: &Bag) -> Result<Tagset, ModelError> {
        Self::check_identity(bag)?;
        Ok(Self::read_tagset(bag))
    }

    fn check_identity(bag: &Bag) -> Result<(), ModelError> {
        let limits = Limits::DEFAULT;
        for key in ["package", "host", "arch"] {
            let subject = format!("client_info.{key}");
            let text = match bag.get(key) {
                Some(Value::String(text)) => text,
                Some(other) => return Err(ModelError::new(subject, "a string", other)),
                None => return Err(ModelError::missing(subject, "a string")),
            };
            if key == "package" && text.is_empty() {
                return Err(ModelError::missing(subject, "a name"));
            }
            check_name(&subject, text, &limits)?;
        }
        match bag.get("tags") {
            None | Some(Value::Nil) => Ok(()),
            Some(Value::Array(tags)) => check_tags(tags, &limits),
            Some(other) => Err(ModelError::new("client_info.tags", "an array of strings", other)),
        }
    }

    fn read_tagset(bag: &Bag) -> Tagset {
        let text = |key: &str| bag.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let tags = bag.get("tags").and_then(Value::as_array).unwrap_or_default();
        Tagset {
            package: text("package"),
            host: text("host"),
            arch: text("arch"),
            tags: tags.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        }
    }

    /// What was tested.
    pub fn package(&self) -> &str {
        self.0.get("package").and_then(Value::as_str).unwrap_or_default()
    }

    /// The machine.
    pub fn host(&self) -> &str {
        self.0.get("host").and_then(Value::as_str).unwrap_or_default()
    }

    /// The platform.
    pub fn arch(&self) -> &str {
        self.0.get("arch").and_then(Value::as_str).unwrap_or_default()
    }

    /// The client's tags in the client's order, repeats included. Empty when it sent nil or none.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.0
            .get("tags")
            .and_then(Value::as_array)
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_str)
    }

    /// Whether every step succeeded, by the client's own word.
    pub fn success(&self) -> bool {
        matches!(self.0.get("success"), Some(Value::Bool(true) | Value::Int(1)))
    }

    /// How long the whole run took, in seconds, when the client said so.
    pub fn duration(&self) -> Option<f64> {
        self.0
            .get("duration")
            .and_then(Value::as_f64)
            .filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
    }

    /// The build line this belongs to.
    pub fn tagset(&self) -> Tagset {
        Self::read_tagset(&self.0)
    }

    /// Every key as the client sent it.
    pub fn bag(&self) -> &Bag {
        &self.0
    }

    /// Every key as the client sent it.
    pub fn into_bag(self) -> Bag {
        self.0
    }

    /// Adds or replaces a key that pony gives no meaning to, or an optional one such as
    /// `duration`.
    ///
    /// # Errors
    /// When the key is one of the guaranteed ones and the value does not fit it.
    pub fn with(self, key: &str, value: impl Into<Value>) -> Result<Self, ModelError> {
        let mut bag = self.0;
        bag.insert(key.to_owned(), value.into());
        Self::from_bag(bag)
    }
}

fn check_name(subject: &str, text: &str, limits: &Limits) -> Result<(), ModelError> {
    let problem = if text.len() > limits.name_bytes_max {
        format!("{} bytes", text.len())
    } else if text.contains('\0') {
        "a NUL character".to_owned()
    } else {
        return Ok(());
    };
    Err(ModelError {
        subject: subject.to_owned(),
        expected: format!("at most {} bytes without NUL", limits.name_bytes_max),
        found: problem,
    })
}

fn check_tags(tags: &[Value], limits: &Limits) -> Result<(), ModelError> {
    if tags.len() > limits.tags_max {
        return Err(ModelError {
            subject: "client_info.tags".to_owned(),
            expected: format!("at most {} tags", limits.tags_max),
            found: tags.len().to_string(),
        });
    }
    for (index, tag) in tags.iter().enumerate() {
        let subject = format!("client_info.tags[{index}]");
        let Value::String(tag) = tag else {
            return Err(ModelError::new(subject, "a string", tag));
        };
        check_name(&subject, tag, limits)?;
        if let Some(prefix) = RESERVED_TAG_PREFIXES.iter().find(|prefix| tag.starts_with(**prefix))
        {
            return Err(ModelError {
                subject,
                expected: format!(
                    "a tag that does not begin with `{prefix}`, which is the server's to write"
                ),
                found: "one that does".to_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bag() -> Bag {
        Bag::from([
            ("package".into(), "hayloft".into()),
            ("host".into(), "shed".into()),
            ("arch".into(), "linux-x86_64".into()),
            ("tags".into(), Value::Array(vec!["b".into(), "a".into(), "b".into()])),
            ("success".into(), true.into()),
            ("colour".into(), Value::Nil),
        ])
    }

    #[test]
    fn every_key_comes_back() {
        assert_eq!(ClientInfo::from_bag(bag()).unwrap().into_bag(), bag());
    }

    #[test]
    fn tagset_ignores_order_and_repeats_of_tags() {
        let mut other = bag();
        other.insert("tags".into(), Value::Array(vec!["a".into(), "b".into()]));
        let tagset = |bag| ClientInfo::from_bag(bag).unwrap().tagset();
        assert_eq!(tagset(bag()), tagset(other));
    }

    #[test]
    fn nil_tags_are_no_tags() {
        let mut bag = bag();
        bag.insert("tags".into(), Value::Nil);
        assert_eq!(ClientInfo::from_bag(bag).unwrap().tags().count(), 0);
    }

    #[test]
    fn what_cannot_be_indexed_is_refused_by_name() {
        let refused = |key: &str, value: Option<Value>| {
            let mut bag = bag();
            match value {
                Some(value) => bag.insert(key.into(), value),
                None => bag.remove(key),
            };
            ClientInfo::from_bag(bag).unwrap_err().to_string()
        };
        assert_eq!(
            refused("package", None),
            "client_info.package: expected a string, found nothing"
        );
        assert_eq!(
            refused("package", Some("".into())),
            "client_info.package: expected a name, found nothing"
        );
        assert_eq!(
            refused("arch", Some(Value::Int(3))),
            "client_info.arch: expected a string, found an int"
        );
        assert_eq!(
            refused("success", Some("yes".into())),
            "client_info.success: expected a boolean, found a string"
        );
        assert_eq!(
            refused("tags", Some(Value::Array(vec![Value::Nil]))),
            "client_info.tags[0]: expected a string, found nil"
        );
        assert!(refused("tags", Some(Value::Array(vec!["__host=x".into()]))).contains("`__host=`"));
        assert!(refused("host", Some("x".repeat(201).into())).contains("at most 200 bytes"));
    }
}
