//! Real factor files against real bars, and against the events that were derived from them elsewhere.
#![allow(clippy::unwrap_used)]

use chrono::{Datelike, NaiveDate, Weekday};
use sextant_domain::{Bar, Timeframe};

use super::{date, equity, market_data, names, real_bars, real_factors, real_text};
use crate::actions::{
    ActionKind, AdjustmentEngine, AdjustmentMode, CorporateAction, EventList, FactorFile, ReferenceDoubt,
};

const BOTH: AdjustmentMode = AdjustmentMode::SplitsAndDividends;

fn engine(name: &str) -> Option<AdjustmentEngine> {
    Some(AdjustmentEngine::from_factors(&real_factors(name)?, equity()).unwrap())
}

/// Rows `date,price_factor,split_factor,reference_close`, read without the help of the code under test.
fn rows(name: &str) -> Vec<(NaiveDate, [f64; 3])> {
    let text = real_text(&format!("corporate_actions/lean_factor_files/{name}.csv")).unwrap();
    let rows = text.lines().map(|line| {
        let fields: Vec<_> = line.split(',').collect();
        let values = [1, 2, 3].map(|column: usize| fields[column].parse().unwrap());
        (NaiveDate::parse_from_str(fields[0], "%Y%m%d").unwrap(), values)
    });
    rows.collect()
}

fn prices(bar: &Bar) -> [f64; 4] {
    [bar.open, bar.high, bar.low, bar.close]
}

#[test]
fn adjusted_bars_are_raw_times_both_factors() {
    for (symbol, timeframe, count) in [
        ("spy", Timeframe::D1, 5_849),
        ("aapl", Timeframe::D1, 5_849),
        ("spy", Timeframe::H1, 40_832),
        ("aapl", Timeframe::H1, 40_831),
    ] {
        let (Some(raw), Some(engine)) = (real_bars(symbol, timeframe), engine(symbol)) else {
            return;
        };
        let adjusted = engine.adjusted(&raw, BOTH, date("2021-03-31")).unwrap();
        assert_eq!(
            (adjusted.bars.len(), raw.len(), adjusted.not_yet_known),
            (count, count, 0)
        );
        assert_eq!(adjusted.doubts, [], "{symbol}");
        let rows = rows(symbol);
        let mut changed = 0;
        for (index, (bar, traded)) in adjusted.bars.iter().zip(raw.iter()).enumerate() {
            // Sessions begin and end within one UTC day.
            let day = traded.open_time.date();
            let (_, [price, split, _]) = rows.iter().find(|(last, _)| *last >= day).unwrap();
            assert_eq!(
                prices(&bar),
                prices(&traded).map(|value| value * price * split),
                "{symbol} {day}"
            );
            assert_eq!(bar.volume, traded.volume / split, "{symbol} {day}");
            assert_eq!(adjusted.adjustment_factor[index], price * split, "{symbol} {day}");
            changed += usize::from(*price != 1.0 || *split != 1.0);
        }
        assert!(changed > count / 2, "{symbol} {changed}");
    }
}

#[test]
fn derived_events_are_those_derived_elsewhere() {
    let Some(text) = real_text("corporate_actions/events_derived_from_lean_factors.csv") else {
        return;
    };
    let expected: Vec<Vec<&str>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    let files = names(&market_data().unwrap().join("corporate_actions/lean_factor_files"));
    assert_eq!((files.len(), expected.len()), (22, 854));
    let mut found = 0;
    for name in files {
        let events = real_factors(&name).unwrap().events(&equity()).unwrap();
        for kind in ["dividend", "split"] {
            let listed = expected
                .iter()
                .filter(|row| (row[0], row[2]) == (name.as_str(), kind));
            let events = events
                .iter()
                .filter(|event| (kind == "split") == matches!(event.kind, ActionKind::Split { .. }));
            let (events, listed): (Vec<_>, Vec<_>) = (events.collect(), listed.collect());
            assert_eq!(events.len(), listed.len(), "{name} {kind}");
            found += events.len();
            events
                .iter()
                .zip(listed)
                .for_each(|(event, row)| check_derived(event, row));
        }
    }
    assert_eq!(found, expected.len());
}

/// An event against a row `symbol,last_cum_date,type,value,reference_close`: amounts have four decimals, ratios seven digits.
fn check_derived(event: &CorporateAction, row: &[&str]) {
    let last_cum: NaiveDate = row[1].parse().unwrap();
    assert!(is_next_session(last_cum, event.ex_date), "{row:?} {event:?}");
    let listed: f64 = row[3].parse().unwrap();
    match event.kind {
        ActionKind::Split { new_per_old } => {
            assert!((listed * new_per_old - 1.0).abs() < 1e-6, "{row:?} {event:?}");
        }
        ActionKind::CashDividend {
            amount,
            reference_close,
        } => {
            assert!((amount - listed).abs() <= 0.5e-4 + 1e-12, "{row:?} {event:?}");
            assert_eq!(reference_close, Some(row[4].parse().unwrap()));
        }
    }
}

