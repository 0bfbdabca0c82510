//! `--report`: one JSON object, written row by row (docs/FOLDER.md).

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::disk::{Disk as _, RealDisk};
use crate::pipeline::folder::{FileOutcome, FolderRunError, REPORT_HEAD, Tally, report_part};

/// Version of the report's shape.
const VERSION: u32 = 2;

/// A report that is being written; it has its name when it is whole.
#[derive(Debug)]
pub(super) struct Written {
    path: PathBuf,
    part: PathBuf,
    file: BufWriter<File>,
    with_paths: bool,
    rows: usize,
}

impl Written {
    /// Begins a report that will stand at `path`.
    pub(super) fn begin(path: &Path, with_paths: bool) -> Result<Self, FolderRunError> {
        let part = report_part(path);
        let mut options = OpenOptions::new();
        let opened = options.write(true).create(true).truncate(true).mode(0o600).open(&part);
        let path = path.to_owned();
        let failed = |source| FolderRunError::Report { path: path.clone(), source };
        let mut file = BufWriter::new(opened.map_err(failed)?);
        write!(file, r#"{REPORT_HEAD}{VERSION},"instances":["#).map_err(failed)?;
        Ok(Self { path, part, file, with_paths, rows: 0 })
    }

    /// Adds a row.
    pub(super) fn add(&mut self, outcome: &FileOutcome) -> Result<(), FolderRunError> {
        let mut row = serde_json::json!(outcome);
        if self.with_paths
            && let Some(row) = row.as_object_mut()
        {
            row.insert("input".into(), outcome.input.as_str().into());
        }
        let comma = if self.rows == 0 { "" } else { "," };
        self.rows += 1;
        let written = write!(self.file, "{comma}\n{row}");
        written.map_err(|source| self.failed(source))
    }

    /// Ends it with the counts, and gives it its name.
    pub(super) fn end(mut self, tally: &Tally) -> Result<(), FolderRunError> {
        self.finish(tally).map_err(|source| self.failed(source))
    }

    fn finish(&mut self, tally: &Tally) -> io::Result<()> {
        write!(self.file, "\n]")?;
        let counts = serde_json::to_value(tally).map_err(io::Error::other)?;
        for (name, count) in counts.as_object().into_iter().flatten() {
            write!(self.file, ",\n{name:?}:{count}")?;
        }
        writeln!(self.file, "}}")?;
        self.file.flush()?;
        RealDisk.rename(&self.part, &self.path)
    }

    fn failed(&self, source: io::Error) -> FolderRunError {
        FolderRunError::Report { path: self.path.clone(), source }
    }
}
