//! The fuzz targets' corpora through the same bodies, without the fuzzer.

use std::fs;

use crate::support::files::{files_below, in_repository};
use crate::support::{fuzz, fuzz_wire};

fn replay(target: &str, body: fn(&[u8])) {
    let files = files_below(&in_repository("fuzz/corpus").join(target));
    assert!(!files.is_empty(), "no corpus of {target}");
    for path in files {
        println!("{}", path.display());
        body(&fs::read(path).unwrap());
    }
}

#[test]
fn structure_corpus_breaks_no_claim() {
    replay("structure", fuzz::structure);
}

#[test]
fn header_corpus_breaks_no_claim() {
    replay("header", fuzz::header);
}

#[test]
fn door_corpus_breaks_no_claim() {
    replay("door", fuzz::door);
}

#[test]
fn charset_corpus_breaks_no_claim() {
    replay("charset", fuzz::charset);
}

#[test]
fn pdu_corpus_breaks_no_claim() {
    replay("pdu", fuzz_wire::pdu);
}

#[test]
fn command_corpus_breaks_no_claim() {
    replay("command", fuzz_wire::command);
}

#[test]
fn judge_corpus_breaks_no_claim() {
    replay("judge", fuzz::judge);
}
