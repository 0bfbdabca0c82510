//! Claims about whole headers. Goal: each action of Annex E and each rule of
//! ours does what it says, at any depth, and nothing of the input's identity is
//! left. Method: hand-made data sets; random ones stand in `random_tests`.

use super::*;
use crate::clean::known::KnownValues;
use crate::config::{Action, ProfileOption, TagRule};
use crate::dicom::{Value, testing};
use crate::pseudonym::UidKey;
use crate::reason::Reason;

pub(super) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub(super) const PET: &str = "1.2.840.10008.5.1.4.1.1.128";
pub(super) const SR: &str = "1.2.840.10008.5.1.4.1.1.88.11";

pub(super) fn tag(group: u16, element: u16) -> Tag {
    Tag(group, element)
}

pub(super) fn text(group: u16, element: u16, vr: VR, value: &str) -> Element {
    Element::bytes(tag(group, element), vr, value)
}

pub(super) fn sequence(group: u16, element: u16, items: Vec<DataSet>) -> Element {
    Element { tag: tag(group, element), vr: VR::SQ, value: Value::Items(items) }
}

pub(super) fn item<const N: usize>(elements: [Element; N]) -> DataSet {
    DataSet::from_iter(elements)
}

pub(super) fn object<const N: usize>(class: &str, elements: [Element; N]) -> DataSet {
    let mut set = item(elements);
    set.put(text(0x0008, 0x0016, VR::UI, class));
    if set.get(tag(0x0008, 0x0018)).is_none() {
        set.put(text(0x0008, 0x0018, VR::UI, "1.2.3"));
    }
    set
}

fn assigned() -> Assigned {
    Assigned {
        code: "AL-0001".into(),
        shift_days: -10,
        key_id: "00000000".into(),
        uid_key: UidKey([3; 32]),
    }
}

pub(super) fn cleaned_by(
    profile: &Profile,
    set: DataSet,
) -> Result<(DataSet, HeaderReport), Quarantine> {
    let known = collect_known(&set);
    let context = HeaderContext {
        profile,
        assigned: &assigned(),
        judge: &Judge::new(),
        matcher: &Matcher::new(&known),
    };
    clean_header(&set, &context)
}

pub(super) fn basic(set: DataSet) -> DataSet {
    cleaned_by(&Profile::basic(), set).unwrap().0
}

pub(super) fn tcia(set: DataSet) -> DataSet {
    cleaned_by(&Profile::tcia(), set).unwrap().0
}

pub(super) fn with_options(options: &[ProfileOption]) -> Profile {
    let options = options.iter().copied().collect();
    Profile { name: "test".into(), options, ..Profile::basic() }
}

/// The text of a value; "-" for a missing element.
pub(super) fn value(set: &DataSet, group: u16, element: u16) -> &str {
    if set.get(tag(group, element)).is_none() {
        return "-";
    }
    set.ascii(tag(group, element)).unwrap()
}

#[test]
fn patient_becomes_the_code_and_what_the_table_names_goes() {
    let set = object(
        CT,
        [
            text(0x0010, 0x0010, VR::PN, "Doe^Jane"),
            text(0x0010, 0x0020, VR::LO, "A-1"),
            text(0x0010, 0x0030, VR::DA, "19700203"),
            text(0x0010, 0x0040, VR::CS, "F"),
            text(0x0010, 0x1010, VR::AS, "053Y"),
            text(0x0008, 0x0050, VR::SH, "ACC7"),
            text(0x0008, 0x0080, VR::LO, "Clinic"),
            text(0x0008, 0x0090, VR::PN, "Roe^Max"),
            text(0x0008, 0x1030, VR::LO, "CT HEAD"),
            text(0x0008, 0x0070, VR::LO, "Maker"),
            text(0x0018, 0x0050, VR::DS, "2.5"),
        ],
    );
    let set = basic(set);
    let expected = [
        (0x0010, 0x0010, "AL-0001"),
        (0x0010, 0x0020, "AL-0001"),
        (0x0010, 0x0030, ""),
        (0x0010, 0x0040, ""),
        (0x0010, 0x1010, "-"),
        (0x0008, 0x0050, ""),
        (0x0008, 0x0080, "-"),
        (0x0008, 0x0090, ""),
        (0x0008, 0x1030, "-"),
        (0x0008, 0x0070, "Maker"),
        (0x0018, 0x0050, "2.5"),
    ];
    for (group, element, expected) in expected {
        assert_eq!(value(&set, group, element), expected, "({group:04X},{element:04X})");
    }
}

