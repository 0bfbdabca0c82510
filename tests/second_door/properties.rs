//! Claims about any header that can be cleaned, checked from outside: through
//! cleaning, writing, the second door and reading back.
//!
//! Method: random data sets, nested, with private blocks and several character
//! sets; the person's values stand in random text too.

use std::collections::{BTreeMap, BTreeSet};

use airlock::clean::metadata::mapped_uid;
use airlock::clean::metadata::table::{self, Cell};
use airlock::config::ProfileOption;
use airlock::dicom::charset::Charset;
use airlock::dicom::vr::{by_dictionary, is_private};
use airlock::dicom::{DataSet, Element, Tag, Uid, VR, Value};
use airlock::pseudonym::UidKey;
use proptest::prelude::*;

use crate::support::header_job::{HeaderJob, SHIFT_DAYS, file, read};

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const DATES: [Tag; 4] =
    [Tag(0x0008, 0x0020), Tag(0x0008, 0x0021), Tag(0x0008, 0x0022), Tag(0x0008, 0x0023)];

/// A person: family name, given name, ID.
#[derive(Debug, Clone)]
struct Person {
    family: String,
    given: String,
    id: String,
}

impl Person {
    fn words(&self) -> [&str; 3] {
        [&self.family, &self.given, &self.id]
    }
}

/// Names that are no words of medicine: nothing else explains them.
fn person() -> impl Strategy<Value = Person> {
    ("Zq[a-z]{5,9}", "Xv[a-z]{5,8}", "[A-Z]{2}-[1-9][0-9]{6}")
        .prop_map(|(family, given, id)| Person { family, given, id })
}

fn charset() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "",
        "ISO_IR 100",
        "ISO_IR 144",
        "ISO_IR 192",
        "GB18030",
        "\\ISO 2022 IR 87",
        "\\ISO 2022 IR 149",
    ])
}

/// Words of reports, some of them beyond ASCII.
fn words() -> impl Strategy<Value = String> {
    let word = proptest::sample::select(vec![
        "left",
        "knee",
        "axial",
        "3mm",
        "t2_tse",
        "contrast",
        "Sch\u{e4}del",
        "\u{433}\u{43e}\u{43b}\u{43e}\u{432}\u{430}",
        "\u{982d}\u{90e8}",
        "\u{ba38}\u{b9ac}",
        "lesion",
        "follow-up",
        "5.0",
        "b1000",
    ]);
    proptest::collection::vec(word, 0..5).prop_map(|words| words.join(" "))
}

fn tag() -> impl Strategy<Value = Tag> {
    let rows: Vec<Tag> = table::rows().map(|row| row.tag).collect();
    prop_oneof![
        2 => proptest::sample::select(rows),
        2 => (0x0008_u16..0x0080, 0x0010_u16..0x2200).prop_map(|(group, number)| Tag(group & !1, number)),
        1 => (any::<u16>(), any::<u16>()).prop_map(|(group, number)| Tag(group, number)),
    ]
    .prop_filter("of the object", |tag| {
        // What the object is and whose, the stamp, pictures, documents, faces.
        let own = [0x0008_0005, 0x0008_0016, 0x0008_0018, 0x0010_0010, 0x0010_0020, 0x0020_000D, 0x0020_000E];
        let number = u32::from(tag.group()) << 16 | u32::from(tag.element());
        !own.contains(&number)
            && !DATES.contains(tag)
            && tag.group() > 0x0007
            && tag.group() < 0x7F00
            && ![0x0012_0062, 0x0012_0063, 0x0012_0064, 0x0028_0301, 0x0028_0302, 0x0042_0011].contains(&number)
    })
}

/// A value that is legal in the VR; text may hold the person's words.
fn value(vr: VR, person: &Person, words: &str, random: u64) -> Vec<u8> {
    let [family, given, id] = person.words();
    let text = match random % 6 {
        0 => format!("{words} {family}"),
        1 => format!("{} {words}", given.to_uppercase()),
        2 => format!("{words} {}", id.replace('-', "")),
        3 => format!("{family}, {given}: {words}"),
        _ => words.to_owned(),
    };
    let number = |limit: u64| (random / 7 % limit).to_string().into_bytes();
    match vr {
        VR::DA => [b"2024010".to_vec(), number(9)].concat(),
        VR::DT => [b"2024020".to_vec(), number(9), b"1015".to_vec()].concat(),
        VR::TM => [b"1015".to_vec(), number(9)].concat().into_iter().take(4).collect(),
        VR::AS => b"045Y".to_vec(),
        VR::DS | VR::IS => number(100_000),
        VR::CS => [b"TERM_".to_vec(), number(99)].concat(),
        VR::UI => [b"1.2.752.99.".to_vec(), number(1 << 40)].concat(),
        VR::AE | VR::UR => b"STORE".to_vec(),
        VR::PN => format!("{family}^{given}").into_bytes(),
        VR::LO | VR::SH | VR::LT | VR::ST | VR::UT | VR::UC => text.into_bytes(),
        VR::UN | VR::OB => text.into_bytes(),
        VR::AT
        | VR::FL
        | VR::FD
        | VR::OD
        | VR::OF
        | VR::OL
        | VR::OV
        | VR::OW
        | VR::SL
        | VR::SQ
        | VR::SS
        | VR::SV
        | VR::UL
        | VR::US
        | VR::UV => random.to_le_bytes().to_vec(),
    }
}

