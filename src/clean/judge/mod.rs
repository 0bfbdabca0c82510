//! Judges text, burned-in lines and descriptions alike: which characters say
//! who somebody is. Gives spans and reasons, never keeps the text.
//!
//! Used by `clean::redact` (lines found in pictures), `clean::metadata`
//! (free text) and `airlock text`. A text is cut into words once; then come,
//! in order: this data set's own values (`matcher`), forms (dates, numbers,
//! labels, addresses), names that no header has ([`NameFinder`]), and for
//! pictures the clinical allow-list (`clinical`).

mod calendar;
mod clinical;
mod contacts;
mod context;
mod dates;
mod finder;
mod ids;
mod labels;
mod lexicon;
mod matcher;
mod months;
mod numbers;
mod persons;
mod places;
mod spelling;
mod wide;
mod words;

use std::ops::Range;

use clinical::Clinical;
use dates::DateFound;
use lexicon::Lexicon;

pub use finder::{Found, FoundClass, NameFinder, RuleFinder};
pub use matcher::Matcher;
pub use words::Line;

use crate::clean::report::TextReason;
use crate::config::TextPolicy;

/// Mean confidence below which a line counts as unreadable. Default 0.9:
/// with PP-OCRv6 small it separated all unreadable scripts from 99.5 % of the
/// readable lines (facts/models.md §1.5).
const CONFIDENCE_MIN: f32 = 0.9;

/// Score from which a name that no header has counts. Default 0.5: a leak is
/// worse than a word too many.
const SCORE_MIN: f32 = 0.5;

/// A judged range of characters.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Span {
    /// Byte range in the judged text, on character borders.
    pub range: Range<usize>,
    /// Why.
    pub reason: TextReason,
}

impl Span {
    fn new(range: Range<usize>, reason: TextReason) -> Self {
        Self { range, reason }
    }
}

/// The verdict on one burned-in line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LineVerdict {
    /// The line is to be hidden.
    pub hide: bool,
    /// The strongest reason for hiding, or why it is kept.
    pub reason: TextReason,
    /// Ranges that show identity (empty when nothing was read).
    pub spans: Vec<Span>,
}

/// What becomes of dates in a text (PS3.15 §E.3.6). A date of birth, one with
/// a label, and one whose spelling leaves a doubt go under each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextDates {
    /// They go.
    #[default]
    Remove,
    /// They stay as they are.
    Keep,
    /// They are moved by so many days, in their own spelling.
    Shift(i32),
}

/// The rules and word lists; made once per worker.
#[derive(Debug)]
pub struct Judge {
    clinical: Clinical,
    finders: Vec<Box<dyn NameFinder>>,
}

impl Default for Judge {
    fn default() -> Self {
        Self::new()
    }
}

impl Judge {
    /// Loads the committed lists.
    #[must_use]
    pub fn new() -> Self {
        Self { clinical: Clinical::new(), finders: vec![Box::new(RuleFinder)] }
    }

    /// With another finder of names beside the rules.
    #[must_use]
    pub fn with_finder(mut self, finder: Box<dyn NameFinder>) -> Self {
        self.finders.push(finder);
        self
    }

    /// Judges one merged line of a picture, read with mean `confidence` (0 to 1).
    #[must_use]
    pub fn line(
        &self,
        text: &str,
        confidence: f32,
        matcher: &Matcher,
        policy: TextPolicy,
    ) -> LineVerdict {
        if policy == TextPolicy::HideAll {
            return LineVerdict { hide: true, reason: TextReason::Policy, spans: Vec::new() };
        }
        let spans = self.spans(text, matcher);
        let readable = confidence >= CONFIDENCE_MIN && text.chars().any(char::is_alphanumeric);
        let (hide, reason) = if let Some(strongest) = spans.iter().map(|span| span.reason).min() {
            (true, strongest)
        } else if !readable {
            (true, TextReason::Unreadable)
        } else if self.clinical.is_clinical(text) {
            (false, TextReason::Clinical)
        } else {
            match policy {
                TextPolicy::HideIdentifying => (false, TextReason::NoSignOfIdentity),
                TextPolicy::HideUnlessKnownClinical | TextPolicy::HideOutsideRegions => {
                    (true, TextReason::NotKnownClinical)
                }
                TextPolicy::HideAll => (true, TextReason::Policy),
            }
        };
        LineVerdict { hide, reason, spans }
    }

