//! Writing, and reading back what was written.

use std::io::Cursor;

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::dicom::read::{
    Part10, Preamble, ReadLimits, inflate, read_data_set, read_head, read_part10,
};
use crate::dicom::transfer_syntax::{DEFLATED_LE, EXPLICIT_VR_BE, EXPLICIT_VR_LE, IMPLICIT_VR_LE};
use crate::dicom::vr::{PIXEL_DATA, by_dictionary};
use crate::dicom::{Encoding, Extent, Source, Value};

const JPEG_BASELINE: &str = "1.2.840.10008.1.2.4.50";
const ROWS: Tag = Tag(0x0028, 0x0010);

fn write(syntax: &str, set: &DataSet, input: &[u8]) -> Result<(Vec<u8>, Written), WriteError> {
    write_from(syntax, set, input, false)
}

fn write_from(
    syntax: &str,
    set: &DataSet,
    input: &[u8],
    input_big_endian: bool,
) -> Result<(Vec<u8>, Written), WriteError> {
    let uid: Uid = "1.2.3".parse().unwrap();
    let transfer_syntax = TransferSyntax::new(syntax.parse().unwrap());
    let meta = NewMeta { sop_class: &uid, sop_instance: &uid, transfer_syntax: &transfer_syntax };
    let mut input = Cursor::new(input);
    let mut sources = BulkSources { input: &mut input, scratch: None, input_big_endian };
    let mut out = Vec::new();
    let written = write_part10(&mut out, &meta, set, &mut sources)?;
    Ok((out, written))
}

fn read(bytes: &[u8]) -> Part10 {
    read_part10(&mut Cursor::new(bytes), &ReadLimits::default()).unwrap()
}

fn pixels(extent: Extent, vr: VR) -> Element {
    Element { tag: PIXEL_DATA, vr, value: Value::Bulk(extent) }
}

fn input_extent(offset: u64, bytes: u64) -> Extent {
    Extent { source: Source::Input, offset, bytes }
}

#[test]
fn file_meta_is_ours_alone_and_the_digest_is_that_of_the_file() {
    let (bytes, written) = write(EXPLICIT_VR_LE, &DataSet::new(), &[]).unwrap();
    assert_eq!(written.bytes, bytes.len() as u64);
    assert_eq!(written.sha256.as_slice(), Sha256::digest(&bytes).as_slice());
    assert_eq!(written.sha256_hex().len(), 64);
    let part10 = read(&bytes);
    assert_eq!(part10.meta.preamble, Preamble::Zero);
    let elements: Vec<u16> = part10.meta.elements.iter().map(|e| e.tag.element()).collect();
    assert_eq!(elements, [0, 1, 2, 3, 0x10, 0x12, 0x13]);
    let group_length = part10.meta.elements.get(Tag(2, 0)).unwrap().as_bytes().unwrap();
    let length = u32::from_le_bytes(group_length.try_into().unwrap());
    assert_eq!(u64::from(length), part10.data_set_offset - 132 - 12);
    assert_eq!(part10.meta.elements.ascii(Tag(2, 0x12)), Some(IMPLEMENTATION_CLASS_UID));
}

#[test]
fn odd_values_are_padded_by_vr() {
    let set = DataSet::from_iter([
        Element::bytes(Tag(0x0008, 0x0018), VR::UI, *b"1.2.3"),
        Element::bytes(Tag(0x0010, 0x0010), VR::PN, *b"ODD"),
        Element::bytes(Tag(0x0042, 0x0011), VR::OB, [1]),
    ]);
    for syntax in [EXPLICIT_VR_LE, IMPLICIT_VR_LE] {
        let (bytes, _) = write(syntax, &set, &[]).unwrap();
        let read = read(&bytes).set;
        let values: Vec<&[u8]> = read.iter().filter_map(Element::as_bytes).collect();
        assert_eq!(values, [b"1.2.3\0".as_slice(), b"ODD ", &[1, 0]]);
    }
}

#[test]
fn a_value_too_long_for_its_vr_is_written_as_unknown() {
    let tag = Tag(0x0018, 0x0010);
    let longest = DataSet::from_iter([Element::bytes(tag, VR::LO, vec![b'x'; 65_534])]);
    let over = DataSet::from_iter([Element::bytes(tag, VR::LO, vec![b'x'; 65_535])]);
    let vr = |set: &DataSet| {
        let (bytes, _) = write(EXPLICIT_VR_LE, set, &[]).unwrap();
        let read = read(&bytes).set;
        let element = read.get(tag).unwrap().clone();
        (element.vr, element.as_bytes().unwrap().len())
    };
    assert_eq!(vr(&longest), (VR::LO, 65_534));
    assert_eq!(vr(&over), (VR::UN, 65_536));
    let (bytes, _) = write(IMPLICIT_VR_LE, &over, &[]).unwrap();
    assert_eq!(read(&bytes).set.get(tag).unwrap().vr, VR::LO);
}

