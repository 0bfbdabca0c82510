//! One instance through all cleaning steps: received object in, clean object
//! and report out.
//!
//! Invariant: when [`Cleaner::clean`] returns, the output file holds the whole
//! clean object, or what [`Parts`] do not take from the received file; it is not
//! synced and has no final name yet, that is the front's part. Neighbours: `metadata`, `redact`, `verify`; called by
//! `worker::child`.

use std::fs::File;
use std::io;
use std::path::Path;

use super::content;
use super::identity::Identity;
use super::judge::{Judge, Matcher};
use super::metadata::{self, HeaderContext, Stamp};
use super::parts::{Assembled, Parts, STRETCH_BYTES_MIN, digest_without, stretches};
use super::redact::area::{Corners, Rect};
use super::redact::{self, LookError, Looker, PixelContext, PixelOutcome};
use super::report::{PixelReport, RecallNote, Report};
use super::source::{self, LaterFile, Opened};
use super::text::{Cells, ModelError, ModelFiles, Ocr, Region, TextError, TextLine, View};
use super::verify::{self, Scratch};
use crate::config::{CleanRules, ProfileOption};
use crate::dicom::write::{BulkSources, Left, NewMeta, ReadSeek, WriteError, Written};
use crate::dicom::write::{write_part10, write_part10_leaving};
use crate::dicom::{DataSet, Tag, TransferSyntax, Uid};
use crate::pseudonym::Assigned;
use crate::reason::{Quarantine, Reason};
use crate::vault::{Stored, VaultError, Writer};

/// Version of [`Report`].
const REPORT_VERSION: u32 = 1;

const SOP_CLASS: Tag = Tag(0x0008, 0x0016);
const SOP_INSTANCE: Tag = Tag(0x0008, 0x0018);
const STUDY_INSTANCE: Tag = Tag(0x0020, 0x000D);
const SERIES_INSTANCE: Tag = Tag(0x0020, 0x000E);
/// Directory records (PS3.3 §F.3).
const DIRECTORY_GROUP: u16 = 0x0004;

/// Where an instance is read from and written to.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Received object (Part 10 file).
    pub input: &'a Stored,
    /// The clean object is written here; a file of this name is replaced.
    pub output: &'a Stored,
    /// The project's rules.
    pub rules: &'a CleanRules,
    /// Issuer of Patient ID where the object has none, by its sender; may be empty.
    pub default_issuer: &'a str,
    /// Long values that go as they are may stay in the received file.
    pub in_parts: bool,
    /// Explicit or Implicit VR Little Endian, where it must leave so; none: as it came
    /// where that can be.
    pub leave_in: Option<&'a TransferSyntax>,
}

/// Why there is no clean object.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The instance goes to quarantine.
    #[error(transparent)]
    Quarantine(#[from] Quarantine),
    /// The system refused reading or writing: tried again later.
    #[error(transparent)]
    Io(io::Error),
    /// The models cannot be used: not this instance's fault, nothing is
    /// cleaned until it is mended.
    #[error("{0}")]
    Broken(String),
}

impl From<io::Error> for JobError {
    fn from(error: io::Error) -> Self {
        match VaultError::of(&error) {
            Some(fault) if fault.is_damage() => {
                Quarantine::new(Reason::DamagedSpool, fault.to_string()).into()
            }
            Some(_) | None => Self::Io(error),
        }
    }
}

/// Models and word lists of one worker.
pub struct Cleaner {
    judge: Judge,
    eyes: Eyes,
    models: Vec<String>,
}

/// Finds and reads text; the models are loaded when the first picture comes.
struct Eyes {
    ocr: Ocr,
    /// Why the models cannot be used, once that is known.
    broken: Option<String>,
}

impl Looker for Eyes {
    fn lines(&mut self, view: &View) -> Result<Vec<TextLine>, LookError> {
        let merged = self.ocr.lines(view).map_err(|error| self.failed(&error))?;
        Ok(merged.into_iter().map(|merged| merged.line).collect())
    }

    fn cells(&mut self, view: &View) -> Result<Cells, LookError> {
        self.ocr.cells(view).map_err(|error| self.failed(&error))
    }

    fn places(&mut self, view: &View, part: Rect) -> Result<Option<Vec<Corners>>, LookError> {
        let Rect { x0, y0, x1, y1 } = part;
        let found = self.ocr.find_within(view, [x0, y0, x1, y1]);
        let found = found.map_err(|error| self.failed(&error))?;
        Ok(found.map(|regions| regions.into_iter().map(|region| region.corners).collect()))
    }

