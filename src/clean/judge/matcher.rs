//! Finds the values of one data set in a text, whatever order, case,
//! separators, spelling, recognition or a cut-off line made of them.
//!
//! A name that is no word of a language or of the clinic is found wherever it
//! stands. One that is (Young, Long, Head) is found beside another part of the
//! same name and where the text shows a person (`context`).

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::Span;
use super::context;
use super::ids::Ids;
use super::lexicon::{Flags, Lexicon};
use super::run::Run;
use super::sounds::Sounds;
use super::spelling;
use super::wide::WideNames;
use super::words::{Line, Word, confusable, is_wide, letters_in, squeezed, within_distance};
use crate::clean::known::{KnownKind, KnownValues, MisreadNames};
use crate::clean::report::TextReason;
use crate::config::NameScores;
use crate::dicom::looks;

/// Shortest word of a name that is matched with errors. Default 4: three
/// letters with one error match half the dictionary.
const FUZZY_CHARS_MIN: usize = 4;
/// Letters a name may have for one error in it.
const CHARS_PER_ERROR: usize = 5;
/// Letters in which another ending differs, at most.
const ENDING_ERRORS: usize = 3;
/// Shortest beginning of a cut-off name. Default 4.
const CUT_CHARS_MIN: usize = 4;
/// Shortest middle or end of names that are written together.
const INSIDE_CHARS_MIN: usize = 5;
/// Shortest name written together, such as `jdoer`.
const JOINED_CHARS_MIN: usize = 5;
/// Most names and places. Default 1,024: reports with hundreds of observers
/// have fewer; a file made to slow the matcher down has more.
const OWNERS_MAX: u16 = 1_024;

/// Ages that tell, in years: the oldest are few (HIPAA 164.514(b)(2)(i)(C)).
pub(super) const OLD_AGES: Range<u32> = 90..131;

/// Most names and places that one word is taken to be of. Default 32: more persons
/// who share a name or an initial are not told apart.
const SHARED_MAX: usize = 32;

/// How much a word of a name tells by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// Somebody's name wherever it stands.
    Strong,
    /// Two letters that are no word: a name when written large.
    Short,
    /// A word of a language that is the name of many.
    NameWord,
    /// A word of the language or the clinic.
    Plain,
    /// One letter.
    Initial,
    /// `van`, `de`, a title.
    Particle,
    /// A house number.
    Number,
}

/// A word of a name or place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) owner: u16,
    pub(super) word: u16,
    pub(super) weight: Weight,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Owner {
    pub(super) is_place: bool,
    /// Somebody is called so; else something is, by a word that is a name too.
    is_called: bool,
    /// Words that are no particles.
    pub(super) words: u16,
    /// Those of them that are no numbers.
    pub(super) lettered: u16,
}

#[derive(Debug)]
struct Name {
    chars: Vec<char>,
    misread: Vec<char>,
    /// The letters of both.
    letters: [u64; 2],
    part: Part,
}

impl Name {
    /// A word with these letters may be the name with errors, cut off or inflected:
    /// a quick look that rules most names out.
    fn may_be(&self, [word, misread]: [u64; 2]) -> bool {
        let has_endings = self.chars.first().is_some_and(|first| *first >= '\u{370}');
        let errors = if has_endings { ENDING_ERRORS } else { 0 };
        let errors = errors.max(self.chars.len() / CHARS_PER_ERROR);
        let differ = |a: u64, b: u64| (a ^ b).count_ones() as usize;
        let [name, name_misread] = self.letters;
        word & !name == 0
            || differ(word, name) <= 2 * errors
            || differ(misread, name_misread) <= 2 * errors
    }
}

