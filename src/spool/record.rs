//! The small record beside each instance: who sent it, what was tried, why it
//! stands. No identifier of a patient is in it.
//!
//! A file is a run of pairs of lines: the whole record as JSON, then the
//! CRC-32 of that line in hex. A change appends a pair and syncs once; the
//! last whole pair counts. Where the vault seals, the first line of a pair is a
//! sealed one, and no plain one may follow it. A tail that is no whole pair is a torn append that
//! nobody was told of. A whole pair with a wrong CRC is damage.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::commitment::Commitment;
use super::{DestinationName, SpoolError, SpoolId};
use crate::dicom::{AeTitle, TransferSyntax, Uid};
use crate::reason::{Quarantine, Reason};
use crate::vault::{Kind, Seal, Vault, VaultError};

/// Version of the record's format.
pub(super) const VERSION: u32 = 1;

/// How an instance came, told by `accept`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Project that the called AE title selects.
    pub project: String,
    /// AE title of the sender.
    pub calling_ae: AeTitle,
    /// AE title that was called.
    pub called_ae: AeTitle,
    /// Address of the sender; none for a folder.
    pub peer: Option<IpAddr>,
    /// SOP Class UID.
    pub sop_class: Uid,
    /// Transfer syntax of the stored bytes.
    pub transfer_syntax: TransferSyntax,
    /// First 16 bytes of a keyed or plain digest of project and SOP Instance
    /// UID: tells a repeat without holding the UID.
    #[serde(with = "hex_16")]
    pub instance_key: [u8; 16],
}

/// Everything the spool knows of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this format.
    pub version: u32,
    /// The instance.
    pub id: SpoolId,
    /// Wall time of the commit, milliseconds since 1970.
    pub received_unix_ms: u64,
    /// Length of the original.
    pub bytes: u64,
    /// SHA-256 of the original as received, lower case hex.
    pub sha256: String,
    /// It was sealed when it came: what stands in its place plain is refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sealed: bool,
    /// How it came; none when the record had to be rebuilt from the bytes.
    pub arrival: Option<Arrival>,
    /// Tries to clean it since it was received or released.
    pub attempts: u32,
    /// Times it was released from quarantine.
    pub releases: u32,
    /// Why it was quarantined last. Kept after a release; the state is told by
    /// the original's name alone.
    pub quarantine: Option<QuarantineNote>,
    /// What each destination answered for good, since the last release.
    pub deliveries: BTreeMap<DestinationName, Delivery>,
    /// Who threw it away, written before it goes.
    pub discarded: Option<Discard>,
    /// What people decided when they released it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
    /// When its sender's repeat sent it out again last, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resent_unix_ms: Option<u64>,
    /// What destinations said of keeping it, since they last got it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub commitments: BTreeMap<DestinationName, Commitment>,
    /// Destinations that its clean copy was made for last, so that one whose outbox
    /// link somebody removed is missed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub meant_for: Vec<DestinationName>,
    /// Destinations that have something else under its UID, as far as is known: their
    /// 0111 says nothing of this one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub taken_at: BTreeSet<DestinationName>,
    /// It was forgotten although no destination's word stands here: it was meant for none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forgotten: bool,
}

impl Record {
    /// It was delivered and forgotten, or thrown away: its other files may be gone.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.forgotten || self.discarded.is_some()
    }

    /// Whether each destination that it was meant for has said its last word.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        let mut meant_for = self.meant_for.iter();
        !self.deliveries.is_empty() && meant_for.all(|name| self.deliveries.contains_key(name))
    }

    /// Whether a person has accepted it although a note of this time withdraws it.
    #[must_use]
    pub fn is_accepted(&self, withdrawn_unix_ms: u64) -> bool {
        self.decisions.iter().any(|decision| {
            decision.then == Then::Accept && decision.at_unix_ms >= withdrawn_unix_ms
        })
    }

    /// It was set aside last because its bytes are not what they were.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        let note = self.quarantine.as_ref();
        note.is_some_and(|note| note.why.reason == Reason::DamagedSpool)
    }
}

/// A quarantine and its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineNote {
    /// Reason and place.
    pub why: Quarantine,
    /// Milliseconds since 1970.
    pub at_unix_ms: u64,
    /// How often it had been released by then.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub round: u32,
    /// Under which UIDs it was to leave, where that was known by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaving: Option<Leaving>,
    /// What it was cleaned with, as the caller names rules, models and version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// New UIDs of an instance that has not left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    /// Study Instance UID.
    pub study: String,
    /// SOP Instance UID.
    pub instance: String,
}

