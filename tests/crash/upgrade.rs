//! C14: a data directory that an earlier version left with a full queue.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::support::files::in_repository;
use crate::support::process::run;
use crate::trial::Trial;

#[test]
fn the_queue_of_an_earlier_version_is_delivered_under_its_pseudonyms() {
    let mut trial = Trial::new("hmac");
    let data = trial.node.data();
    run(Command::new("cp").arg("-r").arg(in_repository("tests/data/data-dir-v1")).arg(&data))
        .success();
    // What git does not keep: modes, empty directories, hard links.
    fs::set_permissions(data.join("keys"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(data.join("keys/master"), fs::Permissions::from_mode(0o600)).unwrap();
    let before: BTreeSet<String> = trial.set_aside().into_iter().collect();
    assert_eq!(before.len(), 1);
    trial.node.start_again();
    trial.drain();
    let came = trial.sink.by_number();
    assert_eq!(came.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    // Two of patient 0 were cleaned by the earlier version, the third by this one.
    let codes: BTreeSet<&str> = (0..3).map(|number| came[&number][0].code.as_str()).collect();
    assert_eq!(codes.len(), 1, "{codes:?}");
    assert_ne!(came[&0][0].code, came[&3][0].code);
    assert!(came.values().all(|deliveries| deliveries.len() == 1));
    assert_eq!(trial.set_aside().into_iter().collect::<BTreeSet<_>>(), before);
    trial.node.command(&["receipts", "verify"]).success();
    trial.node.command(&["pseudonym", "verify"]).success();
    let item = trial.node.quarantined().remove(0);
    assert_eq!(item["reason"], "no-patient-id", "{item}");
    trial.node.stop();
}
