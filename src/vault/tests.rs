//! Claims about sealed files: any length and any way of reading gives the plain
//! bytes, and nothing that was changed is given.

use std::io::{Cursor, Read as _, Seek as _, SeekFrom, Write as _};

use proptest::prelude::*;

use super::file::{HEAD_BYTES, SEGMENT_BYTES};
use super::*;

const SEAL: Seal = Seal { id: [7; 16], kind: Kind::Original, required: true };
const SEALED_SEGMENT: usize = SEGMENT_BYTES + 16;

fn key(number: u8) -> VaultKey {
    VaultKey::new(&format!("{number:08x}"), &[number; 32])
}

fn vault() -> Vault {
    Vault::new(true, vec![key(1)])
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 % 251) as u8).collect()
}

fn sealed(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::sealed(&mut out, &vault(), &SEAL).unwrap();
    writer.write_all(plain).unwrap();
    let told = writer.finish().unwrap();
    assert_eq!(told, out.len() as u64);
    out
}

fn opened(file: &[u8], seal: &Seal) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    Reader::open(Cursor::new(file), &vault(), seal)?.read_to_end(&mut plain)?;
    Ok(plain)
}

fn fault(file: &[u8], seal: &Seal) -> VaultError {
    VaultError::of(&opened(file, seal).unwrap_err()).unwrap().clone()
}

