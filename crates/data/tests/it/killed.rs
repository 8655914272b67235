//! Writers that are killed at any time: the old or the new bars are there, whole, and the next writer is not disturbed.
//!
//! A test starts its own binary again, with an environment variable that makes the same test function the victim.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sextant_data::{
    BadRows, BarKey, BarProvider, BarRequest, DownloadRequest, Existing, FetchedBar, FetchedBars,
    ImportRequest, Lake, Offer, Progress, ProviderError, Silent, StampConvention, UpdateRequest, download,
    import_csv, update,
};
use sextant_domain::{AssetClass, Timeframe, UtcNanos};
use sextant_testkit::SplitMix64;

use crate::support::key;

const KILLS: u64 = 100;
const VICTIM: &str = "SEXTANT_TEST_VICTIM_FOLDER";
const STARTED: &str = "the victim writes";
/// The victim is killed at any time up to this one after its first write.
const LONGEST_LIFE_MICROS: u64 = 25_000;

/// Work that is done again and again; each piece leaves other bars than the one before.
type Work = fn(&Path, Timeframe, usize) -> String;

const PIECES: usize = 4;

#[test]
fn imports_that_are_killed() {
    survive("killed::imports_that_are_killed", Timeframe::H1, import_piece);
}

#[test]
fn updates_that_are_killed() {
    survive("killed::updates_that_are_killed", Timeframe::H1, update_piece);
}

/// Minutes lie in a file per month, and one index that makes them visible.
#[test]
fn imports_of_minutes_that_are_killed() {
    survive(
        "killed::imports_of_minutes_that_are_killed",
        Timeframe::M1,
        import_piece,
    );
}

#[test]
fn updates_of_minutes_that_are_killed() {
    survive(
        "killed::updates_of_minutes_that_are_killed",
        Timeframe::M1,
        update_piece,
    );
}

