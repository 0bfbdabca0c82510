//! Reads every element of the clean copy and searches it for what is known.

use std::io::{self, SeekFrom};

use super::finding::Finding;
use super::known::{Kind, Known};
use super::matcher::{Depth, Matcher};
use super::object::Object;
use super::patterns;
use super::refuse;
use crate::config::{Profile, ProfileOption};
use crate::dicom::charset::Charset;
use crate::dicom::vr::{PIXEL_DATA, is_private, is_private_creator};
use crate::dicom::write::ReadSeek;
use crate::dicom::{DataSet, Element, Extent, Tag, TagPath, VR, Value};
use crate::reason::Quarantine;

/// Bytes of a bulk value searched at a time. Default 1 MiB.
const CHUNK_BYTES: usize = 1 << 20;
/// Bytes searched again with the next piece: longer than any text searched for
/// that is likely to stand in binary data.
const OVERLAP_BYTES: usize = 1 << 10;
/// Up to here binary values are searched for short texts too; in longer ones
/// four letters stand by chance.
const SMALL_BYTES_MAX: usize = 4 << 10;
const SMALL_CHARS_MIN: usize = 4;
const LARGE_CHARS_MIN: usize = 7;
/// Shortest UID worth looking up.
const UID_CHARS_MIN: usize = 6;

const PATIENT_NAME: Tag = Tag(0x0010, 0x0010);
const PATIENT_ID: Tag = Tag(0x0010, 0x0020);
const CURVE_GROUPS: u16 = 0x5000;
const OVERLAY_GROUPS: u16 = 0x6000;
/// Float and Double Float Pixel Data.
const OTHER_PIXEL_DATA: [Tag; 2] = [Tag(0x7FE0, 0x0008), Tag(0x7FE0, 0x0009)];
/// Retired Variable Pixel Data.
const VARIABLE_GROUPS: u16 = 0x7F00;
const OVERLAY_CONTENT: [u16; 2] = [0x3000, 0x4000];

/// Searches the whole clean copy; the number of elements.
pub(super) fn scan(
    output: &mut Object<'_>,
    known: &Known,
    matcher: &Matcher<'_>,
    profile: &Profile,
) -> Result<u32, Quarantine> {
    if known.overflowed() {
        return Err(Finding::whole("too-many-identifiers").into());
    }
    let bulk = &mut *output.bulk;
    let mut scanner = Scanner { known, matcher, profile, bulk, elements: 0 };
    scanner.set(&output.set, &Charset::default(), &mut TagPath::root())?;
    Ok(scanner.elements)
}

struct Scanner<'a> {
    known: &'a Known,
    matcher: &'a Matcher<'a>,
    profile: &'a Profile,
    bulk: &'a mut dyn ReadSeek,
    elements: u32,
}

