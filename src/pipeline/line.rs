//! One instance through the cleaning line: worker, second worker, admission.
//!
//! Shared by the node ([`super::stages`]) and by folders ([`super::folder`]):
//! there is one way to a [`Cleaned`], and it goes through clean and verify.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::blocking::blocking;
use super::versions::Versions;
use crate::clean::metadata::mapped_uid;
use crate::clean::{Checked, Cleaned, Identity, Report, Rest};
use crate::clock::Clock;
use crate::config::{Action, Config, Project, TagRule};
use crate::corrections::{Claim, CorrectionBook, CorrectionError, Owner, Recall};
use crate::dicom::transfer_syntax::IMPLICIT_VR_LE;
use crate::dicom::{TransferSyntax, Uid};
use crate::pseudonym::{Assigned, PersonKey, PseudonymError, PseudonymTable};
use crate::reason::{Quarantine, Reason};
use crate::spool::{Decision, Leaving, Then};
use crate::vault::{Stored, Vault};
use crate::worker::{
    CleanOrder, Made, Pool, PoolOptions, Role, Setup, VerifyOrder, WorkError, protocol,
};

/// Worker pools of both roles, the table that names persons, and what is
/// remembered of studies and recalls.
pub struct CleanLine {
    cleaners: Pool,
    verifiers: Pool,
    memory: LineMemory,
    #[cfg(test)]
    stub: Option<Box<dyn StubWorker>>,
}

/// Stands for both workers in a simulation.
#[cfg(test)]
pub(crate) trait StubWorker: Send + Sync {
    /// What it asks about.
    fn identity(&self, job: &LineJob<'_>) -> Result<Identity, WorkError>;
    /// Writes the clean object.
    fn clean(
        &self,
        job: &LineJob<'_>,
        identity: &Identity,
        assigned: &Assigned,
    ) -> Result<Report, WorkError>;
}

/// What the line asks about each instance.
#[derive(Debug, Clone)]
pub struct LineMemory {
    /// Who is called what.
    pub table: Arc<dyn PseudonymTable>,
    /// Whose each study is, and what was recalled.
    pub book: Arc<dyn CorrectionBook>,
    /// What was admitted under each UID.
    pub versions: Arc<Versions>,
    /// Time of a recall.
    pub clock: Arc<dyn Clock>,
    /// Keys of what lies sealed; the workers get them too.
    pub vault: Vault,
}

/// What people decided on one instance.
#[derive(Debug, Clone, Default)]
pub struct Treatments {
    /// Rules beside the project's.
    rules: Vec<TagRule>,
    adopt: bool,
    /// When somebody accepted it although it was withdrawn, milliseconds since 1970.
    accepted_unix_ms: Option<u64>,
    replace: bool,
    /// A destination takes it in no other transfer syntax.
    leave_in: Option<TransferSyntax>,
}

impl Treatments {
    /// From what the record keeps of an instance that was released so often. Whose a
    /// study is was decided for one release: it may be another's by the next.
    #[must_use]
    pub fn of(decisions: &[Decision], releases: u32) -> Self {
        let mut treatments = Self::default();
        for decision in decisions {
            let mut rule = |group, element, action| {
                treatments.rules.push(TagRule { group, element, action });
            };
            match decision.then {
                Then::Remove(group, element) => rule(group, element, Action::Remove),
                Then::Empty(group, element) => rule(group, element, Action::Empty),
                Then::Adopt if decision.round == 0 || decision.round == releases => {
                    treatments.adopt = true;
                }
                Then::Adopt => {}
                Then::Accept => {
                    treatments.accepted_unix_ms =
                        Some(decision.at_unix_ms).max(treatments.accepted_unix_ms);
                }
                Then::Replace => treatments.replace = true,
                Then::ExplicitLittleEndian => {
                    treatments.leave_in = Some(TransferSyntax::explicit_le());
                }
                Then::ImplicitLittleEndian => {
                    treatments.leave_in = Some(TransferSyntax::new(Uid::constant(IMPLICIT_VR_LE)));
                }
            }
        }
        treatments
    }
}

/// One instance to be cleaned.
#[derive(Debug, Clone, Copy)]
pub struct LineJob<'a> {
    /// The received object.
    pub input: &'a Stored,
    /// Where the clean object is written.
    pub output: &'a Stored,
    /// The project.
    pub project: &'a Project,
    /// Issuer of Patient ID where the object has none, by its sender; may be empty.
    pub default_issuer: &'a str,
    /// Hex SHA-256 that the received object had when it was acknowledged.
    pub expected_digest: Option<&'a str>,
    /// What people decided on this instance; none: nothing.
    pub treatments: Option<&'a Treatments>,
    /// Is told under which UIDs it leaves, once that is known.
    pub leaving: Option<&'a OnceLock<Leaving>>,
}

