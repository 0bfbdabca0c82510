//! Content items of structured reports whose concept says that the value names
//! somebody, a place or an identifier (PS3.16 TID 1001–1007, TID 1020): by its
//! code, or by its meaning, which sites choose in their own language. The value
//! goes whatever it says; beside a label that may label something else
//! (`Name`, `Patient`) it is judged as text behind that label.

use crate::clean::judge::{Named, named_by};
use crate::clean::known::KnownKind;
use crate::dicom::charset::Charset;
use crate::dicom::{DataSet, Tag, VR};

const CONCEPT_NAME: Tag = Tag(0x0040, 0xA043);
const CODE_VALUE: Tag = Tag(0x0008, 0x0100);
const CODING_SCHEME: Tag = Tag(0x0008, 0x0102);
const CODE_MEANING: Tag = Tag(0x0008, 0x0104);

/// Values of content items and of waveform annotations: DateTime, Date, Time,
/// Person Name, Text Value, the three of a number, Numeric Value, Unformatted
/// Text Value (PS3.3 §10.2, §C.17.3, §C.10.10).
pub(super) const VALUES: [Tag; 10] = [
    Tag(0x0040, 0xA120),
    Tag(0x0040, 0xA121),
    Tag(0x0040, 0xA122),
    Tag(0x0040, 0xA123),
    Tag(0x0040, 0xA160),
    Tag(0x0040, 0xA161),
    Tag(0x0040, 0xA162),
    Tag(0x0040, 0xA163),
    Tag(0x0040, 0xA30A),
    Tag(0x0070, 0x0006),
];
/// Concept Code Sequence: the value of a CODE item.
pub(super) const CODE: Tag = Tag(0x0040, 0xA168);
/// Measured Value Sequence: that of a NUM item, Type 2 (PS3.3 Table C.18.1-1).
pub(super) const MEASURED: Tag = Tag(0x0040, 0xA300);

type Concept = (&'static str, &'static str, KnownKind, bool);

/// Scheme, code, what the value is, and whether Retain Device Identity keeps it.
/// DCM is PS3.16 Annex D; LN is LOINC, SCT is SNOMED CT.
const CONCEPTS: &[Concept] = &[
    ("DCM", "113870", KnownKind::Person, false), // Person Name
    ("DCM", "113871", KnownKind::Id, false),     // Person ID
    ("DCM", "113873", KnownKind::Place, false),  // Organization Name
    ("DCM", "113880", KnownKind::Id, true),      // Device Serial Number
    ("DCM", "121008", KnownKind::Person, false), // Person Observer Name
    ("DCM", "121009", KnownKind::Place, false),  // Person Observer's Organization Name
    ("DCM", "121016", KnownKind::Id, true),      // Device Observer Serial Number
    ("DCM", "121017", KnownKind::Place, true), // Device Observer Physical Location During Observation
    ("DCM", "121020", KnownKind::Id, false),   // Placer Number
    ("DCM", "121021", KnownKind::Id, false),   // Filler Number
    ("DCM", "121022", KnownKind::Id, false),   // Accession Number
    ("DCM", "121029", KnownKind::Person, false), // Subject Name
    ("DCM", "121030", KnownKind::Id, false),   // Subject ID
    ("DCM", "121031", KnownKind::BirthDate, false), // Subject Birth Date
    ("DCM", "121114", KnownKind::Person, false), // Performing Physician
    ("DCM", "121196", KnownKind::Id, true),    // Device Subject Serial Number
    ("DCM", "121197", KnownKind::Place, true), // Device Subject Physical Location during observation
    ("DCM", "121434", KnownKind::Place, false), // Service Delivery Location
    ("DCM", "128774", KnownKind::Id, false),   // Person Observer's Login Name
    ("DCM", "128775", KnownKind::Id, false),   // Identifier within Person Observer's Role
    ("LN", "21112-8", KnownKind::BirthDate, false), // Birth date
    ("LN", "42077-8", KnownKind::Contact, false), // Patient phone number
    ("LN", "45392-8", KnownKind::Person, false), // First name
    ("LN", "45394-4", KnownKind::Person, false), // Last name
    ("LN", "45396-9", KnownKind::Id, false),   // Social security number
    ("LN", "52461-1", KnownKind::Person, false), // Middle name
    ("LN", "54125-0", KnownKind::Person, false), // Patient name
    ("LN", "56799-0", KnownKind::Place, false), // Address
    ("LN", "76435-7", KnownKind::Id, false),   // Patient identifier
    ("SCT", "184095009", KnownKind::Person, false), // Patient forename
    ("SCT", "184096005", KnownKind::Person, false), // Patient surname
    ("SCT", "184097001", KnownKind::Place, false), // Patient address
    ("SCT", "184099003", KnownKind::BirthDate, false), // Date of birth
    ("SCT", "184103008", KnownKind::Contact, false), // Patient telephone number
    ("SCT", "371484003", KnownKind::Person, false), // Patient name
];

