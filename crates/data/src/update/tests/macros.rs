//! Macro tables.

use std::collections::BTreeMap;
use std::sync::Mutex;

use chrono::NaiveDate;

use super::*;
use crate::{FetchedMacro, MacroProvider, MacroTable, Provenance, PublicationRule};

#[derive(Debug)]
pub(super) struct Curve {
    pub(super) rows: BTreeMap<NaiveDate, Vec<f64>>,
    pub(super) publication: PublicationRule,
    pub(super) series: Vec<String>,
    pub(super) asked: Mutex<Vec<(NaiveDate, NaiveDate)>>,
}

impl Curve {
    pub(super) fn new(from: &str, to: &str) -> Self {
        let days = date(from).iter_days().take_while(|day| *day <= date(to));
        let rows = days
            .enumerate()
            .map(|(index, day)| (day, vec![4.0 + index as f64 / 100.0, 3.0]));
        Self {
            rows: rows.collect(),
            publication: PublicationRule::default(),
            series: vec!["long".to_owned(), "short".to_owned()],
            asked: Mutex::default(),
        }
    }
}

impl MacroProvider for Curve {
    fn name(&self) -> &'static str {
        "curves"
    }

    fn table(&self) -> &'static str {
        "curve"
    }

    fn fetch(
        &self,
        start: NaiveDate,
        end: NaiveDate,
        _progress: &dyn Progress,
    ) -> Result<FetchedMacro, ProviderError> {
        self.asked.lock().unwrap().push((start, end));
        let rows = self
            .rows
            .range(start..=end)
            .map(|(date, values)| (*date, values.clone()));
        Ok(FetchedMacro {
            series: self.series.clone(),
            rows: rows.collect(),
            publication: self.publication,
            source: "curves: daily".to_owned(),
        })
    }
}

pub(super) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(super) fn run(lake: &Lake, provider: &Curve, now: &str) -> Result<MacroUpdateReport, UpdateError> {
    run_from(lake, provider, now, ("2024-01-01", Existing::Keep))
}

fn run_from(
    lake: &Lake,
    provider: &Curve,
    now: &str,
    (from, existing): (&str, Existing),
) -> Result<MacroUpdateReport, UpdateError> {
    let request = MacroUpdateRequest {
        from: date(from),
        existing,
    };
    update_macro(lake, provider, &request, time(now), &Silent)
}

fn case() -> Case {
    Case::new(AssetClass::Equity, Timeframe::D1)
}

#[test]
fn a_table_grows_with_what_is_published() {
    let (case, whole) = (case(), case());
    let provider = Curve::new("2024-01-01", "2024-03-01");
    // 18:00 in New York is 23:00 UTC.
    let first = run(&case.lake, &provider, "2024-01-20T22:59:59Z").unwrap();
    assert_eq!(
        (first.rows, first.unpublished, first.outcome),
        (19, 1, Outcome::Written)
    );
    assert_eq!(first.source, "curves: daily");
    let later = ("2024-01-20", Existing::Keep);
    let second = run_from(&case.lake, &provider, "2024-01-20T23:00:00Z", later).unwrap();
    assert_eq!((second.rows, second.added, second.changed), (20, 1, 0));
    assert_eq!(second.asked, (date("2024-01-09"), date("2024-01-20")));
    run(&case.lake, &provider, "2024-02-05").unwrap();
    let last = run(&case.lake, &provider, "2024-03-01").unwrap();
    assert_eq!(
        last.digest,
        run(&whole.lake, &provider, "2024-03-01").unwrap().digest
    );
    let before = case.files();
    let again = run(&case.lake, &provider, "2024-03-01").unwrap();
    assert_eq!((again.outcome, again.added), (Outcome::Unchanged, 0));
    assert_eq!(case.files(), before);
    assert_eq!(case.lake.load_macro("long").unwrap().meta.digest, last.digest);
}

#[test]
fn an_earlier_start_than_the_stored_one_counts() {
    let case = case();
    let provider = Curve::new("2024-01-01", "2024-03-01");
    let from = |start| run_from(&case.lake, &provider, "2024-02-01", (start, Existing::Keep)).unwrap();
    assert_eq!(from("2024-01-20").rows, 12);
    let earlier = from("2024-01-05");
    assert_eq!((earlier.rows, earlier.added), (27, 15));
    assert_eq!(earlier.asked, (date("2024-01-05"), date("2024-02-01")));
}

