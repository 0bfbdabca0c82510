//! Forms that show identity whoever it is: dates, times of day, identifiers,
//! telephone numbers, addresses, labels such as `DOB`, titles before names.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use regex::Regex;

use super::Span;
use super::needs::{Held, Needs};
use crate::clean::report::TextReason;

/// Most texts whose forms are remembered. Default 1,024: a series repeats the
/// same twenty in every slice. Longer texts are looked at each time.
const REMEMBERED_MAX: usize = 1_024;
const REMEMBERED_BYTES_MAX: usize = 256;

/// A form. It is compiled when the first text comes that can match it.
struct Pattern {
    reason: TextReason,
    source: String,
    needs: Needs,
    regex: OnceLock<Regex>,
}

impl Pattern {
    fn new(reason: TextReason, source: String) -> Self {
        let needs = Needs::of(&source);
        Self { reason, source, needs, regex: OnceLock::new() }
    }

    fn regex(&self) -> &Regex {
        self.regex.get_or_init(|| compiled(&self.source))
    }
}

/// Month names and their abbreviations in languages whose carts are common.
const MONTH: &str = "(?:jan(?:uary|uar|vier)?|feb(?:ruary|ruar)?|f[eé]v(?:rier)?|mar(?:ch|s|zo)?|m[aä]rz?|\
    apr(?:il)?|avr(?:il)?|abr(?:il)?|may|mai|maggio|mayo|jun[ei]?|juin|giu(?:gno)?|jul[iy]?|juil(?:let)?|lug(?:lio)?|\
    aug(?:ust)?|ao[uû]t|ago(?:sto)?|sep(?:t|tember|tembre)?|o[ck]t(?:ober|obre)?|ott(?:obre)?|nov(?:ember|embre)?|\
    de[cz](?:ember)?|d[eé]c(?:embre)?|dic(?:embre|iembre)?)";

