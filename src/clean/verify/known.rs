//! What of the received object must not come back: texts, dates and UIDs, in
//! the forms in which they are searched for.

use std::collections::{BTreeMap, BTreeSet};

use super::spelling::{fold, is_wide, runs, spellings, tokens};
use super::vocabulary::Vocabulary;
use super::words::is_common;
use super::written_dates::{Days, days_of_value};
use crate::dicom::TagPath;
use crate::dicom::charset::{Charset, name_components, name_groups};

/// Shortest word of a name that is searched for in typed text, in characters.
const PART_CHARS_MIN: usize = 3;
/// Shortest whole name or identifier.
const WHOLE_CHARS_MIN: usize = 4;
/// The same for writing without spaces: two characters are a name.
const WIDE_CHARS_MIN: usize = 2;
/// Shortest place or way of contact: street and town, a phone number.
const PLACE_CHARS_MIN: usize = 5;
/// Shortest number that is an ID by itself; shorter ones are counts and sizes too.
pub(super) const NUMBER_DIGITS_MIN: usize = 6;
/// Digits at the end of a phone number that no other has: without the country
/// and area code.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=9;
/// Most texts searched for. 16,384: hundreds of persons in one object, each in
/// some ten forms; a file made to slow us down has more.
const TEXTS_MAX: usize = 16_384;
/// Days that stand for "unknown", in senders' dummies and in ours.
const PLACEHOLDER_DAYS: [&str; 3] = ["19000101", "00010101", "18000101"];
/// Under this root a UID is a UUID in decimal (PS3.5 §B.2).
const UUID_ROOT: &str = "2.25.";

/// What kind of text it is; the rule's name in a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Name,
    Id,
    Place,
    Contact,
    Date,
}

impl Kind {
    /// The rule that a finding breaks.
    pub(super) fn rule(self) -> &'static str {
        match self {
            Self::Name => "name-remains",
            Self::Id => "id-remains",
            Self::Place => "place-remains",
            Self::Contact => "contact-remains",
            Self::Date => "date-remains",
        }
    }
}

/// How much a text tells by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// A whole value: it is searched for everywhere.
    Whole,
    /// A word of a name.
    Part,
    /// A word of a place, a short word of a name: it tells in typed text only.
    Typed,
}

/// One text that is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    pub(super) weight: Weight,
    pub(super) kind: Kind,
}

/// All that must not come back.
#[derive(Default)]
pub(super) struct Known {
    /// Folded tokens that stand one after the other.
    texts: BTreeMap<Vec<String>, Mark>,
    /// Digits of phone numbers.
    phones: BTreeSet<String>,
    /// Names in bytes that the stated character set reads as anything but letters,
    /// by their first ones.
    name_bytes: BTreeMap<[u8; WHOLE_CHARS_MIN], BTreeSet<Vec<u8>>>,
    /// UIDs that name instances.
    uids: BTreeSet<String>,
    /// Days that may not stand in the clean copy.
    pub(super) days: Days,
    /// Days that dates are moved by; `None` when none may stay.
    pub(super) shift_days: Option<i64>,
    /// Folded values of identifying elements, at their place.
    places: BTreeMap<TagPath, Kept>,
    /// Character sets that the received object names.
    pub(super) charsets: Vec<Charset>,
    /// A text has letters beyond ASCII, or of writing without spaces.
    pub(super) beyond_ascii: bool,
    pub(super) wide: bool,
    /// More was there than is searched for.
    overflow: bool,
}

/// An identifying element's folded value and kind.
struct Kept {
    folded: String,
    kind: Kind,
}

