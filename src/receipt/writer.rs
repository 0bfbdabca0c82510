//! The one writer of the ledger: groups of receipts in, synced lines out.
//!
//! Invariant: [`Writer::append`] returns only after the lines are synced and
//! then the anchor is. So whatever stands behind the anchor after a crash was
//! told to nobody: whole lines there are kept, a torn end is cut.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::chain::{Anchor, LINE_BYTES_MAX, LedgerKey, SLOT_BYTES, seal_line};
use super::error::LedgerError;
use super::segments::{Start, Walk, segment_of, segments};
use crate::clock::Clock;
use crate::disk::{Disk, DiskFile, FailedSync, replace_synced};
use crate::kill_point::kill_point;

/// Most lines that share a sync. Default 256: at most 283 KB are written at once.
pub(super) const GROUP_LINES_MAX: usize = 256;
/// Longest end that a torn write can leave.
const TORN_BYTES_MAX: u64 = (GROUP_LINES_MAX * LINE_BYTES_MAX) as u64;
/// One anchor each, written in turn: overwriting one cannot harm the other.
const ANCHOR_FILES: [&str; 2] = ["head.0", "head.1"];

/// What was found when the ledger was opened, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerReport {
    /// Receipts in the ledger.
    pub lines: u64,
    /// Whole lines behind the anchor that were kept.
    pub lines_adopted: u64,
    /// Bytes of a torn end that were cut; their receipts are written again.
    pub torn_bytes: u64,
}

pub(super) struct Writer {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    dir: PathBuf,
    key: LedgerKey,
    anchor: Anchor,
    anchor_files: [Box<dyn DiskFile>; 2],
    segment_file: Option<(String, Box<dyn DiskFile>)>,
    failed: FailedSync,
}

/// Reads the anchor; nothing where there is no ledger yet.
pub(super) fn read_anchor(
    dir: &Path,
    disk: &dyn Disk,
    key: &LedgerKey,
) -> Result<Option<Anchor>, LedgerError> {
    let io = LedgerError::io("read the anchor");
    let mut newest: Option<Anchor> = None;
    for path in ANCHOR_FILES.map(|name| dir.join(name)) {
        if !disk.exists(&path).map_err(&io)? {
            continue;
        }
        let mut slot = Vec::new();
        let file = disk.open(&path).map_err(&io)?;
        file.take(SLOT_BYTES as u64).read_to_end(&mut slot).map_err(&io)?;
        let anchor = Anchor::from_slot(key, &slot);
        if anchor.as_ref().map(|anchor| anchor.turn) > newest.as_ref().map(|anchor| anchor.turn) {
            newest = anchor;
        }
    }
    // Without any line there is nothing that an anchor could miss.
    let begun =
        newest.is_none() && disk.exists(dir).map_err(&io)? && !segments(dir, disk)?.is_empty();
    if begun { Err(LedgerError::NoAnchor) } else { Ok(newest) }
}

impl Writer {
    /// Opens or makes the ledger and takes in what a crash left behind the anchor.
    pub(super) fn open(
        dir: &Path,
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        key: LedgerKey,
    ) -> Result<(Self, LedgerReport), LedgerError> {
        disk.create_dir_all(dir).map_err(LedgerError::io("make the directory"))?;
        let anchor = match read_anchor(dir, disk.as_ref(), &key)? {
            Some(anchor) => anchor,
            None => make_anchor(dir, disk.as_ref(), &key)?,
        };
        let anchor_files = open_anchors(dir, disk.as_ref())?;
        let dir = dir.to_owned();
        let (segment_file, failed) = (None, FailedSync::default());
        let mut writer = Self { disk, clock, dir, key, anchor, anchor_files, segment_file, failed };
        writer.refuse_cut_off()?;
        let (lines_adopted, torn_bytes) = writer.adopt()?;
        let report = LedgerReport { lines: writer.anchor.lines, lines_adopted, torn_bytes };
        Ok((writer, report))
    }

    /// Seen by whoever asks whether receipts can still be written.
    pub(super) fn failed(&self) -> FailedSync {
        self.failed.clone()
    }

