//! The coding of protocol data units (PS3.8 §9.3).
//!
//! Pure: bytes of a peer in, checked words out. [`super::stream`] brings the
//! bytes. Only A-ASSOCIATE-RQ and -AC go through the toolkit's reader.

use std::io;

use dicom_ul::pdu::{AbortRQServiceProviderReason as AbortReason, AbortRQSource, Pdu, read_pdu};

use super::limits::Limits;

/// Type, reserved byte and length.
pub const HEADER_BYTES: usize = 6;
/// Item length, presentation context and message control header of a PDV.
pub const PDV_HEADER_BYTES: usize = 6;
/// Fixed part of A-ASSOCIATE-RQ and -AC before the variable items, after the
/// header (PS3.8 Tables 9-11, 9-17).
const ASSOCIATE_FIXED_BYTES: usize = 68;

/// What ends an association below the level of messages.
#[derive(Debug, thiserror::Error)]
pub enum PduError {
    /// The peer closed between two PDUs; nothing is answered.
    #[error("peer closed the connection")]
    Closed,
    /// The peer closed inside a PDU.
    #[error("connection ended inside a PDU")]
    Truncated,
    /// The connection broke.
    #[error("connection broke: {0}")]
    Io(#[from] io::Error),
    /// No byte, or no whole PDU, within the limit; answered with A-ABORT.
    #[error("no {awaited} within {seconds} s")]
    TimedOut {
        /// What was waited for.
        awaited: &'static str,
        /// The limit.
        seconds: u64,
    },
    /// Not a type of PS3.8 §9.3.1: HTTP, TLS or noise; answered with A-ABORT.
    #[error("PDU type {kind:02X} is not known")]
    UnknownType {
        /// The type.
        kind: u8,
    },
    /// A length that the type does not allow; answered with A-ABORT.
    #[error("PDU of type {kind:02X} states {bytes} bytes, limit is {limit_bytes}")]
    BadLength {
        /// The type.
        kind: u8,
        /// The stated length.
        bytes: u32,
        /// What is allowed.
        limit_bytes: u32,
    },
    /// The body is not as PS3.8 §9.3 has it; answered with A-ABORT.
    #[error("malformed {what}")]
    Malformed {
        /// The PDU or item.
        what: &'static str,
    },
}

impl PduError {
    /// What an A-ABORT for this error says (PS3.8 §9.3.8); `None` when nobody
    /// is left to tell.
    #[must_use]
    pub fn abort_source(&self) -> Option<AbortRQSource> {
        let reason = match self {
            Self::Closed | Self::Truncated | Self::Io(_) => return None,
            Self::TimedOut { .. } => AbortReason::ReasonNotSpecified,
            Self::UnknownType { .. } => AbortReason::UnrecognizedPdu,
            Self::BadLength { .. } | Self::Malformed { .. } => AbortReason::InvalidPduParameter,
        };
        Some(AbortRQSource::ServiceProvider(reason))
    }
}

/// The types of PS3.8 §9.3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PduKind {
    /// A-ASSOCIATE-RQ.
    AssociateRq,
    /// A-ASSOCIATE-AC.
    AssociateAc,
    /// A-ASSOCIATE-RJ.
    AssociateRj,
    /// P-DATA-TF.
    PData,
    /// A-RELEASE-RQ.
    ReleaseRq,
    /// A-RELEASE-RP.
    ReleaseRp,
    /// A-ABORT.
    Abort,
}