#[test]
fn combined_actions_follow_the_type_in_the_object() {
    let with_dates = |class| {
        object(
            class,
            [
                text(0x0008, 0x0021, VR::DA, "20240102"),
                text(0x0008, 0x0023, VR::DA, "20240102"),
                text(0x0018, 0x1000, VR::LO, "SN1"),
            ],
        )
    };
    // Series Date: Type 1 in PET, 3 in CT; Content Date: Type 2 in CT.
    let pet = basic(with_dates(PET));
    assert_eq!(value(&pet, 0x0008, 0x0021), "19000101");
    let ct = basic(with_dates(CT));
    assert_eq!(value(&ct, 0x0008, 0x0021), "-");
    assert_eq!(value(&ct, 0x0008, 0x0023), "");
    assert_eq!(value(&ct, 0x0018, 0x1000), "-");
    // A private class may ask anything: a dummy, hashed where it tells devices apart.
    let private = basic(with_dates("1.3.46.670589.5.0.1"));
    assert_eq!(value(&private, 0x0008, 0x0021), "19000101");
    assert_eq!(value(&private, 0x0018, 0x1000).len(), 16);
}

#[test]
fn dates_move_by_the_shift_and_times_stay() {
    let set = object(
        CT,
        [
            text(0x0008, 0x0020, VR::DA, "20240105"),
            text(0x0008, 0x0030, VR::TM, "120000.5 "),
            text(0x0008, 0x002A, VR::DT, "20240105120000+0100 "),
            text(0x0008, 0x0201, VR::SH, "+0100"),
            text(0x0008, 0x0021, VR::DA, "Monday"),
            text(0x0010, 0x0030, VR::DA, "19700203"),
            text(0x0014, 0x1020, VR::DA, "20240105\\20240106"),
        ],
    );
    let moved = tcia(set.clone());
    assert_eq!(value(&moved, 0x0008, 0x0020), "20231226");
    assert_eq!(moved.get(tag(0x0008, 0x0030)), set.get(tag(0x0008, 0x0030)));
    assert_eq!(value(&moved, 0x0008, 0x002A), "20231226120000+0100");
    assert_eq!(value(&moved, 0x0008, 0x0201), "+0100");
    assert_eq!(value(&moved, 0x0008, 0x0021), "-", "X/D, Type 3 in CT");
    assert_eq!(value(&moved, 0x0010, 0x0030), "", "no option keeps the date of birth");
    assert_eq!(value(&moved, 0x0014, 0x1020), "20231226\\20231227", "known, not in the table");
    let full = with_options(&[ProfileOption::RetainFullDates]);
    let (kept, _) = cleaned_by(&full, set.clone()).unwrap();
    assert_eq!(value(&kept, 0x0008, 0x0020), "20240105");
    assert_eq!(value(&kept, 0x0008, 0x0021), "-");
    let removed = basic(set);
    for (group, element) in [(0x0008, 0x0020), (0x0008, 0x0030), (0x0014, 0x1020)] {
        assert_eq!(value(&removed, group, element), "");
    }
    assert_eq!(value(&removed, 0x0008, 0x0201), "-");
}

#[test]
fn retaining_the_device_does_not_retain_its_dates() {
    let set = object(
        CT,
        [
            text(0x0018, 0x1000, VR::LO, "SN1"),
            text(0x0018, 0x1200, VR::DA, "20230101"),
            text(0x0008, 0x1010, VR::SH, "CT01"),
            text(0x0008, 0x0055, VR::AE, "CT01AE"),
        ],
    );
    let profile = with_options(&[ProfileOption::RetainDeviceIdentity]);
    let (set, _) = cleaned_by(&profile, set).unwrap();
    assert_eq!(value(&set, 0x0018, 0x1000), "SN1");
    assert_eq!(value(&set, 0x0008, 0x1010), "CT01");
    assert_eq!(value(&set, 0x0018, 0x1200), "-");
    assert_eq!(value(&set, 0x0008, 0x0055), "-");
}

