//! CTP's DicomPixelAnonymizer script: blocks of `{ condition }` with regions
//! `(left, top, width, height)` behind them; all other text is comment. In a
//! condition `+` is or, `*` is and, `!` is not; a term is
//! `identifier.method("text")`, `true.` or `false.`; `//` begins a comment.
//!
//! CTP applies the first block that matches, airlock all of them.

use std::iter::Peekable;
use std::str::Chars;

use super::expression::{DEPTH_MAX, Expr, TERMS_MAX};
use super::{Entry, Imported, numbers, pattern, rect, shown};
use crate::config::devices::{Comparison, RectPx};
use crate::dicom::Tag;

/// Longest part of a term, in characters.
const FIELD_CHARS_MAX: usize = 1024;

pub(super) fn read(text: &str, stem: &str, imported: &mut Imported) {
    let Some((before, mut rest)) = text.split_once('{') else { return };
    let mut line = 1 + lines(before);
    let mut title = title(before);
    let mut number = 0;
    loop {
        let Some((script, after)) = rest.split_once('}') else {
            return imported.leave_out(line, "a { without }");
        };
        let behind_line = line + lines(script);
        let (behind, next) = match after.split_once('{') {
            Some((behind, next)) => (behind, Some(next)),
            None => (after, None),
        };
        number += 1;
        let hide = regions(behind, behind_line, imported);
        if hide.is_empty() {
            let what = "no region: CTP lets pass what it matches; nothing is let pass here";
            imported.leave_out(line, what);
        } else {
            match condition(script) {
                Ok(when) => {
                    let (hide_outside, quarantine) = (Vec::new(), false);
                    let entry = Entry { line, title, when, hide, hide_outside, quarantine };
                    imported.add(stem, number, &entry);
                }
                Err(what) => imported.leave_out(line, what),
            }
        }
        let Some(next) = next else { return };
        line = behind_line + lines(behind);
        title = self::title(behind);
        rest = next;
    }
}

fn lines(text: &str) -> usize {
    text.matches('\n').count()
}

/// The last line of a comment that says something.
fn title(comment: &str) -> String {
    let own = comment.rsplit_once(')').map_or(comment, |(_, own)| own);
    own.lines().map(shown).rfind(|line| !line.is_empty()).unwrap_or_default()
}

/// The regions behind a block. Parentheses around anything else are named: a
/// region with a slip of the pen would be lost.
fn regions(behind: &str, first_line: usize, imported: &mut Imported) -> Vec<RectPx> {
    let (mut rest, mut line) = (behind, first_line);
    let mut found = Vec::new();
    while let Some((before, after)) = rest.split_once('(') {
        line += lines(before);
        let Some((inside, after)) = after.split_once(')') else {
            imported.leave_out(line, "a ( without )");
            return found;
        };
        match numbers(inside).and_then(|[left, top, width, height]| rect(left, top, width, height))
        {
            Some(rect) => found.push(rect),
            None => {
                let what = format!("({}): no region of left, top, width, height", shown(inside));
                imported.leave_out(line, what);
            }
        }
        line += lines(inside);
        rest = after;
    }
    found
}

fn condition(script: &str) -> Result<Expr, String> {
    let mut parser = Parser { rest: script.chars().peekable(), terms: 0 };
    let expr = parser.any(0)?;
    match parser.next_sign()? {
        None => Ok(expr),
        Some(sign) => Err(format!("{}: not understood here", shown(&sign.to_string()))),
    }
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    terms: usize,
}