impl CleanLine {
    /// Pools for `config`; workers may write into `writable` only.
    ///
    /// # Errors
    /// The system's error when the program cannot find itself.
    pub fn new(
        config: &Config,
        memory: LineMemory,
        writable: Vec<PathBuf>,
    ) -> std::io::Result<Self> {
        let program = std::env::current_exe()?;
        let pool = |role, count| {
            Pool::new(PoolOptions {
                program: program.clone(),
                role,
                count,
                time_max: config.worker_time_max,
                setup: Setup {
                    version: protocol::VERSION,
                    rules: config.clean_rules(),
                    models_dir: config.models_dir.clone(),
                    memory_bytes_max: config.worker_memory_bytes_max,
                    writable: writable.clone(),
                    vault: memory.vault.clone(),
                },
            })
        };
        Ok(Self {
            cleaners: pool(Role::Clean, config.workers),
            verifiers: pool(Role::Verify, config.workers),
            memory,
            #[cfg(test)]
            stub: None,
        })
    }

    /// A line whose workers are a stub.
    #[cfg(test)]
    pub(crate) fn stubbed(
        config: &Config,
        memory: LineMemory,
        stub: Box<dyn StubWorker>,
    ) -> std::io::Result<Self> {
        Ok(Self { stub: Some(stub), ..Self::new(config, memory, Vec::new())? })
    }

    /// Starts one worker of each role, to learn early whether that works.
    ///
    /// # Errors
    /// [`WorkError::NotStarted`].
    pub async fn warm(&self) -> Result<(), WorkError> {
        self.cleaners.warm().await?;
        self.verifiers.warm().await
    }

    /// Cleans, verifies and admits one instance.
    ///
    /// # Errors
    /// [`WorkError`], each variant with what happens next.
    pub async fn clean(&self, job: LineJob<'_>) -> Result<Cleaned, WorkError> {
        let checked = self.work(job, false).await?;
        admit(checked.report, job.output.clone()).await
    }

    /// Cleans and verifies one instance; what goes as it is may stay in the
    /// received file. The object leaves only by way of [`Cleaned`], which
    /// compares it with what was verified.
    ///
    /// # Errors
    /// [`WorkError`], each variant with what happens next.
    pub async fn check(&self, job: LineJob<'_>) -> Result<Checked, WorkError> {
        self.work(job, true).await
    }

