//! Collects what a data set says about persons and places, before anything is
//! cleaned: for judging text and for the check of the clean copy.

use std::collections::BTreeSet;

use super::class::dictionary_vr;
use super::content_items;
use super::dates;
use crate::clean::known::{KnownKind, KnownValue, KnownValues};
use crate::dicom::charset::{Charset, has_values, name_groups};
use crate::dicom::read::parse_un_sequence;
use crate::dicom::vr::is_private;
use crate::dicom::{DataSet, Element, Tag, VR};
use crate::identified::Identified;

/// Most values of one data set. Default 4,096: a report with hundreds of
/// observers has fewer; a file made to slow the matcher down has more.
const VALUES_MAX: usize = 4_096;
/// Deepest nesting that is looked into: the reader's limit.
const NESTING_MAX: u32 = 64;
/// Longest value, in characters. Default 1,024: that of ST (PS3.5 §6.2).
const CHARS_MAX: usize = 1_024;

/// Attributes that identify, beside all of VR PN, DA and DT.
const TAGS: &[(Tag, KnownKind)] = &[
    (Tag(0x0008, 0x0050), KnownKind::Id),      // Accession Number
    (Tag(0x0008, 0x0080), KnownKind::Place),   // Institution Name
    (Tag(0x0008, 0x0081), KnownKind::Place),   // Institution Address
    (Tag(0x0008, 0x0092), KnownKind::Place),   // Referring Physician's Address
    (Tag(0x0008, 0x0094), KnownKind::Contact), // Referring Physician's Telephone Numbers
    (Tag(0x0008, 0x1010), KnownKind::Id),      // Station Name
    (Tag(0x0008, 0x1040), KnownKind::Place),   // Institutional Department Name
    (Tag(0x0010, 0x0020), KnownKind::Id),      // Patient ID
    (Tag(0x0010, 0x0021), KnownKind::Place),   // Issuer of Patient ID
    (Tag(0x0010, 0x1000), KnownKind::Id),      // Other Patient IDs
    (Tag(0x0010, 0x1040), KnownKind::Place),   // Patient's Address
    (Tag(0x0010, 0x1050), KnownKind::Id),      // Insurance Plan Identification
    (Tag(0x0010, 0x1090), KnownKind::Id),      // Medical Record Locator
    (Tag(0x0010, 0x2152), KnownKind::Place),   // Region of Residence
    (Tag(0x0010, 0x2154), KnownKind::Contact), // Patient's Telephone Numbers
    (Tag(0x0010, 0x2155), KnownKind::Contact), // Patient's Telecom Information
    (Tag(0x0010, 0x2299), KnownKind::Place),   // Responsible Organization
    (Tag(0x0012, 0x0031), KnownKind::Place),   // Clinical Trial Site Name
    (Tag(0x0012, 0x0040), KnownKind::Id),      // Clinical Trial Subject ID
    (Tag(0x0012, 0x0042), KnownKind::Id),      // Clinical Trial Subject Reading ID
    (Tag(0x0012, 0x0060), KnownKind::Place),   // Clinical Trial Coordinating Center Name
    (Tag(0x0018, 0x1000), KnownKind::Id),      // Device Serial Number
    (Tag(0x0018, 0x1004), KnownKind::Id),      // Plate ID
    (Tag(0x0018, 0x1008), KnownKind::Id),      // Gantry ID
    (Tag(0x0018, 0x1009), KnownKind::Id),      // Unique Device Identifier
    (Tag(0x0018, 0x700A), KnownKind::Id),      // Detector ID
    (Tag(0x0020, 0x0010), KnownKind::Id),      // Study ID
    (Tag(0x0032, 0x1020), KnownKind::Place),   // Scheduled Study Location
    (Tag(0x0032, 0x1033), KnownKind::Place),   // Requesting Service
    (Tag(0x0038, 0x0010), KnownKind::Id),      // Admission ID
    (Tag(0x0038, 0x0060), KnownKind::Id),      // Service Episode ID
    (Tag(0x0038, 0x0300), KnownKind::Place),   // Current Patient Location
    (Tag(0x0038, 0x0400), KnownKind::Place),   // Patient's Institution Residence
    (Tag(0x0040, 0x0009), KnownKind::Id),      // Scheduled Procedure Step ID
    (Tag(0x0040, 0x0010), KnownKind::Id),      // Scheduled Station Name
    (Tag(0x0040, 0x0011), KnownKind::Place),   // Scheduled Procedure Step Location
    (Tag(0x0040, 0x0242), KnownKind::Id),      // Performed Station Name
    (Tag(0x0040, 0x0243), KnownKind::Place),   // Performed Location
    (Tag(0x0040, 0x0253), KnownKind::Id),      // Performed Procedure Step ID
    (Tag(0x0040, 0x1001), KnownKind::Id),      // Requested Procedure ID
    (Tag(0x0040, 0x1103), KnownKind::Contact), // Person's Telephone Numbers
    (Tag(0x0040, 0x1104), KnownKind::Contact), // Person's Telecom Information
    (Tag(0x0040, 0x1102), KnownKind::Place),   // Person's Address
    (Tag(0x0040, 0x2016), KnownKind::Id),      // Placer Order Number
    (Tag(0x0040, 0x2009), KnownKind::Place),   // Order Enterer's Location
    (Tag(0x0040, 0x2010), KnownKind::Contact), // Order Callback Phone Number
    (Tag(0x0040, 0x2017), KnownKind::Id),      // Filler Order Number
    (Tag(0x0040, 0x4036), KnownKind::Place),   // Human Performer's Organization
    (Tag(0x0040, 0xA027), KnownKind::Place),   // Verifying Organization
    (Tag(0x0400, 0x0564), KnownKind::Place),   // Source of Previous Values
    (Tag(0x4008, 0x011A), KnownKind::Place),   // Distribution Address
];