#[test]
fn references_keep_their_class_and_agree_over_data_sets() {
    let reference = |uid| {
        sequence(
            0x0008,
            0x1140,
            vec![item([text(0x0008, 0x1150, VR::UI, CT), text(0x0008, 0x1155, VR::UI, uid)])],
        )
    };
    let first = basic(object(CT, [text(0x0008, 0x0018, VR::UI, "1.2.77\0"), reference("1.2.78")]));
    let second = basic(object(CT, [text(0x0008, 0x0018, VR::UI, "1.2.78"), reference("1.2.77")]));
    let referenced = |set: &DataSet| {
        let item = &set.get(tag(0x0008, 0x1140)).unwrap().items().unwrap()[0];
        assert_eq!(item.ascii(tag(0x0008, 0x1150)), Some(CT));
        item.ascii(tag(0x0008, 0x1155)).unwrap().to_owned()
    };
    assert_eq!(referenced(&first), value(&second, 0x0008, 0x0018));
    assert_eq!(referenced(&second), value(&first, 0x0008, 0x0018));
    assert_ne!(value(&first, 0x0008, 0x0018), value(&second, 0x0008, 0x0018));
    assert!(value(&first, 0x0008, 0x0018).starts_with("2.25."));
    let retained = with_options(&[ProfileOption::RetainUids]);
    let (set, _) = cleaned_by(&retained, object(CT, [reference("1.2.78")])).unwrap();
    assert_eq!(referenced(&set), "1.2.78");
}

#[test]
fn a_class_uid_that_is_no_uid_does_not_pass() {
    let reference = item([text(0x0008, 0x1150, VR::UI, "DOE JANE")]);
    let set = basic(object(CT, [sequence(0x0008, 0x1140, vec![reference])]));
    let item = &set.get(tag(0x0008, 0x1140)).unwrap().items().unwrap()[0];
    assert!(item.ascii(tag(0x0008, 0x1150)).unwrap().starts_with("2.25."));
}

#[test]
fn elements_that_no_table_knows_are_treated_by_kind() {
    let set = object(
        CT,
        [
            text(0x0008, 0x0000, VR::UL, "\x04\0\0\0"),
            text(0x0008, 0xFFF0, VR::LO, "unknown tag"),
            text(0x0014, 0x2006, VR::PN, "Roe^Max"),
            text(0x0040, 0xE010, VR::UR, "http://pacs/doe"),
            text(0x0020, 0x9312, VR::UI, "1.2.99"),
            text(0x0018, 0x1020, VR::LO, "V1.2"),
            text(0x0062, 0x0006, VR::ST, "free text"),
            text(0x0028, 0x0004, VR::CS, "MONOCHROME2"),
            text(0x0020, 0x0013, VR::IS, "17"),
            text(0x0020, 0x0012, VR::IS, "seventeen"),
            text(0x0028, 0x2000, VR::OB, "icc"),
            text(0x0028, 0x0020, VR::OB, "any bytes"),
        ],
    );
    let clean = basic(set.clone());
    for (group, element, expected) in [
        (0x0008, 0x0000, "-"),
        (0x0008, 0xFFF0, "-"),
        (0x0014, 0x2006, ""),
        (0x0040, 0xE010, "-"),
        (0x0018, 0x1020, "V1.2"),
        (0x0062, 0x0006, "-"),
        (0x0028, 0x0004, "MONOCHROME2"),
        (0x0020, 0x0013, "17"),
        (0x0020, 0x0012, ""),
        (0x0028, 0x2000, "icc"),
        (0x0028, 0x0020, "-"),
    ] {
        assert_eq!(value(&clean, group, element), expected, "({group:04X},{element:04X})");
    }
    assert!(value(&clean, 0x0020, 0x9312).starts_with("2.25."));
    assert_eq!(value(&tcia(set), 0x0062, 0x0006), "free text", "cleaned, not removed");
}

