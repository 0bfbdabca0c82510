//! One cell: a file of the matrix in; what airlock decodes, codes again and paints
//! of it out.

use std::fs::{self, File};
use std::io::{Cursor, Read as _};
use std::path::Path;

use airlock::clean::encode::{Origin, Recoder, Scratch};
use airlock::clean::judge::{Judge, Matcher};
use airlock::clean::pixels::{
    Codec, Decoded, Decoder, FrameSource, PixelAttributes, PixelError, Received, StoredFrame,
};
use airlock::clean::redact::{LookError, Looker, PixelContext, PixelOutcome, clean_pixels};
use airlock::clean::text::{TextLine, View};
use airlock::config::{CleanRules, TextPolicy};
use airlock::dicom::read::{ReadLimits, inflate, read_data_set, read_head};
use airlock::dicom::write::{BulkSources, NewMeta, write_part10};
use airlock::dicom::{DataSet, Element, Encoding, Tag, TransferSyntax, Uid, Value};
use serde::Deserialize;

const SOP_CLASS: Tag = Tag(0x0008, 0x0016);
const SOP_INSTANCE: Tag = Tag(0x0008, 0x0018);
const PIXEL_DATA: Tag = Tag(0x7FE0, 0x0010);

/// An entry of the manifest that `tests/python/matrix/make.py` writes.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Cell {
    pub(crate) name: String,
    /// The encoder, or the package that a public file is from.
    pub(crate) by: String,
    /// Why no encoder made it; nothing else is known then.
    pub(crate) missing: Option<String>,
    /// Why pydicom gives no values to compare with.
    pub(crate) undecoded: Option<String>,
    #[serde(default)]
    pub(crate) syntax: String,
    #[serde(default)]
    pub(crate) photometric: String,
    /// Bits Allocated and Bits Stored.
    #[serde(default)]
    pub(crate) bits: [u32; 2],
    #[serde(default)]
    pub(crate) signed: bool,
    #[serde(default)]
    pub(crate) planar: u16,
    #[serde(default)]
    pub(crate) frames: u32,
    /// Columns and Rows.
    #[serde(default)]
    pub(crate) size: [u32; 2],
    /// Left, top, right, bottom of the line that is to be hidden.
    #[serde(default)]
    pub(crate) text: [u16; 4],
    /// Type of the values in `NAME.raw`, as in `u2`.
    #[serde(default)]
    pub(crate) values: String,
    /// What pydicom's values mean.
    #[serde(default)]
    pub(crate) meaning: String,
}

impl Cell {
    /// A file that was there already: pydicom's, pydicom-data's, the devset's.
    pub(crate) fn is_found(&self) -> bool {
        matches!(self.by.as_str(), "pydicom-files" | "pydicom-data" | "devset")
    }
}

/// How our decoding compares with pydicom's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decoding {
    /// Largest difference; `None` when there is nothing to compare with.
    pub(crate) difference: Option<i64>,
    /// Our samples and pydicom's mean the same.
    pub(crate) same_meaning: bool,
}

/// What coding again without painting gave.
#[derive(Debug, Clone)]
pub(crate) struct Coding {
    pub(crate) syntax: String,
    /// The samples came back as they were.
    pub(crate) equal: bool,
    /// Coded bytes of all frames before.
    pub(crate) bytes_before: u64,
    /// And after.
    pub(crate) bytes_after: u64,
}

/// What painting left.
#[derive(Debug, Clone)]
pub(crate) struct Painting {
    pub(crate) syntax: String,
    /// Left, top, width, height.
    pub(crate) rect: [u32; 4],
}

/// What became of a cell; an error is the reason of the quarantine.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) decoded: Result<Decoding, String>,
    pub(crate) coded: Result<Coding, String>,
    pub(crate) painted: Result<Painting, String>,
}

impl Outcome {
    /// Nothing could be done.
    pub(crate) fn none(why: &str) -> Self {
        let why = why.to_owned();
        Self { decoded: Err(why.clone()), coded: Err(why.clone()), painted: Err(why) }
    }
}

/// Sees one line on the first look, and nothing after.
struct OneLine {
    corners: Option<[[f32; 2]; 4]>,
}

impl Looker for OneLine {
    fn lines(&mut self, _view: &View) -> Result<Vec<TextLine>, LookError> {
        let line = |corners| TextLine { corners, text: "DOE JANE".into(), confidence: 0.99 };
        Ok(self.corners.take().map(line).into_iter().collect())
    }
}

/// A parsed file, in memory.
struct Opened {
    set: DataSet,
    syntax: TransferSyntax,
    encoding: Encoding,
    bytes: Cursor<Vec<u8>>,
}

