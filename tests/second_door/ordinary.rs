//! Objects of people whose names and numbers are ordinary words and numbers go
//! through: a false alarm makes the second door useless.
//!
//! Method: headers from a printed seed in which the words of names, places and IDs
//! stand elsewhere too, as what they mean there: terms, makers, protocols, counts.

use airlock::dicom::{DataSet, Element, Tag, VR, Value};

use crate::support::header_job::HeaderJob;
use crate::support::mutate::Random;

const SEED: u64 = 20_261_128;
const OBJECTS: u64 = 1_500;
/// Under one in a thousand.
const REFUSED_MAX: usize = 1;

const FAMILIES: &[&str] = &[
    "Young",
    "Hill",
    "Grant",
    "Li",
    "Head",
    "Chest",
    "Stone",
    "MAY",
    "Perfusion",
    "PERFUSION",
    "Field",
    "Long",
    "Short",
    "Page",
    "Strong",
    "Rich",
    "Cross",
    "Day",
    "Foot",
    "Hand",
    "Back",
    "Dixon",
    "Blade",
    "Bravo",
    "Wood",
    "White",
    "Black",
    "Brown",
    "Green",
    "Gray",
    "King",
    "West",
    "Mark",
    "Baker",
    "Murphy",
    "Hodgkin",
    "Simpson",
    "Bell",
    "Cook",
    "Rose",
    "An",
    "Lee",
    "Max",
    "Low",
    "Best",
    "Small",
    "Little",
    "Ball",
    "Wall",
    "Marsh",
    "Canon",
    "Philips",
    "Siemens",
    "Axial",
    "Brain",
    "Flair",
    "Norm",
    "Contrast",
    "Volume",
    "Series",
    "Primary",
    "Sense",
    "Doppler",
    "Iris",
    "Neck",
    "Spine",
    "Love",
    "Post",
    "Pre",
    "Test",
    "Echo",
    "Speed",
    "Power",
    "Gain",
    "Cardiac",
];
const GIVEN: &[&str] = &[
    "Rose", "Mark", "Long", "An", "Grace", "APRIL", "June", "May", "Jo", "Lance", "Art", "Ray",
    "Iris", "Penny", "Hope", "Max", "Head", "", "Gene", "Will", "Pat", "Rob", "Sandy", "Dale",
    "Jean", "Tim", "Q", "Field", "X", "Gray", "Axel", "Normal", "Basil", "Scout", "Bolus",
];
const IDS: &[&str] = &[
    "12", "2024", "1000", "512", "1", "007", "64", "3000", "120", "20240131", "100", "T2", "CT1",
    "0815", "113100", "2.0", "1.5", "T1W", "99", "5.0", "10 20", "HEAD1", "A1", "256", "16384",
    "88", "4711",
];
const PLACES: &[&str] = &[
    "General",
    "Radiology",
    "Philips",
    "General Hospital",
    "Head Clinic",
    "University",
    "Siemens",
    "Canon",
    "Chest Center",
    "St. Mary",
    "Imaging",
    "Medical Systems",
    "Long Street Clinic",
    "GE",
    "Perfusion Center",
    "Neck and Spine Institute",
    "The Volume Clinic",
    "Stone Hill",
];
const STATIONS: &[&str] =
    &["CT1", "MR", "HEAD", "AXIAL", "GEMS", "SIEMENS", "ROOM2", "1", "CT99", "PERFUSION"];
const ACCESSIONS: &[&str] =
    &["1000", "512", "2000", "12", "120", "3", "64", "20240101", "1", "99999", "A1", "65536"];
const DATES: &[&str] = &[
    "20240131", "20231222", "20240311", "20231113", "20240420", "19000101", "20240101", "20231122",
    "",
];
const BIRTHS: &[&str] =
    &["19440131", "20240131", "19000101", "", "20231222", "19900101", "1956", "19560000"];

