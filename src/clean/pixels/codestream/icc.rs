//! ICC profiles inside of JPEG (ICC.1, Annex B.4): a profile in, the same one
//! with nothing but what a colour transform needs out.
//!
//! Profiles carry descriptions, copyrights, serial numbers of displays, dates
//! of calibration. Only numeric tags stay, at their places; all other bytes
//! become zero, so that the length stays what it was.

/// Tags that a transform is made of.
const NEEDED: [&[u8; 4]; 18] = [
    b"wtpt", b"bkpt", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"chad",
    b"A2B0", b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"gamt", b"lumi",
];
const HEADER_BYTES: usize = 128;
const ENTRY_BYTES: usize = 12;
/// Most tags; real profiles have under 30.
const TAGS_MAX: usize = 100;
/// Parts of the header that are no names, dates, serial numbers or reserved:
/// size; version to colour spaces; signature to flags; attributes to illuminant.
const HEADER_KEPT: [std::ops::Range<usize>; 4] = [0..4, 8..24, 36..48, 56..80];

/// Blanks what no colour transform needs and says whether there was any;
/// `None` for something that is no profile.
pub fn scrub(profile: &mut [u8]) -> Option<bool> {
    let tags = needed_tags(profile)?;
    let mut clean = vec![0; profile.len()];
    let table = HEADER_BYTES + 4 + ENTRY_BYTES * tags.len();
    let kept = HEADER_KEPT.into_iter().chain(tags.iter().map(|tag| tag.place.clone()));
    for range in kept {
        clean.get_mut(range.clone())?.copy_from_slice(profile.get(range)?);
    }
    let count = u32::try_from(tags.len()).ok()?.to_be_bytes();
    let entries = tags.iter().flat_map(|tag| tag.entry);
    for (target, byte) in
        clean.get_mut(HEADER_BYTES..table)?.iter_mut().zip(count.into_iter().chain(entries))
    {
        *target = byte;
    }
    let changed = clean != profile;
    profile.copy_from_slice(&clean);
    Some(changed)
}

struct NeededTag {
    entry: [u8; ENTRY_BYTES],
    place: std::ops::Range<usize>,
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_be_bytes(*four)).ok()
}

fn needed_tags(profile: &[u8]) -> Option<Vec<NeededTag>> {
    let whole = number(profile, 0)? == profile.len() && profile.get(36..40)? == b"acsp";
    let count = number(profile, HEADER_BYTES)?;
    if !whole || count > TAGS_MAX {
        return None;
    }
    let table_end = HEADER_BYTES + 4 + ENTRY_BYTES * count;
    let entries = profile.get(HEADER_BYTES + 4..table_end)?.as_chunks::<ENTRY_BYTES>().0;
    let mut tags = Vec::new();
    for entry in entries {
        let start = number(entry, 4)?;
        let place = start..start.checked_add(number(entry, 8)?)?;
        let content = profile.get(place.clone())?;
        let needed = NEEDED.iter().any(|name| entry.starts_with(*name));
        if needed && start >= table_end && is_numeric(content) {
            tags.push(NeededTag { entry: *entry, place });
        }
    }
    Some(tags)
}

/// A type that holds numbers, with nothing after them.
fn is_numeric(content: &[u8]) -> bool {
    let bytes = content.len();
    match content.first_chunk::<4>() {
        Some(b"XYZ ") => bytes == 20,
        Some(b"curv") => number(content, 8).is_some_and(|count| bytes == 12 + 2 * count),
        Some(b"para") => bytes <= 40,
        Some(b"sf32") => bytes <= 44,
        Some(b"mft1" | b"mft2" | b"mAB " | b"mBA ") => true,
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A profile with a white point, a gamma curve and a description.
    fn profile() -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[36..40].copy_from_slice(b"acsp");
        bytes[48..56].copy_from_slice(b"DOE JANE");
        bytes.extend([0, 0, 0, 3]);
        let table = HEADER_BYTES + 4 + 3 * ENTRY_BYTES;
        let contents: [(&[u8; 4], Vec<u8>); 3] = [
            (b"wtpt", [b"XYZ ", &[7; 16][..]].concat()),
            (b"desc", b"text\0\0\0\0DOE^JANE".to_vec()),
            (b"kTRC", b"curv\0\0\0\0\0\0\0\x01\x02\x33".to_vec()),
        ];
        let mut at = table;
        for (name, content) in &contents {
            bytes.extend(*name);
            bytes.extend((at as u32).to_be_bytes());
            bytes.extend((content.len() as u32).to_be_bytes());
            at += content.len();
        }
        bytes.extend(contents.into_iter().flat_map(|(_name, content)| content));
        let size = bytes.len() as u32;
        bytes[..4].copy_from_slice(&size.to_be_bytes());
        bytes
    }

    #[test]
    fn texts_go_and_numbers_stay_where_they_are() {
        let mut clean = profile();
        assert_eq!(scrub(&mut clean), Some(true));
        assert_eq!(scrub(&mut clean), Some(false));
        assert!(!clean.windows(3).any(|word| word == b"DOE"));
        assert_eq!(clean.len(), profile().len());
        assert_eq!(clean[131], 2);
        let names: Vec<&[u8]> = clean[132..156].chunks(12).map(|entry| &entry[..4]).collect();
        assert_eq!(names, [b"wtpt", b"kTRC"]);
        let end = clean.len();
        assert_eq!(clean[end - 14..], profile()[end - 14..]);
    }

    #[test]
    fn what_is_no_profile_is_told() {
        assert_eq!(scrub(&mut b"DOE^JANE".to_vec()), None);
        let mut outside = profile();
        outside[136] = 0x7F;
        assert_eq!(scrub(&mut outside), None);
        let mut longer = profile();
        longer.extend(b"DOE");
        assert_eq!(scrub(&mut longer), None);
    }
}