impl Opened {
    fn read(bytes: Vec<u8>) -> Result<Self, String> {
        let limits = ReadLimits::default();
        let mut bytes = Cursor::new(bytes);
        let head = read_head(&mut bytes, &limits).map_err(|error| error.to_string())?;
        let syntax = head.meta.transfer_syntax;
        let mut encoding = syntax.encoding().ok_or("unknown transfer syntax")?;
        let mut start = head.data_set_offset;
        if encoding.deflated {
            let mut inflated = Vec::new();
            inflate(&mut bytes, start, &mut inflated, &limits)
                .map_err(|error| error.to_string())?;
            (bytes, start, encoding) = (Cursor::new(inflated), 0, Encoding::EXPLICIT_LE);
        }
        let parsed = read_data_set(&mut bytes, start, encoding, &limits);
        let set = parsed.map_err(|error| error.to_string())?.set;
        Ok(Self { set, syntax, encoding, bytes })
    }

    fn pixel_data(&self) -> Result<&Element, String> {
        self.set.get(PIXEL_DATA).ok_or_else(|| "no Pixel Data".to_owned())
    }

    /// Hands every decoded frame to `each`.
    fn frames(
        &mut self,
        mut each: impl FnMut(Decoded) -> Result<(), String>,
    ) -> Result<(), String> {
        let attributes = self.attributes()?;
        let limits = CleanRules::default().limits;
        let codec = Codec::of(&self.syntax).map_err(text)?;
        let pixel_data = self.set.get(PIXEL_DATA).ok_or("no Pixel Data")?;
        let received = Received {
            set: &self.set,
            pixel_data,
            attributes: &attributes,
            codec,
            big_endian: self.encoding.big_endian,
        };
        let source = FrameSource::new(&received, &limits, &mut self.bytes).map_err(text)?;
        let decoder = Decoder { attributes: &attributes, codec };
        for number in 0..attributes.frames {
            let coded = source.read(number, &mut self.bytes).map_err(text)?;
            each(decoder.decode(coded).map_err(text)?)?;
        }
        Ok(())
    }

    fn attributes(&self) -> Result<PixelAttributes, String> {
        PixelAttributes::read(&self.set, &CleanRules::default().limits).map_err(text)
    }

    fn coded_bytes(&self) -> Result<u64, String> {
        Ok(match &self.pixel_data()?.value {
            Value::Bytes(bytes) => bytes.len() as u64,
            Value::Bulk(extent) => extent.bytes,
            Value::Fragments { fragments, .. } => fragments.iter().map(|part| part.bytes).sum(),
            Value::Items(_) => 0,
        })
    }

    /// The file with some elements changed, which may lie in `scratch`.
    fn rewritten(
        &mut self,
        replace: Vec<Element>,
        remove: Vec<Tag>,
        syntax: &TransferSyntax,
        scratch: &mut Cursor<Vec<u8>>,
    ) -> Result<Vec<u8>, String> {
        let mut set = self.set.clone();
        remove.into_iter().for_each(|tag| drop(set.remove(tag)));
        replace.into_iter().for_each(|element| drop(set.put(element)));
        // Some public files name no instance; a whole job would refuse them.
        let uid = |tag| -> Uid {
            let stated = set.ascii(tag).and_then(|uid| uid.parse().ok());
            stated.unwrap_or_else(|| "2.25.1".parse().unwrap())
        };
        let (sop_class, sop_instance) = (uid(SOP_CLASS), uid(SOP_INSTANCE));
        // As the whole job does: big endian is read, not written.
        let little = TransferSyntax::explicit_le();
        let big_endian = syntax.encoding().is_some_and(|encoding| encoding.big_endian);
        let transfer_syntax = if big_endian { &little } else { syntax };
        let meta = NewMeta { sop_class: &sop_class, sop_instance: &sop_instance, transfer_syntax };
        let mut bulk = BulkSources {
            input: &mut self.bytes,
            scratch: Some(scratch),
            input_big_endian: self.encoding.big_endian,
        };
        let mut out = Vec::new();
        write_part10(&mut out, &meta, &set, &mut bulk).map_err(|error| error.to_string())?;
        Ok(out)
    }
}

fn text(error: PixelError) -> String {
    error.to_string()
}

/// Decodes, codes again and paints a cell of `folder`; the painted instance
/// goes to `out`.
pub(crate) fn run(cell: &Cell, folder: &Path, out: &Path) -> Outcome {
    let bytes = fs::read(folder.join(format!("{}.dcm", cell.name))).unwrap();
    let mut opened = match Opened::read(bytes) {
        Ok(opened) => opened,
        Err(why) => return Outcome::none(&why),
    };
    let raw = folder.join(format!("{}.raw", cell.name));
    let decoded = decode(cell, &raw, &mut opened);
    let coded = code_again(&mut opened);
    let painted = paint(cell, &mut opened, &out.join(format!("{}.dcm", cell.name)));
    Outcome { decoded, coded, painted }
}

