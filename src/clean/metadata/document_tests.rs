//! Prints `docs/PROFILE.md` from the engine and its tables, and compares.
//! `AIRLOCK_WRITE_DOCS=1 cargo test --lib document` writes it anew.

use std::fmt::Write as _;

use super::account::{ProfileAccount, account, row_word};
use super::class::dictionary_vr;
use super::table::{self, Basic, COLUMNS, Cell, Required, Row};
use crate::config::Profile;
use crate::dicom::Tag;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/PROFILE.md");
const OWN_ROWS: &str = include_str!("../../../config/standard/own-rows.tsv");
const TECHNICAL: &str = include_str!("../../../config/standard/technical-text.tsv");
const SAFE_PRIVATE: &str = include_str!("../../../config/standard/safe-private.tsv");

const HEAD: &str = "\
# Profiles

Printed by `cargo test --lib document` from the engine and the tables in `config/standard`, and
compared with them; `AIRLOCK_WRITE_DOCS=1 cargo test --lib document` writes it anew. What a site's
own profile does is told by `airlock check`.
";

const SOURCES: &str = "
## Sources

| table | facts from | checked against |
|---|---|---|
| `e1-1.tsv`, 621 rows of 2024e | PS3.15 Table E.1-1, by a published extraction | a second published list: the same actions and options (UIDs 59, device 57, institution 10, patient 13, dates 165 + 165, descriptors 125, structured content 3, graphics 4) |
| `e1-1.tsv`, 35 rows of 2026c | a published list of tags and basic actions | a second one for the basic actions; options of 8 rows stand in one list only and are taken where they clean or keep less than K would elsewhere |
| (0032,1033) Requesting Service | one list cleans it under Clean Descriptors | PS3.15 2019e prints no option: removed under every option |
| `safe-private.tsv` | PS3.15 Table E.3.10-1 as 2019e prints it (79 rows), a published copy of a later edition (64) | two private dictionaries; not taken are pictures, raw streams and free text |
| `types.tsv`, `iods.tsv` | PS3.3 modules and macros, by a published extraction | a second extraction: no difference; dciodvfy over pydicom's files: no new error |
| `uids.tsv` | PS3.6 Table A-1 | context groups (A-3) by their form |
| `own-rows.tsv`, `technical-text.tsv` | ours | read by hand against the attributes' definitions in PS3.3 |
";

