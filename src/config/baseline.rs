//! `[baseline]` of a profile file: the day that every person's baseline date is
//! moved to, checked.

use serde::Deserialize;

use super::profile::{Baseline, Profile, ProfileOption, TagRule};
use crate::dicom::{Tag, day};

/// Defined Terms of Longitudinal Temporal Event Type (PS3.3 §C.7.2.3).
const EVENTS: [&str; 2] = ["ENROLLMENT", "BASELINE"];
/// What says when a study was, and how long after the event.
const DATED: [Tag; 3] = [
    Tag(0x0008, 0x0020), // Study Date
    Tag(0x0012, 0x0052), // Longitudinal Temporal Offset from Event
    Tag(0x0012, 0x0053), // Longitudinal Temporal Event Type
];

/// As it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBaseline {
    /// `YYYYMMDD`.
    date: String,
    event: String,
}

/// Checks day and event.
pub(super) fn checked(raw: RawBaseline, faults: &mut Vec<String>) -> Option<Baseline> {
    let day = day::parse(&raw.date);
    if day.is_none() {
        faults.push("baseline.date: a date as 19600101".to_owned());
    }
    if !EVENTS.contains(&raw.event.as_str()) {
        faults.push("baseline.event: ENROLLMENT or BASELINE".to_owned());
    }
    Some(Baseline { day: day?, event: raw.event })
}

/// Checks what else the profile must say: the offset is counted from the moved
/// Study Date.
pub(super) fn check_rest(profile: &Profile, faults: &mut Vec<String>) {
    if profile.baseline.is_none() {
        return;
    }
    if !profile.has(ProfileOption::RetainModifiedDates) {
        faults.push("baseline: needs the option retain-modified-dates".to_owned());
    }
    let of_rule = |rule: &TagRule| Tag(rule.group, rule.element);
    for tag in profile.rules.iter().map(of_rule).filter(|tag| DATED.contains(tag)) {
        faults.push(format!("rules.{tag}: cannot be changed beside a baseline"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(profile: &Profile) -> usize {
        let mut faults = Vec::new();
        check_rest(profile, &mut faults);
        faults.len()
    }

    #[test]
    fn a_baseline_needs_modified_dates_a_day_and_a_defined_term() {
        let raw = |date: &str, event: &str| RawBaseline { date: date.into(), event: event.into() };
        let mut faults = Vec::new();
        let baseline = checked(raw("19600101", "ENROLLMENT"), &mut faults);
        assert_eq!(baseline, Some(Baseline { day: -3_653, event: "ENROLLMENT".into() }));
        assert!(faults.is_empty());
        checked(raw("1960", "BIRTH"), &mut faults);
        assert_eq!(faults.len(), 2, "{faults:?}");
        let mut profile = Profile { baseline, ..Profile::tcia() };
        assert_eq!(faults_of(&profile), 0);
        let action = crate::config::Action::Remove;
        profile.rules.push(TagRule { group: 0x0008, element: 0x0020, action });
        profile.options.remove(&ProfileOption::RetainModifiedDates);
        assert_eq!(faults_of(&profile), 2);
    }
}
