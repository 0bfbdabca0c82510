//! The node's one secret: a file or bytes in, a key for each purpose and
//! project out.
//!
//! Invariant: the master key is made once, at the first start, and never made
//! anew beside a table or ledger that was written with another one: that would
//! split every person in two. Nothing here shows a key; [`MasterKey::id`] names it.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::disk::{Disk as _, RealDisk};

/// Length of the master key and of every key derived from it.
pub const KEY_BYTES: usize = 32;
/// Longest key file that is read: 64 hex digits and a line end.
const KEY_FILE_BYTES_MAX: u64 = 66;
/// Fewest different bytes in a key. A random key of 32 bytes has fewer than 8
/// once in more than 10^30 tries; examples and repeated patterns do.
const DISTINCT_BYTES_MIN: usize = 8;
pub(super) const KEY_DIR: &str = "keys";
pub(super) const MASTER_FILE: &str = "master";
/// A key that is being made.
pub(super) const PART_FILE: &str = "master.part";
pub(super) const RETIRED_PREFIX: &str = "retired-";
/// What only exists once a key was used, relative to the data directory.
const MADE_WITH_A_KEY: [&str; 3] = ["pseudonyms/journal", "pseudonyms/index", "receipts/head.0"];

/// Why there is no usable key. The node does not start.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The table or ledger stands, its key does not: restore the key from its backup.
    #[error(
        "{made} was made with a key, but {key} is missing: restore the key from its backup; \
         a new one would give every person a second pseudonym"
    )]
    Missing {
        /// Where the key should stand.
        key: PathBuf,
        /// What was made with it.
        made: PathBuf,
    },
    /// Others may read the key: `chmod 600` it, and think about who has read it.
    #[error("{path} has mode {mode:o}: a key file must be readable by its owner only (chmod 600)")]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What the file holds is no key.
    #[error("{path}: {wrong}; restore the key from its backup")]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        wrong: Box<KeyError>,
    },
    /// Neither 32 bytes nor 64 hex digits.
    #[error(
        "a key is {KEY_BYTES} bytes, or 64 hexadecimal digits; this one has {found_bytes} bytes"
    )]
    WrongLength {
        /// Bytes found; at most one more than the longest form.
        found_bytes: usize,
    },
    /// An example, a pattern or a passphrase: make one with `openssl rand -hex 32`.
    #[error("this key is an example, a pattern or readable text; make a random one")]
    Weak,
    /// The system's source of randomness failed; try again.
    #[error("no randomness from the system")]
    NoRandomness,
    /// The disk failed.
    #[error("{step} {path}")]
    Io {
        /// What was tried.
        step: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// What a derived key is for. Each has its own, so that what one leaks says
/// nothing about another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPurpose {
    /// Codes and date shifts of persons, by project.
    Pseudonym,
    /// New UIDs and keyed hashes of values, by project.
    Uid,
    /// Look-up keys of the pseudonym table.
    TableLookup,
    /// Encryption of the pseudonym table's values.
    TableValues,
    /// Chain of the receipt ledger.
    Ledger,
    /// Keys by which the spool recognises an instance it has seen.
    InstanceKey,
    /// Marks of studies and persons in the memory of corrections.
    Corrections,
    /// New names of directories in a folder whose tree is kept, by project.
    Tree,
    /// Encryption at rest of the spool and of staged files.
    Vault,
}

impl KeyPurpose {
    /// The label that goes into the derivation. Changing one loses all that was made with it.
    fn label(self) -> &'static [u8] {
        match self {
            Self::Pseudonym => b"pseudonym",
            Self::Uid => b"uid",
            Self::TableLookup => b"table-lookup",
            Self::TableValues => b"table-values",
            Self::Ledger => b"ledger",
            Self::InstanceKey => b"instance-key",
            Self::Corrections => b"corrections",
            Self::Tree => b"tree",
            Self::Vault => b"vault",
        }
    }
}

/// A key for one purpose.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<[u8; KEY_BYTES]>);

impl SecretKey {
    /// The key itself, for handing to another module's cipher; never for a log.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// HMAC-SHA-256 over `parts`, each preceded by its length (8 bytes, big
    /// endian), so that `("ab", "c")` and `("a", "bc")` differ.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = hmac(self.0.as_slice());
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(‹secret›)")
    }
}

