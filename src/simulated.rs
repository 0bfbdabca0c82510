//! What a simulation puts in place of threads, random bytes and the files that
//! are read without a [`crate::disk::Disk`]; compiled for tests alone.
//!
//! Set for one thread at a time, so that tests beside it notice nothing. Off, the
//! code under test does what it does in the program.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

/// Reads a whole file of the simulated disk.
pub(crate) type Files = Box<dyn Fn(&Path) -> io::Result<Vec<u8>>>;
/// A number below its argument.
pub(crate) type Throws = Box<dyn FnMut(usize) -> usize>;

struct World {
    files: Files,
    throws: Throws,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// Ends the simulation on this thread when it is dropped.
pub(crate) struct Simulated;

impl Drop for Simulated {
    fn drop(&mut self) {
        WORLD.with_borrow_mut(|world| *world = None);
    }
}

/// From now on this thread is in a simulated world.
pub(crate) fn begin(files: Files, throws: Throws) -> Simulated {
    WORLD.with_borrow_mut(|world| *world = Some(World { files, throws }));
    Simulated
}

/// Whether this thread is in one.
pub(crate) fn is_on() -> bool {
    WORLD.with_borrow(Option::is_some)
}

/// A number below `sides`, in a simulation.
pub(crate) fn throw(sides: usize) -> Option<usize> {
    WORLD.with_borrow_mut(|world| world.as_mut().map(|world| (world.throws)(sides)))
}

/// The time that a step on a blocking thread takes: other tasks run in between.
pub(crate) async fn pause() {
    match throw(8) {
        Some(0) => {
            tokio::time::sleep(Duration::from_millis(1 + throw(30).unwrap_or(0) as u64)).await
        }
        Some(1..4) => tokio::task::yield_now().await,
        Some(_) | None => {}
    }
}

/// The file of the simulated disk, as a copy in memory.
pub(crate) fn file(path: &Path) -> Option<io::Result<File>> {
    let read = WORLD.with_borrow(|world| world.as_ref().map(|world| (world.files)(path)))?;
    Some(read.and_then(|bytes| {
        let memory = rustix::fs::memfd_create("simulated", rustix::fs::MemfdFlags::CLOEXEC)?;
        let mut file = File::from(memory);
        file.write_all(&bytes)?;
        file.rewind()?;
        Ok(file)
    }))
}
