//! The whole path: bars in, results out, the same again.

use std::path::Path;

use crate::workspace::{Place, repository};

fn rows_digest(place: &Place) -> String {
    let text = std::fs::read_to_string(place.run_folder().join("checksums.json")).unwrap();
    let checksums: serde_json::Value = serde_json::from_str(&text).unwrap();
    checksums["rows_digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_backtest_on_the_synthetic_market_says_so_everywhere() {
    let place = Place::new();
    let printed = place.backtest(&[]).printed();
    for part in [
        "SYNTHETIC",
        "sharpe@v1{P=365",
        "EquityTrendModel_v1",
        "results/sextant.db",
        "(new)",
    ] {
        assert!(printed.contains(part), "{part} is missing in {printed}");
    }
    let runs = place.run(&["runs"]).printed();
    assert!(runs.contains("synthetic"), "{runs}");
    let shown = place.run(&["show", "latest"]).printed();
    assert!(
        shown.contains("attribution") && shown.contains("SYNTHETIC"),
        "{shown}"
    );
    let shown = place.run(&["show", "latest"]).printed();
    for assumption in ["fill_convention", "costs_equity", "survivorship"] {
        assert!(shown.contains(assumption), "{assumption}: {shown}");
    }
    let page = place.run(&["report", "latest"]).printed();
    let page = std::fs::read_to_string(place.path(page.trim())).unwrap();
    assert!(page.contains("SYNTHETIC DATA"));
    // Beside the embedded plotting library nothing may name a place on the network.
    let (head, rest) = page.split_once("<script type=\"text/javascript\">").unwrap();
    let (_, body) = rest.split_once("</script>").unwrap();
    for part in ["http://", "https://", "src=", "<link"] {
        assert!(
            !head.contains(part) && !body.contains(part),
            "the page must not load anything: {part}"
        );
    }
    for stream in ["orders", "trades", "performance"] {
        let log = std::fs::read_to_string(place.path(&format!("logs/{stream}.jsonl"))).unwrap();
        let line: serde_json::Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
        assert!(line["run_id"].is_string(), "{stream}: {line}");
    }
}

#[test]
fn the_same_run_again_and_with_other_threads_gives_the_same_rows() {
    let place = Place::new();
    place.backtest(&["--threads", "1"]).printed();
    let first = rows_digest(&place);
    let again = place.backtest(&["--threads", "2"]).printed();
    assert!(again.contains("reproduced"), "{again}");
    let elsewhere = Place::new();
    elsewhere.backtest(&["--threads", "2"]).printed();
    assert_eq!(rows_digest(&elsewhere), first);
}

#[test]
fn the_database_can_be_rebuilt_from_the_folders() {
    let place = Place::new();
    place.backtest(&[]).printed();
    let before = place.run(&["runs"]).printed();
    std::fs::remove_file(place.path("results/sextant.db")).unwrap();
    place.run(&["store", "rebuild"]).printed();
    assert_eq!(place.run(&["runs"]).printed(), before);
}

#[test]
fn attribution_adds_up_to_the_portfolio_to_the_last_digit() {
    let place = Place::new();
    place.backtest(&[]).printed();
    let folders = sextant_store::RunFolders::new(place.path("results"));
    let run = folders.ids().unwrap().remove(0);
    let tables = folders.load_run(&run).unwrap().tables;
    let total = tables
        .attribution
        .iter()
        .try_fold(sextant_domain::Cash::ZERO, |sum, row| sum.plus(row.net_pnl));
    let last = tables
        .marks
        .iter()
        .rev()
        .find(|row| row.scope == "portfolio")
        .unwrap();
    assert_eq!(total.unwrap(), last.pnl);
    assert!(!tables.attribution.is_empty() && !tables.fills.is_empty());
}

#[test]
fn the_kill_file_stops_everything() {
    let place = Place::new();
    std::fs::create_dir_all(place.path("state")).unwrap();
    place.write("state/KILL", "");
    let printed = place.backtest(&[]).printed();
    assert!(printed.contains("n/a (no_trades)"), "{printed}");
    let shown = place.run(&["show", "latest"]).printed();
    assert!(shown.contains("kill_switch"), "{shown}");
}

#[test]
fn real_bars_run_end_to_end() {
    let Some(data) = sextant_testkit::real_data_dir() else {
        return;
    };
    let place = Place::new();
    let data = data.canonicalize().unwrap();
    let manifest = "configs/examples/import_market_data.yaml";
    place
        .run(&[
            "data",
            "import",
            "--from",
            data.to_str().unwrap(),
            "--manifest",
            manifest,
        ])
        .printed();
    place.run(&["data", "validate"]).printed();
    let status = place.run(&["data", "status"]).printed();
    assert!(
        status.contains("yield_curve_10y_3m") && status.contains("ETH-USD"),
        "{status}"
    );
    let real = [
        "backtest",
        "--config",
        "configs/examples/real_data.yaml",
        "--start",
        "2005-01-01",
        "--end",
        "2020-12-31",
    ];
    let printed = place.run(&real).printed();
    assert!(!printed.to_lowercase().contains("synthetic"), "{printed}");
    let raw = ["backtest", "--config", "configs/examples/raw_prices/system.yaml"];
    place.run(&raw).printed();
    assert_dividends_of_real_shares(&place);
    // Real bars first: the default configuration now needs what was not imported, and says so.
    place.run(&["backtest"]).fails_with(&["QQQ 4H", "--synthetic"]);
    assert!(
        place
            .run(&["backtest", "--synthetic"])
            .printed()
            .contains("SYNTHETIC")
    );
}

/// The run made last, on raw prices of SPY and QQQ with every cost.
fn assert_dividends_of_real_shares(place: &Place) {
    let folders = sextant_store::RunFolders::new(place.path("results"));
    let runs = folders.ids().unwrap();
    let mut loaded = runs.into_iter().map(|id| folders.load_run(&id).unwrap());
    let run = loaded.find(|run| !run.tables.cash_events.is_empty()).unwrap();
    let tables = run.tables;
    let of = |kind: &str| {
        tables
            .cash_events
            .iter()
            .filter(|row| row.kind == kind)
            .collect::<Vec<_>>()
    };
    // SPY pays four times a year; the model holds it most of the time.
    let paid = of("dividend");
    assert!(
        paid.iter()
            .filter(|row| row.symbol.as_deref() == Some("SPY"))
            .count()
            > 20
    );
    assert!(paid.iter().all(|row| row.amount > sextant_domain::Cash::ZERO));
    assert!(!of("cash_interest").is_empty());
    let total = tables
        .metrics
        .iter()
        .find(|row| row.scope == "portfolio" && row.name == "cost_total");
    let total = total.unwrap();
    assert!(total.value.unwrap() > 0.0 && total.reason.is_none(), "{total:?}");
    assert!(
        tables
            .fills
            .iter()
            .any(|fill| fill.impact > sextant_domain::Cash::ZERO)
    );
}

#[test]
fn shipped_configurations_are_valid() {
    let place = Place::new();
    for config in [
        "configs/base/system.yaml",
        "configs/examples/real_data.yaml",
        "configs/examples/raw_prices/system.yaml",
        "configs/examples/renamed_share/system.yaml",
    ] {
        assert!(Path::new(&repository().join(config)).exists());
        place.run(&["config", "check", "--config", config]).printed();
        place.run(&["list-models", "--config", config]).printed();
    }
}

#[test]
fn both_engines_write_the_same_rows_under_different_ids() {
    let (events, columns) = (Place::new(), Place::new());
    events.backtest(&["--engine", "event"]).printed();
    columns.backtest(&["--engine", "vectorised"]).printed();
    assert_eq!(rows_digest(&events), rows_digest(&columns));
    assert_ne!(events.run_folder().file_name(), columns.run_folder().file_name());
    let plain = Place::new();
    plain.backtest(&[]).printed();
    assert_eq!(events.run_folder().file_name(), plain.run_folder().file_name());
    let manifest = std::fs::read_to_string(columns.run_folder().join("manifest.json")).unwrap();
    assert!(manifest.contains("\"vectorised\"") && manifest.contains("Computed by columns"));
}

#[test]
fn the_vectorised_engine_says_what_it_cannot_express() {
    let place = Place::new();
    let refused = place.backtest(&["--engine", "vectorised", "--set", "fills.participation=0.1"]);
    refused.fails_with(&["cannot express", "fills.participation is 0.1", "--engine event"]);
}
