//! Runs that are computed again, compared and carried elsewhere.

use std::path::{Path, PathBuf};

use sextant_store::RunFolders;

use crate::workspace::Place;

/// Flips the lowest bit of the byte in the middle of a file; twice is nothing.
fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

fn parquet_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(parquet_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "parquet") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_run_is_reproduced_from_its_manifest_alone() {
    let place = Place::new();
    place.backtest(&["--set", "risk.per_asset_cap=0.3"]).printed();
    // The configuration files are not asked.
    std::fs::remove_dir_all(place.path("configs")).unwrap();
    let printed = place.run(&["verify", "run", "latest"]).printed();
    for part in ["is reproduced", "same digests", "every file as it was written"] {
        assert!(printed.contains(part), "{part} is missing in {printed}");
    }
    assert!(!printed.contains("DIFFERS"), "{printed}");
}

#[test]
fn a_folder_without_the_bars_of_a_run_is_named() {
    let place = Place::new();
    place.run(&["backtest"]).printed();
    place
        .run(&["verify", "run", "latest", "--data", "elsewhere"])
        .fails_with(&[
            "no synthetic market in elsewhere/synthetic",
            "`--data`",
            "backtest --synthetic",
        ]);
}

#[test]
fn the_kill_file_of_a_run_is_remembered() {
    let place = Place::new();
    std::fs::create_dir_all(place.path("state")).unwrap();
    place.write("state/KILL", "");
    place.backtest(&[]).printed();
    std::fs::remove_file(place.path("state/KILL")).unwrap();
    place.run(&["verify", "run", "latest"]).printed();
}

#[test]
fn a_flipped_byte_is_refused_by_the_name_of_its_file() {
    let place = Place::new();
    place.backtest(&[]).printed();
    let mut files = parquet_files(&place.run_folder());
    files.extend(parquet_files(&place.path("data")));
    assert!(files.len() > 20, "{files:?}");
    for file in files {
        flip(&file);
        let name = file.file_name().unwrap().to_str().unwrap();
        place
            .run(&["verify", "run", "latest"])
            .fails_with(&[name, "cargo xtask"]);
        flip(&file);
    }
    place.run(&["verify", "run", "latest"]).printed();
}

#[test]
fn changed_data_and_configuration_are_named() {
    let place = Place::new();
    place.backtest(&[]).printed();
    let config = ["verify", "run", "latest", "--config", "configs/base/system.yaml"];
    place
        .run(&config)
        .fails_with(&["configuration file", "system.period.start"]);
    let seed = ["--set", "synthetic.seed=43", "--set", "synthetic.from=2015-01-01"];
    let again = [&seed[..], &["--set", "synthetic.to=2016-12-31"]].concat();
    place
        .run(&[&["data", "synthesize"][..], &again].concat())
        .printed();
    place.run(&["verify", "run", "latest"]).fails_with(&[
        "is not reproduced",
        "data SPY 1D (equity)",
        "data vix",
        "table equity",
    ]);
}

#[test]
fn two_runs_are_compared_part_by_part() {
    let place = Place::new();
    place.backtest(&[]).printed();
    let first = place
        .run_folder()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let same = place.run(&["compare", &first, "latest"]).printed();
    for part in [
        "configuration: the same",
        "the orders are the same",
        "tables, row by row: the same",
    ] {
        assert!(same.contains(part), "{part} is missing in {same}");
    }
    place
        .backtest(&["--set", "risk.per_asset_cap=0.1", "--set", "seed=7"])
        .printed();
    let printed = place.run(&["compare", &first, "latest"]).printed();
    for part in [
        "risk.per_asset_cap",
        "seed",
        "data: the same",
        "the first order that differs is number",
        "largest difference, relative",
        "sharpe@v1",
    ] {
        assert!(printed.contains(part), "{part} is missing in {printed}");
    }
    place
        .run(&["compare", &first, "latest", "--scope", "nobody"])
        .fails_with(&["nobody", "EquityTrendModel_v1"]);
}

