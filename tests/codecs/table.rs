//! The page `docs/CODECS.md`: rows of the matrix in, text out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::cell::Cell;
use crate::matrix::{
    NOT_AS_PYDICOM, REFUSED, Row, SYNTAXES, UNSUPPORTED, is_comparable, is_dct, size_pairs,
    tolerance,
};

/// Where the page stands.
pub(crate) const PAGE: &str = "docs/CODECS.md";

const HEAD: &str = "\
# Codecs

Printed by `cargo test --test codecs`, which fails when it finds something else;
`AIRLOCK_WRITE_DOCS=1 cargo test --test codecs` writes it anew. Every cell was made by an
encoder that is not ours (named under \"by\"), decoded by airlock and by pydicom, painted
with one box by airlock, and read again by pydicom and by a second reader.

| column | says |
|---|---|
| photometric | Photometric Interpretation as received; `planar`: Planar Configuration 1 |
| bits | Bits Allocated / Bits Stored, `signed` with Pixel Representation 1 |
| frames | numbers of frames that were tried |
| cells | instances in this row; they differ in size (odd ones, 1 × 1, 1 × 4097, 4097 × 1), options of the encoder, restart markers, fragments and offset tables |
| by | their encoders |
| decoded | `equal`: every sample as pydicom's, in the stored colour space; `within n`: lossy, and two decoders may round differently by n steps of a sample |
| painted | `rest equal`: every sample outside of the box is as it was; `blocks equal`: every coefficient of every 8 × 8 block of an MCU that the box does not touch is as it was (beyond 20,000 blocks of an instance: every decoded sample). Inside, the samples are the darkest that can be displayed |
| comes out as | transfer syntax of the painted instance; what is not painted keeps its own, bit for bit |
| read by | who else than airlock opened what came out and saw the same samples; `dcmtk (fragments)`: it finds a fragment for each frame, but has no decoder. pydicom has none for Encapsulated Uncompressed, Deflated Image Frame and JPEG 2000 Part 2 either: it gets the frames joined, or the codestream under the name of Part 1 |

For no cell dciodvfy reports an error that it does not report for the input.
";

const QUARANTINED: &str = "
## What is quarantined

| what | reason | detail |
|---|---|---|
| Float and Double Float Pixel Data, pixel data at a URL | `unsupported-pixels` | names the element |
| hierarchical or arithmetic JPEG, frames of different colour, other codings that no decoder here reads rightly | `unsupported-pixels` | names the coding |
| an Image Pixel attribute that is missing or malformed | `decode-failed` | names the attribute |
| a codestream that is damaged or disagrees with Rows, Columns, Samples per Pixel or Bits | `decode-failed` | names what disagrees |
| frames, pixels or bytes over a limit of the configuration | `over-limit` | names the limit |
| a native result of 4 GiB or more | `over-limit` | 4 GiB of native Pixel Data |
";

/// The whole page.
pub(crate) fn page(rows: &[Row]) -> String {
    let mut page = HEAD.to_owned();
    let there = || rows.iter().filter(|row| row.cell.missing.is_none());
    for syntax in SYNTAXES {
        let made = there().filter(|row| row.cell.syntax == syntax.uid && !row.cell.is_found());
        let table = table(made);
        if !table.is_empty() {
            write!(page, "\n## {} ({})\n\n{table}", syntax.name, syntax.uid).unwrap();
        }
    }
    // Without the devset: it does not stand beside every clone.
    let public = there().filter(|row| row.cell.is_found() && row.cell.by != "devset");
    write!(page, "\n## Public files of pydicom and pydicom-data\n\n{}", public_table(public))
        .unwrap();
    page.push_str(&sizes(rows));
    page.push_str(QUARANTINED);
    for (uid, name) in UNSUPPORTED {
        let detail = "pixel data in this transfer syntax";
        writeln!(page, "| {name} ({uid}) | `unsupported-pixels` | {detail} |").unwrap();
    }
    for (name, why) in REFUSED {
        writeln!(page, "| `{name}` | {} | {why} |", reason_of(rows, name)).unwrap();
    }
    page.push_str(&exceptions(rows));
    page
}

/// One line of a table, and who is in it.
#[derive(Default)]
struct Group<'a> {
    frames: BTreeSet<u32>,
    by: BTreeSet<&'a str>,
    cells: usize,
}

fn table<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let mut groups: BTreeMap<[String; 6], Group<'a>> = BTreeMap::new();
    for row in rows {
        let [decoded, painted, out, readers] = results(row);
        let key = [photometric(&row.cell), bits(&row.cell), decoded, painted, out, readers];
        let group = groups.entry(key).or_default();
        group.frames.insert(row.cell.frames);
        group.by.insert(&row.cell.by);
        group.cells += 1;
    }
    if groups.is_empty() {
        return String::new();
    }
    let mut text = "| photometric | bits | frames | cells | by | decoded | painted | comes out as \
                    | read by |\n|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for ([photometric, bits, decoded, painted, out, readers], group) in groups {
        let frames = list(group.frames.iter().map(u32::to_string));
        let by = list(group.by.iter().map(|by| (*by).to_owned()));
        let cells = group.cells;
        writeln!(
            text,
            "| {photometric} | {bits} | {frames} | {cells} | {by} | {decoded} | {painted} | {out} \
             | {readers} |"
        )
        .unwrap();
    }
    text
}