    pub(super) fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Writes receipts, as JSON objects, and syncs them.
    ///
    /// After a failed write the file is cut back and the next group may be
    /// tried: a full disk heals. After a failed sync nothing more is taken,
    /// since a second sync may falsely succeed.
    pub(super) fn append(&mut self, receipts: &[String]) -> Result<(), LedgerError> {
        if self.failed.is_set() {
            return Err(LedgerError::Failed);
        }
        let mut next = self.anchor.clone();
        // Never back to an older file, whatever the clock says: the chain goes on.
        let segment = segment_of(self.clock.unix_ms()).max(next.segment.clone());
        if segment != next.segment {
            (next.segment, next.bytes) = (segment, 0);
        }
        let (start_bytes, mut text) = (next.bytes, String::new());
        for json in receipts {
            let (line, chain) = seal_line(&self.key, &next.chain, json);
            next.chain = chain;
            next.lines += 1;
            next.bytes += line.len() as u64;
            text.push_str(&line);
        }
        self.write_lines(&next.segment, start_bytes, text.as_bytes())?;
        let synced = self.sync_lines(&next.segment).and_then(|()| {
            kill_point("receipt.lines.synced");
            self.write_anchor(next)
        });
        if synced.is_err() {
            self.failed.set();
        }
        synced
    }

    fn write_lines(&mut self, segment: &str, at: u64, text: &[u8]) -> Result<(), LedgerError> {
        let file = self.segment(segment)?;
        let written = file.seek(SeekFrom::Start(at)).and_then(|_at| file.write_all(text));
        if written.is_err() {
            // Best effort, to free what a full disk lacks: the next group begins
            // here in any case, and the next start cuts what is torn.
            drop(file.set_byte_len(at));
        }
        written.map_err(LedgerError::io("write receipts"))
    }

    fn sync_lines(&mut self, segment: &str) -> Result<(), LedgerError> {
        let io = LedgerError::io("sync receipts");
        let is_new = segment != self.anchor.segment;
        self.segment(segment)?.sync_data().map_err(&io)?;
        if is_new {
            self.disk.sync_dir(&self.dir).map_err(&io)?;
        }
        Ok(())
    }

    /// Writes the anchor that is not the newest, so that a torn one costs nothing.
    fn write_anchor(&mut self, mut next: Anchor) -> Result<(), LedgerError> {
        next.turn += 1;
        let io = LedgerError::io("write the anchor");
        let slot = next.to_slot(&self.key).ok_or_else(|| io(io::ErrorKind::InvalidData.into()))?;
        let [even, odd] = &mut self.anchor_files;
        let file = if next.turn.is_multiple_of(2) { even } else { odd };
        file.seek(SeekFrom::Start(0)).map_err(&io)?;
        file.write_all(&slot).map_err(&io)?;
        file.sync_data().map_err(&io)?;
        kill_point("receipt.anchor.synced");
        self.anchor = next;
        Ok(())
    }

    fn segment(&mut self, name: &str) -> Result<&mut Box<dyn DiskFile>, LedgerError> {
        if self.segment_file.as_ref().is_none_or(|(open, _file)| open != name) {
            let opened = self.disk.open_rw(&self.dir.join(name));
            let file = opened.map_err(LedgerError::io("open a segment"))?;
            self.segment_file = Some((name.to_owned(), file));
        }
        match &mut self.segment_file {
            Some((_name, file)) => Ok(file),
            None => Err(LedgerError::Failed),
        }
    }

    /// Lines before the anchor were acknowledged: all of them must stand.
    fn refuse_cut_off(&self) -> Result<(), LedgerError> {
        let expected_bytes = self.anchor.bytes;
        if expected_bytes == 0 {
            return Ok(());
        }
        let found_bytes = self.segment_bytes(&self.anchor.segment)?;
        if found_bytes < expected_bytes {
            let segment = self.anchor.segment.clone();
            return Err(LedgerError::CutOff { segment, expected_bytes, found_bytes });
        }
        Ok(())
    }

