//! What a destination's answer leads to, row by row of the table in
//! `docs/CONFORMANCE.md`, on the wire: receipts, tries, waits, quarantine.
//!
//! Method: each row is a node of its own, all of a group run at once. `good` takes
//! everything; it must have it while `odd` still does what the row says. Claims about
//! time are lower bounds, or waits of an hour that nobody sits out.

use std::collections::BTreeSet;
use std::time::Duration;

use airlock::dimse::Limits;
use airlock::forward::Waits;
use airlock::forward::send::SendLimits;
use tokio::task::{JoinSet, LocalSet};

use crate::node::{Line, Node, THREE, Waiting, fill, fill_again, instance, until};
use crate::scripted::{Act, EXPLICIT, Event, JPEG, Scripted, closed_port};

const HOUR: Duration = Duration::from_secs(3_600);
/// Nothing is tried a second time in a test.
const NEVER_AGAIN: Waits = Waits { first: HOUR, longest: HOUR, refused: HOUR };
/// More than a connection on loopback holds while nobody reads.
const MORE_THAN_BUFFERS: usize = 20_000_000;

fn waits_ms(first: u64, longest: u64, refused: u64) -> Waits {
    let [first, longest, refused] = [first, longest, refused].map(Duration::from_millis);
    Waits { first, longest, refused }
}

/// Limits under which a peer that says nothing is soon given up.
fn impatient() -> SendLimits {
    let association = Limits {
        artim: Duration::from_millis(300),
        stall: Duration::from_millis(300),
        answer: Duration::from_millis(300),
        ..Limits::default()
    };
    SendLimits { association, ..SendLimits::default() }
}

fn all(count: usize) -> Vec<(String, u16)> {
    (1..=count).map(|number| (instance(number), 0)).collect()
}

