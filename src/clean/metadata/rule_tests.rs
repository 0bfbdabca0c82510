//! Tables for the rules: each action of a site by kind of value, each option by
//! an attribute of its column, dates of every form, character sets, UIDs.

use super::tests::{
    CT, PET, basic, cleaned_by, item, object, sequence, tag, tcia, text, value, with_options,
};
use super::*;
use crate::config::{Action, PrivateTag, ProfileOption, TagRule};
use crate::dicom::Value;
use crate::reason::Reason;

/// What an action makes of an element of a CT under `basic`: its value, `-` for
/// none, `!` when the rule cannot be followed.
fn by_rule(action: Action, element: Element) -> String {
    let at = element.tag;
    let mut profile = Profile::basic();
    profile.rules.push(TagRule { group: at.group(), element: at.element(), action });
    match cleaned_by(&profile, object(CT, [element])) {
        Ok((set, _)) if set.get(at).is_some_and(|element| element.vr == VR::SQ) => "items".into(),
        Ok((set, _)) => value(&set, at.group(), at.element()).to_owned(),
        Err(refused) => {
            assert_eq!(refused.reason, Reason::RuleFailed);
            "!".into()
        }
    }
}

#[test]
fn each_action_of_a_site_does_what_it_says_to_each_vr() {
    use VR::*;
    // Element, value, then: hash, shift, clean, replace by "20200101".
    let cases = [
        (0x0008, 0x0054, AE, "PACS1", "#", "", "", "20200101"),
        (0x0010, 0x1010, AS, "040Y", "!", "", "", "!"),
        (0x0008, 0x0060, CS, "CT", "#", "", "CT", "20200101"),
        (0x0008, 0x0020, DA, "20240115", "!", "20240105", "", "20200101"),
        (0x0018, 0x0050, DS, "2.5", "!", "", "", "20200101"),
        (0x0008, 0x002A, DT, "20240115120000", "!", "20240105120000", "", "20200101"),
        (0x0020, 0x0013, IS, "17", "!", "", "", "20200101"),
        (0x0008, 0x1030, LO, "CHEST", "#", "", "CHEST", "20200101"),
        (0x0010, 0x4000, LT, "CHEST", "#", "", "CHEST", "20200101"),
        (0x0008, 0x0090, PN, "Roe^Max", "#", "", "", "20200101"),
        (0x3002, 0x0002, SH, "CHEST", "#", "", "CHEST", "20200101"),
        (0x0008, 0x2111, ST, "CHEST", "#", "", "CHEST", "20200101"),
        (0x0008, 0x0030, TM, "120000", "!", "120000", "", "!"),
        (0x0008, 0x0014, UI, "1.2.3", "uid", "", "", "20200101"),
        (0x0040, 0xA160, UT, "CHEST", "#", "", "CHEST", "20200101"),
        (0x0028, 0x0010, US, "\x01\x02", "!", "", "", "!"),
        (0x0028, 0x2000, OB, "icc!", "!", "", "", "!"),
    ];
    for (group, number, vr, content, hashed, shifted, cleaned, replaced) in cases {
        let run = |action: Action| by_rule(action, text(group, number, vr, content));
        assert_eq!(run(Action::Keep), content, "{vr:?} keep");
        assert_eq!(run(Action::Remove), "-", "{vr:?} remove");
        assert_eq!(run(Action::Empty), "", "{vr:?} empty");
        assert_eq!(run(Action::Shift), shifted, "{vr:?} shift");
        assert_eq!(run(Action::Clean), cleaned, "{vr:?} clean");
        assert_eq!(run(Action::Replace("20200101".into())), replaced, "{vr:?} replace");
        let hash = run(Action::Hash);
        match hashed {
            "#" => assert!(hash.len() == 16 && hash != content, "{vr:?} hash: {hash}"),
            "uid" => assert!(hash.starts_with("2.25."), "{vr:?} hash: {hash}"),
            other => assert_eq!(hash, other, "{vr:?} hash"),
        }
    }
    let items = || sequence(0x0008, 0x1110, vec![item([text(0x0010, 0x0010, PN, "Roe^Max")])]);
    for (action, expected) in [
        (Action::Keep, "items"),
        (Action::Clean, "items"),
        (Action::Remove, "-"),
        (Action::Empty, "items"),
        (Action::Hash, "-"),
        (Action::Shift, "-"),
        (Action::Replace("x".into()), "!"),
    ] {
        assert_eq!(by_rule(action.clone(), items()), expected, "SQ {action:?}");
    }
}

