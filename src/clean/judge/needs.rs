//! Which characters a text must hold for a pattern to match it: most texts are
//! passed over by that, and most patterns never compiled.
//!
//! Worked out from the pattern itself, never written beside it; in doubt
//! nothing is needed. A text with characters beyond ASCII is passed over by none.

use regex_syntax::hir::{Class, Hir, HirKind};

/// A set of ASCII characters.
type Set = u128;

/// What a text must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Needs {
    /// One character of this set.
    One(Set),
    /// All of these.
    All(Vec<Needs>),
    /// One of these.
    Any(Vec<Needs>),
}

/// The characters of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    ascii: Set,
    others: bool,
}

impl Held {
    pub(super) fn of(text: &str) -> Self {
        let ascii = text.bytes().fold(0, |set, byte| set | bit(u32::from(byte)));
        Self { ascii, others: !text.is_ascii() }
    }
}

impl Needs {
    /// What `pattern` needs; nothing for one that is no pattern.
    pub(super) fn of(pattern: &str) -> Self {
        regex_syntax::parse(pattern).map_or(Self::NOTHING, |parsed| Self::of_part(&parsed))
    }

    const NOTHING: Self = Self::All(Vec::new());

    fn of_part(part: &Hir) -> Self {
        match part.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::NOTHING,
            HirKind::Literal(literal) => {
                let bytes = literal.0.iter().filter(|byte| byte.is_ascii());
                Self::All(bytes.map(|byte| Self::One(bit(u32::from(*byte)))).collect())
            }
            HirKind::Class(class) => Self::One(members(class)),
            HirKind::Repetition(repeated) if repeated.min > 0 => Self::of_part(&repeated.sub),
            HirKind::Repetition(_may_be_left_out) => Self::NOTHING,
            HirKind::Capture(capture) => Self::of_part(&capture.sub),
            HirKind::Concat(parts) => Self::All(parts.iter().map(Self::of_part).collect()),
            HirKind::Alternation(branches) => {
                Self::Any(branches.iter().map(Self::of_part).collect())
            }
        }
    }

    /// The text may match.
    pub(super) fn may_be_met(&self, held: Held) -> bool {
        held.others || self.is_met(held.ascii)
    }

    fn is_met(&self, ascii: Set) -> bool {
        match self {
            Self::One(set) => set & ascii != 0,
            Self::All(needs) => needs.iter().all(|need| need.is_met(ascii)),
            Self::Any(needs) => needs.iter().any(|need| need.is_met(ascii)),
        }
    }
}

/// The ASCII characters of a class.
fn members(class: &Class) -> Set {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => {
            class.iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
        Class::Bytes(class) => {
            class.iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
    };
    let ascii = ranges.into_iter().flat_map(|(first, last)| first..=last.min(127));
    ascii.fold(0, |set, character| set | bit(character))
}

/// The set of one character; none for one beyond ASCII.
fn bit(character: u32) -> Set {
    1_u128.checked_shl(character).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_match(pattern: &str, text: &str) -> bool {
        Needs::of(pattern).may_be_met(Held::of(text))
    }

    #[test]
    fn what_every_match_holds_is_needed_and_nothing_else() {
        assert!(!may_match(r"\d{2}-\d{2}", "12 34"));
        assert!(!may_match(r"\d{2}-\d{2}", "a-b"));
        assert!(may_match(r"\d{2}-\d{2}", "1-a"), "necessary, not sufficient");
        assert!(may_match(r"(?i)dr\.?\s", "DR X"));
        assert!(!may_match(r"(?i)dr\.?\s", "D.X"));
        assert!(!may_match(r"(?:abc|xyz)", "bcyz"));
        assert!(may_match(r"(?:abc|xyz)", "cab"), "order is not asked");
        assert!(may_match(r"(?:abc|\d?)", "q"));
        assert!(may_match(r"a*", ""));
        assert!(may_match(r"\d", "\u{663}"), "a digit of another script");
        assert!(may_match("(", "no pattern"));
    }
}
