//! Decides what is done with one element: tag, kind of value and profile in, a
//! [`Step`] out. Reads no value.
//!
//! Order: the site's rules, identity of the object, Table E.1-1 with the
//! options that are on, and for what no table knows the kind of value, which
//! fails closed.

use std::collections::BTreeMap;

use super::class::{Class, contradict, dictionary_vr};
use super::lists::{CODE_TEXTS, CODED, HASHED, KIND_UIDS, PLAIN_BYTES};
use super::step::{Fallback, Step};
use super::table::{self, Basic, Cell, Required, Row};
use crate::config::{Action, Profile, ProfileOption};
use crate::dicom::{Tag, VR};

const PATIENT_NAME: Tag = Tag(0x0010, 0x0010);
const PATIENT_ID: Tag = Tag(0x0010, 0x0020);
const GRAPHIC_ANNOTATIONS: Tag = Tag(0x0070, 0x0001);
const UNFORMATTED_TEXT: Tag = Tag(0x0070, 0x0006);
const PIXELS_GROUP: u16 = 0x7FE0;

/// What is known of an element before its value is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject {
    /// Its tag: even group, or a private one that stays.
    pub(super) tag: Tag,
    /// Its VR in the stream, or by the list of safe private elements.
    pub(super) vr: VR,
    /// It lies in a sequence.
    pub(super) nested: bool,
    /// Free text around it is cleaned (structured content, graphics).
    pub(super) cleans_text: bool,
}

