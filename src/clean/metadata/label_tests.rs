//! Claims about values that a label or an attribute's kind gives away: content
//! items whose concept says what they hold, days of birth, values of another kind
//! than their attribute's, private blocks that become empty.

use super::tests::{CT, SR, cleaned_by, item, object, sequence, tag, tcia, text, value};
use super::*;
use crate::config::ProfileOption;
use crate::dicom::{DataSet, Element};

fn code(group: u16, element: u16, value: [&str; 3]) -> Element {
    sequence(
        group,
        element,
        vec![item([
            text(0x0008, 0x0100, VR::SH, value[0]),
            text(0x0008, 0x0102, VR::SH, value[1]),
            text(0x0008, 0x0104, VR::LO, value[2]),
        ])],
    )
}

/// A report with one content item, cleaned: the item.
fn content(concept: [&str; 3], value: Element) -> DataSet {
    let content = item([code(0x0040, 0xA043, concept), value]);
    let set = object(
        SR,
        [
            text(0x0008, 0x0005, VR::CS, "ISO_IR 192"),
            text(0x0008, 0x0020, VR::DA, "20260102"),
            text(0x0010, 0x0010, VR::PN, "Quastenflosser^Wendelin"),
            text(0x0010, 0x0020, VR::LO, "MRN4471985"),
            text(0x0010, 0x0030, VR::DA, "19470719"),
            sequence(0x0040, 0xA730, vec![content]),
        ],
    );
    tcia(set).get(tag(0x0040, 0xA730)).unwrap().items().unwrap()[0].clone()
}

fn local(meaning: &str) -> [&str; 3] {
    ["x", "99X", meaning]
}

#[test]
fn birth_dates_of_content_items_go_in_every_scheme_and_language() {
    for concept in [
        ["121031", "DCM", "Subject Birth Date"],
        ["21112-8", "LN", "Birth date"],
        ["184099003", "SCT", ""],
        local("Date of Birth"),
        local("DOB"),
        local("Geburtsdatum"),
        local("Date de naissance"),
        local("Fecha de nacimiento"),
        local("Data di nascita"),
        local("Дата рождения"),
        local("生年月日"),
        local("出生日期"),
    ] {
        let date = content(concept, text(0x0040, 0xA121, VR::DA, "19440211"));
        assert_eq!(value(&date, 0x0040, 0xA121), "19000101", "{concept:?}");
        let time = content(concept, text(0x0040, 0xA120, VR::DT, "19440211000000"));
        assert_eq!(value(&time, 0x0040, 0xA120), "19000101000000", "{concept:?}");
        let typed = content(concept, text(0x0040, 0xA160, VR::UT, "1944-02-11"));
        assert_eq!(value(&typed, 0x0040, 0xA160), "REMOVED", "{concept:?}");
    }
    let other = content(local("Study Date"), text(0x0040, 0xA121, VR::DA, "20251230"));
    assert_eq!(value(&other, 0x0040, 0xA121), "20251220", "other dates move");
}

#[test]
fn text_labelled_as_somebody_or_a_number_of_somebody_goes() {
    for meaning in [
        "Patient Name",
        "Patientenname",
        "Nom du patient",
        "Last name",
        "患者姓名",
        "姓名",
        "Reporting radiologist",
        "Next of kin",
        "Referring Physician",
        "Überweiser",
        "Operator",
        "Mother",
        "ФИО",
        "MRN",
        "Versichertennummer",
        "Phone",
        "Adresse",
    ] {
        for typed in ["Sumpfhuhn Kasimir", "9988776", "Young Head"] {
            let got = content(local(meaning), text(0x0040, 0xA160, VR::UT, typed));
            assert_eq!(value(&got, 0x0040, 0xA160), "REMOVED", "{meaning} {typed}");
        }
    }
    for (meaning, typed, left) in [
        ("Name", "Sumpfhuhn Kasimir", "REMOVED"),
        ("Patient", "Sumpfhuhn Kasimir", "REMOVED"),
        ("Name", "lesion left", "lesion left"),
        ("Finding", "nodule right upper lobe", "nodule right upper lobe"),
        ("Patient Position", "supine", "supine"),
        ("Procedure performed", "CT chest", "CT chest"),
    ] {
        let got = content(local(meaning), text(0x0040, 0xA160, VR::UT, typed));
        assert_eq!(value(&got, 0x0040, 0xA160), left, "{meaning} {typed}");
    }
}

