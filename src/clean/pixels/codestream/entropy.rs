//! How long the coded samples of a JPEG scan are (ISO/IEC 10918-1 Annex F, H):
//! tables and entropy-coded data in, the data without what no sample needs out.
//!
//! Decoders stop at the last sample and look for the next marker; whatever
//! stands between is read by nobody and could say anything. Only lengths are
//! decoded here, no samples. Invariant: each step takes at least one bit of the
//! data, so that its length bounds the work.

use crate::clean::pixels::PixelError;

/// Largest magnitude category: 16 in lossless coding, with no bits to follow.
const CATEGORY_MAX: u8 = 16;

fn damaged(what: &'static str) -> PixelError {
    PixelError::Damaged { codec: "JPEG", what }
}

/// One component of a frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Component {
    identifier: u8,
    across: u32,
    down: u32,
    /// Its quantisation table.
    pub quantisation: u8,
}

/// What a frame header says (§B.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    lossless: bool,
    width: u32,
    height: u32,
    components: Vec<Component>,
}

impl Frame {
    /// Reads the content of a segment SOF0, SOF1 or SOF3; `None` for others and
    /// for one with more or less in it than its components.
    #[must_use]
    pub fn read(marker: u8, content: &[u8]) -> Option<Self> {
        let lossless = match marker {
            0xC0 | 0xC1 => false,
            0xC3 => true,
            _other => return None,
        };
        let ([_precision, y1, y0, x1, x0, count], described) = content.split_first_chunk()?;
        let (described, []) = described.as_chunks::<3>() else { return None };
        let factors = |sampling: u8| (u32::from(sampling >> 4), u32::from(sampling & 0x0F));
        let components: Vec<Component> = described
            .iter()
            .map(|[identifier, sampling, quantisation]| {
                let (across, down) = factors(*sampling);
                Component { identifier: *identifier, across, down, quantisation: *quantisation }
            })
            .collect();
        let sound = |component: &Component| {
            (1..=4).contains(&component.across) && (1..=4).contains(&component.down)
        };
        let complete = components.len() == usize::from(*count) && components.iter().all(sound);
        complete.then(|| Self {
            lossless,
            width: u32::from(u16::from_be_bytes([*x1, *x0])),
            height: u32::from(u16::from_be_bytes([*y1, *y0])),
            components,
        })
    }
}

/// What a scan header says (§B.2.3): its components and their Huffman tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Component, DC table, AC table (the latter for nothing in lossless coding).
    pub members: Vec<(Component, u8, Option<u8>)>,
}

impl Scan {
    /// Reads the content of a segment SOS; `None` when it has more or less in it
    /// than its components, or names ones that the frame has not.
    #[must_use]
    pub fn read(frame: &Frame, content: &[u8]) -> Option<Self> {
        let (count, rest) = content.split_first()?;
        let (selected, [_, _, _]) = rest.split_at_checked(2 * usize::from(*count))? else {
            return None;
        };
        let member = |[identifier, tables]: &[u8; 2]| {
            let known = |component: &&Component| component.identifier == *identifier;
            let component = *frame.components.iter().find(known)?;
            let ac = (!frame.lossless).then_some(tables & 0x0F);
            Some((component, tables >> 4, ac))
        };
        let members: Option<Vec<_>> = selected.as_chunks::<2>().0.iter().map(member).collect();
        members.filter(|members| !members.is_empty()).map(|members| Self { members })
    }
}

/// Codes of one Huffman table by the next 16 bits: length and value.
#[derive(Debug, Clone)]
struct Codes(Vec<(u8, u8)>);

impl Codes {
    /// Reads one table and says how long it is (§B.2.4.2); `None` for codes that
    /// overlap and values that occur twice.
    fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let (counts, rest) = bytes.split_first_chunk::<16>()?;
        let mut codes = Vec::with_capacity(1 << 16);
        let mut values = rest.iter();
        let mut taken = 0;
        let mut seen = [false; 256];
        for (length, count) in (1_u8..).zip(counts) {
            for _code in 0..*count {
                let value = *values.next()?;
                taken += 1;
                if std::mem::replace(seen.get_mut(usize::from(value))?, true) {
                    return None;
                }
                let end = codes.len() + (1 << (16 - length));
                if end > 1 << 16 {
                    return None;
                }
                codes.resize(end, (length, value));
            }
        }
        codes.resize(1 << 16, (0, 0));
        Some((Self(codes), 16 + taken))
    }
}

