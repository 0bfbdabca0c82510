//! Ultrasound regions (PS3.3 §C.8.5.5): where in the picture the image data is.
//!
//! The header of an instance in, rectangles that can be believed out. They
//! decide where writing is hidden by its ink, so that a header that lies must
//! not open more of the picture than its scan.

use dicom_dictionary_std::tags;

use super::area::Rect;
use crate::dicom::{DataSet, Tag, VR};

/// Most regions of an object. Default 64: real ones have up to a dozen, and
/// with more of them none is believed.
const REGIONS_MAX: usize = 64;
/// Greatest part of the picture that all regions cover together, in percent.
/// Default 95: regions with a banner of text above them cover 92.
const COVERED_PERCENT_MAX: u64 = 95;
/// Region Spatial Format (0018,6012) of image data: 2D, M-mode, spectral and
/// wave form. 0 is none, 5 are graphics.
const IMAGE_FORMATS: std::ops::RangeInclusive<u16> = 1..=4;
/// Region Data Type (0018,6014) of what is drawn beside an image: grey bar and
/// colour bar.
const BAR_TYPES: std::ops::RangeInclusive<u16> = 0x0D..=0x0E;

/// Whether the object says that it has regions.
#[must_use]
pub fn are_given(set: &DataSet) -> bool {
    set.get(tags::SEQUENCE_OF_ULTRASOUND_REGIONS).is_some()
}

/// The regions of image data that can be believed; empty when there are none. A
/// region is believed when it says that it holds image data, lies inside the
/// picture, is not empty, and is not all of it; and all of them together leave
/// something of the picture.
#[must_use]
pub fn believed(set: &DataSet, width: u32, height: u32) -> Vec<Rect> {
    let items = set.get(tags::SEQUENCE_OF_ULTRASOUND_REGIONS).and_then(|element| element.items());
    let items = items.filter(|items| items.len() <= REGIONS_MAX).unwrap_or_default();
    let regions: Vec<Rect> = items
        .iter()
        .filter(|item| holds_image(item))
        .filter_map(read)
        .filter(|region| is_valid(*region, width, height))
        .collect();
    let whole = Rect::whole(width, height).pixels();
    let outside: u64 =
        complement(&regions, width, height).into_iter().map(|rect| rect.pixels()).sum();
    if outside * 100 < whole * (100 - COVERED_PERCENT_MAX) { Vec::new() } else { regions }
}

fn holds_image(item: &DataSet) -> bool {
    let format = item.us(tags::REGION_SPATIAL_FORMAT);
    let kind = item.us(tags::REGION_DATA_TYPE);
    format.is_some_and(|format| IMAGE_FORMATS.contains(&format))
        && kind.is_none_or(|kind| !BAR_TYPES.contains(&kind))
}

fn is_valid(region: Rect, width: u32, height: u32) -> bool {
    region.x0 < region.x1
        && region.y0 < region.y1
        && region.x1 <= width
        && region.y1 <= height
        && region != Rect::whole(width, height)
}

fn read(item: &DataSet) -> Option<Rect> {
    Some(Rect {
        x0: number(item, tags::REGION_LOCATION_MIN_X0)?,
        y0: number(item, tags::REGION_LOCATION_MIN_Y0)?,
        // The last column and row belong to the region.
        x1: number(item, tags::REGION_LOCATION_MAX_X1)?.checked_add(1)?,
        y1: number(item, tags::REGION_LOCATION_MAX_Y1)?.checked_add(1)?,
    })
}

/// One number of VR UL as the standard wants it, or of another VR that some
/// devices write. `None`: it is negative, several, or no number.
fn number(item: &DataSet, tag: Tag) -> Option<u32> {
    let element = item.get(tag)?;
    let bytes = element.as_bytes()?;
    let short = || bytes.try_into().ok().map(u16::from_le_bytes);
    let long = || bytes.try_into().ok().map(u32::from_le_bytes);
    if element.vr == VR::US {
        short().map(u32::from)
    } else if element.vr == VR::SS {
        short().map(u16::cast_signed).and_then(|number| u32::try_from(number).ok())
    } else if element.vr == VR::SL {
        long().map(u32::cast_signed).and_then(|number| u32::try_from(number).ok())
    } else {
        long()
    }
}

