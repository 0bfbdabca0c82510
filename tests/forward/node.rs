//! A node in this process, with clean copies in its outboxes and two destinations:
//! `odd`, which misbehaves, and `good`.
//!
//! The real spool, queue, ledger and forwarding tasks; nothing is cleaned here.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use airlock::app::Opened;
use airlock::clock::{Clock, SystemClock};
use airlock::config::{self, Config};
use airlock::dicom::TransferSyntax;
use airlock::forward::Waits;
use airlock::forward::send::{SendLimits, Sender};
use airlock::lifecycle::{Stop, stop_flag};
use airlock::pipeline::{
    self, CleanLine, Destination, NodeParts, QuarantineView, QueueView, Target,
};
use airlock::receipt::{Outcome, report_bytes};
use airlock::spool::{Arrival, DestinationName, Spool};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::scripted::{CT, EXPLICIT, Scripted};
use crate::sender::clean_copy;

/// Longest wait for anything that must come: far above what it takes beside a build.
const WAIT_MAX: Duration = Duration::from_secs(50);
const POLL: Duration = Duration::from_millis(3);

/// What waits in a node before it starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) instances: usize,
    pub(crate) syntax: &'static str,
    pub(crate) bytes: usize,
}

/// Three small instances.
pub(crate) const THREE: Waiting = Waiting { instances: 3, syntax: EXPLICIT, bytes: 2_000 };

/// The n-th instance that waits, from 1.
pub(crate) fn instance(number: usize) -> String {
    format!("2.25.{}", 900 + number)
}

/// A destination and how the node deals with it.
pub(crate) struct Line<'a> {
    pub(crate) peer: &'a Scripted,
    pub(crate) limits: SendLimits,
    pub(crate) waits: Waits,
    pub(crate) associations: usize,
}

impl<'a> Line<'a> {
    pub(crate) fn to(peer: &'a Scripted, waits: Waits) -> Self {
        Self { peer, limits: SendLimits::default(), waits, associations: 1 }
    }

    fn destination(&self, name: &str) -> Destination {
        let sender = Sender::new(self.peer.address.clone(), self.limits.clone());
        let target = Target::Ae(Box::new(sender));
        let associations = self.associations;
        Destination { name: name.parse().unwrap(), target, associations, waits: self.waits }
    }
}

pub(crate) struct Node {
    node: Arc<pipeline::Node>,
    stop: Stop,
    running: JoinHandle<()>,
    _opened: Opened,
}

impl Node {
    /// Starts on what stands in `home`.
    pub(crate) fn start(home: &Path, odd: &Line<'_>, good: &Line<'_>) -> Self {
        Self::with_clock(home, Arc::new(SystemClock::new()), odd, good)
    }

    /// The same; `clock` says when what was put off is due.
    pub(crate) fn with_clock(
        home: &Path,
        clock: Arc<dyn Clock>,
        odd: &Line<'_>,
        good: &Line<'_>,
    ) -> Self {
        let config = configuration(home);
        let opened = Opened::new(&config).unwrap();
        let memory = opened.line_memory();
        let line = CleanLine::new(&config, memory.clone(), Vec::new()).unwrap();
        let parts = NodeParts {
            config,
            spool: opened.spool.clone(),
            ledger: Arc::clone(&opened.ledger),
            table: memory.table,
            key_id: opened.keys.current().id().to_owned(),
            versions: Arc::default(),
            book: memory.book,
            clock,
        };
        let node = pipeline::Node::new(parts).unwrap();
        let destinations = vec![odd.destination("odd"), good.destination("good")];
        let (stop, stopping) = stop_flag();
        let running = tokio::spawn({
            let node = Arc::clone(&node);
            async move { node.run(Arc::new(line), destinations, stopping).await }
        });
        Self { node, stop, running, _opened: opened }
    }

    /// Ends when all that was begun has ended.
    pub(crate) async fn stop(self) {
        self.stop.stop();
        tokio::time::timeout(WAIT_MAX, self.running).await.unwrap().unwrap();
    }