/// The values of one data set, made ready for tolerant matching.
#[derive(Debug, Default)]
pub struct Matcher {
    parts: HashMap<String, Vec<Part>>,
    owners: Vec<Owner>,
    /// Strong names, for errors and cut-off lines.
    names: Vec<Name>,
    /// Their places by their first letters, as they are written and as misread.
    by_first: HashMap<char, Vec<usize>>,
    by_misread: HashMap<char, Vec<usize>>,
    /// Names written together.
    joined: HashSet<String>,
    /// Whole names without separators, by each run of letters in them.
    wholes: HashMap<String, Vec<Arc<str>>>,
    initials: HashSet<String>,
    wide: WideNames,
    sounds: Sounds,
    /// Names in bytes that the stated character set does not explain.
    misread: MisreadNames,
    ids: Ids,
    days: HashSet<String>,
    birth_days: HashSet<String>,
    /// Ages over 89 that the header tells, in years.
    old_ages: HashSet<u32>,
    scores: NameScores,
}

impl Matcher {
    /// The reason that goes with a find.
    pub(super) const REASON: TextReason = TextReason::KnownValue;

    /// With a project's scores for names that no header has.
    #[must_use]
    pub fn with_scores(mut self, scores: NameScores) -> Self {
        self.scores = scores;
        self
    }

    pub(super) fn scores(&self) -> NameScores {
        self.scores
    }

    /// Makes the values ready: once per instance.
    #[must_use]
    pub fn new(known: &KnownValues) -> Self {
        let mut matcher = Self::default();
        for value in &known.values {
            let written = value.text.expose();
            let seen = looks::without_unseen(written);
            let text = seen.as_deref().unwrap_or(written);
            match value.kind {
                // Whatever it names: somebody may be called so.
                KnownKind::Id | KnownKind::Place | KnownKind::Contact if is_one_name_word(text) => {
                    matcher.add_called(text, false);
                    if value.kind == KnownKind::Contact {
                        matcher.add_joined(squeezed(text));
                    }
                }
                KnownKind::Person => matcher.add_person(text),
                KnownKind::Place => matcher.add_place(text),
                KnownKind::Id => matcher.ids.add_id(text),
                KnownKind::Contact => {
                    matcher.ids.add_contact(text);
                    matcher.wide.add(&[text]);
                    matcher.add_joined(squeezed(text));
                }
                KnownKind::Date => matcher.add_day(text, false),
                KnownKind::BirthDate => matcher.add_day(text, true),
                KnownKind::Age => {
                    let years = text.strip_suffix(['Y', 'y']).and_then(|years| years.parse().ok());
                    matcher.old_ages.extend(years.filter(|years| OLD_AGES.contains(years)));
                }
            }
        }
        matcher.add_ages();
        matcher
    }

    /// The ages at the header's dates by the dates of birth.
    fn add_ages(&mut self) {
        let year = |day: &String| day.get(..4).and_then(|year| year.parse::<u32>().ok());
        for birth in self.birth_days.iter().filter_map(year) {
            let ages = self.days.iter().filter_map(year).map(|year| year.saturating_sub(birth));
            // The year alone leaves open whether the birthday was before it.
            let ages = ages.flat_map(|age| [age, age.saturating_sub(1)]);
            self.old_ages.extend(ages.filter(|age| OLD_AGES.contains(age)));
        }
    }

    /// A word of some name of this header, also one that is a word of the clinic.
    pub(super) fn is_name_word(&self, folded: &str) -> bool {
        let of_person = |part: &Part| {
            let owner = self.owners.get(usize::from(part.owner));
            let tells = !matches!(part.weight, Weight::Initial | Weight::Particle | Weight::Number);
            tells && owner.is_some_and(|owner| owner.is_called)
        };
        self.parts.get(folded).is_some_and(|parts| parts.iter().any(of_person))
    }

    /// Somebody of this header is so old.
    pub(super) fn has_old_age(&self, years: u32) -> bool {
        self.old_ages.contains(&years)
    }

    fn add_day(&mut self, text: &str, birth: bool) {
        if birth {
            self.birth_days.insert(text.to_owned());
        }
        self.days.insert(text.to_owned());
        self.ids.add_day(text);
    }

    /// `YYYYMMDD` stands in the header as a date.
    pub(super) fn has_day(&self, day: &str) -> bool {
        self.days.contains(day)
    }

