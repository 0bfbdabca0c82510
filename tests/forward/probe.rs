//! A destination that failed five times in a row is asked by C-ECHO before an
//! instance is risked, and what waits goes out when one is delivered.

use std::sync::Arc;
use std::time::Duration;

use airlock::clock::ManualClock;
use airlock::forward::Waits;
use airlock::forward::backoff::OPEN_AFTER;
use airlock::forward::send::{SendLimits, Sender};

use crate::node::{Line, Node, THREE, Waiting, fill, instance, until};
use crate::scripted::{Act, Event, IMPLICIT, Scripted};

const QUICK: Duration = Duration::from_millis(2);
const WAITS: Waits = Waits { first: QUICK, longest: QUICK, refused: QUICK };

/// The C-STOREs and C-ECHOs in their order.
fn messages(peer: &Scripted) -> String {
    let letter = |event: &Event| match event {
        Event::Store(..) => Some('s'),
        Event::Echo => Some('e'),
        Event::Connected(_) | Event::Associated | Event::Asked(_) | Event::Released => None,
    };
    peer.events().iter().filter_map(letter).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_five_failures_c_echo_asks_before_each_instance() {
    let home = tempfile::tempdir().unwrap();
    fill(home.path(), THREE);
    let (odd, good) = (Scripted::start(Act::Answer(0xA700)), Scripted::start(Act::Answer(0)));
    let node = Node::start(home.path(), &Line::to(&odd, WAITS), &Line::to(&good, WAITS));
    until("eight tries", async || odd.stores().len() >= 8).await;
    let said = messages(&odd);
    let five = "s".repeat(usize::try_from(OPEN_AFTER).unwrap());
    assert!(said.starts_with(&format!("{five}eseses")), "{said}");

    // Nobody answers C-ECHO: no instance is risked, however often it is asked.
    odd.behave(Act::RejectTransient);
    let (asked, stored) = (odd.connections().len(), odd.stores().len());
    until("more questions", async || odd.connections().len() >= asked + 5).await;
    // One may have been on its way when the destination changed its mind.
    assert!(odd.stores().len() <= stored + 1, "{}", messages(&odd));

    odd.behave(Act::Answer(0));
    node.until_empty().await;
    assert_eq!(node.delivered("odd").await.len(), 3);
    // Once one is delivered nobody is asked any more.
    assert!(messages(&odd).ends_with("esss"), "{}", messages(&odd));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_without_verification_is_there_when_it_takes_an_association() {
    let home = tempfile::tempdir().unwrap();
    fill(home.path(), THREE);
    let (odd, good) = (Scripted::start(Act::FullWithoutEcho), Scripted::start(Act::Answer(0)));
    let node = Node::start(home.path(), &Line::to(&odd, WAITS), &Line::to(&good, WAITS));
    until("eight tries", async || odd.stores().len() >= 8).await;
    assert_eq!(messages(&odd).replace('s', ""), "", "it takes no C-ECHO");
    assert!(odd.associations() > odd.stores().len(), "but it was asked");
    odd.behave(Act::Answer(0));
    node.until_empty().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn is_there_tells_who_talks_to_us_from_who_does_not() {
    for (act, talks) in [
        (Act::Answer(0), true),
        (Act::FullWithoutEcho, true),
        (Act::AbortAccepted, true),
        (Act::RejectTransient, false),
        (Act::RejectPermanent, false),
    ] {
        let peer = Scripted::start(act).taking(&[IMPLICIT]);
        let sender = Sender::new(peer.address.clone(), SendLimits::default());
        assert_eq!(sender.is_there().await.is_ok(), talks, "{act:?}");
    }
}

/// Goal: what single failures have put off goes out at once when the destination is
/// back, not at its own time. Method: the clock that says when it is due stands still.
#[tokio::test(flavor = "multi_thread")]
async fn when_one_is_delivered_after_failures_all_that_wait_go_out_at_once() {
    let home = tempfile::tempdir().unwrap();
    fill(home.path(), Waiting { instances: 8, ..THREE });
    let odd = Scripted::start(Act::Answer(0)).then([Act::AbortBeforeResponse; 6]);
    let good = Scripted::start(Act::Answer(0));
    let clock = Arc::new(ManualClock::default());
    let (to_odd, to_good) = (Line::to(&odd, WAITS), Line::to(&good, WAITS));
    let node = Node::with_clock(home.path(), clock, &to_odd, &to_good);
    node.until_empty().await;
    let order: Vec<_> = odd.stores().into_iter().map(|(one, _)| one).collect();
    let expected = [1, 2, 3, 4, 5, 6, 7].map(instance);
    assert_eq!(order[..7], expected, "six abort; the seventh is delivered");
    assert_eq!(order.len(), 14);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_failure_of_the_destination_what_was_put_off_waits_its_time() {
    let home = tempfile::tempdir().unwrap();
    fill(home.path(), THREE);
    let odd = Scripted::start(Act::Answer(0)).then([Act::Answer(0x0110)]);
    let good = Scripted::start(Act::Answer(0));
    let clock = Arc::new(ManualClock::default());
    let (to_odd, to_good) = (Line::to(&odd, WAITS), Line::to(&good, WAITS));
    let node = Node::with_clock(home.path(), Arc::clone(&clock) as _, &to_odd, &to_good);
    node.until_delivered("odd", 2).await;
    node.until_delivered("good", 3).await;
    assert_eq!(odd.tries_of(&instance(1)), 1);
    clock.advance(Duration::from_secs(60));
    node.until_empty().await;
    node.stop().await;
}
