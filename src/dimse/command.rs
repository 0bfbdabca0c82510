//! Command sets: the elements of group 0000, always Implicit VR Little Endian
//! (PS3.7 §6.3.1, Annex E).
//!
//! In: the bytes of a whole command. Out: a [`CommandSet`] whose length and
//! structure were checked; single values are checked when they are asked for,
//! so that a bad one can still be answered with a status.

use std::collections::BTreeMap;

use super::limits::COMMAND_BYTES_MAX;
use crate::dicom::{Tag, Uid};

/// Element numbers of group 0000 (PS3.7 §E.1).
mod element {
    pub(super) const GROUP_LENGTH: u16 = 0x0000;
    pub(super) const AFFECTED_CLASS: u16 = 0x0002;
    pub(super) const REQUESTED_CLASS: u16 = 0x0003;
    pub(super) const COMMAND_FIELD: u16 = 0x0100;
    pub(super) const MESSAGE_ID: u16 = 0x0110;
    pub(super) const RESPONDED_TO: u16 = 0x0120;
    pub(super) const PRIORITY: u16 = 0x0700;
    pub(super) const DATA_SET_TYPE: u16 = 0x0800;
    pub(super) const STATUS: u16 = 0x0900;
    pub(super) const OFFENDING_ELEMENT: u16 = 0x0901;
    pub(super) const ERROR_COMMENT: u16 = 0x0902;
    pub(super) const AFFECTED_INSTANCE: u16 = 0x1000;
    pub(super) const REQUESTED_INSTANCE: u16 = 0x1001;
    pub(super) const EVENT_TYPE: u16 = 0x1002;
    pub(super) const ACTION_TYPE: u16 = 0x1008;
}

/// C-STORE-RQ.
pub const C_STORE_RQ: u16 = 0x0001;
/// C-ECHO-RQ.
pub const C_ECHO_RQ: u16 = 0x0030;
/// N-EVENT-REPORT-RQ.
pub const N_EVENT_REPORT_RQ: u16 = 0x0100;
/// N-ACTION-RQ.
pub const N_ACTION_RQ: u16 = 0x0130;
/// C-CANCEL-RQ: it has no response.
pub const C_CANCEL_RQ: u16 = 0x0FFF;
/// Set in the command field of every response.
pub const RESPONSE: u16 = 0x8000;

/// Command Data Set Type: no data set follows (PS3.7 §E.1).
const NO_DATA_SET: u16 = 0x0101;
/// Command Data Set Type: a data set follows. Any value but 0101 says so.
const DATA_SET_FOLLOWS: u16 = 0x0001;
/// Priority MEDIUM.
const PRIORITY_MEDIUM: u16 = 0x0000;

/// A command without meaning; the association is aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Longer than [`COMMAND_BYTES_MAX`].
    #[error("command set has {bytes} bytes, limit is {COMMAND_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// An element's header or value passes the end.
    #[error("command set ends inside an element")]
    Truncated,
    /// An element of another group.
    #[error("element of group {group:04X} in a command set")]
    ForeignGroup {
        /// The group.
        group: u16,
    },
    /// The same element twice.
    #[error("element (0000,{element:04X}) stands twice in a command set")]
    Twice {
        /// The element.
        element: u16,
    },
    /// A mandatory element is missing or is no US of one value.
    #[error("element (0000,{element:04X}) is missing or malformed")]
    Missing {
        /// The element.
        element: u16,
    },
}

/// What a response tells besides its status. The comment is one of our own
/// fixed texts, never a value of the data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Remark {
    /// Error Comment (0000,0902), at most 64 characters.
    pub comment: Option<&'static str>,
    /// Offending Element (0000,0901).
    pub offending: Option<Tag>,
}

/// The elements of one command, in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommandSet {
    values: BTreeMap<u16, Vec<u8>>,
}