    fn segment_bytes(&self, segment: &str) -> Result<u64, LedgerError> {
        let io = LedgerError::io("measure a segment");
        let path = self.dir.join(segment);
        if !self.disk.exists(&path).map_err(&io)? {
            return Ok(0);
        }
        self.disk.open(&path).and_then(|file| file.byte_len()).map_err(&io)
    }

    /// Takes in the whole lines behind the anchor and cuts a torn end. Gives the
    /// number of lines and of bytes.
    fn adopt(&mut self) -> Result<(u64, u64), LedgerError> {
        let mut next = self.anchor.clone();
        let torn = self.walk_behind_anchor(&mut next)?;
        let newest = segments(&self.dir, self.disk.as_ref())?.pop().unwrap_or_default();
        let mut torn_bytes = 0;
        if let Some(segment) = torn {
            // A line that is wrong in a segment of its own: nothing sound before it.
            if segment != next.segment {
                (next.segment, next.bytes) = (segment, 0);
            }
            let (segment, offset_bytes) = (next.segment.clone(), next.bytes);
            torn_bytes = self.segment_bytes(&segment)?.saturating_sub(offset_bytes);
            if segment < newest || torn_bytes > TORN_BYTES_MAX {
                return Err(LedgerError::Damaged { segment, offset_bytes });
            }
            let cut = LedgerError::io("cut a torn end");
            self.segment(&segment)?.set_byte_len(offset_bytes).map_err(&cut)?;
        }
        let lines = next.lines - self.anchor.lines;
        if lines > 0 || torn_bytes > 0 {
            self.sync_lines(&next.segment.clone())?;
            self.write_anchor(next)?;
        }
        Ok((lines, torn_bytes))
    }

    /// Moves `next` over the lines that follow; gives the segment in which they end wrongly.
    fn walk_behind_anchor(&self, next: &mut Anchor) -> Result<Option<String>, LedgerError> {
        let start = Start { segment: next.segment.clone(), bytes: next.bytes };
        let begun = !start.segment.is_empty();
        let mut walk = Walk::begin(&self.dir, &self.disk, begun.then_some(&start))?;
        loop {
            let placed = match walk.next_line() {
                Ok(None) => return Ok(None),
                Ok(Some(placed)) => placed,
                Err(LedgerError::Broken { segment, .. }) => return Ok(Some(segment)),
                Err(other) => return Err(other),
            };
            let Some(chain) = placed.line.follows(&self.key, &next.chain) else {
                return Ok(Some(placed.segment));
            };
            next.chain = chain;
            next.lines += 1;
            (next.segment, next.bytes) = (placed.segment, placed.end_bytes);
        }
    }
}

fn make_anchor(dir: &Path, disk: &dyn Disk, key: &LedgerKey) -> Result<Anchor, LedgerError> {
    let io = LedgerError::io("make the anchor");
    let anchor = Anchor::start(key);
    let slot = anchor.to_slot(key).ok_or_else(|| io(io::ErrorKind::InvalidData.into()))?;
    let [even, odd] = ANCHOR_FILES.map(|name| dir.join(name));
    replace_synced(disk, &odd, &[b' '; SLOT_BYTES]).map_err(&io)?;
    replace_synced(disk, &even, &slot).map_err(&io)?;
    if let Some(parent) = dir.parent() {
        disk.sync_dir(parent).map_err(&io)?;
    }
    Ok(anchor)
}

