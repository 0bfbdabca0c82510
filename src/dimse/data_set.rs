//! The data set of a file that is to be sent, as a stream: straight from the
//! disk, or through the vault.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::vault::{Reader, Stored};

/// Bytes that are opened at once. 256 KiB: four segments, so that the change to
/// another thread costs little.
const CHUNK_BYTES: u64 = 256 << 10;

/// A file that is being sent.
pub(super) enum DataSetFile {
    Plain(tokio::fs::File),
    Sealed(Sealed),
}

type Sealing = Reader<std::fs::File>;
type Chunk = (Sealing, io::Result<Vec<u8>>);

/// Chunks that are opened on a thread that may block.
pub(super) struct Sealed {
    /// None while it is read.
    reader: Option<Sealing>,
    reading: Option<JoinHandle<Chunk>>,
    chunk: Vec<u8>,
    given: usize,
}

/// Opens a file at its data set, which is so long.
pub(super) async fn open(stored: &Stored, start: u64) -> io::Result<(DataSetFile, u64)> {
    let stored = stored.clone();
    let opened = spawn_blocking(move || {
        let mut reader = stored.open()?;
        reader.seek(SeekFrom::Start(start))?;
        Ok::<_, io::Error>(reader)
    });
    let reader = opened.await.map_err(io::Error::other)??;
    let bytes = reader.byte_len().saturating_sub(start);
    let reader = match reader.into_plain() {
        Ok(file) => return Ok((DataSetFile::Plain(tokio::fs::File::from_std(file)), bytes)),
        Err(sealed) => *sealed,
    };
    let sealed = Sealed { reader: Some(reader), reading: None, chunk: Vec::new(), given: 0 };
    Ok((DataSetFile::Sealed(sealed), bytes))
}

impl Sealed {
    /// The next chunk; empty at the end.
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(mut reader) = self.reader.take() {
            let mut chunk = std::mem::take(&mut self.chunk);
            self.reading = Some(spawn_blocking(move || {
                chunk.clear();
                let read = (&mut reader).take(CHUNK_BYTES).read_to_end(&mut chunk);
                (reader, read.map(|_count| chunk))
            }));
        }
        let Some(reading) = &mut self.reading else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let read = ready!(Pin::new(reading).poll(context));
        self.reading = None;
        let (reader, chunk) = read.map_err(io::Error::other)?;
        self.reader = Some(reader);
        (self.chunk, self.given) = (chunk?, 0);
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for DataSetFile {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let sealed = match self.get_mut() {
            Self::Plain(file) => return Pin::new(file).poll_read(context, buffer),
            Self::Sealed(sealed) => sealed,
        };
        if sealed.given >= sealed.chunk.len() {
            ready!(sealed.poll_chunk(context))?;
        }
        let left = sealed.chunk.get(sealed.given..).unwrap_or_default();
        let count = left.len().min(buffer.remaining());
        buffer.put_slice(left.get(..count).unwrap_or_default());
        sealed.given = sealed.given.saturating_add(count);
        Poll::Ready(Ok(()))
    }
}
