//! C13 and C8: an orderly end in the middle of associations, and the same
//! instances on several associations at once.

use std::time::{Duration, Instant};

use crate::check::check;
use crate::dice::Dice;
use crate::load::{Line, send_beside};
use crate::scripted::Act;
use crate::support::process::wait_until;
use crate::trial::Trial;

/// Docker kills after so long.
const STOP_MAX: Duration = Duration::from_secs(10);

#[test]
fn a_node_that_is_told_to_stop_inside_associations_ends_in_10_s_and_keeps_its_word() {
    for number in 0..4 {
        let mut dice = Dice::of(1, &format!("stop-{number}"));
        let mut trial = Trial::new("hmac");
        trial.node.start_again();
        let files = trial.next_files(3, &mut dice);
        // Idle between two instances, while two others send.
        let mut idle = Line::open(&trial.to(), &files[0], &trial.log).unwrap();
        assert_eq!(idle.store(&files[0]), Some(0));
        let senders = trial.send(120, &mut dice);
        let (log, before) = (trial.log.clone(), trial.log.count());
        wait_until(
            "load",
            STOP_MAX,
            || (log.count() > before + 3 * number).then_some(()),
            String::new,
        );
        let told = Instant::now();
        let status = trial.node.stop();
        let ended = told.elapsed();
        assert!(status.success() && ended < STOP_MAX, "{status} after {ended:?}");
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        assert_eq!(idle.store(&files[1]), None, "nobody answers any more");
        let acknowledged = trial.log.count();
        assert!(acknowledged < 123, "it ended after all was sent");
        trial.note_death();
        trial.recover();
        let tally = check(&trial);
        println!("ended after {ended:?} with {acknowledged} acknowledged");
        assert!(tally.faults.is_empty() && tally.delivered == acknowledged, "{tally:#?}");
        assert_eq!(tally.repeated, 0, "an orderly end repeats nothing");
        trial.node.stop();
    }
}

#[test]
fn the_same_study_on_three_associations_at_once_is_delivered_once() {
    let mut trial = Trial::new("hmac");
    // Nothing is through before all have come.
    trial.sink.behave(Act::RejectTransient);
    trial.node.start_again();
    let files = trial.next_files(20, &mut Dice::of(1, "thrice"));
    let senders = [0; 3].map(|_| send_beside(&trial.to(), files.clone(), &trial.log));
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    assert_eq!((trial.log.count(), trial.log.refused().len()), (20, 0));
    let waits = || trial.node.queue()["outbox"]["sink"] == 20;
    wait_until("all before the sink", STOP_MAX, || waits().then_some(()), || trial.node.log_tail());
    trial.sink.behave(Act::Answer(0));
    // A destination that failed is asked again after half a minute; a start asks at once.
    trial.node.stop();
    trial.recover();
    let tally = check(&trial);
    assert!(tally.faults.is_empty() && tally.delivered == 20, "{tally:#?}");
    assert_eq!(trial.sink.count(), 20, "one delivered set");
    assert_eq!(trial.node.receipts("delivered").len(), 40, "one for each destination");
    // Again, during and after delivery: the same bytes.
    let senders = [0; 3].map(|_| send_beside(&trial.to(), files.clone(), &trial.log));
    trial.log.note_resent(&(0..20).collect::<Vec<_>>());
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    trial.drain();
    let tally = check(&trial);
    assert!(tally.faults.is_empty() && tally.quarantined == 0, "{tally:#?}");
    trial.node.stop();
}
