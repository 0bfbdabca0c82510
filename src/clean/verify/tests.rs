//! A sound pair passes; each single thing wrong with it is found.

mod labels;

use std::io::Cursor;

use super::*;
use crate::clean::report::{HeaderReport, PixelReport};
use crate::config::{Action, Profile, ProfileOption, TagRule};
use crate::dicom::testing::{implicit, item};
use crate::dicom::transfer_syntax::{DEFLATED_LE, EXPLICIT_VR_LE, IMPLICIT_VR_LE};
use crate::dicom::write::{BulkSources, NewMeta, write_part10};
use crate::dicom::{DataSet, Element, Extent, Source, Tag, TransferSyntax, Uid, VR, Value};
use crate::pseudonym::UidKey;

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const CODE: &str = "TRIAL-0007";
const SERIES_DESCRIPTION: Tag = Tag(0x0008, 0x103E);
const STUDY_DATE: Tag = Tag(0x0008, 0x0020);
const PATIENT_NAME: Tag = Tag(0x0010, 0x0010);
const PATIENT_ID: Tag = Tag(0x0010, 0x0020);
const IMAGE_COMMENTS: Tag = Tag(0x0020, 0x4000);
/// Free for tests: a sequence, an OB value.
const SEQUENCE: Tag = Tag(0x0008, 0x1140);
const BYTES: Tag = Tag(0x0028, 0x2000);

/// A received object, its clean copy, and what is said about it.
struct Case {
    input: DataSet,
    output: DataSet,
    input_syntax: &'static str,
    output_syntax: &'static str,
    bulk: Vec<u8>,
    rules: CleanRules,
    report: Report,
    /// Changes the written clean file.
    after: fn(&mut Vec<u8>),
}

fn text(tag: Tag, vr: VR, value: &str) -> Element {
    Element::bytes(tag, vr, value.as_bytes())
}

fn number(tag: Tag, value: u16) -> Element {
    Element::bytes(tag, VR::US, value.to_le_bytes())
}

fn sequence(tag: Tag, items: Vec<DataSet>) -> Element {
    Element { tag, vr: VR::SQ, value: Value::Items(items) }
}

fn pixels(bytes: u64) -> Element {
    let extent = Extent { source: Source::Input, offset: 0, bytes };
    Element { tag: PIXEL_DATA, vr: VR::OW, value: Value::Bulk(extent) }
}

fn picture() -> Vec<Element> {
    vec![
        number(Tag(0x0028, 0x0002), 1),
        number(Tag(0x0028, 0x0010), 4),
        number(Tag(0x0028, 0x0011), 8),
        number(Tag(0x0028, 0x0100), 16),
        number(Tag(0x0028, 0x0101), 16),
        pixels(64),
    ]
}

