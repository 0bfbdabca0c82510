//! Copies bulk values from the file they lie in, in pieces, or leaves them there.

use std::cell::Cell;
use std::io::{SeekFrom, Write};

use super::{BulkSources, Left, WriteError};
use crate::dicom::path::TagPath;
use crate::dicom::vr::{bulk_number_bytes, swap_numbers};
use crate::dicom::{DataSet, Extent, Source, Tag, VR};

/// Bytes copied at a time: 128 KiB, a multiple of the widest number. They are
/// still in the cache when they are digested and written.
const CHUNK_BYTES: usize = 128 << 10;
const BITS_ALLOCATED: Tag = Tag(0x0028, 0x0100);

/// The sources of bulk values and one buffer.
pub(super) struct Bulk<'a, 'b> {
    sources: &'a mut BulkSources<'b>,
    bits_allocated: Option<u16>,
    chunk: Vec<u8>,
    leaving: Option<Leaving<'a>>,
}

/// Which values are left where they lie.
#[derive(Clone, Copy)]
pub(super) struct Leaving<'a> {
    /// Shortest such value.
    pub(super) bytes_min: u64,
    /// Bytes written so far.
    pub(super) written: &'a Cell<u64>,
    /// Where they are told of.
    pub(super) left: &'a Cell<Vec<Left>>,
}

impl<'a, 'b> Bulk<'a, 'b> {
    pub(super) fn new(sources: &'a mut BulkSources<'b>, set: &DataSet) -> Self {
        let bits_allocated = set.us(BITS_ALLOCATED);
        Self { sources, bits_allocated, chunk: Vec::new(), leaving: None }
    }

    /// Leaves long values of the input where they lie.
    pub(super) fn leaving(self, leaving: Option<Leaving<'a>>) -> Self {
        Self { leaving, ..self }
    }

    /// Notes a value that is long enough, and that no number of needs turning.
    fn leave(&self, extent: Extent, number_width: usize) -> bool {
        let Some(Leaving { bytes_min, written, left }) = self.leaving else { return false };
        let leave =
            extent.bytes >= bytes_min && extent.source == Source::Input && number_width <= 1;
        if leave {
            let mut all = left.take();
            all.push(Left { at: written.get(), extent });
            left.set(all);
        }
        leave
    }

    /// Copies a value; its numbers are little endian afterwards.
    pub(super) fn copy_value(
        &mut self,
        out: &mut dyn Write,
        extent: Extent,
        (tag, vr): (Tag, VR),
        path: &TagPath,
    ) -> Result<(), WriteError> {
        let turned = self.sources.input_big_endian && extent.source == Source::Input;
        let width = if turned { bulk_number_bytes(tag, vr, self.bits_allocated) } else { 1 };
        self.copy(out, extent, width, path)
    }

    /// Copies a fragment: coded bytes have no byte order.
    pub(super) fn copy_fragment(
        &mut self,
        out: &mut dyn Write,
        extent: Extent,
        path: &TagPath,
    ) -> Result<(), WriteError> {
        self.copy(out, extent, 1, path)
    }

    fn copy(
        &mut self,
        out: &mut dyn Write,
        extent: Extent,
        number_width: usize,
        path: &TagPath,
    ) -> Result<(), WriteError> {
        if self.leave(extent, number_width) {
            return Ok(());
        }
        let source = match extent.source {
            Source::Input => &mut *self.sources.input,
            Source::Scratch => {
                let no_scratch = || WriteError::NoScratch { path: path.clone() };
                &mut **self.sources.scratch.as_mut().ok_or_else(no_scratch)?
            }
        };
        source.seek(SeekFrom::Start(extent.offset))?;
        let mut left = extent.bytes;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK_BYTES);
            self.chunk.resize(wanted, 0);
            source.read_exact(&mut self.chunk)?;
            swap_numbers(&mut self.chunk, number_width);
            out.write_all(&self.chunk)?;
            left -= wanted as u64;
        }
        Ok(())
    }
}
