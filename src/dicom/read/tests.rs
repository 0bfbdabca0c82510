//! Reading what is sound, in every encoding and in the forms that senders use.

use std::io::Cursor;

use super::*;
use crate::dicom::testing::{explicit, file, implicit, item, item_end, long, mark, sequence_end};
use crate::dicom::transfer_syntax::{DEFLATED_LE, EXPLICIT_VR_BE, EXPLICIT_VR_LE, IMPLICIT_VR_LE};
use crate::dicom::{Extent, Source, VR, Value};

const NAME: Tag = Tag(0x0010, 0x0010);
const ROWS: Tag = Tag(0x0028, 0x0010);
const SEQUENCE: Tag = Tag(0x0008, 0x1140);
const PIXELS: Tag = Tag(0x7FE0, 0x0010);

fn read(bytes: &[u8], encoding: Encoding) -> Result<Parsed, ReadError> {
    read_data_set(&mut Cursor::new(bytes), 0, encoding, &ReadLimits::default())
}

fn explicit_set(bytes: &[u8]) -> DataSet {
    read(bytes, Encoding::EXPLICIT_LE).unwrap().set
}

fn implicit_set(bytes: &[u8]) -> DataSet {
    read(bytes, Encoding::IMPLICIT_LE).unwrap().set
}

#[test]
fn sequences_of_both_length_forms_hold_the_same_items() {
    let inside = explicit(NAME, VR::PN, b"A^B ");
    let defined = explicit(SEQUENCE, VR::SQ, &[item(&inside), item(&[])].concat());
    let content =
        [mark(Tag(0xFFFE, 0xE000), u32::MAX, &inside), item_end(), item(&[]), sequence_end()]
            .concat();
    let undefined = long(SEQUENCE, b"SQ", u32::MAX, &content);
    assert_eq!(explicit_set(&defined), explicit_set(&undefined));
    let set = explicit_set(&defined);
    let items = set.get(SEQUENCE).unwrap().items().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].get(NAME).unwrap().as_bytes(), Some(b"A^B ".as_slice()));
}

#[test]
fn implicit_vr_comes_from_the_dictionary() {
    let signed = implicit(Tag(0x0028, 0x0103), &[1, 0]);
    let smallest = implicit(Tag(0x0028, 0x0106), &[0xFF, 0xFF]);
    let creator = implicit(Tag(0x0029, 0x0010), b"ACME");
    let private = implicit(Tag(0x0029, 0x1001), b"secret");
    let overlay = implicit(Tag(0x6002, 0x3000), &[0; 4]);
    let set = implicit_set(&[signed, smallest.clone(), creator, private, overlay].concat());
    let vrs: Vec<VR> = set.iter().map(|element| element.vr).collect();
    assert_eq!(vrs, [VR::US, VR::SS, VR::LO, VR::UN, VR::OW]);
    assert_eq!(implicit_set(&smallest).iter().next().unwrap().vr, VR::US);
}

#[test]
fn unknown_with_undefined_length_holds_implicit_items() {
    // PS3.5 §6.2.2: the content stays in Implicit VR, here inside an explicit data set.
    let inside = implicit(NAME, b"DOE ");
    let content = [item(&inside), sequence_end()].concat();
    let bytes = [
        long(Tag(0x2001, 0x105F), b"UN", u32::MAX, &content),
        explicit(Tag(0x7FE1, 0x0010), VR::LO, b"AFTER "),
    ]
    .concat();
    let set = explicit_set(&bytes);
    let element = set.get(Tag(0x2001, 0x105F)).unwrap();
    assert_eq!(element.vr, VR::SQ);
    let name = element.items().unwrap()[0].get(NAME).unwrap();
    assert_eq!((name.vr, name.as_bytes().unwrap()), (VR::PN, b"DOE ".as_slice()));
    assert!(set.get(Tag(0x7FE1, 0x0010)).is_some());

    // A length that would pass for the letters of a VR.
    let inside = implicit(NAME, &[b'x'; 0x4E50]);
    let content = [item(&inside), sequence_end()].concat();
    let set = explicit_set(&long(Tag(0x2001, 0x105F), b"UN", u32::MAX, &content));
    let items = set.get(Tag(0x2001, 0x105F)).unwrap().items().unwrap();
    assert_eq!(items[0].get(NAME).unwrap().as_bytes().unwrap().len(), 0x4E50);
}

