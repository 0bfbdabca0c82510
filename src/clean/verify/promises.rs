//! What a clean copy says about itself: file meta, identity, stamp.

use super::finding::Finding;
use super::object::Object;
use crate::clean::report::Report;
use crate::config::CleanRules;
use crate::dicom::charset::Charset;
use crate::dicom::read::{Notes, Preamble};
use crate::dicom::{DataSet, IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, Tag, VR};
use crate::pseudonym::Assigned;
use crate::reason::Quarantine;

const SOP_CLASS: Tag = Tag(0x0008, 0x0016);
const SOP_INSTANCE: Tag = Tag(0x0008, 0x0018);
const PATIENT_NAME: Tag = Tag(0x0010, 0x0010);
const PATIENT_ID: Tag = Tag(0x0010, 0x0020);
const IDENTITY_REMOVED: Tag = Tag(0x0012, 0x0062);
const METHOD: Tag = Tag(0x0012, 0x0063);
const METHOD_CODES: Tag = Tag(0x0012, 0x0064);
const STUDY_INSTANCE: Tag = Tag(0x0020, 0x000D);
const SERIES_INSTANCE: Tag = Tag(0x0020, 0x000E);
const BURNED_IN: Tag = Tag(0x0028, 0x0301);
const CODE_VALUE: Tag = Tag(0x0008, 0x0100);
const TRANSFER_SYNTAX: Tag = Tag(0x0002, 0x0010);

/// Elements of file meta that we write (PS3.10 §7.1).
const META_ELEMENTS: [u16; 7] = [0x0000, 0x0001, 0x0002, 0x0003, 0x0010, 0x0012, 0x0013];
/// Clean Pixel Data Option (PS3.16 CID 7050).
const CLEAN_PIXEL_DATA: &str = "113101";

/// What the clean copy is held to.
pub(super) struct Told<'a> {
    pub(super) rules: &'a CleanRules,
    pub(super) assigned: &'a Assigned,
    pub(super) report: &'a Report,
}

/// Compares the clean copy with what was promised.
pub(super) fn check(output: &Object<'_>, told: &Told<'_>) -> Result<(), Quarantine> {
    file_meta(output, told.report)?;
    identity(&output.set, told)?;
    stamp(output, told)?;
    Ok(())
}

fn file_meta(output: &Object<'_>, report: &Report) -> Result<(), Finding> {
    let meta = &output.head.meta;
    let implementation = |element| meta.elements.ascii(Tag(0x0002, element));
    let ours = implementation(0x0012) == Some(IMPLEMENTATION_CLASS_UID)
        && implementation(0x0013) == Some(IMPLEMENTATION_VERSION_NAME);
    let elements_known =
        meta.elements.iter().all(|element| META_ELEMENTS.contains(&element.tag.element()));
    let text = |uid: &Option<crate::dicom::Uid>| uid.as_ref().map(ToString::to_string);
    let promises = [
        (meta.preamble == Preamble::Zero, "preamble-not-zero", SOP_CLASS),
        (ours && elements_known, "foreign-file-meta", Tag(0x0002, 0x0000)),
        (output.notes == Notes::default(), "padding-or-repeats", SOP_CLASS),
        (output.bytes == report.output_bytes, "length-differs-from-report", SOP_CLASS),
        (
            meta.transfer_syntax.as_str() == report.transfer_syntax_out,
            "transfer-syntax-differs-from-report",
            TRANSFER_SYNTAX,
        ),
        (
            same(text(&meta.sop_class), output.set.ascii(SOP_CLASS)),
            "file-meta-disagrees",
            SOP_CLASS,
        ),
        (
            same(text(&meta.sop_instance), output.set.ascii(SOP_INSTANCE)),
            "file-meta-disagrees",
            SOP_INSTANCE,
        ),
    ];
    first_broken(&promises)
}

fn identity(set: &DataSet, told: &Told<'_>) -> Result<(), Finding> {
    let Told { assigned, report, .. } = told;
    let charset = Charset::of(set);
    let is_code = |tag, vr| {
        let bytes = set.get(tag).and_then(|element| element.as_bytes());
        bytes.is_some_and(|bytes| {
            charset.decode(bytes, vr).text.trim_matches([' ', '\0']) == assigned.code
        })
    };
    let reported = |tag, uid: &str| set.ascii(tag) == Some(uid) && !uid.is_empty();
    let promises = [
        (is_code(PATIENT_ID, VR::LO), "patient-id-not-the-code", PATIENT_ID),
        (is_code(PATIENT_NAME, VR::PN), "patient-name-not-the-code", PATIENT_NAME),
        (report.patient_code == assigned.code, "code-differs-from-report", PATIENT_ID),
        (reported(SOP_CLASS, &report.sop_class), "uid-differs-from-report", SOP_CLASS),
        (reported(SOP_INSTANCE, &report.sop_instance), "uid-differs-from-report", SOP_INSTANCE),
        (
            reported(STUDY_INSTANCE, &report.study_instance),
            "uid-differs-from-report",
            STUDY_INSTANCE,
        ),
        (
            reported(SERIES_INSTANCE, &report.series_instance),
            "uid-differs-from-report",
            SERIES_INSTANCE,
        ),
    ];
    first_broken(&promises)
}

/// The stamp of PS3.15 §E.1.1, and that it does not claim more than was done.
fn stamp(output: &Object<'_>, told: &Told<'_>) -> Result<(), Finding> {
    let set = &output.set;
    let items = set.get(METHOD_CODES).and_then(|element| element.items()).unwrap_or_default();
    let codes: Vec<&str> = items.iter().filter_map(|item| item.ascii(CODE_VALUE)).collect();
    let screened = told.report.pixels.screened && output.has_pixels();
    let claims_pixels = codes.contains(&CLEAN_PIXEL_DATA);
    let method = set.get(METHOD).is_some_and(|element| !element.is_empty()) && !codes.is_empty();
    let promises = [
        (set.ascii(IDENTITY_REMOVED) == Some("YES"), "identity-removed-not-said", IDENTITY_REMOVED),
        (method, "method-not-said", METHOD),
        (codes == told.report.header.method_codes, "method-differs-from-report", METHOD_CODES),
        (screened || !claims_pixels, "pixel-option-without-screening", METHOD_CODES),
        (!screened || set.ascii(BURNED_IN) == Some("NO"), "burned-in-not-no", BURNED_IN),
        (told.report.profile == told.rules.profile.name, "profile-differs-from-report", METHOD),
    ];
    first_broken(&promises)
}

fn same(left: Option<String>, right: Option<&str>) -> bool {
    left.is_some() && left.as_deref() == right
}

/// The first promise that is broken.
fn first_broken(promises: &[(bool, &'static str, Tag)]) -> Result<(), Finding> {
    match promises.iter().find(|(holds, ..)| !holds) {
        Some((_, rule, tag)) => Err(Finding::at(rule, *tag)),
        None => Ok(()),
    }
}
