//! JPEG 2000 and High-Throughput JPEG 2000 (ISO/IEC 15444-1 Annex A, I).
//!
//! DICOM has the bare codestream only (PS3.5 §A.4.4); a file format around it
//! is taken off, with everything that its boxes carry. What a header would cost
//! its decoder is bounded by [`cost`].

mod cost;

use std::collections::BTreeMap;

use super::{GridComponent, Keeper, Loss, StreamHeader, Walked, be16, be32, byte};
use crate::clean::pixels::PixelError;

const SOC: u16 = 0xFF4F;
const SIZ: u16 = 0xFF51;
const COD: u16 = 0xFF52;
const COC: u16 = 0xFF53;
const QCD: u16 = 0xFF5C;
const TLM: u16 = 0xFF55;
const PLM: u16 = 0xFF57;
const PLT: u16 = 0xFF58;
const PPM: u16 = 0xFF60;
const PPT: u16 = 0xFF61;
const CRG: u16 = 0xFF63;
const COM: u16 = 0xFF64;
/// Profile and corresponding profile (ISO/IEC 15444-1 and -15).
const PRF: u16 = 0xFF56;
const CPF: u16 = 0xFF59;
const SOT: u16 = 0xFF90;
const SOD: u16 = 0xFF93;
const EOC: u16 = 0xFFD9;
/// Bit of `Rsiz`: capabilities of later parts, of which DICOM has only
/// High-Throughput (ISO/IEC 15444-15).
const HIGH_THROUGHPUT: u16 = 0x4000;
/// Most components. Default 4: DICOM has had pictures of one, three and four.
const COMPONENTS_MAX: u8 = 4;
/// First box of the file format (ISO/IEC 15444-1 §I.5.1).
const SIGNATURE: &[u8] = b"\0\0\0\x0CjP  \r\n\x87\n";

/// Whether bytes begin a codestream, bare or in its file format.
#[must_use]
pub fn begins(bytes: &[u8]) -> bool {
    let bare = be16(bytes, 0) == Some(SOC) && be16(bytes, 2) == Some(SIZ);
    bare || bytes.starts_with(SIGNATURE)
}

/// Segments that decoding needs not: comments, lengths of packets, profiles and
/// where components lie on paper.
fn is_spare(marker: u16) -> bool {
    [COM, PLM, PLT, CRG, PRF, CPF].contains(&marker)
}

/// Packet headers apart from their packets: nobody counts what they hold.
fn check_marker(marker: u16) -> Result<(), PixelError> {
    match marker {
        PPM | PPT => Err(PixelError::Unsupported { what: "JPEG 2000 with packed packet headers" }),
        0xFF50..=0xFF7F => Ok(()),
        _other => Err(damaged("bytes where a marker is due")),
    }
}

fn damaged(what: &'static str) -> PixelError {
    PixelError::Damaged { codec: "JPEG 2000", what }
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    keeper: Keeper,
    header: StreamHeader,
    /// `Rsiz`.
    capabilities: u16,
    grid: cost::Grid,
    /// Segments of the main header that may stand there once.
    main_segments: Vec<u16>,
    /// Parts of each tile so far.
    parts: BTreeMap<u16, u32>,
    style: cost::Finest,
    /// Where Tile-part Lengths stand in what is kept: they are wrong once a
    /// tile-part was shortened, and optional.
    lengths: Vec<std::ops::Range<usize>>,
    tile_part_shortened: bool,
}

/// Walks a codestream from SOC to EOC.
///
/// # Errors
/// No codestream, or a damaged structure: quarantine.
pub fn walk(bytes: &[u8]) -> Result<Walked, PixelError> {
    let boxed = bytes.starts_with(SIGNATURE);
    let bytes = if boxed { unbox(bytes)? } else { bytes };
    let keeper = Keeper { dropped: boxed, ..Keeper::default() };
    let mut walk = Walk {
        bytes,
        at: 2,
        keeper,
        header: StreamHeader::default(),
        capabilities: 0,
        grid: cost::Grid::default(),
        main_segments: Vec::new(),
        parts: BTreeMap::new(),
        style: cost::Finest::default(),
        lengths: Vec::new(),
        tile_part_shortened: false,
    };
    if be16(bytes, 0) != Some(SOC) || be16(bytes, 2) != Some(SIZ) {
        return Err(damaged("no start of codestream"));
    }
    walk.keeper.keep(bytes, 0..2);
    while walk.main_header_segment()? {}
    while walk.tile_part()? {}
    // One byte of padding makes the fragment even; more does not pass.
    walk.keeper.dropped |= !matches!(bytes.get(walk.at..), None | Some([] | [0]));
    walk.check_cost()?;
    Ok(walk.finish())
}