/// The key that all others come from.
#[derive(Clone)]
pub struct MasterKey {
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    id: String,
}

impl MasterKey {
    /// Takes 32 bytes, or 64 hexadecimal digits and perhaps a line end, as
    /// `openssl rand -hex 32` writes them.
    ///
    /// # Errors
    /// [`KeyError::WrongLength`], [`KeyError::Weak`]: the node does not start.
    pub fn from_secret(secret: &[u8]) -> Result<Self, KeyError> {
        let bytes = match <[u8; KEY_BYTES]>::try_from(secret) {
            Ok(raw) => Zeroizing::new(raw),
            Err(_not_raw) => {
                from_hex(secret).ok_or(KeyError::WrongLength { found_bytes: secret.len() })?
            }
        };
        if is_weak(&bytes) {
            return Err(KeyError::Weak);
        }
        let digest = Sha256::digest(
            hmac(bytes.as_slice()).chain_update(b"airlock key id").finalize().into_bytes(),
        );
        let id = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { bytes, id })
    }

    /// Reads a key file of mode 0600 or 0400.
    ///
    /// # Errors
    /// [`KeyError`]: the node does not start.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::Io { step: "cannot read", path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Readable { path: path.to_owned(), mode });
        }
        let mut secret = Zeroizing::new(Vec::with_capacity(128));
        file.take(KEY_FILE_BYTES_MAX + 1).read_to_end(&mut secret).map_err(failed)?;
        Self::from_secret(&secret)
            .map_err(|wrong| KeyError::Unfit { path: path.to_owned(), wrong: Box::new(wrong) })
    }

    /// Names the key without showing it: 8 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key for `purpose` and `project`, by HKDF-SHA-256 (RFC 5869).
    /// What belongs to the node and not to a project takes the empty project.
    #[must_use]
    #[allow(clippy::expect_used, reason = "32 bytes are far below HKDF's limit of 255 × 32")]
    pub fn derive(&self, purpose: KeyPurpose, project: &str) -> SecretKey {
        let mut info = Vec::new();
        for part in [purpose.label(), project.as_bytes()] {
            info.extend_from_slice(&(part.len() as u64).to_be_bytes());
            info.extend_from_slice(part);
        }
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        Hkdf::<Sha256>::new(Some(b"airlock master key"), &*self.bytes)
            .expand(&info, &mut *key)
            .expect("HKDF gives 32 bytes");
        SecretKey(key)
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

/// Whether the key was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOrigin {
    /// Made just now. The caller says loudly that it needs a backup: without it
    /// no pseudonym can be traced back, and a restored table cannot be read.
    Created,
    /// It stood there.
    Read,
}

/// The key in use and those used before it: a mapping keeps the key that it was
/// made with, so that a new key never splits a person.
#[derive(Debug, Clone)]
pub struct Keys {
    current: MasterKey,
    retired: Vec<MasterKey>,
}

impl Keys {
    /// Only `current`.
    #[must_use]
    pub fn new(current: MasterKey) -> Self {
        Self { current, retired: Vec::new() }
    }

    /// Adds a key that old mappings were made with; nothing new is.
    #[must_use]
    pub fn with_retired(mut self, retired: MasterKey) -> Self {
        self.retired.push(retired);
        self
    }

    /// Reads `DATA/keys/master` and `DATA/keys/retired-*`, or makes the master
    /// key when nothing in `data_dir` was made with one.
    ///
    /// # Errors
    /// [`KeyError`]: the node does not start.
    pub fn load_or_create(data_dir: &Path) -> Result<(Self, KeyOrigin), KeyError> {
        let dir = data_dir.join(KEY_DIR);
        let path = dir.join(MASTER_FILE);
        let stands = RealDisk.exists(&path).map_err(io_at("cannot look for", &path))?;
        if !stands {
            refuse_beside_old_work(data_dir, &path)?;
            create_master(data_dir, &dir, &path)?;
        }
        let keys = Self::with_retired_in(MasterKey::from_file(&path)?, data_dir)?;
        Ok((keys, if stands { KeyOrigin::Read } else { KeyOrigin::Created }))
    }