#[test]
fn a_kept_sequence_is_cleaned_inside_and_holds_no_picture() {
    let icon = item([
        text(0x0010, 0x0010, VR::PN, "Roe^Max"),
        text(0x7FE0, 0x0010, VR::OW, "picture!"),
        text(0x0028, 0x0010, VR::US, "\x01\x01"),
    ]);
    let mut profile = Profile::basic();
    profile.rules.push(TagRule { group: 0x0088, element: 0x0200, action: Action::Keep });
    let (set, _) =
        cleaned_by(&profile, object(CT, [sequence(0x0088, 0x0200, vec![icon])])).unwrap();
    let icon = &set.get(tag(0x0088, 0x0200)).unwrap().items().unwrap()[0];
    assert_eq!(value(icon, 0x0010, 0x0010), "");
    assert_eq!(value(icon, 0x7FE0, 0x0010), "-");
    assert_eq!(value(icon, 0x0028, 0x0010), "\x01\x01");
}

#[test]
fn each_option_does_its_column_and_no_other() {
    use ProfileOption as O;
    let cases = [
        (O::RetainUids, text(0x0020, 0x000D, VR::UI, "1.2.3.4"), "1.2.3.4"),
        (O::RetainDeviceIdentity, text(0x0018, 0x1000, VR::LO, "SN-77"), "SN-77"),
        (O::RetainInstitutionIdentity, text(0x0008, 0x0080, VR::LO, "Lake Clinic"), "Lake Clinic"),
        (O::RetainPatientCharacteristics, text(0x0010, 0x1030, VR::DS, "70.5"), "70.5"),
        (O::RetainFullDates, text(0x0008, 0x0020, VR::DA, "20240115"), "20240115"),
        (O::RetainModifiedDates, text(0x0008, 0x0020, VR::DA, "20240115"), "20240105"),
        (O::CleanDescriptors, text(0x0008, 0x1030, VR::LO, "CT CHEST"), "CT CHEST"),
        (O::CleanStructuredContent, text(0x0040, 0xA730, VR::SQ, ""), "items"),
        (O::CleanGraphics, text(0x0070, 0x0001, VR::SQ, ""), "items"),
    ];
    let content = |element: &Element| {
        let inside = item([text(0x0018, 0x0050, VR::DS, "2.5")]);
        if element.vr == VR::SQ {
            return sequence(element.tag.group(), element.tag.element(), vec![inside]);
        }
        element.clone()
    };
    let shown = |set: &DataSet, at: Tag| match set.get(at).and_then(Element::items) {
        Some([first]) if first.get(tag(0x0018, 0x0050)).is_some() => "items".to_owned(),
        Some(_) => "dummy".to_owned(),
        None => value(set, at.group(), at.element()).to_owned(),
    };
    for (option, element, expected) in &cases {
        for (other, ..) in &cases {
            let (set, _) =
                cleaned_by(&with_options(&[*other]), object(CT, [content(element)])).unwrap();
            let found = shown(&set, element.tag);
            // Both options for dates are about the same attributes.
            let dates = [O::RetainFullDates, O::RetainModifiedDates];
            if option == other {
                assert_eq!(&found, expected, "{option:?}");
            } else if !(dates.contains(option) && dates.contains(other)) {
                assert_ne!(&found, expected, "{option:?} by {other:?}");
            }
        }
    }
}