#[test]
fn unknown_with_defined_length_is_parsed_only_when_all_of_it_is_items() {
    let implicit_items = item(&implicit(NAME, b"DOE "));
    let explicit_items = item(&explicit(NAME, VR::PN, b"DOE "));
    let with_delimiter = [implicit_items.clone(), sequence_end()].concat();
    for items in [&implicit_items, &explicit_items, &with_delimiter] {
        let parsed = parse_un_sequence(items).unwrap();
        assert_eq!(parsed[0].get(NAME).unwrap().as_bytes(), Some(b"DOE ".as_slice()));
    }
    assert_eq!(parse_un_sequence(b""), None);
    assert_eq!(parse_un_sequence(b"plain text"), None);
    assert_eq!(parse_un_sequence(&[implicit_items, vec![1]].concat()), None);
}

#[test]
fn big_endian_values_become_little_endian_by_vr() {
    let big = |tag: Tag, vr: &[u8; 2], value: &[u8]| {
        let mut bytes = [tag.group().to_be_bytes(), tag.element().to_be_bytes()].concat();
        bytes.extend(vr);
        bytes.extend((value.len() as u16).to_be_bytes());
        bytes.extend(value);
        bytes
    };
    let set = [
        big(NAME, b"PN", b"A^B "),
        big(Tag(0x0020, 0x9165), b"AT", &[0x00, 0x08, 0x00, 0x18]),
        big(ROWS, b"US", &[2, 0, 1, 0]),
        big(Tag(0x0018, 0x9087), b"FD", &1.5_f64.to_be_bytes()),
        // The bulk value keeps the order of its file.
        [b"\x7F\xE0\x00\x10OW\0\0\0\0\0\x04".as_slice(), &[1, 2, 3, 4]].concat(),
    ]
    .concat();
    let bytes = file(EXPLICIT_VR_BE, &set);
    let part10 = read_part10(&mut Cursor::new(&bytes), &ReadLimits::default()).unwrap();
    assert!(part10.encoding.big_endian);
    let value = |tag| part10.set.get(tag).unwrap().as_bytes().unwrap();
    assert_eq!(value(NAME), b"A^B ");
    assert_eq!(value(Tag(0x0020, 0x9165)), [0x08, 0x00, 0x18, 0x00]);
    assert_eq!(value(ROWS), [0, 2, 0, 1]);
    assert_eq!(value(Tag(0x0018, 0x9087)), 1.5_f64.to_le_bytes());
    let extent = Extent { source: Source::Input, offset: bytes.len() as u64 - 4, bytes: 4 };
    assert_eq!(part10.set.get(PIXELS).unwrap().value, Value::Bulk(extent));
}

#[test]
fn fragments_and_long_binary_values_stay_in_the_file() {
    let content =
        [item(&[0, 0, 0, 0]), item(&[1, 2]), item(&[3, 4, 5, 6]), sequence_end()].concat();
    let icc = vec![7; 300 << 10];
    let bytes =
        [explicit(Tag(0x0028, 0x2000), VR::OB, &icc), long(PIXELS, b"OB", u32::MAX, &content)]
            .concat();
    let set = explicit_set(&bytes);
    let extent = |offset, bytes| Extent { source: Source::Input, offset, bytes };
    let profile = set.get(Tag(0x0028, 0x2000)).unwrap();
    assert_eq!(profile.value, Value::Bulk(extent(12, 300 << 10)));
    let after = (12 + icc.len() + 12 + 12) as u64;
    let fragments = vec![extent(after + 8, 2), extent(after + 8 + 2 + 8, 4)];
    let pixels = set.get(PIXELS).unwrap();
    assert_eq!(pixels.value, Value::Fragments { offset_table: vec![0], fragments });
}

