//! The passes over the frames of one instance: look, paint and look again, or
//! only let through.

use super::area::{Area, Ink, Rect, covered, mask};
use super::brush::{Brush, Canvas};
use super::devices::Matched;
use super::eyes::{Eyes, Finding};
use super::gaze::Gaze;
use super::ink::{INK_PIXELS_MAX, InkError, Watch};
use super::sector::{self, FRAMES_COMPARED_MAX};
use super::{PixelOutcome, ReadSeek, ReadWriteSeek, regions};
use crate::clean::encode::{FragmentList, Origin, POSITION_TABLES, Recoded, Recoder, Scratch};
use crate::clean::pixels::codestream::StreamHeader;
use crate::clean::pixels::view::{Display, Windows, views};
use crate::clean::pixels::{
    Codec, Coded, Decoded, Decoder, FrameSource, Photometric, PixelAttributes, PixelError,
};
use crate::clean::report::{PixelReport, TextBox, TextReason};
use crate::config::TextPolicy;
use crate::dicom::{DataSet, Element, TransferSyntax, VR};
use crate::reason::{Quarantine, Reason};

/// How often what a second look finds is painted too. Default 6: a painted box
/// can cut a neighbouring line, whose rest is then unreadable, and on textured
/// ground its edge can look like a letter.
const REPAINTS_MAX: u32 = 6;
/// Most of a picture (in percent) that all rules for a device together may trust.
const TRUSTED_PERCENT_MAX: u32 = 25;
/// Most hidden areas. Default 2,000: a full page of text in every tenth frame;
/// more is no picture with text but text of another kind.
const HIDDEN_AREAS_MAX: usize = 2000;
/// Most kept lines that are reported. Default 500; they are there for review.
const KEPT_BOXES_MAX: usize = 500;

/// One instance at work.
pub(super) struct Job<'a> {
    pub(super) set: &'a DataSet,
    pub(super) syntax: &'a TransferSyntax,
    pub(super) pixel_data: &'a Element,
    pub(super) input: &'a mut dyn ReadSeek,
    pub(super) scratch: &'a mut dyn ReadWriteSeek,
    /// Each try at coding begins here.
    pub(super) scratch_start: u64,
    pub(super) big_endian: bool,
    pub(super) policy: TextPolicy,
    /// What comes coded leaves native.
    pub(super) uncoded: bool,
    /// The first frame is searched, whether or not it may hold text.
    pub(super) first_whole: bool,
    pub(super) devices: Matched<'a>,
    pub(super) attributes: PixelAttributes,
    pub(super) codec: Codec,
    pub(super) source: FrameSource,
    pub(super) display: Display,
}

/// What the first pass learned.
#[derive(Debug, Default)]
struct Seen {
    hidden: Vec<Area>,
    boxes: Vec<TextBox>,
    kept: usize,
    /// Frames that the detector searched.
    frames_read: u32,
    /// Bits that belong to no value are set somewhere.
    unused_bits: bool,
    /// Least and greatest value, where the ink depends on them.
    extremes: Option<(i64, i64)>,
}

impl Seen {
    fn add(&mut self, frame: u32, frames: u32, finding: Finding) -> Result<(), Quarantine> {
        let found = text_box(frame, frames, &finding);
        if finding.hide {
            if covered(finding.area.rect, &self.hidden) {
                return Ok(());
            }
            return self.hide(frame, frames, finding);
        }
        if self.kept < KEPT_BOXES_MAX && !self.is_known(&found) {
            self.kept += 1;
            self.boxes.push(found);
        }
        Ok(())
    }

    fn hide(&mut self, frame: u32, frames: u32, finding: Finding) -> Result<(), Quarantine> {
        if self.hidden.len() >= HIDDEN_AREAS_MAX {
            return Err(PixelError::OverLimit { limit: "HIDDEN_AREAS_MAX" }.into());
        }
        self.boxes.push(text_box(frame, frames, &finding));
        self.hidden.push(finding.area);
        Ok(())
    }

    /// Hides the ink that nothing explained.
    fn hide_ink(&mut self, watch: Watch, frames: u32) -> Result<(), Quarantine> {
        let unexplained = watch.finish(&self.hidden).map_err(|error| match error {
            InkError::Doubtful { .. } => Quarantine::new(Reason::UnknownLayout, error.to_string()),
            InkError::Scattered => PixelError::OverLimit { limit: "HIDDEN_AREAS_MAX" }.into(),
        })?;
        for (rect, frame) in unexplained {
            let area = Area::upright(rect);
            let finding = Finding { area, reason: TextReason::Unexplained, hide: true };
            self.hide(frame, frames, finding)?;
        }
        Ok(())
    }

