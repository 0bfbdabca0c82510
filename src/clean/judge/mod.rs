//! Judges text, burned-in lines and descriptions alike: which characters say
//! who somebody is. Gives spans and reasons, never keeps the text.
//!
//! Used by `clean::redact` (lines found in pictures), `clean::metadata`
//! (free text) and `airlock text`. A text is cut into words once; then come,
//! in order: this data set's own values (`matcher`), forms (dates, numbers,
//! labels, addresses), names that no header has ([`NameFinder`]), and for
//! pictures the clinical allow-list (`clinical`).

mod burned;
mod calendar;
mod clinical;
mod concepts;
mod contacts;
mod context;
mod dates;
mod finder;
mod ids;
mod kana;
mod labels;
mod lexicon;
mod matcher;
mod months;
mod numbers;
mod persons;
mod pieces;
mod places;
mod run;
mod sounds;
mod spelling;
#[cfg(test)]
mod tests;
mod wide;
mod words;

use std::ops::Range;

use clinical::Clinical;
use dates::DateFound;
use finder::Source;
use lexicon::{Flags, Lexicon};
use pieces::{Piece, pieces};

pub use concepts::{Named, is_vocabulary, named_by};
pub use finder::{Found, FoundClass, NameFinder, RuleFinder, Trouble};
pub use matcher::Matcher;
pub use words::Line;
use words::{Reading, Standing};

use crate::clean::names::Recogniser;
use crate::clean::report::TextReason;
use crate::clean::text::ModelFiles;
use crate::config::TextPolicy;
use crate::dicom::looks;

/// Mean confidence below which a line counts as unreadable. Default 0.9:
/// with PP-OCRv6 small it separated all unreadable scripts from 99.5 % of the
/// readable lines (facts/models.md §1.5).
const CONFIDENCE_MIN: f32 = 0.9;

/// The same for texts of so few letters without a digit. One by itself says
/// nothing of anybody, and a slice's body is read as one.
const SHORT_CONFIDENCE_MIN: f32 = 0.95;
const SHORT_CHARS: std::ops::RangeInclusive<usize> = 2..=3;

/// Score from which a find of plain words counts. Default 0.9: what the recogniser does
/// not know beside a name is often taken for a part of it.
const PLAIN_SCORE_MIN: f32 = 0.9;

/// How many times `clinical_score` a word may have in a line that still counts as
/// clinical (decision 0017): one of four letters and more that is on no list, ...
const UNKNOWN_TIMES: f32 = 0.4;
/// ... one that is on a list and nobody's name, ...
const KNOWN_TIMES: f32 = 2.0;
/// ... and such a one of four letters and more.
const ORDINARY_TIMES: f32 = 4.0;

/// Characters of a label that is nobody's initials.
const CAPTION_CHARS: usize = 3;

