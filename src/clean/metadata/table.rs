//! The facts of the standard that the profile engine looks up: Table E.1-1 of
//! PS3.15 with its option columns, the safe private elements of Table
//! E.3.10-1, types of attributes (PS3.3) and registered UIDs (PS3.6).
//!
//! Generated at build from `config/standard/*.tsv`; tested by counts.

use crate::config::ProfileOption;
use crate::dicom::{Tag, VR};

/// What the basic profile does to an attribute (PS3.15 §E.3, Table E.1-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Basic {
    /// D: a dummy value.
    Dummy,
    /// Z: no value, or a dummy.
    Zero,
    /// X: removed.
    Remove,
    /// U: another UID, the same everywhere.
    Uid,
    /// Z/D: Z, but D where the attribute is Type 1.
    ZeroOrDummy,
    /// X/Z: X, but Z where it is Type 2.
    RemoveOrZero,
    /// X/D: X, but D where it is Type 1.
    RemoveOrDummy,
    /// X/Z/D: X, but Z or D where it is Type 2 or 1.
    RemoveOrZeroOrDummy,
    /// X/Z/U*: removed, emptied, or kept with other UIDs in it.
    RemoveOrZeroOrUids,
}

/// What an option does instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// Nothing: the basic profile holds.
    Empty,
    /// K: kept.
    Keep,
    /// C: cleaned.
    Clean,
}

/// The options that have a column, in its order.
pub const COLUMNS: [ProfileOption; 10] = [
    ProfileOption::RetainSafePrivate,
    ProfileOption::RetainUids,
    ProfileOption::RetainDeviceIdentity,
    ProfileOption::RetainInstitutionIdentity,
    ProfileOption::RetainPatientCharacteristics,
    ProfileOption::RetainFullDates,
    ProfileOption::RetainModifiedDates,
    ProfileOption::CleanDescriptors,
    ProfileOption::CleanStructuredContent,
    ProfileOption::CleanGraphics,
];

/// A row of Table E.1-1.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// The tag; the first one for a row that stands for many.
    pub tag: Tag,
    /// Name of the attribute.
    pub name: &'static str,
    /// The basic profile.
    pub basic: Basic,
    /// The options, in the order of [`COLUMNS`].
    cells: [Cell; 10],
    /// In 2026c, not yet in 2024e.
    pub newer: bool,
}

impl Row {
    /// What an option does; Clean Pixel Data has no column.
    #[must_use]
    pub fn cell(&self, option: ProfileOption) -> Cell {
        let column = COLUMNS.iter().position(|column| *column == option);
        column.and_then(|at| self.cells.get(at).copied()).unwrap_or(Cell::Empty)
    }

    /// The attribute is a date or time for the table.
    #[must_use]
    pub fn is_temporal(&self) -> bool {
        self.cell(ProfileOption::RetainFullDates) != Cell::Empty
    }
}

/// A row of Table E.3.10-1.
#[derive(Debug, PartialEq, Eq)]
pub struct SafePrivate {
    /// Private creator, without padding.
    pub creator: &'static str,
    /// Group.
    pub group: u16,
    /// Low byte of the element number: the high one names the block.
    pub low_byte: u8,
    /// VR, for senders that do not say it.
    pub vr: VR,
}

/// An attribute with a combined action that must be there in some objects.
struct Need {
    tag: Tag,
    /// In a sequence, else on the main level.
    nested: bool,
    /// With a value (Type 1 or 1C), else empty or not (Type 2 or 2C).
    value: bool,
    /// Numbers of the information objects, in order.
    objects: &'static [u16],
}

/// What an information object asks of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    /// Type 1 or 1C: a value.
    Value,
    /// Type 2 or 2C: it may be empty.
    Present,
    /// Type 3, or not in this object.
    Optional,
    /// The SOP class is not known to PS3.4: anything may be asked.
    Unknown,
}

include!(concat!(env!("OUT_DIR"), "/standard.rs"));

/// The row of Table E.1-1 for a tag of a standard group. Private ones have
/// [`private_row`].
#[must_use]
pub fn row(tag: Tag) -> Option<&'static Row> {
    match (tag.group() & 0xFF00, tag.element()) {
        (0x5000, _) => Some(&CURVES),
        (0x6000, 0x3000) => Some(&OVERLAY_DATA),
        (0x6000, 0x4000) => Some(&OVERLAY_COMMENTS),
        (_, _) => {
            let at = ROWS.binary_search_by_key(&tag, |row| row.tag).ok()?;
            ROWS.get(at)
        }
    }
}

