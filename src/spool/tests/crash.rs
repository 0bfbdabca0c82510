//! Goal: whatever was acknowledged survives a kill or a power cut at any call
//! to the disk, in exactly one state, and can be brought to its end.
//!
//! Method: a fixed scenario that takes every step is cut at every call, in
//! several ways, also with a second cut in the start that follows, and with
//! a failed call before the cut; random scenarios are cut at random calls.

use proptest::prelude::*;

use super::world::{Op, World};
use crate::disk::testing::Cut;
use crate::spool::State;

static SCENARIO: [Op; 35] = [
    Op::Receive(1),
    Op::Receive(2),
    Op::Attempt(0),
    Op::Clean(0, 0b111),
    Op::Deliver(0, 0),
    Op::Receive(3),
    Op::Deliver(0, 1),
    Op::Deliver(0, 0),
    Op::Again(0, 0b101),
    Op::Deliver(0, 1),
    Op::Deliver(0, 0),
    Op::Attempt(0),
    Op::Clean(0, 0b011),
    Op::Forget,
    Op::Deliver(0, 1),
    Op::Quarantine(1),
    Op::Release(0),
    Op::Attempt(0),
    Op::Attempt(0),
    Op::Clean(0, 0b100),
    Op::Quarantine(1),
    Op::Receive(4),
    Op::Quarantine(0),
    Op::Release(1),
    Op::Clean(0, 0b110),
    Op::Deliver(0, 0),
    Op::Deliver(0, 0),
    Op::Receive(5),
    Op::Clean(0, 0),
    Op::Forget,
    Op::Quarantine(0),
    Op::Discard(0),
    Op::Release(0),
    Op::Receive(6),
    Op::Attempt(0),
];

fn ways() -> impl Iterator<Item = Option<Cut>> {
    let plain = [None, Some(Cut::LoseAll), Some(Cut::KeepAll)];
    let seeded = (0..3).flat_map(|seed| [Some(Cut::InOrder(seed)), Some(Cut::AnySubset(seed))]);
    plain.into_iter().chain(seeded)
}

/// The calls of an uninterrupted run, those of the first start left out.
fn all_calls() -> std::ops::Range<usize> {
    let mut world = World::new();
    let first = world.disk.calls();
    SCENARIO.iter().for_each(|op| world.apply(*op).unwrap());
    first..world.disk.calls()
}

/// Runs the scenario with the power going off at `call`; also the steps that
/// did not end.
fn run_until(call: usize) -> (World, &'static [Op]) {
    let mut world = World::new();
    world.disk.off_from(call);
    let cut_at = SCENARIO.iter().position(|op| world.apply(*op).is_err());
    (world, &SCENARIO[cut_at.unwrap()..])
}

#[test]
fn the_scenario_takes_every_step() {
    let mut world = World::new();
    for op in &SCENARIO {
        world.apply(*op).unwrap();
        world.check();
    }
    assert_eq!(world.stored(), 6);
    assert_eq!(world.spool.list(State::Quarantine).unwrap().len(), 0);
    world.drain();
}

#[test]
fn a_crash_at_any_call_loses_nothing() {
    for call in all_calls() {
        for way in ways() {
            let (mut world, _rest) = run_until(call);
            world.restart(way);
            world.drain();
        }
    }
}

/// What a killed process left unsynced must not be taken for durable by the next.
#[test]
fn a_kill_at_any_call_and_a_power_cut_some_steps_later_loses_nothing() {
    for call in all_calls() {
        for steps in [1, 3] {
            for way in [Cut::LoseAll, Cut::AnySubset(1)] {
                let (mut world, rest) = run_until(call);
                world.restart(None);
                rest.iter().take(steps).for_each(|op| world.apply(*op).unwrap());
                world.restart(Some(way));
                world.drain();
            }
        }
    }
}

#[test]
fn a_second_crash_at_any_call_of_the_start_loses_nothing() {
    for call in all_calls().step_by(11) {
        for way in [None, Some(Cut::LoseAll), Some(Cut::InOrder(7)), Some(Cut::AnySubset(7))] {
            for second in 0.. {
                let (mut world, _rest) = run_until(call);
                if !world.restart_cut_short(way, second) {
                    break;
                }
                world.restart(Some(Cut::AnySubset(second as u64)));
                world.drain();
            }
        }
    }
}

