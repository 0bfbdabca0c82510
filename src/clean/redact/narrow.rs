//! Parts a line that mixes both: what identifies is hidden, clinical words
//! beside it stay (`DOE LIVER SAG` keeps `LIVER SAG`).
//!
//! Where a word ends is seen in the picture, not guessed from the text: a line
//! is parted only where its blank columns agree with its words. In any doubt the
//! whole line goes, as it does without this module.

use std::ops::Range;

use crate::clean::judge::{LineVerdict, is_caption, may_be_name};
use crate::clean::report::TextReason;
use crate::clean::text::{TextLine, View};

/// Mean confidence from which a reading may save a word beside a hidden one.
const CONFIDENCE_MIN: f32 = 0.9;
/// A line that rises by less than this part of its length is upright.
const UPRIGHT_SLOPE: f32 = 0.05;
/// Ink differs from the ground by this part of what the strongest ink does ...
const INK_PART: u32 = 4;
/// ... and by so many shades at least: noise of lossy coding stays under it.
const INK_SHADES_MIN: u32 = 24;
/// The gaps between words are this much wider (in percent) than those in them.
const GAP_PERCENT: usize = 150;
/// Narrowest gap between words, as a part of the line's height.
const GAP_HEIGHT_PART: usize = 8;
/// Widths of a letter, in percent of the line's mean: between an `I` and a `W`.
const LETTER_PERCENT: Range<usize> = 35..280;
/// Most words of a label before a hidden value.
const CAPTION_WORDS_MAX: usize = 4;
/// Mean width of a letter in front by that of the rest, between `ID:` and `MMM:`.
const FRONT_RATIO: Range<f32> = 0.5..2.0;
/// Letters of a word that no initial and no short name looks like.
const TELLING_LETTERS: usize = 4;

/// A part of a line and whether it is hidden.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    /// Its place and text.
    pub(super) line: TextLine,
    /// Hidden, or read and clinical.
    pub(super) hide: bool,
}

/// The parts of a line that is to be hidden; `None` where all of it is.
/// `margin` is what is painted around a part.
pub(super) fn parts(
    view: &View,
    line: &TextLine,
    verdict: &LineVerdict,
    judge: &dyn Fn(&TextLine) -> LineVerdict,
    margin: f32,
) -> Option<Vec<Part>> {
    let readable =
        line.confidence >= CONFIDENCE_MIN && !matches!(verdict.reason, TextReason::Policy);
    if !verdict.hide || !readable {
        return None;
    }
    let words = words(&line.text);
    let kept = kept(line, &words, verdict, judge);
    if !kept.contains(&true) {
        return None;
    }
    let cuts = Picture::of(view, line)?.cuts(&line.text, &words)?;
    front_fits(line, &words, &kept, &cuts).then(|| joined(line, &words, &kept, &cuts, margin))
}

/// What stays in front is as wide as its letters ask for beside the rest: where the widest gap
/// is one inside the value, the label would take a piece of it along.
fn front_fits(line: &TextLine, words: &[Range<usize>], kept: &[bool], cuts: &[u32]) -> bool {
    let count = kept.iter().take_while(|kept| **kept).count();
    let (Some(cut), Some(value)) = (cuts.get(count.wrapping_sub(1)), words.get(count)) else {
        return true;
    };
    let [[left, _], [right, _], ..] = line.corners;
    let letters = |text: Option<&str>| text.map_or(0, |text| text.chars().count());
    let (front, rest) =
        (letters(line.text.get(..value.start)), letters(line.text.get(value.start..)));
    let (own, other) = (column(*cut) - left, right - column(*cut));
    let (front, rest) = (small(front), small(rest));
    let ratio = own * rest / (other * front).max(1.0);
    FRONT_RATIO.contains(&ratio)
}

/// Byte ranges of what stands between blanks.
fn words(text: &str) -> Vec<Range<usize>> {
    let start = |word: &str| word.as_ptr().addr() - text.as_ptr().addr();
    text.split_whitespace().map(|word| start(word)..start(word) + word.len()).collect()
}

