//! Files of device rules: TOML in, checked [`DeviceRule`]s out, or all faults
//! at once. The format is described in docs/DEVICES.md.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use dicom_core::dictionary::{DataDictionary as _, DataDictionaryEntry as _};
use dicom_dictionary_std::{StandardDataDictionary, tags};
use toml::{Table, Value};

use super::devices::{Comparison, Condition, DeviceError, DeviceRule, RectPx, Test};
use super::profile_file;
use crate::dicom::{Tag, VR, vr};

/// What ships: facts about layouts that anybody can see in public files.
pub(super) const SHIPPED: [(&str, &str); 1] =
    [("config/devices/philips.toml", include_str!("../../config/devices/philips.toml"))];

/// Longest file. Default 1 MiB: a thousand rules fit.
pub const FILE_BYTES_MAX: u64 = 1 << 20;
/// Longest id, in characters.
pub const ID_CHARS_MAX: usize = 48;
/// Most conditions of a rule.
pub const CONDITIONS_MAX: usize = 64;
/// Most values of one condition.
pub const VALUES_MAX: usize = 64;
/// Longest of them, in bytes: the longest LO has 64 characters, a list of values more.
pub const VALUE_BYTES_MAX: usize = 256;
/// Most rectangles of one kind in a rule.
pub const RECTS_MAX: usize = 64;
/// Rows and Columns are 16-bit numbers (PS3.3 §C.7.6.3.1).
pub const PLACE_MAX: u32 = 65_535;
/// Most of a picture, in percent, that may be trusted. Default 25: grey bar,
/// scale and logo take less; more would be trust in the picture.
const TRUST_PERCENT_MAX: u64 = 25;

/// Reads and checks a file.
///
/// # Errors
/// [`DeviceError`]: exit 64.
pub fn read(path: &Path) -> Result<Vec<DeviceRule>, DeviceError> {
    let text =
        text_of(path).map_err(|source| DeviceError::Unread { path: path.to_owned(), source })?;
    let text = String::from_utf8(text).map_err(|_bytes| DeviceError::Faulty {
        name: path.display().to_string(),
        faults: vec!["the file is no UTF-8 text".to_owned()],
    })?;
    checked(&text)
        .map_err(|faults| DeviceError::Faulty { name: path.display().to_string(), faults })
}

/// The bytes of a file of at most [`FILE_BYTES_MAX`].
///
/// # Errors
/// The system's, or `FileTooLarge`.
pub fn text_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "over 1 MiB"));
    }
    Ok(text)
}

/// Checks the text of a file.
///
/// # Errors
/// What is wrong, all of it, each fault with its rule and key.
pub fn checked(text: &str) -> Result<Vec<DeviceRule>, Vec<String>> {
    let mut raw: Table = text.parse().map_err(|error: toml::de::Error| vec![error.to_string()])?;
    let mut faults = Vec::new();
    let written = match raw.remove("rule") {
        Some(Value::Array(written)) => written,
        Some(_) | None => {
            faults.push("rule: missing; each rule begins with [[rule]]".to_owned());
            Vec::new()
        }
    };
    for key in raw.keys() {
        faults.push(format!("{key}: unknown; there is only [[rule]]"));
    }
    let mut ids = BTreeSet::new();
    let mut rules = Vec::new();
    for (index, value) in written.into_iter().enumerate() {
        let mut own = Faults { of: format!("rule {}", index + 1), faults: &mut faults };
        let Value::Table(table) = value else {
            own.add("", "write [[rule]] and its keys below it");
            continue;
        };
        let rule = rule(table, &mut own);
        if !rule.id.is_empty() && !ids.insert(rule.id.clone()) {
            own.add("id", "another rule has it");
        }
        rules.push(rule);
    }
    if faults.is_empty() { Ok(rules) } else { Err(faults) }
}

/// Faults of one rule.
struct Faults<'a> {
    of: String,
    faults: &'a mut Vec<String>,
}

impl Faults<'_> {
    fn add(&mut self, key: &str, what: impl std::fmt::Display) {
        let dot = if key.is_empty() { "" } else { ", " };
        self.faults.push(format!("{}{dot}{key}: {what}", self.of));
    }
}

