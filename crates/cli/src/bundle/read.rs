//! Unpacking a bundle: nothing is written but the files it lists, into an empty folder.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use flate2::read::GzDecoder;
use sextant_store::RunId;

use super::listing::{LISTING, LONGEST_LISTING, ListedFile, Listing};
use super::{DATA, RESULTS};

/// Unpacks a bundle into a folder, which is made where it is not there and must be empty otherwise. Every file is
/// compared with its length and hash before it is written, and nothing stays of a bundle that is refused. Returns the run.
///
/// # Errors
/// When the folder is not empty, the bundle is damaged or not a bundle, an entry is no plain file at its listed place, or
/// something cannot be written.
pub(crate) fn unpack(bundle: &Path, into: &Path) -> anyhow::Result<RunId> {
    require_empty(into)?;
    let file =
        File::open(bundle).with_context(|| format!("the bundle {} cannot be read", bundle.display()))?;
    let unpacked = unpack_from(BufReader::new(file), into).inspect_err(|_| {
        // The folder was empty before. The first error is the one to tell.
        for part in [RESULTS, DATA] {
            let _ = fs::remove_dir_all(into.join(part));
        }
    });
    unpacked.map_err(|problem| match problem {
        Problem::Damaged(words) => anyhow!(
            "the bundle {} is damaged or no bundle: {words}. Nothing of it is used. Copy it again, or make it again where \
             the run is: `cargo xtask bundle <run>`",
            bundle.display()
        ),
        Problem::Write(error) => error,
    })
}

enum Problem {
    Damaged(String),
    Write(anyhow::Error),
}

