//! Packing a run.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use sextant_data::{BarKey, Lake};
use sextant_store::{DataInput, RunFolder};

use super::listing::{LISTING, ListedFile, Listing};
use super::{DATA, RESULTS};
use crate::pipeline::synthetic_root;

/// Writes a bundle of a run, whose series must lie in the lake as the run read them, and returns its length in bytes.
///
/// The file is written under another name and renamed, so that it is there completely or not at all.
///
/// # Errors
/// When a series is missing, the files are more than a bundle may hold, or a file cannot be read or written.
pub(crate) fn pack(run: &RunFolder, data: &Path, to: &Path) -> anyhow::Result<u64> {
    let mut sources = run_files(run);
    sources.extend(lake_files(run, data)?);
    let mut files = Vec::new();
    for (place, source) in &sources {
        files.push(listed(place, source)?);
    }
    let listing = Listing::new(run.run_id().clone(), files);
    // What could not be unpacked is not packed.
    listing
        .require_files()
        .map_err(|problem| anyhow!("the run {} cannot be bundled: {problem}", run.run_id()))?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let unfinished = to.with_extension(format!("unfinished-{}", std::process::id()));
    let written = write_archive(&unfinished, &listing, &sources)
        .and_then(|bytes| fs::rename(&unfinished, to).map(|()| bytes).map_err(Into::into));
    written
        .inspect_err(|_| {
            // The first error is the one to tell.
            let _ = fs::remove_file(&unfinished);
        })
        .with_context(|| format!("the bundle {} cannot be written", to.display()))
}

/// A place in the bundle and the file that goes there.
type Source = (String, PathBuf);

fn run_files(run: &RunFolder) -> Vec<Source> {
    let mut names = run.file_names();
    names.sort();
    let place = |name: &String| format!("{RESULTS}/runs/{}/{name}", run.run_id());
    let sources = names.iter().map(|name| (place(name), run.path().join(name)));
    sources.collect()
}

/// The files of every series of the run, sorted, each once.
fn lake_files(run: &RunFolder, data: &Path) -> anyhow::Result<Vec<Source>> {
    let is_synthetic = run.manifest().is_synthetic();
    let root = if is_synthetic {
        synthetic_root(data)
    } else {
        data.to_owned()
    };
    let lake = Lake::new(root);
    let mut paths = Vec::new();
    for input in &run.manifest().inputs().data {
        paths.extend(series_files(&lake, input)?);
    }
    paths.sort();
    paths.dedup();
    let mut sources = Vec::new();
    for path in paths {
        let below = path
            .strip_prefix(data)
            .with_context(|| format!("{} does not lie in {}", path.display(), data.display()))?;
        let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
        let parts = parts.with_context(|| format!("the path {} is not UTF-8", path.display()))?;
        sources.push((format!("{DATA}/{}", parts.join("/")), path));
    }
    Ok(sources)
}

fn series_files(lake: &Lake, input: &DataInput) -> anyhow::Result<Vec<PathBuf>> {
    if input.class == "macro" {
        let holding = lake
            .macro_files()?
            .into_iter()
            .find(|(_, meta)| meta.series.contains(&input.symbol));
        let Some((path, _)) = holding else {
            bail!(
                "the macro series {} is not in {}",
                input.symbol,
                lake.root().display()
            )
        };
        return Ok(vec![path]);
    }
    let (class, timeframe) = (input.class.parse(), input.timeframe.parse());
    let key = BarKey::new(
        class.map_err(|error| anyhow!("{error}"))?,
        &input.symbol,
        timeframe.map_err(|error| anyhow!("{error}"))?,
    )?;
    let files = lake.series_files(&key)?.files;
    let mut paths: Vec<PathBuf> = files.into_iter().map(|file| file.path).collect();
    let index = lake.bars_path(&key);
    if key.is_partitioned() && index.is_file() {
        paths.push(index);
    }
    Ok(paths)
}