/// Digits of a setting that is no identifier.
const SETTING_DIGITS: usize = 3;

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

    /// The rules, and beside them the recogniser of names where its files are installed.
    #[must_use]
    pub fn with_names(files: &ModelFiles) -> Self {
        match files.names() {
            Some(names) => Self::new().with_finder(Box::new(Recogniser::new(names.clone()))),
            None => Self::new(),
        }
    }

    /// Why some text since the last question was not looked at by every finder:
    /// what was made of it must not leave.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        self.finders.iter().find_map(|finder| finder.trouble())
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
        let mut spans = self.spans_from(text, matcher, Source::Picture);
        burned::find(&Line::new(text, Lexicon::shared()), matcher, &mut spans);
        let spans = finished(text, spans);
        let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
        // Other scripts are read as a few Latin letters, with less confidence.
        let has_digits = text.chars().any(|c| c.is_ascii_digit());
        let is_short = SHORT_CHARS.contains(&letters) && !has_digits;
        let least = if is_short { SHORT_CONFIDENCE_MIN } else { CONFIDENCE_MIN };
        let readable = confidence >= least && letters > 0;
        let (hide, reason) = if let Some(strongest) = spans.iter().map(|span| span.reason).min() {
            (true, strongest)
        } else if !readable {
            (true, TextReason::Unreadable)
        } else if self.clinical.is_clinical(text) {
            (false, TextReason::Clinical)
        } else if self.is_sure(text, matcher) {
            (false, TextReason::NoSignOfIdentity)
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

    /// A finder is sure that the text names nobody.
    fn is_sure(&self, text: &str, matcher: &Matcher) -> bool {
        let line = Line::new(text, Lexicon::shared());
        let least = likelihood(matcher.scores().clinical);
        let limit = |range: &Range<usize>| match line.standing(range) {
            Standing::Unknown => least * UNKNOWN_TIMES,
            Standing::Doubtful => least,
            Standing::Known => least * KNOWN_TIMES,
            Standing::Ordinary => (least * ORDINARY_TIMES).min(PLAIN_SCORE_MIN),
        };
        line.is_mostly_known()
            && !line.may_tell_of_somebody()
            && self.finders.iter().any(|finder| finder.is_sure(&line, &limit))
    }

    /// What the recogniser found is a word of a language or the clinic and nobody's
    /// name that is known, in a picture also misread: only a sure find counts.
    fn is_plain(&self, line: &Line<'_>, name: &Found, source: Source) -> bool {
        let named = matches!(name.class, FoundClass::Person | FoundClass::Place);
        let mut touched = line.words.iter().filter(|word| overlaps(&word.range, &name.range));
        let is_plain = |word: &words::Word| {
            let is_misread = || self.clinical.is_misread(&word.folded) && !word.may_be_name();
            word.is_plain() && word.is_letters() || source == Source::Picture && is_misread()
        };
        named && touched.all(is_plain)
    }

    /// What the recogniser took for an identifier is one number, or a word, of at most three
    /// digits in a run, no other number beside it, in a line of clinical words and measurements
    /// alone (`DR 63`, `W400L40`): the same.
    fn is_setting(&self, line: &Line<'_>, name: &Found, source: Source) -> bool {
        let text = line.text().get(name.range.clone()).unwrap_or_default();
        let mut digits = text.split(|c: char| !c.is_ascii_digit());
        let is_short = digits.all(|run| run.len() <= SETTING_DIGITS)
            && text.bytes().any(|byte| byte.is_ascii_digit());
        let numbers = |pair: &[words::Word]| {
            pair.iter().all(|word| word.digits > 0)
                && pair.iter().any(|word| overlaps(&word.range, &name.range))
        };
        source == Source::Picture
            && name.class == FoundClass::Identifier
            && is_short
            && !line.words.windows(2).any(numbers)
            && self.clinical.is_clinical(line.text())
    }

    /// Finds what identifies in a text, in order, ranges merged; a range grows
    /// to whole words.
    #[must_use]
    pub fn spans(&self, text: &str, matcher: &Matcher) -> Vec<Span> {
        self.spans_from(text, matcher, Source::Typed)
    }

    /// The same of a text from `source`.
    fn spans_from(&self, text: &str, matcher: &Matcher, source: Source) -> Vec<Span> {
        if is_short_machine_text(text) {
            return Vec::new();
        }
        let (dates, mut found) = self.found(text, matcher, source);
        found.extend(dates.into_iter().map(|date| Span::new(date.range, TextReason::Date)));
        finished(text, found)
    }

    /// Dates, and apart from them all else that identifies. Long texts are looked
    /// at piece by piece: what a rule asks of the words around is then bounded.
    fn found(&self, text: &str, matcher: &Matcher, source: Source) -> (Vec<DateFound>, Vec<Span>) {
        let (mut dates, mut spans) = (Vec::new(), Vec::new());
        for Piece { core, seen } in pieces(text) {
            let (in_piece, found) =
                self.found_in_piece(text.get(seen.clone()).unwrap_or_default(), matcher, source);
            let moved = |range: &Range<usize>| range.start + seen.start..range.end + seen.start;
            dates.extend(in_piece.into_iter().filter_map(|mut date| {
                date.range = moved(&date.range);
                core.contains(&date.range.start).then_some(date)
            }));
            spans.extend(found.into_iter().filter_map(|mut span| {
                span.range = moved(&span.range);
                (span.range.start < core.end && core.start < span.range.end).then_some(span)
            }));
        }
        (dates, spans)
    }

    /// The same of one piece, in all readings.
    fn found_in_piece(
        &self,
        text: &str,
        matcher: &Matcher,
        source: Source,
    ) -> (Vec<DateFound>, Vec<Span>) {
        let line = &Line::new(text, Lexicon::shared());
        let (dates, mut found) = self.found_in(line, matcher, source);
        if looks::without_unseen(text).is_some() {
            let closed = Line::read(text, Lexicon::shared(), Reading::Closed);
            let (more, also) = self.found_in(&closed, matcher, source);
            let more = more.into_iter().map(|date| date.range);
            let more = more.filter(|range| dates.iter().all(|date| date.range != *range));
            found.extend(more.map(|range| Span::new(range, TextReason::Date)));
            found.extend(also);
        }
        if looks::latin_words(text).is_some() {
            found.extend(matcher.find(&Line::read(text, Lexicon::shared(), Reading::Latin)));
        }
        (dates, found)
    }

    /// The same in one reading.
    fn found_in(
        &self,
        line: &Line<'_>,
        matcher: &Matcher,
        source: Source,
    ) -> (Vec<DateFound>, Vec<Span>) {
        let mut found = matcher.find(line);
        let dates = dates::find(line);
        let ranges: Vec<Range<usize>> = dates.iter().map(|date| date.range.clone()).collect();
        found.extend(dates::times(line).into_iter().filter_map(|range| {
            let free = !ranges.iter().any(|date| date.contains(&range.start));
            free.then(|| Span::new(range, TextReason::Time))
        }));
        numbers::find(line, &ranges, matcher, &mut found);
        labels::find(line, &ranges, &mut found);
        contacts::find(line, &mut found);
        let (least, mut names) = (likelihood(source.score(matcher.scores())), Vec::new());
        for finder in &self.finders {
            finder.find(line, least, &mut names);
        }
        names.retain(|name| {
            let is_unsure = name.score < PLAIN_SCORE_MIN
                && (self.is_plain(line, name, source) || self.is_setting(line, name, source));
            !is_unsure && !is_code(line, name) && !is_steps(line, name)
        });
        let phrases = phrases(line);
        // A day that is understood may stay or be moved; a phrase names nobody,
        // but for an institution that is called by one (`Ann Arbor Hospital`).
        let left = names.into_iter().filter(|name| name.score >= least).flat_map(|name| {
            let stays: &[Range<usize>] = match name.class {
                FoundClass::Date => &ranges,
                FoundClass::Person => &phrases,
                FoundClass::Place
                | FoundClass::Identifier
                | FoundClass::Contact
                | FoundClass::Age => &[],
            };
            let reason = reason_of(name.class);
            without(line.text(), name.range, stays)
                .into_iter()
                .map(move |left| Span::new(left, reason))
        });
        found.extend(left);
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
        let (dates, mut found) = self.found(text, matcher, Source::Typed);
        let others = merged(found.clone());
        let mut moved: Vec<(Range<usize>, String)> = Vec::new();
        for date in dates {
            let next = others.partition_point(|span| span.range.end <= date.range.start);
            let touched = others.get(next).is_some_and(|span| span.range.start < date.range.end);
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

/// A word of the clinic that is many people's name too: `Long`, `Stone`.
#[must_use]
pub fn may_be_name(word: &str) -> bool {
    let folded = words::fold(word.trim_matches(|c: char| !c.is_alphanumeric()));
    let flags = Lexicon::shared().flags(&folded);
    flags.has(Flags::NAMES)
}

/// What a number or a birth is called, with its colon, and nothing else: `Patient ID:`. Two
/// letters may be somebody's, but for `ID`.
#[must_use]
pub fn is_caption(text: &str) -> bool {
    let line = Line::new(text, Lexicon::shared());
    let letters: usize = line.words.iter().map(|word| word.chars).sum();
    if letters < CAPTION_CHARS && line.words.iter().all(|word| word.folded != "id") {
        return false;
    }
    let label = Lexicon::shared().label(line.words.iter().map(|word| word.folded.as_str()));
    let whole = |(count, label)| {
        count == line.words.len() && matches!(label, lexicon::Label::Id | lexicon::Label::Birth)
    };
    text.ends_with(':') && label.is_some_and(whole)
}

/// Of thousandths.
fn likelihood(score: u16) -> f32 {
    f32::from(score) / 1000.0
}

fn reason_of(class: FoundClass) -> TextReason {
    match class {
        FoundClass::Person => TextReason::Name,
        FoundClass::Place => TextReason::Place,
        FoundClass::Date => TextReason::Date,
        FoundClass::Identifier | FoundClass::Age => TextReason::Identifier,
        FoundClass::Contact => TextReason::Contact,
    }
}

fn overlaps(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// What is left of a range beside others, where it holds letters or digits.
fn without(text: &str, range: Range<usize>, others: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut left = vec![range];
    for other in others {
        let parts = left.into_iter().flat_map(|part| {
            if overlaps(&part, other) {
                [part.start..other.start, other.end..part.end]
            } else {
                [part, Range::default()]
            }
        });
        left = parts.filter(|part| !part.is_empty()).collect();
    }
    let tells = |part: &Range<usize>| {
        text.get(part.clone()).is_some_and(|text| text.chars().any(char::is_alphanumeric))
    };
    left.retain(tells);
    left
}

/// What it takes for a day are the steps of three settings, alone on the line (`3/3/4`).
fn is_steps(line: &Line<'_>, name: &Found) -> bool {
    let mut steps = line.text().trim().split('/');
    let is_step = |step: &str| {
        let step = step.trim();
        step.len() == 1 && step.bytes().all(|byte| byte.is_ascii_digit())
    };
    name.class == FoundClass::Date
        && steps.by_ref().take(3).filter(|step| is_step(step)).count() == 3
        && steps.next().is_none()
}

/// What the recogniser takes for an identifier is a code that means the same for all.
fn is_code(line: &Line<'_>, name: &Found) -> bool {
    let first = line.words.partition_point(|word| word.range.end <= name.range.start);
    let text = line.text().get(name.range.clone()).unwrap_or_default();
    // Of several the others may be somebody's.
    let is_one = !text.contains([' ', ',', '/']);
    name.class == FoundClass::Identifier && is_one && numbers::follows_code_system(line, first)
}

/// Where something stands that is called by a name and names nobody. Behind a
/// title it is somebody: `Dr Ramsay Hunt`.
fn phrases(line: &Line<'_>) -> Vec<Range<usize>> {
    let at = |first: usize| {
        if context::has_title_before(line, first) {
            return None;
        }
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