impl CommandSet {
    /// Reads a whole command.
    ///
    /// # Errors
    /// [`CommandError`]: the association is aborted, since an answer needs the
    /// command field and the message's id.
    pub fn decode(bytes: &[u8]) -> Result<Self, CommandError> {
        if bytes.len() > COMMAND_BYTES_MAX {
            return Err(CommandError::TooLong { bytes: bytes.len() });
        }
        let mut set = Self::default();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (Tag(group, element), value, after) = split_element(rest)?;
            if group != 0 {
                return Err(CommandError::ForeignGroup { group });
            }
            if set.values.insert(element, value.to_vec()).is_some() {
                return Err(CommandError::Twice { element });
            }
            rest = after;
        }
        set.us(element::COMMAND_FIELD)?;
        Ok(set)
    }

    /// Writes the command, Command Group Length first.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (number, value) in &self.values {
            if *number != element::GROUP_LENGTH {
                put_element(&mut body, *number, value);
            }
        }
        let mut bytes = Vec::with_capacity(body.len().saturating_add(12));
        let body_bytes = u32::try_from(body.len()).unwrap_or(u32::MAX);
        put_element(&mut bytes, element::GROUP_LENGTH, &body_bytes.to_le_bytes());
        bytes.append(&mut body);
        bytes
    }

    /// A C-ECHO-RQ (PS3.7 §9.3.5.1).
    #[must_use]
    pub fn echo_request(message_id: u16) -> Self {
        let mut set = Self::default();
        set.put_uid(element::AFFECTED_CLASS, super::scu::VERIFICATION);
        set.put_us(element::COMMAND_FIELD, C_ECHO_RQ);
        set.put_us(element::MESSAGE_ID, message_id);
        set.put_us(element::DATA_SET_TYPE, NO_DATA_SET);
        set
    }

    /// A C-STORE-RQ (PS3.7 §9.3.1.1). It never names a Move Originator: that
    /// would tell the research side who asked for the original.
    #[must_use]
    pub fn store_request(message_id: u16, class: &Uid, instance: &Uid) -> Self {
        let mut set = Self::default();
        set.put_uid(element::AFFECTED_CLASS, class.as_str());
        set.put_us(element::COMMAND_FIELD, C_STORE_RQ);
        set.put_us(element::MESSAGE_ID, message_id);
        set.put_us(element::PRIORITY, PRIORITY_MEDIUM);
        set.put_us(element::DATA_SET_TYPE, DATA_SET_FOLLOWS);
        set.put_uid(element::AFFECTED_INSTANCE, instance.as_str());
        set
    }

    /// An N-ACTION-RQ or N-EVENT-REPORT-RQ of the Storage Commitment Push Model's
    /// well-known instance (PS3.7 §10.3.4.1, §10.3.1.1) with its type.
    #[must_use]
    pub fn n_request(field: u16, message_id: u16, kind: u16) -> Self {
        use super::commitment::{PUSH_MODEL, PUSH_MODEL_INSTANCE};
        let mut set = Self::default();
        let [class, instance, number] = if field == N_ACTION_RQ {
            [element::REQUESTED_CLASS, element::REQUESTED_INSTANCE, element::ACTION_TYPE]
        } else {
            [element::AFFECTED_CLASS, element::AFFECTED_INSTANCE, element::EVENT_TYPE]
        };
        set.put_uid(class, PUSH_MODEL);
        set.put_us(element::COMMAND_FIELD, field);
        set.put_us(element::MESSAGE_ID, message_id);
        set.put_us(element::DATA_SET_TYPE, DATA_SET_FOLLOWS);
        set.put_uid(instance, PUSH_MODEL_INSTANCE);
        set.put_us(number, kind);
        set
    }

    /// The response to this request: same class, instance, type and message's id.
    #[must_use]
    pub fn response(&self, status: u16, remark: Remark) -> Self {
        let mut set = Self::default();
        for (asked, answered) in [
            (element::AFFECTED_CLASS, element::AFFECTED_CLASS),
            (element::AFFECTED_INSTANCE, element::AFFECTED_INSTANCE),
            (element::REQUESTED_CLASS, element::AFFECTED_CLASS),
            (element::REQUESTED_INSTANCE, element::AFFECTED_INSTANCE),
            (element::EVENT_TYPE, element::EVENT_TYPE),
            (element::ACTION_TYPE, element::ACTION_TYPE),
        ] {
            if let Some(value) = self.values.get(&asked) {
                set.values.insert(answered, value.clone());
            }
        }
        set.put_us(element::COMMAND_FIELD, self.field() | RESPONSE);
        set.put_us(element::RESPONDED_TO, self.message_id().unwrap_or_default());
        set.put_us(element::DATA_SET_TYPE, NO_DATA_SET);
        set.put_us(element::STATUS, status);
        if let Some(comment) = remark.comment {
            let shown: Vec<u8> = comment.bytes().take(64).collect();
            set.put_padded(element::ERROR_COMMENT, shown, b' ');
        }
        if let Some(Tag(group, number)) = remark.offending {
            let mut value = group.to_le_bytes().to_vec();
            value.extend(number.to_le_bytes());
            set.values.insert(element::OFFENDING_ELEMENT, value);
        }
        set
    }

    /// Command Field; [`CommandSet::decode`] has checked that it stands.
    #[must_use]
    pub fn field(&self) -> u16 {
        self.us(element::COMMAND_FIELD).unwrap_or_default()
    }

    /// Message ID of a request.
    ///
    /// # Errors
    /// [`CommandError::Missing`]: there is nothing to answer to.
    pub fn message_id(&self) -> Result<u16, CommandError> {
        self.us(element::MESSAGE_ID)
    }

    /// Message ID Being Responded To of a response.
    ///
    /// # Errors
    /// [`CommandError::Missing`].
    pub fn responded_to(&self) -> Result<u16, CommandError> {
        self.us(element::RESPONDED_TO)
    }

    /// Status of a response.
    ///
    /// # Errors
    /// [`CommandError::Missing`].
    pub fn status(&self) -> Result<u16, CommandError> {
        self.us(element::STATUS)
    }

    /// Whether a data set follows. A missing type is taken for "none".
    #[must_use]
    pub fn has_data_set(&self) -> bool {
        self.us(element::DATA_SET_TYPE).is_ok_and(|kind| kind != NO_DATA_SET)
    }

    /// Affected SOP Class UID; `None` when missing or malformed (answered 0122).
    #[must_use]
    pub fn class(&self) -> Option<Uid> {
        self.uid(element::AFFECTED_CLASS)
    }

    /// Affected SOP Instance UID; `None` when missing or malformed (answered 0117).
    #[must_use]
    pub fn instance(&self) -> Option<Uid> {
        self.uid(element::AFFECTED_INSTANCE)
    }

    /// Requested SOP Class UID of an N-ACTION.
    #[must_use]
    pub fn requested_class(&self) -> Option<Uid> {
        self.uid(element::REQUESTED_CLASS)
    }

    /// Requested SOP Instance UID of an N-ACTION.
    #[must_use]
    pub fn requested_instance(&self) -> Option<Uid> {
        self.uid(element::REQUESTED_INSTANCE)
    }

    /// Action Type ID of an N-ACTION.
    #[must_use]
    pub fn action_type(&self) -> Option<u16> {
        self.us(element::ACTION_TYPE).ok()
    }

    /// Event Type ID of an N-EVENT-REPORT.
    #[must_use]
    pub fn event_type(&self) -> Option<u16> {
        self.us(element::EVENT_TYPE).ok()
    }

    fn us(&self, number: u16) -> Result<u16, CommandError> {
        let value = self.values.get(&number).map(Vec::as_slice);
        match value {
            Some(&[low, high]) => Ok(u16::from_le_bytes([low, high])),
            Some(_) | None => Err(CommandError::Missing { element: number }),
        }
    }

    fn uid(&self, number: u16) -> Option<Uid> {
        Uid::from_bytes(self.values.get(&number)?).ok()
    }

    fn put_us(&mut self, number: u16, value: u16) {
        self.values.insert(number, value.to_le_bytes().to_vec());
    }

    fn put_uid(&mut self, number: u16, uid: &str) {
        self.put_padded(number, uid.as_bytes().to_vec(), 0);
    }

    fn put_padded(&mut self, number: u16, mut value: Vec<u8>, pad: u8) {
        if !value.len().is_multiple_of(2) {
            value.push(pad);
        }
        self.values.insert(number, value);
    }
}

