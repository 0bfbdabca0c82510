//! Boolean expressions over conditions, and their alternatives: lists of
//! conditions of which each by itself makes the expression true.

use crate::config::device_file::{CONDITIONS_MAX, VALUE_BYTES_MAX, attribute, is_comparable};
use crate::config::devices::{Comparison, Condition, Test};
use crate::dicom::Tag;

/// Most alternatives of one entry. Default 64: people write three or four.
pub const ALTERNATIVES_MAX: usize = 64;
/// Most terms of one entry. Default 64, as many as a rule has conditions.
pub const TERMS_MAX: usize = CONDITIONS_MAX;
/// Deepest nesting of parentheses and negations.
pub const DEPTH_MAX: usize = 32;

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expr {
    /// True or false whatever the data set holds.
    Constant(bool),
    /// A test of one element.
    Term(Box<Term>),
    /// The opposite.
    Not(Box<Expr>),
    /// All of them.
    All(Vec<Expr>),
    /// At least one of them.
    Any(Vec<Expr>),
}

/// A test as it stands and turned round; either may be one that no rule can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    plain: Result<Condition, String>,
    negated: Result<Condition, String>,
}

/// Conditions that must all be true, or why one cannot be said.
type Alternative = Vec<Result<Condition, String>>;

impl Expr {
    /// A term that no rule can say.
    pub(super) fn unknown(what: impl Into<String>) -> Self {
        let what = what.into();
        Self::Term(Box::new(Term { plain: Err(what.clone()), negated: Err(what) }))
    }

    /// A term of an attribute that no rule can be about is [`Expr::unknown`].
    pub(super) fn about(name: &str, test: impl FnOnce(Tag) -> Self) -> Self {
        match attribute(name) {
            Ok(tag) => test(tag),
            Err(what) => Self::unknown(super::shown(&what)),
        }
    }

    /// The element stands in the data set.
    pub(super) fn present(tag: Tag) -> Self {
        Self::both(tag, Test::Present(true), Test::Present(false))
    }

    /// The element has no value, or is not there.
    pub(super) fn empty(tag: Tag) -> Self {
        Self::both(tag, Test::Empty(true), Test::Empty(false))
    }

    fn both(tag: Tag, plain: Test, negated: Test) -> Self {
        let condition = |test| Ok(Condition { group: tag.group(), element: tag.element(), test });
        Self::Term(Box::new(Term { plain: condition(plain), negated: condition(negated) }))
    }

    /// A comparison with a text.
    pub(super) fn compare(tag: Tag, comparison: Comparison, text: &str, exact_case: bool) -> Self {
        Self::compare_either(tag, comparison, comparison, text, exact_case)
    }

    /// A comparison with a text; `unless` is the one that is turned round.
    ///
    /// As it stands it takes capital and small letters for the same, so that it
    /// is true at least where its source is; turned round it does so only where
    /// its source does (`exact_case`: it does not).
    pub(super) fn compare_either(
        tag: Tag,
        comparison: Comparison,
        unless: Comparison,
        text: &str,
        exact_case: bool,
    ) -> Self {
        let trimmed = text.trim();
        if !is_comparable(tag) {
            return Self::unknown(format!("values of {tag} cannot be compared"));
        }
        let lower = trimmed.to_lowercase();
        if trimmed.is_empty() || trimmed.len().max(lower.len()) > VALUE_BYTES_MAX {
            return Self::unknown("a comparison with nothing, or with a very long text");
        }
        let test = |comparison, negated, exact_case| {
            let text = if exact_case { trimmed.to_owned() } else { lower.clone() };
            let test = Test::Value { comparison, negated, exact_case, values: vec![text] };
            Condition { group: tag.group(), element: tag.element(), test }
        };
        let negated = if trimmed.len() == text.len() {
            Ok(test(unless, true, exact_case))
        } else {
            Err("a negated comparison with blanks at an end".to_owned())
        };
        Self::Term(Box::new(Term { plain: Ok(test(comparison, false, false)), negated }))
    }

    /// A term whose opposite no rule can say.
    pub(super) fn without_opposite(self, what: &str) -> Self {
        match self {
            Self::Term(term) => {
                Self::Term(Box::new(Term { plain: term.plain, negated: Err(what.to_owned()) }))
            }
            Self::Any(all) => {
                Self::Any(all.into_iter().map(|one| one.without_opposite(what)).collect())
            }
            other @ (Self::Constant(_) | Self::Not(_) | Self::All(_)) => other,
        }
    }

    /// The lists of conditions of which one must hold.
    ///
    /// # Errors
    /// A limit, by its name.
    pub(super) fn alternatives(&self) -> Result<Vec<Alternative>, String> {
        let mut alternatives = self.expand(false)?;
        for alternative in &mut alternatives {
            alternative.sort();
            alternative.dedup();
        }
        alternatives.dedup();
        Ok(alternatives)
    }

    fn expand(&self, negated: bool) -> Result<Vec<Alternative>, String> {
        match self {
            Self::Constant(value) => {
                Ok(if *value == negated { Vec::new() } else { vec![Vec::new()] })
            }
            Self::Term(term) => {
                let condition = if negated { &term.negated } else { &term.plain };
                Ok(vec![vec![condition.clone()]])
            }
            Self::Not(inner) => inner.expand(!negated),
            Self::All(parts) if negated => any(parts, true),
            Self::All(parts) => all(parts, false),
            Self::Any(parts) if negated => all(parts, true),
            Self::Any(parts) => any(parts, false),
        }
    }
}

fn any(parts: &[Expr], negated: bool) -> Result<Vec<Alternative>, String> {
    let mut found = Vec::new();
    for part in parts {
        found.append(&mut part.expand(negated)?);
        check(found.len())?;
    }
    Ok(found)
}

fn all(parts: &[Expr], negated: bool) -> Result<Vec<Alternative>, String> {
    let mut found: Vec<Alternative> = vec![Vec::new()];
    for part in parts {
        let more = part.expand(negated)?;
        check(found.len().saturating_mul(more.len()))?;
        let joined = found.iter().flat_map(|one| {
            more.iter().map(move |other| one.iter().chain(other).cloned().collect::<Alternative>())
        });
        found = joined.collect();
        if found.iter().any(|alternative| alternative.len() > CONDITIONS_MAX) {
            return Err(format!("over {CONDITIONS_MAX} conditions (CONDITIONS_MAX)"));
        }
    }
    Ok(found)
}

fn check(alternatives: usize) -> Result<(), String> {
    if alternatives > ALTERNATIVES_MAX {
        return Err(format!("over {ALTERNATIVES_MAX} alternatives (ALTERNATIVES_MAX)"));
    }
    Ok(())
}
