//! Exit codes of the command line (DESIGN.md §4), shared by all commands.

/// What the process tells its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// All well.
    Ok = 0,
    /// `deid`: some instances stand in quarantine.
    Quarantined = 2,
    /// Bad usage or configuration: the caller mends it and tries again.
    Usage = 64,
    /// A bug: the caller reports it.
    Bug = 70,
    /// Try later: directory held by another process, destination down.
    TryLater = 75,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