    /// Finds what identifies in a text, in order, ranges merged; a range grows
    /// to whole words.
    #[must_use]
    pub fn spans(&self, text: &str, matcher: &Matcher) -> Vec<Span> {
        if is_short_machine_text(text) {
            return Vec::new();
        }
        let line = Line::new(text, Lexicon::shared());
        let (dates, mut found) = self.found(&line, matcher);
        found.extend(dates.into_iter().map(|date| Span::new(date.range, TextReason::Date)));
        finished(text, found)
    }

    /// Dates, and apart from them all else that identifies.
    fn found(&self, line: &Line<'_>, matcher: &Matcher) -> (Vec<DateFound>, Vec<Span>) {
        let mut found = matcher.find(line);
        let dates = dates::find(line);
        let ranges: Vec<Range<usize>> = dates.iter().map(|date| date.range.clone()).collect();
        found.extend(dates::times(line).into_iter().filter_map(|range| {
            let free = !ranges.iter().any(|date| date.contains(&range.start));
            free.then(|| Span::new(range, TextReason::Time))
        }));
        numbers::find(line, &ranges, &mut found);
        labels::find(line, &ranges, &mut found);
        contacts::find(line, &mut found);
        let mut names = Vec::new();
        for finder in &self.finders {
            finder.find(line, &mut names);
        }
        let phrases = phrases(line);
        let stays = |name: &Found| phrases.iter().any(|phrase| overlaps(phrase, &name.range));
        names.retain(|name| !stays(name));
        found.extend(names.into_iter().filter(|name| name.score >= SCORE_MIN).map(|name| {
            let reason = match name.class {
                FoundClass::Person => TextReason::Name,
                FoundClass::Place => TextReason::Place,
            };
            Span::new(name.range, reason)
        }));
        (dates, found)
    }

    /// `text` without the ranges that identify; blanks left over are tidied.
    /// A text without such ranges comes back as it is.
    #[must_use]
    pub fn clean_text(&self, text: &str, matcher: &Matcher) -> String {
        self.clean_text_with(text, matcher, TextDates::Remove)
    }

    /// [`Self::clean_text`] of an Occupation (0010,2180), which says where
    /// somebody works: `Mayor of` a town that no header names.
    #[must_use]
    pub fn clean_occupation(&self, text: &str, matcher: &Matcher, rule: TextDates) -> String {
        let cleaned = self.clean_text_with(text, matcher, rule);
        let place = places::of_occupation(&Line::new(&cleaned, Lexicon::shared()));
        match place {
            Some(range) => tidied(cleaned.get(..range.start).unwrap_or_default()),
            None => cleaned,
        }
    }

    /// [`Self::clean_text`] with another rule for dates.
    #[must_use]
    pub fn clean_text_with(&self, text: &str, matcher: &Matcher, rule: TextDates) -> String {
        if is_short_machine_text(text) {
            return text.to_owned();
        }
        let line = Line::new(text, Lexicon::shared());
        let (dates, mut found) = self.found(&line, matcher);
        let mut moved: Vec<(Range<usize>, String)> = Vec::new();
        for date in dates {
            let touched = found.iter().any(|span| overlaps(&span.range, &date.range));
            match staying(text, &date, matcher, rule).filter(|_| !touched) {
                Some(stays) => moved.push((date.range, stays)),
                None => found.push(Span::new(date.range, TextReason::Date)),
            }
        }
        let spans = finished(text, found);
        if spans.is_empty() && moved.iter().all(|(range, new)| text.get(range.clone()) == Some(new))
        {
            return text.to_owned();
        }
        let gone = spans.into_iter().map(|span| (span.range, String::new()));
        moved.retain(|(range, _)| !range.is_empty());
        let mut edits: Vec<(Range<usize>, String)> = gone.chain(moved).collect();
        edits.sort_by_key(|(range, _)| range.start);
        let (mut kept, mut from) = (String::new(), 0);
        for (range, new) in edits.into_iter().filter(|(range, _)| !range.is_empty()) {
            kept.push_str(text.get(from..range.start).unwrap_or_default());
            kept.push_str(&new);
            from = range.end;
        }
        kept.push_str(text.get(from..).unwrap_or_default());
        tidied(&kept)
    }
}

