//! TLS in both roles against DCMTK and OpenSSL: who should get in gets in, who
//! should not is refused and stands in the log.
//!
//! Method: OpenSSL makes an authority and certificates for the test; each case
//! is one connection, and the log must have grown by what it says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::files::files_below;
use crate::support::node::Node;
use crate::support::object::Object;
use crate::support::process::{Process, Run, free_port, listens, run, tool, wait_for};

const LOG_WAIT_MAX: std::time::Duration = std::time::Duration::from_secs(20);

/// An authority and what it signed.
pub(crate) struct Authority {
    folder: PathBuf,
}

impl Authority {
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        fs::create_dir_all(folder).unwrap();
        let this = Self { folder: folder.to_owned() };
        let subject = format!("/CN={name}");
        let made = ["-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", &subject];
        let (key, out) = (this.key("ca"), this.certificate("ca"));
        openssl(&["req", "-x509"], &made, &[("-keyout", &key), ("-out", &out)]);
        this
    }

    pub(crate) fn certificate(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pem"))
    }

    pub(crate) fn key(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.key"))
    }

    /// A certificate for this machine, valid for so many days.
    pub(crate) fn sign(&self, name: &str, days: &str) {
        let request = self.folder.join(format!("{name}.csr"));
        let extensions = self.folder.join("extensions");
        fs::write(&extensions, "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
        let subject = format!("/CN={name}");
        let made = ["-newkey", "rsa:2048", "-nodes", "-subj", &subject];
        let key = self.key(name);
        openssl(&["req"], &made, &[("-keyout", &key), ("-out", &request)]);
        let (by, by_key) = (self.certificate("ca"), self.key("ca"));
        let files: [(&str, &Path); 5] = [
            ("-in", &request),
            ("-CA", &by),
            ("-CAkey", &by_key),
            ("-extfile", &extensions),
            ("-out", &self.certificate(name)),
        ];
        openssl(&["x509", "-req"], &["-CAcreateserial", "-days", days], &files);
    }

    /// SHA-256 of a certificate as OpenSSL prints it.
    fn fingerprint(&self, name: &str) -> String {
        let mut command = Command::new(tool("openssl"));
        command.args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]);
        let printed = run(command.arg(self.certificate(name))).success();
        printed.trim().rsplit_once('=').unwrap().1.to_owned()
    }
}

fn openssl(what: &[&str], options: &[&str], files: &[(&str, &Path)]) {
    let mut command = Command::new(tool("openssl"));
    command.args(what).args(options);
    for (option, file) in files {
        command.arg(option).arg(file);
    }
    run(&mut command).success();
}

/// A node whose door is open under TLS alone and asks for a certificate.
pub(crate) fn node(ours: &Authority, more: &str) -> Node {
    let mut node = Node::prepare(&format!(
        "[dicom]\nplain = false\n[dicom.tls]\ncertificate = '{}'\nkey_file = '{}'\n\
         authorities = '{}'\n{more}",
        ours.certificate("node").display(),
        ours.key("node").display(),
        ours.certificate("ca").display(),
    ));
    node.set("AIRLOCK__DICOM__TLS__PORT", "0");
    node.start_again();
    node
}

/// `echoscu` with a certificate of `theirs` and a security profile.
fn echo(node: &Node, ours: &Authority, theirs: &Authority, name: &str, profile: &str) -> Run {
    let mut command = Command::new(tool("echoscu"));
    command.arg("+tls").arg(theirs.key(name)).arg(theirs.certificate(name));
    command.arg("+cf").arg(ours.certificate("ca")).arg(profile);
    command.args(["--call", "AIRLOCK", "127.0.0.1", &node.port().to_string()]);
    run(&mut command)
}

/// The handshake of `openssl s_client`: true when it came about.
fn shakes_hands(node: &Node, theirs: &Authority, options: &[&str]) -> bool {
    let mut command = Command::new(tool("openssl"));
    command.args(["s_client", "-brief", "-connect", &format!("127.0.0.1:{}", node.port())]);
    command.arg("-cert").arg(theirs.certificate("cart")).arg("-key").arg(theirs.key("cart"));
    let done = run(command.args(options));
    done.stderr.contains("CONNECTION ESTABLISHED")
}

fn refusals(node: &Node) -> usize {
    node.log().matches("TLS handshake failed").count()
}

