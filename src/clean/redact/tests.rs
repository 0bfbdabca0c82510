//! Claims about whole instances, with a looker that finds bright marks.

use std::io::Cursor;

use super::*;
use crate::clean::pixels::attributes::SampleBits;
use crate::clean::pixels::testing::{Header, put_us};
use crate::clean::pixels::{Coded, Decoder, rle};
use crate::clean::report::TextReason;
use crate::dicom::{Extent, Source, VR, Value};

mod devices;
mod fragments;
mod lossless;
mod outside;
mod policies;
mod screened;

const RLE: &str = "1.2.840.10008.1.2.5";
pub(super) const JPEG: &str = "1.2.840.10008.1.2.4.50";
const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// Finds connected bright marks; white ones read as a name, grey ones as a label.
#[derive(Default)]
pub(super) struct Marks {
    looks: u32,
}

pub(super) const NAME: &str = "DOE^JANE";
const LABEL: &str = "Depth";

impl Looker for Marks {
    fn lines(&mut self, view: &View) -> Result<Vec<TextLine>, LookError> {
        self.looks += 1;
        let (width, height) = (view.width as usize, view.height as usize);
        let samples = usize::from(view.samples);
        let mut light: Vec<u8> = view
            .pixels
            .chunks(samples)
            .map(|pixel| {
                (pixel.iter().map(|byte| u32::from(*byte)).sum::<u32>() / pixel.len() as u32) as u8
            })
            .collect();
        let mut lines = Vec::new();
        for start in 0..width * height {
            if light[start] < 150 {
                continue;
            }
            let (mut x0, mut y0, mut x1, mut y1) = (width, height, 0, 0);
            let mut brightest = 0;
            let mut open = vec![start];
            while let Some(at) = open.pop() {
                if light[at] < 150 {
                    continue;
                }
                brightest = brightest.max(std::mem::take(&mut light[at]));
                let (x, y) = (at % width, at / width);
                (x0, x1) = (x0.min(x), x1.max(x + 1));
                (y0, y1) = (y0.min(y), y1.max(y + 1));
                open.extend((x > 0).then(|| at - 1));
                open.extend((x + 1 < width).then_some(at + 1));
                open.extend((y > 0).then(|| at - width));
                open.extend((y + 1 < height).then_some(at + width));
            }
            let [x0, y0, x1, y1] = [x0, y0, x1, y1].map(|place| place as f32);
            let corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
            let text = if brightest >= 230 { NAME } else { LABEL };
            lines.push(TextLine { corners, text: text.into(), confidence: 0.99 });
        }
        Ok(lines)
    }
}

pub(super) fn hide_names(line: &TextLine) -> LineVerdict {
    let hide = line.text == NAME;
    let reason = if hide { TextReason::Name } else { TextReason::Clinical };
    LineVerdict { hide, reason, spans: Vec::new() }
}

/// One instance: header, file and pixel data.
pub(super) struct Instance {
    pub(super) set: DataSet,
    pub(super) syntax: &'static str,
    file: Vec<u8>,
    big_endian: bool,
    pub(super) rules: CleanRules,
}

impl Instance {
    pub(super) fn native(header: &Header, bytes: Vec<u8>) -> Self {
        let mut set = header.set();
        let vr = if header.bits.0 > 8 { VR::OW } else { VR::OB };
        let extent = Extent { source: Source::Input, offset: 0, bytes: bytes.len() as u64 };
        set.put(Element { tag: tags::PIXEL_DATA, vr, value: Value::Bulk(extent) });
        let rules = CleanRules::default();
        Self { set, syntax: EXPLICIT, file: bytes, big_endian: false, rules }
    }

