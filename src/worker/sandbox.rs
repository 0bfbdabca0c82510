//! What a worker takes from itself before it reads a stranger's bytes:
//! network, writing elsewhere, memory without limit.

use std::path::PathBuf;
use std::time::Duration;

use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetStatus, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit};

/// Exit code of a worker that passed its memory limit.
pub const EXIT_MEMORY: u8 = 99;

/// How often resident memory is looked at. Default 50 ms: at 1 GB/s a worker
/// passes its limit by 50 MB at most before it ends.
const MEMORY_LOOK: Duration = Duration::from_millis(50);

/// Room above the resident limit for mapped but untouched data (allocator, model weights).
const DATA_ROOM_BYTES: u64 = 2 << 30;

/// Confines this process. Called once, before any thread is started. Gives
/// what the kernel would not do (containers often lack some of it), for the
/// front's log; the limit on resident memory always holds.
pub fn enter(memory_bytes_max: u64, writable: &[PathBuf]) -> Vec<String> {
    let data_bytes = memory_bytes_max.saturating_add(DATA_ROOM_BYTES);
    let data = Rlimit { current: Some(data_bytes), maximum: Some(data_bytes) };
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let steps = [
        ("limit on data", rustix::process::setrlimit(Resource::Data, data).is_ok()),
        // A core file would hold the patient's picture.
        ("no core files", rustix::process::setrlimit(Resource::Core, none).is_ok()),
        ("no writing elsewhere", deny_writing_elsewhere(writable).unwrap_or(false)),
        ("no network", deny_network().is_ok()),
    ];
    steps.iter().filter(|(_, done)| !done).map(|(step, _)| (*step).to_owned()).collect()
}

fn deny_writing_elsewhere(writable: &[PathBuf]) -> Result<bool, landlock::RulesetError> {
    let abi = ABI::V3;
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .create()?
        .add_rules(path_beneath_rules(["/"], AccessFs::from_read(abi)))?
        .add_rules(path_beneath_rules(writable, AccessFs::from_all(abi)))?
        .add_rules(path_beneath_rules(["/dev/null"], AccessFs::from_all(abi)))?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

fn deny_network() -> Result<(), seccompiler::Error> {
    let denied = [
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        // Makes sockets without the calls above.
        libc::SYS_io_uring_setup,
        // Would reach the front and its keys.
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
    ];
    let filter = seccompiler::SeccompFilter::new(
        denied.into_iter().map(|call| (call, Vec::new())).collect(),
        seccompiler::SeccompAction::Allow,
        seccompiler::SeccompAction::Errno(libc::EPERM.unsigned_abs()),
        std::env::consts::ARCH.try_into().map_err(seccompiler::Error::Backend)?,
    )
    .map_err(seccompiler::Error::Backend)?;
    let program: seccompiler::BpfProgram =
        filter.try_into().map_err(seccompiler::Error::Backend)?;
    seccompiler::apply_filter(&program)
}

/// Starts the thread that ends the process when resident memory passes the
/// limit (ONNX Runtime and the C codecs do not ask us before they allocate),
/// or when the front is gone: a worker without it must not go on writing.
///
/// The front is asked for by its process id; the kernel's own signal for this
/// comes when the *thread* that started the worker ends.
pub fn watch(memory_bytes_max: u64) {
    let front = rustix::process::getppid();
    std::thread::spawn(move || {
        loop {
            if rustix::process::getppid() != front {
                std::process::exit(1);
            }
            if resident_bytes().is_some_and(|bytes| bytes > memory_bytes_max) {
                std::process::exit(i32::from(EXIT_MEMORY));
            }
            std::thread::sleep(MEMORY_LOOK);
        }
    });
}

/// Resident memory of this process (proc(5), `statm`).
fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    pages.checked_mul(rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The JPEG 2000 encoder opens one by its path (`clean::encode::j2k`).
    #[test]
    fn files_without_a_name_can_be_written_in_the_sandbox() {
        use std::os::fd::AsRawFd as _;
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = dir.path().join("elsewhere");
        // What a thread takes from itself, the other tests keep.
        let confined = move || {
            let enforced = deny_writing_elsewhere(&[]).unwrap_or(false);
            let _refused_in_some_containers = deny_network();
            assert_eq!(std::fs::File::create(elsewhere).is_err(), enforced);
            let nameless = rustix::fs::memfd_create("t", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
            let path = format!("/proc/self/fd/{}", nameless.as_raw_fd());
            std::fs::write(path, b"coded").unwrap();
        };
        std::thread::spawn(confined).join().unwrap();
    }

    #[test]
    fn resident_memory_is_read() {
        assert!(resident_bytes().unwrap() > 1 << 20);
    }
}
