//! Claim: text is read as pydicom reads it, and pydicom reads what we write.
//! Method: all texts of its character set files, and for each set of PS3.3
//! §C.12.1.1.2 its letters, coded by pydicom (tests/python/charsets.py).

use std::fs;
use std::path::Path;

use airlock::dicom::VR;
use airlock::dicom::charset::Charset;
use serde::{Deserialize, Serialize};

use crate::support::dcmtk::dcmdump;
use crate::support::files::{files_below, holds, sample};
use crate::support::node::Node;
use crate::support::python::python;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Coded {
    specific: String,
    vr: String,
    bytes: String,
    #[serde(default)]
    text: String,
}

impl Coded {
    fn charset(&self) -> Charset {
        Charset::from_specific(self.specific.as_bytes())
    }
}

/// Where two letters share one code, WHATWG's tables and Python's take
/// different ones. Neither is a letter of a name.
const SAME: [(char, char); 4] =
    [('\u{301C}', '\u{FF5E}'), ('\u{2212}', '\u{FF0D}'), ('\u{2015}', '\u{2014}'), ('¥', '\\')];

fn comparable(text: &str) -> String {
    let same =
        |letter: char| SAME.iter().find(|(_, other)| *other == letter).map_or(letter, |s| s.0);
    text.trim_end_matches([' ', '\0']).chars().map(same).collect()
}

fn from_hex(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn text_is_read_and_written_as_pydicom_does() {
    let all: Vec<Coded> = serde_json::from_str(&python("charsets.py", &["make"])).unwrap();
    assert!(all.len() > 250, "{}", all.len());
    let mut faults = Vec::new();
    let mut written = Vec::new();
    for one in &all {
        let vr: VR = one.vr.parse().unwrap();
        let decoded = one.charset().decode(&from_hex(&one.bytes), vr);
        if comparable(&decoded.text) != comparable(&one.text) {
            faults.push(format!(
                "{} {}: {:?}, not {:?}",
                one.specific, one.bytes, decoded.text, one.text
            ));
        }
        match one.charset().encode(&one.text) {
            Some(bytes) => written.push(Coded { bytes: to_hex(&bytes), ..one.clone() }),
            None => faults.push(format!("{}: {:?} cannot be said", one.specific, one.text)),
        }
    }
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("written.json");
    fs::write(&file, serde_json::to_string(&written).unwrap()).unwrap();
    let read = python("charsets.py", &["read".as_ref(), file.as_os_str()]);
    let read: Vec<String> = serde_json::from_str(&read).unwrap();
    for (one, text) in written.iter().zip(&read) {
        if comparable(text) != comparable(&one.text) {
            faults.push(format!(
                "{} written {}: {text:?}, not {:?}",
                one.specific, one.bytes, one.text
            ));
        }
    }
    assert_eq!(read.len(), written.len());
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// A site's text that the object's character set cannot say: the object moves
/// to UTF-8, and passes the second door.
#[test]
fn an_object_with_a_text_beyond_its_character_set_leaves_in_utf_8() {
    let node = Node::prepare("");
    let profile = node.home().join("own.toml");
    let rules = "name = \"own\"\noptions = []\n[rules]\nManufacturer = { replace = \"大学\" }\n";
    fs::write(&profile, rules).unwrap();
    let out = node.home().join("out");
    let arguments: [&Path; 5] = ["deid".as_ref(), &sample(), &out, "--profile".as_ref(), &profile];
    let run = node.command(&arguments);
    assert_eq!(run.code(), 0, "{run:?}");
    let [file] = &files_below(&out)[..] else { panic!("{:?}", files_below(&out)) };
    let dump = dcmdump(file);
    assert!(dump.contains("(0008,0005) CS [ISO_IR 192]"), "{dump}");
    assert!(holds(&fs::read(file).unwrap(), "大学"));
}
