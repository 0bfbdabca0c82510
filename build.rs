//! Turns the facts of the standard under `config/standard` into Rust tables for
//! `clean::metadata::table`. Reads only these files, so that the same tree
//! always gives the same code.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Fields of one line of a table.
type Fields = Vec<String>;

fn main() -> Result<()> {
    let source = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("config/standard");
    let target = PathBuf::from(std::env::var("OUT_DIR")?).join("standard.rs");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=config/standard");

    let mut code = String::new();
    write_rows(&mut code, &read(&source, "e1-1.tsv", 16)?)?;
    let technical = read(&source, "technical-text.tsv", 3)?;
    let (typed, machine): (Vec<_>, Vec<_>) =
        technical.into_iter().partition(|row| row.ends_with(&["typed".into()]));
    write_tags(&mut code, "MACHINE_TEXT", &machine)?;
    write_tags(&mut code, "TYPED_TEXT", &typed)?;
    write_tags(&mut code, "OWN_ROWS", &read(&source, "own-rows.tsv", 2)?)?;
    write_safe_private(&mut code, &read(&source, "safe-private.tsv", 5)?)?;
    write_uids(&mut code, &read(&source, "uids.tsv", 1)?)?;
    write_types(&mut code, &read(&source, "iods.tsv", 2)?, &read(&source, "types.tsv", 4)?)?;
    std::fs::write(target, code)?;
    Ok(())
}

/// The lines of a table without comments, each with `fields` fields.
fn read(folder: &Path, name: &str, fields: usize) -> Result<Vec<Fields>> {
    let text = std::fs::read_to_string(folder.join(name))?;
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let row: Fields = line.split('\t').map(str::to_owned).collect();
        if row.len() != fields {
            return Err(format!("{name}:{}: not {fields} fields", number + 1).into());
        }
        rows.push(row);
    }
    Ok(rows)
}

/// `0008,0012` as the code of a tag.
fn tag(text: &str) -> Result<String> {
    let (group, element) = text.split_once(',').ok_or_else(|| format!("{text} is no tag"))?;
    let group = u16::from_str_radix(group, 16)?;
    let element = u16::from_str_radix(element, 16)?;
    Ok(format!("Tag(0x{group:04X}, 0x{element:04X})"))
}

/// Table E.1-1: exact tags in order in `ROWS`, the patterns each by its name.
fn write_rows(code: &mut String, rows: &[Fields]) -> Result<()> {
    let mut exact = BTreeMap::new();
    for row in rows {
        let [key, name, _vr, _vm, basic, cells @ .., edition] = row.as_slice() else {
            return Err("a row of Table E.1-1 is too short".into());
        };
        let (constant, tag) = match key.as_str() {
            "50xx,xxxx" => (Some("CURVES"), tag("5000,0000")?),
            "60xx,3000" => (Some("OVERLAY_DATA"), tag("6000,3000")?),
            "60xx,4000" => (Some("OVERLAY_COMMENTS"), tag("6000,4000")?),
            "private" => (Some("PRIVATE"), tag("0001,0000")?),
            _ => (None, tag(key)?),
        };
        let cells: Vec<&str> = cells.iter().map(|cell| cell_code(cell)).collect::<Result<_>>()?;
        let row = format!(
            "Row {{ tag: {tag}, name: {name:?}, basic: Basic::{}, cells: [{}], newer: {} }}",
            basic_code(basic)?,
            cells.join(", "),
            edition != "2024e",
        );
        match constant {
            Some(constant) => writeln!(code, "static {constant}: Row = {row};")?,
            None => {
                if exact.insert(tag, row).is_some() {
                    return Err(format!("{key} stands twice in Table E.1-1").into());
                }
            }
        }
    }
    writeln!(code, "static ROWS: &[Row] = &[")?;
    for row in exact.values() {
        writeln!(code, "    {row},")?;
    }
    writeln!(code, "];")?;
    Ok(())
}

