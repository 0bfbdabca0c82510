//! How long the disk bridges a destination that takes nothing, by the busiest hour since
//! the start.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What is counted together.
const HOUR: Duration = Duration::from_secs(60 * 60);
/// Until it is delivered each byte taken stands twice: in the original and in the clean copy.
const COPIES: u64 = 2;

/// What was taken, hour by hour.
#[derive(Debug, Default)]
pub(super) struct Intake(Mutex<Hours>);

#[derive(Debug, Default)]
struct Hours {
    /// When, and how many bytes had been taken by then; over one hour.
    looks: VecDeque<(Duration, u64)>,
    busiest_bytes: u64,
}

impl Intake {
    /// So many bytes were taken since the start. Times are those of the clock that never
    /// goes back.
    pub(super) fn look(&self, now: Duration, taken_bytes: u64) {
        let mut hours = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hours.looks.push_back((now, taken_bytes));
        // The last look before the hour began stays.
        while hours.looks.get(1).is_some_and(|(at, _)| now.saturating_sub(*at) >= HOUR) {
            hours.looks.pop_front();
        }
        let before = hours.looks.front().map_or(0, |(_, taken)| *taken);
        hours.busiest_bytes = hours.busiest_bytes.max(taken_bytes.saturating_sub(before));
    }

    /// Seconds for which `bytes` of room are enough when nothing goes out; none before
    /// anything came.
    pub(super) fn lasts_seconds(&self, room_bytes: u64) -> Option<u64> {
        let hours = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let needed = u128::from(hours.busiest_bytes) * u128::from(COPIES);
        let seconds = (u128::from(room_bytes) * u128::from(HOUR.as_secs())).checked_div(needed)?;
        Some(u64::try_from(seconds).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_hour_counts_and_each_byte_twice() {
        let intake = Intake::default();
        let look = |minute: u64, taken| intake.look(Duration::from_secs(minute * 60), taken);
        look(0, 0);
        assert_eq!(intake.lasts_seconds(1_000), None);
        look(30, 100);
        assert_eq!(intake.lasts_seconds(1_000), Some(5 * 3_600));
        look(60, 200);
        look(90, 300);
        // 200 an hour at most, however long it goes on.
        look(120, 400);
        assert_eq!(intake.lasts_seconds(1_000), Some(2 * 3_600 + 1_800));
        // Quiet hours do not lengthen it.
        (3..100).for_each(|hour| look(hour * 60, 400));
        assert_eq!(intake.lasts_seconds(1_000), Some(2 * 3_600 + 1_800));
        assert_eq!(intake.lasts_seconds(0), Some(0));
        let looks = intake.0.lock().unwrap().looks.len();
        assert!(looks <= 2, "{looks}");
        look(6_030, u64::MAX);
        assert_eq!(intake.lasts_seconds(u64::MAX), Some(1_800));
    }
}
