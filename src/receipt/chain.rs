//! Lines of the ledger and its anchor: receipts in, chained lines out, and back.
//!
//! ```text
//! line    the receipt's JSON object with one more field at its end, "chain":
//!         hex HMAC-SHA-256(chain key, chain of the line before ‖ receipt's JSON)
//! anchor  512 bytes: JSON, blanks, line end; two files, written in turn
//! ```
//! Invariant: without the key nobody can change, add, reorder or take out a
//! line, nor move the anchor, so that cut-off lines are missed too.
#![warn(clippy::indexing_slicing, clippy::as_conversions, clippy::arithmetic_side_effects)]

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::receipt::{RECEIPT_BYTES_MAX, hex};

/// Longest line with its end: a receipt and its chain.
pub(super) const LINE_BYTES_MAX: usize = RECEIPT_BYTES_MAX + 80;
/// Length of an anchor: a sector, the most that disks write as one.
pub(super) const SLOT_BYTES: usize = 512;
const CHAIN_FIELD: &str = r#","chain":""#;
const CHAIN_END: &str = "\"}";

/// The ledger's key, derived from the node's master key.
#[derive(Clone)]
pub struct LedgerKey(Zeroizing<[u8; 32]>);

impl LedgerKey {
    /// Takes the derived key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    fn mac(&self, parts: &[&[u8]]) -> ChainHash {
        let mut mac = hmac(self.0.as_slice());
        for part in parts {
            mac.update(part);
        }
        ChainHash(mac.finalize().into_bytes().into())
    }

    /// The chain before the first line.
    pub(super) fn genesis(&self) -> ChainHash {
        self.mac(&[b"airlock receipt ledger 1"])
    }

    fn next(&self, before: &ChainHash, json: &[u8]) -> ChainHash {
        // The first byte tells lines from anchors and from the start.
        self.mac(&[b"L", &before.0, json])
    }
}

impl std::fmt::Debug for LedgerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LedgerKey(‹secret›)")
    }
}

#[allow(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104)")]
fn hmac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes any key length")
}

/// Stands for all lines up to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChainHash([u8; 32]);

impl ChainHash {
    fn from_hex(text: &str) -> Option<Self> {
        let mut hash = [0; 32];
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Self(hash))
    }
}

/// Chains a receipt's JSON object to what stands before it. Gives the line with its end.
pub(super) fn seal_line(key: &LedgerKey, before: &ChainHash, json: &str) -> (String, ChainHash) {
    let chain = key.next(before, json.as_bytes());
    let open_object = json.strip_suffix('}').unwrap_or(json);
    (format!("{open_object}{CHAIN_FIELD}{}{CHAIN_END}\n", hex(&chain.0)), chain)
}

/// A line taken apart; whether its chain is right is another question.
pub(super) struct Line {
    /// The receipt's JSON object.
    pub(super) json: String,
    chain: ChainHash,
}

impl Line {
    /// Takes a line with its end; nothing where it is none.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
        let (open_object, chain) = text.strip_suffix(CHAIN_END)?.rsplit_once(CHAIN_FIELD)?;
        Some(Self { json: format!("{open_object}}}"), chain: ChainHash::from_hex(chain)? })
    }

    /// The chain after this line, if it follows on `before`.
    pub(super) fn follows(&self, key: &LedgerKey, before: &ChainHash) -> Option<ChainHash> {
        (key.next(before, self.json.as_bytes()) == self.chain).then_some(self.chain)
    }
}

/// Up to where the ledger is synced and its callers were told so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Anchor {
    /// Counts the writes of the anchor; says which of the two is newer.
    pub(super) turn: u64,
    /// File of the last line; empty before the first.
    pub(super) segment: String,
    /// Its length up to and with the last line.
    pub(super) bytes: u64,
    /// Lines in all segments.
    pub(super) lines: u64,
    /// The chain after the last line.
    pub(super) chain: ChainHash,
}

#[derive(Serialize, Deserialize)]
struct AnchorJson {
    turn: u64,
    segment: String,
    bytes: u64,
    lines: u64,
    chain: String,
    seal: String,
}

