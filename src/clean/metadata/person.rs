//! Whom an object is about: Issuer and Patient ID of a data set in, the key of
//! the pseudonym table out.

use crate::dicom::charset::Charset;
use crate::dicom::{DataSet, Tag, VR};
use crate::pseudonym::{PersonKey, PersonRules};
use crate::reason::{Quarantine, Reason};

const PATIENT_ID: Tag = Tag(0x0010, 0x0020);
const ISSUER: Tag = Tag(0x0010, 0x0021);

/// The person of a data set, by its main level alone. `default_issuer` stands
/// in for a missing Issuer of Patient ID (0010,0021).
///
/// # Errors
/// [`Reason::NoPatientId`]: the Patient ID (0010,0020) is missing, empty, a
/// placeholder, or its bytes break the character set: two persons could then
/// look like one.
pub fn person(set: &DataSet, default_issuer: &str) -> Result<PersonKey, Quarantine> {
    let charset = Charset::of(set);
    let decoded = |tag| {
        let bytes = set.get(tag)?.as_bytes()?;
        Some(charset.decode(bytes, VR::LO))
    };
    let refused = |detail: String| Quarantine::new(Reason::NoPatientId, detail);
    let patient_id = decoded(PATIENT_ID)
        .filter(|patient_id| !patient_id.lossy)
        .ok_or_else(|| refused(format!("{PATIENT_ID}: missing or not readable")))?;
    let issuer = decoded(ISSUER).map(|issuer| issuer.text).unwrap_or_default();
    let rules =
        PersonRules { default_issuer: default_issuer.to_owned(), ..PersonRules::standard() };
    rules
        .person(&issuer, &patient_id.text)
        .map_err(|no_person| refused(format!("{PATIENT_ID}: {no_person}")))
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
            let person = person(set, "CLINIC").unwrap();
            (person.issuer.expose().clone(), person.patient_id.expose().clone())
        };
        assert_eq!(person_of(&set), ("CLINIC".to_owned(), "77-1".to_owned()));
        set.put(Element::bytes(ISSUER, VR::LO, "OTHER "));
        assert_eq!(person_of(&set).0, "OTHER");
    }

    #[test]
    fn placeholders_are_nobody() {
        for id in ["", " ", "0", "000", "unknown ", "TEST", "n/a", "--"] {
            let refused = person(&with_id(id), "CLINIC").unwrap_err();
            assert_eq!(refused.reason, Reason::NoPatientId, "{id:?}");
        }
        assert!(person(&DataSet::new(), "CLINIC").is_err());
        assert!(person(&with_id("TEST1"), "CLINIC").is_ok());
    }
}
