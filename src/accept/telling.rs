//! How much of what one address does is told in the log: a flood fills no disk. That
//! more is not told is told at once, how much with the next line.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Most lines of an address in a [`WHILE`]. Default 120: more than any cart, scanner or
/// monitor has, and some 40 KiB.
const LINES_MAX: u32 = 120;
/// 1 min.
const WHILE: Duration = Duration::from_mins(1);
/// Most addresses that are told apart. Default 4,096: some 300 KiB; those beyond share
/// their lines, so that one who has many addresses fills no disk either.
const ADDRESSES_MAX: usize = 4_096;

/// What was told of an address in its while.
#[derive(Debug)]
struct Told {
    since: Instant,
    lines: u32,
    unsaid: u64,
}

/// What becomes of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    may: bool,
    /// None may follow it in this while.
    is_last: bool,
    /// Lines that were left out before.
    unsaid: u64,
    /// Of all addresses that are not told apart.
    is_shared: bool,
}

/// Keeps count of what is told.
#[derive(Debug, Default)]
pub(super) struct Telling {
    by_address: Mutex<HashMap<Option<IpAddr>, Told>>,
}

impl Telling {
    /// Whether another line on `peer` may be written now; says when no more will be, and
    /// how many were not.
    pub(super) fn may_tell(&self, peer: IpAddr) -> bool {
        let count = self.count(peer, Instant::now());
        let whose = if count.is_shared { String::from("many") } else { peer.to_string() };
        if count.unsaid > 0 {
            tracing::warn!(peer = whose, unsaid = count.unsaid, "lines were left out");
        }
        if count.is_last {
            tracing::warn!(peer = whose, "too many lines: more are left out for a minute");
        }
        count.may
    }

    fn count(&self, peer: IpAddr, now: Instant) -> Count {
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let mut whose = Some(peer);
        if by_address.len() >= ADDRESSES_MAX && !by_address.contains_key(&whose) {
            by_address.retain(|_, told| now.duration_since(told.since) < WHILE);
            if by_address.len() >= ADDRESSES_MAX {
                whose = None;
            }
        }
        let fresh = || Told { since: now, lines: 0, unsaid: 0 };
        let told = by_address.entry(whose).or_insert_with(fresh);
        let unsaid = if now.duration_since(told.since) >= WHILE {
            std::mem::replace(told, fresh()).unsaid
        } else {
            0
        };
        let may = told.lines < LINES_MAX;
        if may {
            told.lines = told.lines.saturating_add(1);
        } else {
            told.unsaid = told.unsaid.saturating_add(1);
        }
        let is_last = may && told.lines == LINES_MAX;
        Count { may, is_last, unsaid, is_shared: whose.is_none() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_lines_and_what_was_left_out_is_told_later() {
        let telling = Telling::default();
        let [loud, quiet] = [IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2])];
        let now = Instant::now();
        let counts: Vec<_> = (0..1_000).map(|_| telling.count(loud, now)).collect();
        let lines = usize::try_from(LINES_MAX).unwrap();
        assert_eq!(counts.iter().filter(|count| count.may).count(), lines);
        assert!(counts[lines - 1].is_last, "{:?}", counts[lines - 1]);
        assert_eq!(counts.iter().filter(|count| count.is_last).count(), 1);
        let first = Count { may: true, is_last: false, unsaid: 0, is_shared: false };
        assert_eq!(telling.count(quiet, now), first, "nobody hides behind another");
        let unsaid = 1_000 - u64::from(LINES_MAX);
        assert_eq!(telling.count(loud, now + WHILE), Count { unsaid, ..first });
        assert_eq!(telling.count(loud, now + WHILE), first, "told once");
    }

    #[test]
    fn addresses_without_number_are_not_kept() {
        let telling = Telling::default();
        let now = Instant::now();
        let address = |number: u32| IpAddr::from(number.to_be_bytes());
        let most = u32::try_from(ADDRESSES_MAX).unwrap();
        let told = (0..most + 1_000).filter(|number| telling.count(address(*number), now).may);
        let beyond = usize::try_from(LINES_MAX).unwrap();
        assert_eq!(told.count(), ADDRESSES_MAX + beyond, "those beyond share their lines");
        assert_eq!(telling.by_address.lock().unwrap().len(), ADDRESSES_MAX + 1);
        telling.count(address(9_000_000), now + WHILE);
        assert_eq!(telling.by_address.lock().unwrap().len(), 1);
    }
}
