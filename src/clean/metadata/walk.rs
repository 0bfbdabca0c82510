//! Walks a data set and does to each element what the plan says.
//!
//! Invariant: a value that a step cannot read does not stay; each item of a
//! kept sequence is cleaned by the same rules, at any depth.

use std::collections::BTreeMap;

use super::content_items::{self, VALUES};
use super::dummy;
use super::plan::{Plan, Subject};
use super::private::{self, Retained, Stays};
use super::step::{Fallback, Step};
use super::utf8;
use super::values::{Outcome, Values, gone};
use crate::clean::judge::Named;
use crate::config::ProfileOption;
use crate::dicom::charset::{Charset, SPECIFIC_CHARACTER_SET};
use crate::dicom::read::parse_un_sequence;
use crate::dicom::vr::{PIXEL_DATA, is_private};
use crate::dicom::{DataSet, Element, Tag, VR, Value};
use crate::reason::{Quarantine, Reason};

const PATIENT_ID: Tag = Tag(0x0010, 0x0020);
const CODE_MEANING: Tag = Tag(0x0008, 0x0104);
const CODING_SCHEME: Tag = Tag(0x0008, 0x0102);
/// Coding schemes whose meanings are the same for all (PS3.16 §8.1): those that
/// images and reports use. Meanings of others may have been typed at a site.
const PUBLIC_SCHEMES: [&str; 21] = [
    "DCM",
    "SCT",
    "SRT",
    "SNM3",
    "LN",
    "UCUM",
    "RADLEX",
    "NCIt",
    "FMA",
    "UMLS",
    "I9C",
    "I10",
    "I10P",
    "C4",
    "CPT4",
    "ACR",
    "BI",
    "ISO3166_1",
    "RFC5646",
    "RXNORM",
    "MDC",
];
/// Deepest nesting that is walked. Default 64: the reader's limit; real
/// reports have 10 to 20.
const NESTING_MAX: u32 = 64;

/// What surrounds the elements of one level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    depth: u32,
    /// Free text is cleaned: structured content, graphics.
    cleans_text: bool,
}

impl Level {
    /// The main level.
    pub(super) const MAIN: Self = Self { depth: 0, cleans_text: false };
}

/// A level and how its text is coded.
#[derive(Debug, Clone, Copy)]
struct Scope<'a> {
    level: Level,
    charset: &'a Charset,
    /// What the value of a content item names.
    named: Option<Named>,
    /// A code whose meaning may have been typed.
    local_code: bool,
}

/// Cleans one object.
pub(super) struct Walker<'a> {
    pub(super) plan: Plan<'a>,
    pub(super) values: Values<'a>,
    /// The object's own Patient ID as it stands, without padding.
    pub(super) patient_id: Vec<u8>,
    /// What stays is coded anew in UTF-8: see `utf8`.
    pub(super) into_utf8: bool,
    /// Elements per action.
    pub(super) counts: BTreeMap<String, u32>,
}

impl<'a> Walker<'a> {
    /// Cleans one level and all below it.
    ///
    /// # Errors
    /// [`Reason::OverLimit`] for nesting over [`NESTING_MAX`], and
    /// [`Reason::RuleFailed`] for a site's rule that does not fit an element.
    pub(super) fn data_set(
        &mut self,
        mut set: DataSet,
        level: Level,
        around: &Charset,
    ) -> Result<DataSet, Quarantine> {
        let charset = around.for_item(&set).into_owned();
        let retains_device = self.plan.profile().has(ProfileOption::RetainDeviceIdentity);
        let scheme = set.ascii(CODING_SCHEME);
        let scope = Scope {
            level,
            charset: &charset,
            named: content_items::named(&set, &charset, retains_device),
            local_code: scheme.is_none_or(|scheme| !PUBLIC_SCHEMES.contains(&scheme)),
        };
        let retained = Retained::of(&set, self.plan.profile());
        let mut cleaned = DataSet::new();
        for tag in set.tags() {
            let Some(element) = set.remove(tag) else { continue };
            let (word, element) = match self.element(element, retained.stays(tag), scope)? {
                Outcome::Gone(word) => (word, None),
                Outcome::Stays(_, element) if !element.is_whole() => ("removed", None),
                Outcome::Stays(word, element) => (word, Some(element)),
            };
            *self.counts.entry(word.to_owned()).or_insert(0) += 1;
            if let Some(element) = element {
                cleaned.put(element);
            }
        }
        let emptied_blocks = private::drop_empty_blocks(&mut cleaned);
        if emptied_blocks > 0 {
            self.recount("kept", "private-removed", emptied_blocks);
        }
        if self.into_utf8 {
            utf8::state(&mut cleaned, level.depth == 0);
        }
        Ok(cleaned)
    }

    /// Elements counted under one word go under another.
    fn recount(&mut self, from: &str, to: &str, elements: u32) {
        if let Some(count) = self.counts.get_mut(from) {
            *count = count.saturating_sub(elements);
        }
        *self.counts.entry(to.to_owned()).or_insert(0) += elements;
    }

