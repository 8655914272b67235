//! `data adjust`, `dividends`, `stitch`, `resolve` and `universe`.

use std::path::PathBuf;

use sextant_domain::AssetClass;

use crate::lake::{daily_from, import_daily, row, rows};
use crate::workspace::{Outcome, Place};

const CLOSES: [(&str, f64); 4] = [
    ("2020-01-02", 100.0),
    ("2020-01-03", 102.0),
    ("2020-01-06", 50.0),
    ("2020-01-07", 51.0),
];

/// A dividend of 2 % before the open of 2020-01-03, and a split of 1 to 2 before that of 2020-01-06.
const FACTORS: &str = "20200102,0.98,0.5,100\n20200103,1,0.5,102\n20501231,1,1,0\n";

fn with_spy() -> Place {
    let place = Place::new();
    import_daily(&place, ("SPY", "equity"), &CLOSES);
    place.write("spy.csv", FACTORS);
    place
}

fn run(place: &Place, command: &str) -> Outcome {
    place.run(&command.split(' ').collect::<Vec<_>>())
}

#[test]
fn adjusted_bars_stand_beside_what_was_traded() {
    let place = with_spy();
    let printed = run(&place, "data adjust --symbol SPY --factors spy.csv").printed();
    assert_eq!(row(&printed, &["SPY 1D (equity)"])[1..4], ["4", "0", "2"]);
    let shown = run(&place, "data show SPY 1D").printed();
    assert_eq!(
        row(&shown, &["2020-01-02"])[4..],
        ["49.000", "2000", "100.00", "0.4900000"]
    );
    assert_eq!(
        row(&shown, &["2020-01-03"])[4..],
        ["51.000", "2000", "102.00", "0.5000000"]
    );
    assert_eq!(
        row(&shown, &["2020-01-06"])[4..],
        ["50.000", "1000", "50.00", "1.0000000"]
    );
    let raw = run(&place, "data show SPY 1D --raw").printed();
    assert_eq!(
        row(&raw, &["2020-01-02"])[1..],
        ["100.00", "101.00", "99.50", "100.00", "1000", "0.4900000"]
    );
    // Again from what was traded, not from what is adjusted already.
    run(&place, "data adjust --symbol SPY --factors spy.csv").printed();
    assert_eq!(run(&place, "data show SPY 1D").printed(), shown);
    let splits = "data adjust --symbol SPY --factors spy.csv --splits-only --into SPY-SPLITS";
    run(&place, splits).printed();
    let shown = run(&place, "data show SPY-SPLITS 1D").printed();
    assert_eq!(
        row(&shown, &["2020-01-02"])[4..],
        ["50.00", "2000", "100.00", "0.5000000"]
    );
}

#[test]
fn events_and_what_was_known_of_them() {
    let place = with_spy();
    let events = "ex_date,kind,value,reference_close\n2020-01-03,dividend,2,100\n2020-01-06,split,2,\n";
    place.write("events.csv", events);
    let known = "data adjust --symbol SPY --events events.csv --as-of 2020-01-03";
    run(&place, known).fails_with(&["--into"]);
    run(&place, &format!("{known} --into SPY")).fails_with(&["--into SPY", "--as-of"]);
    run(&place, &format!("{known} --into SPY-THEN")).printed();
    let shown = run(&place, "data show SPY-THEN 1D").printed();
    assert_eq!(rows(&shown).len(), 3, "{shown}");
    assert_eq!(
        row(&shown, &["2020-01-02"])[4..],
        ["98.00", "1000", "100.00", "0.9800000"]
    );
    run(&place, &format!("{known} --into SPY-THEN --factors spy.csv")).fails_with(&["--factors", "--events"]);
    run(&place, "data adjust --symbol SPY --factors nowhere.csv").fails_with(&["nowhere.csv"]);
    place.write("events.csv", "ex_date,kind,value\n2020-01-03,gift,2\n");
    run(&place, "data adjust --symbol SPY --events events.csv").fails_with(&[
        "events.csv",
        "row 2",
        "gift",
        "dividend",
    ]);
}

