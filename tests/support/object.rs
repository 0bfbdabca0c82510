//! Small invented objects, written byte by byte: good ones, and ones that no
//! library would write.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) const EXPLICIT_VR_LE: &str = "1.2.840.10008.1.2.1";
pub(crate) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub(crate) const ENHANCED_CT: &str = "1.2.840.10008.5.1.4.1.1.2.1";
pub(crate) const SECONDARY_CAPTURE: &str = "1.2.840.10008.5.1.4.1.1.7";

pub(crate) type Tag = (u16, u16);

pub(crate) const SOP_CLASS: Tag = (0x0008, 0x0016);
pub(crate) const SOP_INSTANCE: Tag = (0x0008, 0x0018);
pub(crate) const PATIENT_ID: Tag = (0x0010, 0x0020);
pub(crate) const STUDY: Tag = (0x0020, 0x000D);
pub(crate) const SERIES: Tag = (0x0020, 0x000E);
pub(crate) const FRAMES: Tag = (0x0028, 0x0008);
pub(crate) const ROWS: Tag = (0x0028, 0x0010);
pub(crate) const COLUMNS: Tag = (0x0028, 0x0011);
pub(crate) const BITS_ALLOCATED: Tag = (0x0028, 0x0100);
pub(crate) const BITS_STORED: Tag = (0x0028, 0x0101);
pub(crate) const HIGH_BIT: Tag = (0x0028, 0x0102);
pub(crate) const PIXELS: Tag = (0x7FE0, 0x0010);

/// Root of all UIDs here.
const UID_ROOT: &str = "2.25.20260101";
/// Side of the picture of [`Object::ct`].
const SIDE_PX: u16 = 32;

/// A data set in Explicit VR Little Endian with its transfer syntax.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    elements: BTreeMap<Tag, ([u8; 2], Vec<u8>)>,
    /// Said by the file meta; the elements are explicit little endian whatever it says.
    transfer_syntax: String,
    /// Follows the last element as it is.
    tail: Vec<u8>,
}

impl Object {
    /// Class and instance of a CT slice, nothing else.
    pub(crate) fn bare(number: usize) -> Self {
        Self::empty().text(SOP_CLASS, "UI", CT).text(
            SOP_INSTANCE,
            "UI",
            &format!("{UID_ROOT}.1.{number}"),
        )
    }

    fn empty() -> Self {
        let transfer_syntax = EXPLICIT_VR_LE.to_owned();
        Self { elements: BTreeMap::new(), transfer_syntax, tail: Vec::new() }
    }

    /// A CT slice, each number another instance; ten numbers are a patient.
    pub(crate) fn ct(number: usize) -> Self {
        let patient = number / 10;
        let pixels = (0..SIDE_PX * SIDE_PX).flat_map(|at| {
            let sample = usize::from(at) * (number + 1) % 4096;
            u16::try_from(sample).expect("12 bits").to_le_bytes()
        });
        Self::bare(number)
            .text((0x0008, 0x0020), "DA", "20260102")
            .text((0x0008, 0x0030), "TM", "101112")
            .text((0x0008, 0x0050), "SH", &format!("ACC{patient:07}"))
            .text((0x0008, 0x0060), "CS", "CT")
            .text((0x0008, 0x0080), "LO", "Invented Hospital")
            .text((0x0008, 0x0090), "PN", "Beispiel^Ada")
            .text((0x0010, 0x0010), "PN", &format!("Invented^Person{patient}"))
            .text(PATIENT_ID, "LO", &format!("PID-{patient:06}"))
            .text((0x0010, 0x0030), "DA", "19500607")
            .text((0x0010, 0x0040), "CS", "O")
            .text(STUDY, "UI", &format!("{UID_ROOT}.2.{patient}"))
            .text(SERIES, "UI", &format!("{UID_ROOT}.3.{patient}"))
            .text((0x0020, 0x0010), "SH", "1")
            .text((0x0020, 0x0011), "IS", "1")
            .text((0x0020, 0x0013), "IS", &number.to_string())
            .number((0x0028, 0x0002), 1)
            .text((0x0028, 0x0004), "CS", "MONOCHROME2")
            .number(ROWS, SIDE_PX)
            .number(COLUMNS, SIDE_PX)
            .number(BITS_ALLOCATED, 16)
            .number(BITS_STORED, 12)
            .number(HIGH_BIT, 11)
            .number((0x0028, 0x0103), 0)
            .bytes(PIXELS, "OW", pixels.collect())
    }

    /// A multi-frame picture of 8 bits; its samples are to follow as a stream
    /// of `frames` × `side_px`² bytes, see [`Object::head`].
    pub(crate) fn enhanced_ct(frames: u32, side_px: u16) -> Self {
        Self::ct(0)
            .text(SOP_CLASS, "UI", ENHANCED_CT)
            .text(FRAMES, "IS", &frames.to_string())
            .number(ROWS, side_px)
            .number(COLUMNS, side_px)
            .number(BITS_ALLOCATED, 8)
            .number(BITS_STORED, 8)
            .number(HIGH_BIT, 7)
            .without(PIXELS)
    }

