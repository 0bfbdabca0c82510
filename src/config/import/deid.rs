//! Recipes of pydicom's deid: `%filter NAME` sections of `LABEL`s, each with
//! criteria (`contains Modality US`, joined by `+` and `||` from left to right)
//! and coordinates. Criteria ignore capital and small letters; `contains` takes
//! a regular expression.

use super::expression::{Expr, TERMS_MAX};
use super::{Entry, Imported, numbers, pattern, rect, shown};
use crate::config::device_file::PLACE_MAX;
use crate::config::devices::{Comparison, RectPx};
use crate::dicom::Tag;

/// Words that begin a criterion.
const ACTIONS: [&str; 7] =
    ["contains", "notcontains", "equals", "notequals", "missing", "present", "empty"];

/// What a section is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    /// Before the first one.
    None,
    /// Pictures that are not to be passed on.
    Blacklist,
    /// Pictures that pass unlooked.
    Whitelist,
    /// Any other filter: its coordinates count.
    Filter,
    /// Nothing about pictures.
    Other,
}

pub(super) fn read(text: &str, stem: &str, imported: &mut Imported) {
    let mut reader = Reader { stem, number: 0, section: Section::None, label: None };
    for (index, line) in text.lines().enumerate() {
        reader.line(index + 1, line.trim(), imported);
    }
    reader.end_label(imported);
}

struct Reader<'a> {
    stem: &'a str,
    number: usize,
    section: Section,
    label: Option<Label>,
}

/// One label at work.
struct Label {
    line: usize,
    title: String,
    criteria: Option<Expr>,
    terms: usize,
    /// A criterion could not be read: none of it counts.
    broken: bool,
    hide: Vec<RectPx>,
    /// The whole picture was hidden before, so that `keep` opens it.
    all: bool,
    keep: Vec<RectPx>,
}

impl Reader<'_> {
    fn line(&mut self, number: usize, line: &str, imported: &mut Imported) {
        let words = line.to_ascii_lowercase();
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        if let Some(section) = words.strip_prefix('%') {
            self.end_label(imported);
            self.section = self.begin_section(number, section, imported);
        } else if self.section == Section::Other {
            // Its head was named.
        } else if let Some(format) = words.strip_prefix("format ") {
            if format.trim() != "dicom" {
                imported.leave_out(number, "a recipe for something else than DICOM");
            }
        } else if words.starts_with("label") {
            self.end_label(imported);
            self.begin_label(number, line, imported);
        } else if let Some(label) = &mut self.label {
            label.member(number, line, &words, imported);
        } else if self.section != Section::Whitelist {
            imported.leave_out(number, format!("{}: not understood here", shown(line)));
        }
    }

    fn begin_section(&self, number: usize, head: &str, imported: &mut Imported) -> Section {
        let head = head.split('#').next().unwrap_or_default();
        let mut words = head.split_whitespace();
        match (words.next(), words.next()) {
            (Some("filter"), Some("blacklist")) => Section::Blacklist,
            (Some("filter"), Some("whitelist")) => {
                imported.leave_out(number, "whitelist: nothing passes unlooked here");
                Section::Whitelist
            }
            (Some("filter"), _) => Section::Filter,
            (section, _) => {
                let section = shown(section.unwrap_or_default());
                let what = format!("%{section}: nothing about pictures; see docs/PROFILE.md");
                imported.leave_out(number, what);
                Section::Other
            }
        }
    }

    fn begin_label(&mut self, line: usize, text: &str, imported: &mut Imported) {
        match self.section {
            Section::None => imported.leave_out(line, "a label before any %filter"),
            Section::Whitelist | Section::Other => {}
            Section::Blacklist | Section::Filter => {
                let title = text.get("label".len()..).unwrap_or_default();
                self.label = Some(Label {
                    line,
                    title: shown(title.split('#').next().unwrap_or_default()),
                    criteria: None,
                    terms: 0,
                    broken: false,
                    hide: Vec::new(),
                    all: false,
                    keep: Vec::new(),
                });
            }
        }
    }

    fn end_label(&mut self, imported: &mut Imported) {
        let Some(label) = self.label.take() else { return };
        let Label { line, title, criteria, broken, mut hide, all, keep, .. } = label;
        self.number += 1;
        let quarantine = self.section == Section::Blacklist;
        let hide_outside = if all { keep } else { Vec::new() };
        if all && hide_outside.is_empty() {
            hide.push([0, 0, PLACE_MAX, PLACE_MAX]);
        }
        if broken {
            return;
        }
        if !quarantine && hide.is_empty() && hide_outside.is_empty() {
            return imported.leave_out(line, "no coordinates: there is nothing to hide");
        }
        let when = criteria.unwrap_or(Expr::Constant(true));
        let entry = Entry { line, title, when, hide, hide_outside, quarantine };
        imported.add(self.stem, self.number, &entry);
    }
}