fn rule(mut raw: Table, faults: &mut Faults<'_>) -> DeviceRule {
    let id = match raw.remove("id") {
        Some(Value::String(id)) if is_id(&id) => {
            faults.of = format!("rule {id}");
            id
        }
        Some(_) | None => {
            faults.add("id", format!("1 to {ID_CHARS_MAX} of the characters a-z 0-9 -"));
            String::new()
        }
    };
    if !raw.remove("note").is_none_or(|note| note.is_str()) {
        faults.add("note", "write a text");
    }
    let quarantine = match raw.remove("quarantine") {
        None => false,
        Some(Value::Boolean(quarantine)) => quarantine,
        Some(_) => {
            faults.add("quarantine", "write true or false");
            false
        }
    };
    let rule = DeviceRule {
        id,
        when: conditions(raw.remove("when"), faults),
        hide: rects(&mut raw, "hide", faults),
        hide_outside: rects(&mut raw, "hide_outside", faults),
        trust: rects(&mut raw, "trust", faults),
        quarantine,
    };
    for key in raw.keys() {
        faults.add(
            key,
            "unknown; there are id, note, when, hide, hide_outside, trust and quarantine",
        );
    }
    let does = [&rule.hide, &rule.hide_outside, &rule.trust].iter().any(|rects| !rects.is_empty());
    if !does && !quarantine {
        faults.add("", "does nothing; write hide, hide_outside, trust or quarantine = true");
    }
    if !rule.trust.is_empty() {
        check_trust(&rule, faults);
    }
    rule
}

/// Whether a text can be a rule's id.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=ID_CHARS_MAX).contains(&text.len()) && text.bytes().all(legal)
}

/// A rule that trusts is about one device and one size of picture, and about a
/// small part of it.
fn check_trust(rule: &DeviceRule, faults: &mut Faults<'_>) {
    for (tag, name) in [
        (tags::MANUFACTURER, "Manufacturer"),
        (tags::MANUFACTURER_MODEL_NAME, "ManufacturerModelName"),
    ] {
        let names = |condition: &Condition| {
            condition.tag() == tag && matches!(condition.test, Test::Value { negated: false, .. })
        };
        if !rule.when.iter().any(names) {
            faults.add("trust", format!("needs a condition that names {name}"));
        }
    }
    let sides = [tags::COLUMNS, tags::ROWS].map(|tag| side(rule, tag));
    let [Some(width), Some(height)] = sides else {
        faults.add("trust", "needs Rows and Columns, each with equals and one number");
        return;
    };
    let inside = |rect: &RectPx| {
        let [x, y, w, h] = rect.map(u64::from);
        x + w <= width && y + h <= height
    };
    if !rule.trust.iter().all(inside) {
        faults.add("trust", "reaches out of Rows and Columns");
    }
    let area: u64 = rule.trust.iter().map(|rect| u64::from(rect[2]) * u64::from(rect[3])).sum();
    if area * 100 > width * height * TRUST_PERCENT_MAX {
        faults.add("trust", format!("over {TRUST_PERCENT_MAX} % of the picture"));
    }
}

/// The one number that an element must equal.
fn side(rule: &DeviceRule, tag: Tag) -> Option<u64> {
    rule.when.iter().filter(|condition| condition.tag() == tag).find_map(|condition| {
        match &condition.test {
            Test::Value { comparison: Comparison::Equals, negated: false, values, .. } => {
                let [one] = values.as_slice() else { return None };
                one.parse().ok()
            }
            Test::Value { .. } | Test::Present(_) | Test::Empty(_) => None,
        }
    })
}

fn rects(raw: &mut Table, key: &str, faults: &mut Faults<'_>) -> Vec<RectPx> {
    let Some(value) = raw.remove(key) else { return Vec::new() };
    let read = value.as_array().map(|list| list.iter().map(rect).collect::<Option<Vec<_>>>());
    match read.flatten() {
        Some(rects) if (1..=RECTS_MAX).contains(&rects.len()) => rects,
        Some(_) | None => {
            let what = format!(
                "1 to {RECTS_MAX} rectangles [left, top, width, height] in pixels up to \
                 {PLACE_MAX}, as in [[0, 0, 800, 48]]"
            );
            faults.add(key, what);
            Vec::new()
        }
    }
}

fn rect(value: &Value) -> Option<RectPx> {
    let numbers: Vec<u32> = value
        .as_array()?
        .iter()
        .map(|number| u32::try_from(number.as_integer()?).ok().filter(|n| *n <= PLACE_MAX))
        .collect::<Option<_>>()?;
    let rect: RectPx = numbers.try_into().ok()?;
    (rect[2] > 0 && rect[3] > 0).then_some(rect)
}

