//! The front's side: worker processes kept warm, one instance each, ended
//! when they take too long.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Notify, Semaphore};
use zeroize::Zeroizing;

use super::protocol::{Answer, CleanOrder, Order, Role, Setup, VerifyOrder};
use super::protocol::{check_len, decode, encode};
use super::sandbox::EXIT_MEMORY;
use crate::clean::{Identity, Parts, Report};
use crate::pseudonym::Assigned;
use crate::reason::{Quarantine, Reason};

/// Longest wait for a fresh worker to be ready. Default 60 s: models are read
/// from a cold disk.
const READY_WAIT_MAX: Duration = Duration::from_secs(60);

/// Longest wait for a busy worker before another is started beside it. Default
/// 50 ms: headers take one or two each, and processes that take turns on a core
/// find their caches cold; a picture takes longer and gets a worker of its own.
const BUSY_WAIT_MAX: Duration = Duration::from_millis(50);

/// How a pool is made.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// The program; the node's own binary.
    pub program: PathBuf,
    /// What the workers are for.
    pub role: Role,
    /// Processes at most.
    pub count: usize,
    /// Longest time for one instance.
    pub time_max: Duration,
    /// First message to each.
    pub setup: Setup,
}

/// How a worker died over an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// It crashed or panicked.
    Crash,
    /// It was stopped for time.
    Time,
    /// It passed its memory limit.
    Memory,
}

impl Death {
    /// The reason when it happened for the last time.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::Crash => Reason::WorkerDied,
            Self::Time => Reason::TimeLimit,
            Self::Memory => Reason::MemoryLimit,
        }
    }
}

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The instance goes to quarantine.
    #[error(transparent)]
    Quarantine(#[from] Quarantine),
    /// The worker died: tried again in a fresh one, quarantined at the third time.
    #[error("worker died: {what}")]
    Died {
        /// How.
        death: Death,
        /// Exit status or place of the panic.
        what: String,
    },
    /// No worker can be started: nothing is cleaned until it is mended.
    #[error("no worker could be started: {what}")]
    NotStarted {
        /// Why.
        what: String,
    },
    /// The system refused reading or writing: tried again later.
    #[error("worker could not read or write: {what}")]
    Io {
        /// The kind of error.
        what: String,
    },
    /// The pseudonym was not given: tried again later.
    #[error("no pseudonym: {what}")]
    NotAssigned {
        /// Why.
        what: String,
    },
}

/// What a worker made of one instance.
#[derive(Debug)]
pub struct Made {
    /// What it did.
    pub report: Report,
    /// What of the clean object lies in the received one.
    pub parts: Option<Parts>,
    /// What the person is called.
    pub assigned: Assigned,
}

/// Worker processes of one role.
#[derive(Debug)]
pub struct Pool {
    options: PoolOptions,
    permits: Semaphore,
    idle: Mutex<Vec<Worker>>,
    /// Told when a worker becomes idle.
    put_down: Notify,
    /// Shared with each worker there is.
    running: Arc<()>,
}

#[derive(Debug)]
struct Worker {
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    _running: Arc<()>,
}

impl Pool {
    /// A pool that starts its processes when they are first needed.
    #[must_use]
    pub fn new(options: PoolOptions) -> Self {
        let permits = Semaphore::new(options.count.max(1));
        let idle = Mutex::new(Vec::new());
        Self { options, permits, idle, put_down: Notify::new(), running: Arc::new(()) }
    }

    /// Starts one worker, to learn early whether that works.
    ///
    /// # Errors
    /// [`WorkError::NotStarted`]: the program says so and exits.
    pub async fn warm(&self) -> Result<(), WorkError> {
        let worker = self.start().await?;
        self.put_back(worker);
        Ok(())
    }

    /// Cleans one instance; `assign` is called once with whose it is. Gives what
    /// was made and what was assigned.
    ///
    /// # Errors
    /// [`WorkError`], each variant with what happens next.
    pub async fn clean<A, F>(&self, order: CleanOrder, assign: A) -> Result<Made, WorkError>
    where
        A: FnOnce(Identity) -> F,
        F: Future<Output = Result<Assigned, WorkError>>,
    {
        let _permit = self.permits.acquire().await;
        let mut worker = self.take().await?;
        let talk = worker.cleaning(order, assign);
        match tokio::time::timeout(self.options.time_max, talk).await {
            Err(_elapsed) => Err(worker.kill().await),
            Ok(Ok(Talk::Done(made))) => {
                self.put_back(worker);
                Ok(*made)
            }
            Ok(Ok(Talk::NotAssigned(error))) => {
                self.put_back(worker);
                Err(error)
            }
            Ok(Ok(Talk::Other(answer))) => Err(self.settle(worker, answer).await),
            Ok(Err(_pipe_broken)) => Err(worker.died().await),
        }
    }

    /// Checks one clean instance. Gives the CRC-32 of what it has from the
    /// received one.
    ///
    /// # Errors
    /// [`WorkError`], each variant with what happens next.
    pub async fn verify(&self, order: VerifyOrder) -> Result<u32, WorkError> {
        let _permit = self.permits.acquire().await;
        let mut worker = self.take().await?;
        let order = Order::Verify(Box::new(order));
        match tokio::time::timeout(self.options.time_max, worker.exchange(&order)).await {
            Err(_elapsed) => Err(worker.kill().await),
            Ok(Ok(Answer::Verified(crc32))) => {
                self.put_back(worker);
                Ok(crc32)
            }
            Ok(Ok(answer)) => Err(self.settle(worker, answer).await),
            Ok(Err(_pipe_broken)) => Err(worker.died().await),
        }
    }

