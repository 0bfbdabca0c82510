//! Hides text in pictures: received pixel data in, pixel data that may leave
//! out.
//!
//! Every frame is decoded and screened, searched where it may hold text (again
//! only where it changed), each line is judged, what is to be hidden is painted over on all frames in the
//! stored samples, and the painted frames are looked at again. Invariant: an
//! instance leaves only if the last look found nothing to hide outside of what
//! is painted; where nothing was to be hidden the coded samples stay bit for
//! bit. Decoding is `clean::pixels`, coding `clean::encode`, reading text
//! `clean::text`, judging it `clean::judge`.

pub mod area;
mod brush;
mod devices;
mod display;
pub mod eyes;
pub mod gaze;
pub mod ink;
mod job;
mod narrow;
mod reach;
pub mod regions;
pub mod screen;
pub mod sector;
mod spare;
pub mod windows;

use std::io::SeekFrom;

use dicom_dictionary_std::tags;

use self::area::{Corners, Rect};
use crate::clean::judge::{Judge, LineVerdict, Matcher};
use crate::clean::pixels::{
    Codec, FrameSource, Palette, Photometric, PixelAttributes, PixelError, Received,
};
pub use crate::clean::pixels::{ReadSeek, ReadWriteSeek};
use crate::clean::report::PixelReport;
use crate::clean::text::{Cells, TextLine, View};
use crate::config::CleanRules;
use crate::dicom::{DataSet, Element, Tag, TransferSyntax, Value};
use crate::reason::{Quarantine, Reason};

/// Finds and reads lines of text in a picture.
pub trait Looker {
    /// The lines of a picture, in a stable order.
    ///
    /// # Errors
    /// The models failed: the instance is quarantined.
    fn lines(&mut self, view: &View) -> Result<Vec<TextLine>, LookError>;

    /// The cells of a picture that may hold text, for much less than finding it;
    /// all of them where nobody can say.
    ///
    /// # Errors
    /// The model failed: the instance is quarantined.
    fn cells(&mut self, view: &View) -> Result<Cells, LookError> {
        Ok(Cells::new(view.width, view.height, true))
    }

    /// Every place that looks like text in one part of a picture; `None` where nobody
    /// can say.
    ///
    /// # Errors
    /// The model failed: the instance is quarantined.
    fn places(&mut self, _view: &View, _part: Rect) -> Result<Option<Vec<Corners>>, LookError> {
        Ok(None)
    }

    /// What stands at a place of a picture, without searching it; nothing where nobody
    /// can say.
    ///
    /// # Errors
    /// The model failed: the instance is quarantined.
    fn read(&mut self, _view: &View, place: Corners) -> Result<TextLine, LookError> {
        Ok(TextLine { corners: place, text: String::new(), confidence: 0.0 })
    }
}

/// Looking failed; the text names the model's error, never what was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("looking for text failed: {0}")]
pub struct LookError(pub String);

impl From<LookError> for Quarantine {
    fn from(error: LookError) -> Self {
        Self::new(Reason::Internal, error.to_string())
    }
}

/// Everything that cleaning the pixels of one instance needs.
pub struct PixelContext<'a> {
    /// The data set as received; its bulk values lie in `input`.
    pub set: &'a DataSet,
    /// The transfer syntax as received.
    pub syntax: &'a TransferSyntax,
    /// The file that the data set was read from.
    pub input: &'a mut dyn ReadSeek,
    /// Bulk values in `input` are big endian.
    pub input_big_endian: bool,
    /// Where changed frames are put, after what is there.
    pub scratch: &'a mut dyn ReadWriteSeek,
    /// Finds and reads text.
    pub looker: &'a mut dyn Looker,
    /// Judges text.
    pub judge: &'a Judge,
    /// This data set's own values.
    pub matcher: &'a Matcher,
    /// The project's rules.
    pub rules: &'a CleanRules,
    /// What comes coded leaves native.
    pub uncoded: bool,
}

impl std::fmt::Debug for PixelContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PixelContext").field("syntax", &self.syntax).finish_non_exhaustive()
    }
}

/// What became of the pixel data.
#[derive(Debug)]
pub enum PixelOutcome {
    /// There is none.
    NoPixels,
    /// It passes as it came.
    Unchanged(PixelReport),
    /// It passes changed: painted, or without bytes that carry no pixels.
    Rewritten {
        /// Elements to put, Pixel Data among them.
        replace: Vec<Element>,
        /// Elements to remove, present or not.
        remove: Vec<Tag>,
        /// The transfer syntax that the pixel data is now in.
        transfer_syntax: TransferSyntax,
        /// What was done.
        report: PixelReport,
    },
}