    /// `YYYYMMDD` is the day somebody was born.
    pub(super) fn has_birth_day(&self, day: &str) -> bool {
        self.birth_days.contains(day)
    }

    fn add_person(&mut self, text: &str) {
        self.add_called(text, true);
    }

    fn add_called(&mut self, text: &str, is_called: bool) {
        self.misread.add(text);
        let commas = !text.contains('^');
        let components: Vec<&str> =
            text.split(|c| if commas { c == ',' } else { c == '^' }).take(3).collect();
        self.wide.add(&components);
        let Some(owner) = self.add_owner(Owner { is_called, ..Owner::default() }) else { return };
        let mut index = 0;
        for component in &components {
            index = self.add_component(component, owner, index, true);
        }
        let written: Vec<String> = components.iter().map(|part| squeezed(part)).collect();
        let empty = String::new();
        let family = written.first().unwrap_or(&empty);
        let given = written.get(1).unwrap_or(&empty);
        for (first, second) in [(family, given), (given, family)] {
            if first.is_empty() || second.is_empty() {
                continue;
            }
            self.add_joined(format!("{first}{second}"));
            self.add_whole(&format!("{first}{second}"));
            if let Some(initial) = first.chars().next() {
                self.add_joined(format!("{initial}{second}"));
            }
            if let Some(initial) = second.chars().next() {
                self.add_joined(format!("{first}{initial}"));
            }
            let initials = [first, second].into_iter().filter_map(|name| name.chars().next());
            self.initials.insert(initials.collect());
        }
    }

    fn add_place(&mut self, text: &str) {
        self.wide.add(&[text]);
        let place = Owner { is_place: true, ..Owner::default() };
        let Some(owner) = self.add_owner(place) else { return };
        self.add_component(text, owner, 0, false);
    }

    fn add_owner(&mut self, new: Owner) -> Option<u16> {
        let owner = u16::try_from(self.owners.len()).ok().filter(|owner| *owner < OWNERS_MAX)?;
        self.owners.push(new);
        Some(owner)
    }

    /// Adds the words of a component; the number of the next word.
    fn add_component(&mut self, text: &str, owner: u16, from: u16, is_person: bool) -> u16 {
        let lexicon = Lexicon::shared();
        let line = Line::new(text, lexicon);
        let alone = line.words.len() == 1;
        let mut index = from;
        for word in &line.words {
            let weight = weight(word, alone, is_person);
            let part = Part { owner, word: index, weight };
            let written = text.get(word.range.clone()).unwrap_or_default();
            for form in spelling::forms(written) {
                let plain = lexicon.flags(&form).has(Flags::PLAIN);
                if form == word.folded || !plain {
                    self.add_part(form, part);
                }
            }
            // A name that is a word too is none in another alphabet.
            if is_person && matches!(weight, Weight::Strong | Weight::Short | Weight::NameWord) {
                self.sounds.add(written, Part { weight: Weight::Strong, ..part });
            }
            let initial = word.folded.chars().next().filter(|_| is_person && word.chars > 1);
            if let Some(initial) = initial.filter(|_| weight != Weight::Particle) {
                let part = Part { weight: Weight::Initial, ..part };
                let parts = self.parts.entry(initial.to_string()).or_default();
                if parts.len() < SHARED_MAX {
                    parts.push(part);
                }
            }
            if weight != Weight::Particle {
                let lettered = u16::from(weight != Weight::Number);
                if let Some(owner) = self.owners.get_mut(usize::from(owner)) {
                    owner.words = owner.words.saturating_add(1);
                    owner.lettered = owner.lettered.saturating_add(lettered);
                }
            }
            index = index.saturating_add(1);
        }
        let together = squeezed(text);
        if !alone && is_person && !lexicon.flags(&together).has(Flags::PLAIN) {
            for form in spelling::forms(&together) {
                let part = Part { owner, word: from, weight: Weight::Strong };
                self.add_part(form, part);
            }
        }
        index
    }