/// Lengths around the borders of segments.
fn length() -> impl Strategy<Value = usize> {
    (0..4_usize, 0..5_usize)
        .prop_map(|(segments, by)| (segments * SEGMENT_BYTES + by).saturating_sub(2))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_reading_of_any_length_gives_the_plain_bytes(
        length in length(),
        steps in proptest::collection::vec((0..3_u8, -200_000..200_000_i64, 0..70_000_usize), 1..20),
    ) {
        let plain = bytes(length);
        let file = sealed(&plain);
        prop_assert_eq!(opened(&file, &SEAL).unwrap(), plain.clone());
        let mut ours = Reader::open(Cursor::new(&file), &vault(), &SEAL).unwrap();
        let mut theirs = Cursor::new(&plain);
        prop_assert_eq!(ours.byte_len(), length as u64);
        for (from, by, count) in steps {
            let to = match from {
                0 => SeekFrom::Start(by.unsigned_abs()),
                1 => SeekFrom::Current(by),
                _ => SeekFrom::End(by),
            };
            prop_assert_eq!(ours.seek(to).ok(), theirs.seek(to).ok());
            let (mut one, mut other) = (Vec::new(), Vec::new());
            (&mut ours).take(count as u64).read_to_end(&mut one).unwrap();
            (&mut theirs).take(count as u64).read_to_end(&mut other).unwrap();
            prop_assert_eq!(one, other);
        }
    }

    #[test]
    fn every_piecewise_writing_reads_the_same(
        length in length(),
        pieces in proptest::collection::vec(1..70_000_usize, 1..12),
    ) {
        let plain = bytes(length);
        let (mut out, mut rest) = (Vec::new(), plain.as_slice());
        let mut writer = Writer::sealed(&mut out, &vault(), &SEAL).unwrap();
        for piece in pieces.iter().cycle() {
            let (now, later) = rest.split_at((*piece).min(rest.len()));
            writer.write_all(now).unwrap();
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        writer.finish().unwrap();
        prop_assert_eq!(opened(&out, &SEAL).unwrap(), plain);
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed(length in length(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut file = sealed(&bytes(length));
        let at = at.index(file.len());
        file[at] ^= 1 << bit;
        prop_assert!(opened(&file, &SEAL).is_err(), "byte {at}");
    }

    #[test]
    fn a_cut_or_longer_file_is_noticed_when_it_is_opened(length in length(), at in any::<prop::sample::Index>()) {
        let file = sealed(&bytes(length));
        let cut = &file[..at.index(file.len())];
        prop_assert!(Reader::open(Cursor::new(cut), &vault(), &SEAL).is_err());
        let longer = [file, bytes(at.index(40) + 1)].concat();
        prop_assert!(opened(&longer, &SEAL).is_err());
    }
}

#[test]
fn every_flipped_bit_of_a_short_file_is_noticed() {
    let file = sealed(b"a short one");
    for bit in 0..file.len() * 8 {
        let mut changed = file.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(opened(&changed, &SEAL).is_err(), "bit {bit}");
    }
}

#[test]
fn a_file_that_is_cut_at_a_segment_is_noticed_when_it_is_opened() {
    let file = sealed(&bytes(3 * SEGMENT_BYTES));
    for segments in 0..3 {
        let cut = &file[..HEAD_BYTES + segments * SEALED_SEGMENT];
        assert!(Reader::open(Cursor::new(cut), &vault(), &SEAL).is_err(), "{segments}");
    }
}

#[test]
fn segments_that_are_exchanged_or_of_another_file_are_noticed() {
    let plain = bytes(3 * SEGMENT_BYTES);
    let (file, other) = (sealed(&plain), sealed(&plain));
    let segment =
        |at: usize| HEAD_BYTES + at * SEALED_SEGMENT..HEAD_BYTES + (at + 1) * SEALED_SEGMENT;
    let mut exchanged = file.clone();
    exchanged[segment(0)].copy_from_slice(&file[segment(1)]);
    exchanged[segment(1)].copy_from_slice(&file[segment(0)]);
    assert_eq!(fault(&exchanged, &SEAL), VaultError::Damaged);
    let mut foreign = file.clone();
    foreign[segment(1)].copy_from_slice(&other[segment(1)]);
    assert_eq!(fault(&foreign, &SEAL), VaultError::Damaged);
}

#[test]
fn a_whole_file_of_another_instance_or_kind_is_noticed() {
    let file = sealed(b"whose");
    assert_eq!(fault(&file, &Seal { id: [8; 16], ..SEAL }), VaultError::Damaged);
    assert_eq!(fault(&file, &Seal { kind: Kind::Clean, ..SEAL }), VaultError::Damaged);
}

#[test]
fn a_plain_file_is_read_unless_a_sealed_one_was_written() {
    assert_eq!(fault(b"plain", &SEAL), VaultError::Plain);
    let before = Seal { required: false, ..SEAL };
    for plain in [&b""[..], b"x", b"plain", &bytes(200_000)] {
        assert_eq!(opened(plain, &before).unwrap(), plain);
    }
    assert_eq!(opened(&sealed(b"sealed"), &before).unwrap(), b"sealed");
}

#[test]
fn what_an_older_key_sealed_is_read_and_a_missing_one_is_named() {
    let file = sealed(b"old");
    let mut plain = Vec::new();
    let rotated = Vault::new(false, vec![key(2), key(1)]);
    Reader::open(Cursor::new(&file), &rotated, &SEAL).unwrap().read_to_end(&mut plain).unwrap();
    assert_eq!(plain, b"old");
    let lost = Vault::new(true, vec![key(2)]);
    let error = Reader::open(Cursor::new(&file), &lost, &SEAL).unwrap_err();
    let told = error.to_string();
    assert!(told.contains("00000001") && told.contains("DATA/keys/retired-"), "{told}");
    // The right name on the wrong key.
    let wrong = Vault::new(true, vec![VaultKey::new("00000001", &[9; 32])]);
    assert!(Reader::open(Cursor::new(&file), &wrong, &SEAL).is_err());
}

#[test]
fn no_key_is_shown() {
    let shown = format!("{:?}", Vault::new(true, vec![VaultKey::new("0badcafe", &[0xAB; 32])]));
    assert!(shown.contains("0badcafe") && !shown.contains("171") && !shown.contains("ab, ab"));
}

#[test]
fn a_line_is_opened_at_its_place_and_nowhere_else() {
    let seal = Seal { kind: Kind::Record, ..SEAL };
    let line = vault().seal_line(&seal, 40, b"{\"a\":1}").unwrap();
    assert!(!line.contains(&b'\n') && !line.contains(&b'{'));
    assert_eq!(vault().open_line(&seal, 40, &line).unwrap().unwrap().as_slice(), b"{\"a\":1}");
    assert_eq!(vault().open_line(&seal, 41, &line), Err(VaultError::Damaged));
    let other = Seal { id: [8; 16], ..seal };
    assert_eq!(vault().open_line(&other, 40, &line), Err(VaultError::Damaged));
    assert_eq!(vault().open_line(&seal, 40, b"{\"a\":1}"), Err(VaultError::Plain));
    let plain = Seal { required: false, ..seal };
    assert_eq!(vault().open_line(&plain, 40, b"{\"a\":1}"), Ok(None));
    for at in 0..line.len() {
        let mut changed = line.clone();
        changed[at] ^= 1;
        assert!(vault().open_line(&seal, 40, &changed).is_err(), "byte {at}");
    }
}

#[test]
fn a_scratch_file_reads_as_written_and_holds_no_plain_bytes() {
    let named = tempfile::NamedTempFile::new().unwrap();
    let mut scratch = ScratchFile::new(named.reopen().unwrap(), &vault()).unwrap();
    let plain = [bytes(200_000), b"CANARY^NAME".to_vec()].concat();
    scratch.write_all(&plain).unwrap();
    scratch.seek(SeekFrom::Start(199_990)).unwrap();
    let mut tail = Vec::new();
    scratch.read_to_end(&mut tail).unwrap();
    assert_eq!(tail, plain[199_990..]);
    let on_disk = std::fs::read(named.path()).unwrap();
    assert_eq!(on_disk.len(), plain.len());
    assert!(!on_disk.windows(6).any(|window| window == b"CANARY"));
}