#[test]
fn the_date_of_birth_goes_under_every_option() {
    for option in table::COLUMNS {
        let set = object(
            CT,
            [text(0x0010, 0x0030, VR::DA, "19700203"), text(0x0010, 0x0032, VR::TM, "0405")],
        );
        let (set, _) = cleaned_by(&with_options(&[option]), set).unwrap();
        assert_eq!(value(&set, 0x0010, 0x0030), "", "{option:?}");
        assert!(["", "-"].contains(&value(&set, 0x0010, 0x0032)), "{option:?}");
    }
}

#[test]
fn dates_of_every_form_are_moved_kept_or_gone() {
    use VR::{DA, DT, SH, TM};
    let modified = with_options(&[ProfileOption::RetainModifiedDates]);
    let full = with_options(&[ProfileOption::RetainFullDates]);
    // Study Date and Time (Z), Acquisition DateTime, Timezone Offset (X) of a CT,
    // where the last two may be missing: value, moved by -10 days, kept.
    let cases = [
        (0x0008, 0x0020, DA, "20240105", "20231226", "20240105"),
        (0x0008, 0x0020, DA, "20240105 ", "20231226", "20240105"),
        (0x0008, 0x0020, DA, "20240105\\20240110", "20231226\\20231231", "20240105\\20240110"),
        (0x0008, 0x0020, DA, "20240105\\Monday", "", ""),
        (0x0008, 0x0020, DA, "2024.01.05", "", ""),
        (0x0008, 0x0020, DA, "202401", "", ""),
        (0x0008, 0x0020, DA, "2024", "", ""),
        (0x0008, 0x0020, DA, "20240105-20240110", "", ""),
        (0x0008, 0x0020, DA, "00010105", "", "00010105"),
        (0x0008, 0x0020, DA, "00000105", "", ""),
        (0x0008, 0x0020, DA, "20240230", "", ""),
        (0x0008, 0x0020, DA, "05/01/2024", "", ""),
        (0x0008, 0x0030, TM, "12:30:00", "12:30:00", "12:30:00"),
        (0x0008, 0x0030, TM, "123000.123456", "123000.123456", "123000.123456"),
        (0x0008, 0x0030, TM, "1230\\1245", "1230\\1245", "1230\\1245"),
        (0x0008, 0x0030, TM, "noon", "", ""),
        (
            0x0008,
            0x002A,
            DT,
            "20240105123000.5-0330",
            "20231226123000.5-0330",
            "20240105123000.5-0330",
        ),
        (0x0008, 0x002A, DT, "20240105", "20231226", "20240105"),
        (
            0x0008,
            0x002A,
            DT,
            "20240105123000\\20240106",
            "20231226123000\\20231227",
            "20240105123000\\20240106",
        ),
        (0x0008, 0x002A, DT, "202401", "-", "202401"),
        (0x0008, 0x002A, DT, "2024", "-", "2024"),
        (0x0008, 0x002A, DT, "20240105 1230", "-", "-"),
        (0x0008, 0x002A, DT, "soon", "-", "-"),
        (0x0008, 0x0201, SH, "+0100", "+0100", "+0100"),
        (0x0008, 0x0201, SH, "Zurich", "-", "-"),
    ];
    for (group, number, vr, content, moved, kept) in cases {
        let run = |profile: &Profile| {
            let set = object(CT, [text(group, number, vr, content)]);
            let (set, _) = cleaned_by(profile, set).unwrap();
            value(&set, group, number).to_owned()
        };
        assert_eq!(run(&modified), moved, "{content} moved");
        assert_eq!(run(&full), kept, "{content} kept");
        assert!(["", "-"].contains(&run(&Profile::basic()).as_str()), "{content} removed");
    }
    // Series Date is Type 1 in PET.
    let pet = |profile: &Profile| {
        let set = object(PET, [text(0x0008, 0x0021, DA, "January")]);
        value(&cleaned_by(profile, set).unwrap().0, 0x0008, 0x0021).to_owned()
    };
    assert_eq!([pet(&modified), pet(&full), pet(&Profile::basic())], ["19000101"; 3]);
}

