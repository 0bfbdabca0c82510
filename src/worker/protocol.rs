//! What front and worker say to each other: JSON messages with a length
//! before them, over the worker's stdin and stdout.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clean::{Identity, Parts, Report};
use crate::config::{CleanRules, TagRule};
use crate::dicom::TransferSyntax;
use crate::pseudonym::Assigned;
use crate::reason::Quarantine;
use crate::vault::{Seal, Vault};

/// Raised with every change of the messages; both sides are the same binary,
/// so that a difference means a mixed installation.
pub const VERSION: u32 = 5;

/// Longest message. Default 16 MiB: a report with a box on each of 100,000 frames.
pub const MESSAGE_BYTES_MAX: u32 = 16 << 20;

/// What a worker is for. The one that verifies never cleaned anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Cleans.
    Clean,
    /// Verifies.
    Verify,
}

impl Role {
    /// The word on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Verify => "verify",
        }
    }
}

/// First message to a worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Setup {
    /// [`VERSION`].
    pub version: u32,
    /// Rules by project.
    pub rules: BTreeMap<String, CleanRules>,
    /// Directory of the models, where not searched for.
    pub models_dir: Option<PathBuf>,
    /// Resident memory above which the worker ends itself, bytes.
    pub memory_bytes_max: u64,
    /// Directories that the worker may write into.
    pub writable: Vec<PathBuf>,
    /// Keys of what lies sealed in the data directory.
    pub vault: Vault,
}

/// Clean one instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CleanOrder {
    /// The received object (Part 10 file); read only.
    #[serde(with = "path_bytes")]
    pub input: PathBuf,
    /// How it is sealed.
    pub input_seal: Option<Seal>,
    /// The clean object is written here; the front syncs and names it.
    #[serde(with = "path_bytes")]
    pub output: PathBuf,
    /// How it is to be sealed.
    pub output_seal: Option<Seal>,
    /// Long values that go as they are may stay in the received object.
    pub in_parts: bool,
    /// Project.
    pub project: String,
    /// Issuer of Patient ID where the object has none.
    pub default_issuer: String,
    /// Rules of this instance alone, after those of the project.
    pub treatments: Vec<TagRule>,
    /// Explicit or Implicit VR Little Endian, where it must leave so.
    pub leave_in: Option<TransferSyntax>,
}

/// Check one clean instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VerifyOrder {
    /// The received object.
    #[serde(with = "path_bytes")]
    pub input: PathBuf,
    /// How it is sealed.
    pub input_seal: Option<Seal>,
    /// The clean object.
    #[serde(with = "path_bytes")]
    pub output: PathBuf,
    /// How it is sealed.
    pub output_seal: Option<Seal>,
    /// What of it lies in the received object.
    pub parts: Option<Parts>,
    /// Project.
    pub project: String,
    /// What the person was given.
    pub assigned: Assigned,
    /// What the cleaner says it did.
    pub report: Report,
    /// The rules of this instance alone that it was cleaned by.
    pub treatments: Vec<TagRule>,
}

/// Paths of the user's, which need not be text (Latin-1 names on old shares).
mod path_bytes {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
    use std::path::{Path, PathBuf};

    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(super) fn serialize<S: Serializer>(path: &Path, out: S) -> Result<S::Ok, S::Error> {
        path.as_os_str().as_bytes().serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
        Ok(OsString::from_vec(Vec::deserialize(from)?).into())
    }
}

/// From the front to a worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// First message.
    Setup(Setup),
    /// Clean one instance.
    Clean(CleanOrder),
    /// Answer to [`Answer::Identity`].
    Assigned(Assigned),
    /// Answer to [`Answer::Identity`]: no pseudonym, leave it.
    Withdraw,
    /// Check one instance.
    Verify(Box<VerifyOrder>),
}

