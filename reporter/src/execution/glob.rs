//! Paths by pattern: `*` and `?` within a name, `**` for any number of folders. A pattern
//! reaches the program only when the shell did not expand it, because it was quoted or the files
//! did not exist yet.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// Entries that are looked at before a pattern is given up as too wide.
const ENTRIES_MAX: usize = 1_000_000;

/// The regular files that a pattern names, sorted. A file that is literally called so is the
/// only one. Links to folders are not followed below `**`.
pub(super) fn files(pattern: &str) -> Vec<PathBuf> {
    let literal = Path::new(pattern);
    if literal.is_file() || !pattern.contains(['*', '?']) {
        return vec![literal.to_owned()];
    }
    let parts: Vec<Component<'_>> = literal.components().collect();
    let mut found = Vec::new();
    let mut looked_at = 0;
    // Folders still to be searched, each with the index of the part that its entries have to match.
    let mut open = vec![(PathBuf::new(), 0)];
    while let Some((folder, index)) = open.pop() {
        let Some(part) = parts.get(index) else { continue };
        let last = index + 1 == parts.len();
        let name = part.as_os_str().to_string_lossy();
        if !matches!(part, Component::Normal(_)) || !name.contains(['*', '?']) {
            let path = folder.join(part);
            match last {
                true if path.is_file() => found.push(path),
                true => {}
                false => open.push((path, index + 1)),
            }
            continue;
        }
        if name == "**" {
            open.push((folder.clone(), index + 1));
        }
        for (entry, is_real_folder) in entries(&folder) {
            looked_at += 1;
            let path = folder.join(&entry);
            if name == "**" {
                if is_real_folder {
                    open.push((path.clone(), index));
                }
                if !last {
                    continue;
                }
            }
            match is_match(&name, &entry) {
                true if last && path.is_file() => found.push(path),
                true if !last && path.is_dir() => open.push((path, index + 1)),
                _ => {}
            }
        }
        if looked_at > ENTRIES_MAX {
            break;
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The names in a folder, and which are folders themselves. Nothing when it cannot be read; no
/// names that are not UTF-8, which no pattern can match.
fn entries(folder: &Path) -> Vec<(String, bool)> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(listing) = fs::read_dir(here) else { return Vec::new() };
    listing
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            Some((entry.file_name().into_string().ok()?, is_folder))
        })
        .collect()
}

/// Whether a name matches a pattern of `*`, `?` and characters that stand for themselves.
/// Hidden names need a pattern that begins with a dot.
fn is_match(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where to go on when the last star has to take one more character.
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(expected) if *expected == '?' || *expected == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    n = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_patterns() {
        for (pattern, name) in [
            ("*.xml", "a.xml"),
            ("TEST-*-?.xml", "TEST-a-b-1.xml"),
            ("*", "a"),
            ("**", "a"),
            ("a*b*", "ab"),
        ] {
            assert!(is_match(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("*.xml", "a.xm"), ("?", ""), ("*", ".hidden"), ("a*b", "abc"), ("", "a")]
        {
            assert!(!is_match(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn stars_reach_into_folders() {
        let home = tempfile::tempdir().unwrap();
        for path in ["a.xml", "x/b.xml", "x/y/c.xml", "x/y/d.txt", "z/[1].xml"] {
            let path = home.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = |pattern: &str| -> Vec<String> {
            let pattern = home.path().join(pattern);
            let files = files(pattern.to_str().unwrap()).into_iter();
            files
                .map(|path| {
                    path.strip_prefix(home.path()).unwrap().to_str().unwrap().replace('\\', "/")
                })
                .collect()
        };
        assert_eq!(found("*.xml"), ["a.xml"]);
        assert_eq!(found("**/*.xml"), ["a.xml", "x/b.xml", "x/y/c.xml", "z/[1].xml"]);
        assert_eq!(found("x/**"), ["x/b.xml", "x/y/c.xml", "x/y/d.txt"]);
        assert_eq!(found("*/?.xml"), ["x/b.xml"]);
        assert_eq!(found("**/y/*.xml"), ["x/y/c.xml"]);
        assert_eq!(found("z/[1].xml"), ["z/[1].xml"]);
        assert!(found("nothing/**/*.xml").is_empty());
    }
}