/// What is done with a released instance beside cleaning it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// Elements of this tag are removed at any depth.
    Remove(u16, u16),
    /// Elements of this tag are emptied at any depth.
    Empty(u16, u16),
    /// Its study is its person's from now on, whoever had it before.
    Adopt,
    /// It is passed on although a rejection note names it.
    Accept,
    /// It is passed on although another object of its SOP Instance UID was.
    Replace,
    /// It leaves uncompressed: a destination takes it in Explicit VR Little Endian alone.
    ExplicitLittleEndian,
    /// The same for Implicit VR Little Endian.
    ImplicitLittleEndian,
}

/// A person's decision on one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What is done.
    pub then: Then,
    /// Who decided.
    pub actor: String,
    /// Why, in the actor's words.
    pub reason: String,
    /// Milliseconds since 1970.
    pub at_unix_ms: u64,
    /// The release that it belongs to, counted from 1; 0 where nobody was asked.
    #[serde(default)]
    pub round: u32,
}

/// The last word of a destination on one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// DIMSE status (PS3.7 Annex C): 0000 or a warning; 0000 for a folder.
    pub status: u16,
    /// Milliseconds since 1970.
    pub at_unix_ms: u64,
}

/// Who threw an instance away, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discard {
    /// Who decided.
    pub actor: String,
    /// Why, in the actor's words.
    pub reason: String,
    /// Milliseconds since 1970.
    pub at_unix_ms: u64,
}

/// What a record's file holds.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) record: Record,
    /// Length up to the end of the last whole pair.
    pub(super) whole_bytes: u64,
    /// Something follows that is no whole pair.
    pub(super) is_torn: bool,
}

/// Why a record's file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RecordFault {
    /// What is wrong, in plain words.
    Damaged(&'static str),
    /// A key is missing.
    Locked(VaultError),
}

impl RecordFault {
    /// A key that is missing is remembered: the instance waits for it.
    pub(super) fn of(self, id: SpoolId, vault: &Vault) -> SpoolError {
        match self {
            Self::Damaged(what) => SpoolError::Damaged { id, what },
            Self::Locked(source) => {
                vault.note_missing(&source);
                SpoolError::Locked { id, source }
            }
        }
    }
}

impl From<VaultError> for RecordFault {
    fn from(fault: VaultError) -> Self {
        match fault {
            VaultError::Damaged => Self::Damaged("a sealed entry was changed or is another's"),
            VaultError::Plain => Self::Damaged("a plain entry stands where a sealed one was"),
            VaultError::UnknownKey { .. } | VaultError::NoRandomness => Self::Locked(fault),
        }
    }
}

fn seal_of(id: SpoolId, required: bool) -> Seal {
    Seal { id: id.to_bytes(), kind: Kind::Record, required }
}

/// One pair of lines that stands `at` bytes from the start of its file.
pub(super) fn encode(record: &Record, at: u64, vault: &Vault) -> io::Result<Vec<u8>> {
    let mut pair = serde_json::to_vec(record)?;
    if vault.seals() || record.sealed {
        pair = vault.seal_line(&seal_of(record.id, true), at, &pair)?;
    }
    let crc = crc32fast::hash(&pair);
    pair.extend_from_slice(format!("\n{crc:08x}\n").as_bytes());
    Ok(pair)
}

/// Reads the file of `id`.
pub(super) fn decode(id: SpoolId, file: &[u8], vault: &Vault) -> Result<Decoded, RecordFault> {
    let (mut last, mut sealed_before) = (None, false);
    let mut rest = file;
    while let Some((line, crc, after)) = split_pair(rest) {
        if crc != format!("{:08x}", crc32fast::hash(line)).as_bytes() {
            return Err(RecordFault::Damaged("a checksum is wrong"));
        }
        let at = byte_count(file).saturating_sub(byte_count(rest));
        let opened = vault.open_line(&seal_of(id, sealed_before), at, line)?;
        sealed_before = opened.is_some();
        last = Some(opened.unwrap_or_else(|| Zeroizing::new(line.to_vec())));
        rest = after;
    }
    let last = last.ok_or(RecordFault::Damaged("it holds no whole entry"))?;
    let record = parse(id, &last).map_err(RecordFault::Damaged)?;
    if record.sealed && !sealed_before {
        return Err(VaultError::Plain.into());
    }
    let whole_bytes = byte_count(file).saturating_sub(byte_count(rest));
    Ok(Decoded { record, whole_bytes, is_torn: !rest.is_empty() })
}

/// The newest entry that can still be trusted in a damaged file.
pub(super) fn salvage(id: SpoolId, file: &[u8], vault: &Vault) -> Option<Record> {
    let (mut newest, mut sealed_before) = (None, false);
    let mut rest = file;
    while let Some((line, crc, after)) = split_pair(rest) {
        let at = byte_count(file).saturating_sub(byte_count(rest));
        let is_whole = crc == format!("{:08x}", crc32fast::hash(line)).as_bytes();
        if is_whole && let Ok(opened) = vault.open_line(&seal_of(id, sealed_before), at, line) {
            sealed_before |= opened.is_some();
            let json = opened.as_ref().map_or(line, |opened| opened.as_slice());
            newest = parse(id, json).ok().or(newest);
        }
        rest = after;
    }
    newest
}

