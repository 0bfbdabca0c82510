//! Claims about whole texts and lines.

use super::pieces::PIECE_BYTES;
use super::*;
use crate::clean::known::{KnownKind, KnownValue, KnownValues};
use crate::identified::Identified;

fn doe() -> Matcher {
    let value = |kind, text: &str| KnownValue { kind, text: Identified::new(text.into()) };
    Matcher::new(&KnownValues {
        values: vec![value(KnownKind::Person, "DOE^JANE"), value(KnownKind::Id, "4711-0815")],
    })
}

#[test]
fn identity_goes_and_the_finding_stays() {
    let judge = Judge::new();
    let cases = [
        ("CT CHEST for Mrs Doe", "CT CHEST for"),
        ("Jane Doe, 47110815: left knee, f/u", "left knee, f/u"),
        ("MRI brain 14/03/2020 with contrast", "MRI brain with contrast"),
        ("seen by Dr. Alan Smith", "seen by"),
        ("Dr. Alan Smith CHEST PORTABLE", "CHEST PORTABLE"),
        ("SSN 954-32-7230: ECHO STRESS", "ECHO STRESS"),
        ("Larry Weiss DOB 10/17/1968: CAPTURE", "CAPTURE"),
        ("call 275-555-2078: needs sedation", "call : needs sedation"),
        ("355 Harrington Street Rebeccafurt: COR MPR", "COR MPR"),
        ("MR PROSTATE PIRADS", "MR PROSTATE PIRADS"),
        ("Lesion 1: 14 mm", "Lesion 1: 14 mm"),
        ("Ref: SMITH ALAN LEFT KNEE", "Ref: LEFT KNEE"),
        ("T2 FLAIR AX", "T2 FLAIR AX"),
    ];
    for (text, wanted) in cases {
        assert_eq!(judge.clean_text(text, &doe()), wanted, "{text}");
    }
}

#[test]
fn lines_are_hidden_unless_known_to_be_clinical() {
    let judge = Judge::new();
    let policy = TextPolicy::HideUnlessKnownClinical;
    let cases = [
        ("DOE, JANE", 0.99, true, TextReason::KnownValue),
        ("LEFT KIDNEY", 0.99, false, TextReason::Clinical),
        ("LEFT KIDNEY", 0.5, true, TextReason::Unreadable),
        ("", 0.0, true, TextReason::Unreadable),
        ("Quixotic Zyx", 0.99, true, TextReason::NotKnownClinical),
        ("14-MAR-1967", 0.99, true, TextReason::Date),
    ];
    for (text, confidence, hide, reason) in cases {
        let verdict = judge.line(text, confidence, &doe(), policy);
        assert_eq!((verdict.hide, verdict.reason), (hide, reason), "{text}");
    }
}

#[test]
fn policies_differ_only_in_what_is_neither_clinical_nor_identifying() {
    let judge = Judge::new();
    let hide = |text, policy| judge.line(text, 0.99, &doe(), policy).hide;
    assert!(!hide("Quixotic Zyx", TextPolicy::HideIdentifying));
    assert!(hide("DOE", TextPolicy::HideIdentifying));
    assert!(hide("LEFT KIDNEY", TextPolicy::HideAll));
}

#[test]
fn dates_are_moved_kept_or_removed() {
    let judge = Judge::new();
    let day = |kind, text: &str| KnownValue { kind, text: Identified::new(text.into()) };
    let matcher = Matcher::new(&KnownValues {
        values: vec![day(KnownKind::Date, "20190314"), day(KnownKind::BirthDate, "19670314")],
    });
    let cases = [
        ("prior 2019-03-14 stable", "prior 2019-03-04 stable"),
        ("prior 01.02.2018 stable", "prior 22.01.2018 stable"),
        // Would fall on the day of the study.
        ("prior 2019-03-24 stable", "prior stable"),
        // Of birth, and by its label.
        ("1967-03-14 stable", "stable"),
        ("DOB 1967-03-15 stable", "stable"),
        // Its spelling leaves a doubt.
        ("prior 03/04/2018 stable", "prior stable"),
        ("prior 3 May 2018 stable", "prior stable"),
    ];
    for (text, wanted) in cases {
        let cleaned = judge.clean_text_with(text, &matcher, TextDates::Shift(-10));
        assert_eq!(cleaned, wanted, "{text}");
        assert!(!judge.clean_text(text, &matcher).contains("20"), "{text}");
    }
    let kept = |text: &str| judge.clean_text_with(text, &matcher, TextDates::Keep);
    assert_eq!(kept("prior 2019-03-14 stable"), "prior 2019-03-14 stable");
    assert_eq!(kept("1967-03-14 stable"), "stable");
}

