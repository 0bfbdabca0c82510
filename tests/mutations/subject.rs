//! One file through the worker's way of cleaning and checking, in this process.

use std::fs;
use std::path::{Path, PathBuf};

use airlock::clean::Report;
use airlock::clean::job::{self, Input, JobError, Tools};
use airlock::clean::judge::Judge;
use airlock::clean::redact::{LookError, Looker};
use airlock::clean::text::{TextLine, View};
use airlock::config::{CleanLimits, CleanRules};
use airlock::pseudonym::{Assigned, UidKey};
use airlock::reason::{Quarantine, Reason};

use crate::support::mutate::Random;

/// The limits of this run: small, so that a picture that uses them up is soon
/// decoded, and memory can be compared with them.
pub(crate) const LIMITS: CleanLimits =
    CleanLimits { frame_pixels_max: 1 << 20, frame_bytes_max: 4 << 20, frames_max: 2_000 };

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// It came out and passed the second look.
    Cleaned { painted: bool },
    /// Quarantined while cleaning.
    Refused(Reason, String),
    /// Quarantined by the second look.
    RefusedBySecondLook(Reason, String),
}

/// What should not happen, whatever the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The system's failure is not the file's: the node would try again for ever.
    #[error("the file makes a system error: {0}")]
    Io(std::io::Error),
    #[error("said to be our own fault: {0}")]
    Internal(String),
    #[error("what came out is refused when it comes in again: {0}")]
    NotCleanable(String),
}

/// Cleans files with the real steps and a looker without models.
pub(crate) struct Subject {
    judge: Judge,
    rules: CleanRules,
    assigned: Assigned,
    work: PathBuf,
}

impl Subject {
    /// Works in `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        Self {
            judge: Judge::new(),
            rules: CleanRules { limits: LIMITS, ..CleanRules::default() },
            assigned: Assigned {
                code: "CODE-1".to_owned(),
                shift_days: -40,
                key_id: "0a0b0c0d".to_owned(),
                uid_key: UidKey([7; 32]),
            },
            work: folder.to_owned(),
        }
    }

    /// The file at work: still there when a case ends the process.
    fn input(&self) -> PathBuf {
        self.work.join("input.dcm")
    }

    /// Cleans and checks one file. `random` says where text is found.
    pub(crate) fn clean(&self, bytes: &[u8], mut random: Random) -> Result<Outcome, Fault> {
        let (input, output) = (self.input(), self.work.join("output.dcm"));
        fs::write(&input, bytes).map_err(Fault::Io)?;
        let mut marks = Marks::any(&mut random);
        let report = match asked(self.clean_file(&input, &output, &mut marks))? {
            Ok(report) => report,
            Err(refused) => return Ok(Outcome::Refused(refused.reason, refused.detail)),
        };
        let (stored_input, stored_output) = (input.as_path().into(), output.as_path().into());
        let subject = job::Subject { input: &stored_input, output: &stored_output, parts: None };
        let checked = job::verify(subject, &self.rules, &self.assigned, &report);
        if let Err(refused) = asked(checked)? {
            return Ok(Outcome::RefusedBySecondLook(refused.reason, refused.detail));
        }
        let again = self.work.join("again.dcm");
        if let Err(refused) = asked(self.clean_file(&output, &again, &mut Marks::default()))? {
            return Err(Fault::NotCleanable(refused.detail));
        }
        let painted = report.pixels.boxes.iter().any(|found| found.hidden);
        Ok(Outcome::Cleaned { painted })
    }

    fn clean_file(
        &self,
        input: &Path,
        output: &Path,
        marks: &mut Marks,
    ) -> Result<Report, JobError> {
        let rules = &self.rules;
        let (input, output) = (&input.into(), &output.into());
        let job =
            Input { input, output, rules, default_issuer: "", in_parts: false, leave_in: None };
        let mut tools = Tools { looker: marks, judge: &self.judge, models: &[] };
        tools.clean(&job, |_person| Ok(self.assigned.clone())).map(|(report, _whole)| report)
    }
}

/// The outer error is a fault of ours, the inner one a quarantine.
fn asked<T>(done: Result<T, JobError>) -> Result<Result<T, Quarantine>, Fault> {
    match done {
        Ok(value) => Ok(Ok(value)),
        Err(JobError::Quarantine(refused)) if refused.reason == Reason::Internal => {
            Err(Fault::Internal(refused.detail))
        }
        Err(JobError::Quarantine(refused)) => Ok(Err(refused)),
        Err(JobError::Io(error)) => Err(Fault::Io(error)),
        Err(JobError::Broken(what)) => Err(Fault::Internal(what)),
    }
}

/// Finds a name at the first looks, at another place each time, then no more.
#[derive(Debug, Default)]
struct Marks {
    /// Corners in hundredths of the picture's sides.
    places: Vec<[[u8; 2]; 4]>,
}

impl Marks {
    fn any(random: &mut Random) -> Self {
        let places = [
            [[10, 5], [60, 5], [60, 30], [10, 30]],
            [[20, 10], [90, 50], [70, 80], [5, 40]],
            [[0, 0], [100, 0], [100, 100], [0, 100]],
        ];
        let count = random.pick(&[0, 1, 1, 2]);
        Self { places: (0..*count).map(|_| *random.pick(&places)).collect() }
    }
}

impl Looker for Marks {
    fn lines(&mut self, view: &View) -> Result<Vec<TextLine>, LookError> {
        let samples = u64::try_from(view.pixels.len()).unwrap();
        let wanted = u64::from(view.width) * u64::from(view.height) * u64::from(view.samples);
        assert_eq!(samples, wanted, "a view is as long as it says");
        let place = |[x, y]: [u8; 2]| {
            [f32::from(x) / 100.0 * view.width as f32, f32::from(y) / 100.0 * view.height as f32]
        };
        let line = |corners: [[u8; 2]; 4]| {
            let text = "Invented Ida".to_owned();
            TextLine { corners: corners.map(place), text, confidence: 0.99 }
        };
        Ok(self.places.pop().map(line).into_iter().collect())
    }
}