const BIRTH_DATE: Tag = Tag(0x0010, 0x0030);
const AGE: Tag = Tag(0x0010, 0x1010);
const CODE_MEANING: Tag = Tag(0x0008, 0x0104);
/// Sequences of codes whose meaning names somebody or some place.
const CODED: &[(Tag, KnownKind)] = &[
    (Tag(0x0008, 0x0082), KnownKind::Place), // Institution Code Sequence
    (Tag(0x0040, 0x1101), KnownKind::Person), // Person Identification Code Sequence
    (Tag(0x0040, 0x4027), KnownKind::Place), // Scheduled Station Geographic Location Code Sequence
    (Tag(0x0040, 0x4030), KnownKind::Place), // Performed Station Geographic Location Code Sequence
];

/// The identifying values of a data set, at any depth, decoded by the
/// character set of their item, without repeats and in a stable order.
///
/// Names are parted into their groups; each keeps its `^`.
#[must_use]
pub fn collect_known(set: &DataSet) -> KnownValues {
    let mut found = BTreeSet::new();
    collect(set, &Around { charset: &Charset::default(), sequence: None }, NESTING_MAX, &mut found);
    let values = found.into_iter().map(|(kind, text)| KnownValue { kind, text });
    KnownValues { values: values.collect() }
}

type Found = BTreeSet<(KnownKind, Identified<String>)>;

/// What surrounds a level.
struct Around<'a> {
    charset: &'a Charset,
    /// The sequence that it is an item of.
    sequence: Option<Tag>,
}

/// Collects from one level and, `levels` deep, from those below it.
fn collect(set: &DataSet, around: &Around<'_>, levels: u32, found: &mut Found) {
    let charset = around.charset.for_item(set);
    let content = content_items::named_kind(set, &charset);
    for element in set.iter() {
        let around_items = Around { charset: &charset, sequence: Some(element.tag) };
        if let Some(below) = levels.checked_sub(1) {
            for item in element.items().unwrap_or_default() {
                collect(item, &around_items, below, found);
            }
            for item in hidden_items(element) {
                collect(&item, &around_items, below, found);
            }
        }
        let vr = known_vr(element);
        let coded = around.sequence.filter(|_| element.tag == CODE_MEANING).and_then(coded_kind);
        let kind =
            coded.or_else(|| content_kind(element.tag, content)).or_else(|| kind(element.tag, vr));
        let (Some(kind), Some(bytes)) = (kind, element.as_bytes()) else { continue };
        for value in values(&charset.decode(bytes, vr).text, vr, kind) {
            if found.len() < VALUES_MAX {
                found.insert((kind, Identified::new(value)));
            }
        }
    }
}

/// Items that hide in a value of VR UN.
fn hidden_items(element: &Element) -> Vec<DataSet> {
    let bytes = element.as_bytes().filter(|_| element.vr == VR::UN);
    bytes.and_then(parse_un_sequence).unwrap_or_default()
}

