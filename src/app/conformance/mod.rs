//! The tables of the conformance statement (PS3.2), from what the program goes by:
//! its offers, limits, statuses and rules are asked, nothing is written twice.
//!
//! In: a configuration. Out: [`Table`]s, which `airlock conformance` prints and
//! `docs/CONFORMANCE.md` holds for the default one (`tests/conformance.rs`).

mod acceptor;
mod commitment;
mod negotiated;
mod requestor;
mod system;

use std::time::Duration;

use serde::Serialize;

use crate::config::Config;

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Its name in the document.
    pub name: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// Heads of its columns.
    pub head: Vec<&'static str>,
    /// Its cells, row by row.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    fn new<const N: usize>(
        (name, title): (&'static str, &'static str),
        head: [&'static str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> Self {
        Self { name, title, head: head.into(), rows: rows.into_iter().map(Vec::from).collect() }
    }

    /// As Markdown, without its title.
    #[must_use]
    pub fn markdown(&self) -> String {
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let cells: Vec<_> = cells.collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let mut text = line(&mut self.head.iter().copied());
        text.push_str(&format!("|{}\n", "---|".repeat(self.head.len())));
        for row in &self.rows {
            text.push_str(&line(&mut row.iter().map(String::as_str)));
        }
        text
    }
}

/// All tables, in the order of the document.
#[must_use]
pub fn tables(config: &Config) -> Vec<Table> {
    vec![
        acceptor::services(config),
        acceptor::storage_classes(config),
        acceptor::transfer_syntaxes(config),
        negotiated::implementation(),
        negotiated::limits(config),
        negotiated::times(),
        negotiated::context_results(config),
        negotiated::extended(config),
        negotiated::rejections(),
        negotiated::aborts(),
        acceptor::statuses(),
        requestor::contexts(),
        requestor::statuses(),
        requestor::others(),
        requestor::waits(),
        commitment::contexts(),
        commitment::asking(),
        commitment::statuses(),
        commitment::failures(),
        system::titles(config),
        system::destinations(config),
        system::character_sets(),
        system::cipher_suites(),
    ]
}

fn text(words: impl Into<String>) -> String {
    words.into()
}

fn code(word: impl std::fmt::Display) -> String {
    format!("`{word}`")
}

fn yes(it_is: bool) -> String {
    text(if it_is { "yes" } else { "–" })
}

/// `90 s`, `15 min`, `100 ms`.
fn wait(time: Duration) -> String {
    let (seconds, milliseconds) = (time.as_secs(), time.subsec_millis());
    match (seconds, milliseconds) {
        (0, milliseconds) => format!("{milliseconds} ms"),
        (seconds, 0) if seconds % 60 == 0 => format!("{} min", seconds / 60),
        (seconds, _) => format!("{seconds} s"),
    }
}

/// `16 KiB`, `1 GiB`.
fn bytes(count: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = units.into_iter().find(|(unit, _)| count >= *unit && count.is_multiple_of(*unit));
    match unit {
        Some((unit, name)) => format!("{} {name}", count / unit),
        None => format!("{count} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RawConfig;

    #[test]
    fn numbers_are_written_in_the_largest_unit_that_fits() {
        assert_eq!(wait(Duration::from_secs(90)), "90 s");
        assert_eq!(wait(Duration::from_secs(900)), "15 min");
        assert_eq!(wait(Duration::from_millis(100)), "100 ms");
        assert_eq!(bytes(128), "128 bytes");
        assert_eq!(bytes(256 << 10), "256 KiB");
        assert_eq!(bytes(1 << 30), "1 GiB");
    }

    #[test]
    fn tables_have_names_of_their_own_and_whole_rows() {
        let tables = tables(&Config::check(&RawConfig::default()).unwrap());
        let names: std::collections::BTreeSet<_> = tables.iter().map(|table| table.name).collect();
        assert_eq!(names.len(), tables.len());
        for table in tables {
            assert!(!table.rows.is_empty(), "{}", table.name);
            for row in &table.rows {
                assert_eq!(row.len(), table.head.len(), "{}: {row:?}", table.name);
                assert!(row.iter().all(|cell| !cell.is_empty() && !cell.contains(['|', '\n'])));
            }
        }
    }

    #[test]
    fn a_site_is_told_of_its_own_configuration() {
        let mut raw = RawConfig::default();
        raw.dicom.private_sop_classes = false;
        raw.dicom.associations_max = 7;
        let own = tables(&Config::check(&raw).unwrap());
        let usual = tables(&Config::check(&RawConfig::default()).unwrap());
        let changed: Vec<_> =
            own.iter().zip(&usual).filter(|(a, b)| a != b).map(|(a, _)| a.name).collect();
        assert_eq!(changed, ["services", "association-limits"]);
    }
}