#[test]
fn values_that_are_published_late_are_not_lost() {
    let (case, whole) = (case(), case());
    let mut provider = Curve::new("2024-01-01", "2024-04-01");
    provider.publication.delay_days = 45;
    for now in ["2024-02-20", "2024-02-25", "2024-03-20", "2024-04-01"] {
        run(&case.lake, &provider, now).unwrap();
    }
    let digest = run(&case.lake, &provider, "2024-04-01").unwrap().digest;
    assert_eq!(digest, run(&whole.lake, &provider, "2024-04-01").unwrap().digest);
}

#[test]
fn revised_values_count_and_missing_ones_do_not() {
    let case = case();
    let mut provider = Curve::new("2024-01-01", "2024-03-01");
    provider.rows.insert(date("2024-01-18"), vec![f64::NAN, 3.0]);
    provider.rows.insert(date("2024-01-19"), vec![f64::NAN, f64::NAN]);
    let report = run(&case.lake, &provider, "2024-01-21").unwrap();
    assert_eq!((report.rows, report.empty_rows), (19, 1));
    provider.rows.insert(date("2024-01-18"), vec![9.5, f64::NAN]);
    let report = run(&case.lake, &provider, "2024-01-21").unwrap();
    assert_eq!(
        (report.added, report.changed, report.outcome),
        (0, 1, Outcome::Written)
    );
    let (table, _) = case.lake.load_macro_table("curve").unwrap().unwrap();
    assert_eq!((table.series[0].1[17], table.series[1].1[17]), (9.5, 3.0));
}

#[test]
fn tables_of_another_kind_are_refused_and_replaced_on_request() {
    let case = case();
    let provider = Curve::new("2024-01-01", "2024-03-01");
    let table = |series: &str, publication: &str| MacroTable {
        published: vec![time("2024-01-01")],
        series: vec![(series.to_owned(), vec![1.0])],
        publication: publication.to_owned(),
    };
    for (source, synthetic, part) in [
        ("CSV file curve.csv", false, "CSV file curve.csv"),
        ("curves: daily", true, "generator"),
        ("curves: weekly", false, "curves: weekly"),
        ("curves: daily", false, "long, short"),
    ] {
        let provenance = Provenance {
            source: source.to_owned(),
            synthetic,
        };
        case.lake
            .write_macro("curve", &table("long", "at once"), &provenance)
            .unwrap();
        let before = case.files();
        let error = run(&case.lake, &provider, "2024-01-20").unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, UpdateError::OtherSource { .. }), "{message}");
        assert!(
            message.contains(part) && message.contains("--replace"),
            "{message}"
        );
        assert_eq!(case.files(), before);
    }
    let mut other = Curve::new("2024-01-01", "2024-03-01");
    run_from(
        &case.lake,
        &provider,
        "2024-01-20",
        ("2024-01-01", Existing::Replace),
    )
    .unwrap();
    other.publication.hour = 8;
    let message = run(&case.lake, &other, "2024-01-25").unwrap_err().to_string();
    assert!(
        message.contains("publication rule") && message.contains("08:00"),
        "{message}"
    );
}

#[test]
fn answers_that_break_promises_are_refused() {
    let case = case();
    let good = || Curve::new("2024-01-01", "2024-03-01");
    let mut narrow = good();
    narrow.rows.insert(date("2024-01-05"), vec![1.0]);
    let mut infinite = good();
    infinite.rows.insert(date("2024-01-05"), vec![1.0, f64::INFINITY]);
    let mut clock = good();
    clock.publication.hour = 24;
    let empty = Curve::new("2025-01-01", "2025-01-02");
    for (provider, part) in [
        (narrow, "1 values"),
        (infinite, "inf"),
        (clock, "hour 24"),
        (empty, "of 0 rows"),
    ] {
        let message = run(&case.lake, &provider, "2024-01-20").unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    assert!(run(&case.lake, &good(), "2023-01-01").is_err());
    assert!(case.names().is_empty());
}
