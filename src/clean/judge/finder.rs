//! Finds persons and institutions that no header names.
//!
//! The rules stand here; a trained recogniser stands beside them behind the
//! same trait ([`Judge::with_finder`](super::Judge::with_finder)).

use std::ops::Range;

use super::words::Line;
use super::{persons, places};
use crate::config::NameScores;

/// Score from which a form counts. Default 0.5: a leak is worse than a word too
/// many.
const SCORE_MIN: f32 = 0.5;

/// Where a judged text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Read in a picture, perhaps not rightly.
    Picture,
    /// Written so in the header.
    Typed,
}

impl Source {
    /// From what score on a name counts, in thousandths.
    pub(super) fn score(self, scores: NameScores) -> u16 {
        match self {
            Self::Picture => scores.pictures,
            Self::Typed => scores.text,
        }
    }
}

/// What a found name names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundClass {
    /// Somebody.
    Person,
    /// An institution, a town or an address.
    Place,
    /// A day.
    Date,
    /// A number or code of somebody or something.
    Identifier,
    /// A phone number, a mail or web address.
    Contact,
    /// An age of 90 years and more.
    Age,
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

/// Why a finder did not look at a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong; nothing of the text.
    pub what: String,
    /// It fails on every text until the installation is mended.
    pub is_installation: bool,
}

/// Finds names in a text.
///
/// The same text gives the same names: a clean copy made again must be the
/// same (DESIGN.md decision 6).
pub trait NameFinder: std::fmt::Debug + Send + Sync {
    /// Adds the names of a text whose score is at least `least`, in any order;
    /// they may overlap.
    fn find(&self, line: &Line<'_>, least: f32, found: &mut Vec<Found>);

    /// Surely no word of a text names anybody: each stays under the score that `limit`
    /// gives for its place. A finder of forms does not know.
    fn is_sure(&self, _line: &Line<'_>, _limit: &dyn Fn(&Range<usize>) -> f32) -> bool {
        false
    }

    /// Why texts were not looked at since the last question; `None` when all were.
    fn trouble(&self) -> Option<Trouble> {
        None
    }
}

/// The forms in which texts name persons and institutions.
#[derive(Debug, Default)]
pub struct RuleFinder;

impl NameFinder for RuleFinder {
    // How sure a form is, is known when it is written: `least` is for networks.
    fn find(&self, line: &Line<'_>, _least: f32, found: &mut Vec<Found>) {
        let mut names = Vec::new();
        persons::find(line, &mut names);
        places::find(line, &mut names);
        let sure = names.into_iter().filter(|name| name.score >= SCORE_MIN);
        found.extend(sure.map(|name| Found { score: 1.0, ..name }));
    }
}
