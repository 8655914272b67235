//! Killed processes and damaged files: nothing half-done is seen, and nothing wrong is used.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sextant_cli::config::{ConfigSource, ResolvedConfig, load};
use sextant_cli::pipeline::{Source, load_market, synthetic_root};
use sextant_data::Silent;
use sextant_store::{RunFolders, RunId, Store};

use crate::workspace::{Outcome, Place};

const KILLS: u32 = 100;
const DAMAGES: u32 = 1_000;

/// A small seeded generator (SplitMix64), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % limit
    }
}

/// A backtest of half a year into a results folder of its own.
fn arguments(results: &str) -> Vec<String> {
    let sets = [
        "synthetic.from=2015-01-01",
        "synthetic.to=2016-12-31",
        "period.start=2016-07-01",
        "period.end=2016-12-31",
        &format!("paths.results={results}"),
    ];
    let sets = sets
        .iter()
        .flat_map(|set| ["--set".to_owned(), (*set).to_owned()]);
    std::iter::once("backtest".to_owned()).chain(sets).collect()
}

fn backtest(place: &Place, results: &str) -> Outcome {
    let arguments = arguments(results);
    place.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Starts a backtest and kills it after a while. Returns whether it was still running then.
fn kill_after(place: &Place, results: &str, wait: Duration) -> bool {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("sextant"))
        .current_dir(place.path(""))
        .args(arguments(results))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(wait);
    let was_running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    was_running
}

/// Whatever can be seen of a run is all of it, and what an uninterrupted run gives.
fn assert_whole(results: &Path, id: &RunId, digest: &str) {
    let folders = RunFolders::new(results);
    for seen in folders.ids().unwrap() {
        assert_eq!(&seen, id);
        assert_eq!(folders.open(&seen).unwrap().rows_digest(), digest);
    }
    if let Ok(latest) = std::fs::read_to_string(results.join("latest")) {
        assert_eq!(latest, id.as_str());
    }
    let page = results.join("reports").join(format!("{id}.html"));
    if let Ok(page) = std::fs::read_to_string(page) {
        assert!(page.trim_end().ends_with("</html>"), "half a page is seen");
    }
}

#[test]
fn a_killed_backtest_leaves_nothing_half_done_and_the_next_equals_an_uninterrupted_one() {
    let place = Place::new();
    backtest(&place, "whole").printed();
    #[expect(
        clippy::disallowed_methods,
        reason = "the kills are spread over the time that a run takes"
    )]
    let begun = Instant::now();
    backtest(&place, "timed").printed();
    let micros = u64::try_from(begun.elapsed().as_micros()).unwrap();
    let whole = RunFolders::new(place.path("whole"));
    let id = whole.ids().unwrap().remove(0);
    let digest = whole.open(&id).unwrap().rows_digest().to_owned();
    let mut random = Random(23);
    let (mut interrupted, mut without_run) = (0, 0);
    for kill in 0..KILLS {
        let name = format!("killed-{kill}");
        let wait = Duration::from_micros(random.below(micros));
        interrupted += u32::from(kill_after(&place, &name, wait));
        let results = place.path(&name);
        assert_whole(&results, &id, &digest);
        without_run += usize::from(RunFolders::new(&results).ids().unwrap().is_empty());
        backtest(&place, &name).printed();
        assert_whole(&results, &id, &digest);
        let store = Store::open_read_only(&results).unwrap();
        assert_eq!(store.runs().unwrap().len(), 1);
        assert!(store.gap().unwrap().unindexed.is_empty());
        drop(store);
        std::fs::remove_dir_all(&results).unwrap();
    }
    assert!(
        interrupted > KILLS / 2 && without_run > 10,
        "{interrupted} kills interrupted a run, {without_run} before its folder was there"
    );
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !path.file_name().unwrap().to_string_lossy().starts_with('.') {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A place with one run, and what reads its files.
struct Scene {
    place: Place,
    config: ResolvedConfig,
    id: RunId,
}

impl Scene {
    fn new() -> Self {
        let place = Place::new();
        backtest(&place, "results").printed();
        let config = load(&ConfigSource {
            file: place.path("configs/base/system.yaml"),
            overrides: Vec::new(),
        });
        let id = RunFolders::new(place.path("results")).ids().unwrap().remove(0);
        Self {
            place,
            config: config.unwrap(),
            id,
        }
    }

    /// Reads everything that a file can be about; what was wrong, if anything.
    fn read(&self, is_input: bool) -> Result<(), String> {
        if is_input {
            let root = synthetic_root(&self.place.path("data"));
            let loaded = load_market(&self.config.system, &root, Source::Synthetic, &Silent);
            return loaded.map(drop).map_err(|error| format!("{error:#}"));
        }
        let folders = RunFolders::new(self.place.path("results"));
        let loaded = folders.load_run(&self.id);
        loaded.map(drop).map_err(|error| error.to_string())
    }
}

#[test]
fn damaged_inputs_and_results_are_found_before_use_with_the_command_that_repairs_them() {
    let scene = Scene::new();
    let inputs = files(&scene.place.path("data"));
    let results = files(&RunFolders::new(scene.place.path("results")).run_dir(&scene.id));
    assert!(inputs.len() >= 11 && results.len() > 15, "{inputs:?} {results:?}");
    let mut random = Random(29);
    for round in 0..DAMAGES {
        let is_input = round % 2 == 0;
        let list = if is_input { &inputs } else { &results };
        let file = &list[random.below(list.len() as u64) as usize];
        let whole = std::fs::read(file).unwrap();
        let position = random.below(whole.len() as u64) as usize;
        let mut damaged = whole.clone();
        if round % 5 == 0 {
            damaged.truncate(position);
        } else {
            damaged[position] ^= 1 << random.below(8);
        }
        std::fs::write(file, damaged).unwrap();
        let what = format!("round {round}, byte {position} of {}", file.display());
        let problem = scene.read(is_input).expect_err(&what);
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(problem.contains(name), "{what}: {problem}");
        assert!(problem.contains("cargo xtask"), "{what}: {problem}");
        std::fs::write(file, whole).unwrap();
    }
    scene.read(true).unwrap();
    scene.read(false).unwrap();
}

#[test]
fn a_damaged_database_never_shows_other_figures() {
    let scene = Scene::new();
    let shown = scene.place.run(&["runs"]).printed();
    let database = scene.place.path("results/sextant.db");
    let whole = std::fs::read(&database).unwrap();
    let mut random = Random(31);
    for round in 0..40 {
        let mut damaged = whole.clone();
        let position = random.below(whole.len() as u64) as usize;
        if round % 4 == 0 {
            damaged.truncate(position);
        } else {
            damaged[position] ^= 1 << random.below(8);
        }
        std::fs::write(&database, damaged).unwrap();
        let outcome = scene.place.run(&["runs"]);
        if outcome.success {
            // What was hit is not read by this command.
            assert_eq!(outcome.stdout, shown, "round {round}, byte {position}");
        } else {
            outcome.fails_with(&["sextant.db", "cargo xtask store rebuild"]);
        }
    }
    std::fs::write(&database, &whole[..10]).unwrap();
    scene.place.run(&["store", "rebuild"]).printed();
    assert_eq!(scene.place.run(&["runs"]).printed(), shown);
}
