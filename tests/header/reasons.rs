//! The page `docs/REASONS.md`: every reason of `reason.rs`, and what became of
//! pydicom's files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use airlock::reason::Reason;

use crate::public_files::{Fate, LONG, NO_INSTANCE};
use crate::support::files::in_repository;

const PAGE: &str = "docs/REASONS.md";

const HEAD: &str = "\
# Why an instance stands in quarantine

Printed by `cargo test --test header`, which fails when it finds something else;
`AIRLOCK_WRITE_DOCS=1 cargo test --test header` writes it anew. `airlock quarantine list` and the
report of `airlock deid` show code, detail and what to do. The detail names tags, limits and codes,
never a value of the data set.

The last column counts pydicom's files (bundled, and PyPI pydicom-data), many of which are made to
be damaged.
";

/// Compares the page with what was found; writes it when asked to.
pub(crate) fn compare(fates: &[Fate]) {
    let printed = page(fates);
    let file = in_repository(PAGE);
    if std::env::var_os("AIRLOCK_WRITE_DOCS").is_some() {
        fs::write(&file, &printed).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(printed, written, "{PAGE}");
}

fn page(fates: &[Fate]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut details: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for fate in fates {
        let Err((code, detail)) = &fate.output else { continue };
        *counts.entry(code).or_insert(0) += 1;
        let name = fate.input.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        details.entry((code, detail)).or_default().push(name.split_once('-').map_or(name, |n| n.1));
    }
    let mut page = HEAD.to_owned();
    page.push_str("\n| code | what happened | what to do | files |\n|---|---|---|---|\n");
    for reason in Reason::ALL {
        let files = counts.get(reason.code()).map_or(String::new(), usize::to_string);
        writeln!(page, "{} {files} |", row(*reason)).unwrap();
    }
    let left = counts.remove(NO_INSTANCE).unwrap_or(0);
    let quarantined: usize = counts.values().sum();
    let cleaned = fates.len() - quarantined - left;
    write!(
        page,
        "\n## pydicom's files\n\nOf {} files {cleaned} are cleaned and {quarantined} quarantined, \
         under either profile ({LONG} was tried under `basic` alone: its text takes minutes); {left} are \
         no instances (`{NO_INSTANCE}`) and stay where they are.\n\n\
         | code | detail | files |\n|---|---|---|\n",
        fates.len()
    )
    .unwrap();
    for ((code, detail), mut names) in details {
        names.sort_unstable();
        names.dedup();
        writeln!(page, "| `{code}` | {detail} | {} |", names.join(", ")).unwrap();
    }
    page
}

fn row(reason: Reason) -> String {
    format!("| `{}` | {} | {} |", reason.code(), reason.plain(), reason.next_step())
}

/// The cheap half of [`compare`]: the words are those of `reason.rs`.
#[test]
fn every_reason_stands_on_the_page() {
    let page = fs::read_to_string(in_repository(PAGE)).unwrap();
    for reason in Reason::ALL {
        assert!(page.contains(&row(*reason)), "{} is missing or changed in {PAGE}", reason.code());
    }
}
