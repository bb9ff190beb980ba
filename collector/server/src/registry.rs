//! The clients that may submit: a file beside the repository, for nobody else to read. It holds no token,
//! only what a token hashes to.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wildmatch::WildMatch;

use crate::durable::sync_folder;

/// The name of the file, in the folder of the collector.
const FILE: &str = "clients.json";

/// Locked by whoever changes the file.
const LOCK_FILE: &str = "clients.lock";

/// The form of the file that this version reads and writes.
const FORMAT: u32 = 1;

/// What tokens begin with, so that scanners for secrets know them.
const TOKEN_PREFIX: &str = "pony_";

/// Bytes of randomness in a token.
const TOKEN_BYTES: usize = 32;

/// Longest name of a client, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Longest pattern for packages, in bytes: as long as the name of a package may be.
const PATTERN_BYTES_MAX: usize = 255;

/// Why the clients cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegistryError {
    #[error("cannot {action} `{path}`")]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error(
        "`{path}` is no list of clients: {reason}; correct it, or delete it and add the clients again"
    )]
    Damaged { path: PathBuf, reason: String },
    #[error("there is a client `{name}`; revoke it first, or choose another name")]
    NameTaken { name: String },
    #[error("there is no client `{name}`; `pony-collector client list` shows all")]
    Unknown { name: String },
}

/// Somebody who may submit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Client {
    pub(crate) name: String,
    /// SHA-256 of the token, in hex.
    token_sha256: String,
    /// Patterns of the packages that it may submit results of; none for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) packages: Vec<String>,
    /// When it was added.
    pub(crate) added: Timestamp,
}

impl Client {
    /// Whether it may submit results of a package.
    pub(crate) fn may(&self, package: &str) -> bool {
        let matches = |pattern: &String| WildMatch::new(pattern).matches(package);
        self.packages.is_empty() || self.packages.iter().any(matches)
    }
}

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Document {
    format: u32,
    clients: Vec<Client>,
}

/// The clients of a collector.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    folder: PathBuf,
}

impl Registry {
    /// Those of the collector with this folder, which exists.
    pub(crate) fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Where they are.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// All clients, sorted by name. None when there is no file.
    pub(crate) fn read(&self) -> Result<Vec<Client>, RegistryError> {
        let path = self.path();
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            read => read.map_err(failed("read", &path))?,
        };
        let damaged = |reason: String| RegistryError::Damaged { path: path.clone(), reason };
        let document: Document =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if document.format != FORMAT {
            return Err(damaged(format!("its format is {}, not {FORMAT}", document.format)));
        }
        Ok(document.clients)
    }

    /// Adds a client, and returns its token. It is not kept anywhere.
    pub(crate) fn add(&self, name: &str, packages: Vec<String>) -> Result<String, RegistryError> {
        let _lock = self.lock()?;
        let mut clients = self.read()?;
        let Err(place) = clients.binary_search_by(|client| client.name.as_str().cmp(name)) else {
            return Err(RegistryError::NameTaken { name: name.to_owned() });
        };
        let token = new_token().map_err(failed("draw a token for", &self.path()))?;
        let added = Timestamp::now();
        let token_sha256 = token_hash(&token);
        clients.insert(place, Client { name: name.to_owned(), token_sha256, packages, added });
        self.write(clients)?;
        Ok(token)
    }

    /// Removes a client: its token is worth nothing from now on.
    pub(crate) fn revoke(&self, name: &str) -> Result<(), RegistryError> {
        let _lock = self.lock()?;
        let mut clients = self.read()?;
        let count = clients.len();
        clients.retain(|client| client.name != name);
        if clients.len() == count {
            return Err(RegistryError::Unknown { name: name.to_owned() });
        }
        self.write(clients)
    }

    /// Held until dropped.
    fn lock(&self) -> Result<File, RegistryError> {
        let path = self.folder.join(LOCK_FILE);
        let file = File::options().create(true).append(true).open(&path);
        let file = file.map_err(failed("open", &path))?;
        file.lock().map_err(failed("lock", &path))?;
        Ok(file)
    }

    /// Replaces the file, for good.
    fn write(&self, clients: Vec<Client>) -> Result<(), RegistryError> {
        let path = self.path();
        let write = || {
            let mut text = serde_json::to_string_pretty(&Document { format: FORMAT, clients })?;
            text.push('\n');
            // A temporary file can only be read by its owner.
            let mut temporary = tempfile::NamedTempFile::new_in(&self.folder)?;
            temporary.write_all(text.as_bytes())?;
            temporary.as_file().sync_all()?;
            temporary.persist(&path)?;
            // Or who was revoked might be back after a power cut.
            sync_folder(&self.folder)
        };
        write().map_err(failed("write", &path))
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RegistryError {
    let path = path.to_owned();
    move |source| RegistryError::Io { action, path, source }
}

/// The client that a token is of. Takes equally long wherever a wrong one differs.
pub(crate) fn holder<'c>(clients: &'c [Client], token: &str) -> Option<&'c Client> {
    let hash = token_hash(token);
    let mut found = None;
    for client in clients {
        if crate::auth_key::same(client.token_sha256.as_bytes(), hash.as_bytes()) {
            found = Some(client);
        }
    }
    found
}

