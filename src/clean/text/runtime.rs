//! ONNX Runtime, once per process: path of the library in, sessions out.
//!
//! The library is loaded by path and by nothing else: `ort` would otherwise
//! look for one itself and panic when there is none. It is loaded only where its
//! telemetry is off for the whole process.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::ep;
use ort::session::Session;

use super::TextError;

/// `ort` allows one environment per process and keeps only a weak handle of it.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// Microsoft's builds from 1.29 on send events to Microsoft and keep a device id
/// in the user's cache folder, and say so before `DisableTelemetryEvents` can be
/// called; only this variable, set to 1 before the library is loaded, turns all of it
/// off (microsoft/onnxruntime pull request 27379; seen with 1.31.1).
pub const TELEMETRY_OFF: &str = "ORT_DISABLE_TELEMETRY";

/// This process was started so that ONNX Runtime may be loaded.
#[must_use]
pub fn is_silent() -> bool {
    std::env::var_os(TELEMETRY_OFF).is_some_and(|value| value == "1")
}

/// The process's environment; the first call loads `library`.
fn environment(library: &Path) -> Result<Environment, TextError> {
    let mut slot = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = slot.as_ref() {
        return Ok(environment.clone());
    }
    // Checked, not set: a process's environment can be set safely only from outside.
    if !is_silent() {
        return Err(TextError::Telemetry { variable: TELEMETRY_OFF });
    }
    let builder = ort::init_from(library)
        .map_err(|error| TextError::Runtime { detail: error.to_string() })?;
    let environment = builder
        .with_name("airlock")
        .with_telemetry(false)
        .build()
        .map_err(|error| TextError::Runtime { detail: error.to_string() })?;
    *slot = Some(environment.clone());
    Ok(environment)
}

/// Loads a model for one thread and little memory.
pub(crate) fn session(
    library: &Path,
    model: &'static str,
    path: &Path,
) -> Result<Session, TextError> {
    let environment = environment(library)?;
    build(&environment, path).map_err(|error| TextError::Model { model, detail: error.to_string() })
}

fn build(environment: &Environment, path: &Path) -> ort::Result<Session> {
    // One thread per worker process: the pool runs one worker per core. Spinning
    // threads would take the time of the neighbours.
    // The arena without memory patterns: patterns keep a block per input shape,
    // no arena returns and asks for every block anew (measured at 1280 x 960:
    // 291 MB against 445 and 596 MB at the peak).
    Session::builder(environment)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .with_memory_pattern(false)?
        .with_execution_providers([ep::CPU::default().with_arena_allocator(true).build()])?
        .commit_from_file(path)
}
