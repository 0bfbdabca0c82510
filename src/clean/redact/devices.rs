//! What the device rules say of one data set: which match, and what is hidden,
//! trusted or held there (docs/DEVICES.md).
//!
//! Invariant: a rule adds to what is hidden. The one thing that it can keep is
//! what nobody can read inside of its trusted places; what was read is judged
//! as everywhere else.

use std::collections::BTreeMap;

use super::area::Rect;
use super::regions;
use crate::config::{Comparison, Condition, DeviceRule, DeviceRules, RectPx, Test};
use crate::dicom::charset::{Charset, has_values};
use crate::dicom::{DataSet, Element, Tag, VR, vr};

/// The rules that match one data set.
#[derive(Debug, Default)]
pub(super) struct Matched<'a> {
    rules: Vec<&'a DeviceRule>,
}

impl<'a> Matched<'a> {
    /// Tries all rules.
    pub(super) fn of(set: &DataSet, rules: &'a DeviceRules) -> Self {
        if rules.rules.is_empty() {
            return Self::default();
        }
        let mut facts = Facts { set, charset: Charset::of(set), known: BTreeMap::new() };
        let matches =
            |rule: &&DeviceRule| rule.when.iter().all(|condition| facts.is_true(condition));
        Self { rules: rules.rules.iter().filter(matches).collect() }
    }

    /// Their ids, for the report.
    pub(super) fn ids(&self) -> Vec<String> {
        self.rules.iter().map(|rule| rule.id.clone()).collect()
    }

    /// The first rule that holds pictures of this device.
    pub(super) fn held_by(&self) -> Option<&'a str> {
        self.rules.iter().find(|rule| rule.quarantine).map(|rule| rule.id.as_str())
    }

    /// Something is hidden whatever the picture shows.
    pub(super) fn hides(&self) -> bool {
        self.rules.iter().any(|rule| !rule.hide.is_empty() || !rule.hide_outside.is_empty())
    }

    /// Outside of what some rule hides all, inside a picture of this size.
    pub(super) fn scan(&self, width: u32, height: u32) -> Vec<Rect> {
        let rects = self.rules.iter().flat_map(|rule| &rule.hide_outside);
        rects.filter_map(|rect| clipped(*rect, width, height)).collect()
    }

    /// What is hidden on every frame, inside a picture of this size.
    pub(super) fn hidden(&self, width: u32, height: u32) -> Vec<Rect> {
        let mut areas = Vec::new();
        for rule in &self.rules {
            areas.extend(rule.hide.iter().filter_map(|rect| clipped(*rect, width, height)));
            if !rule.hide_outside.is_empty() {
                let inside: Vec<Rect> = rule
                    .hide_outside
                    .iter()
                    .filter_map(|rect| clipped(*rect, width, height))
                    .collect();
                areas.extend(regions::complement(&inside, width, height));
            }
        }
        areas
    }

    /// The places, inside a picture of this size, where what cannot be read is
    /// no text.
    pub(super) fn trusted(&self, width: u32, height: u32) -> Vec<Rect> {
        let rects = self.rules.iter().flat_map(|rule| &rule.trust);
        rects.filter_map(|rect| clipped(*rect, width, height)).collect()
    }
}

/// The part of a rule's rectangle that lies in the picture.
fn clipped(rect: RectPx, width: u32, height: u32) -> Option<Rect> {
    let [x0, y0, w, h] = rect;
    let rect = Rect { x0, y0, x1: x0.saturating_add(w), y1: y0.saturating_add(h) };
    let inside = rect.common(Rect::whole(width, height));
    (inside.x0 < inside.x1 && inside.y0 < inside.y1).then_some(inside)
}

/// Values of one data set, read once.
struct Facts<'a> {
    set: &'a DataSet,
    charset: Charset,
    known: BTreeMap<Tag, Option<Fact>>,
}