/// Cleans the pixels of one instance.
///
/// # Errors
/// Pixels that cannot be looked at, that disagree with their header, or that
/// still show identity after painting: the instance is quarantined.
pub fn clean_pixels(ctx: PixelContext<'_>) -> Result<PixelOutcome, Quarantine> {
    let (judge, matcher, policy) = (ctx.judge, ctx.matcher, ctx.rules.text_policy);
    let verdict = |line: &TextLine| judge.line(&line.text, line.confidence, matcher, policy);
    clean_with(ctx, &verdict)
}

fn clean_with(
    ctx: PixelContext<'_>,
    judge: &dyn Fn(&TextLine) -> LineVerdict,
) -> Result<PixelOutcome, Quarantine> {
    refuse_other_pixels(ctx.set)?;
    let Some(pixel_data) = ctx.set.get(tags::PIXEL_DATA).filter(|element| !element.is_empty())
    else {
        return Ok(PixelOutcome::NoPixels);
    };
    let codec = Codec::of(ctx.syntax)?;
    let limits = &ctx.rules.limits;
    let attributes = PixelAttributes::read(ctx.set, limits)?;
    let big_endian = ctx.input_big_endian;
    let received =
        Received { set: ctx.set, pixel_data, attributes: &attributes, codec, big_endian };
    let source = FrameSource::new(&received, limits, ctx.input)?;
    let devices = devices::Matched::of(ctx.set, &ctx.rules.devices);
    if let Some(id) = devices.held_by() {
        return Err(Quarantine::new(Reason::DeviceRule, format!("device rule {id}")));
    }
    let searched = screen::is_searched(ctx.set, ctx.rules) || devices.hides();
    let palette = if searched && has_palette(ctx.set, attributes.photometric) {
        Some(Palette::read(ctx.set, big_endian, ctx.input)?)
    } else {
        None
    };
    let display = display::of(ctx.set, &attributes, palette);
    // Captures have colours or 8 bits, whatever their class says.
    let is_slice = attributes.photometric.samples() == 1 && attributes.bits.stored > 8;
    let job = job::Job {
        set: ctx.set,
        syntax: ctx.syntax,
        pixel_data,
        input: ctx.input,
        scratch_start: ctx.scratch.seek(SeekFrom::End(0)).map_err(PixelError::File)?,
        scratch: ctx.scratch,
        big_endian,
        policy: ctx.rules.text_policy,
        uncoded: ctx.uncoded,
        first_whole: !is_slice || !screen::is_screened(ctx.set, ctx.rules) || devices.hides(),
        devices,
        attributes,
        codec,
        source,
        display,
    };
    let trusted = job.trusted();
    let mut eyes = eyes::Eyes::new(ctx.looker, judge, &trusted);
    if searched { job.search(&mut eyes) } else { job.pass_unsearched() }
}

/// Groups 7F00 to 7FFE, in which pictures stood before there was one element
/// for them.
const VARIABLE_GROUPS: u16 = 0x7F00;

/// Pixels in another element than Pixel Data, or somewhere else altogether.
fn refuse_other_pixels(set: &DataSet) -> Result<(), PixelError> {
    let others = [
        (tags::FLOAT_PIXEL_DATA, "Float Pixel Data"),
        (tags::DOUBLE_FLOAT_PIXEL_DATA, "Double Float Pixel Data"),
        (tags::PIXEL_DATA_PROVIDER_URL, "pixel data at a URL"),
    ];
    if let Some((_tag, what)) = others.into_iter().find(|(tag, _what)| set.get(*tag).is_some()) {
        return Err(PixelError::Unsupported { what });
    }
    let is_retired = |tag: Tag| tag.group() & 0xFF01 == VARIABLE_GROUPS && tag.group() != 0x7FE0;
    if set.iter().any(|element| is_retired(element.tag)) {
        return Err(PixelError::Unsupported { what: "Variable Pixel Data (retired)" });
    }
    let is_stray = |element: &Element| {
        element.tag != tags::PIXEL_DATA && matches!(element.value, Value::Fragments { .. })
    };
    if set.iter().any(is_stray) {
        return Err(PixelError::Unsupported { what: "encapsulated data outside of Pixel Data" });
    }
    Ok(())
}

/// Colours by a palette, for all values or for those above grey.
fn has_palette(set: &DataSet, photometric: Photometric) -> bool {
    photometric == Photometric::Palette || display::has_supplement(set)
}

#[cfg(test)]
mod jpeg_tests;
#[cfg(test)]
mod tests;
