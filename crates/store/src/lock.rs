//! Locks between processes, held through a file and let go by the system when a process ends, however it ends.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::Path;

use crate::StoreError;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

/// The answer to asking for a lock.
#[derive(Debug)]
pub(crate) enum LockAnswer {
    /// It is held now.
    Held(FolderLock),
    /// Somebody else has it; in words who, as far as is known.
    Taken(String),
    /// Locks do not work here: a file system without them, or a folder that may only be read.
    Unavailable,
}

/// Asks for the lock alone, and leaves a note of who has it.
pub(crate) fn try_exclusive(path: &Path) -> Result<LockAnswer, StoreError> {
    let Some(mut file) = open(path)? else {
        return Ok(LockAnswer::Unavailable);
    };
    match file.try_lock() {
        Ok(()) => {
            // The note only serves the message that another process prints: failing to leave it is no failure.
            let _ = leave_note(&mut file);
            Ok(LockAnswer::Held(FolderLock { _file: file }))
        }
        Err(refused) => refusal(refused, file, path),
    }
}

/// Asks for the lock together with others who ask like this.
pub(crate) fn try_shared(path: &Path) -> Result<LockAnswer, StoreError> {
    let Some(file) = open(path)? else {
        return Ok(LockAnswer::Unavailable);
    };
    match file.try_lock_shared() {
        Ok(()) => {
            // A note that is still there was left by one who was killed.
            let _ = file.set_len(0);
            Ok(LockAnswer::Held(FolderLock { _file: file }))
        }
        Err(refused) => refusal(refused, file, path),
    }
}

/// Waits for the lock together with others who ask like this; `None` where locks do not work.
pub(crate) fn wait_shared(path: &Path) -> Result<Option<FolderLock>, StoreError> {
    let Some(file) = open(path)? else { return Ok(None) };
    match file.lock_shared() {
        Ok(()) => Ok(Some(FolderLock { _file: file })),
        Err(source) if source.kind() == ErrorKind::Unsupported => Ok(None),
        Err(source) => Err(StoreError::io("lock", path)(source)),
    }
}

/// The lock file, made where it is not there; `None` where it can be neither made nor read.
fn open(path: &Path) -> Result<Option<File>, StoreError> {
    let writable = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path);
    match writable.or_else(|_| File::open(path)) {
        Ok(file) => Ok(Some(file)),
        Err(source) if is_read_only(source.kind()) => Ok(None),
        Err(source) => Err(StoreError::io("open the lock file", path)(source)),
    }
}

fn is_read_only(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::NotFound
    )
}

fn refusal(refused: TryLockError, mut file: File, path: &Path) -> Result<LockAnswer, StoreError> {
    match refused {
        TryLockError::WouldBlock => Ok(LockAnswer::Taken(holder(&mut file))),
        TryLockError::Error(source) if source.kind() == ErrorKind::Unsupported => Ok(LockAnswer::Unavailable),
        TryLockError::Error(source) => Err(StoreError::io("lock", path)(source)),
    }
}

fn leave_note(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    let program = std::env::current_exe()?;
    let program = program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy();
    write!(
        file,
        "process {} ({program}) is writing to it",
        std::process::id()
    )
}

fn holder(file: &mut File) -> String {
    let mut note = String::new();
    match file.read_to_string(&mut note) {
        Ok(_) if !note.is_empty() => note,
        _ => "another process is reading it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn writers_exclude_everybody_and_readers_only_writers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let LockAnswer::Held(writer) = try_exclusive(&path).unwrap() else {
            panic!("nobody else asks")
        };
        for answer in [try_exclusive(&path).unwrap(), try_shared(&path).unwrap()] {
            let LockAnswer::Taken(holder) = answer else {
                panic!("it was given twice")
            };
            assert!(
                holder.contains(&format!("process {}", std::process::id())),
                "{holder}"
            );
        }
        drop(writer);
        let LockAnswer::Held(first) = try_shared(&path).unwrap() else {
            panic!("the writer has left")
        };
        let LockAnswer::Held(second) = try_shared(&path).unwrap() else {
            panic!("readers do not exclude readers")
        };
        drop(first);
        let LockAnswer::Taken(holder) = try_exclusive(&path).unwrap() else {
            panic!("a reader is left")
        };
        assert!(holder.contains("reading"), "{holder}");
        drop(second);
        assert!(matches!(try_exclusive(&path).unwrap(), LockAnswer::Held(_)));
    }
}
