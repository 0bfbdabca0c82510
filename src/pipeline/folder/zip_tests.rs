//! Archives that are well, and archives that lie.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::zip::{Archive, ZipError};

/// An archive written byte by byte, so that every field can lie.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    members: u16,
}

/// What is said of a member.
struct Said<'a> {
    name: &'a [u8],
    flags: u16,
    method: u16,
    content: &'a [u8],
    /// Length that is stated; none: the true one.
    bytes: Option<u32>,
    extra: Vec<u8>,
}

impl<'a> Said<'a> {
    fn deflated(name: &'a [u8], content: &'a [u8]) -> Self {
        Self { name, flags: 0, method: 8, content, bytes: None, extra: Vec::new() }
    }

    fn packed(&self) -> Vec<u8> {
        if self.method != 8 {
            return self.content.to_vec();
        }
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(self.content).unwrap();
        encoder.finish().unwrap()
    }
}

impl Writer {
    fn member(mut self, said: &Said<'_>) -> Self {
        let at = self.bytes.len() as u32;
        let packed = said.packed();
        let bytes = said.bytes.unwrap_or(said.content.len() as u32);
        let mut common = Vec::new();
        common.extend([20_u16, said.flags, said.method, 0, 0].iter().flat_map(|n| n.to_le_bytes()));
        let numbers = [crc32fast::hash(said.content), packed.len() as u32, bytes];
        common.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
        common.extend((said.name.len() as u16).to_le_bytes());
        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(&common);
        self.bytes.extend([0, 0]);
        self.bytes.extend(said.name);
        self.bytes.extend(packed);
        self.directory.extend(b"PK\x01\x02\x14\0");
        self.directory.extend(&common);
        self.directory.extend((said.extra.len() as u16).to_le_bytes());
        self.directory.extend([0; 10]);
        self.directory.extend(at.to_le_bytes());
        self.directory.extend(said.name);
        self.directory.extend(&said.extra);
        self.members += 1;
        self
    }

    fn end(self) -> Vec<u8> {
        let members = self.members;
        self.end_with(members, 0)
    }

    /// With these in the end record: members, and bytes by which the directory is longer.
    fn end_with(self, members: u16, longer: u32) -> Vec<u8> {
        let Self { mut bytes, directory, .. } = self;
        let start = bytes.len() as u32;
        let size = directory.len() as u32;
        bytes.extend(directory);
        bytes.extend(b"PK\x05\x06\0\0\0\0");
        bytes.extend([members, members].iter().flat_map(|n| n.to_le_bytes()));
        bytes.extend([size + longer, start].iter().flat_map(|n| n.to_le_bytes()));
        bytes.extend([0, 0]);
        bytes
    }
}

fn open(bytes: &[u8]) -> Result<Archive, ZipError> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Archive::open(crate::vault::Reader::plain(file).unwrap())
}

/// Name and content of a member.
type Content = (Vec<u8>, Vec<u8>);

/// Every member's name and content, up to the first fault.
fn read(bytes: &[u8]) -> Result<Vec<Content>, ZipError> {
    let mut archive = open(bytes)?;
    let mut found = Vec::new();
    while let Some(member) = archive.next_member() {
        let member = member?;
        let mut content = Vec::new();
        archive.unpack(&member, &mut content)?;
        found.push((member.name, content));
    }
    Ok(found)
}

#[test]
fn members_come_out_as_they_were_put_in() {
    let stored = Said { method: 0, ..Said::deflated(b"b", b"two") };
    let plain = Writer::default().member(&Said::deflated(b"a", &[7; 100_000])).member(&stored);
    let bytes = plain.end();
    let wanted = vec![(b"a".to_vec(), vec![7; 100_000]), (b"b".to_vec(), b"two".to_vec())];
    assert_eq!(read(&bytes).unwrap(), wanted);
    // What stands before the archive moves it: a program that unpacks itself.
    let moved = [b"MZ and more".as_slice(), &bytes].concat();
    assert_eq!(read(&moved).unwrap(), wanted);
    assert_eq!(read(&Writer::default().end()).unwrap(), []);
}

