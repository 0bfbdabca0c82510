//! Which SOP classes and transfer syntaxes the door takes.

use dicom_core::dictionary::{UidDictionary as _, UidType};
use dicom_dictionary_std::StandardSopClassDictionary;

use super::SenderPolicy;
use crate::dicom::transfer_syntax::{EXPLICIT_VR_LE, IMPLICIT_VR_LE};
use crate::dicom::{TransferSyntax, Uid};
use crate::dimse::association::negotiation::{Offer, Roles};
use crate::dimse::commitment::PUSH_MODEL;
use crate::dimse::scu::VERIFICATION;

/// Root of the UIDs that the standard gives.
const STANDARD_ROOT: &str = "1.2.840.10008.";
/// All composite storage classes of the standard but a few stand under this, and
/// some of other services: Protocol Approval and Inventory Query/Retrieve.
const STORAGE_ROOT: &str = "1.2.840.10008.5.1.4.1.1.";

/// Coded without loss: uncompressed and deflated frames, JPEG Lossless, JPEG-LS,
/// JPEG 2000, RLE, HTJ2K, JPEG XL.
const LOSSLESS: [&str; 12] = [
    "1.2.840.10008.1.2.1.98",
    "1.2.840.10008.1.2.8.1",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.92",
    "1.2.840.10008.1.2.4.110",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.202",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.7.1",
];

/// Verification, every storage class, and every transfer syntax whose coding
/// outside pixel data is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StorageOffer {
    /// Take SOP classes outside the standard too. Default no: they end in
    /// quarantine until a site says what they are.
    pub private_classes: bool,
}

impl Offer for StorageOffer {
    fn takes_class(&self, class: &Uid) -> bool {
        class.as_str() == VERIFICATION
            || is_storage_class(class)
            || (self.private_classes && !class.as_str().starts_with(STANDARD_ROOT))
    }

    /// Uncompressed first, since it needs no decoder to be screened; then what
    /// loses nothing; then what the modality has already made lossy.
    fn rank(&self, transfer_syntax: &TransferSyntax) -> Option<u32> {
        transfer_syntax.encoding()?;
        Some(match transfer_syntax.as_str() {
            EXPLICIT_VR_LE => 0,
            IMPLICIT_VR_LE => 1,
            _ if transfer_syntax.is_native() => 2,
            coded if LOSSLESS.contains(&coded) => 3,
            _lossy => 4,
        })
    }
}

/// What one sender is offered: of the door's what its policy leaves, in its order.
pub(super) struct SenderOffer<'a> {
    pub(super) door: StorageOffer,
    pub(super) policy: &'a SenderPolicy,
}

impl Offer for SenderOffer<'_> {
    fn takes_class(&self, class: &Uid) -> bool {
        if class.as_str() == PUSH_MODEL {
            return self.policy.commitment.is_taken();
        }
        if self.policy.commitment.alone {
            return false;
        }
        let left = self.policy.classes.as_ref().is_none_or(|classes| classes.contains(class));
        (left || class.as_str() == VERIFICATION) && self.door.takes_class(class)
    }

    fn rank(&self, transfer_syntax: &TransferSyntax) -> Option<u32> {
        let rank = self.door.rank(transfer_syntax)?;
        let preferred = self.policy.preferred.iter().position(|liked| liked == transfer_syntax);
        let first = u32::try_from(self.policy.preferred.len()).unwrap_or(u32::MAX);
        match preferred.and_then(|place| u32::try_from(place).ok()) {
            Some(place) => Some(place),
            None => Some(first.saturating_add(rank)),
        }
    }

    fn roles(&self, class: &str) -> Roles {
        if class == PUSH_MODEL {
            let commitment = &self.policy.commitment;
            return Roles { scu: commitment.asks, scp: commitment.reports_of.is_some() };
        }
        Roles { scu: true, scp: false }
    }

    fn knows_user(&self) -> bool {
        self.policy.user_known
    }
}

