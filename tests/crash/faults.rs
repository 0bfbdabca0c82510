//! Single calls to the disk that fail once: what is answered, what is said, what
//! is delivered in the end, and that nothing stops in silence. Every call of the spool is made to fail in its own
//! tests; this is the whole node and the real system.

use std::fs;
use std::process::Command;

use crate::check::compare;
use crate::dice::Dice;
use crate::support::process::{Process, STOP_WAIT_MAX, tool};
use crate::trial::Trial;

/// Calls and errors. EIO says that the medium fails, the others that something is scarce.
const FAULTS: &[(&str, &str)] = &[
    ("fdatasync", "EIO"),
    ("fdatasync", "ENOSPC"),
    ("fsync", "EIO"),
    ("fsync", "ENOSPC"),
    ("rename", "EIO"),
    ("rename", "ENOSPC"),
    ("linkat", "EIO"),
    ("linkat", "ENOSPC"),
    ("unlink", "EIO"),
    ("mkdir", "ENOSPC"),
    ("openat", "EMFILE"),
];

/// strace that makes the front's first such call on each thread fail.
fn failing(trial: &Trial, call: &str, errno: &str) -> Process {
    let log = trial.node.home().join("strace.log");
    fs::remove_file(&log).ok();
    let mut command = Command::new(tool("strace"));
    let inject = format!("inject={call}:error={errno}:when=1");
    command.args(["-f", "-e", &format!("trace={call}"), "-e", &inject, "-o", "/dev/null"]);
    command.args(["-p", &trial.node.process_id().to_string()]);
    let mut strace = Process::start("strace", &mut command, &log);
    let attached = || fs::read_to_string(&log).ok().filter(|text| text.contains("attached"));
    strace.wait_for("strace at the node", attached);
    strace
}

#[test]
fn a_failed_call_is_answered_a700_or_passes_and_loses_nothing() {
    let mut stopped = 0;
    for (call, errno) in FAULTS {
        let mut dice = Dice::of(1, &format!("{call}-{errno}"));
        let mut trial = Trial::new("random");
        trial.node.start_again();
        let mut strace = failing(&trial, call, errno);
        trial.send(12, &mut dice).into_iter().for_each(|sender| sender.join().unwrap());
        // Detached by SIGTERM; the node goes on.
        strace.terminate();
        strace.wait(STOP_WAIT_MAX);
        let refused = trial.log.refused();
        assert!(refused.keys().all(|status| *status == 0xA700), "{call} {errno}: {refused:?}");
        let queue = trial.node.queue();
        let failed = queue["failed"].as_bool().unwrap();
        println!(
            "{call} {errno}: {} taken, {refused:?} refused, failed {failed}",
            trial.log.count()
        );
        assert!(!failed || *errno != "EMFILE", "want of handles says nothing of the disk");
        if failed {
            stopped += 1;
            // Nothing is taken any more, and people are told.
            let says = trial.node.command(&["queue"]).success();
            let told = says.contains("ALARM: STOPPED: the ") && says.contains("NOTHING IS TAKEN");
            assert!(told, "{says}");
            let unwell = trial.node.command(&["healthcheck"]);
            assert_eq!(unwell.code(), 75, "{unwell:?}");
            assert!(unwell.stderr.contains("STOPPED: the "), "{unwell:?}");
            let verdict = trial.verdict_on("data");
            assert_eq!(verdict["good"], false, "{verdict}");
            assert!(verdict["says"].as_str().unwrap().contains("restart the node"), "{verdict}");
            let before = trial.log.count();
            trial.send(2, &mut dice).into_iter().for_each(|sender| sender.join().unwrap());
            assert_eq!(trial.log.count(), before, "{call} {errno}");
        } else {
            // Nothing stopped in silence: all of it comes to its end without a restart.
            trial.node.command(&["healthcheck"]).success();
            trial.drain();
        }
        // A start takes up what stopped: spool, ledger, table or memory of corrections.
        trial.node.stop();
        trial.note_death();
        trial.recover();
        let tally = compare(&trial);
        assert!(tally.faults.is_empty() && tally.quarantined == 0, "{call} {errno}: {tally:#?}");
        assert_eq!(tally.delivered, trial.log.count());
        trial.node.stop();
    }
    assert!(stopped >= 2, "only {stopped} faults stopped the spool");
}
