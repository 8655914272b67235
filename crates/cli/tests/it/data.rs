//! `data status`, `show`, `diff` and `validate`.

use crate::lake::{import_daily, row, rows};
use crate::workspace::Place;

/// Thursday, Friday and Tuesday: Monday is missing.
const CLOSES: [(&str, f64); 3] = [("2020-01-02", 10.0), ("2020-01-03", 11.0), ("2020-01-07", 12.5)];

fn with_spy() -> Place {
    let place = Place::new();
    import_daily(&place, ("SPY", "equity"), &CLOSES);
    place
}

#[test]
fn status_counts_rows_and_gaps() {
    let place = with_spy();
    import_daily(&place, ("BTC-USD", "crypto"), &CLOSES);
    let printed = place.run(&["data", "status"]).printed();
    let spy = row(&printed, &["SPY"]);
    assert_eq!(
        spy[1..8],
        ["equity", "1D", "2020-01-02", "2020-01-07", "3", "1", "imported"]
    );
    // Crypto trades on weekends too.
    let bitcoin = row(&printed, &["BTC-USD"]);
    assert_eq!(
        bitcoin[1..8],
        ["crypto", "1D", "2020-01-02", "2020-01-07", "3", "3", "imported"]
    );
    assert_eq!(spy[8], "CSV file daily.csv");
    let only = place.run(&["data", "status", "--symbols", "SPY"]).printed();
    assert_eq!(rows(&only).len(), 2, "{only}");
}

#[test]
fn show_prints_the_bars_that_were_asked_for() {
    let place = with_spy();
    let dates = |more: &[&str]| {
        let printed = place
            .run(&[&["data", "show", "SPY", "1d"], more].concat())
            .printed();
        let dates = rows(&printed).into_iter().skip(1).map(|mut row| row.remove(0));
        dates.collect::<Vec<_>>()
    };
    let all = ["2020-01-02", "2020-01-03", "2020-01-07"];
    assert_eq!(dates(&[]), all);
    assert_eq!(dates(&["--tail", "1"]), all[2..]);
    assert_eq!(dates(&["--head", "2"]), all[..2]);
    assert_eq!(dates(&["--from", "2020-01-03", "--to", "2020-01-06"]), all[1..2]);
    assert_eq!(dates(&["--from", "2020-01-03", "--head", "1"]), all[1..2]);
    assert_eq!(dates(&["--from", "2021-01-01"]), [""; 0]);
    let printed = place.run(&["data", "show", "SPY", "1D"]).printed();
    let last = ["2020-01-07", "12.50", "13.50", "12.00", "12.50", "1000"];
    assert_eq!(row(&printed, &["2020-01-07"]), last);
    assert!(
        printed.contains("3 of 3 bars; not adjusted; source: CSV file daily.csv"),
        "{printed}"
    );
}

#[test]
fn show_prints_times_of_bars_within_a_day() {
    let place = Place::new();
    let rows = "2020-01-02T00:00:00Z,10,11,9,10,1.25\n2020-01-02T04:00:00Z,10,11,9,10,2\n";
    place.write(
        "btc.csv",
        &format!("timestamp,open,high,low,close,volume\n{rows}"),
    );
    let import = "data import --from btc.csv --symbol BTC-USD --asset-class crypto --timeframe 4H";
    place.run(&import.split(' ').collect::<Vec<_>>()).printed();
    let printed = place
        .run(&["data", "show", "BTC-USD", "4H", "--head", "1"])
        .printed();
    let found = row(&printed, &["2020-01-02 00:00", "2020-01-02 04:00"]);
    assert_eq!(found[2..], ["10.00", "11.00", "9.00", "10.00", "1.25"]);
}

#[test]
fn show_says_what_there_is() {
    let place = with_spy();
    import_daily(&place, ("QQQ", "equity"), &CLOSES);
    place.run(&["data", "show", "SPY", "4H"]).fails_with(&[
        "no 4H bars of SPY",
        "SPY 1D (equity)",
        "data resample",
    ]);
    place.run(&["data", "show", "IWM", "1D"]).fails_with(&[
        "IWM",
        "SPY 1D (equity)",
        "QQQ 1D (equity)",
        "data import",
    ]);
    place
        .run(&["data", "show", "SPY", "2D"])
        .fails_with(&["2D", "4H"]);
    import_daily(&place, ("SPY", "crypto"), &CLOSES);
    place.run(&["data", "show", "SPY", "1D"]).fails_with(&[
        "SPY 1D (equity)",
        "SPY 1D (crypto)",
        "--asset-class",
    ]);
    place
        .run(&["data", "show", "SPY", "1D", "--asset-class", "crypto"])
        .printed();
}

#[test]
fn diff_of_the_same_lake_finds_nothing() {
    let place = with_spy();
    let printed = place.run(&["data", "diff", "data", "data"]).printed();
    assert_eq!(
        row(&printed, &["SPY 1D (equity)"])[1..],
        ["same", "3", "3", "0", "0", "0"]
    );
    let file = "data/equities/SPY_1D.parquet";
    place.run(&["data", "diff", file, file]).printed();
}