#[test]
fn prices_that_a_provider_adjusted_are_not_adjusted_again() {
    let place = Place::new();
    let (spy, alpaca) = (
        ("SPY", AssetClass::Equity),
        "alpaca: SPY 1Day, feed iex [prices: none: prices as traded]",
    );
    place.write("spy.csv", FACTORS);
    place.write(
        "listings.csv",
        "security,ticker,first_date,last_date,delisted\nSPY,SPY,2000-01-03,,false\n",
    );
    let commands = [
        "data adjust --symbol SPY --factors spy.csv",
        "data dividends --symbol SPY --factors spy.csv",
        "data stitch --symbol SPY --listings listings.csv --into SPY-WHOLE",
    ];
    let yahoo = "yahoo: SPY 1d, split-adjusted [prices: splits: restated for all later splits]";
    for source in [
        yahoo.to_owned(),
        format!("resampled from 30M of digest 01ab; {yahoo}"),
    ] {
        daily_from(&place, spy, &CLOSES, &source);
        let shown = run(&place, "data show SPY 1D").printed();
        assert!(
            shown.contains("; adjusted by yahoo: splits: restated for all later splits; source:"),
            "{shown}"
        );
        for command in commands {
            run(&place, command).fails_with(&[
                "1D bars of SPY (equity)",
                "yahoo",
                "splits: restated",
                "data import",
                "--provider alpaca --replace",
            ]);
        }
    }
    daily_from(&place, spy, &CLOSES, alpaca);
    let shown = run(&place, "data show SPY 1D").printed();
    assert!(shown.contains("; not adjusted; source:"), "{shown}");
    for command in commands {
        run(&place, command).printed();
    }
}

#[test]
fn doubts_about_the_bars_are_printed() {
    let place = with_spy();
    place.write("spy.csv", &FACTORS.replace(",0.5,100\n", ",0.5,90\n"));
    let printed = run(&place, "data adjust --symbol SPY --factors spy.csv").printed();
    let doubt = row(&printed, &["2020-01-03"]);
    assert!(
        doubt[1].contains("100 in the lake") && doubt[1].contains("90 in the source"),
        "{printed}"
    );
}

#[test]
fn dividends_are_listed_with_their_closes() {
    let place = with_spy();
    let printed = run(&place, "data dividends --symbol SPY --factors spy.csv").printed();
    assert_eq!(
        row(&printed, &["2020-01-03"])[1..],
        ["2.000000", "100", "100", "2.000 %"]
    );
    assert!(
        printed.contains("1 dividend from 2020-01-02 to 2020-01-07"),
        "{printed}"
    );
    let none = run(
        &place,
        "data dividends --symbol SPY --factors spy.csv --from 2020-01-06",
    )
    .printed();
    assert!(none.contains("0 dividends"), "{none}");
}

#[test]
fn an_adjustment_equals_the_import_with_factors_on_real_bars() {
    let Some(data) = real_data() else { return };
    let place = Place::new();
    let folder = data.display();
    for symbol in ["spy", "aapl"] {
        let upper = symbol.to_uppercase();
        let file = format!("{folder}/equities/us_daily_raw_lean/{symbol}_1d.csv.gz");
        let factors = format!("{folder}/corporate_actions/lean_factor_files/{symbol}.csv");
        let import =
            format!("data import --from {file} --symbol {upper} --asset-class equity --timeframe 1D");
        run(&place, &import).printed();
        run(
            &place,
            &format!("data adjust --symbol {upper} --factors {factors}"),
        )
        .printed();
        run(&place, &format!("{import} --factors {factors} --data imported")).printed();
    }
    let printed = run(&place, "data diff data imported").printed();
    assert_eq!(
        row(&printed, &["AAPL 1D (equity)"])[1..],
        ["same", "5849", "5849", "0", "0", "0"]
    );
    let factors = format!("{folder}/corporate_actions/lean_factor_files/aapl.csv");
    let listed =
        format!("data dividends --symbol AAPL --factors {factors} --from 2018-01-01 --to 2018-12-31");
    let printed = run(&place, &listed).printed();
    let amounts: Vec<f64> = rows(&printed)
        .into_iter()
        .skip(1)
        .map(|row| row[1].parse().unwrap())
        .collect();
    let paid = [0.63, 0.73, 0.73, 0.73];
    assert_eq!(amounts.len(), paid.len());
    assert!(
        amounts
            .iter()
            .zip(paid)
            .all(|(found, paid)| (found - paid).abs() < 1e-4),
        "{printed}"
    );
}

