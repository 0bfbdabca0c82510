//! The page `docs/CODECS.md`: rows of the matrix in, text out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use airlock::dicom::TransferSyntax;

use crate::cell::Cell;
use crate::matrix::{Row, tolerance};

/// Where the page stands.
pub(crate) const PAGE: &str = "docs/CODECS.md";

const HEAD: &str = "# Codecs\n\n";

/// The whole page.
pub(crate) fn page(rows: &[Row]) -> String {
    let mut page = HEAD.to_owned();
    let made = rows.iter().filter(|row| row.cell.missing.is_none() && !row.cell.is_found());
    page.push_str(&table(made));
    let _ = TransferSyntax::explicit_le();
    page
}

fn table<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let mut groups: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(key(&row.cell)).or_default().push(row);
    }
    let mut text = String::new();
    for (key, rows) in groups {
        let frames: BTreeSet<u32> = rows.iter().map(|row| row.cell.frames).collect();
        writeln!(text, "| {key} | {frames:?} | {} | {} |", rows.len(), tolerance(&rows[0].cell)).unwrap();
    }
    text
}

fn key(cell: &Cell) -> String {
    let signed = if cell.signed { " signed" } else { "" };
    let planar = if cell.planar == 1 { " planar" } else { "" };
    let [allocated, stored] = cell.bits;
    format!("{} | {}{planar} | {allocated}/{stored}{signed}", cell.syntax, cell.photometric)
}
