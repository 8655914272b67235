//! Bad input ends with a message that names file, place, value and what is allowed.

use crate::workspace::Place;

const SYSTEM: &str = "configs/base/system.yaml";

#[test]
fn unknown_key() {
    let place = Place::new();
    place.edit(
        "configs/base/risk.yaml",
        "gross_leverage: 1.2",
        "gross_leverage: 1.2\ngros_leverage: 2",
    );
    place.run(&["backtest"]).fails_with(&[
        "risk.yaml",
        "gros_leverage",
        "did you mean `gross_leverage`",
        "per_asset_cap",
    ]);
}

#[test]
fn wrong_type() {
    let place = Place::new();
    place.edit(SYSTEM, "initial: 100000", "initial: plenty");
    place
        .run(&["backtest"])
        .fails_with(&["system.yaml", "capital.initial", "\"plenty\"", "number"]);
}

#[test]
fn value_out_of_range() {
    let place = Place::new();
    let outcome = place.run(&["backtest", "--set", "risk.per_asset_cap=-0.5"]);
    outcome.fails_with(&["risk.yaml", "per_asset_cap", "-0.5", "0"]);
}

#[test]
fn limits_that_a_run_could_not_keep() {
    let place = Place::new();
    place.edit(
        "configs/base/risk.yaml",
        "gross_leverage: 1.2",
        "gross_leverage: 1.2\nvolatility_cap: {annual: 0.15, window_days: 1}",
    );
    place.run(&["backtest"]).fails_with(&[
        "risk.yaml",
        "volatility_cap.window_days: found 1, but the smallest value allowed is 2",
    ]);
}

#[test]
fn a_group_of_what_is_not_there() {
    let place = Place::new();
    place.edit(
        "configs/base/risk.yaml",
        "gross_leverage: 1.2",
        "gross_leverage: 1.2\ngroup_caps: {technology: {cap: 0.3, symbols: [QQQ, AAPL]}}",
    );
    place
        .run(&["backtest"])
        .fails_with(&["risk.yaml", "group_caps.technology: there is no instrument AAPL"]);
}

#[test]
fn budgets_that_add_up_to_more_than_one() {
    let place = Place::new();
    place.edit("configs/base/regime_budgets.yaml", "budget: 0.50", "budget: 0.90");
    place
        .run(&["backtest"])
        .fails_with(&["regime_budgets.yaml", "EquityTrendModel_v1", "0.9", "1.35"]);
}

#[test]
fn unknown_model() {
    let place = Place::new();
    place.edit(
        "configs/base/models.yaml",
        "EquityTrendModel_v1:",
        "EquityTrendModel_v9:",
    );
    place
        .run(&["list-models"])
        .fails_with(&["models.yaml", "EquityTrendModel_v9", "EquityTrendModel_v1"]);
}

#[test]
fn a_model_without_budget_and_a_budget_without_model() {
    let place = Place::new();
    place.edit(
        "configs/base/regime_budgets.yaml",
        "CryptoMomentumModel_v1",
        "Nobody_v1",
    );
    place
        .run(&["backtest"])
        .fails_with(&["Nobody_v1", "CryptoMomentumModel_v1", "no budget"]);
}

#[test]
fn all_problems_are_reported_at_once() {
    let place = Place::new();
    place.edit(SYSTEM, "initial: 100000", "initial: plenty");
    place.edit(
        "configs/base/risk.yaml",
        "per_asset_cap: 0.40",
        "per_asset_cap: much",
    );
    place.edit(
        "configs/base/models.yaml",
        "max_positions: 2",
        "max_positions: two",
    );
    place
        .run(&["backtest"])
        .fails_with(&["3 problems", "capital.initial", "per_asset_cap", "max_positions"]);
}

#[test]
fn start_after_end() {
    let outcome = Place::new().run(&["backtest", "--start", "2020-01-01", "--end", "2019-01-01"]);
    outcome.fails_with(&["2020-01-01", "2019-01-01", "before"]);
}

#[test]
fn a_period_without_bars() {
    let outcome = Place::new().backtest(&[
        "--set",
        "period.start=1990-01-01",
        "--set",
        "period.end=1990-12-31",
    ]);
    // --start and --end are given by `backtest`, and win.
    assert!(outcome.success, "{}", outcome.stderr);
    let place = Place::new();
    let short = [
        "--set",
        "synthetic.from=2015-01-01",
        "--set",
        "synthetic.to=2015-12-31",
    ];
    let arguments = [
        &["backtest", "--start", "1990-01-01", "--end", "1990-12-31"],
        &short[..],
    ]
    .concat();
    place.run(&arguments).fails_with(&["1990-01-01", "2015"]);
}

#[test]
fn dates_that_do_not_exist() {
    let outcome = Place::new().run(&["config", "check", "--set", "period.start=2020-02-31"]);
    outcome.fails_with(&["system.yaml", "period.start", "2020-02-31", "2020-12-31"]);
}

#[test]
fn a_model_that_needs_what_the_universe_lacks() {
    let place = Place::new();
    place.edit(
        "configs/base/models.yaml",
        "universe: [BTC-USD, ETH-USD]",
        "universe: [BTC-USD, DOGE-USD]",
    );
    place.run(&["config", "check"]).fails_with(&[
        "models.yaml",
        "CryptoMomentumModel_v1",
        "DOGE-USD",
        "ETH-USD",
    ]);
    let place = Place::new();
    place.edit(
        SYSTEM,
        "{symbol: QQQ, class: equity, timeframes: [1D, 4H]",
        "{symbol: QQQ, class: equity, timeframes: [4H]",
    );
    place
        .run(&["config", "check"])
        .fails_with(&["EquityTrendModel_v1", "1D", "QQQ"]);
}

