//! Two digests over the same bytes in one pass.
//!
//! A block of SHA-256 keeps a core waiting for its own results; blocks of two
//! digests in turn fill the gaps, so that both take little longer than one.

use sha2::{Digest as _, Sha256};

/// Block of SHA-256 (FIPS 180-4 §5.2.1), bytes.
const BLOCK_BYTES: usize = 64;

/// SHA-256 that knows where its next block begins.
#[derive(Clone, Default)]
pub(super) struct Digester {
    hash: Sha256,
    /// Bytes of the last block that are there.
    begun: usize,
}

impl Digester {
    /// Takes the next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.begun = (self.begun + bytes.len() % BLOCK_BYTES) % BLOCK_BYTES;
    }

    /// In lower-case hexadecimal.
    pub(super) fn hex(self) -> String {
        super::hex(&self.hash.finalize())
    }

    /// Takes what is missing of the last block; gives whole blocks and the rest.
    fn fill<'a>(&mut self, bytes: &'a [u8]) -> (&'a [[u8; BLOCK_BYTES]], &'a [u8]) {
        let missing = (BLOCK_BYTES - self.begun) % BLOCK_BYTES;
        let (first, rest) = bytes.split_at(missing.min(bytes.len()));
        self.update(first);
        rest.as_chunks()
    }
}

/// Takes the same bytes into both, block by block in turn.
pub(super) fn update_both(one: &mut Digester, other: &mut Digester, bytes: &[u8]) {
    let (blocks, last) = one.fill(bytes);
    let (other_blocks, other_last) = other.fill(bytes);
    // Where their blocks begin differs by less than one, so that may their number.
    let turns = blocks.len().min(other_blocks.len());
    for (block, other_block) in blocks.iter().zip(other_blocks) {
        one.hash.update(block);
        other.hash.update(other_block);
    }
    let beyond = |all: &'_ [[u8; BLOCK_BYTES]]| all.get(turns..).unwrap_or_default().to_vec();
    for (digester, blocks, last) in
        [(one, beyond(blocks), last), (other, beyond(other_blocks), other_last)]
    {
        digester.update(blocks.as_flattened());
        digester.update(last);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_are_what_each_would_be_alone(
            starts in (0_usize..200, 0_usize..200),
            pieces in prop::collection::vec(0_usize..500, 0..6),
        ) {
            let bytes: Vec<u8> = (0..3000_u32).flat_map(u32::to_le_bytes).collect();
            let (mut one, mut other) = (Digester::default(), Digester::default());
            let (mut alone, mut other_alone) = (Sha256::new(), Sha256::new());
            one.update(&bytes[..starts.0]);
            alone.update(&bytes[..starts.0]);
            other.update(&bytes[..starts.1]);
            other_alone.update(&bytes[..starts.1]);
            let mut at = 0;
            for piece in pieces {
                update_both(&mut one, &mut other, &bytes[at..at + piece]);
                alone.update(&bytes[at..at + piece]);
                other_alone.update(&bytes[at..at + piece]);
                at += piece;
            }
            prop_assert_eq!(one.hex(), crate::clean::hex(&alone.finalize()));
            prop_assert_eq!(other.hex(), crate::clean::hex(&other_alone.finalize()));
        }
    }
}