/// A sound pair under `tcia`.
fn sound() -> Case {
    let method = |code| DataSet::from_iter([text(Tag(0x0008, 0x0100), VR::SH, code)]);
    let mut input = DataSet::from_iter(picture());
    let mut output = input.clone();
    let identity = [
        text(Tag(0x0008, 0x0005), VR::CS, "ISO_IR 100"),
        text(Tag(0x0008, 0x0016), VR::UI, CT),
        text(Tag(0x0008, 0x0018), VR::UI, "1.2.826.0.1.1"),
        text(STUDY_DATE, VR::DA, "20240131"),
        text(Tag(0x0008, 0x0050), VR::SH, "ACC778812"),
        text(Tag(0x0008, 0x0080), VR::LO, "Seaside Hospital"),
        text(Tag(0x0008, 0x0090), VR::PN, "Quill^Marta"),
        text(SERIES_DESCRIPTION, VR::LO, "Thorax Quill 5.0"),
        text(PATIENT_NAME, VR::PN, "Winterbottom^Jo"),
        text(PATIENT_ID, VR::LO, "88-1234"),
        text(Tag(0x0010, 0x0030), VR::DA, "19611005"),
        text(Tag(0x0020, 0x000D), VR::UI, "1.2.826.0.1.2"),
        text(Tag(0x0020, 0x000E), VR::UI, "1.2.826.0.1.3"),
        text(Tag(0x0020, 0x0010), VR::SH, "1"),
    ];
    let clean = [
        text(Tag(0x0008, 0x0016), VR::UI, CT),
        text(Tag(0x0008, 0x0018), VR::UI, "2.25.1"),
        text(STUDY_DATE, VR::DA, "20240103"),
        text(SERIES_DESCRIPTION, VR::LO, "Thorax 5.0"),
        text(PATIENT_NAME, VR::PN, CODE),
        text(PATIENT_ID, VR::LO, CODE),
        text(Tag(0x0012, 0x0062), VR::CS, "YES"),
        text(Tag(0x0012, 0x0063), VR::LO, "airlock"),
        sequence(Tag(0x0012, 0x0064), vec![method("113100"), method("113101")]),
        text(Tag(0x0020, 0x000D), VR::UI, "2.25.2"),
        text(Tag(0x0020, 0x000E), VR::UI, "2.25.3"),
        text(Tag(0x0028, 0x0301), VR::CS, "NO"),
    ];
    identity.into_iter().for_each(|element| drop(input.put(element)));
    clean.into_iter().for_each(|element| drop(output.put(element)));
    let codes = ["113100", "113101"].map(String::from).to_vec();
    Case {
        input,
        output,
        input_syntax: EXPLICIT_VR_LE,
        output_syntax: EXPLICIT_VR_LE,
        bulk: vec![7; 512],
        rules: CleanRules { profile: Profile::tcia(), ..CleanRules::default() },
        report: Report {
            profile: "tcia".into(),
            sop_class: CT.into(),
            sop_instance: "2.25.1".into(),
            study_instance: "2.25.2".into(),
            series_instance: "2.25.3".into(),
            patient_code: CODE.into(),
            header: HeaderReport { method_codes: codes, ..HeaderReport::default() },
            pixels: PixelReport { screened: true, frames: 1, ..PixelReport::default() },
            ..Report::default()
        },
        after: |_| {},
    }
}

fn file(set: &DataSet, syntax: &str, bulk: &[u8]) -> Vec<u8> {
    let transfer_syntax = TransferSyntax::new(syntax.parse().unwrap());
    let uid = |tag| set.ascii(tag).unwrap().parse::<Uid>().unwrap();
    let (class, instance) = (uid(Tag(0x0008, 0x0016)), uid(Tag(0x0008, 0x0018)));
    let meta =
        NewMeta { sop_class: &class, sop_instance: &instance, transfer_syntax: &transfer_syntax };
    let mut bulk = Cursor::new(bulk);
    let mut sources = BulkSources { input: &mut bulk, scratch: None, input_big_endian: false };
    let mut out = Vec::new();
    write_part10(&mut out, &meta, set, &mut sources).unwrap();
    out
}

impl Case {
    fn verify(&self) -> Result<Verified, Quarantine> {
        let input = file(&self.input, self.input_syntax, &self.bulk);
        let mut output = file(&self.output, self.output_syntax, &self.bulk);
        let mut report = self.report.clone();
        report.output_bytes = output.len() as u64;
        report.transfer_syntax_out = self.output_syntax.into();
        (self.after)(&mut output);
        let dir = tempfile::tempdir().unwrap();
        let assigned = Assigned {
            code: CODE.into(),
            shift_days: -28,
            key_id: String::new(),
            uid_key: UidKey([0; 32]),
        };
        let verified = verify(Job {
            input: &mut Cursor::new(input),
            output: &mut Cursor::new(output),
            scratch: Scratch::plain(&dir.path().join("scratch")),
            rules: &self.rules,
            assigned: &assigned,
            report: &report,
        });
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "scratch file left");
        verified
    }

    /// The detail of the refusal.
    fn refused(&self) -> String {
        let quarantine = self.verify().unwrap_err();
        assert_eq!(quarantine.reason, Reason::IdentifierFound, "{quarantine}");
        for secret in ["Quill", "Winterbottom", "88-1234", "778812", "Seaside", "19611005"] {
            assert!(!quarantine.detail.contains(secret), "{quarantine}");
        }
        quarantine.detail
    }
}

