//! Claims about the spool on a real disk, and about full and failing ones.
//! What a crash may do is in [`crash`].

mod crash;
mod quota;
mod sealed;
mod world;

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Arrival, Delivery, DestinationName, Recovery, Spool, SpoolError, SpoolId};
use super::{SpoolLimits, State};
use crate::clock::{Clock, ManualClock};
use crate::dicom::TransferSyntax;
use crate::disk::testing::{FaultyDisk, VolatileDisk};
use crate::disk::{Disk, RealDisk};
use crate::reason::{Quarantine, Reason};

pub(crate) fn invented_arrival() -> Arrival {
    Arrival {
        project: String::from("trial"),
        calling_ae: "US1".parse().unwrap(),
        called_ae: "AIRLOCK".parse().unwrap(),
        peer: Some([192, 0, 2, 7].into()),
        sop_class: "1.2.840.10008.5.1.4.1.1.6.1".parse().unwrap(),
        transfer_syntax: TransferSyntax::new("1.2.840.10008.1.2.1".parse().unwrap()),
        instance_key: [7; 16],
    }
}

/// A spool on the real disk without a reserve, for the tests of other modules.
pub(crate) fn spool_in(root: &Path, clock: Arc<dyn Clock>) -> Spool {
    let limits = SpoolLimits { reserve_bytes: 0, ..SpoolLimits::default() };
    Spool::open(root, Arc::new(RealDisk), clock, limits).unwrap().0
}

fn open_on(root: &Path, disk: Arc<dyn Disk>, limits: SpoolLimits) -> (Spool, Recovery) {
    Spool::open(root, disk, Arc::new(ManualClock::default()), limits).unwrap()
}

fn real(dir: &tempfile::TempDir) -> (Spool, Recovery) {
    let limits = SpoolLimits { reserve_bytes: 0, ..SpoolLimits::default() };
    open_on(&dir.path().join("a/b/spool"), Arc::new(RealDisk), limits)
}

fn receive(spool: &Spool, bytes: &[u8]) -> SpoolId {
    let mut writer = spool.begin().unwrap();
    writer.write_all(bytes).unwrap();
    writer.commit(invented_arrival()).unwrap()
}

fn clean(spool: &Spool, id: SpoolId, destinations: &[DestinationName]) {
    std::fs::write(spool.clean_part(id).unwrap(), b"clean").unwrap();
    spool.commit_clean(id, b"{}", destinations).unwrap();
}

fn to(name: &str) -> DestinationName {
    name.parse().unwrap()
}

const DONE: Delivery = Delivery { status: 0, at_unix_ms: 5 };

fn files_under(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn an_instance_goes_its_whole_way_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, recovery) = real(&dir);
    assert_eq!(recovery, Recovery::default());
    let id = receive(&spool, b"original");
    assert_eq!(spool.list(State::Received).unwrap(), [id]);
    let record = spool.record(id).unwrap();
    assert_eq!((record.bytes, record.arrival), (8, Some(invented_arrival())));
    assert_eq!(
        spool.open_object(State::Received, id).unwrap().digest().unwrap(),
        (record.sha256, record.bytes)
    );

    assert_eq!(spool.note_attempt(id).unwrap(), 1);
    clean(&spool, id, &[to("pacs"), to("folder")]);
    assert_eq!(spool.state(id).unwrap(), Some(State::Held));
    assert_eq!(spool.list_outbox(&to("pacs")).unwrap(), [id]);
    let mut copy = String::new();
    spool.open_object(State::Cleaned, id).unwrap().read_to_string(&mut copy).unwrap();
    assert_eq!((copy.as_str(), spool.report(id).unwrap()), ("clean", b"{}".to_vec()));

    assert!(!spool.delivered(id, &to("pacs"), DONE).unwrap());
    assert!(spool.list_delivered().unwrap().is_empty());
    assert!(matches!(spool.forget(&[id]), Err(SpoolError::NotThere { .. })), "not delivered yet");
    assert!(spool.delivered(id, &to("folder"), DONE).unwrap());
    assert!(spool.delivered(id, &to("folder"), DONE).unwrap(), "may be repeated");
    assert_eq!(spool.record(id).unwrap().deliveries.len(), 2);
    assert_eq!(spool.list_delivered().unwrap(), [id]);
    spool.forget(&[id]).unwrap();
    spool.forget(&[id]).unwrap();
    assert!(files_under(dir.path()).is_empty());
}