fn listed(place: &str, source: &Path) -> anyhow::Result<ListedFile> {
    let content = fs::read(source).with_context(|| format!("{} cannot be read", source.display()))?;
    Ok(ListedFile {
        path: place.to_owned(),
        bytes: content.len() as u64,
        blake3: blake3::hash(&content).to_hex().to_string(),
    })
}

fn write_archive(path: &Path, listing: &Listing, sources: &[Source]) -> anyhow::Result<u64> {
    let encoder = GzEncoder::new(File::create(path)?, Compression::default());
    let mut archive = tar::Builder::new(encoder);
    let text = format!("{:#}\n", serde_json::to_value(listing)?);
    append(&mut archive, LISTING, text.as_bytes())?;
    for ((place, source), file) in sources.iter().zip(&listing.files) {
        let content = fs::read(source).with_context(|| format!("{} cannot be read", source.display()))?;
        if blake3::hash(&content).to_hex().as_str() != file.blake3 {
            bail!(
                "{} was changed while the bundle was written; try again",
                source.display()
            );
        }
        append(&mut archive, place, &content)?;
    }
    let mut file = archive.into_inner()?.finish()?;
    file.flush()?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

fn append(archive: &mut tar::Builder<impl Write>, place: &str, content: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_entry_type(tar::EntryType::Regular);
    archive.append_data(&mut header, place, content)
}

#[cfg(test)]
mod tests {
    use sextant_data::{MacroTable, Provenance};
    use sextant_domain::{AssetClass, Bar, BarSeries, Timeframe, UtcNanos};

    use super::*;

    const MINUTE: i64 = 60_000_000_000;
    const DAY: i64 = 1_440 * MINUTE;

    fn bars(opens: &[i64], length: i64) -> BarSeries {
        let bar = |open: &i64| Bar {
            open_time: UtcNanos::from_nanos(*open),
            close_time: UtcNanos::from_nanos(*open + length),
            open: 1.0,
            high: 1.0,
            low: 1.0,
            close: 1.0,
            volume: 1.0,
        };
        BarSeries::from_bars(opens.iter().map(bar)).unwrap()
    }

    fn input(symbol: &str, timeframe: &str, class: &str) -> DataInput {
        DataInput {
            symbol: symbol.to_owned(),
            timeframe: timeframe.to_owned(),
            class: class.to_owned(),
            digest: String::new(),
            source: String::new(),
            synthetic: false,
        }
    }

    #[test]
    fn every_file_of_a_series_is_taken_the_index_of_months_too() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::new(folder.path());
        let provenance = Provenance {
            source: "a test".to_owned(),
            synthetic: false,
        };
        let key = |timeframe| BarKey::new(AssetClass::Crypto, "BTC-USD", timeframe).unwrap();
        let write =
            |timeframe, bars: &BarSeries| lake.write_bars(&key(timeframe), bars, None, &provenance).unwrap();
        write(Timeframe::D1, &bars(&[0, DAY], DAY));
        write(Timeframe::M1, &bars(&[0, MINUTE, 40 * DAY], MINUTE));
        let table = MacroTable {
            published: vec![UtcNanos::from_nanos(0)],
            series: vec![("ten".to_owned(), vec![1.0]), ("two".to_owned(), vec![2.0])],
            publication: "at once".to_owned(),
        };
        lake.write_macro("rates", &table, &provenance).unwrap();
        let count = |symbol, timeframe, class| {
            series_files(&lake, &input(symbol, timeframe, class)).map(|files| files.len())
        };
        assert_eq!(count("BTC-USD", "1D", "crypto").unwrap(), 1);
        // Two months and the index that lists them.
        assert_eq!(count("BTC-USD", "1M", "crypto").unwrap(), 3);
        assert_eq!(count("two", "series", "macro").unwrap(), 1);
        assert!(count("thirty", "series", "macro").is_err());
        assert!(count("BTC-USD", "4H", "crypto").is_err());
    }
}