/// The refusal after one element was added to the clean copy.
fn with(element: Element) -> String {
    let mut case = sound();
    case.output.put(element);
    case.refused()
}

#[test]
fn a_sound_copy_passes_in_every_encoding() {
    let verified = sound().verify().unwrap();
    assert!(verified.values > 10 && verified.uids == 3 && verified.elements > 17, "{verified:?}");
    for (input_syntax, output_syntax) in
        [(IMPLICIT_VR_LE, EXPLICIT_VR_LE), (DEFLATED_LE, DEFLATED_LE)]
    {
        Case { input_syntax, output_syntax, ..sound() }.verify().unwrap();
    }
}

#[test]
fn identifiers_are_found_wherever_they_stand() {
    let nested = |element| sequence(SEQUENCE, vec![DataSet::new(), DataSet::from_iter([element])]);
    let comment = |value| text(IMAGE_COMMENTS, VR::LT, value);
    let cases = [
        (text(SERIES_DESCRIPTION, VR::LO, "Thorax QUILL"), "name-remains at (0008,103E)"),
        (text(Tag(0x0008, 0x0090), VR::PN, "Quill^Marta"), "name-remains at (0008,0090)"),
        (comment("for Jo Winterbottom"), "name-remains at (0020,4000)"),
        (nested(comment("marta")), "name-remains at (0008,1140)[1].(0020,4000)"),
        (comment("MRN 881234"), "id-remains at (0020,4000)"),
        (comment("see ACC778812"), "id-remains at (0020,4000)"),
        (comment("Seaside Hospital, East"), "place-remains at (0020,4000)"),
        (comment("on 31.01.2024"), "date-remains at (0020,4000)"),
        (comment("ask a.roe@mail.example.org"), "shape-of-an-identifier at (0020,4000)"),
        (text(STUDY_DATE, VR::DA, "20240131"), "date-remains at (0008,0020)"),
        (text(Tag(0x0008, 0x0022), VR::DA, "20240131"), "date-remains at (0008,0022)"),
        (text(Tag(0x0010, 0x0030), VR::DA, "19611005"), "date-remains at (0010,0030)"),
        (text(Tag(0x0020, 0x0011), VR::IS, "19611005"), "date-remains at (0020,0011)"),
        (text(Tag(0x0008, 0x002A), VR::DT, "19611005101500"), "date-remains at (0008,002A)"),
        (text(Tag(0x0020, 0x0052), VR::UI, "1.2.826.0.1.3"), "uid-remains at (0020,0052)"),
        (comment("uid 1.2.826.0.1.1."), "uid-remains at (0020,4000)"),
        (Element::bytes(BYTES, VR::OB, *b"\x01\x02Quill\0"), "name-remains at (0028,2000)"),
        (Element::bytes(BYTES, VR::OB, *b"Q\0u\0i\0l\0l\0"), "name-remains at (0028,2000)"),
        (Element::bytes(BYTES, VR::OB, *b"\xFF1.2.826.0.1.1\xFF"), "uid-remains at (0028,2000)"),
        (text(Tag(0x0020, 0x0010), VR::SH, "1"), ""),
    ];
    for (element, detail) in cases {
        if detail.is_empty() {
            // A short ID is nobody's: it may stand anywhere but where it stood.
            let mut case = sound();
            case.output.put(text(Tag(0x0020, 0x0013), VR::IS, "1"));
            case.verify().unwrap();
            assert_eq!(with(element), "id-remains at (0020,0010)");
        } else {
            assert_eq!(with(element), detail);
        }
    }
}

#[test]
fn long_binary_values_are_searched_across_pieces() {
    let mut case = sound();
    case.bulk = vec![7; 3 << 20];
    let place = (1 << 20) - 4;
    case.bulk[place..place + 14].copy_from_slice(b" WINTERBOTTOM ");
    let extent = Extent { source: Source::Input, offset: 0, bytes: 3 << 20 };
    case.output.put(Element { tag: BYTES, vr: VR::OB, value: Value::Bulk(extent) });
    assert_eq!(case.refused(), "name-remains at (0028,2000)");
}

