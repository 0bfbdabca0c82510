//! Content items of structured reports whose concept says that the value names
//! somebody, a place or an identifier (PS3.16 TID 1001–1007, TID 1020):
//! the value goes whatever it says.

use crate::clean::known::KnownKind;
use crate::dicom::{DataSet, Tag};

const CONCEPT_NAME: Tag = Tag(0x0040, 0xA043);
const CODE_VALUE: Tag = Tag(0x0008, 0x0100);
const CODING_SCHEME: Tag = Tag(0x0008, 0x0102);

/// Values of content items: DateTime, Date, Time, Person Name, Text Value.
pub(super) const VALUES: [Tag; 5] = [
    Tag(0x0040, 0xA120),
    Tag(0x0040, 0xA121),
    Tag(0x0040, 0xA122),
    Tag(0x0040, 0xA123),
    Tag(0x0040, 0xA160),
];

/// Concepts of DCM (PS3.16 Annex D), what their value is, and whether Retain
/// Device Identity keeps it.
const CONCEPTS: &[(&str, KnownKind, bool)] = &[
    ("113870", KnownKind::Person, false),    // Person Name
    ("113871", KnownKind::Id, false),        // Person ID
    ("113873", KnownKind::Place, false),     // Organization Name
    ("113880", KnownKind::Id, true),         // Device Serial Number
    ("121008", KnownKind::Person, false),    // Person Observer Name
    ("121009", KnownKind::Place, false),     // Person Observer's Organization Name
    ("121016", KnownKind::Id, true),         // Device Observer Serial Number
    ("121017", KnownKind::Place, true),      // Device Observer Physical Location During Observation
    ("121020", KnownKind::Id, false),        // Placer Number
    ("121021", KnownKind::Id, false),        // Filler Number
    ("121022", KnownKind::Id, false),        // Accession Number
    ("121029", KnownKind::Person, false),    // Subject Name
    ("121030", KnownKind::Id, false),        // Subject ID
    ("121031", KnownKind::BirthDate, false), // Subject Birth Date
    ("121114", KnownKind::Person, false),    // Performing Physician
    ("121196", KnownKind::Id, true),         // Device Subject Serial Number
    ("121197", KnownKind::Place, true),      // Device Subject Physical Location during observation
    ("121434", KnownKind::Place, false),     // Service Delivery Location
    ("128774", KnownKind::Id, false),        // Person Observer's Login Name
    ("128775", KnownKind::Id, false),        // Identifier within Person Observer's Role
];

/// What the value of a content item names, by its concept.
pub(super) fn named_kind(item: &DataSet) -> Option<KnownKind> {
    concept(item).map(|(_, kind, _)| *kind)
}

/// The value of a content item goes.
pub(super) fn hides_value(item: &DataSet, retains_device: bool) -> bool {
    concept(item).is_some_and(|(.., device)| !(*device && retains_device))
}

fn concept(item: &DataSet) -> Option<&'static (&'static str, KnownKind, bool)> {
    let name = item.get(CONCEPT_NAME)?.items()?.first()?;
    let dcm = name.ascii(CODING_SCHEME) == Some("DCM");
    let code = name.ascii(CODE_VALUE).filter(|_| dcm)?;
    CONCEPTS.iter().find(|(known, ..)| *known == code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::{Element, VR, Value};

    fn item(code: &str, scheme: &str) -> DataSet {
        let name = DataSet::from_iter([
            Element::bytes(CODE_VALUE, VR::SH, code),
            Element::bytes(CODING_SCHEME, VR::SH, scheme),
        ]);
        let value = Value::Items(vec![name]);
        DataSet::from_iter([Element { tag: CONCEPT_NAME, vr: VR::SQ, value }])
    }

    #[test]
    fn concepts_that_name_somebody_are_known_in_their_scheme_alone() {
        assert_eq!(named_kind(&item("121031", "DCM ")), Some(KnownKind::BirthDate));
        assert!(hides_value(&item("121009", "DCM"), true));
        assert!(
            hides_value(&item("121016", "DCM"), false)
                && !hides_value(&item("121016", "DCM"), true)
        );
        assert_eq!(named_kind(&item("121009", "99LOCAL")), None);
        assert!(
            !hides_value(&item("121071", "DCM"), false) && !hides_value(&DataSet::new(), false)
        );
    }
}
