//! Attributes that describe samples and must stay or become true of what was
//! coded again: the received data set and each frame in, elements to put and
//! to remove out.
//!
//! Extremes are told anew where they were told (PS3.3 §C.7.6.3), those of a
//! series and of a plane are removed once a frame was painted: one instance
//! cannot tell them. That samples once went through a lossy coding is never
//! taken back (PS3.3 §C.7.6.1.1.5), and is said where the received data set
//! left it to the codestream.

use dicom_dictionary_std::tags;

use crate::clean::pixels::attributes::SampleBits;
use crate::clean::pixels::codestream::Loss;
use crate::clean::pixels::{Decoded, PixelAttributes};
use crate::dicom::{DataSet, Element, Tag, VR};

const EXTREMES: [Tag; 2] = [tags::SMALLEST_IMAGE_PIXEL_VALUE, tags::LARGEST_IMAGE_PIXEL_VALUE];

/// What was counted over more than the samples at hand, or value by value.
const SUMMARIES: [Tag; 5] = [
    tags::SMALLEST_PIXEL_VALUE_IN_SERIES,
    tags::LARGEST_PIXEL_VALUE_IN_SERIES,
    // Smallest and Largest Image Pixel Value in Plane, retired.
    Tag(0x0028, 0x0110),
    Tag(0x0028, 0x0111),
    tags::HISTOGRAM_SEQUENCE,
];

/// What is known of the frames so far.
#[derive(Debug)]
pub(super) struct Truths {
    bits: SampleBits,
    painted: bool,
    /// Which of [`EXTREMES`] the received data set tells.
    told: [bool; 2],
    extremes: Option<(i64, i64)>,
    /// Lossy Image Compression says so already.
    loss_told: bool,
    loss: Option<Loss>,
    frame_bytes: u64,
    decoded_bytes: u64,
    coded_bytes: u64,
}

impl Truths {
    pub(super) fn new(set: &DataSet, attributes: &PixelAttributes, painted: bool) -> Self {
        Self {
            bits: attributes.bits,
            painted,
            told: EXTREMES.map(|tag| set.get(tag).is_some_and(|element| !element.is_empty())),
            extremes: None,
            loss_told: set.ascii(tags::LOSSY_IMAGE_COMPRESSION) == Some("01"),
            loss: None,
            frame_bytes: attributes.decoded_bytes(),
            decoded_bytes: 0,
            coded_bytes: 0,
        }
    }

    /// Takes note of the next frame, painted as it will be coded.
    pub(super) fn see(&mut self, decoded: &Decoded) {
        self.loss = self.loss.or(decoded.header.loss);
        self.decoded_bytes = self.decoded_bytes.saturating_add(self.frame_bytes);
        self.coded_bytes = self.coded_bytes.saturating_add(decoded.coded_bytes);
        if self.told == [false, false] {
            return;
        }
        let Some((least, greatest)) = decoded.frame.extremes() else { return };
        let (low, high) = self.extremes.unwrap_or((least, greatest));
        self.extremes = Some((low.min(least), high.max(greatest)));
    }

    /// Elements to put, and tags of those to remove. `exact`: whoever decodes
    /// what was coded gets the very samples that were seen.
    pub(super) fn finish(&self, exact: bool) -> (Vec<Element>, Vec<Tag>) {
        let mut put = self.history();
        let mut remove = Vec::new();
        let (least, greatest) = self.extremes.filter(|_| exact).unzip();
        for ((tag, value), told) in EXTREMES.into_iter().zip([least, greatest]).zip(self.told) {
            match value.and_then(|value| self.word(value)) {
                Some(element) if told => put.push(Element { tag, ..element }),
                Some(_) | None => remove.push(tag),
            }
        }
        if self.painted {
            remove.extend(SUMMARIES);
        }
        (put, remove)
    }

    /// A value in the VR that the pixels' sign asks for; `None` when it has
    /// more than 16 bits.
    fn word(&self, value: i64) -> Option<Element> {
        let (vr, bytes) = if self.bits.signed {
            (VR::SS, i16::try_from(value).ok()?.to_le_bytes())
        } else {
            (VR::US, u16::try_from(value).ok()?.to_le_bytes())
        };
        Some(Element::bytes(tags::SMALLEST_IMAGE_PIXEL_VALUE, vr, bytes))
    }

    /// What the lossy codestream said by being one.
    fn history(&self) -> Vec<Element> {
        let Some(loss) = self.loss.filter(|_| !self.loss_told) else { return Vec::new() };
        let hundredths = u128::from(self.decoded_bytes) * 100 / u128::from(self.coded_bytes.max(1));
        let ratio = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        let text = |tag, vr, text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            bytes.resize(bytes.len().next_multiple_of(2), b' ');
            Element::bytes(tag, vr, bytes)
        };
        vec![
            text(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "01"),
            text(tags::LOSSY_IMAGE_COMPRESSION_RATIO, VR::DS, &ratio),
            text(tags::LOSSY_IMAGE_COMPRESSION_METHOD, VR::CS, loss.method()),
        ]
    }
}
