//! Whether a volume shows a head, from whose surface a face can be rendered.
//!
//! Body part, region codes and, where both are silent, the words of the
//! descriptions. Slices thin enough for a face are not asked for: how thin that
//! is nobody knows, and a project says for all of them what it wants.

use super::items;
use crate::dicom::charset::Charset;
use crate::dicom::{DataSet, Element, Tag, VR};

const MODALITY: Tag = Tag(0x0008, 0x0060);
const CODE_VALUE: Tag = Tag(0x0008, 0x0100);
const CODE_MEANING: Tag = Tag(0x0008, 0x0104);
const ANATOMIC_REGIONS: Tag = Tag(0x0008, 0x2218);
const BODY_PART: Tag = Tag(0x0018, 0x0015);
const FRAME_ANATOMY: Tag = Tag(0x0020, 0x9071);
const SHARED_GROUPS: Tag = Tag(0x5200, 0x9229);
const FRAME_GROUPS: Tag = Tag(0x5200, 0x9230);
const PIXEL_DATA: Tag = Tag(0x7FE0, 0x0010);

/// Study, series, protocol, procedures, in this order.
const DESCRIPTIONS: [Tag; 5] = [
    Tag(0x0008, 0x1030),
    Tag(0x0008, 0x103E),
    Tag(0x0018, 0x1030),
    Tag(0x0032, 0x1060),
    Tag(0x0040, 0x0254),
];

/// CT and MR; renderings of them stay so in a secondary capture.
const MODALITIES: [&str; 2] = ["CT", "MR"];
/// X-Ray 3D Angiographic and Craniofacial: cone-beam CT.
const CONE_BEAM_CLASSES: [&str; 2] =
    ["1.2.840.10008.5.1.4.1.1.13.1.1", "1.2.840.10008.5.1.4.1.1.13.1.2"];

/// Body parts of a head (PS3.16 Table L-1), written together. "Whole body"
/// has one.
const BODY_PARTS: [&str; 27] = [
    "HEAD",
    "HEADNECK",
    "HEADANDNECK",
    "NECKANDHEAD",
    "BRAIN",
    "SKULL",
    "SKULLBASE",
    "CRANIUM",
    "FACE",
    "FACIALBONES",
    "ORBIT",
    "ORBITS",
    "EYE",
    "EYES",
    "EAR",
    "IAC",
    "JAW",
    "MANDIBLE",
    "MAXILLA",
    "MAXILLOFACIAL",
    "NOSE",
    "NASALBONE",
    "SINUS",
    "SINUSES",
    "SELLA",
    "TMJ",
    "WHOLEBODY",
];
/// Body parts that say nothing.
const NO_BODY_PARTS: [&str; 5] = ["", "UNKNOWN", "OTHER", "NONE", "UNDEFINED"];

/// Regions of a head: SNOMED CT, then the codes that SNOMED RT had for them
/// (PS3.16 CID 4, CID 4031).
const REGION_CODES: [&str; 34] = [
    "69536005",
    "12738006",
    "89546000",
    "89545001",
    "91397008",
    "363654007",
    "81745001",
    "371398005",
    "117590005",
    "774007",
    "70925003",
    "91609006",
    "661005",
    "2095001",
    "361078006",
    "42575006",
    "53620006",
    "45206002",
    "74386004",
    "13881006",
    "59066005",
    "1101003",
    "113305005",
    "128320002",
    "38266002",
    "56329008",
    "T-D1100",
    "T-A0100",
    "T-11100",
    "T-D1200",
    "T-D1480",
    "T-D1000",
    "T-AA000",
    "T-D0010",
];

