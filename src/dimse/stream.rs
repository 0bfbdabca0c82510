//! Protocol data units on a byte stream, in both directions.
//!
//! In: bytes of a peer. Out: one checked PDU at a time. A P-DATA-TF is handed on
//! as its bytes come, in slices of one reused buffer, never copied here and never
//! held whole; the bodies of the others stay in that buffer. Type and length are
//! compared with the limits as soon as the six bytes of the header stand, so that
//! an HTTP request or a stated length of 4 GiB costs six bytes and an answer.

use std::io;
use std::ops::Range;
use std::time::Duration;

use dicom_ul::pdu::{AssociationAC, AssociationRQ, Pdu, write_pdu};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout};

use super::limits::Limits;
use super::pdu::{HEADER_BYTES, PduError, PduKind, check_header, parse_associate};
use super::transport::Transport;

/// Bytes of the buffer in an association, and how far it grows before more have really
/// come. 48 KiB: an idle, slow or lying peer costs no more than this.
const BUFFER_BYTES: usize = 48 << 10;
/// Bytes of data that are waited for where so many are to come. 16 KiB: what most senders
/// put into one PDU; the rest of the buffer is room for the next read.
const PIECE_BYTES: usize = 16 << 10;
/// The same before the first byte came.
const FIRST_READ_BYTES: usize = 4 << 10;

/// PDUs on a byte stream, in both directions.
#[derive(Debug)]
pub struct PduStream<S> {
    transport: S,
    limits: Limits,
    /// Received bytes.
    buffer: Vec<u8>,
    /// Those before it were handed out.
    start: usize,
    /// The current PDU's body; of a P-DATA-TF what was handed out last.
    body: Range<usize>,
    /// Bytes of the current P-DATA-TF that were not handed out.
    data_left: usize,
    /// The association stands: a further request for one is an error, whatever it says.
    is_established: bool,
}

impl<S: Transport> PduStream<S> {
    /// PDUs on this stream.
    pub fn new(transport: S, limits: Limits) -> Self {
        Self {
            transport,
            limits,
            buffer: Vec::new(),
            start: 0,
            body: 0..0,
            data_left: 0,
            is_established: false,
        }
    }

    /// From now on an association stands.
    pub fn establish(&mut self) {
        self.is_established = true;
    }

