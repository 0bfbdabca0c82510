//! Words that are no proof of identity when a name or an ID consists of one of
//! them alone: titles, placeholders, parts of the body, things of the clinic.
//!
//! Such a value is still searched for as a whole name (family and given).

/// In the folded form of [`super::matcher::fold`], sorted.
#[rustfmt::skip] // One word a line would hide the list's end.
const COMMON: &[&str] = &[
    "abdomen", "admin", "adult", "and", "ankle", "anon", "anonym", "anonymized", "anonymous",
    "attending", "avenue", "axial", "baby", "back", "body", "brain", "breast", "cardiac",
    "cardiology", "center", "centre", "chest", "child", "clinic", "clinical", "code", "container",
    "coronal", "dame", "default", "demo", "den", "department", "dept", "der", "diagnostic",
    "doctor", "echo", "elbow", "emergency", "enter", "fam", "female", "first", "foot", "for",
    "frau", "general", "hand", "head", "heart", "herr", "hospital", "image", "imaging", "inpatient",
    "institute", "jnr", "klinik", "klinikum", "knee", "lab", "last", "left", "liver", "long",
    "lung", "madam", "male", "medical", "medicine", "miss", "misses", "mister", "mrs", "name",
    "neck", "none", "normal", "null", "nurse", "operator", "ordering", "other", "outpatient",
    "patient", "pelvis", "personnel", "phantom", "phd", "physician", "physicians", "physicist",
    "prof", "professor", "radiologie", "radiology", "referring", "research", "right", "road",
    "room", "sagittal", "scan", "series", "short", "shoulder", "skull", "spine", "staff", "street",
    "student", "study", "system", "tech", "technician", "technologist", "test", "text", "the",
    "thorax", "ultrasound", "unit", "university", "unknown", "us1", "user", "van", "volunteer",
    "von", "ward", "whole", "wrist",
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