#[test]
fn names_are_collected_from_sequences_in_unknown_values_and_in_other_scripts() {
    let mut case = sound();
    let hidden = item(&implicit(PATIENT_NAME, b"Zimmerling^Ada"));
    case.input.put(Element::bytes(Tag(0x0009, 0x1001), VR::UN, hidden));
    case.output.put(text(IMAGE_COMMENTS, VR::LT, "Frau Zimmerling"));
    assert_eq!(case.refused(), "name-remains at (0020,4000)");

    let mut case = sound();
    case.input.put(text(Tag(0x0008, 0x0005), VR::CS, "\\ISO 2022 IR 87"));
    case.input.put(Element::bytes(PATIENT_NAME, VR::PN, *b"A^B=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"));
    case.output.put(text(Tag(0x0008, 0x0005), VR::CS, "ISO_IR 192"));
    case.output.put(text(IMAGE_COMMENTS, VR::LT, "患者山田様"));
    assert_eq!(case.refused(), "name-remains at (0020,4000)");
}

#[test]
fn a_moved_date_may_fall_on_another_date_of_the_input() {
    let mut case = sound();
    // 28 days before the acquisition lies the study date of the input.
    case.input.put(text(Tag(0x0008, 0x0022), VR::DA, "20240228"));
    case.output.put(text(Tag(0x0008, 0x0022), VR::DA, "20240131"));
    case.verify().unwrap();
    case.rules.profile.options.remove(&ProfileOption::RetainModifiedDates);
    assert_eq!(case.refused(), "date-remains at (0008,0022)");
}

#[test]
fn options_and_rules_let_stay_what_they_keep() {
    let mut case = sound();
    case.input.put(text(Tag(0x0018, 0x1000), VR::LO, "SN-445566"));
    case.output.put(text(Tag(0x0018, 0x1000), VR::LO, "SN-445566"));
    case.verify().unwrap();
    case.rules.profile.options.remove(&ProfileOption::RetainDeviceIdentity);
    assert_eq!(case.refused(), "id-remains at (0018,1000)");
    let keep = TagRule { group: 0x0018, element: 0x1000, action: Action::Keep };
    case.rules.profile.rules.push(keep);
    case.verify().unwrap();

    let mut case = sound();
    case.rules.profile.options.insert(ProfileOption::RetainFullDates);
    case.output.put(text(STUDY_DATE, VR::DA, "20240131"));
    case.verify().unwrap();
    case.output.put(text(Tag(0x0010, 0x0030), VR::DA, "19611005"));
    assert_eq!(case.refused(), "date-remains at (0010,0030)");

    let mut case = sound();
    case.rules.profile.options.insert(ProfileOption::RetainUids);
    case.output.put(text(Tag(0x0020, 0x0052), VR::UI, "1.2.826.0.1.3"));
    case.verify().unwrap();
}

#[test]
fn private_elements_and_drawings_stand_only_under_their_options() {
    let creator = text(Tag(0x0019, 0x0010), VR::LO, "SIEMENS MR HEADER");
    let private = text(Tag(0x0019, 0x100C), VR::IS, "1000");
    let mut case = sound();
    case.output.put(private.clone());
    assert_eq!(case.refused(), "private-element at (0019,100C)", "no creator");
    case.output.put(creator.clone());
    case.verify().unwrap();
    case.output.put(text(Tag(0x0019, 0x10F0), VR::IS, "1000"));
    assert_eq!(case.refused(), "private-element at (0019,10F0)", "not listed as safe");
    case.output.remove(Tag(0x0019, 0x10F0));
    case.output.put(text(Tag(0x0019, 0x0011), VR::LO, "SIEMENS MR HEADER"));
    assert_eq!(case.refused(), "private-element at (0019,0011)", "an empty block");
    case.output.remove(Tag(0x0019, 0x0011));
    case.rules.profile.options.remove(&ProfileOption::RetainSafePrivate);
    assert_eq!(case.refused(), "private-element at (0019,0010)");

    let mut case = sound();
    case.output.put(Element::bytes(Tag(0x6002, 0x4000), VR::LT, [0, 0]));
    case.verify().unwrap();
    case.rules.profile.options.remove(&ProfileOption::CleanGraphics);
    assert!(case.refused().starts_with("curve-or-overlay"));
}

