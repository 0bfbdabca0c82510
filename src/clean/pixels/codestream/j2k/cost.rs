//! What a JPEG 2000 header would make a decoder allocate and do, worked out
//! before one sees it: image size and coding styles in, yes or no out.
//!
//! A header of a hundred bytes can ask for millions of tiles, precincts or
//! layers; decoders allocate for them before they notice that no data follows.
//! Names are those of ISO/IEC 15444-1 Annexes A and B.

use super::damaged;
use crate::clean::pixels::PixelError;
use crate::clean::pixels::codestream::{be16, be32, byte};

/// Most tiles. Default 4096: 16 k × 16 k in tiles of 256; a tile costs the
/// decoder 9 kB before its first byte, and the format allows 65,535.
const TILES_MAX: u64 = 4096;
/// Samples for which one precinct or code-block is granted. Default 64: the
/// smallest tiles in use (64 × 64, six resolutions) have one for 186.
const SAMPLES_PER_PART: u64 = 64;
/// Precincts and code-blocks granted to any picture. Default 4096, for small
/// pictures with many decompositions.
const PARTS_FREE: u64 = 4096;
/// Packets granted beyond one for each byte. Default 65,536: a packet has one
/// byte at least, but streams cut off after some layers are in use.
const PACKETS_FREE: u64 = 65_536;
/// Most decompositions (Table A.15).
const LEVELS_MAX: u8 = 32;
/// Exponent of a precinct without limits (§B.6).
const PRECINCT_WHOLE: u8 = 15;

/// Image and tile size: the SIZ segment (Table A.9).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Grid {
    /// Xsiz, Ysiz.
    end: [u32; 2],
    /// XOsiz, YOsiz.
    pub(super) origin: [u32; 2],
    /// XTsiz, YTsiz.
    tile: [u32; 2],
    /// XTOsiz, YTOsiz.
    tile_origin: [u32; 2],
}

impl Grid {
    /// Reads the fields before the components.
    pub(super) fn read(content: &[u8]) -> Result<Self, PixelError> {
        let pair = |at| Some([be32(content, at)?, be32(content, at + 4)?]);
        let read = || {
            Some(Self { end: pair(2)?, origin: pair(10)?, tile: pair(18)?, tile_origin: pair(26)? })
        };
        let grid = read().ok_or(damaged("image size"))?;
        let in_order = (0..2).all(|axis| grid.axis(axis).is_some_and(|axis| axis.is_sound()));
        if in_order { Ok(grid) } else { Err(damaged("image size")) }
    }

    fn axis(&self, axis: usize) -> Option<Axis> {
        let field = |pair: [u32; 2]| pair.get(axis).copied().map(u64::from);
        Some(Axis {
            start: field(self.origin)?,
            end: field(self.end)?,
            tile: field(self.tile)?,
            tile_start: field(self.tile_origin)?,
        })
    }

    /// Number of tiles.
    pub(super) fn tiles(&self) -> u64 {
        (0..2).filter_map(|axis| self.axis(axis)).map(Axis::tiles).fold(1, u64::saturating_mul)
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> [u32; 2] {
        let [x0, y0] = self.origin;
        let [x1, y1] = self.end;
        [x1.saturating_sub(x0), y1.saturating_sub(y0)]
    }
}

/// One direction of the reference grid.
#[derive(Debug, Clone, Copy)]
struct Axis {
    start: u64,
    end: u64,
    tile: u64,
    tile_start: u64,
}

impl Axis {
    /// The first tile holds samples (§B.3), and coordinates fit into the signed
    /// numbers that decoders use.
    fn is_sound(self) -> bool {
        self.start < self.end
            && i32::try_from(self.end).is_ok()
            && self.tile > 0
            && self.tile_start <= self.start
            && self.tile_start.saturating_add(self.tile) > self.start
    }

    fn tiles(self) -> u64 {
        self.end.saturating_sub(self.tile_start).div_ceil(self.tile)
    }

    /// Cells of 2^`cell` samples that the tiles touch together, once the samples
    /// of a component (one for every `separation`) were halved `depth` times.
    fn cells(self, separation: u64, depth: u8, cell: u8) -> u64 {
        let place = |at: u64| at.div_ceil(separation).div_ceil(1 << depth.min(LEVELS_MAX));
        let mut count = 0_u64;
        let mut from = self.start;
        let mut to = self.tile_start.saturating_add(self.tile);
        while from < self.end {
            let (first, last) = (place(from), place(to.min(self.end)));
            if first < last {
                count = count.saturating_add(last.div_ceil(1 << cell) - (first >> cell));
            }
            from = to;
            to = to.saturating_add(self.tile);
        }
        count
    }
}

/// The finest of all coding styles in a stream (COD and COC, §A.6.1,
/// §A.6.2): nothing in it is divided further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finest {
    layers: u16,
    levels: u8,
    /// Exponents of the code-block size.
    block: [u8; 2],
    /// Exponents of the precinct size, the full resolution first.
    precincts: [[u8; 2]; 33],
}

