//! Instruments that are renamed inside a run. All prices are made up but those of the last test.

use sextant_data::{BarKey, Lake, Provenance};
use sextant_domain::{AssetClass, Bar, BarSeries, Timeframe};
use sextant_store::{Manifest, RunFolders, RunTables};

use crate::account::{assert_adds_up, dec, tables};
use crate::account_shares::{RUN, with_one_share};
use crate::lake::import_daily;
use crate::workspace::Place;

/// Sessions of January 2020 in which a model of two days buys, sells and buys again.
pub(crate) const CLOSES: [(&str, f64); 14] = [
    ("2020-01-02", 95.0),
    ("2020-01-03", 96.0),
    ("2020-01-06", 97.0),
    ("2020-01-07", 98.0),
    ("2020-01-08", 99.0),
    ("2020-01-09", 101.0),
    ("2020-01-10", 102.0),
    ("2020-01-13", 97.0),
    ("2020-01-14", 94.0),
    ("2020-01-15", 93.0),
    ("2020-01-16", 96.0),
    ("2020-01-17", 98.0),
    ("2020-01-21", 99.0),
    ("2020-01-22", 101.0),
];
/// The first session under the new ticker, while the first position is held.
pub(crate) const SEAM: usize = 5;
const SYSTEM: &str = "configs/examples/renamed_share/system.yaml";
/// Factors of a share to which nothing happened.
const NOTHING: &str = "20191231,1,1,0\n20501231,1,1,0\n";

/// ACME, whose bars until a session are those of OLD, in another number of units.
pub(crate) fn renamed(seam: usize, units: f64, more: &str) -> Place {
    let until = CLOSES[seam - 1].0;
    let formerly = format!(", formerly: [{{ticker: OLD, until: {until}, units: {units}}}]{more}");
    let place = with_one_share(&CLOSES[seam..], &formerly);
    let old: Vec<(&str, f64)> = CLOSES[..seam]
        .iter()
        .map(|(date, close)| (*date, close / units))
        .collect();
    import_daily(&place, ("OLD", "equity"), &old);
    place
}

pub(crate) fn adjust(place: &Place, symbol: &str, factors: &str) {
    adjust_by(place, symbol, ("--factors", &format!("{symbol}.csv"), factors));
}

pub(crate) fn adjust_by(place: &Place, symbol: &str, (option, file, text): (&str, &str, &str)) {
    place.write(file, text);
    let words = ["data", "adjust", "--symbol", symbol, option, file];
    place.run(&words).printed();
}

/// Bars as the lake has them, without volumes.
fn forget_volumes(place: &Place, symbol: &str) {
    let lake = Lake::new(place.path("data"));
    let stored = lake.load_bars(AssetClass::Equity, symbol, Timeframe::D1).unwrap();
    let bars = stored.bars.iter().map(|bar| Bar { volume: 0.0, ..bar });
    let bars = BarSeries::from_bars(bars).unwrap();
    let key = BarKey::new(AssetClass::Equity, symbol, Timeframe::D1).unwrap();
    let provenance = Provenance {
        source: stored.meta.source,
        synthetic: false,
    };
    lake.write_bars(&key, &bars, None, &provenance).unwrap();
}

pub(crate) fn run(place: &Place) -> RunTables {
    place.run(&RUN).printed();
    tables(place)
}

fn manifest(place: &Place) -> Manifest {
    let folders = RunFolders::new(place.path("results"));
    let run = folders.ids().unwrap().remove(0);
    folders.load_run(&run).unwrap().manifest
}

pub(crate) fn assumptions(place: &Place, key: &str) -> Vec<String> {
    let manifest = manifest(place);
    let of_key = manifest.assumptions().iter().filter(|one| one.key == key);
    of_key.map(|one| one.text.clone()).collect()
}

/// The tables that say most first, then all of them.
pub(crate) fn assert_same_run(renamed: &RunTables, whole: &RunTables) {
    assert_eq!(renamed.orders, whole.orders);
    assert_eq!(renamed.fills, whole.fills);
    assert_eq!(renamed.equity, whole.equity);
    assert_eq!(renamed, whole);
}

