//! Claims about any header. Goal: no input identifier survives `basic`, the same
//! input gives the same output, all UIDs are legal. Method: random data sets,
//! nested, of any tag and VR, with a mark in every value.

use proptest::prelude::*;

use super::class::{Class, dictionary_vr};
use super::table;
use super::tests::{CT, basic, cleaned_by, tag, text};
use crate::config::Profile;
use crate::dicom::{DataSet, Element, Tag, Uid, VR, Value};

/// Stands for an identifier; no value that the cleaner makes contains it.
const MARK: &str = "Qzx^7\u{e9}";

/// Elements whose kind of value cannot hold a mark by form: numbers in binary
/// (looked through by `verify`), terms and technical text (known values only).
fn may_hold_free_bytes(tag: Tag, vr: VR) -> bool {
    let class = Class::of_element(vr, dictionary_vr(tag).unwrap_or(VR::UN));
    let is_private = tag.group() % 2 == 1;
    let is_looked_at_elsewhere = matches!(class, Class::Binary | Class::Term)
        || table::is_machine_text(tag)
        || (class == Class::Bytes && matches!(tag.group(), 0x0028 | 0x5400));
    is_private || table::row(tag).is_some() || !is_looked_at_elsewhere
}

fn any_tag() -> impl Strategy<Value = Tag> {
    let rows: Vec<Tag> = table::rows().map(|row| row.tag).collect();
    prop_oneof![
        3 => proptest::sample::select(rows),
        1 => (any::<u16>(), any::<u16>()).prop_map(|(group, element)| Tag(group, element)),
        1 => (0x0008_u16..0x0080, 0x0010_u16..0x1200).prop_map(|(group, element)| Tag(group, element)),
    ]
}

fn any_vr() -> impl Strategy<Value = VR> {
    use VR::*;
    proptest::sample::select(vec![
        AE, AS, AT, CS, DA, DS, DT, FD, FL, IS, LO, LT, OB, OW, PN, SH, SL, SS, ST, TM, UC, UI, UL,
        UN, UR, US, UT,
    ])
}

fn marked_leaf() -> impl Strategy<Value = Element> {
    (any_tag(), any_vr(), 0_u8..4).prop_filter_map("free bytes", |(tag, vr, form)| {
        let value = match form {
            0 => MARK.to_owned(),
            1 => format!("20240101{MARK}"),
            2 => format!("1.2.3\\{MARK}"),
            _ => format!("{MARK}\\2.5"),
        };
        may_hold_free_bytes(tag, vr).then(|| Element::bytes(tag, vr, value))
    })
}

fn marked_set() -> impl Strategy<Value = DataSet> {
    let leaves = proptest::collection::vec(marked_leaf(), 0..12).prop_map(DataSet::from_iter);
    leaves.prop_recursive(4, 48, 3, |inner| {
        let branch = (any_tag(), proptest::collection::vec(inner, 1..3))
            .prop_map(|(tag, items)| Element { tag, vr: VR::SQ, value: Value::Items(items) });
        let leaves = proptest::collection::vec(marked_leaf(), 0..8);
        (proptest::collection::vec(branch, 0..3), leaves)
            .prop_map(|(branches, leaves)| branches.into_iter().chain(leaves).collect())
    })
}

fn holds_mark(set: &DataSet) -> Option<Tag> {
    set.iter().find_map(|element| match &element.value {
        Value::Bytes(bytes) => {
            let found = bytes.windows(4).any(|window| window == b"Qzx^");
            found.then_some(element.tag)
        }
        Value::Items(items) => items.iter().find_map(holds_mark),
        Value::Bulk(_) | Value::Fragments { .. } => None,
    })
}

fn as_object(mut set: DataSet) -> DataSet {
    set.remove(tag(0x0042, 0x0011));
    set.remove(tag(0x0028, 0x0302));
    set.put(text(0x0008, 0x0016, VR::UI, CT));
    set.put(text(0x0008, 0x0018, VR::UI, "1.2.3"));
    set
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_input_identifier_survives_basic(set in marked_set()) {
        let clean = basic(as_object(set));
        prop_assert_eq!(holds_mark(&clean), None);
    }

    #[test]
    fn same_input_gives_the_same_output(set in marked_set()) {
        let set = as_object(set);
        let run = |profile: &Profile| cleaned_by(profile, set.clone()).unwrap();
        prop_assert_eq!(run(&Profile::basic()), run(&Profile::basic()));
        prop_assert_eq!(run(&Profile::tcia()), run(&Profile::tcia()));
    }

    #[test]
    fn all_uids_that_leave_are_legal(set in marked_set()) {
        fn check(set: &DataSet) -> bool {
            set.iter().all(|element| match (&element.value, element.vr) {
                (Value::Items(items), _) => items.iter().all(check),
                (Value::Bytes(bytes), VR::UI) => {
                    bytes.split(|byte| *byte == b'\\').all(|uid| {
                        uid.is_empty() || Uid::from_bytes(uid).is_ok()
                    })
                }
                _ => true,
            })
        }
        prop_assert!(check(&basic(as_object(set))));
    }
}