impl Label {
    fn member(&mut self, number: usize, line: &str, words: &str, imported: &mut Imported) {
        for (key, is_keep, is_ctp) in [
            ("ctpcoordinates", false, true),
            ("ctpkeepcoordinates", true, true),
            ("coordinates", false, false),
            ("keepcoordinates", true, false),
        ] {
            if let Some(places) = words.strip_prefix(key) {
                let done = self.place(places, is_keep, is_ctp);
                done.unwrap_or_else(|what| imported.leave_out(number, what));
                return;
            }
        }
        let (joined_by_or, rest) = match (line.strip_prefix('+'), line.strip_prefix("||")) {
            (Some(rest), _) => (false, rest.trim()),
            (None, Some(rest)) => (true, rest.trim()),
            (None, None) => (false, line),
        };
        if rest.starts_with('#') {
            return;
        }
        match self.criterion(rest) {
            Ok(criterion) => {
                self.criteria = Some(match self.criteria.take() {
                    None => criterion,
                    Some(before) => joined(before, criterion, joined_by_or),
                });
            }
            Err(what) => {
                self.broken = true;
                imported.leave_out(number, format!("{what}; the whole label is left out"));
            }
        }
    }

    /// Coordinates are painted in their order; what is kept opens only a picture
    /// that was hidden as a whole before.
    fn place(&mut self, text: &str, is_keep: bool, is_ctp: bool) -> Result<(), String> {
        let text = text.split('#').next().unwrap_or_default().trim();
        if text == "all" {
            if is_keep {
                return Err("keeping all: nothing is let through unlooked".to_owned());
            }
            (self.all, self.keep, self.hide) = (true, Vec::new(), Vec::new());
            return Ok(());
        }
        if text.starts_with("from:") {
            let what = "coordinates out of the data set; text_policy = \"hide-outside-regions\" \
                        hides all outside of the ultrasound regions";
            return Err(what.to_owned());
        }
        let place = numbers(text).and_then(|[left, top, third, fourth]| {
            let corner = |from: i64, to: i64| if is_ctp { Some(to) } else { to.checked_sub(from) };
            rect(left, top, corner(left, third)?, corner(top, fourth)?)
        });
        let Some(place) = place else {
            return Err(format!("{}: no rectangle", shown(text)));
        };
        match (is_keep, self.all) {
            (false, _) => self.hide.push(place),
            (true, true) if self.hide.is_empty() => self.keep.push(place),
            (true, _) => {
                let what = "keepcoordinates that do not follow coordinates all at once: what was \
                            hidden before stays hidden";
                return Err(what.to_owned());
            }
        }
        Ok(())
    }

    /// One line of criteria, joined from left to right.
    fn criterion(&mut self, line: &str) -> Result<Expr, String> {
        let mut rest = line;
        let mut found: Option<(Expr, bool)> = None;
        loop {
            self.terms += 1;
            if self.terms > TERMS_MAX {
                return Err(format!("over {TERMS_MAX} terms (TERMS_MAX)"));
            }
            let (term, next) = split(rest);
            let term = self::term(term)?;
            let whole = match found {
                None => term,
                Some((before, by_or)) => joined(before, term, by_or),
            };
            match next {
                None => return Ok(whole),
                Some((by_or, next)) => {
                    found = Some((whole, by_or));
                    rest = next;
                }
            }
        }
    }
}