    fn element(
        &mut self,
        mut element: Element,
        stays: Option<Stays>,
        scope: Scope<'_>,
    ) -> Result<Outcome, Quarantine> {
        let is_picture = element.tag == PIXEL_DATA && scope.level.depth == 0;
        if matches!(element.value, Value::Fragments { .. }) && !is_picture {
            return Ok(Outcome::Gone("removed"));
        }
        let step = match stays {
            Some(Stays::Creator) => return Ok(Outcome::Stays("kept", element)),
            Some(Stays::Safe { listed }) => {
                let step = self.plan.safe_private_step(element.tag, element.vr, listed);
                if let (VR::UN, Some(listed)) = (element.vr, listed) {
                    element.vr = listed;
                }
                step
            }
            None if is_private(element.tag) => {
                return Ok(Outcome::Gone("private-removed"));
            }
            None => self.step(&element, scope.level),
        };
        let step = in_item(step, element.tag, scope);
        let beside = scope.named.filter(|_| VALUES.contains(&element.tag));
        self.values.texts.beside_label = beside.map(|named| named.kind);
        if let Step::Walk { cleans_text } = step {
            let cleans_text = cleans_text || scope.level.cleans_text;
            let level = Level { cleans_text, ..scope.level };
            return self.items(element, Scope { level, ..scope });
        }
        if step == Step::WalkDummy {
            return self.dummy_items(element, scope);
        }
        if !self.into_utf8 || element.tag == SPECIFIC_CHARACTER_SET {
            return self.values.apply(element, step, scope.charset);
        }
        if step.shows_text() && !utf8::recode(&mut element, scope.charset) {
            return Ok(gone());
        }
        self.values.apply(element, step, &utf8::charset())
    }

    fn step(&self, element: &Element, level: Level) -> Step<'a> {
        let nested = level.depth > 0;
        let is_same_person =
            || element.as_bytes().is_some_and(|id| trimmed(id) == self.patient_id.as_slice());
        if nested && element.tag == PATIENT_ID && is_same_person() {
            return Step::Code;
        }
        self.plan.step(Subject {
            tag: element.tag,
            vr: element.vr,
            nested,
            cleans_text: level.cleans_text,
        })
    }

    /// Cleans the items of a sequence.
    fn items(&mut self, mut element: Element, scope: Scope<'_>) -> Result<Outcome, Quarantine> {
        let below = Level { depth: scope.level.depth + 1, ..scope.level };
        if below.depth > NESTING_MAX {
            let detail = format!("{}: nesting over {NESTING_MAX}", element.tag);
            return Err(Quarantine::new(Reason::OverLimit, detail));
        }
        let Some(items) = items_of(&mut element) else { return Ok(Outcome::Gone("removed")) };
        let items: Result<Vec<_>, _> =
            items.into_iter().map(|item| self.data_set(item, below, scope.charset)).collect();
        element.value = Value::Items(items?);
        element.vr = VR::SQ;
        Ok(Outcome::Stays("kept", element))
    }

    fn dummy_items(
        &mut self,
        mut element: Element,
        scope: Scope<'_>,
    ) -> Result<Outcome, Quarantine> {
        match dummy::items(element.tag, element.items().unwrap_or_default()) {
            Some(items) => {
                element.vr = VR::SQ;
                element.value = Value::Items(items);
                Ok(Outcome::Stays("replaced", element))
            }
            None => self.items(element, scope),
        }
    }
}

/// What the item around an element changes: the value of a content item that
/// names somebody goes, the meaning of a local code is cleaned as free text.
fn in_item<'a>(step: Step<'a>, tag: Tag, scope: Scope<'_>) -> Step<'a> {
    if scope.named.is_some_and(|named| named.sure) && step.shows_value() {
        match tag {
            // A site's own rule keeps what it names.
            _ if VALUES.contains(&tag) && step != Step::Keep => return Step::Dummy,
            content_items::CODE => return Step::WalkDummy,
            content_items::MEASURED => return Step::Empty,
            _other => {}
        }
    }
    let machine_text = matches!(step, Step::KeepUnlessKnown(_));
    if machine_text && scope.local_code && tag == CODE_MEANING {
        return Step::Clean(Fallback::Dummy);
    }
    step
}

/// The items of a sequence, also of one that hides in UN; bytes that are no
/// items cannot be looked at and give `None`.
fn items_of(element: &mut Element) -> Option<Vec<DataSet>> {
    match std::mem::replace(&mut element.value, Value::Items(Vec::new())) {
        Value::Items(items) => Some(items),
        Value::Bytes(bytes) if bytes.is_empty() => Some(Vec::new()),
        Value::Bytes(bytes) => parse_un_sequence(&bytes),
        Value::Bulk(_) | Value::Fragments { .. } => None,
    }
}

/// A value without its padding.
pub(super) fn trimmed(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let [head @ .., 0 | b' '] = rest {
        rest = head;
    }
    while let [0 | b' ', tail @ ..] = rest {
        rest = tail;
    }
    rest
}
