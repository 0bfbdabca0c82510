//! Says in the clean object what was done to it (PS3.15 §E.1.1): an option is
//! named only when it was carried out.

use super::{class, dummy, table};
use crate::config::{Action, Baseline, Profile, ProfileOption};
use crate::dicom::{DataSet, Element, Tag, VR, Value, day};

const PATIENT_IDENTITY_REMOVED: Tag = Tag(0x0012, 0x0062);
const METHOD: Tag = Tag(0x0012, 0x0063);
const METHOD_CODES: Tag = Tag(0x0012, 0x0064);
const STUDY_DATE: Tag = Tag(0x0008, 0x0020);
/// Clinical Trial Time Point ID.
const TIME_POINT: Tag = Tag(0x0012, 0x0050);
/// Longitudinal Temporal Offset from Event.
const OFFSET: Tag = Tag(0x0012, 0x0052);
/// Longitudinal Temporal Event Type.
const EVENT: Tag = Tag(0x0012, 0x0053);
const BURNED_IN_ANNOTATION: Tag = Tag(0x0028, 0x0301);
const LONGITUDINAL: Tag = Tag(0x0028, 0x0303);

/// Characters of an LO value (PS3.5 §6.2).
const LO_CHARS_MAX: usize = 64;

/// What was done beside the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    /// Every frame was searched for text and what identifies was painted over.
    /// False for an object without pixels.
    pub pixels_cleaned: bool,
}

/// Code and meaning in CID 7050 (PS3.16) of the Basic Profile.
const BASIC: (&str, &str) = ("113100", "Basic Application Confidentiality Profile");

/// Code and meaning in CID 7050 (PS3.16) of an option.
pub(super) fn code_of(option: ProfileOption) -> (&'static str, &'static str) {
    use ProfileOption as O;
    match option {
        O::CleanPixelData => ("113101", "Clean Pixel Data Option"),
        O::CleanGraphics => ("113103", "Clean Graphics Option"),
        O::CleanStructuredContent => ("113104", "Clean Structured Content Option"),
        O::CleanDescriptors => ("113105", "Clean Descriptors Option"),
        O::RetainFullDates => {
            ("113106", "Retain Longitudinal Temporal Information Full Dates Option")
        }
        O::RetainModifiedDates => {
            ("113107", "Retain Longitudinal Temporal Information Modified Dates Option")
        }
        O::RetainPatientCharacteristics => ("113108", "Retain Patient Characteristics Option"),
        O::RetainDeviceIdentity => ("113109", "Retain Device Identity Option"),
        O::RetainUids => ("113110", "Retain UIDs Option"),
        O::RetainSafePrivate => ("113111", "Retain Safe Private Option"),
        O::RetainInstitutionIdentity => ("113112", "Retain Institution Identity Option"),
    }
}

/// Writes the stamp and returns the codes in it, for the report.
pub fn stamp(set: &mut DataSet, stamp: &Stamp, profile: &Profile) -> Vec<String> {
    let mut codes = vec![BASIC];
    codes.extend(
        profile
            .options
            .iter()
            .filter(|option| **option != ProfileOption::CleanPixelData || stamp.pixels_cleaned)
            .map(|option| code_of(*option)),
    );
    codes.sort_unstable();
    let items = codes.iter().map(|(code, meaning)| dummy::code(code, "DCM", meaning)).collect();
    set.put(Element::bytes(PATIENT_IDENTITY_REMOVED, VR::CS, "YES"));
    set.put(Element::bytes(METHOD, VR::LO, method(profile)));
    set.put(Element { tag: METHOD_CODES, vr: VR::SQ, value: Value::Items(items) });
    set.put(Element::bytes(LONGITUDINAL, VR::CS, longitudinal(profile)));
    if stamp.pixels_cleaned {
        set.put(Element::bytes(BURNED_IN_ANNOTATION, VR::CS, "NO"));
    }
    if let Some(baseline) = &profile.baseline {
        say_offset(set, baseline);
    }
    codes.into_iter().map(|(code, _)| code.to_owned()).collect()
}

/// How many days the study lies after the person's baseline date, which the
/// shift has moved to the profile's day (PS3.3 §C.7.2.3). Without a Study Date
/// nobody can say, and what the sender said was of its own event.
fn say_offset(set: &mut DataSet, baseline: &Baseline) {
    let Some(day) = set.ascii(STUDY_DATE).and_then(|date| day::parse(date.trim_end())) else {
        set.remove(OFFSET);
        set.remove(EVENT);
        return;
    };
    // FD is 64 bits of IEEE 754 (PS3.5 §6.2); days of the calendar are exact in it.
    #[allow(clippy::cast_precision_loss, reason = "four million days are below 2^53")]
    let days = (day - baseline.day) as f64;
    set.put(Element::bytes(OFFSET, VR::FD, days.to_le_bytes()));
    set.put(Element::bytes(EVENT, VR::CS, baseline.event.as_str()));
    // Type 2 in the module that the two stand in.
    if set.get(TIME_POINT).is_none() {
        set.put(Element::bytes(TIME_POINT, VR::LO, ""));
    }
}

/// Software and profile. The profile's name is a site's: cut to what LO holds.
fn method(profile: &Profile) -> String {
    let software = concat!("dicom-airlock ", env!("CARGO_PKG_VERSION"));
    let name: String = profile
        .name
        .chars()
        .filter(|letter| letter.is_ascii_graphic() && *letter != '\\')
        .take(LO_CHARS_MAX - "profile ".len())
        .collect();
    format!("{software}\\profile {name}")
}

