//! What the door does when there is no room, and that it goes on by itself.
//!
//! Method: the data directory is a small file system in memory, filled and freed
//! by the test; or calls of the system fail by `strace`. Both need root: without
//! it the tests say so and end, and fail where `CI` is set.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use airlock::dimse::Limits;
use airlock::dimse::scu::{Address, Scu, verification_contexts};

use crate::support::dcmtk::storescu;
use crate::support::files::files_below;
use crate::support::node::Node;
use crate::support::object::{CT, Object};
use crate::support::process::{Run, run, tool, wait_for};

/// Longest wait for the door to take instances again (facts: C3).
const RESUME_WAIT_MAX: Duration = Duration::from_secs(10);

fn plain(data: &str) -> String {
    format!("[data]\n{data}[project.default]\nheader_only = ['{CT}']\n")
}

/// Says aloud what this machine cannot show; a failure where `CI` is set.
fn not_tested(why: &str) {
    use std::io::Write as _;
    let says = format!("NOT TESTED: {why}");
    assert!(std::env::var_os("CI").is_none(), "{says}");
    // Not by a macro: the test harness would hide it.
    writeln!(std::io::stderr(), "{says}").ok();
}

/// A file system of so many MiB in memory, unmounted when dropped.
struct Mount(PathBuf);

impl Mount {
    fn new(path: &Path, mib: u32) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"]).arg(path);
        if run(&mut command).code() == 0 {
            return Some(Self(path.to_owned()));
        }
        not_tested("no file system can be mounted here");
        None
    }

    fn fill(&self, mib: usize) {
        fs::write(self.0.join("filling"), vec![1; mib << 20]).unwrap();
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filling")).unwrap();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        run(Command::new("umount").arg("-l").arg(&self.0));
    }
}

fn send(node: &Node, files: &[PathBuf]) -> Run {
    storescu("AIRLOCK", node.port(), &["--verbose"], files)
}

/// A CT of about a MiB.
fn large(number: usize, folder: &Path) -> PathBuf {
    let pixels = vec![u8::try_from(number).unwrap(); 512 * 1_024 * 2];
    let object = Object::ct(number)
        .number((0x0028, 0x0010), 512)
        .number((0x0028, 0x0011), 1_024)
        .bytes((0x7FE0, 0x0010), "OW", pixels);
    object.write(folder)
}

fn is_taken_again(node: &Node, file: &PathBuf) -> Duration {
    let freed = Instant::now();
    while send(node, std::slice::from_ref(file)).code() != 0 {
        assert!(freed.elapsed() < RESUME_WAIT_MAX, "{}", node.log_tail());
        std::thread::sleep(Duration::from_millis(100));
    }
    freed.elapsed()
}

#[test]
fn a_full_disk_refuses_alarms_and_goes_on_when_there_is_room() {
    let home = tempfile::tempdir().unwrap();
    let files: Vec<_> = (0..4).map(|number| large(number, home.path())).collect();
    let node = Node::prepare(&plain("reserve_mib = 20\n"));
    let Some(mount) = Mount::new(&node.data(), 64) else { return };
    let mut node = node;
    node.start_again();
    send(&node, &files[..1]).success();
    node.settle();
    assert_eq!(node.queue()["alarms"], serde_json::json!([]));

    mount.fill(30);
    let alarms = node.queue()["alarms"].as_array().unwrap().clone();
    assert!(alarms[0].as_str().unwrap().contains("under twice the reserve"), "{alarms:?}");
    assert!(node.command(&["queue"]).success().contains("ALARM: free space"));
    assert!(
        node.command(&["check", "--config", node.configuration().to_str().unwrap()])
            .stdout
            .contains("UNDER TWICE THE RESERVE")
    );
    send(&node, &files[1..2]).success();
    mount.fill(48);
    let refused = send(&node, &files[2..3]);
    assert_ne!(refused.code(), 0);
    let said = refused.stdout + &refused.stderr;
    assert!(said.contains("Rejected Transient") && said.contains("Temporary Congestion"), "{said}");
    mount.free();
    let wait = is_taken_again(&node, &files[2]);
    println!("taken again {} ms after there was room", wait.as_millis());
    node.settle();
    assert_eq!(node.delivered().len(), 3);

    // Told in the log at the next start, once.
    node.stop();
    mount.fill(30);
    let before = node.log().matches("ALARM: free space").count();
    node.start_again();
    send(&node, &files[3..]).success();
    node.settle();
    let told = node.log().matches("ALARM: free space").count() - before;
    assert_eq!(told, 1, "{}", node.log_tail());
    drop(node);
    drop(mount);
}

