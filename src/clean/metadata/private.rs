//! Private elements (PS3.5 §7.8): which of a data set's may stay.
//!
//! Invariant: a private element stays only when its creator, group and low
//! byte stand in Table E.3.10-1 of PS3.15 or in the site's own list; a creator
//! stays only beside an element that stays.

use std::collections::{BTreeMap, BTreeSet};

use super::table;
use crate::config::{Action, Profile, ProfileOption};
use crate::dicom::vr::{is_private, is_private_creator};
use crate::dicom::{DataSet, Tag, VR};

/// The private elements of one data set that stay.
#[derive(Debug, Default)]
pub(super) struct Retained {
    elements: BTreeMap<Tag, Option<VR>>,
    creators: BTreeSet<Tag>,
}

/// Why a private element stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stays {
    /// It is listed as safe.
    Safe {
        /// Its VR by the list; a site's need not say it.
        listed: Option<VR>,
    },
    /// It names the block of one that is.
    Creator,
}

impl Retained {
    /// Looks through one level of a data set.
    pub(super) fn of(set: &DataSet, profile: &Profile) -> Self {
        let mut retained = Self::default();
        if !profile.has(ProfileOption::RetainSafePrivate) {
            return retained;
        }
        for element in set.iter().filter(|element| is_private(element.tag)) {
            let Some(creator) = creator_tag(element.tag) else { continue };
            if is_taken_away(profile, element.tag) {
                continue;
            }
            let Some(listed) = safe_vr(set, profile, creator, element.tag) else { continue };
            retained.elements.insert(element.tag, listed);
            retained.creators.insert(creator);
        }
        retained
    }

    /// Why an element stays; `None` when it goes.
    pub(super) fn stays(&self, tag: Tag) -> Option<Stays> {
        match self.elements.get(&tag) {
            Some(listed) => Some(Stays::Safe { listed: *listed }),
            None => self.creators.contains(&tag).then_some(Stays::Creator),
        }
    }
}

/// Takes away the creators whose block has no element left: their values were
/// cleaned away after [`Retained::of`] had looked. How many went.
pub(super) fn drop_empty_blocks(set: &mut DataSet) -> u32 {
    let used: BTreeSet<Tag> = set.tags().into_iter().filter_map(creator_tag).collect();
    let mut dropped = 0;
    set.retain(|element| {
        let stays = !is_private_creator(element.tag) || used.contains(&element.tag);
        dropped += u32::from(!stays);
        stays
    });
    dropped
}

/// A rule removes or empties it, as one of a person who has released it.
fn is_taken_away(profile: &Profile, tag: Tag) -> bool {
    profile.rules.iter().any(|rule| {
        Tag(rule.group, rule.element) == tag
            && matches!(rule.action, Action::Remove | Action::Empty)
    })
}

/// What the lists say of a private element: nothing, or its VR when they give one.
fn safe_vr(set: &DataSet, profile: &Profile, creator: Tag, tag: Tag) -> Option<Option<VR>> {
    let creator = set.ascii(creator)?;
    let low_byte = low_byte(tag);
    let of_site = profile.safe_private.iter().find(|safe| {
        safe.creator == creator && safe.group == tag.group() && safe.element == low_byte
    });
    let of_table = table::safe_private(creator, tag.group(), low_byte).map(|row| Some(row.vr));
    of_table.or(of_site.map(|safe| safe.vr.as_deref().and_then(|vr| vr.parse().ok())))
}

/// The element that reserves the block of `tag`: (gggg,00bb) for (gggg,bbxx).
fn creator_tag(tag: Tag) -> Option<Tag> {
    let block = tag.element() >> 8;
    // Groups below 0009 and FFFF are not for private use (PS3.5 §7.8.1).
    let legal = (0x10..=0xFF).contains(&block) && (0x0009..0xFFFF).contains(&tag.group());
    legal.then(|| Tag(tag.group(), block))
}

fn low_byte(tag: Tag) -> u8 {
    let [_high, low] = tag.element().to_be_bytes();
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::Element;

    fn set() -> DataSet {
        DataSet::from_iter([
            Element::bytes(Tag(0x0019, 0x0010), VR::LO, "ACME"),
            Element::bytes(Tag(0x0019, 0x0011), VR::LO, "SIEMENS MR HEADER "),
            Element::bytes(Tag(0x0019, 0x100C), VR::IS, "1000"),
            Element::bytes(Tag(0x0019, 0x110C), VR::IS, "1000"),
            Element::bytes(Tag(0x0019, 0x110B), VR::LO, "DOE"),
            Element::bytes(Tag(0x0019, 0x120C), VR::IS, "1000"),
        ])
    }

    #[test]
    fn safe_elements_are_kept_with_their_creator_in_any_block() {
        let retained = Retained::of(&set(), &Profile::tcia());
        assert_eq!(retained.stays(Tag(0x0019, 0x110C)), Some(Stays::Safe { listed: Some(VR::IS) }));
        assert_eq!(retained.stays(Tag(0x0019, 0x0011)), Some(Stays::Creator));
        for gone in [0x0010, 0x100C, 0x110B, 0x120C] {
            assert_eq!(retained.stays(Tag(0x0019, gone)), None, "{gone:04X}");
        }
    }

    #[test]
    fn nothing_private_stays_without_the_option() {
        let retained = Retained::of(&set(), &Profile::basic());
        assert!(set().tags().into_iter().all(|tag| retained.stays(tag).is_none()));
    }

    #[test]
    fn a_rule_takes_a_safe_element_away() {
        let mut profile = Profile::tcia();
        profile.rules.push(crate::config::TagRule {
            group: 0x0019,
            element: 0x110C,
            action: Action::Remove,
        });
        assert_eq!(Retained::of(&set(), &profile).stays(Tag(0x0019, 0x110C)), None);
    }

    #[test]
    fn a_site_can_extend_the_list() {
        let mut profile = Profile::tcia();
        profile.safe_private.push(crate::config::PrivateTag {
            creator: "ACME".to_owned(),
            group: 0x0019,
            element: 0x0C,
            vr: None,
        });
        let retained = Retained::of(&set(), &profile);
        assert_eq!(retained.stays(Tag(0x0019, 0x100C)), Some(Stays::Safe { listed: None }));
    }
}
