//! Claims about the queue: order, turns, waking, and that nothing is lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::{Depth, LocalQueue, Queue as _, Stage};
use crate::clock::ManualClock;
use crate::spool::{DestinationName, SpoolId, invented_arrival, spool_in};

fn id(number: u32) -> SpoolId {
    format!("{number:032x}").parse().unwrap()
}

fn queue() -> (LocalQueue, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    (LocalQueue::new(clock.clone()), clock)
}

const CLEAN: Stage = Stage::Clean;

#[test]
fn the_oldest_comes_first_and_only_once() {
    let (queue, _) = queue();
    for number in [3, 1, 2] {
        assert!(queue.offer(&CLEAN, id(number), "trial"));
    }
    assert_eq!(queue.claim(&CLEAN), Some(id(1)));
    assert!(!queue.offer(&CLEAN, id(1), "trial"), "somebody works on it");
    assert!(!queue.offer(&CLEAN, id(2), "trial"), "it waits already");
    assert_eq!(queue.claim(&CLEAN), Some(id(2)));
    assert_eq!(queue.oldest(&CLEAN), Some(id(1)));
    queue.done(&CLEAN, id(1));
    assert_eq!(queue.oldest(&CLEAN), Some(id(2)));
    assert_eq!(queue.depth(&CLEAN), Depth { ready: 1, delayed: 0, taken: 1 });
    assert_eq!(queue.claim(&Stage::Forward("pacs".parse().unwrap())), None);
}

#[test]
fn projects_take_turns_however_long_the_queue_of_one_is() {
    let (queue, _) = queue();
    (0..100).for_each(|number| assert!(queue.offer(&CLEAN, id(number), "cines")));
    (100..103).for_each(|number| assert!(queue.offer(&CLEAN, id(number), "slices")));
    assert!(!queue.offer(&CLEAN, id(100), "cines"), "it waits already");
    assert!(queue.offer(&CLEAN, id(103), ""));
    let first: Vec<_> = (0..6).map(|_| queue.claim(&CLEAN).unwrap()).collect();
    assert_eq!(first, [0, 100, 103, 1, 101, 2].map(id));
    assert_eq!(queue.depth(&CLEAN), Depth { ready: 98, delayed: 0, taken: 6 });
    let rest: Vec<_> = std::iter::from_fn(|| queue.claim(&CLEAN)).collect();
    assert_eq!(rest.len(), 98);
    assert_eq!(rest[..3], [102, 3, 4].map(id));
}

#[test]
fn a_delayed_one_waits_its_time_and_stops_nobody() {
    let (queue, clock) = queue();
    queue.offer(&CLEAN, id(1), "trial");
    queue.offer(&CLEAN, id(2), "trial");
    assert_eq!(queue.claim(&CLEAN), Some(id(1)));
    queue.later(&CLEAN, id(1), Duration::from_secs(30));
    assert!(!queue.offer(&CLEAN, id(1), "trial"), "no way around the delay");
    assert_eq!(queue.claim(&CLEAN), Some(id(2)));
    assert_eq!(queue.claim(&CLEAN), None);
    clock.advance(Duration::from_secs(30));
    assert_eq!(queue.claim(&CLEAN), Some(id(1)));
    queue.later(&CLEAN, id(1), Duration::from_secs(600));
    assert_eq!(queue.depth(&CLEAN), Depth { ready: 0, delayed: 1, taken: 1 });
    queue.hasten(&CLEAN);
    assert_eq!(queue.claim(&CLEAN), Some(id(1)));
}

#[test]
fn those_that_keep_failing_and_new_ones_take_turns() {
    let (queue, _) = queue();
    for number in 0..10 {
        queue.offer(&CLEAN, id(number), "trial");
    }
    let failing = [(); 5].map(|()| queue.claim(&CLEAN).unwrap());
    failing.iter().for_each(|id| queue.later(&CLEAN, *id, Duration::ZERO));
    let mut fresh = BTreeSet::new();
    for _ in 0..10 {
        let next = queue.claim(&CLEAN).unwrap();
        if next >= id(5) {
            fresh.insert(next);
            queue.done(&CLEAN, next);
        } else {
            queue.later(&CLEAN, next, Duration::ZERO);
        }
    }
    assert!(fresh.len() >= 5, "only {} of 5 new ones came in 10 turns", fresh.len());
}

