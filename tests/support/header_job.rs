//! One header through cleaning and the second door in memory, by the steps that a
//! worker takes: for tests that need thousands of objects, and for fuzzing.

use std::io::Cursor;

use airlock::clean::Report;
use airlock::clean::judge::{Judge, Matcher};
use airlock::clean::metadata::{self, HeaderContext, Stamp};
use airlock::clean::verify::{self, Verified};
use airlock::config::{CleanRules, Profile};
use airlock::dicom::read::{Part10, ReadLimits, read_part10};
use airlock::dicom::write::{BulkSources, NewMeta, write_part10};
use airlock::dicom::{DataSet, Tag, TransferSyntax, Uid};
use airlock::pseudonym::{Assigned, UidKey};
use airlock::reason::{Quarantine, Reason};

const SOP_CLASS: Tag = Tag(0x0008, 0x0016);
const SOP_INSTANCE: Tag = Tag(0x0008, 0x0018);
const STUDY_INSTANCE: Tag = Tag(0x0020, 0x000D);
const SERIES_INSTANCE: Tag = Tag(0x0020, 0x000E);
const EXPLICIT_LE: &str = "1.2.840.10008.1.2.1";

/// Days that this person's dates move.
pub(crate) const SHIFT_DAYS: i32 = -40;
/// What this person is called afterwards.
pub(crate) const CODE: &str = "CODE-1";

/// Rules and word lists of one project.
pub(crate) struct HeaderJob {
    judge: Judge,
    rules: CleanRules,
    assigned: Assigned,
}

/// A clean object and what is said about it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CleanCopy {
    pub(crate) set: DataSet,
    pub(crate) report: Report,
}

impl HeaderJob {
    pub(crate) fn new(profile: Profile) -> Self {
        Self {
            judge: Judge::new(),
            rules: CleanRules { profile, ..CleanRules::default() },
            assigned: Assigned {
                code: CODE.to_owned(),
                shift_days: SHIFT_DAYS,
                key_id: "0a0b0c0d".to_owned(),
                uid_key: UidKey([7; 32]),
            },
        }
    }

    /// The shipped profiles.
    pub(crate) fn shipped() -> [Self; 2] {
        [Self::new(Profile::basic()), Self::new(Profile::tcia())]
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.rules.profile
    }

    /// Cleans a header without pixels.
    pub(crate) fn clean(&self, set: &DataSet) -> Result<CleanCopy, Quarantine> {
        let known = metadata::collect_known(set);
        let context = HeaderContext {
            profile: &self.rules.profile,
            assigned: &self.assigned,
            judge: &self.judge,
            matcher: &Matcher::new(&known),
        };
        let (mut set, mut header) = metadata::clean_header(set, &context)?;
        header.method_codes = metadata::stamp(&mut set, &Stamp::default(), &self.rules.profile);
        let text = |tag| set.ascii(tag).unwrap_or_default().to_owned();
        let report = Report {
            profile: self.rules.profile.name.clone(),
            sop_class: text(SOP_CLASS),
            sop_instance: text(SOP_INSTANCE),
            study_instance: text(STUDY_INSTANCE),
            series_instance: text(SERIES_INSTANCE),
            patient_code: CODE.to_owned(),
            header,
            ..Report::default()
        };
        Ok(CleanCopy { set, report })
    }

    /// What the second door says of a clean copy of `input`.
    pub(crate) fn verify(&self, input: &DataSet, copy: &CleanCopy) -> Result<Verified, Quarantine> {
        self.verify_bytes(&file(input), file(&copy.set), &copy.report)
    }

    /// The same over bytes. The length is told as it is.
    pub(crate) fn verify_bytes(
        &self,
        input: &[u8],
        output: Vec<u8>,
        report: &Report,
    ) -> Result<Verified, Quarantine> {
        let report = Report {
            output_bytes: output.len() as u64,
            transfer_syntax_out: EXPLICIT_LE.to_owned(),
            ..report.clone()
        };
        let scratch = std::env::temp_dir().join(format!("airlock-door-{}", std::process::id()));
        verify::verify(verify::Job {
            input: &mut Cursor::new(input),
            output: &mut Cursor::new(output),
            scratch: verify::Scratch::plain(&scratch),
            rules: &self.rules,
            assigned: &self.assigned,
            report: &report,
        })
    }

    /// Cleans and verifies.
    pub(crate) fn run(&self, input: &DataSet) -> Result<CleanCopy, Quarantine> {
        let copy = self.clean(input)?;
        self.verify(input, &copy)?;
        Ok(copy)
    }
}

/// A data set as a file, whatever its UIDs are worth.
pub(crate) fn file(set: &DataSet) -> Vec<u8> {
    try_file(set).unwrap()
}

/// A data set as a file; a reason when it cannot be one.
pub(crate) fn try_file(set: &DataSet) -> Result<Vec<u8>, Quarantine> {
    let transfer_syntax = TransferSyntax::new(EXPLICIT_LE.parse().unwrap());
    let bad = |what: String| Quarantine::new(Reason::BadIdentity, what);
    let uid = |tag: Tag| {
        let text = set.ascii(tag).unwrap_or_default();
        text.parse::<Uid>().map_err(|_no_uid| bad(tag.to_string()))
    };
    let (sop_class, sop_instance) = (uid(SOP_CLASS)?, uid(SOP_INSTANCE)?);
    let meta = NewMeta {
        sop_class: &sop_class,
        sop_instance: &sop_instance,
        transfer_syntax: &transfer_syntax,
    };
    let mut nothing = Cursor::new(Vec::new());
    let mut bulk = BulkSources { input: &mut nothing, scratch: None, input_big_endian: false };
    let mut out = Vec::new();
    write_part10(&mut out, &meta, set, &mut bulk).map_err(|error| bad(error.to_string()))?;
    Ok(out)
}

/// A file as a data set.
pub(crate) fn read(file: &[u8]) -> Option<Part10> {
    read_part10(&mut Cursor::new(file), &ReadLimits::default()).ok()
}
