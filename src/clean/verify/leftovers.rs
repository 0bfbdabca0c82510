//! Parts that no clean copy has: documents, icons, former values, signatures
//! and encrypted attributes. Of documents only the known placeholder passes.

use std::io::SeekFrom;

use super::finding::Finding;
use super::object::Object;
use super::refuse;
use crate::clean::content::placeholder::{self, Placeholder};
use crate::clean::report::{ContentNote, Report};
use crate::config::{CleanRules, Documents};
use crate::dicom::{DataSet, Element, Tag, TagPath, Value};
use crate::reason::Quarantine;

const SOP_CLASS: Tag = Tag(0x0008, 0x0016);
const BURNED_IN: Tag = Tag(0x0028, 0x0301);
const DOCUMENT_TITLE: Tag = Tag(0x0042, 0x0010);
const DOCUMENT: Tag = Tag(0x0042, 0x0011);
const MIME_TYPE: Tag = Tag(0x0042, 0x0012);
const MIME_TYPES: Tag = Tag(0x0042, 0x0014);
const DOCUMENT_LENGTH: Tag = Tag(0x0042, 0x0015);
/// Encapsulated documents (PS3.4 §B.5).
const DOCUMENT_CLASSES: &str = "1.2.840.10008.5.1.4.1.1.104.";

/// Never there, whatever a profile keeps: none of it holds for the clean copy,
/// or can be looked into.
const NEVER: [(Tag, &str); 7] = [
    (Tag(0x0088, 0x0200), "icon-remains"), // Icon Image Sequence
    (Tag(0x0400, 0x0402), "signature-remains"), // Referenced Digital Signature Sequence
    (Tag(0x0400, 0x0403), "signature-remains"), // Referenced SOP Instance MAC Sequence
    (Tag(0x0400, 0x0404), "signature-remains"), // MAC
    (Tag(0x0400, 0x0500), "encrypted-attributes"), // Encrypted Attributes Sequence
    (Tag(0x4FFE, 0x0001), "signature-remains"), // MAC Parameters Sequence
    (Tag(0xFFFA, 0xFFFA), "signature-remains"), // Digital Signatures Sequence
];
/// Former values, unless a rule of the site treats them.
const FORMER: [Tag; 4] = [
    Tag(0x0400, 0x0550), // Modified Attributes Sequence
    Tag(0x0400, 0x0551), // Nonconforming Modified Attributes Sequence
    Tag(0x0400, 0x0552), // Nonconforming Data Element Value
    Tag(0x0400, 0x0561), // Original Attributes Sequence
];

/// Looks for such parts at any depth.
pub(super) fn check(
    output: &mut Object<'_>,
    rules: &CleanRules,
    report: &Report,
) -> Result<(), Quarantine> {
    walk(&output.set, rules, &mut TagPath::root())?;
    document(output, rules, report)
}

fn walk(set: &DataSet, rules: &CleanRules, path: &mut TagPath) -> Result<(), Finding> {
    for element in set.iter() {
        let tag = element.tag;
        if let Some((_, rule)) = NEVER.iter().find(|(never, _)| *never == tag) {
            return Err(Finding::new(rule, path.at(tag)));
        }
        if FORMER.contains(&tag) && !has_rule(rules, tag) {
            return Err(Finding::new("former-values-remain", path.at(tag)));
        }
        if tag == DOCUMENT && path.depth() > 0 {
            return Err(Finding::new("document-remains", path.at(tag)));
        }
        for (index, item) in (0..).zip(element.items().unwrap_or_default()) {
            path.enter(tag, index);
            walk(item, rules, path)?;
            path.leave();
        }
    }
    Ok(())
}

fn has_rule(rules: &CleanRules, tag: Tag) -> bool {
    rules.profile.rules.iter().any(|rule| Tag(rule.group, rule.element) == tag)
}

/// The placeholder of its class stands there and is described as it is.
fn document(
    output: &mut Object<'_>,
    rules: &CleanRules,
    report: &Report,
) -> Result<(), Quarantine> {
    let class = output.set.ascii(SOP_CLASS).unwrap_or_default().to_owned();
    let said = report.content.contains(&ContentNote::DocumentReplaced);
    let Some(element) = output.set.get(DOCUMENT).cloned() else {
        let missing = said || class.starts_with(DOCUMENT_CLASSES);
        return if missing {
            Err(Finding::at("document-missing", DOCUMENT).into())
        } else {
            Ok(())
        };
    };
    let remains = || Finding::at("document-remains", DOCUMENT);
    let wanted = rules.content.documents == Documents::Placeholder && said;
    let placeholder = placeholder::of_class(&class).filter(|_| wanted).ok_or_else(remains)?;
    if bytes_of(output, &element, placeholder)?.as_deref() != Some(placeholder.bytes.as_slice()) {
        return Err(remains().into());
    }
    described(&output.set, placeholder).map_err(Into::into)
}

/// The document's bytes, where it is as long as the placeholder.
fn bytes_of(
    output: &mut Object<'_>,
    element: &Element,
    placeholder: &Placeholder,
) -> Result<Option<Vec<u8>>, Quarantine> {
    let unread = |fault: std::io::Error| refuse(format!("clean-copy-unreadable: {fault}"));
    match &element.value {
        Value::Bytes(bytes) => Ok(Some(bytes.clone())),
        Value::Bulk(extent) if extent.bytes == placeholder.bytes.len() as u64 => {
            let mut bytes = vec![0; placeholder.bytes.len()];
            output.bulk.seek(SeekFrom::Start(extent.offset)).map_err(unread)?;
            output.bulk.read_exact(&mut bytes).map_err(unread)?;
            Ok(Some(bytes))
        }
        Value::Bulk(_) | Value::Items(_) | Value::Fragments { .. } => Ok(None),
    }
}

fn described(set: &DataSet, placeholder: &Placeholder) -> Result<(), Finding> {
    let length = u32::try_from(placeholder.bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    let said = set.get(DOCUMENT_LENGTH).and_then(|element| element.as_bytes());
    let promises = [
        (said == Some(&length), "document-length-wrong", DOCUMENT_LENGTH),
        (set.ascii(MIME_TYPE) == Some(placeholder.mime_type), "document-type-wrong", MIME_TYPE),
        (set.get(MIME_TYPES).is_none(), "document-type-wrong", MIME_TYPES),
        (set.ascii(DOCUMENT_TITLE) == Some(placeholder::TITLE), "document-title", DOCUMENT_TITLE),
        (set.ascii(BURNED_IN) == Some("NO"), "burned-in-not-no", BURNED_IN),
    ];
    match promises.iter().find(|(holds, ..)| !holds) {
        Some((_, rule, tag)) => Err(Finding::at(rule, *tag)),
        None => Ok(()),
    }
}
