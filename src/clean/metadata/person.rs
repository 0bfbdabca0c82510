//! Whom an object is about: Issuer and Patient ID of a data set in, the key of
//! the pseudonym table out.

use crate::config::PersonReading;
use crate::dicom::charset::Charset;
use crate::dicom::{DataSet, Tag, VR};
use crate::pseudonym::{CaseRule, NoPerson, PersonKey, PersonRules};
use crate::reason::{Quarantine, Reason};

const PATIENT_ID: Tag = Tag(0x0010, 0x0020);
const ISSUER: Tag = Tag(0x0010, 0x0021);
const STUDY_INSTANCE: Tag = Tag(0x0020, 0x000D);

/// A project's way of reading Patient IDs, as the table takes it.
/// `sender_issuer` wins over the project's own default.
#[must_use]
pub fn person_rules(reading: &PersonReading, sender_issuer: &str) -> PersonRules {
    let from_sender = !sender_issuer.trim().is_empty();
    let default_issuer = if from_sender { sender_issuer } else { &reading.default_issuer };
    let case = if reading.case_ignored { CaseRule::Ignored } else { CaseRule::Distinct };
    PersonRules { default_issuer: default_issuer.to_owned(), case, ..PersonRules::standard() }
        .with_aliases(reading.issuer_aliases.clone())
        .with_placeholders(reading.placeholders.iter().cloned())
}

/// The person of a data set, by its main level alone. `sender_issuer` stands
/// in for a missing Issuer of Patient ID (0010,0021).
///
/// Where nobody is named the project may take the study for a person of its
/// own. A value that cannot be read or is too long names somebody.
///
/// # Errors
/// [`Reason::NoPatientId`]: the Patient ID (0010,0020) is missing, empty, a
/// placeholder, or its bytes break the character set: two persons could then
/// look like one.
pub fn person(
    set: &DataSet,
    reading: &PersonReading,
    sender_issuer: &str,
) -> Result<PersonKey, Quarantine> {
    let charset = Charset::of(set);
    let decoded = |tag| {
        let bytes = set.get(tag)?.as_bytes()?;
        Some(charset.decode(bytes, VR::LO))
    };
    let refused = |detail: String| Quarantine::new(Reason::NoPatientId, detail);
    let patient_id = decoded(PATIENT_ID);
    if patient_id.as_ref().is_some_and(|patient_id| patient_id.lossy) {
        return Err(refused(format!("{PATIENT_ID}: not readable")));
    }
    let patient_id = patient_id.map(|patient_id| patient_id.text).unwrap_or_default();
    let issuer = decoded(ISSUER).map(|issuer| issuer.text).unwrap_or_default();
    match person_rules(reading, sender_issuer).person(&issuer, &patient_id) {
        Ok(person) => Ok(person),
        Err(NoPerson::Empty | NoPerson::Placeholder) if reading.code_per_study => {
            let study = set.ascii(STUDY_INSTANCE).unwrap_or_default();
            Ok(PersonKey::of_study(study.trim_matches(['\0', ' '])))
        }
        Err(nobody) => Err(refused(format!("{PATIENT_ID}: {nobody}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::Element;

    fn with_id(id: &str) -> DataSet {
        DataSet::from_iter([Element::bytes(PATIENT_ID, VR::LO, id)])
    }

    #[test]
    fn person_is_issuer_and_id_without_padding() {
        let mut set = with_id(" 77-1 ");
        let person_of = |set: &DataSet| {
            let person = person(set, &PersonReading::default(), "CLINIC").unwrap();
            (person.issuer.expose().clone(), person.patient_id.expose().clone())
        };
        assert_eq!(person_of(&set), ("CLINIC".to_owned(), "77-1".to_owned()));
        set.put(Element::bytes(ISSUER, VR::LO, "OTHER "));
        assert_eq!(person_of(&set).0, "OTHER");
    }

    #[test]
    fn placeholders_are_nobody() {
        for id in ["", " ", "0", "000", "unknown ", "TEST", "n/a", "--"] {
            let refused = person(&with_id(id), &PersonReading::default(), "CLINIC").unwrap_err();
            assert_eq!(refused.reason, Reason::NoPatientId, "{id:?}");
        }
        assert!(person(&DataSet::new(), &PersonReading::default(), "CLINIC").is_err());
        assert!(person(&with_id("TEST1"), &PersonReading::default(), "CLINIC").is_ok());
    }

    #[test]
    fn the_project_says_who_is_who() {
        let reading = PersonReading {
            default_issuer: "OWN".to_owned(),
            issuer_aliases: [("ALT".to_owned(), "OWN".to_owned())].into(),
            case_ignored: true,
            placeholders: ["Notfall".to_owned()].into(),
            code_per_study: false,
        };
        let key = |set: &DataSet, sender: &str| person(set, &reading, sender).unwrap();
        let own = key(&with_id("ab-1"), "");
        assert_eq!(own.issuer.expose(), "OWN");
        assert_eq!(key(&with_id("AB-1 "), "ALT"), own);
        assert_eq!(key(&with_id("ab-1"), "CART").issuer.expose(), "CART");
        assert!(person(&with_id("NOTFALL"), &reading, "").is_err());
    }

    #[test]
    fn a_study_of_nobody_is_somebody_of_its_own_where_the_project_says_so() {
        let reading = PersonReading { code_per_study: true, ..PersonReading::default() };
        let of_study = |id: &str, study: &str| {
            let mut set = with_id(id);
            set.put(Element::bytes(STUDY_INSTANCE, VR::UI, study));
            person(&set, &reading, "CLINIC")
        };
        let one = of_study("", "1.2.3").unwrap();
        assert!(one.is_unlinked());
        assert_eq!(of_study("UNKNOWN", "1.2.3\0").unwrap(), one);
        assert_ne!(of_study("", "1.2.4").unwrap(), one);
        assert!(!of_study("4711", "1.2.3").unwrap().is_unlinked());
        assert!(of_study(&"7".repeat(2_000), "1.2.3").is_err(), "names somebody");
    }
}
