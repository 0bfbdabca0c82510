//! Which transfer syntaxes can be looked at, and by which decoder.

use super::PixelError;
use crate::dicom::TransferSyntax;

/// How pixel data is coded (PS3.5 §8, Annex A).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Not encapsulated.
    Native,
    /// Native frames in fragments (PS3.5 §A.4.11).
    EncapsulatedUncompressed,
    /// RLE Lossless (PS3.5 Annex G).
    Rle,
    /// JPEG: baseline, extended with 8 bits, lossless.
    Jpeg,
    /// JPEG-LS.
    JpegLs,
    /// JPEG 2000 and High-Throughput JPEG 2000.
    Jpeg2000,
    /// Every frame deflated (PS3.5 §A.4.13).
    DeflatedFrame,
}

impl Codec {
    /// The codec of a transfer syntax.
    ///
    /// # Errors
    /// Video, JPIP, JPEG XL, retired JPEG processes and unknown syntaxes are
    /// not supported: the instance is quarantined.
    pub fn of(syntax: &TransferSyntax) -> Result<Self, PixelError> {
        if syntax.is_native() {
            return Ok(Self::Native);
        }
        match syntax.as_str() {
            "1.2.840.10008.1.2.1.98" => Ok(Self::EncapsulatedUncompressed),
            "1.2.840.10008.1.2.5" => Ok(Self::Rle),
            "1.2.840.10008.1.2.4.50"
            | "1.2.840.10008.1.2.4.51"
            | "1.2.840.10008.1.2.4.57"
            | "1.2.840.10008.1.2.4.70" => Ok(Self::Jpeg),
            "1.2.840.10008.1.2.4.80" | "1.2.840.10008.1.2.4.81" => Ok(Self::JpegLs),
            "1.2.840.10008.1.2.4.90"
            | "1.2.840.10008.1.2.4.91"
            | "1.2.840.10008.1.2.4.92"
            | "1.2.840.10008.1.2.4.93"
            | "1.2.840.10008.1.2.4.201"
            | "1.2.840.10008.1.2.4.202"
            | "1.2.840.10008.1.2.4.203" => Ok(Self::Jpeg2000),
            "1.2.840.10008.1.2.8.1" => Ok(Self::DeflatedFrame),
            _other => Err(PixelError::Unsupported { what: "pixel data in this transfer syntax" }),
        }
    }

    /// Its name in errors.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native pixels",
            Self::EncapsulatedUncompressed => "encapsulated uncompressed pixels",
            Self::Rle => "RLE",
            Self::Jpeg => "JPEG",
            Self::JpegLs => "JPEG-LS",
            Self::Jpeg2000 => "JPEG 2000",
            Self::DeflatedFrame => "deflated frame",
        }
    }
}
