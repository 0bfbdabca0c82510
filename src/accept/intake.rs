//! One instance between its command and its answer, without network: bytes
//! in, [`Refused`] or nothing out.
//!
//! The calls block for the length of a disk write or sync; [`super::session`]
//! tells the runtime so.

use super::{Arrival, Incoming, Refused, Store, StoreError};
use crate::dicom::peek::{Peek, peek_identity};
use crate::dicom::write::{NewMeta, part10_head};
use crate::dicom::{Encoding, Uid};

/// How far a data set is looked into. 64 KiB: what stands before (0008,0018)
/// is a handful of short elements, with room for a long sequence.
const PEEK_BYTES_MAX: usize = 64 << 10;

/// The start of a data set as long as its UIDs were not compared.
struct Head {
    bytes: Vec<u8>,
    encoding: Encoding,
    /// Looked at again from this length on; doubled each time, so that
    /// thousands of tiny fragments cost no more than a few looks.
    next_look_bytes: usize,
}

/// An instance on its way into the store.
pub(super) struct Intake {
    incoming: Box<dyn Incoming>,
    class: Uid,
    instance: Uid,
    /// `None` once the UIDs agree, or cannot be looked for.
    head: Option<Head>,
    /// Bytes of the data set so far.
    pub(super) bytes: u64,
}

impl Intake {
    /// Starts an instance: the head of its Part 10 file goes to the store.
    pub(super) fn open(store: &dyn Store, arrival: &Arrival) -> Result<Self, Refused> {
        let mut incoming = store.begin(arrival)?;
        let meta = NewMeta {
            sop_class: &arrival.sop_class,
            sop_instance: &arrival.sop_instance,
            transfer_syntax: &arrival.transfer_syntax,
        };
        incoming.write(&part10_head(&meta).map_err(|_unwritable| StoreError::Failed)?)?;
        let encoding = arrival.transfer_syntax.encoding().filter(|encoding| !encoding.deflated);
        let head =
            encoding.map(|encoding| Head { bytes: Vec::new(), encoding, next_look_bytes: 1 });
        Ok(Self {
            incoming,
            class: arrival.sop_class.clone(),
            instance: arrival.sop_instance.clone(),
            head,
            bytes: 0,
        })
    }

