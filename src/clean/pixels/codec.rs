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
            other => Err(PixelError::Unsupported { what: what_else(other) }),
        }
    }

    /// Native words lie in fragments or in the value itself, coded or not: bits
    /// beside the values can be in them.
    #[must_use]
    pub fn holds_words(self) -> bool {
        match self {
            Self::Native | Self::EncapsulatedUncompressed | Self::Rle | Self::DeflatedFrame => true,
            Self::Jpeg | Self::JpegLs | Self::Jpeg2000 => false,
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

/// What a transfer syntax that is not handled is, in the words that an operator
/// reads (PS3.6 Table A-1).
fn what_else(syntax: &str) -> &'static str {
    let Some(rest) = syntax.strip_prefix("1.2.840.10008.1.2.") else {
        return "pixel data in a private transfer syntax";
    };
    match rest {
        "4.100" | "4.100.1" | "4.101" | "4.101.1" => "MPEG-2 video",
        "4.102" | "4.102.1" | "4.103" | "4.103.1" | "4.104" | "4.104.1" | "4.105" | "4.105.1"
        | "4.106" | "4.106.1" => "MPEG-4 video",
        "4.107" | "4.108" => "HEVC video",
        "4.94" | "4.95" | "4.204" | "4.205" => "JPIP (pixel data on a server)",
        "4.110" | "4.111" | "4.112" => "JPEG XL",
        "7.1" | "7.2" | "7.3" => "SMPTE ST 2110 (live video or audio)",
        "4.52" | "4.53" | "4.54" | "4.55" | "4.56" | "4.58" | "4.59" | "4.60" | "4.61" | "4.62"
        | "4.63" | "4.64" | "4.65" | "4.66" => "a retired JPEG process",
        _other => "pixel data in this transfer syntax",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_handled_is_named_in_plain_words() {
        for (uid, words) in [
            ("1.2.840.10008.1.2.4.100", "MPEG-2 video is not supported"),
            ("1.2.840.10008.1.2.4.103.1", "MPEG-4 video is not supported"),
            ("1.2.840.10008.1.2.4.108", "HEVC video is not supported"),
            ("1.2.840.10008.1.2.4.94", "JPIP (pixel data on a server) is not supported"),
            ("1.2.840.10008.1.2.4.110", "JPEG XL is not supported"),
            ("1.2.840.10008.1.2.7.1", "SMPTE ST 2110 (live video or audio) is not supported"),
            ("1.2.840.10008.1.2.4.55", "a retired JPEG process is not supported"),
            ("1.2.840.10008.1.2.6.1", "pixel data in this transfer syntax is not supported"),
            ("1.3.46.670589.1", "pixel data in a private transfer syntax is not supported"),
        ] {
            let syntax = TransferSyntax::new(uid.parse().unwrap());
            assert_eq!(Codec::of(&syntax).unwrap_err().to_string(), words);
        }
    }
}
