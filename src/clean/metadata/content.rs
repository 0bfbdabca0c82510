//! Kinds of content whose identity cannot be found by looking at elements:
//! they are quarantined as a whole.

use crate::dicom::{DataSet, Tag};
use crate::reason::{Quarantine, Reason};

const SOP_CLASS_UID: Tag = Tag(0x0008, 0x0016);
const SOP_INSTANCE_UID: Tag = Tag(0x0008, 0x0018);
const RECOGNIZABLE_VISUAL_FEATURES: Tag = Tag(0x0028, 0x0302);
const ENCAPSULATED_DOCUMENT: Tag = Tag(0x0042, 0x0011);

/// SOP classes, with those below them where the name ends in a point.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("1.2.840.10008.1.3.10", "directory of a medium"),
    ("1.2.840.10008.5.1.4.1.1.66", "raw data"),
    ("1.2.840.10008.5.1.4.1.1.104.", "encapsulated document"),
    ("1.2.840.10008.5.1.4.1.1.9.4.1", "voice audio"),
    ("1.2.840.10008.5.1.4.1.1.9.4.2", "general audio"),
    ("1.2.840.10008.5.1.4.1.1.77.1.1.1", "video"),
    ("1.2.840.10008.5.1.4.1.1.77.1.2.1", "video"),
    ("1.2.840.10008.5.1.4.1.1.77.1.4", "photograph"),
    ("1.2.840.10008.5.1.4.1.1.77.1.4.1", "video"),
    ("1.2.840.10008.5.1.4.1.1.77.1.7", "photograph"),
    ("1.2.840.10008.10.", "real-time video"),
];

/// Refuses what cannot be cleaned.
///
/// # Errors
/// [`Reason::UnsupportedContent`], or [`Reason::BadIdentity`] when it is not
/// even said what the object is.
pub(super) fn check(set: &DataSet) -> Result<(), Quarantine> {
    let class = uid(set, SOP_CLASS_UID, "(0008,0016)")?;
    uid(set, SOP_INSTANCE_UID, "(0008,0018)")?;
    if let Some((_, what)) = UNSUPPORTED.iter().find(|(uid, _)| is_or_is_below(class, uid)) {
        return Err(unsupported(format!("SOP class {class}: {what}")));
    }
    if set.get(ENCAPSULATED_DOCUMENT).is_some() {
        return Err(unsupported("(0042,0011): encapsulated document".to_owned()));
    }
    if set.ascii(RECOGNIZABLE_VISUAL_FEATURES).is_some_and(|yes| yes.eq_ignore_ascii_case("YES")) {
        return Err(unsupported("(0028,0302): a face can be recognised".to_owned()));
    }
    Ok(())
}

fn is_or_is_below(class: &str, uid: &str) -> bool {
    if uid.ends_with('.') { class.starts_with(uid) } else { class == uid }
}

fn unsupported(detail: String) -> Quarantine {
    Quarantine::new(Reason::UnsupportedContent, detail)
}

fn uid<'a>(set: &'a DataSet, tag: Tag, place: &str) -> Result<&'a str, Quarantine> {
    set.ascii(tag)
        .filter(|text| text.parse::<crate::dicom::Uid>().is_ok())
        .ok_or_else(|| Quarantine::new(Reason::BadIdentity, place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::{Element, VR};

    fn object(class: &str) -> DataSet {
        DataSet::from_iter([
            Element::bytes(SOP_CLASS_UID, VR::UI, class),
            Element::bytes(SOP_INSTANCE_UID, VR::UI, "1.2.3"),
        ])
    }

    fn reason(set: &DataSet) -> Option<Reason> {
        check(set).err().map(|quarantine| quarantine.reason)
    }

    #[test]
    fn documents_video_and_faces_are_refused_and_images_are_not() {
        let ultrasound = object("1.2.840.10008.5.1.4.1.1.6.1");
        assert_eq!(reason(&ultrasound), None);
        for class in ["104.1", "104.5", "66", "77.1.4.1", "9.4.1"] {
            let set = object(&format!("1.2.840.10008.5.1.4.1.1.{class}"));
            assert_eq!(reason(&set), Some(Reason::UnsupportedContent), "{class}");
        }
        // Segmentation and ECG begin with the same digits.
        for class in ["66.4", "9.1.1", "77.1.4.2", "6.1"] {
            assert_eq!(reason(&object(&format!("1.2.840.10008.5.1.4.1.1.{class}"))), None);
        }
        let mut face = ultrasound.clone();
        face.put(Element::bytes(RECOGNIZABLE_VISUAL_FEATURES, VR::CS, "YES "));
        assert_eq!(reason(&face), Some(Reason::UnsupportedContent));
        let mut document = ultrasound;
        document.put(Element::bytes(ENCAPSULATED_DOCUMENT, VR::OB, "%PDF"));
        assert_eq!(reason(&document), Some(Reason::UnsupportedContent));
    }

    #[test]
    fn an_object_without_its_uids_is_refused() {
        assert_eq!(reason(&DataSet::new()), Some(Reason::BadIdentity));
        assert_eq!(reason(&object("no uid")), Some(Reason::BadIdentity));
    }
}
