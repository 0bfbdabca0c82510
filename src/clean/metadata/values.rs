//! Does to one value what the plan says: element in, element out or gone.
//!
//! Invariant: a step that must read a value and cannot does not let it pass.

use std::collections::BTreeSet;

use super::class::{Class, dictionary_vr};
use super::dates;
use super::dummy;
use super::exact::ExactValues;
use super::keyed::{hashed_text, mapped_uid};
use super::step::{Fallback, Step};
use super::table;
use super::text::{Cleaned, TextCleaner};
use crate::dicom::charset::{Charset, has_values};
use crate::dicom::{Element, Tag, Uid, VR, Value};
use crate::pseudonym::Assigned;
use crate::reason::{Quarantine, Reason};

/// Ages over 89 years are stated as 90: the oldest are few, and HIPAA
/// 164.514(b)(2)(i)(C) takes them together.
const AGE_YEARS_MAX: u32 = 89;
/// Timezone Offset From UTC (PS3.3 §C.12.1.1.8): text that has a form of its own.
const UTC_OFFSET: Tag = Tag(0x0008, 0x0201);
const OCCUPATION: Tag = Tag(0x0010, 0x2180);
/// Letters from which on numbers in binary are taken for writing, and how many
/// different ones. Default 8 and 4: eight random bytes are all letters three times
/// in a million, and a run of equal samples has one letter.
const SPELLED_LETTERS_MIN: usize = 8;
const SPELLED_DIFFERENT_MIN: usize = 4;
/// Characters of a CS value (PS3.5 §6.2).
const TERM_CHARS_MAX: usize = 16;

/// What becomes of an element, with the word it is counted under.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is left out.
    Gone(&'static str),
    /// It stays, perhaps with another value.
    Stays(&'static str, Element),
}

/// Cleans the values of one object.
pub(super) struct Values<'a> {
    pub(super) assigned: &'a Assigned,
    pub(super) texts: TextCleaner<'a>,
    pub(super) known: ExactValues,
    /// `YYYYMMDD` of births, which no date of the clean copy may come from.
    pub(super) birth_days: BTreeSet<String>,
}