    pub(crate) fn text(self, tag: Tag, vr: &str, value: &str) -> Self {
        let mut value = value.as_bytes().to_vec();
        if value.len() % 2 == 1 {
            value.push(if vr == "UI" { 0 } else { b' ' });
        }
        self.bytes(tag, vr, value)
    }

    pub(crate) fn number(self, tag: Tag, value: u16) -> Self {
        self.bytes(tag, "US", value.to_le_bytes().to_vec())
    }

    pub(crate) fn bytes(mut self, tag: Tag, vr: &str, value: Vec<u8>) -> Self {
        let vr = vr.as_bytes().try_into().expect("two letters");
        self.elements.insert(tag, (vr, value));
        self
    }

    pub(crate) fn without(mut self, tag: Tag) -> Self {
        self.elements.remove(&tag);
        self
    }

    /// Encapsulated pixel data of one fragment after an empty offset table
    /// (PS3.5 §A.4), whatever the fragment holds.
    pub(crate) fn fragment(self, transfer_syntax: &str, fragment: &[u8]) -> Self {
        let item = |length: usize| {
            let length = u32::try_from(length).expect("a length");
            [&[0xFE, 0xFF, 0x00, 0xE0][..], &length.to_le_bytes()].concat()
        };
        let mut tail = explicit_head(PIXELS, *b"OB", u32::MAX);
        tail.extend(item(0));
        tail.extend(item(fragment.len()));
        tail.extend(fragment);
        tail.extend([0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
        self.without(PIXELS).syntax(transfer_syntax).tail(tail)
    }

    pub(crate) fn syntax(mut self, uid: &str) -> Self {
        uid.clone_into(&mut self.transfer_syntax);
        self
    }

    pub(crate) fn tail(mut self, bytes: Vec<u8>) -> Self {
        self.tail = bytes;
        self
    }

    /// The value of a text element.
    pub(crate) fn value(&self, tag: Tag) -> String {
        let (_, value) = self.elements.get(&tag).expect("the element");
        String::from_utf8_lossy(value).trim_end_matches(['\0', ' ']).to_owned()
    }

    /// The Part 10 file.
    pub(crate) fn file(&self) -> Vec<u8> {
        self.file_named(&self.value(SOP_INSTANCE))
    }

    /// The file, with another instance in its meta, from which a sender takes
    /// its command.
    pub(crate) fn file_named(&self, instance: &str) -> Vec<u8> {
        let meta = Self::empty()
            .bytes((0x0002, 0x0001), "OB", vec![0, 1])
            .text((0x0002, 0x0002), "UI", &self.value(SOP_CLASS))
            .text((0x0002, 0x0003), "UI", instance)
            .text((0x0002, 0x0010), "UI", &self.transfer_syntax)
            .text((0x0002, 0x0012), "UI", "2.25.1")
            .encode();
        let length = u32::try_from(meta.len()).expect("a length").to_le_bytes();
        let group = explicit((0x0002, 0x0000), *b"UL", &length);
        [&[0; 128], &b"DICM"[..], &group, &meta, &self.encode(), &self.tail].concat()
    }

    /// The file up to the value of a pixel data element that says `bytes`.
    pub(crate) fn head(&self, bytes: u32) -> Vec<u8> {
        self.clone().tail(explicit_head(PIXELS, *b"OB", bytes)).file()
    }

    fn encode(&self) -> Vec<u8> {
        let elements = self.elements.iter();
        elements.flat_map(|(tag, (vr, value))| explicit(*tag, *vr, value)).collect()
    }

    /// Writes the file into `folder` under its instance's number.
    pub(crate) fn write(&self, folder: &Path) -> PathBuf {
        let instance = self.value(SOP_INSTANCE);
        write(folder, instance.rsplit('.').next().expect("a number"), &self.file())
    }
}

/// Writes `folder/NAME.dcm`.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    fs::create_dir_all(folder).expect("a folder");
    let path = folder.join(format!("{name}.dcm"));
    fs::write(&path, bytes).expect("a file");
    path
}

/// `numbers` of [`Object::ct`] as files.
pub(crate) fn ct_files(folder: &Path, numbers: impl IntoIterator<Item = usize>) -> Vec<PathBuf> {
    numbers.into_iter().map(|number| Object::ct(number).write(folder)).collect()
}

fn explicit(tag: Tag, vr: [u8; 2], value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).expect("a length");
    [&explicit_head(tag, vr, length)[..], value].concat()
}

/// Tag, VR and length (PS3.5 §7.1.2).
pub(crate) fn explicit_head(tag: Tag, vr: [u8; 2], length: u32) -> Vec<u8> {
    let mut head = [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat();
    head.extend(vr);
    if matches!(&vr, b"OB" | b"OW" | b"SQ" | b"UN" | b"UT" | b"UC") {
        head.extend([0, 0]);
        head.extend(length.to_le_bytes());
    } else {
        head.extend(u16::try_from(length).expect("a short length").to_le_bytes());
    }
    head
}
