//! Words that are no proof of identity when a name or an ID consists of one of
//! them alone: titles, placeholders, parts of the body, things of the clinic.
//!
//! Such a value is still searched for as a whole name (family and given).

/// In the folded form of [`super::matcher::fold`], sorted.
#[rustfmt::skip] // One word a line would hide the list's end.
const COMMON: &[&str] = &[
    "abdomen", "adult", "ankle", "anon", "anonym", "anonymized", "anonymous", "axial", "baby",
    "back", "body", "brain", "breast", "cardiac", "center", "centre", "chest", "child", "clinic",
    "clinical", "code", "container", "coronal", "default", "demo", "department", "diagnostic",
    "doctor", "elbow", "emergency", "enter", "female", "first", "foot", "general", "hand", "head",
    "heart", "hospital", "image", "imaging", "institute", "klinik", "klinikum", "knee", "last",
    "left", "liver", "long", "lung", "male", "medical", "medicine", "miss", "misses", "name",
    "neck", "none", "normal", "null", "nurse", "other", "patient", "pelvis", "phantom", "physician",
    "physicist", "prof", "professor", "radiologie", "radiology", "research", "right", "room",
    "sagittal", "scan", "series", "short", "shoulder", "skull", "spine", "student", "study", "tech",
    "technician", "technologist", "test", "text", "thorax", "ultrasound", "university", "unknown",
    "user", "volunteer", "whole", "wrist",
];

/// The folded word is on the list.
pub(super) fn is_common(word: &str) -> bool {
    COMMON.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_without_repeats() {
        assert!(COMMON.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(is_common("breast") && !is_common("doe"));
    }
}