/// Which words stay: runs of words that no span touches and that the judge
/// knows to be clinical by themselves.
fn kept(
    line: &TextLine,
    words: &[Range<usize>],
    verdict: &LineVerdict,
    judge: &dyn Fn(&TextLine) -> LineVerdict,
) -> Vec<bool> {
    let text = |range: Range<usize>| line.text.get(range).unwrap_or_default();
    let is_clinical = |range: Range<usize>| {
        !judge(&TextLine { text: text(range).to_owned(), ..line.clone() }).hide
    };
    let touched = |word: &Range<usize>| {
        verdict.spans.iter().any(|span| span.range.start < word.end && word.start < span.range.end)
    };
    // Without spans something is unknown: each word stands for itself first.
    let free = |word: &Range<usize>| {
        !touched(word) && (!verdict.spans.is_empty() || is_clinical(word.clone()))
    };
    let mut kept: Vec<bool> = words.iter().map(free).collect();
    let mut from = 0;
    while from < kept.len() {
        let length = kept.iter().skip(from).take_while(|kept| **kept).count();
        let run = trimmed(text, words, from..from + length);
        let range = words.get(run.start).map_or(0, |word| word.start)
            ..words.get(run.end.saturating_sub(1)).map_or(0, |word| word.end);
        let before = words.get(run.start.wrapping_sub(1)).map_or("", |word| text(word.clone()));
        // `Cava, Vena Maria`: what a comma joins is one name.
        let parted = before.ends_with(',') || text(range.clone()).ends_with(',');
        let stays =
            !run.is_empty() && !parted && is_telling(text(range.clone())) && is_clinical(range);
        for (at, kept) in kept.iter_mut().enumerate().skip(from).take(length) {
            *kept = stays && run.contains(&at);
        }
        from += length + 1;
    }
    // Only in front: behind a name a label says that the name is one (`LONG ACC: 4711`).
    let most = CAPTION_WORDS_MAX.min(words.len().saturating_sub(1));
    let captions = words.iter().take(most).map(|last| 0..last.end);
    let captions = captions.zip(1..).filter(|(range, _)| is_caption(text(range.clone()).trim()));
    if let Some((_, count)) = captions.last().filter(|(range, _)| is_clinical(range.clone())) {
        kept.iter_mut().take(count).for_each(|kept| *kept = true);
    }
    kept
}

/// The run without single letters at those ends where something hidden stands:
/// they may be initials.
fn trimmed<'a>(
    text: impl Fn(Range<usize>) -> &'a str,
    words: &[Range<usize>],
    mut run: Range<usize>,
) -> Range<usize> {
    let is_initial = |at: usize| {
        let word = words.get(at).map_or("", |word| text(word.clone()));
        word.chars().filter(|c| c.is_alphanumeric()).count() <= 1
    };
    while !run.is_empty() && is_initial(run.start) {
        run.start += 1;
    }
    while !run.is_empty() && is_initial(run.end - 1) {
        run.end -= 1;
    }
    run
}

/// Two clinical words that are nobody's names, a measure, a label: one clinical
/// word beside a name can be its other part (`DOE LONG`), and so can two that
/// are names (`HEAD STONE`). A number without unit or point can be an identifier.
fn is_telling(run: &str) -> bool {
    if run.ends_with(':') {
        return true;
    }
    let letters = |word: &str| word.chars().filter(|c| c.is_alphabetic()).count();
    let words: Vec<&str> = run.split_whitespace().collect();
    let bare = |word: &&str| {
        let first = word.chars().next().is_some_and(|c| c.is_ascii_digit());
        let has_digits = word.chars().any(|c| c.is_ascii_digit());
        let measured = first && (letters(word) > 0 || word.contains(['.', '%']));
        has_digits && !measured
    };
    let names = words.iter().filter(|word| may_be_name(word)).count();
    let long = words.iter().any(|word| letters(word) >= TELLING_LETTERS && !may_be_name(word));
    let measure = words.iter().any(|word| word.chars().any(|c| c.is_ascii_digit()));
    let is_measure = measure && letters(run) > 0 && names == 0;
    !words.iter().any(bare) && ((words.len() > 1 && long && names < words.len()) || is_measure)
}