impl Default for Finest {
    fn default() -> Self {
        Self { layers: 0, levels: 0, block: [10; 2], precincts: [[PRECINCT_WHOLE; 2]; 33] }
    }
}

impl Finest {
    /// Takes a COD segment.
    pub(super) fn default_style(&mut self, content: &[u8]) -> Result<(), PixelError> {
        let layers = be16(content, 2).filter(|layers| *layers > 0);
        self.layers = self.layers.max(layers.ok_or(damaged("coding style"))?);
        self.style(byte(content, 0), content.get(5..))
    }

    /// Takes a COC segment; the component has one byte in pictures of few.
    pub(super) fn component_style(&mut self, content: &[u8]) -> Result<(), PixelError> {
        self.style(byte(content, 1), content.get(2..))
    }

    fn style(&mut self, flags: Option<u8>, content: Option<&[u8]>) -> Result<(), PixelError> {
        let bad = || damaged("coding style");
        let (flags, content) = flags.zip(content).ok_or_else(bad)?;
        let (levels, rest) = content.split_first().ok_or_else(bad)?;
        let (block, rest) = rest.split_first_chunk::<2>().ok_or_else(bad)?;
        // Between 4 and 1024 each, 4096 samples together (Table A.18).
        if *levels > LEVELS_MAX || block.iter().any(|size| *size > 8) || block[0] + block[1] > 8 {
            return Err(bad());
        }
        self.levels = self.levels.max(*levels);
        self.block = [self.block[0].min(block[0] + 2), self.block[1].min(block[1] + 2)];
        if flags & 1 == 0 {
            return Ok(());
        }
        let count = usize::from(*levels) + 1;
        let sizes = rest.get(2..).and_then(|sizes| sizes.get(..count)).ok_or_else(bad)?;
        for (finest, size) in self.precincts.iter_mut().zip(sizes.iter().rev()) {
            *finest = [finest[0].min(size & 0x0F), finest[1].min(size >> 4)];
        }
        Ok(())
    }
}

/// Refuses a stream of `bytes` bytes that would cost more than its picture and
/// its length are worth. `separations` are XRsiz and YRsiz of each component.
///
/// # Errors
/// Too many tiles, parts of tiles, or packets: quarantine.
pub(super) fn check(
    grid: &Grid,
    separations: &[[u8; 2]],
    style: &Finest,
    bytes: usize,
) -> Result<(), PixelError> {
    let axes = grid.axis(0).zip(grid.axis(1)).ok_or(damaged("image size"))?;
    if style.layers == 0 {
        return Err(damaged("no coding style"));
    }
    if axes.0.tiles().saturating_mul(axes.1.tiles()) > TILES_MAX {
        return Err(PixelError::OverLimit { limit: "TILES_MAX of JPEG 2000" });
    }
    let (mut precincts, mut blocks) = (0_u64, 0_u64);
    for separation in separations {
        let parts = parts(axes, separation.map(u64::from), style);
        precincts = precincts.saturating_add(parts.0);
        blocks = blocks.saturating_add(parts.1);
    }
    let [width, height] = grid.size();
    let components = u64::try_from(separations.len()).unwrap_or(u64::MAX);
    let samples = (u64::from(width) * u64::from(height)).saturating_mul(components);
    if precincts.saturating_add(blocks) > PARTS_FREE + samples / SAMPLES_PER_PART {
        return Err(PixelError::OverLimit { limit: "SAMPLES_PER_PART of JPEG 2000" });
    }
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    if precincts.saturating_mul(u64::from(style.layers)) > bytes.saturating_add(PACKETS_FREE) {
        return Err(PixelError::OverLimit { limit: "PACKETS_FREE of JPEG 2000" });
    }
    Ok(())
}