/// Longitudinal Temporal Information Modified (PS3.3 §C.12.1). A site's rule
/// that treats some dates otherwise than the option does leaves a mixture,
/// which is neither as it was nor gone.
pub(super) fn longitudinal(profile: &Profile) -> &'static str {
    let stays = |action: &Action| match action {
        Action::Keep => Some(true),
        Action::Remove | Action::Empty | Action::Replace(_) | Action::Hash => Some(false),
        Action::Shift | Action::Clean => None,
    };
    let of_dates = profile.rules.iter().filter(|rule| is_temporal(Tag(rule.group, rule.element)));
    let kept: Vec<Option<bool>> = of_dates.map(|rule| stays(&rule.action)).collect();
    let all = |wanted: bool| kept.iter().all(|kept| *kept == Some(wanted));
    if profile.has(ProfileOption::RetainModifiedDates) {
        "MODIFIED"
    } else if profile.has(ProfileOption::RetainFullDates) {
        if all(true) { "UNMODIFIED" } else { "MODIFIED" }
    } else if all(false) {
        "REMOVED"
    } else {
        "MODIFIED"
    }
}

fn is_temporal(tag: Tag) -> bool {
    match table::row(tag) {
        Some(row) => row.is_temporal(),
        None => {
            class::dictionary_vr(tag).is_some_and(|vr| class::Class::of(vr) == class::Class::Date)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TagRule;

    fn stamped(profile: &Profile, pixels_cleaned: bool) -> (DataSet, Vec<String>) {
        let mut set = DataSet::new();
        set.put(Element::bytes(BURNED_IN_ANNOTATION, VR::CS, "YES"));
        let codes = stamp(&mut set, &Stamp { pixels_cleaned }, profile);
        (set, codes)
    }

    #[test]
    fn pixel_option_and_burned_in_no_stand_only_when_pixels_were_cleaned() {
        let (set, codes) = stamped(&Profile::basic(), false);
        assert_eq!(codes, ["113100"]);
        assert_eq!(set.ascii(BURNED_IN_ANNOTATION), Some("YES"));
        let (set, codes) = stamped(&Profile::basic(), true);
        assert_eq!(codes, ["113100", "113101"]);
        assert_eq!(set.ascii(BURNED_IN_ANNOTATION), Some("NO"));
        assert_eq!(set.ascii(LONGITUDINAL), Some("REMOVED"));
        assert_eq!(set.ascii(PATIENT_IDENTITY_REMOVED), Some("YES"));
    }

    #[test]
    fn tcia_names_its_options_with_scheme_and_meaning() {
        let (set, codes) = stamped(&Profile::tcia(), true);
        let expected = [
            "113100", "113101", "113103", "113104", "113105", "113107", "113108", "113109",
            "113111",
        ];
        assert_eq!(codes, expected);
        let items = set.get(METHOD_CODES).unwrap().items().unwrap();
        assert_eq!(items.len(), 9);
        assert!(items.iter().all(|item| item.ascii(Tag(0x0008, 0x0102)) == Some("DCM")));
        assert_eq!(set.ascii(LONGITUDINAL), Some("MODIFIED"));
    }

    #[test]
    fn days_since_the_baseline_are_said_of_the_moved_study_date() {
        let baseline = Some(Baseline { day: -3_653, event: "ENROLLMENT".into() });
        let profile = Profile { baseline, ..Profile::tcia() };
        let said = |date: &str| {
            let mut set = DataSet::new();
            set.put(Element::bytes(STUDY_DATE, VR::DA, date));
            set.put(Element::bytes(OFFSET, VR::FD, 9.5_f64.to_le_bytes()));
            set.put(Element::bytes(EVENT, VR::CS, "BASELINE"));
            stamp(&mut set, &Stamp::default(), &profile);
            let offset = set.get(OFFSET).and_then(Element::as_bytes).map(<[u8]>::to_vec);
            (offset, set.ascii(EVENT).map(str::to_owned), set.get(TIME_POINT).is_some())
        };
        for (date, days) in [("19600101", 0.0_f64), ("19600131", 30.0), ("19591231", -1.0)] {
            let expected = Some(days.to_le_bytes().to_vec());
            assert_eq!(said(date), (expected, Some("ENROLLMENT".to_owned()), true), "{date}");
        }
        assert_eq!(said(""), (None, None, false));
        assert_eq!(said("1960"), (None, None, false));
    }

    #[test]
    fn what_became_of_dates_is_said_also_where_a_site_treats_some_otherwise() {
        use ProfileOption as O;
        let cases = [
            (None, None, "REMOVED"),
            (None, Some(Action::Remove), "REMOVED"),
            (None, Some(Action::Keep), "MODIFIED"),
            (None, Some(Action::Shift), "MODIFIED"),
            (Some(O::RetainFullDates), None, "UNMODIFIED"),
            (Some(O::RetainFullDates), Some(Action::Keep), "UNMODIFIED"),
            (Some(O::RetainFullDates), Some(Action::Shift), "MODIFIED"),
            (Some(O::RetainFullDates), Some(Action::Empty), "MODIFIED"),
            (Some(O::RetainModifiedDates), None, "MODIFIED"),
            (Some(O::RetainModifiedDates), Some(Action::Keep), "MODIFIED"),
        ];
        for (option, action, expected) in cases {
            // Study Date, and one that only its VR makes a date.
            for (group, element) in [(0x0008, 0x0020), (0x0014, 0x1020)] {
                let mut profile = Profile::basic();
                profile.options.extend(option);
                let rule = action.clone().map(|action| TagRule { group, element, action });
                profile.rules.extend(rule);
                assert_eq!(longitudinal(&profile), expected, "{option:?} {action:?}");
            }
        }
        let mut profile = Profile::basic();
        let action = Action::Keep;
        profile.rules.push(TagRule { group: 0x0008, element: 0x1030, action });
        assert_eq!(longitudinal(&profile), "REMOVED", "no date");
    }
}