#[test]
fn a_tick_that_is_coarse_against_prices() {
    let place = Place::new();
    place.edit(
        SYSTEM,
        "execution: 4H, price_tick: 0.0001, lot_size: 1}",
        "execution: 4H, price_tick: 50, lot_size: 1}",
    );
    place.backtest(&[]).fails_with(&["QQQ", "price_tick", "50"]);
}

#[test]
fn a_budget_of_nothing() {
    let outcome = Place::new().run(&[
        "config",
        "check",
        "--set",
        "budgets.models.CryptoMomentumModel_v1.budget=0",
    ]);
    outcome.fails_with(&["regime_budgets.yaml", "CryptoMomentumModel_v1.budget", "above 0"]);
}

#[test]
fn invalid_yaml() {
    let place = Place::new();
    place.write(SYSTEM, "name: [unclosed\n");
    place
        .run(&["config", "check"])
        .fails_with(&["system.yaml", "YAML"]);
}

#[test]
fn missing_include() {
    let place = Place::new();
    place.edit(SYSTEM, "risk: risk.yaml", "risk: risks.yaml");
    place
        .run(&["config", "check"])
        .fails_with(&["risks.yaml", "cannot be read"]);
}

#[test]
fn missing_bars_list_what_there_is_and_the_command() {
    let place = Place::new();
    place.write(
        "btc.csv",
        "timestamp,open,high,low,close,volume\n2020-01-01T00:00:00Z,10,11,9,10,1\n",
    );
    let import = [
        "data",
        "import",
        "--from",
        "btc.csv",
        "--symbol",
        "BTC-USD",
        "--asset-class",
        "crypto",
        "--timeframe",
        "1D",
    ];
    place.run(&import).printed();
    place
        .run(&["backtest"])
        .fails_with(&["SPY 1D", "BTC-USD 1D", "cargo xtask data import", "--synthetic"]);
}

#[test]
fn csv_with_a_bad_row() {
    let place = Place::new();
    let rows = "2020-01-01T00:00:00Z,10,11,9,10,1\n2020-01-02T00:00:00Z,10,11,12,10,1\n";
    place.write(
        "btc.csv",
        &format!("timestamp,open,high,low,close,volume\n{rows}"),
    );
    let import = [
        "data",
        "import",
        "--from",
        "btc.csv",
        "--symbol",
        "BTC-USD",
        "--asset-class",
        "crypto",
        "--timeframe",
        "1D",
    ];
    place
        .run(&import)
        .fails_with(&["btc.csv", "3", "ohlc_consistency"]);
    assert!(!place.path("data/crypto/BTC-USD_1D.parquet").exists());
    let quarantined = place.run(&[&import[..], &["--quarantine"]].concat()).printed();
    assert!(quarantined.contains("quarantine.csv"), "{quarantined}");
}

#[test]
fn symbols_cannot_leave_the_lake() {
    let place = Place::new();
    place.write(
        "btc.csv",
        "timestamp,open,high,low,close,volume\n2020-01-01T00:00:00Z,10,11,9,10,1\n",
    );
    let import = [
        "data",
        "import",
        "--from",
        "btc.csv",
        "--symbol",
        "../x",
        "--asset-class",
        "crypto",
        "--timeframe",
        "1D",
    ];
    place.run(&import).fails_with(&["../x", "not allowed"]);
}

#[test]
fn damaged_parquet() {
    let place = Place::new();
    place.backtest(&[]).printed();
    let file = place.path("data/synthetic/equities/SPY_1D.parquet");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let status = place.run(&["data", "status"]);
    assert!(
        !status.success && status.stdout.contains("DAMAGED"),
        "{}",
        status.stdout
    );
    // The synthetic market can always be made again; imported bars cannot.
    assert!(place.backtest(&[]).printed().contains("(new)") || std::fs::read(&file).is_ok());
    let imported = place.path("data/equities");
    std::fs::create_dir_all(&imported).unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[middle] ^= 1;
    std::fs::write(imported.join("SPY_1D.parquet"), bytes).unwrap();
    place.backtest(&[]).fails_with(&["SPY_1D.parquet", "not loaded"]);
}

#[test]
fn unwritable_results_folder() {
    let place = Place::new();
    place.write("occupied", "a file where a folder should be");
    place
        .backtest(&["--set", "paths.results=occupied/results"])
        .fails_with(&["occupied/results", "paths.results"]);
}

#[test]
fn unknown_run() {
    let place = Place::new();
    place
        .run(&["show", "0123456789abcdef"])
        .fails_with(&["0123456789abcdef"]);
    place.backtest(&[]).printed();
    let run = place.run_folder();
    place
        .run(&["report", "zzzz"])
        .fails_with(&["zzzz", run.file_name().unwrap().to_str().unwrap()]);
}

#[test]
fn damaged_run_folder() {
    let place = Place::new();
    place.backtest(&[]).printed();
    let file = place.run_folder().join("fills.parquet");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    place.run(&["show", "latest"]).fails_with(&["fills.parquet"]);
}
