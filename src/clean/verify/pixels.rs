//! The picture's bytes: native data is as its attributes say, to the bit; coded
//! data holds its frames and nothing beside them; tables of positions are true.

use std::io::SeekFrom;

use super::finding::Finding;
use super::object::Object;
use super::samples::{self, NativeCheck, Shape};
use super::stream::{Fault, Stream};
use super::{jpeg, jpeg2000, refuse};
use crate::dicom::vr::PIXEL_DATA;
use crate::dicom::{DataSet, Element, Extent, Tag, Value};
use crate::reason::Quarantine;

const EXTENDED_OFFSETS: Tag = Tag(0x7FE0, 0x0001);
const EXTENDED_LENGTHS: Tag = Tag(0x7FE0, 0x0002);
/// Bytes of native data read at a time. Default 64 KiB.
const PIECE_BYTES: usize = 64 << 10;

/// How the stream of a transfer syntax is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Jpeg(jpeg::Process),
    Jpeg2000,
    Rle,
    Uncompressed,
    Deflated,
}

/// Checks Pixel Data of the clean copy.
pub(super) fn check(output: &mut Object<'_>) -> Result<(), Quarantine> {
    let Some(pixels) = output.set.get(PIXEL_DATA).filter(|element| !element.is_empty()) else {
        return Ok(());
    };
    let shape = Shape::of(&output.set);
    let shape = shape.ok_or_else(|| Finding::at("pixel-data-length", PIXEL_DATA))?;
    let checked = match &pixels.value {
        Value::Bulk(extent) => native(*extent, output.bulk.as_mut(), shape),
        Value::Bytes(bytes) => native_bytes(bytes, shape),
        Value::Fragments { fragments, offset_table } => {
            let form = form(output.head.meta.transfer_syntax.as_str())
                .ok_or_else(|| Finding::at("pixel-coding-not-checked", PIXEL_DATA))?;
            let mut stream = Stream::new(output.bulk.as_mut(), fragments);
            let walked = coded(form, &mut stream, shape);
            walked.and_then(|()| positions(&output.set, offset_table, fragments, stream.frames()))
        }
        Value::Items(_) => Err(Fault::Broken("pixel-data-length")),
    };
    checked.map_err(|fault| match fault {
        Fault::Broken(rule) => Finding::at(rule, PIXEL_DATA).into(),
        Fault::Io(fault) => refuse(format!("clean-copy-unreadable: {fault}")),
    })
}

fn native(
    extent: Extent,
    file: &mut dyn crate::dicom::write::ReadSeek,
    shape: Shape,
) -> Result<(), Fault> {
    let mut check = NativeCheck::new(shape, shape.frames).ok_or(LENGTH)?;
    file.seek(SeekFrom::Start(extent.offset))?;
    let mut piece = vec![0; PIECE_BYTES];
    let mut left = extent.bytes;
    while left > 0 {
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE_BYTES);
        let bytes = piece.get_mut(..count).unwrap_or_default();
        file.read_exact(bytes)?;
        check.take(bytes)?;
        left -= count as u64;
    }
    check.end()
}

fn native_bytes(bytes: &[u8], shape: Shape) -> Result<(), Fault> {
    let mut check = NativeCheck::new(shape, shape.frames).ok_or(LENGTH)?;
    check.take(bytes)?;
    check.end()
}

const LENGTH: Fault = Fault::Broken("pixel-data-length");

/// The form of an encapsulated syntax (PS3.5 §A.4); `None` for one that is not
/// looked into, which does not pass.
fn form(transfer_syntax: &str) -> Option<Form> {
    match transfer_syntax.strip_prefix("1.2.840.10008.1.2.")? {
        "4.50" | "4.51" => Some(Form::Jpeg(jpeg::Process::Dct)),
        "4.57" | "4.70" => Some(Form::Jpeg(jpeg::Process::Lossless)),
        "4.80" | "4.81" => Some(Form::Jpeg(jpeg::Process::JpegLs)),
        "4.90" | "4.91" | "4.92" | "4.93" | "4.201" | "4.202" | "4.203" => Some(Form::Jpeg2000),
        "5" => Some(Form::Rle),
        "1.98" => Some(Form::Uncompressed),
        "8.1" => Some(Form::Deflated),
        _other => None,
    }
}

/// Every frame, from a fragment's beginning to a fragment's end.
fn coded(form: Form, stream: &mut Stream<'_>, shape: Shape) -> Result<(), Fault> {
    while stream.begin_frame() {
        match form {
            Form::Jpeg(process) => jpeg::walk(stream, process)?,
            Form::Jpeg2000 => jpeg2000::walk(stream)?,
            Form::Rle => samples::rle(stream, shape)?,
            Form::Uncompressed => samples::uncompressed(stream, shape)?,
            Form::Deflated => samples::deflated(stream, shape)?,
        }
        stream.end_frame()?;
    }
    if stream.frames().len() as u64 == shape.frames {
        Ok(())
    } else {
        Err(Fault::Broken("frames-differ-from-header"))
    }
}

/// The offset tables say where the frames begin, or nothing (PS3.5 §A.4).
fn positions(
    set: &DataSet,
    offset_table: &[u32],
    fragments: &[Extent],
    frames: &[usize],
) -> Result<(), Fault> {
    let item_starts: Vec<u64> = fragments
        .iter()
        .scan(0_u64, |start, fragment| {
            let this = *start;
            *start += 8 + fragment.bytes.next_multiple_of(2);
            Some(this)
        })
        .collect();
    let starts: Vec<u64> =
        frames.iter().filter_map(|first| item_starts.get(*first)).copied().collect();
    let basic = offset_table.iter().map(|offset| u64::from(*offset));
    let basic = offset_table.is_empty() || basic.eq(starts.iter().copied());
    let ends = frames.iter().skip(1).copied().chain([fragments.len()]);
    let lengths = frames.iter().zip(ends).map(|(first, end)| {
        fragments.get(*first..end).unwrap_or_default().iter().map(|it| it.bytes).sum::<u64>()
    });
    let lengths: Vec<u64> = lengths.collect();
    let extended = |tag| set.get(tag).map(numbers);
    let offsets_true = extended(EXTENDED_OFFSETS).is_none_or(|told| told == starts);
    // The length may leave out the byte of padding.
    let lengths_true = extended(EXTENDED_LENGTHS).is_none_or(|told| {
        let near = |(told, bytes): (&u64, &u64)| told == bytes || told + 1 == *bytes;
        told.len() == lengths.len() && told.iter().zip(&lengths).all(near)
    });
    if basic && offsets_true && lengths_true {
        Ok(())
    } else {
        Err(Fault::Broken("offset-table-untrue"))
    }
}

fn numbers(element: &Element) -> Vec<u64> {
    let bytes = element.as_bytes().unwrap_or_default();
    bytes.as_chunks::<8>().0.iter().map(|eight| u64::from_le_bytes(*eight)).collect()
}

/// The fragments of the clean copy.
pub(super) type Fragments = [Extent];