#[test]
fn quarantine_takes_back_the_clean_copy_and_release_starts_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, _) = real(&dir);
    let id = receive(&spool, b"original");
    spool.note_attempt(id).unwrap();
    clean(&spool, id, &[to("pacs"), to("folder")]);
    spool.delivered(id, &to("folder"), DONE).unwrap();
    let why = Quarantine::new(Reason::RefusedByDestination, "status A900");
    spool.quarantine(id, &why).unwrap();

    let names = [format!("a/b/spool/meta/{id}.meta"), format!("a/b/spool/quarantine/{id}")];
    assert_eq!(files_under(dir.path()), names);
    let record = spool.record(id).unwrap();
    assert_eq!((record.quarantine.unwrap().why, record.attempts), (why, 1));
    assert!(matches!(
        spool.delivered(id, &to("pacs"), DONE),
        Err(SpoolError::NotThere { wanted: "held", .. })
    ));

    spool.release(id).unwrap();
    let record = spool.record(id).unwrap();
    assert_eq!((record.attempts, record.releases, record.deliveries.len()), (0, 1, 0));
    assert_eq!(spool.list(State::Received).unwrap(), [id]);
    spool.quarantine(id, &Quarantine::new(Reason::Internal, "again")).unwrap();
    spool.discard(id, "j.doe", "sent twice").unwrap();
    assert!(files_under(dir.path()).is_empty());
}

#[test]
fn a_writer_that_is_dropped_leaves_nothing_and_counts_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, _) = real(&dir);
    let mut writer = spool.begin().unwrap();
    writer.write_all(b"half").unwrap();
    drop(writer);
    assert!(files_under(dir.path()).is_empty());
}

#[test]
fn a_full_spool_refuses_before_and_in_the_middle_of_an_object() {
    let disk = VolatileDisk::default();
    let limits = SpoolLimits { reserve_bytes: 10 << 20, ..SpoolLimits::default() };
    let (spool, _) = open_on(Path::new("/spool"), Arc::new(disk.clone()), limits);
    disk.set_free_bytes(12 << 20);
    let (mut first, second) = (spool.begin().unwrap(), spool.begin().unwrap());
    assert!(matches!(spool.begin(), Err(SpoolError::Full { .. })), "two may write 1 MiB each");
    drop(second);
    spool.check_space().unwrap();
    disk.set_free_bytes(10 << 20);
    let failed = first.append(&vec![0; 1 << 20]);
    assert!(matches!(failed, Err(SpoolError::Full { reserve_bytes: 10_485_760, .. })));
    assert!(first.commit(invented_arrival()).is_err(), "bytes are missing");
    assert!(disk.files().is_empty());
    assert!(!spool.has_failed());
}

#[test]
fn an_object_over_the_limit_is_refused() {
    let limits = SpoolLimits { object_bytes_max: 10, ..SpoolLimits::default() };
    let (spool, _) = open_on(Path::new("/spool"), Arc::<VolatileDisk>::default(), limits);
    let mut writer = spool.begin().unwrap();
    writer.append(&[0; 10]).unwrap();
    assert!(matches!(writer.append(&[0]), Err(SpoolError::TooLong { limit_bytes: 10, .. })));
}