const IMAGE_TYPES: &[&str] = &[
    "ORIGINAL\\PRIMARY\\AXIAL",
    "DERIVED\\PRIMARY\\PERFUSION",
    "ORIGINAL\\PRIMARY\\M\\NORM\\DIS2D",
    "DERIVED\\SECONDARY\\MPR",
    "ORIGINAL\\PRIMARY\\DIXON\\WATER",
    "ORIGINAL\\PRIMARY\\VOLUME\\NONE",
    "ORIGINAL\\PRIMARY\\FIELD_MAP\\NONE",
    "DERIVED\\PRIMARY\\SENSE",
];
const PARTS: &[&str] = &[
    "HEAD",
    "CHEST",
    "NECK",
    "SPINE",
    "HAND",
    "FOOT",
    "BRAIN",
    "ABDOMEN",
    "WHOLEBODY",
    "IRIS",
    "LSPINE",
];
const MAKERS: &[&str] = &[
    "SIEMENS",
    "Philips Medical Systems",
    "GE MEDICAL SYSTEMS",
    "Canon Medical Systems",
    "Siemens Healthineers",
];
const MODELS: &[&str] = &[
    "Ingenuity Core 128",
    "Optima CT660",
    "Aquilion ONE",
    "Vida 2024",
    "SOMATOM Force",
    "Power 1000",
];
const SOFTWARES: &[&str] =
    &["syngo CT 2012B", "2024.1", "5.1.24", "VB10\\R 1000", "V 12.0 2024", "1.5\\2.0", "3000"];
const DESCRIPTIONS: &[&str] = &[
    "HEAD W/O CONTRAST",
    "Chest PA",
    "t2_tse_cor 3mm",
    "P4^P101^S108^I0",
    "ROUTINE BRAIN 5.0",
    "mark 2 of 3",
    "post contrast, long axis",
    "Baker cyst",
    "Hill-Sachs lesion",
    "Hodgkin staging",
    "b1000 ADC",
    "VOLUME 1000",
    "young child protocol",
    "may be artefact",
    "2024 protocol",
    "grace run",
    "Dixon water",
    "stone protocol low dose",
    "Speed 12",
    "Short axis SENSE",
    "an echo",
    "hand, rose thorn",
    "NECK 120 kV 512",
    "Murphy sign",
];
const KERNELS: &[&str] = &["STANDARD", "B30f", "LUNG", "FC13-H", "Hr40", "SOFT", "BONE"];
const SEQUENCES: &[&str] = &["SE", "GR", "EP", "IR"];
const COILS: &[&str] = &["HEAD", "Neck_20", "Body 18", "Spine 32", "HEAD-1000"];
const CODES: &[(&str, &str, &str)] = &[
    ("69536005", "SCT", "Head"),
    ("51185008", "SCT", "Chest"),
    ("T-D1100", "SRT", "Head"),
    ("113100", "DCM", "Basic"),
    ("255549009", "SCT", "Long"),
    ("1000", "99ACME", "Perfusion"),
    ("24028007", "SCT", "Right"),
    ("12", "99ACME", "Field"),
];

fn leaf(group: u16, element: u16, vr: VR, value: &str) -> Element {
    Element::bytes(Tag(group, element), vr, value)
}

fn code(random: &mut Random) -> DataSet {
    let (value, scheme, meaning) = random.pick(CODES);
    DataSet::from_iter([
        leaf(0x0008, 0x0100, VR::SH, value),
        leaf(0x0008, 0x0102, VR::SH, scheme),
        leaf(0x0008, 0x0104, VR::LO, meaning),
    ])
}

