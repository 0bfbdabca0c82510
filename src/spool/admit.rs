//! The clean commit: from `received` to `held`, with a clean copy, its report
//! and a link for each destination.

use super::layout::Dir;
use super::record::Decision;
use super::steps::byte_count;
use super::store::{REPORT_BYTES_MAX, Shared};
use super::{DestinationName, Spool, SpoolError, SpoolId, State};
use crate::kill_point::kill_point;

impl Spool {
    /// Takes the clean copy that a worker wrote to [`Spool::clean_part`]: report,
    /// object, links, sync, and at last the original moves to `held`. After it
    /// the instance waits for each of `destinations`; without any it waits for
    /// its receipt.
    ///
    /// # Errors
    /// [`SpoolError::NotThere`] when it is not in `received`. After any error it
    /// is there as before, to be cleaned again, or the store has failed.
    pub fn commit_clean(
        &self,
        id: SpoolId,
        report_json: &[u8],
        destinations: &[DestinationName],
    ) -> Result<(), SpoolError> {
        let shared = &*self.0;
        shared.usable()?;
        if byte_count(report_json) > REPORT_BYTES_MAX {
            return Err(SpoolError::TooLong { what: "report", limit_bytes: REPORT_BYTES_MAX });
        }
        destinations.iter().try_for_each(|name| shared.ensure_destination(name))?;
        let _only = shared.lock(id);
        if shared.original(id)? != Some(State::Received) {
            return Err(SpoolError::NotThere { id, wanted: "received" });
        }
        let admitted = shared.admit(id, report_json, destinations);
        if admitted.is_err() && shared.usable().is_ok() && shared.roll_back(id).is_err() {
            // Links without a certain state could be sent twice or forgotten.
            shared.fail("take back a clean copy");
        }
        admitted
    }
}

impl Spool {
    /// Sends a clean copy back to be cleaned again with this decision: no destination
    /// takes it as it is. What was delivered stays noted.
    ///
    /// # Errors
    /// [`SpoolError::NotThere`] when it is not in `held`. After any error it stands as
    /// before, with the decision perhaps noted, or the store has failed.
    pub fn clean_again(&self, id: SpoolId, decision: Decision) -> Result<(), SpoolError> {
        let shared = &*self.0;
        shared.usable()?;
        let _only = shared.lock(id);
        if shared.original(id)? != Some(State::Held) {
            return Err(SpoolError::NotThere { id, wanted: "held" });
        }
        shared.amend(id, |record| {
            record.attempts = 0;
            if !record.decisions.iter().any(|known| known.then == decision.then) {
                record.decisions.push(decision);
            }
        })?;
        kill_point("spool.recode.record-synced");
        // From here on it is as after a clean commit that was taken back.
        shared.roll_back(id)?;
        kill_point("spool.recode.received");
        Ok(())
    }
}

impl Shared {
    fn admit(
        &self,
        id: SpoolId,
        report_json: &[u8],
        destinations: &[DestinationName],
    ) -> Result<(), SpoolError> {
        let layout = &self.layout;
        let report = layout.report(id);
        self.remove_if_there(&report)?;
        let report_json = self.sealed_report(id, &with_crc(report_json))?;
        self.write_new(&report, &report_json)?;
        kill_point("spool.clean.report-synced");

        self.sync_file(&layout.clean_part(id))?;
        kill_point("spool.clean.object-synced");
        let cleaned = layout.object(State::Cleaned, id);
        self.rename(&layout.clean_part(id), &cleaned)?;
        self.count_in(&cleaned)?;
        kill_point("spool.clean.named");

        for destination in destinations {
            let link = layout.link(destination, id);
            // A link of an earlier try would lead to that try's bytes.
            self.remove_if_there(&link)?;
            self.link(&cleaned, &link)?;
            kill_point("spool.clean.linked");
        }
        self.sync_dir(Dir::Report)?;
        self.sync_dir(Dir::Cleaned)?;
        for destination in destinations {
            self.sync_path(&layout.outbox(destination))?;
        }
        kill_point("spool.clean.links-durable");

        // From here on a missing link means "delivered", so all of them are durable.
        self.move_original(id, State::Received, State::Held)?;
        kill_point("spool.clean.held");
        Ok(())
    }

    /// Back to `received` after a step that failed for want of space or handles.
    fn roll_back(&self, id: SpoolId) -> Result<(), SpoolError> {
        if self.stands(&self.layout.object(State::Held, id))? {
            self.move_original(id, State::Held, State::Received)?;
            // Before a link goes: `held` without links means "delivered".
            self.sync_dir(Dir::Held)?;
        }
        self.drop_clean(id)?;
        self.sync_outboxes()
    }
}

/// Length of what follows a report: line end, CRC-32 in hex, line end.
const SEAL_BYTES: usize = 10;

/// A report with its CRC-32 behind it: a code or UID that the disk changed must
/// not become a path or a command.
fn with_crc(report_json: &[u8]) -> Vec<u8> {
    [report_json, format!("\n{:08x}\n", crc32fast::hash(report_json)).as_bytes()].concat()
}

/// The report in a file; one that was written without a CRC-32 is taken as it is.
pub(super) fn without_crc(mut file: Vec<u8>) -> Result<Vec<u8>, &'static str> {
    let split = file.len().saturating_sub(SEAL_BYTES);
    let Some((json, seal)) = file.split_at_checked(split) else { return Ok(file) };
    let (Some(hex), b'\n') = (seal.strip_prefix(b"\n"), seal.last().copied().unwrap_or(0)) else {
        return Ok(file);
    };
    if hex != format!("{:08x}\n", crc32fast::hash(json)).as_bytes() {
        return Err("the checksum of its report is wrong");
    }
    file.truncate(split);
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_back_and_one_without_checksum_too_but_no_changed_one() {
        for report in [&b"{}"[..], br#"{"patient_code":"AL-7QK2"}"#] {
            let file = with_crc(report);
            assert_eq!(without_crc(file.clone()).unwrap(), report);
            assert_eq!(without_crc(report.to_vec()).unwrap(), report);
            for bit in 0..file.len() * 8 {
                let mut damaged = file.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                // With its mark gone it reads as no JSON.
                let read = without_crc(damaged.clone());
                assert!(read.is_err() || read.is_ok_and(|read| read == damaged), "bit {bit}");
            }
        }
    }
}
