//! A picture taken apart: elements, pixel data, fragments; and written again.
//!
//! Reads only the files of `tests/data/codecs` (Explicit VR Little Endian);
//! writes whatever it holds, in four encodings (PS3.5 §7.1, §A.5).

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::support::object::{PIXELS, Tag};

const META_GROUP: u16 = 0x0002;
const TRANSFER_SYNTAX: Tag = (META_GROUP, 0x0010);
const HEAD_BYTES: usize = 132;
const ITEM: Tag = (0xFFFE, 0xE000);
const SEQUENCE_END: Tag = (0xFFFE, 0xE0DD);

/// How a data set is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    ExplicitLittle,
    ImplicitLittle,
    ExplicitBig,
    Deflated,
}

impl Form {
    fn syntax(self) -> &'static str {
        match self {
            Self::ExplicitLittle => "1.2.840.10008.1.2.1",
            Self::ImplicitLittle => "1.2.840.10008.1.2",
            Self::ExplicitBig => "1.2.840.10008.1.2.2",
            Self::Deflated => "1.2.840.10008.1.2.1.99",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Pixels {
    Native { vr: [u8; 2], bytes: Vec<u8> },
    Fragments { table: Vec<u8>, fragments: Vec<Vec<u8>> },
}

#[derive(Debug, Clone)]
pub(crate) struct Picture {
    /// The file's.
    pub(crate) name: String,
    pub(crate) syntax: String,
    pub(crate) elements: BTreeMap<Tag, ([u8; 2], Vec<u8>)>,
    pub(crate) pixels: Pixels,
}

/// A file and the places of its length fields.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) bytes: Vec<u8>,
    pub(crate) lengths: Vec<usize>,
}

impl Picture {
    pub(crate) fn read(name: &str, file: &[u8]) -> Self {
        let mut rest = &file[HEAD_BYTES..];
        let mut picture = Self {
            name: name.to_owned(),
            syntax: String::new(),
            elements: BTreeMap::new(),
            pixels: Pixels::Native { vr: *b"OB", bytes: Vec::new() },
        };
        while !rest.is_empty() {
            let tag = (short(rest, 0), short(rest, 2));
            let vr = [rest[4], rest[5]];
            let (head, length) = if has_long_length(vr) {
                (12, u32::from_le_bytes(rest[8..12].try_into().expect("four bytes")))
            } else {
                (8, u32::from(short(rest, 6)))
            };
            if length == u32::MAX {
                assert_eq!(tag, PIXELS, "{name}: only pixel data may have no length");
                picture.pixels = fragments(&rest[head..]);
                break;
            }
            let end = head + usize::try_from(length).expect("a length");
            let value = rest[head..end].to_vec();
            rest = &rest[end..];
            match tag {
                TRANSFER_SYNTAX => {
                    let text = String::from_utf8(value).expect("a UID");
                    picture.syntax = text.trim_end_matches('\0').to_owned();
                }
                PIXELS => picture.pixels = Pixels::Native { vr, bytes: value },
                (META_GROUP, _) => {}
                _ => drop(picture.elements.insert(tag, (vr, value))),
            }
        }
        picture
    }

    pub(crate) fn is_native(&self) -> bool {
        matches!(self.pixels, Pixels::Native { .. })
    }

    pub(crate) fn number(&self, tag: Tag) -> u16 {
        self.elements.get(&tag).map_or(0, |(_, value)| short(value, 0))
    }

    pub(crate) fn set_number(&mut self, tag: Tag, number: u16) {
        self.elements.insert(tag, (*b"US", number.to_le_bytes().to_vec()));
    }

    pub(crate) fn set_text(&mut self, tag: Tag, vr: [u8; 2], text: &str) {
        let mut value = text.as_bytes().to_vec();
        let padding = if vr == *b"UI" { 0 } else { b' ' };
        value.resize(value.len().next_multiple_of(2), padding);
        self.elements.insert(tag, (vr, value));
    }

    /// The coded bytes, frame by frame where a fragment is a frame.
    pub(crate) fn streams(&mut self) -> &mut [Vec<u8>] {
        match &mut self.pixels {
            Pixels::Fragments { fragments, .. } => fragments,
            Pixels::Native { bytes, .. } => std::slice::from_mut(bytes),
        }
    }

