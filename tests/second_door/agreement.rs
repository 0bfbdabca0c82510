//! What the second door searches for, the cleaner has taken out of text before: an
//! attribute that one of them knows and the other does not is a study in quarantine.
//!
//! Method: each attribute of the profile table alone, on the first level and below a
//! sequence, and its value in typed text beside it.

use airlock::clean::metadata::table;
use airlock::dicom::vr::by_dictionary;
use airlock::dicom::{DataSet, Element, Tag, VR, Value};

use crate::support::header_job::HeaderJob;

const DESCRIPTION: Tag = Tag(0x0018, 0x1400);
/// Words, identifiers, both; what other texts say as well.
#[rustfmt::skip] // One a line would hide the test.
const VALUES: [&str; 32] = [
    "Qxvelto", "QX774193", "Qxvelto 774193", "SMITH", "O'Brien", "a1b2c3", "1234567", "20240131",
    "HEAD CT", "follow-up", "t2_tse", "b1000", "T2 axial", "CT1", "knee 2", "headct", "x-ray",
    "ROSE", "Young", "Rose Head", "General Hospital", "St. Mary's", "WEST WING", "5th floor",
    "room 12", "Building 4", "12345", "1.2.3", "5.0 t2_tse",
    "lesion 5.0 contrast", "left b1000 5.0", "12 Follow up lane",
];

/// Attributes of the object itself.
const OWN: [Tag; 4] = [Tag(0x0008, 0x0005), Tag(0x0008, 0x0016), Tag(0x0008, 0x0018), DESCRIPTION];

fn is_text(tag: Tag) -> bool {
    matches!(
        by_dictionary(tag, false),
        VR::SH | VR::LO | VR::ST | VR::LT | VR::UT | VR::UC | VR::PN | VR::AE
    )
}

fn object(element: Element, value: &str) -> DataSet {
    let ascii = |tag, vr, text: &str| Element::bytes(tag, vr, text);
    DataSet::from_iter([
        ascii(Tag(0x0008, 0x0016), VR::UI, "1.2.840.10008.5.1.4.1.1.2"),
        ascii(Tag(0x0008, 0x0018), VR::UI, "1.2.752.99.8.1"),
        ascii(Tag(0x0020, 0x000D), VR::UI, "1.2.752.99.8.2"),
        ascii(Tag(0x0020, 0x000E), VR::UI, "1.2.752.99.8.3"),
        ascii(Tag(0x0010, 0x0020), VR::LO, "AA-1000000"),
        ascii(DESCRIPTION, VR::LO, &format!("axial {value} 3mm {}", without_numbers(value))),
        element,
    ])
}

/// A street without its number.
fn without_numbers(value: &str) -> String {
    let is_number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    value.split(' ').filter(|word| !is_number(word)).collect::<Vec<_>>().join(" ")
}

/// Attributes whose value is somebody's or some place's, and values that no list explains.
const IDENTIFYING: [Tag; 9] = [
    Tag(0x0008, 0x0050), // Accession Number
    Tag(0x0008, 0x0080), // Institution Name
    Tag(0x0010, 0x0010), // Patient's Name
    Tag(0x0010, 0x0020), // Patient ID
    Tag(0x0010, 0x1000), // Other Patient IDs
    Tag(0x0010, 0x1040), // Patient's Address
    Tag(0x0010, 0x2154), // Patient's Telephone Numbers
    Tag(0x0038, 0x0010), // Admission ID
    Tag(0x0040, 0x1104), // Person's Telecom Information
];
const TELLING: [&str; 6] =
    ["Qxvelto", "QX774193", "Victoria Wright", "Ella Hart", "J-A-K-E-B", "Qxvelto 774193"];

#[test]
fn what_such_an_attribute_says_leaves_in_no_text_beside_it() {
    let mut left = Vec::new();
    for job in HeaderJob::shipped() {
        for (tag, value) in IDENTIFYING.iter().flat_map(|tag| TELLING.map(|value| (*tag, value))) {
            let copy =
                job.run(&object(Element::bytes(tag, by_dictionary(tag, false), value), value));
            let text = copy.map(|copy| copy.set.ascii(DESCRIPTION).unwrap_or_default().to_owned());
            if text.as_ref().is_ok_and(|text| text.contains(value)) {
                left.push(format!("{tag} {value} {}: {text:?}", job.profile().name));
            }
        }
    }
    assert!(left.is_empty(), "{}:\n{}", left.len(), left.join("\n"));
}

#[test]
fn no_value_of_an_attribute_that_the_cleaner_leaves_in_text_is_refused_later() {
    let mut refused = Vec::new();
    let rows = table::rows().map(|row| row.tag).filter(|tag| is_text(*tag) && !OWN.contains(tag));
    let tags: Vec<Tag> = rows.collect();
    assert!(tags.len() > 200, "{}", tags.len());
    for job in HeaderJob::shipped() {
        for (tag, value) in tags.iter().flat_map(|tag| VALUES.map(|value| (*tag, value))) {
            let flat = Element::bytes(tag, by_dictionary(tag, false), value);
            let items = vec![DataSet::from_iter([flat.clone()])];
            let tag_above = Tag(0x0008, 0x1140);
            let below = Element { tag: tag_above, vr: VR::SQ, value: Value::Items(items) };
            for element in [flat, below] {
                if let Err(why) = job.run(&object(element, value)) {
                    refused.push(format!("{tag} {value} {}: {why}", job.profile().name));
                }
            }
        }
    }
    assert!(refused.is_empty(), "{}:\n{}", refused.len(), refused.join("\n"));
}