/// Where something stands that is called by a name and names nobody.
fn phrases(line: &Line<'_>) -> Vec<Range<usize>> {
    let at = |first: usize| {
        let words = line.words.iter().skip(first).map(|word| word.folded.as_str());
        let count = Lexicon::shared().phrase(words)?;
        Some(line.range(first, first + count - 1))
    };
    (0..line.words.len()).filter_map(at).collect()
}

/// What a date becomes; `None` when it goes. One that would fall on another
/// day of the header goes too: it would look like that day left as it was.
fn staying(text: &str, date: &DateFound, matcher: &Matcher, rule: TextDates) -> Option<String> {
    match rule {
        TextDates::Remove => None,
        TextDates::Keep => {
            let birth = date.plain.is_none_or(|plain| matcher.has_birth_day(&plain.day()));
            text.get(date.range.clone()).filter(|_| !birth).map(str::to_owned)
        }
        TextDates::Shift(days) => {
            let plain = date.plain?;
            let (day, new) = plain.moved(days)?;
            let was = plain.day();
            let collides = matcher.has_day(&day) && !matcher.has_day(&was);
            (days != 0 && !collides && !matcher.has_birth_day(&was)).then_some(new)
        }
    }
}

/// Numbers and signs that are too short to be a date or an identifier.
fn is_short_machine_text(text: &str) -> bool {
    text.len() < 6
        && text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic())
        && text.bytes().filter(u8::is_ascii_digit).count() < 3
}

fn overlaps(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

fn finished(text: &str, mut found: Vec<Span>) -> Vec<Span> {
    for span in &mut found {
        span.range = whole_words(text, &span.range);
    }
    merged(found)
}

/// Grows a range to the borders of the words it touches; signs of writing
/// without spaces are words of their own.
fn whole_words(text: &str, range: &Range<usize>) -> Range<usize> {
    let head = text.get(..range.start).unwrap_or_default();
    let tail = text.get(range.end..).unwrap_or_default();
    let inside = text.get(range.clone()).unwrap_or_default();
    let letter = |c: &char| c.is_alphanumeric() && !words::is_wide(*c);
    let mut grown = range.clone();
    if inside.chars().next().is_some_and(|c| letter(&c)) {
        let run = head.chars().rev().take_while(letter);
        grown.start -= run.map(char::len_utf8).sum::<usize>();
    }
    if inside.chars().next_back().is_some_and(|c| letter(&c)) {
        let run = tail.chars().take_while(letter);
        grown.end += run.map(char::len_utf8).sum::<usize>();
    }
    grown
}

/// Spans in order, overlapping ones made one with the strongest reason.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|span| (span.range.start, span.range.end));
    let mut out: Vec<Span> = Vec::new();
    for span in spans {
        match out.last_mut() {
            Some(last) if span.range.start <= last.range.end => {
                last.range.end = last.range.end.max(span.range.end);
                last.reason = last.reason.min(span.reason);
            }
            _ => out.push(span),
        }
    }
    out
}

/// Single blanks, and no separators left without a neighbour at the ends.
fn tidied(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let words: Vec<_> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        words.join(" ").trim_matches([' ', ',', ';', ':', '-', '/']).to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
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
            fn find(&self, line: &Line<'_>, found: &mut Vec<Found>) {
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
    fn spans_stand_on_whole_words_in_order() {
        let spans = Judge::new().spans("x JANE 14/03/1967", &doe());
        let ranges: Vec<_> = spans.iter().map(|span| span.range.clone()).collect();
        assert_eq!(ranges, [2..6, 7..17]);
    }
}