/// A class of the Storage or Non-Patient Object Storage services (PS3.4
/// Annexes B, GG), by its place or by its name in the dictionary.
#[must_use]
pub fn is_storage_class(class: &Uid) -> bool {
    let Some(entry) = StandardSopClassDictionary.by_uid(class.as_str()) else {
        // Newer than the dictionary.
        return class.as_str().starts_with(STORAGE_ROOT);
    };
    if class.as_str().starts_with(STORAGE_ROOT) {
        return entry.r#type == UidType::SopClass && entry.alias.contains("Storage");
    }
    entry.r#type == UidType::SopClass
        && (entry.alias.ends_with("Storage") || entry.alias.ends_with("StorageTrial"))
        // The DICOMDIR of media: never sent over a network.
        && entry.alias != "MediaStorageDirectoryStorage"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_senders_policy_narrows_classes_and_orders_syntaxes() {
        let ct = "1.2.840.10008.5.1.4.1.1.2";
        let policy = SenderPolicy {
            classes: Some([uid(ct)].into()),
            preferred: vec![TransferSyntax::new(uid("1.2.840.10008.1.2.4.70"))],
            ..SenderPolicy::default()
        };
        let offer = SenderOffer { door: StorageOffer::default(), policy: &policy };
        assert!(offer.takes_class(&uid(ct)) && offer.takes_class(&uid(VERIFICATION)));
        assert!(!offer.takes_class(&uid("1.2.840.10008.5.1.4.1.1.4")));
        let rank = |syntax: &str| offer.rank(&TransferSyntax::new(uid(syntax)));
        assert!(rank("1.2.840.10008.1.2.4.70") < rank(EXPLICIT_VR_LE));
        assert!(rank(EXPLICIT_VR_LE) < rank(IMPLICIT_VR_LE));
        assert_eq!(rank("1.2.3"), None, "of an unknown coding");
    }

    fn uid(text: &str) -> Uid {
        text.parse().unwrap()
    }

    #[test]
    fn storage_and_verification_are_taken_and_nothing_else() {
        let offer = StorageOffer::default();
        let taken = [
            VERIFICATION,
            "1.2.840.10008.5.1.4.1.1.6.1",    // Ultrasound
            "1.2.840.10008.5.1.4.1.1.999.99", // a class newer than the dictionary
            "1.2.840.10008.5.1.4.1.1.200.3",  // Protocol Approval Storage
            "1.2.840.10008.5.1.4.1.1.201.1",  // Inventory Storage
            "1.2.840.10008.5.1.4.1.1.3",      // retired Ultrasound Multi-frame
            "1.2.840.10008.5.1.4.1.1.9.1",    // Waveform Storage Trial
            "1.2.840.10008.5.1.4.34.7",       // RT Beams Delivery Instruction
            "1.2.840.10008.5.1.4.38.1",       // Hanging Protocol
        ];
        let refused = [
            "1.2.840.10008.1.3.10",          // Media Storage Directory
            "1.2.840.10008.1.20.1",          // Storage Commitment
            "1.2.840.10008.5.1.4.31",        // Modality Worklist
            "1.2.840.10008.3.1.2.3.3",       // MPPS
            "1.2.840.10008.5.1.1.9",         // Basic Grayscale Print Management
            "1.2.840.10008.5.1.4.1.2.2.1",   // Study Root FIND
            "1.2.840.10008.5.1.4.1.2.2.2",   // Study Root MOVE
            "1.2.840.10008.5.1.4.1.1.200.4", // Protocol Approval FIND
            "1.2.840.10008.5.1.4.1.1.200.5", // Protocol Approval MOVE
            "1.2.840.10008.5.1.4.1.1.200.6", // Protocol Approval GET
            "1.2.840.10008.5.1.4.1.1.201.2", // Inventory FIND
            "1.2.840.10008.5.1.4.1.1.201.3", // Inventory MOVE
            "1.2.840.10008.5.1.4.1.1.201.4", // Inventory GET
            "1.2.840.10008.5.1.4.1.1.201.5", // Inventory Creation
            "1.2.840.10008.5.1.4.1.1.201.6", // Repository Query
            "1.2.826.0.1.3680043.2.1",       // private
        ];
        for class in taken {
            assert!(offer.takes_class(&uid(class)), "{class}");
        }
        for class in refused {
            assert!(!offer.takes_class(&uid(class)), "{class}");
        }
        let private = StorageOffer { private_classes: true };
        assert!(private.takes_class(&uid("1.2.826.0.1.3680043.2.1")));
        assert!(!private.takes_class(&uid("1.2.840.10008.5.1.4.31")));
    }

    #[test]
    fn transfer_syntaxes_are_liked_in_the_order_uncompressed_lossless_lossy() {
        let offer = StorageOffer::default();
        let rank = |text| offer.rank(&TransferSyntax::new(uid(text)));
        let order = [
            EXPLICIT_VR_LE,
            IMPLICIT_VR_LE,
            "1.2.840.10008.1.2.1.99",
            "1.2.840.10008.1.2.4.70",
            "1.2.840.10008.1.2.4.50",
        ];
        for coded in ["1.2.840.10008.1.2.1.98", "1.2.840.10008.1.2.8.1"] {
            assert_eq!(rank(coded), rank("1.2.840.10008.1.2.4.70"), "{coded} loses nothing");
        }
        // RFC 2557 and XML: no coding of a data set of ours.
        assert_eq!([rank("1.2.840.10008.1.2.6.1"), rank("1.2.840.10008.1.2.6.2")], [None, None]);
        for pair in order.windows(2) {
            assert!(rank(pair[0]).unwrap() < rank(pair[1]).unwrap(), "{pair:?}");
        }
        assert_eq!(rank("1.3.46.670589.33.1.4.1"), None);
        assert!(rank("1.2.840.10008.1.2.4.107").is_some(), "HEVC passes through");
    }
}