    /// Takes the next bytes of the data set.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if let Some(mut head) = self.head.take() {
            let room = PEEK_BYTES_MAX.saturating_sub(head.bytes.len());
            head.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            let is_whole = head.bytes.len() == PEEK_BYTES_MAX;
            if !is_whole && head.bytes.len() < head.next_look_bytes {
                self.head = Some(head);
            } else {
                let agree = self.uids_agree(&head);
                // A start may be cut where it reads as what it is not: agreeing it is
                // believed at once, refused only when it is long enough.
                if is_whole {
                    agree?;
                } else if !matches!(agree, Ok(true)) {
                    head.next_look_bytes = head.bytes.len().saturating_mul(2);
                    self.head = Some(head);
                }
            }
        }
        Ok(self.incoming.write(bytes)?)
    }

    /// Ends the instance: returns only after it is on the disk.
    pub(super) fn finish(self) -> Result<(), Refused> {
        if let Some(head) = &self.head
            && !self.uids_agree(head)?
        {
            return Err(Refused::Unreadable);
        }
        Ok(self.incoming.commit()?)
    }

    /// `false` when the head is too short to tell.
    fn uids_agree(&self, head: &Head) -> Result<bool, Refused> {
        match peek_identity(&head.bytes, head.encoding) {
            Peek::NeedMore => Ok(false),
            Peek::Unreadable => Err(Refused::Unreadable),
            Peek::Identity { sop_class, .. } if sop_class != self.class => Err(Refused::OtherClass),
            Peek::Identity { sop_instance, .. } if sop_instance != self.instance => {
                Err(Refused::OtherInstance)
            }
            Peek::Identity { .. } => Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::dicom::read::{Preamble, ReadLimits, read_head};
    use crate::dicom::{Tag, TransferSyntax};

    #[derive(Default)]
    struct Shelf {
        kept: Arc<Mutex<Vec<Vec<u8>>>>,
        fail_at_write: Option<usize>,
        fail_at_commit: bool,
    }

    struct Part {
        bytes: Vec<u8>,
        writes_left: Option<usize>,
        fail_at_commit: bool,
        kept: Arc<Mutex<Vec<Vec<u8>>>>,
    }

    impl Store for Shelf {
        fn begin(&self, _arrival: &Arrival) -> Result<Box<dyn Incoming>, StoreError> {
            Ok(Box::new(Part {
                bytes: Vec::new(),
                writes_left: self.fail_at_write,
                fail_at_commit: self.fail_at_commit,
                kept: Arc::clone(&self.kept),
            }))
        }
    }

    impl Incoming for Part {
        fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
            if let Some(left) = &mut self.writes_left {
                *left = left.checked_sub(1).ok_or(StoreError::Full)?;
            }
            self.bytes.extend_from_slice(bytes);
            Ok(())
        }

        fn commit(self: Box<Self>) -> Result<(), StoreError> {
            if self.fail_at_commit {
                return Err(StoreError::Failed);
            }
            self.kept.lock().unwrap().push(self.bytes);
            Ok(())
        }
    }

    fn arrival(syntax: &str) -> Arrival {
        Arrival {
            project: "trial".into(),
            calling_ae: "MODALITY".parse().unwrap(),
            called_ae: "AIRLOCK".parse().unwrap(),
            peer: [127, 0, 0, 1].into(),
            sop_class: "1.2.3".parse().unwrap(),
            sop_instance: "1.2.44".parse().unwrap(),
            transfer_syntax: TransferSyntax::new(syntax.parse().unwrap()),
        }
    }

    fn data_set(class: &str, instance: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (element, uid) in [(0x16, class), (0x18, instance)] {
            bytes.extend([8, 0, element, 0, b'U', b'I', u8::try_from(uid.len()).unwrap(), 0]);
            bytes.extend(uid.bytes());
        }
        bytes.extend([8, 0, 0x20, 0, b'D', b'A', 0, 0]);
        bytes
    }

    fn pass(shelf: &Shelf, syntax: &str, data: &[u8], piece: usize) -> Result<(), Refused> {
        let mut intake = Intake::open(shelf, &arrival(syntax))?;
        for part in data.chunks(piece) {
            intake.take(part)?;
        }
        intake.finish()
    }

    const EXPLICIT: &str = "1.2.840.10008.1.2.1";

    #[test]
    fn what_is_kept_is_a_part_10_file_of_the_bytes_that_came() {
        for piece in [1, 3, 1_000] {
            let shelf = Shelf::default();
            let data = data_set("1.2.3\0", "1.2.44");
            pass(&shelf, EXPLICIT, &data, piece).unwrap();
            let kept = shelf.kept.lock().unwrap();
            let head = read_head(&mut Cursor::new(&kept[0]), &ReadLimits::default()).unwrap();
            assert_eq!(head.meta.sop_instance.unwrap().as_str(), "1.2.44");
            assert_eq!(head.meta.preamble, Preamble::Zero);
            assert_eq!(kept[0][usize::try_from(head.data_set_offset).unwrap()..], data);
        }
    }

    #[test]
    fn refusals_carry_the_right_status_and_nothing_is_kept() {
        let shelf = Shelf::default();
        let mismatch = |element| Some(Tag(8, element));
        let status_of = |data: &[u8]| {
            let refused = pass(&shelf, EXPLICIT, data, 7).unwrap_err();
            (refused.status(), refused.offending())
        };
        assert_eq!(status_of(&data_set("1.2.4\0", "1.2.44")), (0xA900, mismatch(0x16)));
        assert_eq!(status_of(&data_set("1.2.3\0", "1.2.45")), (0xA900, mismatch(0x18)));
        assert_eq!(status_of(b"no data set at all"), (0xC000, None));
        assert_eq!(status_of(b""), (0xC000, None));
        assert_eq!(status_of(&data_set("1.2.3\0", "1.2.44")[..20]), (0xC000, None));
        assert!(shelf.kept.lock().unwrap().is_empty());
    }

    #[test]
    fn a_start_that_is_cut_inside_an_element_without_vr_is_not_refused_for_it() {
        // Specific Character Set as some writers leave it, without a VR.
        let mut data = vec![8, 0, 5, 0, 10, 0, 0, 0];
        data.extend(b"ISO_IR 100");
        data.extend(data_set("1.2.3\0", "1.2.44"));
        for piece in [1, 3, 9, 12, 1_000] {
            let shelf = Shelf::default();
            pass(&shelf, EXPLICIT, &data, piece).unwrap();
            assert!(shelf.kept.lock().unwrap()[0].ends_with(&data));
        }
        let long = [&data_set("1.2.4\0", "1.2.44")[..], &[0; PEEK_BYTES_MAX]].concat();
        let shelf = Shelf::default();
        let mut intake = Intake::open(&shelf, &arrival(EXPLICIT)).unwrap();
        let refused_at = long.chunks(1_000).position(|part| intake.take(part).is_err());
        assert_eq!(refused_at, Some(PEEK_BYTES_MAX / 1_000), "and of another class it is then");
    }

    #[test]
    fn a_full_or_failing_store_is_a700_or_0110_whenever_it_shows() {
        let good = data_set("1.2.3\0", "1.2.44");
        for writes in 0..3 {
            let shelf = Shelf { fail_at_write: Some(writes), ..Shelf::default() };
            assert_eq!(pass(&shelf, EXPLICIT, &good, 9).unwrap_err().status(), 0xA700);
        }
        let shelf = Shelf { fail_at_commit: true, ..Shelf::default() };
        assert_eq!(pass(&shelf, EXPLICIT, &good, 9).unwrap_err().status(), 0x0110);
    }

    #[test]
    fn deflated_and_long_starts_are_left_to_the_cleaner() {
        let shelf = Shelf::default();
        pass(&shelf, "1.2.840.10008.1.2.1.99", b"deflated", 3).unwrap();
        let mut long = vec![8, 0, 1, 0, b'U', b'N', 0, 0, 0, 0, 2, 0];
        long.resize(200_000, 0);
        pass(&shelf, EXPLICIT, &long, 16_384).unwrap();
        assert_eq!(shelf.kept.lock().unwrap().len(), 2);
    }
}