/// What a person types is cleaned; in what an option keeps as it is (a serial
/// number) or a machine makes, a name is refused.
fn may_identify(tag: Tag) -> bool {
    let options =
        [ProfileOption::RetainDeviceIdentity, ProfileOption::RetainPatientCharacteristics];
    let keeps = |row: &table::Row| options.iter().any(|option| row.cell(*option) == Cell::Keep);
    // A profile of colours is kept as it is.
    let is_profile = tag == Tag(0x0028, 0x2000);
    !is_profile && !table::is_machine_text(tag) && !table::row(tag).is_some_and(keeps)
}

fn is_text(vr: VR) -> bool {
    matches!(vr, VR::LO | VR::SH | VR::LT | VR::ST | VR::UT | VR::UC | VR::PN | VR::UN | VR::OB)
}

#[derive(Debug, Clone)]
struct Node {
    tag: Tag,
    words: String,
    random: u64,
    items: Vec<Vec<Node>>,
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = (tag(), words(), any::<u64>()).prop_map(|(tag, words, random)| Node {
        tag,
        words,
        random,
        items: Vec::new(),
    });
    leaf.prop_recursive(4, 40, 6, |inner| {
        let items = proptest::collection::vec(proptest::collection::vec(inner, 0..6), 1..3);
        (tag(), items).prop_map(|(tag, items)| Node { tag, words: String::new(), random: 0, items })
    })
}

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    proptest::collection::vec(node(), 0..14)
}

fn built(nodes: &[Node], person: &Person, charset: &Charset) -> DataSet {
    let mut set = DataSet::new();
    for node in nodes {
        let private = is_private(node.tag);
        if private {
            let block = node.tag.element() >> 8;
            set.put(Element::bytes(Tag(node.tag.group(), block.max(0x10)), VR::LO, "ACME 1.0"));
        }
        let element = if node.items.is_empty() {
            let vr = if private { VR::LO } else { by_dictionary(node.tag, false) };
            // What stays as it is has words of its own: an identifier that is equal to it
            // is refused on purpose.
            let (random, words) = match may_identify(node.tag) {
                true => (node.random, node.words.as_str()),
                false => (5, "acme unit"),
            };
            let bytes = value(vr, person, words, random);
            let text = String::from_utf8(bytes.clone()).ok();
            let encoded = text.and_then(|text| charset.encode(&text));
            let bytes = encoded.unwrap_or(if is_text(vr) { Vec::new() } else { bytes });
            Element::bytes(node.tag, if vr == VR::SQ { VR::UN } else { vr }, bytes)
        } else {
            let items = node.items.iter().map(|item| built(item, person, charset)).collect();
            Element { tag: node.tag, vr: VR::SQ, value: Value::Items(items) }
        };
        set.put(element);
    }
    set
}

/// A whole object around the random elements.
fn object(nodes: &[Node], person: &Person, specific: &str) -> DataSet {
    let mut set = built(nodes, person, &Charset::from_specific(specific.as_bytes()));
    let [family, given, id] = person.words();
    for (group, element, vr, value) in [
        (0x0008, 0x0005, VR::CS, specific),
        (0x0008, 0x0016, VR::UI, CT),
        (0x0008, 0x0018, VR::UI, "1.2.752.99.8.1"),
        (0x0020, 0x000D, VR::UI, "1.2.752.99.8.2"),
        (0x0020, 0x000E, VR::UI, "1.2.752.99.8.3"),
        (0x0010, 0x0010, VR::PN, &format!("{family}^{given}")),
        (0x0010, 0x0020, VR::LO, id),
    ] {
        set.put(Element::bytes(Tag(group, element), vr, value));
    }
    set
}

fn leaves(set: &DataSet, found: &mut Vec<(Tag, Vec<u8>)>) {
    for element in set.iter() {
        for item in element.items().unwrap_or_default() {
            leaves(item, found);
        }
        found.extend(element.as_bytes().map(|bytes| (element.tag, bytes.to_vec())));
    }
}