#[test]
fn the_page_says_what_the_engine_does() {
    let printed = page();
    if std::env::var_os("AIRLOCK_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, &printed).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    let differs = printed.lines().zip(written.lines()).find(|(one, other)| one != other);
    assert!(printed == written, "docs/PROFILE.md says something else, first at {differs:?}");
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for profile in [Profile::basic(), Profile::tcia()] {
        page.push_str(&told(&account(&profile)));
    }
    page.push_str(&departures());
    page.push_str(&rows());
    let lists = [
        ("Removed under every profile although Table E.1-1 does not have them", OWN_ROWS),
        (
            "Text beside Table E.1-1 that stays: `machine` unless it holds a known value, `typed` where text is cleaned",
            TECHNICAL,
        ),
        ("Private elements that stay under Retain Safe Private", SAFE_PRIVATE),
    ];
    for (title, list) in lists {
        page.push_str(&as_table(title, list));
    }
    page.push_str(SOURCES);
    page
}

fn told(account: &ProfileAccount) -> String {
    let mut text = format!("\n## `{}`\n\n", account.name);
    let named = |on: bool| {
        let options = account.options.iter().filter(|option| option.on == on);
        options
            .map(|option| format!("`{}` ({})", option.name, option.code))
            .collect::<Vec<_>>()
            .join(", ")
    };
    writeln!(text, "- on: {}", named(true)).unwrap();
    writeln!(text, "- off: {}", named(false)).unwrap();
    writeln!(text, "- Longitudinal Temporal Information Modified: {}", account.longitudinal)
        .unwrap();
    let rows = account.rows.iter().map(|(word, count)| format!("{count} {word}"));
    let rows = rows.collect::<Vec<_>>().join("; ");
    writeln!(text, "- rows of Table E.1-1 in an object that needs none of them: {rows}").unwrap();
    let [standard, _site] = account.safe_private;
    writeln!(text, "- private elements that stay: {standard}").unwrap();
    text
}

fn departures() -> String {
    let [basic, tcia] = [Profile::basic(), Profile::tcia()].map(|profile| account(&profile));
    let mut text = "\n## Where they depart from PS3.15\n\n| what | why | basic | tcia |\n\
                    |---|---|---|---|\n"
        .to_owned();
    let mut all = basic.departures.clone();
    all.extend(tcia.departures.iter().filter(|one| !basic.departures.contains(one)));
    for one in all {
        let mark = |account: &ProfileAccount| {
            if account.departures.contains(&one) { "yes" } else { "" }
        };
        writeln!(text, "| {} | {} | {} | {} |", one.what, one.why, mark(&basic), mark(&tcia))
            .unwrap();
    }
    text
}

fn rows() -> String {
    let mut text = "\n## Table E.1-1, row by row\n\nOptions: the column's first letters and its \
                    action. `1`, `2`, `3`: what is done where the object's Type of the attribute \
                    is that (1C with 1, 2C with 2); an unknown or private SOP class is treated as \
                    Type 1. A nested Patient ID is the pseudonym when it is the object's own.\n\n\
                    | tag | attribute | basic | options | edition | `basic` | `tcia` |\n\
                    |---|---|---|---|---|---|---|\n"
        .to_owned();
    for row in table::rows() {
        let edition = if row.newer { "2026c" } else { "2024e" };
        let [basic, tcia] =
            [Profile::basic(), Profile::tcia()].map(|profile| by_types(&profile, row));
        writeln!(
            text,
            "| {} | {} | {} | {} | {edition} | {basic} | {tcia} |",
            tag(row),
            row.name,
            code(row.basic),
            cells(row)
        )
        .unwrap();
    }
    text
}

fn by_types(profile: &Profile, row: &Row) -> String {
    let by = |required| row_word(profile, row, required);
    let three = by(Required::Optional);
    let is_combined = !matches!(row.basic, Basic::Remove | Basic::Zero);
    let mut words = Vec::new();
    if is_combined || table::is_asked(row.tag, true) {
        words.push(("1", by(Required::Value)));
    }
    if is_combined || table::is_asked(row.tag, false) {
        words.push(("2", by(Required::Present)));
    }
    if words.iter().all(|(_, word)| *word == three) {
        return three;
    }
    words.push(("3", three));
    words.iter().map(|(kind, word)| format!("{kind}: {word}")).collect::<Vec<_>>().join("; ")
}

fn tag(row: &Row) -> String {
    match row.tag {
        Tag(0x0001, 0x0000) => "private".to_owned(),
        Tag(0x5000, 0x0000) => "(50xx,xxxx)".to_owned(),
        Tag(0x6000, element) => format!("(60xx,{element:04X})"),
        tag => tag.to_string(),
    }
}

fn code(basic: Basic) -> &'static str {
    match basic {
        Basic::Dummy => "D",
        Basic::Zero => "Z",
        Basic::Remove => "X",
        Basic::Uid => "U",
        Basic::ZeroOrDummy => "Z/D",
        Basic::RemoveOrZero => "X/Z",
        Basic::RemoveOrDummy => "X/D",
        Basic::RemoveOrZeroOrDummy => "X/Z/D",
        Basic::RemoveOrZeroOrUids => "X/Z/U*",
    }
}

const SHORT: [&str; 10] = [
    "safe private",
    "UIDs",
    "device",
    "institution",
    "patient",
    "full dates",
    "modified dates",
    "descriptors",
    "structured",
    "graphics",
];

fn cells(row: &Row) -> String {
    let cells = COLUMNS.iter().zip(SHORT).filter_map(|(option, short)| {
        let cell = match row.cell(*option) {
            Cell::Empty => return None,
            Cell::Keep => "K",
            Cell::Clean => "C",
        };
        Some(format!("{short} {cell}"))
    });
    cells.collect::<Vec<_>>().join(", ")
}

/// A list of ours as it stands, its comment as the text before it.
fn as_table(title: &str, list: &str) -> String {
    let (comment, rows): (Vec<&str>, Vec<&str>) =
        list.lines().partition(|line| line.starts_with('#'));
    let mut text = format!("\n## {title}\n\n");
    for line in comment {
        writeln!(text, "{}", line.trim_start_matches(['#', ' '])).unwrap();
    }
    let columns = rows.first().map_or(0, |row| row.split('\t').count());
    writeln!(text, "\n|{}\n|{}", " |".repeat(columns), "---|".repeat(columns)).unwrap();
    for row in rows {
        writeln!(text, "| {} |", row.replace('\t', " | ")).unwrap();
    }
    text
}

/// What no dictionary knows is removed whatever the table says: no row may be so.
#[test]
fn every_row_of_the_table_is_known_to_the_dictionary() {
    let unknown: Vec<_> = table::rows()
        .filter(|row| !std::ptr::eq(*row, table::private_row()))
        .filter(|row| dictionary_vr(row.tag).is_none())
        .map(|row| format!("{} {}", row.tag, row.name))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
