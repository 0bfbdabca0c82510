//! Answers requests from the node's parts; used by the socket and, without a
//! running node, by the command itself.

use std::sync::Arc;

use super::message::{Answer, Request};
use crate::pipeline::{Node, NodeError};

/// Carries out one request.
pub async fn answer(node: &Arc<Node>, request: Request) -> Answer {
    carried_out(node, request)
        .await
        .unwrap_or_else(|error| Answer::Failed { what: error.to_string() })
}

async fn carried_out(node: &Arc<Node>, request: Request) -> Result<Answer, NodeError> {
    Ok(match request {
        Request::Health => match node.stopped() {
            stopped if stopped.is_empty() => Answer::Ready,
            stopped => Answer::Failed { what: stopped.join("; ") },
        },
        Request::Queue => Answer::Queue(node.standing().await?),
        Request::Studies { study } => Answer::Studies(node.study_views(study).await?),
        Request::Quarantine { id } => Answer::Quarantine(node.quarantined(id.as_deref()).await?),
        Request::Release(order) => Answer::Done(node.release(&order).await?),
        Request::Recalls => Answer::Recalls(node.recalls().await?),
        Request::Discard { id, actor, reason } => {
            node.discard(&id, &actor, &reason).await?;
            Answer::Done(vec![id])
        }
        Request::Receipts { study } => Answer::Receipts(node.receipts(study).await?),
        Request::Persons(request) => Answer::Persons(node.persons(request).await?),
        Request::VerifyReceipts => Answer::ChainWhole(node.verify_receipts().await?),
    })
}
