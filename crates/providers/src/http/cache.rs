//! Answers that will not change, one file each.
//!
//! A file is a line of JSON that says what follows ([`Header`]), and then the body as it came. Its name is the digest of
//! the address; whatever else lies under that name, or a body that is not the one that was written, counts as nothing.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use sextant_data::ProviderError;

/// The version of the files' form; files of another one are asked for anew.
const VERSION: u32 = 1;

/// Makes the temporary names of one process differ.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// The kept answers of one provider.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
}

/// What a file says about its body.
#[derive(Debug, Serialize)]
struct Header<'a> {
    version: u32,
    url: &'a str,
    body_bytes: usize,
    body_blake3: &'a str,
}

impl Cache {
    /// The answers in a folder, which is made when it is needed.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Makes the folder: before a request, so that an unusable one is found out before anything is asked for.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn prepare(&self) -> Result<(), ProviderError> {
        fs::create_dir_all(&self.folder).map_err(|error| self.problem("be made", &error))
    }

    /// The kept body of an address; `None` when there is none, or when its file is damaged or of another kind.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn read(&self, url: &str) -> Result<Option<Vec<u8>>, ProviderError> {
        match fs::read(self.file(url)) {
            Ok(content) => Ok(body_of(url, content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.problem("be read", &error)),
        }
    }

    /// Keeps a body. The file is there as a whole or not at all, whenever the machine stops.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn write(&self, url: &str, body: &[u8]) -> Result<(), ProviderError> {
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let unfinished = self
            .folder
            .join(format!(".{}-{number}.unfinished", process::id()));
        let written = write_synced(&unfinished, &header_line(url, body), body)
            .and_then(|()| fs::rename(&unfinished, self.file(url)))
            .and_then(|()| sync_folder(&self.folder));
        written.map_err(|error| {
            // It may not even be there; the first error is the one to tell.
            let _ = fs::remove_file(&unfinished);
            self.problem("be written", &error)
        })
    }

    fn file(&self, url: &str) -> PathBuf {
        self.folder
            .join(format!("{}.answer", blake3::hash(url.as_bytes()).to_hex()))
    }

    fn problem(&self, what: &str, error: &io::Error) -> ProviderError {
        let folder = self.folder.display();
        ProviderError::Cache(format!(
            "{folder} cannot {what}: {error}; make it writable or name another folder"
        ))
    }
}

fn header_line(url: &str, body: &[u8]) -> String {
    let header = Header {
        version: VERSION,
        url,
        body_bytes: body.len(),
        body_blake3: &blake3::hash(body).to_hex(),
    };
    let json = serde_json::to_string(&header).expect("strings and integers are always written");
    format!("{json}\n")
}

/// The body within a file's content, if it is the whole answer of that address.
fn body_of(url: &str, mut content: Vec<u8>) -> Option<Vec<u8>> {
    let end = content.iter().position(|byte| *byte == b'\n')?;
    let body = content.split_off(end + 1);
    (content == header_line(url, &body).as_bytes()).then_some(body)
}

fn write_synced(path: &Path, header: &str, body: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(header.as_bytes())?;
    file.write_all(body)?;
    file.sync_all()
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
