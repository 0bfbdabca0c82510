//! The order of the durable steps, known here and nowhere else: received →
//! cleaned → verified → admitted → forwarded → receipt → forgotten.
//!
//! Invariant: an instance leaves a state only when it stands durably in the
//! next one, so that a restart goes on from the files alone (docs/FLOW.md).

mod again;
pub mod alarm;
mod blocking;
pub mod commitment;
pub mod committer;
pub mod decide;
pub mod deliver;
pub mod folder;
pub mod handle;
mod health;
mod keep;
mod lanes;
pub mod line;
mod locks;
pub mod node;
pub mod person_words;
pub mod persons;
pub mod recall;
mod recode;
mod refusals;
mod room;
mod sending;
mod sent;
mod settle;
pub mod stages;
mod studies;
mod target;
pub mod versions;
mod whole;

pub use commitment::{CommitmentView, Holding};
pub use decide::{Choice, ReleaseOrder, Which};
pub use deliver::Destination;
pub use handle::{QuarantineView, QueueView};
pub use health::{PutOffView, TroubleView, told};
#[cfg(test)]
pub(crate) use line::StubWorker;
pub use line::{CleanLine, LineJob, LineMemory, Treatments};
pub use node::{Node, NodeError, NodeParts};
pub use person_words::{By, PersonAnswer, PersonRequest, PersonView, Whom, WrittenId};
pub use recall::{RecallView, RecalledView};
pub use studies::OnItsWay;
#[cfg(test)]
pub use target::Script;
pub use target::Target;
pub use versions::Versions;
pub use whole::StudyView;