/// Kills the victim of a test again and again, or is the victim.
fn survive(name: &str, timeframe: Timeframe, work: Work) {
    if let Some(folder) = std::env::var_os(VICTIM) {
        write_for_ever(Path::new(&folder), timeframe, work);
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let digests: BTreeSet<String> = (0..PIECES).map(|piece| work(folder, timeframe, piece)).collect();
    assert_eq!(digests.len(), PIECES);
    let mut random = SplitMix64::new(4);
    let mut leftovers = 0;
    let mut seen = BTreeSet::new();
    for kill in 0..KILLS {
        let mut victim = Victim::start(name, folder);
        std::thread::sleep(Duration::from_micros(random.next_u64() % LONGEST_LIFE_MICROS));
        victim.kill();
        let stored = lake(folder)
            .load_bars(AssetClass::Crypto, "X", timeframe)
            .unwrap_or_else(|error| panic!("after kill {kill}: {error}"));
        assert!(digests.contains(&stored.meta.digest), "after kill {kill}");
        seen.insert(stored.meta.digest);
        leftovers += check_names(folder, timeframe, kill);
        // The next writer does its work, whatever it finds; one that writes clears up.
        let piece = random.index(PIECES);
        assert!(
            digests.contains(&work(folder, timeframe, piece)),
            "after kill {kill}"
        );
        if piece == 0 {
            assert_eq!(check_names(folder, timeframe, kill), 0, "after kill {kill}");
        }
    }
    // Otherwise the kills came at the same place again and again.
    assert!(seen.len() > 1, "{seen:?}");
    eprintln!(
        "{KILLS} kills, {leftovers} hidden files left behind, {} states",
        seen.len()
    );
}

/// The victim; whoever started it kills it.
fn write_for_ever(folder: &Path, timeframe: Timeframe, work: Work) -> ! {
    eprintln!("{STARTED}");
    let mut piece = 0;
    loop {
        work(folder, timeframe, piece);
        piece = (piece + 1) % PIECES;
    }
}

struct Victim(Child);

impl Victim {
    /// Starts a test of this binary as the victim and waits until it begins to write.
    fn start(name: &str, folder: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture", "--test-threads=1"])
            .env(VICTIM, folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(
            lines.any(|line| line.unwrap().contains(STARTED)),
            "the victim did not begin"
        );
        Self(child)
    }

    fn kill(&mut self) {
        assert!(self.0.try_wait().unwrap().is_none(), "the victim ended by itself");
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // After a failed assertion nobody else ends it; of an ended process there is nothing to say.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What lies beside the bars; returns how much of it is somebody's half-done work: hidden files, and partitions that the
/// index does not list.
fn check_names(folder: &Path, timeframe: Timeframe, kill: u64) -> usize {
    let key = bars(timeframe);
    let mut files = Vec::new();
    collect(&folder.join("data/crypto"), &mut files);
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let (hidden, visible): (Vec<PathBuf>, Vec<PathBuf>) =
        files.into_iter().partition(|path| name(path).starts_with('.'));
    let index = lake(folder).bars_path(&key);
    let listed = std::fs::read_to_string(&index).unwrap_or_default();
    let is_partition = |path: &PathBuf| timeframe == Timeframe::M1 && name(path).ends_with(".parquet");
    let unlisted = visible
        .iter()
        .filter(|path| is_partition(path) && !listed.contains(&digest_of(&name(path))));
    let known = [".holes.json", ".quarantine.csv"];
    let strange: Vec<_> = visible
        .iter()
        .filter(|path| **path != index && !is_partition(path))
        .filter(|path| !known.iter().any(|ending| name(path).ends_with(ending)))
        .collect();
    assert!(strange.is_empty(), "after kill {kill}: {strange:?}");
    let half: Vec<_> = hidden
        .iter()
        .filter(|path| name(path).ends_with(".tmp"))
        .collect();
    let others = hidden.iter().filter(|path| !name(path).ends_with(".tmp"));
    // The lock of a symbol's folder stays.
    assert!(
        others.clone().all(|path| name(path).contains("lock")),
        "after kill {kill}: {:?}",
        others.collect::<Vec<_>>()
    );
    half.len() + unlisted.count()
}

/// The part of a partition's name that says what is in it.
fn digest_of(name: &str) -> String {
    let stem = name.trim_end_matches(".parquet");
    stem.rsplit('-').next().unwrap_or_default().to_owned()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

fn lake(folder: &Path) -> Lake {
    Lake::new(folder.join("data"))
}

fn bars(timeframe: Timeframe) -> BarKey {
    key(AssetClass::Crypto, "X", timeframe)
}

/// The begin of a bar; minutes begin shortly before a month ends, so that they lie in two partitions.
fn open_of(timeframe: Timeframe, number: usize) -> UtcNanos {
    let start = match timeframe {
        Timeframe::M1 => "2024-01-31T18:00:00Z",
        _ => "2024-01-01",
    };
    let start: UtcNanos = start.parse().unwrap();
    start.saturating_add(i64::try_from(number).unwrap() * timeframe.nanos())
}

/// Imports one of several files.
fn import_piece(folder: &Path, timeframe: Timeframe, piece: usize) -> String {
    let csv = folder.join(format!("{piece}.csv"));
    if !csv.exists() {
        let rows: String = (0..600 + 100 * piece)
            .map(|number| {
                format!(
                    "{},2,3,1,{},10\n",
                    open_of(timeframe, number),
                    1.0 + (number % 10 + piece) as f64 / 10.0
                )
            })
            .collect();
        std::fs::write(&csv, format!("timestamp,open,high,low,close,volume\n{rows}")).unwrap();
    }
    import_csv(&lake(folder), &ImportRequest::new(csv, &bars(timeframe)), &Silent)
        .unwrap()
        .digest
}

/// Begins anew, or goes on with what is there: a download, then updates that grow, with a gap and a bad row.
fn update_piece(folder: &Path, timeframe: Timeframe, piece: usize) -> String {
    let now = open_of(timeframe, 600 + 100 * piece);
    let (lake, provider) = (lake(folder), Made);
    let bad_rows = BadRows::Quarantine;
    let done = if piece == 0 {
        let request = DownloadRequest {
            key: bars(timeframe),
            provider_symbol: None,
            start: open_of(timeframe, 0),
            end: None,
            bad_rows,
            existing: Existing::Replace,
        };
        download(&lake, &provider, &request, now, &Silent)
    } else {
        let request = UpdateRequest {
            key: bars(timeframe),
            provider_symbol: None,
            bad_rows,
        };
        update(&lake, &provider, &request, now, &Silent)
    };
    done.unwrap().digest
}

/// Every bar but some, one of them bad in each hundred.
#[derive(Debug)]
struct Made;

impl BarProvider for Made {
    fn name(&self) -> &'static str {
        "made"
    }

    fn offer(&self, _class: AssetClass, _timeframe: Timeframe) -> Result<Offer, ProviderError> {
        Ok(Offer {
            stamp: StampConvention::BarOpen,
            adjustment: "none: made for a test".to_owned(),
            revises_history: false,
            settling_seconds: 0,
        })
    }

    fn fetch(&self, request: &BarRequest, _progress: &dyn Progress) -> Result<FetchedBars, ProviderError> {
        let rows = (0..2_000)
            .filter(|number| number % 100 < 40 || number % 100 > 43)
            .map(|number| FetchedBar {
                stamp: open_of(request.key.timeframe(), number),
                open: 2.0,
                high: 3.0,
                low: if number % 100 == 60 { 2.5 } else { 1.0 },
                close: 2.0 + (number % 7) as f64 / 10.0,
                volume: number as f64,
            });
        Ok(FetchedBars {
            rows: rows
                .filter(|row| request.start <= row.stamp && row.stamp < request.end)
                .collect(),
            source: "made: X".to_owned(),
        })
    }
}
