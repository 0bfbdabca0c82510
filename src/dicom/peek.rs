//! Class and instance of an object from its first bytes, before it is whole.

use super::read::{ReadError, read_until};
use super::{DataSet, Encoding, Tag, Uid};

const SOP_CLASS: Tag = Tag(0x0008, 0x0016);
const SOP_INSTANCE: Tag = Tag(0x0008, 0x0018);

/// What the first bytes of a data set say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peek {
    /// Both UIDs.
    Identity {
        /// SOP Class UID (0008,0016).
        sop_class: Uid,
        /// SOP Instance UID (0008,0018).
        sop_instance: Uid,
    },
    /// Sound so far, but it ends before (0008,0018).
    NeedMore,
    /// No data set in this encoding, or a UID is absent or malformed.
    Unreadable,
}

/// Reads up to (0008,0018) in a prefix of a data set (no preamble, no file
/// meta). The caller bounds how long a prefix it offers.
#[must_use]
pub fn peek_identity(prefix: &[u8], encoding: Encoding) -> Peek {
    match read_until(prefix, encoding, SOP_INSTANCE) {
        Ok((set, true)) => identity(&set).unwrap_or(Peek::Unreadable),
        Ok((_, false)) | Err(ReadError::Truncated { .. }) => Peek::NeedMore,
        Err(
            ReadError::Io(_)
            | ReadError::Limit { .. }
            | ReadError::Misplaced { .. }
            | ReadError::BadVr { .. }
            | ReadError::BadUndefinedLength { .. }
            | ReadError::NotDicom
            | ReadError::UnknownTransferSyntax
            | ReadError::Deflated
            | ReadError::BadDeflate,
        ) => Peek::Unreadable,
    }
}

fn identity(set: &DataSet) -> Option<Peek> {
    let uid = |tag| Uid::from_bytes(set.get(tag)?.as_bytes()?).ok();
    Some(Peek::Identity { sop_class: uid(SOP_CLASS)?, sop_instance: uid(SOP_INSTANCE)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &[u8] = b"\x08\x00\x16\x00UI\x08\x001.2.840\0\x08\x00\x18\x00UI\x06\x001.2.3\0\x10\x00\x10\x00PN\x02\x00A ";

    #[test]
    fn every_prefix_asks_for_more_until_both_uids_stand() {
        for length in 0..OBJECT.len() {
            let peek = peek_identity(&OBJECT[..length], Encoding::EXPLICIT_LE);
            let whole = length >= OBJECT.len() - 10;
            assert_eq!(peek == Peek::NeedMore, !whole, "{length}");
        }
        let Peek::Identity { sop_instance, .. } = peek_identity(OBJECT, Encoding::EXPLICIT_LE)
        else {
            panic!("not read")
        };
        assert_eq!(sop_instance.as_str(), "1.2.3");
    }

    #[test]
    fn what_is_no_data_set_is_unreadable() {
        let command = b"\x00\x00\x02\x00UI\x02\x001\0\x08\x00\x18\x00UI\x02\x001\0";
        assert_eq!(peek_identity(command, Encoding::EXPLICIT_LE), Peek::Unreadable);
        let without_uid = b"\x10\x00\x10\x00PN\x02\x00A ";
        assert_eq!(peek_identity(without_uid, Encoding::EXPLICIT_LE), Peek::Unreadable);
    }
}
