//! Command line: arguments in, exit code out (DESIGN.md §4).

use crate::error::ExitCode;

/// Runs the program on the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::Bug
}
