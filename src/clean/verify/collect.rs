//! Collects from the received object what must not come back.
//!
//! The list of attributes is short and its own: it need not be complete, it
//! must be independent of the cleaner's.

use std::collections::BTreeSet;

use dicom_core::dictionary::{DataDictionary as _, DataDictionaryEntry as _};
use dicom_dictionary_std::StandardDataDictionary;

use super::known::{Kind, Known};
use super::object::Object;
use super::reports::{self, Labelled};
use super::written_dates::days_of_value;
use crate::config::{Action, Profile, ProfileOption};
use crate::dicom::charset::{Charset, has_values};
use crate::dicom::read::parse_un_sequence;
use crate::dicom::vr::{by_dictionary, is_private};
use crate::dicom::{DataSet, Element, Tag, TagPath, VR, Value};

/// Deepest nesting of sequences inside UN that is followed. Default 8: real
/// ones have one or two.
const UN_DEPTH_MAX: u32 = 8;

const BIRTH_DATE: Tag = Tag(0x0010, 0x0030);
const CODE_VALUE: Tag = Tag(0x0008, 0x0100);
const CODING_SCHEME: Tag = Tag(0x0008, 0x0102);
/// Scheduled Procedure Step ID, Performed Procedure Step ID, Requested Procedure ID.
const OF_PROCEDURES: [Tag; 3] = [Tag(0x0040, 0x0009), Tag(0x0040, 0x0253), Tag(0x0040, 0x1001)];
/// What stands where somebody was taken out before.
const DUMMY: &str = "removed";

/// What an attribute's value is, and the option under which it may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Of the person alone.
    StrongId,
    /// Of a visit, an order, a device: often short.
    WeakId,
    Place,
    Contact,
}

type Entry = (u16, u16, Sort, Option<ProfileOption>);

const DEVICE: Option<ProfileOption> = Some(ProfileOption::RetainDeviceIdentity);
const INSTITUTION: Option<ProfileOption> = Some(ProfileOption::RetainInstitutionIdentity);

