//! Encryption at rest: keys and a file of the node's in, its plain bytes out.
//!
//! What is sealed is bound to an instance and to what it is of it ([`Seal`]), so
//! that no file passes for another one. Files that were written plain stay
//! readable; where it is known that a file was sealed, a plain one in its place
//! is refused. Sealed files stay readable when nothing new is sealed.
//!
//! Not hidden: names, lengths, times. Not noticed: a whole file that is set back
//! to an earlier one of the same instance and kind, or a record's end that is cut
//! off at an entry. [`file`] and [`entry`] tell the formats.
#![warn(clippy::indexing_slicing, clippy::as_conversions, clippy::arithmetic_side_effects)]

mod entry;
mod file;
mod scratch;
mod stored;
#[cfg(test)]
#[allow(clippy::as_conversions, clippy::arithmetic_side_effects, reason = "tests may fail loudly")]
mod tests;

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

pub use file::{Reader, Writer, is_sealed};
pub use scratch::ScratchFile;
pub use stored::Stored;

/// Length of every key.
const KEY_BYTES: usize = 32;
/// Length of a key's id: 8 hexadecimal digits.
const KEY_ID_BYTES: usize = 8;
/// Most missing keys that are remembered. Default 16: more than a site ever retires;
/// a damaged file may name any.
const MISSING_MAX: usize = 16;
/// Length of the salt that each sealed file and entry draws.
const SALT_BYTES: usize = 32;

/// What a file is of its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The object as received.
    Original,
    /// The clean copy.
    Clean,
    /// What was done.
    Report,
    /// An entry of the record.
    Record,
    /// A file of a folder's run: an unpacked member, or a copy not yet checked.
    Staged,
}

impl Kind {
    /// Goes into the derivation. Changing one loses what was sealed with it.
    fn byte(self) -> u8 {
        match self {
            Self::Original => 1,
            Self::Clean => 2,
            Self::Report => 3,
            Self::Record => 4,
            Self::Staged => 5,
        }
    }
}

/// What a sealed file is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// The instance's id.
    pub id: [u8; 16],
    /// What of it.
    pub kind: Kind,
    /// It is known to be sealed: a plain file in its place is refused.
    pub required: bool,
}

/// Why a sealed file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Made with a key that is not here. Nothing is lost: put the key back.
    #[error(
        "sealed with key {key_id}, which is not here: put that master key back as \
         DATA/keys/retired-{key_id} (mode 0600) and start again"
    )]
    UnknownKey {
        /// Its id.
        key_id: String,
    },
    /// Changed, cut, put together anew, or another file's.
    #[error("a sealed file was changed or is another one's")]
    Damaged,
    /// A plain file where a sealed one was written.
    #[error("a plain file stands where a sealed one was written")]
    Plain,
    /// The system's source of randomness failed; try again.
    #[error("no randomness from the system")]
    NoRandomness,
}

impl VaultError {
    /// The fault of a sealed file behind an error of reading, where it is one.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }

    /// The bytes are not those that were sealed, whatever key there is.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged | Self::Plain)
    }
}

impl From<VaultError> for io::Error {
    fn from(error: VaultError) -> Self {
        let kind = match error {
            VaultError::UnknownKey { .. } => io::ErrorKind::PermissionDenied,
            VaultError::Damaged | VaultError::Plain => io::ErrorKind::InvalidData,
            VaultError::NoRandomness => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// A key of the vault and its name.
#[derive(Clone, Serialize, Deserialize)]
pub struct VaultKey {
    id: String,
    key: Zeroizing<[u8; KEY_BYTES]>,
}

impl VaultKey {
    /// `id` names the master key that `key` was derived from.
    #[must_use]
    pub fn new(id: &str, key: &[u8; KEY_BYTES]) -> Self {
        Self { id: id.to_owned(), key: Zeroizing::new(*key) }
    }
}

impl std::fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VaultKey({})", self.id)
    }
}

/// The keys, and whether new files are sealed; clones share them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Keys", into = "Keys")]
pub struct Vault(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    keys: Keys,
    /// Ids of those that something waits for and that are not here.
    missing: Mutex<BTreeSet<String>>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Keys {
    seals: bool,
    /// The one in use first.
    keys: Vec<VaultKey>,
}

impl Vault {
    /// Over the key in use, and those before it. The default has no key and seals
    /// nothing.
    #[must_use]
    pub fn new(seals: bool, keys: Vec<VaultKey>) -> Self {
        Self::from(Keys { seals, keys })
    }

    /// Whether new files are sealed.
    #[must_use]
    pub fn seals(&self) -> bool {
        self.0.keys.seals
    }

    /// Ids of the keys that something is sealed with, as was found so far, and that are
    /// not here.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        self.0.missing.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// A file of a folder's run at this path.
    ///
    /// # Errors
    /// [`VaultError::NoRandomness`].
    pub fn staged(&self, path: std::path::PathBuf) -> Result<Stored, VaultError> {
        let seal = Seal { id: drawn()?, kind: Kind::Staged, required: self.seals() };
        Ok(Stored::sealed(path, self.clone(), seal))
    }

    fn current(&self) -> Result<&VaultKey, VaultError> {
        self.0.keys.keys.first().ok_or_else(|| VaultError::UnknownKey { key_id: "none".into() })
    }

    fn of_id(&self, id: &[u8]) -> Result<&VaultKey, VaultError> {
        let found = self.0.keys.keys.iter().find(|key| key.id.as_bytes() == id);
        found.ok_or_else(|| match shown(id) {
            Some(key_id) => VaultError::UnknownKey { key_id },
            None => VaultError::Damaged,
        })
    }

    /// Remembers a key that something of the spool waits for.
    pub fn note_missing(&self, error: &VaultError) {
        if let VaultError::UnknownKey { key_id } = error {
            let mut missing = self.0.missing.lock().unwrap_or_else(PoisonError::into_inner);
            if missing.len() < MISSING_MAX {
                missing.insert(key_id.clone());
            }
        }
    }
}

impl From<Keys> for Vault {
    fn from(keys: Keys) -> Self {
        Self(Arc::new(Inner { keys, missing: Mutex::default() }))
    }
}

impl From<Vault> for Keys {
    fn from(vault: Vault) -> Self {
        vault.0.keys.clone()
    }
}

/// A key's id out of a file; none where it can be none.
fn shown(id: &[u8]) -> Option<String> {
    let is_one = id.len() == KEY_ID_BYTES && id.iter().all(is_id_digit);
    is_one.then(|| id.iter().map(|byte| char::from(*byte)).collect())
}

fn is_id_digit(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// The key of one file or record, by HKDF-SHA-256 (RFC 5869) over its salt.
#[allow(clippy::expect_used, reason = "32 bytes are far below HKDF's limit of 255 × 32")]
fn derived(key: &VaultKey, salt: &[u8], seal: &Seal) -> Zeroizing<[u8; KEY_BYTES]> {
    let mut info = b"airlock sealed 1".to_vec();
    info.push(seal.kind.byte());
    info.extend(seal.id);
    let mut derived = Zeroizing::new([0; KEY_BYTES]);
    Hkdf::<Sha256>::new(Some(salt), key.key.as_slice())
        .expand(&info, &mut *derived)
        .expect("HKDF gives 32 bytes");
    derived
}

fn drawn<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_none| VaultError::NoRandomness)?;
    Ok(bytes)
}
