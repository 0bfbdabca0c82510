//! Joins the pieces of one line of text: pieces in, lines out.
//!
//! The detector cuts lines at wide gaps, sometimes inside a word; rules and
//! names need the whole line (facts/models.md §1.5). The pieces stay with their
//! line, so that hiding can be narrower than judging.

use super::TextLine;
use super::geometry::{Point, Rect, dot};

/// Widest gap between two pieces of a line, as a share of their height.
/// Default 1.0: wider than a space, narrower than the gap between columns.
const GAP_MAX: f32 = 1.0;
/// The same behind a label: its value stands at the next tab. Default 4.0.
const LABEL_GAP_MAX: f32 = 4.0;
/// Most that two pieces may lie over each other along the line, as a share of
/// the shorter one. Default 0.5: more is the same text found twice.
const OVERLAP_MAX: f32 = 0.5;
/// Most that the middles may differ across the line, as a share of the lower
/// height. Default 0.4: an index is joined, the next line is not.
const SHIFT_MAX: f32 = 0.4;
/// Least ratio of the two heights. Default 0.6: `ago` is lower than `Ago`.
const HEIGHT_RATIO_MIN: f32 = 0.6;
/// Least cosine between two reading directions. Default 0.985: 10 degrees.
const COSINE_MIN: f32 = 0.985;

/// A line with the pieces that it was joined from, in reading order.
#[derive(Debug, Clone, PartialEq)]
pub struct MergedLine {
    /// The whole: texts joined by a space, corners around all pieces. Its
    /// confidence is the lowest of the pieces': the verdict falls on the whole
    /// line, and a long clear label must not vouch for a short unsure name.
    pub line: TextLine,
    /// One or more pieces.
    pub parts: Vec<TextLine>,
}

/// Joins pieces that stand on one line; the lines come from top to bottom.
///
/// Pieces without text stay alone: they say nothing that a rule could use, are
/// unreadable by themselves, and would only make their neighbours so.
#[must_use]
pub fn merge(pieces: Vec<TextLine>) -> Vec<MergedLine> {
    let rects: Vec<Rect> = pieces.iter().map(|piece| Rect::from_corners(&piece.corners)).collect();
    let groups = groups(&pieces, &rects);
    let mut lines: Vec<MergedLine> = groups
        .into_iter()
        .filter_map(|members| {
            let parts =
                in_reading_order(&members, &rects).into_iter().map(|i| pieces[i].clone()).collect();
            joined(parts)
        })
        .collect();
    lines.sort_by(|a, b| {
        let key = |line: &MergedLine| Rect::from_corners(&line.line.corners).centre;
        let ([ax, ay], [bx, by]) = (key(a), key(b));
        ay.total_cmp(&by).then(ax.total_cmp(&bx))
    });
    lines
}

/// Indices of pieces that belong together, each group rising.
fn groups(pieces: &[TextLine], rects: &[Rect]) -> Vec<Vec<usize>> {
    let mut group: Vec<usize> = (0..pieces.len()).collect();
    for b in 0..pieces.len() {
        for a in 0..b {
            let readable = !pieces[a].text.is_empty() && !pieces[b].text.is_empty();
            let along = dot(rects[b].centre, rects[a].along) - dot(rects[a].centre, rects[a].along);
            let left = if along >= 0.0 { &pieces[a] } else { &pieces[b] };
            let gap_max = if left.text.ends_with(':') { LABEL_GAP_MAX } else { GAP_MAX };
            if readable && group[a] != group[b] && on_one_line(&rects[a], &rects[b], gap_max) {
                let (old, new) = (group[b], group[a]);
                group.iter_mut().filter(|g| **g == old).for_each(|g| *g = new);
            }
        }
    }
    let mut members = vec![Vec::new(); pieces.len()];
    for (piece, &g) in group.iter().enumerate() {
        members[g].push(piece);
    }
    members.retain(|list| !list.is_empty());
    members
}

/// Whether two pieces run in one direction, on one base, at one size and near.
fn on_one_line(a: &Rect, b: &Rect, gap_max: f32) -> bool {
    let (low, high) = (a.height.min(b.height), a.height.max(b.height));
    if dot(a.along, b.along) < COSINE_MIN || low < high * HEIGHT_RATIO_MIN {
        return false;
    }
    // In the longer piece's direction: a short one's angle is a matter of chance.
    let guide = if a.width >= b.width { a } else { b };
    let between = [b.centre[0] - a.centre[0], b.centre[1] - a.centre[1]];
    let shift = dot(between, guide.down()).abs();
    let gap = dot(between, guide.along).abs() - (a.width + b.width) / 2.0;
    let mean_height = f32::midpoint(a.height, b.height);
    shift <= low * SHIFT_MAX
        && gap <= mean_height * gap_max
        && gap >= -OVERLAP_MAX * a.width.min(b.width)
}

/// The members sorted along the longest one's direction.
fn in_reading_order(members: &[usize], rects: &[Rect]) -> Vec<usize> {
    let along = direction(members.iter().map(|&i| &rects[i]));
    let mut order = members.to_vec();
    order.sort_by(|&a, &b| dot(rects[a].centre, along).total_cmp(&dot(rects[b].centre, along)));
    order
}

