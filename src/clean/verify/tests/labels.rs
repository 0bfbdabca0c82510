//! What a label, a kinship of dates or another alphabet gives away.

use super::*;

#[test]
fn a_day_of_birth_moves_nowhere_but_with_the_study_of_a_newborn() {
    let acquired = Tag(0x0008, 0x0022);
    let mut case = sound();
    case.input.put(text(acquired, VR::DA, "19611005"));
    // 28 days before the birth.
    case.output.put(text(acquired, VR::DA, "19610907"));
    assert_eq!(case.refused(), "date-remains at (0008,0022)");
    case.output.remove(acquired);
    case.verify().unwrap();
    case.output.put(text(Tag(0x0010, 0x0030), VR::DA, "19610907"));
    assert_eq!(case.refused(), "date-remains at (0010,0030)");

    let mut newborn = sound();
    newborn.input.put(text(Tag(0x0010, 0x0030), VR::DA, "20240131"));
    newborn.input.put(text(acquired, VR::DA, "20240131"));
    newborn.output.put(text(acquired, VR::DA, "20240103"));
    newborn.verify().unwrap();
    newborn.rules.profile.options.remove(&ProfileOption::RetainModifiedDates);
    newborn.rules.profile.options.insert(ProfileOption::RetainFullDates);
    newborn.output.put(text(acquired, VR::DA, "20240131"));
    newborn.output.put(text(STUDY_DATE, VR::DA, "20240131"));
    newborn.verify().unwrap();
}

/// A content item labelled by `meaning`.
fn content(meaning: &str, value: Element) -> DataSet {
    let concept = DataSet::from_iter([
        text(Tag(0x0008, 0x0100), VR::SH, "x"),
        text(Tag(0x0008, 0x0102), VR::SH, "99X"),
        text(Tag(0x0008, 0x0104), VR::LO, meaning),
    ]);
    DataSet::from_iter([sequence(Tag(0x0040, 0xA043), vec![concept]), value])
}

#[test]
fn what_a_report_labels_as_somebodys_does_not_pass() {
    let report = |meaning: &str, received: Element, clean: Element| {
        let mut case = sound();
        let items = |value| sequence(Tag(0x0040, 0xA730), vec![content(meaning, value)]);
        case.input.put(items(received));
        case.output.put(items(clean));
        case
    };
    let same = |meaning: &str, value: Element| report(meaning, value.clone(), value).refused();
    let typed = |value: &str| text(Tag(0x0040, 0xA160), VR::UT, value);
    let date = |value: &str| text(Tag(0x0040, 0xA121), VR::DA, value);
    let at = "at (0040,A730)[0]";
    assert_eq!(same("Last name", typed("Osterloh")), format!("name-remains {at}.(0040,A160)"));
    assert_eq!(same("MRN", typed("Z99")), format!("id-remains {at}.(0040,A160)"));
    let moved = report("Geburtsdatum", date("19440211"), date("19440114"));
    assert_eq!(moved.refused(), format!("date-remains {at}.(0040,A121)"));
    report("Geburtsdatum", date("19440211"), date("19000101")).verify().unwrap();
    report("Study Date", date("20240211"), date("20240114")).verify().unwrap();
    let number = |value: &str| {
        let item = DataSet::from_iter([text(Tag(0x0040, 0xA30A), VR::DS, value)]);
        sequence(Tag(0x0040, 0xA300), vec![item])
    };
    let place = format!("id-remains {at}.(0040,A300)[0].(0040,A30A)");
    assert_eq!(same("MRN", number("9988776")), place);
    report("Length", number("12"), number("12")).verify().unwrap();
    // The name is found elsewhere too.
    let mut elsewhere = report("Last name", typed("Osterloh"), typed("REMOVED"));
    elsewhere.verify().unwrap();
    elsewhere.output.put(text(IMAGE_COMMENTS, VR::LT, "for Osterloh"));
    assert_eq!(elsewhere.refused(), "name-remains at (0020,4000)");
}

