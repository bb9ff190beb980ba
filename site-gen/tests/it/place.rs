//! [`Place`]: a results repository and the sites that are built from it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use pony_formats::{Outcome, ResultKey, Submission, TestCase};
use pony_site::{Built, Options, SiteError};
use pony_store::{Arrival, Store, Writer};

/// A folder with a repository in it.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    pub(crate) store: Store,
}

impl Place {
    /// With an empty repository.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("results.git")).unwrap();
        Self { folder, store }
    }

    /// With the made-up history.
    pub(crate) fn with_history() -> Self {
        let place = Self::new();
        place.append(&crate::sample::history());
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn writer(&self) -> Writer {
        self.store.writer(Duration::from_secs(5)).unwrap()
    }

    pub(crate) fn append(&self, history: &[(Submission, Timestamp)]) -> Vec<ResultKey> {
        let mut writer = self.writer();
        let append = |(submission, received): &(Submission, Timestamp)| {
            writer.append(submission, &Arrival::at(*received)).unwrap().receipt.key
        };
        history.iter().map(append).collect()
    }

    /// Builds the site `name`, at the end of the made-up history.
    pub(crate) fn build(&self, name: &str) -> Built {
        self.build_with(name, &options()).unwrap()
    }

    pub(crate) fn build_with(&self, name: &str, options: &Options) -> Result<Built, SiteError> {
        // Opened again, as another process would.
        let store = Store::open(self.store.path()).unwrap();
        pony_site::build(&store, &self.path(name), options)
    }

    /// That `site`, however it came to be, is what a site built from nothing is.
    #[track_caller]
    pub(crate) fn assert_like_new(&self) {
        self.build("new");
        let (site, new) = (self.files("site"), self.files("new"));
        assert_eq!(site.keys().collect::<Vec<_>>(), new.keys().collect::<Vec<_>>());
        for (name, content) in site {
            assert!(new[&name] == content, "{name} differs");
        }
    }

    /// Every file of a site with its content.
    pub(crate) fn files(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let root = self.path(name);
        let mut files = BTreeMap::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name =
                        path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
                    files.insert(name, fs::read(path).unwrap());
                }
            }
        }
        files
    }

    /// The text of one file of a site.
    pub(crate) fn text(&self, site: &str, path: &str) -> String {
        fs::read_to_string(self.path(site).join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// What the newest commit has at `path`.
    pub(crate) fn stored(&self, path: &str) -> String {
        git(self.store.path(), &self.path("index"), &["show", &format!("main:{path}")], "")
    }

    /// Commits the file `path` with `content`, or without it, as somebody with git may.
    pub(crate) fn meddle(&self, path: &str, content: Option<&str>) {
        let index = self.path("index");
        let git =
            |arguments: &[&str], input: &str| git(self.store.path(), &index, arguments, input);
        git(&["read-tree", "main"], "");
        match content {
            Some(content) => {
                let blob = git(&["hash-object", "-w", "--stdin"], content);
                git(
                    &["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{path}")],
                    "",
                );
            }
            None => {
                git(&["rm", "-r", "-q", "--cached", path], "");
            }
        }
        let tree = git(&["write-tree"], "");
        let commit = git(&["commit-tree", "-m", "Meddle", "-p", "main", &tree], "");
        git(&["update-ref", "refs/heads/main", &commit], "");
        fs::remove_file(&index).unwrap();
    }
}

impl Place {
    /// Adds all results of another repository, as a merge of the two does.
    pub(crate) fn merge(&self, other: &Place) {
        let index = self.path("index");
        let git =
            |arguments: &[&str], input: &str| git(self.store.path(), &index, arguments, input);
        let theirs = other.store.path().to_string_lossy().into_owned();
        git(&["fetch", "--quiet", &theirs, "main:theirs", "--force"], "");
        git(&["read-tree", "main"], "");
        let files = git(&["ls-tree", "-r", "theirs"], "") + "\n";
        git(&["update-index", "--add", "--index-info"], &files);
        let tree = git(&["write-tree"], "");
        let commit = git(&["commit-tree", "-m", "Merge", "-p", "main", "-p", "theirs", &tree], "");
        git(&["update-ref", "refs/heads/main", &commit], "");
        fs::remove_file(&index).unwrap();
    }

    /// Removes the object of something that somebody with git has committed.
    pub(crate) fn lose(&self, path: &str) {
        let object = format!("main:{path}");
        let id = git(self.store.path(), &self.path("index"), &["rev-parse", &object], "");
        let (folder, name) = id.split_at(2);
        fs::remove_file(self.store.path().join("objects").join(folder).join(name)).unwrap();
    }

    /// Commits a root folder with more entries, made of those that are there: each is a mode, a kind, the entry
    /// whose object it shares (or the object), and a name that git itself would refuse.
    pub(crate) fn plant(&self, entries: &[(&str, &str, &str, &str)]) {
        let index = self.path("index");
        let git =
            |arguments: &[&str], input: &str| git(self.store.path(), &index, arguments, input);
        let mut tree = git(&["ls-tree", "main"], "") + "\n";
        for (mode, kind, object, name) in entries {
            let object = match object.len() {
                40 => (*object).to_owned(),
                _ => git(&["rev-parse", &format!("main:{object}")], ""),
            };
            tree.push_str(&format!("{mode} {kind} {object}\t{name}\n"));
        }
        let tree = git(&["mktree", "--missing"], &tree);
        let commit = git(&["commit-tree", "-m", "Plant", "-p", "main", &tree], "");
        git(&["update-ref", "refs/heads/main", &commit], "");
    }

    /// Takes back the newest commit, if it is not the only one.
    pub(crate) fn rewind(&self) {
        let index = self.path("index");
        let parents = git(self.store.path(), &index, &["log", "--format=%P", "-1", "main"], "");
        if let Some(parent) = parents.split(' ').next().filter(|parent| !parent.is_empty()) {
            git(self.store.path(), &index, &["update-ref", "refs/heads/main", parent], "");
        }
    }
}

/// The options of [`Place::build`].
pub(crate) fn options() -> Options {
    Options { now: crate::sample::END.parse().unwrap(), ..Options::default() }
}

/// Runs git and returns what it prints. Whatever is configured on this machine does not count.
fn git(repository: &Path, index: &Path, arguments: &[&str], input: &str) -> String {
    use std::io::Write as _;
    let mut child = Command::new("git")
        .args(arguments)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("GIT_DIR", repository)
        .env("GIT_INDEX_FILE", index)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "somebody")))
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "some@example.org")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {arguments:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Tests by name and by the letter of their outcome.
pub(crate) fn by_letter(tests: &[(&str, char)]) -> Vec<TestCase> {
    let test =
        |(id, letter): &(&str, char)| TestCase::new(*id, Outcome::from_letter(*letter).unwrap());
    tests.iter().map(test).collect()
}