/// Reading direction of the longest piece; the first of equal ones.
fn direction<'a>(rects: impl Iterator<Item = &'a Rect>) -> Point {
    let longest = rects.reduce(|best, rect| if rect.width > best.width { rect } else { best });
    longest.map_or([1.0, 0.0], |rect| rect.along)
}

/// One line of the parts, which are in reading order; none for none.
fn joined(parts: Vec<TextLine>) -> Option<MergedLine> {
    if let [only] = parts.as_slice() {
        return Some(MergedLine { line: only.clone(), parts });
    }
    let rects: Vec<Rect> = parts.iter().map(|part| Rect::from_corners(&part.corners)).collect();
    let points: Vec<Point> = parts.iter().flat_map(|part| part.corners).collect();
    let corners = Rect::around(&points, direction(rects.iter()))?.corners();
    let text = parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(" ");
    let confidence = parts.iter().map(|part| part.confidence).fold(1.0, f32::min);
    Some(MergedLine { line: TextLine { corners, text, confidence }, parts })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(x: f32, y: f32, width: f32, text: &str) -> TextLine {
        let corners = [[x, y], [x + width, y], [x + width, y + 20.0], [x, y + 20.0]];
        TextLine { corners, text: text.to_owned(), confidence: 0.95 }
    }

    fn texts(pieces: Vec<TextLine>) -> Vec<String> {
        merge(pieces).into_iter().map(|merged| merged.line.text).collect()
    }

    #[test]
    fn pieces_of_a_line_are_joined_in_reading_order() {
        let merged = merge(vec![
            piece(115.0, 1.0, 30.0, "JANE"),
            piece(0.0, 0.0, 100.0, "DOE"),
            piece(160.0, 0.0, 60.0, "F 44Y"),
        ]);
        assert_eq!(merged.len(), 1);
        assert_eq!(merged[0].line.text, "DOE JANE F 44Y");
        assert_eq!(merged[0].line.corners, [[0.0, 0.0], [220.0, 0.0], [220.0, 21.0], [0.0, 21.0]]);
        assert_eq!(merged[0].parts.len(), 3);
        assert_eq!(merged[0].parts[1].text, "JANE");
    }

    #[test]
    fn columns_lines_and_sizes_stay_apart() {
        let mut small = piece(105.0, 5.0, 40.0, "small");
        small.corners[2][1] = 15.0;
        small.corners[3][1] = 15.0;
        assert_eq!(texts(vec![piece(0.0, 0.0, 100.0, "a"), piece(121.0, 0.0, 50.0, "b")]).len(), 2);
        assert_eq!(texts(vec![piece(0.0, 0.0, 100.0, "a"), piece(0.0, 15.0, 50.0, "b")]).len(), 2);
        assert_eq!(texts(vec![piece(0.0, 0.0, 100.0, "a"), small]).len(), 2);
        assert_eq!(texts(vec![piece(0.0, 0.0, 100.0, "a"), piece(10.0, 2.0, 80.0, "a")]).len(), 2);
    }

    #[test]
    fn least_sure_piece_decides_for_the_line() {
        let mut unsure = piece(110.0, 0.0, 30.0, "KIM");
        unsure.confidence = 0.4;
        let merged = merge(vec![piece(0.0, 0.0, 100.0, "LIVER SAG"), unsure]);
        assert_eq!(merged[0].line.confidence, 0.4);
    }

    #[test]
    fn unread_piece_stays_alone() {
        let merged = merge(vec![piece(0.0, 0.0, 100.0, "LIVER"), piece(110.0, 0.0, 30.0, "")]);
        assert_eq!(merged.len(), 2);
    }

    #[test]
    fn text_that_runs_upwards_is_joined_along_itself() {
        let up = |y: f32, text: &str| {
            let rect = Rect { centre: [10.0, y], along: [0.0, -1.0], width: 40.0, height: 20.0 };
            TextLine { corners: rect.corners(), text: text.to_owned(), confidence: 0.9 }
        };
        assert_eq!(texts(vec![up(50.0, "second"), up(100.0, "first")]), ["first second"]);
    }

    #[test]
    fn a_label_is_joined_with_its_value_across_a_wide_gap() {
        let apart = |label: &str| {
            texts(vec![piece(0.0, 0.0, 100.0, label), piece(170.0, 0.0, 60.0, "STONE LONG")])
        };
        assert_eq!(apart("Patient Name:"), ["Patient Name: STONE LONG"]);
        assert_eq!(apart("Patient Name").len(), 2);
    }

    #[test]
    fn order_of_the_pieces_does_not_matter() {
        let pieces: Vec<TextLine> = (0..12)
            .map(|i| piece((i % 4) as f32 * 60.0, (i / 4) as f32 * 40.0, 50.0, &format!("w{i}")))
            .collect();
        let mut reversed = pieces.clone();
        reversed.reverse();
        assert_eq!(texts(pieces), texts(reversed));
    }
}
