//! The lines of a text file, plain or gzip, whatever is in it.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

/// No row of a data file comes near this; a longer one is not read into memory.
const LONGEST_ROW_BYTES: usize = 64 * 1024;
const BUFFER_BYTES: usize = 256 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads line after line. A byte order mark is skipped, lines end with LF or CRLF, and memory stays bounded.
pub(crate) struct Lines<'s> {
    reader: BufReader<Box<dyn Read + 's>>,
    line: Vec<u8>,
    row: u64,
}

/// A row at which a file cannot be read on.
pub(crate) struct BadLine {
    /// The row, counted from 1.
    pub(crate) row: u64,
    /// What is wrong and what is allowed.
    pub(crate) problem: String,
}

impl<'s> Lines<'s> {
    /// Begins to read. A source counts as gzip when it begins like gzip, whatever its name is.
    pub(crate) fn new(source: impl Read + 's) -> io::Result<Self> {
        let mut source = BufReader::with_capacity(BUFFER_BYTES, source);
        let inner: Box<dyn Read + 's> = if source.fill_buf()?.starts_with(&GZIP_MAGIC) {
            Box::new(MultiGzDecoder::new(source))
        } else {
            Box::new(source)
        };
        Ok(Self {
            reader: BufReader::with_capacity(BUFFER_BYTES, inner),
            line: Vec::new(),
            row: 0,
        })
    }

    /// The next line with its number, counted from 1, without its end.
    ///
    /// # Errors
    /// When the source cannot be read on, such as a gzip file that is cut short, or the line is longer than any real one.
    pub(crate) fn next_line(&mut self) -> Result<Option<(u64, &[u8])>, BadLine> {
        if self.read_line()? {
            Ok(Some((self.row, self.trimmed())))
        } else {
            Ok(None)
        }
    }

    /// The next line that is not blank, without the blanks around it.
    ///
    /// # Errors
    /// As [`next_line`](Self::next_line).
    pub(crate) fn next_filled(&mut self) -> Result<Option<(u64, &[u8])>, BadLine> {
        while self.read_line()? {
            if !self.trimmed().trim_ascii().is_empty() {
                return Ok(Some((self.row, self.trimmed().trim_ascii())));
            }
        }
        Ok(None)
    }

    /// Whether there was a line.
    fn read_line(&mut self) -> Result<bool, BadLine> {
        self.line.clear();
        let limit = LONGEST_ROW_BYTES as u64 + 1;
        let read = self.reader.by_ref().take(limit).read_until(b'\n', &mut self.line);
        match read {
            Ok(0) => return Ok(false),
            Ok(_) => self.row += 1,
            Err(error) => {
                return Err(BadLine {
                    row: self.row + 1,
                    problem: format!("the file cannot be read on ({error}): it is cut short or damaged"),
                });
            }
        }
        if self.line.len() > LONGEST_ROW_BYTES {
            return Err(BadLine {
                row: self.row,
                problem: format!(
                    "it is longer than {LONGEST_ROW_BYTES} bytes, which no row of a data file is"
                ),
            });
        }
        Ok(true)
    }

    fn trimmed(&self) -> &[u8] {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let start = if self.row == 1 { BYTE_ORDER_MARK } else { &[] };
        line.strip_prefix(start).unwrap_or(line)
    }
}
