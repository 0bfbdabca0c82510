//! What single words are: words of the clinic, of languages, names that are
//! words too, titles, labels. Read once from the committed lists.

use std::collections::HashMap;
use std::sync::LazyLock;

const CLINICAL: &str = include_str!("../../../config/standard/clinical-words.txt");
const TEXT: &str = include_str!("../../../config/standard/text-words.txt");
const VOCABULARY: &str = include_str!("../../../config/standard/vocabulary.txt");
const FAMILIAR: &str = include_str!("../../../config/standard/familiar-words.txt");

/// What a word is; a word can be several things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Flags(u32);

impl Flags {
    /// On the allow-list for pictures.
    pub(super) const CLINICAL: Self = Self(1);
    /// A word of a language or of the standard.
    pub(super) const WORD: Self = Self(1 << 1);
    /// Either of the two.
    pub(super) const PLAIN: Self = Self(0b11);
    /// A word that is also the name of many people.
    pub(super) const NAME_WORD: Self = Self(1 << 2);
    pub(super) const EPONYM: Self = Self(1 << 3);
    pub(super) const EPONYM_NOUN: Self = Self(1 << 4);
    pub(super) const GIVEN: Self = Self(1 << 5);
    pub(super) const TITLE: Self = Self(1 << 6);
    /// A title that is an abbreviation of something else too.
    pub(super) const WEAK_TITLE: Self = Self(1 << 7);
    /// Stands between a title and a name: `med.`, `rer. nat.`
    pub(super) const TITLE_TAIL: Self = Self(1 << 8);
    pub(super) const SUFFIX: Self = Self(1 << 9);
    pub(super) const PARTICLE: Self = Self(1 << 10);
    pub(super) const RELATIVE: Self = Self(1 << 11);
    /// A name may follow: `per`, `by`.
    pub(super) const BEFORE: Self = Self(1 << 12);
    pub(super) const STREET: Self = Self(1 << 13);
    pub(super) const STREET_BEFORE: Self = Self(1 << 14);
    pub(super) const PLACE: Self = Self(1 << 15);
    pub(super) const PLACE_WORD: Self = Self(1 << 16);
    pub(super) const UNIT: Self = Self(1 << 17);
    pub(super) const CODE_SYSTEM: Self = Self(1 << 18);
    /// An eponym that few people are called by.
    pub(super) const SURE_EPONYM: Self = Self(1 << 19);
    /// The recogniser was trained on it as nobody's name. Counts where it is asked how
    /// much of a line is known, and nowhere else.
    pub(super) const FAMILIAR: Self = Self(1 << 20);

    /// Somebody may be called by the word, which matters in pictures alone.
    pub(super) const CALLED: Self = Self(1 << 21);

    /// Somebody may be told of behind the word, which matters in pictures alone.
    pub(super) const TELLS: Self = Self(1 << 22);

    /// What a word of the clinic is when somebody may be called by it.
    pub(super) const NAMES: Self =
        Self(Self::NAME_WORD.0 | Self::GIVEN.0 | Self::EPONYM.0 | Self::TITLE.0 | Self::PARTICLE.0);

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Nothing is known of the word but what matters in pictures alone.
    pub(super) fn is_empty(self) -> bool {
        self.0 & !(Self::FAMILIAR.0 | Self::CALLED.0 | Self::TELLS.0) == 0
    }

    fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// What follows a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    Person,
    Id,
    Birth,
    Contact,
    Address,
}

/// Phrases by their first word: the words after it, and what they are.
type Phrases<T> = HashMap<&'static str, Vec<(Vec<&'static str>, T)>>;

/// The lists.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    words: HashMap<&'static str, Flags>,
    /// Words beside a word that is a name, that make it a word.
    neighbours: HashMap<&'static str, Vec<&'static str>>,
    labels: Phrases<Label>,
    places: Phrases<()>,
    /// What is called by a name and names nobody: `Ann Arbor stage`.
    phrases: Phrases<()>,
}

static SHARED: LazyLock<Lexicon> = LazyLock::new(Lexicon::read);

