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
/// A pixel of the ground moved when it differs by more than this ...
const MOVED_MIN: i32 = 3;
/// ... and the ground did when this part of it (in percent) did: letters that come or
/// go beside the strokes are less of it.
const MOVED_PERCENT: usize = 50;
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

/// What a place says of the strokes in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strokes {
    /// Too faint, or too few, to tell.
    Unclear,
    /// They stand where they stood, and the ground around them moved.
    Stand,
    /// They do not; or the ground stands still, so that what changed is text.
    Changed,
}

/// Compares the strokes of a place with those that it showed, in each channel: on a
/// ground that stands still every change is one of text, whatever its shade.
pub(super) fn compare(now: &View, before: &View, place: Rect) -> Strokes {
    let channels = usize::from(before.samples.max(1));
    let each = (0..channels)
        .map(|channel| channel_of(&shades(now, place, channel), &shades(before, place, channel)));
    each.fold(Strokes::Unclear, |all, one| match (all, one) {
        (Strokes::Changed, _) | (_, Strokes::Changed) => Strokes::Changed,
        (Strokes::Stand, _) | (_, Strokes::Stand) => Strokes::Stand,
        (Strokes::Unclear, Strokes::Unclear) => Strokes::Unclear,
    })
}

fn channel_of(is: &[i32], was: &[i32]) -> Strokes {
    let (Some(levels), Some(levels_now)) = (levels(was), levels(is)) else {
        return Strokes::Unclear;
    };
    let contrast_of =
        |[darkest, ground, brightest]: [i32; 3]| (brightest - ground).max(ground - darkest);
    let contrast = contrast_of(levels);
    if contrast < CONTRAST_MIN {
        // Ink that came is a change, not a doubt.
        let came = contrast_of(levels_now) >= CONTRAST_MIN;
        return if came { Strokes::Changed } else { Strokes::Unclear };
    }
    let [darkest, ground, brightest] = levels;
    let bright = brightest - ground >= ground - darkest;
    // Of ink the distance from the ground, whichever way it goes.
    let height = |shade: i32| if bright { shade - ground } else { ground - shade };
    let limit = contrast * (100 - INK_PERCENT) / 100;
    let edge = contrast * EDGE_PERCENT / 100;
    let is_ink = |shade: i32| height(shade) >= limit + edge;
    let is_ground = |shade: i32| height(shade) < limit - edge;
    let count = |test: &dyn Fn(i32, i32) -> bool| {
        was.iter().zip(is).filter(|(was, is)| test(**was, **is)).count()
    };
    let ink = count(&|was, _| is_ink(was));
    let missing = count(&|was, is| is_ink(was) && is_ground(is));
    let come = count(&|was, is| is_ground(was) && is_ink(is));
    let grounds = count(&|was, is| !is_ink(was) && !is_ink(is));
    let moved = count(&|was, is| !is_ink(was) && !is_ink(is) && (was - is).abs() > MOVED_MIN);
    let stand = ink >= INK_MIN
        && missing <= (ink * MISSING_PERCENT / 100).max(1)
        && come <= 1 + ink * COME_PERCENT / 100
        && moved * 100 >= grounds * MOVED_PERCENT;
    if stand { Strokes::Stand } else { Strokes::Changed }
}

/// The shade of each pixel of a place in a channel.
fn shades(view: &View, place: Rect, channel: usize) -> Vec<i32> {
    let samples = usize::from(view.samples.max(1));
    let rows = (place.y0..place.y1).flat_map(|y| row(view, y, place).chunks(samples));
    rows.map(|pixel| pixel.get(channel).map_or(0, |shade| i32::from(*shade))).collect()
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

    fn stands(now: &View, before: &View, place: Rect) -> bool {
        compare(now, before, place) == Strokes::Stand
    }

    fn still(x: usize, y: usize) -> u8 {
        40 + (x * 7 + y * 13) as u8 % 50
    }

    fn moved(x: usize, y: usize) -> u8 {
        still(x + 5, y + 3)
    }

    #[test]
    fn the_same_letters_on_a_moving_ground_stand_and_others_do_not() {
        let before = view(H, 230, still);
        assert!(stands(&view(H, 230, moved), &before, PLACE));
        assert!(stands(&view(H, 220, moved), &before, PLACE), "coded with loss");
        for (what, now) in [("gone", &[][..]), ("another", N), ("one more", HI)] {
            assert!(!stands(&view(now, 230, moved), &before, PLACE), "{what}");
        }
        assert!(!stands(&before, &view(HI, 230, still), PLACE), "one less");
    }

    #[test]
    fn dark_letters_on_a_light_ground_stand_too() {
        let light = |x, y| 160 + still(x, y) / 2;
        let dark = |x, y| 160 + moved(x, y) / 2;
        assert!(stands(&view(H, 20, dark), &view(H, 20, light), PLACE));
        assert!(!stands(&view(N, 20, dark), &view(H, 20, light), PLACE));
    }

    #[test]
    fn faint_letters_and_a_ground_without_any_do_not_tell() {
        assert!(!stands(&view(H, 100, moved), &view(H, 100, still), PLACE));
        assert!(!stands(&view(&[], 0, moved), &view(&[], 0, still), PLACE));
        let empty = Rect { x1: 0, ..PLACE };
        assert!(!stands(&view(H, 230, moved), &view(H, 230, still), empty));
    }

    #[test]
    fn letters_of_another_shade_beside_strokes_that_stand_are_a_change() {
        // A second line, darker than the first, under it.
        let with = |second: &'static [&'static str]| {
            view(H, 230, move |x, y| {
                let is_ink = y.checked_sub(8).and_then(|y| second.get(y));
                let is_ink = is_ink.is_some_and(|row| row.as_bytes().get(x) == Some(&b'#'));
                if is_ink { 120 } else { 10 }
            })
        };
        assert!(!stands(&with(N), &with(HI), PLACE), "replaced");
        assert!(!stands(&with(N), &with(&[]), PLACE), "came");
        assert!(!stands(&view(H, 230, moved), &view(&[], 0, still), PLACE), "from nothing");
    }

    #[test]
    fn a_colour_beside_white_strokes_is_seen_in_its_channel() {
        let coloured = |second: &[&str], shift: usize| {
            let white = view(H, 230, |x, y| still(x + shift, y + shift));
            let green = view(second, 230, |x, y| still(x + shift, y + shift));
            let pixels = (0..24 * 24).flat_map(|place| {
                let (x, y) = (place % 24, place / 24);
                let base = white.pixels[place];
                let under = y.checked_sub(10).map_or(base, |y| green.pixels[y * 24 + x].max(base));
                [base, under, base]
            });
            View { samples: 3, pixels: pixels.collect(), ..white.clone() }
        };
        assert!(stands(&coloured(HI, 3), &coloured(HI, 0), PLACE));
        assert!(!stands(&coloured(N, 3), &coloured(HI, 0), PLACE));
    }
}