/// A value in the two spellings that are compared.
struct Fact {
    exact: String,
    small: String,
}

impl Facts<'_> {
    fn is_true(&mut self, condition: &Condition) -> bool {
        let tag = condition.tag();
        match &condition.test {
            Test::Present(wanted) => self.set.get(tag).is_some() == *wanted,
            Test::Empty(wanted) => self.is_empty(tag) == *wanted,
            Test::Value { comparison, negated, exact_case, values } => {
                let compares = self.fact(tag).is_some_and(|fact| {
                    let text = if *exact_case { &fact.exact } else { &fact.small };
                    values.iter().any(|value| compares(*comparison, text, value))
                });
                compares != *negated
            }
        }
    }

    /// Nothing there but padding.
    fn is_empty(&self, tag: Tag) -> bool {
        self.set.get(tag).is_none_or(|element| {
            let padding = |bytes: &[u8]| bytes.iter().all(|byte| matches!(byte, 0 | b' '));
            let is_text = vr::is_text(vr_of(element));
            element.is_empty() || (is_text && element.as_bytes().is_some_and(padding))
        })
    }

    fn fact(&mut self, tag: Tag) -> Option<&Fact> {
        let (set, charset) = (self.set, &self.charset);
        let read = || {
            let exact = text_of(set.get(tag)?, charset)?;
            Some(Fact { small: exact.to_lowercase(), exact })
        };
        self.known.entry(tag).or_insert_with(read).as_ref()
    }
}

/// Implicit VR leaves what it does not know as UN.
fn vr_of(element: &Element) -> VR {
    if element.vr == VR::UN { vr::by_dictionary(element.tag, false) } else { element.vr }
}

/// The values without their padding, joined by backslashes; `None` where they
/// cannot be compared.
fn text_of(element: &Element, charset: &Charset) -> Option<String> {
    let bytes = element.as_bytes()?;
    let vr = vr_of(element);
    if vr::is_text(vr) {
        let text = charset.decode(bytes, vr).text;
        let padding = |letter: char| letter == ' ' || letter == '\0';
        if !has_values(vr) {
            return Some(text.trim_matches(padding).to_owned());
        }
        let values: Vec<&str> = text.split('\\').map(|value| value.trim_matches(padding)).collect();
        return Some(values.join("\\"));
    }
    let numbers: Vec<String> = match vr {
        VR::US => numbers(bytes, u16::from_le_bytes),
        VR::SS => numbers(bytes, i16::from_le_bytes),
        VR::UL => numbers(bytes, u32::from_le_bytes),
        VR::SL => numbers(bytes, i32::from_le_bytes),
        VR::UV => numbers(bytes, u64::from_le_bytes),
        VR::SV => numbers(bytes, i64::from_le_bytes),
        VR::AE | VR::AS | VR::AT | VR::CS | VR::DA | VR::DS | VR::DT | VR::FD | VR::FL => {
            return None;
        }
        VR::IS | VR::LO | VR::LT | VR::OB | VR::OD | VR::OF | VR::OL | VR::OV | VR::OW => {
            return None;
        }
        VR::PN | VR::SH | VR::SQ | VR::ST | VR::TM | VR::UC | VR::UI | VR::UN => return None,
        VR::UR | VR::UT => return None,
    };
    Some(numbers.join("\\"))
}

fn numbers<const N: usize, T: ToString>(bytes: &[u8], read: fn([u8; N]) -> T) -> Vec<String> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| read(*chunk).to_string()).collect()
}

fn compares(comparison: Comparison, text: &str, value: &str) -> bool {
    match comparison {
        Comparison::Equals => text == value,
        Comparison::Has => text.split('\\').any(|one| one == value),
        Comparison::Contains => text.contains(value),
        Comparison::StartsWith => text.starts_with(value),
        Comparison::EndsWith => text.ends_with(value),
    }
}

#[cfg(test)]
#[path = "devices_tests.rs"]
mod tests;
