//! What is kept of a JPEG stream at first and may turn out not to be needed:
//! tables that no scan uses, texts in a colour profile.

use std::ops::Range;

use super::entropy::Defined;
use super::icc;

/// Which tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Quantisation,
    Dc,
    Ac,
}

/// One table and where it lies in what is kept.
#[derive(Debug)]
struct Definition {
    kind: Kind,
    number: u8,
    place: Range<usize>,
    /// Where the length of its segment stands.
    length_at: usize,
    used: bool,
}

/// Collects tables and profiles while a stream is walked.
#[derive(Debug, Default)]
pub(super) struct Spare {
    definitions: Vec<Definition>,
    /// Each ICC segment, and the part of it that belongs to the profile.
    profile: Vec<(Range<usize>, Range<usize>)>,
    /// The segments of the profile do not follow each other.
    profile_broken: bool,
}

/// Marker and length before the content of a segment.
const SEGMENT_HEAD_BYTES: usize = 4;
/// `ICC_PROFILE`, its number and their number.
const PROFILE_HEAD_BYTES: usize = 14;

impl Spare {
    /// Tables of a DHT segment whose marker stands at `start`.
    pub(super) fn huffman(&mut self, start: usize, defined: &[Defined]) {
        let kind = |defined: &Defined| if defined.ac { Kind::Ac } else { Kind::Dc };
        self.tables(start, defined.iter().map(|it| (kind(it), it.number, it.bytes)));
    }

    /// Tables of a DQT segment (ISO/IEC 10918-1 §B.2.4.1); false for a damaged one.
    pub(super) fn quantisation(&mut self, start: usize, content: &[u8]) -> bool {
        let mut rest = content;
        let mut tables = Vec::new();
        while let Some(head) = rest.first() {
            let bytes = if head >> 4 == 0 { 65 } else { 129 };
            let Some(after) = rest.get(bytes..).filter(|_| *head < 0x20) else { return false };
            tables.push((Kind::Quantisation, head & 0x0F, bytes));
            rest = after;
        }
        self.tables(start, tables.into_iter());
        true
    }

    fn tables(&mut self, start: usize, tables: impl Iterator<Item = (Kind, u8, usize)>) {
        let mut at = start + SEGMENT_HEAD_BYTES;
        for (kind, number, bytes) in tables {
            let place = at..at + bytes;
            at = place.end;
            let length_at = start + 2;
            self.definitions.push(Definition { kind, number, place, length_at, used: false });
        }
    }

    /// A scan uses the table as it was defined last.
    pub(super) fn uses(&mut self, kind: Kind, number: u8) {
        let wanted = |it: &&mut Definition| it.kind == kind && it.number == number;
        if let Some(definition) = self.definitions.iter_mut().rev().find(wanted) {
            definition.used = true;
        }
    }

    /// An ICC segment at `range`, numbered from 1.
    pub(super) fn profile(&mut self, range: Range<usize>, number: Option<u8>) {
        let due = self.profile.len() + 1;
        self.profile_broken |= number.map(usize::from) != Some(due);
        let content = (range.start + SEGMENT_HEAD_BYTES + PROFILE_HEAD_BYTES).min(range.end);
        self.profile.push((range.clone(), content..range.end));
    }

    /// Takes out what is not needed; says whether there was any.
    pub(super) fn take_out(mut self, kept: &mut Vec<u8>) -> bool {
        let (mut cuts, blanked) = self.scrub_profile(kept);
        self.definitions.sort_by_key(|definition| definition.place.start);
        for segment in self.definitions.chunk_by(|one, other| one.length_at == other.length_at) {
            cuts.extend(unused(segment, kept));
        }
        cuts.sort_by_key(|cut| cut.start);
        for cut in cuts.iter().rev() {
            kept.drain(cut.clone());
        }
        blanked || !cuts.is_empty()
    }

    fn scrub_profile(&self, kept: &mut [u8]) -> (Vec<Range<usize>>, bool) {
        let part = |content: &Range<usize>| kept.get(content.clone()).unwrap_or_default();
        let mut joined: Vec<u8> =
            self.profile.iter().flat_map(|(_, content)| part(content)).copied().collect();
        let scrubbed = icc::scrub(&mut joined).filter(|_| !self.profile_broken);
        let Some(changed) = scrubbed else {
            return (self.profile.iter().map(|(segment, _)| segment.clone()).collect(), false);
        };
        let mut rest = joined.as_slice();
        for (_, content) in &self.profile {
            let (part, after) = rest.split_at(content.len().min(rest.len()));
            if let Some(target) = kept.get_mut(content.clone()) {
                target.copy_from_slice(part);
            }
            rest = after;
        }
        (Vec::new(), changed)
    }
}

/// The unused tables of one segment, or all of it; its length is set right.
fn unused(segment: &[Definition], kept: &mut [u8]) -> Vec<Range<usize>> {
    let unused: Vec<Range<usize>> =
        segment.iter().filter(|table| !table.used).map(|table| table.place.clone()).collect();
    let (Some(first), Some(last)) = (segment.first(), segment.last()) else { return unused };
    if unused.len() == segment.len() {
        let all = first.place.start - SEGMENT_HEAD_BYTES..last.place.end;
        return std::iter::once(all).collect();
    }
    let bytes: usize = segment.iter().filter(|table| table.used).map(|it| it.place.len()).sum();
    let length = u16::try_from(bytes + 2).unwrap_or(u16::MAX).to_be_bytes();
    if let Some(field) = kept.get_mut(first.length_at..first.length_at + 2) {
        field.copy_from_slice(&length);
    }
    unused
}
