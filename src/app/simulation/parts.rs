//! Stand-ins: invented objects, the workers, the table of persons, the clock.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::clean::metadata::mapped_uid;
use crate::clean::{Identity, Report};
use crate::clock::Clock;
use crate::disk::Disk;
use crate::identified::Identified;
use crate::pipeline::{LineJob, StubWorker};
use crate::pseudonym::{
    Assigned, Import, Imported, Linked, ListFault, Mapping, Page, PersonKey, PseudonymError,
    PseudonymTable, UidKey,
};
use crate::reason::{Quarantine, Reason};
use crate::worker::WorkError;

pub(super) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub(super) const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const KEY: [u8; 32] = [7; 32];

/// An invented object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) project: &'static str,
    pub(super) study: usize,
    pub(super) instance: usize,
    pub(super) version: usize,
    /// The cleaner refuses it.
    pub(super) bad: bool,
}

impl Object {
    pub(super) fn uid(&self) -> String {
        format!("1.2.3.{}.{}", self.study, self.instance)
    }

    pub(super) fn study_uid(&self) -> String {
        format!("1.2.3.{}", self.study)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let (study, uid, version, bad) =
            (self.study_uid(), self.uid(), self.version, u8::from(self.bad));
        let head = format!("SECRET|{study}|{uid}|{version}|{bad}|");
        head.into_bytes().into_iter().chain([b'x'; 400]).collect()
    }
}

/// The new UID of one.
pub(super) fn new_uid(uid: &str) -> String {
    mapped_uid(&UidKey(KEY), uid)
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an object with this digest is cleaned to.
pub(super) fn clean_bytes(instance: &str, input_digest: &str) -> Vec<u8> {
    format!("CLEAN|{instance}|{input_digest}|{}", "c".repeat(300)).into_bytes()
}

/// Both workers.
pub(super) struct Worker {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) uncleaned: bool,
}

fn io(error: std::io::Error) -> WorkError {
    WorkError::Io { what: error.to_string() }
}

impl Worker {
    fn read(job: &LineJob<'_>) -> Result<(Vec<u8>, Vec<String>), WorkError> {
        let mut bytes = Vec::new();
        job.input.open().and_then(|mut file| file.read_to_end(&mut bytes)).map_err(io)?;
        let text = String::from_utf8_lossy(&bytes);
        let fields: Vec<_> = text.split('|').map(str::to_owned).collect();
        if job.expected_digest != Some(&sha256(&bytes)) || fields.len() != 6 {
            return Err(Quarantine::new(Reason::DamagedSpool, "other bytes").into());
        }
        Ok((bytes, fields))
    }
}

impl StubWorker for Worker {
    fn identity(&self, job: &LineJob<'_>) -> Result<Identity, WorkError> {
        let (_, fields) = Self::read(job)?;
        Ok(Identity {
            person: PersonKey {
                issuer: Identified::new(String::new()),
                patient_id: Identified::new(fields[1].clone()),
            },
            issuer_stated: false,
            study: Identified::new(fields[1].clone()),
            instance: Identified::new(fields[2].clone()),
            uids_kept: false,
            rejection: None,
        })
    }

    fn clean(
        &self,
        job: &LineJob<'_>,
        identity: &Identity,
        assigned: &Assigned,
    ) -> Result<Report, WorkError> {
        let (bytes, fields) = Self::read(job)?;
        if fields[4] == "1" {
            return Err(Quarantine::new(Reason::NoPatientId, "(0010,0020)").into());
        }
        let sop_instance = mapped_uid(&assigned.uid_key, identity.instance.expose());
        let input_digest = sha256(&bytes);
        let clean = if self.uncleaned { bytes } else { clean_bytes(&sop_instance, &input_digest) };
        let mut file = self.disk.open_rw(job.output.path()).map_err(io)?;
        file.write_all(&clean).map_err(io)?;
        Ok(Report {
            output_digest: sha256(&clean),
            output_bytes: clean.len() as u64,
            input_digest,
            sop_class: CT.into(),
            sop_instance,
            series_instance: "2.25.2".into(),
            study_instance: mapped_uid(&assigned.uid_key, identity.study.expose()),
            patient_code: assigned.code.clone(),
            transfer_syntax_in: EXPLICIT.into(),
            transfer_syntax_out: EXPLICIT.into(),
            software: env!("CARGO_PKG_VERSION").into(),
            profile_digest: crate::clean::job::profile_digest(&job.project.rules),
            ..Report::default()
        })
    }
}

/// Calls everybody by their Patient ID.
#[derive(Debug)]
pub(super) struct Persons;

impl PseudonymTable for Persons {
    fn has_failed(&self) -> bool {
        false
    }

    fn assign(&self, _project: &str, person: &PersonKey) -> Result<Assigned, PseudonymError> {
        Ok(Assigned {
            code: format!("P{}", person.patient_id.expose()),
            shift_days: 1,
            key_id: "00000000".into(),
            uid_key: UidKey(KEY),
        })
    }

    fn lookup(&self, _: &str, _: &PersonKey) -> Result<Option<Mapping>, PseudonymError> {
        Ok(None)
    }

    fn lookup_code(&self, _: &str, _: &str) -> Result<Option<Mapping>, PseudonymError> {
        Ok(None)
    }

    fn check_list(&self, _: &[Import]) -> Result<Vec<ListFault>, PseudonymError> {
        unreachable!()
    }

    fn import(&self, _: &[Import]) -> Result<Result<Imported, Vec<ListFault>>, PseudonymError> {
        unreachable!()
    }

    fn link(
        &self,
        _: &str,
        _: &PersonKey,
        _: &PersonKey,
        _: bool,
    ) -> Result<Linked, PseudonymError> {
        unreachable!()
    }

    fn export(&self, _: &str, _: u64, _: usize) -> Result<Page, PseudonymError> {
        unreachable!()
    }

    fn verify(&self) -> Result<u64, PseudonymError> {
        Ok(0)
    }

    fn persons_in(&self, _: &str) -> Result<u64, PseudonymError> {
        Ok(0)
    }

    fn len(&self) -> u64 {
        0
    }
}

/// The runtime's paused time, as both clocks.
#[derive(Debug)]
pub(super) struct SimClock {
    begun: tokio::time::Instant,
    before: Duration,
}

/// Wall time of the start.
const START_MS: u64 = 1_800_000_000_000;

impl SimClock {
    /// Goes on after `before`; within a runtime.
    pub(super) fn new(before: Duration) -> Self {
        Self { begun: tokio::time::Instant::now(), before }
    }
}

impl Clock for SimClock {
    fn unix_ms(&self) -> u64 {
        START_MS + u64::try_from(self.monotonic().as_millis()).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.before + self.begun.elapsed()
    }
}
