//! Claims about a spool whose files are sealed.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;

use crate::clock::ManualClock;
use crate::disk::RealDisk;
use crate::reason::{Quarantine, Reason};
use crate::spool::{Delivery, Spool, SpoolError, SpoolId, SpoolLimits, State, invented_arrival};
use crate::vault::{Vault, VaultKey};

const CANARY: &[u8] = b"CANARY^JANE";

fn key(number: u8) -> VaultKey {
    VaultKey::new(&format!("{number:08x}"), &[number; 32])
}

fn sealing() -> Vault {
    Vault::new(true, vec![key(1)])
}

fn open(root: &Path, vault: Vault) -> Spool {
    let limits = SpoolLimits { reserve_bytes: 0, ..SpoolLimits::default() };
    let clock = Arc::new(ManualClock::default());
    Spool::open_with(root, Arc::new(RealDisk), clock, (limits, vault)).unwrap().0
}

/// More than two segments, with the canary at start, border and end.
fn object() -> Vec<u8> {
    [CANARY, &vec![7; (64 << 10) - 15], CANARY, &vec![8; 80_000], CANARY].concat()
}

fn receive(spool: &Spool) -> SpoolId {
    let mut writer = spool.begin().unwrap();
    for piece in object().chunks(10_000) {
        writer.write_all(piece).unwrap();
    }
    assert_eq!(writer.bytes(), object().len() as u64);
    writer.commit(invented_arrival()).unwrap()
}

fn clean(spool: &Spool, id: SpoolId) {
    spool.clean_part(id).unwrap();
    let mut part = spool.stored_part(&spool.record(id).unwrap()).create().unwrap();
    part.write_all(&object()).unwrap();
    part.finish().unwrap();
    let report = [b"{\"of\":\"", CANARY, b"\"}"].concat();
    spool.commit_clean(id, &report, &["pacs".parse().unwrap()]).unwrap();
}

fn files(root: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            files.push((path, bytes));
        }
    }
    files
}

fn canaries(root: &Path) -> usize {
    let of = |bytes: &[u8]| bytes.windows(CANARY.len()).filter(|part| *part == CANARY).count();
    files(root).iter().map(|(_, bytes)| of(bytes)).sum()
}

fn read(spool: &Spool, state: State, id: SpoolId) -> Vec<u8> {
    let mut bytes = Vec::new();
    spool.open_object(state, id).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn nothing_that_was_received_cleaned_or_told_stands_plain_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path(), sealing());
    let id = receive(&spool);
    assert_eq!(spool.open_object(State::Received, id).unwrap().byte_len(), object().len() as u64);
    clean(&spool, id);
    assert_eq!(canaries(dir.path()), 0);
    let meta = std::fs::read(dir.path().join(format!("meta/{id}.meta"))).unwrap();
    assert!(!String::from_utf8_lossy(&meta).contains("AIRLOCK"));
    for state in [State::Held, State::Cleaned] {
        assert_eq!(read(&spool, state, id), object());
    }
    let mut held = spool.open_object(State::Held, id).unwrap();
    held.seek(SeekFrom::End(-11)).unwrap();
    let mut end = Vec::new();
    held.read_to_end(&mut end).unwrap();
    assert_eq!(end, CANARY);
    let (sha256, bytes) = held.digest().unwrap();
    let record = spool.record(id).unwrap();
    assert_eq!((record.sha256, record.bytes), (sha256, bytes));
    assert!(spool.report(id).unwrap().ends_with(b"CANARY^JANE\"}"));
    drop(spool);

    // After a restart, and to the end.
    let spool = open(dir.path(), sealing());
    let delivery = Delivery { status: 0, at_unix_ms: 1 };
    assert!(spool.delivered(id, &"pacs".parse().unwrap(), delivery).unwrap());
    spool.forget(&[id]).unwrap();
    assert!(files(dir.path()).is_empty());
}

#[test]
fn quarantine_release_and_discard_work_on_sealed_files() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path(), sealing());
    let (kept, gone) = (receive(&spool), receive(&spool));
    for _ in 0..5 {
        spool.quarantine(kept, &Quarantine::new(Reason::BadIdentity, "(0010,0020)")).unwrap();
        spool.release(kept).unwrap();
        spool.note_attempt(kept).unwrap();
    }
    assert_eq!(spool.record(kept).unwrap().releases, 5);
    assert_eq!(read(&spool, State::Received, kept), object());
    spool.quarantine(gone, &Quarantine::new(Reason::BadIdentity, "")).unwrap();
    spool.discard(gone, "somebody", "because").unwrap();
    assert_eq!(spool.state(gone).unwrap(), None);
    assert_eq!(canaries(dir.path()), 0);
}

