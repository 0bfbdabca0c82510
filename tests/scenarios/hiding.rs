//! A name planted beside the picture leaves in none of its hiding places.
//!
//! Method: `tests/python/hiding.py` writes one object a place (codestreams of
//! every family, bits above the values, tables of positions, tails of frames and
//! files, icons and overlays), airlock cleans the folder under both profiles and
//! without looking for text, and the script looks for the name in what came out,
//! inflated and decoded too. Each object came out with the picture that was sent,
//! or stands in quarantine with a reason.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::support::files::files_below;
use crate::support::node::Node;
use crate::support::python::python;

/// Places whose objects may not be cleaned: damage, or what no code looks at.
const QUARANTINED: [(&str, &str); 11] = [
    ("deflated-frame-longer", "length of a frame"),
    ("j2k-coding", ""),
    ("j2k-lengths", "lengths-untrue"),
    ("j2k-tile-packed", "packed packet headers"),
    ("j2k-unknown", ""),
    ("jls-lse-parameters", "length of a segment"),
    ("jls-lse-table", "mapping table"),
    ("jls-tail", "JPEG-LS"),
    ("jpeg-before-start", "no start of image"),
    ("jpeg-fragment-before", "number of codestreams"),
    ("jpeg-restart-interval", "restart interval"),
];

/// CT without looking for text: nothing is decoded but what has to be.
const HEADER_ONLY: &str = "[project.default]\nheader_only = ['1.2.840.10008.5.1.4.1.1.2']\n";

#[test]
fn a_name_beside_the_picture_leaves_in_no_hiding_place() {
    for (profile, configuration) in [("basic", ""), ("tcia", ""), ("basic", HEADER_ONLY)] {
        let node = Node::prepare(configuration);
        let planted = node.home().join("in");
        python("hiding.py", &["plant".as_ref(), planted.as_os_str()]);
        let (out, report) = (node.home().join("out"), node.home().join("report.json"));
        node.command::<&Path>(&[
            "deid".as_ref(),
            &planted,
            &out,
            "--profile".as_ref(),
            profile.as_ref(),
            "--config".as_ref(),
            &node.configuration(),
            "--report".as_ref(),
            &report,
            "--report-with-paths".as_ref(),
        ]);
        let printed = python(
            "hiding.py",
            &["look".as_ref(), planted.as_os_str(), out.as_os_str(), report.as_os_str()],
        );
        let places: BTreeMap<String, Value> = printed
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|place| (place["place"].as_str().unwrap().to_owned(), place))
            .collect();
        assert_eq!(places.len(), files_below(&planted).len());
        check(profile, &places);
    }
}

fn check(profile: &str, places: &BTreeMap<String, Value>) {
    let mut cleaned = 0;
    for (name, place) in places {
        let expected = QUARANTINED.iter().find(|(quarantined, _)| quarantined == name);
        match (place["outcome"].as_str().unwrap(), expected) {
            ("cleaned", None) => {
                assert_eq!(place["found"], false, "{profile}: the name is in {name}");
                assert_eq!(place["same"], true, "{profile}: the picture of {name} changed");
                cleaned += 1;
            }
            ("quarantined", Some((_, reason))) => {
                let why = place["why"].as_str().unwrap();
                assert!(why.contains(reason), "{profile}: {name}: {why}");
            }
            (outcome, _) => panic!("{profile}: {name} is {outcome}: {}", place["why"]),
        }
    }
    assert!(cleaned > 70, "{profile}: only {cleaned}");
}
