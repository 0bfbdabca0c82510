//! The foreign peers that other tests lean on do what those tests assume.
//!
//! Method: each is started as the tests start it and given the sample; airlock
//! is not involved, so that a failure here means set-up and nothing else.

mod support;

use support::dcmtk::{StoreScp, dcmdump, dcmsend, echoscu, storescu};
use support::files::{holds, sample};
use support::orthanc::Orthanc;
use support::process::{run, tool, wait_for};
use support::python::{Scp, corpus, identifiers};

const PATIENT_ID: &str = "2020202020202";

#[test]
fn storescp_keeps_what_storescu_sends() {
    let home = tempfile::tempdir().unwrap();
    let scp = StoreScp::start(&home.path().join("sink"), "SINK");
    storescu("SINK", scp.port, &[], &[sample()]).success();
    let [file] = &scp.files()[..] else { panic!("{:?}", scp.files()) };
    assert!(dcmdump(file).contains(PATIENT_ID));
}

#[test]
fn orthanc_keeps_what_storescu_sends() {
    let home = tempfile::tempdir().unwrap();
    let orthanc = Orthanc::start(home.path(), "RESEARCH");
    echoscu("TEST", "RESEARCH", orthanc.dicom_port).success();
    storescu("RESEARCH", orthanc.dicom_port, &[], &[sample()]).success();
    let [id] = &orthanc.instances()[..] else { panic!("{:?}", orthanc.instances()) };
    assert!(holds(&orthanc.file(id), PATIENT_ID));
    assert_eq!(orthanc.get("/statistics")["CountPatients"], 1);
}

#[test]
fn public_files_reach_orthanc_in_their_own_syntaxes() {
    let home = tempfile::tempdir().unwrap();
    let files = corpus(&home.path().join("corpus"), 50);
    assert_eq!(files.len(), 50);
    let orthanc = Orthanc::start(&home.path().join("orthanc"), "RESEARCH");
    let sent = dcmsend("RESEARCH", orthanc.dicom_port, &files);
    // Orthanc 1.10 refuses two: one with UN for the VR of its UIDs, one dose in RLE.
    assert_eq!(orthanc.instances().len(), 48, "{sent:?}");
}

#[test]
fn identifiers_of_the_sample_are_found() {
    let found = identifiers(&[sample()]);
    assert!(found.iter().any(|text| text == PATIENT_ID), "{found:?}");
    assert!(found.iter().all(|text| text.len() > 5), "{found:?}");
}

#[test]
fn pynetdicom_answers_as_told() {
    let home = tempfile::tempdir().unwrap();
    let scp = Scp::start(&home.path().join("odd"), "ODD", &["--answer", "A700,0000"]);
    assert_ne!(storescu("ODD", scp.port, &[], &[sample()]).code(), 0);
    assert!(scp.files().is_empty());
    storescu("ODD", scp.port, &[], &[sample()]).success();
    let statuses: Vec<_> = scp.answers().into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["A700", "0000"]);
    assert_eq!(scp.files().len(), 1);
}

#[test]
fn pynetdicom_aborts_and_rejects_as_told() {
    let home = tempfile::tempdir().unwrap();
    let scp = Scp::start(&home.path().join("abort"), "ODD", &["--abort-at", "1"]);
    assert!(storescu("ODD", scp.port, &[], &[sample()]).stderr.contains("abort"));
    storescu("ODD", scp.port, &[], &[sample()]).success();
    let scp = Scp::start(&home.path().join("reject"), "ODD", &["--reject"]);
    let refused = storescu("ODD", scp.port, &[], &[sample()]);
    assert!(refused.stderr.contains("Rejected Transient"), "{refused:?}");
}

#[test]
fn a_dropped_peer_is_gone() {
    let home = tempfile::tempdir().unwrap();
    let scp = StoreScp::start(&home.path().join("sink"), "SINK");
    let port = scp.port;
    drop(scp);
    wait_for("the port's end", support::process::STOP_WAIT_MAX, || {
        support::process::listens(port).is_none().then_some(())
    });
}

#[test]
fn the_other_tools_are_there() {
    for name in ["strace", "mkfs.ext4", "dciodvfy", "getscu", "dcmconv", "dump2dcm"] {
        tool(name);
    }
    run(std::process::Command::new(tool("strace")).arg("-V")).success();
}