#[test]
fn bulk_values_are_copied_and_big_endian_ones_turned() {
    let input: Vec<u8> = (0..=255).cycle().take((3 << 20) + 5).collect();
    let extent = input_extent(2, 3 << 20);
    let set = DataSet::from_iter([pixels(extent, VR::OW)]);
    let pixels_of = |bytes: &[u8]| {
        let Value::Bulk(extent) = read(bytes).set.get(PIXEL_DATA).unwrap().value else { panic!() };
        bytes[extent.offset as usize..][..extent.bytes as usize].to_vec()
    };
    let (bytes, _) = write(EXPLICIT_VR_LE, &set, &input).unwrap();
    assert_eq!(pixels_of(&bytes), &input[2..2 + (3 << 20)]);
    let (bytes, _) = write_from(EXPLICIT_VR_LE, &set, &input, true).unwrap();
    assert_eq!(pixels_of(&bytes)[..4], [3, 2, 5, 4]);
    let mut wide = set.clone();
    wide.put(Element::bytes(Tag(0x0028, 0x0100), VR::US, [32, 0]));
    let (bytes, _) = write_from(EXPLICIT_VR_LE, &wide, &input, true).unwrap();
    assert_eq!(pixels_of(&bytes)[..4], [5, 4, 3, 2]);
    let short = write(EXPLICIT_VR_LE, &set, &input[..100]);
    assert!(matches!(short, Err(WriteError::Io(_))));
}

#[test]
fn fragments_are_padded_and_their_offsets_move_with_them() {
    let input = [b"abc".as_slice(), b"defg", b"h"].concat();
    let fragments = vec![input_extent(0, 3), input_extent(3, 4), input_extent(7, 1)];
    let set_with = |offset_table: Vec<u32>| {
        let value = Value::Fragments { offset_table, fragments: fragments.clone() };
        DataSet::from_iter([Element { tag: PIXEL_DATA, vr: VR::OB, value }])
    };
    let table_of = |set: &DataSet| {
        let (bytes, _) = write(JPEG_BASELINE, set, &input).unwrap();
        let Value::Fragments { offset_table, fragments } =
            read(&bytes).set.get(PIXEL_DATA).unwrap().value.clone()
        else {
            panic!()
        };
        let coded: Vec<&[u8]> = fragments
            .iter()
            .map(|part| &bytes[part.offset as usize..][..part.bytes as usize])
            .collect();
        assert_eq!(coded, [b"abc\0".as_slice(), b"defg", b"h\0"]);
        offset_table
    };
    assert_eq!(table_of(&set_with(vec![0, 11, 23])), [0, 12, 24]);
    assert_eq!(table_of(&set_with(vec![0, 7])), [0_u32; 0], "points into a fragment");
    assert_eq!(table_of(&set_with(vec![])), [0_u32; 0]);
}

#[test]
fn what_cannot_be_written_is_refused() {
    let native = DataSet::from_iter([pixels(input_extent(0, 2), VR::OW)]);
    let coded = Value::Fragments { offset_table: vec![], fragments: vec![] };
    let coded = DataSet::from_iter([Element { tag: PIXEL_DATA, vr: VR::OB, value: coded }]);
    let refused = |syntax, set: &DataSet| write(syntax, set, &[0, 0]).unwrap_err();
    assert!(matches!(refused(JPEG_BASELINE, &native), WriteError::PixelDataMismatch));
    assert!(matches!(refused(EXPLICIT_VR_LE, &coded), WriteError::PixelDataMismatch));
    for syntax in [EXPLICIT_VR_BE, "1.2.3.4"] {
        assert!(matches!(refused(syntax, &native), WriteError::UnsupportedTransferSyntax));
    }
    let scratch = Extent { source: Source::Scratch, offset: 0, bytes: 2 };
    let scratch = DataSet::from_iter([pixels(scratch, VR::OW)]);
    assert!(matches!(refused(EXPLICIT_VR_LE, &scratch), WriteError::NoScratch { .. }));
}

#[test]
fn a_deflated_file_inflates_to_the_same_elements_and_has_even_length() {
    for length in 0..8 {
        let set = DataSet::from_iter([Element::bytes(ROWS, VR::UT, vec![b'x'; 2 * length])]);
        let (bytes, _) = write(DEFLATED_LE, &set, &[]).unwrap();
        assert_eq!(bytes.len() % 2, 0);
        let limits = ReadLimits::default();
        let mut source = Cursor::new(&bytes);
        let head = read_head(&mut source, &limits).unwrap();
        let mut inflated = Vec::new();
        inflate(&mut source, head.data_set_offset, &mut inflated, &limits).unwrap();
        let mut inflated = Cursor::new(inflated);
        let parsed = read_data_set(&mut inflated, 0, Encoding::EXPLICIT_LE, &limits).unwrap();
        assert_eq!(parsed.set, set);
    }
}

