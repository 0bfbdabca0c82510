//! Claims about the quota: what is counted is what stands, whatever was done.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use crate::clock::ManualClock;
use crate::disk::RealDisk;
use crate::reason::{Quarantine, Reason};
use crate::spool::{Delivery, Spool, SpoolError, SpoolId, SpoolLimits, invented_arrival};
use crate::vault::{Vault, VaultKey};

fn open(root: &Path, vault: Vault) -> Spool {
    let quota_bytes = Some(4 << 20);
    let limits = SpoolLimits { reserve_bytes: 0, quota_bytes, ..SpoolLimits::default() };
    let clock = Arc::new(ManualClock::default());
    Spool::open_with(root, Arc::new(RealDisk), clock, (limits, vault)).unwrap().0
}

fn receive(spool: &Spool, bytes: usize) -> Result<SpoolId, SpoolError> {
    let mut writer = spool.begin()?;
    writer.append(&vec![7; bytes])?;
    writer.commit(invented_arrival())
}

fn on_disk(root: &Path) -> u64 {
    let dirs = ["received", "held", "cleaned", "quarantine"];
    let files = dirs.iter().flat_map(|dir| std::fs::read_dir(root.join(dir)).unwrap());
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

#[test]
fn what_is_counted_is_what_stands() {
    let sealing = Vault::new(true, vec![VaultKey::new("00000001", &[1; 32])]);
    for vault in [Vault::default(), sealing] {
        let dir = tempfile::tempdir().unwrap();
        let spool = open(dir.path(), vault.clone());
        let counted = |spool: &Spool| assert_eq!(spool.used_bytes(), Some(on_disk(dir.path())));
        let ids = [receive(&spool, 100_000).unwrap(), receive(&spool, 200_000).unwrap()];
        counted(&spool);
        let mut dropped = spool.begin().unwrap();
        dropped.append(&[1; 50_000]).unwrap();
        drop(dropped);
        counted(&spool);
        spool.clean_part(ids[0]).unwrap();
        let mut part = spool.stored_part(&spool.record(ids[0]).unwrap()).create().unwrap();
        part.write_all(&[8; 70_000]).unwrap();
        part.finish().unwrap();
        spool.commit_clean(ids[0], b"{}", &["pacs".parse().unwrap()]).unwrap();
        counted(&spool);
        spool.quarantine(ids[1], &Quarantine::new(Reason::BadIdentity, "")).unwrap();
        counted(&spool);
        spool.release(ids[1]).unwrap();
        drop(spool);
        let spool = open(dir.path(), vault);
        counted(&spool);
        let delivery = Delivery { status: 0, at_unix_ms: 1 };
        assert!(spool.delivered(ids[0], &"pacs".parse().unwrap(), delivery).unwrap());
        spool.forget(&ids[..1]).unwrap();
        counted(&spool);
        spool.quarantine(ids[1], &Quarantine::new(Reason::BadIdentity, "")).unwrap();
        spool.discard(ids[1], "somebody", "because").unwrap();
        assert_eq!((spool.used_bytes(), on_disk(dir.path())), (Some(0), 0));
    }
}

#[test]
fn over_the_quota_nothing_is_taken_until_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path(), Vault::default());
    let first = receive(&spool, (3 << 20) + 1).unwrap();
    let over = spool.check_space().unwrap_err();
    assert!(matches!(over, SpoolError::OverQuota { used_bytes: 3_145_729, .. }), "{over}");
    assert!(matches!(receive(&spool, 10), Err(SpoolError::OverQuota { .. })));
    spool.quarantine(first, &Quarantine::new(Reason::BadIdentity, "")).unwrap();
    spool.discard(first, "somebody", "because").unwrap();
    receive(&spool, 10).unwrap();
    // And in the middle of one.
    let mut writer = spool.begin().unwrap();
    let pieces = vec![1; 512 << 10];
    let taken = (0..20).take_while(|_| writer.append(&pieces).is_ok()).count();
    assert!((5..=8).contains(&taken), "{taken}");
    drop(writer);
    assert_eq!(spool.used_bytes(), Some(10));
}
