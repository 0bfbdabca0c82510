//! What a profile does, told to people: profile in, its options, what becomes
//! of the rows of Table E.1-1, and where it departs from PS3.15, out.
//!
//! Asked of the engine itself, so that it cannot say something else than the
//! engine does. Printed by `airlock check` and in `docs/PROFILE.md`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::class::dictionary_vr;
use super::plan::{Plan, Subject};
use super::stamp;
use super::step::{Fallback, Step};
use super::table::{self, Required, Row};
use crate::config::{Action, Profile, ProfileOption};
use crate::dicom::{Tag, VR};
use ProfileOption as O;
use When::{Always, With, Without};

/// A profile, told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProfileAccount {
    /// Its name.
    pub name: String,
    /// All options of Annex E, on or off.
    pub options: Vec<OptionAccount>,
    /// Longitudinal Temporal Information Modified (0028,0303) of its objects.
    pub longitudinal: &'static str,
    /// How many rows of Table E.1-1 come to what, in an object that needs none
    /// of them (Type 3).
    pub rows: BTreeMap<String, usize>,
    /// Private elements that stay, of the standard and of the site.
    pub safe_private: [usize; 2],
    /// The site's rules, as in `(0008,1030) Study Description: kept`.
    pub rules: Vec<String>,
    /// Where it does something else than PS3.15 says.
    pub departures: Vec<Departure>,
}

/// An option of PS3.15 Annex E.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OptionAccount {
    /// Its name in a profile's file.
    pub name: String,
    /// Its code in CID 7050 (PS3.16).
    pub code: &'static str,
    /// The profile has it.
    pub on: bool,
}

/// Something that is done otherwise than PS3.15 says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Departure {
    /// What is done.
    pub what: &'static str,
    /// Why.
    pub why: &'static str,
}

/// Tells what a profile does.
#[must_use]
pub fn account(profile: &Profile) -> ProfileAccount {
    let mut rows = BTreeMap::new();
    for row in table::rows() {
        *rows.entry(row_word(profile, row, Required::Optional)).or_insert(0) += 1;
    }
    let safe = profile.has(ProfileOption::RetainSafePrivate);
    ProfileAccount {
        name: profile.name.clone(),
        options: options(profile),
        longitudinal: stamp::longitudinal(profile),
        rows,
        safe_private: if safe {
            [table::safe_private_rows().len(), profile.safe_private.len()]
        } else {
            [0, 0]
        },
        rules: profile.rules.iter().map(rule).collect(),
        departures: departures(profile),
    }
}

fn options(profile: &Profile) -> Vec<OptionAccount> {
    let all = [ProfileOption::CleanPixelData].into_iter().chain(table::COLUMNS);
    all.map(|option| OptionAccount {
        name: option.name(),
        code: stamp::code_of(option).0,
        on: profile.has(option),
    })
    .collect()
}

fn rule(rule: &crate::config::TagRule) -> String {
    let tag = Tag(rule.group, rule.element);
    let done = match &rule.action {
        Action::Keep => "kept",
        Action::Remove => "removed",
        Action::Empty => "emptied",
        Action::Replace(_) => "replaced by the profile's text",
        Action::Hash => "keyed hash",
        Action::Shift => "shifted",
        Action::Clean => "cleaned",
    };
    let name = table::row(tag).map_or("not in Table E.1-1", |row| row.name);
    format!("{tag} {name}: {done}")
}

/// What becomes of the attribute of a row in an object that asks `required` of it.
pub(super) fn row_word(profile: &Profile, row: &Row, required: Required) -> String {
    if std::ptr::eq(row, table::private_row()) {
        let safe = profile.has(ProfileOption::RetainSafePrivate);
        return if safe { "removed, but safe ones kept" } else { "removed" }.to_owned();
    }
    let plan = Plan::assuming(profile, required);
    let vr = dictionary_vr(row.tag).unwrap_or(VR::UN);
    word(&plan.step(Subject { tag: row.tag, vr, nested: false, cleans_text: false }), vr)
}

