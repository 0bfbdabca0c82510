//! From the recogniser's answer to text: probabilities per step in, characters
//! and confidence out (greedy CTC decoding).

use unicode_normalization::UnicodeNormalization;

use super::TextError;
use super::models::RECOGNISER;

/// Class 0: no character at this step.
const BLANK: usize = 0;

/// What each class of the recogniser means.
pub(crate) struct Alphabet {
    /// Class i stands for entry i - 1.
    characters: Vec<Box<str>>,
}

/// What was read from one crop.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    /// NFKC, without white space at its ends.
    pub(crate) text: String,
    /// Mean probability of the characters; 0 without any.
    pub(crate) confidence: f32,
}

impl Alphabet {
    /// Takes the model's metadata value `character`, one entry per line; blank
    /// comes before the first, a space after the last (facts/models.md §1.3).
    pub(crate) fn parse(list: &str) -> Self {
        // `lines` and `trim` would lose entries: some are white space themselves.
        let list = list.strip_suffix('\n').unwrap_or(list);
        let characters = list.split('\n').chain([" "]).map(Box::from).collect();
        Self { characters }
    }

    /// Number of classes that the model must have.
    pub(crate) fn classes(&self) -> usize {
        self.characters.len() + 1
    }

    /// Reads `steps` rows of class probabilities.
    ///
    /// # Errors
    /// [`TextError::Model`] when the classes are not those of this alphabet: the
    /// text would be silently wrong.
    pub(crate) fn decode(
        &self,
        probabilities: &[f32],
        classes: usize,
    ) -> Result<Reading, TextError> {
        if classes != self.classes() {
            let detail = format!("{classes} classes, alphabet has {}", self.classes());
            return Err(TextError::Model { model: RECOGNISER, detail });
        }
        let mut text = String::new();
        let (mut sum, mut count) = (0.0_f32, 0.0_f32);
        let mut previous = BLANK;
        for step in probabilities.chunks_exact(classes) {
            let (class, probability) = strongest(step);
            if class != BLANK && class != previous {
                text.push_str(self.characters.get(class - 1).map_or("", |entry| entry));
                sum += probability;
                count += 1.0;
            }
            previous = class;
        }
        let text: String = text.trim().nfkc().collect();
        let confidence = if text.is_empty() { 0.0 } else { sum / count };
        Ok(Reading { text, confidence })
    }
}

/// The most probable class; the first of equal ones.
fn strongest(step: &[f32]) -> (usize, f32) {
    let mut best = (BLANK, f32::NEG_INFINITY);
    for (class, &probability) in step.iter().enumerate() {
        if probability > best.1 {
            best = (class, probability);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows with the given class at the given probability.
    fn steps(classes: usize, path: &[(usize, f32)]) -> Vec<f32> {
        path.iter()
            .flat_map(|&(class, probability)| {
                let rest = (1.0 - probability) / (classes - 1) as f32;
                (0..classes).map(move |i| if i == class { probability } else { rest })
            })
            .collect()
    }

    #[test]
    fn repeats_collapse_unless_a_blank_parts_them() {
        let alphabet = Alphabet::parse("A\nB\n");
        assert_eq!(alphabet.classes(), 4);
        let path = [(1, 0.9), (1, 0.5), (0, 1.0), (1, 0.7), (3, 0.8), (2, 0.6), (2, 0.6)];
        let read = alphabet.decode(&steps(4, &path), 4).unwrap();
        assert_eq!(read.text, "AA B");
        assert!((read.confidence - (0.9 + 0.7 + 0.8 + 0.6) / 4.0).abs() < 1e-6);
    }

    #[test]
    fn nothing_but_blanks_is_unread() {
        let alphabet = Alphabet::parse("A\nB");
        let read = alphabet.decode(&steps(4, &[(0, 0.99), (3, 0.9), (0, 0.99)]), 4).unwrap();
        assert_eq!(read, Reading { text: String::new(), confidence: 0.0 });
    }

    #[test]
    fn white_space_entries_count_and_text_is_nfkc() {
        let alphabet = Alphabet::parse("A\n\u{3000}\n：");
        assert_eq!(alphabet.classes(), 5);
        let read = alphabet.decode(&steps(5, &[(1, 0.9), (2, 0.9), (3, 0.9)]), 5).unwrap();
        assert_eq!(read.text, "A :");
    }

    #[test]
    fn other_number_of_classes_is_refused() {
        let alphabet = Alphabet::parse("A\nB");
        assert!(matches!(alphabet.decode(&[0.0; 5], 5), Err(TextError::Model { .. })));
    }
}
