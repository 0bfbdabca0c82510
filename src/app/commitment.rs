//! Storage Commitment at the door, over node and configuration.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tracing::{error, info, warn};

use crate::accept::{Asker, Commitments, Later};
use crate::config::Config;
use crate::dimse::Limits;
use crate::dimse::commitment::{
    CLASS_INSTANCE_CONFLICT, NO_SUCH_INSTANCE, PROCESSING_FAILURE, Refusal, Report, Request,
};
use crate::dimse::scu::Address;
use crate::forward::commitment::report_to;
use crate::pipeline::{Holding, Node};
use crate::pseudonym::SecretKey;

use super::door::instance_mark;

/// Longest wait until what the node holds is known after its start. Default 30 s: a
/// sender's association waits for it; what is not known by then is not reported as kept.
const KNOWN_WAIT_MAX: Duration = Duration::from_secs(30);
/// Reports of ours that are on their way at once. Default 64; above it they are
/// dropped, and the sender asks again.
const REPORTS_MAX: usize = 64;
/// Waits before each try to report on an association of ours. Default at once, then
/// 30 s, 2 min, 10 min and 1 h: longer than a restart, and then the sender asks again.
const TRIES: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(60 * 60),
];

/// What the door asks.
pub(super) struct ByNode {
    pub(super) node: Arc<Node>,
    pub(super) config: Arc<Config>,
    pub(super) instance_key: SecretKey,
    reports: Arc<Semaphore>,
}

impl ByNode {
    pub(super) fn new(node: Arc<Node>, config: Arc<Config>, instance_key: SecretKey) -> Self {
        Self { node, config, instance_key, reports: Arc::new(Semaphore::new(REPORTS_MAX)) }
    }

    /// Where the sender takes reports.
    fn address(&self, asker: &Asker) -> Option<Address> {
        let sender = self.config.senders.iter().find(|sender| sender.name == asker.sender)?;
        let (host, port) = sender.commitment.as_ref()?.to.clone()?;
        let (called, calling) = (asker.calling.clone(), asker.called.clone());
        Some(Address { called, calling, host, port, tls: None })
    }
}

impl Commitments for ByNode {
    fn reported<'a>(
        &'a self,
        destination: &'a str,
        report: Report,
    ) -> Later<'a, Result<(), Refusal>> {
        Box::pin(self.node.reported(destination, report))
    }

    fn held<'a>(
        &'a self,
        asker: &'a Asker,
        request: Request,
    ) -> Later<'a, Result<Report, Refusal>> {
        Box::pin(async move {
            self.node.repeats_known(KNOWN_WAIT_MAX).await;
            let (node, key) = (Arc::clone(&self.node), self.instance_key.clone());
            let asker = asker.clone();
            let looked =
                tokio::task::spawn_blocking(move || looked_up(&node, &key, &asker, request));
            looked.await.map_err(|_runtime_ends| Refusal::Failed)
        })
    }

    fn tell(&self, asker: Asker, report: Report) {
        let calling = asker.calling.clone();
        let Some(address) = self.address(&asker) else {
            warn!(%calling, "the association ended before our report, and none is configured for it");
            return;
        };
        let Ok(permit) = Arc::clone(&self.reports).try_acquire_owned() else {
            warn!(%calling, "too many reports on their way: this one is dropped");
            return;
        };
        tokio::spawn(async move {
            for wait in TRIES {
                tokio::time::sleep(wait).await;
                match report_to(&address, &report, &Limits::default()).await {
                    Ok(()) => {
                        info!(%calling, "reported what is held");
                        drop(permit);
                        return;
                    }
                    Err(error) => warn!(%calling, %error, "our report was not taken"),
                }
            }
            error!(%calling, "our report on storage commitment was never taken");
        });
    }
}

fn looked_up(node: &Node, key: &SecretKey, asker: &Asker, request: Request) -> Report {
    let (mut committed, mut failed) = (Vec::new(), Vec::new());
    for reference in request.references {
        let mark = instance_mark(key, &asker.project, reference.instance.as_str());
        match node.holds(&mark, &asker.calling, &reference.class) {
            Ok(Holding::It) => committed.push(reference),
            Ok(Holding::OtherClass) => failed.push((reference, CLASS_INSTANCE_CONFLICT)),
            Ok(Holding::Nothing) => failed.push((reference, NO_SUCH_INSTANCE)),
            Err(error) => {
                error!(%error, "what is held cannot be told");
                failed.push((reference, PROCESSING_FAILURE));
            }
        }
    }
    Report { transaction: request.transaction, committed, failed }
}