/// A step in words; days are moved, times of day and offsets from UTC are not.
fn word(step: &Step<'_>, vr: VR) -> String {
    let or = |what: &str, fallback: &Fallback| {
        let else_what = match fallback {
            Fallback::Remove => "removed",
            Fallback::Empty => "emptied",
            Fallback::Dummy => "dummy",
        };
        format!("{what}, else {else_what}")
    };
    match step {
        Step::Keep | Step::KeepBinary | Step::KeepUid => "kept".to_owned(),
        Step::KeepTerm => "kept when a term".to_owned(),
        Step::KeepUnlessKnown(_) => "kept unless it holds a known value".to_owned(),
        Step::KeepNumber => "kept when a number".to_owned(),
        Step::Age => "kept, over 89 years as 090Y".to_owned(),
        Step::Remove | Step::RemoveUnknown => "removed".to_owned(),
        Step::Empty => "emptied".to_owned(),
        Step::Dummy => "dummy".to_owned(),
        Step::HashOrDummy | Step::Hash => "keyed hash".to_owned(),
        Step::Code => "pseudonym".to_owned(),
        Step::Uid => "UID mapped".to_owned(),
        Step::Shift(fallback) if vr == VR::DA || vr == VR::DT => or("shifted", fallback),
        Step::Shift(fallback) => or("kept when a time", fallback),
        Step::KeepDate(fallback) => or("kept when a date", fallback),
        Step::Clean(fallback) => or("cleaned", fallback),
        Step::Walk { .. } => "items cleaned".to_owned(),
        Step::WalkDummy => "dummy item".to_owned(),
        Step::Replace(_) => "replaced by the profile's text".to_owned(),
    }
}

fn departures(profile: &Profile) -> Vec<Departure> {
    let holds = |when: When| match when {
        Always => true,
        With(option) => profile.has(option),
        Without(option) => !profile.has(option),
    };
    DEPARTURES.iter().filter(|(when, ..)| holds(*when)).map(|(_, departure)| *departure).collect()
}

/// When a departure holds.
#[derive(Debug, Clone, Copy)]
enum When {
    Always,
    With(ProfileOption),
    Without(ProfileOption),
}

const fn departs(when: When, what: &'static str, why: &'static str) -> (When, Departure) {
    (when, Departure { what, why })
}