#[test]
fn a_quota_refuses_within_an_association_and_is_right_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let files: Vec<_> = (0..9).map(|number| large(number, home.path())).collect();
    // Nothing takes them: originals and clean copies stay, two MiB an instance.
    let away = "destinations = ['away']\n[destination.away]\nae_title = 'AWAY'\nhost = '127.0.0.1'\nport = 9\n";
    let quota = plain("quota_mib = 12\n") + away;
    let mut node = Node::start(&quota);
    send(&node, &files[..3]).success();
    node.wait_standing("three cleaned", |all| all.held == 3 && all.received == 0);
    let used = |node: &Node| node.queue()["used_bytes"].as_u64().unwrap();
    let on_disk = |node: &Node| -> u64 {
        let files =
            ["received", "held", "cleaned", "quarantine"].map(|dir| files_below(&node.spool(dir)));
        files.concat().iter().map(|file| fs::metadata(file).unwrap().len()).sum()
    };
    assert_eq!(used(&node), on_disk(&node));
    let refused = send(&node, &files[3..]);
    let said = refused.stdout + &refused.stderr;
    assert!(
        said.contains("0xa700") || said.contains("OutOfResources") || said.contains("Refused"),
        "{said}"
    );
    node.wait_standing("all cleaned", |all| all.received == 0 && all.incoming == 0);
    assert_eq!(used(&node), on_disk(&node));
    assert_ne!(send(&node, &files[8..]).code(), 0, "refused at once");
    node.kill();
    node.start_again();
    assert_eq!(used(&node), on_disk(&node));
    assert_ne!(send(&node, &files[8..]).code(), 0, "and after a restart");

    node.stop();
    let folder =
        format!("[destination.away]\nfolder = '{}'\n", node.data().join("delivered").display());
    node.configure(&(plain("quota_mib = 12\n") + "destinations = ['away']\n" + &folder));
    node.start_again();
    node.settle();
    is_taken_again(&node, &files[8]);
    node.settle();
    assert_eq!(used(&node), 0, "all are delivered");
}

/// Another process follows each thread of this one.
fn is_traced(process: u32) -> Option<()> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let follows = |status: &str| {
        let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
        tracer.is_some_and(|tracer| tracer.trim() != "0")
    };
    let status = threads.flatten().map(|thread| fs::read_to_string(thread.path().join("status")));
    status.flatten().all(|status| follows(&status)).then_some(())
}

#[test]
fn a_disk_that_fails_stops_the_door_until_a_restart() {
    if !Path::new("/usr/bin/strace").is_file() {
        not_tested("no strace");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let files: Vec<_> = (0..3).map(|number| large(number, home.path())).collect();
    let mut node = Node::start(&plain(""));
    send(&node, &files[..1]).success();
    node.settle();
    // From now on each sync of data fails once the sender's bytes are there.
    let mut strace = Command::new(tool("strace"));
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync"]);
    strace.args(["-e", "inject=fdatasync:error=EIO:when=1", "-p"]);
    let mut strace = strace.arg(node.process_id().to_string()).spawn().unwrap();
    wait_for("strace at each thread", RESUME_WAIT_MAX, || is_traced(node.process_id()));
    let failed = send(&node, &files[1..2]);
    let said = failed.stdout.clone() + &failed.stderr;
    let attached = said.contains("0xa700") || said.contains("Refused: OutOfResources");
    let again = send(&node, &files[2..]);
    let refused = again.stdout.clone() + &again.stderr;
    strace.kill().unwrap();
    strace.wait().unwrap();
    assert!(attached, "{said}");
    assert!(refused.contains("Rejected Transient"), "{refused}");
    // Still, though the disk works again: a second sync may falsely succeed.
    assert_ne!(send(&node, &files[2..]).code(), 0);
    assert_eq!(node.queue()["failed"], true);
    node.stop();
    node.start_again();
    send(&node, &files[1..]).success();
    node.settle();
    assert_eq!(node.delivered().len(), 3);
}

#[test]
fn one_address_has_a_limit_of_its_own() {
    let node = Node::start("[dicom]\nassociations_per_address_max = 2\n");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let address = Address {
        called: "AIRLOCK".parse().unwrap(),
        calling: "CART".parse().unwrap(),
        host: "127.0.0.1".into(),
        port: node.port(),
        tls: None,
    };
    let open =
        || runtime.block_on(Scu::open(&address, verification_contexts(), &Limits::default()));
    let (one, other) = (open().unwrap(), open().unwrap());
    let refused = open().unwrap_err().to_string();
    assert!(refused.contains("result 2, source 3, reason 2"), "{refused}");
    runtime.block_on(one.release()).unwrap();
    wait_for("a place", RESUME_WAIT_MAX, || open().ok());
    runtime.block_on(other.release()).unwrap();
}