    /// `current`, which may come from elsewhere, and `DATA/keys/retired-*`.
    ///
    /// # Errors
    /// [`KeyError`]: the node does not start.
    pub fn with_retired_in(current: MasterKey, data_dir: &Path) -> Result<Self, KeyError> {
        let mut keys = Self::new(current);
        let dir = data_dir.join(KEY_DIR);
        if !RealDisk.exists(&dir).map_err(io_at("cannot look for", &dir))? {
            return Ok(keys);
        }
        let mut names = RealDisk.names(&dir).map_err(io_at("cannot list", &dir))?;
        names.sort();
        for name in names.iter().filter(|name| name.starts_with(RETIRED_PREFIX)) {
            keys = keys.with_retired(MasterKey::from_file(&dir.join(name))?);
        }
        Ok(keys)
    }

    /// The key that new mappings are made with.
    #[must_use]
    pub fn current(&self) -> &MasterKey {
        &self.current
    }

    /// The key of this id, in use or retired.
    #[must_use]
    pub fn of_id(&self, key_id: &str) -> Option<&MasterKey> {
        self.all().find(|key| key.id() == key_id)
    }

    /// All keys, the one in use first.
    pub fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.retired)
    }
}

/// Refuses to make a key where something was made with a lost one.
fn refuse_beside_old_work(data_dir: &Path, key: &Path) -> Result<(), KeyError> {
    for made in MADE_WITH_A_KEY.map(|name| data_dir.join(name)) {
        if RealDisk.exists(&made).map_err(io_at("cannot look for", &made))? {
            return Err(KeyError::Missing { key: key.to_owned(), made });
        }
    }
    Ok(())
}

/// Writes a random key so that a crash leaves it whole or not at all, and never
/// over another one.
fn create_master(data_dir: &Path, dir: &Path, path: &Path) -> Result<(), KeyError> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(&mut *key).map_err(|_no_source| KeyError::NoRandomness)?;
    let part = dir.join(PART_FILE);
    let write = || -> io::Result<()> {
        RealDisk.create_dir_all(dir)?;
        if RealDisk.exists(&part)? {
            RealDisk.remove(&part)?;
        }
        let mut file = RealDisk.create_new(&part)?;
        file.write_all(&*key)?;
        file.sync_data()?;
        // A link and not a rename: a rename would replace a key that another
        // process has just made.
        RealDisk.hard_link(&part, path)?;
        RealDisk.remove(&part)?;
        RealDisk.sync_dir(dir)?;
        RealDisk.sync_dir(data_dir)
    };
    write().map_err(io_at("cannot make", path))
}

pub(super) fn io_at(step: &'static str, path: &Path) -> impl Fn(io::Error) -> KeyError + use<> {
    let path = path.to_owned();
    move |source| KeyError::Io { step, path: path.clone(), source }
}

#[allow(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104)")]
fn hmac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes any key length")
}

fn from_hex(text: &[u8]) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let digits = text.strip_suffix(b"\n").unwrap_or(text);
    let digits = digits.strip_suffix(b"\r").unwrap_or(digits);
    if digits.len() != 2 * KEY_BYTES {
        return None;
    }
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16)?;
            *byte = *byte << 4 | u8::try_from(value).ok()?;
        }
    }
    Some(key)
}

