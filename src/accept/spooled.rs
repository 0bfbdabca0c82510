//! The [`Store`] that the node runs with: the spool.

use std::sync::Arc;

use super::{Arrival, Incoming, Store, StoreError};
use crate::spool::{self, Spool, SpoolError, SpoolId, SpoolWriter};

/// Makes the key by which a repeat is told (see [`spool::Arrival::instance_key`]).
pub type InstanceKey = dyn Fn(&Arrival) -> [u8; 16] + Send + Sync;

/// Is told of each instance after its commit and before its answer; must not wait.
pub type OnStored = dyn Fn(SpoolId) + Send + Sync;

/// Puts instances into the spool.
#[derive(Clone)]
pub struct SpoolStore {
    /// The spool.
    pub spool: Spool,
    /// Makes the key by which a repeat is told.
    pub instance_key: Arc<InstanceKey>,
    /// Is told of each stored instance.
    pub on_stored: Arc<OnStored>,
}

struct Spooling {
    writer: SpoolWriter,
    arrival: spool::Arrival,
    on_stored: Arc<OnStored>,
}

impl Store for SpoolStore {
    fn begin(&self, arrival: &Arrival) -> Result<Box<dyn Incoming>, StoreError> {
        let writer = self.spool.begin()?;
        let arrival = spool::Arrival {
            project: arrival.project.clone(),
            calling_ae: arrival.calling_ae.clone(),
            called_ae: arrival.called_ae.clone(),
            peer: Some(arrival.peer),
            sop_class: arrival.sop_class.clone(),
            transfer_syntax: arrival.transfer_syntax.clone(),
            instance_key: (self.instance_key)(arrival),
        };
        Ok(Box::new(Spooling { writer, arrival, on_stored: Arc::clone(&self.on_stored) }))
    }
}

impl Incoming for Spooling {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        Ok(self.writer.append(bytes)?)
    }

    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let id = self.writer.commit(self.arrival)?;
        (self.on_stored)(id);
        Ok(())
    }
}

impl From<SpoolError> for StoreError {
    fn from(error: SpoolError) -> Self {
        let refusal = match &error {
            // A disk that failed may be mended while the sender tries again.
            SpoolError::Full { .. } | SpoolError::Failed { .. } | SpoolError::Io { .. } => {
                Self::Full
            }
            SpoolError::TooLong { .. } => Self::TooLong,
            SpoolError::Damaged { .. } | SpoolError::NotThere { .. } => Self::Failed,
        };
        tracing::warn!(%error, "an instance was not taken");
        refusal
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::clock::SystemClock;
    use crate::dicom::TransferSyntax;
    use crate::disk::RealDisk;
    use crate::spool::{SpoolLimits, State};

    fn arrival() -> Arrival {
        Arrival {
            project: "trial".into(),
            calling_ae: "MODALITY".parse().unwrap(),
            called_ae: "AIRLOCK".parse().unwrap(),
            peer: [127, 0, 0, 1].into(),
            sop_class: "1.2.3".parse().unwrap(),
            sop_instance: "1.2.44".parse().unwrap(),
            transfer_syntax: TransferSyntax::new("1.2.840.10008.1.2.1".parse().unwrap()),
        }
    }

    #[test]
    fn what_is_committed_stands_in_the_spool_and_what_is_dropped_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let limits = SpoolLimits { reserve_bytes: 0, object_bytes_max: 10 };
        let clock = Arc::new(SystemClock::new());
        let (spool, _) = Spool::open(dir.path(), Arc::new(RealDisk), clock, limits).unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&told);
        let store = SpoolStore {
            spool: spool.clone(),
            instance_key: Arc::new(|_arrival| [7; 16]),
            on_stored: Arc::new(move |id| seen.lock().unwrap().push(id)),
        };
        let mut dropped = store.begin(&arrival()).unwrap();
        dropped.write(b"half").unwrap();
        drop(dropped);
        let mut long = store.begin(&arrival()).unwrap();
        assert_eq!(long.write(b"more than ten"), Err(StoreError::TooLong));
        drop(long);
        let mut kept = store.begin(&arrival()).unwrap();
        kept.write(b"whole").unwrap();
        assert!(told.lock().unwrap().is_empty());
        kept.commit().unwrap();

        let ids = spool.list(State::Received).unwrap();
        assert_eq!(*told.lock().unwrap(), ids);
        assert_eq!(ids.len(), 1);
        let record = spool.record(ids[0]).unwrap();
        assert_eq!((record.bytes, record.arrival.unwrap().instance_key), (5, [7; 16]));
    }
}
