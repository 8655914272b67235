//! Tickers that stood for several securities: found by their history, or suspected by how the bars look.

use std::fs::File;

use sextant_data::{
    Calendar, EventList, FactorFile, Rule, SecurityHistory, SecurityId, Silent, TickerMapper,
    ValidationContext, ValidationReport, validate_csv_rows_with,
};
use sextant_domain::{AssetClass, Timeframe};

use crate::support::{lean, market_data};

const EQUITY: AssetClass = AssetClass::Equity;
const MAPS: &str = "corporate_actions/lean_map_files";

fn mapper() -> Option<TickerMapper> {
    let folder = market_data()?.join(MAPS);
    let mut securities = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let id = SecurityId::new(path.file_stem().unwrap().to_str().unwrap()).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        securities.push(SecurityHistory::read_lean_map(id, &name, File::open(path).unwrap()).unwrap());
    }
    Some(TickerMapper::new(EQUITY, securities).unwrap())
}

/// Every raw Lean file: symbol and timeframe.
fn files() -> Option<Vec<(String, Timeframe)>> {
    let mut files = Vec::new();
    for (folder, timeframe) in [
        ("us_daily_raw_lean", Timeframe::D1),
        ("us_hourly_raw_lean", Timeframe::H1),
    ] {
        for entry in std::fs::read_dir(market_data()?.join("equities").join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            files.push((name.split_once('_').unwrap().0.to_owned(), timeframe));
        }
    }
    files.sort();
    Some(files)
}

fn report(symbol: &str, timeframe: Timeframe, context: ValidationContext<'_>) -> Option<ValidationReport> {
    let request = lean(&symbol.to_uppercase(), timeframe)?;
    Some(validate_csv_rows_with(&request, context, &Silent).unwrap())
}

fn changes(report: &ValidationReport, rule: Rule) -> Vec<String> {
    let finding = report.findings.iter().find(|finding| finding.rule == rule);
    let examples = finding.iter().flat_map(|finding| &finding.examples);
    examples
        .map(|example| format!("{} {}", example.time.unwrap().date(), example.detail))
        .collect()
}

#[test]
fn reuse_is_found_with_the_date_and_the_securities() {
    let (Some(mapper), Some(files)) = (mapper(), files()) else {
        return;
    };
    let mut found = Vec::new();
    for (symbol, timeframe) in &files {
        let context = ValidationContext {
            tickers: Some(&mapper),
            events: None,
        };
        let report = report(symbol, *timeframe, context).unwrap();
        let changes = changes(&report, Rule::ReusedTicker);
        assert_eq!(report.has_errors(), !changes.is_empty(), "{symbol}: {report:?}");
        assert_eq!(report.count(Rule::SuspectedReuse), 0, "{symbol}: {report:?}");
        found.extend(
            changes
                .iter()
                .map(|change| format!("{symbol} {timeframe} {change}")),
        );
    }
    assert_eq!(
        found,
        [
            "aaa 1D 2020-09-09 from AAA.1 (2002-05-22 to 2007-05-18) to AAA (2020-09-09 to 2021-03-31)",
            // Not in the list of reused tickers, but a fact: BankAmerica until NationsBank took its ticker.
            "bac 1H 1998-10-01 from no known security (1998-01-02 to 1998-09-30) to BAC (1998-10-01 to 2021-03-31)",
            "bac 1D 1998-10-01 from no known security (1998-01-02 to 1998-09-30) to BAC (1998-10-01 to 2021-03-31)",
            "bno 1D 2010-06-02 from no known security (1998-01-02 to 2002-05-20) to BNO (2010-06-02 to 2021-03-31)",
            "eem 1D 2003-04-11 from no known security (1998-01-06 to 2002-12-05) to EEM (2003-04-11 to 2021-03-31)",
            "fb 1D 2012-05-18 from FB.1 (1999-09-29 to 2003-03-28) to FB (2012-05-18 to 2021-03-31)",
            // In the notes of the list: class A until the class C shares got its ticker.
            "goog 1D 2014-04-03 from GOOGL (2004-08-19 to 2014-04-02) to GOOG (2014-04-03 to 2021-03-31)",
            "uso 1D 2006-04-10 from no known security (1998-01-02 to 1998-12-30) to USO (2006-04-10 to 2021-03-31)",
            // In the map files: the first note was delisted, the second got its ticker.
            "vxx 1H 2019-05-02 from VXX.1 (2009-01-30 to 2019-01-29) to VXX (2019-05-02 to 2021-03-31)",
            "wm 1D 2009-08-05 from no known security (1998-12-09 to 2008-09-26) to WM (2009-08-05 to 2021-03-31)",
        ]
    );
}

/// The splits and dividends of a symbol, where it has a factor file.
fn events(symbol: &str, timeframe: Timeframe) -> Option<EventList> {
    let path = lean(symbol, timeframe)?.factors.filter(|path| path.is_file())?;
    let factors = FactorFile::read(symbol, File::open(path).unwrap()).unwrap();
    let calendar = Calendar::for_class(EQUITY);
    Some(EventList::new(symbol, factors.events(&calendar).unwrap()).unwrap())
}

#[test]
fn reuse_is_suspected_where_no_history_is_known() {
    let Some(files) = files() else { return };
    let (mut found, mut explained) = (Vec::new(), Vec::new());
    for (symbol, timeframe) in &files {
        let blind = report(symbol, *timeframe, ValidationContext::default()).unwrap();
        let events = events(symbol, *timeframe);
        let context = ValidationContext {
            tickers: None,
            events: events.as_ref(),
        };
        let informed = report(symbol, *timeframe, context).unwrap();
        let informed = changes(&informed, Rule::SuspectedReuse);
        for change in changes(&blind, Rule::SuspectedReuse) {
            let list = match informed.contains(&change) {
                true => &mut found,
                false => &mut explained,
            };
            list.push(format!("{symbol} {timeframe} {change}"));
        }
        assert!(!blind.has_errors(), "{symbol}: {blind:?}");
    }
    assert_eq!(
        found,
        [
            "aaa 1D 2020-09-09 4863 days after 2007-05-18T13:30:00Z, close 26 -> 25.0699",
            "bno 1D 2010-06-02 2935 days after 2002-05-20T13:30:00Z, close 4.86 -> 51.18",
            "eem 1D 2003-04-11 126 days after 2002-12-05T14:30:00Z, close 9.98 -> 99.7",
            "fb 1D 2012-05-18 3338 days after 2003-03-28T14:30:00Z, close 33.2 -> 38.37",
            // Suspected wrongly: one security that had another ticker in between.
            "qqq 1D 2011-03-23 2303 days after 2004-11-30T14:30:00Z, close 39.13 -> 55.72",
            "spwr 1H 2011-11-17 1143 days after 2008-09-29T19:00:00Z, close 67.3 -> 7.52",
            "uso 1D 2006-04-10 2657 days after 1998-12-30T14:30:00Z, close 0.06 -> 68",
            // Suspected wrongly: the day on which Washington Mutual was seized.
            "wm 1D 2008-09-26 1 days after 2008-09-25T13:30:00Z, close 1.77 -> 0.16",
            "wm 1D 2009-08-05 313 days after 2008-09-26T13:30:00Z, close 0.16 -> 28.58",
        ]
    );
    // Twenty old shares became one new.
    assert_eq!(
        explained,
        [
            "aig 1H 2009-07-01 0 days after 2009-06-30T19:00:00Z, close 1.13 -> 20.8",
            "aig 1D 2009-07-01 1 days after 2009-06-30T13:30:00Z, close 1.13 -> 18.08",
        ]
    );
}
