//! `bundle.json`: what is in a bundle.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use sextant_store::RunId;

use super::{DATA, RESULTS};

/// The format that this version writes and reads.
const FORMAT: u32 = 1;
/// The name of the listing within a bundle.
pub(super) const LISTING: &str = "bundle.json";
/// The longest listing that is read; it has room for a million files.
pub(super) const LONGEST_LISTING: u64 = 256 * 1024 * 1024;

/// The most bytes that the files of a bundle may have together, so that a small file does not fill a disk: 4 GiB.
const MOST_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// The content of `bundle.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    format: u32,
    /// The run.
    pub(super) run_id: RunId,
    /// The other entries, in their order.
    pub(super) files: Vec<ListedFile>,
}

/// One entry of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListedFile {
    /// Its place, with `/` between the parts.
    pub(super) path: String,
    /// Its length.
    pub(super) bytes: u64,
    /// blake3 of its content, hexadecimal.
    pub(super) blake3: String,
}

impl Listing {
    pub(super) fn new(run_id: RunId, files: Vec<ListedFile>) -> Self {
        Self {
            format: FORMAT,
            run_id,
            files,
        }
    }

    /// Reads a listing and checks every place that it names, their total length, and that the run's manifest is among them.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn read(text: &[u8]) -> Result<Self, String> {
        let value: serde_json::Value =
            serde_json::from_slice(text).map_err(|error| format!("{LISTING} is not JSON: {error}"))?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format == u64::from(FORMAT) => {}
            found => {
                let found = found.map_or("no format".to_owned(), |found| format!("format {found}"));
                return Err(format!("it has {found}, but this version reads format {FORMAT}"));
            }
        }
        let listing: Self =
            serde_json::from_value(value).map_err(|error| format!("{LISTING} is malformed: {error}"))?;
        listing.require_files()?;
        Ok(listing)
    }

    /// The places of the files, their total length, and that the run's manifest is among them.
    ///
    /// # Errors
    /// What is wrong with them, in words.
    pub(super) fn require_files(&self) -> Result<(), String> {
        let (mut known, mut total) = (BTreeSet::new(), 0_u64);
        for file in &self.files {
            self.place(file)?;
            // On some systems two names that differ in case alone are one file.
            if !known.insert(file.path.to_lowercase()) {
                return Err(format!("{LISTING} lists {} twice", file.path));
            }
            total = total
                .checked_add(file.bytes)
                .filter(|total| *total <= MOST_BYTES)
                .ok_or_else(|| format!("its files have more than the {MOST_BYTES} bytes that are allowed"))?;
        }
        let manifest = format!("{RESULTS}/runs/{}/manifest.json", self.run_id);
        if !self.files.iter().any(|file| file.path == manifest) {
            return Err(format!("{LISTING} lists no {manifest}"));
        }
        Ok(())
    }

    /// Where below the folder of unpacking an entry belongs.
    ///
    /// # Errors
    /// When it would lie outside the run's folder and the lake.
    pub(super) fn place(&self, file: &ListedFile) -> Result<PathBuf, String> {
        let path = Path::new(&file.path);
        let parts: Vec<Component<'_>> = path.components().collect();
        let is_plain = parts.len() > 1 && parts.iter().all(|part| matches!(part, Component::Normal(_)));
        let unusual = |c: char| c == '\\' || c == ':' || c.is_control();
        let runs = Path::new(RESULTS).join("runs").join(self.run_id.as_str());
        let is_inside = path.starts_with(&runs) || path.starts_with(DATA);
        let is_canonical = file.path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if is_plain && is_inside && is_canonical && !file.path.contains(unusual) {
            Ok(path.to_owned())
        } else {
            Err(format!(
                "it lists the file `{}`, which lies neither below {} nor below {DATA}",
                file.path,
                runs.display()
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "0123456789abcdef";

    fn listing(path: &str) -> String {
        let hash = "0".repeat(64);
        let file = |path: &str| serde_json::json!({"path": path, "bytes": 1, "blake3": hash});
        let manifest = format!("results/runs/{RUN}/manifest.json");
        serde_json::json!({"format": 1, "run_id": RUN, "files": [file(&manifest), file(path)]}).to_string()
    }

    #[test]
    fn places_outside_the_run_and_the_lake_are_refused() {
        for good in [
            format!("results/runs/{RUN}/orders.parquet"),
            "data/equities/SPY_1D.parquet".to_owned(),
        ] {
            assert!(Listing::read(listing(&good).as_bytes()).is_ok(), "{good}");
        }
        for bad in [
            "../data/x",
            "data/../../x",
            "data/./x",
            "data//x",
            "/data/x",
            "data",
            "datax/x",
            "data/a\\..\\x",
            "data/c:x",
            "data/a\u{0}b",
            "results/latest",
            "results/runs/fedcba9876543210/manifest.json",
            "C:/data/x",
            "",
        ] {
            assert!(Listing::read(listing(bad).as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_listing_of_another_format_or_with_a_file_twice_is_refused() {
        let text = listing("data/x").replace("\"format\":1", "\"format\":2");
        assert!(Listing::read(text.as_bytes()).unwrap_err().contains("format 2"));
        let mut twice: serde_json::Value = serde_json::from_str(&listing("data/x")).unwrap();
        let mut other = twice["files"][0].clone();
        other["path"] = "data/X".into();
        twice["files"].as_array_mut().unwrap().push(other);
        let error = Listing::read(twice.to_string().as_bytes()).unwrap_err();
        assert!(error.contains("twice"), "{error}");
        assert!(Listing::read(b"{").unwrap_err().contains("not JSON"));
    }

    #[test]
    fn a_listing_that_is_too_large_or_has_no_manifest_is_refused() {
        let changed = |index: usize, key: &str, to: serde_json::Value| {
            let mut value: serde_json::Value = serde_json::from_str(&listing("data/x")).unwrap();
            value["files"][index][key] = to;
            Listing::read(value.to_string().as_bytes())
        };
        assert!(changed(1, "bytes", (MOST_BYTES - 1).into()).is_ok());
        for bytes in [MOST_BYTES, u64::MAX] {
            let error = changed(1, "bytes", bytes.into()).unwrap_err();
            assert!(error.contains("more than"), "{error}");
        }
        let error = changed(0, "path", "data/y".into()).unwrap_err();
        assert!(error.contains("lists no results/runs"), "{error}");
    }
}
