//! The registered character sets and how one character of each is coded.

use encoding_rs::{
    EUC_JP, EUC_KR, Encoding, GBK, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5, ISO_8859_6,
    ISO_8859_7, ISO_8859_8, ISO_8859_15, WINDOWS_874, WINDOWS_1252, WINDOWS_1254,
};

/// Bit that tells the upper code area (G1) from the lower (G0).
const HIGH_BIT: u8 = 0x80;
/// First of the half-width katakana in Unicode, at 0xA1 in JIS X 0201.
const KATAKANA_FIRST: u32 = 0xFF61;
const KATAKANA_FIRST_BYTE: u8 = 0xA1;

/// A set that is invoked into one of the two code areas (PS3.3 Tables C.12-3, C.12-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    /// The upper half of an ISO 8859 part; ASCII is beneath it.
    Upper(&'static Encoding),
    /// JIS X 0201 katakana (IR 13), in the upper area.
    Katakana,
    /// JIS X 0208 (IR 87), two bytes in the lower area.
    Jis208,
    /// JIS X 0212 (IR 159), two bytes in the lower area.
    Jis212,
    /// KS X 1001 (IR 149), two bytes in the upper area.
    Korean,
    /// GB 2312 (IR 58), two bytes in the upper area.
    Chinese,
}

/// Registration number, escape sequence without ESC, set.
///
/// The tables of the WHATWG are supersets of the registered sets: they also
/// read the bytes 0x80 to 0x9F as the Windows code pages do, which senders use.
const SETS: [(u16, &[u8], Set); 16] = [
    (100, b"-A", Set::Upper(WINDOWS_1252)),
    (101, b"-B", Set::Upper(ISO_8859_2)),
    (109, b"-C", Set::Upper(ISO_8859_3)),
    (110, b"-D", Set::Upper(ISO_8859_4)),
    (126, b"-F", Set::Upper(ISO_8859_7)),
    (127, b"-G", Set::Upper(ISO_8859_6)),
    (138, b"-H", Set::Upper(ISO_8859_8)),
    (144, b"-L", Set::Upper(ISO_8859_5)),
    (148, b"-M", Set::Upper(WINDOWS_1254)),
    (166, b"-T", Set::Upper(WINDOWS_874)),
    (203, b"-b", Set::Upper(ISO_8859_15)),
    (13, b")I", Set::Katakana),
    (87, b"$B", Set::Jis208),
    (159, b"$(D", Set::Jis212),
    (149, b"$)C", Set::Korean),
    (58, b"$)A", Set::Chinese),
];

impl Set {
    /// The set of an ISO registration number.
    pub(super) fn of_registration(number: u16) -> Option<Self> {
        SETS.iter().find(|(registered, ..)| *registered == number).map(|(.., set)| *set)
    }

    /// The set that the escape sequence at the start of `bytes` (after ESC)
    /// invokes, and the sequence's length.
    pub(super) fn of_escape(bytes: &[u8]) -> Option<(Self, usize)> {
        SETS.iter()
            .find(|(_, sequence, _)| bytes.starts_with(sequence))
            .map(|(_, sequence, set)| (*set, sequence.len()))
    }

    /// The escape sequence that invokes this set, without ESC.
    pub(super) fn escape(self) -> &'static [u8] {
        SETS.iter().find(|(.., set)| *set == self).map_or(&[], |(_, sequence, _)| sequence)
    }

    /// Lies in the lower area, in place of ASCII.
    pub(super) fn is_lower(self) -> bool {
        match self {
            Self::Jis208 | Self::Jis212 => true,
            Self::Upper(_) | Self::Katakana | Self::Korean | Self::Chinese => false,
        }
    }

    /// Takes one character from the start of `bytes`: its text and length in
    /// bytes. `None`: no character of this set.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<(String, usize)> {
        let first = *bytes.first()?;
        match self {
            Self::Upper(encoding) => decoded(encoding, &[first]).map(|text| (text, 1)),
            Self::Katakana => {
                let step = u32::from(first.checked_sub(KATAKANA_FIRST_BYTE)?);
                let letter = char::from_u32(KATAKANA_FIRST + step).filter(|_| first < 0xE0)?;
                Some((letter.into(), 1))
            }
            Self::Jis208 | Self::Jis212 | Self::Korean | Self::Chinese => {
                let second = *bytes.get(1)?;
                let lower = first & HIGH_BIT == 0 && second & HIGH_BIT == 0;
                let upper = first & HIGH_BIT != 0 && second & HIGH_BIT != 0;
                let fits = if self.is_lower() { lower } else { upper };
                let pair = [first | HIGH_BIT, second | HIGH_BIT];
                let text = match self {
                    Self::Jis208 => decoded(EUC_JP, &pair),
                    Self::Jis212 => decoded(EUC_JP, &[0x8F, pair[0], pair[1]]),
                    Self::Korean => decoded(EUC_KR, &pair),
                    Self::Chinese => decoded(GBK, &pair),
                    Self::Upper(_) | Self::Katakana => None,
                };
                text.filter(|_| fits).map(|text| (text, 2))
            }
        }
    }

    /// The bytes of one character that is not ASCII; `None` when it is not in
    /// this set. JIS X 0212 is only read: its one use is in rare names.
    pub(super) fn encode(self, letter: char) -> Option<Vec<u8>> {
        match self {
            Self::Upper(encoding) => encoded(encoding, letter).filter(|bytes| bytes.len() == 1),
            Self::Katakana => {
                let step = u8::try_from(u32::from(letter).checked_sub(KATAKANA_FIRST)?).ok()?;
                let byte = KATAKANA_FIRST_BYTE.checked_add(step)?;
                (byte < 0xE0).then(|| vec![byte])
            }
            Self::Jis208 => {
                let pair = upper_pair(EUC_JP, letter)?;
                Some(pair.into_iter().map(|byte| byte & !HIGH_BIT).collect())
            }
            Self::Jis212 => None,
            Self::Korean => upper_pair(EUC_KR, letter),
            Self::Chinese => upper_pair(GBK, letter),
        }
    }
}

fn decoded(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .map(std::borrow::Cow::into_owned)
}

fn encoded(encoding: &'static Encoding, letter: char) -> Option<Vec<u8>> {
    let text = String::from(letter);
    let (bytes, _, unmappable) = encoding.encode(&text);
    (!unmappable).then(|| bytes.into_owned())
}

/// Both bytes in the upper area; what the code pages add beyond the registered
/// set lies elsewhere.
fn upper_pair(encoding: &'static Encoding, letter: char) -> Option<Vec<u8>> {
    encoded(encoding, letter)
        .filter(|bytes| bytes.len() == 2 && bytes.iter().all(|&byte| byte >= 0xA1))
}