    /// Puts a worker that answered with a refusal back, or lets it go.
    async fn settle(&self, worker: Worker, answer: Answer) -> WorkError {
        match answer {
            Answer::Refused(quarantine) => {
                self.put_back(worker);
                quarantine.into()
            }
            Answer::Io(what) => {
                self.put_back(worker);
                WorkError::Io { what }
            }
            Answer::Panicked(what) => WorkError::Died { death: Death::Crash, what },
            Answer::SetupFailed(what) => WorkError::NotStarted { what },
            Answer::Ready(_) | Answer::Identity(_) | Answer::Cleaned(..) | Answer::Verified(_) => {
                worker.kill().await;
                let what = "answer out of turn".to_owned();
                WorkError::Died { death: Death::Crash, what }
            }
        }
    }

    /// An idle worker, one that is soon idle, or a fresh one.
    async fn take(&self) -> Result<Worker, WorkError> {
        match tokio::time::timeout(BUSY_WAIT_MAX, self.soon_idle()).await {
            Ok(Some(worker)) => Ok(worker),
            Ok(None) | Err(_) => self.start().await,
        }
    }

    /// Waits for an idle worker; `None` when there is no worker at all.
    async fn soon_idle(&self) -> Option<Worker> {
        loop {
            // Made before the look, so that none is missed in between.
            let put_down = self.put_down.notified();
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            if let Some(mut worker) = idle {
                // One that died while it waited must not cost an instance a try.
                if worker.process.try_wait().is_ok_and(|end| end.is_none()) {
                    return Some(worker);
                }
                continue;
            }
            if Arc::strong_count(&self.running) == 1 {
                return None;
            }
            put_down.await;
        }
    }

    fn put_back(&self, worker: Worker) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        self.put_down.notify_one();
    }

    async fn start(&self) -> Result<Worker, WorkError> {
        let not_started = |what: String| WorkError::NotStarted { what };
        let mut process = Command::new(&self.options.program)
            .args(["worker", "--role", self.options.role.as_str()])
            // The runtime would phone home otherwise; a worker could not, but tries.
            .env("ORT_DISABLE_TELEMETRY", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Foreign libraries may print what they read; nobody is to see it.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| not_started(error.to_string()))?;
        let (Some(stdin), Some(stdout)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(not_started("no pipes".into()));
        };
        let stdout = BufReader::new(stdout);
        let mut worker = Worker { process, stdin, stdout, _running: Arc::clone(&self.running) };
        let setup = Order::Setup(self.options.setup.clone());
        match tokio::time::timeout(READY_WAIT_MAX, worker.exchange(&setup)).await {
            Ok(Ok(Answer::Ready(not_confined))) => {
                if !not_confined.is_empty() {
                    tracing::warn!(
                        role = self.options.role.as_str(),
                        ?not_confined,
                        "worker is not fully confined"
                    );
                }
                Ok(worker)
            }
            Ok(Ok(Answer::SetupFailed(what))) => Err(not_started(what)),
            Ok(Ok(_)) => Err(not_started("answer out of turn".into())),
            Ok(Err(error)) => Err(not_started(error.to_string())),
            Err(_elapsed) => Err(not_started("not ready in time".into())),
        }
    }
}

/// How a talk about one instance ended.
enum Talk {
    Done(Box<Made>),
    /// The front gave no pseudonym; the worker has put the instance down.
    NotAssigned(WorkError),
    Other(Answer),
}

impl Worker {
    async fn cleaning<A, F>(&mut self, order: CleanOrder, assign: A) -> io::Result<Talk>
    where
        A: FnOnce(Identity) -> F,
        F: Future<Output = Result<Assigned, WorkError>>,
    {
        let first = self.exchange(&Order::Clean(order)).await?;
        let Answer::Identity(identity) = first else { return Ok(Talk::Other(first)) };
        let assigned = match assign(*identity).await {
            Ok(assigned) => assigned,
            Err(error) => {
                let put_down = self.exchange(&Order::Withdraw).await?;
                let known = matches!(put_down, Answer::Io(_));
                return Ok(if known { Talk::NotAssigned(error) } else { Talk::Other(put_down) });
            }
        };
        let last = self.exchange(&Order::Assigned(assigned.clone())).await?;
        let Answer::Cleaned(report, parts) = last else { return Ok(Talk::Other(last)) };
        Ok(Talk::Done(Box::new(Made { report: *report, parts, assigned })))
    }

    async fn exchange(&mut self, order: &Order) -> io::Result<Answer> {
        self.stdin.write_all(&encode(order)?).await?;
        let mut head = [0; 4];
        self.stdout.read_exact(&mut head).await?;
        let bytes = u32::from_le_bytes(head);
        check_len(bytes)?;
        let mut body = Zeroizing::new(vec![0; bytes as usize]);
        self.stdout.read_exact(&mut body).await?;
        decode(&body)
    }

    /// Ends a worker that took too long.
    async fn kill(mut self) -> WorkError {
        // It may have ended by itself in this moment; either way it is gone.
        drop(self.process.kill().await);
        WorkError::Died { death: Death::Time, what: "stopped at the time limit".into() }
    }

    /// Asks how a worker died whose pipe broke.
    async fn died(mut self) -> WorkError {
        drop(self.stdin);
        drop(self.stdout);
        let status = match tokio::time::timeout(Duration::from_secs(5), self.process.wait()).await {
            Ok(Ok(status)) => status,
            Ok(Err(_)) | Err(_) => {
                drop(self.process.kill().await);
                return WorkError::Died { death: Death::Crash, what: "pipe broken".into() };
            }
        };
        let memory = status.code() == Some(i32::from(EXIT_MEMORY));
        let death = if memory { Death::Memory } else { Death::Crash };
        WorkError::Died { death, what: status.to_string() }
    }
}
