//! An hour as a cart has it, with pynetdicom, under clocks that run faster (libfaketime
//! from Debian).

use crate::support::files::faketime;
use crate::support::node::Node;
use crate::support::object::ct_files;
use crate::support::python::python;

/// An hour takes one minute; the node's times are those of its defaults.
const SPEED: &str = "60";
/// How long an association may be silent by default, and the most that it is late here.
const IDLE_MINUTES: f64 = 15.0;
const LATE_MINUTES: f64 = 5.0;

#[test]
fn a_cart_sends_an_image_every_ten_minutes_for_an_hour_on_one_association() {
    let mut node = Node::prepare(
        "[project.default]\nheader_only = ['1.2.840.10008.5.1.4.1.1.2']\n\
         [destination.folder]\nfolder = 'data/delivered'\n",
    );
    let library = faketime();
    let clock = [("LD_PRELOAD", library.as_str()), ("FAKETIME", &format!("+0 x{SPEED}"))];
    clock.iter().for_each(|(name, value)| node.set(name, value));
    node.start_again();
    clock.iter().for_each(|(name, _)| node.unset(name));
    // Three studies, two images each.
    let files = ct_files(&node.home().join("files"), [10, 11, 20, 21, 30, 31]);
    let port = node.port().to_string();
    let mut arguments = vec![port.as_str(), &library, SPEED];
    arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
    let said = python("hour.py", &arguments);
    let minutes = |what: &str| {
        let found = said.lines().find_map(|line| line.strip_prefix(what));
        found.unwrap_or_else(|| panic!("{said}")).parse::<f64>().unwrap()
    };
    let stored = "stored: 0000\n".repeat(files.len());
    assert!(
        said.starts_with(&format!("{stored}echo: 0000\n")) && said.contains("aborted: True\n"),
        "{said}{}",
        node.log_tail()
    );
    assert!((60.0..60.0 + LATE_MINUTES).contains(&minutes("minutes: ")), "{said}");
    // That the node's clock was as fast.
    let idle = IDLE_MINUTES..IDLE_MINUTES + LATE_MINUTES;
    assert!(idle.contains(&minutes("silent: ")), "{said}");
    let standing = node.wait_standing("all is out", |standing| {
        standing.incoming + standing.received + standing.outbox == 0
    });
    assert_eq!(standing.quarantine, 0, "{standing:?}");
    assert_eq!(node.receipts("delivered").len(), files.len());
    assert!(node.log().contains("stored=6"), "one association: {}", node.log_tail());
}
