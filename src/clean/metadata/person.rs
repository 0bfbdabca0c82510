//! Whom an object is about: Issuer and Patient ID of a data set in, the key of
//! the pseudonym table out.

use super::text::Charset;
use crate::dicom::{DataSet, Tag, VR};
use crate::identified::Identified;
use crate::pseudonym::PersonKey;
use crate::reason::{Quarantine, Reason};

const PATIENT_ID: Tag = Tag(0x0010, 0x0020);
const ISSUER: Tag = Tag(0x0010, 0x0021);

/// Values that senders put where they have no Patient ID; in capitals.
const PLACEHOLDERS: [&str; 12] = [
    "UNKNOWN",
    "UNK",
    "TEST",
    "ANONYMOUS",
    "ANON",
    "NONE",
    "NULL",
    "N/A",
    "NA",
    "NO ID",
    "NOID",
    "PATIENT",
];

/// The person of a data set, by its main level alone. `default_issuer` stands
/// in for a missing Issuer of Patient ID (0010,0021).
///
/// # Errors
/// [`Reason::NoPatientId`]: the Patient ID (0010,0020) is missing, empty, a
/// placeholder or in a character set that cannot be read.
pub fn person(set: &DataSet, default_issuer: &str) -> Result<PersonKey, Quarantine> {
    let charset = Charset::of(set, Charset::DEFAULT);
    let text = |tag| {
        let bytes = set.get(tag)?.as_bytes()?;
        charset.decoded(bytes, VR::LO).map(|text| {
            text.trim_matches(|letter: char| letter == '\0' || letter.is_whitespace()).to_owned()
        })
    };
    let patient_id = text(PATIENT_ID).unwrap_or_default();
    let says_something = |letter: char| letter.is_alphanumeric() && letter != '0';
    if !patient_id.chars().any(says_something)
        || PLACEHOLDERS.contains(&patient_id.to_uppercase().as_str())
    {
        return Err(Quarantine::new(Reason::NoPatientId, "(0010,0020)"));
    }
    let issuer = text(ISSUER).filter(|issuer| !issuer.is_empty());
    Ok(PersonKey {
        issuer: Identified::new(issuer.unwrap_or_else(|| default_issuer.to_owned())),
        patient_id: Identified::new(patient_id),
    })
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