#[test]
fn an_occupation_keeps_what_and_loses_where() {
    let judge = Judge::new();
    let cases = [
        ("Mayor of Andervale", "Mayor of"),
        ("baker in Larkton", "baker in"),
        ("Bauer aus der Quarnau", "Bauer aus"),
        ("head of department", "head of department"),
        ("Teacher", "Teacher"),
    ];
    for (text, wanted) in cases {
        let cleaned = judge.clean_occupation(text, &doe(), TextDates::Remove);
        assert_eq!(cleaned, wanted, "{text}");
    }
}

#[test]
fn another_finder_stands_beside_the_rules() {
    #[derive(Debug)]
    struct Finds(f32);
    impl NameFinder for Finds {
        fn find(&self, line: &Line<'_>, _least: f32, found: &mut Vec<Found>) {
            let range = 0..line.text().find(' ').unwrap_or(0);
            found.push(Found { range, class: FoundClass::Person, score: self.0 });
        }
    }
    let cleaned = |score| {
        let judge = Judge::new().with_finder(Box::new(Finds(score)));
        judge.clean_text("quixotic left knee", &Matcher::default())
    };
    assert_eq!(cleaned(0.9), "left knee");
    assert_eq!(cleaned(0.1), "quixotic left knee");
}

#[test]
fn how_sure_a_word_must_be_hangs_on_what_is_known_of_it() {
    /// Says of one word of the line how likely it names somebody.
    #[derive(Debug)]
    struct Says(&'static str, f32);
    impl NameFinder for Says {
        fn find(&self, _line: &Line<'_>, _least: f32, _found: &mut Vec<Found>) {}
        fn is_sure(&self, line: &Line<'_>, limit: &dyn Fn(&Range<usize>) -> f32) -> bool {
            let at = line.text().find(self.0).unwrap();
            self.1 < limit(&(at..at + self.0.len()))
        }
    }
    let stays = |text: &str, word, score| {
        let judge = Judge::new().with_finder(Box::new(Says(word, score)));
        !judge.line(text, 0.99, &Matcher::default(), TextPolicy::default()).hide
    };
    let text = "please repeat Zorbeltink tomorrow";
    assert!(stays(text, "repeat", 0.19) && !stays(text, "repeat", 0.21));
    assert!(stays(text, "Zorbeltink", 0.019) && !stays(text, "Zorbeltink", 0.021));
    for (text, word) in [
        ("please see patient tomorrow", "see"),
        ("please see trampoline tomorrow", "trampoline"),
        ("please repeat 2 tomorrow", "2"),
    ] {
        assert!(stays(text, word, 0.09) && !stays(text, word, 0.11), "{word}");
    }
    // Somebody's name that a list knows, and what may be somebody's initials.
    for word in ["Harris", "Evans", "Costa", "Kim", "RQ2"] {
        let text = format!("please repeat {word} tomorrow");
        assert!(stays(&text, word, 0.04) && !stays(&text, word, 0.06), "{word}");
    }
}

#[test]
fn who_may_be_told_of_is_not_left_to_the_recogniser() {
    let tells = |text| Line::new(text, Lexicon::shared()).may_tell_of_somebody();
    for text in [
        "kein Kontrast laut zorbeltink",
        "geen contrast volgens Baker",
        "auf Wunsch von zorbeltink",
        "volgens van de zorbeltink",
        "selon M. de la Rocha",
        "CALL ZORBELTINK",
    ] {
        assert!(tells(text), "{text}");
    }
    for text in ["Kontrast laut Protokoll", "scan nach trampoline", "laut IV", "zorbeltink laut"] {
        assert!(!tells(text), "{text}");
    }
    let text = Judge::new().spans("SECONDO^CARLO", &Matcher::default());
    assert_eq!(text.len(), 1, "what matters in pictures alone is a name in typed text");
    /// Is sure of everything.
    #[derive(Debug)]
    struct Sure;
    impl NameFinder for Sure {
        fn find(&self, _line: &Line<'_>, _least: f32, _found: &mut Vec<Found>) {}
        fn is_sure(&self, _line: &Line<'_>, _limit: &dyn Fn(&Range<usize>) -> f32) -> bool {
            true
        }
    }
    let judge = Judge::new().with_finder(Box::new(Sure));
    let hides =
        |text: &str| judge.line(text, 0.99, &Matcher::default(), TextPolicy::default()).hide;
    assert!(hides("please repeat scan laut zorbeltink") && !hides("please repeat scan zorbeltink"));
}

#[test]
fn steps_of_settings_are_no_day() {
    /// Finds a day in the whole line.
    #[derive(Debug)]
    struct Finds;
    impl NameFinder for Finds {
        fn find(&self, line: &Line<'_>, _least: f32, found: &mut Vec<Found>) {
            let range = 0..line.text().len();
            found.push(Found { range, class: FoundClass::Date, score: 0.99 });
        }
    }
    let judge = Judge::new().with_finder(Box::new(Finds));
    let hides =
        |text: &str| judge.line(text, 0.99, &Matcher::default(), TextPolicy::default()).hide;
    assert!(!hides("3/3/4") && !hides("3 /3/4"));
    for text in ["3/3/4/1", "3-3-4", "LIVER 3/3/4"] {
        assert!(hides(text), "{text}");
    }
}

#[test]
fn a_setting_is_an_identifier_when_sure_only() {
    /// Finds an identifier at the end of a line.
    #[derive(Debug)]
    struct Finds(f32);
    impl NameFinder for Finds {
        fn find(&self, line: &Line<'_>, _least: f32, found: &mut Vec<Found>) {
            let range = line.words.last().unwrap().range.clone();
            found.push(Found { range, class: FoundClass::Identifier, score: self.0 });
        }
    }
    let judge = |score| Judge::new().with_finder(Box::new(Finds(score)));
    let hides = |text: &str, score| {
        judge(score).line(text, 0.99, &Matcher::default(), TextPolicy::default()).hide
    };
    for text in ["DR 63", "W400L40"] {
        assert!(!hides(text, 0.8) && hides(text, 0.95), "{text}");
        assert_eq!(judge(0.8).spans(text, &Matcher::default()).len(), 1, "{text}");
    }
    // Too many digits, in groups too, and a line of other words.
    for text in ["PRF 5000Hz", "SE 123 45 678", "MR123 456", "FR Zorbeltink 63"] {
        let spans = judge(0.8).line(text, 0.99, &Matcher::default(), TextPolicy::default()).spans;
        assert!(!spans.is_empty(), "{text}");
    }
}

#[test]
fn familiar_words_alone_or_three_of_them_make_a_line_known() {
    let known = |text| Line::new(text, Lexicon::shared()).is_mostly_known();
    assert!(known("trampoline tourniquet"));
    assert!(known("trampoline tourniquet thunderclap Zorbeltink"));
    assert!(known("please repeat Zorbeltink") && known("kidney Zorbeltink"));
    for text in [
        "trampoline",
        "trampoline Zorbeltink",
        "trampoline Zorb3ltink",
        "trampoline tourniquet Zorbeltink Quarnau",
        "kidney Zorb3ltink Quarn4u",
        "SMITH",
        "Weber 12",
        "WRIGHT T",
        "TROTTER",
        "Minor 44",
        "TROTTER ab",
        "trotter Zorbeltink",
    ] {
        assert!(!known(text), "{text}");
    }
}

#[test]
fn a_misread_word_of_the_clinic_is_found_when_sure_only_and_a_name_like_it_at_once() {
    /// Finds the last word of a line.
    #[derive(Debug)]
    struct Finds(f32);
    impl NameFinder for Finds {
        fn find(&self, line: &Line<'_>, _least: f32, found: &mut Vec<Found>) {
            let range = line.text().rfind(' ').unwrap() + 1..line.text().len();
            found.push(Found { range, class: FoundClass::Person, score: self.0 });
        }
    }
    let hides = |text: &str, score| {
        let judge = Judge::new().with_finder(Box::new(Finds(score)));
        judge.line(text, 0.99, &Matcher::default(), TextPolicy::default()).hide
    };
    assert!(!hides("12.4 CTDlvol", 0.8) && hides("12.4 CTDlvol", 0.95));
    // `angle` and `skull` misread, and names.
    assert!(hides("kidney Angie", 0.2) && hides("liver SKULI", 0.2));
    // What is typed is not misread.
    let typed = Judge::new().with_finder(Box::new(Finds(0.8)));
    assert_eq!(typed.spans("12.4 CTDlvol", &Matcher::default()).len(), 1);
}

#[test]
fn nobody_is_called_by_a_familiar_word_that_a_list_knows() {
    let list = include_str!("../../../config/standard/familiar-words.txt");
    for word in list.lines().filter(|line| !line.starts_with('#')) {
        assert_eq!(words::fold(word), word);
        let flags = Lexicon::shared().flags(word);
        assert!(flags.has(Flags::FAMILIAR) && !flags.has(Flags::NAMES), "{word}");
    }
}

#[test]
fn disguised_names_are_read_as_people_read_them() {
    let judge = Judge::new();
    let value =
        |text: &str| KnownValue { kind: KnownKind::Person, text: Identified::new(text.into()) };
    let known = KnownValues { values: vec![value("Winterbottom^Josephine")] };
    let matcher = Matcher::new(&known);
    for name in [
        "Winter\u{ad}bottom",
        "W\u{200b}interbottom",
        "W\u{456}nterb\u{43e}ttom",
        "Wi\u{301}nterbottom",
        "\u{ff37}interbottom",
        "JOS\u{415}PHIN\u{395}",
        "seen\u{200b}Winterbottom",
    ] {
        let cleaned = judge.clean_text(&format!("left {name} knee"), &matcher);
        assert!(["left knee", "left seen\u{200b} knee"].contains(&cleaned.as_str()), "{cleaned}");
    }
    for text in ["left \u{43a}\u{43e}\u{43b}\u{435}\u{43d}\u{43e}", "5 \u{3bc}m", "le\u{ad}sion"] {
        assert_eq!(judge.clean_text(text, &matcher), text);
    }
}

#[test]
fn long_texts_are_judged_by_pieces_and_nothing_falls_between() {
    let judge = Judge::new();
    let mut text = String::new();
    while text.len() < 5 * PIECE_BYTES {
        text.push_str("Jane Doe, 4711-0815, 14/03/2020 knee: ");
    }
    let cleaned = judge.clean_text(&text, &doe());
    for part in ["Jane", "Doe", "4711", "2020"] {
        assert!(!cleaned.contains(part), "{part}");
    }
    assert!(cleaned.matches("knee").count() == text.matches("knee").count());
    let solid = "x".repeat(3 * PIECE_BYTES);
    assert_eq!(judge.clean_text(&solid, &doe()), solid);
}

#[test]
fn spans_stand_on_whole_words_in_order() {
    let spans = Judge::new().spans("x JANE 14/03/1967", &doe());
    let ranges: Vec<_> = spans.iter().map(|span| span.range.clone()).collect();
    assert_eq!(ranges, [2..6, 7..17]);
}

#[test]
fn ages_over_89_go_from_a_banner_in_any_shorthand() {
    let judge = Judge::new();
    let judged = |text: &str| {
        judge.line(text, 0.99, &Matcher::default(), TextPolicy::HideUnlessKnownClinical)
    };
    for text in ["94Y", "90 J.", "92y F", "99y", "101 J", "90Y", "M 95 Y"] {
        let verdict = judged(text);
        assert!(verdict.hide && verdict.reason == TextReason::Identifier, "{text}: {verdict:?}");
    }
    for text in ["90 kV", "T 90", "94Hz", "W 400 L 90", "89 Y", "0.95 m"] {
        assert_ne!(judged(text).reason, TextReason::Identifier, "{text}");
    }
}