fn joined(before: Expr, after: Expr, by_or: bool) -> Expr {
    match (before, by_or) {
        (Expr::Any(mut parts), true) => {
            parts.push(after);
            Expr::Any(parts)
        }
        (Expr::All(mut parts), false) => {
            parts.push(after);
            Expr::All(parts)
        }
        (before, true) => Expr::Any(vec![before, after]),
        (before, false) => Expr::All(vec![before, after]),
    }
}

/// The first criterion of a line, and what follows its operator. An operator
/// counts only where a criterion follows somewhere: `AS+` may end a value.
fn split(line: &str) -> (&str, Option<(bool, &str)>) {
    let or = line.split_once("||").map(|(term, rest)| (term, true, rest));
    let and = line.split_once('+').map(|(term, rest)| (term, false, rest));
    let first = match (or, and) {
        (Some(or), Some(and)) => Some(if or.0.len() < and.0.len() { or } else { and }),
        (or, and) => or.or(and),
    };
    match first {
        Some((term, by_or, rest)) if ACTIONS.iter().any(|action| rest.contains(action)) => {
            (term, Some((by_or, rest.trim())))
        }
        Some(_) | None => (line, None),
    }
}

fn term(text: &str) -> Result<Expr, String> {
    let text = text.trim();
    let (action, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let action = action.to_ascii_lowercase();
    let rest = rest.trim();
    if !ACTIONS.contains(&action.as_str()) {
        return Err(format!("{}: no criterion", shown(text)));
    }
    let is_lone = matches!(action.as_str(), "missing" | "present" | "empty");
    let (field, value) = match rest.split_once(char::is_whitespace) {
        Some((field, value)) if !is_lone => (field, value.trim()),
        Some(_) | None => (rest, ""),
    };
    if !is_lone && value.is_empty() {
        return Err(format!("{}: a criterion without a value", shown(text)));
    }
    if value.contains('#') {
        return Err(format!("{}: # is no comment behind a value", shown(text)));
    }
    let name = tag_number(field).unwrap_or_else(|| field.to_owned());
    Ok(Expr::about(&name, |tag| match action.as_str() {
        "present" => Expr::present(tag),
        "missing" | "empty" => Expr::empty(tag),
        "contains" => contains(tag, value),
        "notcontains" => Expr::Not(Box::new(contains(tag, value))),
        "equals" => equals(tag, value),
        _ => Expr::Not(Box::new(Expr::compare(tag, Comparison::Equals, value, false))),
    }))
}

/// `0x00080070` as `0008,0070`.
fn tag_number(field: &str) -> Option<String> {
    let digits = field.strip_prefix("0x").filter(|digits| digits.len() == 8)?;
    let (group, element) = digits.split_at_checked(4)?;
    Some(format!("{group},{element}"))
}

fn contains(tag: Tag, expression: &str) -> Expr {
    let Some(comparisons) = pattern::comparisons(expression, false) else {
        return Expr::unknown(format!("{}: this regular expression", shown(expression)));
    };
    let one = |(comparison, text): (Comparison, String)| {
        let term = Expr::compare(tag, comparison, &text, false);
        if comparison == Comparison::Contains {
            return term;
        }
        // Its text of several values begins and ends with signs of its own.
        term.without_opposite("a negated expression with an anchor")
    };
    Expr::Any(comparisons.into_iter().map(one).collect())
}

/// deid compares the text of all values; people mean one of them, which is true
/// of more. A `|` is meant as in `contains`.
fn equals(tag: Tag, value: &str) -> Expr {
    let one =
        |value: &str| Expr::compare_either(tag, Comparison::Has, Comparison::Equals, value, false);
    Expr::Any(value.split('|').map(one).collect())
}