/// A profile, ready to be asked about elements of one object.
pub(super) struct Plan<'a> {
    profile: &'a Profile,
    rules: BTreeMap<Tag, &'a Action>,
    sop_class: String,
    /// Stands for what the object asks of any attribute: for `account`.
    assumed: Option<Required>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(profile: &'a Profile, sop_class: &str) -> Self {
        let rules = profile
            .rules
            .iter()
            .map(|rule| (Tag(rule.group, rule.element), &rule.action))
            .collect();
        Self { profile, rules, sop_class: sop_class.to_owned(), assumed: None }
    }

    /// The plan for objects that ask the same of every attribute.
    pub(super) fn assuming(profile: &'a Profile, required: Required) -> Self {
        Self { assumed: Some(required), ..Self::new(profile, "") }
    }

    fn required(&self, subject: Subject) -> Required {
        self.assumed
            .unwrap_or_else(|| table::required(&self.sop_class, subject.tag, subject.nested))
    }

    pub(super) fn profile(&self) -> &'a Profile {
        self.profile
    }

    /// What is done with an element of an even group.
    pub(super) fn step(&self, subject: Subject) -> Step<'a> {
        let Some(dictionary) = dictionary_vr(subject.tag) else {
            return Step::RemoveUnknown;
        };
        // Pictures are looked at on the main level only.
        if subject.nested && subject.tag.group() == PIXELS_GROUP {
            return Step::Remove;
        }
        let class = Class::of_element(subject.vr, dictionary);
        if let Some(action) = self.rules.get(&subject.tag) {
            return site_step(action, class);
        }
        let tag = subject.tag;
        // Commands, file meta, directories and group lengths are made anew;
        // an overlay plane without its data is no plane.
        if tag.group() < 0x0008 || tag.element() == 0 || tag.group() & 0xFF00 == 0x6000 {
            return Step::Remove;
        }
        // Retired pictures, which nobody looks at.
        if tag.group() & 0xFF01 == 0x7F00 && tag.group() != PIXELS_GROUP {
            return Step::Remove;
        }
        if table::is_own_row(tag) {
            return Step::Remove;
        }
        if !subject.nested && (tag == PATIENT_NAME || tag == PATIENT_ID) {
            return Step::Code;
        }
        let step = match table::row(tag) {
            Some(row) => self.by_table(row, class, subject),
            None => self.by_class(class, subject),
        };
        if step.shows_value() && contradict(subject.vr, dictionary) {
            return self.of_other_kind(subject, dictionary);
        }
        step
    }

    /// A value whose VR in the stream contradicts the dictionary: it stays when it
    /// is one by the dictionary, whatever Table E.1-1 would keep.
    fn of_other_kind(&self, subject: Subject, dictionary: VR) -> Step<'a> {
        let fallback = match self.required(subject) {
            Required::Optional | Required::Unknown => Fallback::Remove,
            Required::Present | Required::Value => Fallback::Empty,
        };
        match (Class::of(subject.vr), Class::of(dictionary)) {
            // Stated as a date: its digits are no number.
            (Class::Date, Class::Binary | Class::Number) => self.date_step(fallback),
            (_, Class::Binary | Class::Number) | (Class::Number, Class::Text) => Step::KeepNumber,
            (_, Class::Term) => Step::KeepTerm,
            (_, Class::Age) => Step::Age,
            (_, Class::Uid) if KIND_UIDS.contains(&subject.tag) => Step::KeepUid,
            (_, Class::Uid) => self.uid_step(),
            (_, Class::Date) => self.date_step(fallback),
            (_, Class::Sequence) => Step::Walk { cleans_text: subject.cleans_text },
            (_, Class::Text | Class::Bytes | Class::Address | Class::Person) => {
                from_fallback(fallback)
            }
        }
    }

    /// What is done with a private element that is listed as safe: `stated` is
    /// its VR in the stream, `listed` the list's. Where they contradict each
    /// other it is not what the list calls safe.
    pub(super) fn safe_private_step(&self, tag: Tag, stated: VR, listed: Option<VR>) -> Step<'a> {
        let class = Class::of(stated);
        let listed_class = listed.map_or(class, Class::of);
        match (class, listed_class) {
            (Class::Number | Class::Term | Class::Text, Class::Binary | Class::Number) => {
                Step::KeepNumber
            }
            (_, Class::Text) if is_ratio(tag) => Step::KeepNumber,
            (Class::Term | Class::Text, Class::Term | Class::Text) => Step::Clean(Fallback::Remove),
            (_, _) if class == listed_class || stated == VR::UN => self.safe_step(listed_class),
            (_, _) => Step::Remove,
        }
    }

    fn safe_step(&self, class: Class) -> Step<'a> {
        match class {
            Class::Binary => Step::KeepBinary,
            Class::Number => Step::KeepNumber,
            Class::Term | Class::Text => Step::Clean(Fallback::Remove),
            Class::Age => Step::Age,
            Class::Uid => self.uid_step(),
            Class::Date => self.date_step(Fallback::Remove),
            Class::Sequence => Step::Walk { cleans_text: false },
            Class::Bytes | Class::Address | Class::Person => Step::Remove,
        }
    }

    fn has(&self, option: ProfileOption) -> bool {
        self.profile.has(option)
    }

    /// Table E.1-1: the first option that is on and says something, else the
    /// basic profile.
    fn by_table(&self, row: &Row, class: Class, subject: Subject) -> Step<'a> {
        use ProfileOption as O;
        let says = |option, cell| self.has(option) && row.cell(option) == cell;
        if says(O::RetainUids, Cell::Keep) {
            return kept(class);
        }
        if row.is_temporal() {
            // Dates stay only under an option for dates: Retain Device Identity
            // alone would keep the day of a calibration as it was.
            return self.temporal(row, class, subject);
        }
        if says(O::RetainDeviceIdentity, Cell::Keep)
            || says(O::RetainInstitutionIdentity, Cell::Keep)
            || says(O::RetainPatientCharacteristics, Cell::Keep)
        {
            return kept(class);
        }
        if says(O::CleanStructuredContent, Cell::Clean) {
            return Step::Walk { cleans_text: true };
        }
        if says(O::CleanGraphics, Cell::Clean) && class == Class::Sequence {
            return Step::Walk { cleans_text: true };
        }
        if says(O::CleanDescriptors, Cell::Clean)
            || says(O::RetainPatientCharacteristics, Cell::Clean)
            || (subject.cleans_text && subject.tag == UNFORMATTED_TEXT)
        {
            match class {
                Class::Text => return Step::Clean(self.if_nothing_is_left(row, subject)),
                Class::Term => return Step::KeepUnlessKnown(Fallback::Empty),
                Class::Sequence => return Step::Walk { cleans_text: false },
                Class::Binary | Class::Number | Class::Age | Class::Uid | Class::Date => {}
                Class::Bytes | Class::Address | Class::Person => {}
            }
        }
        self.basic(row, class, subject)
    }

    fn temporal(&self, row: &Row, class: Class, subject: Subject) -> Step<'a> {
        let required = self.required(subject);
        let basic = resolved(row.basic, required, class);
        let fallback = if basic == Step::Empty {
            Fallback::Empty
        } else if basic == Step::Dummy {
            Fallback::Dummy
        } else {
            Fallback::Remove
        };
        // Timezone Offset From UTC is text; what is bytes cannot be read.
        if class == Class::Date || class == Class::Text { self.date_step(fallback) } else { basic }
    }

    fn date_step(&self, fallback: Fallback) -> Step<'a> {
        if self.has(ProfileOption::RetainModifiedDates) {
            Step::Shift(fallback)
        } else if self.has(ProfileOption::RetainFullDates) {
            Step::KeepDate(fallback)
        } else {
            from_fallback(fallback)
        }
    }

    fn uid_step(&self) -> Step<'a> {
        if self.has(ProfileOption::RetainUids) { Step::KeepUid } else { Step::Uid }
    }

    /// A text of Type 1 must not become empty.
    fn if_nothing_is_left(&self, row: &Row, subject: Subject) -> Fallback {
        let required = self.required(subject);
        let basic = resolved(row.basic, required, Class::Text);
        if basic == Step::Dummy { Fallback::Dummy } else { Fallback::Empty }
    }

    fn basic(&self, row: &Row, class: Class, subject: Subject) -> Step<'a> {
        let tag = subject.tag;
        if tag == GRAPHIC_ANNOTATIONS {
            // D in the table, but the module may be left out (PS3.3 §C.10.5),
            // and what was drawn can be writing.
            return Step::Remove;
        }
        let required = self.required(subject);
        let step = resolved(row.basic, required, class);
        if step == Step::Dummy && CODED.contains(&tag) {
            return Step::Code;
        }
        if step == Step::Dummy && (HASHED.contains(&tag) || tag == PATIENT_ID) {
            return Step::HashOrDummy;
        }
        step
    }

    /// What no table knows.
    fn by_class(&self, class: Class, subject: Subject) -> Step<'a> {
        let tag = subject.tag;
        match class {
            Class::Binary if tag.group() == PIXELS_GROUP => Step::Keep,
            Class::Binary => Step::KeepBinary,
            Class::Number => Step::KeepNumber,
            Class::Term => Step::KeepUnlessKnown(Fallback::Empty),
            Class::Age => Step::Age,
            Class::Uid if KIND_UIDS.contains(&tag) => Step::KeepUid,
            Class::Uid => self.uid_step(),
            Class::Date => self.date_step(Fallback::Empty),
            Class::Sequence => Step::Walk { cleans_text: subject.cleans_text },
            Class::Text if table::is_machine_text(tag) => self.machine_text(subject),
            Class::Text => self.unlisted_text(subject),
            Class::Address => Step::Remove,
            Class::Bytes if PLAIN_BYTES.contains(&tag) => Step::Keep,
            Class::Bytes => Step::Remove,
            Class::Person => Step::Empty,
        }
    }

    fn machine_text(&self, subject: Subject) -> Step<'a> {
        let must_say =
            CODE_TEXTS.contains(&subject.tag) || self.required(subject) == Required::Value;
        Step::KeepUnlessKnown(if must_say { Fallback::Dummy } else { Fallback::Empty })
    }

    /// Text that no table knows: cleaned where the profile cleans text, else
    /// removed; an element that its object must have stays, without the text.
    fn unlisted_text(&self, subject: Subject) -> Step<'a> {
        let required = self.required(subject);
        if !subject.cleans_text && !self.has(ProfileOption::CleanDescriptors) {
            return match required {
                Required::Value => Step::Dummy,
                Required::Present => Step::Empty,
                Required::Optional | Required::Unknown => Step::Remove,
            };
        }
        // Labels and content items are Type 1 in most objects.
        let is_label = subject.cleans_text || table::is_typed_text(subject.tag);
        let must_say = required == Required::Value || (is_label && required != Required::Present);
        Step::Clean(if must_say { Fallback::Dummy } else { Fallback::Empty })
    }
}

