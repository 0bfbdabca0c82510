//! When a destination that failed is tried again; pure, the caller has the clock.
//!
//! 30 s, doubled up to 10 min, ± 20 % so that a hundred items and ten nodes do
//! not all come back in the same second. The spread is drawn from the item's
//! id: no randomness, and the same item always waits the same time.

use std::time::Duration;

/// First wait. 30 s: longer than a service restart.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// Longest wait before the spread. 10 min: an archive that is back is noticed soon.
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);
/// Failures in a row after which only one item at a time probes the destination.
/// 5: by then it is not the item's fault.
pub const OPEN_AFTER: u32 = 5;

/// How long to wait after this many failures in a row, 1 for the first.
#[must_use]
pub fn wait_after(failures: u32, item_id: &str) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let wait = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    // 800 to 1200 thousandths.
    wait.saturating_mul(800 + spread(item_id, failures) % 401) / 1000
}

/// The state of one destination; times are those of one monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backoff {
    failures: u32,
    not_before: Duration,
}

impl Backoff {
    /// Counts a failure that concerns the destination; returns how long all wait.
    pub fn failed(&mut self, now: Duration, item_id: &str) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let wait = wait_after(self.failures, item_id);
        self.not_before = now.saturating_add(wait);
        wait
    }

    /// Forgets all failures.
    pub fn succeeded(&mut self) {
        *self = Self::default();
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

    /// Failed so often in a row that one item alone is tried, not a batch.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.failures >= OPEN_AFTER
    }

    /// Failures in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// FNV-1a over the id and the count: spreads well enough, and stays the same
/// in every version, which the standard library's hasher does not promise.
fn spread(item_id: &str, failures: u32) -> u32 {
    let bytes = item_id.bytes().chain(failures.to_le_bytes());
    bytes.fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_ten_minutes_and_spread_by_a_fifth() {
        let expected_s = [30, 60, 120, 240, 480, 600, 600, 600];
        for (failures, middle) in (1..).zip(expected_s) {
            for item in 0..200 {
                let wait = wait_after(failures, &format!("item-{item}"));
                let middle = Duration::from_secs(middle);
                assert!(wait >= middle * 4 / 5 && wait <= middle * 6 / 5, "{failures}: {wait:?}");
            }
        }
        assert!(wait_after(u32::MAX, "item") <= Duration::from_secs(720));
    }

    #[test]
    fn items_do_not_come_back_in_the_same_second_and_always_at_the_same_time() {
        let waits: std::collections::BTreeSet<_> =
            (0..100).map(|item| wait_after(6, &format!("item-{item}")).as_secs()).collect();
        assert!(waits.len() > 40, "{}", waits.len());
        assert_eq!(wait_after(3, "item"), wait_after(3, "item"));
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
}
