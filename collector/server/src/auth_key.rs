//! Auth keys: the right to add files to one result.
//!
//! 32 hex digits, as in the original: sixteen for the result key, sixteen that only this collector can
//! make. So there is no table of them, and they outlive a restart.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use pony_formats::ResultKey;
use sha2::{Digest, Sha256};

use crate::durable::sync_folder;

/// How long files may be added. The original client does it at once.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// Bytes of the secret.
const SECRET_BYTES: usize = 32;

/// Makes and checks auth keys.
pub(crate) struct AuthKeys {
    secret: [u8; SECRET_BYTES],
}

impl AuthKeys {
    /// Reads the secret from `file`, or draws one and writes it there, for nobody else to read.
    pub(crate) fn open(file: &Path) -> io::Result<Self> {
        match fs::read(file) {
            Ok(bytes) => match bytes.try_into() {
                Ok(secret) => Ok(Self { secret }),
                Err(_) => Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("not {SECRET_BYTES} bytes; delete it to have a new one made"),
                )),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(file),
            Err(error) => Err(error),
        }
    }

    fn create(file: &Path) -> io::Result<Self> {
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        let folder = file.parent().unwrap_or(Path::new("."));
        // A temporary file can only be read by its owner.
        let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
        temporary.write_all(&secret)?;
        temporary.as_file().sync_all()?;
        temporary.persist(file)?;
        // Or auth keys might not outlive a power cut.
        sync_folder(folder)?;
        Ok(Self { secret })
    }

    /// The auth key of a result.
    pub(crate) fn issue(&self, key: ResultKey) -> String {
        let mut text = format!("{:016x}", key.as_i64());
        // The message has a fixed length and half of the hash is kept back, so nothing can be
        // appended to it.
        let hash = Sha256::new_with_prefix(self.secret).chain_update(key.as_i64().to_be_bytes());
        text.extend(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")));
        text
    }

    /// The result that an auth key is for, if it is one and not too old.
    pub(crate) fn check(&self, text: &str, now: Timestamp) -> Option<ResultKey> {
        let number = i64::from_str_radix(text.get(..16)?, 16).ok()?;
        let key = ResultKey::from_i64(number)?;
        let in_time = now.duration_since(key.time()) <= LIFETIME;
        (same(self.issue(key).as_bytes(), text.as_bytes()) && in_time).then_some(key)
    }
}

/// Compares in a time that does not tell where the difference is.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(folder: &tempfile::TempDir) -> AuthKeys {
        AuthKeys::open(&folder.path().join("secret")).unwrap()
    }

    #[test]
    fn a_key_opens_its_result_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let key = ResultKey::new(now, 7);
        let issued = keys(&folder).issue(key);
        assert!(issued.len() == 32 && issued.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(keys(&folder).check(&issued, now), Some(key));
    }

    #[test]
    fn other_keys_open_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let keys = keys(&folder);
        let now = Timestamp::now();
        let good = keys.issue(ResultKey::new(now, 7));
        for index in 0..good.len() {
            let mut bad = good.clone().into_bytes();
            bad[index] = if bad[index] == b'0' { b'1' } else { b'0' };
            assert_eq!(keys.check(&String::from_utf8(bad).unwrap(), now), None, "digit {index}");
        }
        for bad in
            ["", "00", &good[..31], &format!("{good}0"), "äääääääääääääääää", &good.to_uppercase()]
        {
            let upper_is_the_same = bad == good;
            assert!(upper_is_the_same || keys.check(bad, now).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_good_for_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let keys = keys(&folder);
        let now = Timestamp::now();
        let issued = keys.issue(ResultKey::new(now, 7));
        let later = |hours| now + SignedDuration::from_hours(hours);
        assert!(keys.check(&issued, later(23)).is_some());
        assert_eq!(keys.check(&issued, later(25)), None);
    }

    #[test]
    fn a_damaged_secret_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        fs::write(&file, "short").unwrap();
        let error = AuthKeys::open(&file).err().unwrap();
        assert!(error.to_string().contains("delete it"));
    }
}