impl Values<'_> {
    /// Does a step that needs no look below the element.
    ///
    /// # Errors
    /// [`Reason::RuleFailed`]: a site's rule does not fit the element.
    pub(super) fn apply(
        &mut self,
        mut element: Element,
        step: Step<'_>,
        charset: &Charset,
    ) -> Result<Outcome, Quarantine> {
        match step {
            Step::Remove | Step::Walk { .. } | Step::WalkDummy => return Ok(gone()),
            Step::RemoveUnknown => return Ok(Outcome::Gone("unknown-removed")),
            Step::Empty => return Ok(emptied(element)),
            // Bulk stays in its file; items are never kept unlooked.
            Step::Keep if element.items().is_none() => return Ok(kept(element)),
            Step::KeepBinary if element.as_bytes().is_some_and(spells) => return Ok(gone()),
            Step::KeepBinary if element.items().is_none() => return Ok(kept(element)),
            Step::Replace(text) => return self.replaced_by_site(element, text, charset),
            Step::Keep
            | Step::KeepUnlessKnown(_)
            | Step::KeepNumber
            | Step::KeepBinary
            | Step::KeepTerm
            | Step::KeepUid
            | Step::Age => {}
            Step::Dummy | Step::HashOrDummy | Step::Hash | Step::Code | Step::Uid => {}
            Step::Clean(_) | Step::Shift(_) | Step::KeepDate(_) => {}
        }
        if step == Step::Code {
            element.vr = dictionary_vr(element.tag).unwrap_or(VR::LO);
        }
        let vr = read_as(&element, &step);
        let Value::Bytes(bytes) = std::mem::replace(&mut element.value, Value::Bytes(Vec::new()))
        else {
            return Ok(if step == Step::Dummy { dummied(element, 0) } else { gone() });
        };
        self.texts.of_occupation = element.tag == OCCUPATION;
        let new = self.new_bytes(&bytes, vr, &step, charset).map_err(|misfit| {
            Quarantine::new(Reason::RuleFailed, format!("{}: {misfit}", element.tag))
        })?;
        Ok(match new {
            New::Same => {
                element.value = Value::Bytes(bytes);
                kept(element)
            }
            New::Bytes(word, bytes) => {
                element.value = Value::Bytes(bytes);
                Outcome::Stays(word, element)
            }
            New::Dummy => dummied(element, bytes.len()),
            New::Empty => emptied(element),
            New::Gone => gone(),
        })
    }

    fn new_bytes(
        &mut self,
        bytes: &[u8],
        vr: VR,
        step: &Step<'_>,
        charset: &Charset,
    ) -> Result<New, &'static str> {
        Ok(match step {
            Step::KeepUnlessKnown(fallback) => {
                let new = self.unless_known(bytes, vr, charset);
                let is_nothing = matches!(&new, New::Bytes(_, bytes) if says_nothing(bytes));
                if is_nothing { fallen_back(*fallback) } else { new }
            }
            Step::KeepNumber if is_number(bytes) => New::Same,
            Step::KeepNumber => New::Empty,
            Step::KeepTerm if bytes.split(|byte| *byte == b'\\').all(is_term) => {
                match self.unless_known(bytes, VR::CS, charset) {
                    New::Same => New::Same,
                    New::Bytes(..) | New::Dummy | New::Empty | New::Gone => New::Empty,
                }
            }
            Step::KeepTerm => New::Empty,
            Step::KeepUid => self.uids(bytes, |uid| uid.parse::<Uid>().is_ok()),
            Step::Uid => self.uids(bytes, table::is_registered_uid),
            Step::Age => age(bytes),
            Step::Code => New::Bytes("replaced", self.assigned.code.clone().into_bytes()),
            Step::HashOrDummy => self.hashed(bytes, vr).unwrap_or(New::Dummy),
            Step::Hash => self.hashed(bytes, vr)?,
            Step::Shift(fallback) => {
                let days = self.assigned.shift_days;
                dated(bytes, *fallback, |text| {
                    shifted(vr, text, days).filter(|_| !self.is_of_birth(text))
                })
            }
            Step::KeepDate(fallback) => dated(bytes, *fallback, |text| {
                let is_date = shifted(vr, text, 0).is_some() && !self.is_of_birth(text);
                is_date.then(|| text.to_owned())
            }),
            Step::Clean(fallback) => self.cleaned(bytes, vr, charset, *fallback),
            Step::Dummy => New::Dummy,
            Step::Keep | Step::KeepBinary | Step::Remove | Step::RemoveUnknown => New::Gone,
            Step::Empty => New::Gone,
            Step::Walk { .. } | Step::WalkDummy | Step::Replace(_) => New::Gone,
        })
    }

    fn is_of_birth(&self, text: &str) -> bool {
        text.get(..8).is_some_and(|day| self.birth_days.contains(day))
    }

    /// Technical text and terms: a value that holds what this data set says
    /// about persons and places goes. What breaks the form of a term was typed
    /// by somebody and is judged.
    fn unless_known(&mut self, bytes: &[u8], vr: VR, charset: &Charset) -> New {
        if vr == VR::CS && !bytes.split(|byte| *byte == b'\\').all(is_term) {
            return match self.texts.cleaned(bytes, vr, charset) {
                Cleaned::Unchanged => New::Same,
                Cleaned::Changed(_) => New::Empty,
            };
        }
        let text = charset.decode(bytes, vr).text;
        let values: Vec<&str> =
            if has_values(vr) { text.split('\\').collect() } else { vec![text.as_str()] };
        let kept: Vec<&str> =
            values.iter().map(|value| if self.known.are_in(value) { "" } else { *value }).collect();
        if kept == values {
            return New::Same;
        }
        New::Bytes("cleaned", self.texts.encoded(&kept.join("\\"), charset))
    }

    /// A site's text, which must fit the VR.
    fn replaced_by_site(
        &mut self,
        mut element: Element,
        text: &str,
        charset: &Charset,
    ) -> Result<Outcome, Quarantine> {
        if !dummy::accepts(stated_vr(&element), text) {
            let detail = format!("{}: the profile's text does not fit the VR", element.tag);
            return Err(Quarantine::new(Reason::RuleFailed, detail));
        }
        element.value = Value::Bytes(self.texts.encoded(text, charset));
        Ok(Outcome::Stays("replaced", element))
    }

    fn cleaned(&mut self, bytes: &[u8], vr: VR, charset: &Charset, fallback: Fallback) -> New {
        if !is_typed(vr) {
            // Text by the dictionary, something else by the stream.
            return fallen_back(fallback);
        }
        match self.texts.cleaned(bytes, vr, charset) {
            Cleaned::Unchanged => New::Same,
            Cleaned::Changed(bytes) if bytes.is_empty() => fallen_back(fallback),
            Cleaned::Changed(bytes) => New::Bytes("cleaned", bytes),
        }
    }

    /// Maps each UID for which `stays` does not hold.
    fn uids(&self, bytes: &[u8], stays: impl Fn(&str) -> bool) -> New {
        let text = String::from_utf8_lossy(bytes);
        let uids = text.split('\\').map(|uid| uid.trim_matches(['\0', ' ']));
        let mapped: Vec<String> = uids
            .clone()
            .map(|uid| {
                let same = uid.is_empty() || stays(uid);
                if same { uid.to_owned() } else { mapped_uid(&self.assigned.uid_key, uid) }
            })
            .collect();
        if uids.eq(mapped.iter().map(String::as_str)) {
            return New::Same;
        }
        New::Bytes("uid-mapped", mapped.join("\\").into_bytes())
    }

    fn hashed(&self, bytes: &[u8], vr: VR) -> Result<New, &'static str> {
        let value = super::walk::trimmed(bytes);
        if value.is_empty() {
            return Ok(New::Empty);
        }
        if vr == VR::UI {
            return Ok(self.uids(bytes, |_uid| false));
        }
        if !is_typed(vr) && vr != VR::AE {
            return Err("hash needs text or UIDs");
        }
        let hash = hashed_text(&self.assigned.uid_key, value);
        Ok(New::Bytes("replaced", hash.into_bytes()))
    }
}

