//! A destination takes a SOP class in an uncompressed transfer syntax alone: the
//! instance goes back to a worker, which makes another clean copy of it (DESIGN.md
//! decision 5).

use tracing::info;

use super::node::{Node, NodeError};
use crate::clean::Report;
use crate::dicom::TransferSyntax;
use crate::dicom::transfer_syntax::{EXPLICIT_VR_LE, IMPLICIT_VR_LE};
use crate::queue::{Queue as _, Stage};
use crate::spool::{Decision, SpoolId, State, Then};

impl Node {
    /// Sends a clean copy back to be made in this transfer syntax. `false` where that
    /// was done before, or it is neither Explicit nor Implicit VR Little Endian: the
    /// destination will not take it.
    pub(super) async fn leaves_in(
        &self,
        id: SpoolId,
        syntax: &TransferSyntax,
        report: &Report,
    ) -> Result<bool, NodeError> {
        let then = match syntax.as_str() {
            EXPLICIT_VR_LE => Then::ExplicitLittleEndian,
            IMPLICIT_VR_LE => Then::ImplicitLittleEndian,
            _ => return Ok(false),
        };
        let _held = self.locks.hold(id).await;
        if self.on_spool(move |spool| spool.state(id)).await? != Some(State::Held) {
            // Another destination was quicker, or it was set aside.
            return Ok(true);
        }
        let record = self.on_spool(move |spool| spool.record(id)).await?;
        let has = |then, made: &str| {
            report.transfer_syntax_out == made
                && record.decisions.iter().any(|decision| decision.then == then)
        };
        // Killed between the decision and its step, the clean copy is still the first.
        if has(Then::ExplicitLittleEndian, EXPLICIT_VR_LE)
            || has(Then::ImplicitLittleEndian, IMPLICIT_VR_LE)
        {
            return Ok(false);
        }
        let decision = Decision {
            then,
            actor: "airlock".to_owned(),
            reason: "a destination takes nothing else".to_owned(),
            at_unix_ms: self.clock.unix_ms(),
            round: 0,
        };
        self.on_spool(move |spool| spool.clean_again(id, decision)).await?;
        let project = record.arrival.as_ref().map_or("", |arrival| arrival.project.as_str());
        // First: its study waits for what is to be cleaned.
        self.queue.offer(&Stage::Clean, id, project);
        for stage in self.queue.stages().into_iter().filter(|stage| *stage != Stage::Clean) {
            self.queue.done(&stage, id);
        }
        info!(spool_id = %id, syntax = syntax.as_str(), "cleaned again for a destination that takes it in no other syntax");
        Ok(true)
    }
}
