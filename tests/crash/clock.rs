//! C7: the wall clock jumps by a day and by ten years, forwards and backwards,
//! under a running node and between two starts (libfaketime from Debian).

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::check::check;
use crate::dice::Dice;
use crate::scripted::{Act, Event};
use crate::support::files::faketime;
use crate::trial::Trial;

/// A node whose wall clock stands in a file; delays go by the true clock.
fn clocked(trial: &mut Trial, offset: &Path) {
    trial.node.set("LD_PRELOAD", &faketime());
    trial.node.set("FAKETIME_TIMESTAMP_FILE", offset.to_str().unwrap());
    trial.node.set("FAKETIME_NO_CACHE", "1");
    trial.node.set("FAKETIME_DONT_FAKE_MONOTONIC", "1");
}

fn year_of_last_line(trial: &Trial) -> u32 {
    let log = trial.node.log();
    let last = log.lines().rev().find(|line| line.contains("delivered")).expect("a delivery");
    last[..4].parse().expect("a year")
}

#[test]
fn clock_jumps_of_a_day_and_of_ten_years_neither_stop_nor_reorder_nor_lose_anything() {
    let mut trial = Trial::new("random");
    let offset = trial.node.home().join("offset");
    fs::write(&offset, "+0d").unwrap();
    clocked(&mut trial, &offset);
    trial.node.start_again();
    let mut dice = Dice::of(1, "clock");
    let mut years = Vec::new();
    for jump in ["+0d", "+1d", "-1d", "+10y", "-10y", "+0d"] {
        fs::write(&offset, jump).unwrap();
        for restarts in [false, true] {
            trial.send(6, &mut dice).into_iter().for_each(|sender| sender.join().unwrap());
            trial.drain();
            if restarts {
                trial.node.stop();
                trial.note_death();
                trial.node.start_again();
            }
        }
        years.push(year_of_last_line(&trial));
    }
    assert!(years[3] >= years[0] + 9 && years[4] + 9 <= years[0], "the clock jumped: {years:?}");
    let tally = check(&trial);
    assert!(tally.faults.is_empty() && tally.delivered == 72, "{tally:#?}");
    assert_eq!(tally.repeated, 0);
    trial.node.stop();
}

#[test]
fn clock_jumps_make_retries_neither_stop_nor_storm() {
    let mut trial = Trial::new("hmac");
    let offset = trial.node.home().join("offset");
    fs::write(&offset, "+0d").unwrap();
    clocked(&mut trial, &offset);
    trial.sink.behave(Act::RejectTransient);
    trial.node.start_again();
    let mut dice = Dice::of(1, "storm");
    trial.send(4, &mut dice).into_iter().for_each(|one| one.join().unwrap());
    let tries = |trial: &Trial| trial.sink.seen(|event| matches!(event, Event::Connected(_)));
    let wait = || (tries(&trial) > 0).then_some(());
    crate::support::process::wait_for("a first try", Duration::from_secs(20), wait);
    for jump in ["+10y", "-10y", "+1d"] {
        let before = tries(&trial);
        fs::write(&offset, jump).unwrap();
        // What one destination has at a wrong time is not kept until then.
        trial.send(2, &mut dice).into_iter().for_each(|one| one.join().unwrap());
        std::thread::sleep(Duration::from_secs(3));
        let made = tries(&trial) - before;
        assert!(made <= 1, "{made} tries in 3 s after {jump}, with half a minute between tries");
    }
    trial.sink.behave(Act::Answer(0));
    // The next try is half a minute after the first, whatever the clock said.
    trial.drain();
    assert_eq!(trial.sink.count(), 10);
    trial.node.stop();
}
