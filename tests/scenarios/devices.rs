//! Device rules from a script of another program to painted frames.
//!
//! Method: an invented CTP script is imported, a project is given the rules, and
//! a drawn object of four frames goes through `airlock deid`; every frame is
//! looked at pixel by pixel.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::files::files_below;
use crate::support::node::Node;
use crate::support::object::{
    BITS_ALLOCATED, BITS_STORED, COLUMNS, CT, FRAMES, HIGH_BIT, Object, PIXELS, ROWS, SOP_CLASS,
};

const US_MULTIFRAME: &str = "1.2.840.10008.5.1.4.1.1.3.1";
const SIDE_PX: usize = 96;
const FRAME_COUNT: usize = 4;
const GROUND: u8 = 90;

const SCRIPT: &str = "Invented script (for a test)\r\n\
    Acme Echo 5\r\n\
    { [0008,0070].containsIgnoreCase(\"acme\") * // the maker\r\n\
      ( Rows.equals(\"96\") + Rows.equals(\"48\") ) * !ImageType.contains(\"DERIVED\") }\r\n\
    (0,0,96,12)   ( 80 , 90 , 40 , 40 )\r\n";

/// An even grey picture of an invented device, all frames the same.
fn drawn(manufacturer: &str) -> Object {
    let side = u16::try_from(SIDE_PX).unwrap();
    Object::ct(0)
        .text(SOP_CLASS, "UI", US_MULTIFRAME)
        .text((0x0008, 0x0008), "CS", "ORIGINAL\\PRIMARY")
        .text((0x0008, 0x0060), "CS", "US")
        .text((0x0008, 0x0070), "LO", manufacturer)
        .text(FRAMES, "IS", &FRAME_COUNT.to_string())
        .number(ROWS, side)
        .number(COLUMNS, side)
        .number(BITS_ALLOCATED, 8)
        .number(BITS_STORED, 8)
        .number(HIGH_BIT, 7)
        .bytes(PIXELS, "OB", vec![GROUND; FRAME_COUNT * SIDE_PX * SIDE_PX])
}

fn import(node: &Node, script: &str, code: i32) -> PathBuf {
    let (file, out) = (node.home().join("site.script"), node.home().join("site.toml"));
    fs::write(&file, script).unwrap();
    fs::remove_file(&out).ok();
    let run = node.command::<&Path>(&[
        "rules".as_ref(),
        "import".as_ref(),
        &file,
        "--out".as_ref(),
        &out,
    ]);
    assert_eq!(run.code(), code, "{run:?}");
    out
}

/// Cleans one object; gives its clean file and the report's row.
fn deid(node: &Node, object: &Object, name: &str) -> (Vec<PathBuf>, Value) {
    let input = object.write(&node.home().join(format!("{name}-in")));
    let (out, report) = (node.home().join(name), node.home().join(format!("{name}.json")));
    let run = node.command::<&Path>(&[
        "deid".as_ref(),
        &input,
        &out,
        "--config".as_ref(),
        &node.configuration(),
        "--report".as_ref(),
        &report,
    ]);
    assert!([0, 2].contains(&run.code()), "{run:?}");
    let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    (files_below(&out), report["instances"][0].clone())
}

/// The native samples at the end of a clean file.
fn samples(file: &Path) -> Vec<u8> {
    let bytes = fs::read(file).unwrap();
    let mark = [0xE0, 0x7F, 0x10, 0x00];
    let at = bytes.windows(4).position(|window| window == mark).unwrap() + 12;
    bytes[at..at + FRAME_COUNT * SIDE_PX * SIDE_PX].to_vec()
}

