//! Names that the spool gives and takes: [`SpoolId`] and [`DestinationName`].
//!
//! Invariant: nothing a peer sent ever becomes part of a path; both types
//! print only characters that are safe in a file name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Name of one instance in this node: time-ordered, never a peer's text.
///
/// 48 bits milliseconds since 1970, 16 bits counter, 64 random bits; printed
/// as 32 lower case hex digits, so that names sort by time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpoolId(u128);

/// Why a text is no name of the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not an id.
    #[error("a spool id has 32 lower case hexadecimal digits")]
    Id,
    /// Not a destination.
    #[error("a destination's name has 1 to 32 characters out of a-z, 0-9 and -")]
    Destination,
}

impl SpoolId {
    /// Sorts before every other.
    pub const LOWEST: Self = Self(0);

    /// Milliseconds since 1970 of the id's making.
    #[must_use]
    pub fn unix_ms(self) -> u64 {
        u64::try_from(self.0 >> 80).unwrap_or(u64::MAX)
    }

    /// The id as 16 bytes, big endian.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    fn new(unix_ms: u64, counter: u16, random: u64) -> Self {
        Self(u128::from(unix_ms) << 80 | u128::from(counter) << 64 | u128::from(random))
    }
}

impl FromStr for SpoolId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let legal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 32 || !text.bytes().all(legal) {
            return Err(NameError::Id);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_not_hex| NameError::Id)
    }
}

impl TryFrom<String> for SpoolId {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<SpoolId> for String {
    fn from(id: SpoolId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for SpoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for SpoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Makes ids that rise strictly, whatever the wall clock does.
#[derive(Debug)]
pub(super) struct IdSource {
    last_ms: u64,
    counter: u16,
    random: u64,
}

/// Largest time that fits in 48 bits: the year 10889.
const MS_MAX: u64 = (1 << 48) - 1;

impl IdSource {
    /// Starts above `newest`, so that a clock set back does not bring new
    /// instances before waiting ones. `random` keeps two processes apart.
    pub(super) fn new(newest: Option<SpoolId>, random: u64) -> Self {
        Self { last_ms: newest.map_or(0, SpoolId::unix_ms), counter: u16::MAX, random }
    }

    pub(super) fn next(&mut self, now_ms: u64) -> SpoolId {
        let now_ms = now_ms.min(MS_MAX);
        if now_ms > self.last_ms {
            (self.last_ms, self.counter) = (now_ms, 0);
        } else if let Some(counter) = self.counter.checked_add(1) {
            self.counter = counter;
        } else {
            (self.last_ms, self.counter) = (self.last_ms.saturating_add(1), 0);
        }
        SpoolId::new(self.last_ms, self.counter, self.random)
    }
}

/// Name of a destination in the configuration; a directory under `outbox`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DestinationName(String);

impl DestinationName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DestinationName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=32).contains(&text.len()) && text.bytes().all(legal) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::Destination)
        }
    }
}

impl TryFrom<String> for DestinationName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<DestinationName> for String {
    fn from(name: DestinationName) -> Self {
        name.0
    }
}

impl fmt::Display for DestinationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_strictly_when_the_clock_stands_jumps_back_or_overflows_the_counter() {
        let mut source = IdSource::new(None, 7);
        let mut last = source.next(1_000);
        for step in 0..70_000_u64 {
            let now_ms = if step % 3 == 0 { 1_000 } else { 10 };
            let id = source.next(now_ms);
            assert!(id > last, "{id} after {last}");
            last = id;
        }
        assert_eq!(last.unix_ms(), 1_001, "65,536 ids share a millisecond");
        let later = IdSource::new(Some(last), 0).next(5);
        assert!(later > last, "a restart with the clock set back goes on above");
    }

    #[test]
    fn an_id_reads_back_from_its_32_digits_and_nothing_else_does() {
        let id = SpoolId::new(0x0123_4567_89ab, 0xcdef, u64::MAX);
        assert_eq!(id.to_string(), "0123456789abcdefffffffffffffffff");
        assert_eq!(id.to_string().parse(), Ok(id));
        let upper = id.to_string().to_uppercase();
        for bad in ["", "12", "+123456789abcdefffffffffffffffff", "../..", upper.as_str()] {
            assert_eq!(bad.parse::<SpoolId>(), Err(NameError::Id), "{bad:?}");
        }
    }

    #[test]
    fn a_destination_is_a_safe_directory_name() {
        assert_eq!("research-pacs2".parse::<DestinationName>().unwrap().as_str(), "research-pacs2");
        let long = "a".repeat(33);
        for bad in ["", ".", "..", "a/b", "A", "a b", "ä", "a.part", long.as_str()] {
            assert_eq!(bad.parse::<DestinationName>(), Err(NameError::Destination), "{bad:?}");
        }
    }
}