/// Neighbours of one kind made one part each, cut at the gaps.
fn joined(
    line: &TextLine,
    words: &[Range<usize>],
    kept: &[bool],
    cuts: &[u32],
    margin: f32,
) -> Vec<Part> {
    let [[left, _], [right, _], ..] = line.corners;
    let mut parts = Vec::new();
    let mut from = 0;
    while let Some(stays) = kept.get(from).copied() {
        let count = kept.iter().skip(from).take_while(|kept| **kept == stays).count();
        let to = from + count;
        let start = from.checked_sub(1).and_then(|cut| cuts.get(cut));
        let end = cuts.get(to - 1);
        // What is hidden is painted with a margin, which must end at the cut.
        let inset = if stays { 0.0 } else { margin };
        let x0 = start.map_or(left, |cut| column(*cut) + inset);
        let x1 = end.map_or(right, |cut| (column(*cut) - inset).max(x0 + 1.0));
        let range = words.get(from).map_or(0, |word| word.start)
            ..words.get(to - 1).map_or(0, |word| word.end);
        parts.push(Part {
            line: TextLine {
                corners: placed(line, x0, x1),
                text: line.text.get(range).unwrap_or_default().to_owned(),
                confidence: line.confidence,
            },
            hide: !stays,
        });
        from = to;
    }
    parts
}

/// The line's corners between two columns.
fn placed(line: &TextLine, x0: f32, x1: f32) -> [[f32; 2]; 4] {
    let [a, b, c, d] = line.corners;
    let along = |from: [f32; 2], to: [f32; 2], x: f32| {
        let part = (x - from[0]) / (to[0] - from[0]).max(1.0);
        [x, from[1] + (to[1] - from[1]) * part]
    };
    [along(a, b, x0), along(a, b, x1), along(d, c, x1), along(d, c, x0)]
}

#[expect(clippy::as_conversions, reason = "a column under 65,536 is exact")]
fn column(column: u32) -> f32 {
    column as f32
}

#[expect(clippy::as_conversions, reason = "the letters of a line are few")]
fn small(count: usize) -> f32 {
    count as f32
}

/// How much ink each column of a line has.
struct Picture {
    /// First column in the view.
    left: u32,
    height: usize,
    has_ink: Vec<bool>,
}

impl Picture {
    /// `None` for a line that is not upright or lies outside.
    fn of(view: &View, line: &TextLine) -> Option<Self> {
        let [a, b, c, d] = line.corners;
        let length = b[0] - a[0];
        let rise = (b[1] - a[1]).abs().max((c[1] - d[1]).abs());
        if !length.is_finite() || length <= 0.0 || rise > UPRIGHT_SLOPE * length {
            return None;
        }
        let (left, right) = (pixel(a[0].min(d[0])), pixel(b[0].max(c[0]).ceil()).min(view.width));
        let (top, bottom) = (pixel(a[1].min(b[1])), pixel(c[1].max(d[1]).ceil()).min(view.height));
        if left >= right || top >= bottom {
            return None;
        }
        let crop = Crop { view, columns: left..right, rows: top..bottom };
        let ground = crop.ground();
        let strongest: Vec<u32> =
            crop.columns.clone().map(|x| crop.strongest_ink(x, &ground)).collect();
        let least = (strongest.iter().max()? / INK_PART).max(INK_SHADES_MIN);
        let has_ink = strongest.into_iter().map(|ink| ink > least).collect();
        Some(Self { left, height: index(bottom - top), has_ink })
    }