/// Whether a date is the session after another: at most five days later (a long weekend), never on a weekend.
fn is_next_session(last_cum: NaiveDate, ex_date: NaiveDate) -> bool {
    let days = (ex_date - last_cum).num_days();
    (1..=5).contains(&days) && !matches!(ex_date.weekday(), Weekday::Sat | Weekday::Sun)
}

#[test]
fn cash_in_raw_mode_is_what_the_factors_imply() {
    for (symbol, count) in [("spy", 94), ("aapl", 35)] {
        let (Some(raw), Some(engine)) = (real_bars(symbol, Timeframe::D1), engine(symbol)) else {
            return;
        };
        let cash = engine
            .cash_dividends(&raw, date("1998-01-01"), date("2021-03-31"))
            .unwrap();
        assert_eq!(cash.len(), count, "{symbol}");
        let rows = rows(symbol);
        let adjusted = engine.adjusted(&raw, BOTH, date("2021-03-31")).unwrap();
        for dividend in &cash {
            let ex = raw
                .iter()
                .position(|bar| bar.open_time.date() == dividend.ex_date)
                .unwrap();
            let (before, after) = (raw.bar(ex - 1), raw.bar(ex));
            let row = rows
                .iter()
                .position(|(last, _)| *last == before.open_time.date())
                .unwrap();
            let [price, _, close] = rows[row].1;
            let implied = close * (1.0 - price / rows[row + 1].1[0]);
            assert_eq!(dividend.amount, implied, "{symbol} {dividend:?}");
            assert_eq!(
                (dividend.reference_close, dividend.raw_close),
                (Some(close), Some(before.close))
            );
            // Who reinvests the cash at the close before earns what the adjusted series does.
            let adjusted_return = adjusted.bars.bar(ex).close / adjusted.bars.bar(ex - 1).close;
            let split = rows[row + 1].1[1] / rows[row].1[1];
            let raw_return = after.close * split / (before.close - dividend.amount);
            assert!(
                (adjusted_return / raw_return - 1.0).abs() < 1e-12,
                "{symbol} {dividend:?}"
            );
        }
    }
    let (Some(raw), Some(engine)) = (real_bars("spy", Timeframe::D1), engine("spy")) else {
        return;
    };
    // 1.58 a share; the factors have seven decimals.
    let cash = engine
        .cash_dividends(&raw, date("2020-12-18"), date("2020-12-18"))
        .unwrap();
    assert!((cash[0].amount - 1.58).abs() < 1e-4, "{cash:?}");
}

#[test]
fn aapl_is_known_as_on_the_day() {
    let (Some(raw), Some(engine)) = (real_bars("aapl", Timeframe::D1), engine("aapl")) else {
        return;
    };
    let last = |as_of| {
        let adjusted = engine.adjusted(&raw, BOTH, date(as_of)).unwrap();
        let dates: Vec<_> = adjusted.bars.iter().map(|bar| bar.open_time.date()).collect();
        let friday = dates.iter().position(|day| *day == date("2014-06-06")).unwrap();
        (dates.len() - friday, adjusted.adjustment_factor[friday])
    };
    // Seven for one on Monday 2014-06-09. The file has six digits of the split factor.
    assert_eq!(last("2014-06-06"), (1, 1.0));
    assert_eq!(last("2014-06-08"), (1, 1.0));
    assert_eq!(last("2014-06-09"), (2, 0.0357143 / 0.25));
    assert_eq!(last("2021-03-31").1, 0.9011818 * 0.0357143);
    // What was known does not depend on what came.
    let known = engine.adjusted(&raw, BOTH, date("2014-06-08")).unwrap();
    let early: String = real_text("corporate_actions/lean_factor_files/aapl.csv")
        .unwrap()
        .lines()
        .take_while(|line| !line.starts_with("20140606"))
        .map(|line| format!("{line}\n"))
        .collect();
    let rebased: String = rebase(&early, 0.9011818, 0.0357143) + "20140606,1,1,0\n";
    let then = FactorFile::read("aapl.csv", rebased.as_bytes()).unwrap();
    let then = AdjustmentEngine::from_factors(&then, equity()).unwrap();
    let seen = then.adjusted(&raw, BOTH, date("2014-06-08")).unwrap();
    assert_eq!(
        (seen.bars, seen.adjustment_factor),
        (known.bars, known.adjustment_factor)
    );
}

/// Rows with factors relative to others.
fn rebase(text: &str, price: f64, split: f64) -> String {
    let rows = text.lines().map(|line| {
        let fields: Vec<_> = line.split(',').collect();
        let [by_price, by_split] = [(1, price), (2, split)].map(|(column, base): (usize, f64)| {
            let factor: f64 = fields[column].parse().unwrap();
            factor / base
        });
        format!("{},{by_price},{by_split},{}\n", fields[0], fields[3])
    });
    rows.collect()
}

