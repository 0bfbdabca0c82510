//! The recogniser of names: two networks that say of each word of a text how
//! likely it tells who somebody is (models/README.md is their card).
//!
//! Stands beside the rules behind [`NameFinder`]. One text at a time and one
//! thread: the same text gives the same scores, whatever came before it. A
//! network that fails is not passed over: [`NameFinder::trouble`] says so, and
//! the instance is not cleaned.

mod networks;
mod rows;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use networks::Networks;

use super::judge::{Found, FoundClass, Line, NameFinder, Trouble};
use super::text::{NameFiles, TextError};

/// The networks' classes but the first, which is "none of these".
const CLASSES: [FoundClass; 7] = [
    FoundClass::Person,
    FoundClass::Place,
    FoundClass::Place,
    FoundClass::Date,
    FoundClass::Identifier,
    FoundClass::Contact,
    FoundClass::Age,
];
/// Texts whose scores are kept. Default 4,096: a series' descriptions and the
/// lines of its pictures come again and again.
const KEPT_TEXTS: usize = 4096;
/// Longest text whose scores are kept, in bytes. Default 512: reports do not come again.
const KEPT_BYTES: usize = 512;

/// Letters from here on are not Latin.
const OTHER_SCRIPTS: char = '\u{250}';

/// A word, and what the networks say of it.
#[derive(Debug, Clone, PartialEq)]
struct ScoredWord {
    range: Range<usize>,
    /// Likelihood of each of [`CLASSES`], of the word's likeliest letter.
    scores: [f32; CLASSES.len()],
}

impl ScoredWord {
    /// Likelihood of any of the classes.
    fn score(&self) -> f32 {
        self.scores.iter().sum()
    }

    fn class(&self) -> FoundClass {
        let best = self.scores.iter().zip(CLASSES).max_by(|a, b| a.0.total_cmp(b.0));
        best.map_or(FoundClass::Person, |(_, class)| class)
    }
}

/// Finds names with the networks; they are loaded when the first text comes.
pub struct Recogniser {
    files: NameFiles,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    networks: Option<Networks>,
    trouble: Option<Trouble>,
    kept: HashMap<String, Arc<[ScoredWord]>>,
}

impl std::fmt::Debug for Recogniser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the texts that it keeps.
        f.debug_struct("Recogniser").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Recogniser {
    /// Remembers where the files are.
    #[must_use]
    pub fn new(files: NameFiles) -> Self {
        Self { files, state: Mutex::new(State::default()) }
    }

    /// The words of a text with their scores; none after a failure.
    fn words(&self, text: &str) -> Arc<[ScoredWord]> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(words) = state.kept.get(text) {
            return words.clone();
        }
        match state.scored(&self.files, text) {
            Ok(words) => {
                let words: Arc<[ScoredWord]> = words.into();
                if text.len() <= KEPT_BYTES {
                    if state.kept.len() >= KEPT_TEXTS {
                        state.kept.clear();
                    }
                    state.kept.insert(text.to_owned(), words.clone());
                }
                words
            }
            Err(error) => {
                let is_installation = error.is_installation();
                state.trouble = Some(Trouble { what: error.to_string(), is_installation });
                Arc::new([])
            }
        }
    }
}

impl State {
    fn scored(&mut self, files: &NameFiles, text: &str) -> Result<Vec<ScoredWord>, TextError> {
        let networks = match self.networks.take() {
            Some(networks) => networks,
            None => Networks::load(files)?,
        };
        Ok(words(text, &self.networks.insert(networks).scores(text)?))
    }
}

impl NameFinder for Recogniser {
    fn find(&self, line: &Line<'_>, least: f32, found: &mut Vec<Found>) {
        let text = line.text();
        if !text.chars().any(char::is_alphanumeric) {
            return;
        }
        let before = found.len();
        for word in self.words(text).iter() {
            let (score, class) = (word.score(), word.class());
            if score < least {
                continue;
            }
            // Words of one name are one find, with what stands between them.
            let joined = found.get_mut(before..).and_then(<[Found]>::last_mut).filter(|last| {
                let between = text.get(last.range.end..word.range.start).unwrap_or_default();
                last.class == class && is_joint(between)
            });
            match joined {
                Some(last) => {
                    last.range.end = word.range.end;
                    last.score = last.score.max(score);
                }
                None => found.push(Found { range: word.range.clone(), class, score }),
            }
        }
    }

    fn is_sure(&self, line: &Line<'_>, limit: &dyn Fn(&Range<usize>) -> f32) -> bool {
        let text = line.text();
        // Of other scripts the networks have seen too little to be sure.
        let known_script = text.chars().all(|c| !c.is_alphabetic() || c < OTHER_SCRIPTS);
        let words = self.words(text);
        let is_nobody = |word: &ScoredWord| word.score() < limit(&word.range);
        known_script && !words.is_empty() && words.iter().all(is_nobody)
    }

    fn trouble(&self) -> Option<Trouble> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).trouble.take()
    }
}

/// What may stand between the words of one name, number or address.
fn is_joint(between: &str) -> bool {
    between.len() <= 3 && between.chars().all(|c| " ^,.-/'’_:()@+".contains(c))
}

/// The words of a text, each with the scores of its likeliest character.
fn words(text: &str, scores: &[[f32; CLASSES.len()]]) -> Vec<ScoredWord> {
    let mut words: Vec<ScoredWord> = Vec::new();
    let mut open = false;
    for ((at, c), scores) in text.char_indices().zip(scores) {
        if !c.is_alphanumeric() && !unicode_normalization::char::is_combining_mark(c) {
            open = false;
            continue;
        }
        let end = at + c.len_utf8();
        match words.last_mut().filter(|_| open) {
            Some(word) => {
                word.range.end = end;
                if scores.iter().sum::<f32>() > word.score() {
                    word.scores = *scores;
                }
            }
            None => words.push(ScoredWord { range: at..end, scores: *scores }),
        }
        open = true;
    }
    words
}

#[cfg(test)]
mod tests;
