//! What an object says about itself that only the front may act upon: whose
//! study it is, and which other instances it withdraws.
//!
//! A received data set in, keys for one round trip out. Neighbours:
//! `metadata::person` (whose it is), `clean::job` (asks), `pipeline::line` (answers).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::dicom::{DataSet, Tag, Uid};
use crate::identified::Identified;
use crate::pseudonym::PersonKey;
use crate::reason::{Quarantine, Reason};

const SOP_CLASS: Tag = Tag(0x0008, 0x0016);
const SOP_INSTANCE: Tag = Tag(0x0008, 0x0018);
const CODE_VALUE: Tag = Tag(0x0008, 0x0100);
const CODING_SCHEME: Tag = Tag(0x0008, 0x0102);
const REFERENCED_SERIES: Tag = Tag(0x0008, 0x1115);
const REFERENCED_INSTANCE: Tag = Tag(0x0008, 0x1155);
const REFERENCED_SOPS: Tag = Tag(0x0008, 0x1199);
const ISSUER: Tag = Tag(0x0010, 0x0021);
const STUDY_INSTANCE: Tag = Tag(0x0020, 0x000D);
const CONCEPT_NAME: Tag = Tag(0x0040, 0xA043);
const EVIDENCE: Tag = Tag(0x0040, 0xA375);
const CONTENT: Tag = Tag(0x0040, 0xA730);

/// Key Object Selection Document Storage.
const KEY_OBJECT_SELECTION: &str = "1.2.840.10008.5.1.4.1.1.88.59";
/// Titles that withdraw what is named (PS3.16 CID 7010; IHE IOCM): quality,
/// patient safety, wrong work list entry, end of retention.
const REJECTIONS: [&str; 4] = ["113001", "113037", "113038", "113039"];
/// Most instances of one note. Default 65,536: a study of thin slices in
/// several phases has some 10,000.
const REFERENCES_MAX: usize = 65_536;
/// Deepest content that is followed. A note is one level deep (PS3.3 §A.35.4).
const CONTENT_DEPTH_MAX: u32 = 8;

/// Keys of one instance, as they were received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Whose it is.
    pub person: PersonKey,
    /// The object itself says by whom the Patient ID was issued.
    pub issuer_stated: bool,
    /// Study Instance UID.
    pub study: Identified<String>,
    /// SOP Instance UID.
    pub instance: Identified<String>,
    /// It leaves under the UIDs that it came with.
    pub uids_kept: bool,
    /// What it withdraws.
    pub rejection: Option<Rejection>,
}

/// A rejection note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Code of its title.
    pub code: String,
    /// SOP Instance UIDs that it names.
    pub instances: BTreeSet<Identified<String>>,
}

impl Identity {
    /// Reads the keys of an object whose person is known.
    ///
    /// # Errors
    /// [`Reason::OverLimit`] for a note over [`REFERENCES_MAX`].
    pub fn of(set: &DataSet, person: PersonKey, uids_kept: bool) -> Result<Self, Quarantine> {
        let text = |tag| Identified::new(set.ascii(tag).unwrap_or_default().to_owned());
        let (study, instance) = (text(STUDY_INSTANCE), text(SOP_INSTANCE));
        let issuer = set.get(ISSUER).and_then(|element| element.as_bytes()).unwrap_or_default();
        let issuer_stated = issuer.iter().any(|byte| !matches!(byte, 0 | b' '));
        let rejection = rejection(set)?;
        Ok(Self { person, issuer_stated, study, instance, uids_kept, rejection })
    }
}

fn rejection(set: &DataSet) -> Result<Option<Rejection>, Quarantine> {
    if set.ascii(SOP_CLASS) != Some(KEY_OBJECT_SELECTION) {
        return Ok(None);
    }
    let Some(title) = items(set, CONCEPT_NAME).first() else { return Ok(None) };
    let code = title.ascii(CODE_VALUE).unwrap_or_default();
    if title.ascii(CODING_SCHEME) != Some("DCM") || !REJECTIONS.contains(&code) {
        return Ok(None);
    }
    let mut instances = BTreeSet::new();
    let series = items(set, EVIDENCE).iter().flat_map(|study| items(study, REFERENCED_SERIES));
    let listed = series.flat_map(|series| items(series, REFERENCED_SOPS));
    listed.for_each(|item| add(item, &mut instances));
    from_content(set, CONTENT_DEPTH_MAX, &mut instances);
    if instances.len() > REFERENCES_MAX {
        let detail = format!("{EVIDENCE}: a rejection note of over {REFERENCES_MAX} instances");
        return Err(Quarantine::new(Reason::OverLimit, detail));
    }
    Ok(Some(Rejection { code: code.to_owned(), instances }))
}