/// Identifying attributes beside all names, dates and UIDs.
const ENTRIES: &[Entry] = &[
    (0x0008, 0x0050, Sort::WeakId, None),       // Accession Number
    (0x0008, 0x0080, Sort::Place, INSTITUTION), // Institution Name
    (0x0008, 0x0081, Sort::Place, INSTITUTION), // Institution Address
    (0x0008, 0x0092, Sort::Place, None),        // Referring Physician's Address
    (0x0008, 0x0094, Sort::Contact, None),      // Referring Physician's Telephone Numbers
    (0x0008, 0x1010, Sort::WeakId, DEVICE),     // Station Name
    (0x0008, 0x1040, Sort::Place, INSTITUTION), // Institutional Department Name
    (0x0010, 0x0020, Sort::StrongId, None),     // Patient ID
    (0x0010, 0x0021, Sort::Place, None),        // Issuer of Patient ID
    (0x0010, 0x1000, Sort::StrongId, None),     // Other Patient IDs
    (0x0010, 0x1040, Sort::Place, None),        // Patient's Address
    (0x0010, 0x1050, Sort::StrongId, None),     // Insurance Plan Identification
    (0x0010, 0x1090, Sort::StrongId, None),     // Medical Record Locator
    (0x0010, 0x2152, Sort::Place, None),        // Region of Residence
    (0x0010, 0x2154, Sort::Contact, None),      // Patient's Telephone Numbers
    (0x0010, 0x2155, Sort::Contact, None),      // Patient's Telecom Information
    (0x0010, 0x2299, Sort::Place, None),        // Responsible Organization
    (0x0012, 0x0031, Sort::Place, INSTITUTION), // Clinical Trial Site Name
    (0x0012, 0x0040, Sort::StrongId, None),     // Clinical Trial Subject ID
    (0x0012, 0x0042, Sort::StrongId, None),     // Clinical Trial Subject Reading ID
    (0x0018, 0x1000, Sort::WeakId, DEVICE),     // Device Serial Number
    (0x0018, 0x1004, Sort::WeakId, DEVICE),     // Plate ID
    (0x0018, 0x1008, Sort::WeakId, DEVICE),     // Gantry ID
    (0x0018, 0x1009, Sort::WeakId, DEVICE),     // Unique Device Identifier
    (0x0018, 0x700A, Sort::WeakId, DEVICE),     // Detector ID
    (0x0020, 0x0010, Sort::WeakId, None),       // Study ID
    (0x0032, 0x1020, Sort::Place, DEVICE),      // Scheduled Study Location
    (0x0032, 0x1033, Sort::Place, None),        // Requesting Service
    (0x0038, 0x0010, Sort::WeakId, None),       // Admission ID
    (0x0038, 0x0060, Sort::WeakId, None),       // Service Episode ID
    (0x0038, 0x0300, Sort::Place, None),        // Current Patient Location
    (0x0038, 0x0400, Sort::Place, None),        // Patient's Institution Residence
    (0x0040, 0x0009, Sort::WeakId, None),       // Scheduled Procedure Step ID
    (0x0040, 0x0010, Sort::WeakId, DEVICE),     // Scheduled Station Name
    (0x0040, 0x0011, Sort::Place, DEVICE),      // Scheduled Procedure Step Location
    (0x0040, 0x0242, Sort::WeakId, DEVICE),     // Performed Station Name
    (0x0040, 0x0243, Sort::Place, None),        // Performed Location
    (0x0040, 0x0253, Sort::WeakId, None),       // Performed Procedure Step ID
    (0x0040, 0x1001, Sort::WeakId, None),       // Requested Procedure ID
    (0x0040, 0x1102, Sort::Place, None),        // Person's Address
    (0x0040, 0x1103, Sort::Contact, None),      // Person's Telephone Numbers
    (0x0040, 0x1104, Sort::Contact, None),      // Person's Telecom Information
    (0x0040, 0x2010, Sort::Contact, None),      // Order Callback Phone Number
    (0x0040, 0x2016, Sort::WeakId, None),       // Placer Order Number
    (0x0040, 0x2017, Sort::WeakId, None),       // Filler Order Number
    (0x0040, 0xA027, Sort::Place, None),        // Verifying Organization
    (0x0400, 0x0564, Sort::Place, INSTITUTION), // Source of Previous Values
];

/// Ends and parts of keywords of UIDs that name kinds of things, not instances.
const KIND_KEYWORDS: [&str; 8] = [
    "ClassUID",
    "SOPClassesIn",
    "SOPClassesSupported",
    "TransferSyntaxUID",
    "CodingSchemeUID",
    "ContextUID",
    "MappingResourceUID",
    "SegmentationTemplateUID",
];

/// Collects from the whole object. `shift_days` tells where a date of the clean
/// copy came from when it is also another date of the input.
pub(super) fn collect(input: &Object<'_>, profile: &Profile, shift_days: i32) -> Known {
    let mut known = Known::default();
    let moves = profile.has(ProfileOption::RetainModifiedDates);
    known.shift_days = moves.then_some(i64::from(shift_days));
    let mut collector = Collector {
        profile,
        known,
        kept: Vec::new(),
        birth_days: Vec::new(),
        around: None,
        procedures: procedure_codes(&input.set, UN_DEPTH_MAX),
    };
    collector.set(&input.set, &Charset::default(), &mut TagPath::root(), 0);
    collector.finish()
}

struct Collector<'a> {
    profile: &'a Profile,
    known: Known,
    kept: Vec<String>,
    birth_days: Vec<i64>,
    /// What the value of the content item around a level is.
    around: Option<Labelled>,
    /// Values of codes.
    procedures: BTreeSet<String>,
}

