//! How long the disk bridges a destination that takes nothing, by the busiest hour since
//! the start.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What is counted together.
const HOUR: Duration = Duration::from_secs(60 * 60);
/// Shortest time from which an hour is reckoned in the first hour. Default 10 min: what
/// senders kept while the node was away comes at once.
const SHORTEST: Duration = Duration::from_secs(10 * 60);
/// Until it is delivered each byte taken stands twice: in the original and in the clean copy.
const COPIES: u64 = 2;

/// What was taken, hour by hour.
#[derive(Debug, Default)]
pub(super) struct Intake(Mutex<Hours>);

#[derive(Debug, Default)]
struct Hours {
    /// When, and how many bytes had been taken by then; over one hour.
    looks: VecDeque<(Duration, u64)>,
    /// Of whole hours.
    busiest_bytes: u64,
}

impl Hours {
    /// Bytes since the last look before the hour began, and the time since.
    fn last(&self) -> Option<(Duration, u64)> {
        let ((first, before), (now, taken)) = (self.looks.front()?, self.looks.back()?);
        Some((now.saturating_sub(*first), taken.saturating_sub(*before)))
    }

    fn bytes_an_hour(&self) -> u128 {
        let busiest = u128::from(self.busiest_bytes);
        match self.last() {
            Some((span, bytes)) if span < HOUR => {
                let seconds = u128::from(span.max(SHORTEST).as_secs());
                busiest.max(u128::from(bytes) * u128::from(HOUR.as_secs()) / seconds)
            }
            Some(_) | None => busiest,
        }
    }
}

impl Intake {
    /// So many bytes were taken since the start. Times are those of the clock that never
    /// goes back.
    pub(super) fn look(&self, now: Duration, taken_bytes: u64) {
        let mut hours = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hours.looks.push_back((now, taken_bytes));
        while hours.looks.get(1).is_some_and(|(at, _)| now.saturating_sub(*at) >= HOUR) {
            hours.looks.pop_front();
        }
        if let Some((span, bytes)) = hours.last()
            && span >= HOUR
        {
            hours.busiest_bytes = hours.busiest_bytes.max(bytes);
        }
    }

    /// Seconds for which `bytes` of room are enough when nothing goes out; none before
    /// anything came. In the first hour what came is taken for a part of one.
    pub(super) fn lasts_seconds(&self, room_bytes: u64) -> Option<u64> {
        let hours = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let needed = hours.bytes_an_hour() * u128::from(COPIES);
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
        let lasts_minutes = |room| intake.lasts_seconds(room).map(|seconds| seconds / 60);
        look(0, 0);
        assert_eq!(lasts_minutes(1_000), None);
        // As of ten minutes, then as of half an hour: 200 an hour.
        look(1, 100);
        assert_eq!(lasts_minutes(1_000), Some(50));
        look(30, 100);
        assert_eq!(lasts_minutes(1_000), Some(150));
        (31..=120).for_each(|minute| look(minute, 100 + (minute - 30) * 10 / 3));
        // 200 in the busiest hour, however long it goes on.
        assert_eq!(lasts_minutes(1_000), Some(150));
        // Quiet hours do not lengthen it.
        (3..100).for_each(|hour| look(hour * 60, 400));
        assert_eq!((lasts_minutes(1_000), lasts_minutes(0)), (Some(150), Some(0)));
        let looks = intake.0.lock().unwrap().looks.len();
        assert!(looks <= 2, "{looks}");
        look(6_030, u64::MAX);
        assert_eq!(lasts_minutes(u64::MAX), Some(30));
    }
}