fn put_element(bytes: &mut Vec<u8>, number: u16, value: &[u8]) {
    bytes.extend(0_u16.to_le_bytes());
    bytes.extend(number.to_le_bytes());
    bytes.extend(u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(value);
}

/// Tag, value and what follows the first element of `bytes`.
fn split_element(bytes: &[u8]) -> Result<(Tag, &[u8], &[u8]), CommandError> {
    let (header, rest) = bytes.split_first_chunk::<8>().ok_or(CommandError::Truncated)?;
    let [g0, g1, e0, e1, l0, l1, l2, l3] = *header;
    let value_bytes = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3]))
        .map_err(|_too_long| CommandError::Truncated)?;
    let (value, after) = rest.split_at_checked(value_bytes).ok_or(CommandError::Truncated)?;
    let tag = Tag(u16::from_le_bytes([g0, g1]), u16::from_le_bytes([e0, e1]));
    Ok((tag, value, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dimse::status;

    fn uid(text: &str) -> Uid {
        text.parse().unwrap()
    }

    #[test]
    fn a_store_request_is_read_as_it_was_written() {
        let request = CommandSet::store_request(7, &uid("1.2.840.10008.5.1.4.1.1.2"), &uid("1.2"));
        let bytes = request.encode();
        let read = CommandSet::decode(&bytes).unwrap();
        assert_eq!(read.field(), C_STORE_RQ);
        assert_eq!(read.message_id(), Ok(7));
        assert!(read.has_data_set());
        assert_eq!(read.class(), Some(uid("1.2.840.10008.5.1.4.1.1.2")));
        assert_eq!(read.instance(), Some(uid("1.2")));
        let stated = u32::from_le_bytes(bytes[8..12].try_into().unwrap());
        assert_eq!(stated, u32::try_from(bytes.len() - 12).unwrap());
    }

    #[test]
    fn a_response_repeats_the_request_and_adds_status_comment_and_element() {
        let request = CommandSet::store_request(9, &uid("1.2.3"), &uid("1.2.4"));
        let remark = Remark { comment: Some("odd"), offending: Some(Tag(0x0008, 0x0018)) };
        let bytes = request.response(status::DATA_SET_MISMATCH, remark).encode();
        let read = CommandSet::decode(&bytes).unwrap();
        assert_eq!(read.field(), 0x8001);
        assert_eq!(read.responded_to(), Ok(9));
        assert_eq!(read.status(), Ok(0xA900));
        assert_eq!(read.instance(), Some(uid("1.2.4")));
        assert!(!read.has_data_set());
        assert!(bytes.windows(4).any(|part| part == b"odd "));
        assert!(bytes.windows(4).any(|part| part == [0x08, 0x00, 0x18, 0x00]));
    }

    #[test]
    fn commands_without_meaning_are_refused() {
        let good = CommandSet::echo_request(1).encode();
        assert_eq!(
            CommandSet::decode(&vec![0; COMMAND_BYTES_MAX + 1]),
            Err(CommandError::TooLong { bytes: COMMAND_BYTES_MAX + 1 })
        );
        assert_eq!(CommandSet::decode(&good[..good.len() - 1]), Err(CommandError::Truncated));
        assert_eq!(CommandSet::decode(b""), Err(CommandError::Missing { element: 0x0100 }));
        let mut foreign = good.clone();
        foreign.extend([8, 0, 5, 0, 0, 0, 0, 0]);
        assert_eq!(CommandSet::decode(&foreign), Err(CommandError::ForeignGroup { group: 8 }));
        let mut long = good.clone();
        long.extend([0, 0, 0x02, 0x09, 0xFF, 0xFF, 0xFF, 0xFF]);
        assert_eq!(CommandSet::decode(&long), Err(CommandError::Truncated));
        let twice = [good.as_slice(), &[0, 0, 0x10, 0x01, 2, 0, 0, 0, 9, 9]].concat();
        assert_eq!(CommandSet::decode(&twice), Err(CommandError::Twice { element: 0x0110 }));
    }

    #[test]
    fn a_bad_uid_reads_as_none_and_not_as_an_error() {
        let mut request = CommandSet::store_request(1, &uid("1.2"), &uid("1.2"));
        request.values.insert(0x1000, b"../etc".to_vec());
        let read = CommandSet::decode(&request.encode()).unwrap();
        assert_eq!(read.instance(), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(set) = CommandSet::decode(&bytes) {
                prop_assert_eq!(CommandSet::decode(&set.encode()).unwrap().field(), set.field());
            }
        }
    }
}
