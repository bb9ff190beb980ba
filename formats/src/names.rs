//! Names from outside as path components, injectively.
//!
//! A package may be called `../../etc` or `CON`. No name from outside ever becomes a path:
//! it is encoded to a set of characters that every file system, git and every web server take
//! literally, so that two different names never meet.

use sha2::{Digest, Sha256};

/// Longest encoded component, in bytes.
const COMPONENT_BYTES_MAX: usize = 100;

/// Hex digits of the SHA-256 that stands for the rest of a name that is too long.
const HASH_DIGITS: usize = 32;

/// Names that Windows reserves, alone or before a dot.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// Names in the root of a results repository that are not packages.
const RESERVED: [&str; 4] = ["annotations", "format.json", "pony.toml", "readme.md"];

/// The folder of a name in a results repository: `[a-z0-9._-]`, everything else, upper case
/// included, as `%` and two hex digits of each UTF-8 byte. Never starts with a dot, never ends with
/// one, never longer than 100 bytes, never one of the repository's own names or a Windows device.
pub fn tree_component(name: &str) -> String {
    encode(name, '%', |byte| byte.is_ascii_lowercase())
}

/// The folder of a name on the site. As [`tree_component`], but letters keep their case and the
/// escape is `~`, which needs no further escaping in an address: `p/Django/`, `p/a~2fb/`.
pub fn url_component(name: &str) -> String {
    encode(name, '~', |byte| byte.is_ascii_alphabetic())
}

/// Whether this is what [`url_component`] makes of some name, so that it needs no encoding any more. A
/// name that was cut can only be told by its shape.
pub fn is_url_component(component: &str) -> bool {
    let hash =
        component.len().checked_sub(HASH_DIGITS).and_then(|at| component.split_at_checked(at));
    if let Some((start, hash)) = hash.filter(|_| component.len() == COMPONENT_BYTES_MAX)
        && start.ends_with("~-")
    {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-~".contains(&byte);
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        return start.bytes().all(is_plain) && hash.bytes().all(is_digit);
    }
    decode(component).is_some_and(|name| url_component(&name) == component)
}

/// The name of a component that was not cut.
fn decode(component: &str) -> Option<String> {
    if component == "~" {
        return Some(String::new());
    }
    let mut pieces = component.split('~');
    let mut name = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (digits, literal) = piece.split_at_checked(2)?;
        name.push(u8::from_str_radix(digits, 16).ok()?);
        name.extend_from_slice(literal.as_bytes());
    }
    String::from_utf8(name).ok()
}

fn encode(name: &str, escape: char, is_letter: impl Fn(u8) -> bool) -> String {
    let bytes = name.as_bytes();
    let reserved = is_reserved(name);
    let mut encoded = String::with_capacity(name.len());
    for (index, &byte) in bytes.iter().enumerate() {
        let edge_dot = byte == b'.' && (index == 0 || index + 1 == bytes.len());
        let literal = is_letter(byte) || byte.is_ascii_digit() || b"._-".contains(&byte);
        if literal && !edge_dot && !(reserved && index == 0) {
            encoded.push(char::from(byte));
        } else {
            encoded.push(escape);
            encoded.push_str(&format!("{byte:02x}"));
        }
    }
    if encoded.is_empty() {
        // Nothing else encodes to a lone escape.
        encoded.push(escape);
    }
    if encoded.len() > COMPONENT_BYTES_MAX {
        // `-` after an escape is no hex digit, so no short name looks like this.
        encoded.truncate(COMPONENT_BYTES_MAX - HASH_DIGITS - 2);
        encoded.push(escape);
        encoded.push('-');
        let hash = Sha256::digest(name);
        encoded.extend(hash.iter().take(HASH_DIGITS / 2).map(|byte| format!("{byte:02x}")));
    }
    encoded
}

fn is_reserved(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let stem = lower.split('.').next().unwrap_or_default();
    let device = DEVICES.iter().any(|device| {
        stem.strip_prefix(device).is_some_and(|rest| match *device {
            "com" | "lpt" => rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit(),
            _ => rest.is_empty(),
        })
    });
    device || RESERVED.contains(&lower.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_names_stay_readable() {
        assert_eq!(tree_component("numpy-1.x"), "numpy-1.x");
        assert_eq!(tree_component("Django"), "%44jango");
        assert_eq!(url_component("Django"), "Django");
        assert_eq!(url_component("a/b c"), "a~2fb~20c");
    }

    #[test]
    fn hostile_names_are_plain_components() {
        let cases = [
            ("..", "%2e%2e"),
            ("../../etc", "%2e.%2f..%2fetc"),
            (".git", "%2egit"),
            ("git~1", "git%7e1"),
            ("con", "%63on"),
            ("aux.txt", "%61ux.txt"),
            ("com1", "%63om1"),
            ("format.json", "%66ormat.json"),
            ("readme.md", "%72eadme.md"),
            ("trailing.", "trailing%2e"),
            ("", "%"),
            ("a\0b\n", "a%00b%0a"),
        ];
        for (name, encoded) in cases {
            assert_eq!(tree_component(name), encoded, "{name:?}");
        }
        assert_eq!(tree_component("common"), "common");
    }

    #[test]
    fn what_is_not_encoded_yet_is_told_from_what_is() {
        let raw = ["CON", ".git", "..", "a~b", "a~+2", "readme.md", "a b", "~41on", "é", "", "x~"];
        for name in raw {
            assert!(!is_url_component(name), "{name:?}");
            assert!(is_url_component(&url_component(name)), "{name:?}");
        }
        assert!(!is_url_component(&"x".repeat(200)));
    }

    #[test]
    fn long_names_stay_apart() {
        let long = "x".repeat(200);
        let encoded = tree_component(&long);
        assert_eq!(encoded.len(), COMPONENT_BYTES_MAX);
        assert_ne!(encoded, tree_component(&format!("{long}y")));
    }

    proptest! {
        #[test]
        fn encoding_is_one_safe_component(name in any::<String>()) {
            for encoded in [tree_component(&name), url_component(&name)] {
                prop_assert!(!encoded.is_empty() && encoded.len() <= COMPONENT_BYTES_MAX);
                prop_assert!(!encoded.starts_with('.') && !encoded.ends_with('.'));
                prop_assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-%~".contains(&b)));
            }
            prop_assert!(is_url_component(&url_component(&name)));
            prop_assert!(is_url_component(&url_component(&name.repeat(30))));
            prop_assert!(!tree_component(&name).bytes().any(|b| b.is_ascii_uppercase()));
        }

        #[test]
        fn different_names_never_meet(a in "[A-Za-z.%~/ -]{0,4}", b in "[A-Za-z.%~/ -]{0,4}") {
            prop_assert_eq!(a == b, tree_component(&a) == tree_component(&b));
            prop_assert_eq!(a == b, url_component(&a) == url_component(&b));
        }
    }
}