/// Few different bytes, counting up or down, or readable text.
fn is_weak(key: &[u8; KEY_BYTES]) -> bool {
    let distinct = key.iter().collect::<std::collections::BTreeSet<_>>().len();
    let first_step = key[1].wrapping_sub(key[0]);
    distinct < DISTINCT_BYTES_MIN
        || key.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == first_step)
        || key.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const HEX: &[u8] = b"8f2b7c11d04e5a96e3371fb08cd942675ae0c8f5194b6d20b7a34418fe93520d\n";

    fn write_key(path: &Path, secret: &[u8], mode: u32) {
        std::fs::write(path, secret).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn derived_keys_are_those_of_an_independent_hkdf() {
        // From Python's hmac module: extract, then expand by hand.
        let master = MasterKey::from_secret(HEX).unwrap();
        assert_eq!(master.id(), "e34d8c2b");
        let key = master.derive(KeyPurpose::Pseudonym, "trial-7");
        assert_eq!(
            hex(key.expose()),
            "5b6b8a80577e9ffb64502ebe0b82ec99900d88f46035849830d2504b4024a684"
        );
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn each_purpose_and_project_has_its_own_key() {
        let master = MasterKey::from_secret(HEX).unwrap();
        let purposes = [
            KeyPurpose::Pseudonym,
            KeyPurpose::Uid,
            KeyPurpose::TableLookup,
            KeyPurpose::TableValues,
            KeyPurpose::Ledger,
            KeyPurpose::InstanceKey,
            KeyPurpose::Corrections,
        ];
        let mut seen = std::collections::BTreeSet::new();
        for purpose in purposes {
            for project in ["", "a", "b"] {
                assert!(seen.insert(*master.derive(purpose, project).expose()));
            }
        }
    }

    #[test]
    fn hex_and_raw_forms_are_the_same_key() {
        let raw = from_hex(HEX).unwrap();
        assert_eq!(
            MasterKey::from_secret(&*raw).unwrap().id(),
            MasterKey::from_secret(HEX).unwrap().id()
        );
    }

    #[test]
    fn wrong_lengths_examples_and_patterns_are_refused() {
        for secret in [&[1, 2, 3][..], &[0x5a; 31], &[0x5a; 33], &[b'z'; 64], b""] {
            assert!(matches!(MasterKey::from_secret(secret), Err(KeyError::WrongLength { .. })));
        }
        let counting: Vec<u8> = (0..32).collect();
        let falling: Vec<u8> = (0..32).rev().collect();
        let beef = [0xde, 0xad, 0xbe, 0xef].repeat(8);
        for secret in [
            &[0; 32][..],
            &[0xff; 32],
            &counting,
            &falling,
            &beef,
            b"0123456789abcdef0123456789abcdef",
            b"correct horse battery staple 123",
            b"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        ] {
            assert!(matches!(MasterKey::from_secret(secret), Err(KeyError::Weak)), "{secret:?}");
        }
    }

    #[test]
    fn first_start_makes_a_private_key_and_the_second_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        // A crash in the middle of an earlier first start.
        std::fs::create_dir(dir.path().join("keys")).unwrap();
        std::fs::write(dir.path().join("keys/master.part"), b"half").unwrap();
        let (made, origin) = Keys::load_or_create(dir.path()).unwrap();
        assert_eq!(origin, KeyOrigin::Created);
        let file = dir.path().join("keys/master");
        let meta = std::fs::metadata(&file).unwrap();
        assert_eq!((meta.len(), meta.mode() & 0o777), (32, 0o600));
        assert_eq!(RealDisk.names(&dir.path().join("keys")).unwrap(), ["master"]);
        let (read, origin) = Keys::load_or_create(dir.path()).unwrap();
        assert_eq!((origin, read.current().id()), (KeyOrigin::Read, made.current().id()));
    }

    #[test]
    fn no_key_is_made_beside_an_old_table() {
        for made in MADE_WITH_A_KEY {
            let dir = tempfile::tempdir().unwrap();
            let made = dir.path().join(made);
            std::fs::create_dir_all(made.parent().unwrap()).unwrap();
            std::fs::write(&made, b"").unwrap();
            let refused = Keys::load_or_create(dir.path()).unwrap_err();
            assert!(matches!(refused, KeyError::Missing { .. }), "{refused}");
            assert!(!dir.path().join("keys/master").try_exists().unwrap());
        }
    }

    #[test]
    fn key_files_that_others_may_read_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        for (mode, fine) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            let _gone = std::fs::remove_file(&path);
            write_key(&path, HEX, mode);
            assert_eq!(MasterKey::from_file(&path).is_ok(), fine, "{mode:o}");
        }
    }

    #[test]
    fn retired_keys_are_read_beside_the_master() {
        let dir = tempfile::tempdir().unwrap();
        Keys::load_or_create(dir.path()).unwrap();
        write_key(&dir.path().join("keys/retired-2025"), HEX, 0o400);
        let (keys, _origin) = Keys::load_or_create(dir.path()).unwrap();
        assert!(keys.of_id(MasterKey::from_secret(HEX).unwrap().id()).is_some());
        assert_ne!(keys.current().id(), MasterKey::from_secret(HEX).unwrap().id());
    }

    #[test]
    fn debug_shows_no_key() {
        let keys = Keys::new(MasterKey::from_secret(HEX).unwrap());
        let shown = format!("{keys:?} {:?}", keys.current().derive(KeyPurpose::Uid, ""));
        assert!(shown.contains(keys.current().id()));
        // As hexadecimal digits, and as Rust prints byte arrays.
        assert!(!shown.contains("8f2b") && !shown.contains("143"), "{shown}");
    }
}