    pub(super) fn encapsulated(
        header: &Header,
        syntax: &'static str,
        fragments: &[Vec<u8>],
    ) -> Self {
        let mut instance = Self::native(header, Vec::new());
        let mut extents = Vec::new();
        for fragment in fragments {
            let offset = instance.file.len() as u64;
            let bytes = fragment.len() as u64;
            extents.push(Extent { source: Source::Input, offset, bytes });
            instance.file.extend_from_slice(fragment);
        }
        let value = Value::Fragments { offset_table: Vec::new(), fragments: extents };
        instance.set.put(Element { tag: tags::PIXEL_DATA, vr: VR::OB, value });
        Self { syntax, ..instance }
    }

    pub(super) fn clean(&self) -> Result<Cleaned, Quarantine> {
        self.clean_with(&mut Marks::default(), &hide_names)
    }

    fn clean_with(
        &self,
        looker: &mut dyn Looker,
        judge: &dyn Fn(&TextLine) -> LineVerdict,
    ) -> Result<Cleaned, Quarantine> {
        let syntax = TransferSyntax::new(self.syntax.parse().unwrap());
        let mut scratch = Cursor::new(b"what was there before".to_vec());
        let outcome = clean_with(
            PixelContext {
                set: &self.set,
                syntax: &syntax,
                input: &mut Cursor::new(self.file.clone()),
                input_big_endian: self.big_endian,
                scratch: &mut scratch,
                looker,
                judge: &Judge::new(),
                matcher: &Matcher::default(),
                rules: &self.rules,
                uncoded: false,
            },
            judge,
        )?;
        assert!(scratch.get_ref().starts_with(b"what was there before"));
        Ok(Cleaned::new(self, outcome, scratch.into_inner()))
    }
}

/// What came out, put together as the writer does.
pub(super) struct Cleaned {
    pub(super) rewritten: bool,
    pub(super) report: PixelReport,
    pub(super) set: DataSet,
    pub(super) syntax: String,
    pub(super) fragments: Vec<Vec<u8>>,
}

impl Cleaned {
    fn new(instance: &Instance, outcome: PixelOutcome, scratch: Vec<u8>) -> Self {
        let mut set = instance.set.clone();
        let (rewritten, report, syntax) = match outcome {
            PixelOutcome::NoPixels => panic!("no pixels"),
            PixelOutcome::Unchanged(report) => (false, report, instance.syntax.to_owned()),
            PixelOutcome::Rewritten { replace, remove, transfer_syntax, report } => {
                remove.iter().for_each(|tag| drop(set.remove(*tag)));
                replace.into_iter().for_each(|element| drop(set.put(element)));
                (true, report, transfer_syntax.as_str().to_owned())
            }
        };
        let bytes_at = |extent: &Extent| {
            let file = match extent.source {
                Source::Input => &instance.file,
                Source::Scratch => &scratch,
            };
            file[extent.offset as usize..(extent.offset + extent.bytes) as usize].to_vec()
        };
        let fragments = match &set.get(tags::PIXEL_DATA).unwrap().value {
            Value::Bulk(extent) => vec![bytes_at(extent)],
            Value::Fragments { fragments, .. } => fragments.iter().map(bytes_at).collect(),
            Value::Bytes(bytes) => vec![bytes.clone()],
            Value::Items(_) => panic!("items"),
        };
        Self { rewritten, report, set, syntax, fragments }
    }

    /// The stored samples of each frame of encapsulated pixel data.
    pub(super) fn frames(&self) -> Vec<Vec<u8>> {
        let attributes = PixelAttributes::read(&self.set, &Default::default()).unwrap();
        let codec = Codec::of(&TransferSyntax::new(self.syntax.parse().unwrap())).unwrap();
        let decoder = Decoder { attributes: &attributes, codec };
        let coded = self.fragments.iter().map(|bytes| Coded { bytes: bytes.clone(), first_bit: 0 });
        coded.map(|coded| decoder.decode(coded).unwrap().frame.bytes).collect()
    }

    pub(super) fn hidden(&self) -> Vec<[u32; 4]> {
        let hidden = self.report.boxes.iter().filter(|found| found.hidden);
        hidden.map(|found| found.rect_px).collect()
    }
}

