//! Neighbouring words of one name or place: what they show together.

use std::collections::HashSet;

use super::matcher::{Owner, Part, Weight};
use super::words::Line;

/// Neighbouring words that are all parts of one name or place.
pub(super) struct Run<'a> {
    pub(super) line: &'a Line<'a>,
    pub(super) hits: &'a [Vec<Part>],
    pub(super) owner: u16,
    pub(super) first: usize,
    pub(super) last: usize,
}

impl Run<'_> {
    fn parts(&self, at: usize) -> impl Iterator<Item = &Part> {
        self.hits.get(at).into_iter().flatten().filter(|part| part.owner == self.owner)
    }

    pub(super) fn weights(&self, at: usize) -> impl Iterator<Item = Weight> {
        self.parts(at).map(|part| part.weight)
    }

    /// The words together show who somebody is, or where something is.
    pub(super) fn shows(&self, owner: Option<Owner>) -> bool {
        let (mut words, mut initials) = (HashSet::new(), HashSet::new());
        let mut numbers = HashSet::new();
        let (mut capital, mut particles) = (true, false);
        for at in self.first..=self.last {
            let Some(word) = self.line.words.get(at) else { continue };
            for part in self.parts(at) {
                match part.weight {
                    Weight::Strong => return true,
                    Weight::Short if word.is_capital() => return true,
                    Weight::Initial => {
                        if word.is_capital() {
                            initials.insert(part.word);
                        }
                    }
                    Weight::Particle => particles = true,
                    Weight::Short | Weight::NameWord | Weight::Plain | Weight::Number => {
                        capital &= word.is_capital();
                        words.insert(part.word);
                        if part.weight == Weight::Number {
                            numbers.insert(part.word);
                        }
                    }
                }
            }
        }
        let Some(owner) = owner else { return false };
        if owner.is_place {
            // A street without the number of the house is the street.
            let lettered = words.len() - numbers.len();
            return words.len() > 1 && words.len() >= usize::from(owner.words)
                || self.last > self.first
                    && lettered > 1
                    && lettered >= usize::from(owner.lettered);
        }
        let other_initial = initials.iter().any(|initial| !words.contains(initial));
        // `Van Der Zee`: the word with the particles of the name.
        words.len() > 1 || (words.len() == 1 && capital && (other_initial || particles))
    }

    /// The last word that is no particle.
    pub(super) fn last_full_word(&self) -> usize {
        let full = |at: &usize| self.weights(*at).any(|weight| weight != Weight::Particle);
        (self.first..=self.last).rev().find(full).unwrap_or(self.last)
    }
}
