//! Imported rules as a file of device rules.

use std::fmt::Write as _;

use dicom_core::dictionary::{DataDictionary as _, DataDictionaryEntry as _};
use dicom_dictionary_std::StandardDataDictionary;

use super::{Draft, Imported, shown};
use crate::config::devices::{Condition, RectPx, Test};
use crate::config::profile_file;
use crate::dicom::Tag;

pub(super) fn toml(imported: &Imported, source: &str) -> String {
    let mut text = format!("# Device rules (docs/DEVICES.md), imported from {}.\n", shown(source));
    for left_out in &imported.left_out {
        line(&mut text, format_args!("# Left out, line {}: {}", left_out.line, left_out.what));
    }
    for draft in &imported.rules {
        rule(&mut text, draft);
    }
    text
}

/// Writing into a string does not fail.
fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").unwrap_or_default();
}

fn rule(text: &mut String, draft: &Draft) {
    let rule = &draft.rule;
    line(text, format_args!("\n# Line {}: {}", draft.line, draft.title));
    line(text, format_args!("[[rule]]\nid = {}\nwhen = [", quoted(&rule.id)));
    for condition in &rule.when {
        line(text, format_args!("  {{ {} }},", condition_text(condition)));
    }
    line(text, format_args!("]"));
    for (key, rects) in [("hide", &rule.hide), ("hide_outside", &rule.hide_outside)] {
        if !rects.is_empty() {
            line(text, format_args!("{key} = {}", rects_text(rects)));
        }
    }
    if rule.quarantine {
        line(text, format_args!("quarantine = true"));
    }
}

fn rects_text(rects: &[RectPx]) -> String {
    let rects: Vec<String> =
        rects.iter().map(|[x, y, w, h]| format!("[{x}, {y}, {w}, {h}]")).collect();
    format!("[{}]", rects.join(", "))
}

/// A condition as it stands in a file.
#[must_use]
pub fn condition_text(condition: &Condition) -> String {
    let attribute = quoted(&name(condition.tag()));
    match &condition.test {
        Test::Present(wanted) => format!("attribute = {attribute}, present = {wanted}"),
        Test::Empty(wanted) => format!("attribute = {attribute}, empty = {wanted}"),
        Test::Value { comparison, negated, exact_case, values } => {
            let not = if *negated { "not_" } else { "" };
            let case = if *exact_case { ", case = \"exact\"" } else { "" };
            let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
            let values = match values.as_slice() {
                [one] => one.clone(),
                several => format!("[{}]", several.join(", ")),
            };
            format!("attribute = {attribute}, {not}{} = {values}{case}", comparison.key())
        }
    }
}

/// The keyword, where it means this tag and no other.
fn name(tag: Tag) -> String {
    let keyword = StandardDataDictionary.by_tag(tag).map(|entry| entry.alias());
    match keyword {
        Some(keyword) if profile_file::tag(keyword) == Some(tag) => keyword.to_owned(),
        Some(_) | None => format!("{:04X},{:04X}", tag.group(), tag.element()),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
