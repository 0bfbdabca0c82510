//! One instance through the cleaning line: worker, second worker, admission.
//!
//! Shared by the node ([`super::stages`]) and by folders ([`super::folder`]):
//! there is one way to a [`Cleaned`], and it goes through clean and verify.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clean::{Cleaned, Report};
use crate::config::{Config, Project};
use crate::pseudonym::{Assigned, PersonKey, PseudonymError, PseudonymTable};
use crate::reason::{Quarantine, Reason};
use crate::worker::{CleanOrder, Pool, PoolOptions, Role, Setup, VerifyOrder, WorkError, protocol};

/// Worker pools of both roles, and the table that names persons.
pub struct CleanLine {
    cleaners: Pool,
    verifiers: Pool,
    table: Arc<dyn PseudonymTable>,
}

/// One instance to be cleaned.
#[derive(Debug, Clone, Copy)]
pub struct LineJob<'a> {
    /// The received object.
    pub input: &'a Path,
    /// Where the clean object is written.
    pub output: &'a Path,
    /// The project.
    pub project: &'a Project,
    /// Issuer of Patient ID where the object has none, by its sender; may be empty.
    pub default_issuer: &'a str,
    /// Hex SHA-256 that the received object had when it was acknowledged.
    pub expected_digest: Option<&'a str>,
}

impl CleanLine {
    /// Pools for `config`; workers may write into `writable` only.
    ///
    /// # Errors
    /// The system's error when the program cannot find itself.
    pub fn new(
        config: &Config,
        table: Arc<dyn PseudonymTable>,
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
                },
            })
        };
        Ok(Self {
            cleaners: pool(Role::Clean, config.workers),
            verifiers: pool(Role::Verify, config.workers),
            table,
        })
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
        let report = self.check(job).await?;
        admit(report, job.output.to_owned()).await
    }

    /// Cleans and verifies one instance. What stands at `output` leaves only by
    /// way of [`Cleaned`], which compares it with this report.
    ///
    /// # Errors
    /// [`WorkError`], each variant with what happens next.
    pub async fn check(&self, job: LineJob<'_>) -> Result<Report, WorkError> {
        let order = CleanOrder {
            input: job.input.to_owned(),
            output: job.output.to_owned(),
            project: job.project.name.clone(),
            default_issuer: job.default_issuer.to_owned(),
        };
        let (report, assigned) =
            self.cleaners.clean(order, |person| self.assign(job.project, person)).await?;
        if job.expected_digest.is_some_and(|expected| expected != report.input_digest) {
            let detail = "bytes differ from those acknowledged";
            return Err(Quarantine::new(Reason::DamagedSpool, detail).into());
        }
        let order = VerifyOrder {
            input: job.input.to_owned(),
            output: job.output.to_owned(),
            project: job.project.name.clone(),
            assigned,
            report: report.clone(),
        };
        self.verifiers.verify(order).await?;
        Ok(report)
    }

    async fn assign(&self, project: &Project, person: PersonKey) -> Result<Assigned, WorkError> {
        let (table, project) = (Arc::clone(&self.table), project.name.clone());
        let assigned = tokio::task::spawn_blocking(move || table.assign(&project, &person)).await;
        match assigned {
            Ok(Ok(assigned)) => Ok(assigned),
            Ok(Err(PseudonymError::NoPatientId)) => {
                Err(Quarantine::new(Reason::NoPatientId, "(0010,0020)").into())
            }
            Ok(Err(error @ PseudonymError::TooLong { .. })) => {
                Err(Quarantine::new(Reason::OverLimit, error.to_string()).into())
            }
            Ok(Err(PseudonymError::NotInList)) => {
                Err(Quarantine::new(Reason::NotInList, "(0010,0020)").into())
            }
            Ok(Err(error @ (PseudonymError::NoBaselineDate | PseudonymError::BaselineMoved))) => {
                Err(Quarantine::new(Reason::NoBaselineDate, error.to_string()).into())
            }
            Ok(Err(error)) => Err(WorkError::NotAssigned { what: error.to_string() }),
            Err(error) => Err(WorkError::NotAssigned { what: error.to_string() }),
        }
    }
}

async fn admit(report: Report, output: PathBuf) -> Result<Cleaned, WorkError> {
    match tokio::task::spawn_blocking(move || Cleaned::admit(report, output)).await {
        Ok(Ok(cleaned)) => Ok(cleaned),
        Ok(Err(error)) => Err(WorkError::Io { what: error.to_string() }),
        Err(error) => Err(WorkError::Io { what: error.to_string() }),
    }
}
