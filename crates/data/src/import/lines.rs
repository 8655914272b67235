//! The rows of a file, with its name in errors and its size in the progress.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::lines::{BadLine, Lines as TextLines};
use crate::{DataError, Progress};

/// Reads row after row of a file, plain or gzip.
pub(super) struct Lines<'p> {
    path: PathBuf,
    lines: TextLines<'p>,
}

impl<'p> Lines<'p> {
    /// Opens a file.
    pub(super) fn open(path: &Path, progress: &'p dyn Progress) -> Result<Self, DataError> {
        let file = File::open(path).map_err(DataError::io("read", path))?;
        let size = file.metadata().map_err(DataError::io("read", path))?.len();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        progress.start(size, &format!("reading {name}"));
        Self::over(path, Counted { file, progress })
    }

    /// Reads from anything; `path` names it in messages.
    pub(super) fn over(path: &Path, source: impl Read + 'p) -> Result<Self, DataError> {
        let lines = TextLines::new(source).map_err(DataError::io("read", path))?;
        Ok(Self {
            path: path.to_owned(),
            lines,
        })
    }

    /// The next row with its number, counted from 1, without its line end.
    ///
    /// # Errors
    /// When the file cannot be read on, such as a gzip file that is cut short, or the row is longer than any real one.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &[u8])>, DataError> {
        let path = &self.path;
        self.lines
            .next_line()
            .map_err(|BadLine { row, problem }| DataError::Line {
                path: path.clone(),
                row,
                problem,
            })
    }
}

/// A file that tells how much of it has been read.
struct Counted<'p> {
    file: File,
    progress: &'p dyn Progress,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.progress.advance(count as u64);
        Ok(count)
    }
}