/// Each call of one commit fails once; afterwards either all goes on, or
/// nothing is taken until a restart.
#[test]
fn no_space_passes_but_a_failed_write_or_sync_stops_the_store() {
    const ENOSPC: i32 = 28;
    const EIO: i32 = 5;
    const EMFILE: i32 = 24;
    let mut stopped = 0;
    for errno in [ENOSPC, EIO, EMFILE] {
        for call in 0.. {
            let memory = VolatileDisk::default();
            let disk = FaultyDisk::new(Arc::new(memory.clone()));
            let limits = SpoolLimits::default();
            let (spool, _) = open_on(Path::new("/spool"), Arc::new(disk.clone()), limits);
            let first_call = disk.calls();
            disk.fail(first_call + call, errno);
            let stored = (|| {
                let mut writer = spool.begin()?;
                writer.append(b"bytes")?;
                writer.commit(invented_arrival())
            })();
            let Err(error) = stored else {
                assert!(call > 8, "the commit has more durable steps than {call}");
                break;
            };
            if spool.has_failed() {
                stopped += 1;
                assert!(errno != EMFILE, "want of handles says nothing about the disk");
                assert!(matches!(spool.begin(), Err(SpoolError::Failed { .. })));
                assert!(spool.check_space().is_err());
            } else {
                let full = matches!(error, SpoolError::Full { .. });
                // The first two ask how much is free.
                assert!(full || errno != ENOSPC || call < 2, "call {call}: {error}");
                assert!(memory.files().is_empty(), "call {call}: {:?}", memory.files().keys());
                receive(&spool, b"the next one");
            }
        }
    }
    assert!(stopped >= 8, "only {stopped} failures stopped the store");
}

#[test]
fn a_damaged_or_missing_record_ends_in_quarantine_with_what_is_known() {
    let disk = VolatileDisk::default();
    let open = || open_on(Path::new("/spool"), Arc::new(disk.clone()), SpoolLimits::default());
    let (spool, _) = open();
    let ids = [receive(&spool, b"one"), receive(&spool, b"two"), receive(&spool, b"three")];
    spool.note_attempt(ids[1]).unwrap();
    let meta = |id: SpoolId| format!("/spool/meta/{id}.meta");
    disk.damage(Path::new(&meta(ids[0])), |bytes| bytes[10] ^= 1);
    disk.damage(Path::new(&meta(ids[1])), |bytes| {
        let last = bytes.len() - 30;
        bytes[last] ^= 1;
    });
    disk.remove(Path::new(&meta(ids[2]))).unwrap();

    let (spool, recovery) = open();
    assert_eq!((recovery.received, recovery.without_record), (3, 1));
    let digests = ids.map(|id| {
        assert!(matches!(spool.record(id), Err(SpoolError::Damaged { .. })));
        assert!(matches!(spool.note_attempt(id), Err(SpoolError::Damaged { .. })));
        spool.quarantine(id, &Quarantine::new(Reason::DamagedSpool, "record")).unwrap();
        let record = spool.record(id).unwrap();
        assert_eq!(record.quarantine.unwrap().why.reason, Reason::DamagedSpool);
        (record.sha256, record.bytes)
    });
    for (id, digest) in ids.into_iter().zip(digests) {
        assert_eq!(spool.open_object(State::Quarantine, id).unwrap().digest().unwrap(), digest);
    }
    assert_eq!(spool.record(ids[1]).unwrap().arrival, Some(invented_arrival()));
    spool.release(ids[1]).unwrap();
    assert!(matches!(spool.release(ids[2]), Err(SpoolError::Damaged { .. })));
    spool.discard(ids[2], "j.doe", "asked to send again").unwrap();
}

#[test]
fn many_changes_keep_a_record_short() {
    let disk = VolatileDisk::default();
    let (spool, _) = open_on(Path::new("/spool"), Arc::new(disk.clone()), SpoolLimits::default());
    let id = receive(&spool, b"bytes");
    for round in 1..=40 {
        assert_eq!(spool.note_attempt(id).unwrap(), round);
        let longest = disk.files().values().map(Vec::len).max().unwrap();
        assert!(longest <= 4096, "{longest} bytes in round {round}");
    }
}