#[test]
fn pictures_that_nobody_looks_at_stand_under_no_rule() {
    let icons = Tag(0x0088, 0x0200);
    let cases = [
        (PIXEL_DATA, true, "pixel-data-in-item"),
        (Tag(0x7FE0, 0x0008), false, "other-pixel-data"),
        (Tag(0x7FE0, 0x0009), true, "other-pixel-data"),
        (Tag(0x7F02, 0x0010), false, "other-pixel-data"),
        (Tag(0x7FA0, 0x0010), true, "other-pixel-data"),
        (Tag(0x6000, 0x3000), false, "overlay-data"),
        (Tag(0x601E, 0x3000), true, "overlay-data"),
        (Tag(0x5000, 0x3000), false, "curve-data"),
        (Tag(0x501E, 0x3000), true, "curve-data"),
    ];
    for (tag, nested, rule) in cases {
        let mut case = sound();
        let picture = Element::bytes(tag, VR::OW, [0, 0]);
        let keep = |tag: Tag| {
            let (group, element, action) = (tag.group(), tag.element(), Action::Keep);
            TagRule { group, element, action }
        };
        case.rules.profile.rules.extend([keep(tag), keep(icons)]);
        case.output.put(if nested {
            sequence(icons, vec![DataSet::from_iter([picture])])
        } else {
            picture
        });
        assert!(case.refused().starts_with(rule), "{tag}: {}", case.refused());
    }
}

#[test]
fn broken_promises_are_named() {
    type Break = fn(&mut Case);
    let breaks: [(Break, &str); 14] = [
        (|c| c.after = |file| file[0] = b'I', "preamble-not-zero"),
        (|c| c.after = |file| file.extend([0; 512]), "padding-or-repeats"),
        (|c| c.report.sop_instance = "2.25.9".into(), "uid-differs-from-report at (0008,0018)"),
        (|c| c.report.study_instance = String::new(), "uid-differs-from-report at (0020,000D)"),
        (|c| c.report.patient_code = "X".into(), "code-differs-from-report"),
        (|c| c.report.profile = "basic".into(), "profile-differs-from-report"),
        (|c| drop(c.output.remove(PATIENT_ID)), "patient-id-not-the-code"),
        (|c| drop(c.output.put(text(PATIENT_NAME, VR::PN, "X"))), "patient-name-not-the-code"),
        (|c| drop(c.output.remove(Tag(0x0012, 0x0062))), "identity-removed-not-said"),
        (|c| drop(c.output.remove(Tag(0x0012, 0x0063))), "method-not-said"),
        (|c| drop(c.report.header.method_codes.pop()), "method-differs-from-report"),
        (|c| drop(c.output.remove(Tag(0x0028, 0x0301))), "burned-in-not-no"),
        (|c| c.report.pixels.screened = false, "pixel-option-without-screening"),
        (|c| drop(c.output.remove(PIXEL_DATA)), "pixel-option-without-screening"),
    ];
    for (break_it, rule) in breaks {
        let mut case = sound();
        break_it(&mut case);
        let detail = case.refused();
        assert!(detail.starts_with(rule), "{rule}: {detail}");
    }
}

