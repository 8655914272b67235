//! Replacing a file so that a reader sees the old or the new one, never a mix.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::DataError;

const MOST_ATTEMPTS: u32 = 1_000;

/// Writes `bytes` under another name in the same folder, brings them to the disk, and renames. When it fails, the old
/// file stands as it was; only when the very last step fails, bringing the folder to the disk, the new one is there. A
/// process that is killed leaves at most a hidden `.tmp` file, which nothing reads and the next write into the folder
/// removes: a writer holds a lock on its file, so a file that can be locked has no writer any more.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    operation(Step::CreateFolder, path, || fs::create_dir_all(folder))
        .map_err(DataError::io("create the folder", folder))?;
    remove_leftovers(folder);
    let (temporary, file) = operation(Step::Create, path, || create_temporary(path))
        .map_err(DataError::io("create a file next to", path))?;
    let written = fill(&file, path, bytes)
        .and_then(|()| operation(Step::Rename, path, || fs::rename(&temporary, path)));
    if let Err(source) = written {
        // The first error is the one to tell; a leftover is hidden and harmless.
        let _ = fs::remove_file(&temporary);
        return Err(DataError::io("write", path)(source));
    }
    operation(Step::SyncFolder, path, || sync_folder(folder))
        .map_err(DataError::io("bring to the disk", path))
}

/// Removes a file if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), DataError> {
    match operation(Step::Remove, path, || fs::remove_file(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(DataError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// What is done to the disk, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    CreateFolder,
    Create,
    Write,
    SyncFile,
    Rename,
    SyncFolder,
    Remove,
}

/// Carries out one operation; tests make some of them fail.
fn operation<T>(step: Step, target: &Path, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    faults::before(step, target)?;
    run()
}

/// A new file and the lock on it. The lock is held as long as the file is open.
fn create_temporary(path: &Path) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    for attempt in 0..MOST_ATTEMPTS {
        let temporary = path.with_file_name(format!(".{name}.{}.{attempt}.tmp", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) if is_held(&file, &temporary) => return Ok((temporary, file)),
            Ok(_) => {}
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AlreadyExists,
        format!("{MOST_ATTEMPTS} hidden .tmp files of this process are in the way"),
    ))
}

/// Whether the new file is ours alone: someone who removes leftovers may have been faster than our lock. Where the file
/// system knows no locks, nobody removes leftovers either.
fn is_held(file: &File, temporary: &Path) -> bool {
    match file.try_lock() {
        Ok(()) => is_name_of(temporary, file),
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(_)) => true,
    }
}

/// Removes what killed writers left in a folder. No write fails because of it: a leftover is harmless.
fn remove_leftovers(folder: &Path) {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if is_temporary(&entry.file_name().to_string_lossy()) {
            remove_unless_held(&entry.path());
        }
    }
}

/// Whether a name is `.<target>.<process>.<attempt>.tmp`.
fn is_temporary(name: &str) -> bool {
    let stem = name.strip_prefix('.').and_then(|rest| rest.strip_suffix(".tmp"));
    let mut parts = stem.unwrap_or_default().rsplitn(3, '.');
    let number = |part: Option<&str>| {
        part.is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let numbers = number(parts.next()) && number(parts.next());
    numbers && parts.next().is_some_and(|target| !target.is_empty())
}

fn remove_unless_held(temporary: &Path) {
    let Ok(file) = OpenOptions::new().write(true).open(temporary) else {
        return;
    };
    // Its writer may have renamed it since, and another may have taken the name. Under the lock neither can happen.
    if file.try_lock().is_ok() && can_tell_files_apart() && is_name_of(temporary, &file) {
        let _ = fs::remove_file(temporary);
    }
}

/// Whether [`is_name_of`] knows; where it does not, leftovers stay.
const fn can_tell_files_apart() -> bool {
    cfg!(unix)
}

/// Whether a name still stands for an open file.
#[cfg(unix)]
fn is_name_of(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(named), Ok(open)) = (fs::metadata(path), file.metadata()) else {
        return false;
    };
    (named.dev(), named.ino()) == (open.dev(), open.ino())
}

#[cfg(not(unix))]
fn is_name_of(_path: &Path, _file: &File) -> bool {
    true
}

fn fill(mut file: &File, path: &Path, bytes: &[u8]) -> io::Result<()> {
    operation(Step::Write, path, || file.write_all(bytes))?;
    operation(Step::SyncFile, path, || file.sync_all())
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(not(test))]
mod faults {
    use std::io;
    use std::path::Path;

    use super::Step;

