//! How the stored values of an object are displayed: header in, [`Display`] out.

use dicom_dictionary_std::tags;

use crate::clean::pixels::view::Display;
use crate::clean::pixels::{Palette, Photometric, PixelAttributes};
use crate::dicom::{DataSet, Element, Tag};

/// What the header says of the display.
pub(super) fn of(set: &DataSet, attributes: &PixelAttributes, palette: Option<Palette>) -> Display {
    Display {
        inverted: is_inverted(set, attributes.photometric),
        rescaled: is_rescaled(set),
        padding: padding(set, attributes),
        palette,
    }
}

/// Whether values from some value on are shown by a palette (Pixel Presentation
/// COLOR or MIXED, PS3.3 §C.8.16.2.1.1.1), the others as grey.
pub(super) fn has_supplement(set: &DataSet) -> bool {
    let descriptor = tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR;
    let coloured = matches!(set.ascii(tags::PIXEL_PRESENTATION), Some("COLOR" | "MIXED"));
    coloured
        && set.ascii(tags::PHOTOMETRIC_INTERPRETATION) == Some("MONOCHROME2")
        && set.get(descriptor).is_some()
}

/// Whether the least stored value is displayed brightest. MONOCHROME1 and the
/// shape INVERSE say the same thing, each in its own IODs (PS3.3 §C.11.6); a
/// falling rescale or look-up table turns it round, each once more.
fn is_inverted(set: &DataSet, photometric: Photometric) -> bool {
    let shape = set.ascii(tags::PRESENTATION_LUT_SHAPE) == Some("INVERSE");
    let falling = [
        decimal(set, tags::RESCALE_SLOPE).is_some_and(|slope| slope < 0.0),
        has_falling_table(set, tags::MODALITY_LUT_SEQUENCE),
        has_falling_table(set, tags::VOILUT_SEQUENCE),
    ];
    falling
        .into_iter()
        .fold(photometric == Photometric::Monochrome1 || shape, |inverted, falls| inverted != falls)
}

fn is_rescaled(set: &DataSet) -> bool {
    decimal(set, tags::RESCALE_SLOPE).is_some_and(|slope| slope.to_bits() != 1.0_f64.to_bits())
        || decimal(set, tags::RESCALE_INTERCEPT).is_some_and(|intercept| intercept != 0.0)
        || set.get(tags::MODALITY_LUT_SEQUENCE).is_some()
}

fn decimal(set: &DataSet, tag: Tag) -> Option<f64> {
    set.ascii(tag)?.trim().parse().ok()
}

/// The table of the first item ends lower than it begins (PS3.3 §C.11.1.1).
fn has_falling_table(set: &DataSet, tag: Tag) -> bool {
    let ends = || {
        let item = set.get(tag)?.items()?.first()?;
        let count = usize::from(item.us(tags::LUT_DESCRIPTOR)?);
        let bytes = item.get(tags::LUT_DATA).and_then(Element::as_bytes)?;
        let words = bytes.as_chunks::<2>().0;
        let word = |word: &[u8; 2]| u16::from_le_bytes(*word);
        // Entries of 8 bits may be packed.
        if words.len() < count || count == 0 && words.len() < 65_536 {
            return Some((
                u16::from(*bytes.first()?),
                u16::from(*bytes.get(count.checked_sub(1)?)?),
            ));
        }
        Some((word(words.first()?), word(words.last()?)))
    };
    ends().is_some_and(|(first, last)| last < first)
}

/// Signed or unsigned like the pixels.
fn padding(set: &DataSet, attributes: &PixelAttributes) -> Option<i64> {
    let word = set.us(tags::PIXEL_PADDING_VALUE)?;
    Some(if attributes.bits.signed { i64::from(word.cast_signed()) } else { i64::from(word) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::pixels::testing::{Header, put_us};
    use crate::config::CleanLimits;
    use crate::dicom::VR;

    fn display(photometric: &'static str, more: &[Element]) -> Display {
        let mut set = Header { photometric, ..Header::grey16(1, 1) }.set();
        let attributes = PixelAttributes::read(&set, &CleanLimits::default()).unwrap();
        for element in more {
            set.put(element.clone());
        }
        of(&set, &attributes, None)
    }

    fn text(tag: Tag, vr: VR, text: &str) -> Element {
        Element::bytes(tag, vr, text)
    }

    fn table(tag: Tag, entries: [u16; 3]) -> Element {
        let mut item = DataSet::new();
        item.put(Element::bytes(tags::LUT_DESCRIPTOR, VR::US, [3, 0, 0, 0, 16, 0]));
        item.put(Element::bytes(tags::LUT_DATA, VR::OW, entries.map(u16::to_le_bytes).concat()));
        Element { tag, vr: VR::SQ, value: crate::dicom::Value::Items(vec![item]) }
    }

    #[test]
    fn each_falling_step_of_the_display_turns_black_and_white_round() {
        let falling = text(tags::RESCALE_SLOPE, VR::DS, "-1.5");
        let inverse = text(tags::PRESENTATION_LUT_SHAPE, VR::CS, "INVERSE");
        let down = |tag| table(tag, [9, 5, 1]);
        let up = table(tags::MODALITY_LUT_SEQUENCE, [1, 9, 5]);
        let (one, two) = ("MONOCHROME1", "MONOCHROME2");
        assert!(!display(two, &[]).inverted && display(one, &[]).inverted);
        assert!(display(one, std::slice::from_ref(&inverse)).inverted, "the same said twice");
        assert!(display(two, std::slice::from_ref(&inverse)).inverted);
        assert!(display(two, std::slice::from_ref(&falling)).inverted);
        assert!(!display(one, std::slice::from_ref(&falling)).inverted);
        assert!(display(two, &[down(tags::VOILUT_SEQUENCE)]).inverted);
        assert!(display(two, &[down(tags::MODALITY_LUT_SEQUENCE)]).inverted);
        assert!(!display(two, &[down(tags::MODALITY_LUT_SEQUENCE), inverse]).inverted);
        assert!(!display(two, &[up]).inverted);
    }

    #[test]
    fn rescaling_and_padding_are_seen() {
        let intercept = text(tags::RESCALE_INTERCEPT, VR::DS, "-1024 ");
        let neutral = text(tags::RESCALE_SLOPE, VR::DS, "1");
        assert!(display("MONOCHROME2", &[intercept, neutral.clone()]).rescaled);
        assert!(!display("MONOCHROME2", &[neutral]).rescaled);
        let mut set = Header { signed: true, ..Header::grey16(1, 1) }.set();
        put_us(&mut set, tags::PIXEL_PADDING_VALUE, 63_488);
        let attributes = PixelAttributes::read(&set, &CleanLimits::default()).unwrap();
        assert_eq!(padding(&set, &attributes), Some(-2048));
    }
}