#[test]
fn text_that_no_list_has_stays_as_an_element_where_the_object_must_have_it() {
    let segmentation = "1.2.840.10008.5.1.4.1.1.66.4";
    let set = |class| {
        let elements = [
            // Content Description: Type 2 there. Radiation Machine Name: not there.
            text(0x0070, 0x0081, VR::LO, "typed"),
            text(0x3002, 0x0020, VR::SH, "typed"),
            // Optotype Detailed Definition: Type 1C in Visual Acuity Measurements.
            text(0x0046, 0x0139, VR::LO, "typed"),
        ];
        basic(object(class, elements))
    };
    let values = |set: &DataSet| {
        [(0x0070, 0x0081), (0x3002, 0x0020), (0x0046, 0x0139)]
            .map(|(group, element)| value(set, group, element).to_owned())
    };
    assert_eq!(values(&set(segmentation)), ["", "-", "-"]);
    assert_eq!(values(&set("1.2.840.10008.5.1.4.1.1.481.1")), ["-", "", "-"]);
    assert_eq!(values(&set("1.2.840.10008.5.1.4.1.1.78.5")), ["-", "-", "REMOVED"]);
    assert_eq!(values(&set("1.3.46.670589.5.0.1")), ["-", "-", "-"]);
}

/// A replacement that the character set cannot say, and all that is around it.
#[test]
fn a_data_set_moves_to_utf_8_as_a_whole_when_a_new_value_needs_it() {
    let mut profile = with_options(&[
        ProfileOption::CleanDescriptors,
        ProfileOption::RetainInstitutionIdentity,
        ProfileOption::RetainSafePrivate,
    ]);
    let action = Action::Replace("\u{5927}\u{5b66}".into());
    profile.rules.push(TagRule { group: 0x0008, element: 0x1010, action });
    let inner = item([
        text(0x0008, 0x0005, VR::CS, "ISO_IR 144"),
        Element::bytes(tag(0x0008, 0x0104), VR::LO, *b"\xbb\xee"),
    ]);
    let inherits = item([Element::bytes(tag(0x0008, 0x0104), VR::LO, *b"Gr\xf6\xdfe")]);
    let set = object(
        CT,
        [
            text(0x0008, 0x0005, VR::CS, "ISO_IR 100"),
            text(0x0008, 0x1010, VR::SH, "CT01"),
            Element::bytes(tag(0x0008, 0x0080), VR::LO, *b"H\xf4pital"),
            sequence(0x0008, 0x1032, vec![inner, inherits]),
            text(0x0019, 0x0010, VR::LO, "GEMS_ACQU_01"),
            Element::bytes(tag(0x0019, 0x109E), VR::UN, *b"FSE \xb5"),
            text(0x0018, 0x0050, VR::DS, "2.5"),
        ],
    );
    let (moved, _) = cleaned_by(&profile, set.clone()).unwrap();
    let shown = |set: &DataSet, at: Tag| {
        let element = set.get(at).unwrap();
        String::from_utf8(element.as_bytes().unwrap().to_vec()).unwrap()
    };
    assert_eq!(value(&moved, 0x0008, 0x0005), "ISO_IR 192");
    assert_eq!(shown(&moved, tag(0x0008, 0x1010)), "\u{5927}\u{5b66}");
    assert_eq!(shown(&moved, tag(0x0008, 0x0080)), "H\u{f4}pital");
    assert_eq!(shown(&moved, tag(0x0019, 0x109E)), "FSE \u{b5}", "read by the list's VR");
    let items = moved.get(tag(0x0008, 0x1032)).unwrap().items().unwrap();
    assert_eq!(value(&items[0], 0x0008, 0x0005), "-", "UTF-8 holds for the items too");
    assert_eq!(shown(&items[0], tag(0x0008, 0x0104)), "\u{41b}\u{44e}");
    assert_eq!(shown(&items[1], tag(0x0008, 0x0104)), "Gr\u{f6}\u{df}e");

    // What the set can say moves nothing, and untouched bytes stay.
    profile.rules[0].action = Action::Replace("Gr\u{f6}\u{df}e".into());
    let (stays, _) = cleaned_by(&profile, set).unwrap();
    assert_eq!(value(&stays, 0x0008, 0x0005), "ISO_IR 100");
    let bytes = |at: Tag| stays.get(at).unwrap().as_bytes().unwrap().to_vec();
    assert_eq!(bytes(tag(0x0008, 0x1010)), b"Gr\xf6\xdfe");
    assert_eq!(bytes(tag(0x0008, 0x0080)), b"H\xf4pital");
}