#[test]
fn coded_pictures_hold_their_frames_and_tell_where_they_are() {
    // The picture of `sound` in fragments, uncompressed: 64 bytes a frame.
    let coded = |syntax, fragments: &[u64], offset_table: &[u32]| {
        let mut case = Case { output_syntax: syntax, ..sound() };
        case.bulk = vec![0; 512];
        let extent = |bytes: &u64| Extent { source: Source::Input, offset: 0, bytes: *bytes };
        let fragments = fragments.iter().map(extent).collect();
        let value = Value::Fragments { offset_table: offset_table.to_vec(), fragments };
        case.output.put(Element { tag: PIXEL_DATA, vr: VR::OB, value });
        case
    };
    let uncompressed = "1.2.840.10008.1.2.1.98";
    coded(uncompressed, &[64], &[]).verify().unwrap();
    coded(uncompressed, &[32, 32], &[0]).verify().unwrap();
    for (fragments, offset_table, rule) in [
        (&[64, 64][..], &[][..], "frames-differ-from-header at (7FE0,0010)"),
        (&[66], &[], "bytes-after-a-frame at (7FE0,0010)"),
        (&[62], &[], "pixel-data-length at (7FE0,0010)"),
        (&[64], &[4], "offset-table-untrue at (7FE0,0010)"),
        (&[64], &[0, 72], "offset-table-untrue at (7FE0,0010)"),
    ] {
        assert_eq!(coded(uncompressed, fragments, offset_table).refused(), rule);
    }
    let mut extended = coded(uncompressed, &[64], &[]);
    extended.output.put(Element::bytes(Tag(0x7FE0, 0x0001), VR::OV, [0; 8]));
    extended.verify().unwrap();
    extended.output.put(Element::bytes(Tag(0x7FE0, 0x0001), VR::OV, [7; 8]));
    assert_eq!(extended.refused(), "offset-table-untrue at (7FE0,0010)");
    let mpeg = coded("1.2.840.10008.1.2.4.100", &[64], &[]);
    assert_eq!(mpeg.refused(), "pixel-coding-not-checked at (7FE0,0010)");
}

#[test]
fn a_copy_that_cannot_be_read_or_an_input_gone_bad_does_not_pass() {
    let mut case = sound();
    case.after = |file| file.truncate(file.len() - 10);
    assert!(case.refused().starts_with("clean-copy-unreadable"));
    case.after = |file| file.truncate(100);
    assert!(case.refused().starts_with("clean-copy-unreadable"));
    // Ours reads a file without preamble, others need not.
    case.after = |file| drop(file.drain(..132));
    assert_eq!(case.refused(), "not-readable-elsewhere at data set");
    case.after = |_file| {};
    case.output.put(Element::bytes(BYTES, VR::OL, [7; 6]));
    assert_eq!(case.refused(), "broken-number at (0028,2000)");
    let rules = CleanRules::default();
    let assigned = Assigned {
        code: CODE.into(),
        shift_days: 1,
        key_id: String::new(),
        uid_key: UidKey([0; 32]),
    };
    let fault = verify(Job {
        input: &mut Cursor::new(b"no DICOM at all"),
        output: &mut Cursor::new(b""),
        scratch: Scratch::plain(Path::new("/nowhere")),
        rules: &rules,
        assigned: &assigned,
        report: &Report::default(),
    });
    assert_eq!(fault.unwrap_err().reason, Reason::Unreadable);
}

/// A clean copy of a PDF object with its placeholder, and what is said of it.
fn with_placeholder() -> Case {
    use crate::clean::content::{examine, placeholder};
    use crate::clean::report::ContentNote;
    use crate::config::{ContentRules, Documents};
    let class = "1.2.840.10008.5.1.4.1.1.104.1";
    let content = ContentRules { documents: Documents::Placeholder, ..ContentRules::default() };
    let mut case = sound();
    for set in [&mut case.input, &mut case.output] {
        set.retain(|element| element.tag.group() != 0x0028 && element.tag != PIXEL_DATA);
        set.put(text(Tag(0x0008, 0x0016), VR::UI, class));
    }
    case.input.put(text(Tag(0x0042, 0x0011), VR::OB, "%PDF of a patient"));
    examine(&case.input, &content).unwrap().put_placeholder(&mut case.output);
    let codes = vec![DataSet::from_iter([text(Tag(0x0008, 0x0100), VR::SH, "113100")])];
    case.output.put(sequence(Tag(0x0012, 0x0064), codes));
    case.report.header.method_codes = vec!["113100".into()];
    case.report.sop_class = class.into();
    case.report.pixels = PixelReport::default();
    case.report.content = vec![ContentNote::DocumentReplaced];
    case.rules.content = content;
    assert!(placeholder::of_class(class).is_some());
    case
}

