//! What is tested, when nobody says it.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;

use super::{Fact, Surroundings};

/// What a project says of itself.
#[derive(Debug)]
pub(crate) struct Project {
    /// What it is called.
    pub(crate) package: Fact,
    /// `tags` of `[package.metadata.pony]` or `[workspace.metadata.pony]`.
    pub(crate) tags: Vec<Fact>,
}

/// `package` and `tags` in the Cargo package's metadata for pony or else the workspace's; otherwise the name of
/// the Cargo package, or of the workspace's folder; the `name` in `pyproject.toml`; the name of the checkout's or
/// the current folder. In this order.
pub(crate) fn project(surroundings: &Surroundings) -> Project {
    let folder = surroundings.folder();
    let plain = |package| Project { package, tags: Vec::new() };
    let of_python = || Some(plain(Fact::new(of_python(folder)?, "pyproject.toml")));
    let of_folder = || {
        let (folder, what) = match above(folder, ".git") {
            Some(folder) => (folder, "the folder of the checkout"),
            None => (folder, "the current folder"),
        };
        Some(plain(Fact::new(folder_name(folder)?, what)))
    };
    of_cargo(folder)
        .or_else(of_python)
        .or_else(of_folder)
        .unwrap_or_else(|| plain(Fact::new("unnamed", "nothing tells it")))
}

fn of_cargo(folder: &Path) -> Option<Project> {
    let manifest = above(folder, "Cargo.toml")?.join("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(&manifest).no_deps().exec().ok()?;
    let manifest = fs::canonicalize(&manifest).unwrap_or(manifest);
    let nearest = metadata.packages.iter().find(|package| package.manifest_path == manifest);
    let tables = [
        nearest.map(|package| (&package.metadata["pony"], "[package.metadata.pony]")),
        Some((&metadata.workspace_metadata["pony"], "[workspace.metadata.pony]")),
    ];
    let tables: Vec<_> = tables.into_iter().flatten().collect();
    // A package of a workspace goes by its own name, unless it says otherwise itself.
    let own = tables.iter().take(1);
    let named = own.filter_map(|(table, from)| Some(Fact::new(table["package"].as_str()?, *from)));
    let of_package = || Some(Fact::new(nearest?.name.as_str(), "Cargo.toml"));
    let of_folder = || {
        let name = folder_name(metadata.workspace_root.as_std_path())?;
        Some(Fact::new(name, "the folder of the workspace"))
    };
    let package = named.into_iter().next().or_else(of_package).or_else(of_folder)?;
    let tags = tables.iter().find_map(|(table, from)| {
        let tags = table["tags"].as_array()?.iter().filter_map(|tag| tag.as_str());
        Some(tags.map(|tag| Fact::new(tag, *from)).collect())
    });
    Some(Project { package, tags: tags.unwrap_or_default() })
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
