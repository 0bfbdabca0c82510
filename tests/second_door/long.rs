//! Long texts and many persons cost time in proportion: nobody holds a node up
//! with one object.
//!
//! Method: 1 MB of what the rules look along (names, titles, eponyms, dates,
//! numbers, initials) in a value of VR UT, beside hundreds of persons; cleaned, and
//! put into the clean copy for the second door. Prints the times. The limit is
//! wide: what is quadratic takes minutes.

use std::time::{Duration, Instant};

use airlock::dicom::{DataSet, Element, Tag, VR, Value};

use crate::people::{PEOPLE, data_set};
use crate::support::header_job::HeaderJob;

const TEXT_BYTES: usize = 1 << 20;
const PERSONS: usize = 400;
/// The slowest, numbers that all differ, take 8 s on two busy cores.
const LIMIT: Duration = Duration::from_secs(60);

/// Syllables from which names are made that no list has.
const SYLLABLES: [&str; 10] = ["vo", "ra", "ki", "zu", "plen", "dorn", "esk", "wy", "tab", "qui"];

fn word(number: usize) -> String {
    let syllable = |place: u32| SYLLABLES[number / 10_usize.pow(place) % 10];
    (0..5).map(syllable).collect()
}

/// A person with an observer in each of many items.
fn crowd() -> DataSet {
    let mut set = data_set(&PEOPLE[0]);
    let observer = |number: usize| {
        let initial = char::from(b'A' + u8::try_from(number % 26).unwrap());
        let name = format!("{}^{initial} {}", word(number * 97), word(number * 31 + 7));
        DataSet::from_iter([
            Element::bytes(Tag(0x0008, 0x0090), VR::PN, name),
            Element::bytes(Tag(0x0010, 0x0020), VR::LO, format!("Q-{:06}", number * 811)),
            Element::bytes(Tag(0x0008, 0x0094), VR::SH, format!("089 55{:05}", number * 211)),
        ])
    };
    let items = (0..PERSONS).map(observer).collect();
    set.put(Element { tag: Tag(0x0008, 0x1110), vr: VR::SQ, value: Value::Items(items) });
    set
}

fn repeated(unit: &str) -> String {
    unit.repeat(TEXT_BYTES / unit.len())
}

/// Texts of 1 MB. The first ones hold nothing of the crowd's.
fn texts() -> Vec<(&'static str, String)> {
    let words = (0..).map(|number: usize| format!("{} ", word(number * 7 + 3)));
    let numbers = (0..).map(|number: usize| format!("{} ", 1000 + number * 37));
    let until = |parts: &mut dyn Iterator<Item = String>| {
        let mut text = String::with_capacity(TEXT_BYTES + 32);
        while text.len() < TEXT_BYTES {
            text.push_str(&parts.next().unwrap());
        }
        text
    };
    let mut texts = vec![
        ("different words", until(&mut words.into_iter())),
        ("different numbers", until(&mut numbers.into_iter())),
        ("one word", "x".repeat(TEXT_BYTES)),
    ];
    for unit in [
        "young ",
        "Young ",
        "Baker ",
        "Baker-",
        "J ",
        "J. ",
        "Dr. ",
        "van ",
        "per ",
        "Patient: ",
        "2019-03-14 ",
        "10:15 ",
        "MRN ",
        "1 ",
        "1.",
        "a@",
        "\u{75c5}\u{9662}",
        "\u{5c71}\u{7530}",
        "Dr. J van ",
        "knee ",
        "Winterbotton ",
        "W\u{456}nterbotton ",
        "\u{ad}x",
        "31 Jan ",
        "^",
        "St. ",
        "12 Elm Street, ",
        "med. ",
    ] {
        texts.push(("", repeated(unit)));
    }
    texts
}

#[allow(clippy::disallowed_methods, reason = "a test measures; nothing depends on the time")]
fn timed<T>(what: &str, name: &str, act: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let value = act();
    let took = start.elapsed();
    println!("{what:8} {:8.3} s  {name}", took.as_secs_f64());
    assert!(took < LIMIT, "{what} {name}: {took:?}");
    value
}

#[test]
fn a_megabyte_of_anything_beside_hundreds_of_persons_takes_no_minutes() {
    let [_, job] = HeaderJob::shipped();
    let input = crowd();
    let clean = job.run(&input).unwrap();
    for (name, text) in texts() {
        let shown: String = text.chars().take(24).collect();
        let name = format!("{name} {shown:?}");
        // Under the dictionary's VR LT, which has no limit of its own here.
        let comment = Element::bytes(Tag(0x0020, 0x4000), VR::LT, text.as_bytes());
        let mut typed = input.clone();
        typed.put(Element::bytes(Tag(0x0008, 0x0005), VR::CS, "ISO_IR 192"));
        typed.put(comment.clone());
        timed("clean", &name, || job.clean(&typed).map(|_| ()).ok());
        let mut copy = clean.clone();
        copy.set.put(Element::bytes(Tag(0x0008, 0x0005), VR::CS, "ISO_IR 192"));
        copy.set.put(comment);
        let verdict = timed("door", &name, || job.verify(&input, &copy));
        println!("         {:?}", verdict.map_err(|refused| refused.to_string()));
    }
}