#[test]
fn bytes_that_break_their_character_set_do_not_reach_utf_8() {
    let mut profile = with_options(&[ProfileOption::RetainInstitutionIdentity]);
    let action = Action::Replace("\u{5927}".into());
    profile.rules.push(TagRule { group: 0x0008, element: 0x1010, action });
    let set = object(
        CT,
        [
            text(0x0008, 0x1010, VR::SH, "CT01"),
            // No character set is stated: ASCII.
            Element::bytes(tag(0x0008, 0x0080), VR::LO, *b"Lake H\xf4pital 3"),
        ],
    );
    let (set, _) = cleaned_by(&profile, set).unwrap();
    assert_eq!(value(&set, 0x0008, 0x0005), "ISO_IR 192");
    assert_eq!(value(&set, 0x0008, 0x0080), "Lake 3");
}

#[test]
fn a_safe_private_element_of_another_kind_than_listed_is_not_the_listed_one() {
    let private = |vr: VR, content: &str| {
        let set = object(
            CT,
            [
                text(0x0010, 0x0020, VR::LO, "A-1"),
                text(0x0019, 0x0011, VR::LO, "SIEMENS MR HEADER"),
                // B Value, IS by the table.
                text(0x0019, 0x110C, vr, content),
                // Diffusion Gradient Direction, FD by the table.
                text(0x0019, 0x110E, vr, content),
            ],
        );
        let set = tcia(set);
        [0x110C, 0x110E].map(|element| value(&set, 0x0019, element).to_owned())
    };
    assert_eq!(private(VR::IS, "1000"), ["1000", "1000"]);
    assert_eq!(private(VR::LO, "1000"), ["1000", "1000"]);
    assert_eq!(private(VR::LO, "Roe Max"), ["", ""]);
    assert_eq!(private(VR::UN, "Roe Max!"), ["", "Roe Max!"], "eight bytes are a number");
    let ratio = |content: &str| {
        let set = object(
            CT,
            [
                text(0x0010, 0x0020, VR::LO, "A-1"),
                text(0x0043, 0x0010, VR::LO, "GEMS_PARM_01"),
                text(0x0043, 0x1027, VR::SH, content),
            ],
        );
        value(&tcia(set), 0x0043, 0x1027).to_owned()
    };
    assert_eq!([ratio("1.375:1"), ratio("0.9"), ratio("Roe 8")], ["1.375:1", "0.9", ""]);
    for vr in [VR::PN, VR::UT, VR::OB, VR::DA, VR::UI, VR::AE] {
        let shown = private(vr, "Roe Max");
        assert!(shown.iter().all(|one| one == "-" || one.is_empty()), "{vr:?} {shown:?}");
    }
}