    pub(super) fn before(_step: Step, _target: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// Operations that fail on demand, in the thread that demands it.
#[cfg(test)]
pub(crate) mod faults {
    use std::cell::RefCell;
    use std::io;
    use std::path::{Path, PathBuf};

    use super::Step;

    /// Which operations fail.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Fault {
        /// The n-th one, counted from 1.
        Once(usize),
        /// The n-th one and all after it, as on a full disk.
        From(usize),
    }

    #[derive(Default)]
    struct State {
        fault: Option<Fault>,
        done: usize,
        failed: Option<(Step, PathBuf)>,
    }

    thread_local! {
        static STATE: RefCell<State> = RefCell::default();
    }

    /// Runs `work` with a fault; returns its result, and the first operation that failed with the file it was for.
    pub(crate) fn with<T>(fault: Fault, work: impl FnOnce() -> T) -> (T, Option<(Step, PathBuf)>) {
        STATE.with_borrow_mut(|state| {
            *state = State {
                fault: Some(fault),
                ..State::default()
            };
        });
        let result = work();
        let state = STATE.take();
        (result, state.failed)
    }

    pub(super) fn before(step: Step, target: &Path) -> io::Result<()> {
        STATE.with_borrow_mut(|state| {
            state.done += 1;
            let fails = match state.fault {
                None => false,
                Some(Fault::Once(n)) => state.done == n,
                Some(Fault::From(n)) => state.done >= n,
            };
            if !fails {
                return Ok(());
            }
            state.failed.get_or_insert_with(|| (step, target.to_owned()));
            Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "no space left on device",
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_failing_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("a.txt");
        replace(&path, b"old").unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);

        // A folder in the place of the file cannot be replaced by one.
        let blocked = folder.path().join("blocked");
        fs::create_dir_all(blocked.join("inside")).unwrap();
        let message = replace(&blocked, b"x").unwrap_err().to_string();
        assert!(message.contains("blocked"), "{message}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn every_step_may_fail() {
        use faults::Fault;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let steps = [
            Step::CreateFolder,
            Step::Create,
            Step::Write,
            Step::SyncFile,
            Step::Rename,
            Step::SyncFolder,
        ];
        for (index, step) in steps.into_iter().enumerate() {
            replace(&path, b"old").unwrap();
            let (result, failed) = faults::with(Fault::Once(index + 1), || replace(&path, b"new"));
            let message = result.unwrap_err().to_string();
            assert!(message.contains("no space left"), "{step:?}: {message}");
            assert_eq!(failed, Some((step, path.clone())));
            let expected: &[u8] = if step == Step::SyncFolder { b"new" } else { b"old" };
            assert_eq!(fs::read(&path).unwrap(), expected, "{step:?}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{step:?}");
        }
        let (result, failed) = faults::with(Fault::Once(7), || replace(&path, b"new"));
        assert!(result.is_ok() && failed.is_none());
    }

    #[test]
    fn leftovers_of_killed_processes_go_and_those_of_living_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let file = |name: &str| {
            let path = folder.path().join(name);
            (File::create(&path).unwrap(), path)
        };
        let own = format!(".a.txt.{}.0.tmp", std::process::id());
        let dead: Vec<PathBuf> = [
            own.as_str(),
            ".a.txt.1.0.tmp",
            ".a.txt.99999999.12.tmp",
            ".b.txt.1.0.tmp",
        ]
        .into_iter()
        .map(|name| file(name).1)
        .collect();
        let (held, living) = file(".a.txt.1.1.tmp");
        held.try_lock().unwrap();
        let foreign: Vec<PathBuf> = [".1.0.tmp", ".a.txt.1.tmp", ".a.txt.x.0.tmp", "a.txt.1.0.tmp"]
            .into_iter()
            .map(|name| file(name).1)
            .collect();
        replace(&path, b"whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert!(dead.iter().all(|path| !path.exists()));
        assert!(living.exists() && foreign.iter().all(|path| path.exists()));
        drop(held);
        replace(&path, b"again").unwrap();
        assert!(!living.exists());
    }

    #[test]
    fn writers_of_one_file_in_many_threads_are_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        std::thread::scope(|scope| {
            for thread in 0..4_u8 {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..25 {
                        replace(path, &[thread; 1_000]).unwrap();
                    }
                });
            }
        });
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.len() == 1_000 && bytes.iter().all(|byte| *byte == bytes[0]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn removing_what_is_not_there_is_fine() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        remove(&path).unwrap();
        replace(&path, b"x").unwrap();
        remove(&path).unwrap();
        assert!(!path.exists());
        assert!(remove(folder.path()).is_err());
    }
}