impl Known {
    /// A person's name, all groups.
    pub(super) fn add_name(&mut self, name: &str) {
        for group in name_groups(name) {
            let components: Vec<Vec<Vec<String>>> = name_components(group)
                .take(3)
                .map(|part| spellings(part).iter().map(|spelling| tokens(spelling)).collect())
                .collect();
            self.note_letters(group);
            for family in components.first().into_iter().flatten() {
                for given in components.get(1).into_iter().flatten() {
                    self.add_whole_name(family, given);
                }
            }
            components.iter().flatten().for_each(|component| self.add_name_part(component));
            if let Some(only) = only_component(&components) {
                only.iter().for_each(|words| self.add_whole(words, Kind::Name));
            }
        }
    }

    /// A name's bytes where half or more of them are beyond ASCII and `text`, what
    /// they were read as, has no letter beyond Latin-1: they may be of any
    /// character set that nobody stated.
    pub(super) fn add_name_bytes(&mut self, bytes: &[u8], text: &str) {
        if bytes.is_ascii() || text.chars().any(|letter| letter > '\u{ff}' && letter != '\u{fffd}')
        {
            return;
        }
        for value in bytes.split(|byte| *byte == b'\\') {
            let parts: Vec<&[u8]> =
                value.split(|byte| matches!(byte, b'^' | b'=')).map(<[u8]>::trim_ascii).collect();
            let names = parts.iter().take(2).copied().collect::<Vec<_>>();
            let backward: Vec<u8> = names.iter().rev().copied().flatten().copied().collect();
            for name in parts.iter().map(|part| part.to_vec()).chain([names.concat(), backward]) {
                let beyond = name.iter().filter(|byte| !byte.is_ascii()).count();
                let telling = name.len() >= WHOLE_CHARS_MIN && beyond * 2 >= name.len();
                let head = name.first_chunk().copied().filter(|_| telling);
                if let Some(head) = head.filter(|_| self.name_bytes.len() < TEXTS_MAX) {
                    self.name_bytes.entry(head).or_default().insert(name);
                }
            }
        }
    }

    /// A name stands in the bytes as it was received, whatever they say.
    pub(super) fn has_name_bytes_in(&self, bytes: &[u8]) -> bool {
        if self.name_bytes.is_empty() || bytes.is_ascii() {
            return false;
        }
        bytes.windows(WHOLE_CHARS_MIN).enumerate().any(|(at, head)| {
            let head = head.first_chunk().and_then(|head| self.name_bytes.get(head));
            let here = bytes.get(at..).unwrap_or_default();
            head.is_some_and(|names| names.iter().any(|name| here.starts_with(name)))
        })
    }

    /// Family and given name beside each other, in both orders.
    fn add_whole_name(&mut self, family: &[String], given: &[String]) {
        if family.is_empty() || given.is_empty() {
            return;
        }
        self.add_whole(&[family, given].concat(), Kind::Name);
        self.add_whole(&[given, family].concat(), Kind::Name);
    }

    fn add_whole(&mut self, words: &[String], kind: Kind) {
        if is_long_enough(words, WHOLE_CHARS_MIN) {
            let mark = Mark { weight: Weight::Whole, kind };
            self.add(vec![words.concat()], mark);
            self.add(words.to_vec(), mark);
        }
    }

    /// One component, as a whole and by its words.
    fn add_name_part(&mut self, component: &[String]) {
        let words = component.iter().map(std::slice::from_ref);
        for part in words.chain([component]) {
            let tells = part.iter().any(|word| !is_common(word) && !is_number(word));
            let weight =
                if is_long_enough(part, WHOLE_CHARS_MIN) { Weight::Part } else { Weight::Typed };
            if tells && is_long_enough(part, PART_CHARS_MIN) {
                self.add(part.to_vec(), Mark { weight, kind: Kind::Name });
            }
        }
    }