impl Anchor {
    /// The anchor of an empty ledger.
    pub(super) fn start(key: &LedgerKey) -> Self {
        Self { turn: 0, segment: String::new(), bytes: 0, lines: 0, chain: key.genesis() }
    }

    /// The bytes of its file.
    pub(super) fn to_slot(&self, key: &LedgerKey) -> Option<[u8; SLOT_BYTES]> {
        let fields = AnchorJson {
            turn: self.turn,
            segment: self.segment.clone(),
            bytes: self.bytes,
            lines: self.lines,
            chain: hex(&self.chain.0),
            seal: hex(&self.seal(key).0),
        };
        let json = serde_json::to_vec(&fields).ok()?;
        let mut slot = [b' '; SLOT_BYTES];
        let (end, blanks) = slot.split_last_mut()?;
        blanks.get_mut(..json.len())?.copy_from_slice(&json);
        *end = b'\n';
        Some(slot)
    }

    /// Reads them; nothing where it is torn, empty or sealed with another key.
    pub(super) fn from_slot(key: &LedgerKey, slot: &[u8]) -> Option<Self> {
        let fields: AnchorJson = serde_json::from_slice(slot).ok()?;
        let anchor = Self {
            turn: fields.turn,
            segment: fields.segment,
            bytes: fields.bytes,
            lines: fields.lines,
            chain: ChainHash::from_hex(&fields.chain)?,
        };
        (ChainHash::from_hex(&fields.seal)? == anchor.seal(key)).then_some(anchor)
    }

    fn seal(&self, key: &LedgerKey) -> ChainHash {
        let numbers = [self.turn, self.bytes, self.lines].map(u64::to_be_bytes).concat();
        // The segment, of varying length, comes last.
        key.mac(&[b"A", &numbers, &self.chain.0, self.segment.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_follows_only_on_the_one_before_it() {
        let key = LedgerKey::new([7; 32]);
        let (first, chain) = seal_line(&key, &key.genesis(), r#"{"id":"a"}"#);
        let (second, _end) = seal_line(&key, &chain, r#"{"id":"b"}"#);
        let parsed = Line::parse(second.as_bytes()).unwrap();
        assert_eq!(parsed.json, r#"{"id":"b"}"#);
        assert!(parsed.follows(&key, &chain).is_some());
        assert!(parsed.follows(&key, &key.genesis()).is_none());
        let first = Line::parse(first.as_bytes()).unwrap();
        assert!(first.follows(&LedgerKey::new([8; 32]), &key.genesis()).is_none());
        assert!(serde_json::from_str::<serde_json::Value>(&second).is_ok(), "plain JSON");
    }

    #[test]
    fn a_changed_line_does_not_follow() {
        let key = LedgerKey::new([7; 32]);
        let (line, _chain) = seal_line(&key, &key.genesis(), r#"{"id":"a","n":1}"#);
        for at in 0..line.len() {
            let mut bytes = line.clone().into_bytes();
            bytes[at] ^= 1;
            let follows = Line::parse(&bytes).and_then(|l| l.follows(&key, &key.genesis()));
            assert!(follows.is_none(), "byte {at}");
        }
    }

    #[test]
    fn an_anchor_fits_its_slot_and_only_reads_back_unchanged() {
        let key = LedgerKey::new([7; 32]);
        let anchor = Anchor {
            turn: u64::MAX,
            segment: "2026-11-22.jsonl".to_owned(),
            bytes: 123_456_789_012,
            lines: 1_234_567_890,
            ..Anchor::start(&key)
        };
        let Some(slot) = anchor.to_slot(&key) else { panic!("does not fit") };
        assert_eq!(Anchor::from_slot(&key, &slot), Some(anchor));
        for at in 0..SLOT_BYTES {
            let mut changed = slot;
            changed[at] = b'1';
            if changed != slot {
                assert_eq!(Anchor::from_slot(&key, &changed), None, "byte {at}");
            }
        }
        assert_eq!(Anchor::from_slot(&key, &[b' '; SLOT_BYTES]), None);
    }
}
