//! Disks that fail: doubles for the tests of everything that is durable.
//!
//! [`FaultyDisk`] makes chosen calls of any disk fail. [`VolatileDisk`] keeps
//! its files in memory and forgets what was not synced when the power is cut.

mod faulty;
mod volatile;

pub use faulty::FaultyDisk;
pub use volatile::{Cut, VolatileDisk};

/// A small reproducible generator (SplitMix64), so that a seed names a run.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The same seed gives the same throws.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`, which is at least 1.
    pub fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).unwrap()
    }
}
