#![allow(clippy::unwrap_used, clippy::string_slice, reason = "a test fails by panicking")]

use super::*;
use crate::clean::judge::{Judge, Matcher};
use crate::clean::text::ModelFiles;
use crate::config::{NameScores, TextPolicy};

fn judge() -> Judge {
    Judge::with_names(&ModelFiles::find(None).expect("run scripts/setup"))
}

fn none() -> [f32; CLASSES.len()] {
    [0.0; CLASSES.len()]
}

fn scored(text: &str, hits: &[(&str, usize, f32)]) -> Vec<ScoredWord> {
    let mut scores: Vec<_> = text.chars().map(|_| none()).collect();
    for (word, class, score) in hits {
        let from = text[..text.find(word).unwrap()].chars().count();
        scores[from][*class] = *score;
    }
    words(text, &scores)
}

#[test]
fn a_word_has_the_scores_of_its_likeliest_letter() {
    let text = "m\u{fc}ller-ros\u{e9} 12";
    let found = scored(text, &[("ros", 0, 0.75), ("12", 4, 0.5)]);
    let shown: Vec<_> =
        found.iter().map(|word| (&text[word.range.clone()], word.score(), word.class())).collect();
    assert_eq!(shown.len(), 3);
    assert_eq!(shown[0].1, 0.0);
    assert_eq!(shown[1], ("ros\u{e9}", 0.75, FoundClass::Person));
    assert_eq!(shown[2], ("12", 0.5, FoundClass::Identifier));
}

#[test]
fn names_that_no_header_has_are_found() {
    let judge = judge();
    let cleaned = |text| judge.clean_text(text, &Matcher::default());
    assert!(!cleaned("discussed with Sumpfhuhn, left knee normal").contains("Sumpfhuhn"));
    assert!(!cleaned("CT ABDOMEN KOWALCZYK BRONISLAWA").contains("KOWALCZYK"));
    assert_eq!(cleaned("left kidney normal in size"), "left kidney normal in size");
    assert_eq!(judge.trouble(), None);
}

#[test]
fn a_line_without_names_stays_and_one_in_another_script_does_not() {
    let judge = judge();
    let hide = |text: &str, scores: NameScores| {
        let matcher = Matcher::default().with_scores(scores);
        judge.line(text, 0.99, &matcher, TextPolicy::default()).hide
    };
    let text = "please repeat this measurement tomorrow";
    assert!(!hide(text, NameScores::default()));
    assert!(hide(text, NameScores { clinical: 0, ..NameScores::default() }));
    assert!(hide("\u{43f}\u{435}\u{447}\u{435}\u{43d}\u{44c}", NameScores::default()));
}

#[test]
fn long_texts_are_read_to_their_end() {
    let judge = judge();
    let filler = "no focal lesion is seen in the liver or in the spleen. ".repeat(40);
    let text = format!("{filler}Reported by Kowalczyk Bronislawa.");
    let cleaned = judge.clean_text(&text, &Matcher::default());
    assert!(!cleaned.contains("Kowalczyk"), "{}", &cleaned[cleaned.len() - 60..]);
    assert!(cleaned.len() > filler.len() / 2);
}

#[test]
fn a_score_does_not_hang_on_what_came_before() {
    let files = ModelFiles::find(None).expect("run scripts/setup");
    let (one, other) = (
        Recogniser::new(files.names().unwrap().clone()),
        Recogniser::new(files.names().unwrap().clone()),
    );
    let lines = ["KOWALCZYK B", "LIVER LT LOBE", "12.03.1967", "Dr. Sumpfhuhn"];
    let first: Vec<_> = lines.iter().map(|line| one.words(line)).collect();
    let second: Vec<_> = lines.iter().rev().map(|line| other.words(line)).collect();
    assert!(first.iter().eq(second.iter().rev()));
}

#[test]
fn files_that_cannot_be_loaded_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let files = ModelFiles::find(None).expect("run scripts/setup");
    let broken = folder.path().join("tokenizer.json");
    std::fs::write(&broken, "{}").unwrap();
    let names = files.names().unwrap().clone().with_tokenizer(broken);
    let judge = Judge::new().with_finder(Box::new(Recogniser::new(names)));
    let _cleaned = judge.clean_text("left kidney normal", &Matcher::default());
    let trouble = judge.trouble().unwrap();
    assert!(trouble.what.contains("names-tokenizer") && trouble.is_installation, "{trouble:?}");
    assert_eq!(judge.trouble(), None, "told once");
}