/// Precincts and code-blocks of one component (§B.6, §B.7).
fn parts(axes: (Axis, Axis), separation: [u64; 2], style: &Finest) -> (u64, u64) {
    let (mut precincts, mut blocks) = (0_u64, 0_u64);
    let cells = |depth, size: [u8; 2]| {
        let across = axes.0.cells(separation[0].max(1), depth, size[0]);
        across.saturating_mul(axes.1.cells(separation[1].max(1), depth, size[1]))
    };
    for (depth, precinct) in (0..=style.levels).zip(style.precincts) {
        precincts = precincts.saturating_add(cells(depth, precinct));
        // A resolution adds three sub-bands half its size; the last one is a
        // sub-band itself.
        let (bands, band_depth, halved) =
            if depth < style.levels { (3, depth + 1, 1) } else { (1, depth, 0) };
        let block = [0, 1].map(|axis: usize| {
            let precinct = precinct.get(axis).copied().unwrap_or(0).saturating_sub(halved);
            style.block.get(axis).copied().unwrap_or(0).min(precinct)
        });
        blocks = blocks.saturating_add(cells(band_depth, block).saturating_mul(bands));
    }
    (precincts, blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(side: u32, tile: u32) -> Grid {
        Grid { end: [side; 2], tile: [tile; 2], ..Grid::default() }
    }

    fn cod(layers: u16, levels: u8, block: u8, precincts: &[u8]) -> Vec<u8> {
        let [high, low] = layers.to_be_bytes();
        let flags = u8::from(!precincts.is_empty());
        let mut content = vec![flags, 0, high, low, 0, levels, block, block, 0, 1];
        content.extend_from_slice(precincts);
        content
    }

    fn checked(grid: &Grid, cod: &[u8], bytes: usize) -> Result<(), PixelError> {
        let mut style = Finest::default();
        style.default_style(cod)?;
        check(grid, &[[1, 1]; 3], &style, bytes)
    }

    #[test]
    fn streams_as_encoders_make_them_pass() {
        let usual = [0x77, 0x88, 0x88, 0x88, 0x88, 0x88];
        for (grid, cod) in [
            (grid(1, 1), cod(1, 5, 4, &[])),
            (grid(4097, 4097), cod(12, 5, 4, &[])),
            (grid(4096, 64), cod(1, 5, 4, &[])),
            (grid(16_384, 256), cod(1, 5, 4, &usual)),
            (grid(512, 512), cod(1, 5, 3, &[0x44, 0x55, 0x66, 0x77, 0x88, 0x99])),
        ] {
            checked(&grid, &cod, 1 << 20).unwrap();
        }
    }

    #[test]
    fn small_headers_that_ask_for_much_are_refused() {
        let blank = 300;
        for (name, grid, cod) in [
            ("tiles", grid(4096, 63), cod(1, 5, 4, &[])),
            ("precincts", grid(4096, 4096), cod(1, 0, 4, &[0x11])),
            ("blocks", grid(4096, 4096), cod(1, 0, 0, &[])),
            ("layers of precincts", grid(512, 512), cod(65_535, 0, 4, &[0x66])),
            ("decompositions", grid(512, 512), cod(1, 33, 4, &[])),
            ("code-blocks", grid(512, 512), cod(1, 5, 5, &[])),
            ("no layer", grid(512, 512), cod(0, 5, 4, &[])),
        ] {
            assert!(checked(&grid, &cod, blank).is_err(), "{name}");
        }
    }

    #[test]
    fn sizes_without_samples_in_the_first_tile_are_refused() {
        let content = |fields: [u32; 8]| {
            let mut content = vec![0, 0];
            content.extend(fields.iter().flat_map(|field| field.to_be_bytes()));
            content
        };
        assert!(Grid::read(&content([3, 2, 0, 0, 3, 2, 0, 0])).is_ok());
        for fields in [
            [3, 2, 3, 0, 3, 2, 0, 0],
            [3, 2, 0, 0, 0, 2, 0, 0],
            [3, 2, 0, 0, 3, 2, 1, 0],
            [9, 2, 5, 0, 5, 2, 0, 0],
            [u32::MAX, 2, 0, 0, 9, 2, 0, 0],
        ] {
            assert!(Grid::read(&content(fields)).is_err(), "{fields:?}");
        }
    }

    #[test]
    fn cells_are_counted_over_all_tiles() {
        let axis = Axis { start: 3, end: 100, tile: 32, tile_start: 0 };
        assert_eq!(axis.tiles(), 4);
        assert_eq!(axis.cells(1, 0, 4), 7);
        assert_eq!(axis.cells(1, 0, 15), 4);
        assert_eq!(axis.cells(2, 1, 15), 4);
        // Halved seven times there is no sample left: 0 lies before the picture.
        assert_eq!(axis.cells(1, 7, 0), 0);
        assert_eq!(Axis { start: 0, ..axis }.cells(1, 7, 0), 1);
    }
}