/// Text that a person may have typed.
fn is_typed(vr: VR) -> bool {
    matches!(vr, VR::CS | VR::LO | VR::LT | VR::PN | VR::SH | VR::ST | VR::UC | VR::UT)
}

/// What a step makes of a value.
enum New {
    Same,
    Bytes(&'static str, Vec<u8>),
    Dummy,
    Empty,
    Gone,
}

/// The VR to read a value by: that of the stream, or of the dictionary for UN.
pub(super) fn stated_vr(element: &Element) -> VR {
    if element.vr == VR::UN {
        return dictionary_vr(element.tag).unwrap_or(VR::UN);
    }
    element.vr
}

/// The VR to read a value by for a step: a date that is stated as text is a date.
fn read_as(element: &Element, step: &Step<'_>) -> VR {
    let stated = stated_vr(element);
    let is_date = |vr: &VR| Class::of(*vr) == Class::Date;
    let known = || dictionary_vr(element.tag).filter(is_date);
    let dates = matches!(step, Step::Shift(_) | Step::KeepDate(_)) && !is_date(&stated);
    if dates { known().unwrap_or(stated) } else { stated }
}

pub(super) fn gone() -> Outcome {
    Outcome::Gone("removed")
}

fn kept(element: Element) -> Outcome {
    Outcome::Stays("kept", element)
}

fn emptied(mut element: Element) -> Outcome {
    element.value = no_value(element.vr);
    Outcome::Stays("emptied", element)
}

fn dummied(mut element: Element, original_bytes: usize) -> Outcome {
    let bytes = match element.tag {
        UTC_OFFSET => b"+0000".to_vec(),
        _ => dummy::value(stated_vr(&element), original_bytes),
    };
    element.value = if bytes.is_empty() { no_value(element.vr) } else { Value::Bytes(bytes) };
    Outcome::Stays("replaced", element)
}

fn no_value(vr: VR) -> Value {
    if vr == VR::SQ { Value::Items(Vec::new()) } else { Value::Bytes(Vec::new()) }
}

fn dated(bytes: &[u8], fallback: Fallback, read: impl Fn(&str) -> Option<String>) -> New {
    let Ok(text) = std::str::from_utf8(bytes) else { return fallen_back(fallback) };
    let text = text.trim_end_matches(['\0', ' ']);
    let values: Vec<&str> = text.split('\\').map(|value| value.trim_matches(' ')).collect();
    let read: Option<Vec<String>> = values
        .iter()
        .map(|value| if value.is_empty() { Some(String::new()) } else { read(value) })
        .collect();
    match read {
        None => fallen_back(fallback),
        Some(new) if new == values => New::Same,
        Some(new) => New::Bytes("date-shifted", new.join("\\").into_bytes()),
    }
}

fn fallen_back(fallback: Fallback) -> New {
    match fallback {
        Fallback::Remove => New::Gone,
        Fallback::Empty => New::Empty,
        Fallback::Dummy => New::Dummy,
    }
}

/// A date moved by whole days; times of day and offsets from UTC stay.
fn shifted(vr: VR, text: &str, days: i32) -> Option<String> {
    if vr == VR::DA {
        return dates::shifted_date(text, days);
    }
    if vr == VR::DT && days != 0 {
        return dates::shifted_date_time(text, days);
    }
    let stays = if vr == VR::DT {
        dates::is_date_time(text)
    } else if vr == VR::TM {
        dates::is_time(text)
    } else {
        dates::is_utc_offset(text)
    };
    stays.then(|| text.to_owned())
}

fn age(bytes: &[u8]) -> New {
    let Ok(text) = std::str::from_utf8(bytes) else { return New::Empty };
    match capped_age(text.trim_matches(['\0', ' '])) {
        Some(age) if age == text.trim_end_matches(['\0', ' ']) => New::Same,
        Some(age) => New::Bytes("replaced", age.into_bytes()),
        None => New::Empty,
    }
}

/// An AS value (PS3.5 §6.2), at most [`AGE_YEARS_MAX`] + 1 years. The other
/// units end before that.
pub(super) fn capped_age(text: &str) -> Option<String> {
    let (number, unit) = text.split_at_checked(3)?;
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    let years: u32 = number.parse().ok().filter(|_| digits)?;
    match unit {
        "Y" if years > AGE_YEARS_MAX => Some(format!("{:03}Y", AGE_YEARS_MAX + 1)),
        "D" | "W" | "M" | "Y" => Some(text.to_owned()),
        _ => None,
    }
}

/// Values, all of them empty.
fn says_nothing(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' ' | b'\\' | 0))
}