#[test]
fn foreign_names_are_left_alone_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    drop(real(&dir));
    let root = dir.path().join("a/b/spool");
    for name in ["received/notes.txt", "meta/x.meta", "incoming/DOE.part", "outbox/README"] {
        std::fs::write(root.join(name), b"not ours").unwrap();
    }
    let (spool, recovery) = real(&dir);
    assert_eq!(recovery, Recovery { foreign_names: 4, ..Recovery::default() });
    assert_eq!(files_under(&root).len(), 4);
    assert!(spool.list(State::Received).unwrap().is_empty());
}

#[test]
fn ids_go_on_rising_after_a_restart_with_the_clock_set_back() {
    let disk = VolatileDisk::default();
    let clock = ManualClock::default();
    clock.advance(Duration::from_secs(1_000));
    let root = Path::new("/spool");
    let limits = SpoolLimits::default;
    let (spool, _) = Spool::open(root, Arc::new(disk.clone()), Arc::new(clock), limits()).unwrap();
    let before = receive(&spool, b"before");
    let (spool, _) = open_on(root, Arc::new(disk), limits());
    assert!(receive(&spool, b"after") > before);
}

#[test]
fn of_two_forwarders_that_end_at_once_exactly_one_is_the_last() {
    let disk = Arc::new(VolatileDisk::default());
    let (spool, _) = open_on(Path::new("/spool"), disk.clone(), SpoolLimits::default());
    let names = ["a", "b", "c"].map(to);
    for _ in 0..50 {
        let id = receive(&spool, b"bytes");
        let part = spool.clean_part(id).unwrap();
        disk.create_new(&part).unwrap().write_all(b"clean").unwrap();
        spool.commit_clean(id, b"{}", &names).unwrap();
        let lasts = std::thread::scope(|scope| {
            let spool = &spool;
            let threads =
                names.each_ref().map(|name| scope.spawn(move || spool.delivered(id, name, DONE)));
            threads.map(|thread| thread.join().unwrap().unwrap())
        });
        assert_eq!(lasts.iter().filter(|last| **last).count(), 1);
        assert_eq!(spool.record(id).unwrap().deliveries.len(), 3);
        spool.forget(&[id]).unwrap();
    }
    assert!(disk.files().is_empty());
}

#[test]
fn a_quarantine_that_failed_late_leaves_no_delivery_to_a_released_instance() {
    const EMFILE: i32 = 24;
    let mut late = 0;
    for call in 0.. {
        let disk = FaultyDisk::new(Arc::<VolatileDisk>::default());
        let limits = SpoolLimits::default();
        let (spool, _) = open_on(Path::new("/spool"), Arc::new(disk.clone()), limits);
        let id = receive(&spool, b"bytes");
        let clean_to = |name: &str| {
            let part = spool.clean_part(id).unwrap();
            disk.create_new(&part).unwrap().write_all(b"clean").unwrap();
            spool.commit_clean(id, b"{}", &[to(name)]).unwrap();
        };
        clean_to("old");
        disk.fail(disk.calls() + call, EMFILE);
        let done = spool.quarantine(id, &Quarantine::new(Reason::TextRemains, "box"));
        if done.is_ok() {
            break;
        }
        if spool.state(id).unwrap() == Some(State::Quarantine) {
            late += 1;
            spool.release(id).unwrap();
            clean_to("new");
            assert!(spool.list_outbox(&to("old")).unwrap().is_empty(), "call {call}");
            assert_eq!(spool.list_outbox(&to("new")).unwrap(), [id]);
        }
    }
    assert!(late > 3, "only {late} calls failed late");
}