/// What the value of a content item surely names; `around` is the item's own
/// character set.
pub(super) fn named_kind(item: &DataSet, around: &Charset) -> Option<KnownKind> {
    named(item, around, false).filter(|named| named.sure).map(|named| named.kind)
}

/// The value of a content item names somebody or something. `None` also for what
/// Retain Device Identity keeps.
pub(super) fn named(item: &DataSet, around: &Charset, retains_device: bool) -> Option<Named> {
    let name = name(item)?;
    if let Some((.., kind, of_device)) = by_code(name) {
        let named = Named { kind: *kind, sure: true };
        return (!(*of_device && retains_device)).then_some(named);
    }
    let meaning = name.get(CODE_MEANING)?.as_bytes()?;
    named_by(&around.for_item(name).decode(meaning, VR::LO).text)
}

fn name(item: &DataSet) -> Option<&DataSet> {
    item.get(CONCEPT_NAME)?.items()?.first()
}

fn by_code(name: &DataSet) -> Option<&'static Concept> {
    let (scheme, code) = (name.ascii(CODING_SCHEME)?, name.ascii(CODE_VALUE)?);
    CONCEPTS.iter().find(|(of, known, ..)| *of == scheme.trim() && *known == code.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::{Element, Value};

    fn item(code: &str, scheme: &str, meaning: &str) -> DataSet {
        let name = DataSet::from_iter([
            Element::bytes(CODE_VALUE, VR::SH, code),
            Element::bytes(CODING_SCHEME, VR::SH, scheme),
            Element::bytes(CODE_MEANING, VR::LO, meaning),
        ]);
        let value = Value::Items(vec![name]);
        DataSet::from_iter([Element { tag: CONCEPT_NAME, vr: VR::SQ, value }])
    }

    /// Of an item in UTF-8.
    fn kind_of(code: &str, scheme: &str, meaning: &str) -> Option<KnownKind> {
        named_kind(&item(code, scheme, meaning), &Charset::from_specific(b"ISO_IR 192"))
    }

    fn hides(code: &str, scheme: &str, retains_device: bool) -> bool {
        named(&item(code, scheme, ""), &Charset::default(), retains_device).is_some()
    }

    #[test]
    fn concepts_that_name_somebody_are_known_in_their_scheme_alone() {
        assert_eq!(kind_of("121031", "DCM ", ""), Some(KnownKind::BirthDate));
        assert_eq!(kind_of("21112-8", "LN", ""), Some(KnownKind::BirthDate));
        assert_eq!(kind_of("184096005", "SCT", ""), Some(KnownKind::Person));
        assert!(hides("121009", "DCM", true));
        assert!(hides("121016", "DCM", false) && !hides("121016", "DCM", true));
        assert_eq!(kind_of("121009", "99LOCAL", ""), None);
        assert!(!hides("121071", "DCM", false));
        assert_eq!(named(&DataSet::new(), &Charset::default(), false), None);
    }

    #[test]
    fn a_meaning_labels_the_value_in_every_scheme() {
        let kind = |meaning: &str| kind_of("x", "99X", meaning);
        assert_eq!(kind("Geburtsdatum"), Some(KnownKind::BirthDate));
        assert_eq!(kind("\u{51fa}\u{751f}\u{65e5}\u{671f}"), Some(KnownKind::BirthDate));
        assert_eq!(kind("Reporting radiologist"), Some(KnownKind::Person));
        // Birth date in GB18030, which the item states.
        let gbk = Element::bytes(CODE_MEANING, VR::LO, *b"\xB3\xF6\xC9\xFA\xC8\xD5\xC6\xDA");
        let name = Value::Items(vec![DataSet::from_iter([gbk])]);
        let item_in_gbk =
            DataSet::from_iter([Element { tag: CONCEPT_NAME, vr: VR::SQ, value: name }]);
        let around = Charset::from_specific(b"GB18030");
        assert_eq!(named_kind(&item_in_gbk, &around), Some(KnownKind::BirthDate));
        assert_eq!(kind("Name"), None, "not surely somebody's");
        let name = item("x", "99X", "Name");
        assert!(named(&name, &Charset::default(), false).is_some_and(|named| !named.sure));
    }
}