#[test]
fn senders_get_in_by_certificate_in_each_profile_that_is_not_retired() {
    let home = tempfile::tempdir().unwrap();
    let ours = Authority::new(&home.path().join("ours"), "Test Authority");
    let foreign = Authority::new(&home.path().join("foreign"), "Other Authority");
    for name in ["node", "cart", "other"] {
        ours.sign(name, "20");
    }
    ours.sign("expired", "-1");
    foreign.sign("cart", "20");
    let node = node(&ours, "");

    for profile in ["+py", "+px", "+pz"] {
        echo(&node, &ours, &ours, "cart", profile).success();
    }
    assert_eq!(refusals(&node), 0, "{}", node.log_tail());
    let object = Object::ct(1).write(&home.path().join("files"));
    let mut command = Command::new(tool("storescu"));
    command.arg("+tls").arg(ours.key("cart")).arg(ours.certificate("cart"));
    command.arg("+cf").arg(ours.certificate("ca"));
    command.args(["--call", "AIRLOCK", "127.0.0.1", &node.port().to_string()]);
    run(command.arg(object)).success();
    node.settle();
    assert_eq!(node.delivered().len(), 1, "{:?}", node.quarantined());

    // Refused: unknown and expired certificates, none, no encryption, old versions, no TLS.
    let cases: [(&str, &dyn Fn() -> bool); 7] = [
        ("foreign", &|| echo(&node, &ours, &foreign, "cart", "+py").code() == 0),
        ("expired", &|| echo(&node, &ours, &ours, "expired", "+py").code() == 0),
        ("NULL", &|| echo(&node, &ours, &ours, "cart", "+pn").code() == 0),
        ("TLS 1.0", &|| shakes_hands(&node, &ours, &["-tls1", "-cipher", "ALL:@SECLEVEL=0"])),
        ("TLS 1.1", &|| shakes_hands(&node, &ours, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"])),
        ("no certificate", &|| {
            let mut command = Command::new(tool("echoscu"));
            command.args(["+tla", "-ic", "--call", "AIRLOCK", "127.0.0.1"]);
            run(command.arg(node.port().to_string())).code() == 0
        }),
        ("no TLS", &|| {
            let mut command = Command::new(tool("echoscu"));
            command.args(["--call", "AIRLOCK", "127.0.0.1", &node.port().to_string()]);
            run(&mut command).code() == 0
        }),
    ];
    for (case, gets_in) in cases {
        let before = refusals(&node);
        assert!(!gets_in(), "{case} got in");
        wait_for(case, LOG_WAIT_MAX, || (refusals(&node) > before).then_some(()));
    }
    assert!(shakes_hands(&node, &ours, &["-tls1_2"]));
    assert!(shakes_hands(&node, &ours, &["-tls1_3"]));
}

#[test]
fn an_ae_title_is_bound_to_its_certificate_and_new_files_count_at_once() {
    let home = tempfile::tempdir().unwrap();
    let ours = Authority::new(&home.path().join("ours"), "Test Authority");
    for name in ["node", "cart", "other"] {
        ours.sign(name, "20");
    }
    let bound = format!(
        "[sender.cart]\nae_title = 'ECHOSCU'\ncertificates = ['{}']\n",
        ours.fingerprint("cart")
    );
    let node = node(&ours, &bound);
    echo(&node, &ours, &ours, "cart", "+py").success();
    assert_ne!(echo(&node, &ours, &ours, "other", "+py").code(), 0);
    assert!(node.log().contains("calling AE title not recognized"), "{}", node.log_tail());

    // Another authority from now on.
    let next = Authority::new(&home.path().join("next"), "Next Authority");
    fs::copy(next.certificate("ca"), ours.certificate("ca.new")).unwrap();
    let trusted = ours.folder.join("trusted-before.pem");
    fs::copy(ours.certificate("ca"), &trusted).unwrap();
    fs::rename(ours.certificate("ca.new"), ours.certificate("ca")).unwrap();
    let mut command = Command::new(tool("echoscu"));
    command.arg("+tls").arg(ours.key("cart")).arg(ours.certificate("cart"));
    command.arg("+cf").arg(&trusted);
    command.args(["--call", "AIRLOCK", "127.0.0.1", &node.port().to_string()]);
    assert_ne!(run(&mut command).code(), 0, "the old authority is not trusted any more");
    assert!(node.log().contains("read anew"), "{}", node.log_tail());
}

#[test]
fn the_door_under_tls_stands_beside_the_plain_one_and_renews_its_certificate() {
    let home = tempfile::tempdir().unwrap();
    let ours = Authority::new(&home.path().join("ours"), "Test Authority");
    let next = Authority::new(&home.path().join("next"), "Next Authority");
    ours.sign("node", "20");
    next.sign("node", "20");
    let mut node = Node::prepare(&format!(
        "[dicom.tls]\ncertificate = '{}'\nkey_file = '{}'\n",
        ours.certificate("node").display(),
        ours.key("node").display(),
    ));
    node.set("AIRLOCK__DICOM__TLS__PORT", "0");
    node.start_again();
    let endpoints = fs::read(node.data().join("run/endpoints.json")).unwrap();
    let endpoints: serde_json::Value = serde_json::from_slice(&endpoints).unwrap();
    let port = |of: &str| endpoints[of].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
    assert_ne!(port("dicom"), port("dicom_tls"));
    let echoes = |options: &[&std::ffi::OsStr], port: &str| {
        let mut command = Command::new(tool("echoscu"));
        command.args(options).args(["--call", "AIRLOCK", "127.0.0.1", port]);
        run(&mut command).code() == 0
    };
    let trusts = |authority: &Authority| {
        let certificate = authority.certificate("ca");
        echoes(&["+tla".as_ref(), "+cf".as_ref(), certificate.as_os_str()], &port("dicom_tls"))
    };
    assert!(echoes(&[], &port("dicom")), "plain at the plain port");
    assert!(!echoes(&[], &port("dicom_tls")), "plain at the port for TLS");
    assert!(trusts(&ours) && !trusts(&next));
    // The key first: the two must fit when the certificate is there.
    fs::copy(next.key("node"), ours.key("node")).unwrap();
    fs::copy(next.certificate("node"), ours.certificate("node")).unwrap();
    assert!(trusts(&next) && !trusts(&ours), "{}", node.log_tail());
    assert!(echoes(&[], &port("dicom")));
}

#[test]
fn destinations_are_reached_under_tls_and_impostors_get_nothing() {
    let home = tempfile::tempdir().unwrap();
    let ours = Authority::new(&home.path().join("ours"), "Test Authority");
    let foreign = Authority::new(&home.path().join("foreign"), "Other Authority");
    for name in ["node", "pacs"] {
        ours.sign(name, "20");
    }
    foreign.sign("pacs", "20");
    let sink = home.path().join("sink");
    let (_good, port) = storescp(&sink, &ours, &ours);
    let (_bad, impostor) = storescp(&home.path().join("impostor"), &foreign, &ours);
    let destination = |name: &str, port: u16, trust: &str| {
        format!(
            "[destination.{name}]\nae_title = 'SINK'\nhost = 'localhost'\nport = {port}\ntls = true\n\
             {trust}\ncertificate = '{}'\nkey_file = '{}'\n",
            ours.certificate("node").display(),
            ours.key("node").display(),
        )
    };
    let signed = format!("authorities = '{}'", ours.certificate("ca").display());
    let pinned = format!("certificate_sha256 = '{}'", ours.fingerprint("pacs"));
    let configuration = [
        destination("signed", port, &signed),
        destination("pinned", port, &pinned),
        destination("impostor", impostor, &signed),
        destination("impostor-pinned", impostor, &pinned),
    ]
    .concat();
    let node = Node::prepare(&configuration);
    let file = node.configuration();
    let echo = |name: &str| {
        node.command(&[
            std::ffi::OsStr::new("--config"),
            file.as_os_str(),
            "echo".as_ref(),
            name.as_ref(),
        ])
    };
    echo("signed").success();
    echo("pinned").success();
    assert_ne!(echo("impostor").code(), 0);
    assert_ne!(echo("impostor-pinned").code(), 0);
    let object = Object::ct(1).write(&home.path().join("files"));
    let arguments: [&std::ffi::OsStr; 5] = [
        "--config".as_ref(),
        file.as_os_str(),
        "send".as_ref(),
        "signed".as_ref(),
        object.as_os_str(),
    ];
    node.command(&arguments).success();
    assert_eq!(files_below(&sink).len(), 1);
    assert!(files_below(&home.path().join("impostor")).is_empty());
}

/// `storescp` with a certificate of `theirs` that asks for one of `ours`.
fn storescp(folder: &Path, theirs: &Authority, ours: &Authority) -> (Process, u16) {
    fs::create_dir_all(folder).unwrap();
    let port = free_port();
    let mut command = Command::new(tool("storescp"));
    command.args(["--fork", "--promiscuous", "--aetitle", "SINK", "--output-directory"]);
    command.arg(folder).arg("+tls").arg(theirs.key("pacs")).arg(theirs.certificate("pacs"));
    command.arg("+cf").arg(ours.certificate("ca")).arg(port.to_string());
    let mut process =
        Process::start("storescp", &mut command, &folder.with_extension("storescp.log"));
    process.wait_for("storescp's port", || listens(port));
    (process, port)
}