#[test]
fn machine_text_and_terms_stay_unless_they_hold_a_whole_value() {
    let set = object(
        CT,
        [
            text(0x0010, 0x0010, VR::PN, "Head^Jane"),
            text(0x0010, 0x0020, VR::LO, "4711-0815"),
            text(0x0008, 0x0080, VR::LO, "Lake Medical Center"),
            text(0x0008, 0x0070, VR::LO, "Philips Medical Systems"),
            text(0x0018, 0x0015, VR::CS, "HEAD"),
            text(0x0018, 0x1020, VR::LO, "V1.2\\47110815"),
            text(0x0018, 0x1030, VR::LO, "JANE HEAD"),
            text(0x0008, 0x1090, VR::LO, "Jane Head's CT"),
            text(0x0008, 0x0008, VR::CS, "ORIGINAL\\HEAD JANE"),
        ],
    );
    let set = basic(set);
    assert_eq!(value(&set, 0x0008, 0x0070), "Philips Medical Systems");
    assert_eq!(value(&set, 0x0018, 0x0015), "HEAD");
    assert_eq!(value(&set, 0x0018, 0x1020), "V1.2\\");
    assert_eq!(value(&set, 0x0008, 0x1090), "");
    assert_eq!(value(&set, 0x0008, 0x0008), "ORIGINAL\\");
}

#[test]
fn private_elements_go_unless_listed_and_the_option_is_on() {
    let set = object(
        CT,
        [
            text(0x0019, 0x0010, VR::LO, "ACME"),
            text(0x0019, 0x0011, VR::LO, "GEMS_ACQU_01"),
            text(0x0019, 0x1001, VR::LO, "Doe"),
            text(0x0019, 0x1123, VR::UN, "27.5"),
            text(0x0019, 0x1124, VR::LO, "Doe^Jane"),
            text(0x0019, 0x1130, VR::DS, "1"),
        ],
    );
    assert!(basic(set.clone()).iter().all(|element| element.tag.group() % 2 == 0));
    let mut set = set;
    set.put(text(0x0010, 0x0020, VR::LO, "A-1"));
    let clean = tcia(set);
    assert_eq!(value(&clean, 0x0019, 0x0011), "GEMS_ACQU_01");
    assert_eq!(value(&clean, 0x0019, 0x1123), "27.5");
    assert_eq!(clean.get(tag(0x0019, 0x1123)).unwrap().vr, VR::DS, "the list says the VR");
    for gone in [0x0010, 0x1001, 0x1130] {
        assert_eq!(value(&clean, 0x0019, gone), "-", "{gone:04X}");
    }
}

#[test]
fn sequences_hidden_in_unknown_bytes_are_cleaned() {
    let hidden = testing::item(
        &[
            testing::implicit(tag(0x0008, 0x0104), b"Chest "),
            testing::implicit(tag(0x0010, 0x0010), b"Doe^Jane"),
        ]
        .concat(),
    );
    let sequence = tag(0x0008, 0x1032);
    let set = basic(object(CT, [Element::bytes(sequence, VR::UN, hidden)]));
    let element = set.get(sequence).unwrap();
    assert_eq!(element.vr, VR::SQ);
    let item = &element.items().unwrap()[0];
    assert_eq!(item.ascii(tag(0x0008, 0x0104)), Some("Chest"));
    assert_eq!(item.ascii(tag(0x0010, 0x0010)), Some(""));
    let broken = basic(object(CT, [Element::bytes(sequence, VR::UN, *b"Doe^Jane")]));
    assert!(broken.get(sequence).is_none());
}

#[test]
fn ages_over_89_become_90() {
    for (age, expected) in [
        ("089Y", "089Y"),
        ("090Y", "090Y"),
        ("103Y", "090Y"),
        ("018M", "018M"),
        ("old ", ""),
        ("95", ""),
    ] {
        let set = tcia(object(CT, [text(0x0010, 0x1010, VR::AS, age)]));
        assert_eq!(value(&set, 0x0010, 0x1010), expected);
    }
}

