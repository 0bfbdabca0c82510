//! User Identity Negotiation (PS3.7 §D.3.3.7) against pynetdicom and DCMTK: who is
//! asked for a user must be it, and nobody learns of what was shown.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::support::node::Node;
use crate::support::object::Object;
use crate::support::process::{run, tool};
use crate::support::python::python;
use crate::tls::{Authority, node};

const PASSCODE: &str = "OpenSesame-4711";

fn asking(home: &Path, ours: &Authority, user: &str) -> Node {
    let file = home.join("passcode");
    fs::write(&file, format!("{PASSCODE}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let user = user.replace("FILE", &file.display().to_string());
    node(
        ours,
        &format!("[log]\nfilter = 'debug'\n[sender.cart]\nae_title = 'CART'\ntls = true\n{user}"),
    )
}

fn authority(home: &Path) -> Authority {
    let ours = Authority::new(&home.join("ours"), "Test Authority");
    ours.sign("node", "2");
    ours.sign("cart", "2");
    ours
}

/// What pynetdicom is answered.
fn asked(node: &Node, ours: &Authority, kind: &str, name: &str, passcode: &str) -> String {
    let port = node.port().to_string();
    let files = [ours.certificate("ca"), ours.certificate("cart"), ours.key("cart")];
    let [ca, certificate, key] = files.each_ref().map(|file| file.to_str().unwrap());
    let arguments = [port.as_str(), ca, certificate, key, kind, name, passcode];
    python("identity.py", &arguments).trim().to_owned()
}

const REJECTED: &str = "rejected 1 2 1";
/// Role: SCU taken, SCP declined. Extended negotiation: not answered.
const REST: &str = "scu=True scp=False extended=0";

#[test]
fn a_user_gets_in_by_passcode_and_nobody_else_does() {
    let home = tempfile::tempdir().unwrap();
    let ours = authority(home.path());
    let node = asking(home.path(), &ours, "user = 'cart-7'\npasscode_file = 'FILE'\n");
    let answer = |kind, name, passcode| asked(&node, &ours, kind, name, passcode);
    assert_eq!(answer("2", "cart-7", PASSCODE), format!("accepted answered {REST}"));
    for (kind, name, passcode) in [
        ("2", "cart-7", "OpenSesame-4712"),
        ("2", "cart-7", "OpenSesame-471"),
        ("2", "cart-8", PASSCODE),
        ("1", "cart-7", ""),
        ("3", "a Kerberos ticket", ""),
        ("4", "a SAML assertion", ""),
        ("5", "a.json.token", ""),
        ("0", "", ""),
    ] {
        assert_eq!(answer(kind, name, passcode), REJECTED, "{kind} {name} {passcode}");
    }
    let log = node.log();
    assert!(!log.contains("OpenSesame") && !log.contains("cart-7") && !log.contains("SAML assert"));
    assert!(log.contains("UsernamePasscode") && log.contains("Token"), "{}", node.log_tail());
}

#[test]
fn who_is_asked_for_nothing_gets_in_with_any_identity() {
    let home = tempfile::tempdir().unwrap();
    let ours = authority(home.path());
    let node = asking(home.path(), &ours, "");
    for kind in ["0", "1", "2", "3", "4", "5"] {
        let answer = asked(&node, &ours, kind, "anybody", "anything");
        assert_eq!(answer, format!("accepted silent {REST}"), "type {kind}");
    }
}

#[test]
fn dcmtk_sends_as_a_user() {
    let home = tempfile::tempdir().unwrap();
    let ours = authority(home.path());
    let node = asking(home.path(), &ours, "user = 'cart-7'\npasscode_file = 'FILE'\n");
    let file = Object::ct(1).write(home.path());
    let send = |options: &[&str]| {
        let mut command = Command::new(tool("storescu"));
        command.arg("+tls").arg(ours.key("cart")).arg(ours.certificate("cart"));
        command.arg("+cf").arg(ours.certificate("ca")).args(options);
        command.args(["--aetitle", "CART", "--call", "AIRLOCK", "127.0.0.1"]);
        run(command.arg(node.port().to_string()).arg(&file))
    };
    send(&["--user", "cart-7", "--password", PASSCODE, "--pos-response"]).success();
    assert_ne!(send(&["--user", "cart-7", "--password", "wrong"]).code(), 0);
    assert_ne!(send(&["--user", "cart-7"]).code(), 0);
    assert_ne!(send(&[]).code(), 0);
    assert_eq!(node.log().matches("association rejected").count(), 3, "{}", node.log_tail());
}
