//! How long and how much a peer may ask of us.

use std::time::Duration;

/// Limits of one association, in either role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// From the connection to the whole A-ASSOCIATE-RQ, and from the last PDU
    /// to the closing of the connection (the ARTIM timer, PS3.8 §9.1.5).
    /// Default 30 s: no modality thinks longer between connect and request.
    pub artim: Duration,
    /// Silence between two messages. Default 15 min: carts keep an association
    /// open for one examination.
    pub idle: Duration,
    /// Silence inside a message, and how long one write may hang.
    /// Default 60 s: longer than a switch of the network needs to heal.
    pub stall: Duration,
    /// From the first byte of a PDU that is no P-DATA-TF to its last. Default
    /// 5 min; a peer that drips single bytes ends here. Data has no least rate.
    pub pdu_time_max: Duration,
    /// How long we as requestor wait for the answer to a message.
    /// Default 5 min: archives that compress before they answer need minutes.
    pub answer: Duration,
    /// Look-up of the name and TCP connect together. Default 10 s.
    pub connect: Duration,
    /// Longest P-DATA-TF we announce and accept, without its 6-byte header
    /// (PS3.8 §D.1). Default 256 KiB: two of the longest that senders make; none is
    /// held whole, so that it costs no memory.
    pub pdu_bytes_max: u32,
    /// Longest A-ASSOCIATE-RQ and -AC, held whole. Default 256 KiB: 128 contexts with
    /// 20 transfer syntaxes each need under 180 KiB.
    pub associate_bytes_max: u32,
    /// Most bytes of a data set that are read after it was refused, so that the
    /// refusal can be told. Default 1 GiB: longer than any single frame.
    pub unwanted_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            artim: Duration::from_secs(30),
            idle: Duration::from_secs(15 * 60),
            stall: Duration::from_secs(60),
            pdu_time_max: Duration::from_secs(5 * 60),
            answer: Duration::from_secs(5 * 60),
            connect: Duration::from_secs(10),
            pdu_bytes_max: 256 << 10,
            associate_bytes_max: 256 << 10,
            unwanted_bytes_max: 1 << 30,
        }
    }
}

/// Longest P-DATA-TF we send, whatever the peer takes. 128 KiB: what DCMTK
/// caps at too; memory of a sender stays small.
pub const SENT_PDU_BYTES_MAX: u32 = 128 << 10;

/// Bytes of P-DATA-TF that are gathered before they go to the network. 128 KiB: peers
/// that take 16 KiB in one PDU get eight with one call.
pub const SENT_AT_ONCE_BYTES: usize = 128 << 10;

/// Peers that take less than this in one P-DATA-TF are refused: a command
/// would fall into dozens of fragments. 128 bytes; nothing real asks for less.
pub const PEER_PDU_BYTES_MIN: u32 = 128;

/// Longest command set. 16 KiB: a C-STORE-RQ has under 400 bytes, and the
/// longest of the others a few thousand.
pub const COMMAND_BYTES_MAX: usize = 16 << 10;

/// Most fragments of a command set, empty ones included. 1,024: one byte each would
/// still do for a C-STORE-RQ.
pub const COMMAND_FRAGMENTS_MAX: usize = 1_024;

/// Most presentation contexts of one association: the odd numbers of a byte
/// (PS3.8 §9.3.2.2).
pub const CONTEXTS_MAX: usize = 128;
