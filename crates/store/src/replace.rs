//! A database file that gets its name when it is whole.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::StoreError;
use crate::files::{flush_file, flush_folder};

/// Lets `write` make and close a database under a temporary name, and puts it in the place of `path`: DuckDB refuses a file
/// whose making was interrupted. The caller holds the lock of the database.
pub(crate) fn put_whole<T>(
    path: &Path,
    write: impl FnOnce(PathBuf) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let new = path.with_extension("db.new");
    remove_with_log(&new)?;
    let written = write(new.clone())?;
    flush_file(&new)?;
    put_in_place(&new, path)?;
    Ok(written)
}

/// The write-ahead log of the old file goes first: it must never be applied to the new one.
fn put_in_place(new: &Path, path: &Path) -> Result<(), StoreError> {
    remove_file(&log_of(path))?;
    fs::rename(new, path).map_err(StoreError::io("put in place", path))?;
    path.parent().map_or(Ok(()), flush_folder)
}

fn remove_with_log(path: &Path) -> Result<(), StoreError> {
    remove_file(path)?;
    remove_file(&log_of(path))
}

/// DuckDB's write-ahead log of a database file.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".wal");
    PathBuf::from(name)
}

fn remove_file(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(StoreError::io("remove", path)(source)),
        _ => Ok(()),
    }
}
