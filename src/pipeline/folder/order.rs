//! Outcomes that come in any order, given on in the order of their numbers.

use std::collections::BTreeMap;

/// Holds what came before its turn. Numbers start at 1 and leave none out.
#[derive(Debug)]
pub(super) struct InOrder<T> {
    next: usize,
    held: BTreeMap<usize, T>,
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self { next: 1, held: BTreeMap::new() }
    }
}

impl<T> InOrder<T> {
    /// Takes one.
    pub(super) fn put(&mut self, number: usize, outcome: T) {
        self.held.insert(number, outcome);
    }

    /// How many came before their turn.
    pub(super) fn waiting(&self) -> usize {
        self.held.len()
    }

    /// The one whose turn it is, if it came.
    pub(super) fn take(&mut self) -> Option<T> {
        let outcome = self.held.remove(&self.next)?;
        self.next += 1;
        Some(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_wait_for_their_turn() {
        let mut order = InOrder::default();
        order.put(2, "b");
        assert_eq!((order.take(), order.waiting()), (None, 1));
        order.put(1, "a");
        assert_eq!([order.take(), order.take(), order.take()], [Some("a"), Some("b"), None]);
    }
}