/// The Huffman tables and the restart interval as they stand before a scan.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    dc: [Option<Codes>; 4],
    ac: [Option<Codes>; 4],
    restart_interval: u32,
}

/// A table in a DHT segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defined {
    /// For AC coefficients, not DC ones or lossless differences.
    pub ac: bool,
    /// Its number.
    pub number: u8,
    /// Its bytes in the segment.
    pub bytes: usize,
}

impl Tables {
    /// Takes the content of a DHT segment; `None` for a damaged one.
    pub fn define(&mut self, mut content: &[u8]) -> Option<Vec<Defined>> {
        let mut defined = Vec::new();
        while let Some((head, rest)) = content.split_first() {
            let (codes, bytes) = Codes::read(rest)?;
            let (ac, number) = (head >> 4, head & 0x0F);
            let kind = match ac {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _other => return None,
            };
            *kind.get_mut(usize::from(number))? = Some(codes);
            defined.push(Defined { ac: ac == 1, number, bytes: bytes + 1 });
            content = rest.get(bytes..)?;
        }
        Some(defined)
    }

    /// Takes the content of a DRI segment; `None` for one of another length.
    pub fn restart(&mut self, content: &[u8]) -> Option<()> {
        let interval = <[u8; 2]>::try_from(content).ok()?;
        self.restart_interval = u32::from(u16::from_be_bytes(interval));
        Some(())
    }
}

/// The entropy-coded data of a scan without what no sample needs; `None` when
/// there is nothing of that kind.
///
/// # Errors
/// Data that ends before its samples do, unknown codes, restart markers out of
/// order: quarantine.
pub fn without_tail(
    frame: &Frame,
    scan: &Scan,
    tables: &Tables,
    data: &[u8],
) -> Result<Option<Vec<u8>>, PixelError> {
    let steps = Steps::of(frame, scan, tables)?;
    let (mut left, mut restarts) = (steps.units, 0_u8);
    let mut bits = Bits { data, at: 0, window: 0, held: 0 };
    let mut kept = Vec::with_capacity(data.len());
    loop {
        let start = bits.at;
        let interval = match tables.restart_interval {
            0 => left,
            interval => left.min(u64::from(interval)),
        };
        for _unit in 0..interval {
            steps.unit(&mut bits)?;
        }
        left -= interval;
        let end = bits.end();
        kept.extend_from_slice(data.get(start..end).unwrap_or_default());
        level_padding(&mut kept, bits.held % 8);
        if left == 0 {
            break;
        }
        let at = next_marker(data, end);
        if data.get(at..at + 2) != Some(&[0xFF, 0xD0 + restarts]) {
            return Err(damaged("restart marker"));
        }
        kept.extend_from_slice(&[0xFF, 0xD0 + restarts]);
        restarts = (restarts + 1) % 8;
        bits = Bits { data, at: at + 2, window: 0, held: 0 };
    }
    Ok((kept != data).then_some(kept))
}

/// The unused bits of the last byte: all ones (§F.1.2.3) or all zeros, as
/// encoders have them, not a bit pattern of somebody's choice.
fn level_padding(kept: &mut Vec<u8>, unused: u32) {
    let mask = (1_u8 << unused) - 1;
    let stuffed = kept.ends_with(&[0xFF, 0]);
    let Some(last) = kept.last_mut() else { return };
    if stuffed || *last & mask == 0 || *last & mask == mask {
        return;
    }
    *last |= mask;
    if *last == 0xFF {
        kept.push(0);
    }
}

fn next_marker(data: &[u8], from: usize) -> usize {
    let rest = data.get(from..).unwrap_or_default();
    let is_marker = |pair: &[u8; 2]| pair[0] == 0xFF && (0xD0..=0xD7).contains(&pair[1]);
    rest.array_windows().position(is_marker).map_or(data.len(), |offset| from + offset)
}

/// What one coded unit of a scan consists of, and how many there are (§A.2).
struct Steps<'a> {
    units: u64,
    blocks: Vec<(&'a Codes, Option<&'a Codes>)>,
}