#[test]
fn a_stitched_history_has_the_bars_of_every_ticker_within_its_dates() {
    let Some(data) = real_data() else { return };
    let place = Place::new();
    for symbol in ["uw", "wmi", "wm"] {
        let file = format!("{}/equities/us_daily_raw_lean/{symbol}_1d.csv.gz", data.display());
        let upper = symbol.to_uppercase();
        run(
            &place,
            &format!("data import --from {file} --symbol {upper} --asset-class equity --timeframe 1D"),
        )
        .printed();
    }
    let maps = format!("{}/corporate_actions/lean_map_files", data.display());
    let printed = run(
        &place,
        &format!("data stitch --symbol WM --maps {maps} --into WM-WHOLE"),
    )
    .printed();
    assert_eq!(
        row(&printed, &["bars used", "UW"])[2..],
        ["1998-01-02", "1998-07-16", "135"]
    );
    assert_eq!(
        row(&printed, &["bars used", "WMI"])[2..],
        ["1998-07-17", "2009-08-04", "2780"]
    );
    assert_eq!(
        row(&printed, &["bars used", "WM"])[2..],
        ["2009-08-05", "2021-03-31", "2934"]
    );
    let left_out = row(&printed, &["bars left out, of other dates", "WM"]);
    assert_eq!(left_out[2..], ["1998-12-09", "2008-09-26", "2465"]);
    let status = run(&place, "data status --symbols WM-WHOLE").printed();
    assert_eq!(row(&status, &["WM-WHOLE"])[5..7], ["5849", "0"]);
    run(
        &place,
        &format!("data stitch --symbol WM --maps {maps} --into WMI"),
    )
    .fails_with(&["--into WMI", "lost"]);
}

#[test]
fn old_units_become_new_ones_where_a_rename_changed_their_number() {
    let place = Place::new();
    import_daily(
        &place,
        ("LEND", "crypto"),
        &[("2020-10-01", 0.75), ("2020-10-02", 0.6)],
    );
    import_daily(
        &place,
        ("AAVE", "crypto"),
        &[("2020-10-03", 51.0), ("2020-10-05", 52.0)],
    );
    let printed = run(
        &place,
        "data stitch --asset-class crypto --symbol AAVE --into AAVE-WHOLE",
    )
    .printed();
    assert!(
        printed.contains("on 2020-10-03 each old unit became 0.01 new ones"),
        "{printed}"
    );
    let shown = run(&place, "data show AAVE-WHOLE 1D").printed();
    assert_eq!(
        row(&shown, &["2020-10-02"])[4..],
        ["60.00", "10", "0.60", "100.0000000"]
    );
    assert_eq!(
        row(&shown, &["2020-10-03"])[4..],
        ["51.00", "1000", "51.00", "1.0000000"]
    );
    run(&place, "data stitch --symbol NOBODY --into X").fails_with(&["NOBODY", "there is: "]);
}

