//! A cine costs a worker no more than a few of its frames, also where every
//! frame is decoded, painted and coded again.
//!
//! Method: 60 MB of the dearest coding here; `scripts/memory-codecs` does the
//! same with 300 MB of every coding.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::node::Node;
use crate::support::process::Process;
use crate::support::python::python;

const FRAMES: u64 = 115;
const FRAME_BYTES: u64 = 512 * 512 * 2;
/// DESIGN.md §6.
const FRONT_BYTES_MAX: u64 = 100 << 20;
const WORKER_BYTES_MAX: u64 = 512 << 20;
const DEID_WAIT_MAX: Duration = Duration::from_secs(300);

#[test]
fn a_jpeg_2000_cine_of_60_mb_is_painted_within_512_mb() {
    let node = Node::prepare("");
    let (cine, out) = (node.home().join("cine.dcm"), node.home().join("out"));
    let report = node.home().join("report.json");
    let frames = FRAMES.to_string();
    python("codec_cine.py", &["jpeg-2000".as_ref(), frames.as_ref(), cine.as_os_str()]);
    let mut command =
        node.airlock::<&Path>(&["deid".as_ref(), &cine, &out, "--report".as_ref(), &report]);
    let mut deid = Process::start("airlock deid", &mut command, &node.home().join("deid.log"));
    let (status, peaks) = deid.wait_measured(DEID_WAIT_MAX);
    assert!(status.success(), "{status}\n{}", deid.log());
    let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    println!("{peaks:?}\n{report}");
    let pixels = &report["instances"][0]["report"]["pixels"];
    assert_eq!(pixels["frames"], FRAMES, "{report}");
    assert_eq!(pixels["boxes"][0]["hidden"], true, "{report}");
    assert!(peaks.front_bytes < FRONT_BYTES_MAX, "{peaks:?}");
    assert!((FRAME_BYTES..WORKER_BYTES_MAX).contains(&peaks.worker_bytes), "{peaks:?}");
}
