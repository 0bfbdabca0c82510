//! Content items of structured reports whose concept labels the value as
//! somebody's, by code or by the words of its meaning (PS3.3 §10.2, §C.17.3). A
//! short list of its own; the cleaner's is longer.

use super::spelling::{fold, words};
use crate::dicom::charset::Charset;
use crate::dicom::{DataSet, Element, Tag, VR};

const CONCEPT_NAME: Tag = Tag(0x0040, 0xA043);
const CODE_VALUE: Tag = Tag(0x0008, 0x0100);
const CODING_SCHEME: Tag = Tag(0x0008, 0x0102);
const CODE_MEANING: Tag = Tag(0x0008, 0x0104);
/// Concept Code Sequence and Measured Value Sequence: values in an item.
const IN_ITEMS: [Tag; 2] = [Tag(0x0040, 0xA168), Tag(0x0040, 0xA300)];
/// DateTime, Date, Person Name, Text Value, Numeric Value.
const VALUES: [Tag; 5] = [
    Tag(0x0040, 0xA120),
    Tag(0x0040, 0xA121),
    Tag(0x0040, 0xA123),
    Tag(0x0040, 0xA160),
    Tag(0x0040, 0xA30A),
];

/// What the value of a content item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Labelled {
    Name,
    Birth,
    Id,
}

const CODES: [(&str, &str, Labelled); 10] = [
    ("DCM", "121008", Labelled::Name),
    ("DCM", "121029", Labelled::Name),
    ("DCM", "121030", Labelled::Id),
    ("DCM", "121031", Labelled::Birth),
    ("LN", "21112-8", Labelled::Birth),
    ("LN", "45392-8", Labelled::Name),
    ("LN", "45394-4", Labelled::Name),
    ("LN", "54125-0", Labelled::Name),
    ("SCT", "184099003", Labelled::Birth),
    ("SCT", "371484003", Labelled::Name),
];

/// Folded meanings, words parted by a blank.
const MEANINGS: [(&str, Labelled); 46] = [
    ("patient name", Labelled::Name),
    ("patient s name", Labelled::Name),
    ("name of patient", Labelled::Name),
    ("patientenname", Labelled::Name),
    ("name des patienten", Labelled::Name),
    ("nom du patient", Labelled::Name),
    ("nombre del paciente", Labelled::Name),
    ("nome del paziente", Labelled::Name),
    ("nome do paciente", Labelled::Name),
    ("last name", Labelled::Name),
    ("first name", Labelled::Name),
    ("surname", Labelled::Name),
    ("family name", Labelled::Name),
    ("given name", Labelled::Name),
    ("maiden name", Labelled::Name),
    ("nachname", Labelled::Name),
    ("vorname", Labelled::Name),
    ("\u{59d3}\u{540d}", Labelled::Name),
    ("\u{60a3}\u{8005}\u{59d3}\u{540d}", Labelled::Name),
    ("\u{60a3}\u{8005}\u{6c0f}\u{540d}", Labelled::Name),
    ("\u{6c0f}\u{540d}", Labelled::Name),
    ("\u{444}\u{438}\u{43e}", Labelled::Name),
    ("referring physician", Labelled::Name),
    ("reporting radiologist", Labelled::Name),
    ("next of kin", Labelled::Name),
    ("date of birth", Labelled::Birth),
    ("birth date", Labelled::Birth),
    ("birthdate", Labelled::Birth),
    ("dob", Labelled::Birth),
    ("patient birth date", Labelled::Birth),
    ("geburtsdatum", Labelled::Birth),
    ("date de naissance", Labelled::Birth),
    ("fecha de nacimiento", Labelled::Birth),
    ("data di nascita", Labelled::Birth),
    ("data de nascimento", Labelled::Birth),
    ("geboortedatum", Labelled::Birth),
    ("\u{751f}\u{5e74}\u{6708}\u{65e5}", Labelled::Birth),
    ("\u{51fa}\u{751f}\u{65e5}\u{671f}", Labelled::Birth),
    ("patient id", Labelled::Id),
    ("mrn", Labelled::Id),
    ("medical record number", Labelled::Id),
    ("ssn", Labelled::Id),
    ("social security number", Labelled::Id),
    ("patientennummer", Labelled::Id),
    ("versichertennummer", Labelled::Id),
    ("accession number", Labelled::Id),
];

/// What the value of an item is; `around` is the character set of the item.
pub(super) fn labelled(item: &DataSet, around: &Charset) -> Option<Labelled> {
    let name = item.get(CONCEPT_NAME)?.items()?.first()?;
    let said = |tag| name.ascii(tag).map(str::trim);
    let (scheme, code) = (said(CODING_SCHEME), said(CODE_VALUE));
    let by_code = CODES.iter().find(|(of, known, _)| scheme == Some(of) && code == Some(known));
    if let Some((.., labelled)) = by_code {
        return Some(*labelled);
    }
    let bytes = name.get(CODE_MEANING).and_then(Element::as_bytes)?;
    let meaning = fold(&around.for_item(name).decode(bytes, VR::LO).text);
    let meaning = words(&meaning).collect::<Vec<_>>().join(" ");
    MEANINGS.iter().find(|(known, _)| *known == meaning).map(|(_, labelled)| *labelled)
}

/// The value of an item stands in the items of this sequence.
pub(super) fn holds_value(tag: Tag) -> bool {
    IN_ITEMS.contains(&tag)
}

/// The element is a value that the label of its item, or of the item around it, is of.
pub(super) fn is_value(tag: Tag, in_code: bool) -> bool {
    VALUES.contains(&tag) || in_code && (tag == CODE_VALUE || tag == CODE_MEANING)
}
