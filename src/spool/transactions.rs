//! Requests for storage commitment that a destination has not answered yet
//! (PS3.4 Annex J), each in a small synced file of its own.
//!
//! Only a help: that an instance waits for a commitment its record tells, so one
//! whose file is lost or damaged is asked for again.

use serde::{Deserialize, Serialize};

use super::layout::{Dir, JSON, PART};
use super::store::Shared;
use super::{DestinationName, Spool, SpoolError, SpoolId};
use crate::dicom::Uid;
use crate::disk::replace_synced;
use crate::kill_point::kill_point;

/// Longest file. Default 1 MiB: five times what the most instances of one need.
const TRANSACTION_BYTES_MAX: u64 = 1 << 20;
/// Most open requests that a start takes up. Default 10,000: five million instances.
const TRANSACTIONS_MAX: usize = 10_000;
/// Version of the file's format.
const VERSION: u32 = 1;

/// A request and what is known of its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// Version of this format.
    pub version: u32,
    /// Our name of it; that of its file.
    pub name: TransactionName,
    /// Who is asked.
    pub destination: DestinationName,
    /// Transaction UIDs under which it was asked, the newest last.
    pub uids: Vec<Uid>,
    /// Since when a report is waited for, milliseconds since 1970.
    pub begun_unix_ms: u64,
    /// The destination has taken the newest request (0000).
    pub taken: bool,
    /// Times that no report came in time.
    pub silences: u32,
    /// The instances.
    pub instances: Vec<Asked>,
}

/// An instance in a [`Transaction`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Ours.
    pub id: SpoolId,
    /// SOP Class UID.
    pub class: Uid,
    /// New SOP Instance UID.
    pub instance: Uid,
    /// What was reported of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Said>,
}

/// What a destination reported of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// It keeps it.
    Committed,
    /// It does not: Failure Reason (0008,1197).
    Failed(u16),
}

/// Our name of a transaction: 32 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TransactionName(SpoolId);

impl Transaction {
    /// A new one, not asked yet.
    #[must_use]
    pub fn new(
        name: TransactionName,
        destination: DestinationName,
        instances: Vec<Asked>,
        begun_unix_ms: u64,
    ) -> Self {
        Self {
            version: VERSION,
            name,
            destination,
            uids: Vec::new(),
            begun_unix_ms,
            taken: false,
            silences: 0,
            instances,
        }
    }
}

impl Spool {
    /// A name that no other transaction has.
    #[must_use]
    pub fn transaction_name(&self) -> TransactionName {
        TransactionName(self.0.next_id())
    }

    /// Writes a transaction, synced; one of the same name is replaced.
    ///
    /// # Errors
    /// [`SpoolError::Io`]: nothing is asked, or told, now.
    pub fn put_transaction(&self, transaction: &Transaction) -> Result<(), SpoolError> {
        let shared = &*self.0;
        shared.usable()?;
        let unwritable = |source| SpoolError::Io { step: "encode a transaction", source };
        let bytes = serde_json::to_vec(transaction).map_err(|e| unwritable(e.into()))?;
        replace_synced(&*shared.disk, &shared.transaction(transaction.name), &bytes)
            .map_err(|e| shared.judge("write a transaction", e))?;
        kill_point("spool.transaction.synced");
        Ok(())
    }

    /// Removes a transaction that is answered. Not synced: one that comes back is
    /// asked again, or finds its answers noted.
    ///
    /// # Errors
    /// [`SpoolError::Io`]: the caller tries later.
    pub fn remove_transaction(&self, name: TransactionName) -> Result<(), SpoolError> {
        self.0.usable()?;
        self.0.remove_if_there(&self.0.transaction(name))?;
        kill_point("spool.transaction.removed");
        Ok(())
    }

    /// All that stand, at most 10,000; what cannot be read is removed.
    ///
    /// # Errors
    /// [`SpoolError::Io`]: the node does not start.
    pub fn transactions(&self) -> Result<Vec<Transaction>, SpoolError> {
        let shared = &*self.0;
        let dir = shared.layout.dir(Dir::Transactions);
        let mut names = shared.names(&dir)?;
        names.sort_unstable();
        names.truncate(TRANSACTIONS_MAX);
        let mut transactions = Vec::new();
        for name in names {
            let path = dir.join(&name);
            if name.ends_with(PART) {
                shared.remove_if_there(&path)?;
                continue;
            }
            match shared.read_transaction(&path, &name)? {
                Some(transaction) => transactions.push(transaction),
                None => shared.remove_if_there(&path)?,
            }
        }
        Ok(transactions)
    }
}

impl Shared {
    fn transaction(&self, name: TransactionName) -> std::path::PathBuf {
        self.layout.dir(Dir::Transactions).join(format!("{}{JSON}", name.0))
    }

    fn read_transaction(
        &self,
        path: &std::path::Path,
        name: &str,
    ) -> Result<Option<Transaction>, SpoolError> {
        let bytes = match self.read_bounded(path, "transaction", TRANSACTION_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(SpoolError::TooLong { .. }) => return Ok(None),
            Err(other) => return Err(other),
        };
        let read = serde_json::from_slice::<Transaction>(&bytes).ok();
        Ok(read.filter(|read| read.version == VERSION && name == format!("{}{JSON}", read.name.0)))
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test damages files")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::ManualClock;
    use crate::spool::spool_in;

    #[test]
    fn transactions_outlive_a_restart_and_damaged_ones_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let open = || spool_in(dir.path(), Arc::new(ManualClock::default()));
        let spool = open();
        let made = |number: u8| {
            let asked = Asked {
                id: spool.0.next_id(),
                class: "1.2.840.10008.5.1.4.1.1.2".parse().unwrap(),
                instance: format!("2.25.{number}").parse().unwrap(),
                said: Some(Said::Failed(0x0112)),
            };
            let name = spool.transaction_name();
            let made = Transaction::new(name, "pacs".parse().unwrap(), vec![asked], 7);
            spool.put_transaction(&made).unwrap();
            made
        };
        let (first, mut second) = (made(1), made(2));
        second.taken = true;
        spool.put_transaction(&second).unwrap();
        let folder = dir.path().join("transactions");
        std::fs::write(folder.join("x.json.part"), "half").unwrap();
        std::fs::write(folder.join("x.json"), "{}").unwrap();
        std::fs::copy(spool.0.transaction(first.name), folder.join("moved.json")).unwrap();
        let spool = open();
        assert_eq!(spool.transactions().unwrap(), [first.clone(), second.clone()]);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
        spool.remove_transaction(first.name).unwrap();
        spool.remove_transaction(first.name).unwrap();
        assert_eq!(spool.transactions().unwrap(), [second]);
    }
}