/// A full disk, a failing one and want of handles at each call: what was
/// acknowledged stands, and after a later power cut too.
#[test]
fn a_failed_call_and_then_a_power_cut_loses_nothing() {
    const ERRNOS: [i32; 3] = [28, 5, 24]; // ENOSPC, EIO, EMFILE
    for call in all_calls() {
        for errno in ERRNOS {
            let mut world = World::new();
            world.disk.fail(call, errno);
            for op in &SCENARIO {
                if world.apply(*op).is_err() {
                    if world.spool.has_failed() {
                        world.restart(None);
                    }
                    world.check_live();
                }
            }
            world.restart(Some(Cut::AnySubset(call as u64)));
            world.drain();
        }
    }
}

/// Where nobody waits for an instance its record alone says that it was let go: what
/// cannot read it may not let go, or the next start misses an original.
#[test]
fn a_failed_call_while_forgetting_and_then_a_crash_loses_nothing() {
    const BEFORE: [Op; 3] = [Op::Receive(1), Op::Attempt(0), Op::Clean(0, 0)];
    let ready = || {
        let mut world = World::new();
        BEFORE.iter().for_each(|op| world.apply(*op).unwrap());
        world
    };
    let mut whole = ready();
    let first = whole.disk.calls();
    whole.apply(Op::Forget).unwrap();
    for failing in first..whole.disk.calls() {
        for errno in [5, 24] {
            for off in failing + 1..=whole.disk.calls() {
                for way in [None, Some(Cut::LoseAll), Some(Cut::AnySubset(off as u64))] {
                    let mut world = ready();
                    world.disk.fail(failing, errno);
                    world.disk.off_from(off);
                    drop(world.apply(Op::Forget));
                    world.restart(way);
                    world.drain();
                }
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Do(Op),
    /// The call so many calls from now fails with this error.
    Fail(usize, i32),
    /// So many calls from now all is over.
    Crash(usize, Option<Cut>),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let n = 0..6_usize;
    let op = prop_oneof![
        4 => any::<u8>().prop_map(Op::Receive),
        2 => n.clone().prop_map(Op::Attempt),
        5 => (n.clone(), 0..8_u8).prop_map(|(n, bits)| Op::Clean(n, bits)),
        5 => (n.clone(), 0..3_usize).prop_map(|(n, which)| Op::Deliver(n, which)),
        2 => (0..18_usize).prop_map(Op::Quarantine),
        2 => n.clone().prop_map(Op::Release),
        1 => n.prop_map(Op::Discard),
        2 => Just(Op::Forget),
        2 => (0..6_usize, 0..8_u8).prop_map(|(n, bits)| Op::Again(n, bits)),
    ];
    let cut = prop_oneof![
        Just(None),
        Just(Some(Cut::LoseAll)),
        any::<u64>().prop_map(|seed| Some(Cut::InOrder(seed))),
        any::<u64>().prop_map(|seed| Some(Cut::AnySubset(seed))),
    ];
    let act = prop_oneof![
        10 => op.prop_map(Act::Do),
        1 => (0..40_usize, prop_oneof![Just(5), Just(28), Just(24)])
            .prop_map(|(calls, errno)| Act::Fail(calls, errno)),
        2 => (0..40_usize, cut).prop_map(|(calls, cut)| Act::Crash(calls, cut)),
    ];
    prop::collection::vec(act, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    /// The failing input that is printed names every seed.
    #[test]
    fn any_steps_with_any_crashes_lose_nothing(acts in acts()) {
        let mut world = World::new();
        let mut next_cut = None;
        for act in acts {
            match act {
                Act::Fail(calls, errno) => world.disk.fail(world.disk.calls() + calls, errno),
                Act::Crash(calls, cut) => {
                    world.disk.off_from(world.disk.calls() + calls);
                    next_cut = Some(cut);
                }
                Act::Do(op) => {
                    if world.apply(op).is_err() {
                        match next_cut.take() {
                            Some(cut) => world.restart(cut),
                            None if world.spool.has_failed() => world.restart(None),
                            None => world.check_live(),
                        }
                    }
                }
            }
        }
        world.restart(next_cut.flatten());
        world.drain();
    }
}
