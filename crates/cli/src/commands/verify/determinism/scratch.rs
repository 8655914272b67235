//! A folder for runs that nobody keeps, and lakes whose files came in another order.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sextant_proof::SplitMix64;

use crate::pipeline::{Source, synthetic_root};

/// The folder of the synthetic market within a lake: another lake, which is left out.
const SYNTHETIC: &str = "synthetic";

/// A folder that goes with the value.
pub(super) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// A folder of this process beside the results.
    pub(super) fn new(results: &Path) -> anyhow::Result<Self> {
        let path = results.join(format!(".verify-{}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| {
            format!(
                "{} cannot be made; the proof runs backtests there",
                path.display()
            )
        })?;
        // Where it lies must not depend on the folder in which a second process starts.
        let path = path.canonicalize()?;
        Ok(Self { path })
    }

    pub(super) fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.path.join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// The lake with its files made anew in a shuffled order, as links where the file system has them. Returns the data
    /// folder that holds it; asked again, the same.
    pub(super) fn shuffled_lake(&self, root: &Path, source: Source, seed: u64) -> anyhow::Result<PathBuf> {
        let data = self.path.join("data");
        if data.exists() {
            return Ok(data);
        }
        let target = match source {
            Source::Imported => data.clone(),
            Source::Synthetic => synthetic_root(&data),
        };
        let mut files = Vec::new();
        collect(root, Path::new(""), &mut files)?;
        SplitMix64::new(seed).shuffle(&mut files);
        for file in files {
            let (from, to) = (root.join(&file), target.join(&file));
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::hard_link(&from, &to)
                .or_else(|_| fs::copy(&from, &to).map(drop))
                .with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))?;
        }
        Ok(data)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left: its name says what it is.
        fs::remove_dir_all(&self.path).ok();
    }
}

/// Every file below a folder, relative to it.
fn collect(root: &Path, below: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if !entry.file_type()?.is_dir() {
            files.push(path);
        } else if path != Path::new(SYNTHETIC) {
            collect(root, &path, files)?;
        }
    }
    files.sort();
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_shuffled_lake_has_every_file_and_goes_with_the_folder() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("data");
        for file in [
            "equities/SPY_1D.parquet",
            "equities/SPY/1M.json",
            "macro/pmi.parquet",
            "synthetic/x",
        ] {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        let scratch = Scratch::new(&place.path().join("results")).unwrap();
        let data = scratch.shuffled_lake(&root, Source::Imported, 3).unwrap();
        for file in [
            "equities/SPY_1D.parquet",
            "equities/SPY/1M.json",
            "macro/pmi.parquet",
        ] {
            assert_eq!(fs::read_to_string(data.join(file)).unwrap(), file);
        }
        assert!(!data.join("synthetic").exists());
        drop(scratch);
        assert!(!data.exists() && root.join("macro/pmi.parquet").exists());
    }
}
