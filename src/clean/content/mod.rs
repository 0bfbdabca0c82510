//! Kinds of content whose identity cannot be found by looking at elements:
//! refused as a whole, or passed on as the project has decided.
//!
//! A received data set in, what is special about it out. Reads kinds, codes
//! and numbers; [`head`] also reads descriptions for names of body regions.
//! Neighbours: [`placeholder`] (what a document is replaced by), `clean::job`.

mod head;
pub(in crate::clean) mod placeholder;
mod sound;

use std::borrow::Cow;

use crate::config::{ContentRules, Documents, Features};
use crate::dicom::read::parse_un_sequence;
use crate::dicom::{DataSet, Element, Tag, VR, Value};
use crate::reason::{Quarantine, Reason};

use super::report::ContentNote;
use placeholder::Placeholder;

const SOP_CLASS_UID: Tag = Tag(0x0008, 0x0016);
const MODALITY: Tag = Tag(0x0008, 0x0060);
const RECOGNIZABLE_VISUAL_FEATURES: Tag = Tag(0x0028, 0x0302);
const BURNED_IN_ANNOTATION: Tag = Tag(0x0028, 0x0301);
const HL7_INSTANCE_IDENTIFIER: Tag = Tag(0x0040, 0xE001);
const DOCUMENT_TITLE: Tag = Tag(0x0042, 0x0010);
const ENCAPSULATED_DOCUMENT: Tag = Tag(0x0042, 0x0011);
const MIME_TYPE: Tag = Tag(0x0042, 0x0012);
const MIME_TYPES: Tag = Tag(0x0042, 0x0014);
const DOCUMENT_LENGTH: Tag = Tag(0x0042, 0x0015);

/// Deepest nesting that is looked into: the reader's limit.
const NESTING_MAX: u32 = 64;

/// SOP classes, with those below them where the name ends in a point.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("1.2.840.10008.1.3.10", "directory of a medium"),
    ("1.2.840.10008.5.1.4.1.1.66", "raw data"),
    ("1.2.840.10008.5.1.4.1.1.9.4.1", "voice audio"),
    ("1.2.840.10008.5.1.4.1.1.9.4.2", "general audio"),
    ("1.2.840.10008.5.1.4.1.1.77.1.1.1", "video"),
    ("1.2.840.10008.5.1.4.1.1.77.1.2.1", "video"),
    ("1.2.840.10008.5.1.4.1.1.77.1.4.1", "video"),
    ("1.2.840.10008.10.", "real-time video"),
];
/// The classes of encapsulated documents (PS3.4 §B.5), and what may follow.
const DOCUMENTS: &str = "1.2.840.10008.5.1.4.1.1.104.";
/// VL Photographic and Dermoscopic Photography Image Storage. Pictures of the
/// inside of an eye show no face; what shows one says so by (0028,0302).
const PHOTOGRAPHS: [&str; 2] = ["1.2.840.10008.5.1.4.1.1.77.1.4", "1.2.840.10008.5.1.4.1.1.77.1.7"];
/// External-camera Photography and Dermoscopy, in whatever class.
const PHOTOGRAPH_MODALITIES: [&str; 2] = ["XC", "DMS"];

/// What is special about one object that may be cleaned.
#[derive(Debug, Default)]
pub struct Content {
    document: Option<&'static Placeholder>,
    notes: Vec<ContentNote>,
}

impl Content {
    /// What the report says of it.
    #[must_use]
    pub fn notes(&self) -> &[ContentNote] {
        &self.notes
    }

    /// Puts the placeholder and what describes it into the cleaned header
    /// (Encapsulated Document Module, PS3.3 §C.24.2).
    pub fn put_placeholder(&self, set: &mut DataSet) {
        let Some(placeholder) = self.document else { return };
        let length = u32::try_from(placeholder.bytes.len()).unwrap_or(u32::MAX);
        set.put(Element::bytes(DOCUMENT_TITLE, VR::ST, placeholder::TITLE));
        set.put(Element::bytes(ENCAPSULATED_DOCUMENT, VR::OB, placeholder.bytes.as_slice()));
        set.put(Element::bytes(MIME_TYPE, VR::LO, placeholder.mime_type));
        set.put(Element::bytes(DOCUMENT_LENGTH, VR::UL, length.to_le_bytes()));
        // It has neither parts of other types nor a reader's marks.
        set.remove(MIME_TYPES);
        set.put(Element::bytes(BURNED_IN_ANNOTATION, VR::CS, "NO"));
        set.remove(RECOGNIZABLE_VISUAL_FEATURES);
        if let Some(identifier) = placeholder.hl7_identifier {
            set.put(Element::bytes(HL7_INSTANCE_IDENTIFIER, VR::ST, identifier));
        }
    }
}