#[test]
fn of_documents_only_the_known_placeholder_passes_and_only_where_it_is_wanted() {
    let document = Tag(0x0042, 0x0011);
    with_placeholder().verify().unwrap();
    let remains = "document-remains at (0042,0011)";
    let mut refused_by_project = with_placeholder();
    refused_by_project.rules.content = crate::config::ContentRules::default();
    assert_eq!(refused_by_project.refused(), remains);
    let mut unsaid = with_placeholder();
    unsaid.report.content.clear();
    assert_eq!(unsaid.refused(), remains);
    let mut another = with_placeholder();
    let mut bytes = another.output.get(document).unwrap().as_bytes().unwrap().to_vec();
    bytes[20] ^= 1;
    another.output.put(Element::bytes(document, VR::OB, bytes));
    assert_eq!(another.refused(), remains);
    let mut longer = with_placeholder();
    let mut bytes = longer.output.get(document).unwrap().as_bytes().unwrap().to_vec();
    bytes.extend(b"%\n");
    longer.output.put(Element::bytes(document, VR::OB, bytes));
    assert_eq!(longer.refused(), remains);
    let mut of_another_class = with_placeholder();
    let class = "1.2.840.10008.5.1.4.1.1.104.3";
    of_another_class.output.put(text(Tag(0x0008, 0x0016), VR::UI, class));
    of_another_class.report.sop_class = class.into();
    assert_eq!(of_another_class.refused(), remains);
    let mut gone = with_placeholder();
    gone.output.remove(document);
    assert_eq!(gone.refused(), "document-missing at (0042,0011)");
    for (tag, value) in [
        (Tag(0x0042, 0x0010), "Report of a patient"),
        (Tag(0x0042, 0x0012), "text/plain"),
        (Tag(0x0042, 0x0014), "application/pdf"),
        (Tag(0x0042, 0x0015), "\u{1}\0\0\0"),
        (Tag(0x0028, 0x0301), "YES"),
    ] {
        let mut case = with_placeholder();
        case.output.put(text(tag, VR::LO, value));
        let detail = case.refused();
        assert!(detail.ends_with(&tag.to_string()), "{detail}");
    }
    let nested = DataSet::from_iter([text(document, VR::OB, "%PDF")]);
    let detail = with(sequence(SEQUENCE, vec![nested]));
    assert_eq!(detail, "document-remains at (0008,1140)[0].(0042,0011)");
}

#[test]
fn former_values_signatures_and_encrypted_attributes_never_pass() {
    for (tag, rule) in [
        (Tag(0x0088, 0x0200), "icon-remains"),
        (Tag(0x0400, 0x0402), "signature-remains"),
        (Tag(0x0400, 0x0403), "signature-remains"),
        (Tag(0x0400, 0x0500), "encrypted-attributes"),
        (Tag(0x0400, 0x0550), "former-values-remain"),
        (Tag(0x0400, 0x0561), "former-values-remain"),
        (Tag(0x4FFE, 0x0001), "signature-remains"),
        (Tag(0xFFFA, 0xFFFA), "signature-remains"),
    ] {
        let stray = sequence(tag, vec![DataSet::new()]);
        assert_eq!(with(stray.clone()), format!("{rule} at {tag}"));
        let nested = with(sequence(SEQUENCE, vec![DataSet::from_iter([stray])]));
        assert_eq!(nested, format!("{rule} at (0008,1140)[0].{tag}"));
    }
    // A site's rule has looked at former values; nothing can look at a cipher.
    for (tag, passes) in [(Tag(0x0400, 0x0561), true), (Tag(0x0400, 0x0500), false)] {
        let mut case = sound();
        let (group, element) = (tag.group(), tag.element());
        case.rules.profile.rules.push(TagRule { group, element, action: Action::Clean });
        case.output.put(sequence(tag, vec![DataSet::new()]));
        assert_eq!(case.verify().is_ok(), passes, "{tag}");
    }
}