#[test]
fn it_is_filled_from_the_spool_by_names() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    let spool = spool_in(dir.path(), clock.clone());
    let ids = [(); 3].map(|()| spool.begin().unwrap().commit(invented_arrival()).unwrap());
    let pacs: DestinationName = "pacs".parse().unwrap();
    std::fs::write(spool.clean_part(ids[1]).unwrap(), b"clean").unwrap();
    spool.commit_clean(ids[1], b"{}", std::slice::from_ref(&pacs)).unwrap();

    let queue = LocalQueue::new(clock);
    queue.fill(&spool).unwrap();
    assert_eq!(queue.claim(&CLEAN), Some(ids[0]));
    assert_eq!(queue.claim(&CLEAN), Some(ids[2]));
    assert_eq!(queue.claim(&Stage::Forward(pacs)), Some(ids[1]));
    assert_eq!(queue.stages().len(), 2);
}

#[tokio::test]
async fn every_waiter_wakes_when_there_is_something_for_it() {
    let queue = Arc::new(LocalQueue::new(Arc::new(ManualClock::default())));
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move {
                loop {
                    queue.wait(&CLEAN).await;
                    if let Some(id) = queue.claim(&CLEAN) {
                        return id;
                    }
                }
            })
        })
        .collect();
    tokio::task::yield_now().await;
    for number in 0..4 {
        queue.offer(&CLEAN, id(number), "trial");
    }
    let mut served = BTreeSet::new();
    for worker in workers {
        served.insert(worker.await.unwrap());
    }
    assert_eq!(served.len(), 4);
}

#[tokio::test]
async fn a_waiter_wakes_when_a_delay_is_over() {
    let queue = LocalQueue::new(Arc::new(crate::clock::SystemClock::new()));
    queue.offer(&CLEAN, id(1), "trial");
    queue.claim(&CLEAN).unwrap();
    queue.later(&CLEAN, id(1), Duration::from_millis(20));
    tokio::time::timeout(Duration::from_secs(5), queue.wait(&CLEAN)).await.unwrap();
    assert_eq!(queue.claim(&CLEAN), Some(id(1)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// Whatever the order of calls: nothing is lost, nothing is given twice.
    #[test]
    fn every_offered_one_is_claimed_until_it_is_done(
        acts in prop::collection::vec((0..5_u8, 0..12_u32), 1..200)
    ) {
        let (queue, clock) = queue();
        let (mut inside, mut taken) = (BTreeSet::new(), BTreeSet::new());
        let projects = ["", "a", "b"];
        for (at, (act, number)) in acts.into_iter().enumerate() {
            let id = id(number);
            match act {
                0 => prop_assert_eq!(queue.offer(&CLEAN, id, projects[at % 3]), inside.insert(id)),
                1 => if let Some(next) = queue.claim(&CLEAN) {
                    prop_assert!(inside.contains(&next) && taken.insert(next));
                },
                2 => { queue.done(&CLEAN, id); inside.remove(&id); taken.remove(&id); }
                3 => { queue.later(&CLEAN, id, Duration::from_secs(number.into())); taken.remove(&id); }
                _ => clock.advance(Duration::from_secs(1)),
            }
            let depth = queue.depth(&CLEAN);
            prop_assert_eq!(depth.taken, taken.len());
            prop_assert_eq!(depth.ready + depth.delayed + depth.taken, inside.len());
            prop_assert_eq!(queue.oldest(&CLEAN), inside.first().copied());
        }
        clock.advance(Duration::from_secs(60));
        while let Some(next) = queue.claim(&CLEAN) {
            prop_assert!(taken.insert(next));
        }
        prop_assert_eq!(taken, inside);
    }
}
