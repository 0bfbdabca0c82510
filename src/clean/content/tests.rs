use super::*;

const ROOT: &str = "1.2.840.10008.5.1.4.1.1";
const BODY_PART: Tag = Tag(0x0018, 0x0015);
const SERIES_DESCRIPTION: Tag = Tag(0x0008, 0x103E);

fn object(class: &str) -> DataSet {
    DataSet::from_iter([Element::bytes(SOP_CLASS_UID, VR::UI, format!("{ROOT}.{class}"))])
}

fn with(mut set: DataSet, tag: Tag, vr: VR, text: &str) -> DataSet {
    set.put(Element::bytes(tag, vr, text));
    set
}

fn sequence(tag: Tag, items: Vec<DataSet>) -> Element {
    Element { tag, vr: VR::SQ, value: Value::Items(items) }
}

fn reason(set: &DataSet, rules: ContentRules) -> Option<Reason> {
    examine(set, &rules).err().map(|quarantine| quarantine.reason)
}

fn by_default(set: &DataSet) -> Option<Reason> {
    reason(set, ContentRules::default())
}

#[test]
fn video_audio_and_raw_data_are_never_cleaned() {
    let open = ContentRules {
        documents: Documents::Placeholder,
        photographs: Features::Accepted,
        faces: Features::Accepted,
    };
    for class in ["66", "77.1.4.1", "77.1.1.1", "77.1.2.1", "9.4.1", "9.4.2"] {
        assert_eq!(reason(&object(class), open), Some(Reason::UnsupportedContent), "{class}");
    }
    // Segmentation, an endoscope's picture and others begin with the same digits.
    for class in ["66.4", "77.1.1", "77.1.4.2", "6.1", "88.59"] {
        assert_eq!(by_default(&object(class)), None, "{class}");
    }
}

#[test]
fn documents_are_replaced_only_where_the_project_says_so() {
    let placeholder = ContentRules { documents: Documents::Placeholder, ..ContentRules::default() };
    for class in ["104.1", "104.2", "104.3", "104.4", "104.5"] {
        assert_eq!(by_default(&object(class)), Some(Reason::Document), "{class}");
        let content = examine(&object(class), &placeholder).unwrap();
        assert_eq!(content.notes(), [ContentNote::DocumentReplaced]);
        let mut set = with(object(class), MIME_TYPES, VR::LO, "application/pdf");
        content.put_placeholder(&mut set);
        let document = set.get(ENCAPSULATED_DOCUMENT).unwrap().as_bytes().unwrap();
        let length = set.get(DOCUMENT_LENGTH).unwrap().as_bytes().unwrap();
        assert_eq!(length, u32::try_from(document.len()).unwrap().to_le_bytes());
        assert_eq!(set.ascii(BURNED_IN_ANNOTATION), Some("NO"));
        assert!(set.ascii(MIME_TYPE).is_some_and(|kind| kind.contains('/')));
        assert!(set.get(MIME_TYPES).is_none());
    }
    assert_eq!(reason(&object("104.9"), placeholder), Some(Reason::Document));
    // A document where none belongs, and one that hides in an item.
    let stray = with(object("6.1"), ENCAPSULATED_DOCUMENT, VR::OB, "%PDF");
    assert_eq!(reason(&stray, placeholder), Some(Reason::Document));
    let item = DataSet::from_iter([Element::bytes(ENCAPSULATED_DOCUMENT, VR::OB, "%PDF")]);
    let mut nested = object("104.1");
    nested.put(sequence(Tag(0x0042, 0x0013), vec![item]));
    assert_eq!(reason(&nested, placeholder), Some(Reason::Document));
}

#[test]
fn photographs_pass_only_where_they_are_accepted() {
    let accepted = ContentRules { photographs: Features::Accepted, ..ContentRules::default() };
    let face = with(object("6.1"), RECOGNIZABLE_VISUAL_FEATURES, VR::CS, "YES ");
    let camera = with(object("7"), MODALITY, VR::CS, "XC");
    for set in [object("77.1.4"), object("77.1.7"), face, camera] {
        assert_eq!(by_default(&set), Some(Reason::Photograph));
        assert_eq!(examine(&set, &accepted).unwrap().notes(), [ContentNote::Photograph]);
    }
    // Fundus photographs, endoscopy, microscopy.
    for class in ["77.1.5.1", "77.1.1", "77.1.2"] {
        assert_eq!(by_default(&object(class)), None, "{class}");
    }
}

fn volume(modality: &str) -> DataSet {
    let set = with(object("2"), MODALITY, VR::CS, modality);
    with(set, Tag(0x7FE0, 0x0010), VR::OW, "\0\0")
}

fn shows_a_face(set: &DataSet) -> bool {
    let quarantine = ContentRules { faces: Features::Quarantine, ..ContentRules::default() };
    let refused = reason(set, quarantine) == Some(Reason::Face);
    let noted = examine(set, &ContentRules::default()).unwrap().notes() == [ContentNote::Faces];
    assert_eq!(refused, noted);
    refused
}

