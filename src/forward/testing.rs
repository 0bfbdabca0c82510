//! A cleaned instance for the tests of this module.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::clean::{Cleaned, Report};
use crate::dicom::TransferSyntax;
use crate::dicom::write::{NewMeta, part10_head};

pub(crate) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";

/// Writes a small CT of this instance and transfer syntax and admits it.
pub(crate) fn cleaned(dir: &Path, instance: &str, syntax: &str, content: &[u8]) -> Cleaned {
    let meta = NewMeta {
        sop_class: &CT.parse().unwrap(),
        sop_instance: &instance.parse().unwrap(),
        transfer_syntax: &TransferSyntax::new(syntax.parse().unwrap()),
    };
    let bytes = [part10_head(&meta).unwrap(), content.to_vec()].concat();
    let path = dir.join(format!("{instance}-{syntax}"));
    std::fs::write(&path, &bytes).unwrap();
    let report = Report {
        output_digest: Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect(),
        output_bytes: u64::try_from(bytes.len()).unwrap(),
        sop_class: CT.into(),
        sop_instance: instance.into(),
        series_instance: "2.25.2".into(),
        study_instance: "2.25.1".into(),
        patient_code: "AL-7QK2".into(),
        transfer_syntax_out: syntax.into(),
        ..Report::default()
    };
    Cleaned::admit(report, path).unwrap()
}
