//! Words of the standard, without I/O of their own: tags, UIDs, AE titles,
//! transfer syntaxes, and the data set as a tree of raw bytes.
//!
//! Values stay the bytes that were received until somebody rewrites them, so
//! that what is kept is kept bit for bit (facts: the toolkit's decoded strings
//! lose code extensions and 0x5C trail bytes).

pub mod ae_title;
pub mod charset;
pub mod dataset;
pub mod day;
pub mod looks;
pub mod path;
pub mod peek;
pub mod read;
#[cfg(test)]
pub(crate) mod testing;
pub mod transfer_syntax;
pub mod uid;
pub mod vr;
pub mod write;

pub use ae_title::AeTitle;
pub use dataset::{DataSet, Element, Extent, Source, Value};
pub use dicom_core::{Tag, VR};
pub use path::TagPath;
pub use transfer_syntax::{Encoding, TransferSyntax};
pub use uid::Uid;

/// Our Implementation Class UID (PS3.7 §D.3.3.2), UUID-derived under 2.25.
pub const IMPLEMENTATION_CLASS_UID: &str = "2.25.302043790172249692526321623266752743501";
/// Our Implementation Version Name (PS3.7 §D.3.3.2), at most 16 characters.
pub const IMPLEMENTATION_VERSION_NAME: &str = "AIRLOCK_0_1";
