//! How commands reach the process that owns a data directory: one request and
//! one answer a connection, over `DATA/control.sock` (mode 0600).
//!
//! Without a running node the same requests are answered by the command
//! itself, which then holds the lock (DESIGN.md decision 17).

mod answer;
mod message;

pub use answer::answer;
pub use message::{Answer, Request};

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

use crate::pipeline::Node;

/// Longest request or answer. Default 64 MiB: 100,000 quarantined instances at 0.5 kB.
const MESSAGE_BYTES_MAX: u64 = 64 << 20;
/// Longest time for one request. Default 60 s: a ledger of years is walked in it.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(60);
/// Longest time for one about the table of pseudonyms. Default 10 min: half a
/// million patients are imported in some.
const TABLE_TIME_MAX: Duration = Duration::from_secs(600);

/// Longest time for a request.
fn time_max(request: &Request) -> Duration {
    if matches!(request, Request::Persons(_)) { TABLE_TIME_MAX } else { REQUEST_TIME_MAX }
}

/// The socket of a data directory.
#[must_use]
pub fn socket_path(data_dir: &Path) -> PathBuf {
    data_dir.join("control.sock")
}

/// Takes requests until it is dropped. The caller holds the directory's lock,
/// so that a socket left by a killed process is nobody's.
///
/// # Errors
/// The socket cannot be made: the node does not start.
pub fn listen(data_dir: &Path) -> io::Result<UnixListener> {
    let path = socket_path(data_dir);
    match std::fs::remove_file(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers requests, each connection in a task of its own.
pub async fn serve(listener: UnixListener, node: Arc<Node>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let node = Arc::clone(&node);
                tokio::spawn(async move {
                    // A command that went away needs no answer.
                    drop(exchange(stream, node).await);
                });
            }
            Err(_out_of_descriptors) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn exchange(mut stream: UnixStream, node: Arc<Node>) -> io::Result<()> {
    let late = |_elapsed| io::Error::from(io::ErrorKind::TimedOut);
    let asked = tokio::time::timeout(REQUEST_TIME_MAX, receive(&mut stream)).await;
    let answer = match serde_json::from_slice::<Request>(&asked.map_err(late)??) {
        Ok(request) => {
            let time_max = time_max(&request);
            // What was begun is ended, also when nobody waits for the answer any more.
            let answering = tokio::spawn(async move { answer(&node, request).await });
            tokio::time::timeout(time_max, answering)
                .await
                .map_err(late)?
                .map_err(io::Error::other)?
        }
        Err(_other_version) => Answer::Failed { what: "request not understood".into() },
    };
    tokio::time::timeout(REQUEST_TIME_MAX, send(&mut stream, &answer)).await.map_err(late)?
}

/// Asks the process that owns `data_dir`.
///
/// # Errors
/// Nobody listens, or the connection breaks: the command says so, exit 75.
pub async fn ask(data_dir: &Path, request: &Request) -> io::Result<Answer> {
    let mut stream = UnixStream::connect(socket_path(data_dir)).await?;
    let talk = async {
        send(&mut stream, request).await?;
        receive(&mut stream).await
    };
    let timed_out = || io::Error::from(io::ErrorKind::TimedOut);
    let body =
        tokio::time::timeout(time_max(request), talk).await.map_err(|_elapsed| timed_out())??;
    serde_json::from_slice(&body).map_err(io::Error::other)
}

async fn send<M: serde::Serialize>(stream: &mut UnixStream, message: &M) -> io::Result<()> {
    let body = serde_json::to_vec(message).map_err(io::Error::other)?;
    stream.write_u64(body.len() as u64).await?;
    stream.write_all(&body).await?;
    stream.flush().await
}

async fn receive(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let bytes = stream.read_u64().await?;
    if bytes > MESSAGE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "message over the limit"));
    }
    let mut body = Vec::new();
    stream.take(bytes).read_to_end(&mut body).await?;
    if body.len() as u64 == bytes { Ok(body) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