impl From<io::Error> for Problem {
    /// Reading a bundle fails where it is damaged: the file itself could be opened.
    fn from(error: io::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<String> for Problem {
    fn from(words: String) -> Self {
        Self::Damaged(words)
    }
}

fn require_empty(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    let mut entries =
        fs::read_dir(folder).with_context(|| format!("the folder {} cannot be read", folder.display()))?;
    if entries.next().is_some() {
        bail!(
            "the folder {} is not empty; a bundle is unpacked into an empty or new one",
            folder.display()
        );
    }
    Ok(())
}

fn unpack_from(reader: impl Read, into: &Path) -> Result<RunId, Problem> {
    let mut archive = tar::Archive::new(GzDecoder::new(reader));
    let mut entries = archive.entries()?;
    let first = entries.next().ok_or_else(|| "it is empty".to_owned())??;
    let listing = Listing::read(&content(first, LISTING, LONGEST_LISTING)?)?;
    for file in &listing.files {
        let entry = entries
            .next()
            .ok_or_else(|| format!("{} is missing", file.path))??;
        let content = content(entry, &file.path, file.bytes)?;
        require_listed(file, &content)?;
        write_new(&into.join(listing.place(file)?), &content).map_err(Problem::Write)?;
    }
    if let Some(more) = entries.next() {
        let path = more?.path_bytes().into_owned();
        return Err(format!(
            "it holds `{}`, which it does not list",
            String::from_utf8_lossy(&path)
        )
        .into());
    }
    // To the end of the compressed stream, where its own checksum stands.
    let mut rest = archive.into_inner();
    io::copy(&mut rest, &mut io::sink())?;
    Ok(listing.run_id)
}

/// The content of an entry, which must be a plain file of this name with at most so many bytes.
fn content(mut entry: tar::Entry<'_, impl Read>, name: &str, most: u64) -> Result<Vec<u8>, Problem> {
    let found = entry.path_bytes().into_owned();
    if found != name.as_bytes() {
        let found = String::from_utf8_lossy(&found).into_owned();
        return Err(format!("it holds `{found}` where `{name}` was expected").into());
    }
    if entry.header().entry_type() != tar::EntryType::Regular {
        return Err(format!("{name} is no plain file").into());
    }
    if entry.size() > most {
        return Err(format!("{name} has {} bytes, more than the {most} listed", entry.size()).into());
    }
    let mut content = Vec::new();
    entry.read_to_end(&mut content)?;
    Ok(content)
}

fn require_listed(file: &ListedFile, content: &[u8]) -> Result<(), Problem> {
    if content.len() as u64 == file.bytes && blake3::hash(content).to_hex().as_str() == file.blake3 {
        Ok(())
    } else {
        Err(format!("{} is not what was packed: its blake3 hash is another", file.path).into())
    }
}

fn write_new(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let failed = || format!("{} cannot be written", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(failed)?;
    }
    // A file that is there already is never written over.
    let mut file = File::create_new(path).with_context(failed)?;
    file.write_all(content).with_context(failed)?;
    file.sync_all().with_context(failed)
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const RUN: &str = "0123456789abcdef";

    /// An archive of a listing, a manifest, and entries that need not agree with it.
    fn archive(listing: &str, entries: &[(tar::EntryType, &str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        let mut append = |kind, name: &str, content: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_entry_type(kind);
            // Written past the checks of the library, as somebody who means harm would.
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, content).unwrap();
        };
        append(tar::EntryType::Regular, LISTING, listing.as_bytes());
        append(tar::EntryType::Regular, &manifest(), b"abc");
        for (kind, name, content) in entries {
            append(*kind, name, content);
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn manifest() -> String {
        format!("results/runs/{RUN}/manifest.json")
    }

    /// The manifest and other files, all of one content.
    fn listing(paths: &[&str], content: &[u8]) -> String {
        let hash = blake3::hash(content).to_hex();
        let manifest = manifest();
        let files: Vec<_> = std::iter::once(&manifest.as_str())
            .chain(paths)
            .map(|path| {
                format!(
                    r#"{{"path": "{path}", "bytes": {}, "blake3": "{hash}"}}"#,
                    content.len()
                )
            })
            .collect();
        format!(
            r#"{{"format": 1, "run_id": "{RUN}", "files": [{}]}}"#,
            files.join(",")
        )
    }

    fn unpacked(bytes: &[u8]) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("into");
        fs::create_dir(&into).unwrap();
        let result = match unpack_from(bytes, &into) {
            Ok(_) => Ok(()),
            Err(Problem::Damaged(words)) => Err(words),
            Err(Problem::Write(error)) => Err(error.to_string()),
        };
        if result.is_ok() {
            assert_eq!(fs::read(into.join("data/x")).unwrap(), b"abc");
        }
        // Nothing may have left the folder.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        result
    }

    type Entry = (tar::EntryType, &'static str, &'static [u8]);

    #[test]
    fn what_is_listed_is_unpacked() {
        let good = [(tar::EntryType::Regular, "data/x", &b"abc"[..])];
        assert_eq!(unpacked(&archive(&listing(&["data/x"], b"abc"), &good)), Ok(()));
    }

    #[test]
    fn entries_that_are_not_what_is_listed_are_refused() {
        let one = listing(&["data/x"], b"abc");
        let cases: [(&str, Vec<Entry>, &str); 7] = [
            (&one, vec![(tar::EntryType::Regular, "../x", b"abc")], "../x"),
            (&one, vec![(tar::EntryType::Regular, "data/y", b"abc")], "data/y"),
            (
                &one,
                vec![(tar::EntryType::Symlink, "data/x", b"")],
                "no plain file",
            ),
            (
                &one,
                vec![(tar::EntryType::Regular, "data/x", b"abd")],
                "not what was packed",
            ),
            (
                &one,
                vec![(tar::EntryType::Regular, "data/x", b"abcd")],
                "more than",
            ),
            (&one, vec![], "missing"),
            (
                &one,
                vec![
                    (tar::EntryType::Regular, "data/x", b"abc"),
                    (tar::EntryType::Regular, "/etc/y", b"abc"),
                ],
                "does not list",
            ),
        ];
        for (listing, entries, part) in cases {
            let words = unpacked(&archive(listing, &entries)).unwrap_err();
            assert!(words.contains(part), "{part}: {words}");
        }
        let outside = listing(&["../x"], b"abc");
        let entries = [(tar::EntryType::Regular, "../x", &b"abc"[..])];
        assert!(
            unpacked(&archive(&outside, &entries))
                .unwrap_err()
                .contains("../x")
        );
    }

    #[test]
    fn every_cut_is_found_and_no_flip_changes_what_comes_out() {
        let entries = [(tar::EntryType::Regular, "data/x", &b"abc"[..])];
        let whole = archive(&listing(&["data/x"], b"abc"), &entries);
        for length in 0..whole.len() {
            assert!(unpacked(&whole[..length]).is_err(), "cut at {length}");
        }
        let mut refused = 0;
        for position in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[position] ^= 1 << (position % 8);
            refused += usize::from(unpacked(&damaged).is_err());
        }
        // What a flip changes in the header (10 bytes) or the trailer (8) of gzip, or in the padding before it, is not asked
        // for: every file has a hash of its own.
        assert!(refused + 24 > whole.len(), "{refused} of {}", whole.len());
    }
}