fn conditions(raw: Option<Value>, faults: &mut Faults<'_>) -> Vec<Condition> {
    let Some(Value::Array(list)) = raw else {
        faults.add("when", "missing; a list of { attribute = \"…\", equals = \"…\" }");
        return Vec::new();
    };
    if !(1..=CONDITIONS_MAX).contains(&list.len()) {
        faults.add("when", format!("1 to {CONDITIONS_MAX} conditions"));
        return Vec::new();
    }
    let mut conditions = Vec::new();
    for (index, value) in list.into_iter().enumerate() {
        let read = value.as_table().ok_or_else(|| "no table".to_owned()).and_then(condition);
        match read {
            Ok(condition) => conditions.push(condition),
            Err(what) => faults.add(&format!("when[{index}]"), what),
        }
    }
    conditions
}

fn condition(raw: &Table) -> Result<Condition, String> {
    let name = raw.get("attribute").and_then(Value::as_str).ok_or("attribute: missing")?;
    let tag = attribute(name)?;
    let exact_case = match raw.get("case").map(Value::as_str) {
        None => false,
        Some(Some("exact")) => true,
        Some(_) => return Err("case: write exact or leave it out".to_owned()),
    };
    let mut tests = Vec::new();
    for (key, value) in raw {
        match key.as_str() {
            "attribute" | "case" => {}
            "present" => {
                tests.push(Test::Present(value.as_bool().ok_or("present: true or false")?))
            }
            "empty" => tests.push(Test::Empty(value.as_bool().ok_or("empty: true or false")?)),
            other => tests.push(value_test(other, value, exact_case)?),
        }
    }
    let [test] = <[Test; 1]>::try_from(tests).map_err(|_more| "one test a condition".to_owned())?;
    if matches!(test, Test::Value { .. }) && !is_comparable(tag) {
        return Err(format!("{name}: its values are no text and no whole numbers"));
    }
    Ok(Condition { group: tag.group(), element: tag.element(), test })
}

fn value_test(key: &str, value: &Value, exact_case: bool) -> Result<Test, String> {
    let (negated, plain) = key.strip_prefix("not_").map_or((false, key), |plain| (true, plain));
    let Some((comparison, _)) = Comparison::ALL.into_iter().find(|(_, known)| *known == plain)
    else {
        let known = Comparison::ALL.map(|(_, key)| key).join(", ");
        return Err(format!(
            "{key}: unknown; there are attribute, case, present, empty, {known}, and each of \
             these with not_ before it"
        ));
    };
    let list = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => None,
        Value::Array(_) | Value::Table(_) => None,
    };
    let values: Option<Vec<String>> = list.iter().map(text).collect();
    let fits = |text: &String| (1..=VALUE_BYTES_MAX).contains(&text.len());
    let values =
        values.filter(|values| (1..=VALUES_MAX).contains(&values.len()) && values.iter().all(fits));
    let Some(mut values) = values else {
        return Err(format!(
            "{key}: a text, a whole number, or a list of 1 to {VALUES_MAX} of them"
        ));
    };
    if !exact_case {
        values.iter_mut().for_each(|value| *value = value.to_lowercase());
    }
    Ok(Test::Value { comparison, negated, exact_case, values })
}

/// The tag of `GGGG,EEEE` or a keyword, when a rule can be about it.
///
/// # Errors
/// Why it cannot.
pub fn attribute(name: &str) -> Result<Tag, String> {
    let tag = profile_file::tag(name)
        .ok_or_else(|| format!("{name}: neither GGGG,EEEE nor a keyword of PS3.6"))?;
    if tag.group() % 2 == 1 {
        return Err(format!("{name}: a private attribute"));
    }
    if tag.group() < 0x0008 {
        return Err(format!("{name}: stands beside the data set, not in it"));
    }
    if StandardDataDictionary.by_tag(tag).is_none() {
        return Err(format!("{name}: not in PS3.6"));
    }
    Ok(tag)
}

/// Values of the attribute can be compared: text, or whole numbers.
#[must_use]
pub fn is_comparable(tag: Tag) -> bool {
    let vr = StandardDataDictionary.by_tag(tag).and_then(|entry| entry.vr().exact());
    vr.is_some_and(|vr| vr::is_text(vr) || is_whole_number(vr))
}

fn is_whole_number(vr: VR) -> bool {
    matches!(vr, VR::SL | VR::SS | VR::SV | VR::UL | VR::US | VR::UV)
}

#[cfg(test)]
#[path = "device_file_tests.rs"]
mod tests;
