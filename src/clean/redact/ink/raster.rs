//! Marked pixels of a picture, and the connected groups among them.

use crate::clean::redact::area::Rect;

/// One bit a pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bits {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) bits: Vec<bool>,
}

impl Bits {
    /// None marked. The caller has bounded the sizes (`INK_PIXELS_MAX`).
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self { width, height, bits: vec![false; width * height] }
    }

    pub(crate) fn count(&self) -> usize {
        self.bits.iter().filter(|bit| **bit).count()
    }

    pub(crate) fn get(&self, x: usize, y: usize) -> bool {
        x < self.width && y < self.height && self.bits[y * self.width + x]
    }

    /// Marks a rectangle, cut to the picture.
    pub(crate) fn mark(&mut self, rect: Rect) {
        let (x0, x1) = (at(rect.x0).min(self.width), at(rect.x1).min(self.width));
        for y in at(rect.y0)..at(rect.y1).min(self.height) {
            let row = y * self.width;
            if x0 < x1 {
                self.bits[row + x0..row + x1].fill(true);
            }
        }
    }

    /// Marks what lies within `radius` pixels of what is marked, also slantwise.
    pub(crate) fn widened(&self, radius: usize) -> Self {
        let across = widened_along(&self.bits, self.width, self.height, (1, self.width), radius);
        let bits = widened_along(&across, self.height, self.width, (self.width, 1), radius);
        Self { bits, ..*self }
    }

    /// Connected groups, also slantwise, in order of their first pixel.
    pub(crate) fn groups(&self) -> Vec<Group> {
        let mut open = self.bits.clone();
        let mut groups = Vec::new();
        for first in 0..open.len() {
            if open[first] {
                groups.push(self.flood(first, &mut open));
            }
        }
        groups
    }

    fn flood(&self, first: usize, open: &mut [bool]) -> Group {
        let (mut pixels, mut next) = (vec![first], 0);
        open[first] = false;
        let mut rect = Span { x0: usize::MAX, y0: usize::MAX, x1: 0, y1: 0 };
        while let Some(pixel) = pixels.get(next).copied() {
            next += 1;
            let (x, y) = (pixel % self.width, pixel / self.width);
            rect = rect.with(x, y);
            for near_y in y.saturating_sub(1)..(y + 2).min(self.height) {
                for near_x in x.saturating_sub(1)..(x + 2).min(self.width) {
                    let near = near_y * self.width + near_x;
                    if std::mem::take(&mut open[near]) {
                        pixels.push(near);
                    }
                }
            }
        }
        Group { rect, pixels }
    }
}

/// `lines` lines of `len` pixels; the steps lead to the next pixel and line.
fn widened_along(
    bits: &[bool],
    len: usize,
    lines: usize,
    (step, line_step): (usize, usize),
    radius: usize,
) -> Vec<bool> {
    let mut wide = bits.to_vec();
    for line in 0..lines {
        let mut reach = 0;
        for place in (0..len).map(|place| line * line_step + place * step) {
            reach = if bits[place] { radius + 1 } else { reach };
            wide[place] |= reach > 0;
            reach = reach.saturating_sub(1);
        }
        reach = 0;
        for place in (0..len).rev().map(|place| line * line_step + place * step) {
            reach = if bits[place] { radius + 1 } else { reach };
            wide[place] |= reach > 0;
            reach = reach.saturating_sub(1);
        }
    }
    wide
}

/// Pixels that touch each other.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) rect: Span,
    /// Places in the picture.
    pub(crate) pixels: Vec<usize>,
}

impl Group {
    /// The group alone, in the size of its rectangle.
    pub(crate) fn alone(&self, width: usize) -> Bits {
        let mut alone = Bits::new(self.rect.width(), self.rect.height());
        for pixel in &self.pixels {
            let (x, y) = (pixel % width - self.rect.x0, pixel / width - self.rect.y0);
            alone.bits[y * alone.width + x] = true;
        }
        alone
    }
}

/// A rectangle of pixels, as places in a raster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) x0: usize,
    pub(crate) y0: usize,
    pub(crate) x1: usize,
    pub(crate) y1: usize,
}

impl Span {
    pub(crate) fn with(self, x: usize, y: usize) -> Self {
        Self {
            x0: self.x0.min(x),
            y0: self.y0.min(y),
            x1: self.x1.max(x + 1),
            y1: self.y1.max(y + 1),
        }
    }

    pub(crate) fn width(self) -> usize {
        self.x1.saturating_sub(self.x0)
    }

    pub(crate) fn height(self) -> usize {
        self.y1.saturating_sub(self.y0)
    }

