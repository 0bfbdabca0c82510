//! Reads every element of the clean copy and searches it for what is known.

use std::borrow::Cow;
use std::io::{self, SeekFrom};

use super::allowed;
use super::finding::Finding;
use super::forms::{self, Form};
use super::known::{Kind, Known};
use super::matcher::{Depth, Matcher};
use super::object::Object;
use super::patterns;
use super::refuse;
use super::romanised;
use super::views;
use super::vocabulary::Place;
use super::written_dates::days_of_value;
use crate::config::{Profile, ProfileOption};
use crate::dicom::charset::Charset;
use crate::dicom::read::parse_un_sequence;
use crate::dicom::vr::{PIXEL_DATA, by_dictionary};
use crate::dicom::write::ReadSeek;
use crate::dicom::{DataSet, Element, Extent, Tag, TagPath, VR, Value};
use crate::reason::Quarantine;

/// Bytes of a bulk value searched at a time. Default 1 MiB.
const CHUNK_BYTES: usize = 1 << 20;
/// Bytes searched again with the next piece: longer than any text searched for
/// that is likely to stand in binary data.
const OVERLAP_BYTES: usize = 1 << 10;
/// Up to how many bytes binary values are searched for texts of so many
/// characters: in 4 KiB of noise a given word of four letters stands once in
/// 100,000 times, in 256 KiB one of five, in 1 MiB of six once in a million.
const BYTES_CHARS_MIN: [(usize, usize); 3] = [(4 << 10, 4), (256 << 10, 5), (usize::MAX, 6)];
/// Shortest UID worth looking up.
const UID_CHARS_MIN: usize = 6;
/// Shortest UID that is also found when more components were put behind it.
const UID_ROOT_CHARS_MIN: usize = 16;
/// Longest component of a UID that can be somebody's number; UUIDs are longer.
const COMPONENT_DIGITS_MAX: usize = 20;
/// Roots under which no component is of the sender: the standard's, and UUIDs.
const REGISTERED_ROOT: &str = "1.2.840.10008.";
const UUID_ROOT: &str = "2.25.";
/// What the cleaner puts where it may not leave nothing.
const DUMMY: &str = "removed";

const STUDY_DATE: Tag = Tag(0x0008, 0x0020);
const BIRTH_DATE: Tag = Tag(0x0010, 0x0030);
const PATIENT_NAME: Tag = Tag(0x0010, 0x0010);
const PATIENT_ID: Tag = Tag(0x0010, 0x0020);

/// Searches the whole clean copy; the number of elements.
pub(super) fn scan(
    output: &mut Object<'_>,
    input: &DataSet,
    matcher: &Matcher<'_>,
    profile: &Profile,
) -> Result<u32, Quarantine> {
    let known = matcher.known();
    if known.overflowed() {
        return Err(Finding::whole("too-many-identifiers").into());
    }
    let bulk = &mut *output.bulk;
    let study_day = input.ascii(STUDY_DATE).and_then(|date| days_of_value(date).next().flatten());
    let mut scanner = Scanner { known, matcher, profile, bulk, study_day, elements: 0 };
    let path = &mut TagPath::root();
    let ascii = Charset::default();
    // File meta says nothing of its own: no values of it are explained.
    scanner.level(
        &output.head.meta.elements,
        Around { charset: &ascii, twin: None, tag: None },
        path,
    )?;
    scanner.level(&output.set, Around { charset: &ascii, twin: Some(input), tag: None }, path)?;
    Ok(scanner.elements)
}

/// What surrounds one level of the clean copy.
#[derive(Clone, Copy)]
struct Around<'a> {
    charset: &'a Charset,
    /// The same level of the received object.
    twin: Option<&'a DataSet>,
    /// The sequence it is an item of.
    tag: Option<Tag>,
}

struct Scanner<'a> {
    known: &'a Known,
    matcher: &'a Matcher<'a>,
    profile: &'a Profile,
    bulk: &'a mut dyn ReadSeek,
    /// Study Date of the received object.
    study_day: Option<i64>,
    elements: u32,
}