#[test]
fn a_bundle_reproduces_its_run_in_an_empty_folder() {
    let place = Place::new();
    place.backtest(&[]).printed();
    let folders = RunFolders::new(place.path("results"));
    let id = folders.ids().unwrap().remove(0);
    let printed = place.run(&["bundle", "latest", "--to", "run.tar.gz"]).printed();
    assert!(printed.contains("run.tar.gz"), "{printed}");
    let whole = std::fs::read(place.path("run.tar.gz")).unwrap();
    place.run(&["bundle", "latest", "--to", "again.tar.gz"]).printed();
    assert_eq!(std::fs::read(place.path("again.tar.gz")).unwrap(), whole);

    let elsewhere = Place::new();
    std::fs::remove_dir_all(elsewhere.path("configs")).unwrap();
    std::fs::write(elsewhere.path("run.tar.gz"), &whole).unwrap();
    let printed = elsewhere
        .run(&["verify", "bundle", "run.tar.gz", "--into", "there"])
        .printed();
    assert!(printed.contains("is reproduced"), "{printed}");
    let there = RunFolders::new(elsewhere.path("there/results"))
        .open(&id)
        .unwrap();
    assert_eq!(there.rows_digest(), folders.open(&id).unwrap().rows_digest());
    elsewhere
        .run(&["show", "--results", "there/results", "latest"])
        .printed();
    elsewhere
        .run(&["verify", "bundle", "run.tar.gz", "--into", "there"])
        .fails_with(&["there", "not empty"]);

    flip(&elsewhere.path("run.tar.gz"));
    elsewhere.run(&["verify", "bundle", "run.tar.gz"]).fails_with(&[
        "run.tar.gz",
        "damaged",
        "cargo xtask bundle",
    ]);
}

#[test]
fn a_run_whose_bars_are_gone_is_not_bundled() {
    let place = Place::new();
    place.backtest(&[]).printed();
    let again = [
        "--set",
        "synthetic.seed=43",
        "--set",
        "synthetic.from=2015-01-01",
        "--set",
        "synthetic.to=2016-12-31",
    ];
    place
        .run(&[&["data", "synthesize"][..], &again].concat())
        .printed();
    place
        .run(&["bundle", "latest", "--to", "run.tar.gz"])
        .fails_with(&["cannot be bundled", "SPY 1D"]);
    assert!(!place.path("run.tar.gz").exists());
}

#[test]
fn an_order_is_explained_from_the_data_to_the_profit() {
    let place = Place::new();
    place.backtest(&[]).printed();
    let list = place.run(&["why", "latest"]).printed();
    assert!(list.contains("cargo xtask why"), "{list}");
    let folders = RunFolders::new(place.path("results"));
    let run = folders.ids().unwrap().remove(0);
    let tables = folders.load_run(&run).unwrap().tables;
    let order = tables.orders[tables.orders.len() / 2].order_id.index();
    let printed = place.run(&["why", "latest", &order.to_string()]).printed();
    for part in [
        "newest bar",
        "feature",
        "wish",
        "budget",
        "lots",
        "held",
        "sent",
        "fills",
        "round trips",
    ] {
        assert!(printed.contains(part), "{part} is missing in {printed}");
    }
    let last = tables.orders.last().unwrap().order_id.index();
    let unknown = (last + 10).to_string();
    place
        .run(&["why", "latest", &unknown])
        .fails_with(&[&unknown, "the nearest are", &last.to_string()]);
    place
        .run(&["why", "latest", "first"])
        .fails_with(&["`first` is no order"]);
    // Other bars decide otherwise: nothing is explained by what was not there.
    let again = [
        "--set",
        "synthetic.seed=43",
        "--set",
        "synthetic.from=2015-01-01",
        "--set",
        "synthetic.to=2016-12-31",
    ];
    place
        .run(&[&["data", "synthesize"][..], &again].concat())
        .printed();
    place
        .run(&["why", "latest", &order.to_string()])
        .fails_with(&["decides otherwise", "cargo xtask verify run"]);
}