pub(super) const WIDTH: usize = 40;
pub(super) const HEIGHT: usize = 30;
/// The mark, and it with its margin of 3 pixels: x0, y0, x1, y1.
pub(super) const MARK: [usize; 4] = [10, 8, 20, 12];
pub(super) const PAINTED: [usize; 4] = [7, 5, 23, 15];

pub(super) fn is_in(rect: [usize; 4], pixel: usize) -> bool {
    let (x, y) = (pixel % WIDTH, pixel / WIDTH);
    (rect[0]..rect[2]).contains(&x) && (rect[1]..rect[3]).contains(&y)
}

/// A picture with the mark in it, from the bytes of a pixel of each kind.
fn picture(ground: &[u8], mark: &[u8]) -> Vec<u8> {
    let pixel = |at| if is_in(MARK, at) { mark } else { ground };
    (0..WIDTH * HEIGHT).flat_map(pixel).copied().collect()
}

fn expected(ground: &[u8], ink: &[u8]) -> Vec<u8> {
    let pixel = |at| if is_in(PAINTED, at) { ink } else { ground };
    (0..WIDTH * HEIGHT).flat_map(pixel).copied().collect()
}

fn header() -> Header {
    Header::grey8(HEIGHT as u16, WIDTH as u16)
}

/// Header, ground, mark, ink.
type Kind = (Header, Vec<u8>, Vec<u8>, Vec<u8>);

/// Each way to store a picture.
fn kinds() -> Vec<Kind> {
    let grey = |photometric, bits, signed| Header { photometric, bits, signed, ..header() };
    let colour = |photometric| Header { photometric, ..header() };
    let word = |value: i16| value.to_le_bytes().to_vec();
    let double = |value: u32| value.to_le_bytes().to_vec();
    vec![
        (grey("MONOCHROME2", (8, 8), false), vec![40], vec![255], vec![0]),
        (grey("MONOCHROME1", (8, 8), false), vec![200], vec![0], vec![255]),
        (grey("MONOCHROME2", (16, 12), false), word(300), word(4000), word(0)),
        (grey("MONOCHROME1", (16, 12), false), word(3000), word(5), word(4095)),
        (grey("MONOCHROME2", (16, 16), true), word(-1000), word(3000), word(-1000)),
        (grey("MONOCHROME1", (16, 16), true), word(900), word(-3000), word(900)),
        (grey("MONOCHROME2", (16, 12), true), word(-900), word(2000), word(-900)),
        (grey("MONOCHROME2", (32, 32), false), double(9), double(4_000_000_000), double(0)),
        (colour("RGB"), vec![9, 40, 50], vec![255, 250, 240], vec![0, 0, 0]),
        (colour("YBR_FULL"), vec![60, 120, 130], vec![250, 128, 128], vec![0, 128, 128]),
    ]
}

#[test]
fn every_kind_of_native_picture_is_painted_dark_and_stays_outside() {
    for (header, ground, mark, ink) in kinds() {
        let cleaned = Instance::native(&header, picture(&ground, &mark)).clean().unwrap();
        assert!(cleaned.rewritten && cleaned.report.screened && !cleaned.report.unchanged);
        assert_eq!(cleaned.fragments[0], expected(&ground, &ink), "{header:?}");
        assert_eq!(cleaned.syntax, EXPLICIT);
        assert_eq!(cleaned.hidden(), [[7, 5, 16, 10]]);
    }
}

#[test]
fn every_kind_that_rle_holds_is_painted_and_coded_in_rle_again() {
    for (header, ground, mark, ink) in kinds() {
        let sample_bytes = usize::from(header.bits.0 / 8);
        let samples = usize::from(header.samples());
        let shape = rle::Shape { width: WIDTH, height: HEIGHT, samples, sample_bytes };
        let fragment = rle::encode(&picture(&ground, &mark), shape).unwrap();
        let cleaned = Instance::encapsulated(&header, RLE, &[fragment]).clean().unwrap();
        assert_eq!(cleaned.syntax, RLE);
        assert_eq!(cleaned.frames(), [expected(&ground, &ink)], "{header:?}");
    }
}

