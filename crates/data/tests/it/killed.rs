//! Writers that are killed at any time: the old or the new bars are there, whole, and the next writer is not disturbed.
//!
//! A test starts its own binary again, with an environment variable that makes the same test function the victim.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
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
type Work = fn(&Path, usize) -> String;

const PIECES: usize = 4;

#[test]
fn imports_that_are_killed() {
    survive("killed::imports_that_are_killed", import_piece);
}

#[test]
fn updates_that_are_killed() {
    survive("killed::updates_that_are_killed", update_piece);
}

/// Kills the victim of a test again and again, or is the victim.
fn survive(name: &str, work: Work) {
    if let Some(folder) = std::env::var_os(VICTIM) {
        write_for_ever(Path::new(&folder), work);
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let digests: BTreeSet<String> = (0..PIECES).map(|piece| work(folder, piece)).collect();
    assert_eq!(digests.len(), PIECES);
    let mut random = SplitMix64::new(4);
    let mut leftovers = 0;
    let mut seen = BTreeSet::new();
    for kill in 0..KILLS {
        let mut victim = Victim::start(name, folder);
        std::thread::sleep(Duration::from_micros(random.next_u64() % LONGEST_LIFE_MICROS));
        victim.kill();
        let stored = lake(folder)
            .load_bars(AssetClass::Crypto, "X", Timeframe::H1)
            .unwrap_or_else(|error| panic!("after kill {kill}: {error}"));
        assert!(digests.contains(&stored.meta.digest), "after kill {kill}");
        seen.insert(stored.meta.digest);
        leftovers += check_names(folder, kill);
        // The next writer does its work, whatever it finds; one that writes clears up.
        let piece = random.index(PIECES);
        assert!(digests.contains(&work(folder, piece)), "after kill {kill}");
        if piece == 0 {
            assert_eq!(check_names(folder, kill), 0, "after kill {kill}");
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
fn write_for_ever(folder: &Path, work: Work) -> ! {
    eprintln!("{STARTED}");
    let mut piece = 0;
    loop {
        work(folder, piece);
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

/// What lies beside the bars; returns the number of hidden files.
fn check_names(folder: &Path, kill: u64) -> usize {
    let names = std::fs::read_dir(folder.join("data/crypto")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let (hidden, visible): (Vec<String>, Vec<String>) = names.partition(|name| name.starts_with('.'));
    let known = ["X_1H.parquet", "X_1H.holes.json", "X_1H.quarantine.csv"];
    assert!(
        visible.iter().all(|name| known.contains(&name.as_str())),
        "after kill {kill}: {visible:?}"
    );
    assert!(
        hidden.iter().all(|name| name.ends_with(".tmp")),
        "after kill {kill}: {hidden:?}"
    );
    hidden.len()
}

fn lake(folder: &Path) -> Lake {
    Lake::new(folder.join("data"))
}

fn bars() -> BarKey {
    key(AssetClass::Crypto, "X", Timeframe::H1)
}

fn hour(number: usize) -> UtcNanos {
    let start: UtcNanos = "2024-01-01".parse().unwrap();
    start.saturating_add(i64::try_from(number).unwrap() * Timeframe::H1.nanos())
}

/// Imports one of several files.
fn import_piece(folder: &Path, piece: usize) -> String {
    let csv = folder.join(format!("{piece}.csv"));
    if !csv.exists() {
        let rows: String = (0..600 + 100 * piece)
            .map(|number| {
                format!(
                    "{},2,3,1,{},10\n",
                    hour(number),
                    1.0 + (number % 10 + piece) as f64 / 10.0
                )
            })
            .collect();
        std::fs::write(&csv, format!("timestamp,open,high,low,close,volume\n{rows}")).unwrap();
    }
    import_csv(&lake(folder), &ImportRequest::new(csv, &bars()), &Silent)
        .unwrap()
        .digest
}

/// Begins anew, or goes on with what is there: a download, then updates that grow, with a gap and a bad row.
fn update_piece(folder: &Path, piece: usize) -> String {
    let now = hour(600 + 100 * piece);
    let (lake, provider) = (lake(folder), Hours);
    let bad_rows = BadRows::Quarantine;
    let done = if piece == 0 {
        let request = DownloadRequest {
            key: bars(),
            provider_symbol: None,
            start: hour(0),
            end: None,
            bad_rows,
            existing: Existing::Replace,
        };
        download(&lake, &provider, &request, now, &Silent)
    } else {
        let request = UpdateRequest {
            key: bars(),
            provider_symbol: None,
            bad_rows,
        };
        update(&lake, &provider, &request, now, &Silent)
    };
    done.unwrap().digest
}

/// Every hour but some, one of them bad in each hundred.
#[derive(Debug)]
struct Hours;

impl BarProvider for Hours {
    fn name(&self) -> &'static str {
        "hours"
    }

    fn offer(&self, _class: AssetClass, _timeframe: Timeframe) -> Result<Offer, ProviderError> {
        Ok(Offer {
            stamp: StampConvention::BarOpen,
            adjustment: "none: made for a test".to_owned(),
            revises_history: false,
        })
    }

    fn fetch(&self, request: &BarRequest, _progress: &dyn Progress) -> Result<FetchedBars, ProviderError> {
        let rows = (0..2_000)
            .filter(|number| number % 100 < 40 || number % 100 > 43)
            .map(|number| FetchedBar {
                stamp: hour(number),
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
            source: "hours: X".to_owned(),
        })
    }
}
