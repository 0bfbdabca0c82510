use dicom_dictionary_std::tags;

use super::*;
use crate::config::device_file;

fn rules(when: &str) -> DeviceRules {
    let text = format!(
        "[[rule]]\nid = 'acme'\nwhen = [{when}]\nhide = [[0, 0, 30, 4], [35, 20, 90, 90], \
         [200, 0, 5, 5]]\n"
    );
    DeviceRules::of(device_file::checked(&text).unwrap())
}

fn set() -> DataSet {
    let text = |tag, vr, text: &str| Element::bytes(tag, vr, text.as_bytes());
    [
        text(tags::MODALITY, VR::CS, "US"),
        text(tags::MANUFACTURER, VR::LO, "Acme Ultrasound "),
        text(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY \\ABDOMEN"),
        text(tags::STATION_NAME, VR::SH, "  "),
        text(tags::INSTANCE_NUMBER, VR::IS, " 7"),
        Element::bytes(tags::ROWS, VR::US, 30_u16.to_le_bytes()),
        // As Implicit VR leaves an element that it does not know.
        text(tags::MANUFACTURER_MODEL_NAME, VR::UN, "Echo 5"),
        Element::bytes(tags::PIXEL_ASPECT_RATIO, VR::OB, [1, 2]),
    ]
    .into_iter()
    .collect()
}

#[test]
fn conditions_are_true_or_false_as_they_say() {
    let cases = [
        ("{attribute = 'Modality', equals = 'us'}", true),
        ("{attribute = 'Modality', equals = 'us', case = 'exact'}", false),
        ("{attribute = 'Modality', equals = ['CT', 'US']}", true),
        ("{attribute = 'Modality', not_equals = ['CT', 'US']}", false),
        ("{attribute = 'Manufacturer', equals = 'acme ultrasound'}", true),
        ("{attribute = 'Manufacturer', equals = 'acme'}", false),
        ("{attribute = 'Manufacturer', contains = 'ULTRA'}", true),
        ("{attribute = 'Manufacturer', not_contains = 'ultra', case = 'exact'}", true),
        ("{attribute = 'Manufacturer', starts_with = 'Acme'}", true),
        ("{attribute = 'Manufacturer', ends_with = 'sound'}", true),
        ("{attribute = 'Manufacturer', not_ends_with = 'sound'}", false),
        ("{attribute = 'ImageType', has = 'PRIMARY'}", true),
        ("{attribute = 'ImageType', has = 'PRIM'}", false),
        ("{attribute = 'ImageType', not_has = 'DERIVED'}", true),
        ("{attribute = 'ImageType', contains = 'original\\primary'}", true),
        ("{attribute = 'ManufacturerModelName', equals = 'Echo 5'}", true),
        ("{attribute = 'Rows', equals = 30}", true),
        ("{attribute = 'Rows', equals = 3}", false),
        ("{attribute = 'InstanceNumber', equals = 7}", true),
        ("{attribute = 'StationName', present = true}", true),
        ("{attribute = 'StationName', empty = true}", true),
        ("{attribute = 'Columns', empty = true}", true),
        ("{attribute = 'Columns', present = false}", true),
        ("{attribute = 'Rows', empty = false}", true),
        ("{attribute = 'Columns', equals = 5}", false),
        ("{attribute = 'Columns', not_equals = 5}", true),
        // What cannot be compared equals nothing.
        ("{attribute = 'PixelAspectRatio', equals = 1}", false),
        ("{attribute = 'PixelAspectRatio', not_equals = 1}", true),
        ("{attribute = 'Modality', equals = 'US'}, {attribute = 'Rows', equals = 31}", false),
    ];
    for (when, expected) in cases {
        let rules = rules(when);
        let matched = Matched::of(&set(), &rules);
        assert_eq!(!matched.ids().is_empty(), expected, "{when}");
        assert_eq!(matched.hides(), expected);
    }
}

#[test]
fn places_are_cut_off_at_the_picture() {
    let rules = rules("{attribute = 'Modality', equals = 'US'}");
    let matched = Matched::of(&set(), &rules);
    let positions: Vec<_> = matched.hidden(40, 30).into_iter().map(Rect::position).collect();
    assert_eq!(positions, [[0, 0, 30, 4], [35, 20, 5, 10]]);
}

#[test]
fn all_outside_of_a_place_is_hidden_also_when_it_lies_outside_itself() {
    let of = |place: &str| {
        let text = format!(
            "[[rule]]\nid = 'a'\nwhen = [{{attribute = 'Modality', equals = 'US'}}]\n\
             hide_outside = [{place}]\n"
        );
        let rules = DeviceRules::of(device_file::checked(&text).unwrap());
        let matched = Matched::of(&set(), &rules);
        assert!(matched.hides() && matched.scan(1000, 1000).len() == 1);
        matched.hidden(10, 10).into_iter().map(Rect::pixels).sum::<u64>()
    };
    assert_eq!(of("[2, 3, 4, 5]"), 80);
    assert_eq!(of("[50, 50, 4, 5]"), 100);
}