    pub(crate) fn longer(self) -> usize {
        self.width().max(self.height())
    }

    pub(crate) fn shorter(self) -> usize {
        self.width().min(self.height())
    }

    /// Pixels between the two; 0 when they touch.
    pub(crate) fn gap(self, other: Self) -> usize {
        let across = other.x0.saturating_sub(self.x1).max(self.x0.saturating_sub(other.x1));
        let down = other.y0.saturating_sub(self.y1).max(self.y0.saturating_sub(other.y1));
        across.max(down)
    }

    /// With `margin` pixels around, cut to the picture.
    pub(crate) fn area(self, margin: usize, width: usize, height: usize) -> Rect {
        Rect {
            x0: short(self.x0.saturating_sub(margin)),
            y0: short(self.y0.saturating_sub(margin)),
            x1: short((self.x1 + margin).min(width)),
            y1: short((self.y1 + margin).min(height)),
        }
    }
}

/// A column or row as a place.
pub(crate) fn at(pixel: u32) -> usize {
    usize::try_from(pixel).unwrap_or(usize::MAX)
}

/// A place as a column or row.
pub(crate) fn short(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// The greatest square of marked pixels.
pub(crate) fn greatest_square(bits: &Bits) -> usize {
    let mut above = vec![0_usize; bits.width + 1];
    let mut greatest = 0;
    for row in bits.bits.chunks_exact(bits.width.max(1)) {
        let mut slant = 0;
        for (x, marked) in row.iter().enumerate() {
            let size = if *marked { 1 + slant.min(above[x]).min(above[x + 1]) } else { 0 };
            slant = std::mem::replace(&mut above[x + 1], size);
            greatest = greatest.max(size);
        }
    }
    greatest
}

/// Side of the greatest square within each label, up to 255; pixels labelled
/// `any` may lie in a square of every label.
pub(crate) fn greatest_square_per_label(
    labels: &[u32],
    width: usize,
    count: usize,
    any: u32,
) -> Vec<u8> {
    let mut greatest = vec![0_u8; count];
    // Of the square that ends at a pixel: its side and its label.
    let mut above = vec![(0_u8, any); width];
    for (y, row) in labels.chunks_exact(width.max(1)).enumerate() {
        let (mut slant, mut left) = ((0, any), (0, any));
        for (x, label) in row.iter().enumerate() {
            let corner = [slant, left, above[x]];
            let outer = y == 0 || x == 0;
            let own = if *label == any {
                corner.iter().map(|(_, label)| *label).find(|label| *label != any).unwrap_or(any)
            } else {
                *label
            };
            let fits = corner.iter().all(|(_, label)| *label == own || *label == any);
            let side = corner.iter().map(|(side, _)| *side).min().unwrap_or(0);
            let side = if fits && !outer { side.saturating_add(1) } else { 1 };
            slant = std::mem::replace(&mut above[x], (side, own));
            left = (side, own);
            if let Some(greatest) = usize::try_from(own).ok().and_then(|own| greatest.get_mut(own))
            {
                *greatest = side.max(*greatest);
            }
        }
    }
    greatest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(rows: &[&str]) -> Bits {
        let bits = rows.iter().flat_map(|row| row.bytes().map(|byte| byte == b'#')).collect();
        Bits { width: rows[0].len(), height: rows.len(), bits }
    }

    #[test]
    fn groups_are_what_touches_also_slantwise() {
        let groups = drawn(&["#..#", ".#..", "...#"]).groups();
        let rects: Vec<Span> = groups.iter().map(|group| group.rect).collect();
        let span = |x0, y0, x1, y1| Span { x0, y0, x1, y1 };
        assert_eq!(rects, [span(0, 0, 2, 2), span(3, 0, 4, 1), span(3, 2, 4, 3)]);
        assert_eq!(rects[0].gap(rects[2]), 1);
        assert_eq!(groups[0].alone(4), drawn(&["#.", ".#"]));
    }

    #[test]
    fn widening_reaches_a_square_around_and_no_further() {
        let mut one = Bits::new(7, 7);
        one.bits[3 * 7 + 3] = true;
        let wide = one.widened(2);
        assert_eq!(wide.count(), 25);
        assert!(wide.get(1, 1) && wide.get(5, 5) && !wide.get(0, 3) && !wide.get(6, 3));
    }

    #[test]
    fn the_greatest_square_is_found_wherever_it_lies() {
        assert_eq!(greatest_square(&drawn(&["##..", "####", ".###", ".###"])), 3);
        assert_eq!(greatest_square(&drawn(&["#.#", ".#.", "#.#"])), 1);
        assert_eq!(greatest_square(&Bits::new(3, 3)), 0);
    }
}