    /// Instances and statuses of the receipts of what a destination has.
    pub(crate) async fn delivered(&self, to: &str) -> Vec<(String, u16)> {
        let mut delivered = Vec::new();
        for receipt in self.node.receipts(None).await.unwrap() {
            if let Outcome::Delivered { destination, status } = &receipt.outcome
                && destination == to
            {
                delivered.push((receipt.cleaning.unwrap().instance, *status));
            }
        }
        delivered.sort();
        delivered
    }

    pub(crate) async fn quarantined(&self) -> Vec<QuarantineView> {
        self.node.quarantined(None).await.unwrap()
    }

    /// What people are told.
    pub(crate) async fn standing(&self) -> QueueView {
        self.node.standing().await.unwrap()
    }

    /// How many wait to be cleaned.
    pub(crate) async fn received(&self) -> usize {
        self.standing().await.received
    }

    /// Waits until a destination has so many.
    pub(crate) async fn until_delivered(&self, to: &str, count: usize) {
        until(&format!("{count} at {to}"), async || self.delivered(to).await.len() == count).await;
    }

    pub(crate) async fn until_quarantined(&self, count: usize) {
        until("quarantine", async || self.quarantined().await.len() == count).await;
    }

    /// Waits until nothing is left in any outbox.
    pub(crate) async fn until_empty(&self) {
        let empty = async || self.standing().await.outbox.values().all(|waiting| *waiting == 0);
        until("empty outboxes", empty).await;
    }
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < WAIT_MAX, "{what}: not within {WAIT_MAX:?}");
        tokio::time::sleep(POLL).await;
    }
}

/// Puts clean copies into the outboxes of both destinations.
pub(crate) fn fill(home: &Path, waiting: Waiting) {
    let opened = Opened::new(&configuration(home)).unwrap();
    for number in 1..=waiting.instances {
        fill_one(&opened.spool, (number, number), waiting);
    }
}

/// The same, and a correction of each, which is filled with its number plus 100.
pub(crate) fn fill_corrected(home: &Path, waiting: Waiting) {
    let opened = Opened::new(&configuration(home)).unwrap();
    for number in 1..=waiting.instances {
        fill_one(&opened.spool, (number, number), waiting);
        fill_one(&opened.spool, (number, number + 100), waiting);
    }
}

/// Puts the n-th instance there once more, of these bytes; its own are its number.
pub(crate) fn fill_again(home: &Path, number: usize, byte: usize) {
    let opened = Opened::new(&configuration(home)).unwrap();
    fill_one(&opened.spool, (number, byte), THREE);
}

fn fill_one(spool: &Spool, (number, byte): (usize, usize), waiting: Waiting) {
    let mut writer = spool.begin().unwrap();
    writer.append(b"as received").unwrap();
    let arrival = Arrival {
        project: "default".into(),
        calling_ae: "MODALITY".parse().unwrap(),
        called_ae: "AIRLOCK".parse().unwrap(),
        peer: None,
        sop_class: CT.parse().unwrap(),
        transfer_syntax: TransferSyntax::new(waiting.syntax.parse().unwrap()),
        instance_key: [u8::try_from(byte).unwrap(); 16],
    };
    let id = writer.commit(arrival).unwrap();
    let data = vec![u8::try_from(byte).unwrap(); waiting.bytes];
    let (bytes, report) = clean_copy(&instance(number), waiting.syntax, &data);
    std::fs::write(spool.clean_part(id).unwrap(), bytes).unwrap();
    let destinations: [DestinationName; 2] = ["odd", "good"].map(|name| name.parse().unwrap());
    spool.commit_clean(id, &report_bytes(&report), &destinations).unwrap();
}

/// Both destinations by name; where they are is told to the node directly.
fn configuration(home: &Path) -> Arc<Config> {
    let text = format!(
        "[data]\ndir = '{}'\nreserve_mib = 1\n[worker]\ncount = 1\n\
         [destination.odd]\nfolder = '/nowhere/odd'\n[destination.good]\nfolder = '/nowhere/good'\n",
        home.join("data").display()
    );
    let path = home.join("airlock.toml");
    std::fs::write(&path, text).unwrap();
    Arc::new(config::load(Some(&path)).unwrap())
}
