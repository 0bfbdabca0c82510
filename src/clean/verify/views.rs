//! The texts that some bytes may stand for: by the stated character set, and by
//! those in which a name can be written where nobody states one.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::known::Known;
use super::spelling::is_wide;
use crate::dicom::VR;
use crate::dicom::charset::Charset;
use crate::dicom::looks::{latin_words, without_unseen};

/// Bytes up to here are read in every coding; longer ones where the person's
/// values ask for it.
const SMALL_BYTES_MAX: usize = 16 << 10;
/// Latin letters and katakana in other widths.
const HALF_AND_FULL_WIDTH: std::ops::RangeInclusive<char> = '\u{ff00}'..='\u{ffef}';
/// Begins an escape sequence of ISO 2022.
const ESCAPE: u8 = 0x1B;
/// Controls that text may hold (PS3.5 §6.1.3): TAB, LF, FF, CR, ESC.
const TEXT_CONTROLS: [u8; 5] = [9, 10, 12, 13, ESCAPE];
/// Character sets of languages written without spaces, all that one sender may
/// use together (PS3.3 Tables C.12-4, C.12-5), and the systems' own.
const WIDE_SETS: [&[u8]; 2] = [
    b"\\ISO 2022 IR 87\\ISO 2022 IR 13\\ISO 2022 IR 159\\ISO 2022 IR 149\\ISO 2022 IR 58",
    b"GB18030",
];
const WIDE_LABELS: [&[u8]; 3] = [b"shift_jis", b"euc-kr", b"big5"];

/// Other readings of the bytes of a text value than the stated one.
pub(super) fn of_text(bytes: &[u8], known: &Known) -> Vec<String> {
    let mut views = Vec::new();
    if bytes.iter().any(|byte| !byte.is_ascii() || *byte == ESCAPE) {
        push_sets(&mut views, bytes, known);
    }
    let inner = bytes.trim_ascii_end();
    let inner = inner.strip_suffix(b"\0").unwrap_or(inner);
    if inner.iter().any(|byte| byte.is_ascii_control() && !TEXT_CONTROLS.contains(byte)) {
        push_utf16(&mut views, bytes, known);
    }
    views
}

/// The readings of bytes that no VR calls text.
pub(super) fn of_bytes(bytes: &[u8], known: &Known) -> Vec<String> {
    let mut views = vec![ascii(bytes.iter().copied())];
    let beyond = bytes.iter().any(|byte| !byte.is_ascii() || *byte == ESCAPE);
    let small = bytes.len() <= SMALL_BYTES_MAX;
    if (small || known.beyond_ascii) && beyond {
        push_sets(&mut views, bytes, known);
    }
    // CJK letters in UTF-16 can be four bytes of ASCII, Cyrillic ones have no NUL.
    if small || known.beyond_ascii || bytes.contains(&0) {
        push_utf16(&mut views, bytes, known);
    }
    if small && beyond {
        push_seen(&mut views, "");
    }
    views
}

/// What readers see of the views where it is not what stands there: nothing of
/// zero-width characters, Latin letters for those that look like them.
pub(super) fn push_seen(views: &mut Vec<String>, text: &str) {
    let mut seen = Vec::new();
    for view in std::iter::once(text).chain(views.iter().map(String::as_str)) {
        let closed = without_unseen(view).map(|closed| parted(&closed));
        let latin = match &closed {
            Some(closed) => latin_words(closed),
            None if view.is_ascii() => None,
            None => latin_words(&parted(view)),
        };
        seen.extend(latin.into_iter().chain(closed));
    }
    views.append(&mut seen);
}

/// A blank between writing without spaces and other letters: in bytes read as
/// UTF-16, what stands around a name mostly is such writing.
fn parted(text: &str) -> String {
    let mut parted = String::with_capacity(text.len());
    let mut before = None;
    for letter in text.chars() {
        let wide = is_wide(letter) && !HALF_AND_FULL_WIDTH.contains(&letter);
        if before.is_some_and(|before| before != wide) {
            parted.push(' ');
        }
        before = Some(wide);
        parted.push(letter);
    }
    parted
}

fn push_sets(views: &mut Vec<String>, bytes: &[u8], known: &Known) {
    views.push(String::from_utf8_lossy(bytes).into_owned());
    push(views, WINDOWS_1252, bytes);
    let wide = WIDE_SETS.iter().filter(|_| known.wide).map(|set| Charset::from_specific(set));
    for charset in known.charsets.iter().map(Cow::Borrowed).chain(wide.map(Cow::Owned)) {
        views.push(charset.decode(bytes, VR::UN).text);
    }
    for label in WIDE_LABELS.iter().filter(|_| known.wide) {
        if let Some(encoding) = Encoding::for_label(label) {
            push(views, encoding, bytes);
        }
    }
}

/// Both byte orders, from the first byte and from the second; and without NULs,
/// which reads over a change between them.
fn push_utf16(views: &mut Vec<String>, bytes: &[u8], known: &Known) {
    views.push(ascii(bytes.iter().copied().filter(|&byte| byte != 0)));
    if bytes.len() <= SMALL_BYTES_MAX || known.beyond_ascii {
        for encoding in [UTF_16LE, UTF_16BE] {
            push(views, encoding, bytes);
            push(views, encoding, bytes.get(1..).unwrap_or_default());
        }
    }
}

fn push(views: &mut Vec<String>, encoding: &'static Encoding, bytes: &[u8]) {
    views.push(encoding.decode_without_bom_handling(bytes).0.into_owned());
}

/// ASCII of bytes; a space for every other.
fn ascii(bytes: impl Iterator<Item = u8>) -> String {
    bytes.map(|byte| if byte.is_ascii() { char::from(byte) } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> Known {
        let mut known = Known::default();
        known.add_name(name);
        known
    }

    fn holds(views: &[String], text: &str) -> bool {
        views.iter().any(|view| view.contains(text))
    }

    #[test]
    fn a_name_is_read_in_all_codings_of_its_language() {
        let (name, known) = ("\u{5c71}\u{7530}", known("\u{5c71}\u{7530}^\u{592a}\u{90ce}"));
        let utf16 = |to: fn(u16) -> [u8; 2]| name.encode_utf16().flat_map(to).collect::<Vec<u8>>();
        for bytes in [
            name.as_bytes().to_vec(),
            b"\x1b$B;3ED\x1b(B".to_vec(),
            encoding_rs::SHIFT_JIS.encode(name).0.into_owned(),
            encoding_rs::GB18030.encode(name).0.into_owned(),
            utf16(u16::to_le_bytes),
            [vec![7], utf16(u16::to_be_bytes)].concat(),
        ] {
            assert!(holds(&of_bytes(&bytes, &known), name), "{bytes:?}");
        }
    }

    #[test]
    fn latin_letters_are_read_in_both_codings_and_behind_nuls() {
        let known = known("M\u{fc}ller^Jo");
        for bytes in [&b"M\xFCller"[..], b"M\xC3\xBCller", b"M\0\xFC\0l\0l\0e\0r\0"] {
            assert!(holds(&of_bytes(bytes, &known), "M\u{fc}ller"), "{bytes:?}");
        }
        assert!(holds(&of_text(b"Q\0u\0i\0l\0l\0", &known), "Quill"));
        assert!(of_text(b"Quill\0", &known).is_empty());
    }
}