    fn add_part(&mut self, form: String, part: Part) {
        if part.weight == Weight::Strong && form.chars().count() >= FUZZY_CHARS_MIN {
            let misread: Vec<char> = confusable(&form).chars().collect();
            let chars: Vec<char> = form.chars().collect();
            for (index, first) in [(&mut self.by_first, &chars), (&mut self.by_misread, &misread)] {
                let first = first.first().copied().unwrap_or_default();
                index.entry(first).or_default().push(self.names.len());
            }
            let letters = [letters_in(&chars), letters_in(&misread)];
            self.names.push(Name { chars, misread, letters, part });
        }
        let parts = self.parts.entry(form).or_default();
        if parts.len() < SHARED_MAX && !parts.contains(&part) {
            parts.push(part);
        }
    }

    fn add_whole(&mut self, whole: &str) {
        let shared: Arc<str> = whole.into();
        for run in runs_of(whole) {
            self.wholes.entry(run.to_owned()).or_default().push(Arc::clone(&shared));
        }
    }

    fn add_joined(&mut self, form: String) {
        let plain = Lexicon::shared().flags(&form).has(Flags::PLAIN);
        if form.chars().count() >= JOINED_CHARS_MIN && !plain {
            self.joined.insert(form);
        }
    }

    /// Where the text shows a value of this data set.
    pub(super) fn find(&self, line: &Line<'_>) -> Vec<Span> {
        let mut found = Vec::new();
        if !self.parts.is_empty() {
            let mut hits: Vec<Vec<Part>> =
                line.words.iter().enumerate().map(|(at, word)| self.hits(line, at, word)).collect();
            self.cut_off(line, &mut hits);
            self.runs(line, &hits, &mut found);
            self.together(line, &mut found);
        }
        if line.has_wide {
            self.wide.find(line.text(), &mut found);
            self.sounds.find_kana(line.text(), &mut found);
        }
        found.extend(self.misread.find(line.text()));
        self.ids.find(line, &mut found);
        found.into_iter().map(|range| Span::new(range, Self::REASON)).collect()
    }

    /// The parts of names that a word is.
    fn hits(&self, line: &Line<'_>, at: usize, word: &Word) -> Vec<Part> {
        let next = line.words.get(at + 1);
        // `LI-RADS`, `BI-RADS`.
        let system = line.gap(at + 1) == "-" && next.is_some_and(|word| word.folded == "rads");
        if system || word.flags.has(Flags::EPONYM) && context::is_eponym(line, at) {
            return Vec::new();
        }
        if let Some(parts) = self.parts.get(&word.folded) {
            return parts.clone();
        }
        let known = word.flags.has(Flags::PLAIN) || word.flags.has(Flags::NAME_WORD);
        let mostly_digits = word.digits * 2 > word.chars;
        let eponym = word.flags.has(Flags::EPONYM);
        if known || eponym || mostly_digits || word.chars < FUZZY_CHARS_MIN {
            return Vec::new();
        }
        let written = line.text().get(word.range.clone()).unwrap_or_default();
        let sounding = self.sounds.like(written);
        if sounding.is_empty() { self.similar(word) } else { sounding }
    }

    /// Adds short beginnings of a name beside another part of it: `Hor, Femke` of
    /// `Horst^Femke`.
    fn cut_off(&self, line: &Line<'_>, hits: &mut [Vec<Part>]) {
        for at in 0..line.words.len() {
            let Some(word) = line.words.get(at) else { continue };
            let unknown = hits.get(at).is_some_and(Vec::is_empty) && !word.is_plain();
            if !unknown || !word.is_letters() || !word.is_capital() || word.chars < 2 {
                continue;
            }
            let chars: Vec<char> = word.folded.chars().collect();
            let before = at.checked_sub(1).filter(|_| line.is_joined(at));
            let after = Some(at + 1).filter(|next| line.is_joined(*next));
            let beside: Vec<u16> = [before, after]
                .into_iter()
                .flatten()
                .filter_map(|index| hits.get(index))
                .flatten()
                .filter(|part| part.weight == Weight::Strong)
                .map(|part| part.owner)
                .collect();
            let alike = chars.first().and_then(|first| self.by_first.get(first));
            let cut = alike
                .into_iter()
                .flatten()
                .filter(|_| !beside.is_empty())
                .filter_map(|at| self.names.get(*at))
                .find(|name| beside.contains(&name.part.owner) && name.chars.starts_with(&chars));
            if let (Some(name), Some(parts)) = (cut, hits.get_mut(at)) {
                parts.push(name.part);
            }
        }
    }

