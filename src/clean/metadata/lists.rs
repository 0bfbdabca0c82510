//! Attributes that the profile engine treats otherwise than their kind of
//! value: short lists of ours, each with its reason.

use crate::dicom::Tag;

/// Dummy values that tell things apart within a study: hashed by key, so that
/// what belonged together still does.
pub(super) const HASHED: [Tag; 5] = [
    Tag(0x0018, 0x1000), // Device Serial Number
    Tag(0x0018, 0x9367), // X-Ray Source ID
    Tag(0x0018, 0x9371), // X-Ray Detector ID
    Tag(0x0040, 0x0512), // Container Identifier
    Tag(0x0040, 0x0551), // Specimen Identifier
];

/// Identifiers of the person in a trial: the pseudonym.
pub(super) const CODED: [Tag; 2] = [
    Tag(0x0012, 0x0040), // Clinical Trial Subject ID
    Tag(0x0012, 0x0042), // Clinical Trial Subject Reading ID
];

/// UIDs that name kinds of things, not things: never mapped.
pub(super) const KIND_UIDS: [Tag; 17] = [
    Tag(0x0008, 0x0016), // SOP Class UID
    Tag(0x0008, 0x001A), // Related General SOP Class UID
    Tag(0x0008, 0x001B), // Original Specialized SOP Class UID
    Tag(0x0008, 0x0062), // SOP Classes in Study
    Tag(0x0008, 0x010C), // Coding Scheme UID
    Tag(0x0008, 0x0117), // Context UID
    Tag(0x0008, 0x0118), // Mapping Resource UID
    Tag(0x0008, 0x040E), // Stored Instance Transfer Syntax UID
    Tag(0x0008, 0x1150), // Referenced SOP Class UID
    Tag(0x0008, 0x115A), // SOP Classes Supported
    Tag(0x0008, 0x3002), // Available Transfer Syntax UID
    Tag(0x0034, 0x0003), // Flow Transfer Syntax UID
    Tag(0x0400, 0x0010), // MAC Calculation Transfer Syntax UID
    Tag(0x0400, 0x0510), // Encrypted Content Transfer Syntax UID
    Tag(0x3010, 0x001F), // Segmentation Template UID
    Tag(0x3010, 0x0052), // Pertinent SOP Classes in Study
    Tag(0x3010, 0x0053), // Pertinent SOP Classes in Series
];

/// OB values that are numbers or profiles by definition.
pub(super) const PLAIN_BYTES: [Tag; 5] = [
    Tag(0x0028, 0x2000), // ICC Profile
    Tag(0x5400, 0x0110), // Channel Minimum Value
    Tag(0x5400, 0x0112), // Channel Maximum Value
    Tag(0x5400, 0x100A), // Waveform Padding Value
    Tag(0x5400, 0x1010), // Waveform Data
];

/// What a code must say wherever it stands (PS3.3 Table 8.8-1).
pub(super) const CODE_TEXTS: [Tag; 4] = [
    Tag(0x0008, 0x0100), // Code Value
    Tag(0x0008, 0x0102), // Coding Scheme Designator
    Tag(0x0008, 0x0104), // Code Meaning
    Tag(0x0008, 0x0119), // Long Code Value
];