/// K: kept, but nothing passes unlooked: items are cleaned, ages capped.
fn kept<'a>(class: Class) -> Step<'a> {
    match class {
        Class::Sequence => Step::Walk { cleans_text: false },
        Class::Age => Step::Age,
        Class::Number => Step::KeepNumber,
        Class::Uid => Step::KeepUid,
        Class::Binary => Step::KeepBinary,
        Class::Term | Class::Date | Class::Text => Step::Keep,
        Class::Bytes | Class::Address | Class::Person => Step::Keep,
    }
}

/// A combined action, by what the object asks; an unknown object may ask anything.
fn resolved<'a>(basic: Basic, required: Required, class: Class) -> Step<'a> {
    use Required as R;
    let dummy = if class == Class::Sequence { Step::WalkDummy } else { Step::Dummy };
    let can_say_dummy =
        matches!(class, Class::Date | Class::Number | Class::Person | Class::Term | Class::Text);
    match (basic, required) {
        (Basic::Dummy, _) => dummy,
        // X and Z, but the object must stay valid: nothing of the value is left.
        (Basic::Zero, R::Value) if can_say_dummy => dummy,
        (Basic::Remove, R::Value) if can_say_dummy => dummy,
        (Basic::Remove, R::Present) if can_say_dummy => Step::Empty,
        (Basic::Zero, _) => Step::Empty,
        (Basic::Remove, _) => Step::Remove,
        (Basic::Uid, _) => Step::Uid,
        // Researchers need the references; their UIDs are mapped.
        (Basic::RemoveOrZeroOrUids, _) => Step::Walk { cleans_text: false },
        (Basic::ZeroOrDummy, R::Present | R::Optional) => Step::Empty,
        (Basic::RemoveOrZero, R::Value | R::Present | R::Unknown) => Step::Empty,
        (Basic::RemoveOrZeroOrDummy, R::Present) => Step::Empty,
        (Basic::RemoveOrDummy, R::Value | R::Present | R::Unknown) => dummy,
        (Basic::ZeroOrDummy | Basic::RemoveOrZeroOrDummy, R::Value | R::Unknown) => dummy,
        (Basic::RemoveOrZero | Basic::RemoveOrDummy | Basic::RemoveOrZeroOrDummy, R::Optional) => {
            Step::Remove
        }
    }
}

/// Scan Pitch Ratio, listed as SH in the form `n.nnn:1`; scanners also write `/n.nnn:1`.
fn is_ratio(tag: Tag) -> bool {
    tag.group() == 0x0043 && tag.element() & 0xFF == 0x27
}

fn from_fallback<'a>(fallback: Fallback) -> Step<'a> {
    match fallback {
        Fallback::Remove => Step::Remove,
        Fallback::Empty => Step::Empty,
        Fallback::Dummy => Step::Dummy,
    }
}

/// A site's rule; on a sequence, what would keep it cleans its items.
fn site_step(action: &Action, class: Class) -> Step<'_> {
    match action {
        Action::Keep | Action::Clean if class == Class::Sequence => {
            Step::Walk { cleans_text: *action == Action::Clean }
        }
        Action::Keep => Step::Keep,
        Action::Remove => Step::Remove,
        Action::Empty => Step::Empty,
        Action::Replace(text) => Step::Replace(text),
        Action::Hash => Step::Hash,
        Action::Shift => Step::Shift(Fallback::Empty),
        Action::Clean => Step::Clean(Fallback::Empty),
    }
}