    /// The limits it was made with.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Waits for the next PDU, past what is left of a P-DATA-TF. Its body is then read
    /// by [`PduStream::body`], that of a P-DATA-TF by [`PduStream::data`].
    /// May be dropped while it waits: nothing received is lost.
    ///
    /// # Errors
    /// [`PduError`]; the caller tells the peer by [`PduError::abort_source`].
    pub async fn read(&mut self, first_byte_wait: Duration) -> Result<PduKind, PduError> {
        while self.data_left > 0 {
            self.data(1, usize::MAX).await?;
        }
        self.body = self.start..self.start;
        if self.unread_bytes() == 0 {
            let more = timeout(first_byte_wait, self.receive()).await;
            match more.map_err(|_elapsed| timed_out("byte", first_byte_wait))? {
                Ok(0) => return Err(PduError::Closed),
                Ok(_received) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // A clock that cannot count so far has no deadline to miss.
        let deadline = Instant::now().checked_add(self.limits.pdu_time_max);
        self.fill(HEADER_BYTES, deadline).await?;
        let header = self.buffer.get(self.start..).and_then(|rest| rest.first_chunk());
        let header = *header.ok_or(PduError::Truncated)?;
        let (kind, body_bytes) = check_header(header, &self.limits)?;
        if self.is_established && matches!(kind, PduKind::AssociateRq | PduKind::AssociateAc) {
            // Out of turn, so that nobody looks at its body.
            return Ok(kind);
        }
        if kind == PduKind::PData {
            // Data that moves is never too slow (an association over a bad line).
            self.start = self.start.saturating_add(HEADER_BYTES);
            self.body = self.start..self.start;
            self.data_left = body_bytes;
            return Ok(kind);
        }
        self.fill(HEADER_BYTES.saturating_add(body_bytes), deadline).await?;
        let body_start = self.start.saturating_add(HEADER_BYTES);
        self.body = body_start..body_start.saturating_add(body_bytes);
        self.start = self.body.end;
        Ok(kind)
    }

    /// Bytes of the current P-DATA-TF that are still to be handed out.
    #[must_use]
    pub fn data_left(&self) -> usize {
        self.data_left
    }

    /// The next bytes of the current P-DATA-TF: `at_least` so many, which must be left
    /// of it, and `at_most` so many. May be dropped while it waits: nothing is lost.
    ///
    /// # Errors
    /// [`PduError`], [`PduError::Malformed`] where the PDU has fewer left.
    pub async fn data(&mut self, at_least: usize, at_most: usize) -> Result<&[u8], PduError> {
        if at_least > self.data_left {
            return Err(PduError::Malformed { what: "presentation data value" });
        }
        self.fill(at_least, None).await?;
        let bytes = self.unread_bytes().min(self.data_left).min(at_most);
        self.body = self.start..self.start.saturating_add(bytes);
        self.start = self.body.end;
        self.data_left = self.data_left.saturating_sub(bytes);
        Ok(self.body())
    }

    /// The next bytes of a fragment that has `left` of them: as many as are there, and
    /// not a handful where more are to come.
    ///
    /// # Errors
    /// As [`PduStream::data`].
    pub async fn piece(&mut self, left: usize) -> Result<&[u8], PduError> {
        self.data(left.min(PIECE_BYTES), left).await
    }

    /// Returns when bytes of the next PDU, or of what is left of a P-DATA-TF, are there.
    /// May be dropped: nothing received is lost.
    ///
    /// # Errors
    /// [`PduError::Closed`], [`PduError::Io`].
    pub async fn comes(&mut self) -> Result<(), PduError> {
        if self.unread_bytes() == 0 && self.receive().await? == 0 {
            return Err(PduError::Closed);
        }
        Ok(())
    }

    /// The current PDU's body, of a P-DATA-TF what was handed out last; empty before the
    /// first one.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.buffer.get(self.body.clone()).unwrap_or_default()
    }

    /// The current PDU as an A-ASSOCIATE-RQ.
    ///
    /// # Errors
    /// [`PduError::Malformed`].
    pub fn associate_request(&self) -> Result<AssociationRQ, PduError> {
        match parse_associate(1, self.body(), &self.limits) {
            Some(Pdu::AssociationRQ(request)) => Ok(request),
            _other => Err(PduError::Malformed { what: "A-ASSOCIATE-RQ" }),
        }
    }

    /// The current PDU as an A-ASSOCIATE-AC.
    ///
    /// # Errors
    /// [`PduError::Malformed`].
    pub fn associate_accept(&self) -> Result<AssociationAC, PduError> {
        match parse_associate(2, self.body(), &self.limits) {
            Some(Pdu::AssociationAC(accept)) => Ok(accept),
            _other => Err(PduError::Malformed { what: "A-ASSOCIATE-AC" }),
        }
    }

    /// Result, source and reason of an A-ASSOCIATE-RJ, or source and reason of
    /// an A-ABORT: the last three bytes of both (PS3.8 §9.3.4, §9.3.8).
    #[must_use]
    pub fn verdict(&self) -> [u8; 3] {
        self.body().last_chunk().copied().unwrap_or_default()
    }

    /// Sends one PDU that is no P-DATA-TF.
    ///
    /// # Errors
    /// [`PduError::Io`], [`PduError::TimedOut`], or [`PduError::Malformed`]
    /// when we made a PDU that cannot be written.
    pub async fn write(&mut self, pdu: &Pdu) -> Result<(), PduError> {
        let mut bytes = Vec::new();
        write_pdu(&mut bytes, pdu).map_err(|_| PduError::Malformed { what: "PDU of our own" })?;
        self.write_bytes(&bytes).await
    }

    /// Sends ready bytes.
    ///
    /// # Errors
    /// [`PduError::Io`], [`PduError::TimedOut`] after `stall` in which none went.
    pub async fn write_bytes(&mut self, bytes: &[u8]) -> Result<(), PduError> {
        let stall = self.limits.stall;
        let stalled = |_elapsed| timed_out("room to write", stall);
        let mut rest = bytes;
        while !rest.is_empty() {
            let written = timeout(stall, self.transport.write(rest)).await.map_err(stalled)??;
            if written == 0 {
                return Err(io::Error::from(io::ErrorKind::WriteZero).into());
            }
            rest = rest.get(written..).unwrap_or_default();
        }
        Ok(timeout(stall, self.transport.flush()).await.map_err(stalled)??)
    }

    /// Waits until the peer closes, at most `artim` (PS3.8 §9.2, Sta13), and
    /// throws away what still comes: a connection closed over unread bytes
    /// would be reset, and the peer would miss our last PDU.
    pub async fn await_close(mut self) {
        let artim = self.limits.artim;
        let drained = timeout(artim, async {
            self.transport.shutdown().await?;
            loop {
                self.buffer.clear();
                self.start = 0;
                if self.receive().await? == 0 {
                    return io::Result::Ok(());
                }
            }
        });
        // Whatever ended the wait, the connection is closed by the drop.
        match drained.await {
            Ok(Ok(()) | Err(_)) | Err(_) => {}
        }
    }

    fn unread_bytes(&self) -> usize {
        self.buffer.len().saturating_sub(self.start)
    }

    /// Receives until `bytes` of the current PDU stand in the buffer.
    async fn fill(&mut self, bytes: usize, deadline: Option<Instant>) -> Result<(), PduError> {
        while self.unread_bytes() < bytes {
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            let wait = left.map_or(self.limits.stall, |left| left.min(self.limits.stall));
            let more = timeout(wait, self.receive()).await;
            match more.map_err(|_elapsed| timed_out("rest of a PDU", self.limits.stall))? {
                Ok(0) => return Err(PduError::Truncated),
                Ok(_received) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// One read from the transport to the end of the buffer; 0 at its end. What was
    /// handed out last is gone.
    async fn receive(&mut self) -> io::Result<usize> {
        self.buffer.drain(..self.start);
        self.body = 0..0;
        self.start = 0;
        if self.buffer.capacity() > BUFFER_BYTES && self.buffer.len() < PIECE_BYTES {
            // After a long A-ASSOCIATE-RQ.
            self.buffer.shrink_to(BUFFER_BYTES);
        }
        // A connection that has said nothing costs little; and beyond what data needs
        // the buffer grows with what has come, for a long A-ASSOCIATE-RQ.
        let room = match self.buffer.capacity() {
            0 => FIRST_READ_BYTES,
            _ => BUFFER_BYTES.saturating_sub(self.buffer.len()).max(PIECE_BYTES),
        };
        self.buffer.reserve_exact(room);
        self.transport.before_read();
        self.transport.read_buf(&mut self.buffer).await
    }
}

fn timed_out(awaited: &'static str, limit: Duration) -> PduError {
    PduError::TimedOut { awaited, seconds: limit.as_secs() }
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    fn limits() -> Limits {
        Limits {
            stall: Duration::from_millis(50),
            pdu_time_max: Duration::from_millis(200),
            artim: Duration::from_millis(100),
            ..Limits::default()
        }
    }

    fn stream() -> (PduStream<DuplexStream>, DuplexStream) {
        let (ours, theirs) = duplex(1 << 20);
        (PduStream::new(ours, limits()), theirs)
    }

    #[tokio::test]
    async fn pdus_are_framed_however_the_bytes_arrive() {
        let (mut ours, mut theirs) = stream();
        let release = [5, 0, 0, 0, 0, 4, 0, 0, 0, 0];
        let data = [4, 0, 0, 0, 0, 8, 0, 0, 0, 4, 1, 2, 8, 9];
        let bytes = [&data[..], &release, &data, &data].concat();
        tokio::spawn(async move {
            for piece in bytes.chunks(5) {
                theirs.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        let wait = Duration::from_secs(1);
        for expected in [PduKind::PData, PduKind::ReleaseRq, PduKind::PData, PduKind::PData] {
            assert_eq!(ours.read(wait).await.unwrap(), expected);
            if expected == PduKind::PData {
                assert_eq!(ours.data(6, 6).await.unwrap(), &data[6..12]);
                assert_eq!((ours.data_left(), ours.data(2, 9).await.unwrap()), (2, &data[12..]));
                assert!(ours.data(1, 1).await.is_err(), "the next PDU is not of this one");
            }
        }
        assert!(matches!(ours.read(wait).await, Err(PduError::Closed)));
    }

    #[tokio::test]
    async fn data_is_handed_out_as_it_comes_from_a_small_buffer() {
        let (mut ours, mut theirs) = stream();
        let long = (0..limits().pdu_bytes_max).map(|at| at.to_be_bytes()[3]).collect::<Vec<_>>();
        let head = [&[4, 0], &limits().pdu_bytes_max.to_be_bytes()[..]].concat();
        theirs.write_all(&[&head, &long[..20_000]].concat()).await.unwrap();
        let wait = Duration::from_secs(1);
        assert_eq!(ours.read(wait).await.unwrap(), PduKind::PData);
        // Most of it has not come.
        let mut came = ours.piece(long.len()).await.unwrap().to_vec();
        // A wait that is given up loses nothing.
        let more = timeout(Duration::from_millis(5), ours.piece(long.len() - came.len())).await;
        assert!(more.is_err());
        theirs
            .write_all(&[&long[20_000..], &[5, 0, 0, 0, 0, 4, 0, 0, 0, 0]].concat())
            .await
            .unwrap();
        while came.len() < 200_000 {
            let piece = ours.piece(long.len() - came.len()).await.unwrap();
            assert!(piece.len() >= PIECE_BYTES);
            came.extend_from_slice(piece);
            assert!(ours.buffer.capacity() <= BUFFER_BYTES, "{}", ours.buffer.capacity());
        }
        assert_eq!(came, long[..came.len()]);
        assert_eq!(ours.data_left(), long.len() - came.len());
        // Past the rest.
        assert_eq!(ours.read(wait).await.unwrap(), PduKind::ReleaseRq);
    }

    #[tokio::test]
    async fn a_request_in_an_association_is_told_by_its_header() {
        let (mut ours, mut theirs) = stream();
        ours.establish();
        theirs.write_all(&[1, 0, 0, 3, 0, 0]).await.unwrap();
        assert_eq!(ours.read(Duration::from_secs(1)).await.unwrap(), PduKind::AssociateRq);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_a_little_at_a_time_is_waited_for_and_one_that_takes_none_is_not() {
        let (ours, mut theirs) = duplex(64);
        let mut ours = PduStream::new(ours, limits());
        let taking = tokio::spawn(async move {
            let mut taken = [0; 64];
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(20)).await;
                theirs.read_exact(&mut taken).await.unwrap();
            }
            theirs
        });
        // Four times as long as a stall may last.
        ours.write_bytes(&[7; 640]).await.unwrap();
        let _stays_open = taking.await.unwrap();
        let stalled = ours.write_bytes(&[7; 640]).await;
        assert!(matches!(stalled, Err(PduError::TimedOut { awaited: "room to write", .. })));
    }

    #[tokio::test]
    async fn silence_drip_and_end_are_told_apart() {
        let (mut ours, mut theirs) = stream();
        let silent = ours.read(Duration::from_millis(20)).await;
        assert!(matches!(silent, Err(PduError::TimedOut { awaited: "byte", .. })));

        theirs.write_all(&[5, 0, 0]).await.unwrap();
        let stalled = ours.read(Duration::from_millis(20)).await;
        assert!(matches!(stalled, Err(PduError::TimedOut { awaited: "rest of a PDU", .. })));

        let (mut ours, mut theirs) = stream();
        tokio::spawn(async move {
            for byte in [1, 0, 0, 1].into_iter().chain([0; 60]) {
                theirs.write_all(&[byte]).await.ok();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        // Each byte comes in time, the whole A-ASSOCIATE-RQ does not.
        let dripped = ours.read(Duration::from_millis(50)).await;
        assert!(matches!(dripped, Err(PduError::TimedOut { .. })), "{dripped:?}");

        let (mut ours, mut theirs) = stream();
        theirs.write_all(&[5, 0, 0, 0]).await.unwrap();
        drop(theirs);
        assert!(matches!(ours.read(Duration::from_millis(20)).await, Err(PduError::Truncated)));
    }
}