/// The row for private attributes.
#[must_use]
pub fn private_row() -> &'static Row {
    &PRIVATE
}

/// All rows, the patterns last.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().chain([&CURVES, &OVERLAY_DATA, &OVERLAY_COMMENTS, &PRIVATE])
}

/// Text outside Table E.1-1 that a machine or a code list makes.
#[must_use]
pub fn is_machine_text(tag: Tag) -> bool {
    MACHINE_TEXT.binary_search(&tag).is_ok()
}

/// Text outside Table E.1-1 that belongs to the picture and may be typed.
#[must_use]
pub fn is_typed_text(tag: Tag) -> bool {
    TYPED_TEXT.binary_search(&tag).is_ok()
}

/// Identifies although it is not in Table E.1-1.
#[must_use]
pub fn is_own_row(tag: Tag) -> bool {
    OWN_ROWS.binary_search(&tag).is_ok()
}

/// The row of Table E.3.10-1 for a private element.
#[must_use]
pub fn safe_private(creator: &str, group: u16, low_byte: u8) -> Option<&'static SafePrivate> {
    SAFE_PRIVATE
        .iter()
        .find(|row| row.group == group && row.low_byte == low_byte && row.creator == creator)
}

/// All rows of Table E.3.10-1 that are taken.
#[must_use]
pub fn safe_private_rows() -> &'static [SafePrivate] {
    SAFE_PRIVATE
}

