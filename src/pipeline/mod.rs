//! The order of the durable steps, known here and nowhere else: received →
//! cleaned → verified → admitted → forwarded → receipt → forgotten.
//!
//! Invariant: an instance leaves a state only when it stands durably in the
//! next one, so that a restart goes on from the files alone (docs/FLOW.md).

pub mod alarm;
pub mod decide;
pub mod deliver;
pub mod folder;
pub mod handle;
pub mod line;
mod locks;
pub mod node;
pub mod person_words;
pub mod persons;
pub mod recall;
mod refusals;
pub mod stages;

pub use decide::{Choice, ReleaseOrder, Which};
pub use deliver::{Destination, Target};
pub use handle::{QuarantineView, QueueView};
pub use line::{CleanLine, LineJob, LineMemory, Treatments};
pub use node::{Node, NodeError, NodeParts};
pub use person_words::{By, PersonAnswer, PersonRequest, PersonView, Whom, WrittenId};
pub use recall::{RecallView, RecalledView};