#[test]
fn a_run_across_a_rename_is_the_run_over_one_series_at_every_seam() {
    // Orders fill over several bars, so that some are working when the name changes.
    let limit = ("participation: null", "participation: 0.3");
    let whole = with_one_share(&CLOSES, "");
    whole.edit("one/system.yaml", limit.0, limit.1);
    let expected = run(&whole);
    assert!(expected.fills.len() > 6, "{:?}", expected.fills);
    for seam in 1..CLOSES.len() {
        let place = renamed(seam, 1.0, "");
        place.edit("one/system.yaml", limit.0, limit.1);
        assert_same_run(&run(&place), &expected);
    }
}

#[test]
fn a_position_and_its_order_go_on_across_the_rename() {
    let place = renamed(SEAM, 1.0, "");
    place.edit("one/system.yaml", "participation: null", "participation: 0.3");
    let found = run(&place);
    let first_session = "2020-01-09T14:30:00Z".parse().unwrap();
    let order = found.orders[0].order_id;
    let of_order: Vec<_> = found.fills.iter().filter(|fill| fill.order_id == order).collect();
    assert!(
        of_order.iter().any(|fill| fill.time < first_session),
        "{of_order:?}"
    );
    assert!(
        of_order.iter().any(|fill| fill.time >= first_session),
        "{of_order:?}"
    );
    assert!(found.splits.is_empty() && found.cash_events.is_empty());
    assert_adds_up(&found);
    assert_eq!(
        assumptions(&place, "rename"),
        [
            "ACME was OLD until 2020-01-08 and ACME from then on; bars are joined there, and positions and orders go on."
        ]
    );
    place.run(&["report", "latest"]).printed();
    let page = format!("results/reports/{}.html", manifest(&place).run_id());
    let page = std::fs::read_to_string(place.path(&page)).unwrap();
    assert!(page.contains("ACME was OLD until 2020-01-08"));
}

#[test]
fn both_engines_run_across_a_rename() {
    let of_engine = |engine: &str| {
        let place = renamed(SEAM, 1.0, "");
        let borrow = "borrow: {rates: {otherwise: stop}}";
        place.edit("one/system.yaml", borrow, "borrow: left_out");
        place.run(&[&RUN[..], &["--engine", engine]].concat()).printed();
        tables(&place)
    };
    let (events, columns) = (of_engine("event"), of_engine("vectorised"));
    assert!(!events.fills.is_empty());
    assert_same_run(&columns, &events);
}

#[test]
fn a_redenomination_on_adjusted_prices_is_the_run_in_new_units() {
    let place = renamed(SEAM, 100.0, "");
    assert_same_run(&run(&place), &run(&with_one_share(&CLOSES, "")));
    let said = assumptions(&place, "rename");
    assert!(
        said[0].ends_with("100 OLD became one ACME: prices before are multiplied by that, volumes divided."),
        "{said:?}"
    );
}

#[test]
fn a_redenomination_on_raw_prices_is_a_split_and_keeps_equity_without_volumes() {
    let place = renamed(SEAM, 100.0, ", prices: raw");
    place.edit("one/system.yaml", "price_tick: 0.01", "price_tick: 0.0001");
    for symbol in ["OLD", "ACME"] {
        forget_volumes(&place, symbol);
        adjust(&place, symbol, NOTHING);
    }
    let found = run(&place);
    let [split] = found.splits.as_slice() else {
        panic!("{:?}", found.splits);
    };
    assert_eq!((split.new_shares, split.old_shares), (1, 100));
    assert_eq!(split.time, "2020-01-09T14:30:00Z".parse().unwrap());
    // Bought at 0.98 before the rename, as a hundred times as many.
    let bought = found.fills[0].quantity.decimal();
    assert_eq!(found.fills[0].price.decimal(), dec("0.98"));
    assert_eq!(split.quantity.decimal() * dec("100"), bought);
    assert_eq!(found.fills[1].quantity, -split.quantity);
    assert_adds_up(&found);
    let whole = run(&with_one_share(&CLOSES, ""));
    let values = |tables: &RunTables| -> Vec<_> {
        let rows = tables.equity.iter();
        rows.map(|row| (row.time, row.scope.clone(), row.equity))
            .collect()
    };
    for (found, expected) in values(&found).into_iter().zip(values(&whole)) {
        assert_eq!((found.0, &found.1), (expected.0, &expected.1));
        assert!((found.2 - expected.2).abs() < 1e-6, "{found:?} {expected:?}");
    }
    assert_eq!(found.equity.len(), whole.equity.len());
    let said = assumptions(&place, "rename");
    assert!(
        said[0].contains("positions are divided by that on the first session of ACME"),
        "{said:?}"
    );
}

