//! Transfer syntaxes (PS3.5 §10, Annex A): how bytes of a data set are read.

use serde::{Deserialize, Serialize};

use super::Uid;

/// How elements outside pixel data are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Encoding {
    /// VRs stand in the stream (PS3.5 §7.1.2).
    pub explicit_vr: bool,
    /// Big endian (retired, PS3.5 2016b Annex A.3).
    pub big_endian: bool,
    /// The data set is deflated as a whole (PS3.5 §A.5).
    pub deflated: bool,
}

impl Encoding {
    /// Explicit VR Little Endian, the coding of file meta and of most syntaxes.
    pub const EXPLICIT_LE: Self = Self { explicit_vr: true, big_endian: false, deflated: false };
    /// Implicit VR Little Endian.
    pub const IMPLICIT_LE: Self = Self { explicit_vr: false, big_endian: false, deflated: false };
}

/// A transfer syntax UID, known or not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TransferSyntax(Uid);

/// Implicit VR Little Endian: the default transfer syntax (PS3.5 §10.1).
pub const IMPLICIT_VR_LE: &str = "1.2.840.10008.1.2";
/// Explicit VR Little Endian.
pub const EXPLICIT_VR_LE: &str = "1.2.840.10008.1.2.1";
/// Deflated Explicit VR Little Endian.
pub const DEFLATED_LE: &str = "1.2.840.10008.1.2.1.99";
/// Explicit VR Big Endian (retired).
pub const EXPLICIT_VR_BE: &str = "1.2.840.10008.1.2.2";
/// Papyrus 3 Implicit VR Little Endian (retired): never standard DICOM.
pub const PAPYRUS: &str = "1.2.840.10008.1.20";
/// RFC 2557 MIME encapsulation and XML Encoding (retired): no data set in the coding
/// of PS3.5.
const OTHER_MARKUP: [&str; 2] = ["1.2.840.10008.1.2.6.1", "1.2.840.10008.1.2.6.2"];

impl TransferSyntax {
    /// Wraps a UID; whether it is known is asked later.
    #[must_use]
    pub fn new(uid: Uid) -> Self {
        Self(uid)
    }

    /// Explicit VR Little Endian.
    #[must_use]
    pub fn explicit_le() -> Self {
        Self(Uid::constant(EXPLICIT_VR_LE))
    }

    /// The UID's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The UID.
    #[must_use]
    pub fn uid(&self) -> &Uid {
        &self.0
    }

    /// How the data set outside pixel data is coded. Every syntax but four is
    /// Explicit VR Little Endian (PS3.5 §A.4); a private one is unknown.
    #[must_use]
    pub fn encoding(&self) -> Option<Encoding> {
        match self.as_str() {
            IMPLICIT_VR_LE => Some(Encoding::IMPLICIT_LE),
            EXPLICIT_VR_BE => {
                Some(Encoding { explicit_vr: true, big_endian: true, deflated: false })
            }
            // JPIP Referenced Deflate (.95) and HTJ2K (.205) deflate the data set too.
            DEFLATED_LE | "1.2.840.10008.1.2.4.95" | "1.2.840.10008.1.2.4.205" => {
                Some(Encoding { explicit_vr: true, big_endian: false, deflated: true })
            }
            PAPYRUS => None,
            markup if OTHER_MARKUP.contains(&markup) => None,
            other => other.starts_with("1.2.840.10008.1.2.").then_some(Encoding::EXPLICIT_LE),
        }
    }

    /// Pixel data is not encapsulated (PS3.5 §8.2).
    #[must_use]
    pub fn is_native(&self) -> bool {
        matches!(self.as_str(), IMPLICIT_VR_LE | EXPLICIT_VR_LE | DEFLATED_LE | EXPLICIT_VR_BE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn syntax(uid: &str) -> TransferSyntax {
        TransferSyntax::new(uid.parse().unwrap())
    }

    #[test]
    fn encodings_follow_annex_a() {
        assert_eq!(syntax(IMPLICIT_VR_LE).encoding(), Some(Encoding::IMPLICIT_LE));
        assert_eq!(syntax("1.2.840.10008.1.2.4.50").encoding(), Some(Encoding::EXPLICIT_LE));
        assert!(syntax(EXPLICIT_VR_BE).encoding().unwrap().big_endian);
        assert!(syntax(DEFLATED_LE).encoding().unwrap().deflated);
        assert_eq!(syntax("1.3.46.670589.33.1.4.1").encoding(), None);
    }
}
