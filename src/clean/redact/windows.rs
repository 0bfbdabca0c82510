//! Which parts of a picture are searched where only some cells of it may hold
//! something new: places in, what is found in windows around them out.

use super::area::{Area, Corners, Rect};
use super::gaze::Place;
use crate::clean::text::CELL_PX;

/// What is searched around a place, in pixels to each side. Default 64: the
/// detector sees most of a line and what is around it; 48 missed short large ones.
const CONTEXT_PX: u32 = 64;
/// Most of a picture (in percent) that is searched in windows; beyond that the whole
/// costs little more.
const WINDOWS_PERCENT_MAX: u64 = 40;
/// Most places; more are all over the picture.
const PLACES_MAX: usize = 1500;
/// Marked cells that a window may have beside everything that is found in it. Default 8:
/// the screen marks one to three of speckle, and more of two letters.
const UNFOUND_CELLS_MAX: usize = 8;

/// What `find` finds in windows around the places of a view, with its area; `None` where
/// the whole is to be searched.
///
/// # Errors
/// Those of `find`.
pub fn search<E>(
    places: &[Place],
    [width, height]: [u32; 2],
    find: &mut dyn FnMut(Rect) -> Result<Option<Vec<Corners>>, E>,
) -> Result<Option<Vec<(Corners, Area)>>, E> {
    let Some(windows) = around(places, width, height) else { return Ok(None) };
    let mut all = Vec::new();
    for window in windows {
        let Some(found) = find(window)? else { return Ok(None) };
        let area = |corners| (corners, Area::of_corners(corners, width, height));
        let found: Vec<(Corners, Area)> = found.into_iter().map(area).collect();
        let is_unfound = |place: &&Place| {
            lies(place, window, 0) && !found.iter().any(|(_, area)| lies(place, area.rect, CELL_PX))
        };
        if places.iter().filter(is_unfound).count() > UNFOUND_CELLS_MAX {
            return Ok(None);
        }
        all.extend(found);
    }
    Ok(Some(all))
}

/// A place lies in a rectangle or so many pixels beside it.
fn lies(place: &Place, rect: Rect, more: u32) -> bool {
    let across = rect.x0.saturating_sub(more)..rect.x1.saturating_add(more);
    let down = rect.y0.saturating_sub(more)..rect.y1.saturating_add(more);
    across.contains(&place.x) && down.contains(&place.y)
}

/// Windows around the places; `None` where they are too many or too large.
fn around(places: &[Place], width: u32, height: u32) -> Option<Vec<Rect>> {
    if places.len() > PLACES_MAX {
        return None;
    }
    let mut windows: Vec<Rect> = Vec::new();
    for place in places {
        add(&mut windows, window(place, width, height));
    }
    let searched: u64 = windows.iter().map(|window| window.pixels()).sum();
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
fn add(windows: &mut Vec<Rect>, mut new: Rect) {
    while let Some(at) = windows.iter().position(|window| window.common(new).pixels() > 0) {
        let old = windows.swap_remove(at);
        new = Rect {
            x0: new.x0.min(old.x0),
            y0: new.y0.min(old.y0),
            x1: new.x1.max(old.x1),
            y1: new.y1.max(old.y1),
        };
    }
    windows.push(new);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(places: &[(u32, u32)]) -> Option<Vec<Rect>> {
        around(&at(places), 640, 480)
    }

    fn at(places: &[(u32, u32)]) -> Vec<Place> {
        places.iter().map(|&(x, y)| Place { view: 0, x, y }).collect()
    }

    #[test]
    fn many_places_beside_everything_that_is_found_have_the_whole_searched() {
        let row = |count: u32| at(&(0..count).map(|n| (100 + 8 * n, 100)).collect::<Vec<_>>());
        let search = |places: &[Place], found: &[Corners]| {
            search(places, [640, 480], &mut |_| Ok::<_, ()>(Some(found.to_vec()))).unwrap()
        };
        let few = u32::try_from(UNFOUND_CELLS_MAX).unwrap();
        assert_eq!(search(&row(few), &[]), Some(Vec::new()));
        assert_eq!(search(&row(few + 1), &[]), None);
        let over = |x0: f32, x1: f32| [[x0, 92.], [x1, 92.], [x1, 108.], [x0, 108.]];
        assert!(search(&row(few + 1), &[over(90., 180.)]).is_some());
        assert!(search(&row(few + 4), &[over(20., 60.)]).is_none(), "one find beside them");
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