impl Collector<'_> {
    fn set(&mut self, set: &DataSet, around: &Charset, path: &mut TagPath, un_depth: u32) {
        let charset = around.for_item(set);
        self.known.add_charset(&charset);
        let inherited = self.around.take();
        let labelled = reports::labelled(set, &charset).or(inherited);
        for element in set.iter() {
            let in_code = inherited.is_some();
            if let (Some(labelled), Some(bytes)) = (labelled, element.as_bytes())
                && reports::is_value(element.tag, in_code)
                && !self.is_kept(element.tag)
            {
                let text = charset.decode(bytes, element.vr).text;
                self.labelled(labelled, path.at(element.tag), &text);
            }
            self.around = labelled.filter(|_| reports::holds_value(element.tag));
            match &element.value {
                Value::Items(items) => self.items(element.tag, items, &charset, path, un_depth),
                Value::Bytes(bytes) if element.vr == VR::UN && un_depth < UN_DEPTH_MAX => {
                    match parse_un_sequence(bytes) {
                        Some(items) => {
                            self.items(element.tag, &items, &charset, path, un_depth + 1);
                        }
                        None => self.value(element, bytes, &charset, path),
                    }
                }
                Value::Bytes(bytes) => self.value(element, bytes, &charset, path),
                Value::Bulk(_) | Value::Fragments { .. } => {}
            }
        }
    }

    fn items(
        &mut self,
        tag: Tag,
        items: &[DataSet],
        charset: &Charset,
        path: &mut TagPath,
        un_depth: u32,
    ) {
        let around = self.around;
        for (index, item) in (0..).zip(items) {
            self.around = around;
            path.enter(tag, index);
            self.set(item, charset, path, un_depth);
            path.leave();
        }
        self.around = None;
    }

    /// The value of a content item whose concept says whose or what it is.
    fn labelled(&mut self, labelled: Labelled, place: TagPath, text: &str) {
        if unpadded(text).eq_ignore_ascii_case(DUMMY) {
            return;
        }
        let kind = match labelled {
            Labelled::Name => {
                self.known.add_name(unpadded(text));
                Kind::Name
            }
            Labelled::Id => {
                self.known.add_id(unpadded(text), false);
                Kind::Id
            }
            Labelled::Birth => {
                self.birth_days.extend(days_of_value(text).flatten());
                Kind::Date
            }
        };
        self.known.add_place_of(place, text, kind);
    }

    fn value(&mut self, element: &Element, bytes: &[u8], charset: &Charset, path: &TagPath) {
        let tag = element.tag;
        let unknown = element.vr == VR::UN && !is_private(tag);
        let vr = if unknown { by_dictionary(tag, false) } else { element.vr };
        let sort = ENTRIES.iter().find(|(group, number, ..)| tag == Tag(*group, *number));
        if sort.is_none() && ![VR::PN, VR::DA, VR::DT, VR::UI].contains(&vr) {
            return;
        }
        let text = charset.decode(bytes, vr).text;
        let values = || text.split('\\').filter(|_| has_values(vr)).map(unpadded);
        if self.is_kept(tag) {
            self.kept.extend(values().map(str::to_owned));
            return;
        }
        let place = path.at(tag);
        match (vr, sort) {
            (VR::PN, _) => {
                values().for_each(|name| self.known.add_name(name));
                self.known.add_name_bytes(bytes, &text);
                self.known.add_place_of(place, &text, Kind::Name);
            }
            (VR::DA | VR::DT, _) => self.date(tag, place, &text),
            (VR::UI, _) => values().for_each(|uid| self.uid(tag, uid)),
            (_, Some((.., option))) if option.is_some_and(|option| self.profile.has(option)) => {}
            (_, Some((.., sort, _))) => self.sorted(tag, *sort, place, &text, vr),
            (_, None) => {}
        }
    }

    fn sorted(&mut self, tag: Tag, sort: Sort, place: TagPath, text: &str, vr: VR) {
        let values: Vec<&str> = if has_values(vr) {
            text.split('\\').map(unpadded).collect()
        } else {
            vec![unpadded(text)]
        };
        for value in values {
            match sort {
                Sort::StrongId => self.known.add_id(value, true),
                // The code of a procedure, put where the order's number belongs.
                Sort::WeakId if OF_PROCEDURES.contains(&tag) && self.procedures.contains(value) => {
                }
                Sort::WeakId => self.known.add_id(value, false),
                Sort::Place => self.known.add_place(value),
                Sort::Contact => self.known.add_contact(value),
            }
        }
        let kind = match sort {
            Sort::StrongId | Sort::WeakId => Kind::Id,
            Sort::Place => Kind::Place,
            Sort::Contact => Kind::Contact,
        };
        self.known.add_place_of(place, text, kind);
    }

    fn date(&mut self, tag: Tag, place: TagPath, text: &str) {
        if tag == BIRTH_DATE {
            self.birth_days.extend(days_of_value(text).flatten());
        } else if self.profile.has(ProfileOption::RetainFullDates) {
            return;
        } else {
            days_of_value(text).flatten().for_each(|day| self.known.add_day(day, false));
        }
        self.known.add_place_of(place, text, Kind::Date);
    }

    fn uid(&mut self, tag: Tag, uid: &str) {
        let kept = self.profile.has(ProfileOption::RetainUids);
        if !kept && names_an_instance(uid) && !self.names_a_kind(tag) {
            self.known.add_uid(uid);
        }
    }

    fn names_a_kind(&self, tag: Tag) -> bool {
        let Some(entry) = StandardDataDictionary.by_tag(tag) else { return false };
        let keyword = entry.alias();
        let device = self.profile.has(ProfileOption::RetainDeviceIdentity)
            && (keyword == "DeviceUID" || keyword == "ManufacturerDeviceClassUID");
        device || KIND_KEYWORDS.iter().any(|part| keyword.contains(part))
    }

    /// A rule of the site keeps the attribute.
    fn is_kept(&self, tag: Tag) -> bool {
        self.profile
            .rules
            .iter()
            .any(|rule| Tag(rule.group, rule.element) == tag && matches!(rule.action, Action::Keep))
    }

    fn finish(mut self) -> Known {
        self.birth_days.iter().for_each(|day| self.known.add_day(*day, true));
        for kept in &self.kept {
            self.known.forget(kept);
        }
        self.known
    }
}