    async fn work(&self, job: LineJob<'_>, in_parts: bool) -> Result<Checked, WorkError> {
        let none = Treatments::default();
        let treatments = job.treatments.unwrap_or(&none);
        #[cfg(test)]
        if let Some(stub) = &self.stub {
            let identity = stub.identity(&job)?;
            let assigned = self.answer(job, treatments, identity.clone()).await?;
            crate::simulated::pause().await;
            let report = stub.clean(&job, &identity, &assigned)?;
            return Ok(Checked { report, written: job.output.clone(), rest: None });
        }
        let order = CleanOrder {
            input: job.input.path().to_owned(),
            input_seal: job.input.seal(),
            output: job.output.path().to_owned(),
            output_seal: job.output.seal(),
            in_parts,
            project: job.project.name.clone(),
            default_issuer: job.default_issuer.to_owned(),
            treatments: treatments.rules.clone(),
            leave_in: treatments.leave_in.clone(),
        };
        let assign = |identity| self.answer(job, treatments, identity);
        let Made { report, parts, assigned } = self.cleaners.clean(order, assign).await?;
        if job.expected_digest.is_some_and(|expected| expected != report.input_digest) {
            let detail = "bytes differ from those acknowledged";
            return Err(Quarantine::new(Reason::DamagedSpool, detail).into());
        }
        let order = VerifyOrder {
            input: job.input.path().to_owned(),
            input_seal: job.input.seal(),
            output: job.output.path().to_owned(),
            output_seal: job.output.seal(),
            parts: parts.clone(),
            project: job.project.name.clone(),
            assigned,
            report: report.clone(),
            treatments: treatments.rules.clone(),
        };
        let crc32 = self.verifiers.verify(order).await?;
        let rest = parts.map(|parts| Rest { received: job.input.clone(), parts, crc32 });
        Ok(Checked { report, written: job.output.clone(), rest })
    }

    /// The one round trip of an instance: what its person is called, unless its
    /// study is another's or a rejection note names it. What it withdraws itself
    /// is remembered durably before it is cleaned.
    async fn answer(
        &self,
        job: LineJob<'_>,
        treatments: &Treatments,
        identity: Identity,
    ) -> Result<Assigned, WorkError> {
        let asked = Asked {
            memory: self.memory.clone(),
            project: job.project.name.clone(),
            joins_missing_issuer: job.project.joins_missing_issuer,
            treatments: treatments.clone(),
            identity,
        };
        let answered = blocking(move || asked.answered()).await;
        let (answer, leaving) =
            answered.map_err(|error| WorkError::NotAssigned { what: error.to_string() })?;
        if let (Some(told), Some(leaving)) = (job.leaving, leaving) {
            // A second try tells the same.
            told.get_or_init(|| leaving);
        }
        answer
    }
}

/// The UIDs that an instance leaves with.
fn leaving(identity: &Identity, assigned: &Assigned) -> Leaving {
    let study = outgoing(identity.study.expose(), identity, assigned);
    Leaving { study, instance: outgoing(identity.instance.expose(), identity, assigned) }
}

fn outgoing(uid: &str, identity: &Identity, assigned: &Assigned) -> String {
    if identity.uids_kept {
        return uid.to_owned();
    }
    mapped_uid(&assigned.uid_key, uid)
}

/// What is asked of the memory about one instance; blocking.
struct Asked {
    memory: LineMemory,
    project: String,
    joins_missing_issuer: bool,
    treatments: Treatments,
    identity: Identity,
}

impl Asked {
    /// The answer, and under which UIDs the instance leaves where that is known.
    fn answered(&self) -> (Result<Assigned, WorkError>, Option<Leaving>) {
        let (assigned, is_owner) = match self.person() {
            Ok(found) => found,
            Err(error) => return (Err(error), None),
        };
        let leaving = leaving(&self.identity, &assigned);
        let checked = if is_owner {
            self.check_recalls(&leaving, &assigned).and_then(|()| self.check_versions(&leaving))
        } else {
            Err(Quarantine::new(Reason::SecondPatient, "(0020,000D)").into())
        };
        (checked.map(|()| assigned), Some(leaving))
    }

    /// What the person is called, and whether the study is theirs.
    fn person(&self) -> Result<(Assigned, bool), WorkError> {
        let book = &self.memory.book;
        let joined = book.joins(self.claim()).map_err(not_remembered)?;
        let assigned = match joined.filter(|_| !self.treatments.adopt) {
            Some(code) => return Ok((self.holder_of(&code)?, true)),
            None => self.assign(&self.identity.person)?,
        };
        if self.treatments.adopt {
            book.adopt(self.claim(), &assigned.code).map_err(not_remembered)?;
            return Ok((assigned, true));
        }
        match book.claim(self.claim(), &assigned.code).map_err(not_remembered)? {
            Owner::New | Owner::Same => Ok((assigned, true)),
            // Another instance of the study was quicker by a moment.
            Owner::Join(code) => Ok((self.holder_of(&code)?, true)),
            Owner::Other => Ok((assigned, false)),
        }
    }

