//! Small steps on files: hashing, flushing to the disk, naming a path in SQL.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::StoreError;
use crate::schema::text_literal;

const NOT_UTF8: &str = "is not valid UTF-8, which DuckDB needs";

/// The blake3 hash of a file's bytes.
pub(crate) fn file_digest(path: &Path) -> Result<String, StoreError> {
    let bytes = fs::read(path).map_err(StoreError::io("read", path))?;
    Ok(blake3::hash(&bytes).to_hex().to_string())
}

/// Writes a file and flushes it to the disk.
pub(crate) fn write_flushed(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = File::create(path).map_err(StoreError::io("create", path))?;
    file.write_all(bytes).map_err(StoreError::io("write", path))?;
    file.sync_all().map_err(StoreError::io("flush", path))
}

/// Flushes a file that somebody else has written.
pub(crate) fn flush_file(path: &Path) -> Result<(), StoreError> {
    // Windows flushes only what is open for writing.
    let file = File::options()
        .write(true)
        .open(path)
        .map_err(StoreError::io("open", path))?;
    file.sync_all().map_err(StoreError::io("flush", path))
}

/// Flushes a folder's list of names, so that a rename in it survives a power cut. Only Unix knows that.
#[cfg(unix)]
pub(crate) fn flush_folder(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(StoreError::io("flush", path))
}

/// Elsewhere the file system keeps the order by itself.
#[cfg(not(unix))]
pub(crate) fn flush_folder(_path: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// Creates a folder and those above it.
pub(crate) fn create_folder(path: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(path).map_err(StoreError::io("create the folder", path))
}

/// A path as an SQL literal. It is made absolute, because DuckDB gives a meaning to `~` and to `name:` in front.
pub(crate) fn path_literal(path: &Path) -> Result<String, StoreError> {
    let absolute = std::path::absolute(path).map_err(StoreError::io("find the place of", path))?;
    let text = absolute.to_str().ok_or_else(|| StoreError::Path {
        path: path.to_owned(),
        problem: NOT_UTF8,
    })?;
    Ok(text_literal(text))
}

/// A path as an SQL literal for reading, where DuckDB would take `*`, `?` and `[` for patterns.
pub(crate) fn pattern_literal(path: &Path) -> Result<String, StoreError> {
    let literal = path_literal(path)?;
    let mut escaped = String::with_capacity(literal.len());
    for character in literal.chars() {
        match character {
            '*' | '?' | '[' => escaped.extend(['[', character, ']']),
            other => escaped.push(other),
        }
    }
    Ok(escaped)
}
