//! Bodies of the fuzz targets: any bytes in, a panic when a claim is broken.
//!
//! `fuzz/fuzz_targets` runs them with libFuzzer (`scripts/fuzz`), plain `cargo test`
//! replays `fuzz/corpus` through them (`tests/second_door/corpora.rs`).
#![allow(dead_code, reason = "each fuzz target uses its body")]

use std::sync::LazyLock;

use airlock::clean::judge::{Judge, Matcher};
use airlock::clean::metadata::collect_known;
use airlock::dicom::charset::Charset;
use airlock::dicom::{DataSet, Element, Tag, VR, Value};

use super::header_job::{CleanCopy, HeaderJob, read, try_file};

/// Longest input that is looked at: longer ones only take time.
const BYTES_MAX: usize = 64 << 10;

static JOBS: LazyLock<[HeaderJob; 2]> = LazyLock::new(HeaderJob::shipped);
static JUDGE: LazyLock<Judge> = LazyLock::new(Judge::new);

/// A received person and their clean copy, for [`door`].
static COPIES: LazyLock<Vec<(&'static HeaderJob, CleanCopy)>> =
    LazyLock::new(|| JOBS.iter().map(|job| (job, job.run(&person()).unwrap())).collect());

fn person() -> DataSet {
    let text = |group, element, vr, value: &str| Element::bytes(Tag(group, element), vr, value);
    DataSet::from_iter([
        text(0x0008, 0x0005, VR::CS, "\\ISO 2022 IR 87"),
        text(0x0008, 0x0016, VR::UI, "1.2.840.10008.5.1.4.1.1.2"),
        text(0x0008, 0x0018, VR::UI, "1.2.752.99.31.1"),
        text(0x0008, 0x0020, VR::DA, "20240131"),
        text(0x0008, 0x0080, VR::LO, "Seaside Infirmary"),
        text(0x0010, 0x0010, VR::PN, "Winterbottom^Jo"),
        text(0x0010, 0x0020, VR::LO, "PZ-4471903"),
        text(0x0010, 0x0030, VR::DA, "19611005"),
        text(0x0010, 0x2154, VR::SH, "+49 89 5550 1234"),
        text(0x0020, 0x000D, VR::UI, "1.2.752.99.31.2"),
        text(0x0020, 0x000E, VR::UI, "1.2.752.99.31.3"),
    ])
}

/// A data set of a file whose values are all held, with the UIDs that it lacks.
fn held(bytes: &[u8]) -> Option<DataSet> {
    let mut set = read(bytes)?.set;
    keep_held(&mut set);
    for element in person().iter().filter(|element| element.vr == VR::UI) {
        let text = set.ascii(element.tag).unwrap_or_default();
        if text.parse::<airlock::dicom::Uid>().is_err() {
            set.put(element.clone());
        }
    }
    Some(set)
}

fn keep_held(set: &mut DataSet) {
    set.retain(|element| match &mut element.value {
        Value::Bytes(_) => true,
        Value::Items(items) => {
            items.iter_mut().for_each(keep_held);
            true
        }
        Value::Bulk(_) | Value::Fragments { .. } => false,
    });
}

/// What is read is written, and read again as the same.
pub(crate) fn structure(bytes: &[u8]) {
    let Some(set) = held(bytes) else { return };
    let Ok(written) = try_file(&set) else { return };
    let again = read(&written).expect("what was written is read").set;
    assert_eq!(try_file(&again).expect("what was read is written"), written);
}

/// A header is cleaned the same each time, into one that is read again, or refused.
pub(crate) fn header(bytes: &[u8]) {
    let Some(set) = held(bytes).filter(|_| bytes.len() <= BYTES_MAX) else { return };
    if try_file(&set).is_err() {
        return;
    }
    for job in JOBS.iter() {
        let copy = job.run(&set);
        assert_eq!(copy, job.run(&set));
        let Ok(copy) = copy else { continue };
        let file = try_file(&copy.set).expect("a clean copy is a file");
        let again = read(&file).expect("a clean copy is read").set;
        assert_eq!(try_file(&again).expect("and written"), file);
        let private =
            |set: &DataSet| set.iter().filter(|element| element.tag.group() % 2 == 1).count();
        assert!(private(&again) <= private(&set), "private elements do not come from nowhere");
    }
}

/// Whatever is put into a clean copy, the second door answers.
pub(crate) fn door(bytes: &[u8]) {
    let Some(planted) = read(bytes).filter(|_| bytes.len() <= BYTES_MAX) else { return };
    let mut planted = planted.set;
    keep_held(&mut planted);
    for (job, copy) in COPIES.iter() {
        let mut copy = copy.clone();
        for element in planted.iter() {
            if copy.set.get(element.tag).is_none() {
                copy.set.put(element.clone());
            }
        }
        if try_file(&copy.set).is_err() {
            continue;
        }
        planted.retain(|element| copy.set.get(element.tag) == Some(element));
        let holds_name = holds(&planted, b"winterbottom");
        let verdict = job.verify(&person(), &copy);
        assert!(!(holds_name && verdict.is_ok()), "the name passed");
        assert_eq!(verdict, job.verify(&person(), &copy));
    }
}

/// The word stands in a text value of the data set, between other characters than letters.
fn holds(set: &DataSet, word: &[u8]) -> bool {
    let is_text = |vr| matches!(vr, VR::LO | VR::SH | VR::LT | VR::ST | VR::UT | VR::CS);
    set.iter().any(|element| match &element.value {
        Value::Items(items) => items.iter().any(|item| holds(item, word)),
        Value::Bytes(bytes) if is_text(element.vr) && bytes.is_ascii() => bytes
            .split(|byte| !byte.is_ascii_alphanumeric())
            .any(|part| part.eq_ignore_ascii_case(word)),
        Value::Bytes(_) | Value::Bulk(_) | Value::Fragments { .. } => false,
    })
}

/// First line: Specific Character Set; rest: a value. What is decoded without loss
/// and can be encoded is decoded as the same again.
pub(crate) fn charset(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let (Some(specific), Some(value)) = (lines.next(), lines.next()) else { return };
    let charset = Charset::from_specific(specific);
    for vr in [VR::PN, VR::LO, VR::LT, VR::UN, VR::CS] {
        let decoded = charset.decode(value, vr);
        if decoded.lossy {
            continue;
        }
        if let Some(encoded) = charset.encode(&decoded.text) {
            assert_eq!(charset.decode(&encoded, vr).text, decoded.text, "{vr}");
        }
    }
}

/// First line: a name; rest: a text. Cleaning ends, cuts at letters' borders, and
/// leaves nothing of the name as it stands.
pub(crate) fn judge(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(4 << 10)).unwrap_or_default());
    let Some((name, text)) = text.split_once('\n') else { return };
    let set = DataSet::from_iter([
        Element::bytes(Tag(0x0008, 0x0005), VR::CS, "ISO_IR 192"),
        Element::bytes(Tag(0x0010, 0x0010), VR::PN, name),
        Element::bytes(Tag(0x0010, 0x0020), VR::LO, "PZ-4471903"),
    ]);
    let matcher = Matcher::new(&collect_known(&set));
    let spans = JUDGE.spans(text, &matcher);
    let ends = spans.iter().map(|span| (span.range.start, span.range.end));
    assert!(ends.clone().all(|(start, end)| text.get(start..end).is_some()));
    assert!(ends.clone().zip(ends.skip(1)).all(|(one, two)| one.1 <= two.0));
    let cleaned = JUDGE.clean_text(text, &matcher);
    assert!(!cleaned.contains("PZ-4471903"));
    assert_eq!(cleaned, JUDGE.clean_text(text, &matcher));
}