    /// An identifier; `strong` ones belong to the person, weak ones are often
    /// short counts.
    pub(super) fn add_id(&mut self, id: &str, strong: bool) {
        let parts = tokens(&fold(id));
        let joined = parts.concat();
        let chars_min =
            if is_number(&joined) && !strong { NUMBER_DIGITS_MIN } else { WHOLE_CHARS_MIN };
        if joined.chars().count() < chars_min || is_common(&joined) {
            return;
        }
        self.note_letters(id);
        let mark = Mark { weight: Weight::Whole, kind: Kind::Id };
        self.add(vec![joined.clone()], mark);
        self.add(parts, mark);
        // `MRN0042317` is written `42317` too, where the letters are on the label.
        for digits in runs(&joined).filter(|run| is_number(run)) {
            for digits in [digits, digits.trim_start_matches('0')] {
                if digits.len() >= NUMBER_DIGITS_MIN {
                    self.add(vec![digits.to_owned()], mark);
                }
            }
        }
    }

    /// A place or an address: whole, by its lines, and its words in typed text.
    pub(super) fn add_place(&mut self, place: &str) {
        self.note_letters(place);
        let lines = place.split([',', ';', '^', '=', '\n', '\r']);
        for line in lines.chain([place]) {
            for spelling in spellings(line) {
                let parts = tokens(&spelling);
                // The number of a house stands before the street, or behind it.
                let street: Vec<String> =
                    parts.iter().filter(|word| !is_number(word)).cloned().collect();
                for whole in [&parts, &street] {
                    let enough = whole == &parts || whole.len() > 1;
                    if enough && is_telling(whole) && is_long_enough(whole, PLACE_CHARS_MIN) {
                        let mark = Mark { weight: Weight::Whole, kind: Kind::Place };
                        self.add(whole.clone(), mark);
                    }
                }
                let words = parts.into_iter().filter(|word| {
                    word.chars().count() >= PLACE_CHARS_MIN
                        && !is_common(word)
                        && !word.contains(|c: char| c.is_ascii_digit())
                        && Vocabulary::of(word).is_none()
                });
                for word in words.collect::<Vec<_>>() {
                    self.add(vec![word], Mark { weight: Weight::Typed, kind: Kind::Place });
                }
            }
        }
    }

    /// A way of contact: a phone number, a mail address.
    pub(super) fn add_contact(&mut self, contact: &str) {
        self.note_letters(contact);
        let parts = tokens(&fold(contact));
        if is_telling(&parts) && is_long_enough(&parts, PLACE_CHARS_MIN) {
            self.add(parts, Mark { weight: Weight::Whole, kind: Kind::Contact });
        }
        let digits: String = fold(contact).chars().filter(char::is_ascii_digit).collect();
        let end = digits.len().saturating_sub(*PHONE_DIGITS.end());
        if let Some(last) = digits.get(end..).filter(|last| PHONE_DIGITS.contains(&last.len())) {
            self.phones.insert(last.to_owned());
        }
    }

    /// A day that may not come back.
    pub(super) fn add_day(&mut self, day: i64, birth: bool) {
        if PLACEHOLDER_DAYS.contains(&super::dates::written(day).as_str()) {
            return;
        }
        if birth {
            self.days.add_birth(day);
        } else {
            self.days.add(day);
        }
    }

    /// A UID that names an instance.
    pub(super) fn add_uid(&mut self, uid: &str) {
        self.uids.insert(uid.to_owned());
        let uuid = uid.strip_prefix(UUID_ROOT).and_then(|number| number.parse::<u128>().ok());
        if let Some(uuid) = uuid.filter(|uuid| *uuid > u128::from(u64::MAX)) {
            let mark = Mark { weight: Weight::Whole, kind: Kind::Id };
            self.add(vec![format!("{uuid:032x}")], mark);
        }
    }

    /// A character set that the received object names.
    pub(super) fn add_charset(&mut self, charset: &Charset) {
        if !self.charsets.contains(charset) {
            self.charsets.push(charset.clone());
        }
    }

