//! What a project's `screened` leaves to the screen.

use super::*;
use crate::clean::text::Cells;

/// Marks no cell, and finds a name wherever it is asked.
struct Blind;

impl Looker for Blind {
    fn lines(&mut self, view: &View) -> Result<Vec<TextLine>, LookError> {
        Marks::default().lines(view)
    }

    fn cells(&mut self, view: &View) -> Result<Cells, LookError> {
        Ok(Cells::new(view.width, view.height, false))
    }
}

/// A slice with a name that the screen does not mark; how many frames were searched.
fn searched(bits: (u16, u16), class: &str, screened: bool) -> u32 {
    let header = Header { bits, ..header() };
    let bytes = match bits.0 {
        8 => picture(&[40], &[255]),
        _ => picture(&[40, 0], &[0xFF, 0x0F]),
    };
    let mut instance = Instance::native(&header, bytes);
    instance.set.put(Element::bytes(tags::SOP_CLASS_UID, VR::UI, class));
    instance.set.put(Element::bytes(tags::MODALITY, VR::CS, "CT"));
    if screened {
        instance.rules.screened = [class.to_owned()].into_iter().collect();
    }
    instance.clean_with(&mut Blind, &hide_names).unwrap().report.frames_read
}

#[test]
fn only_grey_slices_of_listed_classes_are_left_to_the_screen() {
    const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
    const CAPTURE: &str = "1.2.840.10008.5.1.4.1.1.7";
    assert_eq!(searched((16, 12), CT, true), 0);
    assert_eq!(searched((16, 12), CT, false), 1, "the default");
    assert_eq!(searched((8, 8), CT, true), 1, "a capture has 8 bits");
    assert_eq!(searched((16, 12), CAPTURE, true), 1);
}