/// The value after a label: groups of digits, or one word; a colon, comma or
/// bracket ends it.
const VALUE: &str = r"(?:\d[\d/.-]*(?:\s\d[\d/.-]*){0,3}|[^\s:;,()]+)";
/// The person after a label: two words of any case, and capitalised ones after
/// them; the judge takes clinical words at the end out again.
const PERSON: &str = r"[^\s:;()]+(?:\s+[^\s:;()]+)?(?:\s+(?-i:\p{Lu})[\p{L}'’.-]*){0,2}";

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    use TextReason::{Contact, Date, Identifier, Labelled, Name, Place, Time};
    let sources = [
        // 14/03/1967, 1967-03-14, 14.3.67, 14 03 1967; a digit may be read as a letter.
        (Date, r"(?i)\b[0-9oil]{1,2}\s?[-/.]\s?[0-9oil]{1,2}\s?[-/.]\s?[0-9oil]{2,4}\b".to_owned()),
        (Date, r"(?i)\b(?:19|20|l9|2o)[0-9oil]{2}\s?[-/.]\s?[0-9oil]{1,2}\s?[-/.]\s?[0-9oil]{1,2}".to_owned()),
        (Date, r"\b(?:0[1-9]|[12]\d|3[01]) (?:0[1-9]|1[0-2]) (?:19|20)\d\d\b".to_owned()),
        // 19670314 and 14031967
        (Date, r"\b(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{6})?\b".to_owned()),
        (Date, r"\b(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d\b".to_owned()),
        // 14-MAR-1967, 14 March 67, Mar 14, 1967, MAR 1967
        (Date, format!(r"(?i)\b\d{{1,2}}(?:st|nd|rd|th|\.)?[-/.,\s]{{0,2}}{MONTH}\.?(?:[-/.,\s]{{0,2}}\d{{2,4}})?\b")),
        (Date, format!(r"(?i)\b{MONTH}\.?[-/.,\s]{{0,2}}\d{{1,2}}(?:st|nd|rd|th)?(?:[-/.,\s]{{1,2}}\d{{2,4}})\b")),
        (Date, format!(r"(?i)\b{MONTH}\.?[-/.,\s]{{0,2}}(?:19|20)\d\d\b")),
        (Date, r"\d{2,4}\s?年\s?\d{1,2}\s?月(?:\s?\d{1,2}\s?日)?".to_owned()),
        (Time, r"(?i)\b(?:[01]?\d|2[0-3])[:h][0-5]\d(?:\s?[:.]\s?[0-5]\d)?(?:\s?[ap]\.?m\b)?".to_owned()),
        // Recognition may put a blank beside the colon; `Lesion 1: 14 mm` is no time.
        (Time, r"(?i)\b(?:[01]\d|2[0-3])\s?:\s?[0-5]\d(?:\s?[:.]\s?[0-5]\d)?(?:\s?[ap]\.?m\b)?".to_owned()),
        (Time, r"(?i)\b(?:1[0-2]|0?[1-9])\s?[ap]\.?m\b".to_owned()),
        (Contact, r"(?i)[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,}".to_owned()),
        (Contact, r"(?i)\b(?:https?://|www\.)\S+".to_owned()),
        (Contact, r"(?:\+|\b00)\d[\d\s().-]{6,18}\d".to_owned()),
        (Contact, r"\(\d{2,5}\)\s?\d[\d\s.-]{4,12}\d".to_owned()),
        (Contact, r"\b\d{3}[-.\s]\d{3}[-.\s]\d{4}(?:\s?x\s?\d+)?\b".to_owned()),
        (Contact, r"\b0\d{1,4}[-/\s]\d{3,4}[-\s]?\d{2,4}\b".to_owned()),
        // Street addresses.
        (Contact, r"(?i)\b\d{1,5}[a-z]?\s+(?:\p{L}[\p{L}.'-]*\s+){1,3}(?:street|st|road|rd|avenue|ave|lane|ln|drive|drv|boulevard|blvd|square|court|way|terrace|parkway|pkwy|highway|hwy)\b\.?(?:,?\s+(?-i:\p{Lu})[\p{L}'’.-]+){0,3}(?:,?\s+\d{4,5})?".to_owned()),
        (Contact, r"(?i)\b\p{L}+(?:stra(?:ss|ß)e|str\.|weg|gasse|platz|allee)\s*\d*\b".to_owned()),
        (Contact, r"(?i)\b\d{1,4},?\s+(?:rue|avenue|boulevard|place|chemin|via|calle|piazza)\s+[\p{L}\s'-]{3,30}".to_owned()),
        // Identifiers by their form.
        (Identifier, r"\b\d{3}-\d{2}-\d{4}\b".to_owned()),
        (Identifier, r"\b\d(?:[\d\s-]{4,}\d)\b".to_owned()),
        (Identifier, r"(?i)\b(?:[a-z]{1,5}[-#]?\d{5,}|\d{5,}[a-z]{1,3})\b".to_owned()),
        (Identifier, r"(?i)\b[a-z]{2,5}[-_]\d{2,}[-_]\d{2,}\b".to_owned()),
        (Identifier, r"\b[0-2](?:\.\d+){5,}\b".to_owned()),
        // A label of a number or date, and the value after it.
        (Labelled, format!(r"(?i)\b(?:d\.?o\.?b|date of birth|birth\s?date|born|geb(?:oren|\.)?|né[e]? le|mrn|m\.r\.n|acc(?:ession)?(?:\s?(?:no|nr|num(?:ber)?))?|(?:patient|pat\.?)\s?(?:id|no|nr)|pid|p[il]d|nhs(?:\s?no)?|ssn|case\s?(?:no|id|nr)|visit\s?(?:no|id)|admission(?:\s?id)?|encounter(?:\s?id)?|order\s?(?:no|id)|insurance(?:\s?(?:no|id))?)\b\s?[:#.=]*\s*{VALUE}")),
        (Labelled, format!(r"(?i)(?:^|\s)(?:id|no|nr)\s?[:#]\s*{VALUE}")),
        // A label of a person, and the words after it.
        (Labelled, format!(r"(?i)\b(?:patient(?:\s?name)?|pat(?:\.|\s?name)|name)\s?[:#=]\s*{PERSON}")),
        (Labelled, format!(r"(?i)\bpatient\s+(?:name\s+)?(?-i:\p{{Lu}}){PERSON}")),
        (Labelled, format!(r"(?i)\b(?:ref(?:erring|erred)?(?:\s?(?:phys(?:ician)?|dr|by))?|phys(?:ician)?|operator|oper|op|tech(?:nologist)?|sonographer|sono|radiologist|performed by|reported by|read by|attending|requested by|physicist|nurse|consultant|surgeon)\b\s?[:.=]\s*{PERSON}")),
        (Labelled, r"(?i)\b(?:performed by|reported by|read by|requested by|referred by|dictated by|signed by|reviewed by|verified by)\s+\S+(?:\s+\p{Lu}\S*)*".to_owned()),
        (Labelled, r"(?i)\b(?:tel|phone|ph|fax|mobile|cell|call|pager|contact)\b\s?[:.=]?\s*[+(\d][\d\s().+-]*\d".to_owned()),
        (Labelled, format!(r"(?i)\b(?:addr(?:ess)?|e-?mail)\b\s?[:.=]\s*{PERSON}")),
        // A title before a name.
        (Name, r"\b(?:[Dd][Rr]|DR|[Mm]rs?|MRS|[Mm]s|[Mm]iss|[Pp]rof(?:essor)?|[Dd]octor|Herr|Frau|Fr|Mme|Mlle|Sr[ta]?|Sig(?:\.ra|ra)?|Dott|Sister|Nurse)\b\.?\s+(?:\p{L}\.\s?)*\p{Lu}[\p{L}'’-]*(?:[\s,]+(?:\p{Lu}\.?\s|(?:de|van|von|der|la|le|di|da|bin|al)\s)*\p{Lu}[\p{L}'’-]+){0,3}".to_owned()),
        // FAMILY^GIVEN, and Family, G.
        (Name, r"\b\p{L}[\p{L}'’ -]*\^[\p{L}'’.^ -]*".to_owned()),
        (Name, r"\b\p{Lu}[\p{L}'’-]+,\s?\p{Lu}\.(?:\s?\p{Lu}\.)?".to_owned()),
        (Name, r"\b\p{Lu}[\p{L}'’-]+(?:\s\p{Lu}[\p{L}'’-]+){0,2},?\s(?:MD|M\.D\.|PhD|FRCR|RDMS|RDCS|RVT|RT\(R\)|DO)\b".to_owned()),
        // Institutions.
        (Place, r"(?i)\b(?:[\p{L}'’.-]+\s){0,4}(?:hospitals?|hosp|clinics?|clinique|klinik(?:um)?|krankenhaus|spital|h[oô]pital|ospedale|hospital|infirmary|sanatorium|medical (?:center|centre|group)|health (?:center|centre|system|care)|healthcare|universit\p{L}*|institut[eo]?|praxis|polyclinic|surgery center|imaging (?:center|centre|associates)|radiology (?:associates|group|partners))\b(?:\s(?:of|de|del|di|du|für|for|at|the|la|st\.?|and|\p{Lu}[\p{L}'’.-]+))*".to_owned()),
        (Place, r"(?:医院|病院|診療所|クリニック|병원|의원|больница|клиника)".to_owned()),
    ];
    sources.into_iter().map(|(reason, source)| Pattern::new(reason, source)).collect()
});