    fn read(&mut self, view: &View, place: Corners) -> Result<TextLine, LookError> {
        let region = Region { corners: place, score: 1.0 };
        let read = self.ocr.read(view, &[region]).map_err(|error| self.failed(&error))?;
        let unread = TextLine { corners: place, text: String::new(), confidence: 0.0 };
        Ok(read.into_iter().next().unwrap_or(unread))
    }
}

impl Eyes {
    fn failed(&mut self, error: &TextError) -> LookError {
        if error.is_installation() {
            self.broken = Some(error.to_string());
        }
        LookError(error.to_string())
    }
}

impl Cleaner {
    /// A cleaner over the models in `models_dir`, or where they are found.
    ///
    /// # Errors
    /// [`ModelError`]: the worker does not start; the text names `scripts/setup`.
    pub fn new(models_dir: Option<&Path>) -> Result<Self, ModelError> {
        let files = ModelFiles::find(models_dir)?;
        let models = files.versions();
        let judge = Judge::with_names(&files);
        Ok(Self { judge, eyes: Eyes { ocr: Ocr::new(files), broken: None }, models })
    }

    /// Cleans one instance. `ask` is called once, with whose it is and what it
    /// withdraws, and gives what the person is called.
    ///
    /// # Errors
    /// [`JobError`]; the output then holds nothing that may be used.
    pub fn clean(
        &mut self,
        job: &Input<'_>,
        ask: impl FnOnce(Identity) -> io::Result<Assigned>,
    ) -> Result<(Report, Option<Parts>), JobError> {
        let (judge, models) = (&self.judge, self.models.as_slice());
        let report = Tools { looker: &mut self.eyes, judge, models }.clean(job, ask);
        let trouble = self.judge.trouble();
        match (self.eyes.broken.take(), trouble) {
            (Some(what), _) => Err(JobError::Broken(what)),
            (None, Some(trouble)) if trouble.is_installation => Err(JobError::Broken(trouble.what)),
            // As where a picture cannot be looked at.
            (None, Some(trouble)) => Err(Quarantine::new(Reason::Internal, trouble.what).into()),
            (None, None) => report,
        }
    }
}

/// What one instance is cleaned with.
pub struct Tools<'a> {
    /// Finds and reads text.
    pub looker: &'a mut dyn Looker,
    /// Judges text.
    pub judge: &'a Judge,
    /// Versions of the models behind the looker, for the report.
    pub models: &'a [String],
}

impl Tools<'_> {
    /// [`Cleaner::clean`] with these tools.
    ///
    /// # Errors
    /// [`JobError`]; the output then holds nothing that may be used.
    pub fn clean(
        &mut self,
        job: &Input<'_>,
        ask: impl FnOnce(Identity) -> io::Result<Assigned>,
    ) -> Result<(Report, Option<Parts>), JobError> {
        let scratch_dir = job.output.path().parent().unwrap_or_else(|| Path::new("."));
        let vault = job.output.vault();
        let mut source = source::open(job.input, scratch_dir, &vault)?;
        check_uids(&source)?;
        let content = content::examine(&source.set, &job.rules.content)?;
        let person = metadata::person(&source.set, &job.rules.persons, job.default_issuer)?;
        let unlinked = person.is_unlinked();
        let uids_kept = job.rules.profile.has(ProfileOption::RetainUids);
        let identity = Identity::of(&source.set, person, uids_kept)?;
        let recall = identity.rejection.as_ref().map(|rejection| RecallNote {
            code: rejection.code.clone(),
            instances: u32::try_from(rejection.instances.len()).unwrap_or(u32::MAX),
        });
        let assigned = ask(identity)?;
        let known = metadata::collect_known(&source.set);
        let matcher = Matcher::new(&known).with_scores(job.rules.names);
        let context = HeaderContext {
            profile: &job.rules.profile,
            assigned: &assigned,
            judge: self.judge,
            matcher: &matcher,
        };
        let (mut set, mut header) = metadata::clean_header(&source.set, &context)?;
        let mut scratch = LaterFile::new(scratch_dir, &vault);
        let outcome = redact::clean_pixels(PixelContext {
            set: &source.set,
            syntax: &source.meta.transfer_syntax,
            input: &mut source.file,
            input_big_endian: source.big_endian,
            scratch: &mut scratch,
            looker: &mut *self.looker,
            judge: self.judge,
            matcher: &matcher,
            rules: job.rules,
            uncoded: job.leave_in.is_some(),
        })?;
        let (syntax, pixels) = apply(&mut set, outcome, &source.meta.transfer_syntax);
        let syntax = job.leave_in.cloned().unwrap_or(syntax);
        content.put_placeholder(&mut set);
        let stamp = Stamp { pixels_cleaned: pixels.screened };
        header.method_codes = metadata::stamp(&mut set, &stamp, &job.rules.profile);
        let made = Made { set: &set, syntax: &syntax };
        let output = made.write(job, &mut source, &mut scratch)?;
        let report = Report {
            version: REPORT_VERSION,
            software: env!("CARGO_PKG_VERSION").to_owned(),
            profile: job.rules.profile.name.clone(),
            profile_digest: profile_digest(job.rules),
            models: if pixels.screened { self.models.to_vec() } else { Vec::new() },
            key_id: assigned.key_id.clone(),
            input_digest: output.received_digest,
            output_digest: output.digest,
            output_bytes: output.bytes,
            sop_class: text(&set, SOP_CLASS),
            sop_instance: text(&set, SOP_INSTANCE),
            series_instance: text(&set, SERIES_INSTANCE),
            study_instance: text(&set, STUDY_INSTANCE),
            patient_code: assigned.code.clone(),
            unlinked,
            transfer_syntax_in: source.meta.transfer_syntax.as_str().to_owned(),
            transfer_syntax_out: syntax.as_str().to_owned(),
            header,
            pixels,
            content: content.notes().to_vec(),
            recall,
        };
        Ok((report, output.parts))
    }
}

