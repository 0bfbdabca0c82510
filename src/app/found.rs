//! What starts found in the data directory that this program did not do, kept in
//! `DATA/run/found.json`: whatever opens the spool first mends it, be it a command that
//! asks something else, and nobody would be told.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tracing::{error, warn};

use crate::clock::{Clock, rfc3339};
use crate::disk::{Disk as _, RealDisk, replace_synced};
use crate::spool::Recovery;

/// Most that are kept; the oldest go. Default 20: they fit on a screen.
const FOUND_MAX: usize = 20;
/// For how long. Default 30 days: somebody has looked by then.
const FOUND_FOR_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

/// Longest file that is read. Default 64 KiB: ten times what is written.
const FOUND_BYTES_MAX: u64 = 64 << 10;
/// How the words of names that are not ours go on.
const NAMES: &str = "names in the spool are not airlock's";
/// Said where the journal of corrections is gone.
const FORGOTTEN: &str = "the memory of corrections was not there and begins anew: what was withdrawn \
                         or corrected before is not known any more; stop the node before it takes \
                         more, restore corrections/journal from its backup, and start it";

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Found {
    at_unix_ms: u64,
    what: String,
}

/// Notes what the opening of the spool found, tells the log, and returns it with what
/// openings before found, in plain words.
pub(super) fn noted(data_dir: &Path, recovery: &Recovery, clock: &dyn Clock) -> Vec<String> {
    let (found, kept) = note(data_dir, &words(recovery), clock);
    if let Err(error) = kept {
        warn!(%error, "what the start found is not kept beyond this run");
    }
    found
}

/// The same of a memory of corrections that is not there although something went through
/// the node before. Noted before it begins anew: the next start finds one.
///
/// # Errors
/// It cannot be noted: the node does not start.
pub(super) fn forgotten(data_dir: &Path, clock: &dyn Clock) -> std::io::Result<()> {
    warn!("{FORGOTTEN}");
    note(data_dir, &[FORGOTTEN.to_owned()], clock).1
}

/// What is to be told now, and whether the next start will know it.
fn note(data_dir: &Path, new: &[String], clock: &dyn Clock) -> (Vec<String>, std::io::Result<()>) {
    let now_ms = clock.unix_ms();
    let path = data_dir.join("run").join("found.json");
    let mut found = read(&path);
    // One of a clock that was ahead stays.
    found.retain(|one| now_ms.saturating_sub(one.at_unix_ms) < FOUND_FOR_MS);
    for what in new {
        // Names that are left alone are found by each start.
        let is_again = what.contains(NAMES) || what == FORGOTTEN;
        found.retain(|one| !(one.what == *what && is_again));
        found.push(Found { at_unix_ms: now_ms, what: what.clone() });
    }
    found.drain(..found.len().saturating_sub(FOUND_MAX));
    let kept = if new.is_empty() { Ok(()) } else { write(&path, &found) };
    let told = found.iter().map(|one| format!("{}: {}", rfc3339(one.at_unix_ms), one.what));
    (told.collect(), kept)
}

/// Nothing where it cannot be read: what is found is also in the log.
fn read(path: &Path) -> Vec<Found> {
    let is_ours = std::fs::symlink_metadata(path)
        .is_ok_and(|found| found.is_file() && found.len() < FOUND_BYTES_MAX);
    let read = if is_ours { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
    serde_json::from_slice(&read).unwrap_or_default()
}

fn write(path: &Path, found: &[Found]) -> std::io::Result<()> {
    if let Some(dir) = path.parent() {
        RealDisk.create_dir_all(dir)?;
    }
    replace_synced(&RealDisk, path, &serde_json::to_vec(found)?)
}

fn words(recovery: &Recovery) -> Vec<String> {
    let Recovery { originals_missing, records_alone, foreign_names, .. } = recovery;
    let mut words = Vec::new();
    if *originals_missing > 0 {
        let what = format!(
            "{originals_missing} originals were gone from the spool: check the disk; they go to \
             quarantine as damaged-spool, ask their source to send them again"
        );
        error!("{what}");
        words.push(what);
    }
    let mut warned = |what: String| {
        warn!("{what}");
        words.push(what);
    };
    if *records_alone > 0 {
        warned(format!(
            "{records_alone} records without an original were removed: a power cut came before \
             their sender was told anything, or the disk lost the original; compare what senders \
             of that time list as stored"
        ));
    }
    if *foreign_names > 0 {
        warned(format!("{foreign_names} {NAMES} and are left alone: see who wrote there"));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use std::time::Duration;

    #[test]
    fn what_was_found_is_told_until_it_is_old_whoever_opened_the_spool() {
        let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::default());
        let told = |recovery: Recovery| {
            let told = noted(dir.path(), &recovery, &clock);
            let words = |line: String| line.split_once("Z: ").unwrap().1.to_owned();
            told.into_iter().map(words).collect::<Vec<_>>()
        };
        let alone = |records_alone| Recovery { records_alone, received: 9, ..Recovery::default() };
        assert!(told(alone(0)).is_empty());
        let first = told(Recovery { originals_missing: 1, foreign_names: 3, ..alone(2) });
        assert_eq!(first.len(), 3);
        let starts = first.iter().zip(["1 originals", "2 records", "3 names"]);
        assert!(starts.into_iter().all(|(what, start)| what.starts_with(start)), "{first:?}");
        clock.advance(Duration::from_secs(60));
        assert_eq!(told(alone(0)), first);
        // Names that stay are told once, with their last time.
        let foreign = Recovery { foreign_names: 3, ..alone(7) };
        let second = told(foreign.clone());
        assert!(second.len() == 4 && second[2].starts_with("7 ") && second[3] == first[2]);
        assert_eq!(told(alone(7)).len(), 5, "lost twice");
        (0..50).for_each(|number| drop(told(alone(100 + number))));
        assert_eq!(told(alone(0)).len(), FOUND_MAX);
        clock.advance(Duration::from_millis(FOUND_FOR_MS));
        assert!(told(alone(0)).is_empty());
        // Damaged: it begins anew.
        std::fs::write(dir.path().join("run/found.json"), b"[{").unwrap();
        assert_eq!(told(alone(5)).len(), 1);
    }
}