#[test]
fn numbers_and_codes_of_somebody_go_and_measurements_stay() {
    let number = |meaning| {
        let measured =
            sequence(0x0040, 0xA300, vec![item([text(0x0040, 0xA30A, VR::DS, "9988776")])]);
        let got = content(local(meaning), measured);
        got.get(tag(0x0040, 0xA300)).unwrap().items().unwrap().len()
    };
    assert_eq!(
        [number("MRN"), number("SSN"), number("Phone"), number("Longest Diameter")],
        [0, 0, 0, 1]
    );
    let coded = |meaning| {
        let got = content(local(meaning), code(0x0040, 0xA168, ["9988776", "99X", "9988776"]));
        let items = got.get(tag(0x0040, 0xA168)).unwrap().items().unwrap().to_vec();
        value(&items[0], 0x0008, 0x0100).to_owned()
    };
    assert_eq!([coded("Patient ID"), coded("Finding")], ["REMOVED", "9988776"]);
}

#[test]
fn a_day_of_birth_is_moved_nowhere_but_with_the_study_of_a_newborn() {
    let of = |birth: &str, study: &str, other: &str, options: &[ProfileOption]| {
        let set = object(
            CT,
            [
                text(0x0008, 0x0020, VR::DA, study),
                text(0x0008, 0x0022, VR::DA, other),
                text(0x0008, 0x002A, VR::DT, &format!("{other}101112")),
                text(0x0010, 0x0030, VR::DA, birth),
            ],
        );
        let mut profile = Profile::tcia();
        profile.options.extend(options);
        let set = cleaned_by(&profile, set).unwrap().0;
        let shown = [0x0020, 0x0022, 0x002A].map(|at| value(&set, 0x0008, at).to_owned());
        assert_eq!(value(&set, 0x0010, 0x0030), "");
        shown
    };
    let moved = of("19470719", "20260112", "19470719", &[]);
    assert_eq!(moved[0], "20260102");
    assert!(moved[1..].iter().all(|date| !date.contains("1947")), "{moved:?}");
    let newborn = of("20260112", "20260112", "20260112", &[]);
    assert_eq!(newborn, ["20260102", "20260102", "20260102101112"]);
    // The same of dates that stay as they are.
    let kept = |birth: &str| {
        let mut profile = Profile::tcia();
        profile.options.remove(&ProfileOption::RetainModifiedDates);
        profile.options.insert(ProfileOption::RetainFullDates);
        let set = object(
            CT,
            [
                text(0x0008, 0x0020, VR::DA, "20260112"),
                text(0x0008, 0x0022, VR::DA, birth),
                text(0x0010, 0x0030, VR::DA, birth),
            ],
        );
        value(&cleaned_by(&profile, set).unwrap().0, 0x0008, 0x0022).to_owned()
    };
    assert_eq!(kept("20260112"), "20260112");
    assert!(!kept("19470719").contains("1947"));
}

#[test]
fn a_creator_goes_with_the_last_element_of_its_block_at_any_depth() {
    let private = |block: u16, creator: &str, element: Element| {
        [text(0x0019, block, VR::LO, creator), element]
    };
    let known = text(0x0010, 0x0010, VR::PN, "Quastenflosser^Wendelin");
    for [creator, element] in [
        private(0x0010, "GEMS_ACQU_01", text(0x0019, 0x109E, VR::LO, "Wendelin")),
        private(0x0010, "SIEMENS MR HEADER", text(0x0019, 0x100D, VR::OB, "NONE")),
        private(0x00E1, "SIEMENS MR HEADER", text(0x0019, 0xE10D, VR::OB, "NONE")),
    ] {
        let block = creator.tag;
        let nested = sequence(0x0008, 0x1140, vec![item([creator.clone(), element.clone()])]);
        let (set, report) =
            cleaned_by(&Profile::tcia(), object(CT, [known.clone(), creator, element, nested]))
                .unwrap();
        let inner = &set.get(tag(0x0008, 0x1140)).unwrap().items().unwrap()[0];
        assert!(set.get(block).is_none() && inner.get(block).is_none(), "{block}");
        assert!(report.counts.get("private-removed").is_some_and(|count| *count >= 2));
    }
    // Beside an element that stays it stays.
    let set = object(
        CT,
        [
            text(0x0019, 0x0010, VR::LO, "SIEMENS MR HEADER"),
            text(0x0019, 0x100C, VR::IS, "1000"),
            text(0x0019, 0x100D, VR::OB, "NONE"),
        ],
    );
    assert_eq!(value(&tcia(set), 0x0019, 0x0010), "SIEMENS MR HEADER");
}

#[test]
fn a_pitch_is_a_ratio_with_a_stroke_before_it_or_not() {
    for (pitch, left) in [
        ("/1.375:1", "/1.375:1"),
        ("0.984:1", "0.984:1"),
        ("/Roe:1", ""),
        ("//1:1", ""),
        ("1:/1", ""),
        ("/1", ""),
    ] {
        let set = object(
            CT,
            [text(0x0043, 0x0010, VR::LO, "GEMS_PARM_01"), text(0x0043, 0x1027, VR::SH, pitch)],
        );
        assert_eq!(value(&tcia(set), 0x0043, 0x1027), left, "{pitch}");
    }
}

