//! Finds persons and institutions that no header names.
//!
//! The rules stand here; a trained recogniser stands beside them behind the
//! same trait ([`Judge::with_finder`](super::Judge::with_finder)).

use std::ops::Range;

use super::words::Line;
use super::{persons, places};

/// What a found name names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundClass {
    /// Somebody.
    Person,
    /// An institution or a town.
    Place,
}

/// A name that is found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Byte range in the text, on character borders.
    pub range: Range<usize>,
    /// What it names.
    pub class: FoundClass,
    /// How sure the finder is, 0 to 1.
    pub score: f32,
}

/// Finds names in a text.
///
/// The same text gives the same names: a clean copy made again must be the
/// same (DESIGN.md decision 6).
pub trait NameFinder: std::fmt::Debug + Send + Sync {
    /// Adds the names of a text, in any order; they may overlap.
    fn find(&self, line: &Line<'_>, found: &mut Vec<Found>);
}

/// The forms in which texts name persons and institutions.
#[derive(Debug, Default)]
pub struct RuleFinder;

impl NameFinder for RuleFinder {
    fn find(&self, line: &Line<'_>, found: &mut Vec<Found>) {
        persons::find(line, found);
        places::find(line, found);
    }
}
