//! Run folders: listing, verifying and loading.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::checksums::{Checksums, ChecksumsProblem};
use crate::codec::rows_digest;
use crate::files::file_digest;
use crate::manifest::FORMAT_VERSION;
use crate::parquet::Staging;
use crate::run_tables::run_tables;
use crate::schema::Table;
use crate::writer;
use crate::{Manifest, RowsDigest, RunId, RunInfo, RunTables, StoreError};

pub(crate) const MANIFEST_FILE: &str = "manifest.json";
pub(crate) const INFO_FILE: &str = "run_info.json";
pub(crate) const CHECKSUMS_FILE: &str = "checksums.json";

/// How many ids an unknown one is answered with.
const NEAREST_IDS: usize = 5;

/// The run folders below a results folder: `<results>/runs/<run id>/`.
#[derive(Debug, Clone)]
pub struct RunFolders {
    results: PathBuf,
}

/// A run folder whose every byte has been compared with its checksums.
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
    manifest: Manifest,
    info: RunInfo,
    checksums: Checksums,
}

/// A run with all its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedRun {
    /// What it was computed from.
    pub manifest: Manifest,
    /// When it was made.
    pub info: RunInfo,
    /// Its rows.
    pub tables: RunTables,
    /// Its folder.
    pub path: PathBuf,
}

/// What the writing of a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteOutcome {
    /// It is new.
    New,
    /// The same run was there already, with the same rows; nothing was written.
    AlreadyThere,
    /// A damaged folder of the same run was replaced; in words what was wrong with it.
    ReplacedDamaged(String),
}

/// A run that is in its folder now.
#[derive(Debug, Clone)]
pub struct WrittenRun {
    /// How it came there.
    pub outcome: WriteOutcome,
    /// The folder.
    pub folder: RunFolder,
}

impl RunFolders {
    /// The run folders below a results folder, which need not exist yet.
    pub fn new(results_dir: impl Into<PathBuf>) -> Self {
        Self {
            results: results_dir.into(),
        }
    }

    /// The results folder.
    pub fn results_dir(&self) -> &Path {
        &self.results
    }

    /// The folder of all runs.
    pub fn runs_dir(&self) -> PathBuf {
        self.results.join("runs")
    }

    /// The folder of one run, whether it exists or not.
    pub fn run_dir(&self, run: &RunId) -> PathBuf {
        self.runs_dir().join(run.as_str())
    }

    /// The ids of all runs that have a folder, sorted; none where there is no results folder. Folders under temporary
    /// names, left behind by a process that was killed, are not among them.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the folder cannot be listed.
    pub fn ids(&self) -> Result<Vec<RunId>, StoreError> {
        let path = self.runs_dir();
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(source) if source.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(StoreError::io("list the folder", &path)(source)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let entry = entry.map_err(StoreError::io("list the folder", &path))?;
            ids.extend(
                entry
                    .file_name()
                    .to_str()
                    .and_then(|name| name.parse::<RunId>().ok()),
            );
        }
        ids.sort();
        Ok(ids)
    }