fn from_content(set: &DataSet, levels: u32, instances: &mut BTreeSet<Identified<String>>) {
    let Some(below) = levels.checked_sub(1) else { return };
    for item in items(set, CONTENT) {
        items(item, REFERENCED_SOPS).iter().for_each(|named| add(named, instances));
        from_content(item, below, instances);
    }
}

fn add(item: &DataSet, instances: &mut BTreeSet<Identified<String>>) {
    let uid = item.ascii(REFERENCED_INSTANCE).filter(|uid| uid.parse::<Uid>().is_ok());
    // One above the limit is enough to know that it is passed.
    if let Some(uid) = uid.filter(|_| instances.len() <= REFERENCES_MAX) {
        instances.insert(Identified::new(uid.to_owned()));
    }
}

fn items(set: &DataSet, tag: Tag) -> &[DataSet] {
    set.get(tag).and_then(|element| element.items()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::{Element, VR, Value};

    fn sequence(tag: Tag, items: Vec<DataSet>) -> Element {
        Element { tag, vr: VR::SQ, value: Value::Items(items) }
    }

    fn set(elements: Vec<Element>) -> DataSet {
        DataSet::from_iter(elements)
    }

    fn note(class: &str, code: &str, scheme: &str) -> DataSet {
        let sop = |uid: &str| set(vec![Element::bytes(REFERENCED_INSTANCE, VR::UI, uid)]);
        let title = set(vec![
            Element::bytes(CODE_VALUE, VR::SH, code),
            Element::bytes(CODING_SCHEME, VR::SH, scheme),
        ]);
        let series = set(vec![sequence(REFERENCED_SOPS, vec![sop("1.2.1"), sop("1.2.2\0")])]);
        let study = set(vec![sequence(REFERENCED_SERIES, vec![series])]);
        let content = set(vec![sequence(REFERENCED_SOPS, vec![sop("1.2.2"), sop("1.2.3")])]);
        set(vec![
            Element::bytes(SOP_CLASS, VR::UI, class),
            sequence(CONCEPT_NAME, vec![title]),
            sequence(EVIDENCE, vec![study]),
            sequence(CONTENT, vec![content, set(vec![sequence(REFERENCED_SOPS, vec![sop("x")])])]),
        ])
    }

    #[test]
    fn a_rejection_note_names_what_its_evidence_and_content_name() {
        for code in REJECTIONS {
            let found = rejection(&note(KEY_OBJECT_SELECTION, code, "DCM")).unwrap().unwrap();
            let uids: Vec<&str> = found.instances.iter().map(|uid| uid.expose().as_str()).collect();
            assert_eq!((found.code.as_str(), uids), (code, vec!["1.2.1", "1.2.2", "1.2.3"]));
        }
    }

    #[test]
    fn other_key_objects_and_other_codes_withdraw_nothing() {
        // Of interest, quality issue; another scheme; another class.
        for (class, code, scheme) in [
            (KEY_OBJECT_SELECTION, "113000", "DCM"),
            (KEY_OBJECT_SELECTION, "113010", "DCM"),
            (KEY_OBJECT_SELECTION, "113001", "99ACME"),
            ("1.2.840.10008.5.1.4.1.1.88.11", "113001", "DCM"),
        ] {
            assert_eq!(rejection(&note(class, code, scheme)), Ok(None), "{code} {scheme}");
        }
        let bare = set(vec![Element::bytes(SOP_CLASS, VR::UI, KEY_OBJECT_SELECTION)]);
        assert_eq!(rejection(&bare), Ok(None));
    }
}
