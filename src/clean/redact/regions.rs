//! Ultrasound regions (PS3.3 §C.8.5.5): where in the picture the image data is.

use dicom_dictionary_std::tags;

use super::area::Rect;
use crate::dicom::{DataSet, Tag};

/// Most regions that are looked at; real objects have up to a dozen.
const REGIONS_MAX: usize = 64;

/// Whether the object says that it has regions.
#[must_use]
pub fn are_given(set: &DataSet) -> bool {
    set.get(tags::SEQUENCE_OF_ULTRASOUND_REGIONS).is_some()
}

/// Rectangles outside all valid regions; `None` when no region is valid. A
/// region is valid when it lies inside the picture, is not empty, and is not
/// all of it.
#[must_use]
pub fn outside(set: &DataSet, width: u32, height: u32) -> Option<Vec<Rect>> {
    let items = set.get(tags::SEQUENCE_OF_ULTRASOUND_REGIONS)?.items()?;
    let regions: Vec<Rect> = items
        .iter()
        .take(REGIONS_MAX)
        .filter_map(read)
        .filter(|region| is_valid(*region, width, height))
        .collect();
    if regions.is_empty() { None } else { Some(complement(&regions, width, height)) }
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

fn number(item: &DataSet, tag: Tag) -> Option<u32> {
    item.get(tag)?.as_bytes()?.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes))
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
    use crate::dicom::{Element, VR, Value};

    fn set(regions: &[[u32; 4]]) -> DataSet {
        let places = [
            tags::REGION_LOCATION_MIN_X0,
            tags::REGION_LOCATION_MIN_Y0,
            tags::REGION_LOCATION_MAX_X1,
            tags::REGION_LOCATION_MAX_Y1,
        ];
        let item = |region: &[u32; 4]| {
            let fields = places.iter().zip(region);
            fields.map(|(tag, at)| Element::bytes(*tag, VR::UL, at.to_le_bytes())).collect()
        };
        let tag = tags::SEQUENCE_OF_ULTRASOUND_REGIONS;
        let value = Value::Items(regions.iter().map(item).collect());
        [Element { tag, vr: VR::SQ, value }].into_iter().collect()
    }

    #[test]
    fn every_pixel_is_in_a_region_or_outside_never_both() {
        let regions = [[2, 2, 5, 6], [4, 5, 8, 8]];
        let outside = outside(&set(&regions), 10, 10).unwrap();
        for y in 0..10 {
            for x in 0..10 {
                let inside = regions
                    .iter()
                    .any(|[x0, y0, x1, y1]| (*x0..=*x1).contains(&x) && (*y0..=*y1).contains(&y));
                let one = Rect { x0: x, y0: y, x1: x + 1, y1: y + 1 };
                let count = outside.iter().filter(|rect| rect.common(one).pixels() == 1).count();
                assert_eq!(count, usize::from(!inside), "{x}, {y}");
            }
        }
    }

    #[test]
    fn regions_that_cannot_be_true_do_not_count() {
        for bad in [[0, 0, 9, 9], [5, 5, 4, 4], [5, 5, 10, 9], [0, 0, u32::MAX, 3]] {
            assert_eq!(outside(&set(&[bad]), 10, 10), None, "{bad:?}");
        }
        assert_eq!(outside(&DataSet::new(), 10, 10), None);
    }
}