fn jpeg_ls(bytes: &[u8], header: &Header) -> Vec<u8> {
    let info = charls::FrameInfo {
        width: WIDTH as u32,
        height: HEIGHT as u32,
        bits_per_sample: i32::from(header.bits.1),
        component_count: i32::from(header.samples()),
    };
    let mut encoder = charls::CharLS::default();
    if header.samples() == 3 {
        encoder.set_interleave_mode(charls::InterleaveMode::Line).unwrap();
    }
    let mut fragment = encoder.encode(info, 0, bytes).unwrap();
    fragment.resize(fragment.len().next_multiple_of(2), 0);
    fragment
}

#[test]
fn every_kind_that_jpeg_ls_holds_is_painted_and_coded_in_jpeg_ls_again() {
    for (header, ground, mark, ink) in kinds() {
        if header.bits.0 == 32 || (header.signed && header.bits.1 < 16) {
            continue;
        }
        let fragment = jpeg_ls(&picture(&ground, &mark), &header);
        let cleaned = Instance::encapsulated(&header, JPEG_LS, &[fragment]).clean().unwrap();
        assert_eq!(cleaned.syntax, JPEG_LS);
        assert_eq!(cleaned.frames(), [expected(&ground, &ink)], "{header:?}");
    }
}

#[test]
fn planes_pairs_bits_and_palettes_are_painted_in_their_own_layout() {
    let planar = Header { planar: true, photometric: "RGB", ..header() };
    let pixels = picture(&[9, 40, 50], &[255, 250, 240]);
    let planes = crate::clean::pixels::native::separate(&pixels, 1);
    let cleaned = Instance::native(&planar, planes).clean().unwrap();
    let ours = crate::clean::pixels::native::separate(&expected(&[9, 40, 50], &[0; 3]), 1);
    assert_eq!(cleaned.fragments[0], ours);
    assert_eq!(cleaned.set.us(tags::PLANAR_CONFIGURATION), Some(1));

    let pairs = Header { photometric: "YBR_FULL_422", ..header() };
    let luma = picture(&[60], &[250]);
    let packed = luma.chunks(2).flat_map(|pair| [pair[0], pair[1], 128, 128]).collect();
    let cleaned = Instance::native(&pairs, packed).clean().unwrap();
    assert_eq!(cleaned.set.ascii(tags::PHOTOMETRIC_INTERPRETATION), Some("YBR_FULL_422"));
    let dark = cleaned.fragments[0].chunks(4).filter(|pair| pair[..2] == [0, 0]).count();
    // Columns 7 to 22 become 6 to 23: 9 pairs on 10 rows.
    assert_eq!(dark, 90);

    let single = Header { bits: (1, 1), ..header() };
    let pack = |bytes: &[u8]| crate::clean::pixels::native::BitPacker::default().push(bytes);
    let cleaned = Instance::native(&single, pack(&picture(&[0], &[1]))).clean().unwrap();
    assert_eq!(cleaned.fragments[0], pack(&expected(&[0], &[0])));

    let palette = Header { photometric: "PALETTE COLOR", ..header() };
    let mut instance = Instance::native(&palette, picture(&[1], &[2]));
    for (descriptor, table) in [(0x1101, 0x1201), (0x1102, 0x1202), (0x1103, 0x1203)] {
        let descriptor = Tag(0x0028, descriptor);
        instance.set.put(Element::bytes(descriptor, VR::US, [4, 0, 0, 0, 8, 0]));
        instance.set.put(Element::bytes(Tag(0x0028, table), VR::OW, [90, 60, 255, 5]));
    }
    let cleaned = instance.clean().unwrap();
    assert_eq!(cleaned.fragments[0], expected(&[1], &[3]), "entry 3 is the darkest");
}