impl Scanner<'_> {
    fn set(
        &mut self,
        set: &DataSet,
        around: &Charset,
        path: &mut TagPath,
    ) -> Result<(), Quarantine> {
        let charset = around.for_item(set);
        for element in set.iter() {
            self.elements = self.elements.saturating_add(1);
            self.may_stand(element.tag, set, path)?;
            match &element.value {
                Value::Items(items) => {
                    for (index, item) in (0..).zip(items) {
                        path.enter(element.tag, index);
                        self.set(item, &charset, path)?;
                        path.leave();
                    }
                }
                Value::Bytes(bytes) => self.value(element, bytes, &charset, path)?,
                // The picture has checks of its own.
                Value::Bulk(_) if element.tag == PIXEL_DATA && path.depth() == 0 => {}
                Value::Bulk(extent) => self.bulk_value(element.tag, *extent, path)?,
                Value::Fragments { .. } if element.tag == PIXEL_DATA && path.depth() == 0 => {}
                Value::Fragments { .. } => {
                    return Err(Finding::new("other-pixel-data", path.at(element.tag)).into());
                }
            }
        }
        Ok(())
    }

    /// Elements that may be there at all under the profile.
    fn may_stand(&self, tag: Tag, set: &DataSet, path: &TagPath) -> Result<(), Quarantine> {
        let broken = |rule| Err(Finding::new(rule, path.at(tag)).into());
        // Whatever a profile keeps: no text is looked for in these.
        if let Some(rule) = picture_nobody_looks_at(tag, path.depth()) {
            return broken(rule);
        }
        let kept = self.profile.rules.iter().any(|rule| Tag(rule.group, rule.element) == tag);
        if kept {
            return Ok(());
        }
        if is_private(tag) {
            let block = Tag(tag.group(), tag.element() >> 8);
            let reserved = is_private_creator(tag) || set.get(block).is_some();
            if !self.profile.has(ProfileOption::RetainSafePrivate) || !reserved {
                return broken("private-element");
            }
        }
        let repeating = tag.group() & 0xFF00;
        let overlay = repeating == OVERLAY_GROUPS && OVERLAY_CONTENT.contains(&tag.element());
        let drawn = (repeating == CURVE_GROUPS && !is_private(tag)) || overlay;
        if drawn && !self.profile.has(ProfileOption::CleanGraphics) {
            return broken("curve-or-overlay");
        }
        Ok(())
    }

    fn value(
        &self,
        element: &Element,
        bytes: &[u8],
        charset: &Charset,
        path: &TagPath,
    ) -> Result<(), Quarantine> {
        let place = path.at(element.tag);
        // The code that stands here was compared before.
        let assigned = path.depth() == 0 && [PATIENT_NAME, PATIENT_ID].contains(&element.tag);
        let text = charset.decode(bytes, element.vr).text;
        if let Some(kind) = self.known.same_at(&place, &text) {
            return Err(Finding::new(kind.rule(), place).into());
        }
        if has_uid(bytes, self.known) {
            return Err(Finding::new("uid-remains", place).into());
        }
        let found = match search_of(element.vr) {
            Search::Nothing => None,
            Search::Day => self.day_in(&text).then_some("date-remains"),
            // A day can stand as a number too: in Series Number, for one.
            Search::Number if self.day_in(&text) => Some("date-remains"),
            Search::Number => self.rule_for(&text, Depth::Numbers),
            Search::Text if assigned => None,
            Search::Text => self.rule_for_text(&text),
            Search::Bytes => self.rule_in_bytes(bytes),
            Search::Unknown => self.rule_for_text(&text).or_else(|| self.rule_in_bytes(bytes)),
        };
        found.map_or(Ok(()), |rule| Err(Finding::new(rule, place).into()))
    }

    fn rule_for_text(&self, text: &str) -> Option<&'static str> {
        let shaped = || patterns::stands_in(text).then_some("shape-of-an-identifier");
        self.rule_for(text, Depth::Text).or_else(shaped)
    }

    fn rule_for(&self, text: &str, depth: Depth) -> Option<&'static str> {
        self.matcher.find(text, depth).map(Kind::rule)
    }

    fn day_in(&self, text: &str) -> bool {
        text.split('\\')
            .any(|value| value.trim().get(..8).is_some_and(|day| self.known.has_day(day)))
    }

    /// Searches bytes as Latin text, and once more without NULs: as UTF-16.
    fn rule_in_bytes(&self, bytes: &[u8]) -> Option<&'static str> {
        let small = bytes.len() <= SMALL_BYTES_MAX;
        let chars_min = if small { SMALL_CHARS_MIN } else { LARGE_CHARS_MIN };
        let depth = Depth::Bytes { chars_min };
        let found = self.rule_for(&ascii(bytes.iter().copied()), depth);
        found.or_else(|| {
            let wide = bytes.contains(&0);
            let narrow = || ascii(bytes.iter().copied().filter(|&byte| byte != 0));
            if wide { self.rule_for(&narrow(), depth) } else { None }
        })
    }

    /// Searches a value that lies in the file, piece by piece.
    fn bulk_value(&mut self, tag: Tag, extent: Extent, path: &TagPath) -> Result<(), Quarantine> {
        let unread = |fault: io::Error| refuse(format!("clean-copy-unreadable: {fault}"));
        self.bulk.seek(SeekFrom::Start(extent.offset)).map_err(unread)?;
        let mut piece = Vec::new();
        let mut left = extent.bytes;
        while left > 0 {
            let again = piece.len().min(OVERLAP_BYTES);
            piece.drain(..piece.len() - again);
            let fresh = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK_BYTES);
            piece.resize(again + fresh, 0);
            self.bulk.read_exact(piece.get_mut(again..).unwrap_or_default()).map_err(unread)?;
            left -= fresh as u64;
            let found = if has_uid(&piece, self.known) {
                Some("uid-remains")
            } else {
                self.rule_in_bytes(&piece)
            };
            if let Some(rule) = found {
                return Err(Finding::new(rule, path.at(tag)).into());
            }
        }
        Ok(())
    }
}

/// Pictures that the cleaner does not look at: icons and others in items, other
/// kinds of pixel data, planes and curves drawn over the picture.
fn picture_nobody_looks_at(tag: Tag, depth: usize) -> Option<&'static str> {
    let repeating = tag.group() & 0xFF01;
    match (repeating, tag.element()) {
        _ if tag == PIXEL_DATA && depth > 0 => Some("pixel-data-in-item"),
        _ if OTHER_PIXEL_DATA.contains(&tag) => Some("other-pixel-data"),
        _ if repeating == VARIABLE_GROUPS && tag.group() != PIXEL_DATA.group() => {
            Some("other-pixel-data")
        }
        (OVERLAY_GROUPS, 0x3000) => Some("overlay-data"),
        (CURVE_GROUPS, 0x3000) => Some("curve-data"),
        _other => None,
    }
}

/// How a value is searched for texts; UIDs are searched in all.
enum Search {
    /// Numbers, times, UIDs: no text has room in them.
    Nothing,
    Day,
    Number,
    Text,
    Bytes,
    /// Text or bytes.
    Unknown,
}

fn search_of(vr: VR) -> Search {
    use VR::*;
    match vr {
        AS | AT | FD | FL | SL | SQ | SS | SV | TM | UI | UL | US | UV => Search::Nothing,
        DA | DT => Search::Day,
        DS | IS => Search::Number,
        AE | CS | LO | LT | PN | SH | ST | UC | UR | UT => Search::Text,
        OB | OD | OF | OL | OV | OW => Search::Bytes,
        UN => Search::Unknown,
    }
}

/// ASCII of bytes; a space for every other.
fn ascii(bytes: impl Iterator<Item = u8>) -> String {
    bytes.map(|byte| if byte.is_ascii() { char::from(byte) } else { ' ' }).collect()
}

/// A UID of an instance stands somewhere in the bytes.
fn has_uid(bytes: &[u8], known: &Known) -> bool {
    bytes
        .split(|byte| !byte.is_ascii_digit() && *byte != b'.')
        .filter(|run| run.len() >= UID_CHARS_MIN)
        .filter_map(|run| std::str::from_utf8(run).ok())
        .any(|run| known.has_uid(run.trim_matches('.')))
}
