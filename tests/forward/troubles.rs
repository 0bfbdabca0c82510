//! What people are told of a destination that takes nothing.

use std::time::Duration;

use airlock::forward::Waits;

use crate::node::{Line, Node, THREE, fill, instance, until};
use crate::scripted::{Act, Scripted};

const QUICK: Duration = Duration::from_millis(5);
const WAITS: Waits = Waits { first: QUICK, longest: QUICK, refused: QUICK };

#[tokio::test(flavor = "multi_thread")]
async fn what_a_destination_does_is_told_until_it_takes_an_instance() {
    let told = [
        (Act::RejectPermanent, true, "calling AE title not recognized"),
        (Act::Answer(0x0124), true, "0124H"),
        (Act::RejectTransient, false, "temporary congestion"),
        (Act::Answer(0xA700), false, "A700H"),
        (Act::CloseAccepted, false, "the connection broke or fell silent"),
        (Act::CloseOnRequest, false, "no association came about"),
    ];
    for (act, refuses, said) in told {
        let home = tempfile::tempdir().unwrap();
        fill(home.path(), THREE);
        let (odd, good) = (Scripted::start(act), Scripted::start(Act::Answer(0)));
        let node = Node::start(home.path(), &Line::to(&odd, WAITS), &Line::to(&good, WAITS));
        node.until_delivered("good", 3).await;
        // One look: an answer to a C-ECHO hides the trouble for a moment.
        let seen = std::sync::Mutex::new(None);
        until("two failures", async || {
            let view = node.standing().await;
            let failed_twice = view.troubles.get("odd").is_some_and(|odd| odd.failures >= 2);
            *seen.lock().unwrap() = failed_twice.then_some(view);
            failed_twice
        })
        .await;
        let view = seen.into_inner().unwrap().unwrap();
        let trouble = &view.troubles["odd"];
        assert!(trouble.said.contains(said), "{act:?}: {trouble:?}");
        assert_eq!(trouble.refuses, refuses, "{act:?}");
        assert!(trouble.since.ends_with('Z') && !view.troubles.contains_key("good"), "{view:?}");
        let alarmed = view.alarms.iter().any(|what| what.contains("destination odd refuses us"));
        assert_eq!(alarmed, refuses, "{act:?}: {:?}", view.alarms);
        assert!(!view.failed && view.stopped.is_empty());
        odd.behave(Act::Answer(0));
        node.until_empty().await;
        let after = node.standing().await;
        assert!(after.troubles.is_empty() && after.alarms.is_empty(), "{act:?}: {after:?}");
        node.stop().await;
    }
}

/// Something still waits for it: that nobody is told any more is not for want of that.
#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_took_an_instance_is_in_no_trouble_though_another_waits() {
    let home = tempfile::tempdir().unwrap();
    fill(home.path(), THREE);
    let odd = Scripted::start(Act::RejectTransient).only(&instance(1));
    let good = Scripted::start(Act::RejectTransient);
    // Not so often that C-ECHO asks first: an answer to it hides the trouble too.
    let first = Duration::from_millis(400);
    let waits = Waits { first, longest: first, refused: first };
    let node = Node::start(home.path(), &Line::to(&odd, waits), &Line::to(&good, WAITS));
    until("a failure", async || node.standing().await.troubles.contains_key("odd")).await;
    odd.behave(Act::Answer(0xC123));
    node.until_delivered("odd", 2).await;
    let well = async || {
        let view = node.standing().await;
        view.outbox["odd"] == 1 && !view.troubles.contains_key("odd")
    };
    until("no trouble beside one that waits", well).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_good_and_still_waited_for_elsewhere_is_counted() {
    let home = tempfile::tempdir().unwrap();
    fill(home.path(), THREE);
    let odd = Scripted::start(Act::Answer(0xC123)).only(&instance(1));
    let good = Scripted::start(Act::RejectTransient);
    let node = Node::start(home.path(), &Line::to(&odd, WAITS), &Line::to(&good, WAITS));
    until("the refusal", async || node.standing().await.refused.get("odd") == Some(&1)).await;
    good.behave(Act::Answer(0));
    node.until_quarantined(1).await;
    until("none is counted", async || node.standing().await.refused.is_empty()).await;
    node.stop().await;
}