#[test]
fn nothing_to_hide_passes_as_it_came_and_says_what_was_kept() {
    let instance = Instance::native(&header(), picture(&[40], &[200]));
    let cleaned = instance.clean().unwrap();
    assert!(!cleaned.rewritten && cleaned.report.unchanged && cleaned.report.screened);
    assert_eq!(cleaned.report.boxes.len(), 1);
    assert_eq!(cleaned.report.boxes[0].reason, TextReason::Clinical);
}

#[test]
fn hidden_bytes_do_not_pass_and_samples_stay_bit_for_bit() {
    let pixels = picture(&[40], &[200]);
    let clean = jpeg_ls(&pixels, &header());
    let mut planted = clean[..2].to_vec();
    planted.extend_from_slice(b"\xFF\xFE\x00\x0ADOE^JANE");
    planted.extend_from_slice(&clean[2..]);
    planted.extend_from_slice(b"DOE^JANE");
    let cleaned = Instance::encapsulated(&header(), JPEG_LS, &[planted]).clean().unwrap();
    assert!(cleaned.rewritten && cleaned.report.unchanged);
    assert_eq!(cleaned.syntax, JPEG_LS);
    let end = clean.len().min(cleaned.fragments[0].len());
    assert_eq!(cleaned.fragments[0][..end], clean[..end]);
    assert_eq!(cleaned.frames().concat(), pixels);

    let mut tail = pixels.clone();
    tail.extend_from_slice(b"DOE^JANE");
    let cleaned = Instance::native(&header(), tail).clean().unwrap();
    assert_eq!(cleaned.fragments, [pixels]);

    let twelve = Header { bits: (16, 12), ..header() };
    let overlay = picture(&300_i16.to_le_bytes(), &[0x2C, 0xF1]);
    let cleaned = Instance::native(&twelve, overlay).clean().unwrap();
    assert_eq!(cleaned.fragments[0], picture(&300_i16.to_le_bytes(), &300_i16.to_le_bytes()));
}

fn cine(frames: u32, named: u32) -> Instance {
    let header = Header { frames, ..Header::grey8(200, WIDTH as u16) };
    let mut bytes = Vec::new();
    for frame in 0..frames {
        let mut pixels = vec![30; 200 * WIDTH];
        if frame == named {
            (10..20).for_each(|x| pixels[150 * WIDTH + x] = 255);
        }
        bytes.extend(pixels);
    }
    Instance::native(&header, bytes)
}

#[test]
fn a_name_on_one_frame_is_found_and_painted_on_all() {
    let cleaned = cine(6, 3).clean().unwrap();
    assert_eq!(cleaned.fragments[0].len(), 6 * 200 * WIDTH);
    assert!(cleaned.fragments[0].iter().all(|value| *value < 255));
    let hidden: Vec<_> = cleaned.report.boxes.iter().filter(|found| found.hidden).collect();
    assert_eq!(hidden.len(), 1);
    assert_eq!((hidden[0].first_frame, hidden[0].frames), (3, 3));
    assert_eq!(hidden[0].rect_px, [7, 147, 16, 7]);
    let frame = &cleaned.fragments[0][..200 * WIDTH];
    assert_eq!(frame.iter().filter(|value| **value == 0).count(), 16 * 7);
}

#[test]
fn still_frames_are_looked_at_once() {
    let mut looker = Marks::default();
    cine(50, 99).clean_with(&mut looker, &hide_names).unwrap();
    assert_eq!(looker.looks, 1);
    let mut looker = Marks::default();
    cine(50, 0).clean_with(&mut looker, &hide_names).unwrap();
    // The first frame whole, the strips where the name went away, and the
    // painted first frame.
    assert_eq!(looker.looks, 3);
}

/// Sees a line just beside every place that was painted: text without end.
struct Endless;

impl Looker for Endless {
    fn lines(&mut self, view: &View) -> Result<Vec<TextLine>, LookError> {
        let dark = view.pixels.iter().rposition(|value| *value == 0);
        let y = dark.map_or(0, |at| at / view.width as usize + 1) as f32;
        let corners = [[5., y], [20., y], [20., y + 1.], [5., y + 1.]];
        Ok(vec![TextLine { corners, text: NAME.into(), confidence: 0.99 }])
    }
}

