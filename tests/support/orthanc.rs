//! Orthanc as research PACS: stores what it gets, answers questions over HTTP.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::process::{Process, free_port, tool};

/// Longest wait for one answer.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(20);

/// A running Orthanc; everything of it lies in one folder.
#[derive(Debug)]
pub(crate) struct Orthanc {
    pub(crate) ae_title: String,
    pub(crate) dicom_port: u16,
    http_port: u16,
    process: Process,
}

impl Orthanc {
    /// Starts one that accepts everything, without accounts.
    pub(crate) fn start(folder: &Path, ae_title: &str) -> Self {
        Self::start_knowing(folder, ae_title, &json!({}))
    }

    /// One that knows these modalities: it calls them to report on storage commitment.
    pub(crate) fn start_knowing(folder: &Path, ae_title: &str, modalities: &Value) -> Self {
        fs::create_dir_all(folder).expect("folder for Orthanc");
        let (dicom_port, http_port) = (free_port(), free_port());
        let file = folder.join("orthanc.json");
        let mut configuration = configuration(folder, ae_title, dicom_port, http_port);
        configuration["DicomModalities"] = modalities.clone();
        fs::write(&file, configuration.to_string()).expect("Orthanc's configuration");
        let mut command = Command::new(tool("Orthanc"));
        let log = folder.join("orthanc.log");
        let process = Process::start("Orthanc", command.arg(&file), &log);
        let mut orthanc = Self { ae_title: ae_title.to_owned(), dicom_port, http_port, process };
        orthanc.process.wait_for("Orthanc's answer", || try_get(http_port, "/system"));
        orthanc
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// A resource as JSON, as in `/statistics` or `/instances?expand`.
    pub(crate) fn get(&self, path: &str) -> Value {
        serde_json::from_slice(&self.get_bytes(path)).expect("JSON from Orthanc")
    }

    /// A resource as it is, as in `/instances/ID/file`.
    pub(crate) fn get_bytes(&self, path: &str) -> Vec<u8> {
        try_get(self.http_port, path)
            .unwrap_or_else(|| panic!("Orthanc has no {path}:\n{}", self.process.log()))
    }

    /// Orthanc's ids of the instances that stand there.
    pub(crate) fn instances(&self) -> Vec<String> {
        let ids: Vec<String> = serde_json::from_value(self.get("/instances")).expect("a list");
        ids
    }

    /// The same, when it has it.
    pub(crate) fn try_file(&self, id: &str) -> Option<Vec<u8>> {
        try_get(self.http_port, &format!("/instances/{id}/file"))
    }

    /// The file of one instance, as it was received.
    pub(crate) fn file(&self, id: &str) -> Vec<u8> {
        self.get_bytes(&format!("/instances/{id}/file"))
    }
}

fn configuration(folder: &Path, ae_title: &str, dicom_port: u16, http_port: u16) -> Value {
    json!({
        "Name": ae_title,
        "StorageDirectory": folder.join("storage"),
        "IndexDirectory": folder.join("storage"),
        "Plugins": [],
        "HttpPort": http_port,
        "RemoteAccessAllowed": false,
        "AuthenticationEnabled": false,
        "DicomAet": ae_title,
        "DicomPort": dicom_port,
        "DicomCheckCalledAet": true,
        "DicomAlwaysAllowEcho": true,
        "DicomAlwaysAllowStore": true,
        "UnknownSopClassAccepted": true,
        "OverwriteInstances": false,
    })
}

/// The body of a 200 answer; nothing while there is no such answer.
fn try_get(port: u16, path: &str) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(ANSWER_WAIT_MAX)).ok()?;
    // 1.0: the answer is not chunked and ends with the connection.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let status = answer.split(|&byte| byte == b' ').nth(1)?;
    (status == b"200").then(|| answer.split_off(head + 4))
}