/// A clean object as it comes to the second door.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Received object.
    pub input: &'a Stored,
    /// What the cleaner wrote.
    pub output: &'a Stored,
    /// What of the object lies in the received one.
    pub parts: Option<&'a Parts>,
}

/// Checks a clean object through the second door. Gives the CRC-32 of what it
/// has from the received file; of nothing: 0.
///
/// # Errors
/// [`JobError::Quarantine`] when something is found.
pub fn verify(
    subject: Subject<'_>,
    rules: &CleanRules,
    assigned: &Assigned,
    report: &Report,
) -> Result<u32, JobError> {
    let Subject { input, output, parts } = subject;
    let mut received = input.open()?;
    let mut scratch = output.path().as_os_str().to_owned();
    scratch.push(".verify");
    let vault = output.vault();
    let mut verify = |cleaned: &mut dyn ReadSeek| {
        verify::verify(verify::Job {
            input: &mut received,
            output: cleaned,
            scratch: Scratch { path: Path::new(&scratch), vault: Some(&vault) },
            rules,
            assigned,
            report,
        })
    };
    let Some(parts) = parts else {
        verify(&mut output.open()?)?;
        return Ok(0);
    };
    let mut assembled = Assembled::open(output, input, parts).map_err(|error| {
        if error.kind() == io::ErrorKind::InvalidData {
            let detail = "clean file changed before it was checked";
            return JobError::from(Quarantine::new(Reason::DamagedSpool, detail));
        }
        error.into()
    })?;
    verify(&mut assembled)?;
    Ok(assembled.checksum()?)
}

/// The four UIDs that the output's place and name are made of (PS3.3 §C.12.1,
/// §C.7.2.1, §C.7.3.1) stand and are UIDs. A DICOMDIR has none of them.
fn check_uids(source: &Opened) -> Result<(), Quarantine> {
    if source.set.iter().any(|element| element.tag.group() == DIRECTORY_GROUP) {
        let detail = "group 0004: directory of a medium (DICOMDIR)";
        return Err(Quarantine::new(Reason::UnsupportedContent, detail));
    }
    for (tag, name) in [
        (SOP_CLASS, "SOP Class UID"),
        (SOP_INSTANCE, "SOP Instance UID"),
        (STUDY_INSTANCE, "Study Instance UID"),
        (SERIES_INSTANCE, "Series Instance UID"),
    ] {
        let fault = match source.set.ascii(tag) {
            None | Some("") => "missing",
            Some(uid) if uid.parse::<Uid>().is_err() => "no UID",
            Some(_uid) => continue,
        };
        return Err(Quarantine::new(Reason::BadIdentity, format!("{tag} {name}: {fault}")));
    }
    Ok(())
}

/// Puts the pixels' outcome into the cleaned header.
fn apply(
    set: &mut DataSet,
    outcome: PixelOutcome,
    received: &TransferSyntax,
) -> (TransferSyntax, PixelReport) {
    let (syntax, report) = match outcome {
        PixelOutcome::NoPixels => (received.clone(), PixelReport::default()),
        PixelOutcome::Unchanged(report) => (received.clone(), report),
        PixelOutcome::Rewritten { replace, remove, transfer_syntax, report } => {
            for tag in remove {
                set.remove(tag);
            }
            for element in replace {
                set.put(element);
            }
            (transfer_syntax, report)
        }
    };
    // Big endian is retired: its objects leave as Explicit VR Little Endian.
    let big_endian = syntax.encoding().is_some_and(|encoding| encoding.big_endian);
    (if big_endian { TransferSyntax::explicit_le() } else { syntax }, report)
}