/// Registered in PS3.6 Annex A: nobody's own.
#[must_use]
pub fn is_registered_uid(uid: &str) -> bool {
    // Context groups: Table A-3 of PS3.6.
    let context_group = uid.strip_prefix("1.2.840.10008.6.1.").is_some_and(|number| {
        (1..=4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    context_group || REGISTERED_UIDS.binary_search(&uid).is_ok()
}

/// What the object of `sop_class` asks of an attribute whose row has a
/// combined action.
#[must_use]
pub fn required(sop_class: &str, tag: Tag, nested: bool) -> Required {
    let Ok(at) = OBJECTS.binary_search_by_key(&sop_class, |(class, _)| class) else {
        return Required::Unknown;
    };
    let object = OBJECTS.get(at).map_or(u16::MAX, |(_, object)| *object);
    let first = NEEDS.partition_point(|need| need.tag < tag);
    let of_tag = NEEDS.iter().skip(first).take_while(|need| need.tag == tag);
    let asks = |value: bool| {
        of_tag.clone().any(|need| {
            need.nested == nested
                && need.value == value
                && need.objects.binary_search(&object).is_ok()
        })
    };
    match (asks(true), asks(false)) {
        (true, _) => Required::Value,
        (false, true) => Required::Present,
        (false, false) => Required::Optional,
    }
}

/// Some object asks for the attribute with a value, or else at least empty.
#[cfg(test)]
pub(super) fn is_asked(tag: Tag, value: bool) -> bool {
    NEEDS.iter().any(|need| need.tag == tag && need.value == value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn table_has_the_rows_and_actions_of_both_editions() {
        let mut actions = BTreeMap::new();
        for row in rows().filter(|row| !row.newer) {
            *actions.entry(row.basic).or_insert(0) += 1;
        }
        let expected = BTreeMap::from([
            (Basic::Remove, 384),
            (Basic::Dummy, 92),
            (Basic::Uid, 54),
            (Basic::Zero, 42),
            (Basic::RemoveOrDummy, 22),
            (Basic::RemoveOrZero, 11),
            (Basic::RemoveOrZeroOrDummy, 8),
            (Basic::ZeroOrDummy, 6),
            (Basic::RemoveOrZeroOrUids, 2),
        ]);
        assert_eq!(actions, expected);
        assert_eq!(rows().filter(|row| !row.newer).count(), 621);
        assert_eq!(rows().count(), 656);
    }

    #[test]
    fn options_have_as_many_rows_as_in_2024e() {
        let counts = COLUMNS.map(|option| {
            rows().filter(|row| !row.newer && row.cell(option) != Cell::Empty).count()
        });
        assert_eq!(counts, [1, 59, 57, 10, 13, 165, 165, 125, 3, 4]);
    }

    #[test]
    fn single_rows_are_as_printed() {
        use ProfileOption as O;
        let check = |tag, basic, option, cell| {
            let row = row(tag).unwrap();
            assert_eq!((row.basic, row.cell(option)), (basic, cell), "{}", row.name);
        };
        check(Tag(0x0010, 0x0010), Basic::Zero, O::RetainPatientCharacteristics, Cell::Empty);
        check(Tag(0x0010, 0x0020), Basic::ZeroOrDummy, O::RetainUids, Cell::Empty);
        check(Tag(0x0008, 0x0020), Basic::Zero, O::RetainModifiedDates, Cell::Clean);
        check(Tag(0x0008, 0x0020), Basic::Zero, O::RetainFullDates, Cell::Keep);
        check(Tag(0x0008, 0x1030), Basic::Remove, O::CleanDescriptors, Cell::Clean);
        check(Tag(0x0008, 0x1140), Basic::RemoveOrZeroOrUids, O::RetainUids, Cell::Keep);
        check(Tag(0x0010, 0x1010), Basic::Remove, O::RetainPatientCharacteristics, Cell::Keep);
        check(Tag(0x0018, 0x1002), Basic::Uid, O::RetainDeviceIdentity, Cell::Keep);
        check(Tag(0x0040, 0xA730), Basic::Dummy, O::CleanStructuredContent, Cell::Clean);
        check(Tag(0x5012, 0x3000), Basic::Remove, O::CleanGraphics, Cell::Clean);
        check(Tag(0x6002, 0x3000), Basic::Remove, O::CleanGraphics, Cell::Clean);
        check(Tag(0x0070, 0x0006), Basic::Dummy, O::CleanDescriptors, Cell::Clean);
        assert_eq!(private_row().cell(O::RetainSafePrivate), Cell::Clean);
        assert!(row(Tag(0x0008, 0x0070)).is_none());
    }

    #[test]
    fn safe_private_elements_are_found_by_creator_group_and_low_byte() {
        // 79 rows of the table as 2019e prints it, 64 of a copy of a later edition.
        assert_eq!(SAFE_PRIVATE.len(), 143);
        let row = safe_private("SIEMENS MR HEADER", 0x0019, 0x0C).unwrap();
        assert_eq!(row.vr, VR::IS);
        assert!(safe_private("SIEMENS MR HEADER", 0x0019, 0x0B).is_none());
        assert!(safe_private("SIEMENS MR", 0x0019, 0x0C).is_none());
    }

    #[test]
    fn types_follow_the_object() {
        let series_date = Tag(0x0008, 0x0021);
        let mr = "1.2.840.10008.5.1.4.1.1.4";
        let pet = "1.2.840.10008.5.1.4.1.1.128";
        assert_eq!(required(mr, series_date, false), Required::Optional);
        assert_eq!(required(pet, series_date, false), Required::Value);
        assert_eq!(required(mr, Tag(0x0008, 0x0023), false), Required::Present);
        assert_eq!(required("1.3.46.670589.5.0.1", series_date, false), Required::Unknown);
    }

    #[test]
    fn registered_uids_are_known_and_abuse_of_their_root_is_not() {
        assert!(is_registered_uid("1.2.840.10008.5.1.4.1.1.2"));
        assert!(is_registered_uid("1.2.840.10008.1.2.4.50"));
        assert!(is_registered_uid("1.2.840.10008.6.1.308"));
        assert!(!is_registered_uid("1.2.840.10008.5.1.4.1.1.2.20190401.1"));
        assert!(!is_registered_uid("1.2.840.10008.6.1.20190401"));
    }

    #[test]
    fn lists_of_ours_do_not_repeat_the_table() {
        for tag in MACHINE_TEXT.iter().chain(TYPED_TEXT).chain(OWN_ROWS) {
            assert!(row(*tag).is_none(), "{tag} stands in Table E.1-1");
        }
        assert!(MACHINE_TEXT.iter().chain(TYPED_TEXT).all(|tag| !is_own_row(*tag)));
    }
}
