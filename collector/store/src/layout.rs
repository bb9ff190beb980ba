//! Where things are in a results repository (format 1). Pure: names in, paths out, and back.
//!
//! ```text
//! README.md  format.json                      what this is, for people and for programs
//! annotations/<name>.toml                     what people say of results afterwards
//! <package>/<yyyy>/<mm>/<dd>/<key>/…          one result; the files are those of `pony_formats::record`
//! <package>/<yyyy>/<mm>/<dd>/<key>/artifacts/<name>.json
//! ```

use jiff::tz::Offset;
use pony_formats::ResultKey;
use pony_formats::names::tree_component;

/// How objects are named: the only way that gix is built to know here.
pub(crate) const HASH: gix::hash::Kind = gix::hash::Kind::Sha1;

/// The branch that holds the results.
pub(crate) const BRANCH: &str = "refs/heads/main";

/// The file in the root that says which format the repository has.
pub(crate) const FORMAT_FILE: &str = "format.json";

/// The folder in the root with what people say of results afterwards. It is no package's: `pony_formats::names` escapes
/// that name.
pub(crate) const ANNOTATIONS: &str = "annotations";

/// The folder of uploaded files inside a result's folder.
pub(crate) const ARTIFACTS: &str = "artifacts";

/// How deep below the root the folders are that hold results: package, year, month, day.
pub(crate) const RESULT_DEPTH: usize = 4;

/// Bytes of all files of one result together, and of any one object. Nothing larger is written, and
/// nothing larger is inflated: what a stranger pushes cannot exhaust memory.
pub(crate) const RESULT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The folder of a result, from the root of the tree.
pub(crate) fn result_folder(package: &str, key: ResultKey) -> String {
    format!("{}/{}", tree_component(package), key_folder(key))
}

/// The folder of a result, from the folder of its package.
pub(crate) fn key_folder(key: ResultKey) -> String {
    let date = Offset::UTC.to_datetime(key.time());
    format!("{:04}/{:02}/{:02}/{key}", date.year(), date.month(), date.day())
}

/// The record of an uploaded file, from the root of the tree. Names are made like keys: they sort by
/// time, and two repositories never choose the same.
pub(crate) fn artifact_file(package: &str, key: ResultKey, name: ResultKey) -> String {
    format!("{}/{ARTIFACTS}/{name}.json", result_folder(package, key))
}

/// Whether a folder's name can be a year (four digits), month or day (two).
pub(crate) fn is_date_part(name: &str, digits: usize) -> bool {
    name.len() == digits && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// The key that a result's folder is named after, given the path from its package's folder.
/// `None` when the folder is not where [`key_folder`] puts it: nobody would find it there.
pub(crate) fn key_at(path: &str) -> Option<ResultKey> {
    let (_, name) = path.rsplit_once('/')?;
    let key = name.parse().ok()?;
    (key_folder(key) == path).then_some(key)
}

/// The package of a top folder, where the name of the folder tells.
pub(crate) enum FolderName {
    /// The folder of this package.
    Package(String),
    /// A package's, but its name was too long: its results know it.
    Shortened,
    /// No package's.
    Foreign,
}

/// Reads back what [`tree_component`] wrote.
pub(crate) fn package_at(folder: &str) -> FolderName {
    if let Some(package) = unescape(folder).filter(|name| tree_component(name) == folder) {
        return FolderName::Package(package);
    }
    // A shortened name holds `%-`, which is no escape.
    if folder.contains("%-") { FolderName::Shortened } else { FolderName::Foreign }
}

fn unescape(folder: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(folder.len());
    let mut rest = folder.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        let digits = std::str::from_utf8(&digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> ResultKey {
        text.parse().unwrap()
    }

    #[test]
    fn a_result_lies_under_its_package_and_its_day_in_utc() {
        let key = ResultKey::new("2026-01-02T23:59:59.999Z".parse().unwrap(), 7);
        assert_eq!(result_folder("Hay", key), format!("%48ay/2026/01/02/{key}"));
        assert_eq!(key_at(&format!("2026/01/02/{key}")), Some(key));
    }

    #[test]
    fn a_folder_under_the_wrong_day_is_no_result() {
        let key = key("1763899999123456789");
        assert_eq!(key_folder(key), "2025/11/23/1763899999123456789");
        for path in ["2025/11/24/1763899999123456789", "2025/11/23/x", "", "1763899999123456789"] {
            assert_eq!(key_at(path), None, "{path}");
        }
    }

    #[test]
    fn the_folder_tells_the_package_unless_it_was_shortened() {
        for name in ["hayloft", "Hay/loft", ".git", "CON", "../x", "häy", "a%2f"] {
            let FolderName::Package(found) = package_at(&tree_component(name)) else {
                panic!("{name} does not come back");
            };
            assert_eq!(found, name);
        }
        let long = tree_component(&"x".repeat(200));
        assert!(matches!(package_at(&long), FolderName::Shortened));
        for foreign in ["Docs", "%zz", "%", "a b", ".github", "%61"] {
            let foreign = package_at(foreign);
            assert!(!matches!(foreign, FolderName::Shortened));
        }
        assert!(matches!(package_at("%61"), FolderName::Foreign));
    }
}