/// Values of even length, as the writer would pad others.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<[u8; 2]>(), 0..20).prop_map(|pairs| pairs.concat())
}

fn vr() -> impl Strategy<Value = VR> {
    use VR::*;
    prop::sample::select(vec![
        AE, AS, AT, CS, DA, DS, DT, FL, FD, IS, LO, LT, OB, OD, OF, OL, OV, OW, PN, SH, SL, SS, ST,
        SV, TM, UC, UI, UL, UN, UR, US, UT, UV,
    ])
}

fn tag() -> impl Strategy<Value = Tag> {
    let standard = (0x0008_u16..0x0100).prop_map(|group| group & !1);
    (standard, 1_u16..).prop_map(|(group, element)| Tag(group, element))
}

fn data_set() -> impl Strategy<Value = DataSet> {
    let leaf = (tag(), vr(), value()).prop_map(|(tag, vr, bytes)| Element::bytes(tag, vr, bytes));
    let leaves = prop::collection::vec(leaf, 0..6).prop_map(DataSet::from_iter);
    leaves.prop_recursive(4, 60, 4, |inner| {
        let items = prop::collection::vec(inner.clone(), 0..4);
        (inner, tag(), items).prop_map(|(mut set, tag, items)| {
            set.put(Element { tag, vr: VR::SQ, value: Value::Items(items) });
            set
        })
    })
}

/// The same tree with the VRs that Implicit VR can carry: those of the dictionary.
fn with_dictionary_vrs(set: &DataSet) -> Option<DataSet> {
    set.iter()
        .map(|element| {
            let vr = by_dictionary(element.tag, false);
            match &element.value {
                // A sequence of an unknown tag comes back as bytes of UN only when its length is defined.
                Value::Items(items) => {
                    let items: Option<Vec<_>> = items.iter().map(with_dictionary_vrs).collect();
                    let sequence = vr == VR::SQ || (vr == VR::UN && !element.is_empty());
                    let value = Value::Items(items?);
                    sequence.then_some(Element { tag: element.tag, vr: VR::SQ, value })
                }
                value @ (Value::Bytes(_) | Value::Bulk(_) | Value::Fragments { .. }) => {
                    (vr != VR::SQ).then(|| Element { tag: element.tag, vr, value: value.clone() })
                }
            }
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_tree_comes_back_from_explicit_vr(set in data_set()) {
        let (bytes, _) = write(EXPLICIT_VR_LE, &set, &[]).unwrap();
        prop_assert_eq!(read(&bytes).set, set);
    }

    #[test]
    fn any_tree_of_dictionary_vrs_comes_back_from_implicit_vr(set in data_set()) {
        if let Some(set) = with_dictionary_vrs(&set) {
            let (bytes, _) = write(IMPLICIT_VR_LE, &set, &[]).unwrap();
            let read = read(&bytes).set;
            // Pixel Representation among the random elements may turn US into SS.
            if set.get(Tag(0x0028, 0x0103)).is_none() {
                prop_assert_eq!(read, set);
            }
        }
    }
}

#[test]
fn long_values_of_the_input_are_left_where_they_lie() {
    let uid: Uid = "1.2.3".parse().unwrap();
    let (fragments, short) = (vec![input_extent(50, 30), input_extent(90, 9)], 9);
    let value = Value::Fragments { offset_table: Vec::new(), fragments };
    let set = DataSet::from_iter([Element { tag: PIXEL_DATA, vr: VR::OB, value }]);
    let input: Vec<u8> = (0..100).collect();
    let (whole, _) = write(JPEG_BASELINE, &set, &input).unwrap();
    for (bytes_min, left_bytes) in [(short, 39), (short + 1, 30), (31, 0)] {
        let transfer_syntax = TransferSyntax::new(JPEG_BASELINE.parse().unwrap());
        let meta =
            NewMeta { sop_class: &uid, sop_instance: &uid, transfer_syntax: &transfer_syntax };
        let mut cursor = Cursor::new(&input);
        let mut sources =
            BulkSources { input: &mut cursor, scratch: None, input_big_endian: false };
        let mut out = Vec::new();
        let (written, left) =
            write_part10_leaving(&mut out, &meta, &set, &mut sources, bytes_min).unwrap();
        assert_eq!(written.bytes, out.len() as u64);
        assert_eq!(left.iter().map(|left| left.extent.bytes).sum::<u64>(), left_bytes);
        for left in left.iter().rev() {
            let (at, from) = (left.at as usize, left.extent.offset as usize);
            let bytes = input[from..from + left.extent.bytes as usize].iter().copied();
            out.splice(at..at, bytes);
        }
        assert_eq!(out, whole);
    }
}