/// Code Values with their scheme, `levels` deep.
fn procedure_codes(set: &DataSet, levels: u32) -> BTreeSet<String> {
    let value = |tag| set.ascii(tag).map(unpadded).filter(|text| !text.is_empty());
    let mut codes: BTreeSet<String> = BTreeSet::new();
    codes.extend(value(CODE_VALUE).filter(|_| value(CODING_SCHEME).is_some()).map(str::to_owned));
    if let Some(below) = levels.checked_sub(1) {
        let items = set.iter().flat_map(|element| element.items().unwrap_or_default());
        items.for_each(|item| codes.append(&mut procedure_codes(item, below)));
    }
    codes
}

/// Not one of the standard's own UIDs. The registered ones under its root have
/// short components; longer ones were made up under it by somebody else.
fn names_an_instance(uid: &str) -> bool {
    let registered = uid
        .strip_prefix("1.2.840.10008.")
        .is_some_and(|rest| rest.split('.').all(|component| component.len() <= 4));
    !uid.is_empty() && !registered
}

fn unpadded(value: &str) -> &str {
    value.trim_matches([' ', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_of_the_standard_name_no_instance() {
        assert!(!names_an_instance("1.2.840.10008.5.1.4.1.1.2"));
        assert!(!names_an_instance("1.2.840.10008.6.1.1234"));
        assert!(!names_an_instance(""));
        assert!(names_an_instance("1.2.840.10008.5.1.4.1.1.2.20190401.1"));
        assert!(names_an_instance("1.2.840.113619.2.1"));
    }
}