/// Runs a group's rows side by side.
async fn each<R, F>(rows: impl IntoIterator<Item = R>, run: impl Fn(R) -> F)
where
    F: Future<Output = ()> + 'static,
{
    let mut running = JoinSet::new();
    let together = async {
        for row in rows {
            running.spawn_local(run(row));
        }
        while let Some(row) = running.join_next().await {
            row.unwrap();
        }
    };
    LocalSet::new().run_until(together).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn success_and_warnings_are_deliveries_with_their_status() {
    let statuses = [0x0000, 0xB000, 0xB006, 0xB007, 0xB123, 0xBFFF, 0x0001, 0x0107, 0x0111, 0x0116];
    each(statuses, |status| async move {
        let home = tempfile::tempdir().unwrap();
        fill(home.path(), THREE);
        let (odd, good) = (Scripted::start(Act::Answer(status)), Scripted::start(Act::Answer(0)));
        let node =
            Node::start(home.path(), &Line::to(&odd, NEVER_AGAIN), &Line::to(&good, NEVER_AGAIN));
        node.until_empty().await;
        let expected: Vec<_> = (1..=3).map(|number| (instance(number), status)).collect();
        assert_eq!(node.delivered("odd").await, expected, "{status:04X}");
        assert_eq!(odd.stores().len(), 3, "{status:04X}: sent once");
        assert_eq!(node.delivered("good").await, all(3));
        assert!(node.quarantined().await.is_empty());
        node.stop().await;
    })
    .await;
}

/// What keeps the whole destination waiting: full, busy, away, silent, broken.
const DESTINATION_WAITS: [Act; 16] = [
    Act::Answer(0xA700),
    Act::Answer(0xA702),
    Act::Answer(0xA7FF),
    Act::Answer(0x0213),
    Act::RejectTransient,
    Act::CloseOnConnect,
    Act::SilentOnConnect,
    Act::AbortRequest,
    Act::CloseOnRequest,
    Act::CloseAccepted,
    Act::CloseInside,
    Act::StallInside,
    Act::CloseBeforeResponse,
    Act::SilentBeforeResponse,
    Act::ReleaseBeforeResponse,
    Act::NoStatus,
];

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_is_full_away_or_silent_is_left_alone_ever_longer_and_loses_nothing() {
    each(DESTINATION_WAITS.into_iter().chain([Act::OtherMessage]), waits_and_loses_nothing).await;
}

async fn waits_and_loses_nothing(act: Act) {
    let home = tempfile::tempdir().unwrap();
    let bytes = if act == Act::StallInside { MORE_THAN_BUFFERS } else { THREE.bytes };
    fill(home.path(), Waiting { bytes, ..THREE });
    let (odd, good) = (Scripted::start(act), Scripted::start(Act::Answer(0)));
    let silent = [Act::SilentOnConnect, Act::StallInside, Act::SilentBeforeResponse].contains(&act);
    let limits = if silent { impatient() } else { SendLimits::default() };
    let line = Line { limits, ..Line::to(&odd, waits_ms(50, 400, 3_600_000)) };
    let node = Node::start(home.path(), &line, &Line::to(&good, NEVER_AGAIN));

    // The other destination has everything while this one has nothing.
    node.until_delivered("good", 3).await;
    until("three tries", async || odd.connections().len() >= 3).await;
    assert_eq!(node.delivered("odd").await, [], "{act:?}");
    assert!(node.quarantined().await.is_empty(), "{act:?}");
    let tries = odd.connections();
    for (pair, wait_ms) in tries.windows(2).zip([50, 100]) {
        // A fifth less, by the spread.
        let least = Duration::from_millis(wait_ms * 4 / 5);
        assert!(pair[1] - pair[0] >= least, "{act:?}: {:?}", pair[1] - pair[0]);
    }
    let unasked = odd.events().into_iter().take_while(|event| *event != Event::Echo);
    let unasked = unasked.filter(|event| matches!(event, Event::Connected(_))).count();
    // Five tries and the question's own connection, if it has come to that.
    assert!(unasked == odd.connections().len() || unasked > 5, "{act:?}: {:?}", odd.events());

    odd.behave(Act::Answer(0));
    node.until_empty().await;
    assert_eq!(node.delivered("odd").await, all(3), "{act:?}");
    let different: BTreeSet<_> = odd.stores().into_iter().collect();
    assert_eq!(different.len(), 3, "{act:?}: the same bytes under the same UID");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_at_the_port_is_waited_for() {
    let home = tempfile::tempdir().unwrap();
    fill(home.path(), THREE);
    let socket = closed_port();
    let (odd, good) = (Scripted::at(&socket, Act::Answer(0)), Scripted::start(Act::Answer(0)));
    let waits = waits_ms(20, 40, 3_600_000);
    let node = Node::start(home.path(), &Line::to(&odd, waits), &Line::to(&good, NEVER_AGAIN));
    node.until_delivered("good", 3).await;
    assert_eq!(node.delivered("odd").await, []);
    odd.open(socket);
    node.until_empty().await;
    assert_eq!(node.delivered("odd").await, all(3));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_concerns_one_instance_keeps_no_other_waiting() {
    let acts = [Act::Answer(0x0110), Act::AbortInside, Act::AbortBeforeResponse];
    each(acts, |act| async move {
        let home = tempfile::tempdir().unwrap();
        fill(home.path(), THREE);
        let first = instance(1);
        let (odd, good) = (Scripted::start(act).only(&first), Scripted::start(Act::Answer(0)));
        let to_good = Line::to(&good, NEVER_AGAIN);
        let node = Node::start(home.path(), &Line::to(&odd, NEVER_AGAIN), &to_good);
        node.until_delivered("good", 3).await;
        // The other two are there although it waits an hour.
        node.until_delivered("odd", 2).await;
        assert_eq!(node.delivered("odd").await, all(3)[1..], "{act:?}");
        assert!(node.quarantined().await.is_empty());
        assert_eq!(odd.tries_of(&first), 1);
        node.stop().await;

        let node = Node::start(home.path(), &Line::to(&odd, waits_ms(5, 10, 5)), &to_good);
        until("two more tries", async || odd.tries_of(&first) >= 3).await;
        odd.behave(Act::Answer(0));
        node.until_empty().await;
        assert_eq!(node.delivered("odd").await, all(3), "{act:?}");
        assert!(odd.stores().iter().all(|(one, bytes)| *one != first || bytes[0] == 1));
        node.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_right_after_the_acceptance_concerns_the_instance_until_five_had_it() {
    let home = tempfile::tempdir().unwrap();
    fill(home.path(), Waiting { instances: 8, ..THREE });
    let (odd, good) = (Scripted::start(Act::AbortAccepted), Scripted::start(Act::Answer(0)));
    let (to_odd, to_good) = (Line::to(&odd, NEVER_AGAIN), Line::to(&good, NEVER_AGAIN));
    let node = Node::start(home.path(), &to_odd, &to_good);
    until("six tries", async || odd.associations() == 6).await;
    node.until_delivered("good", 8).await;
    // By the sixth it is the destination's fault: the other two are not risked.
    assert_eq!(odd.associations(), 6);
    node.stop().await;
    odd.behave(Act::Answer(0));
    let node = Node::start(home.path(), &to_odd, &to_good);
    node.until_empty().await;
    assert_eq!(node.delivered("odd").await, all(8));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_to_process_is_tried_ten_times_then_set_aside() {
    let home = tempfile::tempdir().unwrap();
    fill(home.path(), THREE);
    let first = instance(1);
    let odd = Scripted::start(Act::Answer(0x0110)).only(&first);
    let good = Scripted::start(Act::Answer(0));
    let line = Line::to(&odd, waits_ms(1, 1, 1));
    let node = Node::start(home.path(), &line, &Line::to(&good, NEVER_AGAIN));
    node.until_quarantined(1).await;
    node.until_empty().await;
    let aside = node.quarantined().await.remove(0);
    assert_eq!((&*aside.reason, &*aside.detail), ("refused-by-destination", "status 0110"));
    assert_eq!(odd.tries_of(&first), 10);
    assert_eq!(node.delivered("odd").await, all(3)[1..]);
    assert_eq!(node.delivered("good").await, all(3));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_refuses_us_is_left_alone_for_long_and_asked_before_it_is_tried() {
    each([Act::RejectPermanent, Act::Answer(0x0124), Act::Answer(0x0214)], |act| async move {
        let home = tempfile::tempdir().unwrap();
        fill(home.path(), THREE);
        let (odd, good) = (Scripted::start(act), Scripted::start(Act::Answer(0)));
        // By the usual wait it would be tried at once.
        let line = Line::to(&odd, waits_ms(1, 1, 150));
        let node = Node::start(home.path(), &line, &Line::to(&good, NEVER_AGAIN));
        node.until_delivered("good", 3).await;
        until("three tries", async || odd.connections().len() >= 5).await;
        odd.behave(Act::Answer(0));
        node.until_empty().await;
        assert_eq!(node.delivered("odd").await, all(3), "{act:?}");
        assert!(node.quarantined().await.is_empty());
        let events = odd.events();
        let asked = |store: usize| {
            let before = events[..store].iter().rev();
            before.take_while(|event| !matches!(event, Event::Store(..))).any(|e| *e == Event::Echo)
        };
        let stores: Vec<_> =
            (0..events.len()).filter(|at| matches!(events[*at], Event::Store(..))).collect();
        if act == Act::RejectPermanent {
            let tries = odd.connections();
            let gaps = tries.windows(2).take(4).map(|pair| pair[1] - pair[0]);
            let gaps: Vec<_> = gaps.collect();
            assert!(gaps.iter().all(|gap| gap.as_millis() >= 120), "{gaps:?}");
            assert!(asked(stores[0]), "{events:?}");
        } else {
            assert!(!asked(stores[0]) && asked(stores[1]) && asked(stores[2]), "{events:?}");
        }
        node.stop().await;
    })
    .await;
}

/// What no try can help: act, reason, detail.
const SET_ASIDE: [(Act, &str, &str); 13] = [
    (Act::Answer(0xA900), "refused-by-destination", "status A900"),
    (Act::Answer(0xA9FF), "refused-by-destination", "status A9FF"),
    (Act::Answer(0xC000), "refused-by-destination", "status C000"),
    (Act::Answer(0xCFFF), "refused-by-destination", "status CFFF"),
    (Act::Answer(0x0117), "refused-by-destination", "status 0117"),
    (Act::Answer(0x0122), "refused-by-destination", "status 0122"),
    (Act::Answer(0x0112), "refused-by-destination", "status 0112"),
    (Act::Answer(0x0212), "refused-by-destination", "status 0212"),
    // Of no row: nobody has defined what they mean here.
    (Act::Answer(0x1234), "refused-by-destination", "status 1234"),
    (Act::Answer(0xA800), "refused-by-destination", "status A800"),
    (Act::Answer(0xD000), "refused-by-destination", "status D000"),
    (Act::Answer(0xFE00), "refused-by-destination", "status FE00"),
    (Act::Answer(0xFF00), "refused-by-destination", "status FF00"),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_no_try_can_help_is_set_aside_and_the_next_goes_on() {
    each(SET_ASIDE, |(act, reason, detail)| async move {
        let home = tempfile::tempdir().unwrap();
        fill(home.path(), THREE);
        let first = instance(1);
        let (odd, good) = (Scripted::start(act).only(&first), Scripted::start(Act::Answer(0)));
        let line = Line::to(&odd, waits_ms(5, 10, 5));
        let node = Node::start(home.path(), &line, &Line::to(&good, NEVER_AGAIN));
        node.until_quarantined(1).await;
        node.until_empty().await;
        let aside = node.quarantined().await.remove(0);
        assert_eq!((&*aside.reason, &*aside.detail), (reason, detail));
        assert_eq!(odd.tries_of(&first), 1, "{act:?}: tried once");
        assert_eq!(odd.associations(), 1, "{act:?}: the association goes on");
        assert_eq!(node.delivered("odd").await, all(3)[1..], "{act:?}");
        assert_eq!(node.delivered("good").await, all(3), "{act:?}");
        node.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_finds_no_context_is_set_aside_with_that_reason() {
    let rows = [
        (Act::NoClass, EXPLICIT, "refused-by-destination", "SOP class not accepted"),
        (Act::NoSyntax, EXPLICIT, "no-transfer-syntax", "context result 4"),
    ];
    each(rows, |(act, syntax, reason, detail)| async move {
        let home = tempfile::tempdir().unwrap();
        fill(home.path(), Waiting { syntax, ..THREE });
        let (odd, good) = (Scripted::start(act), Scripted::start(Act::Answer(0)));
        let line = Line::to(&odd, waits_ms(5, 10, 5));
        let node = Node::start(home.path(), &line, &Line::to(&good, NEVER_AGAIN));
        node.until_quarantined(3).await;
        for aside in node.quarantined().await {
            assert_eq!((&*aside.reason, &*aside.detail), (reason, detail), "{act:?}");
        }
        assert!(odd.stores().is_empty());
        assert_eq!(node.delivered("good").await, all(3), "{act:?}");
        node.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_uncompressed_alone_goes_back_to_be_made_so() {
    let home = tempfile::tempdir().unwrap();
    fill(home.path(), Waiting { syntax: JPEG, ..THREE });
    let (odd, good) = (Scripted::start(Act::OnlyExplicit), Scripted::start(Act::Answer(0)));
    let line = Line::to(&odd, waits_ms(5, 10, 5));
    let node = Node::start(home.path(), &line, &Line::to(&good, NEVER_AGAIN));
    // Nothing cleans here: they stay where they wait for that.
    until("all three back", async || node.received().await == 3).await;
    assert!(node.quarantined().await.is_empty() && odd.stores().is_empty());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_destination_refuses_for_good_another_that_is_down_still_gets() {
    let home = tempfile::tempdir().unwrap();
    fill(home.path(), THREE);
    let first = instance(1);
    let odd = Scripted::start(Act::Answer(0xC123)).only(&first);
    let good = Scripted::start(Act::RejectTransient);
    let waits = waits_ms(5, 20, 5);
    let node = Node::start(home.path(), &Line::to(&odd, waits), &Line::to(&good, waits));
    node.until_delivered("odd", 2).await;
    until("the refusal", async || odd.tries_of(&first) == 1).await;
    let tries = good.connections().len();
    until("other tries", async || good.connections().len() >= tries + 3).await;
    assert!(node.quarantined().await.is_empty(), "the other has not had it yet");
    good.behave(Act::Answer(0));
    node.until_quarantined(1).await;
    assert_eq!(node.delivered("good").await, all(3));
    assert_eq!(odd.tries_of(&first), 1, "it was not sent again meanwhile");
    node.until_empty().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_both_destinations_refuse_is_set_aside_once() {
    let home = tempfile::tempdir().unwrap();
    fill(home.path(), THREE);
    let first = instance(1);
    let [odd, good] =
        [0xC001, 0xC002].map(|status| Scripted::start(Act::Answer(status)).only(&first));
    let waits = waits_ms(5, 20, 5);
    let node = Node::start(home.path(), &Line::to(&odd, waits), &Line::to(&good, waits));
    node.until_quarantined(1).await;
    node.until_empty().await;
    assert_eq!(odd.tries_of(&first) + good.tries_of(&first), 2);
    for name in ["odd", "good"] {
        assert_eq!(node.delivered(name).await, all(3)[1..]);
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_already_is_delivered_unless_it_corrects_what_was_sent() {
    let home = tempfile::tempdir().unwrap();
    fill(home.path(), THREE);
    let (odd, good) = (Scripted::start(Act::Answer(0)), Scripted::start(Act::Answer(0)));
    let start = || {
        let waits = waits_ms(5, 20, 5);
        Node::start(home.path(), &Line::to(&odd, waits), &Line::to(&good, waits))
    };
    let node = start();
    node.until_empty().await;
    node.stop().await;
    // As after a crash; and with other content.
    fill_again(home.path(), 1, 1);
    fill_again(home.path(), 2, 9);
    odd.behave(Act::Answer(0x0111));
    let node = start();
    node.until_quarantined(1).await;
    node.until_empty().await;
    let aside = node.quarantined().await.remove(0);
    assert_eq!(aside.reason, "refused-by-destination");
    assert!(aside.detail.contains("0111") && aside.detail.contains("release"), "{aside:?}");
    let [first, second, third] = [1, 2, 3].map(instance);
    assert_eq!(odd.tries_of(&second), 2, "tried once more, and not again");
    let expected = [(first.clone(), 0), (first, 0x0111), (second, 0), (third, 0)];
    assert_eq!(node.delivered("odd").await, expected);
    let overwritten = node.delivered("good").await;
    assert_eq!(overwritten.len(), 5, "{overwritten:?}");
    node.stop().await;
    // In one run, without a restart: what it got since the start counts too.
    let home = tempfile::tempdir().unwrap();
    fill(home.path(), Waiting { instances: 1, ..THREE });
    fill_again(home.path(), 1, 9);
    let odd = Scripted::start(Act::Answer(0x0111)).then([Act::Answer(0)]);
    let waits = waits_ms(5, 20, 5);
    let node = Node::start(home.path(), &Line::to(&odd, waits), &Line::to(&good, waits));
    node.until_quarantined(1).await;
    node.until_empty().await;
    assert_eq!(node.delivered("odd").await, all(1));
    node.stop().await;
}