/// The content of the first contiguous codestream box.
fn unbox(bytes: &[u8]) -> Result<&[u8], PixelError> {
    let mut at = 0;
    loop {
        let size = be32(bytes, at).ok_or(damaged("no codestream in its boxes"))?;
        let kind = bytes.get(at + 4..at + 8).ok_or(damaged("no codestream in its boxes"))?;
        let (content, end) = match size {
            0 => (at + 8, bytes.len()),
            1 => {
                let high = be32(bytes, at + 8).filter(|high| *high == 0);
                let low = be32(bytes, at + 12).zip(high).map(|(low, _high)| low);
                (at + 16, at.saturating_add(as_usize(low.ok_or(damaged("length of a box"))?)))
            }
            size => (at + 8, at.saturating_add(as_usize(size))),
        };
        if kind == b"jp2c" {
            return bytes.get(content..end).ok_or(damaged("length of a box"));
        }
        if end <= at {
            return Err(damaged("length of a box"));
        }
        at = end;
    }
}

/// Whether a COD segment says that a component transform was used (Table A.17).
fn is_transformed(content: &[u8]) -> bool {
    byte(content, 4).is_some_and(|transform| transform & 1 == 1)
}

fn as_usize(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

impl Walk<'_> {
    /// End of the marker segment whose length stands at `at + 2`.
    fn segment_end(&self) -> Result<usize, PixelError> {
        let size = be16(self.bytes, self.at + 2).map_or(0, usize::from);
        let end = self.at.saturating_add(2).saturating_add(size);
        if size < 2 || end > self.bytes.len() {
            return Err(damaged("length of a marker segment"));
        }
        Ok(end)
    }

    /// Takes one segment of the main header; false at the first tile-part.
    fn main_header_segment(&mut self) -> Result<bool, PixelError> {
        let marker = be16(self.bytes, self.at).ok_or(damaged("no tile-part"))?;
        if marker == SOT {
            if self.header.components == 0 {
                return Err(damaged("no image size"));
            }
            return Ok(false);
        }
        let end = self.segment_end()?;
        let content = self.bytes.get(self.at + 4..end).unwrap_or_default();
        match marker {
            SIZ => self.size(content)?,
            QCD => self.once(QCD)?,
            COD => {
                self.once(COD)?;
                self.coding_style(content);
                self.style.default_style(content)?;
            }
            COC => self.style.component_style(content)?,
            TLM => {
                let start = self.keeper.kept.len();
                self.lengths.push(start..start + (end - self.at));
            }
            _other => check_marker(marker)?,
        }
        if is_spare(marker) {
            self.keeper.dropped = true;
        } else {
            self.keeper.keep(self.bytes, self.at..end);
        }
        self.at = end;
        Ok(true)
    }

    /// What a second segment of a kind says replaces the first, which then is
    /// room for anything.
    fn once(&mut self, marker: u16) -> Result<(), PixelError> {
        if self.main_segments.contains(&marker) {
            return Err(damaged("a second default in the main header"));
        }
        self.main_segments.push(marker);
        Ok(())
    }

    /// `Isot` names a tile of the picture, `TPsot` counts its parts (Table A.5):
    /// no decoder reads any other. `TNsot` is off by one in old streams.
    fn count_part(&mut self, start: usize) -> Result<(), PixelError> {
        let tile = be16(self.bytes, start + 4).ok_or(damaged("tile-part"))?;
        let part = byte(self.bytes, start + 10).ok_or(damaged("tile-part"))?;
        let due = self.parts.entry(tile).or_insert(0);
        let counted = u32::from(part) == *due;
        *due += 1;
        if u64::from(tile) >= self.grid.tiles() || !counted {
            return Err(damaged("number of a tile-part"));
        }
        Ok(())
    }

    /// `Scod`, order, layers, component transform, levels, size and style of
    /// code-blocks, wavelet: 0 is the irreversible one.
    fn coding_style(&mut self, content: &[u8]) {
        self.header.component_transform = byte(content, 4) == Some(1);
        if byte(content, 9) == Some(0) {
            let high_throughput = self.capabilities & HIGH_THROUGHPUT != 0;
            let loss = if high_throughput { Loss::HighThroughput } else { Loss::Jpeg2000 };
            self.header.loss = Some(loss);
        }
    }

    /// `Rsiz Xsiz Ysiz XOsiz YOsiz XTsiz YTsiz XTOsiz YTOsiz Csiz`, then
    /// `Ssiz XRsiz YRsiz` for each component (Table A.9).
    fn size(&mut self, content: &[u8]) -> Result<(), PixelError> {
        let short = || damaged("image size");
        self.capabilities = be16(content, 0).ok_or_else(short)?;
        self.grid = cost::Grid::read(content)?;
        let components = be16(content, 34).ok_or_else(short)?;
        let described = content.get(36..).unwrap_or_default().as_chunks::<3>().0;
        let components = u8::try_from(components).ok().filter(|count| *count <= COMPONENTS_MAX);
        let components = components
            .ok_or(PixelError::Disagrees { what: "number of components in the codestream" })?;
        if self.header.components != 0 || described.len() != usize::from(components) {
            return Err(short());
        }
        for [depth, across, down] in described {
            if *across == 0 || *down == 0 {
                return Err(short());
            }
            self.header.grid.push(GridComponent {
                precision: (depth & 0x7F) + 1,
                signed: depth & 0x80 != 0,
                separation: [*across, *down],
            });
        }
        let precisions = self.header.grid.iter().map(|component| component.precision);
        self.header.precision = precisions.max().ok_or_else(short)?;
        self.header.origin = self.grid.origin;
        [self.header.width, self.header.height] = self.grid.size();
        self.header.components = components;
        Ok(())
    }

    /// Bounds what a decoder will do, and refuses what it would do wrong.
    fn check_cost(&self) -> Result<(), PixelError> {
        let separations: Vec<[u8; 2]> =
            self.header.grid.iter().map(|component| component.separation).collect();
        let equal = self.header.grid.array_windows::<2>().all(|[one, next]| one == next);
        if self.header.component_transform && !equal {
            // The transform needs three of the same (Annex G.2, G.3).
            return Err(damaged("a component transform of different components"));
        }
        cost::check(&self.grid, &separations, &self.style, self.bytes.len())
    }

    /// Takes one tile-part; false after the end of the codestream.
    fn tile_part(&mut self) -> Result<bool, PixelError> {
        let start = self.at;
        match be16(self.bytes, start) {
            Some(SOT) => {}
            Some(EOC) => {
                self.keeper.keep(self.bytes, start..start + 2);
                self.at = start + 2;
                return Ok(false);
            }
            Some(_) | None => return Err(damaged("bytes where a tile-part is due, or no end")),
        }
        let size = be32(self.bytes, start + 6).ok_or(damaged("tile-part"))?;
        self.count_part(start)?;
        // Length 0: up to the end of the codestream (Table A.5).
        let end = match size {
            0 => self.last_end()?,
            size => start.saturating_add(as_usize(size)),
        };
        if end > self.bytes.len() || end < start + 14 {
            return Err(damaged("length of a tile-part"));
        }
        let kept_start = self.keeper.kept.len();
        self.keeper.keep(self.bytes, start..start + 12);
        self.at = start + 12;
        let removed = self.tile_part_header(end)?;
        if removed > 0 && size != 0 {
            self.shorten(kept_start, size, removed)?;
        }
        self.keeper.keep(self.bytes, self.at..end);
        self.at = end;
        Ok(true)
    }

    /// Keeps the header segments of a tile-part that decoding needs; returns the
    /// number of bytes left out.
    fn tile_part_header(&mut self, tile_part_end: usize) -> Result<usize, PixelError> {
        let mut removed = 0;
        loop {
            let marker = be16(self.bytes, self.at).ok_or(damaged("tile-part header"))?;
            if marker == SOD {
                return Ok(removed);
            }
            let end = self.segment_end()?;
            check_marker(marker)?;
            if end > tile_part_end {
                return Err(damaged("tile-part header"));
            }
            let content = self.bytes.get(self.at + 4..end).unwrap_or_default();
            self.tile_style(marker, content)?;
            if is_spare(marker) {
                removed += end - self.at;
                self.keeper.dropped = true;
            } else {
                self.keeper.keep(self.bytes, self.at..end);
            }
            self.at = end;
        }
    }

    /// A coding style of this tile only.
    fn tile_style(&mut self, marker: u16, content: &[u8]) -> Result<(), PixelError> {
        match marker {
            COD if is_transformed(content) != self.header.component_transform => {
                Err(PixelError::Unsupported { what: "JPEG 2000 with tiles of different colour" })
            }
            COD => self.style.default_style(content),
            COC => self.style.component_style(content),
            _other => Ok(()),
        }
    }

    fn shorten(&mut self, sot: usize, size: u32, removed: usize) -> Result<(), PixelError> {
        let removed = u32::try_from(removed).map_err(|_too_long| damaged("tile-part header"))?;
        let size = size.checked_sub(removed).ok_or(damaged("tile-part header"))?;
        if let Some(field) = self.keeper.kept.get_mut(sot + 6..sot + 10) {
            field.copy_from_slice(&size.to_be_bytes());
        }
        self.tile_part_shortened = true;
        Ok(())
    }

    /// Where the last tile-part ends when its length is 0: at the end marker,
    /// which cannot occur inside packets.
    fn last_end(&self) -> Result<usize, PixelError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.array_windows::<2>().position(|pair| u16::from_be_bytes(*pair) == EOC);
        end.map(|end| self.at + end).ok_or(damaged("no end of codestream"))
    }

    fn finish(mut self) -> Walked {
        if self.tile_part_shortened {
            for range in self.lengths.iter().rev() {
                self.keeper.kept.drain(range.clone());
            }
        }
        self.keeper.finish(self.header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(marker: u16, content: &[u8]) -> Vec<u8> {
        let mut bytes = marker.to_be_bytes().to_vec();
        bytes.extend_from_slice(&u16::try_from(content.len() + 2).unwrap().to_be_bytes());
        bytes.extend_from_slice(content);
        bytes
    }

    fn siz() -> Vec<u8> {
        let mut content = vec![0, 0];
        for field in [3_u32, 2, 0, 0, 3, 2, 0, 0] {
            content.extend_from_slice(&field.to_be_bytes());
        }
        content.extend_from_slice(&[0, 1, 7, 1, 1]);
        segment(SIZ, &content)
    }

    fn stream(main: &[Vec<u8>], tile: &[Vec<u8>], open_ended: bool, tail: &[u8]) -> Vec<u8> {
        let tile: Vec<u8> = tile.concat();
        let packets = [1, 2, 0xFF, 0x7F, 3];
        let size = if open_ended { 0 } else { 12 + tile.len() + 2 + packets.len() };
        let mut sot = vec![0, 0];
        sot.extend_from_slice(&u32::try_from(size).unwrap().to_be_bytes());
        sot.extend_from_slice(&[0, 1]);
        let mut bytes = SOC.to_be_bytes().to_vec();
        bytes.extend(siz());
        bytes.extend(main.concat());
        bytes.extend(segment(SOT, &sot));
        bytes.extend(tile);
        bytes.extend(SOD.to_be_bytes());
        bytes.extend(packets);
        bytes.extend(EOC.to_be_bytes());
        bytes.extend_from_slice(tail);
        bytes
    }

    fn comment() -> Vec<u8> {
        segment(COM, b"\0\x01DOE^JANE")
    }

    fn boxed(codestream: &[u8]) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend_from_slice(b"\0\0\0\x0Cuuid DOE");
        bytes.extend(u32::try_from(codestream.len() + 8).unwrap().to_be_bytes());
        bytes.extend_from_slice(b"jp2c");
        bytes.extend_from_slice(codestream);
        bytes.extend_from_slice(b"\0\0\0\x0Cxml DOE!");
        bytes
    }

    #[test]
    fn names_in_comments_boxes_and_tails_are_dropped() {
        let cod = segment(COD, &[0, 0, 0, 1, 1, 5, 4, 4, 0, 1]);
        let clean = stream(std::slice::from_ref(&cod), &[], false, &[]);
        let walked = walk(&clean).unwrap();
        assert!(walked.clean.is_none());
        assert!(walked.header.component_transform);
        assert_eq!((walked.header.width, walked.header.height), (3, 2));
        assert_eq!((walked.header.components, walked.header.precision), (1, 8));
        let planted = [
            stream(&[cod.clone(), comment()], &[], false, &[]),
            stream(&[comment(), cod.clone()], &[comment()], false, &[]),
            stream(std::slice::from_ref(&cod), &[], false, b"DOE^JANE"),
            boxed(&clean),
            stream(&[cod.clone(), segment(CRG, b"DOEJ")], &[segment(PLT, b"\0DOE")], false, &[]),
            stream(&[cod.clone(), segment(PLM, b"\0DOE"), segment(PRF, b"DO")], &[], false, &[]),
            // The lengths of tile-parts go with the comment that made them wrong.
            stream(&[segment(TLM, &[0, 0x40, 0, 0, 0, 9]), cod.clone()], &[comment()], false, &[]),
        ];
        for (place, bytes) in planted.iter().enumerate() {
            assert_eq!(walk(bytes).unwrap().clean.unwrap(), clean, "place {place}");
        }
        let open = stream(std::slice::from_ref(&cod), &[], true, &[]);
        let planted = stream(&[cod], &[comment()], true, &[]);
        assert_eq!(walk(&planted).unwrap().clean.unwrap(), open);
    }

    #[test]
    fn what_no_decoder_reads_is_no_room_for_names() {
        let cod = segment(COD, &[0, 0, 0, 1, 0, 0, 4, 4, 0, 1]);
        let qcd = segment(QCD, &[0x40, 0x40]);
        let whole = stream(&[cod.clone(), qcd.clone()], &[], false, &[]);
        assert!(walk(&whole).is_ok());
        for twice in [vec![cod.clone(), cod.clone(), qcd.clone()], vec![cod, qcd.clone(), qcd]] {
            assert!(walk(&stream(&twice, &[], false, &[])).is_err());
        }
        let sot = whole.windows(2).position(|pair| pair == SOT.to_be_bytes()).unwrap();
        let end = whole.len() - 2;
        let mut twice = whole[..end].to_vec();
        twice.extend_from_slice(&whole[sot..]);
        assert!(walk(&twice).is_err(), "a part of the same number");
        for (field, value) in [(5, 1), (10, 1), (11, 0)] {
            let mut odd = whole.clone();
            odd[sot + field] = value;
            assert_eq!(walk(&odd).is_ok(), field == 11, "byte {field} of the tile-part");
        }
    }

    #[test]
    fn structures_that_cannot_be_trusted_are_refused() {
        let cod = segment(COD, &[0, 0, 0, 1, 0, 5, 4, 4, 0, 1]);
        let whole = stream(std::slice::from_ref(&cod), &[], false, &[]);
        assert!(walk(&whole).is_ok());
        let other_colour = segment(COD, &[0, 0, 0, 1, 1, 5, 4, 4, 0, 1]);
        assert!(walk(&stream(&[], &[], false, &[])).is_err(), "no coding style");
        assert!(walk(&stream(&[cod], &[other_colour], false, &[])).is_err(), "colour of a tile");
        for cut in 0..whole.len() {
            assert!(walk(&whole[..cut]).is_err(), "cut at {cut}");
        }
        let packed = segment(PPT, b"\0DOE");
        assert!(walk(&stream(&[], &[packed], false, &[])).is_err());
        let mut long = whole;
        let size_at = long.windows(2).position(|pair| pair == SOT.to_be_bytes()).unwrap() + 6;
        long[size_at..size_at + 4].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(walk(&long).is_err());
    }
}
