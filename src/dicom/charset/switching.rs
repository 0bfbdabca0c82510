//! Code extension by ISO 2022 escape sequences (PS3.5 §6.1.2.5).

use super::sets::Set;
use super::{Decoded, has_values};
use crate::dicom::VR;

/// Begins an escape sequence.
pub(super) const ESCAPE: u8 = 0x1B;
/// Escape sequences, without ESC, that put ASCII or JIS X 0201 romaji in the
/// lower area. Romaji differs in yen and overline only, which matter for no name.
const TO_ASCII: [&[u8]; 2] = [b"(B", b"(J"];
const TO_ASCII_PLAIN: &[u8] = b"(B";
const TO_ASCII_ROMAJI: &[u8] = b"(J";

/// What the two code areas hold; `None` below is ASCII, above nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Areas {
    lower: Option<Set>,
    upper: Option<Set>,
}

impl Areas {
    /// The state at the start of a value and after delimiters (PS3.5 §6.1.2.5.3).
    fn initial(first: Option<Set>) -> Self {
        Self { lower: None, upper: first.filter(|set| !set.is_lower()) }
    }

    fn invoke(&mut self, set: Set) {
        if set.is_lower() {
            self.lower = Some(set);
        } else {
            self.upper = Some(set);
        }
    }
}

/// Decodes bytes with escape sequences.
pub(super) fn decode(bytes: &[u8], vr: VR, first: Option<Set>, others: &[Set]) -> Decoded {
    let initial = Areas::initial(first);
    // Some senders leave the escape sequence out where only one set can be meant.
    let unescaped = others.iter().copied().find(|set| !set.is_lower());
    let mut areas = initial;
    let mut out = Decoded { text: String::with_capacity(bytes.len()), lossy: false };
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        if byte == ESCAPE {
            let taken = escape(after, &mut areas);
            out.lossy |= taken.is_none();
            rest = after.get(taken.unwrap_or(0)..).unwrap_or_default();
            continue;
        }
        let set = if byte.is_ascii_graphic() {
            areas.lower
        } else if byte.is_ascii() {
            None
        } else {
            areas.upper.or(unescaped)
        };
        let decoded = match set {
            Some(set) => set.decode(rest),
            None => byte.is_ascii().then(|| (String::from(char::from(byte)), 1)),
        };
        let (text, taken) = decoded.unwrap_or_else(|| {
            out.lossy = true;
            (String::from(char::REPLACEMENT_CHARACTER), 1)
        });
        out.text.push_str(&text);
        if set.is_none() && resets(byte, vr) {
            areas = initial;
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// Follows the escape sequence after ESC; its length, `None` when unknown.
fn escape(after: &[u8], areas: &mut Areas) -> Option<usize> {
    if let Some(sequence) = TO_ASCII.iter().find(|sequence| after.starts_with(sequence)) {
        areas.lower = None;
        return Some(sequence.len());
    }
    let (set, length) = Set::of_escape(after)?;
    areas.invoke(set);
    Some(length)
}

/// After these the initial sets are active again (PS3.5 §6.1.2.5.3).
fn resets(byte: u8, vr: VR) -> bool {
    match byte {
        b'\t' | b'\n' | 0x0C | b'\r' => true,
        b'\\' => has_values(vr),
        b'^' | b'=' => vr == VR::PN,
        _other => false,
    }
}

/// Encodes text, with escape sequences when there are `others`.
pub(super) fn encode(text: &str, first: Option<Set>, others: &[Set]) -> Option<Vec<u8>> {
    let initial = Areas::initial(first);
    let mut areas = initial;
    // What the upper area holds is the same for every VR.
    let mut said = true;
    let mut bytes = Vec::with_capacity(text.len());
    for letter in text.chars() {
        if let Ok(byte) = u8::try_from(letter).map_err(drop).and_then(ascii) {
            to_ascii(&mut bytes, &mut areas, first);
            bytes.push(byte);
            // Without knowing the VR, what is active behind `\\`, `^` and `=` is
            // not known: the next set is said again, the initial one too.
            if resets(byte, VR::PN) {
                let always = resets(byte, VR::LT);
                said = always || said && areas == initial;
                areas = initial;
            }
            continue;
        }
        let active = [areas.lower, areas.upper].into_iter().flatten();
        let known = first.into_iter().chain(others.iter().copied());
        let mut sets = active.chain(known.filter(|_| !others.is_empty()));
        let (set, coded) = sets.find_map(|set| Some((set, set.encode(letter)?)))?;
        let is_lower = set.is_lower();
        if ![areas.lower, areas.upper].contains(&Some(set)) || !said && !is_lower {
            bytes.push(ESCAPE);
            bytes.extend(set.escape());
            areas.invoke(set);
            said |= !is_lower;
        }
        bytes.extend(coded);
    }
    to_ascii(&mut bytes, &mut areas, first);
    Some(bytes)
}

fn ascii(byte: u8) -> Result<u8, ()> {
    if byte.is_ascii() { Ok(byte) } else { Err(()) }
}

/// Brings ASCII, or romaji where value 1 is JIS X 0201, back to the lower area.
fn to_ascii(bytes: &mut Vec<u8>, areas: &mut Areas, first: Option<Set>) {
    if areas.lower.take().is_some() {
        bytes.push(ESCAPE);
        let romaji = first == Some(Set::Katakana);
        bytes.extend(if romaji { TO_ASCII_ROMAJI } else { TO_ASCII_PLAIN });
    }
}
