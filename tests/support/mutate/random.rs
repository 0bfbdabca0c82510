//! Numbers that look random and are the same everywhere.

/// A generator of 64-bit numbers with 64 bits of state (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Numbers of their own for each case of a run.
    pub(crate) fn new(seed: u64, case: u64) -> Self {
        let mut random = Self(seed);
        let start = random.next() ^ case.wrapping_mul(0xD6E8_FEB8_6659_FD93);
        Self(start)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number under `limit`, or 0 when there is none.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).expect("a small number").max(1);
        usize::try_from(self.next() % limit).expect("a small number")
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len())]
    }

    /// A number at which something may turn: small, around powers of two, large.
    pub(crate) fn number(&mut self) -> u64 {
        match self.below(4) {
            0 => *self.pick(&[0, 1, 2, 3, 4, 7, 8, 255, u64::from(u32::MAX), u64::MAX]),
            1 => (1_u64 << self.below(33)).wrapping_sub(1),
            2 => (1_u64 << self.below(33)).wrapping_add(1),
            _ => self.next() >> self.below(64),
        }
    }

    pub(crate) fn short(&mut self) -> u16 {
        u16::from_le_bytes(self.number().to_le_bytes()[..2].try_into().expect("two bytes"))
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.number().to_le_bytes()[0]
    }

    /// Turns one to eight bits round.
    pub(crate) fn flips(&mut self, bytes: &mut [u8]) {
        if bytes.is_empty() {
            return;
        }
        for _ in 0..=self.below(8) {
            let at = self.below(bytes.len());
            bytes[at] ^= 1 << self.below(8);
        }
    }

    /// Overwrites, takes out or puts in up to 64 bytes.
    pub(crate) fn run(&mut self, bytes: &mut Vec<u8>) {
        let (at, count) = (self.below(bytes.len() + 1), self.below(64) + 1);
        let fill = match self.below(3) {
            0 => vec![0; count],
            1 => vec![0xFF; count],
            _ => (0..count).map(|_| self.byte()).collect(),
        };
        let end = (at + count).min(bytes.len());
        match self.below(3) {
            0 => drop(bytes.splice(at..end, [])),
            1 => drop(bytes.splice(at..at, fill)),
            _ => put(bytes, at, &fill),
        }
    }
}

/// Overwrites what is there of the place.
pub(crate) fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    let place = bytes.iter_mut().skip(at);
    for (byte, new) in place.zip(value) {
        *byte = *new;
    }
}