#[test]
fn bars_of_former_tickers_that_are_not_there_are_named() {
    let formerly = ", formerly: [{ticker: OLD, until: 2020-01-08}]";
    let place = with_one_share(&CLOSES[SEAM..], formerly);
    place.run(&RUN).fails_with(&[
        "OLD",
        "ACME is `formerly`",
        "1D",
        "cargo xtask data import",
        "data status",
    ]);
    // There are bars, but of other dates.
    import_daily(&place, ("OLD", "equity"), &CLOSES[SEAM..]);
    place.run(&RUN).fails_with(&[
        "ACME traded as OLD to 2020-01-08",
        "1D bars of OLD",
        "formerly",
        "cargo xtask data import",
    ]);
    let place = renamed(SEAM, 1.0, ", prices: raw");
    adjust(&place, "ACME", NOTHING);
    place
        .run(&RUN)
        .fails_with(&["ACME", "raw prices", "1D bars of OLD", "data adjust"]);
}

#[test]
fn holes_at_the_seam_and_bars_of_other_dates_are_reported() {
    let place = with_one_share(
        &CLOSES[SEAM - 2..],
        ", formerly: [{ticker: OLD, until: 2020-01-08}]",
    );
    // The last session of OLD is missing, and one bar of ACME is from before the rename.
    import_daily(&place, ("OLD", "equity"), &CLOSES[..SEAM - 1]);
    run(&place);
    let gaps = assumptions(&place, "data_gaps");
    assert!(
        gaps[0].contains("ACME 1D lacks 1 bars") && gaps[0].contains("2020-01-08"),
        "{gaps:?}"
    );
    let said = assumptions(&place, "rename");
    assert_eq!(
        said[1],
        "2 1D bars of ACME from 2020-01-07 to 2020-01-08 are left out: that was not the ticker of ACME then."
    );
}

/// As FB was another company's ticker before.
#[test]
fn bars_of_another_company_before_the_first_date_are_left_out() {
    let place = renamed(SEAM, 1.0, "");
    let mut closes = vec![("2019-12-30", 7.0), ("2019-12-31", 7.5)];
    closes.extend(&CLOSES[..SEAM]);
    import_daily(&place, ("OLD", "equity"), &closes);
    place.edit(
        "one/system.yaml",
        "{ticker: OLD, until",
        "{ticker: OLD, from: 2020-01-02, until",
    );
    assert_same_run(&run(&place), &run(&with_one_share(&CLOSES, "")));
    let said = assumptions(&place, "rename");
    assert!(
        said[0].starts_with("ACME was OLD from 2020-01-02 until 2020-01-08"),
        "{said:?}"
    );
    assert_eq!(
        said[1],
        "2 1D bars of OLD from 2019-12-30 to 2019-12-31 are left out: that was not the ticker of ACME then."
    );
}

#[test]
fn a_renamed_run_is_proved_explained_and_carried_elsewhere() {
    let place = renamed(SEAM, 1.0, "");
    run(&place);
    let manifest = manifest(&place);
    let inputs: Vec<(&str, &str)> = manifest
        .inputs()
        .data
        .iter()
        .map(|input| (input.symbol.as_str(), input.source.as_str()))
        .collect();
    assert_eq!(inputs.len(), 2, "{inputs:?}");
    for ((symbol, source), (expected, dates)) in inputs.iter().zip([
        ("ACME", "; joined for ACME: ACME from 2020-01-09 on"),
        ("OLD", "; joined for ACME: OLD to 2020-01-08"),
    ]) {
        assert_eq!(*symbol, expected);
        assert!(source.ends_with(dates), "{source}");
    }
    let printed = place.run(&["verify", "run", "latest"]).printed();
    assert!(printed.contains("2 series with the same digests"), "{printed}");
    let digest_of = |symbol: &str| {
        let mut inputs = manifest.inputs().data.iter();
        inputs.find(|input| input.symbol == symbol).unwrap().digest[..16].to_owned()
    };
    let both = format!("{} + {}", digest_of("OLD"), digest_of("ACME"));
    let why = place.run(&["why", "latest", "1"]).printed();
    assert!(why.contains(&both), "{both} in {why}");
    place.run(&["bundle", "latest", "--to", "run.tar.gz"]).printed();
    let other = Place::new();
    std::fs::copy(place.path("run.tar.gz"), other.path("run.tar.gz")).unwrap();
    other.run(&["verify", "bundle", "run.tar.gz"]).printed();
    // A price of the former ticker is a price of the run.
    let mut changed = CLOSES[..SEAM].to_vec();
    changed[3].1 += 0.5;
    import_daily(&place, ("OLD", "equity"), &changed);
    place
        .run(&["verify", "run", "latest"])
        .fails_with(&["is not reproduced", "data OLD 1D (equity)"]);
}

