//! What was done to one instance: counts, boxes and codes, never a value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Why a line of text in a picture was hidden or kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextReason {
    /// Nothing was read, or with too little confidence: hidden.
    Unreadable,
    /// Close to a value of this data set: hidden.
    KnownValue,
    /// Looks like a date: hidden.
    Date,
    /// Looks like a time of day: hidden.
    Time,
    /// Looks like an identifier: hidden.
    Identifier,
    /// Looks like a phone number, e-mail or address: hidden.
    Contact,
    /// Looks like a person's name: hidden.
    Name,
    /// Looks like an institution or place: hidden.
    Place,
    /// A label such as `DOB` or `MRN` stands before it: hidden.
    Labelled,
    /// Not known to be clinical: hidden by policy.
    NotKnownClinical,
    /// Hidden by policy whatever it says.
    Policy,
    /// Hidden by a rule for the device, whatever it says.
    DeviceRule,
    /// Drawn outside of the scan area, and neither a clinical line nor a known
    /// graphic: hidden.
    Unexplained,
    /// On the clinical allow-list, or a measurement: kept.
    Clinical,
    /// No sign of identity, and the policy keeps such text: kept.
    NoSignOfIdentity,
    /// Cannot be read, in a place that a rule for the device trusts: kept.
    DeviceTrusted,
}

/// A painted or kept area of a picture, in pixels of the stored frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextBox {
    /// First frame that shows it, from 0.
    pub first_frame: u32,
    /// Number of frames that show it, from the first one on.
    pub frames: u32,
    /// Left, top, width, height.
    pub rect_px: [u32; 4],
    /// Why.
    pub reason: TextReason,
    /// It was painted over.
    pub hidden: bool,
}

/// What happened to the header.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HeaderReport {
    /// Number of elements per action (`removed`, `emptied`, `replaced`, `uid-mapped`,
    /// `date-shifted`, `cleaned`, `kept`, `private-removed`, `unknown-removed`), nested ones included.
    pub counts: BTreeMap<String, u32>,
    /// Codes of CID 7050 in De-identification Method Code Sequence.
    pub method_codes: Vec<String>,
}

/// What happened to the picture.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PixelReport {
    /// Number of frames; 0 without pixel data.
    pub frames: u32,
    /// All frames were screened for text, and searched where there may be some.
    pub screened: bool,
    /// Frames that were searched.
    #[serde(default)]
    pub frames_read: u32,
    /// Areas, in order of frame and place.
    pub boxes: Vec<TextBox>,
    /// Ids of the device rules that are about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// The coded samples passed unchanged.
    pub unchanged: bool,
}

/// What a reader must know of the content as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContentNote {
    /// A volume of a head: a face can be rendered; the project accepts that.
    Faces,
    /// A person may be recognised on the picture; the project accepts that.
    Photograph,
    /// The document was replaced by a placeholder.
    DocumentReplaced,
}

/// A rejection note: other instances are recalled by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecallNote {
    /// Code of its Document Title (PS3.16 CID 7010).
    pub code: String,
    /// Instances that it names.
    pub instances: u32,
}

/// The full report of one cleaned instance.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Report {
    /// Version of this format.
    pub version: u32,
    /// airlock's version.
    pub software: String,
    /// Profile's name.
    pub profile: String,
    /// Digest of the checked profile, hex SHA-256.
    pub profile_digest: String,
    /// Models used: name and first 12 hex digits of the digest.
    pub models: Vec<String>,
    /// Key id of the person's pseudonym.
    pub key_id: String,
    /// Hex SHA-256 of the whole input file.
    pub input_digest: String,
    /// Hex SHA-256 of the whole output file.
    pub output_digest: String,
    /// Bytes of the output file.
    pub output_bytes: u64,
    /// SOP Class UID.
    pub sop_class: String,
    /// New SOP Instance UID.
    pub sop_instance: String,
    /// New Series Instance UID.
    pub series_instance: String,
    /// New Study Instance UID.
    pub study_instance: String,
    /// Pseudonym.
    pub patient_code: String,
    /// The study names nobody: its pseudonym is linked to no other study.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlinked: bool,
    /// Transfer syntax of the input.
    pub transfer_syntax_in: String,
    /// Transfer syntax of the output.
    pub transfer_syntax_out: String,
    /// The header.
    pub header: HeaderReport,
    /// The picture.
    pub pixels: PixelReport,
    /// Faces, photographs, documents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<ContentNote>,
    /// It recalls others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recall: Option<RecallNote>,
}