/// Numbers in binary that are words to who reads them as text: all letters, digits
/// and signs of ASCII, many of them letters and not the same few. Tables of
/// numbers do not look so, and none is lost by it that has a few small values.
fn spells(bytes: &[u8]) -> bool {
    let text = super::walk::trimmed(bytes);
    let letters = || text.iter().filter(|byte| byte.is_ascii_alphabetic());
    let different: BTreeSet<u8> = letters().map(u8::to_ascii_lowercase).collect();
    text.iter().all(|byte| matches!(byte, b' '..=b'~'))
        && letters().count() >= SPELLED_LETTERS_MIN
        && different.len() >= SPELLED_DIFFERENT_MIN
}

/// A value of DS or IS: numbers or ratios of two, empty ones among them.
fn is_number(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| {
        text.trim_end_matches('\0').split('\\').map(str::trim).all(|number| {
            let plain = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
            let is_one = |part: &str| part.bytes().all(plain) && part.parse::<f64>().is_ok();
            match number.split_once(':') {
                // `/1.375:1` is how scanners write the pitch too.
                Some((part, whole)) => {
                    is_one(part.strip_prefix('/').unwrap_or(part)) && is_one(whole)
                }
                None => number.is_empty() || is_one(number),
            }
        })
    })
}

/// A CS value: capitals, digits, blank and underscore.
fn is_term(value: &[u8]) -> bool {
    let value = super::walk::trimmed(value);
    value.len() <= TERM_CHARS_MAX
        && value.iter().all(|byte| {
            byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b' ' | b'_')
        })
}
