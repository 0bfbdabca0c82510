//! Several associations with one destination: they send at once, a destination that
//! takes fewer is not put off, and nothing else is as it is with one.

use std::time::Duration;

use airlock::forward::Waits;
use tokio::time::Instant;

use crate::node::{Line, Node, THREE, Waiting, fill, fill_corrected, instance, until};
use crate::scripted::{Act, Event, Scripted};

const FOUR: usize = 4;
const SOON: Duration = Duration::from_millis(100);
/// So long that what was put off does not go within the test.
const LONG: Duration = Duration::from_secs(600);
const LONG_WAITS: Waits = Waits { first: LONG, longest: LONG, refused: LONG };
/// What is put off goes soon, and further associations are asked for soon.
const QUICK: Duration = Duration::from_millis(5);
const QUICK_WAITS: Waits = Waits { first: QUICK, longest: QUICK, refused: QUICK };

fn lane(peer: &Scripted, associations: usize, waits: Waits) -> Line<'_> {
    let mut line = Line::to(peer, waits);
    line.associations = associations;
    line.limits.idle_release = SOON;
    line
}

/// Runs until all is delivered; how long that took.
async fn run(odd: &Scripted, associations: usize, waits: Waits, instances: usize) -> Duration {
    let home = tempfile::tempdir().unwrap();
    fill(home.path(), Waiting { instances, ..THREE });
    let good = Scripted::start(Act::Answer(0));
    let begun = Instant::now();
    let to_good = Line::to(&good, waits);
    let node = Node::start(home.path(), &lane(odd, associations, waits), &to_good);
    until("the last one", async || odd.stores().len() >= instances).await;
    let took = begun.elapsed();
    node.until_empty().await;
    assert_eq!(node.delivered("odd").await.len(), instances, "one receipt each");
    node.stop().await;
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn four_send_at_once_and_are_released_when_idle() {
    // So long that what a busy machine adds is less.
    let slow = || Scripted::start(Act::Answer(0)).delaying(Duration::from_millis(200));
    let (one, four) = (slow(), slow());
    let took_one = run(&one, 1, LONG_WAITS, 16).await;
    let took_four = run(&four, FOUR, LONG_WAITS, 16).await;
    assert_eq!((one.most_at_once(), four.most_at_once()), (1, FOUR));
    assert_eq!((one.stores().len(), four.stores().len()), (16, 16), "each is sent once");
    assert!(took_four * 2 < took_one, "{took_four:?} with four, {took_one:?} with one");
    let released = || four.count(|event| *event == Event::Released);
    until("release", async || released() == four.associations()).await;
}

/// Prints the rates of docs/PERFORMANCE.md, "Over the network".
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn measure() {
    for associations in [1, FOUR] {
        let peer = Scripted::start(Act::Answer(0)).delaying(Duration::from_millis(20));
        let home = tempfile::tempdir().unwrap();
        fill(home.path(), Waiting { instances: 200, bytes: 500_000, ..THREE });
        let good = Scripted::start(Act::Answer(0));
        let (to, to_good) = (lane(&peer, associations, LONG_WAITS), Line::to(&good, LONG_WAITS));
        let node = Node::start(home.path(), &to, &to_good);
        until("the first one", async || peer.count(|one| matches!(one, Event::Store(..))) > 0)
            .await;
        let begun = Instant::now();
        until("the last one", async || peer.count(|one| matches!(one, Event::Store(..))) == 200)
            .await;
        println!("{associations}: {:.0} instances/s", 199.0 / begun.elapsed().as_secs_f64());
        node.until_empty().await;
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_are_opened_than_there_is_work() {
    let peer = Scripted::start(Act::Answer(0));
    run(&peer, FOUR, LONG_WAITS, 1).await;
    assert_eq!(peer.associations(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_takes_one_at_a_time_is_not_put_off() {
    let peer = Scripted::start(Act::Answer(0)).delaying(Duration::from_millis(5));
    peer.limit(1);
    run(&peer, FOUR, LONG_WAITS, 30).await;
    assert_eq!((peer.associations(), peer.most_at_once()), (1, 1));
    let asked = peer.connections().len();
    assert!((2..=FOUR).contains(&asked), "{asked} connections: it is not asked again soon");
    assert_eq!(peer.stores().len(), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn further_associations_are_asked_for_again() {
    let home = tempfile::tempdir().unwrap();
    fill(home.path(), Waiting { instances: 120, ..THREE });
    let odd = Scripted::start(Act::Answer(0)).delaying(Duration::from_millis(20));
    let good = Scripted::start(Act::Answer(0));
    odd.limit(1);
    let to_good = Line::to(&good, QUICK_WAITS);
    let node = Node::start(home.path(), &lane(&odd, FOUR, QUICK_WAITS), &to_good);
    until("ten", async || odd.stores().len() >= 10).await;
    assert_eq!(odd.most_at_once(), 1);
    odd.limit(usize::MAX);
    node.until_empty().await;
    assert_eq!(odd.most_at_once(), FOUR);
    assert_eq!(odd.stores().len(), 120);
    node.stop().await;
}

/// Goal: a correction is not even begun before what it corrects has been answered.
/// Method: the destination takes a while between the command and its answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_correction_is_not_begun_before_what_it_corrects_is_over() {
    let home = tempfile::tempdir().unwrap();
    fill_corrected(home.path(), Waiting { instances: 8, ..THREE });
    let odd = Scripted::start(Act::Answer(0)).delaying(Duration::from_millis(30));
    let good = Scripted::start(Act::Answer(0));
    let to_good = Line::to(&good, LONG_WAITS);
    let node = Node::start(home.path(), &lane(&odd, FOUR, LONG_WAITS), &to_good);
    node.until_empty().await;
    assert_eq!(odd.most_at_once(), FOUR);
    for number in 1..=8_u8 {
        let of = instance(number.into());
        let seen: Vec<Option<u8>> = odd
            .events()
            .into_iter()
            .filter_map(|event| match event {
                Event::Asked(one) if one == of => Some(None),
                Event::Store(one, bytes) if one == of => Some(bytes.last().copied()),
                _ => None,
            })
            .collect();
        assert_eq!(seen, [None, Some(number), None, Some(number + 100)], "{of}");
    }
    assert_eq!(node.delivered("odd").await.len(), 16);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_on_one_leaves_the_others_working() {
    let home = tempfile::tempdir().unwrap();
    fill(home.path(), Waiting { instances: 40, ..THREE });
    let odd = Scripted::start(Act::Answer(0)).delaying(Duration::from_millis(20));
    let good = Scripted::start(Act::Answer(0));
    let waits = Waits { first: SOON, ..LONG_WAITS };
    let node = Node::start(home.path(), &lane(&odd, FOUR, waits), &Line::to(&good, LONG_WAITS));
    until("four", async || odd.most_at_once() == FOUR).await;
    let aborted = odd.stores().len();
    let odd = odd.then([Act::AbortBeforeResponse]);
    node.until_empty().await;
    assert_eq!(node.delivered("odd").await.len(), 40);
    assert!(odd.stores().len() == 41 && aborted < 40, "one is sent twice");
    assert!(odd.associations() <= FOUR + 1, "the others stayed open");
    node.stop().await;
}

/// Goal: what several associations meet at once counts once, and while it lasts one
/// instance at a time is risked.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_failure_one_alone_finds_out_whether_it_is_over() {
    let home = tempfile::tempdir().unwrap();
    fill(home.path(), Waiting { instances: 12, ..THREE });
    let odd = Scripted::start(Act::Answer(0xA700)).delaying(Duration::from_millis(20));
    let good = Scripted::start(Act::Answer(0));
    let to_good = Line::to(&good, QUICK_WAITS);
    let node = Node::start(home.path(), &lane(&odd, FOUR, QUICK_WAITS), &to_good);
    let echoes = || odd.count(|event| *event == Event::Echo);
    until("questions", async || echoes() >= 3).await;
    let said: String = odd
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::Asked(_) => Some('a'),
            Event::Store(..) => Some('s'),
            Event::Echo => Some('e'),
            Event::Connected(_) | Event::Associated | Event::Released => None,
        })
        .collect();
    let (before, after) = said.split_once('e').unwrap();
    let tries = before.matches('s').count();
    assert!((5..=4 + FOUR).contains(&tries), "{said}: what four met counts once");
    assert!(before.ends_with("asasas"), "{said}: one at a time");
    assert!(after.starts_with("aseas"), "{said}: C-ECHO before each");
    odd.behave(Act::Answer(0));
    node.until_empty().await;
    assert_eq!(node.delivered("odd").await.len(), 12);
    node.stop().await;
}
