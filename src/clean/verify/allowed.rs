//! Which elements may stand in a clean copy at all, whatever their value.

use super::vocabulary::is_safe_private;
use crate::config::{Profile, ProfileOption};
use crate::dicom::vr::{PIXEL_DATA, is_private, is_private_creator};
use crate::dicom::{DataSet, Tag};

const CURVE_GROUPS: u16 = 0x5000;
const OVERLAY_GROUPS: u16 = 0x6000;
const OVERLAY_CONTENT: [u16; 2] = [0x3000, 0x4000];
/// Float and Double Float Pixel Data.
const OTHER_PIXEL_DATA: [Tag; 2] = [Tag(0x7FE0, 0x0008), Tag(0x7FE0, 0x0009)];
/// Retired Variable Pixel Data.
const VARIABLE_GROUPS: u16 = 0x7F00;

/// The rule that an element of `set`, `depth` sequences deep, breaks by being there.
pub(super) fn broken_by(
    tag: Tag,
    set: &DataSet,
    depth: usize,
    profile: &Profile,
) -> Option<&'static str> {
    // Whatever a profile keeps: no text is looked for in these.
    if let Some(rule) = picture_nobody_looks_at(tag, depth) {
        return Some(rule);
    }
    if profile.rules.iter().any(|rule| Tag(rule.group, rule.element) == tag) {
        return None;
    }
    if is_private(tag) && !is_allowed_private(tag, set, profile) {
        return Some("private-element");
    }
    let repeating = tag.group() & 0xFF00;
    let overlay = repeating == OVERLAY_GROUPS && OVERLAY_CONTENT.contains(&tag.element());
    let drawn = (repeating == CURVE_GROUPS && !is_private(tag)) || overlay;
    (drawn && !profile.has(ProfileOption::CleanGraphics)).then_some("curve-or-overlay")
}

/// Listed as safe for its creator, or the creator of one that is.
fn is_allowed_private(tag: Tag, set: &DataSet, profile: &Profile) -> bool {
    if !profile.has(ProfileOption::RetainSafePrivate) {
        return false;
    }
    if is_private_creator(tag) {
        let block =
            |other: &Tag| other.group() == tag.group() && other.element() >> 8 == tag.element();
        let creator = set.ascii(tag).unwrap_or_default();
        return set
            .tags()
            .iter()
            .any(|other| block(other) && is_safe_private(profile, creator, *other));
    }
    let creator = set.ascii(Tag(tag.group(), tag.element() >> 8));
    creator.is_some_and(|creator| is_safe_private(profile, creator, tag))
}

/// Pictures that the cleaner does not look at: icons and others in items, other
/// kinds of pixel data, planes and curves drawn over the picture.
fn picture_nobody_looks_at(tag: Tag, depth: usize) -> Option<&'static str> {
    let repeating = tag.group() & 0xFF01;
    match (repeating, tag.element()) {
        _ if tag == PIXEL_DATA && depth > 0 => Some("pixel-data-in-item"),
        _ if OTHER_PIXEL_DATA.contains(&tag) => Some("other-pixel-data"),
        _ if repeating == VARIABLE_GROUPS && tag.group() != PIXEL_DATA.group() => {
            Some("other-pixel-data")
        }
        (OVERLAY_GROUPS, 0x3000) => Some("overlay-data"),
        (CURVE_GROUPS, 0x3000) => Some("curve-data"),
        _other => None,
    }
}