    fn claim(&self) -> Claim<'_> {
        Claim {
            project: &self.project,
            study: self.identity.study.expose(),
            patient_id: self.identity.person.patient_id.expose(),
            issuer_stated: self.identity.issuer_stated,
            issuer: self.identity.person.issuer.expose(),
            joins_missing_issuer: self.joins_missing_issuer,
        }
    }

    /// What the person with this pseudonym was assigned.
    fn holder_of(&self, code: &str) -> Result<Assigned, WorkError> {
        let found = self.memory.table.lookup_code(&self.project, code).map_err(not_assigned)?;
        // A table that was set back lacks it: as if nobody had been known.
        let person = found.map_or_else(|| self.identity.person.clone(), |found| found.person);
        self.assign(&person)
    }

    fn assign(&self, person: &PersonKey) -> Result<Assigned, WorkError> {
        self.memory.table.assign(&self.project, person).map_err(not_assigned)
    }

    /// Before the work: what stands under its UID in another study is a conflict.
    fn check_versions(&self, leaving: &Leaving) -> Result<(), WorkError> {
        if self.treatments.replace {
            return Ok(());
        }
        Ok(self.memory.versions.check(&self.project, leaving)?)
    }

    fn check_recalls(&self, leaving: &Leaving, assigned: &Assigned) -> Result<(), WorkError> {
        if let Some(withdrawn) = self.memory.book.recalled_by(&leaving.instance)
            && self.treatments.accepted_unix_ms.is_none_or(|at| at < withdrawn.at_unix_ms)
        {
            return Err(recalled(&withdrawn.code).into());
        }
        let Some(rejection) = &self.identity.rejection else { return Ok(()) };
        let instances = rejection.instances.iter();
        let recall = Recall {
            project: self.project.clone(),
            note: leaving.instance.clone(),
            code: rejection.code.clone(),
            time_unix_ms: self.memory.clock.unix_ms(),
            instances: instances
                .map(|uid| outgoing(uid.expose(), &self.identity, assigned))
                .collect(),
        };
        self.memory.book.recall(recall).map_err(not_remembered)
    }
}

fn not_assigned(error: PseudonymError) -> WorkError {
    use PseudonymError as E;
    if matches!(error, E::NoPatientId) {
        Quarantine::new(Reason::NoPatientId, "(0010,0020)").into()
    } else if matches!(error, E::NotInList) {
        Quarantine::new(Reason::NotInList, "(0010,0020)").into()
    } else if matches!(error, E::NoBaselineDate | E::BaselineMoved) {
        Quarantine::new(Reason::NoBaselineDate, error.to_string()).into()
    } else if matches!(error, E::TooLong { .. }) {
        Quarantine::new(Reason::OverLimit, error.to_string()).into()
    } else {
        WorkError::NotAssigned { what: error.to_string() }
    }
}

/// Why an instance that a note with this code names is held.
pub(super) fn recalled(code: &str) -> Quarantine {
    Quarantine::new(Reason::Recalled, format!("rejection note {code}"))
}

fn not_remembered(error: CorrectionError) -> WorkError {
    match error {
        CorrectionError::TooMany { .. } => {
            Quarantine::new(Reason::OverLimit, error.to_string()).into()
        }
        CorrectionError::NotAJournal { .. }
        | CorrectionError::Damaged { .. }
        | CorrectionError::UnknownKey { .. }
        | CorrectionError::Failed
        | CorrectionError::Io { .. } => WorkError::NotAssigned { what: error.to_string() },
    }
}

async fn admit(report: Report, output: Stored) -> Result<Cleaned, WorkError> {
    match blocking(move || Cleaned::admit(report, output)).await {
        Ok(Ok(cleaned)) => Ok(cleaned),
        Ok(Err(error)) => Err(WorkError::Io { what: error.to_string() }),
        Err(error) => Err(WorkError::Io { what: error.to_string() }),
    }
}