fn object(random: &mut Random, number: u64) -> DataSet {
    let mut pick = |list: &[&'static str]| *random.pick(list);
    let uid = |last: u32| format!("1.2.752.99.{number}.{last}");
    let name = format!("{}^{}", pick(FAMILIES), pick(GIVEN));
    let mut set = DataSet::from_iter([
        leaf(0x0008, 0x0008, VR::CS, pick(IMAGE_TYPES)),
        leaf(
            0x0008,
            0x0016,
            VR::UI,
            pick(&["1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"]),
        ),
        leaf(0x0008, 0x0018, VR::UI, &uid(1)),
        leaf(0x0008, 0x0020, VR::DA, pick(DATES)),
        leaf(0x0008, 0x0021, VR::DA, pick(DATES)),
        leaf(0x0008, 0x0022, VR::DA, pick(DATES)),
        leaf(0x0008, 0x0030, VR::TM, pick(&["101500", "120000.25", "1000", ""])),
        leaf(0x0008, 0x0050, VR::SH, pick(ACCESSIONS)),
        leaf(0x0008, 0x0060, VR::CS, pick(&["CT", "MR"])),
        leaf(0x0008, 0x0070, VR::LO, pick(MAKERS)),
        leaf(0x0008, 0x0080, VR::LO, pick(PLACES)),
        leaf(0x0008, 0x0090, VR::PN, pick(FAMILIES)),
        leaf(0x0008, 0x1010, VR::SH, pick(STATIONS)),
        leaf(0x0008, 0x1030, VR::LO, pick(DESCRIPTIONS)),
        leaf(0x0008, 0x103E, VR::LO, pick(DESCRIPTIONS)),
        leaf(0x0008, 0x1040, VR::LO, pick(PLACES)),
        leaf(0x0008, 0x1090, VR::LO, pick(MODELS)),
        leaf(0x0010, 0x0010, VR::PN, &name),
        leaf(0x0010, 0x0020, VR::LO, pick(IDS)),
        leaf(0x0010, 0x0030, VR::DA, pick(BIRTHS)),
        leaf(0x0010, 0x0040, VR::CS, pick(&["M", "F", "O"])),
        leaf(0x0010, 0x1010, VR::AS, pick(&["045Y", "092Y", "", "012M"])),
        leaf(0x0018, 0x0015, VR::CS, pick(PARTS)),
        leaf(0x0018, 0x0020, VR::CS, pick(SEQUENCES)),
        leaf(0x0018, 0x0024, VR::SH, pick(&["*tfl3d1", "BRAVO", "epfid2d1_128", "*se2d1"])),
        leaf(0x0018, 0x0050, VR::DS, pick(&["5", "1.5", "0.625", "12"])),
        leaf(0x0018, 0x0080, VR::DS, pick(&["2000", "512", "3000", "1000.0"])),
        leaf(0x0018, 0x1020, VR::LO, pick(SOFTWARES)),
        leaf(0x0018, 0x1030, VR::LO, pick(DESCRIPTIONS)),
        leaf(0x0018, 0x1151, VR::IS, pick(&["120", "64", "1000", "256"])),
        leaf(0x0018, 0x1210, VR::SH, pick(KERNELS)),
        leaf(0x0018, 0x1250, VR::SH, pick(COILS)),
        leaf(0x0018, 0x5100, VR::CS, pick(&["HFS", "FFP"])),
        leaf(0x0020, 0x000D, VR::UI, &uid(2)),
        leaf(0x0020, 0x000E, VR::UI, &uid(3)),
        leaf(0x0020, 0x0010, VR::SH, pick(ACCESSIONS)),
        leaf(0x0020, 0x0011, VR::IS, pick(&["1", "12", "1000", "2024", "64"])),
        leaf(0x0020, 0x0013, VR::IS, pick(&["1", "12", "88", "512"])),
        leaf(0x0020, 0x0060, VR::CS, pick(&["L", "R"])),
        leaf(0x0020, 0x4000, VR::LT, pick(DESCRIPTIONS)),
        Element::bytes(Tag(0x0028, 0x0010), VR::US, 512_u16.to_le_bytes()),
    ]);
    let items = Value::Items(vec![code(random), code(random)]);
    set.put(Element { tag: Tag(0x0008, 0x2218), vr: VR::SQ, value: items });
    set
}

#[test]
fn ordinary_words_and_numbers_raise_no_false_alarm() {
    println!("seed {SEED}, {OBJECTS} objects");
    for job in HeaderJob::shipped() {
        let mut refused = Vec::new();
        for number in 0..OBJECTS {
            let mut random = Random::new(SEED, number);
            if let Err(why) = job.run(&object(&mut random, number)) {
                refused.push(format!("object {number}: {why}"));
            }
        }
        let (name, count) = (&job.profile().name, refused.len());
        println!("{name}: {count} of {OBJECTS} refused");
        assert!(count <= REFUSED_MAX, "{name}: {count}\n{}", refused.join("\n"));
    }
}
