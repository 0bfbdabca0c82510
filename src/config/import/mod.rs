//! Rules for burned-in text of other programs: CTP scripts and deid recipes in,
//! device rules out, and each line of them that no rule can say.
//!
//! Invariant: a rule that comes out matches at least what its source matches,
//! and hides at least that; what would take less is left out and named. Text of
//! any kind gives an answer: sizes, depths and numbers have limits.

mod ctp;
mod deid;
mod expression;
mod pattern;
mod write;

use expression::Expr;
pub use expression::{ALTERNATIVES_MAX, DEPTH_MAX, TERMS_MAX};
pub use write::condition_text;

use super::device_file::{ID_CHARS_MAX, PLACE_MAX, RECTS_MAX, is_id};
use super::devices::{DeviceRule, RULES_MAX, RectPx};

/// Longest title that is taken along, in characters.
const TITLE_CHARS_MAX: usize = 80;
/// Longest beginning of an id, in characters: numbers follow it.
const STEM_CHARS_MAX: usize = 32;

/// Whose rules they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// CTP's DicomPixelAnonymizer script.
    Ctp,
    /// A recipe of pydicom's deid.
    Deid,
}

impl Format {
    /// A recipe says its format or has sections; all else is a script.
    #[must_use]
    pub fn guess(text: &str) -> Self {
        let is_recipe = |line: &str| {
            let line = line.trim().to_ascii_lowercase();
            line.starts_with("format ") || line.starts_with('%')
        };
        if text.lines().any(is_recipe) { Self::Deid } else { Self::Ctp }
    }
}

/// What became of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The rules, in order.
    pub rules: Vec<Draft>,
    /// What is in none of them, in order of lines.
    pub left_out: Vec<LeftOut>,
}

/// A rule and where it comes from.
#[derive(Debug, PartialEq, Eq)]
pub struct Draft {
    /// The rule.
    pub rule: DeviceRule,
    /// Its first line in the source, from 1.
    pub line: usize,
    /// What the source calls it.
    pub title: String,
}

/// A place of the source that is in no rule.
#[derive(Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Line, from 1.
    pub line: usize,
    /// Why, and what to do.
    pub what: String,
}

/// One entry of a source as it was read.
struct Entry {
    line: usize,
    title: String,
    when: Expr,
    hide: Vec<RectPx>,
    hide_outside: Vec<RectPx>,
    quarantine: bool,
}

/// Reads a script or recipe; ids begin with `stem`, or with the format's name
/// where that can be none.
#[must_use]
pub fn import(text: &str, format: Format, stem: &str) -> Imported {
    let stem = stem_of(stem, format);
    let mut imported = Imported::default();
    match format {
        Format::Ctp => ctp::read(text, &stem, &mut imported),
        Format::Deid => deid::read(text, &stem, &mut imported),
    }
    imported.left_out.sort_by_key(|left_out| left_out.line);
    // Alternatives of one entry can share what no rule can say.
    imported.left_out.dedup();
    imported
}

fn stem_of(stem: &str, format: Format) -> String {
    let mut words = stem
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase);
    let mut joined = words.next().unwrap_or_default();
    for word in words {
        joined.push('-');
        joined.push_str(&word);
    }
    joined.truncate(STEM_CHARS_MAX);
    let joined = joined.trim_end_matches('-');
    let name = match format {
        Format::Ctp => "ctp",
        Format::Deid => "deid",
    };
    if is_id(joined) { joined.to_owned() } else { name.to_owned() }
}

impl Imported {
    fn leave_out(&mut self, line: usize, what: impl Into<String>) {
        self.left_out.push(LeftOut { line, what: what.into() });
    }

    /// Makes the rules of an entry: one for each alternative of its condition
    /// and each [`RECTS_MAX`] rectangles.
    fn add(&mut self, stem: &str, number: usize, entry: &Entry) {
        let alternatives = match entry.when.alternatives() {
            Ok(alternatives) => alternatives,
            Err(what) => return self.leave_out(entry.line, what),
        };
        let places = places(entry);
        let many = alternatives.len() * places.len() > 1;
        if alternatives.is_empty() {
            self.leave_out(entry.line, "its condition is never true");
        }
        let mut part = 0_usize;
        for alternative in alternatives {
            let when = match alternative.into_iter().collect::<Result<Vec<_>, String>>() {
                Ok(when) if when.is_empty() => {
                    let what = "no condition: it would be about every picture; see text_policy";
                    self.leave_out(entry.line, what);
                    continue;
                }
                Ok(when) => when,
                Err(what) => {
                    self.leave_out(entry.line, what);
                    continue;
                }
            };
            for (hide, hide_outside) in &places {
                part += 1;
                let suffix = if many { format!("-{part}") } else { String::new() };
                let id = format!("{stem}-{number}{suffix}");
                if self.rules.len() >= RULES_MAX || id.len() > ID_CHARS_MAX {
                    return self.leave_out(entry.line, format!("over {RULES_MAX} rules"));
                }
                let rule = DeviceRule {
                    id,
                    when: when.clone(),
                    hide: hide.clone(),
                    hide_outside: hide_outside.clone(),
                    trust: Vec::new(),
                    quarantine: entry.quarantine,
                };
                let (line, title) = (entry.line, entry.title.clone());
                self.rules.push(Draft { rule, line, title });
            }
        }
    }

    /// The rules as a file.
    #[must_use]
    pub fn to_toml(&self, source: &str) -> String {
        write::toml(self, source)
    }
}

/// An entry's rectangles, as many at a time as a rule holds.
fn places(entry: &Entry) -> Vec<(Vec<RectPx>, Vec<RectPx>)> {
    let mut places: Vec<_> =
        entry.hide.chunks(RECTS_MAX).map(|hide| (hide.to_vec(), Vec::new())).collect();
    match places.first_mut() {
        Some((_, first)) => first.clone_from(&entry.hide_outside),
        None => places.push((Vec::new(), entry.hide_outside.clone())),
    }
    places
}

/// A rectangle of four numbers; `None` where they are none, are negative, or
/// hold no pixel. Beyond the largest picture it is cut off.
fn rect(left: i64, top: i64, width: i64, height: i64) -> Option<RectPx> {
    if left < 0 || top < 0 || width <= 0 || height <= 0 {
        return None;
    }
    let number = |value: i64| u32::try_from(value).unwrap_or(u32::MAX).min(PLACE_MAX);
    Some([number(left), number(top), number(width), number(height)])
}

/// Whole numbers with commas between them.
fn numbers(text: &str) -> Option<[i64; 4]> {
    let numbers: Vec<i64> =
        text.split(',').map(|number| number.trim().parse().ok()).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

/// Text of the source as it may be shown: one line, cut off.
fn shown(text: &str) -> String {
    let clean = text.trim().chars().filter(|letter| !letter.is_control());
    let mut shown: String = clean.take(TITLE_CHARS_MAX + 1).collect();
    if shown.chars().count() > TITLE_CHARS_MAX {
        shown = shown.chars().take(TITLE_CHARS_MAX - 1).chain(['…']).collect();
    }
    shown
}

#[cfg(test)]
mod tests;