impl Scanner<'_> {
    fn level(
        &mut self,
        set: &DataSet,
        around: Around<'_>,
        path: &mut TagPath,
    ) -> Result<(), Quarantine> {
        let charset = around.charset.for_item(set);
        let around = Around { charset: &charset, ..around };
        for element in set.iter() {
            let tag = element.tag;
            self.elements = self.elements.saturating_add(1);
            if let Some(rule) = allowed::broken_by(tag, set, path.depth(), self.profile) {
                return Err(Finding::new(rule, path.at(tag)).into());
            }
            match &element.value {
                Value::Items(items) => self.items(tag, items, around, path)?,
                Value::Bytes(bytes) => {
                    if element.vr == VR::UN
                        && let Some(items) = parse_un_sequence(bytes)
                    {
                        self.items(tag, &items, around, path)?;
                    }
                    self.value(element, bytes, around, path)?;
                }
                // The picture has checks of its own.
                Value::Bulk(_) if tag == PIXEL_DATA && path.depth() == 0 => {}
                Value::Bulk(extent) => self.bulk_value(tag, *extent, path)?,
                Value::Fragments { .. } if tag == PIXEL_DATA && path.depth() == 0 => {}
                Value::Fragments { .. } => {
                    return Err(Finding::new("other-pixel-data", path.at(tag)).into());
                }
            }
        }
        Ok(())
    }

    fn items(
        &mut self,
        tag: Tag,
        items: &[DataSet],
        around: Around<'_>,
        path: &mut TagPath,
    ) -> Result<(), Quarantine> {
        let twins = around.twin.and_then(|twin| twin.get(tag)).map(items_of).unwrap_or_default();
        for (index, item) in items.iter().enumerate() {
            path.enter(tag, u32::try_from(index).unwrap_or(u32::MAX));
            self.level(item, Around { twin: twins.get(index), tag: Some(tag), ..around }, path)?;
            path.leave();
        }
        Ok(())
    }

    fn value(
        &self,
        element: &Element,
        bytes: &[u8],
        around: Around<'_>,
        path: &TagPath,
    ) -> Result<(), Quarantine> {
        let place = path.at(element.tag);
        let text = around.charset.decode(bytes, element.vr).text;
        if let Some(kind) = self.known.same_at(&place, &text) {
            return Err(Finding::new(kind.rule(), place).into());
        }
        // The code that stands here was compared before.
        let assigned = path.depth() == 0 && [PATIENT_NAME, PATIENT_ID].contains(&element.tag);
        let found = if has_uid(bytes, self.known) {
            Some("uid-remains")
        } else if assigned {
            None
        } else if self.known.has_name_bytes_in(bytes) {
            Some(Kind::Name.rule())
        } else {
            self.rule_of(element, bytes, &text, around, &place)
        };
        found.map_or(Ok(()), |rule| Err(Finding::new(rule, place).into()))
    }

    /// The rule that a value breaks, by what its VR makes of it.
    fn rule_of(
        &self,
        element: &Element,
        bytes: &[u8],
        text: &str,
        around: Around<'_>,
        place: &TagPath,
    ) -> Option<&'static str> {
        match forms::form(element.vr, text) {
            Form::Day if self.days_stay(element, text, place) => None,
            Form::Day => Some("date-remains"),
            // A day can stand as a number too: in Series Number, for one.
            Form::Number if self.known.days.stand_in(text) => Some("date-remains"),
            Form::Number => self.rule_for(text, Depth::Numbers),
            Form::Time => None,
            Form::Age if self.is_kept(element.tag) || forms::is_common_age(text) => None,
            Form::Age => Some("age-over-89"),
            Form::Uids => self.rule_in_uids(text),
            Form::Text => self.rule_in_text(element, bytes, text, around),
            Form::Bytes => {
                self.rule_in_bytes(bytes).or_else(|| self.rule_in_numbers(element, bytes))
            }
            Form::Unknown => {
                let is_text = forms::form(known_vr(element), text) == Form::Text;
                self.rule_in_text(element, bytes, text, around)
                    .or_else(|| if is_text { None } else { self.rule_in_bytes(bytes) })
            }
        }
    }

    /// A known day stands only where the date that was received moved to it; a day
    /// of birth moves nowhere, but with the study of a newborn: who knows it would
    /// know by how many days all others moved.
    fn days_stay(&self, element: &Element, text: &str, place: &TagPath) -> bool {
        let moved = self.known.moved_days_at(place);
        let is_birth_date = element.tag == BIRTH_DATE;
        days_of_value(text).enumerate().all(|(index, day)| {
            let Some(day) = day else { return true };
            let has_moved = moved.get(index).is_some_and(|moved| *moved == Some(day));
            if has_moved {
                return !is_birth_date && !self.tells_the_shift(day);
            }
            let full = self.profile.has(ProfileOption::RetainFullDates);
            let of_study = full && !is_birth_date && self.study_day == Some(day);
            !self.known.days.has(day) || of_study
        })
    }

    /// The day came from a day of birth, and is not the study's.
    fn tells_the_shift(&self, day: i64) -> bool {
        let from = self.known.shift_days.map(|shift| day - shift);
        from.is_some_and(|from| self.known.days.is_birth(from) && self.study_day != Some(from))
    }

    fn rule_in_text(
        &self,
        element: &Element,
        bytes: &[u8],
        text: &str,
        around: Around<'_>,
    ) -> Option<&'static str> {
        if text.trim_matches([' ', '\0']).eq_ignore_ascii_case(DUMMY) {
            return None;
        }
        let depth = match Place::of(element.tag, known_vr(element), around.tag) {
            // Compared with the report.
            Some(Place::StampCode) => return None,
            Some(place) => {
                let explained = place == Place::Stamp || stood_there(element, text, around);
                Depth::Term { place, explained }
            }
            None => Depth::Text,
        };
        let mut other = views::of_text(bytes, self.known);
        views::push_seen(&mut other, text);
        romanised::push_sounds(&mut other, text, self.known.beyond_ascii);
        let views = || std::iter::once(text).chain(other.iter().map(String::as_str));
        let uid = || other.iter().any(|view| has_uid(view.as_bytes(), self.known));
        views()
            .find_map(|view| self.rule_for(view, depth))
            .or_else(|| uid().then_some("uid-remains"))
            .or_else(|| views().any(patterns::stands_in).then_some("shape-of-an-identifier"))
    }

    fn rule_for(&self, text: &str, depth: Depth) -> Option<&'static str> {
        self.matcher.find(text, depth).map(Kind::rule)
    }

    /// A component of a UID that is somebody's number or day.
    fn rule_in_uids(&self, text: &str) -> Option<&'static str> {
        let components = text.split(['.', '\\', '\0', ' ']);
        let registered = text.starts_with(REGISTERED_ROOT) || text.starts_with(UUID_ROOT);
        if !registered && self.known.days.stand_in(text) {
            return Some("date-remains");
        }
        components.filter(|component| component.len() <= COMPONENT_DIGITS_MAX).find_map(
            |component| {
                if self.known.days.stand_unseparated(component) {
                    return Some("date-remains");
                }
                self.rule_for(component, Depth::Numbers)
            },
        )
    }

    fn rule_in_bytes(&self, bytes: &[u8]) -> Option<&'static str> {
        let limit = BYTES_CHARS_MIN.iter().find(|(length, _)| bytes.len() <= *length);
        let depth = Depth::Bytes { chars_min: limit.map_or(CHUNK_BYTES, |(_, chars)| *chars) };
        let views = views::of_bytes(bytes, self.known);
        views.iter().find_map(|view| {
            let uid = has_uid(view.as_bytes(), self.known).then_some("uid-remains");
            uid.or_else(|| self.rule_for(view, depth))
        })
    }

    /// Numbers in binary that, written out, are somebody's number or a day.
    fn rule_in_numbers(&self, element: &Element, bytes: &[u8]) -> Option<&'static str> {
        forms::long_numbers(element.vr, bytes).find_map(|number| {
            if self.known.days.stand_unseparated(&number) {
                return Some("date-remains");
            }
            self.rule_for(&number, Depth::Numbers)
        })
    }

    /// A rule of the site keeps the attribute.
    fn is_kept(&self, tag: Tag) -> bool {
        self.profile.rules.iter().any(|rule| Tag(rule.group, rule.element) == tag)
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
            let name = self.known.has_name_bytes_in(&piece).then_some(Kind::Name.rule());
            if let Some(rule) = name.or_else(|| self.rule_in_bytes(&piece)) {
                return Err(Finding::new(rule, path.at(tag)).into());
            }
        }
        Ok(())
    }
}

