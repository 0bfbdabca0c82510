//! The inputs that stop other readers (facts: a stack overflow, 4 GiB
//! allocations, silent truncation), each with the answer we give.

use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::dicom::testing::{explicit, file, item, long, mark, sequence_end};
use crate::dicom::transfer_syntax::{EXPLICIT_VR_LE, IMPLICIT_VR_LE};
use crate::dicom::{VR, Value};

const SEQUENCE: Tag = Tag(0x0008, 0x1140);
const ITEM: Tag = Tag(0xFFFE, 0xE000);
const PIXELS: Tag = Tag(0x7FE0, 0x0010);
const TEXT: Tag = Tag(0x0040, 0xA160);

fn read_with(bytes: &[u8], encoding: Encoding, limits: &ReadLimits) -> Result<Parsed, ReadError> {
    read_data_set(&mut Cursor::new(bytes), 0, encoding, limits)
}

fn read(bytes: &[u8]) -> Result<Parsed, ReadError> {
    read_with(bytes, Encoding::EXPLICIT_LE, &ReadLimits::default())
}

fn limit_of(result: Result<Parsed, ReadError>) -> &'static str {
    match result {
        Err(ReadError::Limit { limit, .. }) => limit,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_hundred_thousand_nested_sequences_are_over_the_limit() {
    let level = [long(SEQUENCE, b"SQ", u32::MAX, &[]), mark(ITEM, u32::MAX, &[])].concat();
    let bytes = level.repeat(100_000);
    assert_eq!(limit_of(read(&bytes)), "depth_max");
}

#[test]
fn nesting_up_to_the_limit_is_read() {
    let nested = |depth: usize| {
        (0..depth).fold(Vec::new(), |inner, _| explicit(SEQUENCE, VR::SQ, &item(&inner)))
    };
    assert!(read(&nested(64)).is_ok());
    assert_eq!(limit_of(read(&nested(65))), "depth_max");
}

#[test]
fn a_length_of_four_gigabytes_in_a_short_file_allocates_nothing() {
    for vr in [b"UT", b"UC", b"UR", b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"UN", b"SQ", b"SV"] {
        let bytes = long(TEXT, vr, u32::MAX - 1, &[b'x'; 300]);
        let Err(ReadError::Truncated { wanted, left, .. }) = read(&bytes) else { panic!() };
        assert_eq!((wanted, left), (u64::from(u32::MAX) - 1, 300));
    }
    let bytes = mark(TEXT, u32::MAX - 1, &[b'x'; 300]);
    let implicit = read_with(&bytes, Encoding::IMPLICIT_LE, &ReadLimits::default());
    assert!(matches!(implicit, Err(ReadError::Truncated { .. })));
}

#[test]
fn a_fragment_of_four_gigabytes_is_truncated_not_cut() {
    let content = [item(&[]), mark(ITEM, u32::MAX - 1, &[0xFF; 100])].concat();
    let fault = read(&long(PIXELS, b"OB", u32::MAX, &content));
    assert!(matches!(fault, Err(ReadError::Truncated { .. })), "{fault:?}");
    let nested = [item(&[]), mark(ITEM, u32::MAX, &[0xFF; 100])].concat();
    let fault = read(&long(PIXELS, b"OB", u32::MAX, &nested));
    assert!(matches!(fault, Err(ReadError::BadUndefinedLength { .. })), "{fault:?}");
}

#[test]
fn an_inner_length_may_not_pass_what_is_around_it() {
    let inner = mark(ITEM, 100, &explicit(TEXT, VR::UT, b"text"));
    let bytes = [explicit(SEQUENCE, VR::SQ, &inner), vec![0; 200]].concat();
    assert!(matches!(read(&bytes), Err(ReadError::Truncated { .. })));
}

#[test]
fn every_cut_of_a_data_set_is_noticed_and_says_where() {
    let bytes = [
        explicit(Tag(0x0008, 0x0018), VR::UI, b"1.2.3.4\0"),
        explicit(SEQUENCE, VR::SQ, &item(&explicit(TEXT, VR::UT, b"text"))),
        long(PIXELS, b"OB", u32::MAX, &[item(&[]), item(&[1, 2]), sequence_end()].concat()),
    ]
    .concat();
    let borders = [0, 16, 16 + 12 + 8 + 12 + 4];
    for length in 0..bytes.len() {
        match read(&bytes[..length]) {
            Ok(_) => assert!(borders.contains(&length), "{length}"),
            Err(ReadError::Truncated { offset, .. }) => assert!(offset as usize <= length),
            Err(other) => panic!("{length}: {other}"),
        }
    }
    let fault = read(&bytes[..50]).unwrap_err().to_string();
    assert_eq!(fault, "(0008,1140) at byte 28 wants 24 bytes, 22 are left");
}

#[test]
fn an_unknown_vr_is_read_in_the_form_that_fits() {
    let after = explicit(TEXT, VR::UT, b"text");
    let long_form = [long(Tag(0x0009, 0x1001), b"ZZ", 4, b"long"), after.clone()].concat();
    let short_form = [b"\x09\0\x01\x10ZZ\x04\0tiny".as_slice(), &after].concat();
    let no_letters = [b"\x09\0\x01\x10\x04\0\0\0none".as_slice(), &after].concat();
    for bytes in [&long_form, &short_form, &no_letters] {
        let set = read(bytes).unwrap().set;
        assert_eq!(set.get(Tag(0x0009, 0x1001)).unwrap().vr, VR::UN);
        assert_eq!(set.get(TEXT).unwrap().as_bytes(), Some(b"text".as_slice()));
    }
    let fault = read(b"\x09\0\x01\x10ZZ\xFF\xFFrest");
    assert!(matches!(fault, Err(ReadError::BadVr { .. })), "{fault:?}");
}

#[test]
fn items_delimiters_and_commands_out_of_place_are_refused() {
    let out_of_place = [
        sequence_end(),
        item(b""),
        explicit(SEQUENCE, VR::SQ, &explicit(TEXT, VR::UT, b"no item ")),
        explicit(Tag(0x0000, 0x0002), VR::UI, b"1.2\0"),
        explicit(Tag(0x0002, 0x0016), VR::AE, b"SENDER"),
        long(PIXELS, b"OB", u32::MAX, &explicit(TEXT, VR::UT, b"text")),
    ];
    for bytes in out_of_place {
        assert!(matches!(read(&bytes), Err(ReadError::Misplaced { .. })), "{bytes:?}");
    }
}

#[test]
fn counts_and_memory_end_at_their_limits() {
    let small = ReadLimits {
        elements_max: 100,
        value_bytes_max: 1000,
        held_bytes_max: 20_000,
        fragments_max: 10,
        ..ReadLimits::default()
    };
    let over = |bytes: &[u8]| limit_of(read_with(bytes, Encoding::EXPLICIT_LE, &small));
    let text = explicit(TEXT, VR::UT, &[b'x'; 900]);
    assert_eq!(over(&text.repeat(30)), "held_bytes_max");
    assert_eq!(over(&explicit(TEXT, VR::UT, &[b'x'; 1001])), "value_bytes_max");
    assert_eq!(over(&explicit(TEXT, VR::UT, b"").repeat(101)), "elements_max");
    let items = item(&[]).repeat(101);
    assert_eq!(over(&explicit(SEQUENCE, VR::SQ, &items)), "held_bytes_max");
    let fragments = [item(&[]).repeat(12), sequence_end()].concat();
    assert_eq!(over(&long(PIXELS, b"OB", u32::MAX, &fragments)), "fragments_max");
    let table = [item(&[0; 44]), sequence_end()].concat();
    assert_eq!(over(&long(PIXELS, b"OB", u32::MAX, &table)), "fragments_max");
}

/// Memory of a tree, counted from outside.
fn held(set: &DataSet) -> usize {
    set.iter().map(|element| size_of_val(element) + held_value(&element.value)).sum()
}

fn held_value(value: &Value) -> usize {
    match value {
        Value::Bytes(bytes) => bytes.len(),
        Value::Items(items) => items.iter().map(held).sum(),
        Value::Bulk(_) => 0,
        Value::Fragments { offset_table, fragments } => {
            size_of_val(offset_table.as_slice()) + size_of_val(fragments.as_slice())
        }
    }
}

fn sound_files() -> Vec<Vec<u8>> {
    let nested = explicit(SEQUENCE, VR::SQ, &item(&explicit(TEXT, VR::UT, b"text")).repeat(3));
    let un = long(Tag(0x2001, 0x105F), b"UN", u32::MAX, &[item(&[]), sequence_end()].concat());
    let fragments = [item(&[0; 4]), item(&[9; 30]), sequence_end()].concat();
    let encapsulated = long(PIXELS, b"OB", u32::MAX, &fragments);
    let explicit_file = file(
        EXPLICIT_VR_LE,
        &[explicit(Tag(0x0008, 0x0018), VR::UI, b"1.2.3\0"), nested, un, encapsulated].concat(),
    );
    let implicit_items = mark(SEQUENCE, 20, &item(&mark(TEXT, 4, b"text")));
    vec![explicit_file, file(IMPLICIT_VR_LE, &implicit_items)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Goal: no damaged file stops the process or takes more memory than
    /// allowed. Method: flip bytes, plant lengths, cut.
    #[test]
    fn damaged_files_neither_panic_nor_grow(
        which in 0_usize..2,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        plant in prop::option::of((any::<prop::sample::Index>(), prop::sample::select(vec![0_u32, 1, 0xFF, 0xFFFF, 0x7FFF_FFFF, u32::MAX - 1, u32::MAX]))),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = sound_files().swap_remove(which);
        for (place, value) in flips {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Some((place, length)) = plant {
            let place = place.index(bytes.len() - 4);
            bytes[place..place + 4].copy_from_slice(&length.to_le_bytes());
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let limits = ReadLimits { held_bytes_max: 64 << 10, ..ReadLimits::default() };
        if let Ok(part10) = read_part10(&mut Cursor::new(&bytes), &limits) {
            prop_assert!(held(&part10.set) <= 64 << 10);
        }
    }
}