#[test]
fn events_and_factors_make_the_same_series() {
    for symbol in ["spy", "aapl", "eem", "aig", "ibm"] {
        let (Some(raw), Some(engine)) = (real_bars(symbol, Timeframe::D1), engine(symbol)) else {
            return;
        };
        let list = EventList::new(symbol, engine.events()).unwrap();
        let by_events = AdjustmentEngine::from_events(list, equity());
        for mode in [BOTH, AdjustmentMode::Splits] {
            for as_of in ["1998-01-01", "2005-06-09", "2014-06-09", "2021-03-31"] {
                let one = engine.adjusted(&raw, mode, date(as_of)).unwrap();
                let other = by_events.adjusted(&raw, mode, date(as_of)).unwrap();
                assert_eq!(one.bars.len(), other.bars.len());
                assert_eq!(one.doubts, other.doubts);
                for (a, b) in one.adjustment_factor.iter().zip(&other.adjustment_factor) {
                    assert!((a / b - 1.0).abs() < 1e-12, "{symbol} {mode:?} {as_of}: {a} {b}");
                }
            }
        }
    }
}

#[test]
fn closes_of_another_company_are_doubted() {
    for (symbol, other, first) in [
        // BankAmerica until NationsBank took its ticker.
        ("bac", 3, "1998-03-04"),
        // Washington Mutual under the ticker that Waste Management has today.
        ("wm", 25, "1998-12-29"),
        ("ibm", 0, ""),
        ("iwm", 0, ""),
        ("aig", 0, ""),
        ("eem", 0, ""),
        ("qqq", 0, ""),
    ] {
        let (Some(raw), Some(engine)) = (real_bars(symbol, Timeframe::D1), engine(symbol)) else {
            return;
        };
        let adjusted = engine.adjusted(&raw, BOTH, date("2021-03-31")).unwrap();
        assert_eq!(adjusted.doubts.len(), other, "{symbol} {:?}", adjusted.doubts);
        if let Some(ReferenceDoubt::OtherClose { ex_date, .. }) = adjusted.doubts.first() {
            assert_eq!(*ex_date, date(first), "{symbol}");
        }
    }
}

/// What a stored series was adjusted by can be read back from it: the same dividends, ratios and ex-dates as in the file.
#[test]
fn actions_are_read_back_from_the_stored_series() {
    for (symbol, timeframe, dividends, splits) in [
        ("spy", Timeframe::D1, 94, 0),
        ("aapl", Timeframe::D1, 35, 4),
        ("aapl", Timeframe::H1, 35, 4),
    ] {
        let (Some(raw), Some(engine)) = (real_bars(symbol, timeframe), engine(symbol)) else {
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let lake = crate::Lake::new(folder.path());
        let key = crate::BarKey::new(sextant_domain::AssetClass::Equity, symbol, timeframe).unwrap();
        let adjusted = engine.adjusted(&raw, BOTH, NaiveDate::MAX).unwrap();
        let beside = crate::RawBars {
            bars: raw.clone(),
            adjustment_factor: adjusted.adjustment_factor,
            adjustment: adjusted.adjustment,
        };
        let provenance = crate::Provenance {
            source: "test".to_owned(),
            synthetic: false,
        };
        lake.write_bars(&key, &adjusted.bars, Some(&beside), &provenance)
            .unwrap();
        let stored = lake
            .load_bars(sextant_domain::AssetClass::Equity, symbol, timeframe)
            .unwrap();
        let found = crate::recorded_actions(&stored).unwrap();
        let first = raw.open_times()[0].date();
        let expected: Vec<_> = engine
            .events()
            .filter(|event| event.ex_date > first && event.ex_date <= raw.close_times()[raw.len() - 1].date())
            .collect();
        assert_eq!(found.len(), expected.len(), "{symbol} {timeframe}");
        let mut counts = (0, 0);
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found.time.date(), expected.ex_date, "{symbol}");
            match (found.kind, expected.kind) {
                (
                    ActionKind::CashDividend { amount, .. },
                    ActionKind::CashDividend { amount: of_file, .. },
                ) => {
                    counts.0 += 1;
                    // Hourly bars may end with another close than the day.
                    let tolerance = if timeframe == Timeframe::D1 { 1e-6 } else { 1e-2 };
                    assert!((amount / of_file - 1.0).abs() < tolerance, "{amount} {of_file}");
                }
                (ActionKind::Split { new_per_old }, ActionKind::Split { new_per_old: of_file }) => {
                    counts.1 += 1;
                    assert!(
                        (new_per_old / of_file - 1.0).abs() < 5e-5,
                        "{new_per_old} {of_file}"
                    );
                    assert_eq!(new_per_old.fract(), 0.0);
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(counts, (dividends, splits), "{symbol} {timeframe}");
    }
}