impl<'a> Steps<'a> {
    fn of(frame: &Frame, scan: &Scan, tables: &'a Tables) -> Result<Self, PixelError> {
        let side = if frame.lossless { 1 } else { 8 };
        let most =
            |factor: fn(&Component) -> u32| frame.components.iter().map(factor).max().unwrap_or(1);
        let (across_max, down_max) = (most(|c| c.across), most(|c| c.down));
        let (across, down) = match scan.members.as_slice() {
            // A single component is coded block by block, without padding.
            [(only, ..)] => {
                let across = (frame.width * only.across).div_ceil(across_max).div_ceil(side);
                let down = (frame.height * only.down).div_ceil(down_max).div_ceil(side);
                (across, down)
            }
            _several => {
                (frame.width.div_ceil(side * across_max), frame.height.div_ceil(side * down_max))
            }
        };
        let table = |tables: &'a [Option<Codes>; 4], number: u8| {
            let table = tables.get(usize::from(number)).and_then(Option::as_ref);
            table.ok_or(damaged("a Huffman table is missing"))
        };
        let mut blocks = Vec::new();
        for (component, dc, ac) in &scan.members {
            let codes = (table(&tables.dc, *dc)?, ac.map(|ac| table(&tables.ac, ac)).transpose()?);
            let count = if scan.members.len() == 1 { 1 } else { component.across * component.down };
            blocks.extend((0..count).map(|_block| codes));
        }
        Ok(Self { units: u64::from(across) * u64::from(down), blocks })
    }

    fn unit(&self, bits: &mut Bits<'_>) -> Result<(), PixelError> {
        for (dc, ac) in &self.blocks {
            let category = bits.value(dc)?;
            match category {
                CATEGORY_MAX if ac.is_none() => {}
                0..CATEGORY_MAX => bits.skip(u32::from(category))?,
                _too_large => return Err(damaged("size of a coefficient")),
            }
            let Some(ac) = ac else { continue };
            let mut next = 1;
            while next < 64 {
                let value = bits.value(ac)?;
                let (run, category) = (u32::from(value >> 4), u32::from(value & 0x0F));
                match (run, category) {
                    (15, 0) => next += 16,
                    (_, 0) => break,
                    _coefficient => {
                        bits.skip(category)?;
                        next += run + 1;
                    }
                }
            }
            if next > 64 {
                return Err(damaged("more coefficients than a block has"));
            }
        }
        Ok(())
    }
}

/// Bits of entropy-coded data, the first one on top.
struct Bits<'a> {
    data: &'a [u8],
    /// Byte from which on bits are still to be taken into the window.
    at: usize,
    window: u64,
    held: u32,
}