    /// The value of an identifying element at its place.
    pub(super) fn add_place_of(&mut self, path: TagPath, value: &str, kind: Kind) {
        let folded = fold(value.trim_matches([' ', '\0']));
        // A dummy of ours may be the sender's placeholder.
        let placeholder = tokens(&folded).iter().all(|word| is_common(word))
            || PLACEHOLDER_DAYS.contains(&folded.get(..8).unwrap_or_default());
        if !folded.is_empty() && !placeholder {
            self.places.insert(path, Kept { folded, kind });
        }
    }

    /// Takes out a text that a rule of the site keeps.
    pub(super) fn forget(&mut self, kept: &str) {
        let parts = tokens(&fold(kept));
        self.texts.remove(&vec![parts.concat()]);
        self.texts.remove(&parts);
    }

    /// Takes out the pseudonym, which must stand in the clean copy: a trial's own
    /// code may stand in the received object too, as Clinical Trial Subject ID.
    pub(super) fn forget_code(&mut self, code: &str) {
        self.forget(code);
        let folded = fold(code);
        self.places.retain(|_, kept| kept.folded != folded);
    }

    fn add(&mut self, parts: Vec<String>, mark: Mark) {
        if self.texts.len() >= TEXTS_MAX {
            self.overflow = true;
            return;
        }
        if !parts.is_empty() {
            let held = self.texts.entry(parts).or_insert(mark);
            *held = mark.min(*held);
        }
    }

    fn note_letters(&mut self, text: &str) {
        self.beyond_ascii |= !text.is_ascii();
        self.wide |= text.chars().any(is_wide);
    }

    /// The texts with their marks.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&[String], Mark)> {
        self.texts.iter().map(|(parts, mark)| (parts.as_slice(), *mark))
    }

    /// The last digits of a phone number stand in the digits.
    pub(super) fn has_phone_in(&self, digits: &str) -> bool {
        !self.phones.is_empty()
            && PHONE_DIGITS.into_iter().any(|length| {
                (length..=digits.len())
                    .filter_map(|end| digits.get(end - length..end))
                    .any(|phone| self.phones.contains(phone))
            })
    }

    /// The UID named an instance in the received object.
    pub(super) fn has_uid(&self, uid: &str) -> bool {
        self.uids.contains(uid)
    }

    /// The element at this place holds what it held when it was received.
    pub(super) fn same_at(&self, path: &TagPath, value: &str) -> Option<Kind> {
        let kept = self.places.get(path)?;
        (kept.folded == fold(value.trim_matches([' ', '\0']))).then_some(kept.kind)
    }

    /// The days that a value of DA or DT held at this place, moved as all are.
    pub(super) fn moved_days_at(&self, path: &TagPath) -> Vec<Option<i64>> {
        let (Some(kept), Some(shift)) = (self.places.get(path), self.shift_days) else {
            return Vec::new();
        };
        days_of_value(&kept.folded).map(|day| day.map(|day| day + shift)).collect()
    }

    /// Not everything fitted: the object cannot be checked.
    pub(super) fn overflowed(&self) -> bool {
        self.overflow
    }

    /// Number of texts and days.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.texts.len() + self.days.len() + self.phones.len()).unwrap_or(u32::MAX)
    }

    /// Number of UIDs.
    pub(super) fn uids_len(&self) -> u32 {
        u32::try_from(self.uids.len()).unwrap_or(u32::MAX)
    }
}

/// The one component that says something, when there is only one.
fn only_component(components: &[Vec<Vec<String>>]) -> Option<&Vec<Vec<String>>> {
    let mut telling = components
        .iter()
        .filter(|spellings| spellings.first().is_some_and(|words| !words.is_empty()));
    telling.next().filter(|_only| telling.next().is_none())
}

fn is_telling(parts: &[String]) -> bool {
    parts.iter().any(|word| !is_common(word))
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_long_enough(parts: &[String], chars_min: usize) -> bool {
    let letters = || parts.iter().flat_map(|part| part.chars());
    letters().count() >= chars_min || letters().filter(|c| is_wide(*c)).count() >= WIDE_CHARS_MIN
}