#[test]
fn text_that_remains_after_painting_is_quarantined() {
    let instance = Instance::native(&header(), picture(&[40], &[40]));
    let error = instance.clean_with(&mut Endless, &hide_names).err().unwrap();
    assert_eq!(error.reason, Reason::TextRemains);
}

/// Reads the mark at first, and a rest of it below once that is painted.
struct Rest;

impl Looker for Rest {
    fn lines(&mut self, view: &View) -> Result<Vec<TextLine>, LookError> {
        let painted = view.pixels.contains(&0);
        let y = if painted { 20. } else { 8. };
        let corners = [[10., y], [20., y], [20., y + 3.], [10., y + 3.]];
        let is_gone = view.pixels[21 * WIDTH + 12] == 0;
        let line = TextLine { corners, text: NAME.into(), confidence: 0.99 };
        Ok(if is_gone { vec![] } else { vec![line] })
    }
}

#[test]
fn what_the_second_look_finds_is_painted_too() {
    let instance = Instance::native(&header(), picture(&[40], &[40]));
    let cleaned = instance.clean_with(&mut Rest, &hide_names).unwrap();
    assert_eq!(cleaned.hidden(), [[7, 5, 16, 9], [7, 17, 16, 9]]);
    assert_eq!(cleaned.fragments[0].len(), WIDTH * HEIGHT, "the first try is overwritten");
}

struct Broken;

impl Looker for Broken {
    fn lines(&mut self, _view: &View) -> Result<Vec<TextLine>, LookError> {
        Err(LookError("no model".into()))
    }
}

#[test]
fn a_looker_that_fails_is_no_reason_to_pass() {
    let instance = Instance::native(&header(), picture(&[40], &[40]));
    let error = instance.clean_with(&mut Broken, &hide_names).err().unwrap();
    assert_eq!(error.reason, Reason::Internal);
}

#[test]
fn big_endian_pixels_leave_as_explicit_little_endian() {
    let words = Header { bits: (16, 16), ..header() };
    let bytes = picture(&[1, 0x10], &[0, 0x20]);
    let instance =
        Instance { syntax: BIG_ENDIAN, big_endian: true, ..Instance::native(&words, bytes) };
    let judge = |_line: &TextLine| LineVerdict {
        hide: false,
        reason: TextReason::Clinical,
        spans: Vec::new(),
    };
    let cleaned = instance.clean_with(&mut Marks::default(), &judge).unwrap();
    assert_eq!(cleaned.syntax, EXPLICIT);
    assert_eq!(cleaned.fragments[0], picture(&[0x10, 1], &[0x20, 0]));
    assert!(cleaned.report.unchanged);
}

#[test]
fn what_a_project_leaves_out_passes_unsearched_but_without_hidden_bits() {
    let twelve = Header { bits: (16, 12), ..header() };
    let mut instance = Instance::native(&twelve, picture(&[0, 0x01], &[0xFF, 0xFF]));
    let class = "1.2.840.10008.5.1.4.1.1.2";
    instance.set.put(Element::bytes(tags::SOP_CLASS_UID, VR::UI, class));
    instance.set.put(Element::bytes(tags::MODALITY, VR::CS, "CT"));
    instance.rules.header_only = [class.to_owned()].into_iter().collect();
    let cleaned = instance.clean_with(&mut Broken, &hide_names).unwrap();
    assert!(!cleaned.report.screened);
    assert_eq!(cleaned.fragments[0], picture(&[0, 0x01], &[0xFF, 0x0F]));
}

#[test]
fn a_codestream_of_another_size_is_refused_before_it_is_decoded() {
    let other = Header::grey8(HEIGHT as u16 + 1, WIDTH as u16);
    let fragment = jpeg_ls(&picture(&[40], &[200]), &header());
    let error = Instance::encapsulated(&other, JPEG_LS, &[fragment]).clean().err().unwrap();
    assert_eq!(error.reason, Reason::DecodeFailed);
    assert!(error.detail.starts_with("size in the codestream"), "{}", error.detail);
}