    /// Names that a word may be with errors, or cut off.
    fn similar(&self, word: &Word) -> Vec<Part> {
        let chars: Vec<char> = word.folded.chars().collect();
        let misread: Vec<char> = confusable(&word.folded).chars().collect();
        let whole = self.joined.contains(&word.folded) || self.is_cut(&word.folded);
        let first = chars.iter().take(2).filter_map(|first| self.by_first.get(first));
        let misread_first = misread.first().and_then(|first| self.by_misread.get(first));
        let letters = [letters_in(&chars), letters_in(&misread)];
        let mut alike: Vec<usize> = first.chain(misread_first).flatten().copied().collect();
        alike.retain(|at| self.names.get(*at).is_some_and(|name| name.may_be(letters)));
        alike.sort_unstable();
        alike.dedup();
        let mut found: Vec<Part> = Vec::new();
        for name in alike.into_iter().filter_map(|at| self.names.get(at)) {
            if is_similar(&chars, &misread, name) || spelling::is_inflected(&chars, &name.chars) {
                found.push(name.part);
            }
        }
        if found.is_empty() && whole {
            found.push(Part { owner: u16::MAX, word: 0, weight: Weight::Strong });
        }
        found
    }

    /// Two names that lost their space, cut off: `PATIENTFI` of `PATIENT^FIRST`.
    fn is_cut(&self, word: &str) -> bool {
        let wholes = runs_of(word).next().and_then(|run| self.wholes.get(run));
        wholes.is_some_and(|wholes| wholes.iter().any(|whole| whole.contains(word)))
    }

    /// Neighbouring words of the same name or place.
    fn runs(&self, line: &Line<'_>, hits: &[Vec<Part>], found: &mut Vec<Range<usize>>) {
        let has = |at: usize, owner: u16| {
            hits.get(at).is_some_and(|parts| parts.iter().any(|part| part.owner == owner))
        };
        // `Unit 4/76` is one address, `Doe/Roe` are two persons.
        let is_joined = |at: usize, owner: u16| {
            let is_place = self.owners.get(usize::from(owner)).is_some_and(|owner| owner.is_place);
            line.is_joined(at) || is_place && line.gap(at) == "/"
        };
        for (first, parts) in hits.iter().enumerate() {
            let mut seen = None;
            for owner in parts.iter().map(|part| part.owner) {
                let begun = first > 0 && is_joined(first, owner) && has(first - 1, owner);
                if begun || seen == Some(owner) {
                    continue;
                }
                seen = Some(owner);
                let mut last = first;
                while is_joined(last + 1, owner) && has(last + 1, owner) {
                    last += 1;
                }
                self.run(&Run { line, hits, owner, first, last }, found);
            }
        }
    }

    fn run(&self, run: &Run<'_>, found: &mut Vec<Range<usize>>) {
        if run.shows(self.owners.get(usize::from(run.owner)).copied()) {
            let last = run.last_full_word();
            found.push(run.line.range(run.first, last.max(run.first)));
            return;
        }
        // Each word by itself.
        let is_place = self.owners.get(usize::from(run.owner)).is_some_and(|owner| owner.is_place);
        for at in (run.first..=run.last).filter(|_| !is_place) {
            if run.weights(at).any(|weight| context::shows_person(run.line, at, weight)) {
                found.push(run.line.range(context::title_before(run.line, at).unwrap_or(at), at));
            }
        }
    }

