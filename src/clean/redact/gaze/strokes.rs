//! Whether the strokes of a line stand where they stood, on whatever ground.
//!
//! Text that a machine writes over its picture has one shade, far from most of what
//! is around it. Where that is so, the pixels of that shade are the line; all others
//! may move.

use super::{Rect, View, row};

/// Least difference between ink and ground, in shades of 255: below it speckle and
/// strokes cannot be told apart.
const CONTRAST_MIN: i32 = 60;
/// Fewest pixels of ink that tell a line.
const INK_MIN: usize = 6;
/// Ink is what is nearer to it than this part of the contrast, in percent ...
const INK_PERCENT: i32 = 35;
/// ... and what lies within this part of the contrast from that limit counts as
/// neither: edges of letters, and what lossy coding does to them.
const EDGE_PERCENT: i32 = 12;
/// Part of the ink (in percent) that may be missing, or one pixel.
const MISSING_PERCENT: usize = 8;
/// Part of the ink (in percent) that may have come, beside one pixel: grain as
/// bright as ink.
const COME_PERCENT: usize = 12;

/// Whether a place shows the strokes that it showed, and enough of them to tell.
pub(super) fn stand(now: &View, before: &View, place: Rect) -> bool {
    let was = shades(before, place);
    let is = shades(now, place);
    let Some([darkest, ground, brightest]) = levels(&was) else { return false };
    let bright = brightest - ground >= ground - darkest;
    let contrast = if bright { brightest - ground } else { ground - darkest };
    if contrast < CONTRAST_MIN {
        return false;
    }
    // Of ink the distance from the ground, whichever way it goes.
    let height = |shade: i32| if bright { shade - ground } else { ground - shade };
    let limit = contrast * (100 - INK_PERCENT) / 100;
    let edge = contrast * EDGE_PERCENT / 100;
    let is_ink = |shade: i32| height(shade) >= limit + edge;
    let is_ground = |shade: i32| height(shade) < limit - edge;
    let count = |test: &dyn Fn(i32, i32) -> bool| {
        was.iter().zip(&is).filter(|(was, is)| test(**was, **is)).count()
    };
    let ink = count(&|was, _| is_ink(was));
    let missing = count(&|was, is| is_ink(was) && is_ground(is));
    let come = count(&|was, is| is_ground(was) && is_ink(is));
    ink >= INK_MIN
        && missing <= (ink * MISSING_PERCENT / 100).max(1)
        && come <= 1 + ink * COME_PERCENT / 100
}

/// The brightness of each pixel of a place.
fn shades(view: &View, place: Rect) -> Vec<i32> {
    let rows = (place.y0..place.y1)
        .flat_map(|y| row(view, y, place).chunks(usize::from(view.samples.max(1))));
    rows.map(|pixel| match pixel {
        [red, green, blue] => (i32::from(*red) * 3 + i32::from(*green) * 6 + i32::from(*blue)) / 10,
        [shade, ..] => i32::from(*shade),
        [] => 0,
    })
    .collect()
}

/// The shades of dark ink, of the ground and of bright ink, if there is any.
fn levels(shades: &[i32]) -> Option<[i32; 3]> {
    let mut sorted = shades.to_vec();
    sorted.sort_unstable();
    let dark = sorted.get(INK_MIN - 1)?;
    let bright = sorted.get(sorted.len() - INK_MIN)?;
    Some([*dark, *sorted.get(sorted.len() / 2)?, *bright])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 24 × 24 pixels: strokes of one shade over a ground of each own.
    fn view(strokes: &[&str], ink: u8, ground: impl Fn(usize, usize) -> u8) -> View {
        let pixels = (0..24 * 24).map(|place| {
            let (x, y) = (place % 24, place / 24);
            let is_ink = strokes.get(y).is_some_and(|row| row.as_bytes().get(x) == Some(&b'#'));
            if is_ink { ink } else { ground(x, y) }
        });
        View { width: 24, height: 24, samples: 1, pixels: pixels.collect() }
    }

    const PLACE: Rect = Rect { x0: 0, y0: 0, x1: 24, y1: 24 };
    const H: &[&str] = &["", "  #   #", "  #   #", "  #####", "  #   #", "  #   #"];
    const HI: &[&str] = &["", "  #   #  #", "  #   #  #", "  #####  #", "  #   #  #", "  #   #  #"];
    const N: &[&str] = &["", "  #   #", "  ##  #", "  # # #", "  #  ##", "  #   #"];

    fn still(x: usize, y: usize) -> u8 {
        40 + (x * 7 + y * 13) as u8 % 50
    }

    fn moved(x: usize, y: usize) -> u8 {
        still(x + 5, y + 3)
    }

    #[test]
    fn the_same_letters_on_a_moving_ground_stand_and_others_do_not() {
        let before = view(H, 230, still);
        assert!(stand(&view(H, 230, moved), &before, PLACE));
        assert!(stand(&view(H, 220, moved), &before, PLACE), "coded with loss");
        for (what, now) in [("gone", &[][..]), ("another", N), ("one more", HI)] {
            assert!(!stand(&view(now, 230, moved), &before, PLACE), "{what}");
        }
        assert!(!stand(&before, &view(HI, 230, still), PLACE), "one less");
    }

    #[test]
    fn dark_letters_on_a_light_ground_stand_too() {
        let light = |x, y| 160 + still(x, y) / 2;
        let dark = |x, y| 160 + moved(x, y) / 2;
        assert!(stand(&view(H, 20, dark), &view(H, 20, light), PLACE));
        assert!(!stand(&view(N, 20, dark), &view(H, 20, light), PLACE));
    }

    #[test]
    fn faint_letters_and_a_ground_without_any_do_not_tell() {
        assert!(!stand(&view(H, 100, moved), &view(H, 100, still), PLACE));
        assert!(!stand(&view(&[], 0, moved), &view(&[], 0, still), PLACE));
        let empty = Rect { x1: 0, ..PLACE };
        assert!(!stand(&view(H, 230, moved), &view(H, 230, still), empty));
    }
}