/// A lost one of the two is made again: the other says enough.
fn open_anchors(dir: &Path, disk: &dyn Disk) -> Result<[Box<dyn DiskFile>; 2], LedgerError> {
    let io = LedgerError::io("open the anchor");
    let open = |name: &str| disk.open_rw(&dir.join(name)).map_err(&io);
    let files = [open(ANCHOR_FILES[0])?, open(ANCHOR_FILES[1])?];
    disk.sync_dir(dir).map_err(&io)?;
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::disk::testing::{Cut, FaultyDisk, VolatileDisk};

    const DIR: &str = "/data/receipts";
    const ENOSPC: i32 = 28;

    fn base() -> VolatileDisk {
        let disk = VolatileDisk::default();
        disk.create_dir_all(Path::new("/data")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        disk
    }

    fn open(disk: Arc<dyn Disk>) -> Result<(Writer, LedgerReport), LedgerError> {
        let clock = Arc::new(ManualClock::default());
        Writer::open(Path::new(DIR), disk, clock, LedgerKey::new([7; 32]))
    }

    fn group(first: usize, lines: usize) -> Vec<String> {
        (first..first + lines).map(|number| format!(r#"{{"id":"{number}"}}"#)).collect()
    }

    /// What stands in the ledger, its chain checked.
    fn standing(disk: &VolatileDisk) -> Vec<String> {
        let disk: Arc<dyn Disk> = Arc::new(disk.clone());
        let (writer, report) = open(Arc::clone(&disk)).unwrap();
        let key = LedgerKey::new([7; 32]);
        let lines = crate::receipt::segments::verify(Path::new(DIR), &disk, &key, &writer.anchor);
        assert_eq!(lines, Ok(report.lines));
        let mut walk = Walk::begin(Path::new(DIR), &disk, None).unwrap();
        let mut found = Vec::new();
        while let Some(placed) = walk.next_line().unwrap() {
            found.push(placed.line.json);
        }
        assert_eq!(found.len() as u64, report.lines);
        found
    }

    /// Writes groups of three until the disk fails; gives what was acknowledged.
    fn work(disk: &FaultyDisk) -> usize {
        let mut told = 0;
        let Ok((mut writer, _report)) = open(Arc::new(disk.clone())) else { return told };
        for round in 0..4 {
            if writer.append(&group(3 * round, 3)).is_ok() {
                told = 3 * round + 3;
            } else {
                break;
            }
        }
        told
    }

    #[test]
    fn what_was_acknowledged_survives_a_power_cut_at_any_call() {
        let calls = {
            let disk = FaultyDisk::new(Arc::new(base()));
            assert_eq!(work(&disk), 12);
            disk.calls()
        };
        for call in 0..calls {
            for cut in (0..6).map(Cut::AnySubset).chain([Cut::LoseAll, Cut::KeepAll]) {
                let volatile = base();
                let disk = FaultyDisk::new(Arc::new(volatile.clone()));
                disk.off_from(call);
                let told = work(&disk);
                let found = standing(&volatile.after_power_cut(cut));
                assert!(found.len() >= told, "call {call}, {cut:?}");
                assert_eq!(found, group(0, found.len()), "call {call}, {cut:?}");
            }
        }
    }

    #[test]
    fn a_call_that_fails_once_loses_nothing_that_was_acknowledged() {
        let (start, calls) = {
            let disk = FaultyDisk::new(Arc::new(base()));
            let opened = open(Arc::new(disk.clone())).unwrap();
            let start = disk.calls();
            drop(opened);
            let disk = FaultyDisk::new(Arc::new(base()));
            work(&disk);
            (start, disk.calls())
        };
        let mut healed = 0;
        for call in start..calls {
            let volatile = base();
            let disk = FaultyDisk::new(Arc::new(volatile.clone()));
            disk.fail(call, ENOSPC);
            let (mut writer, _report) = open(Arc::new(disk.clone())).unwrap();
            let mut told = Vec::new();
            let mut refused = 0;
            for round in 0..5 {
                match writer.append(&group(3 * round, 3)) {
                    Ok(()) => told.extend(group(3 * round, 3)),
                    Err(_full) => refused += 1,
                }
                let segment =
                    volatile.files().remove(Path::new(DIR).join("1970-01-01.jsonl").as_path());
                let bytes = segment.map_or(0, |bytes| bytes.len() as u64);
                assert!(writer.failed.is_set() || bytes == writer.anchor.bytes, "call {call}");
            }
            healed += usize::from(refused == 1);
            let found = standing(&volatile);
            assert!(told.iter().all(|line| found.contains(line)), "call {call}");
        }
        assert!(healed >= 4, "a full disk heals: {healed}");
    }
}