/// Each value stood in this element when it was received.
fn stood_there(element: &Element, text: &str, around: Around<'_>) -> bool {
    let twin = around.twin.and_then(|twin| twin.get(element.tag)).and_then(Element::as_bytes);
    let Some(twin) = twin else { return false };
    let received = around.charset.decode(twin, element.vr).text;
    let trimmed = |value: &str| value.trim_matches([' ', '\0']).to_owned();
    let received: Vec<String> = received.split('\\').map(trimmed).collect();
    text.split('\\').map(trimmed).all(|value| value.is_empty() || received.contains(&value))
}

/// The dictionary's VR of a standard attribute that says UN.
fn known_vr(element: &Element) -> VR {
    if element.vr == VR::UN { by_dictionary(element.tag, false) } else { element.vr }
}

/// The items of a sequence, also of one that hides in UN.
fn items_of(element: &Element) -> Cow<'_, [DataSet]> {
    match &element.value {
        Value::Items(items) => Cow::Borrowed(items),
        Value::Bytes(bytes) => Cow::Owned(parse_un_sequence(bytes).unwrap_or_default()),
        Value::Bulk(_) | Value::Fragments { .. } => Cow::Borrowed(&[]),
    }
}

/// A UID of an instance stands somewhere in the bytes, perhaps with more behind it.
fn has_uid(bytes: &[u8], known: &Known) -> bool {
    bytes
        .split(|byte| !byte.is_ascii_digit() && *byte != b'.')
        .filter(|run| run.len() >= UID_CHARS_MIN)
        .filter_map(|run| std::str::from_utf8(run).ok())
        .map(|run| run.trim_matches('.'))
        .any(|run| {
            let points = run.match_indices('.').map(|(point, _)| point);
            let mut roots = points.filter(|point| *point >= UID_ROOT_CHARS_MIN);
            known.has_uid(run)
                || roots.any(|end| run.get(..end).is_some_and(|uid| known.has_uid(uid)))
        })
}
