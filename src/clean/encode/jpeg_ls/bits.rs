//! Bits of a JPEG-LS scan to bytes (ISO/IEC 14495-1 Annex A and C): the most
//! significant first, and a 0 bit after each byte 0xFF, so that no marker can
//! stand in a scan.

/// Collects bits behind what was already written.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits not yet written, in the low end.
    waiting: u64,
    count: u32,
}

impl BitWriter {
    /// Goes on behind `bytes`.
    pub(super) fn after(bytes: Vec<u8>) -> Self {
        Self { bytes, ..Self::default() }
    }

    /// Appends the low `count` bits of `bits`, at most 32.
    pub(super) fn put(&mut self, bits: u32, count: u32) {
        let mask = (1_u64 << count) - 1;
        self.waiting = (self.waiting << count) | (u64::from(bits) & mask);
        self.count += count;
        while self.count >= 8 {
            self.byte();
        }
    }

    /// Appends `zeros` bits 0 and then a 1.
    pub(super) fn put_unary(&mut self, mut zeros: u32) {
        while zeros > 31 {
            self.put(0, 31);
            zeros -= 31;
        }
        self.put(1, zeros + 1);
    }

    fn byte(&mut self) {
        let size = if self.bytes.last() == Some(&0xFF) { 7 } else { 8 };
        self.count -= size;
        let byte = (self.waiting >> self.count) & ((1 << size) - 1);
        self.bytes.push(u8::try_from(byte).unwrap_or(0));
    }

    /// Fills the last byte with 0 and gives all bytes. A scan does not end in
    /// 0xFF: a decoder would take it for the beginning of the next marker.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            let room = if self.bytes.last() == Some(&0xFF) { 7 } else { 8 };
            self.put(0, room - self.count);
            if self.count > 0 {
                self.byte();
            }
        }
        if self.bytes.last() == Some(&0xFF) {
            self.bytes.push(0);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_bit_follows_each_byte_of_ones() {
        let mut bits = BitWriter::after(vec![1]);
        bits.put(0xFFFF, 16);
        bits.put_unary(40);
        assert_eq!(bits.finish(), [1, 0xFF, 0x7F, 0x80, 0, 0, 0, 0, 0x40]);
        let mut ones = BitWriter::default();
        ones.put(0xFF, 8);
        assert_eq!(ones.finish(), [0xFF, 0]);
        assert!(BitWriter::default().finish().is_empty());
    }
}