#[test]
fn a_head_is_known_by_body_part_region_or_words() {
    for (part, head) in [
        ("HEAD", true),
        ("BRAIN ", true),
        ("HEAD_NECK", true),
        ("Skull", true),
        ("WHOLEBODY", true),
        ("ABDOMEN", false),
        ("CSPINE", false),
        ("KNEE", false),
    ] {
        assert_eq!(shows_a_face(&with(volume("MR"), BODY_PART, VR::CS, part)), head, "{part}");
    }
    for (words, head) in [
        ("CT Sch\u{e4}del nativ", true),
        ("ax T2 FLAIR", true),
        ("IRM c\u{e9}r\u{e9}brale", true),
        ("whole body PET", true),
        ("Abdomen portal venous", false),
        ("Headache unit, lumbar spine", false),
    ] {
        let set = with(volume("CT"), Tag(0x0008, 0x0005), VR::CS, "ISO_IR 192");
        assert_eq!(shows_a_face(&with(set, SERIES_DESCRIPTION, VR::LO, words)), head, "{words}");
    }
    // The body part is believed, not the words beside it.
    let knee = with(volume("MR"), BODY_PART, VR::CS, "KNEE");
    assert!(!shows_a_face(&with(knee, SERIES_DESCRIPTION, VR::LO, "FLAIR brain")));
    assert!(shows_a_face(&volume("CT")), "nothing says what is shown");
}

#[test]
fn a_region_is_found_in_functional_groups_too() {
    let region =
        |code: &str| DataSet::from_iter([Element::bytes(Tag(0x0008, 0x0100), VR::SH, code)]);
    for (code, head) in [("12738006", true), ("T-D1100", true), ("69748006", false)] {
        let regions = sequence(Tag(0x0008, 0x2218), vec![region(code)]);
        let mut plain = volume("CT");
        plain.put(regions.clone());
        assert_eq!(shows_a_face(&plain), head, "{code}");
        let anatomy = sequence(Tag(0x0020, 0x9071), vec![DataSet::from_iter([regions])]);
        let mut enhanced = volume("MR");
        enhanced.put(sequence(Tag(0x5200, 0x9229), vec![DataSet::from_iter([anatomy])]));
        assert_eq!(shows_a_face(&enhanced), head, "{code}");
    }
}

#[test]
fn only_volumes_with_pixels_show_faces() {
    for set in [object("88.59"), with(object("6.1"), BODY_PART, VR::CS, "HEAD")] {
        assert_eq!(examine(&set, &ContentRules::default()).unwrap().notes(), []);
    }
    // A head's recognisable features are the faces rule's, not a photograph's.
    let head = with(volume("CT"), BODY_PART, VR::CS, "HEAD");
    assert!(shows_a_face(&with(head, RECOGNIZABLE_VISUAL_FEATURES, VR::CS, "YES")));
}

fn waveform(hertz: &str, interpretation: &str, source: &str) -> DataSet {
    let code = DataSet::from_iter([Element::bytes(Tag(0x0008, 0x0100), VR::SH, source)]);
    let channel = DataSet::from_iter([sequence(Tag(0x003A, 0x0208), vec![code])]);
    DataSet::from_iter([
        Element::bytes(Tag(0x003A, 0x001A), VR::DS, hertz),
        sequence(Tag(0x003A, 0x0200), vec![channel]),
        Element::bytes(Tag(0x5400, 0x1006), VR::CS, interpretation),
    ])
}

#[test]
fn sound_is_known_by_its_content_in_any_class() {
    for (hertz, interpretation, source, refused) in [
        ("500", "SS", "5.6.3-9-1", false),
        ("1000 ", "SL", "5.6.3-9-1", false),
        ("500", "SS", "109110", true),
        ("500", "SS", "109114", true),
        ("500", "MB", "5.6.3-9-1", true),
        ("500", "AB", "5.6.3-9-1", true),
        ("8000", "SS", "5.6.3-9-1", true),
        ("", "SS", "5.6.3-9-1", true),
    ] {
        let slow = waveform("250", "SS", "5.6.3-9-1");
        let groups = vec![slow, waveform(hertz, interpretation, source)];
        let mut ecg = object("9.1.1");
        ecg.put(sequence(Tag(0x5400, 0x0100), groups));
        let expected = refused.then_some(Reason::UnsupportedContent);
        assert_eq!(by_default(&ecg), expected, "{hertz} {interpretation} {source}");
    }
    let mut physiology = object("9.3.1");
    physiology.put(sequence(Tag(0x5400, 0x0100), vec![waveform("20000", "SS", "1")]));
    assert_eq!(by_default(&physiology), None);
    let sound = with(object("9.1.2"), MODALITY, VR::CS, "AU");
    assert_eq!(by_default(&sound), Some(Reason::UnsupportedContent));
    let mut nested = object("6.1");
    let item = DataSet::from_iter([sequence(Tag(0x5400, 0x0100), Vec::new())]);
    nested.put(sequence(Tag(0x0008, 0x1140), vec![item]));
    assert_eq!(by_default(&nested), Some(Reason::UnsupportedContent));
    let unread = with(object("9.1.1"), Tag(0x5400, 0x0100), VR::UN, "x");
    assert_eq!(by_default(&unread), Some(Reason::UnsupportedContent));
}
