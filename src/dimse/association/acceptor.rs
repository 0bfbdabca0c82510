//! Establishing an association that a peer asks for (PS3.8 §9.2, states Sta2
//! and Sta3).
//!
//! In: a connection. Out: a [`Pending`] request whose form was checked; the
//! caller then decides by who asks, and accepts or rejects it.

use dicom_ul::pdu::{AssociationRQ, Pdu};
use tokio::time::timeout;

use super::negotiation::{
    Offer, Peer, Rejection, accept, check_request, contexts_are_legal, peer_pdu_bytes_max,
};
use super::{Association, AssociationError, aborted, out_of_turn, send_abort};
use crate::dimse::limits::Limits;
use crate::dimse::pdu::{PduError, PduKind};
use crate::dimse::stream::PduStream;
use crate::dimse::transport::Transport;

/// Why a connection did not become a request; the peer has been told.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Broken, out of turn, or late.
    #[error(transparent)]
    Association(#[from] AssociationError),
    /// Legal in form, but nothing that we talk to.
    #[error(transparent)]
    Rejected(#[from] Rejection),
}

impl RequestError {
    /// The peer closed without a byte, as load balancers and monitors do.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        matches!(self, Self::Association(AssociationError::Pdu(PduError::Closed)))
    }
}

/// A request that waits for our answer.
#[derive(Debug)]
pub struct Pending<S> {
    stream: PduStream<S>,
    request: AssociationRQ,
    peer: Peer,
}

/// Waits for a request, at most `artim` in all.
///
/// # Errors
/// [`RequestError`]; the peer has been told and the connection is closed.
pub async fn receive_request<S: Transport>(
    transport: S,
    limits: &Limits,
) -> Result<Pending<S>, RequestError> {
    let mut stream = PduStream::new(transport, limits.clone());
    match read_request(&mut stream).await {
        Ok(request) => match check_request(&request) {
            Ok(peer) => Ok(Pending { stream, request, peer }),
            Err(rejection) => {
                send_rejection(stream, rejection).await;
                Err(rejection.into())
            }
        },
        Err(error) => {
            if let Some(source) = error.abort_source() {
                send_abort(stream, source).await;
            }
            Err(error.into())
        }
    }
}

impl<S: Transport> Pending<S> {
    /// Who asks.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Refuses and closes.
    pub async fn reject(self, rejection: Rejection) {
        send_rejection(self.stream, rejection).await;
    }

    /// Accepts what `offer` takes.
    ///
    /// # Errors
    /// [`AssociationError`] when the answer cannot be sent.
    pub async fn accept(mut self, offer: &dyn Offer) -> Result<Association<S>, AssociationError> {
        let (answer, contexts) = accept(&self.request, offer, self.stream.limits());
        self.stream.write(&Pdu::AssociationAC(answer)).await?;
        let peer_max = peer_pdu_bytes_max(&self.request.user_variables);
        Ok(Association::new(self.stream, contexts, peer_max))
    }
}

async fn read_request<S: Transport>(
    stream: &mut PduStream<S>,
) -> Result<AssociationRQ, AssociationError> {
    let artim = stream.limits().artim;
    let kind = timeout(artim, stream.read(artim)).await.map_err(|_elapsed| {
        PduError::TimedOut { awaited: "A-ASSOCIATE-RQ", seconds: artim.as_secs() }
    })??;
    match kind {
        PduKind::AssociateRq => {}
        PduKind::Abort => return Err(aborted(stream.verdict())),
        PduKind::AssociateAc | PduKind::AssociateRj => return Err(out_of_turn("A-ASSOCIATE")),
        PduKind::PData => return Err(out_of_turn("P-DATA-TF")),
        PduKind::ReleaseRq | PduKind::ReleaseRp => return Err(out_of_turn("A-RELEASE")),
    }
    let request = stream.associate_request()?;
    if !contexts_are_legal(&request.presentation_contexts) {
        return Err(PduError::Malformed { what: "presentation context numbers" }.into());
    }
    Ok(request)
}

async fn send_rejection<S: Transport>(mut stream: PduStream<S>, rejection: Rejection) {
    match stream.write(&Pdu::AssociationRJ(rejection.to_pdu())).await {
        Ok(()) => stream.await_close().await,
        Err(error) => tracing::debug!(%error, "A-ASSOCIATE-RJ was not sent"),
    }
}