const DEPARTURES: [(When, Departure); 26] = [
    departs(
        Always,
        "Clean Recognizable Visual Features (113102) is not offered and never claimed",
        "nothing here takes a face out of a picture; faces are a project's own decision",
    ),
    departs(
        With(O::CleanPixelData),
        "Clean Pixel Data (113101) is claimed only by objects whose every frame was searched",
        "an option is listed only where it was carried out",
    ),
    departs(
        Always,
        "Patient's Name and Patient ID hold the pseudonym where the table empties them",
        "a person's studies belong together",
    ),
    departs(
        Always,
        "references (X/Z/U*: to images and source images) stay, with mapped UIDs",
        "without them series, reports and segmentations no longer find each other",
    ),
    departs(
        Always,
        "overlay planes, curves and icons are removed under every option, Clean Graphics too",
        "they are pictures that nobody looks at, and writing may be in them",
    ),
    departs(
        Always,
        "retired pictures (groups 7F02 to 7FDE) and pixel data inside of sequences are removed",
        "they are pictures that nobody looks at",
    ),
    departs(
        Without(O::CleanGraphics),
        "Graphic Annotation Sequence (D) is removed, not replaced",
        "its module may be left out (PS3.3 C.10.5), and a drawing can be writing",
    ),
    departs(
        Always,
        "attributes that the table removes (X) or empties (Z) get a dummy where the object's Type is 1",
        "the object would not be valid without; nothing of the value is left",
    ),
    departs(
        Always,
        "group lengths, file meta and preamble are not taken over",
        "the object is written anew",
    ),
    departs(
        Always,
        "elements of even groups that PS3.6 does not have are removed",
        "nobody knows what they hold",
    ),
    departs(
        Always,
        "35 attributes beside the table are removed: our own rows",
        "they identify by what they mean, as the reason beside each says",
    ),
    departs(
        Always,
        "AE and UR outside of the table are removed, PN emptied, OB and UN removed but for five",
        "they name places and persons, or cannot be looked at",
    ),
    departs(
        Without(O::CleanDescriptors),
        "text outside of the table is removed unless a list keeps it; Type 1 gets a dummy",
        "text that nobody lists may have been typed",
    ),
    departs(
        With(O::CleanDescriptors),
        "text outside of the table is cleaned like the descriptors of the table",
        "text that nobody lists may have been typed",
    ),
    departs(
        Always,
        "machine-made text and terms go when they hold a name, identifier or place of the object",
        "an operator can put anything into them",
    ),
    departs(
        Always,
        "numbers as text (DS, IS) that are no numbers are emptied",
        "text hides in them",
    ),
    departs(
        Always,
        "a value whose VR contradicts PS3.6 stays only in the form of the attribute's own VR; numbers in binary that spell words are removed",
        "text hides in them",
    ),
    departs(
        With(O::CleanStructuredContent),
        "content items whose concept, by code or by its words, is a name, an identifier, an address or a day of birth get a dummy or no value",
        "the concept says what they hold, whatever it is",
    ),
    departs(
        Always,
        "UIDs stay only where a list names the attribute or PS3.6 registers the value",
        "instance-like UIDs also stand outside of the table; what is no UID is hashed",
    ),
    departs(
        Always,
        "serial numbers and specimen identifiers that must have a value get a keyed hash",
        "what belonged together in a study still does",
    ),
    departs(
        Always,
        "dummy sequences of codes hold one dummy code, others keep items that are cleaned",
        "the items stay valid",
    ),
    departs(
        With(O::RetainPatientCharacteristics),
        "ages over 89 years become 090Y",
        "the oldest are few",
    ),
    departs(
        With(O::RetainDeviceIdentity),
        "dates of a device need an option for dates; AE titles and network names are removed",
        "the option alone would keep the day of a calibration; nothing is left of a cleaned AE title",
    ),
    departs(
        With(O::RetainModifiedDates),
        "dates that are partial, ranges or none are removed, emptied or dummies, not guessed",
        "what is not read cannot be moved",
    ),
    departs(
        With(O::RetainModifiedDates),
        "a date that is somebody's day of birth is not moved but with a study of the same day",
        "who knows the day of birth would know by how many days all others were moved",
    ),
    departs(
        With(O::RetainSafePrivate),
        "of Table E.3.10-1 not taken: Hologic 7E01, SC2000 raw data, NeuroQuant messages",
        "pictures in codings of their own, raw streams, free text",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TagRule;

    #[test]
    fn shipped_profiles_are_told_with_options_and_departures() {
        let basic = account(&Profile::basic());
        let on = |account: &ProfileAccount| {
            let on = account.options.iter().filter(|option| option.on);
            on.map(|option| option.code).collect::<Vec<_>>()
        };
        assert_eq!(on(&basic), ["113101"]);
        assert_eq!((basic.longitudinal, basic.safe_private), ("REMOVED", [0, 0]));
        assert_eq!(basic.rows.values().sum::<usize>(), 656);
        assert!(!basic.rows.contains_key("kept"), "{:?}", basic.rows);
        let tcia = account(&Profile::tcia());
        assert_eq!(on(&tcia).len(), 8);
        assert_eq!((tcia.longitudinal, tcia.safe_private), ("MODIFIED", [143, 0]));
        assert!(tcia.departures.iter().any(|one| one.what.contains("090Y")));
        assert!(!basic.departures.iter().any(|one| one.what.contains("090Y")));
        assert!(tcia.options.iter().all(|option| option.code != "113102"));
    }

    #[test]
    fn a_sites_rules_are_told_by_name_and_without_their_text() {
        let mut profile = Profile::basic();
        let action = Action::Replace("SITE".into());
        profile.rules.push(TagRule { group: 0x0008, element: 0x1030, action });
        let told = account(&profile);
        assert_eq!(told.rules, ["(0008,1030) Study Description: replaced by the profile's text"]);
    }
}
