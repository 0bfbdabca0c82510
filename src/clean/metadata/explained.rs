//! Values of identifying attributes that say nothing of a person where they stand
//! once more in a term or a code: a service called `CHEST`, a Requested Procedure
//! ID that is the procedure's own code. Whatever names or numbers a person too is
//! none of these (docs/decisions/0010).

use std::collections::BTreeSet;

use super::exact::squeezed;
use crate::clean::judge::is_vocabulary;
use crate::dicom::{DataSet, Tag, VR};

const CODING_SCHEME: Tag = Tag(0x0008, 0x0102);
/// Code Value, Long Code Value.
const CODES: [Tag; 2] = [Tag(0x0008, 0x0100), Tag(0x0008, 0x0119)];
/// Deepest nesting that is looked into: the reader's limit.
const NESTING_MAX: u32 = 64;

/// What is ordered, where, and by whom as a service: often filled with the name
/// or the code of an examination.
const OF_ORDERS: [Tag; 9] = [
    Tag(0x0008, 0x1040), // Institutional Department Name
    Tag(0x0032, 0x1020), // Scheduled Study Location
    Tag(0x0032, 0x1033), // Requesting Service
    Tag(0x0038, 0x0300), // Current Patient Location
    Tag(0x0040, 0x0009), // Scheduled Procedure Step ID
    Tag(0x0040, 0x0011), // Scheduled Procedure Step Location
    Tag(0x0040, 0x0243), // Performed Location
    Tag(0x0040, 0x0253), // Performed Procedure Step ID
    Tag(0x0040, 0x1001), // Requested Procedure ID
];

/// Numbers of a person, a visit, an order: they win over the same text elsewhere.
const OF_PERSONS: [Tag; 13] = [
    Tag(0x0008, 0x0050), // Accession Number
    Tag(0x0010, 0x0020), // Patient ID
    Tag(0x0010, 0x1000), // Other Patient IDs
    Tag(0x0010, 0x1050), // Insurance Plan Identification
    Tag(0x0010, 0x1090), // Medical Record Locator
    Tag(0x0012, 0x0040), // Clinical Trial Subject ID
    Tag(0x0012, 0x0042), // Clinical Trial Subject Reading ID
    Tag(0x0018, 0x1000), // Device Serial Number
    Tag(0x0020, 0x0010), // Study ID
    Tag(0x0038, 0x0010), // Admission ID
    Tag(0x0038, 0x0060), // Service Episode ID
    Tag(0x0040, 0x2016), // Placer Order Number
    Tag(0x0040, 0x2017), // Filler Order Number
];

#[derive(Default)]
struct Found {
    orders: BTreeSet<String>,
    persons: BTreeSet<String>,
    codes: BTreeSet<String>,
}

/// The values of a data set that are explained, without blanks and signs.
pub(super) fn explained(set: &DataSet) -> BTreeSet<String> {
    let mut found = Found::default();
    look(set, NESTING_MAX, &mut found);
    let Found { orders, persons, codes } = found;
    orders
        .into_iter()
        .filter(|value| !value.is_empty() && !persons.contains(value))
        .filter(|value| codes.contains(value) || is_vocabulary(value))
        .collect()
}

fn look(set: &DataSet, levels: u32, found: &mut Found) {
    let is_code = set.ascii(CODING_SCHEME).is_some_and(|scheme| !scheme.trim().is_empty());
    for element in set.iter() {
        if let Some(below) = levels.checked_sub(1) {
            element.items().unwrap_or_default().iter().for_each(|item| look(item, below, found));
        }
        let tag = element.tag;
        let into = if OF_ORDERS.contains(&tag) {
            &mut found.orders
        } else if OF_PERSONS.contains(&tag) || element.vr == VR::PN {
            &mut found.persons
        } else if is_code && CODES.contains(&tag) {
            &mut found.codes
        } else {
            continue;
        };
        let text = set.ascii(tag).unwrap_or_default();
        into.extend(text.split(['\\', '^', '=']).map(squeezed));
    }
}
