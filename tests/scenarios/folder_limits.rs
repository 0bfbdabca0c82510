//! Memory of folder mode: one long file, and very many.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::node::Node;
use crate::support::object::{BITS_ALLOCATED, BITS_STORED, ENHANCED_CT, HIGH_BIT, Object};
use crate::support::process::{Peaks, Process};

/// DESIGN.md §6, and issue 4 for a worker that reads no text.
const BYTES_MAX: u64 = 100 << 20;
const WAIT_MAX: Duration = Duration::from_secs(300);
const SIDE_PX: u16 = 1024;
const FRAMES: u32 = 512;
/// 1 GiB of 16-bit samples.
const PIXEL_BYTES: u32 = (FRAMES * 2) << 20;
const FILES: usize = 100_000;
/// Links of one file on ext4 end at 65,000.
const LINKS_MAX: usize = 50_000;

fn deid(node: &Node, input: &Path) -> (Value, Peaks) {
    let (out, report) = (node.home().join("out"), node.home().join("report.json"));
    let mut command =
        node.airlock::<&Path>(&["deid".as_ref(), input, &out, "--report".as_ref(), &report]);
    command.arg("--config").arg(node.configuration());
    let mut deid = Process::start("airlock deid", &mut command, &node.home().join("deid.log"));
    let (status, peaks) = deid.wait_measured(WAIT_MAX);
    assert!(status.success(), "{status}\n{}", deid.log());
    (serde_json::from_slice(&fs::read(report).unwrap()).unwrap(), peaks)
}

/// A file of 1 GiB whose samples are holes, but for some in each frame.
fn long_file(path: &Path) {
    let object = Object::enhanced_ct(FRAMES, SIDE_PX)
        .number(BITS_ALLOCATED, 16)
        .number(BITS_STORED, 12)
        .number(HIGH_BIT, 11);
    let head = object.head(PIXEL_BYTES);
    let mut file = File::create(path).unwrap();
    file.write_all(&head).unwrap();
    file.set_len(head.len() as u64 + u64::from(PIXEL_BYTES)).unwrap();
    for frame in 0..u64::from(FRAMES) {
        let samples: Vec<u8> = (0..512_u16).flat_map(|sample| (sample * 8).to_le_bytes()).collect();
        file.write_all_at(&samples, head.len() as u64 + (frame << 21)).unwrap();
    }
}

#[test]
fn a_file_of_1_gb_costs_front_and_workers_less_than_100_mb() {
    let node = Node::prepare(&format!("[project.default]\nheader_only = ['{ENHANCED_CT}']\n"));
    let input = node.home().join("long.dcm");
    long_file(&input);
    let (report, peaks) = deid(&node, &input);
    println!("{peaks:?}");
    assert_eq!(report["cleaned"], 1, "{report}");
    let output = report["instances"][0]["output"].as_str().unwrap();
    let written = node.home().join("out").join(output).metadata().unwrap().len();
    assert!(written > u64::from(PIXEL_BYTES));
    assert!(peaks.front_bytes < BYTES_MAX && peaks.worker_bytes < BYTES_MAX, "{peaks:?}");
    assert!(peaks.worker_bytes > 1 << 20, "{peaks:?}");
}

/// What is told of a file is written and not kept, so that the front holds
/// little more than paths.
#[test]
fn a_hundred_thousand_files_cost_the_front_less_than_100_mb() {
    let node = Node::prepare("");
    let input = node.home().join("in");
    for file in 0..FILES {
        let dir = input.join(format!("series-{:03}", file / 1000));
        let (path, first) =
            (dir.join(format!("slice-{file:06}.txt")), file / LINKS_MAX * LINKS_MAX);
        if file % 1000 == 0 {
            fs::create_dir_all(&dir).unwrap();
        }
        if file == first {
            fs::write(path, "no object").unwrap();
        } else {
            let of = input.join(format!("series-{:03}/slice-{first:06}.txt", first / 1000));
            fs::hard_link(of, path).unwrap();
        }
    }
    let (report, peaks) = deid(&node, &input);
    println!("{peaks:?}");
    assert_eq!(report["left"]["text"], FILES, "{:?}", report["left"]);
    assert_eq!(report["instances"].as_array().unwrap().len(), FILES);
    assert!(peaks.front_bytes < BYTES_MAX, "{peaks:?}");
}
