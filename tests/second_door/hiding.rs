//! What identifies leaves in no place and in no spelling.
//!
//! Method: every spelling of every value of an invented person is put in every
//! place. Once into the received object: it is cleaned, and what comes out does not
//! hold it, or is refused. Once into the clean copy behind the cleaner's back: the
//! second door refuses it alone. Prints both tables.

use std::collections::BTreeMap;

use airlock::dicom::DataSet;
use airlock::reason::Reason;
use encoding_rs::{UTF_16BE, UTF_16LE};

use crate::people::{NUMBERS, OTHERS, PEOPLE, Person, data_set, encoded};
use crate::places::{Holds, PLACES, Place};
use crate::support::header_job::{HeaderJob, file};

/// More bytes than those in which names of four letters are looked for.
const LONG: &str = "OW of 8 KiB";

/// One thing to hide.
struct Hidden {
    kind: String,
    text: String,
    bytes: Vec<u8>,
    /// So short that it stands in long binary values by chance.
    short: bool,
}

fn hidden(person: &Person, holds: Holds) -> Vec<Hidden> {
    let mut all = Vec::new();
    let mut push = |kind: &str, text: &str, bytes: Option<Vec<u8>>| {
        let short = text.len() <= 4;
        let kind = format!("{} {kind}", person.script);
        all.extend(bytes.map(|bytes| Hidden { kind, text: text.to_owned(), bytes, short }));
    };
    if matches!(holds, Holds::Number | Holds::Uid) {
        NUMBERS.iter().for_each(|digits| push("number", digits, Some(digits.as_bytes().to_vec())));
        return all;
    }
    let spellings = person.spellings.iter().map(|text| ("name", *text));
    let others =
        OTHERS.iter().flat_map(|(kind, texts)| texts.iter().map(move |text| (*kind, *text)));
    // Letters and digits of these are coded the same in all but a few sets.
    let others = others.filter(|_| ["ASCII", "Japanese", "Chinese"].contains(&person.script));
    for (kind, text) in spellings.chain(others) {
        push(kind, text, encoded(person, text));
        if holds == Holds::Bytes {
            for encoding in person.codings {
                let (bytes, _, unsayable) = encoding.encode(text);
                let bytes = (!unsayable).then(|| bytes.into_owned());
                push(&format!("{kind} {}", encoding.name()), text, bytes);
            }
            let words = || text.encode_utf16();
            push(
                &format!("{kind} {}", UTF_16LE.name()),
                text,
                Some(words().flat_map(u16::to_le_bytes).collect()),
            );
            push(
                &format!("{kind} {}", UTF_16BE.name()),
                text,
                Some(words().flat_map(u16::to_be_bytes).collect()),
            );
        }
    }
    all
}

/// Hits and tries by place and kind of value.
#[derive(Default)]
struct Rates(BTreeMap<(&'static str, String), (u32, u32)>);

impl Rates {
    fn add(&mut self, place: &Place, kind: &str, well: bool) {
        let cell = self.0.entry((place.name, kind.to_owned())).or_default();
        cell.0 += u32::from(well);
        cell.1 += 1;
    }

    /// One line a place.
    fn print(&self, title: &str) {
        let (mut well, mut all) = (0, 0);
        println!("{title}");
        for place in PLACES {
            let cells = self.0.iter().filter(|((name, _), _)| *name == place.name);
            let (hits, tries) =
                cells.clone().fold((0, 0), |sum, (_, cell)| (sum.0 + cell.0, sum.1 + cell.1));
            let missed = cells.filter(|(_, cell)| cell.0 < cell.1);
            let missed: Vec<_> =
                missed.map(|((_, kind), cell)| format!("{kind} {}/{}", cell.0, cell.1)).collect();
            println!("  {:24} {hits:4} of {tries:4}  {}", place.name, missed.join(", "));
            (well, all) = (well + hits, all + tries);
        }
        println!("  all: {well} of {all}");
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    let lower = |bytes: &[u8]| bytes.to_ascii_lowercase();
    let (bytes, part) = (lower(bytes), lower(part));
    bytes.windows(part.len()).any(|window| window == part)
}

fn told(faults: &[String]) -> String {
    let first: Vec<_> = faults.iter().take(60).cloned().collect();
    format!("{} in all\n{}", faults.len(), first.join("\n"))
}

/// The value is gone, or the object refused without naming it.
fn is_kept_back(job: &HeaderJob, input: &DataSet, hidden: &Hidden) -> Result<&'static str, String> {
    match job.run(input) {
        Ok(copy) if !hidden.short && holds(&file(&copy.set), &hidden.bytes) => {
            Err("left".to_owned())
        }
        Ok(_) => Ok("cleaned"),
        Err(refused) if holds(refused.to_string().as_bytes(), &hidden.bytes) => {
            Err(format!("told: {refused}"))
        }
        Err(_) => Ok("refused"),
    }
}

#[test]
fn what_is_hidden_in_a_received_header_does_not_leave() {
    for job in HeaderJob::shipped() {
        let (mut rates, mut refused, mut faults) = (Rates::default(), Rates::default(), Vec::new());
        for person in PEOPLE {
            let carrier = data_set(person);
            job.run(&carrier).unwrap_or_else(|why| panic!("{}: {why}", person.script));
            for place in PLACES {
                for hidden in hidden(person, place.holds) {
                    let mut input = carrier.clone();
                    (place.put)(&mut input, &hidden.bytes);
                    let outcome = is_kept_back(&job, &input, &hidden);
                    rates.add(place, &hidden.kind, outcome.is_ok());
                    refused.add(place, &hidden.kind, outcome == Ok("cleaned"));
                    if let Err(what) = outcome {
                        faults.push(format!(
                            "{}: {} {:?}: {what}",
                            place.name, hidden.kind, hidden.text
                        ));
                    }
                }
            }
        }
        rates.print(&format!("{}: kept back", job.profile().name));
        refused.print(&format!("{}: of these cleaned, not refused", job.profile().name));
        assert!(faults.is_empty(), "{}\n{}", job.profile().name, told(&faults));
    }
}

#[test]
fn what_is_hidden_in_a_clean_copy_is_refused_by_the_second_door_alone() {
    for job in HeaderJob::shipped() {
        let (mut rates, mut faults) = (Rates::default(), Vec::new());
        for person in PEOPLE {
            let input = data_set(person);
            let clean = job.run(&input).unwrap();
            for place in PLACES {
                for hidden in hidden(person, place.holds) {
                    let mut copy = clean.clone();
                    (place.put)(&mut copy.set, &hidden.bytes);
                    let verdict = job.verify(&input, &copy);
                    let well = verdict.as_ref().is_err_and(|refused| {
                        let told = holds(refused.to_string().as_bytes(), &hidden.bytes);
                        refused.reason == Reason::IdentifierFound && !told
                    });
                    let well = well || (hidden.short && place.name == LONG);
                    rates.add(place, &hidden.kind, well);
                    if !well {
                        faults.push(format!(
                            "{}: {} {:?}: {verdict:?}",
                            place.name, hidden.kind, hidden.text
                        ));
                    }
                }
            }
        }
        rates.print(&format!("{}: refused by the second door", job.profile().name));
        assert!(faults.is_empty(), "{}\n{}", job.profile().name, told(&faults));
    }
}