impl Bits<'_> {
    fn value(&mut self, codes: &Codes) -> Result<u8, PixelError> {
        self.fill();
        let next = usize::try_from(self.window >> 48).unwrap_or(0);
        match codes.0.get(next) {
            Some((length, value)) if *length > 0 => {
                self.skip(u32::from(*length))?;
                Ok(*value)
            }
            Some(_) | None => Err(damaged("an unknown Huffman code")),
        }
    }

    /// Goes over at most 16 bits.
    fn skip(&mut self, count: u32) -> Result<(), PixelError> {
        self.fill();
        self.held = self.held.checked_sub(count).ok_or(damaged("samples end early"))?;
        self.window <<= count;
        Ok(())
    }

    fn fill(&mut self) {
        while self.held <= 32 {
            let (byte, bytes) = match self.data.get(self.at..).unwrap_or_default() {
                [0xFF, 0, ..] => (0xFF, 2),
                [0xFF, ..] | [] => return,
                [byte, ..] => (*byte, 1),
            };
            self.at += bytes;
            self.window |= u64::from(byte) << (56 - self.held);
            self.held += 8;
        }
    }

    /// Byte after the last one of which a bit was taken.
    fn end(&self) -> usize {
        let mut at = self.at;
        for _whole in 0..self.held / 8 {
            let before = self.data.get(..at).unwrap_or_default();
            at -= if before.ends_with(&[0xFF, 0]) { 2 } else { 1 };
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One component of 8 bits, `width` × 8; DC codes 0 and 10 for categories 0
    /// and 3, AC codes 0 for the end of a block and 10 for 15 zeros and one.
    fn parts(width: u8, interval: u8) -> (Frame, Scan, Tables) {
        let frame = Frame::read(0xC0, &[8, 0, 8, 0, width, 1, 1, 0x11, 0]).unwrap();
        let scan = Scan::read(&frame, &[1, 1, 0, 0, 63, 0]).unwrap();
        let mut tables = Tables::default();
        let counts = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let dht = [&[0], &counts[..], &[0, 3], &[0x10], &counts, &[0, 0xF1]].concat();
        assert_eq!(tables.define(&dht).unwrap().len(), 2);
        tables.restart(&[0, interval]).unwrap();
        (frame, scan, tables)
    }

    fn cleaned(width: u8, interval: u8, data: &[u8]) -> Result<Option<Vec<u8>>, PixelError> {
        let (frame, scan, tables) = parts(width, interval);
        without_tail(&frame, &scan, &tables, data)
    }

    #[test]
    fn what_follows_the_last_block_is_left_out() {
        // Block: 10 111 (category 3), then 0 (end): 101110, two bits of padding.
        assert_eq!(cleaned(8, 0, &[0b1011_1011]).unwrap(), None);
        assert_eq!(cleaned(8, 0, &[0b1011_1000]).unwrap(), None);
        assert_eq!(cleaned(8, 0, b"\xBBDOE").unwrap().unwrap(), [0xBB]);
        assert_eq!(cleaned(8, 0, &[0b1011_1001]).unwrap().unwrap(), [0b1011_1011]);
        assert_eq!(cleaned(8, 0, b"\xBB\xFF\0DOE").unwrap().unwrap(), [0xBB]);
        assert_eq!(cleaned(8, 0, b"\xBB\xFF\xD0DOE").unwrap().unwrap(), [0xBB]);
        assert!(cleaned(16, 0, &[0b1011_1011]).is_err());
    }

    #[test]
    fn what_stands_before_a_restart_is_left_out_too() {
        let clean = b"\xBB\xFF\xD0\xBB\xFF\xD1\xBB";
        assert_eq!(cleaned(24, 1, clean).unwrap(), None);
        let planted = b"\xBBJ\xFF\xD0\xBBANE\xFF\xD1\xBBDOE";
        assert_eq!(cleaned(24, 1, planted).unwrap().unwrap(), clean);
        assert!(cleaned(24, 1, b"\xBB\xFF\xD1\xBB\xFF\xD0\xBB").is_err());
        assert!(cleaned(24, 1, b"\xBB\xFF\xD0\xBB").is_err());
    }

    #[test]
    fn stuffed_bytes_count_as_one() {
        let (frame, scan, mut tables) = parts(32, 0);
        let counts = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        tables.define(&[&[0], &counts[..], &[0, 8]].concat()).unwrap();
        // Three empty blocks of 2 bits, category 8 with ones, end of block.
        let data = [0b0000_0010, 0xFF, 0x00, 0b0111_1111];
        assert_eq!(without_tail(&frame, &scan, &tables, &data).unwrap(), None);
        for tail in [&b"\xFF\0"[..], b"\0", b"\xFF\0\xFF\0D", b"\0\xFF\0\0\0"] {
            let planted = [&data[..], tail].concat();
            let cut = without_tail(&frame, &scan, &tables, &planted).unwrap();
            assert_eq!(cut.unwrap(), data);
        }
    }

    #[test]
    fn samples_of_lossless_coding_are_counted() {
        let frame = Frame::read(0xC3, &[8, 0, 2, 0, 2, 1, 1, 0x11, 0]).unwrap();
        let scan = Scan::read(&frame, &[1, 1, 0, 1, 0, 0]).unwrap();
        let (_, _, tables) = parts(8, 0);
        // 10 111, 0, 0, 10 010: 4 samples in 12 bits.
        let data = [0b1011_1001, 0b0010_1111];
        assert_eq!(without_tail(&frame, &scan, &tables, &data).unwrap(), None);
        let planted = [&data[..], b"DOE"].concat();
        assert_eq!(without_tail(&frame, &scan, &tables, &planted).unwrap().unwrap(), data);
    }

    #[test]
    fn headers_with_room_to_spare_and_tables_that_lie_are_refused() {
        assert!(Frame::read(0xC0, b"\x08\0\x08\0\x08\x01\x01\x11\0DOE").is_none());
        assert!(Frame::read(0xC2, &[8, 0, 8, 0, 8, 1, 1, 0x11, 0]).is_none());
        let (frame, _, mut tables) = parts(8, 0);
        assert!(Scan::read(&frame, b"\x01\x01\0\0\x3F\0DOE").is_none());
        assert!(Scan::read(&frame, &[1, 9, 0, 0, 63, 0]).is_none());
        assert!(tables.restart(b"\0\x01D").is_none());
        let three_of_one_bit = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert!(tables.define(&[&[0], &three_of_one_bit[..], &[1, 2, 3]].concat()).is_none());
        let twice = [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert!(tables.define(&[&[0], &twice[..], &[1, 1]].concat()).is_none());
    }
}