/// No salt and no slow hash: a token has 256 random bits, and cannot be guessed from it.
fn token_hash(token: &str) -> String {
    hex(&Sha256::digest(token))
}

fn new_token() -> io::Result<String> {
    let mut secret = [0; TOKEN_BYTES];
    getrandom::fill(&mut secret).map_err(io::Error::other)?;
    Ok(format!("{TOKEN_PREFIX}{}", hex(&secret)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The name of a client, if it can be one: it goes into receipts and addresses.
pub(crate) fn client_name(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if text.is_empty() || text.len() > NAME_BYTES_MAX || !text.bytes().all(is_plain) {
        return Err(format!("expected 1 to {NAME_BYTES_MAX} letters, digits, `-`, `_` and `.`"));
    }
    Ok(text.to_owned())
}

/// A pattern of the names of packages, if it can match one.
pub(crate) fn package_pattern(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > PATTERN_BYTES_MAX || text.contains(char::is_control) {
        return Err(format!("expected 1 to {PATTERN_BYTES_MAX} bytes, without control characters"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> (tempfile::TempDir, Registry) {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::of(folder.path());
        (folder, registry)
    }

    #[test]
    fn a_token_names_its_client_until_it_is_revoked() {
        let (_folder, registry) = registry();
        assert_eq!(registry.read().unwrap(), []);
        let shed = registry.add("shed", vec![]).unwrap();
        let barn = registry.add("barn", vec!["hay*".to_owned()]).unwrap();
        assert_ne!(shed, barn);
        let clients = registry.read().unwrap();
        assert_eq!(holder(&clients, &shed).unwrap().name, "shed");
        assert_eq!(holder(&clients, &barn).unwrap().name, "barn");
        for wrong in ["", "pony_", &shed[1..], &format!("{shed}0"), &shed.to_uppercase()] {
            assert_eq!(holder(&clients, wrong), None, "{wrong}");
        }
        registry.revoke("shed").unwrap();
        assert_eq!(holder(&registry.read().unwrap(), &shed), None);
    }

    #[test]
    fn the_file_holds_no_token() {
        let (folder, registry) = registry();
        let token = registry.add("shed", vec![]).unwrap();
        for entry in fs::read_dir(folder.path()).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            assert!(!text.contains(&token[TOKEN_PREFIX.len()..]));
        }
    }

    #[test]
    fn names_are_unique_and_only_those_that_exist_are_revoked() {
        let (_folder, registry) = registry();
        registry.add("shed", vec![]).unwrap();
        let again = registry.add("shed", vec![]).unwrap_err();
        assert!(matches!(again, RegistryError::NameTaken { .. }), "{again}");
        let unknown = registry.revoke("barn").unwrap_err();
        assert!(matches!(unknown, RegistryError::Unknown { .. }), "{unknown}");
    }

    #[test]
    fn all_of_many_that_are_added_at_the_same_time_are_there() {
        let (_folder, registry) = registry();
        std::thread::scope(|scope| {
            for number in 0..8 {
                let registry = &registry;
                scope.spawn(move || registry.add(&format!("c{number}"), vec![]).unwrap());
            }
        });
        let names: Vec<_> =
            registry.read().unwrap().into_iter().map(|client| client.name).collect();
        assert_eq!(names, ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"]);
    }

    #[test]
    fn patterns_say_which_packages() {
        let may = |packages: &[&str], package| {
            let packages = packages.iter().map(|&pattern| pattern.to_owned()).collect();
            let added = Timestamp::UNIX_EPOCH;
            let client =
                Client { name: String::new(), token_sha256: String::new(), packages, added };
            client.may(package)
        };
        assert!(may(&[], "hayloft"));
        assert!(may(&["barn", "hay*"], "hayloft"));
        assert!(may(&["*/loft"], "hay/loft"));
        assert!(may(&["hay?oft"], "hayloft"));
        assert!(!may(&["hay"], "hayloft"));
        assert!(!may(&["Hayloft"], "hayloft"));
        assert!(!may(&["*loft"], "hayloft2"));
    }

    #[test]
    fn what_is_no_list_of_clients_is_refused() {
        let (_folder, registry) = registry();
        for (text, reason) in [
            ("", "EOF while parsing a value at line 1 column 0"),
            (r#"{"format":2,"clients":[]}"#, "its format is 2, not 1"),
            (r#"{"format":1,"clients":[{}]}"#, "missing field `name` at line 1 column 25"),
        ] {
            fs::write(registry.path(), text).unwrap();
            match registry.read().unwrap_err() {
                RegistryError::Damaged { reason: found, .. } => assert_eq!(found, reason),
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn names_are_plain() {
        assert_eq!(client_name("ci-linux_2.x"), Ok("ci-linux_2.x".to_owned()));
        for name in ["", "a b", "a:b", "a/b", "é", "a\n", &"x".repeat(65)] {
            assert!(client_name(name).is_err(), "{name:?}");
        }
        assert!(package_pattern("").is_err());
        assert!(package_pattern("hay\nloft").is_err());
        assert_eq!(package_pattern("hay *"), Ok("hay *".to_owned()));
    }
}
