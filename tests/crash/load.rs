//! The modality: sends invented CT slices and remembers what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use airlock::dimse::Limits;
use airlock::dimse::scu::{
    Address, Object as Sent, OpenError, Place, Scu, plan_contexts, send_files,
};
use tokio::runtime::Runtime;

use crate::support::object::{Object, PATIENT_ID, SERIES, STUDY};

/// Instances of one patient: three, so that most sends bring a new person and
/// some a known one.
pub(crate) const PER_PATIENT: usize = 3;

/// What the sender was told, by instance number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    acknowledged: BTreeSet<usize>,
    /// Statuses other than success.
    refused: BTreeMap<u16, usize>,
    /// Sent more than once, since the first was not answered.
    resent: BTreeSet<usize>,
}

impl Log {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn acknowledged(&self) -> BTreeSet<usize> {
        self.told().acknowledged.clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.told().acknowledged.len()
    }

    pub(crate) fn refused(&self) -> BTreeMap<u16, usize> {
        self.told().refused.clone()
    }

    pub(crate) fn resent(&self) -> BTreeSet<usize> {
        self.told().resent.clone()
    }

    pub(crate) fn note_resent(&self, numbers: &[usize]) {
        self.told().resent.extend(numbers);
    }
}

/// Where a sender sends to.
#[derive(Debug, Clone)]
pub(crate) struct To {
    pub(crate) called: &'static str,
    pub(crate) port: u16,
}

/// The patient of an instance.
pub(crate) fn patient_of(number: usize) -> usize {
    number / PER_PATIENT
}

/// Writes an instance's file.
pub(crate) fn write_instance(folder: &Path, number: usize) -> PathBuf {
    instance(number).write(folder)
}

/// One in so many is nobody's, where a trial sends such: well above 95 % can be delivered.
const NOBODY_EVERY: usize = 40;

/// Whether an instance has no Patient ID and belongs into quarantine.
pub(crate) fn is_nobodys(number: usize) -> bool {
    number % NOBODY_EVERY == NOBODY_EVERY - 1
}

/// The file of an instance that is nobody's.
pub(crate) fn write_nobodys(folder: &Path, number: usize) -> PathBuf {
    let study = format!("2.25.20260101.4.{number}");
    instance(number).text(PATIENT_ID, "LO", "").text(STUDY, "UI", &study).write(folder)
}

/// The file of an instance of this patient, with an Instance Number as of a modality:
/// 500607 would be the patient's birth date, and held. Deliveries of it have no number.
pub(crate) fn write_of(folder: &Path, number: usize, patient: usize) -> PathBuf {
    let instance_number = (number % 1_000).to_string();
    of_patient(number, patient).text((0x0020, 0x0013), "IS", &instance_number).write(folder)
}

fn instance(number: usize) -> Object {
    of_patient(number, patient_of(number))
}

fn of_patient(number: usize, patient: usize) -> Object {
    Object::ct(number)
        .text((0x0010, 0x0010), "PN", &format!("Invented^Person{patient}"))
        .text(PATIENT_ID, "LO", &format!("PID-{patient:06}"))
        .text((0x0008, 0x0050), "SH", &format!("ACC{patient:07}"))
        .text(STUDY, "UI", &format!("2.25.20260101.2.{patient}"))
        .text(SERIES, "UI", &format!("2.25.20260101.3.{patient}"))
}

/// The number of a file of [`write_instance`].
fn number_of(path: &Path) -> usize {
    path.file_stem().and_then(|stem| stem.to_str()?.parse().ok()).expect("a number")
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn address(to: &To) -> Address {
    Address {
        called: to.called.parse().expect("a title"),
        calling: "MODALITY".parse().expect("a title"),
        host: "127.0.0.1".into(),
        port: to.port,
        tls: None,
    }
}

/// One association that stays open between instances.
pub(crate) struct Line {
    runtime: Runtime,
    scu: Option<Scu>,
    context: u8,
    log: Log,
}

impl Line {
    /// Opens one for objects like this file.
    pub(crate) fn open(to: &To, like: &Path, log: &Log) -> Result<Self, OpenError> {
        let runtime = runtime();
        let kind = Sent::read(&like.into()).expect("an object").kind;
        let contexts = plan_contexts(std::slice::from_ref(&kind));
        let scu = runtime.block_on(Scu::open(&address(to), contexts, &Limits::default()))?;
        let Place::Context(context) = scu.place(&kind) else { panic!("no context") };
        Ok(Self { runtime, scu: Some(scu), context, log: log.clone() })
    }

    /// The status; none when the association broke.
    pub(crate) fn store(&mut self, file: &Path) -> Option<u16> {
        let scu = self.scu.as_mut().expect("an open association");
        let object = Sent::read(&file.into()).expect("an object");
        let status = self.runtime.block_on(scu.store(self.context, &object)).ok();
        if status == Some(0) {
            self.log.told().acknowledged.insert(number_of(file));
        }
        status
    }

    pub(crate) fn release(mut self) {
        let scu = self.scu.take().expect("an open association");
        // All answers were heard.
        self.runtime.block_on(scu.release()).ok();
    }
}

/// Sends over one association until all are sent or the peer is gone.
pub(crate) fn send(to: &To, files: &[PathBuf], log: &Log) {
    let (runtime, address) = (runtime(), address(to));
    let note = |path: &Path, result: Result<u16, _>| {
        let number = number_of(path);
        match result {
            Ok(0) => {
                log.told().acknowledged.insert(number);
            }
            Ok(status) => *log.told().refused.entry(status).or_default() += 1,
            // The peer died or closed: nobody was told anything.
            Err(_broken) => {}
        }
    };
    // The peer may be dead by now: that is what this is about.
    runtime.block_on(send_files(&address, files, &Limits::default(), note)).ok();
}

/// The same beside the caller.
pub(crate) fn send_beside(to: &To, files: Vec<PathBuf>, log: &Log) -> JoinHandle<()> {
    let (to, log) = (to.clone(), log.clone());
    std::thread::spawn(move || send(&to, &files, &log))
}
