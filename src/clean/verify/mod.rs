//! The second door: received object and clean copy in, [`Verified`] or a
//! reason for quarantine out.
//!
//! Runs in another worker process than the one that cleaned, and shares only
//! the parser with it (DESIGN.md decision 5): what identifies is collected
//! here once more, with rules of its own, and must stand nowhere in the clean
//! copy. A finding names rule and tag path, never a value.

mod allowed;
mod baseline;
mod collect;
mod dates;
mod finding;
mod forms;
mod jpeg;
mod jpeg2000;
mod known;
mod language;
mod leftovers;
mod matcher;
mod object;
mod patterns;
#[cfg(test)]
mod pixel_tests;
mod pixels;
mod promises;
mod reports;
mod romanised;
mod samples;
mod scan;
mod spelling;
mod stream;
#[cfg(test)]
mod tests;
mod views;
mod vocabulary;
mod words;
mod written_dates;

use std::path::Path;

use crate::clean::report::Report;
use crate::config::CleanRules;
use crate::dicom::DataSet;
use crate::dicom::vr::PIXEL_DATA;
use crate::dicom::write::ReadSeek;
use crate::pseudonym::Assigned;
use crate::reason::{Quarantine, Reason};
use crate::vault::Vault;

use finding::Finding;
use matcher::Matcher;
use object::Object;

/// One instance to be checked.
pub struct Job<'a> {
    /// The received file, from its first byte.
    pub input: &'a mut dyn ReadSeek,
    /// The clean file, from its first byte.
    pub output: &'a mut dyn ReadSeek,
    /// A path where a file may be made while a deflated data set is looked
    /// at. It has no name any more when this returns.
    pub scratch: Scratch<'a>,
    /// The project's rules.
    pub rules: &'a CleanRules,
    /// What the person was assigned.
    pub assigned: &'a Assigned,
    /// What the cleaner says it did.
    pub report: &'a Report,
}

/// Where a file may be made, and how it is sealed.
#[derive(Debug, Clone, Copy)]
pub struct Scratch<'a> {
    /// The path.
    pub path: &'a Path,
    /// Says whether it is sealed; none: it is not.
    pub vault: Option<&'a Vault>,
}

impl<'a> Scratch<'a> {
    /// One that is not sealed.
    #[must_use]
    pub fn plain(path: &'a Path) -> Self {
        Self { path, vault: None }
    }
}

/// What was looked for without being found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Identifying texts of the input, dates included.
    pub values: u32,
    /// UIDs of the input that name instances.
    pub uids: u32,
    /// Elements of the output that were read.
    pub elements: u32,
}

/// Checks a clean copy against what was received.
///
/// # Errors
/// [`Reason::IdentifierFound`] for a finding, [`Reason::Unreadable`] or
/// [`Reason::OverLimit`] when the input cannot be read. The clean copy must
/// then not leave.
pub fn verify(job: Job<'_>) -> Result<Verified, Quarantine> {
    let Job { input, output, scratch, rules, assigned, report } = job;
    let input = Object::open(input, scratch).map_err(|fault| fault.of_input())?;
    let lengths = Object::open(output, scratch).map_err(|fault| fault.of_output())?;
    has_whole_numbers(&lengths.set)?;
    drop(lengths);
    opens_elsewhere(output)?;
    let mut output = Object::open(output, scratch).map_err(|fault| fault.of_output())?;

    let mut known = collect::collect(&input, &rules.profile, assigned.shift_days);
    known.forget_code(&assigned.code);
    let matcher = Matcher::new(&known);
    promises::check(&output, &promises::Told { rules, assigned, report })?;
    baseline::check(&input.set, &output.set, &rules.profile, assigned)?;
    let elements = scan::scan(&mut output, &input.set, &matcher, &rules.profile)?;
    leftovers::check(&mut output, rules, report)?;
    pixels::check(&mut output)?;
    // Last, so that what it stands for is the whole object.
    if input.has_pixels() != output.has_pixels() {
        return Err(Finding::at("pixel-data-lost", PIXEL_DATA).into());
    }
    Ok(Verified { values: known.len(), uids: known.uids_len(), elements })
}

/// No value ends within a number: the toolkits lose their place behind it, take
/// what follows for a length and set aside a gigabyte.
fn has_whole_numbers(set: &DataSet) -> Result<(), Quarantine> {
    let at = |tag| Finding::at("broken-number", tag);
    set.iter().try_for_each(|element| {
        if !element.is_whole() {
            return Err(at(element.tag).into());
        }
        element.items().unwrap_or_default().iter().try_for_each(has_whole_numbers)
    })
}

/// Another toolkit reads the header too: a sign that receivers can.
fn opens_elsewhere(output: &mut dyn ReadSeek) -> Result<(), Quarantine> {
    let rewound = output.rewind().is_ok();
    let opened = rewound
        && dicom_object::OpenFileOptions::new()
            .read_until(PIXEL_DATA)
            .read_preamble(dicom_object::file::ReadPreamble::Always)
            .from_reader(std::io::BufReader::new(output))
            .is_ok();
    if opened { Ok(()) } else { Err(Finding::whole("not-readable-elsewhere").into()) }
}

/// A quarantine of the clean copy for `detail`.
fn refuse(detail: impl Into<String>) -> Quarantine {
    Quarantine::new(Reason::IdentifierFound, detail)
}
