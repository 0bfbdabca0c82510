//! The `airlock` program: see `airlock --help` and README.md.

fn main() -> std::process::ExitCode {
    airlock::cli::main().into()
}