/// From a worker to the front.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Answer to [`Order::Setup`]: confined, but for what the kernel would not do.
    Ready(Vec<String>),
    /// The set-up failed; the text names files and libraries, no patient.
    SetupFailed(String),
    /// Whose instance it is and what it withdraws; answered by [`Order::Assigned`].
    Identity(Box<Identity>),
    /// The clean object stands at the output path, but for what lies in the received one.
    Cleaned(Box<Report>, Option<Parts>),
    /// The clean object passed; CRC-32 of what it has from the received one.
    Verified(u32),
    /// Not to be passed on.
    Refused(Quarantine),
    /// The code panicked here (file:line); counts as a death.
    Panicked(String),
    /// The system refused reading or writing (its error number): try later.
    Io(String),
}

/// Writes one message.
///
/// # Errors
/// The pipe's error; a message over [`MESSAGE_BYTES_MAX`] is `InvalidData`.
pub fn write_message<M: Serialize>(out: &mut impl Write, message: &M) -> io::Result<()> {
    out.write_all(&encode(message)?)?;
    out.flush()
}

/// A message with its length before it.
///
/// # Errors
/// `InvalidData` over [`MESSAGE_BYTES_MAX`].
pub fn encode<M: Serialize>(message: &M) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut framed = Zeroizing::new(vec![0; 4]);
    serde_json::to_writer(&mut *framed, message).map_err(io::Error::other)?;
    let bytes = u32::try_from(framed.len() - 4).unwrap_or(u32::MAX);
    check_len(bytes)?;
    if let Some(head) = framed.first_chunk_mut::<4>() {
        *head = bytes.to_le_bytes();
    }
    Ok(framed)
}

/// Reads one message; `None` at the end of the pipe.
///
/// # Errors
/// The pipe's error; `InvalidData` when it is no message.
pub fn read_message<M: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<M>> {
    let mut head = [0; 4];
    match from.read_exact(&mut head) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let bytes = u32::from_le_bytes(head);
    check_len(bytes)?;
    // Keys and patients are in it.
    let mut body = Zeroizing::new(vec![0; bytes as usize]);
    from.read_exact(&mut body)?;
    decode(&body).map(Some)
}

/// Reads a message's body. The parser's own words are left out: they can
/// quote the text, and the text can be a patient's.
///
/// # Errors
/// `InvalidData` when it is no message.
pub fn decode<M: DeserializeOwned>(body: &[u8]) -> io::Result<M> {
    serde_json::from_slice(body)
        .map_err(|_quotes_text| io::Error::new(io::ErrorKind::InvalidData, "no such message"))
}

/// Refuses a length over the limit before anything is allocated.
///
/// # Errors
/// `InvalidData`.
pub fn check_len(bytes: u32) -> io::Result<()> {
    if bytes > MESSAGE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "message over the limit"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_as_they_went() {
        let mut pipe = Vec::new();
        write_message(&mut pipe, &Answer::Io("28".into())).unwrap();
        write_message(&mut pipe, &Answer::Verified(7)).unwrap();
        let mut from = pipe.as_slice();
        assert!(matches!(read_message(&mut from), Ok(Some(Answer::Io(text))) if text == "28"));
        assert!(matches!(read_message(&mut from), Ok(Some(Answer::Verified(7)))));
        assert!(matches!(read_message::<Answer>(&mut from), Ok(None)));
    }

    #[test]
    fn a_path_need_not_be_text() {
        use std::os::unix::ffi::OsStringExt as _;

        let path: PathBuf = std::ffi::OsString::from_vec(b"in/M\xFCller.dcm".to_vec()).into();
        let order = CleanOrder {
            input: path.clone(),
            input_seal: None,
            output: "out".into(),
            output_seal: None,
            in_parts: false,
            project: String::new(),
            default_issuer: String::new(),
            treatments: Vec::new(),
            leave_in: None,
        };
        let framed = encode(&Order::Clean(order)).unwrap();
        let Order::Clean(read) = decode(&framed[4..]).unwrap() else { panic!("another order") };
        assert_eq!((read.input, read.output), (path, "out".into()));
    }

    #[test]
    fn a_length_over_the_limit_is_refused_unread() {
        let pipe = (MESSAGE_BYTES_MAX + 1).to_le_bytes();
        let error = read_message::<Answer>(&mut pipe.as_slice()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_fault_does_not_quote_the_message() {
        let error = decode::<Answer>(br#"{"person":"DOE^JANE"}"#).unwrap_err();
        assert!(!error.to_string().contains("DOE"));
    }
}