/// Type and body length of a PDU, checked against the limits.
///
/// # Errors
/// [`PduError::UnknownType`], [`PduError::BadLength`].
pub fn check_header(
    header: [u8; HEADER_BYTES],
    limits: &Limits,
) -> Result<(PduKind, usize), PduError> {
    let [kind, _reserved, l0, l1, l2, l3] = header;
    let bytes = u32::from_be_bytes([l0, l1, l2, l3]);
    let (known, shortest, longest) = match kind {
        1 => (PduKind::AssociateRq, 68, limits.associate_bytes_max),
        2 => (PduKind::AssociateAc, 68, limits.associate_bytes_max),
        3 => (PduKind::AssociateRj, 4, 4),
        4 => (PduKind::PData, 6, limits.pdu_bytes_max),
        5 => (PduKind::ReleaseRq, 4, 4),
        6 => (PduKind::ReleaseRp, 4, 4),
        7 => (PduKind::Abort, 4, 4),
        _ => return Err(PduError::UnknownType { kind }),
    };
    let length = usize::try_from(bytes).ok().filter(|_| (shortest..=longest).contains(&bytes));
    let length = length.ok_or(PduError::BadLength { kind, bytes, limit_bytes: longest })?;
    Ok((known, length))
}

/// The head of one presentation data value (PS3.8 §9.3.5.1, §E.2): what its fragment
/// belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pdv {
    /// Presentation context.
    pub context_id: u8,
    /// Of a command, else of a data set.
    pub is_command: bool,
    /// The last fragment of its command or data set.
    pub is_last: bool,
    /// Length of the fragment, which follows.
    pub fragment_bytes: usize,
}

/// Reads the head of a presentation data value after which the PDU has `left_bytes`.
///
/// # Errors
/// [`PduError::Malformed`] when it passes the end of the PDU.
pub fn read_pdv(head: [u8; PDV_HEADER_BYTES], left_bytes: usize) -> Result<Pdv, PduError> {
    let [l0, l1, l2, l3, context_id, control] = head;
    let fragment_bytes = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3]))
        .ok()
        .and_then(|item_bytes| item_bytes.checked_sub(2))
        .filter(|fragment_bytes| *fragment_bytes <= left_bytes)
        .ok_or(PduError::Malformed { what: "presentation data value" })?;
    let (is_command, is_last) = (control & 1 != 0, control & 2 != 0);
    Ok(Pdv { context_id, is_command, is_last, fragment_bytes })
}

/// Header of a P-DATA-TF with one presentation data value of `fragment_bytes`.
#[must_use]
pub fn pdata_header(context_id: u8, control: u8, fragment_bytes: u32) -> [u8; 12] {
    let item = fragment_bytes.saturating_add(2).to_be_bytes();
    let body = fragment_bytes.saturating_add(6).to_be_bytes();
    let ([b0, b1, b2, b3], [i0, i1, i2, i3]) = (body, item);
    [4, 0, b0, b1, b2, b3, i0, i1, i2, i3, context_id, control]
}

/// Reads an A-ASSOCIATE-RQ (`kind` 1) or -AC (2) through the toolkit, after
/// two repairs that PS3.8 asks for and the toolkit does not make: unknown
/// items are skipped (§9.3.1), and the transfer syntax of a refused context is
/// not looked at (§9.3.3.2), not even missed.
#[must_use]
pub fn parse_associate(kind: u8, body: &[u8], limits: &Limits) -> Option<Pdu> {
    let (fixed, mut items) = body.split_at_checked(ASSOCIATE_FIXED_BYTES)?;
    let mut repaired = fixed.to_vec();
    while !items.is_empty() {
        let (&[item, reserved, l0, l1], rest) = items.split_first_chunk::<4>()?;
        let (content, after) = rest.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])))?;
        match (kind, item, content) {
            (2, 0x21, &[id, _, result, _, ..]) if result != 0 => {
                repaired.extend(refused_context_item(id, result));
            }
            (_, 0x10 | 0x50, _) | (1, 0x20, _) | (2, 0x21, _) => {
                repaired.extend([item, reserved, l0, l1]);
                repaired.extend(content);
            }
            _unknown => {}
        }
        items = after;
    }
    let mut pdu = vec![kind, 0];
    pdu.extend(u32::try_from(repaired.len()).ok()?.to_be_bytes());
    pdu.append(&mut repaired);
    read_pdu(pdu.as_slice(), limits.associate_bytes_max.max(1 << 18), true).ok().flatten()
}