fn basic_code(action: &str) -> Result<&'static str> {
    Ok(match action {
        "D" => "Dummy",
        "Z" => "Zero",
        "X" => "Remove",
        "U" => "Uid",
        "Z/D" => "ZeroOrDummy",
        "X/Z" => "RemoveOrZero",
        "X/D" => "RemoveOrDummy",
        "X/Z/D" => "RemoveOrZeroOrDummy",
        "X/Z/U*" => "RemoveOrZeroOrUids",
        other => return Err(format!("{other} is no action").into()),
    })
}

fn cell_code(cell: &str) -> Result<&'static str> {
    Ok(match cell {
        "-" => "Cell::Empty",
        "K" => "Cell::Keep",
        "C" => "Cell::Clean",
        other => return Err(format!("{other} is no cell").into()),
    })
}

/// A list of tags in order.
fn write_tags(code: &mut String, name: &str, rows: &[Fields]) -> Result<()> {
    let mut tags = rows
        .iter()
        .map(|row| tag(row.first().map_or("", String::as_str)))
        .collect::<Result<Vec<_>>>()?;
    tags.sort();
    writeln!(code, "static {name}: &[Tag] = &[{}];", tags.join(", "))?;
    Ok(())
}

fn write_safe_private(code: &mut String, rows: &[Fields]) -> Result<()> {
    let mut entries = Vec::new();
    for row in rows {
        let [creator, group, low_byte, vr, _from] = row.as_slice() else {
            return Err("a row of the safe private elements is too short".into());
        };
        let group = u16::from_str_radix(group, 16)?;
        let low_byte = u8::from_str_radix(low_byte, 16)?;
        entries.push(format!(
            "SafePrivate {{ creator: {creator:?}, group: 0x{group:04X}, \
             low_byte: 0x{low_byte:02X}, vr: VR::{vr} }}"
        ));
    }
    writeln!(code, "static SAFE_PRIVATE: &[SafePrivate] = &[{}];", entries.join(", "))?;
    Ok(())
}

fn write_uids(code: &mut String, rows: &[Fields]) -> Result<()> {
    let mut uids: Vec<&str> = rows.iter().flatten().map(String::as_str).collect();
    uids.sort_unstable();
    writeln!(code, "static REGISTERED_UIDS: &[&str] = &{uids:?};")?;
    Ok(())
}

/// SOP classes with the number of their information object, and where an
/// attribute is Type 1 or 2.
fn write_types(code: &mut String, classes: &[Fields], types: &[Fields]) -> Result<()> {
    let mut numbers = BTreeMap::new();
    let mut by_class = BTreeMap::new();
    for row in classes {
        let [class, object] = row.as_slice() else {
            return Err("a row of the SOP classes is too short".into());
        };
        let next = u16::try_from(numbers.len())?;
        let number = *numbers.entry(object.clone()).or_insert(next);
        by_class.insert(class.clone(), number);
    }
    writeln!(code, "static OBJECTS: &[(&str, u16)] = &[")?;
    for (class, number) in by_class {
        writeln!(code, "    ({class:?}, {number}),")?;
    }
    let mut needs = Vec::new();
    for row in types {
        let [key, place, strongest, objects] = row.as_slice() else {
            return Err("a row of the attribute types is too short".into());
        };
        let named = objects.split(',').filter(|object| *object != "*");
        let mut list = named
            .map(|object| numbers.get(object).copied().ok_or(format!("{object} has no SOP class")))
            .collect::<std::result::Result<Vec<u16>, String>>()?;
        if objects == "*" {
            list.extend(numbers.values());
        }
        list.sort_unstable();
        needs.push(format!(
            "    Need {{ tag: {}, nested: {}, value: {}, objects: &{list:?} }},",
            tag(key)?,
            place == "nested",
            strongest == "1",
        ));
    }
    // By tag, which stands first and has a fixed width.
    needs.sort_unstable();
    writeln!(
        code,
        "];\n/// In the order of tags.\nstatic NEEDS: &[Need] = &[\n{}\n];",
        needs.join("\n")
    )?;
    Ok(())
}
