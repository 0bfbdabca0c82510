//! Repeats, several destinations and the end of a node, as senders meet them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::thread;
use std::time::{Duration, Instant};

use airlock::dicom::TransferSyntax;
use airlock::dimse::Limits;
use airlock::dimse::scu::{Address, Scu, VERIFICATION};

use crate::support::dcmtk::{echoscu, storescu};
use crate::support::node::Node;
use crate::support::object::Object;
use crate::support::process::{free_port, wait_for};

/// CT is not searched for text.
const PROJECT: &str = "[project.default]\nheader_only = ['1.2.840.10008.5.1.4.1.1.2']\n";
const ASSOCIATIONS: usize = 8;
const WAIT_MAX: Duration = Duration::from_secs(20);
const IMPLICIT: &str = "1.2.840.10008.1.2";

/// A destination that nobody serves.
fn nobody() -> String {
    format!("[destination.pacs]\nae_title = 'PACS'\nhost = '127.0.0.1'\nport = {}\n", free_port())
}

#[test]
fn one_instance_on_many_associations_at_once_is_kept_once() {
    let node = Node::start(&[PROJECT, &nobody()].concat());
    for round in 1..=3 {
        let file = Object::ct(round).write(&node.home().join("files"));
        thread::scope(|scope| {
            for _ in 0..ASSOCIATIONS {
                scope.spawn(|| storescu("AIRLOCK", node.port(), &[], &[&file]).success());
            }
        });
        let standing = node.wait_standing("all are cleaned", |standing| {
            standing.incoming + standing.received == 0
        });
        assert_eq!((standing.held, standing.outbox), (round, round), "{standing:?}");
    }
}

#[test]
fn what_one_of_two_destinations_has_is_still_known() {
    let node = Node::start(&[PROJECT, "[destination.a]\nfolder = 'out'\n", &nobody()].concat());
    let file = Object::ct(1).write(&node.home().join("files"));
    for _ in 0..2 {
        storescu("AIRLOCK", node.port(), &[], &[&file]).success();
        let standing = node.wait_standing("the folder has it", |standing| {
            standing.incoming + standing.received == 0 && standing.outbox == 1
        });
        assert_eq!(standing.held, 1, "{standing:?}");
        assert_eq!(node.receipts("delivered").len(), 1);
    }
}

#[test]
fn each_sender_is_treated_as_its_policy_says() {
    let configuration = "[sender.lab]\nae_title = 'LAB'\nsop_classes = ['1.2.840.10008.5.1.4.1.1.4']\n\
                         [sender.cart]\nae_title = 'CART'\nassociations_max = 1\n";
    let node = Node::start(&[PROJECT, configuration].concat());
    let file = Object::ct(1).write(&node.home().join("files"));
    // MR alone is taken from the laboratory, and an echo from everybody.
    assert_ne!(storescu("AIRLOCK", node.port(), &["-aet", "LAB"], &[&file]).code(), 0);
    echoscu("LAB", "AIRLOCK", node.port()).success();
    assert_ne!(echoscu("OTHER", "AIRLOCK", node.port()).code(), 0);
    // One association of the cart at a time; it is free again when it ends.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let address = Address {
        called: "AIRLOCK".parse().unwrap(),
        calling: "CART".parse().unwrap(),
        host: "127.0.0.1".into(),
        port: node.port(),
        tls: None,
    };
    let echo =
        (VERIFICATION.parse().unwrap(), vec![TransferSyntax::new(IMPLICIT.parse().unwrap())]);
    let open = runtime.block_on(Scu::open(&address, vec![echo], &Limits::default())).unwrap();
    assert_ne!(echoscu("CART", "AIRLOCK", node.port()).code(), 0);
    echoscu("LAB", "AIRLOCK", node.port()).success();
    runtime.block_on(open.release()).unwrap();
    wait_for("the cart's place", WAIT_MAX, || {
        (echoscu("CART", "AIRLOCK", node.port()).code() == 0).then_some(())
    });
    storescu("AIRLOCK", node.port(), &["-aet", "CART"], &[&file]).success();
}

#[test]
fn the_service_manager_is_told_when_the_node_is_ready_and_when_it_stops() {
    let mut node = Node::prepare(PROJECT);
    let path = node.home().join("notify.sock");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(WAIT_MAX)).unwrap();
    node.set("NOTIFY_SOCKET", path.to_str().unwrap());
    node.start_again();
    let told = || {
        let mut bytes = [0; 64];
        let count = manager.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    };
    assert_eq!(told(), "READY=1");
    node.stop();
    assert_eq!(told(), "STOPPING=1");
}

#[test]
fn a_node_that_is_told_to_stop_ends_well_within_ten_seconds() {
    let mut node = Node::start(&[PROJECT, &nobody()].concat());
    let file = Object::ct(1).write(&node.home().join("files"));
    storescu("AIRLOCK", node.port(), &[], &[&file]).success();
    // A connection that says nothing does not hold it up.
    let silent = TcpStream::connect(("127.0.0.1", node.port())).unwrap();
    let begun = Instant::now();
    let status = node.stop();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(status.success(), "{status} {}", node.log_tail());
    drop(silent);
}

#[test]
fn a_flood_of_strangers_fills_no_log_and_keeps_nobody_out() {
    let node = Node::start(&[PROJECT, &nobody()].concat());
    for _ in 0..400 {
        let mut stranger = TcpStream::connect(("127.0.0.1", node.port())).unwrap();
        stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        // Until it is turned away: else it is one of too many at once.
        stranger.read_to_end(&mut Vec::new()).ok();
    }
    let told = node.log().matches("no association").count();
    // 120 a minute and address.
    assert!((1..400).contains(&told), "{told}");
    let file = Object::ct(1).write(&node.home().join("files"));
    storescu("AIRLOCK", node.port(), &[], &[&file]).success();
    assert!(node.log().contains("stored=1"), "what brings an instance is told in any case");
}