fn parse(id: SpoolId, json: &[u8]) -> Result<Record, &'static str> {
    #[derive(Deserialize)]
    struct Head {
        version: u32,
    }
    let head: Head = serde_json::from_slice(json).map_err(|_not_ours| "it cannot be read")?;
    if head.version != VERSION {
        return Err("its version is not known to this release");
    }
    let record: Record = serde_json::from_slice(json).map_err(|_not_ours| "it cannot be read")?;
    if record.id == id { Ok(record) } else { Err("it belongs to another instance") }
}

fn split_pair(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (json, rest) = split_line(bytes)?;
    let (crc, rest) = split_line(rest)?;
    Some((json, crc, rest))
}

fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at_checked(end)?;
    Some((line, rest.strip_prefix(b"\n")?))
}

fn byte_count(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

mod hex_16 {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(key: &[u8; 16], to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{:032x}", u128::from_be_bytes(*key)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 16], D::Error> {
        let text = String::deserialize(from)?;
        u128::from_str_radix(&text, 16).map(u128::to_be_bytes).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::invented_arrival;

    /// The record's functions without a vault.
    fn encode(record: &Record) -> io::Result<Vec<u8>> {
        super::encode(record, 0, &Vault::default())
    }

    fn decode(id: SpoolId, file: &[u8]) -> Result<Decoded, &'static str> {
        super::decode(id, file, &Vault::default()).map_err(|fault| match fault {
            RecordFault::Damaged(what) => what,
            RecordFault::Locked(_) => "locked",
        })
    }

    fn salvage(id: SpoolId, file: &[u8]) -> Option<Record> {
        super::salvage(id, file, &Vault::default())
    }

    fn record() -> Record {
        Record {
            version: VERSION,
            id: "0123456789abcdef0123456789abcdef".parse().unwrap(),
            received_unix_ms: 1,
            bytes: 2,
            sha256: "00".repeat(32),
            sealed: false,
            arrival: Some(invented_arrival()),
            attempts: 0,
            releases: 0,
            quarantine: None,
            deliveries: BTreeMap::new(),
            discarded: None,
            decisions: Vec::new(),
            resent_unix_ms: None,
            commitments: BTreeMap::new(),
            forgotten: false,
            meant_for: Vec::new(),
            taken_at: BTreeSet::new(),
        }
    }

    #[test]
    fn the_last_whole_entry_counts_and_a_torn_tail_of_any_length_is_left_out() {
        let first = record();
        let second = Record { attempts: 1, ..first.clone() };
        let mut file = encode(&first).unwrap();
        let whole = file.len();
        file.extend(encode(&second).unwrap());
        assert_eq!(decode(first.id, &file).unwrap().record, second);
        for torn in whole..file.len() {
            let decoded = decode(first.id, &file[..torn]).unwrap();
            assert_eq!(
                (decoded.record, decoded.whole_bytes),
                (first.clone(), byte_count(&file[..whole]))
            );
        }
        let zeros = [&file[..whole + 9], &[0; 300]].concat();
        assert_eq!(decode(first.id, &zeros).unwrap().record, first);
    }

    #[test]
    fn every_flipped_bit_of_a_record_is_noticed() {
        let record = record();
        let file = encode(&record).unwrap();
        for bit in 0..file.len() * 8 {
            let mut damaged = file.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(record.id, &damaged).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn damage_in_the_newest_entry_leaves_the_one_before_to_be_salvaged() {
        let first = record();
        let mut file = encode(&first).unwrap();
        file.extend(encode(&Record { attempts: 1, ..first.clone() }).unwrap());
        let at = file.len() - 20;
        file[at] ^= 1;
        assert_eq!(decode(first.id, &file).unwrap_err(), "a checksum is wrong");
        assert_eq!(salvage(first.id, &file), Some(first));
    }

    #[test]
    fn a_record_of_another_version_or_instance_is_refused() {
        let other = Record { version: 2, ..record() };
        let file = encode(&other).unwrap();
        assert!(decode(other.id, &file).unwrap_err().contains("version"));
        let moved = "f".repeat(32).parse().unwrap();
        assert!(decode(moved, &encode(&record()).unwrap()).unwrap_err().contains("another"));
    }

    #[test]
    fn the_first_line_is_json_that_a_person_can_read() {
        let file = String::from_utf8(encode(&record()).unwrap()).unwrap();
        let json: serde_json::Value = serde_json::from_str(file.lines().next().unwrap()).unwrap();
        assert_eq!(json["id"], "0123456789abcdef0123456789abcdef");
        assert_eq!(json["arrival"]["calling_ae"], "US1");
        assert_eq!(json["arrival"]["instance_key"], "07".repeat(16));
    }
}