#[test]
fn duplicates_group_lengths_and_padding_are_noted_and_order_does_not_matter() {
    let bytes = [
        explicit(Tag(0x0010, 0x0000), VR::UL, &[0; 4]),
        // Padded, it would be one.
        explicit(Tag(0x0009, 0x0000), VR::UN, &[0; 3]),
        explicit(ROWS, VR::US, &[1, 0]),
        explicit(NAME, VR::PN, b"ODD"),
        explicit(NAME, VR::PN, b"LAST"),
        explicit(Tag(0xFFFC, 0xFFFC), VR::OB, &[0; 10]),
        vec![0; 777],
    ]
    .concat();
    let parsed = read(&bytes, Encoding::EXPLICIT_LE).unwrap();
    assert_eq!(parsed.notes, Notes { duplicates: 1, group_lengths: 2, padding_bytes: 787 });
    assert_eq!(parsed.set.tags(), [NAME, ROWS]);
    assert_eq!(parsed.set.get(NAME).unwrap().as_bytes(), Some(b"LAST".as_slice()));
}

#[test]
fn file_meta_is_optional_where_the_start_is_plain() {
    let limits = ReadLimits::default();
    let elements = explicit(Tag(0x0008, 0x0018), VR::UI, b"1.2\0");
    let set_of = |bytes: &[u8]| {
        let part10 = read_part10(&mut Cursor::new(bytes), &limits);
        part10.map(|part10| (part10.meta.transfer_syntax.as_str().to_owned(), part10.set.len()))
    };
    let whole = file(EXPLICIT_VR_LE, &elements);
    let found = Some((EXPLICIT_VR_LE.to_owned(), 1));
    assert_eq!(set_of(&whole).ok(), found, "whole");
    assert_eq!(set_of(&whole[132..]).ok(), found, "no preamble");
    assert_eq!(set_of(&[&whole[..132], &elements].concat()).ok(), found, "no meta");
    assert_eq!(set_of(&elements).ok(), found, "bare");
    let bare = implicit(Tag(0x0008, 0x0018), b"1.2\0");
    assert_eq!(set_of(&bare).ok(), Some((IMPLICIT_VR_LE.to_owned(), 1)));
    for no_dicom in
        [b"".as_slice(), b"GET / HTTP/1.1\r\n\r\n", b"\x89PNG\r\n\x1a\n________", &[8; 40]]
    {
        assert!(matches!(set_of(no_dicom), Err(ReadError::NotDicom)), "{no_dicom:?}");
    }
}

#[test]
fn preamble_is_told_apart() {
    let limits = ReadLimits::default();
    let mut bytes = file(EXPLICIT_VR_LE, &[]);
    let preamble =
        |bytes: &[u8]| read_head(&mut Cursor::new(bytes), &limits).unwrap().meta.preamble;
    assert_eq!(preamble(&bytes), Preamble::Zero);
    bytes[..4].copy_from_slice(b"II*\0");
    assert_eq!(preamble(&bytes), Preamble::Other);
    assert_eq!(preamble(&bytes[132..]), Preamble::Absent);
}

#[test]
fn deflated_data_sets_are_inflated_within_limits() {
    use std::io::Write as _;
    let elements = explicit(NAME, VR::PN, b"A^B ");
    let deflate = |bytes: &[u8]| {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Default::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let bytes = file(DEFLATED_LE, &deflate(&elements));
    let limits = ReadLimits::default();
    let mut source = Cursor::new(&bytes);
    assert!(matches!(read_part10(&mut source, &limits), Err(ReadError::Deflated)));
    let head = read_head(&mut source, &limits).unwrap();
    let mut out = Vec::new();
    inflate(&mut source, head.data_set_offset, &mut out, &limits).unwrap();
    assert_eq!(out, elements);

    let bomb = deflate(&vec![0; 80 << 20]);
    let mut limits = ReadLimits { inflate_ratio_max: 10, ..limits };
    let bombed = |limits: &ReadLimits| {
        let fault = inflate(&mut Cursor::new(&bomb), 0, &mut std::io::sink(), limits);
        matches!(fault, Err(ReadError::Limit { .. }))
    };
    assert!(bombed(&limits));
    limits = ReadLimits { inflated_bytes_max: 1 << 20, ..ReadLimits::default() };
    assert!(bombed(&limits));
    let cut = inflate(&mut Cursor::new(&bomb[..900]), 0, &mut std::io::sink(), &limits);
    assert!(matches!(cut, Err(ReadError::BadDeflate)), "{cut:?}");
}