    /// Names that stand in pieces or whole without separators: `Mac Allister`,
    /// `jdoer`, and initials where a person is expected.
    fn together(&self, line: &Line<'_>, found: &mut Vec<Range<usize>>) {
        for (at, word) in line.words.iter().enumerate() {
            let joined = word.chars >= JOINED_CHARS_MIN && self.joined.contains(&word.folded);
            let initials = word.chars == 2
                && self.initials.contains(&word.folded)
                && context::expects_initials(line, at);
            if joined || initials {
                found.push(word.range.clone());
            }
            if let Some(next) = line.words.get(at + 1).filter(|_| line.is_joined(at + 1)) {
                let pair = format!("{}{}", word.folded, next.folded);
                let strong = |part: &Part| part.weight == Weight::Strong;
                let is_name = self.parts.get(&pair).is_some_and(|parts| parts.iter().any(strong));
                if self.joined.contains(&pair) || is_name {
                    found.push(line.range(at, at + 1));
                }
            }
        }
    }
}

fn weight(word: &Word, alone: bool, is_person: bool) -> Weight {
    const OTHER: [Flags; 6] = [
        Flags::UNIT,
        Flags::PLACE_WORD,
        Flags::STREET,
        Flags::STREET_BEFORE,
        Flags::SUFFIX,
        Flags::TITLE_TAIL,
    ];
    let flags = word.flags;
    if word.is_number() {
        return if word.chars >= CHARS_PER_ERROR { Weight::Strong } else { Weight::Number };
    }
    if word.chars == 1 {
        return if word.folded.is_ascii() { Weight::Initial } else { Weight::Number };
    }
    if flags.has(Flags::TITLE) || (flags.has(Flags::PARTICLE) && (!alone || !is_person)) {
        return Weight::Particle;
    }
    if flags.has(Flags::NAME_WORD) && !flags.has(Flags::CLINICAL) {
        return Weight::NameWord;
    }
    if flags.has(Flags::PLAIN) || OTHER.iter().any(|other| flags.has(*other) && !is_person) {
        return Weight::Plain;
    }
    if flags.has(Flags::PARTICLE) || flags.has(Flags::UNIT) || flags.has(Flags::SUFFIX) {
        return Weight::Plain;
    }
    let short = word.chars == 2 && !word.folded.chars().any(is_wide);
    if short { Weight::Short } else { Weight::Strong }
}

/// One error in five letters, typed or read: the first letter is right but for
/// letters that look alike or changed places.
fn is_similar(word: &[char], misread: &[char], name: &Name) -> bool {
    let limit = name.chars.len() / CHARS_PER_ERROR;
    if word.len().abs_diff(name.chars.len()) > limit.max(1) && !is_beginning(word, &name.chars) {
        return misread == name.misread.as_slice();
    }
    let first = word.first() == name.chars.first()
        || misread.first() == name.misread.first()
        || word.get(1) == name.chars.first() && word.first() == name.chars.get(1);
    first
        && (is_beginning(word, &name.chars)
            || within_distance(word, &name.chars, limit)
            || within_distance(misread, &name.misread, limit))
}

/// A word that a line's end cut off.
fn is_beginning(word: &[char], name: &[char]) -> bool {
    word.len() >= CUT_CHARS_MIN && name.starts_with(word)
}

/// The runs of [`INSIDE_CHARS_MIN`] letters of a word.
fn runs_of(word: &str) -> impl Iterator<Item = &str> {
    let starts = word.char_indices().map(|(at, _)| at);
    let ends = word.char_indices().map(|(at, _)| at).chain([word.len()]).skip(INSIDE_CHARS_MIN);
    starts.zip(ends).filter_map(|(from, to)| word.get(from..to))
}

/// One word of a language that is also the name of many people: Station Name `ROSE`.
fn is_one_name_word(text: &str) -> bool {
    let line = Line::new(text, Lexicon::shared());
    matches!(line.words.as_slice(), [word] if word.flags.has(Flags::NAME_WORD))
}