#[test]
fn tickers_are_resolved_by_date() {
    let place = Place::new();
    let printed = run(&place, "data resolve QQQQ 2008-01-04").printed();
    assert!(printed.contains("the security QQQ (equity)"), "{printed}");
    let printed = run(&place, "data resolve matic 2020-01-01 --asset-class crypto").printed();
    assert_eq!(row(&printed, &["POL", "POL"])[2..4], ["2024-09-04", "in use"]);
    run(&place, "data resolve LEND 2021-01-01 --asset-class crypto").fails_with(&[
        "LEND",
        "AAVE",
        "2020-10-02",
    ]);
    run(&place, "data resolve SPY 2020-01-01").fails_with(&["--maps", "--listings", "SPY"]);
    run(&place, "data resolve SPY 2020-01-01 --maps nowhere").fails_with(&["nowhere", "cannot be read"]);
    let list = "security,ticker,first_date,last_date,delisted\nOLD,ABC,2000-01-03,2005-01-03,true\nABC,ABC,2010-01-04,,false\n";
    place.write("listings.csv", list);
    let printed = run(&place, "data resolve ABC 2001-01-01 --listings listings.csv").printed();
    assert!(
        printed.contains("the security OLD") && printed.contains("delisted after 2005-01-03"),
        "{printed}"
    );
    assert_eq!(row(&printed, &["ABC", "ABC"])[2..4], ["2010-01-04", "in use"]);
    let Some(data) = real_data() else { return };
    let maps = format!("{}/corporate_actions/lean_map_files", data.display());
    let printed = run(&place, &format!("data resolve GOOG 2010-01-04 --maps {maps}")).printed();
    assert!(
        printed.contains("GOOG on 2010-01-04 is the security GOOGL"),
        "{printed}"
    );
    assert_eq!(row(&printed, &["GOOG", "GOOG"])[2..4], ["2014-04-03", "in use"]);
}

#[test]
fn a_universe_has_the_names_of_its_day() {
    let place = Place::new();
    let list = "security,ticker,first_date,last_date,delisted\nOLD,ABC,2000-01-03,2005-01-03,true\nNEW,XYZ,2010-01-04,,false\n";
    place.write("listings.csv", list);
    place.write("renames.csv", "date,asset_class,old,new,new_per_old\n");
    let listed = "data universe --listings listings.csv --renames renames.csv --date";
    let printed = run(&place, &format!("{listed} 2003-01-06")).printed();
    assert_eq!(rows(&printed)[1..], [["ABC", "OLD"]]);
    let printed = run(&place, &format!("{listed} 2011-01-03")).printed();
    assert_eq!(rows(&printed)[1..], [["XYZ", "NEW"]]);
    run(&place, "data universe --date 2011-01-03").fails_with(&["--maps", "--listings", "--coarse"]);
    run(&place, &format!("{listed} 2011-01-03 --top 3")).fails_with(&["--top", "--listings"]);
}

#[test]
fn a_universe_of_snapshots_is_filtered_by_dollar_volume() {
    let Some(data) = real_data() else { return };
    let place = Place::new();
    let file = format!(
        "{}/corporate_actions/us_coarse_universe_20140324_20140407.csv.gz",
        data.display()
    );
    let printed = run(
        &place,
        &format!("data universe --date 2014-04-02 --coarse {file} --top 3"),
    )
    .printed();
    let tickers: Vec<String> = rows(&printed)
        .into_iter()
        .skip(1)
        .map(|mut row| row.remove(0))
        .collect();
    assert_eq!(tickers, ["FB", "IWM", "SPY"]);
    run(
        &place,
        &format!("data universe --date 2014-06-02 --coarse {file}"),
    )
    .fails_with(&["2014-04-07", "at most 7"]);
    run(
        &place,
        &format!("data universe --date 2014-03-01 --coarse {file}"),
    )
    .fails_with(&["2014-03-24"]);
}

fn real_data() -> Option<PathBuf> {
    sextant_testkit::real_data_dir().map(|folder| folder.canonicalize().unwrap())
}
