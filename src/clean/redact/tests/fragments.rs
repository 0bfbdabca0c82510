//! Claims about fragments and their tables when nothing is painted.

use super::*;
use crate::clean::pixels::native::BitPacker;

fn rle_frame(value: u8) -> Vec<u8> {
    let shape = rle::Shape { width: WIDTH, height: HEIGHT, samples: 1, sample_bytes: 1 };
    rle::encode(&vec![value; WIDTH * HEIGHT], shape).unwrap()
}

fn two_frames(more: &[Vec<u8>]) -> Instance {
    let fragments = [&[rle_frame(40), rle_frame(50)], more].concat();
    Instance::encapsulated(&Header { frames: 2, ..header() }, RLE, &fragments)
}

impl Instance {
    fn with_table(mut self, table: &[u32]) -> Self {
        let element = self.set.get_mut(tags::PIXEL_DATA).unwrap();
        let Value::Fragments { offset_table, .. } = &mut element.value else { panic!("native") };
        *offset_table = table.to_vec();
        self
    }
}

fn offset_table(cleaned: &Cleaned) -> Vec<u32> {
    let Value::Fragments { offset_table, .. } = &cleaned.set.get(tags::PIXEL_DATA).unwrap().value
    else {
        panic!("native")
    };
    offset_table.clone()
}

#[test]
fn true_and_empty_tables_pass_as_they_came() {
    let second = u32::try_from(rle_frame(40).len()).unwrap() + 8;
    for table in [&[][..], &[0, second]] {
        let cleaned = two_frames(&[]).with_table(table).clean().unwrap();
        assert!(!cleaned.rewritten);
    }
}

#[test]
fn untrue_tables_are_written_anew_and_extended_ones_dropped() {
    let second = u32::try_from(rle_frame(40).len()).unwrap() + 8;
    // Four bytes at a place that nobody reads could spell a name.
    for table in [&[0, second - 8][..], &[0x4A41_4E45, 0x444F_4500], &[0]] {
        let cleaned = two_frames(&[]).with_table(table).clean().unwrap();
        assert!(cleaned.rewritten && cleaned.report.unchanged);
        assert_eq!(offset_table(&cleaned), [0, second]);
        assert_eq!(cleaned.frames(), [vec![40; WIDTH * HEIGHT], vec![50; WIDTH * HEIGHT]]);
    }
    let mut extended = two_frames(&[]);
    let tag = tags::EXTENDED_OFFSET_TABLE;
    extended.set.put(Element::bytes(tag, VR::OV, *b"DOE^JANE"));
    let cleaned = extended.clean().unwrap();
    assert_eq!(cleaned.set.get(tag), None);
    assert_eq!(offset_table(&cleaned), [0, second]);
}

#[test]
fn extra_and_empty_fragments_do_not_pass() {
    let cleaned = two_frames(&[b"DOE^JANE".to_vec(), Vec::new()]).clean().unwrap();
    assert!(cleaned.rewritten && cleaned.report.unchanged);
    assert_eq!(cleaned.fragments, [rle_frame(40), rle_frame(50)]);
    let another = two_frames(&[rle_frame(60)]).clean().err().unwrap();
    assert_eq!(another.reason, Reason::DecodeFailed);
}

#[test]
fn overlay_bits_in_rle_do_not_pass_unsearched() {
    let twelve = Header { bits: (16, 12), ..header() };
    let shape = rle::Shape { width: WIDTH, height: HEIGHT, samples: 1, sample_bytes: 2 };
    let fragment = rle::encode(&picture(&[0, 0x01], &[0xFF, 0xFF]), shape).unwrap();
    let mut instance = Instance::encapsulated(&twelve, RLE, &[fragment]);
    let class = "1.2.840.10008.5.1.4.1.1.2";
    instance.set.put(Element::bytes(tags::SOP_CLASS_UID, VR::UI, class));
    instance.set.put(Element::bytes(tags::MODALITY, VR::CS, "CT"));
    instance.rules.header_only = [class.to_owned()].into_iter().collect();
    let cleaned = instance.clean_with(&mut Broken, &hide_names).unwrap();
    assert_eq!(cleaned.frames(), [picture(&[0, 0x01], &[0xFF, 0x0F])]);
}

#[test]
fn frames_in_fragments_are_painted_in_their_own_syntax() {
    let single = Header { bits: (1, 1), ..header() };
    let bits = BitPacker::default().push(&picture(&[0], &[1]));
    let syntax = "1.2.840.10008.1.2.1.98";
    let cleaned = Instance::encapsulated(&single, syntax, &[bits]).clean().unwrap();
    assert_eq!(cleaned.syntax, syntax);
    assert_eq!(cleaned.frames(), [vec![0; WIDTH * HEIGHT]]);
    let words = Header { bits: (16, 16), ..header() };
    let cleaned = Instance::encapsulated(&words, syntax, &[picture(&[1, 9], &[255, 255])]);
    let cleaned = cleaned.clean().unwrap();
    assert_eq!(cleaned.fragments, [expected(&[1, 9], &[0, 0])]);
}
