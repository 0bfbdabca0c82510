//! Cleans the header: a data set as it was received in, one that says nothing
//! about its person out (PS3.15 Annex E).
//!
//! Invariant: what no table, option or rule names is treated by its kind of
//! value and does not pass unread; the same data set, profile and key give the
//! same bytes. Pixels are `clean::redact`'s, free text is judged by
//! `clean::judge`; `clean::verify` looks at the result through its own eyes.

mod account;
mod class;
mod content_items;
mod dates;
mod dummy;
mod exact;
mod explained;
mod keyed;
mod known;
mod lists;
mod person;
mod plan;
mod private;
mod stamp;
mod step;
pub mod table;
mod text;
mod utf8;
mod values;
mod walk;

#[cfg(test)]
mod document_tests;
#[cfg(test)]
mod label_tests;
#[cfg(test)]
mod random_tests;
#[cfg(test)]
mod rule_tests;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use exact::ExactValues;
use plan::Plan;
use text::TextCleaner;
use values::Values;
use walk::{Level, Walker};

use crate::clean::judge::{Judge, Matcher, TextDates};
use crate::clean::known::KnownKind;
use crate::clean::report::HeaderReport;
use crate::config::{Profile, ProfileOption};
use crate::dicom::charset::Charset;
use crate::dicom::{DataSet, Element, Tag, VR};
use crate::pseudonym::Assigned;
use crate::reason::Quarantine;

pub use account::{Departure, OptionAccount, ProfileAccount, account};
pub use keyed::mapped_uid;
pub use known::collect_known;
pub use person::{person, person_rules};
pub use stamp::{Stamp, stamp};

const SOP_CLASS_UID: Tag = Tag(0x0008, 0x0016);
const STUDY_DATE: Tag = Tag(0x0008, 0x0020);
const PATIENT_NAME: Tag = Tag(0x0010, 0x0010);
const PATIENT_ID: Tag = Tag(0x0010, 0x0020);

/// What a header is cleaned by.
#[derive(Debug, Clone, Copy)]
pub struct HeaderContext<'a> {
    /// The project's profile.
    pub profile: &'a Profile,
    /// Code, date shift and key of the object's person.
    pub assigned: &'a Assigned,
    /// Judges free text.
    pub judge: &'a Judge,
    /// The values of this data set, from [`collect_known`].
    pub matcher: &'a Matcher,
}

/// Cleans a header. The stamp is put by [`stamp`], once it is known what
/// became of the pixels.
///
/// Values that nobody rewrites keep their bytes. Where a rewritten one needs
/// a character that its character set does not have, the whole data set moves
/// to UTF-8.
///
/// # Errors
/// `rule-failed` for a site's rule that does not fit, `over-limit` for nesting.
/// The caller quarantines; it has asked `clean::content` before.
pub fn clean_header(
    set: &DataSet,
    context: &HeaderContext<'_>,
) -> Result<(DataSet, HeaderReport), Quarantine> {
    let known = collect_known(set);
    let mut walker = walker(set, context, &known);
    let mut cleaned = walker.data_set(set.clone(), Level::MAIN, &Charset::default())?;
    if walker.values.texts.are_unsayable() {
        walker = Walker { into_utf8: true, ..self::walker(set, context, &known) };
        cleaned = walker.data_set(set.clone(), Level::MAIN, &Charset::default())?;
    }
    // Both are Type 2 in every object of a patient (PS3.3 §C.7.1.1).
    let code = context.assigned.code.as_str();
    cleaned.put(Element::bytes(PATIENT_NAME, VR::PN, code));
    cleaned.put(Element::bytes(PATIENT_ID, VR::LO, code));
    let report = HeaderReport { counts: walker.counts, method_codes: Vec::new() };
    Ok((cleaned, report))
}

/// Dates in text go the way of dates in elements, as far as text lets them.
fn text_dates(context: &HeaderContext<'_>) -> TextDates {
    if context.profile.has(ProfileOption::RetainModifiedDates) {
        TextDates::Shift(context.assigned.shift_days)
    } else if context.profile.has(ProfileOption::RetainFullDates) {
        TextDates::Keep
    } else {
        TextDates::Remove
    }
}

/// Days on which somebody of this data set was born, but for the day of the
/// study: that of a newborn must move with all others. A day of birth that
/// somebody knows would tell by how many days all dates are moved.
fn birth_days(set: &DataSet, known: &crate::clean::KnownValues) -> BTreeSet<String> {
    let study_day = set.ascii(STUDY_DATE).unwrap_or_default().trim();
    let of_births = known.values.iter().filter(|value| value.kind == KnownKind::BirthDate);
    of_births.map(|value| value.text.expose().clone()).filter(|day| day != study_day).collect()
}

fn walker<'a>(
    set: &DataSet,
    context: &HeaderContext<'a>,
    known: &crate::clean::KnownValues,
) -> Walker<'a> {
    let patient_id = set.get(PATIENT_ID).and_then(Element::as_bytes).unwrap_or_default();
    Walker {
        plan: Plan::new(context.profile, set.ascii(SOP_CLASS_UID).unwrap_or_default()),
        values: Values {
            assigned: context.assigned,
            texts: TextCleaner::new(context.judge, context.matcher, text_dates(context)),
            known: ExactValues::new(known).without(&explained::explained(set)),
            birth_days: birth_days(set, known),
        },
        patient_id: walk::trimmed(patient_id).to_vec(),
        into_utf8: false,
        counts: BTreeMap::new(),
    }
}
