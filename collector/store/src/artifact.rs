//! [`Artifact`]: what git knows of an uploaded file. Strangers can push such records too, so one that is
//! not what a collector writes cannot be held.

use std::fmt;
use std::path::{Path, PathBuf};

use pony_formats::json;

use crate::StoreError;

/// A file that belongs to a result; git holds what is said here, not the content.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Artifact {
    /// The client's name for it. A label, never a path.
    pub filename: String,
    /// What the client says it is.
    pub description: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the content.
    pub sha256: Sha256Hex,
    /// Whether it is listed and served.
    pub visible: bool,
}

impl Artifact {
    /// The record that git holds.
    pub(crate) fn to_text(&self) -> Result<String, StoreError> {
        let content = serde_json::to_value(self).map_err(|error| StoreError::Damaged {
            subject: format!("record of file {:?}", self.filename),
            reason: error.to_string(),
        })?;
        Ok(json::pretty(&content))
    }
}

/// A SHA-256 as 64 lower-case hex digits, never anything else: content is kept in files of such names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Sha256Hex(String);

/// A text is no SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no SHA-256: expected 64 lower-case hex digits")]
pub struct Sha256HexError;

impl Sha256Hex {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the content with this hash is, given the folder of all contents. Records in git may be pushed by
    /// others; that they cannot lead elsewhere is what this type is for.
    pub fn path_in(&self, folder: &Path) -> PathBuf {
        folder.join(&self.0[..2]).join(&self.0)
    }
}

impl From<[u8; 32]> for Sha256Hex {
    fn from(hash: [u8; 32]) -> Self {
        Self(hash.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl TryFrom<String> for Sha256Hex {
    type Error = Sha256HexError;

    fn try_from(text: String) -> Result<Self, Sha256HexError> {
        let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_valid = text.len() == 64 && text.bytes().all(is_digit);
        is_valid.then_some(Self(text)).ok_or(Sha256HexError)
    }
}

impl From<Sha256Hex> for String {
    fn from(hash: Sha256Hex) -> Self {
        hash.0
    }
}

impl fmt::Display for Sha256Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hex_digits_are_a_hash() {
        let hash = Sha256Hex::from([0xa5; 32]);
        assert_eq!(hash.as_str(), "a5".repeat(32));
        assert_eq!(Sha256Hex::try_from("a5".repeat(32)), Ok(hash));
        let hostile = ["", "/etc/passwd", "../pony/secret", &"A5".repeat(32), &"a5".repeat(33)];
        for text in hostile {
            assert_eq!(Sha256Hex::try_from(text.to_owned()), Err(Sha256HexError), "{text}");
            let json = serde_json::Value::from(text);
            assert!(serde_json::from_value::<Sha256Hex>(json).is_err(), "{text}");
        }
    }
}