#[test]
fn sizes_of_64_bits_are_read_and_not_believed() {
    let wide = |bytes: u64| {
        let extra = [&[1, 0, 8, 0], bytes.to_le_bytes().as_slice()].concat();
        let said = Said { bytes: Some(u32::MAX), extra, ..Said::deflated(b"a", b"content") };
        read(&Writer::default().member(&said).end())
    };
    assert_eq!(wide(7).unwrap(), [(b"a".to_vec(), b"content".to_vec())]);
    assert!(matches!(wide(u64::MAX), Err(ZipError::OverLimit(_))));
    assert!(matches!(wide(1 << 32), Err(ZipError::OverLimit(_))), "over the archive's share");
    assert!(matches!(wide(1 << 20), Err(ZipError::Damaged(_))));
    let missing = Said { bytes: Some(u32::MAX), ..Said::deflated(b"a", b"content") };
    let missing = read(&Writer::default().member(&missing).end());
    assert!(matches!(missing, Err(ZipError::Damaged(_))));
}

#[test]
fn a_bomb_ends_at_the_length_that_it_states_and_at_the_archives_share() {
    let zeros = vec![0; 4 << 20];
    let short = Said { bytes: Some(1000), ..Said::deflated(b"a", &zeros) };
    let mut archive = open(&Writer::default().member(&short).end()).unwrap();
    let member = archive.next_member().unwrap().unwrap();
    let mut content = Vec::new();
    assert!(matches!(archive.unpack(&member, &mut content), Err(ZipError::Damaged(_))));
    assert!(content.len() <= 1000);

    // The same bytes again and again: each member is well, together they are not.
    let said = Said::deflated(b"a", &zeros);
    let bytes = Writer::default().member(&said).end();
    let mut archive = open(&bytes).unwrap();
    let member = archive.next_member().unwrap().unwrap();
    let mut unpacked = 0_u64;
    let refused = loop {
        match archive.unpack(&member, &mut std::io::sink()) {
            Ok(()) => unpacked += zeros.len() as u64,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, ZipError::OverLimit(_)), "{refused}");
    assert!(unpacked <= (1 << 30) + 200 * bytes.len() as u64);
}

#[test]
fn what_cannot_be_read_says_so() {
    let said = |flags, method| {
        let said = Said { flags, method, ..Said::deflated(b"a", b"content") };
        read(&Writer::default().member(&said).end())
    };
    assert!(matches!(said(1, 8), Err(ZipError::Encrypted)));
    assert!(matches!(said(0, 12), Err(ZipError::Unsupported(_))));
    assert!(matches!(said(0, 99), Err(ZipError::Unsupported(_))));
}

#[test]
fn counts_and_places_that_lie_are_damage() {
    let two = || {
        let first = Writer::default().member(&Said::deflated(b"a", b"one"));
        first.member(&Said::deflated(b"b", b"two"))
    };
    for (members, longer) in [(1, 0), (3, 0), (2, 1), (2, 30), (2, 1 << 20)] {
        let refused = read(&two().end_with(members, longer));
        assert!(matches!(refused, Err(ZipError::Damaged(_))), "{members}, {longer}");
    }
    let bytes = two().end();
    for cut in 0..bytes.len() {
        assert!(read(&bytes[..cut]).is_err(), "cut at {cut}");
    }
}

/// Every byte of an archive changed in turn: no panic, no more than is there.
#[test]
fn no_flipped_bit_makes_an_archive_do_more_than_fail() {
    let name = b"../../outside";
    let bytes = Writer::default().member(&Said::deflated(name, &[3; 5000])).end();
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        if let Ok(found) = read(&damaged) {
            assert!(found.iter().all(|(_, content)| content.len() <= 5000), "bit {bit}");
        }
    }
}