impl Lexicon {
    /// The one of the program.
    pub(super) fn shared() -> &'static Self {
        &SHARED
    }

    fn read() -> Self {
        let mut lexicon = Self::default();
        for (part, line) in parts(CLINICAL) {
            let flags = match part {
                "eponyms" => Flags::EPONYM,
                // Names too: no words of the clinic by themselves.
                "before measures" => continue,
                "eponym nouns" => Flags(Flags::EPONYM_NOUN.0 | Flags::CLINICAL.0),
                _ => Flags::CLINICAL,
            };
            lexicon.add(line, flags);
        }
        for (_, line) in parts(VOCABULARY) {
            lexicon.add(line, Flags::WORD);
        }
        for (part, line) in parts(TEXT) {
            lexicon.add_text(part, line);
        }
        for (_, line) in parts(FAMILIAR) {
            lexicon.add(line, Flags::FAMILIAR);
        }
        lexicon
    }

    fn add_text(&mut self, part: &str, line: &'static str) {
        let flags = match part {
            "words" => Flags::WORD,
            "names" => return self.add_name(line),
            "called so" => Flags::CALLED,
            "given names" => Flags::GIVEN,
            "titles" => Flags::TITLE,
            "weak titles" => Flags::WEAK_TITLE,
            "title tails" => Flags::TITLE_TAIL,
            "name suffixes" => Flags::SUFFIX,
            "particles" => Flags::PARTICLE,
            "relatives" => Flags(Flags::RELATIVE.0 | Flags::WORD.0),
            "before persons" => Flags::BEFORE,
            "before somebody" => Flags::TELLS,
            "labels of persons" => return self.add_labels(line, Label::Person),
            "labels of identifiers" => return self.add_labels(line, Label::Id),
            "labels of births" => return self.add_labels(line, Label::Birth),
            "labels of contacts" => return self.add_labels(line, Label::Contact),
            "labels of addresses" => return self.add_labels(line, Label::Address),
            "code systems" => Flags(Flags::CODE_SYSTEM.0 | Flags::WORD.0),
            "streets" => Flags::STREET,
            "streets before" => Flags::STREET_BEFORE,
            "places" => Flags(Flags::PLACE.0 | Flags::WORD.0),
            "places two" => {
                add_phrases(&mut self.places, line, ());
                return;
            }
            "place words" => Flags::PLACE_WORD,
            "units" => Flags(Flags::UNIT.0 | Flags::WORD.0),
            "extra eponyms" => Flags::EPONYM,
            "sure eponyms" => Flags(Flags::EPONYM.0 | Flags::SURE_EPONYM.0),
            "phrases that stay" => {
                add_phrases(&mut self.phrases, line, ());
                return;
            }
            "extra eponym nouns" => Flags(Flags::EPONYM_NOUN.0 | Flags::WORD.0),
            _ => return,
        };
        self.add(line, flags);
    }

    fn add(&mut self, line: &'static str, flags: Flags) {
        for word in line.split_whitespace() {
            self.words.entry(word).or_default().add(flags);
        }
    }

    fn add_name(&mut self, line: &'static str) {
        let (name, neighbours) = line.split_once(':').unwrap_or((line, ""));
        self.words.entry(name).or_default().add(Flags::NAME_WORD);
        self.neighbours.entry(name).or_default().extend(neighbours.split_whitespace());
    }

    fn add_labels(&mut self, line: &'static str, label: Label) {
        add_phrases(&mut self.labels, line, label);
        for word in line.split([',', ' ']).filter(|word| word.len() > 2) {
            self.words.entry(word).or_default().add(Flags::WORD);
        }
    }

    /// What a folded word is.
    pub(super) fn flags(&self, folded: &str) -> Flags {
        self.words.get(folded).copied().unwrap_or_default()
    }

    /// The word beside `name` makes it a word of the language.
    pub(super) fn are_neighbours(&self, name: &str, word: &str) -> bool {
        self.neighbours.get(name).is_some_and(|words| words.contains(&word))
    }

    /// The longest label that begins at the first of `words`: how many words
    /// it has, and what follows it.
    pub(super) fn label<'w>(
        &self,
        words: impl Iterator<Item = &'w str> + Clone,
    ) -> Option<(usize, Label)> {
        longest(&self.labels, words)
    }

    /// `ann arbor`, and others that are called by a name: how many words.
    pub(super) fn phrase<'w>(&self, words: impl Iterator<Item = &'w str> + Clone) -> Option<usize> {
        longest(&self.phrases, words).map(|(count, ())| count)
    }

    /// `medical center`, and others of two words: how many.
    pub(super) fn place<'w>(&self, words: impl Iterator<Item = &'w str> + Clone) -> Option<usize> {
        longest(&self.places, words).map(|(count, ())| count)
    }
}

fn add_phrases<T: Copy>(phrases: &mut Phrases<T>, line: &'static str, what: T) {
    for phrase in line.split(',') {
        let mut words = phrase.split_whitespace();
        if let Some(first) = words.next() {
            phrases.entry(first).or_default().push((words.collect(), what));
        }
    }
}

fn longest<'w, T: Copy>(
    phrases: &Phrases<T>,
    mut words: impl Iterator<Item = &'w str> + Clone,
) -> Option<(usize, T)> {
    let candidates = phrases.get(words.next()?)?;
    let fits = |rest: &Vec<&'static str>| {
        let mut after = words.clone();
        rest.iter().all(|word| after.next() == Some(*word))
    };
    let found = candidates.iter().filter(|(rest, _)| fits(rest)).max_by_key(|(rest, _)| rest.len());
    found.map(|(rest, what)| (rest.len() + 1, *what))
}

/// The lines of a list with the part that each stands in.
fn parts(list: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut part = "";
    list.lines().filter_map(move |line| {
        if let Some(title) = line.strip_prefix("## ") {
            part = title;
        }
        (!line.starts_with('#') && !line.is_empty()).then_some((part, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        let lexicon = Lexicon::shared();
        for word in ["chest", "seen", "schadel", "rodilla", "knie"] {
            assert!(lexicon.flags(word).has(Flags::PLAIN), "{word}");
        }
        for name in ["doe", "okonkwo", "lindqvist", "garcia", "smith", "muller", "schmidt"] {
            assert!(!lexicon.flags(name).has(Flags::PLAIN), "{name}");
        }
        assert!(lexicon.are_neighbours("young", "adult"));
        let label = lexicon.label(["medical", "record", "number", "12"].into_iter());
        assert_eq!(label, Some((3, Label::Id)));
    }
}