    /// The one run whose id begins with these digits, in either case.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`] with the nearest ids there are, [`StoreError::AmbiguousRun`] with those that match.
    pub fn resolve(&self, prefix: &str) -> Result<RunId, StoreError> {
        let ids = self.ids()?;
        let wanted = prefix.trim().to_ascii_lowercase();
        let matches: Vec<_> = ids
            .iter()
            .filter(|id| !wanted.is_empty() && id.as_str().starts_with(&wanted))
            .collect();
        match matches.as_slice() {
            [only] => Ok((*only).clone()),
            [] => Err(self.unknown(prefix, &ids)),
            several => Err(StoreError::AmbiguousRun {
                asked: prefix.to_owned(),
                matches: several
                    .iter()
                    .map(|id| id.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        }
    }

    /// Opens a run folder and compares every byte of it with its checksums.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`] when there is none, [`StoreError::Damaged`] naming the file that is not what was
    /// written, [`StoreError::Format`] for one of another version.
    pub fn open(&self, run: &RunId) -> Result<RunFolder, StoreError> {
        let path = self.run_dir(run);
        if !path.is_dir() {
            return Err(self.unknown(run.as_str(), &self.ids()?));
        }
        RunFolder::verify(run, path)
    }

    /// Opens a run folder and loads all its rows.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`StoreError::Damaged`] for a file whose rows are not those that were written.
    pub fn load_run(&self, run: &RunId) -> Result<LoadedRun, StoreError> {
        let folder = self.open(run)?;
        let tables = folder.tables()?;
        Ok(LoadedRun {
            manifest: folder.manifest,
            info: folder.info,
            tables,
            path: folder.path,
        })
    }

    /// Writes a run, all of it or nothing.
    ///
    /// Where a folder of the run exists already, nothing is written: equal rows are [`WriteOutcome::AlreadyThere`].
    /// Only a folder that is damaged is replaced.
    ///
    /// # Errors
    /// [`StoreError::Cell`] for a value that its table cannot hold, [`StoreError::NotReproducible`] when the same run
    /// gave other rows before, [`StoreError::Io`] when the folder cannot be written.
    pub fn write(
        &self,
        manifest: &Manifest,
        info: &RunInfo,
        tables: &RunTables,
    ) -> Result<WrittenRun, StoreError> {
        writer::write(self, manifest, info, tables)
    }

    fn unknown(&self, asked: &str, ids: &[RunId]) -> StoreError {
        StoreError::UnknownRun {
            asked: asked.to_owned(),
            folder: self.runs_dir(),
            known: nearest(asked, ids),
        }
    }
}

/// The ids that are most like the one asked for, in words.
fn nearest(asked: &str, ids: &[RunId]) -> String {
    if ids.is_empty() {
        return "there are no runs yet; `cargo xtask backtest` makes one".to_owned();
    }
    let asked = asked.to_ascii_lowercase();
    let unlike = |id: &RunId| {
        let common = id
            .as_str()
            .bytes()
            .zip(asked.bytes())
            .take_while(|(left, right)| left == right)
            .count();
        let equal = id
            .as_str()
            .bytes()
            .zip(asked.bytes())
            .filter(|(left, right)| left == right)
            .count();
        (usize::MAX - common, usize::MAX - equal)
    };
    let mut sorted: Vec<_> = ids.iter().collect();
    sorted.sort_by_key(|id| unlike(id));
    let listed: Vec<_> = sorted.iter().take(NEAREST_IDS).map(|id| id.as_str()).collect();
    match ids.len() - listed.len() {
        0 => format!("there are {}", listed.join(", ")),
        more => format!(
            "the nearest are {} (and {more} more: `cargo xtask runs` lists them)",
            listed.join(", ")
        ),
    }
}

impl RunFolder {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run.
    pub fn run_id(&self) -> &RunId {
        self.manifest.run_id()
    }

    /// What it was computed from.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// When it was made.
    pub fn info(&self) -> &RunInfo {
        &self.info
    }

    /// The digest of all its rows. Two runs with the same digest have the same rows in the same order.
    pub fn rows_digest(&self) -> &str {
        &self.checksums.rows_digest
    }

    /// The digest of the rows of each table, by name.
    pub fn table_digests(&self) -> &BTreeMap<String, RowsDigest> {
        &self.checksums.tables
    }

    /// The names of all its files.
    pub fn file_names(&self) -> Vec<String> {
        let mut names = content_files();
        names.push(CHECKSUMS_FILE.to_owned());
        names
    }

    /// Loads all rows.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the rows of a table are not those that were written.
    pub fn tables(&self) -> Result<RunTables, StoreError> {
        let staging = Staging::new()?;
        RunTables::decode(|table| {
            let path = self.table_path(table);
            let batches = staging.read(table, &path)?;
            if self.checksums.tables.get(table.name) == Some(&rows_digest(table, &batches)?) {
                Ok(batches)
            } else {
                Err(self.damaged(path, "its rows do not match their digest"))
            }
        })
    }

    pub(crate) fn table_path(&self, table: &Table) -> PathBuf {
        self.path.join(table.file_name())
    }

    pub(crate) fn new(path: PathBuf, manifest: &Manifest, info: &RunInfo, checksums: Checksums) -> Self {
        Self {
            path,
            manifest: manifest.clone(),
            info: *info,
            checksums,
        }
    }

    pub(crate) fn checksums(&self) -> &Checksums {
        &self.checksums
    }

    fn verify(run: &RunId, path: PathBuf) -> Result<Self, StoreError> {
        let checksums = read_checksums(run, &path)?;
        for file in content_files() {
            verify_file(run, &path.join(&file), checksums.files.get(&file))?;
        }
        let manifest: Manifest = read_json(run, &path.join(MANIFEST_FILE))?;
        let info = read_json(run, &path.join(INFO_FILE))?;
        for id in [manifest.run_id(), &manifest.computed_id()] {
            if id != run {
                let problem = format!("it is the manifest of run {id}; give the folder that name again");
                return Err(damaged(run, path.join(MANIFEST_FILE), problem));
            }
        }
        Ok(Self {
            path,
            manifest,
            info,
            checksums,
        })
    }

    fn damaged(&self, path: PathBuf, problem: &str) -> StoreError {
        damaged(self.run_id(), path, problem)
    }
}

/// The names of all files of a run folder but the checksums.
pub(crate) fn content_files() -> Vec<String> {
    let tables = run_tables().iter().map(Table::file_name);
    [MANIFEST_FILE.to_owned(), INFO_FILE.to_owned()]
        .into_iter()
        .chain(tables)
        .collect()
}

/// Reads the checksums of a folder and checks them against themselves, and nothing else.
pub(crate) fn read_checksums(run: &RunId, folder: &Path) -> Result<Checksums, StoreError> {
    let path = folder.join(CHECKSUMS_FILE);
    let text = fs::read(&path).map_err(|source| unreadable(run, &path, source))?;
    let text = String::from_utf8(text).map_err(|source| damaged(run, path.clone(), source))?;
    Checksums::read(&text).map_err(|problem| match problem {
        ChecksumsProblem::Damaged(problem) => damaged(run, path, problem),
        ChecksumsProblem::Format(found) => StoreError::Format {
            path,
            found,
            known: FORMAT_VERSION,
        },
    })
}

fn verify_file(run: &RunId, path: &Path, expected: Option<&String>) -> Result<(), StoreError> {
    let found = match file_digest(path) {
        Err(StoreError::Io { source, .. }) => return Err(unreadable(run, path, source)),
        other => other?,
    };
    match expected {
        Some(expected) if *expected == found => Ok(()),
        Some(expected) => {
            let problem = format!("its blake3 hash is {found}, but {expected} was written");
            Err(damaged(run, path.to_owned(), problem))
        }
        None => Err(damaged(
            run,
            path.to_owned(),
            format!("{CHECKSUMS_FILE} does not list it"),
        )),
    }
}

fn read_json<T: DeserializeOwned>(run: &RunId, path: &Path) -> Result<T, StoreError> {
    let text = fs::read(path).map_err(|source| unreadable(run, path, source))?;
    serde_json::from_slice(&text).map_err(|source| damaged(run, path.to_owned(), source))
}

/// A file that is not there is damage to the run; anything else is the system's fault.
fn unreadable(run: &RunId, path: &Path, source: std::io::Error) -> StoreError {
    if source.kind() == ErrorKind::NotFound {
        damaged(run, path.to_owned(), "it is missing")
    } else {
        StoreError::io("read", path)(source)
    }
}

fn damaged(run: &RunId, path: PathBuf, problem: impl ToString) -> StoreError {
    StoreError::Damaged {
        run: run.clone(),
        path,
        problem: problem.to_string(),
    }
}
