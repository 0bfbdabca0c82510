//! Words that a machine writes whoever the patient is: where they stand they are
//! explained by the standard's vocabulary, even when somebody is called so.
//!
//! Only for words that stood there in the received object too, and only in terms
//! and machine-made text (docs/decisions/0010): a term `PERFUSION` says the same of
//! every patient, so it tells nothing about one who is called so. A word that no
//! vocabulary has (`WINTERBOTTOM`) is a finding in a term as anywhere.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::clean::metadata::table;
use crate::config::Profile;
use crate::dicom::vr::{by_dictionary, is_private};
use crate::dicom::{Tag, VR};

const CODE_VALUE: Tag = Tag(0x0008, 0x0100);
const METHOD: Tag = Tag(0x0012, 0x0063);
const METHOD_CODES: Tag = Tag(0x0012, 0x0064);

/// Names and models of machines, and what a site calls one.
const MAKER_TAGS: [Tag; 7] = [
    Tag(0x0008, 0x0070), // Manufacturer
    Tag(0x0008, 0x1090), // Manufacturer's Model Name
    Tag(0x0018, 0x1016), // Secondary Capture Device Manufacturer
    Tag(0x0018, 0x1018), // Secondary Capture Device Manufacturer's Model Name
    Tag(0x0018, 0x1020), // Software Versions
    Tag(0x0008, 0x1010), // Station Name
    Tag(0x0040, 0x0242), // Performed Station Name
];

/// How an image was made: Image Type, Scanning Sequence and its kin.
const ACQUISITION_TAGS: [Tag; 4] = [
    Tag(0x0008, 0x0008), // Image Type
    Tag(0x0018, 0x0020), // Scanning Sequence
    Tag(0x0018, 0x0022), // Scan Options
    Tag(0x0018, 0x0024), // Sequence Name
];

/// Makers whose names are also names of persons and places.
const MAKERS: [&str; 19] = [
    "agfa",
    "aloka",
    "canon",
    "carestream",
    "elekta",
    "esaote",
    "fuji",
    "fujifilm",
    "general",
    "hitachi",
    "hologic",
    "konica",
    "minolta",
    "philips",
    "samsung",
    "shimadzu",
    "siemens",
    "toshiba",
    "varian",
];

/// Techniques that are called by a person's name or by a word that is one.
const TECHNIQUES: [&str; 7] = ["blade", "bravo", "dixon", "grase", "medic", "propeller", "twist"];

/// In the folded form of [`super::spelling::fold`].
static WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("../../../config/standard/vocabulary.txt").lines();
    lines.filter(|line| !line.starts_with('#')).collect()
});

/// What explains a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vocabulary {
    /// The standard's own words, and short numbers.
    Standard,
    /// A maker's name.
    Maker,
    /// A technique of making images.
    Technique,
}

impl Vocabulary {
    /// Where the folded word is from.
    pub(super) fn of(word: &str) -> Option<Self> {
        if WORDS.contains(word) {
            Some(Self::Standard)
        } else if MAKERS.contains(&word) {
            Some(Self::Maker)
        } else {
            TECHNIQUES.contains(&word).then_some(Self::Technique)
        }
    }
}

/// Which vocabulary an attribute's values are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A term, a code, machine-made text.
    Term,
    /// Who made the machine.
    Maker,
    /// How the image was made.
    Acquisition,
    /// Ours: what was done to the object.
    Stamp,
    /// Ours: the code of an option.
    StampCode,
}

impl Place {
    /// The place of an attribute; `None` where a person may have typed.
    pub(super) fn of(tag: Tag, vr: VR, inside: Option<Tag>) -> Option<Self> {
        if tag == CODE_VALUE && inside == Some(METHOD_CODES) {
            Some(Self::StampCode)
        } else if tag == METHOD || inside == Some(METHOD_CODES) {
            Some(Self::Stamp)
        } else if MAKER_TAGS.contains(&tag) {
            Some(Self::Maker)
        } else if ACQUISITION_TAGS.contains(&tag) {
            Some(Self::Acquisition)
        } else {
            let term = vr == VR::CS && by_dictionary(tag, false) == VR::CS && !is_private(tag);
            (term || table::is_machine_text(tag)).then_some(Self::Term)
        }
    }

    /// A word of this vocabulary tells nothing here.
    pub(super) fn explains(self, vocabulary: Vocabulary) -> bool {
        match vocabulary {
            Vocabulary::Standard => true,
            Vocabulary::Maker => self == Self::Maker,
            Vocabulary::Technique => self == Self::Acquisition,
        }
    }
}

/// The private element stands in Table E.3.10-1 of PS3.15 or in the site's list.
pub(super) fn is_safe_private(profile: &Profile, creator: &str, tag: Tag) -> bool {
    let [_block, low_byte] = tag.element().to_be_bytes();
    table::safe_private(creator, tag.group(), low_byte).is_some()
        || profile.safe_private.iter().any(|safe| {
            (safe.creator.as_str(), safe.group, safe.element) == (creator, tag.group(), low_byte)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_explained_and_names_are_not() {
        for word in ["perfusion", "chest", "head", "long", "axial"] {
            assert_eq!(Vocabulary::of(word), Some(Vocabulary::Standard), "{word}");
        }
        for word in ["winterbottom", "rose", "young", "mark", "hodgkin", "baker", "murphy", ""] {
            assert_eq!(Vocabulary::of(word), None, "{word}");
        }
    }

    #[test]
    fn makers_and_techniques_are_explained_at_their_places_only() {
        let at = |tag, vr| Place::of(tag, vr, None);
        let maker = at(Tag(0x0008, 0x0070), VR::LO).unwrap();
        let image_type = at(Tag(0x0008, 0x0008), VR::CS).unwrap();
        let body_part = at(Tag(0x0018, 0x0015), VR::CS).unwrap();
        let (canon, dixon) = (Vocabulary::of("canon").unwrap(), Vocabulary::of("dixon").unwrap());
        assert!(maker.explains(canon) && !image_type.explains(canon) && !body_part.explains(canon));
        assert!(image_type.explains(dixon) && !body_part.explains(dixon));
        assert_eq!(at(Tag(0x0008, 0x103E), VR::LO), None);
        assert_eq!(at(Tag(0x0009, 0x1001), VR::CS), None, "private");
    }
}