/// A refused presentation context with a transfer syntax that nobody looks at.
fn refused_context_item(id: u8, result: u8) -> Vec<u8> {
    // Results beyond the standard's 4 are read as "no reason".
    let known = if result <= 4 { result } else { 2 };
    let mut item = vec![0x21, 0, 0, 25, id, 0, known, 0, 0x40, 0, 0, 17];
    item.extend(crate::dicom::transfer_syntax::IMPLICIT_VR_LE.as_bytes());
    item
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn foreign_protocols_and_lengths_are_refused_by_six_bytes() {
        let header = |text: &[u8]| check_header(text.try_into().unwrap(), &Limits::default());
        assert!(matches!(header(b"GET / "), Err(PduError::UnknownType { kind: b'G' })));
        assert!(matches!(header(b"\x16\x03\x01\x02\0\x01"), Err(PduError::UnknownType { .. })));
        for kind in [1, 2, 3, 4, 5, 6, 7] {
            let bad = header(&[kind, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
            assert!(matches!(bad, Err(PduError::BadLength { bytes: u32::MAX, .. })), "{kind}");
            assert!(matches!(header(&[kind, 0, 0, 0, 0, 3]), Err(PduError::BadLength { .. })));
        }
        assert!(matches!(header(&[4, 0, 0, 4, 0, 0]), Ok((PduKind::PData, 0x4_0000))));
        assert!(header(&[4, 0, 0, 4, 0, 1]).is_err());
    }

    #[test]
    fn presentation_data_values_stay_inside_their_pdu() {
        let first = read_pdv([0, 0, 0, 4, 1, 3], 8).unwrap();
        let expected = Pdv { context_id: 1, is_command: true, is_last: true, fragment_bytes: 2 };
        assert_eq!(first, expected);
        let second = read_pdv([0, 0, 0, 2, 5, 0], 0).unwrap();
        assert_eq!(second.fragment_bytes, 0);
        assert!(!second.is_command && !second.is_last);
        for (bad, left_bytes) in [([0, 0, 0, 1, 1, 3], 9), ([0, 0, 0, 5, 1, 3], 2), ([0xFF; 6], 9)]
        {
            assert!(read_pdv(bad, left_bytes).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn our_pdata_header_is_read_back() {
        let header = pdata_header(3, 2, 10);
        let (head, item) = header.split_first_chunk::<6>().unwrap();
        assert!(matches!(check_header(*head, &Limits::default()), Ok((PduKind::PData, 16))));
        let pdv = read_pdv(item.try_into().unwrap(), 10).unwrap();
        let expected = Pdv { context_id: 3, is_command: false, is_last: true, fragment_bytes: 10 };
        assert_eq!(pdv, expected);
    }

    fn accept_body(items: &[u8]) -> Vec<u8> {
        let mut body = vec![0, 1, 0, 0];
        body.extend([b'A'; 32]);
        body.extend([0; 32]);
        body.extend([0x10, 0, 0, 21]);
        body.extend(b"1.2.840.10008.3.1.1.1");
        body.extend(items);
        body
    }

    #[test]
    fn unknown_items_and_refused_contexts_without_syntax_are_passed_over() {
        let items = [0x77, 0, 0, 2, 1, 2, 0x21, 0, 0, 4, 3, 0, 9, 0, 0x50, 0, 0, 0];
        let Some(Pdu::AssociationAC(accept)) =
            parse_associate(2, &accept_body(&items), &Limits::default())
        else {
            panic!("not read");
        };
        assert_eq!(accept.presentation_contexts.len(), 1);
        assert_eq!(accept.presentation_contexts[0].id, 3);
    }

    proptest! {
        #[test]
        fn any_associate_body_is_read_or_refused(
            kind in 1_u8..=2,
            items in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            for body in [accept_body(&items), items] {
                let read = parse_associate(kind, &body, &Limits::default());
                prop_assert!(body.len() >= ASSOCIATE_FIXED_BYTES || read.is_none());
            }
        }
    }
}