fn decode(cell: &Cell, raw: &Path, opened: &mut Opened) -> Result<Decoding, String> {
    let mut expected = (!cell.values.is_empty()).then(|| File::open(raw).unwrap());
    let mut decoding =
        Decoding { difference: expected.as_ref().map(|_file| 0), same_meaning: true };
    opened.frames(|decoded| {
        let frame = decoded.frame;
        let Some(file) = &mut expected else { return Ok(()) };
        let mut bytes = vec![0; frame.bytes.len()];
        file.read_exact(&mut bytes).unwrap();
        let far = difference(&frame, &bytes, cell.values.starts_with('i'));
        decoding.difference = decoding.difference.max(Some(far));
        decoding.same_meaning &= meaning(frame.photometric.term()) == meaning(&cell.meaning);
        Ok(())
    })?;
    Ok(decoding)
}

/// Through the encoder and back, with nothing painted.
fn code_again(opened: &mut Opened) -> Result<Coding, String> {
    let attributes = opened.attributes()?;
    let codec = Codec::of(&opened.syntax).map_err(text)?;
    let syntax = opened.syntax.clone();
    let mut scratch = Cursor::new(Vec::new());
    let target = Scratch::new(&mut scratch, 0);
    let set = opened.set.clone();
    let origin = Origin {
        set: &set,
        attributes: &attributes,
        codec,
        syntax: &syntax,
        painted: false,
        edited: false,
        uncoded: false,
    };
    let mut recoder = Recoder::new(&origin, target).map_err(text)?;
    let mut before = Vec::new();
    opened.frames(|decoded| {
        before.push(decoded.frame.clone());
        recoder.push(decoded.into()).map_err(text)?;
        Ok(())
    })?;
    let recoded = recoder.finish(opened.pixel_data()?).map_err(text)?;
    let syntax = recoded.transfer_syntax;
    let bytes_before = opened.coded_bytes()?;
    let file = opened.rewritten(recoded.replace, recoded.remove, &syntax, &mut scratch)?;
    let mut again = Opened::read(file)?;
    let bytes_after = again.coded_bytes()?;
    let (mut at, mut equal) = (0, true);
    again.frames(|decoded| {
        let was = before.get(at);
        equal &= was.is_some_and(|was| was.values().eq(decoded.frame.values()));
        at += 1;
        Ok(())
    })?;
    let equal = equal && at == before.len();
    Ok(Coding { syntax: syntax.as_str().to_owned(), equal, bytes_before, bytes_after })
}

/// Subsampling is undone on both sides; what is left of the name means the same.
fn meaning(term: &str) -> &str {
    term.strip_suffix("_422").unwrap_or(term)
}

fn difference(frame: &StoredFrame, expected: &[u8], signed: bool) -> i64 {
    let width = frame.bits.bytes();
    let values = expected.chunks_exact(width).map(|bytes| {
        let mut wide = [if signed && bytes[width - 1] >= 0x80 { 0xFF } else { 0 }; 8];
        wide[..width].copy_from_slice(bytes);
        i64::from_le_bytes(wide)
    });
    let differences = frame.values().zip(values).map(|(ours, theirs)| (ours - theirs).abs());
    differences.max().unwrap_or(0)
}

fn paint(cell: &Cell, opened: &mut Opened, target: &Path) -> Result<Painting, String> {
    let [x0, y0, x1, y1] = cell.text.map(f32::from);
    let corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
    let rules = CleanRules { text_policy: TextPolicy::HideAll, ..CleanRules::default() };
    let mut scratch = Cursor::new(Vec::new());
    let outcome = clean_pixels(PixelContext {
        set: &opened.set,
        syntax: &opened.syntax,
        input: &mut opened.bytes,
        input_big_endian: opened.encoding.big_endian,
        scratch: &mut scratch,
        looker: &mut OneLine { corners: Some(corners) },
        judge: &Judge::new(),
        matcher: &Matcher::default(),
        rules: &rules,
        uncoded: false,
    });
    let outcome = outcome
        .map_err(|quarantine| format!("{}: {}", quarantine.reason.code(), quarantine.detail))?;
    let PixelOutcome::Rewritten { replace, remove, transfer_syntax, report } = outcome else {
        return Err("nothing was painted".to_owned());
    };
    let hidden: Vec<_> = report.boxes.iter().filter(|found| found.hidden).collect();
    let [found] = hidden.as_slice() else { return Err(format!("{} boxes", hidden.len())) };
    let file = opened.rewritten(replace, remove, &transfer_syntax, &mut scratch)?;
    fs::write(target, file).unwrap();
    Ok(Painting { syntax: transfer_syntax.as_str().to_owned(), rect: found.rect_px })
}