#[allow(clippy::expect_used, reason = "constant patterns, each compiled by a test")]
fn compiled(source: &str) -> Regex {
    Regex::new(source).expect("constant pattern")
}

/// All ranges of `text` whose form shows identity.
///
/// The same text gives the same ranges, so that what was found before is
/// remembered; it says nothing of whose data set the text stood in.
pub(super) fn find(text: &str) -> Vec<Span> {
    static REMEMBERED: LazyLock<Mutex<HashMap<String, Vec<Span>>>> = LazyLock::new(Mutex::default);
    if text.len() > REMEMBERED_BYTES_MAX {
        return search(text);
    }
    let remembered = || REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = remembered().get(text) {
        return found.clone();
    }
    let found = search(text);
    let mut remembered = remembered();
    if remembered.len() >= REMEMBERED_MAX {
        remembered.clear();
    }
    remembered.insert(text.to_owned(), found.clone());
    found
}

fn search(text: &str) -> Vec<Span> {
    let held = Held::of(text);
    let mut found = Vec::new();
    for pattern in PATTERNS.iter().filter(|pattern| pattern.needs.may_be_met(held)) {
        for hit in pattern.regex().find_iter(text) {
            found.push(Span { range: hit.range(), reason: pattern.reason });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text that is passed over by what a pattern needs is one that it does not match.
    #[test]
    fn no_pattern_matches_what_it_is_kept_from() {
        // Linear congruential, by a seed that stands here.
        let mut state = 20_261_128_u32;
        let mut draw = |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            usize::try_from(state >> 8).unwrap() % below
        };
        let parts = [
            "14",
            "/03/",
            "1967",
            "-",
            "MAR",
            " ",
            "dr",
            "Dr. ",
            "Smith",
            "hospital",
            "St. Mary ",
            ":",
            "mrn",
            "name",
            "@",
            "x.org",
            "^",
            "(",
            ")",
            "+49 ",
            "12:30",
            " pm",
            "\u{e9}",
            "Stra\u{df}e",
            "\u{5e74}",
            "id",
            "#",
            "a",
            "7",
            "A",
            ", ",
            "MD",
            "www.",
            "performed by ",
        ];
        let mut kept_from = 0;
        for _round in 0..2_000 {
            let text: String = (0..1 + draw(6)).map(|_| parts[draw(parts.len())]).collect();
            for pattern in PATTERNS.iter() {
                if !pattern.needs.may_be_met(Held::of(&text)) {
                    kept_from += 1;
                    assert!(!pattern.regex().is_match(&text), "{text:?}: {}", pattern.source);
                }
            }
        }
        assert!(kept_from > 20_000, "{kept_from}");
    }

    fn reasons(text: &str) -> Vec<TextReason> {
        find(text).into_iter().map(|span| span.reason).collect()
    }

    #[test]
    fn dates_are_found_in_many_spellings() {
        for text in [
            "14/03/1967",
            "1967-03-14",
            "14.3.67",
            "19670314",
            "14-MAR-1967",
            "Mar 14, 1967",
            "14 März 1967",
            "1967年3月14日",
            "O1/02/198O",
            "14 mar 67",
            "MAR 1967",
            "20260304101112",
        ] {
            assert!(reasons(text).contains(&TextReason::Date), "{text}");
        }
    }

    #[test]
    fn identifiers_contacts_labels_names_and_places_are_found() {
        let cases = [
            ("99812733", TextReason::Identifier),
            ("MRN0042317", TextReason::Identifier),
            ("555-123-4567", TextReason::Contact),
            ("jane.doe@example.org", TextReason::Contact),
            ("12 Oak Hill Road", TextReason::Contact),
            ("DOB: x", TextReason::Labelled),
            ("Acc# A77", TextReason::Labelled),
            ("Ref: Smith", TextReason::Labelled),
            ("seen by Dr. Alan Smith today", TextReason::Name),
            ("DOE^JANE", TextReason::Name),
            ("St. Mary Hospital", TextReason::Place),
            ("Universitätsklinikum Ulm", TextReason::Place),
            ("10:24:31", TextReason::Time),
        ];
        for (text, reason) in cases {
            assert!(reasons(text).contains(&reason), "{text}: {:?}", reasons(text));
        }
    }

    #[test]
    fn clinical_lines_show_no_form_of_identity() {
        for text in [
            "L12-5",
            "36Hz",
            "RS",
            "2D",
            "60%",
            "Dyn R 58",
            "P Med",
            "TIS0.0",
            "MI 0.6",
            "4.0cm",
            "LEFT KIDNEY LONG",
            "EF 55 %",
            "LVIDd 4.2 cm",
            "CHEST PA",
            "T2 FLAIR AX",
            "AC 120 mm",
            "CT CHEST WITH CONTRAST",
            "kVp 120 mA 200",
            "SE 3 IM 12",
            "120 bpm",
        ] {
            assert_eq!(reasons(text), [], "{text}");
        }
    }
}
