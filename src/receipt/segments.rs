//! The files of the ledger: one a day, lines in, lines with their places out.
//!
//! Invariant: a line is never read beyond its longest form, and only names of
//! the form `2026-11-22.jsonl` are read at all.

use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::chain::{Anchor, LINE_BYTES_MAX, LedgerKey, Line};
use super::error::LedgerError;
use crate::clock::rfc3339;
use crate::disk::{Disk, DiskFile};

const SUFFIX: &str = ".jsonl";
/// Names have years of four digits, also on a machine whose clock is far off.
const YEAR_9999_END_MS: u64 = 253_402_300_799_999;

/// The file of a moment's UTC day.
pub(super) fn segment_of(unix_ms: u64) -> String {
    let day: String =
        rfc3339(unix_ms.min(YEAR_9999_END_MS)).chars().take_while(|c| *c != 'T').collect();
    day + SUFFIX
}

/// The ledger's files, oldest first.
pub(super) fn segments(dir: &Path, disk: &dyn Disk) -> Result<Vec<String>, LedgerError> {
    let mut names = disk.names(dir).map_err(LedgerError::io("list segments"))?;
    names.retain(|name| is_segment(name));
    names.sort();
    Ok(names)
}

fn is_segment(name: &str) -> bool {
    let shape = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _digit => byte.is_ascii_digit(),
    };
    let day = name.strip_suffix(SUFFIX);
    day.is_some_and(|day| day.len() == 10 && day.bytes().enumerate().all(shape))
}

/// Where a walk begins.
pub(super) struct Start {
    pub(super) segment: String,
    pub(super) bytes: u64,
}

/// A line and its place.
pub(super) struct Placed {
    pub(super) line: Line,
    pub(super) segment: String,
    /// From 1 within the segment, when the walk began at its start.
    pub(super) number: u64,
    /// Bytes of the segment up to and with this line.
    pub(super) end_bytes: u64,
}

/// Reads lines over all segments, in order.
pub(super) struct Walk {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// Newest first.
    waiting: Vec<String>,
    current: Option<Current>,
}

struct Current {
    segment: String,
    input: BufReader<Box<dyn DiskFile>>,
    number: u64,
    bytes: u64,
}

impl Walk {
    /// From `start`, or from the first line of the oldest segment.
    pub(super) fn begin(
        dir: &Path,
        disk: &Arc<dyn Disk>,
        start: Option<&Start>,
    ) -> Result<Self, LedgerError> {
        let mut waiting = segments(dir, disk.as_ref())?;
        waiting.reverse();
        let (disk, dir) = (Arc::clone(disk), dir.to_owned());
        let mut walk = Self { disk, dir, waiting, current: None };
        if let Some(start) = start {
            walk.waiting.retain(|segment| *segment >= start.segment);
            if walk.waiting.pop_if(|segment| *segment == start.segment).is_some() {
                walk.current = Some(walk.opened(&start.segment, start.bytes)?);
            }
        }
        Ok(walk)
    }

    /// The next line; nothing at the end.
    ///
    /// After [`LedgerError::Broken`] it can be called again: it goes on with the next line.
    pub(super) fn next_line(&mut self) -> Result<Option<Placed>, LedgerError> {
        loop {
            let Some(current) = &mut self.current else {
                let Some(segment) = self.waiting.pop() else { return Ok(None) };
                self.current = Some(self.opened(&segment, 0)?);
                continue;
            };
            if let Some(placed) = current.next_line()? {
                return Ok(Some(placed));
            }
            self.current = None;
        }
    }

    fn opened(&self, segment: &str, bytes: u64) -> Result<Current, LedgerError> {
        let io = LedgerError::io("read a segment");
        let mut file = self.disk.open(&self.dir.join(segment)).map_err(&io)?;
        file.seek(SeekFrom::Start(bytes)).map_err(&io)?;
        let (segment, input) = (segment.to_owned(), BufReader::new(file));
        Ok(Current { segment, input, number: 0, bytes })
    }
}

impl Current {
    fn next_line(&mut self) -> Result<Option<Placed>, LedgerError> {
        let mut bytes = Vec::new();
        (&mut self.input)
            .take(LINE_BYTES_MAX as u64)
            .read_until(b'\n', &mut bytes)
            .map_err(LedgerError::io("read a segment"))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        self.bytes += bytes.len() as u64;
        let (segment, number, end_bytes) = (self.segment.clone(), self.number, self.bytes);
        match Line::parse(&bytes) {
            Some(line) => Ok(Some(Placed { line, segment, number, end_bytes })),
            None => Err(LedgerError::Broken { segment, line: number }),
        }
    }
}

/// Walks the whole chain up to `anchor` and gives the number of lines.
pub(super) fn verify(
    dir: &Path,
    disk: &Arc<dyn Disk>,
    key: &LedgerKey,
    anchor: &Anchor,
) -> Result<u64, LedgerError> {
    let mut chain = key.genesis();
    let mut lines = 0;
    let mut walk = Walk::begin(dir, disk, None)?;
    let (mut segment, mut found_bytes) = (String::new(), 0);
    while lines < anchor.lines {
        let Some(placed) = walk.next_line()? else {
            // Whole lines are missing at the end.
            if segment < anchor.segment {
                (segment, found_bytes) = (anchor.segment.clone(), 0);
            }
            let expected_bytes = anchor.bytes;
            return Err(LedgerError::CutOff { segment, expected_bytes, found_bytes });
        };
        let broken =
            || LedgerError::Broken { segment: placed.segment.clone(), line: placed.number };
        chain = placed.line.follows(key, &chain).ok_or_else(broken)?;
        lines += 1;
        (segment, found_bytes) = (placed.segment, placed.end_bytes);
    }
    if chain != anchor.chain {
        return Err(LedgerError::NoAnchor);
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_are_segments() {
        assert!(is_segment(&segment_of(1_795_391_999_000)));
        for name in ["head", "2026-11-22.jsonl.part", "2026-11-2a.jsonl", "x2026-11-22.jsonl", ""] {
            assert!(!is_segment(name), "{name}");
        }
    }
}
