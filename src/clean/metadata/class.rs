//! What kind of value an element holds, by its VR in the stream and its VR by
//! the dictionary: the kind decides what is done where no table does.

use dicom_core::dictionary::{DataDictionary as _, DataDictionaryEntry as _, VirtualVr};
use dicom_dictionary_std::StandardDataDictionary;

use crate::dicom::{Tag, VR};

/// Kinds of values. A later one is treated more strictly: of two that
/// contradict each other, the stricter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Numbers in binary form.
    Binary,
    /// Numbers as text: DS, IS.
    Number,
    /// Defined terms: CS.
    Term,
    /// AS.
    Age,
    /// UI.
    Uid,
    /// DA, DT, TM.
    Date,
    /// Items.
    Sequence,
    /// Free text.
    Text,
    /// Bytes that may hold anything: OB, UN.
    Bytes,
    /// AE and UR: where something lies in the clinic.
    Address,
    /// PN.
    Person,
}

impl Class {
    /// The kind of a VR.
    pub(super) fn of(vr: VR) -> Self {
        match vr {
            VR::AT | VR::FD | VR::FL | VR::SL | VR::SS | VR::SV => Self::Binary,
            VR::UL | VR::US | VR::UV => Self::Binary,
            VR::OD | VR::OF | VR::OL | VR::OV | VR::OW => Self::Binary,
            VR::DS | VR::IS => Self::Number,
            VR::CS => Self::Term,
            VR::AS => Self::Age,
            VR::UI => Self::Uid,
            VR::DA | VR::DT | VR::TM => Self::Date,
            VR::SQ => Self::Sequence,
            VR::LO | VR::LT | VR::SH | VR::ST | VR::UC | VR::UT => Self::Text,
            VR::OB | VR::UN => Self::Bytes,
            VR::AE | VR::UR => Self::Address,
            VR::PN => Self::Person,
        }
    }

    /// The kind of an element: by the stream, but by the dictionary where that
    /// is stricter or the stream does not say (UN).
    pub(super) fn of_element(in_stream: VR, by_dictionary: VR) -> Self {
        let stated = Self::of(in_stream);
        let known = Self::of(by_dictionary);
        match (in_stream, by_dictionary) {
            // OB or OW, by the coding of the pixels (PS3.5 §A.4).
            (VR::UN, _) | (VR::OB, VR::OW) => known,
            (_, VR::UN) | (VR::OW, VR::OB) => stated,
            (_, _) => stated.max(known),
        }
    }
}

/// The stream's VR and the dictionary's are of different kinds, beyond what
/// coders mix up by habit: then the value is no value of its attribute until it
/// has shown to be one. Where the dictionary's kind lets nothing stay, that holds.
pub(super) fn contradict(in_stream: VR, by_dictionary: VR) -> bool {
    let (stated, known) = (Class::of(in_stream), Class::of(by_dictionary));
    if in_stream == VR::UN || by_dictionary == VR::UN || stated == known {
        return false;
    }
    match (in_stream, by_dictionary) {
        (VR::OB, VR::OW) | (VR::OW, VR::OB) => return false,
        _ => {}
    }
    !matches!((stated, known), (Class::Term, Class::Text) | (_, Class::Address | Class::Person))
}

/// The VR of a standard attribute; `None` for a tag that is not in PS3.6.
pub(super) fn dictionary_vr(tag: Tag) -> Option<VR> {
    StandardDataDictionary.by_tag(tag).map(|entry| match entry.vr() {
        VirtualVr::Exact(vr) => vr,
        VirtualVr::Xs => VR::US,
        VirtualVr::Ox | VirtualVr::Px | VirtualVr::Lt => VR::OW,
        _ => VR::UN,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_hidden_under_another_vr_stays_a_person() {
        assert_eq!(Class::of_element(VR::US, VR::PN), Class::Person);
        assert_eq!(Class::of_element(VR::LO, VR::CS), Class::Text);
        assert_eq!(Class::of_element(VR::UN, VR::DA), Class::Date);
        assert_eq!(Class::of_element(VR::OB, VR::OW), Class::Binary);
        assert_eq!(Class::of_element(VR::OB, VR::US), Class::Bytes);
        for (stated, known) in
            [(VR::US, VR::SS), (VR::OB, VR::OW), (VR::UN, VR::CS), (VR::CS, VR::LO)]
        {
            assert!(!contradict(stated, known), "{stated} {known}");
        }
        for (stated, known) in
            [(VR::LO, VR::FD), (VR::OB, VR::SH), (VR::UT, VR::CS), (VR::LT, VR::OB)]
        {
            assert!(contradict(stated, known), "{stated} {known}");
        }
        assert_eq!(dictionary_vr(Tag(0x7FE0, 0x0010)), Some(VR::OW));
        assert_eq!(dictionary_vr(Tag(0x0008, 0xFFFE)), None);
    }
}
