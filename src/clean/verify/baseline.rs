//! Under a profile that counts days from each person's baseline date: that the
//! clean copy says the right number, or none where nobody can know it.

use super::dates::day_number;
use super::finding::Finding;
use crate::config::Profile;
use crate::dicom::{DataSet, Tag};
use crate::pseudonym::Assigned;

const STUDY_DATE: Tag = Tag(0x0008, 0x0020);
const OFFSET: Tag = Tag(0x0012, 0x0052);
const EVENT: Tag = Tag(0x0012, 0x0053);

/// Compares Longitudinal Temporal Offset from Event and Event Type (PS3.3
/// §C.7.2.3) with the received Study Date, the person's shift and the profile.
pub(super) fn check(
    input: &DataSet,
    output: &DataSet,
    profile: &Profile,
    assigned: &Assigned,
) -> Result<(), Finding> {
    let Some(baseline) = &profile.baseline else { return Ok(()) };
    let date = |set: &DataSet| set.ascii(STUDY_DATE).map(|date| date.trim().to_owned());
    let received = date(input).filter(|date| date.len() == 8).and_then(|date| day_number(&date));
    let said = output.get(OFFSET).and_then(|element| element.as_bytes());
    let event = output.ascii(EVENT).map(str::trim);
    let Some(received) = received else {
        let silent = said.is_none() && event.is_none();
        return if silent { Ok(()) } else { Err(Finding::at("offset-of-no-date", OFFSET)) };
    };
    let moved = received + i64::from(assigned.shift_days);
    if date(output).and_then(|date| day_number(&date)) != Some(moved) {
        return Err(Finding::at("study-date-not-moved", STUDY_DATE));
    }
    let days = said.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok()).map(f64::from_le_bytes);
    #[allow(clippy::cast_precision_loss, reason = "days of the calendar are below 2^53")]
    let expected = (moved - baseline.day) as f64;
    if days != Some(expected) {
        return Err(Finding::at("offset-from-baseline-wrong", OFFSET));
    }
    if event != Some(baseline.event.as_str()) {
        return Err(Finding::at("baseline-event-wrong", EVENT));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Baseline;
    use crate::dicom::{Element, VR};
    use crate::pseudonym::UidKey;

    fn set(date: &str, days: Option<f64>, event: Option<&str>) -> DataSet {
        let mut set = DataSet::from_iter([Element::bytes(STUDY_DATE, VR::DA, date)]);
        if let Some(days) = days {
            set.put(Element::bytes(OFFSET, VR::FD, days.to_le_bytes()));
        }
        if let Some(event) = event {
            set.put(Element::bytes(EVENT, VR::CS, event));
        }
        set
    }

    #[test]
    fn only_the_right_number_of_days_after_the_right_event_passes() {
        let baseline = Some(Baseline { day: -3_653, event: "ENROLLMENT".into() });
        let profile = Profile { baseline, ..Profile::tcia() };
        let assigned = Assigned {
            code: "C".into(),
            shift_days: -2,
            key_id: String::new(),
            uid_key: UidKey([0; 32]),
        };
        let passes = |received: &str, output: &DataSet| {
            check(&set(received, None, None), output, &profile, &assigned).is_ok()
        };
        let good = set("19600105", Some(4.0), Some("ENROLLMENT "));
        assert!(passes("19600107", &good) && passes("19600107 ", &good));
        assert!(passes("", &set("", None, None)) && passes("1960", &set("", None, None)));
        for bad in [
            set("19600105", Some(5.0), Some("ENROLLMENT")),
            set("19600105", Some(4.0), Some("BASELINE")),
            set("19600105", Some(4.0), None),
            set("19600105", None, None),
            set("19600107", Some(6.0), Some("ENROLLMENT")),
        ] {
            assert!(!passes("19600107", &bad), "{bad:?}");
        }
        assert!(!passes("", &good));
        let without = check(&set("19600107", None, None), &good, &Profile::tcia(), &assigned);
        assert!(without.is_ok(), "no promise, no check");
    }
}
