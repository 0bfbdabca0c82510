//! When a destination that failed is tried again; pure, the caller has the clock.
//!
//! 30 s, doubled up to 10 min, ± 20 % so that a hundred items and ten nodes do
//! not all come back in the same second. The spread is drawn from the item's
//! id: no randomness, and the same item always waits the same time.

use std::time::Duration;

/// Failures in a row after which only one item at a time probes the destination.
/// 5: by then it is not the item's fault.
pub const OPEN_AFTER: u32 = 5;

/// How long a destination or an instance is left alone after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// After the first failure. Default 30 s: longer than a service restart.
    pub first: Duration,
    /// The longest, before the spread. Default 10 min: an archive that is back is
    /// noticed soon.
    pub longest: Duration,
    /// After a refusal that only a person can mend. Default 15 min: each try is a
    /// line in somebody's log, and the alarm was raised by the first.
    pub refused: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(30),
            longest: Duration::from_secs(10 * 60),
            refused: Duration::from_secs(15 * 60),
        }
    }
}

impl Waits {
    /// How long to wait after this many failures in a row, 1 for the first.
    #[must_use]
    pub fn after(&self, failures: u32, item_id: &str) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        spread(self.first.saturating_mul(1 << doublings).min(self.longest), item_id, failures)
    }
}

/// The state of one destination; times are those of one monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backoff {
    waits: Waits,
    failures: u32,
    was_refused: bool,
    not_before: Duration,
}

impl Backoff {
    /// Of a destination that has not failed yet.
    #[must_use]
    pub fn new(waits: Waits) -> Self {
        Self { waits, ..Self::default() }
    }

    /// Counts a failure that concerns the destination; returns how long all wait.
    pub fn failed(&mut self, now: Duration, item_id: &str) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.leave_alone(now, self.waits.after(self.failures, item_id))
    }

    /// Counts a refusal that only a person can mend; returns how long all wait.
    pub fn refused(&mut self, now: Duration, item_id: &str) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.was_refused = true;
        self.leave_alone(now, spread(self.waits.refused, item_id, self.failures))
    }

    fn leave_alone(&mut self, now: Duration, wait: Duration) -> Duration {
        self.not_before = now.saturating_add(wait);
        wait
    }

    /// Forgets all failures.
    pub fn succeeded(&mut self) {
        *self = Self::new(self.waits);
    }

    /// Whether something may be sent now.
    #[must_use]
    pub fn is_ready(&self, now: Duration) -> bool {
        now >= self.not_before
    }

    /// How long until something may be sent.
    #[must_use]
    pub fn left(&self, now: Duration) -> Duration {
        self.not_before.saturating_sub(now)
    }

    /// Failed so often in a row, or refused us, that C-ECHO asks before an item is risked.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.was_refused || self.failures >= OPEN_AFTER
    }

    /// Failures in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// 800 to 1200 thousandths of a wait. FNV-1a over the id and the count: spreads well
/// enough, and stays the same in every version, which the standard library's hasher
/// does not promise.
fn spread(wait: Duration, item_id: &str, failures: u32) -> Duration {
    let bytes = item_id.bytes().chain(failures.to_le_bytes());
    let hash: u32 =
        bytes.fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    wait.saturating_mul(800 + hash % 401) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_ten_minutes_and_spread_by_a_fifth() {
        let expected_s = [30, 60, 120, 240, 480, 600, 600, 600];
        for (failures, middle) in (1..).zip(expected_s) {
            for item in 0..200 {
                let wait = Waits::default().after(failures, &format!("item-{item}"));
                let middle = Duration::from_secs(middle);
                assert!(wait >= middle * 4 / 5 && wait <= middle * 6 / 5, "{failures}: {wait:?}");
            }
        }
        assert!(Waits::default().after(u32::MAX, "item") <= Duration::from_secs(720));
    }

    #[test]
    fn items_do_not_come_back_in_the_same_second_and_always_at_the_same_time() {
        let waits = Waits::default();
        let seconds: std::collections::BTreeSet<_> =
            (0..100).map(|item| waits.after(6, &format!("item-{item}")).as_secs()).collect();
        assert!(seconds.len() > 40, "{}", seconds.len());
        assert_eq!(waits.after(3, "item"), waits.after(3, "item"));
    }

    #[test]
    fn the_circuit_opens_after_five_failures_and_closes_on_success() {
        let mut backoff = Backoff::default();
        let mut now = Duration::ZERO;
        for failure in 1..=OPEN_AFTER {
            assert!(backoff.is_ready(now) && !backoff.is_open());
            let wait = backoff.failed(now, "item");
            assert!(!backoff.is_ready(now));
            assert_eq!(backoff.left(now), wait);
            assert_eq!(backoff.failures(), failure);
            now += wait;
        }
        assert!(backoff.is_open());
        backoff.succeeded();
        assert!(backoff.is_ready(Duration::ZERO) && !backoff.is_open());
    }

    #[test]
    fn a_refusal_waits_longer_and_opens_the_circuit_at_once() {
        let mut backoff = Backoff::default();
        let wait = backoff.refused(Duration::ZERO, "item");
        let middle = Waits::default().refused;
        assert!(wait >= middle * 4 / 5 && wait <= middle * 6 / 5, "{wait:?}");
        assert!(backoff.is_open() && backoff.failures() == 1);
        backoff.succeeded();
        assert!(!backoff.is_open());
    }
}