#[test]
fn what_cannot_be_looked_at_is_quarantined_with_that_reason() {
    let video = Instance::encapsulated(&header(), "1.2.840.10008.1.2.4.102", &[vec![0; 4]]);
    assert_eq!(video.clean().err().unwrap().reason, Reason::UnsupportedPixels);
    let mut float = Instance::native(&header(), picture(&[40], &[40]));
    float.set.put(Element::bytes(tags::FLOAT_PIXEL_DATA, VR::OF, [0; 4]));
    assert_eq!(float.clean().err().unwrap().reason, Reason::UnsupportedPixels);
    let fragments = Value::Fragments { offset_table: Vec::new(), fragments: Vec::new() };
    for (tag, value) in [
        (Tag(0x7F02, 0x0010), Value::Bytes(vec![0; 4])),
        (Tag(0x7FA0, 0x0010), fragments.clone()),
        (Tag(0x0028, 0x3006), fragments),
    ] {
        let mut elsewhere = Instance::native(&header(), picture(&[40], &[40]));
        elsewhere.set.put(Element { tag, vr: VR::OW, value });
        assert_eq!(elsewhere.clean().err().unwrap().reason, Reason::UnsupportedPixels, "{tag}");
    }
    let mut odd = Instance::native(&header(), picture(&[40], &[40]));
    put_us(&mut odd.set, tags::BITS_ALLOCATED, 12);
    assert_eq!(odd.clean().err().unwrap().reason, Reason::UnsupportedPixels);
    let damaged = Instance::encapsulated(&header(), JPEG, &[b"\xFF\xD8 no JPEG".to_vec()]);
    assert_eq!(damaged.clean().err().unwrap().reason, Reason::DecodeFailed);
}

#[test]
fn extremes_are_true_of_what_was_painted() {
    let mut instance = Instance::native(&header(), picture(&[40], &[255]));
    put_us(&mut instance.set, tags::SMALLEST_IMAGE_PIXEL_VALUE, 40);
    put_us(&mut instance.set, tags::LARGEST_IMAGE_PIXEL_VALUE, 255);
    let cleaned = instance.clean().unwrap();
    assert_eq!(cleaned.set.us(tags::SMALLEST_IMAGE_PIXEL_VALUE), Some(0));
    assert_eq!(cleaned.set.us(tags::LARGEST_IMAGE_PIXEL_VALUE), Some(40));
}

#[test]
fn an_instance_without_pixels_is_said_to_have_none() {
    let syntax = TransferSyntax::new(EXPLICIT.parse().unwrap());
    let outcome = clean_pixels(PixelContext {
        set: &DataSet::new(),
        syntax: &syntax,
        input: &mut Cursor::new(Vec::new()),
        input_big_endian: false,
        scratch: &mut Cursor::new(Vec::new()),
        looker: &mut Broken,
        judge: &Judge::new(),
        matcher: &Matcher::default(),
        rules: &CleanRules::default(),
        uncoded: false,
    });
    assert!(matches!(outcome, Ok(PixelOutcome::NoPixels)));
}

#[test]
fn sign_bits_of_twelve_bit_jpeg_ls_come_back_after_painting() {
    // In the codestream the samples are 12-bit numbers without sign.
    let signed = Header { bits: (16, 12), signed: true, ..header() };
    let bits = SampleBits { allocated: 16, stored: 12, shift: 0, signed: true };
    let stored = |value: i64| (bits.word(value) as u16 & 0x0FFF).to_le_bytes();
    let fragment = jpeg_ls(&picture(&stored(-900), &stored(2000)), &signed);
    let cleaned = Instance::encapsulated(&signed, JPEG_LS, &[fragment]).clean().unwrap();
    let word = (-900_i16).to_le_bytes();
    assert_eq!(cleaned.frames(), [expected(&word, &word)]);
}
