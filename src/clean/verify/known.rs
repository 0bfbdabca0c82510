//! What of the received object must not come back: texts, dates and UIDs, in
//! the forms in which they are searched for.

use std::collections::{BTreeMap, BTreeSet};

use super::dates;
use super::matcher::{fold, is_wide, tokens};
use super::words::is_common;
use crate::dicom::TagPath;
use crate::dicom::charset::{name_components, name_groups};

/// Shortest text that is searched for as a token, in characters.
const TOKEN_CHARS_MIN: usize = 4;
/// The same for writing without spaces: two characters are a name.
const WIDE_CHARS_MIN: usize = 2;
/// Shortest place or way of contact: street and town, a phone number.
const PLACE_CHARS_MIN: usize = 5;
/// Shortest number that is an ID by itself; shorter ones are counts and sizes too.
const NUMBER_DIGITS_MIN: usize = 6;
/// Most texts searched for. 16,384: hundreds of persons in one object, each in
/// some ten forms; a file made to slow us down has more.
const TEXTS_MAX: usize = 16_384;

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

/// All that must not come back.
#[derive(Default)]
pub(super) struct Known {
    /// Folded tokens that stand one after the other.
    texts: BTreeMap<Vec<String>, Kind>,
    /// UIDs that name instances.
    uids: BTreeSet<String>,
    /// Days, as `YYYYMMDD`, that may not stand in the clean copy.
    days: BTreeSet<String>,
    /// Folded values of identifying elements, at their place.
    places: BTreeMap<TagPath, Kept>,
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
            let components: Vec<Vec<String>> =
                name_components(group).take(3).map(|part| tokens(&fold(part))).collect();
            self.add_whole_name(&components);
            for component in &components {
                self.add_name_part(component);
            }
        }
    }

    /// Family and given name beside each other, in both orders and written together.
    fn add_whole_name(&mut self, components: &[Vec<String>]) {
        let named: Vec<&Vec<String>> = components.iter().filter(|part| !part.is_empty()).collect();
        let forward: Vec<String> = named.iter().take(2).copied().flatten().cloned().collect();
        let backward: Vec<String> =
            named.iter().take(2).rev().copied().flatten().cloned().collect();
        for whole in [vec![forward.concat()], vec![backward.concat()], forward, backward] {
            if is_long_enough(&whole, TOKEN_CHARS_MIN) {
                self.add(whole, Kind::Name);
            }
        }
    }

    /// One component, as a whole and by its words.
    fn add_name_part(&mut self, component: &[String]) {
        let words = component.iter().map(std::slice::from_ref);
        for part in words.chain([component]) {
            let tells = part.iter().any(|word| !is_common(word));
            if tells && is_long_enough(part, TOKEN_CHARS_MIN) {
                self.add(part.to_vec(), Kind::Name);
            }
        }
    }

    /// An identifier; `strong` ones belong to the person, weak ones are often
    /// short counts.
    pub(super) fn add_id(&mut self, id: &str, strong: bool) {
        let parts = tokens(&fold(id));
        let joined = parts.concat();
        let number = joined.bytes().all(|byte| byte.is_ascii_digit());
        let chars_min = if number && !strong { NUMBER_DIGITS_MIN } else { TOKEN_CHARS_MIN };
        if joined.chars().count() < chars_min || is_common(&joined) {
            return;
        }
        self.add(vec![joined], Kind::Id);
        self.add(parts, Kind::Id);
    }

    /// A place, an address or a way of contact.
    pub(super) fn add_place(&mut self, place: &str, kind: Kind) {
        let parts = tokens(&fold(place));
        let tells = parts.iter().any(|word| !is_common(word));
        if tells && is_long_enough(&parts, PLACE_CHARS_MIN) {
            self.add(parts, kind);
        }
    }

    /// A day that may not come back, in text in any usual spelling.
    pub(super) fn add_day(&mut self, day: i64) {
        let written = dates::written(day);
        let part =
            |range: std::ops::Range<usize>| written.get(range).unwrap_or_default().to_owned();
        let (year, month, date) = (part(0..4), part(4..6), part(6..8));
        self.add(vec![year.clone(), month.clone(), date.clone()], Kind::Date);
        self.add(vec![date.clone(), month.clone(), year.clone()], Kind::Date);
        self.add(vec![month, date, year], Kind::Date);
        self.add(vec![written.clone()], Kind::Date);
        self.days.insert(written);
    }

    /// A UID that names an instance.
    pub(super) fn add_uid(&mut self, uid: &str) {
        self.uids.insert(uid.to_owned());
    }

    /// The value of an identifying element at its place.
    pub(super) fn add_place_of(&mut self, path: TagPath, value: &str, kind: Kind) {
        let folded = fold(value.trim_matches([' ', '\0']));
        if !folded.is_empty() {
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

    fn add(&mut self, parts: Vec<String>, kind: Kind) {
        if self.texts.len() >= TEXTS_MAX {
            self.overflow = true;
            return;
        }
        if !parts.is_empty() {
            self.texts.entry(parts).or_insert(kind);
        }
    }

    /// The texts with their kinds.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&[String], Kind)> {
        self.texts.iter().map(|(parts, kind)| (parts.as_slice(), *kind))
    }

    /// The UID named an instance in the received object.
    pub(super) fn has_uid(&self, uid: &str) -> bool {
        self.uids.contains(uid)
    }

    /// The day may not come back.
    pub(super) fn has_day(&self, day: &str) -> bool {
        self.days.contains(day)
    }

    /// The element at this place holds what it held when it was received.
    pub(super) fn same_at(&self, path: &TagPath, value: &str) -> Option<Kind> {
        let kept = self.places.get(path)?;
        (kept.folded == fold(value.trim_matches([' ', '\0']))).then_some(kept.kind)
    }

    /// Not everything fitted: the object cannot be checked.
    pub(super) fn overflowed(&self) -> bool {
        self.overflow
    }

    /// Number of texts.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.texts.len()).unwrap_or(u32::MAX)
    }

    /// Number of UIDs.
    pub(super) fn uids_len(&self) -> u32 {
        u32::try_from(self.uids.len()).unwrap_or(u32::MAX)
    }
}

fn is_long_enough(parts: &[String], chars_min: usize) -> bool {
    let letters = || parts.iter().flat_map(|part| part.chars());
    letters().count() >= chars_min || letters().filter(|c| is_wide(*c)).count() >= WIDE_CHARS_MIN
}
