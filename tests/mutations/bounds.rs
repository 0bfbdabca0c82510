//! What a case may cost, and measuring it: time, memory asked for, memory used.

use std::fs;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;

use super::subject::{Fault, LIMITS, Outcome, Subject};
use crate::support::mutate::Random;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// Longest time for one file. Default 10 s: a picture that uses up the limits of
/// this run, decoded, painted and coded again several times, takes some 3 s.
const CASE_TIME_MAX: Duration = Duration::from_secs(10);
/// Most memory for one file. Default 24 times the largest frame (JPEG 2000 holds
/// samples of 8 bits as 32, twice to decode and twice to code again; the views
/// and what was seen last add six), and 16 MiB for buffers of fixed size.
const CASE_BYTES_MAX: u64 = 24 * LIMITS.frame_bytes_max + (16 << 20);

/// What one case cost and how it ended.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) outcome: Option<Outcome>,
    pub(crate) fault: Option<String>,
    pub(crate) time: Duration,
    /// Most memory that was asked for through Rust's allocator at one time.
    pub(crate) allocated_bytes: u64,
    /// Growth of resident memory: also what C++ asked for.
    pub(crate) resident_bytes: u64,
}

/// A subject under watch.
pub(crate) struct Watched {
    subject: Subject,
    /// When the case at work began.
    begun: Arc<Mutex<Option<Instant>>>,
    /// Where the last panic happened.
    place: Arc<Mutex<String>>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watched {
    /// Panics of the cases are no output of the test from here on.
    pub(crate) fn new(subject: Subject) -> Self {
        let place = Arc::new(Mutex::new(String::new()));
        let told = Arc::clone(&place);
        let tell = panic::take_hook();
        let test = thread::current().id();
        let working = Arc::new(Mutex::new(None));
        let begun = Arc::clone(&working);
        panic::set_hook(Box::new(move |panicked| {
            if thread::current().id() == test && locked(&begun).is_some() {
                *locked(&told) = panicked.to_string();
            } else {
                tell(panicked);
            }
        }));
        let watched = Self { subject, begun: working, place };
        watched.end_when_a_case_does_not();
        watched
    }

    /// Cleans one file and compares what it cost with the limits.
    pub(crate) fn run(&mut self, bytes: &[u8], random: Random) -> Case {
        // Resident memory's peak is counted anew (proc(5), clear_refs).
        fs::write("/proc/self/clear_refs", "5").unwrap();
        let resident = resident_bytes_peak();
        ALLOCATED.reset_peak_usage();
        let allocated = ALLOCATED.current_usage();
        let begun = Instant::now();
        *locked(&self.begun) = Some(begun);
        let done = catch_unwind(AssertUnwindSafe(|| self.subject.clean(bytes, random)));
        *locked(&self.begun) = None;
        let time = begun.elapsed();
        let allocated = ALLOCATED.peak_usage().saturating_sub(allocated);
        let mut case = Case {
            outcome: None,
            fault: None,
            time,
            allocated_bytes: u64::try_from(allocated).unwrap(),
            resident_bytes: resident_bytes_peak().saturating_sub(resident),
        };
        match done {
            Ok(Ok(outcome)) => case.outcome = Some(outcome),
            Ok(Err(fault)) => case.fault = Some(told(&fault)),
            Err(_payload) => case.fault = Some(format!("panic: {}", locked(&self.place))),
        }
        case.fault = case.fault.take().or_else(|| over(&case));
        case
    }

    /// A case that never ends would hide itself: the file lies in
    /// `target/mutations`, so the process may end.
    fn end_when_a_case_does_not(&self) {
        let begun = Arc::clone(&self.begun);
        thread::spawn(move || {
            loop {
                thread::sleep(Duration::from_millis(200));
                let begun = *locked(&begun);
                if begun.is_some_and(|begun| begun.elapsed() > 6 * CASE_TIME_MAX) {
                    println!("the file in target/mutations/*/input.dcm takes for ever");
                    std::process::exit(101);
                }
            }
        });
    }
}

fn told(fault: &Fault) -> String {
    fault.to_string()
}

fn over(case: &Case) -> Option<String> {
    let bytes = case.allocated_bytes.max(case.resident_bytes);
    if case.time > CASE_TIME_MAX {
        return Some(format!("took {:?}", case.time));
    }
    (bytes > CASE_BYTES_MAX).then(|| format!("took {bytes} B of memory"))
}

fn resident_bytes_peak() -> u64 {
    crate::support::process::memory_bytes_peak(std::process::id())
}