fn public_table<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let mut groups: BTreeMap<(usize, [String; 5]), usize> = BTreeMap::new();
    for row in rows {
        let place = SYNTAXES.iter().position(|syntax| syntax.uid == row.cell.syntax);
        let [decoded, painted, out, readers] = results(row);
        let name = name_of(&row.cell.syntax).to_owned();
        let key = (place.unwrap_or(usize::MAX), [name, decoded, painted, out, readers]);
        *groups.entry(key).or_default() += 1;
    }
    let mut text = "| transfer syntax | files | decoded | painted | comes out as | read by |\n\
                    |---|---|---|---|---|---|\n"
        .to_owned();
    for ((_place, [name, decoded, painted, out, readers]), files) in groups {
        writeln!(text, "| {name} | {files} | {decoded} | {painted} | {out} | {readers} |").unwrap();
    }
    text
}

/// Decoded, painted, comes out as, read by.
fn results(row: &Row) -> [String; 4] {
    let quarantined = || "quarantined".to_owned();
    let decoded = match &row.outcome.decoded {
        Err(_why) => quarantined(),
        Ok(decoding) if decoding.difference.is_none() => "not compared".to_owned(),
        Ok(_equal) if NOT_AS_PYDICOM.iter().any(|(name, _why)| *name == row.cell.name) => {
            "see below".to_owned()
        }
        Ok(_equal) if tolerance(&row.cell) == 0 => "equal".to_owned(),
        Ok(_near) => format!("within {}", tolerance(&row.cell)),
    };
    let Ok(painting) = &row.outcome.painted else {
        return [decoded, quarantined(), "–".to_owned(), "–".to_owned()];
    };
    let painted = match () {
        () if !is_comparable(&row.cell, &row.outcome) => "not compared",
        () if is_dct(&painting.syntax) => "blocks equal",
        () => "rest equal",
    };
    let out =
        if painting.syntax == row.cell.syntax { "the same" } else { name_of(&painting.syntax) };
    let other = row.check.as_ref().and_then(|check| check.other.as_deref());
    let readers = list(["pydicom"].into_iter().chain(other).map(str::to_owned));
    [decoded, painted.to_owned(), out.to_owned(), readers]
}

fn photometric(cell: &Cell) -> String {
    let planar = if cell.planar == 1 && cell.bits[0] > 1 { " planar" } else { "" };
    format!("{}{planar}", cell.photometric)
}

fn bits(cell: &Cell) -> String {
    let [allocated, stored] = cell.bits;
    // Padded, so that the lines stand in the order of the numbers.
    format!("{allocated:2}/{stored:2}{}", if cell.signed { " signed" } else { "" })
}

fn name_of(syntax: &str) -> &str {
    SYNTAXES.iter().find(|known| known.uid == syntax).map_or(syntax, |known| known.name)
}

fn list(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

fn sizes(rows: &[Row]) -> String {
    let mut text =
        "\n## Sizes beside dcmtk\n\nThe same samples coded by `dcmcjpeg +e1`, `dcmcjpls` and \
                    `dcmcrle`, and coded again by airlock; bytes of all frames.\n\n\
                    | instance | dcmtk | airlock | ratio |\n|---|---|---|---|\n"
            .to_owned();
    for (row, before, after) in size_pairs(rows) {
        let permille = (after * 1000 + before / 2) / before.max(1);
        let (whole, part) = (permille / 1000, permille % 1000);
        writeln!(text, "| `{}` | {before} | {after} | {whole}.{part:03} |", row.cell.name).unwrap();
    }
    text
}

fn reason_of(rows: &[Row], name: &str) -> String {
    let row = rows.iter().find(|row| row.cell.name == name);
    let why = row.and_then(|row| row.outcome.painted.as_ref().err());
    why.map_or_else(|| "–".to_owned(), |why| format!("`{why}`"))
}

/// Cells that were not made or not compared, and why.
fn exceptions(rows: &[Row]) -> String {
    let mut text =
        "\n## Where pydicom is not followed\n\n| instance | why |\n|---|---|\n".to_owned();
    for (name, why) in NOT_AS_PYDICOM {
        writeln!(text, "| `{name}` | {why} |").unwrap();
    }
    text.push_str(
        "\n## Not compared: pydicom decodes nothing\n\n| instance | pydicom says |\n|---|---|\n",
    );
    for row in rows.iter().filter(|row| row.cell.by != "devset") {
        if let Some(why) = &row.cell.undecoded {
            writeln!(text, "| `{}` | {} |", row.cell.name, plain(why)).unwrap();
        }
    }
    text.push_str("\n## Not made\n\n| instance | by | why |\n|---|---|---|\n");
    for row in rows.iter().filter(|row| row.cell.by != "devset") {
        if let Some(why) = &row.cell.missing {
            writeln!(text, "| `{}` | {} | {} |", row.cell.name, row.cell.by, plain(why)).unwrap();
        }
    }
    text
}

/// Text of others, safe in a table.
fn plain(text: &str) -> String {
    text.replace('|', "/")
}