/// The VR to read an element by; private ones by their stream.
fn known_vr(element: &Element) -> VR {
    if element.vr == VR::UN && !is_private(element.tag) {
        return dictionary_vr(element.tag).unwrap_or(VR::UN);
    }
    element.vr
}

fn coded_kind(sequence: Tag) -> Option<KnownKind> {
    CODED.iter().find(|(known, _)| *known == sequence).map(|(_, kind)| *kind)
}

/// The value of a content item whose concept names somebody or something.
fn content_kind(tag: Tag, kind: Option<KnownKind>) -> Option<KnownKind> {
    kind.filter(|_| content_items::VALUES.contains(&tag))
}

fn kind(tag: Tag, vr: VR) -> Option<KnownKind> {
    if vr == VR::PN {
        return Some(KnownKind::Person);
    }
    if tag == BIRTH_DATE {
        return Some(KnownKind::BirthDate);
    }
    if tag == AGE {
        return Some(KnownKind::Age);
    }
    if matches!(vr, VR::DA | VR::DT) {
        return Some(KnownKind::Date);
    }
    TAGS.iter().find(|(known, _)| *known == tag).map(|(_, kind)| *kind)
}

/// The single values of a text that can be looked for.
fn values(text: &str, vr: VR, kind: KnownKind) -> Vec<String> {
    let whole: Vec<&str> = if has_values(vr) { text.split('\\').collect() } else { vec![text] };
    let parts = whole.into_iter().flat_map(|value| match kind {
        KnownKind::Person => name_groups(value).collect(),
        KnownKind::Id | KnownKind::Place | KnownKind::Contact | KnownKind::Age => vec![value],
        KnownKind::Date | KnownKind::BirthDate => vec![value],
    });
    parts
        .filter_map(|value| match kind {
            KnownKind::Date | KnownKind::BirthDate => {
                value.get(..8).filter(|day| dates::is_date(day))
            }
            KnownKind::Person
            | KnownKind::Id
            | KnownKind::Place
            | KnownKind::Contact
            | KnownKind::Age => {
                Some(value.trim_matches(|letter: char| letter == '\0' || letter.is_whitespace()))
            }
        })
        // A name in an unstated character set may have no letter in the stated one.
        .filter(|value| value.chars().any(|c| c.is_alphanumeric() || !c.is_ascii()))
        .filter(|value| value.chars().nth(CHARS_MAX).is_none())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::{Value, testing};

    #[test]
    fn values_are_found_at_any_depth_and_names_by_group() {
        let nested = DataSet::from_iter([
            Element::bytes(Tag(0x0010, 0x0020), VR::LO, "B-2 "),
            Element::bytes(Tag(0x0008, 0x1070), VR::PN, "Roe^Max\\Poe^Ann "),
        ]);
        let hidden = testing::item(&testing::implicit(Tag(0x0010, 0x0010), b"Hidden^One"));
        let set = DataSet::from_iter([
            Element::bytes(Tag(0x0010, 0x0010), VR::PN, "Doe^Jane==\u{3a6}"),
            Element::bytes(Tag(0x0008, 0x0005), VR::CS, "ISO_IR 192"),
            Element::bytes(Tag(0x0010, 0x0020), VR::LO, "A-1"),
            Element::bytes(Tag(0x0010, 0x0030), VR::DA, "19700203"),
            Element::bytes(Tag(0x0008, 0x002A), VR::DT, "20240102120000.5"),
            Element::bytes(Tag(0x0008, 0x0050), VR::SH, "  "),
            Element::bytes(Tag(0x0019, 0x1001), VR::PN, "Private^One"),
            Element::bytes(Tag(0x0019, 0x1002), VR::UN, hidden),
            Element { tag: Tag(0x0008, 0x1140), vr: VR::SQ, value: Value::Items(vec![nested]) },
        ]);
        let known = collect_known(&set);
        let texts: Vec<(KnownKind, &str)> =
            known.values.iter().map(|value| (value.kind, value.text.expose().as_str())).collect();
        use KnownKind::{BirthDate, Date, Id, Person};
        assert_eq!(
            texts,
            [
                (Person, "Doe^Jane"),
                (Person, "Hidden^One"),
                (Person, "Poe^Ann"),
                (Person, "Private^One"),
                (Person, "Roe^Max"),
                (Person, "\u{3a6}"),
                (Id, "A-1"),
                (Id, "B-2"),
                (Date, "20240102"),
                (BirthDate, "19700203"),
            ]
        );
    }
}