#[test]
fn reports_are_cleaned_by_option_and_dummies_without() {
    let content = sequence(
        0x0040,
        0xA730,
        vec![
            item([text(0x0040, 0xA040, VR::CS, "PNAME"), text(0x0040, 0xA123, VR::PN, "Roe^Max")]),
            item([
                text(0x0040, 0xA040, VR::CS, "TEXT"),
                text(0x0040, 0xA160, VR::UT, "14 mm nodule"),
            ]),
            item([
                text(0x0040, 0xA124, VR::UI, "1.2.55"),
                text(0x0040, 0xA121, VR::DA, "20240105"),
            ]),
        ],
    );
    let set = object(SR, [content]);
    let clean = tcia(set.clone());
    let items = clean.get(tag(0x0040, 0xA730)).unwrap().items().unwrap();
    assert_eq!(value(&items[0], 0x0040, 0xA123), "REMOVED");
    assert_eq!(value(&items[1], 0x0040, 0xA160), "14 mm nodule");
    assert!(value(&items[2], 0x0040, 0xA124).starts_with("2.25."));
    assert_eq!(value(&items[2], 0x0040, 0xA121), "20231226");
    let dummy = basic(set);
    let items = dummy.get(tag(0x0040, 0xA730)).unwrap().items().unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(value(&items[0], 0x0040, 0xA160), "REMOVED");
}

fn fragments() -> Value {
    Value::Fragments { offset_table: Vec::new(), fragments: Vec::new() }
}

#[test]
fn graphics_overlays_and_curves_go_and_annotations_are_cleaned_by_option() {
    let annotation = item([sequence(
        0x0070,
        0x0008,
        vec![item([text(0x0070, 0x0006, VR::ST, "Lesion 14 mm")])],
    )]);
    let set = object(
        CT,
        [
            sequence(0x0070, 0x0001, vec![annotation]),
            text(0x6000, 0x0010, VR::US, "\x01\0"),
            text(0x6000, 0x3000, VR::OW, "bits"),
            text(0x5000, 0x3000, VR::OW, "curve"),
            text(0x7F02, 0x0010, VR::OW, "retired"),
            Element { tag: tag(0x0028, 0x3006), vr: VR::OB, value: fragments() },
            sequence(0x0088, 0x0200, vec![item([text(0x7FE0, 0x0010, VR::OW, "icon")])]),
        ],
    );
    let gone = basic(set.clone());
    assert_eq!(gone.len(), 4, "class, instance and the patient's two are left");
    let clean = tcia(set);
    let objects = clean.get(tag(0x0070, 0x0001)).unwrap().items().unwrap();
    let texts = objects[0].get(tag(0x0070, 0x0008)).unwrap().items().unwrap();
    assert_eq!(value(&texts[0], 0x0070, 0x0006), "Lesion 14 mm");
    for (group, element) in [(0x6000, 0x0010), (0x6000, 0x3000), (0x5000, 0x3000), (0x0088, 0x0200)]
    {
        assert_eq!(value(&clean, group, element), "-");
    }
}

#[test]
fn text_that_must_have_a_value_gets_a_dummy_when_nothing_is_left() {
    let set = object(
        "1.2.840.10008.5.1.4.1.1.481.3",
        [
            text(0x0010, 0x0010, VR::PN, "Doe^Jane"),
            text(0x3006, 0x0002, VR::SH, "DOE JANE"),
            text(0x0008, 0x103E, VR::LO, "DOE JANE"),
        ],
    );
    let set = tcia(set);
    assert_eq!(value(&set, 0x3006, 0x0002), "REMOVED", "Structure Set Label is D");
    assert_eq!(value(&set, 0x0008, 0x103E), "");
}

#[test]
fn codes_of_persons_become_dummy_codes() {
    let code = item([
        text(0x0008, 0x0100, VR::SH, "P77"),
        text(0x0008, 0x0102, VR::SH, "99CLINIC"),
        text(0x0008, 0x0104, VR::LO, "Dr Roe"),
    ]);
    let observer = item([
        text(0x0040, 0xA075, VR::PN, "Roe^Max"),
        sequence(0x0040, 0x1101, vec![code]),
        text(0x0040, 0xA027, VR::LO, "Clinic"),
    ]);
    let set = basic(object(SR, [sequence(0x0040, 0xA073, vec![observer])]));
    let observer = &set.get(tag(0x0040, 0xA073)).unwrap().items().unwrap()[0];
    assert_eq!(value(observer, 0x0040, 0xA075), "REMOVED");
    assert_eq!(value(observer, 0x0040, 0xA027), "REMOVED");
    let code = &observer.get(tag(0x0040, 0x1101)).unwrap().items().unwrap()[0];
    assert_eq!(value(code, 0x0008, 0x0100), "REMOVED");
    assert_eq!(value(code, 0x0008, 0x0104), "Removed");
}