/// Looks at an object before it is cleaned.
///
/// # Errors
/// [`Reason::UnsupportedContent`] for what is never cleaned,
/// [`Reason::Document`], [`Reason::Photograph`] or [`Reason::Face`] for what the
/// project has not taken: the instance is quarantined.
pub fn examine(set: &DataSet, rules: &ContentRules) -> Result<Content, Quarantine> {
    let class = set.ascii(SOP_CLASS_UID).unwrap_or_default();
    if let Some((_, what)) = UNSUPPORTED.iter().find(|(uid, _)| is_or_is_below(class, uid)) {
        return Err(unsupported(format!("SOP class {class}: {what}")));
    }
    if let Some(what) = sound::found_in(set, class) {
        return Err(unsupported(what.to_owned()));
    }
    let mut content = Content::default();
    if class.starts_with(DOCUMENTS) || holds(set, ENCAPSULATED_DOCUMENT, NESTING_MAX) {
        content.document = Some(document(set, class, rules)?);
        content.notes.push(ContentNote::DocumentReplaced);
    }
    let in_volume = head::is_volume(set, class);
    if let Some(detail) = photograph(set, class).filter(|_| !in_volume && !content.has_document()) {
        if rules.photographs == Features::Quarantine {
            return Err(Quarantine::new(Reason::Photograph, detail));
        }
        content.notes.push(ContentNote::Photograph);
    }
    if let Some(detail) = head::found_in(set).filter(|_| in_volume) {
        if rules.faces == Features::Quarantine {
            return Err(Quarantine::new(Reason::Face, detail));
        }
        content.notes.push(ContentNote::Faces);
    }
    Ok(content)
}

impl Content {
    fn has_document(&self) -> bool {
        self.document.is_some()
    }
}

/// The placeholder for the one document of a class that has one.
fn document(
    set: &DataSet,
    class: &str,
    rules: &ContentRules,
) -> Result<&'static Placeholder, Quarantine> {
    let refused = |what: &str| Quarantine::new(Reason::Document, format!("(0042,0011): {what}"));
    if rules.documents == Documents::Quarantine {
        return Err(refused("encapsulated document"));
    }
    let nested = |element: &Element| {
        items(element).is_some_and(|items| {
            items.iter().any(|item| holds(item, ENCAPSULATED_DOCUMENT, NESTING_MAX))
        })
    };
    if set.iter().any(nested) {
        return Err(refused("a document in an item of a sequence"));
    }
    placeholder::of_class(class).ok_or_else(|| refused("no placeholder for this SOP class"))
}

/// Why an object is a photograph of a person.
fn photograph(set: &DataSet, class: &str) -> Option<String> {
    let modality = set.ascii(MODALITY).unwrap_or_default();
    if PHOTOGRAPHS.contains(&class) {
        return Some(format!("SOP class {class}: photograph"));
    }
    if PHOTOGRAPH_MODALITIES.contains(&modality) {
        return Some("(0008,0060): photograph".to_owned());
    }
    let recognizable = set.ascii(RECOGNIZABLE_VISUAL_FEATURES).unwrap_or_default();
    recognizable.eq_ignore_ascii_case("YES").then(|| "(0028,0302): YES".to_owned())
}

/// An element of this tag stands at some depth.
fn holds(set: &DataSet, tag: Tag, levels: u32) -> bool {
    set.get(tag).is_some()
        || levels.checked_sub(1).is_some_and(|below| {
            set.iter()
                .filter_map(items)
                .any(|items| items.iter().any(|item| holds(item, tag, below)))
        })
}

/// The items of a sequence, also of one that hides in UN.
fn items(element: &Element) -> Option<Cow<'_, [DataSet]>> {
    match &element.value {
        Value::Items(items) => Some(Cow::Borrowed(items)),
        Value::Bytes(bytes) if element.vr == VR::UN => parse_un_sequence(bytes).map(Cow::Owned),
        Value::Bytes(_) | Value::Bulk(_) | Value::Fragments { .. } => None,
    }
}

fn is_or_is_below(class: &str, uid: &str) -> bool {
    if uid.ends_with('.') { class.starts_with(uid) } else { class == uid }
}

fn unsupported(detail: String) -> Quarantine {
    Quarantine::new(Reason::UnsupportedContent, detail)
}

#[cfg(test)]
mod tests;