#[test]
fn a_start_finishes_or_takes_back_what_was_half_done_and_counts_it() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, _) = real(&dir);
    let [clean_again, held, set_aside, litter] =
        ["one", "two", "three", "four"].map(|bytes| receive(&spool, bytes.as_bytes()));
    let pacs = [to("pacs")];
    [clean_again, held, set_aside].into_iter().for_each(|id| clean(&spool, id, &pacs));
    let root = dir.path().join("a/b/spool");
    let link = |from: State, to: State, id| {
        std::fs::hard_link(spool.path(from, id), spool.path(to, id)).unwrap();
    };
    // As if cut before `held` was durable, after it, in a quarantine, in a forget.
    link(State::Held, State::Received, clean_again);
    std::fs::remove_file(spool.path(State::Held, clean_again)).unwrap();
    link(State::Held, State::Received, held);
    link(State::Held, State::Quarantine, set_aside);
    std::fs::remove_file(spool.path(State::Received, litter)).unwrap();
    std::fs::write(root.join(format!("incoming/{litter}.part")), b"half").unwrap();

    let (spool, recovery) = real(&dir);
    let expected = Recovery {
        received: 1,
        held: 1,
        quarantined: 1,
        outbox_links: 1,
        parts_removed: 1,
        mended: 3,
        litter_removed: 1,
        ..Recovery::default()
    };
    assert_eq!(recovery, expected);
    assert_eq!(spool.list(State::Received).unwrap(), [clean_again]);
    assert_eq!(spool.list(State::Cleaned).unwrap(), [held]);
    assert_eq!(spool.list_outbox(&pacs[0]).unwrap(), [held]);
    assert_eq!(spool.list(State::Quarantine).unwrap(), [set_aside]);
    assert_eq!(real(&dir).1.mended, 0, "once is enough");
}

/// No step of ours takes an original away that somebody waits for: who did, is not
/// to make the promise unheard of.
#[test]
fn an_original_that_somebody_removed_comes_back_empty_to_be_quarantined() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, _) = real(&dir);
    let [waiting, tried, sent, forgotten, unheard] =
        ["one", "two", "three", "four", "five"].map(|bytes| receive(&spool, bytes.as_bytes()));
    let pacs = [to("pacs"), to("other")];
    let delivery = Delivery { status: 0, at_unix_ms: 1 };
    for id in [waiting, sent, tried, forgotten] {
        spool.note_attempt(id).unwrap();
    }
    [waiting, sent].into_iter().for_each(|id| clean(&spool, id, &pacs));
    spool.delivered(waiting, &pacs[0], delivery).unwrap();
    for name in &pacs {
        spool.delivered(sent, name, delivery).unwrap();
    }
    clean(&spool, forgotten, &[]);
    let record = std::fs::read(dir.path().join(format!("a/b/spool/meta/{forgotten}.meta")));
    spool.forget(&[forgotten]).unwrap();
    // As if cut in that forget, just before its record went.
    let amended = dir.path().join(format!("a/b/spool/meta/{forgotten}.meta"));
    let vault = crate::vault::Vault::default();
    let gone = crate::spool::record::decode(forgotten, &record.unwrap(), &vault).unwrap().record;
    let gone = crate::spool::record::Record { forgotten: true, ..gone };
    std::fs::write(amended, crate::spool::record::encode(&gone, 0, &vault).unwrap()).unwrap();
    // As if cut in the forget of a delivered one, and one whose second destination waits.
    for (meant_for, is_last) in [(&pacs[..1], true), (&pacs[..], false)] {
        let id = receive(&spool, b"six");
        spool.note_attempt_for(id, meant_for.to_vec()).unwrap();
        clean(&spool, id, &pacs[..1]);
        assert!(spool.delivered(id, &pacs[0], delivery).unwrap());
        assert_eq!(spool.record(id).unwrap().is_delivered(), is_last);
        for name in ["held", "cleaned"].map(|state| format!("a/b/spool/{state}/{id}")) {
            std::fs::remove_file(dir.path().join(name)).unwrap();
        }
        std::fs::remove_file(dir.path().join(format!("a/b/spool/report/{id}.json"))).unwrap();
    }
    // One that its destination said it does not keep, set aside and taken away there.
    let aside = receive(&spool, b"seven");
    spool.note_attempt_for(aside, pacs[..1].to_vec()).unwrap();
    clean(&spool, aside, &pacs[..1]);
    spool.delivered(aside, &pacs[0], delivery).unwrap();
    spool.quarantine(aside, &Quarantine::new(Reason::NotCommitted, "pacs")).unwrap();
    std::fs::remove_file(spool.path(State::Quarantine, aside)).unwrap();
    for (state, id) in [
        (State::Held, waiting),
        (State::Received, tried),
        (State::Held, sent),
        (State::Received, unheard),
    ] {
        std::fs::remove_file(spool.path(state, id)).unwrap();
    }

    let (spool, recovery) = real(&dir);
    // Of those that were being forgotten their records tell.
    assert_eq!((recovery.originals_missing, recovery.records_alone), (2, 3), "{recovery:?}");
    assert_eq!(spool.list(State::Received).unwrap(), [waiting, tried]);
    assert_eq!(recovery.outbox_links, 0, "nothing of it is delivered");
    for id in [waiting, tried] {
        let (digest, bytes) = spool.open_object(State::Received, id).unwrap().digest().unwrap();
        assert!(bytes == 0 && digest != spool.record(id).unwrap().sha256);
    }
    assert_eq!(real(&dir).1, Recovery { received: 2, ..Recovery::default() });
}