    /// The file; only native pictures are written in another form than
    /// Explicit VR Little Endian, and without their sequences.
    pub(crate) fn write(&self, form: Form) -> Written {
        let mut body = Writer { form, written: Written::default() };
        for (tag, (vr, value)) in &self.elements {
            if form == Form::ExplicitLittle || vr != b"SQ" {
                body.element(*tag, *vr, value);
            }
        }
        match &self.pixels {
            Pixels::Native { vr, bytes } => body.element(PIXELS, *vr, bytes),
            Pixels::Fragments { table, fragments } => body.fragments(table, fragments),
        }
        let body = body.written;
        let syntax = if form == Form::ExplicitLittle { &self.syntax } else { form.syntax() };
        let mut written = self.meta(syntax);
        let start = written.bytes.len();
        if form == Form::Deflated {
            let mut deflate = DeflateEncoder::new(&mut written.bytes, Compression::default());
            deflate.write_all(&body.bytes).expect("memory");
            deflate.finish().expect("memory");
        } else {
            written.bytes.extend(body.bytes);
            written.lengths.extend(body.lengths.iter().map(|place| place + start));
        }
        written
    }

    /// Preamble, prefix and file meta.
    fn meta(&self, syntax: &str) -> Written {
        let mut meta = Writer { form: Form::ExplicitLittle, written: Written::default() };
        meta.written.bytes = [&[0; 128], &b"DICM"[..]].concat();
        for (tag, from) in [((2, 2), (8, 0x16)), ((2, 3), (8, 0x18))] {
            let (vr, value) = self.elements.get(&from).cloned().unwrap_or((*b"UI", Vec::new()));
            meta.element(tag, vr, &value);
        }
        let mut syntax = syntax.as_bytes().to_vec();
        syntax.resize(syntax.len().next_multiple_of(2), 0);
        meta.element(TRANSFER_SYNTAX, *b"UI", &syntax);
        meta.written
    }
}

struct Writer {
    form: Form,
    written: Written,
}

impl Writer {
    fn element(&mut self, tag: Tag, vr: [u8; 2], value: &[u8]) {
        let length = u32::try_from(value.len()).expect("a length");
        self.head(tag, Some(vr), length);
        let width = match &vr {
            _ if self.form != Form::ExplicitBig => 1,
            b"US" | b"SS" | b"OW" | b"AT" => 2,
            b"UL" | b"SL" | b"FL" => 4,
            _ => 1,
        };
        for group in value.chunks(width) {
            self.written.bytes.extend(group.iter().rev());
        }
    }

    fn fragments(&mut self, table: &[u8], fragments: &[Vec<u8>]) {
        self.head(PIXELS, Some(*b"OB"), u32::MAX);
        for item in std::iter::once(table).chain(fragments.iter().map(Vec::as_slice)) {
            self.head(ITEM, None, u32::try_from(item.len()).expect("a length"));
            self.written.bytes.extend(item);
        }
        self.head(SEQUENCE_END, None, 0);
    }

    fn head(&mut self, tag: Tag, vr: Option<[u8; 2]>, length: u32) {
        self.short(tag.0);
        self.short(tag.1);
        let vr = vr.filter(|_| self.form != Form::ImplicitLittle);
        self.written.bytes.extend(vr.unwrap_or_default().iter().take(if vr.is_some() {
            2
        } else {
            0
        }));
        match (vr, u16::try_from(length)) {
            (Some(vr), Ok(length)) if !has_long_length(vr) => {
                self.written.lengths.push(self.written.bytes.len());
                self.short(length);
            }
            (vr, _) => {
                if vr.is_some() {
                    self.written.bytes.extend([0, 0]);
                }
                self.written.lengths.push(self.written.bytes.len());
                let big = self.form == Form::ExplicitBig;
                let length = if big { length.to_be_bytes() } else { length.to_le_bytes() };
                self.written.bytes.extend(length);
            }
        }
    }

    fn short(&mut self, number: u16) {
        let big = self.form == Form::ExplicitBig;
        self.written.bytes.extend(if big { number.to_be_bytes() } else { number.to_le_bytes() });
    }
}

fn fragments(mut rest: &[u8]) -> Pixels {
    let mut items = Vec::new();
    while (short(rest, 0), short(rest, 2)) == ITEM {
        let length = u32::from_le_bytes(rest[4..8].try_into().expect("four bytes"));
        let end = 8 + usize::try_from(length).expect("a length");
        items.push(rest[8..end].to_vec());
        rest = &rest[end..];
    }
    let table = items.remove(0);
    Pixels::Fragments { table, fragments: items }
}

fn short(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two bytes"))
}

/// VRs with 32 bits of length (PS3.5 §7.1.2).
fn has_long_length(vr: [u8; 2]) -> bool {
    let long = [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT"];
    long.contains(&&vr) || vr == *b"SV" || vr == *b"UV"
}