fn day(text: &[u8]) -> i64 {
    let number = |range: std::ops::Range<usize>| -> i64 {
        std::str::from_utf8(&text[range]).unwrap().parse().unwrap()
    };
    let (year, month, date) = (number(0..4), number(4..6), number(6..8));
    let months = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap = |year: i64| year / 4 - year / 100 + year / 400;
    let this_leap = i64::from(month > 2 && (year % 4 == 0 && year % 100 != 0 || year % 400 == 0));
    year * 365 + leap(year - 1) + months[usize::try_from(month - 1).unwrap()] + date + this_leap
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn cleaned_objects_pass_the_second_door_without_their_person(
        nodes in nodes(), person in person(), specific in charset()
    ) {
        let input = object(&nodes, &person, specific);
        for job in HeaderJob::shipped() {
            let copy = job.run(&input).map_err(|why| TestCaseError::fail(why.to_string()))?;
            let written = file(&copy.set).to_ascii_lowercase();
            for word in person.words() {
                let word = word.to_ascii_lowercase().into_bytes();
                let found = written.windows(word.len()).any(|window| window == word);
                prop_assert!(!found, "{} left under {}", String::from_utf8_lossy(&word), job.profile().name);
            }
        }
    }

    #[test]
    fn the_same_object_gives_the_same_bytes_and_they_read_as_written(
        nodes in nodes(), person in person(), specific in charset()
    ) {
        let input = object(&nodes, &person, specific);
        for job in HeaderJob::shipped() {
            let written = file(&job.clean(&input).unwrap().set);
            prop_assert_eq!(&written, &file(&job.clean(&input).unwrap().set));
            let again = read(&written).unwrap();
            prop_assert_eq!(again.notes, Default::default());
            prop_assert_eq!(file(&again.set), written);
        }
    }

    #[test]
    fn unknown_private_elements_never_pass(
        nodes in nodes(), person in person(), group in 0x0009_u16..0x7000, block in 0x10_u16..0x100,
        creator in "[A-Z][A-Za-z ]{2,12}", low in any::<u8>(), depth in 0_usize..4
    ) {
        let group = group | 1;
        let mut set = DataSet::from_iter([
            Element::bytes(Tag(group, block), VR::LO, creator.as_str()),
            Element::bytes(Tag(group, block << 8 | u16::from(low)), VR::LO, "anything"),
        ]);
        for _ in 0..depth {
            let tag = Tag(0x0008, 0x1140);
            set = DataSet::from_iter([Element { tag, vr: VR::SQ, value: Value::Items(vec![set]) }]);
        }
        let mut input = object(&nodes, &person, "");
        set.iter().for_each(|element| drop(input.put(element.clone())));
        for job in HeaderJob::shipped() {
            let mut found = Vec::new();
            leaves(&job.clean(&input).unwrap().set, &mut found);
            prop_assert!(found.iter().all(|(tag, _)| !is_private(*tag)));
        }
    }

    #[test]
    fn intervals_stay_under_modified_dates(
        person in person(), days in proptest::array::uniform4((1990_i64..2030, 1_i64..13, 1_i64..29)), time in "[01][0-9][0-5][0-9]"
    ) {
        let mut input = object(&[], &person, "");
        let text = days.map(|(year, month, date)| format!("{year:04}{month:02}{date:02}"));
        for (tag, text) in DATES.iter().zip(&text) {
            input.put(Element::bytes(*tag, VR::DA, text.as_str()));
        }
        let date_time = Tag(0x0008, 0x002A);
        input.put(Element::bytes(date_time, VR::DT, format!("{}{time}", text[0])));
        let [_basic, tcia] = HeaderJob::shipped();
        let clean = tcia.run(&input).map_err(|why| TestCaseError::fail(why.to_string()))?.set;
        for (tag, text) in DATES.iter().zip(&text) {
            let moved = day(clean.get(*tag).unwrap().as_bytes().unwrap());
            prop_assert_eq!(moved - day(text.as_bytes()), i64::from(SHIFT_DAYS));
        }
        let moved = clean.get(date_time).unwrap().as_bytes().unwrap();
        prop_assert_eq!(day(moved) - day(text[0].as_bytes()), i64::from(SHIFT_DAYS));
        prop_assert_eq!(&moved[8..12], time.as_bytes());
    }

    #[test]
    fn uids_are_mapped_one_to_one_and_the_same_everywhere(
        person in person(), uids in proptest::collection::btree_set("1\\.2\\.[1-9][0-9]{0,20}\\.[1-9][0-9]{0,12}", 2..12)
    ) {
        let key = UidKey([7; 32]);
        let mapped: BTreeMap<&String, String> = uids.iter().map(|uid| (uid, mapped_uid(&key, uid))).collect();
        prop_assert_eq!(mapped.values().collect::<BTreeSet<_>>().len(), uids.len());
        prop_assert!(mapped.values().all(|uid| uid.parse::<Uid>().is_ok()));
        let reference = |uid: &String| DataSet::from_iter([Element::bytes(Tag(0x0008, 0x1155), VR::UI, uid.as_str())]);
        let mut input = object(&[], &person, "");
        input.put(Element::bytes(Tag(0x0008, 0x0018), VR::UI, uids.first().unwrap().as_str()));
        let items = uids.iter().map(reference).collect();
        input.put(Element { tag: Tag(0x0008, 0x1140), vr: VR::SQ, value: Value::Items(items) });
        for job in HeaderJob::shipped() {
            let clean = job.run(&input).map_err(|why| TestCaseError::fail(why.to_string()))?.set;
            let first = clean.ascii(Tag(0x0008, 0x0018)).unwrap();
            prop_assert_eq!(first, &mapped[uids.first().unwrap()]);
            let items = clean.get(Tag(0x0008, 0x1140)).and_then(Element::items).unwrap();
            for (item, uid) in items.iter().zip(&uids) {
                prop_assert_eq!(item.ascii(Tag(0x0008, 0x1155)).unwrap(), &mapped[uid]);
            }
        }
    }
}
