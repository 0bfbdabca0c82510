//! Which instances are searched for text (DESIGN.md decision 10).

use dicom_dictionary_std::tags;

use crate::config::{CleanRules, ProfileOption};
use crate::dicom::DataSet;

/// Modalities whose pictures come with burned-in identity often enough that no
/// project can leave them out: ultrasound, captured and scanned pages,
/// angiography, radiography, endoscopy, photography, microscopy, eyes.
const IDENTITY_LIKELY_MODALITIES: &[&str] = &[
    "US", "IVUS", "BDUS", "SC", "OT", "DOC", "HC", "XA", "RF", "DX", "CR", "MG", "IO", "PX", "ES",
    "XC", "GM", "SM", "DMS", "OP", "OPT", "OPV", "OPTENF", "OCT",
];

/// The same by SOP class (PS3.4 §B.5): the class, and those under it.
const IDENTITY_LIKELY_CLASSES: &[&str] = &[
    "1.2.840.10008.5.1.4.1.1.1",
    "1.2.840.10008.5.1.4.1.1.3",
    "1.2.840.10008.5.1.4.1.1.6",
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.12",
    "1.2.840.10008.5.1.4.1.1.77.1",
];

/// Words in Image Type that tell of a picture made from a screen or a report.
const CAPTURED_TYPES: &[&str] = &["SECONDARY", "SCREEN", "DOSE", "REPORT", "CAPTURE"];

/// Whether the picture is to be searched. A project can leave out SOP classes,
/// but not pictures that are likely to show identity.
#[must_use]
pub fn is_searched(set: &DataSet, rules: &CleanRules) -> bool {
    let class = set.ascii(tags::SOP_CLASS_UID).unwrap_or_default();
    let wanted =
        rules.profile.has(ProfileOption::CleanPixelData) && !rules.header_only.contains(class);
    wanted || is_identity_likely(set)
}

/// Whether the picture is searched only where the screen marks something, its first
/// frame included: a project can have that, but not for pictures that are likely to
/// show identity.
#[must_use]
pub fn is_screened(set: &DataSet, rules: &CleanRules) -> bool {
    let class = set.ascii(tags::SOP_CLASS_UID).unwrap_or_default();
    rules.screened.contains(class) && !is_identity_likely(set)
}

fn is_identity_likely(set: &DataSet) -> bool {
    let class = set.ascii(tags::SOP_CLASS_UID).unwrap_or_default();
    let modality = set.ascii(tags::MODALITY).unwrap_or_default();
    let under = |root: &&str| {
        class.strip_prefix(*root).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let image_type = set.ascii(tags::IMAGE_TYPE).unwrap_or_default().to_ascii_uppercase();
    let burned_in = set.ascii(tags::BURNED_IN_ANNOTATION).unwrap_or_default();
    class.is_empty()
        || modality.is_empty()
        || IDENTITY_LIKELY_MODALITIES.contains(&modality)
        || IDENTITY_LIKELY_CLASSES.iter().any(under)
        || burned_in.eq_ignore_ascii_case("YES")
        || CAPTURED_TYPES.iter().any(|word| image_type.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::{Element, Tag, VR};

    const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
    const PET: &str = "1.2.840.10008.5.1.4.1.1.128";

    fn searched(class: &str, more: &[(Tag, &str)]) -> bool {
        let mut set = DataSet::new();
        let base = [(tags::SOP_CLASS_UID, class), (tags::MODALITY, "CT")];
        for (tag, text) in base.iter().chain(more) {
            set.put(Element::bytes(*tag, VR::CS, *text));
        }
        let header_only = [class.to_owned()].into_iter().collect();
        is_searched(&set, &CleanRules { header_only, ..CleanRules::default() })
    }

    #[test]
    fn a_project_can_have_plain_ct_screened_and_nothing_that_is_likely_to_show_identity() {
        let set = |modality: &str| -> DataSet {
            let (uid, modality) = (CT.to_owned(), modality.to_owned());
            let class = Element::bytes(tags::SOP_CLASS_UID, VR::UI, uid);
            [class, Element::bytes(tags::MODALITY, VR::CS, modality)].into_iter().collect()
        };
        let screened = [CT.to_owned()].into_iter().collect();
        let rules = CleanRules { screened, ..CleanRules::default() };
        assert!(is_screened(&set("CT"), &rules));
        assert!(!is_screened(&set("OT"), &rules));
        assert!(!is_screened(&set("CT"), &CleanRules::default()), "default: none");
    }

    #[test]
    fn a_project_can_leave_out_plain_ct_and_pet() {
        assert!(!searched(CT, &[(tags::IMAGE_TYPE, "ORIGINAL\\PRIMARY\\AXIAL")]));
        assert!(!searched(PET, &[]));
        let set: DataSet = [Element::bytes(tags::SOP_CLASS_UID, VR::UI, CT)].into_iter().collect();
        assert!(is_searched(&set, &CleanRules::default()), "default: all are searched");
    }

    #[test]
    fn pictures_likely_to_show_identity_are_searched_whatever_the_project_says() {
        assert!(searched(CT, &[(tags::BURNED_IN_ANNOTATION, "YES")]));
        assert!(searched(CT, &[(tags::IMAGE_TYPE, "DERIVED\\SECONDARY\\SCREEN SAVE")]));
        assert!(searched(CT, &[(tags::IMAGE_TYPE, "ORIGINAL\\PRIMARY\\DOSE_INFO")]));
        assert!(searched(CT, &[(tags::MODALITY, "US")]));
        assert!(searched(CT, &[(tags::MODALITY, "")]));
        assert!(searched("1.2.840.10008.5.1.4.1.1.7.4", &[]));
        assert!(searched("1.2.840.10008.5.1.4.1.1.1.2", &[]));
        assert!(searched("", &[]));
    }
}
