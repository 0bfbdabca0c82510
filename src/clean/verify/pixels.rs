//! The picture's bytes: native data has the length that its attributes give,
//! coded data holds nothing beside the picture.

use super::finding::Finding;
use super::object::Object;
use super::stream::{Fault, Stream};
use super::{jpeg, jpeg2000, refuse};
use crate::dicom::vr::PIXEL_DATA;
use crate::dicom::{DataSet, Extent, Tag, Value};
use crate::reason::Quarantine;

const SAMPLES_PER_PIXEL: Tag = Tag(0x0028, 0x0002);
const NUMBER_OF_FRAMES: Tag = Tag(0x0028, 0x0008);
const ROWS: Tag = Tag(0x0028, 0x0010);
const COLUMNS: Tag = Tag(0x0028, 0x0011);
const BITS_ALLOCATED: Tag = Tag(0x0028, 0x0100);

/// How the stream of a transfer syntax is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Jpeg,
    Jpeg2000,
    /// Nothing but samples has room in it.
    SamplesOnly,
}

/// Checks Pixel Data of the clean copy.
pub(super) fn check(input: &Object<'_>, output: &mut Object<'_>) -> Result<(), Quarantine> {
    let Some(pixels) = output.set.get(PIXEL_DATA) else { return Ok(()) };
    match &pixels.value {
        Value::Bulk(extent) => {
            let plausible = Some(extent.bytes) == native_bytes(&output.set)
                || Some(extent.bytes) == input.native_bytes();
            if plausible {
                Ok(())
            } else {
                Err(Finding::at("pixel-data-length", PIXEL_DATA).into())
            }
        }
        Value::Fragments { fragments, .. } => {
            let form = form(output.head.meta.transfer_syntax.as_str())
                .ok_or_else(|| Finding::at("pixel-coding-not-checked", PIXEL_DATA))?;
            coded(form, Stream::new(&mut *output.bulk, fragments))
        }
        Value::Bytes(_) | Value::Items(_) => {
            Err(Finding::at("pixel-data-length", PIXEL_DATA).into())
        }
    }
}

/// Bytes of native pixel data by Rows, Columns and so on, padded to even.
fn native_bytes(set: &DataSet) -> Option<u64> {
    let number = |tag| set.us(tag).map(u64::from);
    let frames = match set.integer(NUMBER_OF_FRAMES) {
        Some(frames) => u64::try_from(frames).ok()?,
        None => 1,
    };
    number(ROWS)?
        .checked_mul(number(COLUMNS)?)?
        .checked_mul(number(SAMPLES_PER_PIXEL)?)?
        .checked_mul(number(BITS_ALLOCATED)?)?
        .checked_mul(frames)?
        .div_ceil(8)
        .checked_next_multiple_of(2)
}

/// The form of an encapsulated syntax (PS3.5 §A.4); `None` for one that is not
/// looked into, which does not pass.
fn form(transfer_syntax: &str) -> Option<Form> {
    match transfer_syntax.strip_prefix("1.2.840.10008.1.2.")? {
        "4.50" | "4.51" | "4.57" | "4.70" | "4.80" | "4.81" => Some(Form::Jpeg),
        "4.90" | "4.91" | "4.92" | "4.93" | "4.201" | "4.202" | "4.203" => Some(Form::Jpeg2000),
        // RLE Lossless, Encapsulated Uncompressed, Deflated Image Frame.
        "5" | "1.98" | "8.1" => Some(Form::SamplesOnly),
        _other => None,
    }
}

fn coded(form: Form, mut stream: Stream<'_>) -> Result<(), Quarantine> {
    let walked = match form {
        Form::Jpeg => jpeg::walk(&mut stream),
        Form::Jpeg2000 => jpeg2000::walk(&mut stream),
        Form::SamplesOnly => Ok(()),
    };
    walked.map_err(|fault| match fault {
        Fault::Broken(rule) => Finding::at(rule, PIXEL_DATA).into(),
        Fault::Io(fault) => refuse(format!("clean-copy-unreadable: {fault}")),
    })
}

/// The fragments of the clean copy.
pub(super) type Fragments = [Extent];
