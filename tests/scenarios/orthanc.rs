//! Foreign senders to airlock to a foreign PACS, with public files of many
//! makers and codings.
//!
//! Method: 50 of pydicom's files and the sample are sent twice by `dcmsend`.
//! Its report tells what was acknowledged in which order, airlock's ids are
//! ordered by time, so each file is followed to Orthanc or into quarantine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::bytes::Regex;

use crate::support::dcmtk::storescu;
use crate::support::files::sample;
use crate::support::node::Node;
use crate::support::orthanc::Orthanc;
use crate::support::process::{run, tool};
use crate::support::python::{corpus, identifiers, patients};

/// Of 51 files; the rest may stand in quarantine.
const ARRIVED_MIN: usize = 40;

fn configuration(orthanc: &Orthanc) -> String {
    format!(
        "[destination.research]\nae_title = '{}'\nhost = '127.0.0.1'\nport = {}\n",
        orthanc.ae_title, orthanc.dicom_port
    )
}

/// Sends by `dcmsend`; the files that were acknowledged, in order.
fn acknowledged(node: &Node, files: &[PathBuf]) -> Vec<PathBuf> {
    let report = node.home().join("dcmsend.txt");
    std::fs::remove_file(&report).ok();
    let mut command = Command::new(tool("dcmsend"));
    command.args(["--no-halt", "--decompress-never", "--create-report-file"]).arg(&report);
    command.args(["--call", "AIRLOCK", "127.0.0.1", &node.port().to_string()]);
    run(command.args(files));
    let text = std::fs::read_to_string(&report).unwrap();
    let value = |line: &str, key: &str| {
        Some(line.strip_prefix(key)?.trim_start_matches([' ', ':']).to_owned())
    };
    let (mut stored, mut file) = (Vec::new(), None);
    for line in text.lines() {
        if let Some(name) = value(line, "Filename") {
            file = Some(PathBuf::from(name));
        } else if value(line, "DIMSE Status").is_some_and(|status| status.starts_with("0x0000")) {
            stored.push(file.take().unwrap());
        }
    }
    stored
}

/// Sent again too: the large ones take their time, and none is special.
fn is_small(file: &Path) -> bool {
    std::fs::metadata(file).unwrap().len() < 300_000
}

/// What became of each file: its new instance UID, or the reason.
fn fates(node: &Node, stored: &[PathBuf]) -> BTreeMap<PathBuf, Result<String, String>> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let delivered = node.receipts("delivered");
    let delivered = delivered.iter().map(|one| (text(&one["id"]), Ok(text(&one["instance"]))));
    let quarantined = node.quarantined();
    let quarantined = quarantined.iter().map(|one| {
        let why = format!("{} {}", text(&one["reason"]), text(&one["detail"]));
        (text(&one["id"]), Err(why))
    });
    let by_id: BTreeMap<_, _> = delivered.chain(quarantined).collect();
    assert_eq!(by_id.len(), stored.len(), "each acknowledged file is here or there");
    stored.iter().cloned().zip(by_id.into_values()).collect()
}

/// Patient ID by SOP Instance UID, as Orthanc has them.
fn patient_ids(orthanc: &Orthanc) -> BTreeMap<String, String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let instances = orthanc.get("/instances?expand");
    let patient_of = |one: &serde_json::Value| {
        let patient = orthanc.get(&format!("/instances/{}/patient", text(&one["ID"])));
        let uid = text(&one["MainDicomTags"]["SOPInstanceUID"]);
        (uid, text(&patient["MainDicomTags"]["PatientID"]))
    };
    instances.as_array().unwrap().iter().map(patient_of).collect()
}

/// Looks at every byte of every file that stands there.
fn no_original_identifier(orthanc: &Orthanc, known: &[String]) {
    let any: Vec<_> = known.iter().map(|text| regex::escape(text)).collect();
    let any = Regex::new(&any.join("|")).unwrap();
    for id in orthanc.instances() {
        let file = orthanc.file(&id);
        if let Some(found) = any.find(&file) {
            let found = String::from_utf8_lossy(found.as_bytes());
            panic!("{id} holds {found:?}");
        }
    }
}

fn one_patient_has_one_pseudonym(
    orthanc: &Orthanc,
    fates: &BTreeMap<PathBuf, Result<String, String>>,
) {
    let codes = patient_ids(orthanc);
    let arrived = fates.iter().filter_map(|(file, fate)| Some((file, fate.as_ref().ok()?)));
    let (files, instances): (Vec<_>, Vec<_>) = arrived.unzip();
    let pairs: BTreeSet<_> = patients(&files)
        .into_iter()
        .zip(instances.iter().map(|instance| codes[*instance].clone()))
        .collect();
    let people: BTreeSet<_> = pairs.iter().map(|(person, _)| person).collect();
    let codes: BTreeSet<_> = pairs.iter().map(|(_, code)| code).collect();
    assert!(people.len() > 10, "{} patients", people.len());
    assert_eq!((people.len(), codes.len()), (pairs.len(), pairs.len()), "{pairs:?}");
}

#[test]
fn public_files_arrive_clean_at_orthanc_or_stand_in_quarantine_and_nothing_doubles() {
    let home = tempfile::tempdir().unwrap();
    let mut files = corpus(&home.path().join("corpus"), 50);
    files.push(sample());
    let orthanc = Orthanc::start(&home.path().join("orthanc"), "RESEARCH");
    let node = Node::start(&configuration(&orthanc));

    let stored = acknowledged(&node, &files);
    let quarantined = node.settle().quarantine;
    let fates = fates(&node, &stored);
    for (file, fate) in &fates {
        if let Err(why) = fate {
            println!("quarantined: {}: {why}", file.file_name().unwrap().display());
        }
    }
    for file in files.iter().filter(|file| !stored.contains(file)) {
        println!("not acknowledged: {}", file.file_name().unwrap().display());
    }
    let arrived = orthanc.instances().len();
    println!("{arrived} arrived, {quarantined} in quarantine, of {} files", files.len());
    assert!(arrived >= ARRIVED_MIN, "{arrived}");
    assert_eq!(arrived + quarantined, stored.len());
    let known = identifiers(&files);
    assert!(known.len() > 100, "{} identifiers", known.len());
    no_original_identifier(&orthanc, &known);
    one_patient_has_one_pseudonym(&orthanc, &fates);

    files.retain(|file| stored.contains(file) && (is_small(file) || fates[file].is_err()));
    assert!(files.len() > 30, "{}", files.len());
    assert_eq!(acknowledged(&node, &files).len(), files.len());
    assert_eq!(node.settle().quarantine, quarantined, "{:?}", node.reasons());
    assert_eq!(orthanc.instances().len(), arrived);
    assert_eq!(orthanc.get("/statistics")["CountInstances"], arrived);
    node.command(&["receipts", "verify"]).success();
}

#[test]
fn the_sample_sent_by_storescu_arrives_clean() {
    let home = tempfile::tempdir().unwrap();
    let orthanc = Orthanc::start(&home.path().join("orthanc"), "RESEARCH");
    let node = Node::start(&configuration(&orthanc));
    storescu("AIRLOCK", node.port(), &[], &[sample()]).success();
    assert_eq!(node.settle().quarantine, 0, "{:?}", node.quarantined());
    assert_eq!(orthanc.instances().len(), 1);
    let known = identifiers(&[sample()]);
    assert!(known.len() > 5, "{known:?}");
    no_original_identifier(&orthanc, &known);
}
