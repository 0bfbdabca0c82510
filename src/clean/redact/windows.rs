//! Which parts of a picture are searched where only some cells of it may hold
//! something new: places in, windows out.

use super::area::Rect;
use super::gaze::Place;

/// What is searched around a place, in pixels to each side. Default 64: the
/// detector sees most of a line and what is around it; 48 missed short large ones.
const CONTEXT_PX: u32 = 64;
/// Most of a picture (in percent) that is searched in windows; beyond that the whole
/// costs little more.
const WINDOWS_PERCENT_MAX: u64 = 40;
/// Most places; more are all over the picture.
const PLACES_MAX: usize = 1500;

/// A part of a picture around some places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The part.
    pub rect: Rect,
    /// How many places it was made for.
    pub places: usize,
}

/// Windows around the places of a view; `None` where the whole is to be searched.
#[must_use]
pub fn around<'a>(
    places: impl Iterator<Item = &'a Place>,
    width: u32,
    height: u32,
) -> Option<Vec<Window>> {
    let mut windows: Vec<Window> = Vec::new();
    for (count, place) in places.enumerate() {
        if count >= PLACES_MAX {
            return None;
        }
        add(&mut windows, window(place, width, height));
    }
    let searched: u64 = windows.iter().map(|window| window.rect.pixels()).sum();
    let most = Rect::whole(width, height).pixels() * WINDOWS_PERCENT_MAX / 100;
    (searched <= most).then_some(windows)
}

fn window(place: &Place, width: u32, height: u32) -> Rect {
    let [x0, y0] = [place.x, place.y].map(|at| at.saturating_sub(CONTEXT_PX));
    let x1 = place.x.saturating_add(CONTEXT_PX).min(width);
    let y1 = place.y.saturating_add(CONTEXT_PX).min(height);
    Rect { x0: x0.min(x1), y0: y0.min(y1), x1, y1 }
}

/// Adds a window, joined with those that it overlaps.
fn add(windows: &mut Vec<Window>, rect: Rect) {
    let mut new = Window { rect, places: 1 };
    let meets = |window: &Window, rect: Rect| window.rect.common(rect).pixels() > 0;
    while let Some(at) = windows.iter().position(|window| meets(window, new.rect)) {
        let old = windows.swap_remove(at);
        let (a, b) = (new.rect, old.rect);
        new.rect =
            Rect { x0: a.x0.min(b.x0), y0: a.y0.min(b.y0), x1: a.x1.max(b.x1), y1: a.y1.max(b.y1) };
        new.places += old.places;
    }
    windows.push(new);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(places: &[(u32, u32)]) -> Option<Vec<Rect>> {
        let places: Vec<Place> = places.iter().map(|&(x, y)| Place { view: 0, x, y }).collect();
        let windows = around(places.iter(), 640, 480)?;
        assert_eq!(windows.iter().map(|window| window.places).sum::<usize>(), places.len());
        Some(windows.into_iter().map(|window| window.rect).collect())
    }

    #[test]
    fn neighbours_share_a_window_and_others_have_their_own() {
        let windows = of(&[(100, 100), (500, 300), (180, 100)]).unwrap();
        let left = Rect { x0: 36, y0: 36, x1: 244, y1: 164 };
        let right = Rect { x0: 436, y0: 236, x1: 564, y1: 364 };
        assert_eq!(windows, [right, left]);
    }

    #[test]
    fn windows_that_a_third_joins_become_one() {
        assert_eq!(of(&[(100, 100), (300, 100), (200, 100)]).unwrap().len(), 1);
    }

    #[test]
    fn at_the_border_windows_end_with_the_picture() {
        let windows = of(&[(4, 4), (644, 476)]).unwrap();
        assert_eq!(windows[0], Rect { x0: 0, y0: 0, x1: 68, y1: 68 });
        assert_eq!(windows[1], Rect { x0: 580, y0: 412, x1: 640, y1: 480 });
    }

    #[test]
    fn what_is_all_over_the_picture_is_searched_whole() {
        let spread: Vec<(u32, u32)> = (0..60).map(|n| (n % 10 * 64, n / 10 * 80)).collect();
        assert_eq!(of(&spread), None);
        assert_eq!(of(&[(9, 9); PLACES_MAX + 1]), None);
        assert_eq!(of(&[]), Some(Vec::new()));
    }
}