/// A clean data set, to be written.
struct Made<'a> {
    set: &'a DataSet,
    syntax: &'a TransferSyntax,
}

/// What was written.
struct Output {
    /// Of the object.
    bytes: u64,
    /// Empty where it lies in parts: who puts it together has both digests.
    digest: String,
    received_digest: String,
    parts: Option<Parts>,
}

impl Made<'_> {
    /// Writes the object, in parts where that is asked for and possible.
    fn write(
        &self,
        job: &Input<'_>,
        source: &mut Opened,
        scratch: &mut LaterFile,
    ) -> Result<Output, JobError> {
        // Not cut first: what it held beyond the new end is cut off below.
        let mut file = job.output.create()?;
        let in_parts = job.in_parts && !source.inflated;
        let (mut written, left) = self.write_to(&mut file, source, scratch, in_parts)?;
        let mut apart = stretches(&left);
        if apart.is_none() {
            // From its start, under another key where it is sealed.
            file = job.output.create()?;
            (written, _) = self.write_to(&mut file, source, scratch, false)?;
        }
        let file_bytes = file.finish()?;
        file.get_mut().set_len(file_bytes)?;
        let stretches = apart.take().unwrap_or_default();
        let received_digest = if source.inflated {
            digest_without(&mut job.input.open()?, &stretches)?
        } else {
            digest_without(&mut source.file, &stretches)?
        };
        let digest = written.sha256_hex();
        if stretches.is_empty() {
            return Ok(Output { bytes: written.bytes, digest, received_digest, parts: None });
        }
        let copied: u64 = stretches.iter().map(|stretch| stretch.bytes).sum();
        let parts = Parts { stretches, written_digest: digest, rest_digest: received_digest };
        Ok(Output {
            bytes: written.bytes.saturating_add(copied),
            digest: String::new(),
            received_digest: String::new(),
            parts: Some(parts),
        })
    }

    fn write_to(
        &self,
        file: &mut Writer<File>,
        source: &mut Opened,
        scratch: &mut LaterFile,
        in_parts: bool,
    ) -> Result<(Written, Vec<Left>), JobError> {
        let bad = |tag: Tag| Quarantine::new(Reason::RuleFailed, tag.to_string());
        let uid = |tag| text(self.set, tag).parse::<Uid>().map_err(|_not_uid| bad(tag));
        let (sop_class, sop_instance) = (uid(SOP_CLASS)?, uid(SOP_INSTANCE)?);
        let transfer_syntax = self.syntax;
        let meta = NewMeta { sop_class: &sop_class, sop_instance: &sop_instance, transfer_syntax };
        let mut bulk = BulkSources {
            input: &mut source.file,
            scratch: Some(scratch),
            input_big_endian: source.big_endian,
        };
        let written = if in_parts {
            write_part10_leaving(file, &meta, self.set, &mut bulk, STRETCH_BYTES_MIN)
        } else {
            write_part10(file, &meta, self.set, &mut bulk).map(|written| (written, Vec::new()))
        };
        let refused = |reason, error: &WriteError| Quarantine::new(reason, error.to_string());
        written.map_err(|error| match error {
            WriteError::Io(error) => error.into(),
            // Empty pixel data that is not coded as its transfer syntax says.
            WriteError::PixelDataMismatch => refused(Reason::DecodeFailed, &error).into(),
            WriteError::UnsupportedTransferSyntax
            | WriteError::NoScratch { .. }
            | WriteError::TooLong { .. }
            | WriteError::TooDeep { .. } => refused(Reason::Internal, &error).into(),
        })
    }
}

fn text(set: &DataSet, tag: Tag) -> String {
    set.ascii(tag).unwrap_or_default().to_owned()
}

/// Hex SHA-256 over the rules as they were applied.
#[must_use]
pub fn profile_digest(rules: &CleanRules) -> String {
    use sha2::Digest as _;
    let CleanRules {
        profile,
        text_policy,
        names,
        header_only,
        screened,
        content,
        devices,
        limits,
        persons,
    } = rules;
    // Device rules are many: their own digest stands for them.
    let devices = &devices.digest;
    let rules =
        (profile, text_policy, names, header_only, screened, content, devices, limits, persons);
    // Serialising plain structs into memory does not fail.
    let rules = serde_json::to_vec(&rules).unwrap_or_default();
    super::hex(&sha2::Sha256::digest(rules))
}
