//! The rows of a text file, plain or gzip, whatever is in it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::{DataError, Progress};

/// No row of a data file comes near this; a longer one is not read into memory.
const LONGEST_ROW_BYTES: usize = 64 * 1024;
const BUFFER_BYTES: usize = 256 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads row after row. A byte order mark is skipped, rows end with LF or CRLF, and memory stays bounded.
pub(super) struct Lines<'p> {
    path: PathBuf,
    reader: BufReader<Box<dyn Read + 'p>>,
    line: Vec<u8>,
    row: u64,
}

impl<'p> Lines<'p> {
    /// Opens a file. It counts as gzip when it begins like gzip, whatever its name is.
    pub(super) fn open(path: &Path, progress: &'p dyn Progress) -> Result<Self, DataError> {
        let read = |error| DataError::io("read", path)(error);
        let file = File::open(path).map_err(read)?;
        let size = file.metadata().map_err(DataError::io("read", path))?.len();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        progress.start(size, &format!("reading {name}"));
        Self::over(path, Counted { file, progress })
    }

    /// Reads from anything; `path` names it in messages.
    pub(super) fn over(path: &Path, source: impl Read + 'p) -> Result<Self, DataError> {
        let mut source = BufReader::with_capacity(BUFFER_BYTES, source);
        let start = source.fill_buf().map_err(DataError::io("read", path))?;
        let inner: Box<dyn Read + 'p> = if start.starts_with(&GZIP_MAGIC) {
            Box::new(MultiGzDecoder::new(source))
        } else {
            Box::new(source)
        };
        let reader = BufReader::with_capacity(BUFFER_BYTES, inner);
        Ok(Self {
            path: path.to_owned(),
            reader,
            line: Vec::new(),
            row: 0,
        })
    }

    /// The next row with its number, counted from 1, without its line end.
    ///
    /// # Errors
    /// When the file cannot be read on, such as a gzip file that is cut short, or the row is longer than any real one.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &[u8])>, DataError> {
        self.line.clear();
        let limit = LONGEST_ROW_BYTES as u64 + 1;
        let read = self.reader.by_ref().take(limit).read_until(b'\n', &mut self.line);
        match read {
            Ok(0) => return Ok(None),
            Ok(_) => self.row += 1,
            Err(error) => {
                let problem = format!("the file cannot be read on ({error}): it is cut short or damaged");
                return Err(self.error(self.row + 1, problem));
            }
        }
        if self.line.len() > LONGEST_ROW_BYTES {
            let problem =
                format!("it is longer than {LONGEST_ROW_BYTES} bytes, which no row of a data file is");
            return Err(self.error(self.row, problem));
        }
        Ok(Some((self.row, trimmed(&self.line, self.row))))
    }

    fn error(&self, row: u64, problem: String) -> DataError {
        DataError::Line {
            path: self.path.clone(),
            row,
            problem,
        }
    }
}

fn trimmed(line: &[u8], row: u64) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if row == 1 {
        line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)
    } else {
        line
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