/// All that no region covers, as strips of rows cut at the regions' columns.
pub(super) fn complement(regions: &[Rect], width: u32, height: u32) -> Vec<Rect> {
    let ends = regions.iter().flat_map(|region| [region.y0, region.y1]);
    let mut rows: Vec<u32> = ends.chain([0, height]).collect();
    rows.sort_unstable();
    rows.dedup();
    let mut outside = Vec::new();
    for pair in rows.array_windows::<2>() {
        let [y0, y1] = *pair;
        let mut inside: Vec<&Rect> =
            regions.iter().filter(|region| region.y0 <= y0 && region.y1 >= y1).collect();
        inside.sort_unstable_by_key(|region| region.x0);
        let mut x0 = 0;
        for region in inside {
            if region.x0 > x0 {
                outside.push(Rect { x0, y0, x1: region.x0, y1 });
            }
            x0 = x0.max(region.x1);
        }
        if x0 < width {
            outside.push(Rect { x0, y0, x1: width, y1 });
        }
    }
    outside
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::{Element, Value};

    const PLACES: [Tag; 4] = [
        tags::REGION_LOCATION_MIN_X0,
        tags::REGION_LOCATION_MIN_Y0,
        tags::REGION_LOCATION_MAX_X1,
        tags::REGION_LOCATION_MAX_Y1,
    ];

    fn item(format: u16, region: [u32; 4]) -> DataSet {
        let fields = PLACES.iter().zip(region);
        let mut item: DataSet =
            fields.map(|(tag, at)| Element::bytes(*tag, VR::UL, at.to_le_bytes())).collect();
        item.put(Element::bytes(tags::REGION_SPATIAL_FORMAT, VR::US, format.to_le_bytes()));
        item
    }

    fn set(items: Vec<DataSet>) -> DataSet {
        let tag = tags::SEQUENCE_OF_ULTRASOUND_REGIONS;
        [Element { tag, vr: VR::SQ, value: Value::Items(items) }].into_iter().collect()
    }

    fn count(items: Vec<DataSet>) -> usize {
        believed(&set(items), 100, 100).len()
    }

    #[test]
    fn regions_of_image_data_inside_the_picture_are_believed() {
        let items = vec![item(1, [2, 2, 50, 60]), item(4, [40, 50, 80, 98])];
        let believed = believed(&set(items), 100, 100);
        assert_eq!(believed[0], Rect { x0: 2, y0: 2, x1: 51, y1: 61 });
        assert_eq!(believed.len(), 2);
    }

    #[test]
    fn every_pixel_is_in_a_region_or_outside_never_both() {
        let rect = |x0, y0, x1, y1| Rect { x0, y0, x1, y1 };
        let regions = [rect(2, 2, 6, 7), rect(4, 5, 9, 9)];
        let outside = complement(&regions, 10, 10);
        for (x, y) in (0..100).map(|at| (at % 10, at / 10)) {
            let one = rect(x, y, x + 1, y + 1);
            let covers =
                |rects: &[Rect]| rects.iter().filter(|rect| rect.common(one).pixels() == 1).count();
            assert_eq!(covers(&outside), usize::from(covers(&regions) == 0), "{x}, {y}");
        }
    }

    #[test]
    fn regions_that_cannot_be_true_do_not_count() {
        for bad in [[0, 0, 99, 99], [50, 50, 40, 40], [50, 50, 100, 90], [0, 0, u32::MAX, 3]] {
            assert_eq!(count(vec![item(1, bad)]), 0, "{bad:?}");
        }
        assert!(believed(&DataSet::new(), 100, 100).is_empty());
    }

    #[test]
    fn graphics_bars_and_regions_that_do_not_say_what_they_are_do_not_count() {
        let place = [2, 2, 50, 60];
        for format in [0, 5, 6, u16::MAX] {
            assert_eq!(count(vec![item(format, place)]), 0, "{format}");
        }
        let mut silent = item(1, place);
        assert!(silent.remove(tags::REGION_SPATIAL_FORMAT).is_some());
        assert_eq!(count(vec![silent]), 0);
        for (kind, believed) in [(1_u16, 1), (0x0A, 1), (0x0D, 0), (0x0E, 0)] {
            let mut bar = item(1, place);
            bar.put(Element::bytes(tags::REGION_DATA_TYPE, VR::US, kind.to_le_bytes()));
            assert_eq!(count(vec![bar]), believed, "{kind}");
        }
    }

    #[test]
    fn regions_that_together_leave_nothing_do_not_count() {
        let left = item(1, [0, 0, 49, 99]);
        assert_eq!(count(vec![left.clone(), item(1, [50, 0, 98, 99])]), 0);
        assert_eq!(count(vec![left.clone(), item(1, [50, 0, 90, 99])]), 2);
        // Overlaps count once.
        assert_eq!(count(vec![left.clone(), left.clone(), item(1, [30, 0, 90, 99])]), 3);
        assert_eq!(count(vec![left.clone(); REGIONS_MAX]), REGIONS_MAX);
        assert_eq!(count(vec![left; REGIONS_MAX + 1]), 0);
    }

    #[test]
    fn numbers_of_other_vrs_are_read_as_what_they_are() {
        let cases: [(VR, &[u8], usize); 7] = [
            (VR::UL, &[9, 0, 0, 0], 1),
            (VR::US, &[9, 0], 1),
            (VR::SS, &[9, 0], 1),
            (VR::SS, &[0xFF, 0xFF], 0),
            (VR::SL, &[0xFE, 0xFF, 0xFF, 0xFF], 0),
            (VR::UL, &[9, 0], 0),
            (VR::UL, &[9, 0, 0, 0, 9, 0, 0, 0], 0),
        ];
        for (vr, bytes, expected) in cases {
            let mut odd = item(1, [2, 2, 50, 60]);
            odd.put(Element::bytes(tags::REGION_LOCATION_MIN_X0, vr, bytes.to_vec()));
            assert_eq!(count(vec![odd]), expected, "{vr:?} {bytes:?}");
        }
    }
}