/// As GOOG became GOOGL while GOOCV became GOOG.
#[test]
fn a_ticker_goes_from_one_security_to_another() {
    let place = with_one_share(&CLOSES[SEAM..], ", formerly: [{ticker: OLD, until: 2020-01-08}]");
    import_daily(&place, ("OLD", "equity"), &CLOSES);
    import_daily(&place, ("FIRST", "equity"), &CLOSES[..SEAM]);
    let other =
        "  - {symbol: OLD, class: equity, timeframes: [1D], execution: 1D, price_tick: 0.01, lot_size: 1}";
    place.edit(
        "one/system.yaml",
        "macro_series:",
        &format!("{other}\nmacro_series:"),
    );
    place.run(&RUN).fails_with(&[
        "ACME and OLD both run on the bars of OLD until 2020-01-08",
        "twice",
    ]);
    place.edit(
        "one/system.yaml",
        "symbol: OLD,",
        "symbol: OLD, formerly: [{ticker: FIRST, until: 2020-01-08}],",
    );
    // Each security has a factor file: ACME was split on the day of the rename, and OLD pays a dividend later.
    let of_acme = "20200108,1,0.5,198\n20501231,1,1,0\n";
    let of_old = "20200114,0.98,1,93\n20501231,1,1,0\n";
    for symbol in ["ACME", "OLD", "FIRST"] {
        adjust(&place, symbol, if symbol == "ACME" { of_acme } else { of_old });
    }
    place.run(&RUN).fails_with(&[
        "prices of OLD and ACME are not adjusted alike",
        "`--into OLD.A`",
        "`ticker: OLD.A`",
    ]);
    place.write("ACME.csv", of_acme);
    let into = [
        "data",
        "adjust",
        "--symbol",
        "OLD",
        "--factors",
        "ACME.csv",
        "--into",
        "OLD.A",
    ];
    place.run(&into).printed();
    place.edit("one/system.yaml", "{ticker: OLD, until", "{ticker: OLD.A, until");
    run(&place);
    assert_eq!(manifest(&place).inputs().data.len(), 4);
    let printed = place.run(&["verify", "run", "latest"]).printed();
    assert!(printed.contains("4 series with the same digests"), "{printed}");
    place.run(&["bundle", "latest", "--to", "run.tar.gz"]).printed();
    let elsewhere = Place::new();
    std::fs::copy(place.path("run.tar.gz"), elsewhere.path("run.tar.gz")).unwrap();
    elsewhere.run(&["verify", "bundle", "run.tar.gz"]).printed();
}

