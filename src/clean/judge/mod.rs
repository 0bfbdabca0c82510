//! Judges text, burned-in lines and descriptions alike: which characters say
//! who somebody is. Gives spans and reasons, never keeps the text.
//!
//! Used by `clean::redact` (lines found in pictures), `clean::metadata`
//! (free text) and `airlock text`. Order of signals: this data set's own
//! values, forms (dates, identifiers, labels), the clinical allow-list.

mod clinical;
mod matcher;
mod needs;
mod patterns;
mod words;

use std::ops::Range;

use clinical::Clinical;
pub use matcher::Matcher;

use crate::clean::report::TextReason;
use crate::config::TextPolicy;

/// Mean confidence below which a line counts as unreadable. Default 0.9:
/// with PP-OCRv6 small it separated all unreadable scripts from 99.5 % of the
/// readable lines (facts/models.md §1.5).
const CONFIDENCE_MIN: f32 = 0.9;

/// Words of a form that are never given back: a title and two names.
const FORM_WORDS_MIN: usize = 3;

/// A judged range of characters.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Span {
    /// Byte range in the judged text, on character borders.
    pub range: Range<usize>,
    /// Why.
    pub reason: TextReason,
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

/// The rules and word lists; made once per worker.
#[derive(Debug)]
pub struct Judge {
    clinical: Clinical,
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
        Self { clinical: Clinical::new() }
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
        let mut found: Vec<Span> = matcher
            .find(text)
            .into_iter()
            .map(|range| Span { range, reason: Matcher::REASON })
            .collect();
        found.extend(patterns::find(text).into_iter().map(|span| self.without_tail(text, span)));
        for span in &mut found {
            span.range = whole_words(text, &span.range);
        }
        merged(found)
    }

    /// A form that ends in words (a title, a label, a street) takes what follows
    /// with it; clinical words at its end are given back, but for the first
    /// [`FORM_WORDS_MIN`] words, which may be a name that is also a word.
    fn without_tail(&self, text: &str, mut span: Span) -> Span {
        let open_ended = [TextReason::Name, TextReason::Labelled, TextReason::Contact];
        if !open_ended.contains(&span.reason) {
            return span;
        }
        let start = span.range.start;
        let mut parts = words::words(text.get(span.range.clone()).unwrap_or_default());
        while parts.len() > FORM_WORDS_MIN
            && parts.last().is_some_and(|last| self.clinical.is_word(&last.folded))
        {
            parts.pop();
            span.range.end = parts.last().map_or(start, |last| start + last.range.end);
        }
        span
    }

    /// `text` without the ranges that identify; blanks left over are tidied.
    /// A text without such ranges comes back as it is.
    #[must_use]
    pub fn clean_text(&self, text: &str, matcher: &Matcher) -> String {
        let spans = self.spans(text, matcher);
        if spans.is_empty() {
            return text.to_owned();
        }
        let (mut kept, mut from) = (String::new(), 0);
        for span in &spans {
            kept.push_str(text.get(from..span.range.start).unwrap_or_default());
            from = span.range.end;
        }
        kept.push_str(text.get(from..).unwrap_or_default());
        tidied(&kept)
    }
}

/// Grows a range to the borders of the words it touches.
fn whole_words(text: &str, range: &Range<usize>) -> Range<usize> {
    let head = text.get(..range.start).unwrap_or_default();
    let tail = text.get(range.end..).unwrap_or_default();
    let inside = text.get(range.clone()).unwrap_or_default();
    let mut grown = range.clone();
    if inside.chars().next().is_some_and(char::is_alphanumeric) {
        let run = head.chars().rev().take_while(|c| c.is_alphanumeric());
        grown.start -= run.map(char::len_utf8).sum::<usize>();
    }
    if inside.chars().next_back().is_some_and(char::is_alphanumeric) {
        let run = tail.chars().take_while(|c| c.is_alphanumeric());
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
            ("Larry Weiss DOB 10/17/1968: CAPTURE", "Larry Weiss : CAPTURE"),
            ("call 275-555-2078: needs sedation", "needs sedation"),
            ("355 Harrington Street Rebeccafurt: COR MPR", "COR MPR"),
            ("MR PROSTATE PIRADS", "MR PROSTATE PIRADS"),
            ("Lesion 1: 14 mm", "Lesion 1: 14 mm"),
            ("Ref: SMITH ALAN LEFT KNEE", "LEFT KNEE"),
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
    fn spans_stand_on_whole_words_in_order() {
        let spans = Judge::new().spans("x JANE 14/03/1967", &doe());
        let ranges: Vec<_> = spans.iter().map(|span| span.range.clone()).collect();
        assert_eq!(ranges, [2..6, 7..17]);
    }
}