impl Parser<'_> {
    fn any(&mut self, depth: usize) -> Result<Expr, String> {
        let mut parts = vec![self.all(depth)?];
        while self.next_sign()? == Some('+') {
            self.rest.next();
            parts.push(self.all(depth)?);
        }
        Ok(Expr::Any(parts))
    }

    fn all(&mut self, depth: usize) -> Result<Expr, String> {
        let mut parts = vec![self.one(depth)?];
        while self.next_sign()? == Some('*') {
            self.rest.next();
            parts.push(self.one(depth)?);
        }
        Ok(Expr::All(parts))
    }

    fn one(&mut self, depth: usize) -> Result<Expr, String> {
        if depth > DEPTH_MAX {
            return Err(format!("nested deeper than {DEPTH_MAX} (DEPTH_MAX)"));
        }
        match self.next_sign()? {
            Some('!') => {
                self.rest.next();
                Ok(Expr::Not(Box::new(self.one(depth + 1)?)))
            }
            Some('(') => {
                self.rest.next();
                let inner = self.any(depth + 1)?;
                match self.next_sign()? {
                    Some(')') => {
                        self.rest.next();
                        Ok(inner)
                    }
                    Some(_) | None => Err("a ( without ) in a condition".to_owned()),
                }
            }
            Some(letter) if letter == '[' || letter.is_alphabetic() => self.term(),
            Some(sign) => Err(format!("{}: not understood here", shown(&sign.to_string()))),
            None => Err("a condition that ends too early".to_owned()),
        }
    }

    /// The next sign that is neither blank nor comment.
    fn next_sign(&mut self) -> Result<Option<char>, String> {
        loop {
            match self.rest.peek() {
                Some(blank) if blank.is_whitespace() => {
                    self.rest.next();
                }
                Some('/') => {
                    self.rest.next();
                    if self.rest.peek() != Some(&'/') {
                        return Err("/: not understood here".to_owned());
                    }
                    self.rest.by_ref().find(|letter| *letter == '\n');
                }
                other => return Ok(other.copied()),
            }
        }
    }

    fn term(&mut self) -> Result<Expr, String> {
        self.terms += 1;
        if self.terms > TERMS_MAX {
            return Err(format!("over {TERMS_MAX} terms (TERMS_MAX)"));
        }
        let identifier = self.field('.')?;
        match identifier.as_str() {
            "true" => return Ok(Expr::Constant(true)),
            "false" => return Ok(Expr::Constant(false)),
            _ => {}
        }
        let method = self.field('(')?;
        let argument = self.field(')')?;
        let unquoted = argument.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match unquoted {
            Some(text) => Ok(term(&identifier, &method, text)),
            None if argument.is_empty() && method == "isEmpty" => {
                Ok(term(&identifier, &method, ""))
            }
            None => Err(format!("{}.{}: no text in quotes", shown(&identifier), shown(&method))),
        }
    }

    /// What stands before a sign, outside of quotes.
    fn field(&mut self, end: char) -> Result<String, String> {
        let (mut field, mut quoted) = (String::new(), false);
        for letter in self.rest.by_ref().take(FIELD_CHARS_MAX) {
            quoted ^= letter == '"';
            if letter == end && !quoted {
                return Ok(field.trim().to_owned());
            }
            field.push(letter);
        }
        Err(format!("{}: a term without {end}", shown(&field)))
    }
}

fn term(identifier: &str, method: &str, text: &str) -> Expr {
    if identifier.contains("::") {
        return Expr::unknown(format!("{}: an element of a sequence", shown(identifier)));
    }
    let name = identifier.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    Expr::about(name.unwrap_or(identifier), |tag| test(tag, method, text))
}

fn test(tag: Tag, method: &str, text: &str) -> Expr {
    let (plain, exact_case) =
        method.strip_suffix("IgnoreCase").map_or((method, true), |plain| (plain, false));
    let comparison = match plain {
        "isEmpty" => return Expr::empty(tag),
        "equals" if text.is_empty() => return Expr::empty(tag),
        "equals" => Comparison::Equals,
        "contains" => Comparison::Contains,
        "startsWith" => Comparison::StartsWith,
        "endsWith" => Comparison::EndsWith,
        "matches" if exact_case => {
            let Some(comparisons) = pattern::comparisons(text, true) else {
                return Expr::unknown(format!("matches(\"{}\"): this pattern", shown(text)));
            };
            let one = |(comparison, text): (Comparison, String)| {
                Expr::compare(tag, comparison, &text, true)
            };
            return Expr::Any(comparisons.into_iter().map(one).collect());
        }
        other => return Expr::unknown(format!("{}: this comparison", shown(other))),
    };
    if text.is_empty() {
        return Expr::Constant(true);
    }
    Expr::compare(tag, comparison, text, exact_case)
}
