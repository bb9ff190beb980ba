//! The name of what is tested, when nobody says it.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;

use super::Surroundings;

/// The Cargo package (for a workspace without one `package` in `[workspace.metadata.pony]`, or its
/// folder), the `name` in `pyproject.toml`, or the name of the checkout's or the current folder; in this
/// order.
pub(crate) fn package(surroundings: &Surroundings) -> String {
    let folder = surroundings.folder();
    of_cargo(folder)
        .or_else(|| of_python(folder))
        .or_else(|| folder_name(above(folder, ".git").unwrap_or(folder)))
        .unwrap_or_else(|| "unnamed".to_owned())
}

fn of_cargo(folder: &Path) -> Option<String> {
    let manifest = above(folder, "Cargo.toml")?.join("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(&manifest).no_deps().exec().ok()?;
    let manifest = fs::canonicalize(&manifest).unwrap_or(manifest);
    let nearest = metadata.packages.iter().find(|package| package.manifest_path == manifest);
    match nearest {
        Some(package) => Some(package.name.to_string()),
        None => {
            let named = metadata.workspace_metadata["pony"]["package"].as_str().map(str::to_owned);
            named.or_else(|| folder_name(metadata.workspace_root.as_std_path()))
        }
    }
}

fn of_python(folder: &Path) -> Option<String> {
    let project = above(folder, "pyproject.toml")?.join("pyproject.toml");
    project_name(&fs::read_to_string(project).ok()?)
}

/// `name` of the table `[project]`. Enough of TOML for that: a `name` is a string on one line.
fn project_name(text: &str) -> Option<String> {
    let mut in_project = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            in_project = line.split('#').next().map(str::trim) == Some("[project]");
        } else if let Some((key, value)) = line.split_once('=').filter(|_| in_project)
            && key.trim() == "name"
        {
            let value = value.trim();
            let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            let name = value[1..].split(quote).next()?.to_owned();
            return Some(name).filter(|name| !name.is_empty());
        }
    }
    None
}

/// The nearest folder, from this one upwards, that holds an entry of this name.
fn above<'a>(folder: &'a Path, entry: &str) -> Option<&'a Path> {
    folder.ancestors().find(|folder| folder.join(entry).exists())
}

fn folder_name(folder: &Path) -> Option<String> {
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| PathBuf::from(folder));
    Some(folder.file_name()?.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_project_names_itself() {
        let text =
            "[tool.x]\nname = 'no'\n[project] # here\nversion = \"1\"\nname = \"hay-loft\" # yes\n";
        assert_eq!(project_name(text), Some("hay-loft".to_owned()));
        assert_eq!(project_name("[project]\nname = 'a'"), Some("a".to_owned()));
        assert_eq!(project_name("name = 'no'"), None);
        assert_eq!(project_name("[project]\ndynamic = ['name']\n[project.x]\nname = 'no'"), None);
    }
}