/// Words for a head, without accents: English, German, French, Spanish,
/// Italian, Portuguese, Dutch, Scandinavian, and what is done only to heads.
const WORDS: [&str; 66] = [
    "HEAD",
    "HEADNECK",
    "BRAIN",
    "SKULL",
    "FACE",
    "FACIAL",
    "MAXILLOFACIAL",
    "CRANIUM",
    "CRANIAL",
    "CRANIO",
    "CEREBRAL",
    "CEREBRUM",
    "CEREBELLUM",
    "NEURO",
    "NEUROCRANIUM",
    "ORBIT",
    "ORBITS",
    "ORBITA",
    "SELLA",
    "PITUITARY",
    "SINUS",
    "SINUSES",
    "PARANASAL",
    "MASTOID",
    "TEMPORALBONE",
    "IAC",
    "TMJ",
    "JAW",
    "MANDIBLE",
    "MAXILLA",
    "STROKE",
    "MPRAGE",
    "FLAIR",
    "CCT",
    "CMRT",
    "KOPF",
    "SCHADEL",
    "SCHAEDEL",
    "GEHIRN",
    "HIRN",
    "GESICHT",
    "HYPOPHYSE",
    "NNH",
    "TETE",
    "CRANE",
    "CERVEAU",
    "ENCEPHALE",
    "CEREBRALE",
    "VISAGE",
    "CABEZA",
    "CEREBRO",
    "CRANEO",
    "ENCEFALO",
    "CARA",
    "TESTA",
    "CERVELLO",
    "CABECA",
    "CEREBRAIS",
    "HOOFD",
    "HERSENEN",
    "SCHEDEL",
    "HUVUD",
    "HJARNA",
    "HODE",
    "HJERNE",
    "WHOLEBODY",
];

/// A picture of a kind that faces are rendered from.
pub(super) fn is_volume(set: &DataSet, class: &str) -> bool {
    let modality = set.ascii(MODALITY).unwrap_or_default();
    let has_pixels = set.get(PIXEL_DATA).is_some_and(|element| !element.is_empty());
    has_pixels && (MODALITIES.contains(&modality) || CONE_BEAM_CLASSES.contains(&class))
}

/// Where a head was found, for a detail. Where nothing at all says what is
/// shown, a head is as likely as anything.
pub(super) fn found_in(set: &DataSet) -> Option<String> {
    let stated = set.ascii(BODY_PART).unwrap_or_default().to_ascii_uppercase();
    let part: String = stated.chars().filter(char::is_ascii_alphanumeric).collect();
    if BODY_PARTS.contains(&part.as_str()) {
        return Some(format!("{BODY_PART}: a head"));
    }
    let regions = regions(set);
    if regions.iter().any(|region| is_head(region, set)) {
        return Some(format!("{ANATOMIC_REGIONS}: a head"));
    }
    if !NO_BODY_PARTS.contains(&part.as_str()) || !regions.is_empty() {
        return None;
    }
    let charset = Charset::of(set);
    let described = DESCRIPTIONS.iter().filter_map(|tag| set.get(*tag));
    let texts: Vec<(Tag, String)> =
        described.map(|element| (element.tag, words_of(element, &charset))).collect();
    if texts.iter().all(|(_, text)| text.trim().is_empty()) {
        return Some(format!("{BODY_PART}: nothing says what is shown"));
    }
    let named = texts.iter().find(|(_, text)| names_a_head(text));
    named.map(|(tag, _)| format!("{tag}: a head"))
}

fn is_head(region: &DataSet, set: &DataSet) -> bool {
    let code = region.ascii(CODE_VALUE).unwrap_or_default();
    let meaning = region.get(CODE_MEANING);
    REGION_CODES.contains(&code)
        || meaning.is_some_and(|element| names_a_head(&words_of(element, &Charset::of(set))))
}

/// Region codes of the object, of all frames, of the first frame.
fn regions(set: &DataSet) -> Vec<DataSet> {
    let below = |set: &DataSet, tag| set.get(tag).and_then(items).unwrap_or_default().into_owned();
    let mut found = below(set, ANATOMIC_REGIONS);
    let groups = [below(set, SHARED_GROUPS), below(set, FRAME_GROUPS)];
    let first = groups.iter().filter_map(|items| items.first());
    for anatomy in first.flat_map(|group| below(group, FRAME_ANATOMY)) {
        found.extend(below(&anatomy, ANATOMIC_REGIONS));
    }
    found
}

fn words_of(element: &Element, charset: &Charset) -> String {
    element.as_bytes().map(|bytes| charset.decode(bytes, VR::LO).text).unwrap_or_default()
}

fn names_a_head(text: &str) -> bool {
    use unicode_normalization::UnicodeNormalization as _;
    let plain: String = text.nfd().filter(char::is_ascii).collect::<String>().to_ascii_uppercase();
    let words: Vec<&str> = plain
        .split(|letter: char| !letter.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
        .collect();
    let together = words.windows(2).any(|pair| matches!(pair, ["WHOLE", "BODY"]));
    together || words.iter().any(|word| WORDS.contains(word))
}