#[test]
fn diff_names_the_bars_that_differ_and_fails() {
    let place = with_spy();
    std::fs::rename(place.path("data"), place.path("before")).unwrap();
    let closes = [("2020-01-03", 11.0), ("2020-01-06", 12.0), ("2020-01-07", 12.75)];
    import_daily(&place, ("SPY", "equity"), &closes);
    import_daily(&place, ("QQQ", "equity"), &closes);
    let lakes = place.run(&["data", "diff", "before", "data"]);
    assert!(!lakes.success && lakes.stderr.is_empty(), "{}", lakes.stderr);
    let printed = lakes.stdout;
    assert_eq!(
        row(&printed, &["SPY 1D (equity)", "differs"])[2..],
        ["3", "3", "1", "1", "4"]
    );
    assert_eq!(
        row(&printed, &["QQQ 1D (equity)", "only in B"])[2..],
        ["", "3", "0", "0", "0"]
    );
    let place_of = |time: &str, column: &str| row(&printed, &["SPY 1D (equity)", time, column])[3..].to_vec();
    assert_eq!(place_of("2020-01-02 14:30", "whole bar"), ["there", ""]);
    assert_eq!(place_of("2020-01-06 14:30", "whole bar"), ["", "there"]);
    assert_eq!(place_of("2020-01-07 14:30", "close"), ["12.5", "12.75"]);

    let files = [
        "data",
        "diff",
        "before/equities/SPY_1D.parquet",
        "data/equities/SPY_1D.parquet",
    ];
    let outcome = place.run(&[&files[..], &["--limit", "2"]].concat());
    assert!(
        !outcome.success && outcome.stdout.contains("4 more places"),
        "{}",
        outcome.stdout
    );
    let chosen = place.run(&["data", "diff", "before", "data", "--symbols", "QQQ"]);
    assert!(
        !chosen.success && !chosen.stdout.contains("SPY"),
        "{}",
        chosen.stdout
    );
}

#[test]
fn diff_says_what_it_compares() {
    let place = with_spy();
    let file = "data/equities/SPY_1D.parquet";
    place
        .run(&["data", "diff", "data", file])
        .fails_with(&["two lakes", "two Parquet files"]);
    place
        .run(&["data", "diff", file, "daily.csv"])
        .fails_with(&["daily.csv", "equities/SPY_1D.parquet"]);
    place
        .run(&["data", "diff", file, "nowhere.parquet"])
        .fails_with(&["nowhere.parquet", "cannot be read"]);
    place
        .run(&["data", "diff", file, file, "--symbols", "SPY"])
        .fails_with(&["--symbols", "two files"]);
    place
        .run(&["data", "diff", "data", "data", "--symbols", "IWM"])
        .fails_with(&["nothing was compared"]);
}

#[test]
fn diff_takes_the_index_and_the_files_of_partitioned_bars() {
    let place = Place::new();
    let import = |close: &str, lake: &str| {
        let rows = format!("2020-01-02T14:30:00Z,10,11,9,10,1\n2020-02-03T14:30:00Z,10,11,9,{close},1\n");
        place.write(
            "minutes.csv",
            &format!("timestamp,open,high,low,close,volume\n{rows}"),
        );
        let import = format!(
            "data import --from minutes.csv --symbol SPY --asset-class equity --timeframe 1M --data {lake}"
        );
        place.run(&import.split(' ').collect::<Vec<_>>()).printed();
    };
    import("10", "a");
    import("10.5", "b");
    let index = |lake: &str| format!("{lake}/equities/SPY/1M.json");
    let both = place.run(&["data", "diff", &index("a"), &index("b")]);
    assert!(!both.success);
    assert_eq!(
        row(&both.stdout, &["SPY 1M (equity)", "differs"])[2..],
        ["2", "2", "0", "0", "1"]
    );
    let part = |lake: &str, month: &str| {
        let folder = place.path(&format!("{lake}/equities/SPY/2020/{month}"));
        let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap();
        file.path().to_str().unwrap().to_owned()
    };
    let january = place.run(&["data", "diff", &part("a", "01"), &part("b", "01")]);
    assert_eq!(
        row(&january.printed(), &["SPY 1M (equity)", "same"])[2..],
        ["1", "1", "0", "0", "0"]
    );
    let february = place.run(&["data", "diff", &part("a", "02"), &part("b", "02")]);
    assert!(
        !february.success && february.stderr.is_empty(),
        "{}",
        february.stderr
    );
}

