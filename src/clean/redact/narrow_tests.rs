//! Lines of blocks, one for each letter, with gaps between the words.

use super::*;
use crate::clean::judge::{Judge, Matcher, Span};
use crate::clean::known::{KnownKind, KnownValue, KnownValues};
use crate::config::TextPolicy;
use crate::identified::Identified;

const HEIGHT: u32 = 20;

/// Letters of 8 columns, 2 between them, `gap` between words.
fn drawn(text: &str, gap: u32) -> (View, TextLine) {
    let mut columns = vec![false; 6];
    for letter in text.chars() {
        let (ink, blank) = if letter == ' ' { (0, gap - 2) } else { (8, 2) };
        columns.extend(std::iter::repeat_n(true, ink));
        columns.extend(std::iter::repeat_n(false, index(blank)));
    }
    columns.extend([false; 6]);
    let width = u32::try_from(columns.len()).unwrap();
    let row: Vec<u8> = columns.iter().map(|ink| if *ink { 230 } else { 30 }).collect();
    let blank = vec![30; columns.len()];
    let rows = (0..HEIGHT).flat_map(|y| if (4..16).contains(&y) { &row } else { &blank });
    let view = View { width, height: HEIGHT, samples: 1, pixels: rows.copied().collect() };
    let [right, bottom] = [column(width), column(HEIGHT)];
    let corners = [[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]];
    (view, TextLine { corners, text: text.into(), confidence: 0.97 })
}

fn clinical(_line: &TextLine) -> LineVerdict {
    LineVerdict { hide: false, reason: TextReason::Clinical, spans: Vec::new() }
}

/// The line is hidden for what stands at `range`.
fn named(range: Range<usize>) -> LineVerdict {
    let reason = TextReason::Name;
    LineVerdict { hide: true, reason, spans: vec![Span { range, reason }] }
}

fn parted(text: &str, gap: u32) -> Vec<(String, bool, u32, u32)> {
    let known = [(KnownKind::Person, "Doe^Jane"), (KnownKind::Id, "4711-0815")];
    let value =
        |(kind, text): (KnownKind, &str)| KnownValue { kind, text: Identified::new(text.into()) };
    let matcher = Matcher::new(&KnownValues { values: known.map(value).into() });
    let judge = Judge::new();
    let judged = |line: &TextLine| {
        judge.line(&line.text, line.confidence, &matcher, TextPolicy::HideUnlessKnownClinical)
    };
    let (view, line) = drawn(text, gap);
    let parts = parts(&view, &line, &judged(&line), &judged, 3.0).unwrap_or_default();
    let place = |part: Part| {
        let [[x0, _], [x1, _], ..] = part.line.corners;
        (part.line.text, part.hide, pixel(x0), pixel(x1))
    };
    parts.into_iter().map(place).collect()
}

#[test]
fn what_identifies_goes_and_the_clinical_words_beside_it_stay() {
    // Letters of DOE end at 34, LIVER begins at 46.
    let expected = [("DOE".to_owned(), true, 0, 37), ("LIVER SAG".into(), false, 40, 142)];
    assert_eq!(parted("DOE LIVER SAG", 12), expected);
    let texts = |text: &str| -> Vec<(String, bool)> {
        parted(text, 12).into_iter().map(|(text, hide, ..)| (text, hide)).collect()
    };
    let both = |kept: &str, hidden: &str| vec![(kept.to_owned(), false), (hidden.to_owned(), true)];
    assert_eq!(texts("MI 0.8 Jane"), both("MI 0.8", "Jane"));
    assert_eq!(texts("RT KIDNEY LONG 4711-0815"), both("RT KIDNEY LONG", "4711-0815"));
}

#[test]
fn a_label_in_front_of_a_number_stays() {
    for (text, caption, value) in [
        ("Patient ID: 4711-0815", "Patient ID:", "4711-0815"),
        ("DOB: 12.03.1967", "DOB:", "12.03.1967"),
    ] {
        let parts = parted(text, 12);
        let texts: Vec<_> = parts.iter().map(|part| (part.0.as_str(), part.1)).collect();
        assert_eq!(texts, [(caption, false), (value, true)]);
    }
    // Read without a blank that the picture has, wider than the one behind the label.
    let (view, mut line) = drawn("MRN: 4711    0815", 12);
    line.text = "MRN: 47110815".into();
    assert_eq!(parts(&view, &line, &named(5..13), &clinical, 3.0), None);
    // What stands before a label may be a name; two letters may be initials; where no blank is
    // read, none is cut.
    for text in [
        "LONG ACC: 4711-0815",
        "ARTS MRN: 4711-0815",
        "Doe Patient ID: 4711-0815",
        "JG: 12.03.1967",
        "MRN:4711-0815",
    ] {
        assert_eq!(parted(text, 12), [], "{text}");
    }
}

#[test]
fn a_word_that_may_belong_to_the_name_goes_with_it() {
    for text in ["DOE LONG", "Jane L", "DOE J LIVER", "ZORNIG LIVER", "Doe, Jane", "Doe 12"] {
        assert_eq!(parted(text, 12), [], "{text}");
    }
    let trimmed = parted("DOE J LIVER SAG", 12);
    assert_eq!(trimmed.first().map(|part| part.0.as_str()), Some("DOE J"));
}

#[test]
fn a_line_is_parted_only_where_its_gaps_agree_with_its_words() {
    assert_eq!(parted("DOE LIVER SAG", 2), [], "gaps like those between letters");
    let (view, mut line) = drawn("DOE LIVER SAG", 12);
    let hide = |spans: bool| LineVerdict {
        hide: true,
        reason: TextReason::Name,
        spans: if spans {
            vec![Span { range: 0..3, reason: TextReason::Name }]
        } else {
            Vec::new()
        },
    };
    let judged = |line: &TextLine| match line.text.as_str() {
        "LIVER SAG" | "LIVERSAG" | "LIVER SAG X" => {
            LineVerdict { hide: false, reason: TextReason::Clinical, spans: Vec::new() }
        }
        _ => hide(false),
    };
    let tried = |line: &TextLine| parts(&view, line, &hide(true), &judged, 3.0).is_some();
    assert!(tried(&line));
    line.confidence = 0.8;
    assert!(!tried(&line), "an unsure reading saves nothing");
    line.confidence = 0.97;
    line.text = "DOE LIVER SAG X".into();
    assert!(!tried(&line), "a word more than the picture has");
    line.text = "DOE LIVER SAG".into();
    line.corners[1][1] += 30.0;
    assert!(!tried(&line), "a tilted line");
}

#[test]
fn ink_on_a_ground_of_noise_is_not_parted() {
    let (mut view, line) = drawn("DOE LIVER SAG", 12);
    for (at, sample) in view.pixels.iter_mut().enumerate() {
        *sample = sample.saturating_add(u8::try_from(at * 37 % 101).unwrap());
    }
    assert_eq!(parts(&view, &line, &named(0..3), &clinical, 3.0), None);
}