    /// The middle column of each gap between the words, from the left; `None`
    /// when the gaps do not agree with the words.
    fn cuts(&self, text: &str, words: &[Range<usize>]) -> Option<Vec<u32>> {
        let first = self.has_ink.iter().position(|ink| *ink)?;
        let last = self.has_ink.iter().rposition(|ink| *ink)?;
        let mut gaps: Vec<Range<usize>> = Vec::new();
        for x in first..=last {
            match gaps.last_mut() {
                _ if self.has_ink.get(x) == Some(&true) => {}
                Some(gap) if gap.end == x => gap.end = x + 1,
                Some(_) | None => gaps.push(x..x + 1),
            }
        }
        let count = words.len().checked_sub(1)?;
        gaps.sort_by_key(|gap| std::cmp::Reverse(gap.len()));
        let narrowest = gaps.get(count.checked_sub(1)?)?.len();
        let inside = gaps.get(count).map_or(0, Range::len);
        let clear =
            narrowest * 100 >= inside * GAP_PERCENT && narrowest * GAP_HEIGHT_PART >= self.height;
        gaps.truncate(count);
        gaps.sort_by_key(|gap| gap.start);
        (clear && fit(text, words, &gaps, first..last + 1)).then(|| {
            let middles = gaps.iter().map(|gap| usize::midpoint(gap.start, gap.end));
            middles.map(|x| self.left + u32::try_from(x).unwrap_or(u32::MAX)).collect()
        })
    }
}

/// Each word is about as wide as its letters ask for.
fn fit(text: &str, words: &[Range<usize>], gaps: &[Range<usize>], ink: Range<usize>) -> bool {
    let starts = std::iter::once(ink.start).chain(gaps.iter().map(|gap| gap.end));
    let ends = gaps.iter().map(|gap| gap.start).chain([ink.end]);
    let letters =
        |word: &Range<usize>| text.get(word.clone()).unwrap_or_default().chars().count().max(1);
    let widths: Vec<usize> = starts.zip(ends).map(|(from, to)| to.saturating_sub(from)).collect();
    let (width, count): (usize, usize) = (widths.iter().sum(), words.iter().map(letters).sum());
    words.iter().zip(widths).all(|(word, own)| {
        let percent = own * 100 * count / (letters(word) * width.max(1));
        LETTER_PERCENT.contains(&percent)
    })
}

/// The part of a view that a line covers.
struct Crop<'a> {
    view: &'a View,
    columns: Range<u32>,
    rows: Range<u32>,
}

impl Crop<'_> {
    fn pixel(&self, x: u32, y: u32) -> &[u8] {
        let samples = usize::from(self.view.samples);
        let at = (index(y) * index(self.view.width) + index(x)) * samples;
        self.view.pixels.get(at..at + samples).unwrap_or_default()
    }

    /// The middle value of each sample: text covers less than half of its box.
    fn ground(&self) -> Vec<u8> {
        let middle = |sample: usize| {
            let places = self.rows.clone().flat_map(|y| self.columns.clone().map(move |x| (x, y)));
            let values = places.filter_map(|(x, y)| self.pixel(x, y).get(sample).copied());
            let mut values: Vec<u8> = values.collect();
            let half = values.len() / 2;
            if values.is_empty() { 0 } else { *values.select_nth_unstable(half).1 }
        };
        (0..usize::from(self.view.samples)).map(middle).collect()
    }

    fn strongest_ink(&self, x: u32, ground: &[u8]) -> u32 {
        let ink = |y: u32| {
            let pairs = self.pixel(x, y).iter().zip(ground);
            pairs.map(|(sample, ground)| u32::from(sample.abs_diff(*ground))).max().unwrap_or(0)
        };
        self.rows.clone().map(ink).max().unwrap_or(0)
    }
}

#[expect(clippy::as_conversions, reason = "float to integer saturates, NaN was sorted out")]
fn pixel(place: f32) -> u32 {
    place as u32
}

fn index(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
#[path = "narrow_tests.rs"]
mod tests;
