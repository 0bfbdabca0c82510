//! Moves a data set to UTF-8: needed where a rewritten value has a character
//! that the data set's own character set cannot say.
//!
//! Invariant: each text is read by the character set of its own item, and what
//! cannot be read in it does not pass: the words with letters beyond ASCII go.

use super::text::without_foreign_words;
use super::values::stated_vr;
use crate::dicom::charset::{Charset, SPECIFIC_CHARACTER_SET, is_extensible};
use crate::dicom::{DataSet, Element, VR, Value};

/// The defined term of UTF-8 (PS3.3 §C.12.1.1.2).
const UTF_8: &str = "ISO_IR 192";

/// UTF-8 as a data set's character set.
pub(super) fn charset() -> Charset {
    Charset::from_specific(UTF_8.as_bytes())
}

/// States UTF-8 on the main level, which holds for all items below it.
pub(super) fn state(set: &mut DataSet, is_main: bool) {
    set.remove(SPECIFIC_CHARACTER_SET);
    if is_main {
        set.put(Element::bytes(SPECIFIC_CHARACTER_SET, VR::CS, UTF_8));
    }
}

/// Codes an element's text anew. `false`: it cannot be looked at.
pub(super) fn recode(element: &mut Element, charset: &Charset) -> bool {
    let vr = stated_vr(element);
    if !is_extensible(vr) || vr == VR::UN {
        return true;
    }
    match &mut element.value {
        Value::Bytes(bytes) => {
            let decoded = charset.decode(bytes, vr);
            let text =
                if decoded.lossy { without_foreign_words(&decoded.text) } else { decoded.text };
            *bytes = text.into_bytes();
            true
        }
        Value::Items(_) | Value::Bulk(_) | Value::Fragments { .. } => false,
    }
}