#[test]
fn what_was_written_before_the_option_changed_is_still_read() {
    let dir = tempfile::tempdir().unwrap();
    let plain = receive(&open(dir.path(), Vault::new(false, vec![key(1)])));
    let spool = open(dir.path(), sealing());
    let sealed = receive(&spool);
    assert_eq!(read(&spool, State::Received, plain), object());
    spool.note_attempt(plain).unwrap();
    clean(&spool, plain);
    assert_eq!(read(&spool, State::Cleaned, plain), object());
    drop(spool);
    let off = open(dir.path(), Vault::new(false, vec![key(1)]));
    off.note_attempt(sealed).unwrap();
    clean(&off, sealed);
    for id in [plain, sealed] {
        assert_eq!(off.record(id).unwrap().attempts, 1);
        assert_eq!(read(&off, State::Held, id), object());
        assert_eq!(read(&off, State::Cleaned, id), object());
        off.report(id).unwrap();
    }
    // Once sealed, an instance stays so: only the plain original shows itself.
    assert_eq!(canaries(dir.path()), 3);
}

#[test]
fn a_plain_file_in_the_place_of_a_sealed_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path(), sealing());
    let id = receive(&spool);
    let record = spool.record(id).unwrap();
    clean(&spool, id);
    std::fs::write(spool.path(State::Held, id), object()).unwrap();
    let opened = spool.stored_of(State::Held, &record).open();
    assert!(opened.unwrap_err().to_string().contains("plain file"));
    std::fs::write(dir.path().join(format!("report/{id}.json")), b"{}").unwrap();
    assert!(matches!(spool.report(id), Err(SpoolError::Damaged { .. })));
    let meta = dir.path().join(format!("meta/{id}.meta"));
    let line = serde_json::to_vec(&record).unwrap();
    let crc = format!("\n{:08x}\n", crc32fast::hash(&line));
    std::fs::write(&meta, [line, crc.into_bytes()].concat()).unwrap();
    assert!(matches!(spool.record(id), Err(SpoolError::Damaged { .. })));
}

#[test]
fn files_of_two_instances_that_are_exchanged_are_damage() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path(), sealing());
    let (one, other) = (receive(&spool), receive(&spool));
    clean(&spool, one);
    std::fs::copy(spool.path(State::Received, other), spool.path(State::Held, one)).unwrap();
    let exchanged = spool.open_object(State::Held, one);
    assert!(matches!(exchanged.err(), Some(SpoolError::Damaged { .. })));
    // Nor does an original stand for a clean copy.
    std::fs::copy(spool.path(State::Received, other), spool.path(State::Cleaned, one)).unwrap();
    assert!(spool.stored(State::Cleaned, one).open().is_err());
    let meta = |id| dir.path().join(format!("meta/{id}.meta"));
    std::fs::copy(meta(other), meta(one)).unwrap();
    assert!(matches!(spool.record(one), Err(SpoolError::Damaged { .. })));
}

#[test]
fn a_missing_key_keeps_the_instance_and_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let id = receive(&open(dir.path(), sealing()));
    let spool = open(dir.path(), Vault::new(true, vec![key(2)]));
    let told = spool.record(id).unwrap_err();
    assert!(matches!(&told, SpoolError::Locked { .. }));
    assert!(told.to_string().contains("DATA/keys/retired-00000001"), "{told}");
    let why = Quarantine::new(Reason::DamagedSpool, "");
    assert!(spool.quarantine(id, &why).is_err(), "nothing is rebuilt over it");
    assert!(matches!(spool.open_object(State::Received, id), Err(SpoolError::Locked { .. })));
    drop(spool);
    let back = open(dir.path(), Vault::new(true, vec![key(2), key(1)]));
    assert_eq!(read(&back, State::Received, id), object());
    // New entries are under the new key, behind those of the old one.
    back.note_attempt(id).unwrap();
    assert_eq!(back.record(id).unwrap().attempts, 1);
}