#[test]
fn a_site_names_the_vr_of_its_private_elements_for_senders_that_do_not() {
    let mut profile = Profile::tcia();
    let safe = |vr: Option<&str>| PrivateTag {
        creator: "ACME".into(),
        group: 0x0029,
        element: 0x01,
        vr: vr.map(str::to_owned),
    };
    let run = |profile: &Profile, vr: VR| {
        let set = object(
            CT,
            [
                text(0x0010, 0x0020, VR::LO, "A-1"),
                text(0x0029, 0x0010, VR::LO, "ACME"),
                text(0x0029, 0x1001, vr, "2.5"),
            ],
        );
        value(&cleaned_by(profile, set).unwrap().0, 0x0029, 0x1001).to_owned()
    };
    profile.safe_private = vec![safe(None)];
    assert_eq!([run(&profile, VR::DS), run(&profile, VR::UN)], ["2.5", "-"]);
    profile.safe_private = vec![safe(Some("DS"))];
    assert_eq!([run(&profile, VR::DS), run(&profile, VR::UN)], ["2.5", "2.5"]);
    profile.options.remove(&ProfileOption::RetainSafePrivate);
    assert_eq!(run(&profile, VR::DS), "-");
}

#[test]
fn uids_are_mapped_wherever_they_stand_and_names_under_ui_do_not_pass() {
    let content = item([text(0x0040, 0xA124, VR::UI, "1.2.55")]);
    let set = object(
        "1.2.840.10008.5.1.4.1.1.88.11",
        [
            text(0x0010, 0x0020, VR::LO, "A-1"),
            sequence(0x0040, 0xA730, vec![content]),
            text(0x0099, 0x0010, VR::LO, "NQHeader"),
            text(0x0099, 0x1002, VR::UI, "1.2.55"),
            text(0x0020, 0x9312, VR::UI, "1.2.55"),
            text(0x0020, 0x0052, VR::UI, "1.2.840.10008.1.4.1.1"),
            text(0x0008, 0x0062, VR::UI, "1.2.840.10008.5.1.4.1.1.2\\1.3.46.670589.5.0.1"),
            text(0x0008, 0x010C, VR::UI, "1.2.99"),
            text(0x0008, 0x0118, VR::UI, "Roe^Max"),
            text(0x3010, 0x001F, VR::UI, "1.2.77"),
            text(0x0400, 0x0010, VR::UI, "1.2.840.10008.1.2"),
        ],
    );
    let set = tcia(set);
    let items = set.get(tag(0x0040, 0xA730)).unwrap().items().unwrap();
    let mapped = value(&items[0], 0x0040, 0xA124);
    assert!(mapped.starts_with("2.25."));
    assert_eq!(value(&set, 0x0099, 0x1002), mapped, "in a private element too");
    assert_eq!(value(&set, 0x0020, 0x9312), mapped, "in an element that no row has");
    for (group, element, kept) in [
        (0x0020, 0x0052, "1.2.840.10008.1.4.1.1"),
        (0x0008, 0x0062, "1.2.840.10008.5.1.4.1.1.2\\1.3.46.670589.5.0.1"),
        (0x0008, 0x010C, "1.2.99"),
        (0x3010, 0x001F, "1.2.77"),
        (0x0400, 0x0010, "1.2.840.10008.1.2"),
    ] {
        assert_eq!(value(&set, group, element), kept, "({group:04X},{element:04X})");
    }
    assert!(value(&set, 0x0008, 0x0118).starts_with("2.25."), "a name is no UID");
}

