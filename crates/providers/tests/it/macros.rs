//! The macro tables, and their names in the lists.

use chrono::{Datelike, NaiveDate};
use sextant_data::{FetchedMacro, MacroProvider, ProviderError, Silent};
use sextant_providers::{CboeVix, FredSurvey, MACRO_PROVIDERS, Treasury, macro_provider};
use sextant_testkit::http::{TestResponse, TestServer};

use crate::support::settings;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn fetch(provider: &dyn MacroProvider, start: &str, end: &str) -> Result<FetchedMacro, ProviderError> {
    provider.fetch(date(start), date(end), &Silent)
}

/// A day's rates: 3 months, 2 years, 10 years, in hundredths.
fn rates(day: NaiveDate) -> [i64; 3] {
    let n = i64::from(day.num_days_from_ce());
    [100 + n % 300, 150 + n % 170, 200 + n % 250]
}

/// One file for each year, with columns that came and went, newest first.
fn treasury_file(year: i32) -> String {
    let extra = if year >= 2024 { ",\"2 Mo\"" } else { "" };
    let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
    let days: Vec<NaiveDate> = first.iter_days().take_while(|day| day.year() == year).collect();
    let row = |day: &NaiveDate| {
        let [short, middle, long] = rates(*day).map(|rate| format!("{:.2}", rate as f64 / 100.0));
        let gap = if year >= 2024 { "," } else { "" };
        format!("{}{gap},{short},{middle},{long}\n", day.format("%m/%d/%Y"))
    };
    let rows: String = days
        .iter()
        .rev()
        .filter(|day| day.weekday().num_days_from_monday() < 5)
        .map(row)
        .collect();
    format!("Date{extra},\"3 Mo\",\"2 Yr\",\"10 Yr\"\n{rows}")
}

#[test]
fn years_of_the_yield_curve_become_one_table_and_past_years_are_kept() {
    let server = TestServer::start(|request| {
        let year = request.parameter("field_tdr_date_value").unwrap();
        let folder = "/resource-center/data-chart-center/interest-rates/daily-treasury-rates.csv";
        assert_eq!(request.path, format!("{folder}/{year}/all"));
        assert_eq!(request.parameter("type"), Some("daily_treasury_yield_curve"));
        TestResponse::ok(treasury_file(year.parse().unwrap()))
    });
    let cache = tempfile::tempdir().unwrap();
    let treasury = Treasury::new(&settings(&server, Some(cache.path().to_owned())));
    let table = fetch(&treasury, "2023-03-10", "2030-01-01").unwrap();
    assert_eq!(
        table.series,
        ["yield_curve_10y_3m", "treasury_3m", "treasury_2y", "treasury_10y"]
    );
    let days = date("2023-03-10")
        .iter_days()
        .take_while(|day| *day <= date("2025-12-31"));
    let expected: Vec<NaiveDate> = days
        .filter(|day| day.weekday().num_days_from_monday() < 5)
        .collect();
    assert_eq!(table.rows.iter().map(|row| row.0).collect::<Vec<_>>(), expected);
    for (day, values) in &table.rows {
        let [short, middle, long] = rates(*day).map(|rate| rate as f64 / 100.0);
        assert_eq!(values, &[long - short, short, middle, long], "{day}");
    }
    assert_eq!(server.requests().len(), 3);
    fetch(&treasury, "2023-03-10", "2025-06-15").unwrap();
    assert_eq!(server.requests().len(), 4);
    let before = fetch(&treasury, "1950-01-01", "1989-12-31").unwrap();
    assert!(before.rows.is_empty() && server.requests().len() == 4);
}

#[test]
fn the_close_of_the_vix_is_cut_to_the_range() {
    let body = "DATE,OPEN,HIGH,LOW,CLOSE\n01/02/2024,13.1,13.9,13.0,13.20\n01/03/2024,13,14,13,14.04\n01/04/2024,14,14,13,14.13\n";
    let server = TestServer::start(move |request| {
        assert_eq!(
            request.path,
            "/api/global/us_indices/daily_prices/VIX_History.csv"
        );
        TestResponse::ok(body)
    });
    let table = fetch(
        &CboeVix::new(&settings(&server, None)),
        "2024-01-03",
        "2024-01-04",
    )
    .unwrap();
    assert_eq!(table.series, ["vix"]);
    assert_eq!(
        table.rows,
        [
            (date("2024-01-03"), vec![14.04]),
            (date("2024-01-04"), vec![14.13])
        ]
    );
    assert_eq!((table.publication.delay_days, table.publication.hour), (0, 18));
}

#[test]
fn the_survey_is_known_a_month_later() {
    let server = TestServer::start(|request| {
        let parameters = ["id", "cosd", "coed"].map(|name| request.parameter(name).unwrap());
        assert_eq!(parameters, ["GACDFSA066MSFRBPHI", "2024-01-01", "2024-03-15"]);
        TestResponse::ok(
            "observation_date,GACDFSA066MSFRBPHI\n2024-01-01,-10.6\n2024-02-01,5.5\n2024-03-01,3\n",
        )
    });
    let table = fetch(
        &FredSurvey::new(&settings(&server, None)),
        "2024-01-02",
        "2024-03-15",
    )
    .unwrap();
    assert_eq!(table.series, ["pmi"]);
    assert_eq!(
        table.rows,
        [
            (date("2024-02-01"), vec![52.75]),
            (date("2024-03-01"), vec![51.5])
        ]
    );
    assert_eq!((table.publication.delay_days, table.publication.hour), (31, 18));
    assert!(table.source.contains("stand-in"));
}

#[test]
fn a_page_in_place_of_a_table_is_no_table() {
    let server = TestServer::in_turn([TestResponse::ok("<!DOCTYPE html>\n<html>Maintenance</html>\n")]);
    for info in MACRO_PROVIDERS {
        let provider = macro_provider(info.name, &settings(&server, None)).unwrap();
        let error = fetch(provider.as_ref(), "2024-01-01", "2024-02-01").unwrap_err();
        assert!(matches!(error, ProviderError::Shape { .. }), "{error}");
        assert!(
            error.to_string().contains("the header is `<!DOCTYPE html>`"),
            "{error}"
        );
    }
}
