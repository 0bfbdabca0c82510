//! The research PACS: remembers each delivery, outlives every node.

use std::collections::BTreeMap;

use tokio::runtime::Runtime;

use crate::scripted::{Act, Event, Scripted};

/// A delivery: what the destination can say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// Instance Number (0020,0013), which no profile takes away.
    pub(crate) number: usize,
    /// The pseudonym in Patient ID (0010,0020).
    pub(crate) code: String,
    /// The data set.
    pub(crate) bytes: Vec<u8>,
}

impl Delivery {
    /// Reads a data set in Explicit VR Little Endian.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        let number = value(&bytes, b"\x20\x00\x13\x00IS").parse().expect("an instance number");
        let code = value(&bytes, b"\x10\x00\x20\x00LO");
        Self { number, code, bytes }
    }
}

/// The value of the first element with this tag and VR.
fn value(bytes: &[u8], head: &[u8; 6]) -> String {
    let found = bytes.windows(head.len()).position(|window| window == head);
    let at = found.expect("the element") + head.len();
    let length = usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let text = std::str::from_utf8(&bytes[at + 2..at + 2 + length]).expect("ASCII");
    text.trim_matches(['\0', ' ']).to_owned()
}

/// A Storage SCP on loopback with a runtime of its own.
#[derive(Debug)]
pub(crate) struct Sink {
    scripted: Scripted,
    _runtime: Runtime,
}

impl Sink {
    /// One that stores everything.
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let scripted = runtime.block_on(async { Scripted::start(Act::Answer(0)) });
        Self { scripted, _runtime: runtime }
    }

    /// What it does from now on.
    pub(crate) fn behave(&self, act: Act) {
        self.scripted.behave(act);
    }

    /// Whether every sender's end was seen.
    pub(crate) fn is_alone(&self) -> bool {
        self.scripted.at_once() == 0
    }

    pub(crate) fn port(&self) -> u16 {
        self.scripted.address.port
    }

    /// Whole data sets that came, in their order.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.scripted.stores().into_iter().map(|(_instance, bytes)| Delivery::of(bytes)).collect()
    }

    /// How many came.
    pub(crate) fn count(&self) -> usize {
        self.seen(|event| matches!(event, Event::Store(..)))
    }

    /// How often it saw something.
    pub(crate) fn seen(&self, event: impl Fn(&Event) -> bool) -> usize {
        self.scripted.count(event)
    }

    /// Deliveries of each instance.
    pub(crate) fn by_number(&self) -> BTreeMap<usize, Vec<Delivery>> {
        let mut all: BTreeMap<usize, Vec<Delivery>> = BTreeMap::new();
        for delivery in self.deliveries() {
            all.entry(delivery.number).or_default().push(delivery);
        }
        all
    }
}