/// GOOGL was GOOG until 2014 and was split 2 to 1 on the day of its rename, while GOOG went on as the ticker of class C with
/// factors of its own.
#[test]
fn a_real_split_on_the_day_of_a_rename_is_told_by_the_digest_of_its_factor_file() {
    let Some(data) = sextant_testkit::real_data_dir() else {
        return;
    };
    let data = data.canonicalize().unwrap();
    let place = Place::new();
    let command = |text: &str| place.run(&text.split(' ').collect::<Vec<_>>()).printed();
    let folder = format!("{}/equities/us_daily_raw_lean", data.display());
    let factors = |name: &str| {
        format!(
            "{}/corporate_actions/lean_factor_files/{name}.csv",
            data.display()
        )
    };
    for symbol in ["GOOG", "GOOGL"] {
        command(&format!(
            "data import --from {folder} --symbol {symbol} --asset-class equity --timeframe 1D"
        ));
        let of_its_own = factors(&symbol.to_lowercase());
        command(&format!("data adjust --symbol {symbol} --factors {of_its_own}"));
    }
    place.edit(
        SYSTEM,
        "symbol: WM\n    formerly: [{ticker: WMI, until: 2009-08-04}]",
        "symbol: GOOGL\n    formerly: [{ticker: GOOG, until: 2014-04-02}]",
    );
    place.edit("configs/examples/renamed_share/models.yaml", "[WM]", "[GOOGL]");
    place.edit("configs/examples/renamed_share/regime.yaml", "WM", "GOOGL");
    let backtest = ["backtest", "--config", SYSTEM];
    place.run(&backtest).fails_with(&[
        "prices of GOOG and GOOGL are not adjusted alike",
        "`--into GOOG.A`",
        "`ticker: GOOG.A`",
    ]);
    command(&format!(
        "data adjust --symbol GOOG --factors {} --into GOOG.A",
        factors("googl")
    ));
    place.edit(SYSTEM, "{ticker: GOOG, until", "{ticker: GOOG.A, until");
    place.run(&backtest).printed();
    assert_adds_up(&tables(&place));
    let said = assumptions(&place, "rename");
    assert!(said[1].contains("bars of GOOG.A from 2014-04-03 to"), "{said:?}");
    assert_eq!(said.len(), 2, "{said:?}");
}

/// Washington Mutual was WM until 2008, Waste Management UW, WMI and WM: the run over its three tickers is the one over what
/// `data stitch` joins and `data adjust` adjusts, on raw prices and on adjusted ones.
#[test]
fn real_bars_are_run_across_two_renames() {
    let Some(data) = sextant_testkit::real_data_dir() else {
        return;
    };
    let data = data.canonicalize().unwrap();
    let place = Place::new();
    let command = |text: &str| place.run(&text.split(' ').collect::<Vec<_>>()).printed();
    let factors = format!("{}/corporate_actions/lean_factor_files/wm.csv", data.display());
    for symbol in ["UW", "WMI", "WM"] {
        let folder = format!("{}/equities/us_daily_raw_lean", data.display());
        command(&format!(
            "data import --from {folder} --symbol {symbol} --asset-class equity --timeframe 1D"
        ));
        command(&format!("data adjust --symbol {symbol} --factors {factors}"));
    }
    let maps = format!("{}/corporate_actions/lean_map_files", data.display());
    command(&format!("data stitch --symbol WM --maps {maps} --into WM-WHOLE"));
    command(&format!("data adjust --symbol WM-WHOLE --factors {factors}"));
    // The joined series under the name of the share, in a lake of its own.
    let lake = Lake::new(place.path("data"));
    let whole = lake
        .load_bars(AssetClass::Equity, "WM-WHOLE", Timeframe::D1)
        .unwrap();
    assert_eq!(whole.bars.len(), 5849);
    let key = BarKey::new(AssetClass::Equity, "WM", Timeframe::D1).unwrap();
    let provenance = Provenance {
        source: whole.meta.source,
        synthetic: false,
    };
    let other = Lake::new(place.path("whole"));
    other
        .write_bars(&key, &whole.bars, whole.raw.as_ref(), &provenance)
        .unwrap();
    for prices in ["raw", "adjusted"] {
        let run = |data: &str, formerly: &str| {
            let formerly = format!("formerly: [{formerly}]");
            place.edit(SYSTEM, "formerly: [{ticker: WMI, until: 2009-08-04}]", &formerly);
            place.edit(SYSTEM, "prices: raw", &format!("prices: {prices}"));
            command(&format!(
                "backtest --config {SYSTEM} --start 1998-06-01 --set paths.data={data}"
            ));
            place.edit(SYSTEM, &formerly, "formerly: [{ticker: WMI, until: 2009-08-04}]");
            place.edit(SYSTEM, &format!("prices: {prices}"), "prices: raw");
            let tables = tables(&place);
            std::fs::remove_dir_all(place.path("results")).unwrap();
            tables
        };
        let both = "{ticker: UW, until: 1998-07-16}, {ticker: WMI, until: 2009-08-04}";
        let (renamed, whole) = (run("data", both), run("whole", ""));
        assert!(renamed.fills.len() > 20, "{}", renamed.fills.len());
        assert_same_run(&renamed, &whole);
    }
}