#[test]
fn unknown_sequences_and_vrs_do_not_pass() {
    let person = item([text(0x0010, 0x0010, VR::PN, "Roe^Max")]);
    let set = object(
        CT,
        [
            text(0x0010, 0x0020, VR::LO, "A-1"),
            // Even and not in PS3.6, as a sequence and as UN of undefined length.
            sequence(0x0008, 0xFFF0, vec![person.clone()]),
            Element {
                tag: tag(0x0008, 0xFFF2),
                vr: VR::UN,
                value: Value::Items(vec![person.clone()]),
            },
            // A text of PS3.6 that holds items.
            Element {
                tag: tag(0x0008, 0x1030),
                vr: VR::UN,
                value: Value::Items(vec![person.clone()]),
            },
            // Private, not listed.
            sequence(0x0029, 0x1001, vec![person.clone()]),
            // Private and listed: what is inside is cleaned by the same rules.
            text(0x2001, 0x0010, VR::LO, "Philips Imaging DD 001"),
            sequence(0x2001, 0x1069, vec![person]),
        ],
    );
    let set = tcia(set);
    for gone in [(0x0008, 0xFFF0), (0x0008, 0xFFF2), (0x0008, 0x1030), (0x0029, 0x1001)] {
        assert_eq!(value(&set, gone.0, gone.1), "-", "{gone:04X?}");
    }
    let items = set.get(tag(0x2001, 0x1069)).unwrap().items().unwrap();
    assert_eq!(value(&items[0], 0x0010, 0x0010), "");
}

#[test]
fn typed_labels_say_nothing_under_basic() {
    let segmentation = "1.2.840.10008.5.1.4.1.1.66.4";
    let segment = item([
        text(0x0062, 0x0005, VR::LO, "Liver, husband Max consented"),
        text(0x0062, 0x0020, VR::UT, "L1 for Max"),
        text(0x0062, 0x0021, VR::UI, "1.2.3.9"),
    ]);
    let set = object(
        segmentation,
        [
            sequence(0x0062, 0x0002, vec![segment]),
            text(0x0028, 0x1055, VR::LO, "Max's window"),
            text(0x0070, 0x0081, VR::LO, "for Max"),
        ],
    );
    let set = basic(set);
    let segment = &set.get(tag(0x0062, 0x0002)).unwrap().items().unwrap()[0];
    assert_eq!(value(segment, 0x0062, 0x0005), "REMOVED");
    assert_eq!(value(segment, 0x0062, 0x0020), "REMOVED", "as its UID stays");
    assert!(value(segment, 0x0062, 0x0021).starts_with("2.25."));
    assert_eq!(value(&set, 0x0028, 0x1055), "-");
    assert_eq!(value(&set, 0x0070, 0x0081), "");
}

/// Presentation Creation Date and Time are X in the table and Type 1 there.
#[test]
fn what_the_table_removes_becomes_a_dummy_where_the_object_must_have_it() {
    let created = |class| {
        let set = object(
            class,
            [text(0x0070, 0x0082, VR::DA, "20240105"), text(0x0070, 0x0083, VR::TM, "120000")],
        );
        let values = |set: DataSet| [0x0082, 0x0083].map(|at| value(&set, 0x0070, at).to_owned());
        (values(basic(set.clone())), values(tcia(set)))
    };
    let (by_basic, by_tcia) = created("1.2.840.10008.5.1.4.1.1.11.1");
    assert_eq!(by_basic, ["19000101", "000000"]);
    assert_eq!(by_tcia, ["20231226", "120000"]);
    assert_eq!(created(CT).0, ["-", "-"]);
}

#[test]
fn a_code_that_held_a_name_keeps_its_place_with_a_dummy() {
    let code = item([
        text(0x0008, 0x0100, VR::SH, "P77"),
        text(0x0008, 0x0102, VR::SH, "99CLINIC"),
        text(0x0008, 0x0104, VR::LO, "Roemer Max"),
    ]);
    let set = object(
        CT,
        [text(0x0008, 0x0090, VR::PN, "Roemer^Max"), sequence(0x0008, 0x1032, vec![code])],
    );
    let set = basic(set);
    let code = &set.get(tag(0x0008, 0x1032)).unwrap().items().unwrap()[0];
    assert_eq!(value(code, 0x0008, 0x0104), "REMOVED");
    assert_eq!(value(code, 0x0008, 0x0100), "P77");
}