    /// The same line of an earlier frame, give or take a pixel or two.
    fn is_known(&self, found: &TextBox) -> bool {
        self.boxes.iter().any(|known| {
            let mut sides = known.rect_px.iter().zip(found.rect_px);
            !known.hidden
                && known.reason == found.reason
                && sides.all(|(known, found)| known.abs_diff(found) <= 2)
        })
    }
}

fn text_box(frame: u32, frames: u32, finding: &Finding) -> TextBox {
    TextBox {
        first_frame: frame,
        frames: frames - frame,
        rect_px: finding.area.rect.position(),
        reason: finding.reason,
        hidden: finding.hide,
    }
}

impl Job<'_> {
    /// Lets through what is not searched: without hidden bytes and bits.
    pub(super) fn pass_unsearched(mut self) -> Result<PixelOutcome, Quarantine> {
        let mut seen = Seen::default();
        let bits = self.attributes.bits;
        if bits.stored < bits.allocated && !self.is_bare()? {
            for frame in 0..self.attributes.frames {
                seen.unused_bits |= self.decode(frame)?.unused_bits;
            }
        }
        self.pass(&seen, false)
    }

    /// Native samples that can be seen without decoding have nothing beside
    /// their values. `false`: they have, or it takes decoding to tell.
    fn is_bare(&mut self) -> Result<bool, PixelError> {
        let PixelAttributes { bits, photometric, .. } = self.attributes;
        let whole_words = bits.allocated > 1 && photometric != Photometric::YbrFull422;
        if self.codec != Codec::Native || !whole_words {
            return Ok(false);
        }
        let look = |words: &[u8]| bits.are_bare(words);
        Ok(self.source.look_through(bits.bytes(), &mut *self.input, look)? == Some(true))
    }

    /// Searches every frame and hides what is to be hidden.
    pub(super) fn search(mut self, eyes: &mut Eyes<'_>) -> Result<PixelOutcome, Quarantine> {
        let mut seen = Seen::default();
        self.hide_by_device(&mut seen)?;
        self.look(eyes, &mut seen)?;
        if seen.hidden.is_empty() {
            return self.pass(&seen, true);
        }
        for _round in 0..=REPAINTS_MAX {
            if let Some(recoded) = self.paint(eyes, &mut seen)? {
                return Ok(self.rewritten(recoded, self.report(&seen, true, false)));
            }
        }
        Err(Quarantine::new(Reason::TextRemains, format!("after painting {REPAINTS_MAX} times")))
    }

    /// What the rules for this device hide, on every frame.
    fn hide_by_device(&self, seen: &mut Seen) -> Result<(), Quarantine> {
        for rect in self.devices.hidden(self.attributes.columns, self.attributes.rows) {
            let (area, reason) = (Area::upright(rect), TextReason::DeviceRule);
            seen.add(0, self.attributes.frames, Finding { area, reason, hide: true })?;
        }
        Ok(())
    }

    /// Where what cannot be read is no text. A project that hides all text
    /// trusts no place.
    pub(super) fn trusted(&self) -> Vec<Rect> {
        if self.policy == TextPolicy::HideAll {
            return Vec::new();
        }
        let (width, height) = (self.attributes.columns, self.attributes.rows);
        let trusted = self.devices.trusted(width, height);
        // Several rules together trust no more than one may.
        let pixels: u64 = trusted.iter().map(|rect| rect.pixels()).sum();
        let most = u64::from(width) * u64::from(height) * u64::from(TRUSTED_PERCENT_MAX) / 100;
        if pixels > most { Vec::new() } else { trusted }
    }

    /// Watches the ink outside of the scan area, where the policy wants that.
    fn watch_outside(&mut self) -> Result<Option<Watch>, Quarantine> {
        if self.policy != TextPolicy::HideOutsideRegions || !self.is_ultrasound() {
            return Ok(None);
        }
        let (width, height) = (self.attributes.columns, self.attributes.rows);
        if u64::from(width) * u64::from(height) > INK_PIXELS_MAX {
            return Err(PixelError::OverLimit { limit: "INK_PIXELS_MAX" }.into());
        }
        let mut known = regions::believed(self.set, width, height);
        if known.is_empty() {
            known = self.devices.scan(width, height);
        }
        let (frames, last) = (self.attributes.frames, self.attributes.frames.saturating_sub(1));
        let compared = frames.min(FRAMES_COMPARED_MAX);
        let mut samples = Vec::new();
        for number in 0..compared {
            // Evenly spread, the first and the last among them.
            let frame = u64::from(last) * u64::from(number) / u64::from((compared - 1).max(1));
            let decoded = self.decode(u32::try_from(frame).unwrap_or(last))?;
            let windows = Windows::of(&decoded.frame);
            samples.extend(views(&decoded.frame, &self.display, &windows).into_iter().take(1));
        }
        let scan = sector::scan_area(&known, &samples).map_err(|doubt| {
            let detail = format!("no region of the header can be believed, and {doubt}");
            Quarantine::new(Reason::UnknownLayout, detail)
        })?;
        Ok(Some(Watch::new(&scan, known.is_empty())))
    }

    fn is_ultrasound(&self) -> bool {
        let modality = self.set.ascii(dicom_dictionary_std::tags::MODALITY);
        regions::are_given(self.set) || matches!(modality, Some("US" | "IVUS"))
    }

    /// First pass: looks at each frame where it differs from what was seen.
    fn look(&mut self, eyes: &mut Eyes<'_>, seen: &mut Seen) -> Result<(), Quarantine> {
        let mut gaze = Gaze::default();
        if self.first_whole {
            gaze = gaze.first_whole();
        }
        let mut watch = self.watch_outside()?;
        if watch.is_some() {
            // What explains ink is looked at whenever it changes.
            gaze = gaze.unscreened();
        }
        let frames = self.attributes.frames;
        for frame in 0..frames {
            let decoded = self.decode(frame)?;
            seen.unused_bits |= decoded.unused_bits;
            if Ink::follows_extremes(self.attributes.bits, &self.display) {
                seen.extremes = joined(seen.extremes, decoded.frame.extremes());
            }
            let windows = Windows::of(&decoded.frame);
            let shown = views(&decoded.frame, &self.display, &windows);
            if gaze.wants(&shown, windows.enhanced(), &seen.hidden, eyes)? {
                seen.frames_read = seen.frames_read.saturating_add(1);
                let found = eyes.look(&shown, windows.enhanced())?;
                if let Some(watch) = &mut watch {
                    watch.lines(&found);
                }
                for finding in found {
                    seen.add(frame, frames, finding)?;
                }
            }
            if let Some(watch) = &mut watch {
                watch.frame(frame, &shown, windows.enhanced());
            }
        }
        watch.map_or(Ok(()), |watch| seen.hide_ink(watch, frames))
    }

    /// Second pass: paints and codes every frame, and looks again. Gives the
    /// result when nothing more was found to hide.
    ///
    /// The first frame is looked at whole, later ones when they changed near what was
    /// painted: elsewhere they are as the first pass saw them.
    fn paint(
        &mut self,
        eyes: &mut Eyes<'_>,
        seen: &mut Seen,
    ) -> Result<Option<Recoded>, Quarantine> {
        let painted = seen.hidden.clone();
        let attributes = self.attributes.clone();
        let header = self.first_header()?;
        let mut reader = Reader { input: &mut *self.input, source: &self.source };
        let brush = Brush {
            decoder: Decoder { attributes: &attributes, codec: self.codec },
            display: &self.display,
            extremes: seen.extremes,
            areas: &painted,
            mask: (!self.uncoded && is_edited(header.as_ref(), seen))
                .then(|| mask(&painted, attributes.columns, attributes.rows)),
        };
        let scratch = Scratch::new(&mut *self.scratch, self.scratch_start);
        let origin = Origin {
            set: self.set,
            attributes: &attributes,
            codec: self.codec,
            syntax: self.syntax,
            painted: true,
            edited: brush.mask.is_some(),
            uncoded: self.uncoded,
        };
        let mut recoder = Recoder::new(&origin, scratch)?;
        let mut gaze = Gaze::default().first_whole().near(painted.clone());
        for frame in 0..attributes.frames {
            let Canvas { windows, painted: canvas } = brush.paint(reader.read(frame)?)?;
            let shown = views(&canvas.decoded.frame, &self.display, &windows);
            if gaze.wants(&shown, windows.enhanced(), &painted, eyes)? {
                let found = eyes.look(&shown, windows.enhanced())?;
                for finding in found.into_iter().filter(|found| found.hide) {
                    seen.add(frame, attributes.frames, finding)?;
                }
            }
            if seen.hidden.len() == painted.len() {
                recoder.push(canvas)?;
            }
        }
        if seen.hidden.len() > painted.len() {
            return Ok(None);
        }
        Ok(Some(recoder.finish(self.pixel_data)?))
    }

    /// Nothing is to be hidden: the samples pass, what is beside them does not.
    fn pass(mut self, seen: &Seen, screened: bool) -> Result<PixelOutcome, Quarantine> {
        let is_native = self.codec == Codec::Native;
        if seen.unused_bits || (self.big_endian && is_native) || (self.uncoded && !is_native) {
            let recoded = self.recode()?;
            let unchanged = !seen.unused_bits;
            return Ok(self.rewritten(recoded, self.report(seen, screened, unchanged)));
        }
        let report = self.report(seen, screened, true);
        let value = match self.codec {
            Codec::Native => self.source.without_tail()?.map(|value| (self.pixel_data.vr, value)),
            Codec::EncapsulatedUncompressed
            | Codec::Rle
            | Codec::Jpeg
            | Codec::JpegLs
            | Codec::Jpeg2000
            | Codec::DeflatedFrame => self.clean_fragments()?.map(|value| (VR::OB, value)),
        };
        let Some((vr, value)) = value else {
            return Ok(PixelOutcome::Unchanged(report));
        };
        let replace = vec![Element { tag: self.pixel_data.tag, vr, value }];
        let remove = POSITION_TABLES.to_vec();
        let transfer_syntax = self.syntax.clone();
        Ok(PixelOutcome::Rewritten { replace, remove, transfer_syntax, report })
    }

    /// Codes every frame again without painting.
    fn recode(&mut self) -> Result<Recoded, Quarantine> {
        let attributes = self.attributes.clone();
        let decoder = Decoder { attributes: &attributes, codec: self.codec };
        let mut reader = Reader { input: &mut *self.input, source: &self.source };
        let scratch = Scratch::new(&mut *self.scratch, self.scratch_start);
        let origin = Origin {
            set: self.set,
            attributes: &attributes,
            codec: self.codec,
            syntax: self.syntax,
            painted: false,
            edited: false,
            uncoded: self.uncoded,
        };
        let mut recoder = Recoder::new(&origin, scratch)?;
        for frame in 0..attributes.frames {
            recoder.push(decoder.decode(reader.read(frame)?)?.into())?;
        }
        Ok(recoder.finish(self.pixel_data)?)
    }

    /// What the first frame's codestream says of itself, if there is one.
    fn first_header(&mut self) -> Result<Option<StreamHeader>, PixelError> {
        match self.codec {
            Codec::Jpeg | Codec::JpegLs | Codec::Jpeg2000 => {
                let coded = self.source.read(0, &mut *self.input)?;
                let decoder = Decoder { attributes: &self.attributes, codec: self.codec };
                decoder.header(&coded).map(Some)
            }
            Codec::Native | Codec::EncapsulatedUncompressed | Codec::Rle | Codec::DeflatedFrame => {
                Ok(None)
            }
        }
    }

    /// The fragments as they may leave, with a true offset table; `None` when
    /// that is how they came.
    fn clean_fragments(&mut self) -> Result<Option<crate::dicom::Value>, PixelError> {
        let decoder = Decoder { attributes: &self.attributes, codec: self.codec };
        let mut scratch = Scratch::new(&mut *self.scratch, self.scratch_start);
        let mut list = FragmentList::default();
        for frame in 0..self.attributes.frames {
            let coded = self.source.read(frame, &mut *self.input)?;
            let clean = decoder.clean(&coded)?.or_else(|| self.source.joined(frame, coded));
            match clean {
                None => list.push_frame(self.source.fragments(frame)),
                Some(mut clean) => {
                    clean.resize(clean.len().next_multiple_of(2), 0);
                    list.push_frame(&[scratch.put(&clean)?]);
                }
            }
        }
        let has_tables = POSITION_TABLES.iter().any(|tag| self.set.get(*tag).is_some());
        let as_received = list.is(&self.pixel_data.value) && !has_tables;
        Ok((!as_received).then(|| list.finish()))
    }

    fn decode(&mut self, frame: u32) -> Result<Decoded, PixelError> {
        let coded = self.source.read(frame, &mut *self.input)?;
        Decoder { attributes: &self.attributes, codec: self.codec }.decode(coded)
    }

    fn rewritten(&self, recoded: Recoded, report: PixelReport) -> PixelOutcome {
        let Recoded { replace, remove, transfer_syntax } = recoded;
        PixelOutcome::Rewritten { replace, remove, transfer_syntax, report }
    }

    fn report(&self, seen: &Seen, screened: bool, unchanged: bool) -> PixelReport {
        let mut boxes = seen.boxes.clone();
        boxes.sort_by_key(|found| {
            let [x, y, ..] = found.rect_px;
            (found.first_frame, y, x)
        });
        let devices = self.devices.ids();
        let (frames, frames_read) = (self.attributes.frames, seen.frames_read);
        PixelReport { frames, screened, frames_read, boxes, devices, unchanged }
    }
}

/// Reads frames while other parts of the job are at work.
struct Reader<'a> {
    input: &'a mut dyn ReadSeek,
    source: &'a FrameSource,
}

impl Reader<'_> {
    fn read(&mut self, frame: u32) -> Result<Coded, PixelError> {
        self.source.read(frame, self.input)
    }
}

/// Whether the codestream itself is edited. Bits beside the values can only be
/// cleared in samples.
fn is_edited(header: Option<&StreamHeader>, seen: &Seen) -> bool {
    !seen.unused_bits && header.is_some_and(StreamHeader::is_sequential_dct)
}

fn joined(one: Option<(i64, i64)>, other: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (one, other) {
        (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.max(other.1))),
        (one, other) => one.or(other),
    }
}