/// Run by hand: `cargo test --lib spool::tests::measure -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, by hand"]
fn measure_commit_rate_and_start_with_100_000_waiting() {
    use crate::clock::SystemClock;
    let dir = tempfile::tempdir_in(std::env::var("AIRLOCK_MEASURE_DIR").unwrap_or("/tmp".into()));
    let dir = dir.unwrap();
    let (spool, _) = real(&dir);
    let clock = SystemClock::new();
    for (bytes, threads) in [(4 << 10, 1), (512 << 10, 1), (4 << 10, 4), (512 << 10, 4)] {
        let content = vec![7; bytes];
        let start = clock.monotonic();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for _ in 0..200 {
                        receive(&spool, &content);
                    }
                });
            }
        });
        let took = clock.monotonic() - start;
        let rate = 200.0 * f64::from(threads) / took.as_secs_f64();
        println!("{bytes} bytes, {threads} threads: {rate:.0} commits/s");
    }
    let ids = spool.list(State::Received).unwrap();
    let start = clock.monotonic();
    for id in &ids[..200] {
        spool.note_attempt(*id).unwrap();
    }
    println!("attempt: {:?} each", (clock.monotonic() - start) / 200);
    let start = clock.monotonic();
    for id in &ids[..200] {
        clean(&spool, *id, &[to("pacs")]);
    }
    println!("clean commit: {:?} each", (clock.monotonic() - start) / 200);
    let start = clock.monotonic();
    for id in &ids[..200] {
        spool.delivered(*id, &to("pacs"), DONE).unwrap();
    }
    println!("delivered: {:?} each", (clock.monotonic() - start) / 200);
    let start = clock.monotonic();
    spool.forget(&ids[..200]).unwrap();
    println!("forget: {:?} each", (clock.monotonic() - start) / 200);

    let root = dir.path().join("a/b/spool");
    let record = std::fs::read(root.join(format!("meta/{}.meta", ids[300]))).unwrap();
    for number in 0..100_000_u32 {
        let id = format!("{number:032x}");
        std::fs::write(root.join("received").join(&id), b"").unwrap();
        std::fs::write(root.join(format!("meta/{id}.meta")), &record).unwrap();
    }
    let start = clock.monotonic();
    let (spool, recovery) = real(&dir);
    println!("open: {:?} for {}", clock.monotonic() - start, recovery.received);
    let start = clock.monotonic();
    let ids = spool.list(State::Received).unwrap();
    println!("list: {:?} for {}", clock.monotonic() - start, ids.len());
}
