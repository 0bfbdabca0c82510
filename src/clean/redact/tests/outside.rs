//! The policy `hide-outside-regions` on whole instances.

use super::*;
use crate::config::TextPolicy;

const WIDTH: usize = 160;
const HEIGHT: usize = 120;
/// Left, top, right, bottom of the region; the last column and row belong to it.
const REGION: [u32; 4] = [40, 40, 119, 109];
/// Where a label stands that is read, and a name too faint for the looker.
const LABEL_AT: [usize; 4] = [4, 60, 24, 66];
const NAME_AT: [usize; 4] = [4, 10, 60, 18];

fn is_in([x0, y0, x1, y1]: [usize; 4], at: usize) -> bool {
    (x0..x1).contains(&(at % WIDTH)) && (y0..y1).contains(&(at / WIDTH))
}

/// Strokes in a place, speckle in the region, black elsewhere.
fn frame(label: u8, name: u8) -> Vec<u8> {
    let region = REGION.map(|at| at as usize);
    let region = [region[0], region[1], region[2] + 1, region[3] + 1];
    let mut noise = 1_u32;
    let pixel = |at: usize| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let letter = |place: [usize; 4]| is_in(place, at) && at % WIDTH % 4 < 2;
        match at {
            _ if is_in(LABEL_AT, at) => label,
            _ if letter(NAME_AT) => name,
            _ if is_in(region, at) => 20 + (noise >> 25) as u8 / 2,
            _ => 0,
        }
    };
    (0..WIDTH * HEIGHT).map(pixel).collect()
}

fn instance(frames: &[Vec<u8>], regions: &[([u32; 4], u16)]) -> Instance {
    let count = frames.len().to_string();
    let header = Header::grey8(HEIGHT as u16, WIDTH as u16);
    let mut instance = Instance::native(&header, frames.concat());
    instance.rules.text_policy = TextPolicy::HideOutsideRegions;
    instance.set.put(Element::bytes(tags::MODALITY, VR::CS, "US"));
    instance.set.put(Element::bytes(tags::NUMBER_OF_FRAMES, VR::IS, count.as_str()));
    let places = [
        tags::REGION_LOCATION_MIN_X0,
        tags::REGION_LOCATION_MIN_Y0,
        tags::REGION_LOCATION_MAX_X1,
        tags::REGION_LOCATION_MAX_Y1,
    ];
    let item = |(place, format): &([u32; 4], u16)| -> DataSet {
        let fields = places.iter().zip(place);
        let mut item: DataSet =
            fields.map(|(tag, at)| Element::bytes(*tag, VR::UL, at.to_le_bytes())).collect();
        item.put(Element::bytes(tags::REGION_SPATIAL_FORMAT, VR::US, format.to_le_bytes()));
        item
    };
    let value = Value::Items(regions.iter().map(item).collect());
    let tag = tags::SEQUENCE_OF_ULTRASOUND_REGIONS;
    instance.set.put(Element { tag, vr: VR::SQ, value });
    instance
}

/// Label and name are as they were, on each frame.
fn stays(cleaned: &Cleaned, frames: &[Vec<u8>], place: [usize; 4]) -> Vec<bool> {
    let pairs = cleaned.fragments[0].chunks(WIDTH * HEIGHT).zip(frames);
    let same = |(now, before): (&[u8], &Vec<u8>)| {
        (0..WIDTH * HEIGHT).filter(|at| is_in(place, *at)).all(|at| now[at] == before[at])
    };
    pairs.map(same).collect()
}

#[test]
fn outside_of_regions_only_what_was_read_as_clinical_stays() {
    let frames = [frame(200, 40)];
    let cleaned = instance(&frames, &[(REGION, 1)]).clean().unwrap();
    assert_eq!(stays(&cleaned, &frames, LABEL_AT), [true]);
    assert!(
        (0..WIDTH * HEIGHT)
            .filter(|at| is_in(NAME_AT, *at))
            .all(|at| { cleaned.fragments[0][at] == 0 })
    );
    let hidden: Vec<TextReason> = cleaned
        .report
        .boxes
        .iter()
        .filter(|found| found.hidden)
        .map(|found| found.reason)
        .collect();
    assert!(!hidden.is_empty() && hidden.iter().all(|reason| *reason == TextReason::Unexplained));
    let region = REGION.map(|at| at as usize);
    assert_eq!(stays(&cleaned, &frames, region), [true], "the scan itself");
}

#[test]
fn a_faint_name_on_one_frame_of_a_cine_is_painted_on_all() {
    let mut frames = vec![frame(200, 0); 4];
    frames[2] = frame(200, 30);
    let cleaned = instance(&frames, &[(REGION, 1)]).clean().unwrap();
    assert_eq!(stays(&cleaned, &frames, NAME_AT), [true, true, false, true]);
    let painted = &cleaned.fragments[0][2 * WIDTH * HEIGHT..][..WIDTH * HEIGHT];
    assert!((0..WIDTH * HEIGHT).all(|at| !is_in(NAME_AT, at) || painted[at] == 0));
    let first: Vec<u32> = cleaned
        .report
        .boxes
        .iter()
        .filter(|found| found.hidden)
        .map(|found| found.first_frame)
        .collect();
    assert!(!first.is_empty() && first.iter().all(|first| *first == 2), "{first:?}");
}

#[test]
fn regions_that_are_no_image_are_replaced_by_an_estimate_or_by_quarantine() {
    let frames = [frame(200, 40)];
    // The speckle says where the scan is, whatever the header says.
    let lies = [([0, 0, WIDTH as u32 - 1, HEIGHT as u32 - 1], 1), (REGION, 5)];
    for regions in [&lies[..], &[]] {
        let cleaned = instance(&frames, regions).clean().unwrap();
        assert_eq!(stays(&cleaned, &frames, NAME_AT), [false]);
        assert_eq!(stays(&cleaned, &frames, [50, 50, 110, 100]), [true]);
    }
    let blank = [vec![90; WIDTH * HEIGHT]];
    let error = instance(&blank, &[]).clean().err().unwrap();
    assert_eq!(error.reason, Reason::UnknownLayout);
    assert!(error.detail.contains("no area of the picture looks like a scan"), "{}", error.detail);
}

#[test]
fn other_policies_leave_the_outside_to_the_detector() {
    let frames = [frame(200, 40)];
    for policy in
        [TextPolicy::HideUnlessKnownClinical, TextPolicy::HideIdentifying, TextPolicy::HideAll]
    {
        let mut instance = instance(&frames, &[(REGION, 1)]);
        instance.rules.text_policy = policy;
        assert_eq!(stays(&instance.clean().unwrap(), &frames, NAME_AT), [true], "{policy:?}");
    }
}