#[test]
fn validate_prints_json_for_programs() {
    let place = with_spy();
    let printed = place.run(&["data", "validate", "--json"]).printed();
    let report: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(report["failed"], false);
    let series = &report["series"][0];
    assert_eq!(
        (series["symbol"].as_str(), series["rows"].as_u64()),
        (Some("SPY"), Some(3))
    );
    let gap = &series["findings"][0];
    assert_eq!(
        (gap["rule"].as_str(), gap["count"].as_u64()),
        (Some("gaps"), Some(1))
    );

    let file = place.path("data/equities/SPY_1D.parquet");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let damaged = place.run(&["data", "validate", "--symbols", "SPY", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&damaged.stdout).unwrap();
    assert!(!damaged.success && report["failed"] == true, "{}", damaged.stdout);
    assert!(
        report["series"][0]["error"]
            .as_str()
            .unwrap()
            .contains("not loaded"),
        "{report}"
    );
    place
        .run(&["data", "validate", "--symbols", "IWM"])
        .fails_with(&["IWM", "SPY 1D (equity)"]);
}

#[test]
fn query_runs_a_select_over_the_lake() {
    let place = with_spy();
    let select = "select symbol, count(*) as bars, max(close) as best from bars group by symbol";
    let printed = place.run(&["data", "query", select]).printed();
    assert_eq!(row(&printed, &["SPY"])[1..], ["3", "12.5"]);
    let csv = place.run(&["data", "query", select, "--format", "csv"]).printed();
    assert_eq!(csv.trim(), "symbol,bars,best\nSPY,3,12.5");
    place
        .run(&["data", "query", "drop view bars"])
        .fails_with(&["SELECT"]);
    place
        .run(&["data", "query", "select * from bars", "--max-rows", "2"])
        .fails_with(&["2"]);
}

#[test]
fn validate_finds_several_securities_under_one_ticker() {
    let place = with_spy();
    place.write(
        "listings.csv",
        "security,ticker,first_date,last_date,delisted\nOLD,SPY,2019-01-02,2020-01-03,true\nNEW,SPY,2020-01-06,,false\n",
    );
    place.run(&["data", "validate"]).printed();
    let failed = place.run(&["data", "validate", "--listings", "listings.csv"]);
    assert!(!failed.success);
    assert!(failed.stdout.contains("reused_ticker"), "{}", failed.stdout);
}

#[test]
fn validate_takes_renames_alone_and_for_every_class() {
    let place = Place::new();
    import_daily(&place, ("ABC", "equity"), &CLOSES);
    import_daily(&place, ("OLD", "crypto"), &CLOSES);
    let validate = ["data", "validate", "--renames", "renames.csv"];
    place
        .run(&validate)
        .fails_with(&["renames.csv", "cannot be read"]);
    let header = "date,asset_class,old,new,new_per_old\n";
    place.write("renames.csv", &format!("{header}2021-01-04,crypto,OLD,NEW,1\n"));
    place.run(&validate).printed();
    for (class, ticker) in [("crypto", "OLD"), ("equity", "ABC")] {
        place.write(
            "renames.csv",
            &format!("{header}2020-01-03,{class},{ticker},NEW,1\n"),
        );
        let failed = place.run(&validate);
        assert!(!failed.success, "{class}");
        let reused = rows(&failed.stdout);
        let reused = reused.iter().filter(|row| row[2] == "reused_ticker");
        let names: Vec<&str> = reused.map(|row| row[0].as_str()).collect();
        assert_eq!(names, [format!("{ticker} 1D ({class})")], "{}", failed.stdout);
    }
}

#[test]
fn a_macro_value_counts_from_its_delay_on() {
    let place = Place::new();
    let folder = place.path("");
    let folder = folder.to_str().unwrap();
    place.write("pmi.csv", "timestamp,value\n2020-01-01,51.2\n2020-02-01,50.9\n");
    place.write(
        "manifest.yaml",
        "macro_series:\n  - {file: pmi.csv, name: pmi, series: {pmi: value}, delay_days: 31}\n",
    );
    let published = || {
        let lake = sextant_data::Lake::new(place.path("data"));
        let series = lake.load_macro("pmi").unwrap().series;
        series.published()[0].to_string()
    };
    let import = [
        "data",
        "import",
        "--from",
        "pmi.csv",
        "--macro",
        "pmi",
        "--series",
        "pmi=value",
    ];
    place.run(&import).printed();
    assert!(published().starts_with("2020-01-01T23:00"), "{}", published());
    let delayed = place
        .run(&[&import[..], &["--delay-days", "31"]].concat())
        .printed();
    assert!(delayed.contains("31 days after the date of the row"), "{delayed}");
    assert!(published().starts_with("2020-02-01T23:00"), "{}", published());
    place.run(&import).printed();
    place
        .run(&["data", "import", "--from", folder, "--manifest", "manifest.yaml"])
        .printed();
    assert!(published().starts_with("2020-02-01T23:00"), "{}", published());
    place
        .run(&[&import[..], &["--delay-days", "5000"]].concat())
        .fails_with(&["5000", "3660"]);
    place.edit("manifest.yaml", "31", "5000");
    place
        .run(&["data", "import", "--from", folder, "--manifest", "manifest.yaml"])
        .fails_with(&["delay_days"]);
}