#[test]
fn a_value_of_another_kind_than_its_attribute_is_no_value_of_it() {
    let left = |group, element, vr, typed: &str| {
        let set = tcia(object(CT, [text(group, element, vr, typed)]));
        let found = set.get(tag(group, element)).and_then(Element::as_bytes).map(<[u8]>::to_vec);
        String::from_utf8(found.unwrap_or_default()).unwrap()
    };
    for (group, element, vr, typed) in [
        (0x0028, 0x0106, VR::UT, "Sumpfhuhn 1944"), // Smallest Image Pixel Value
        (0x0018, 0x9073, VR::LO, "Sumpfhuhn"),      // Acquisition Duration
        (0x0010, 0x1010, VR::LO, "Sumpfhuhn, 95 Jahre"), // Patient's Age
        (0x0010, 0x2160, VR::OB, "Sumpfhuhn "),     // Ethnic Group
        (0x0010, 0x2160, VR::IS, "Sumpfhuhn"),      // the same
        (0x0018, 0x0015, VR::LO, "Sumpfhuhn Kasimir"), // Body Part Examined
        (0x0018, 0x0050, VR::LO, "Sumpfhuhn"),      // Slice Thickness
        (0x0008, 0x0022, VR::LO, "Sumpfhuhn"),      // Acquisition Date
        (0x0028, 0x2000, VR::LT, "Sumpfhuhn Kasimir"), // ICC Profile
        (0x0008, 0x1140, VR::LO, "Sumpfhuhn"),      // Referenced Image Sequence
        (0x0028, 0x0106, VR::US, "Sumpfhuhn Kasimir "), // as numbers
        (0x0028, 0x0009, VR::AT, "Sumpfhuhn Kasimir   "), // Frame Increment Pointer
    ] {
        let left = left(group, element, vr, typed);
        assert!(!left.contains("Sumpf"), "({group:04X},{element:04X}) {vr:?}: {left}");
    }
    for (group, element, vr, typed, stays) in [
        (0x0018, 0x0050, VR::LO, "2.5", "2.5"),
        (0x0018, 0x0015, VR::LO, "CHEST", "CHEST"),
        (0x0018, 0x0015, VR::UN, "CHEST", "CHEST"),
        (0x0010, 0x1010, VR::LO, "095Y", "090Y"),
        (0x0008, 0x0022, VR::LO, "20240115", "20240105"),
        (0x0020, 0x0011, VR::DA, "20240115", "20240105"),
        (0x0010, 0x2160, VR::LO, "mixed", "mixed"),
        (0x0028, 0x0106, VR::SS, "ab", "ab"),
    ] {
        assert_eq!(left(group, element, vr, typed), stays, "({group:04X},{element:04X}) {vr:?}");
    }
    // Also without the option that cleans text.
    let set = object(CT, [text(0x0028, 0x0106, VR::US, "Sumpfhuhn Kasimir ")]);
    let set = cleaned_by(&Profile::basic(), set).unwrap().0;
    assert!(set.get(tag(0x0028, 0x0106)).is_none());
}

#[test]
fn what_an_order_says_in_words_of_the_standard_takes_no_term_away() {
    let of = |orders: [Element; 2], patient_id: &str, name: &str| {
        let [one, other] = orders;
        let set = object(
            CT,
            [
                text(0x0010, 0x0010, VR::PN, name),
                text(0x0010, 0x0020, VR::LO, patient_id),
                text(0x0018, 0x0015, VR::CS, "CHEST"),
                code(0x0008, 0x1032, ["CTTHOR", "99RIS", "CT thorax"]),
                one,
                other,
            ],
        );
        let set = tcia(set);
        let coded = set.get(tag(0x0008, 0x1032)).unwrap().items().unwrap();
        [value(&set, 0x0018, 0x0015).to_owned(), value(&coded[0], 0x0008, 0x0100).to_owned()]
    };
    let orders = || [text(0x0032, 0x1033, VR::LO, "CHEST"), text(0x0040, 0x1001, VR::SH, "CTTHOR")];
    assert_eq!(of(orders(), "A-1", "Doe^Jo"), ["CHEST", "CTTHOR"]);
    assert_eq!(of(orders(), "CTTHOR", "Doe^Jo"), ["CHEST", "REMOVED"], "an ID wins");
    assert_eq!(of(orders(), "A-1", "CHEST"), ["", "CTTHOR"], "a name wins");
    let typed =
        [text(0x0032, 0x1033, VR::LO, "Sumpfhuhn"), text(0x0038, 0x0300, VR::LO, "Station 3")];
    assert_eq!(of(typed, "A-1", "Doe^Jo"), ["CHEST", "CTTHOR"]);
}