#[test]
fn an_imported_rule_paints_every_frame_and_stands_in_the_report() {
    let node = Node::prepare("[rules]\ndevices = ['site.toml']\n");
    import(&node, SCRIPT, 0);
    let (files, row) = deid(&node, &drawn("ACME Ultrasound"), "acme");
    let [file] = files.as_slice() else { panic!("{row}") };
    let pixels = &row["report"]["pixels"];
    assert_eq!(pixels["devices"], serde_json::json!(["site-1-1"]), "{row}");
    let boxes = pixels["boxes"].as_array().unwrap();
    let by_rule: Vec<&Value> =
        boxes.iter().filter(|found| found["reason"] == "device-rule").collect();
    assert_eq!(by_rule.len(), 2, "{row}");
    assert!(by_rule.iter().all(|found| found["frames"] == FRAME_COUNT));
    for (index, frame) in samples(file).chunks(SIDE_PX * SIDE_PX).enumerate() {
        for (at, value) in frame.iter().enumerate() {
            let (x, y) = (at % SIDE_PX, at / SIDE_PX);
            let hidden = y < 12 || (x >= 80 && y >= 90);
            assert_eq!(*value, if hidden { 0 } else { GROUND }, "frame {index} at {x}, {y}");
        }
    }
    let (files, row) = deid(&node, &drawn("Emca Ultrasound"), "emca");
    assert_eq!(row["report"]["pixels"].get("devices"), None, "{row}");
    assert!(samples(&files[0]).iter().all(|value| *value == GROUND));
}

#[test]
fn what_a_project_leaves_out_is_painted_all_the_same() {
    let node = Node::prepare(&format!(
        "[project.default]\nheader_only = ['{CT}']\ndevices = ['site.toml']\n"
    ));
    import(&node, SCRIPT, 0);
    let object = drawn("ACME").text(SOP_CLASS, "UI", CT).text((0x0008, 0x0060), "CS", "CT");
    let (files, row) = deid(&node, &object, "ct");
    assert_eq!(row["report"]["pixels"]["screened"], true, "{row}");
    assert_eq!(samples(&files[0])[0], 0);
}

#[test]
fn import_says_what_it_left_out_and_never_overwrites() {
    let node = Node::prepare("");
    let out = import(&node, &format!("{SCRIPT}{{ Rows.isLessThan(\"9\") }} (0,0,1,1)\n"), 2);
    let written = fs::read_to_string(&out).unwrap();
    assert!(written.contains("# Left out, line 6: isLessThan"), "{written}");
    let again: [&Path; 5] = [
        "rules".as_ref(),
        "import".as_ref(),
        &node.home().join("site.script"),
        "--out".as_ref(),
        &out,
    ];
    assert_eq!(node.command(&again).code(), 64);
    assert_eq!(fs::read_to_string(&out).unwrap(), written);
    fs::write(node.home().join("none.script"), "prose without rules").unwrap();
    assert_eq!(node.command(&["rules", "import", "none.script"]).code(), 64);
    assert_eq!(node.command(&["rules", "import", "not-there"]).code(), 64);
    fs::write(node.home().join("broken.toml"), "rules = 'broken'").unwrap();
    let recipe = "FORMAT dicom\n%filter graylist\nLABEL a\ncontains Modality US\n\
                  coordinates 0,0,5,5\n";
    fs::write(node.home().join("deid.dicom"), recipe).unwrap();
    // A part of a configuration is made also where the configuration has faults.
    let run = node.command(&["rules", "import", "deid.dicom", "--config", "broken.toml"]);
    let printed = run.success();
    assert!(printed.contains("hide = [[0, 0, 5, 5]]"), "{printed}");
}

#[test]
fn rules_of_each_project_are_listed_and_faults_name_file_rule_and_key() {
    let node = Node::prepare("[rules]\ndevices = ['site.toml']\n");
    import(&node, SCRIPT, 0);
    let configuration = node.configuration();
    let list = ["rules", "list", "--config", configuration.to_str().unwrap()];
    let records = node.records(&list);
    let ours = records.iter().find(|rule| rule["id"] == "site-1-1").unwrap();
    assert_eq!(ours["hide"][0], serde_json::json!([0, 0, 96, 12]));
    assert_eq!(ours["project"], "default");
    assert!(records.iter().any(|rule| rule["id"] == "philips-epiq-5g-1024x768"));
    assert!(node.command(&list).success().contains("hide 96 × 12 at 0, 0"));
    fs::write(node.home().join("site.toml"), "[[rule]]\nid = 'x'\nhidden = []\n").unwrap();
    let run = node.command(&list);
    assert_eq!(run.code(), 64);
    assert!(run.stderr.contains("project.default.devices"), "{run:?}");
    assert!(run.stderr.contains("rule x, hidden: unknown"), "{run:?}");
}
