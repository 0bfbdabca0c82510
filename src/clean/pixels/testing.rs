//! Made-up headers for tests.

use dicom_dictionary_std::tags;

use crate::dicom::{DataSet, Element, Tag, VR};

/// The Image Pixel attributes of a test picture.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) rows: u16,
    pub(crate) columns: u16,
    pub(crate) photometric: &'static str,
    /// Bits Allocated and Bits Stored.
    pub(crate) bits: (u16, u16),
    pub(crate) signed: bool,
    pub(crate) planar: bool,
    pub(crate) frames: u32,
}

impl Header {
    pub(crate) fn grey8(rows: u16, columns: u16) -> Self {
        let photometric = "MONOCHROME2";
        let bits = (8, 8);
        Self { rows, columns, photometric, bits, signed: false, planar: false, frames: 1 }
    }

    pub(crate) fn grey16(rows: u16, columns: u16) -> Self {
        Self { bits: (16, 16), ..Self::grey8(rows, columns) }
    }

    pub(crate) fn rgb8(rows: u16, columns: u16) -> Self {
        Self { photometric: "RGB", ..Self::grey8(rows, columns) }
    }

    pub(crate) fn samples(&self) -> u16 {
        match self.photometric {
            "MONOCHROME1" | "MONOCHROME2" | "PALETTE COLOR" => 1,
            _colour => 3,
        }
    }

    pub(crate) fn set(&self) -> DataSet {
        let mut set = DataSet::new();
        put_us(&mut set, tags::ROWS, self.rows);
        put_us(&mut set, tags::COLUMNS, self.columns);
        put_us(&mut set, tags::SAMPLES_PER_PIXEL, self.samples());
        put_us(&mut set, tags::BITS_ALLOCATED, self.bits.0);
        put_us(&mut set, tags::BITS_STORED, self.bits.1);
        put_us(&mut set, tags::HIGH_BIT, self.bits.1 - 1);
        put_us(&mut set, tags::PIXEL_REPRESENTATION, u16::from(self.signed));
        if self.samples() == 3 {
            put_us(&mut set, tags::PLANAR_CONFIGURATION, u16::from(self.planar));
        }
        let term = Element::bytes(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, self.photometric);
        set.put(term);
        if self.frames != 1 {
            let text = self.frames.to_string();
            set.put(Element::bytes(tags::NUMBER_OF_FRAMES, VR::IS, text));
        }
        set
    }
}

pub(crate) fn put_us(set: &mut DataSet, tag: Tag, value: u16) {
    set.put(Element::bytes(tag, VR::US, value.to_le_bytes()));
}