#[test]
fn a_name_in_another_alphabet_is_found_in_text_and_terms() {
    for (name, tag, typed) in [
        ("Ivanchenko^Prokofiy", Tag(0x0008, 0x0070), "Иванченко"),
        ("Ivanchenko^Prokofiy", IMAGE_COMMENTS, "для Прокофий"),
        ("Papadopoulos^Georgios", IMAGE_COMMENTS, "Παπαδόπουλος CT"),
        ("Yamada^Taro", IMAGE_COMMENTS, "胸部ヤマダ"),
        ("Иванченко^Прокофий", IMAGE_COMMENTS, "CT Ivanchenko"),
        ("ヤマダ^タロウ", IMAGE_COMMENTS, "Yamada chest"),
    ] {
        let mut case = sound();
        case.input.put(text(Tag(0x0008, 0x0005), VR::CS, "ISO_IR 192"));
        case.output.put(text(Tag(0x0008, 0x0005), VR::CS, "ISO_IR 192"));
        case.input.put(text(PATIENT_NAME, VR::PN, name));
        case.verify().unwrap();
        case.output.put(text(tag, VR::LT, typed));
        assert_eq!(case.refused(), format!("name-remains at {tag}"), "{typed}");
        case.output.put(text(tag, VR::LT, "грудь θώρακας スカウト chest"));
        case.verify().unwrap();
    }
}

#[test]
fn the_code_of_a_procedure_is_no_id_where_it_stands_as_a_code() {
    let code = DataSet::from_iter([
        text(Tag(0x0008, 0x0100), VR::SH, "CTTHOR"),
        text(Tag(0x0008, 0x0102), VR::SH, "99RIS"),
    ]);
    let mut case = sound();
    for set in [&mut case.input, &mut case.output] {
        set.put(sequence(Tag(0x0008, 0x1032), vec![code.clone()]));
    }
    case.input.put(text(Tag(0x0040, 0x1001), VR::SH, "CTTHOR"));
    case.verify().unwrap();
    case.input.put(text(Tag(0x0008, 0x0050), VR::SH, "CTTHOR"));
    assert!(case.refused().starts_with("id-remains"));
}

#[test]
fn a_name_in_bytes_that_nobody_explains_is_found_as_it_stands() {
    // Three signs in GBK under ISO_IR 100.
    let name = *b"\xCD\xF5^\xD0\xA1\xB6\xAB";
    let case = |element: Element| {
        let mut case = sound();
        case.input.put(text(Tag(0x0008, 0x0005), VR::CS, "ISO_IR 100"));
        case.input.put(Element::bytes(Tag(0x0008, 0x1048), VR::PN, name));
        case.output.put(text(Tag(0x0008, 0x0005), VR::CS, "ISO_IR 100"));
        case.output.put(element);
        case
    };
    let station = Element::bytes(Tag(0x0008, 0x0070), VR::LO, *b"CT\xD0\xA1\xB6\xAB");
    assert_eq!(case(station).refused(), "name-remains at (0008,0070)");
    let whole = Element::bytes(Tag(0x0008, 0x0070), VR::LO, *b"\xCD\xF5\xD0\xA1\xB6\xAB1");
    assert_eq!(case(whole).refused(), "name-remains at (0008,0070)");
    let part = Element::bytes(Tag(0x0008, 0x0070), VR::LO, *b"CT\xD0\xA1\xB6 ");
    case(part).verify().unwrap();

    let mut long = vec![7; 3 << 20];
    let place = (1 << 20) - 2;
    long[place..place + 4].copy_from_slice(b"\xD0\xA1\xB6\xAB");
    let extent = Extent { source: Source::Input, offset: 0, bytes: 3 << 20 };
    let mut case = case(Element { tag: BYTES, vr: VR::OB, value: Value::Bulk(extent) });
    case.bulk = long;
    assert_eq!(case.refused(), "name-remains at (0028,2000)");
}