#[test]
fn other_ids_in_sequences_are_hashed_and_the_same_id_gets_the_code() {
    let ids = |id| item([text(0x0010, 0x0020, VR::LO, id)]);
    // A sequence that the table keeps: what is nested is cleaned by itself.
    let set = object(
        CT,
        [
            text(0x0010, 0x0020, VR::LO, "A-1 "),
            sequence(0x0008, 0x1140, vec![ids("A-1"), ids("B-2")]),
        ],
    );
    let set = basic(set);
    let items = set.get(tag(0x0008, 0x1140)).unwrap().items().unwrap();
    assert_eq!(value(&items[0], 0x0010, 0x0020), "AL-0001");
    let other = value(&items[1], 0x0010, 0x0020);
    assert!(!other.contains("B-2") && other.len() == 16);
}

fn with_rule(action: Action, set: DataSet) -> Result<DataSet, Quarantine> {
    let mut profile = Profile::basic();
    profile.rules.push(TagRule { group: 0x0008, element: 0x1030, action });
    cleaned_by(&profile, set).map(|(set, _)| set)
}

#[test]
fn rules_of_the_site_win_over_the_table_at_any_depth() {
    let nested = item([text(0x0008, 0x1030, VR::LO, "CT HEAD")]);
    let set = object(
        CT,
        [text(0x0008, 0x1030, VR::LO, "CT HEAD"), sequence(0x0008, 0x1140, vec![nested])],
    );
    let cases = [
        (Action::Keep, "CT HEAD"),
        (Action::Remove, "-"),
        (Action::Empty, ""),
        (Action::Replace("STUDY".into()), "STUDY"),
        (Action::Clean, "CT HEAD"),
    ];
    for (action, expected) in cases {
        let set = with_rule(action, set.clone()).unwrap();
        assert_eq!(value(&set, 0x0008, 0x1030), expected);
        let item = &set.get(tag(0x0008, 0x1140)).unwrap().items().unwrap()[0];
        assert_eq!(value(item, 0x0008, 0x1030), expected);
    }
    let hashed = with_rule(Action::Hash, set).unwrap();
    assert_eq!(value(&hashed, 0x0008, 0x1030).len(), 16);
}

#[test]
fn a_rule_that_does_not_fit_quarantines_with_its_tag_and_no_value() {
    let set = object(CT, [text(0x0008, 0x1030, VR::US, "DOE7")]);
    let refused = with_rule(Action::Hash, set.clone()).unwrap_err();
    assert_eq!(refused.reason, Reason::RuleFailed);
    assert!(refused.detail.contains("1030") && !refused.detail.contains("DOE"));
    let long =
        with_rule(Action::Replace("x".repeat(65)), object(CT, [text(0x0008, 0x1030, VR::LO, "a")]));
    assert_eq!(long.unwrap_err().reason, Reason::RuleFailed);
}

#[test]
fn nesting_over_the_limit_is_quarantined() {
    let mut set = DataSet::new();
    for _ in 0..70 {
        set = item([sequence(0x0008, 0x1140, vec![set])]);
    }
    let set = object(CT, [sequence(0x0008, 0x1140, vec![set])]);
    let refused = cleaned_by(&Profile::basic(), set).unwrap_err();
    assert_eq!(refused.reason, Reason::OverLimit);
}

#[test]
fn report_counts_nested_elements_by_action() {
    let nested = item([text(0x0008, 0x1155, VR::UI, "1.2.8"), text(0x0010, 0x0010, VR::PN, "Doe")]);
    let set = object(
        CT,
        [
            sequence(0x0008, 0x1140, vec![nested]),
            text(0x0009, 0x1001, VR::LO, "Doe"),
            text(0x0008, 0x1030, VR::LO, "CT"),
        ],
    );
    let (_, report) = cleaned_by(&Profile::basic(), set).unwrap();
    let count = |word: &str| report.counts.get(word).copied().unwrap_or(0);
    assert_eq!(count("uid-mapped"), 2);
    assert_eq!(count("emptied"), 1);
    assert_eq!(count("private-removed"), 1);
    assert_eq!(count("removed"), 1);
    assert_eq!(count("kept"), 2, "SOP Class UID and the sequence");
}

#[test]
fn known_values_are_empty_for_an_object_without_any() {
    assert_eq!(collect_known(&object(CT, [])), KnownValues::default());
}
