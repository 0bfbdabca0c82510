//! One pseudonym per person and project: identity keys in, code and shift out.
//!
//! Invariant: a new mapping is synced in the journal before anybody is told
//! it; sled is an index that is rebuilt from the journal on any doubt
//! (DESIGN.md decision 7).
//!
//! Read in this order: [`person`] (the types), [`normalise`] (who is who),
//! [`keys`], [`derive`] (code and shift), [`table`] (the face) with `group` and
//! [`changes`], then below it `record`, `frame`, `journal`, `index` and
//! `recover`; beside it [`list`] (a trial's CSV) and [`rekey`].

pub mod changes;
#[cfg(test)]
mod changes_tests;
pub mod derive;
pub mod error;
mod frame;
mod group;
mod index;
mod journal;
pub mod keys;
pub mod list;
pub mod normalise;
pub mod person;
mod record;
mod recover;
pub mod rekey;
pub mod table;
#[cfg(test)]
mod tests;

pub use changes::{Import, Imported, Linked, ListFault, Page};
pub use derive::{CodeMode, CodeRule};
pub use error::PseudonymError;
pub use index::IndexDoubt;
pub use keys::{KeyError, KeyOrigin, KeyPurpose, Keys, MasterKey, SecretKey};
pub use list::read_list;
pub use normalise::{CaseRule, NoPerson, PersonRules};
pub use person::{Assigned, PersonKey, UidKey};
pub use record::Mapping;
pub use recover::{IndexState, TableReport};
pub use rekey::{Rekeyed, rekey};
pub use table::{PseudonymTable, SledTable, open};
