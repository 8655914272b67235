//! What holds for every event, ticker and file.
#![allow(clippy::unwrap_used)]

use std::fmt::Write;

use chrono::{Days, NaiveDate};
use proptest::prelude::*;
use sextant_domain::{AssetClass, Bar, BarSeries};

use super::tests::{bars, crypto, date, span};
use super::*;

const FIRST: &str = "2020-01-01";
const DAYS: usize = 40;
const BOTH: AdjustmentMode = AdjustmentMode::SplitsAndDividends;
const MODES: [AdjustmentMode; 2] = [AdjustmentMode::Splits, BOTH];

fn day(number: usize) -> NaiveDate {
    date(FIRST) + Days::new(number as u64)
}

fn closes() -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(50.0..200.0, DAYS)
}

/// Events at different dates; dividends are below every close.
fn actions() -> impl Strategy<Value = Vec<CorporateAction>> {
    let kind = prop_oneof![
        (0.1..10.0).prop_map(|new_per_old| ActionKind::Split { new_per_old }),
        (0.01..40.0).prop_map(|amount| ActionKind::CashDividend {
            amount,
            reference_close: None
        }),
    ];
    proptest::collection::btree_map(0..DAYS + 5, kind, 0..12).prop_map(|events| {
        let events = events.into_iter().map(|(number, kind)| CorporateAction {
            ex_date: day(number),
            kind,
        });
        events.collect()
    })
}

fn engine(actions: &[CorporateAction]) -> AdjustmentEngine {
    let list = EventList::new("events", actions.iter().copied()).unwrap();
    AdjustmentEngine::from_events(list, crypto())
}

/// The factor file that events at ex-dates within the bars amount to: a row for the day before each.
fn factor_file(actions: &[CorporateAction], closes: &[f64]) -> String {
    let mut rows = Vec::new();
    let (mut price, mut split) = (1.0, 1.0);
    for action in actions.iter().rev() {
        let number = (action.ex_date - date(FIRST)).num_days() as usize;
        let close = closes[number - 1];
        match action.kind {
            ActionKind::Split { new_per_old } => split /= new_per_old,
            ActionKind::CashDividend { amount, .. } => price *= 1.0 - amount / close,
        }
        rows.push(format!(
            "{},{price},{split},{close}\n",
            day(number - 1).format("%Y%m%d")
        ));
    }
    rows.reverse();
    rows.concat() + "20501231,1,1,0\n"
}

fn close_to(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a / b - 1.0).abs() < 1e-9)
}

/// The bars of a series up to an index, the rest replaced.
fn with_other_future(bars: &BarSeries, known: usize) -> BarSeries {
    let noise = |bar: Bar| Bar {
        open: bar.open * 3.0,
        high: bar.high * 7.0,
        close: bar.close * 5.0,
        volume: 0.0,
        ..bar
    };
    let mixed = bars
        .iter()
        .enumerate()
        .map(|(index, bar)| if index < known { bar } else { noise(bar) });
    BarSeries::from_bars(mixed).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_comes_later_changes_nothing(closes in closes(), actions in actions(), later in actions(), known in 0..DAYS) {
        let raw = bars(&crypto(), FIRST, &closes);
        let as_of = day(known);
        let past = |actions: &[CorporateAction]| -> Vec<_> {
            actions.iter().copied().filter(|action| action.ex_date <= as_of).collect()
        };
        let future = later.iter().copied().filter(|action| action.ex_date > as_of);
        let other: Vec<_> = past(&actions).into_iter().chain(future).collect();
        for mode in MODES {
            let one = engine(&actions).adjusted(&raw, mode, as_of).unwrap();
            let two = engine(&other).adjusted(&with_other_future(&raw, known + 1), mode, as_of).unwrap();
            prop_assert_eq!(one, two);
        }
    }

    #[test]
    fn another_day_only_changes_the_unit(closes in closes(), actions in actions(), known in 0..DAYS) {
        let raw = bars(&crypto(), FIRST, &closes);
        let engine = engine(&actions);
        for mode in MODES {
            let then = engine.adjusted(&raw, mode, day(known)).unwrap();
            let now = engine.adjusted(&raw, mode, day(DAYS + 10)).unwrap();
            prop_assert_eq!((then.bars.len(), now.bars.len()), (known + 1, DAYS));
            let unit = now.adjustment_factor[known] / then.adjustment_factor[known];
            let scaled: Vec<_> = then.adjustment_factor.iter().map(|factor| factor * unit).collect();
            prop_assert!(close_to(&scaled, &now.adjustment_factor[..=known]));
        }
    }

    #[test]
    fn factors_are_those_of_the_bars(closes in closes(), actions in actions()) {
        let raw = bars(&crypto(), FIRST, &closes);
        for mode in MODES {
            let adjusted = engine(&actions).adjusted(&raw, mode, day(DAYS)).unwrap();
            let prices: Vec<_> = raw.view().close.iter().zip(&adjusted.adjustment_factor).map(|(raw, factor)| raw * factor).collect();
            prop_assert!(close_to(&prices, adjusted.bars.view().close));
            prop_assert!(adjusted.bars.iter().all(|bar| bar.defect().is_none()));
        }
        // Splits alone leave the worth of what was traded.
        let splits = engine(&actions).adjusted(&raw, AdjustmentMode::Splits, day(DAYS)).unwrap();
        let worth = |bars: &BarSeries| bars.iter().map(|bar| bar.close * bar.volume).collect::<Vec<_>>();
        prop_assert!(close_to(&worth(&splits.bars), &worth(&raw)));
    }

    #[test]
    fn a_factor_file_says_what_its_events_say(closes in closes(), actions in actions(), known in 0..DAYS) {
        let raw = bars(&crypto(), FIRST, &closes);
        let within = |action: &CorporateAction| day(0) < action.ex_date && action.ex_date < day(DAYS);
        let actions: Vec<_> = actions.into_iter().filter(within).collect();
        let file = FactorFile::read("x.csv", factor_file(&actions, &closes).as_bytes()).unwrap();
        let by_file = AdjustmentEngine::from_factors(&file, crypto()).unwrap();
        for mode in MODES {
            for as_of in [day(known), day(DAYS)] {
                let one = engine(&actions).adjusted(&raw, mode, as_of).unwrap();
                let two = by_file.adjusted(&raw, mode, as_of).unwrap();
                prop_assert!(close_to(&one.adjustment_factor, &two.adjustment_factor));
                prop_assert_eq!(one.doubts, two.doubts);
            }
        }
        let cash = |engine: &AdjustmentEngine| -> Vec<_> {
            let paid = engine.cash_dividends(&raw, day(0), day(DAYS)).unwrap();
            paid.into_iter().map(|paid| (paid.ex_date, paid.amount)).collect()
        };
        let (one, two) = (cash(&engine(&actions)), cash(&by_file));
        prop_assert_eq!(one.len(), two.len());
        for (one, two) in one.iter().zip(&two) {
            prop_assert_eq!(one.0, two.0);
            prop_assert!((one.1 - two.1).abs() < 1e-9);
        }
    }

    #[test]
    fn every_ticker_and_day_finds_its_security(owners in proptest::collection::vec((0..4_usize, 0..3_usize), 1..30)) {
        // Each day, each ticker is held by one security at the most: security `s` has ticker `s + shift` of four.
        let spans = |security: usize| {
            let mut spans: Vec<TickerSpan> = Vec::new();
            for (number, (shift, _)) in owners.iter().enumerate() {
                let ticker = format!("T{}", (security + shift) % 4);
                match spans.last_mut().filter(|last| last.ticker == ticker) {
                    Some(last) => last.last = Some(day(number)),
                    None => {
                        let on = day(number).to_string();
                        spans.push(span(&ticker, &on, &on));
                    }
                }
            }
            spans
        };
        let securities = (0..4).map(|number| SecurityHistory::new(SecurityId::new(&format!("S{number}")).unwrap(), spans(number)).unwrap());
        let mapper = TickerMapper::new(AssetClass::Equity, securities.collect()).unwrap();
        for (number, (shift, _)) in owners.iter().enumerate() {
            for security in 0..4 {
                let ticker = format!("T{}", (security + shift) % 4);
                let id = SecurityId::new(&format!("S{security}")).unwrap();
                prop_assert_eq!(mapper.resolve(&ticker, day(number)).unwrap(), &id);
                prop_assert_eq!(mapper.ticker_on(&id, day(number)).unwrap(), ticker);
            }
        }
        // The bars of one ticker, told apart, are the bars of the ticker.
        let raw = bars(&crypto(), FIRST, &vec![1.0; owners.len()]);
        let parts = mapper.attribute("T0", &raw, &crypto()).unwrap();
        prop_assert!(parts.iter().all(|part| part.security.is_some()));
        prop_assert_eq!(parts.iter().map(|part| part.end - part.begin).sum::<usize>(), owners.len());
    }

    #[test]
    fn what_was_cut_at_renames_is_joined_again(closes in closes(), cuts in proptest::collection::btree_set(1..DAYS, 0..5)) {
        let raw = bars(&crypto(), FIRST, &closes);
        let begins: Vec<_> = std::iter::once(0).chain(cuts).collect();
        let ends = begins[1..].iter().copied().chain([DAYS]);
        let history: Vec<_> = begins.iter().zip(ends).enumerate().map(|(number, (begin, end))| {
            let last = day(end - 1);
            TickerSpan { first: Some(day(*begin)), last: Some(last), ..span(&format!("T{number}"), "*", "*") }
        }).collect();
        let part = |span: &TickerSpan| BarSeries::from_bars(raw.iter().filter(|bar| span.contains(bar.open_time.date()))).unwrap();
        let parts: Vec<_> = history.iter().map(part).collect();
        let given: Vec<_> = history.iter().zip(&parts).map(|(span, bars)| (span.ticker.as_str(), bars)).collect();
        let joined = stitch(&given, &history, &crypto()).unwrap();
        prop_assert_eq!(&joined.bars, &raw);
        prop_assert!(joined.gaps.is_empty() && joined.outside.is_empty() && joined.missing.is_empty());
        // Whole histories under each ticker give the same.
        let whole: Vec<_> = history.iter().map(|span| (span.ticker.as_str(), &raw)).collect();
        let joined = stitch(&whole, &history, &crypto()).unwrap();
        prop_assert_eq!(&joined.bars, &raw);
        prop_assert_eq!(joined.outside.iter().map(|bars| bars.bars).sum::<usize>(), (history.len() - 1) * DAYS);
        prop_assert_eq!(joined.overlaps.iter().map(|overlap| overlap.bars).sum::<usize>(), (history.len() - 1) * DAYS);
    }

    #[test]
    fn broken_files_are_errors_with_a_place(edits in proptest::collection::vec((0..400_usize, any::<u8>(), 0..3_u8), 0..10)) {
        let mut text = String::from("20200102,0.5,0.25,8\n20200103,0.8,0.5,4\n20501231,1,1,0\n");
        writeln!(text, "ex_date,kind,value\n2020-01-02,dividend,0.5\n2020-01-03,split,2").unwrap();
        writeln!(text, "date,asset_class,old,new\n2020-01-02,equity,A,B\nsecurity,ticker,first_date,last_date,delisted\nA,A,,,false").unwrap();
        let mut bytes = text.into_bytes();
        for (place, byte, kind) in edits {
            let place = place % bytes.len();
            match kind {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                _ => drop(bytes.remove(place)),
            }
        }
        // Every reader on the whole text and on the part that is meant for it.
        let mut starts: Vec<usize> = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(place, _)| place + 1).collect();
        starts.push(0);
        for start in starts {
            let text = &bytes[start..];
            let id = SecurityId::new("X").unwrap();
            for error in [
                EventList::read("in.csv", text).err(),
                FactorFile::read("in.csv", text).err(),
                SecurityHistory::read_lean_map(id, "in.csv", text).err(),
                read_listings("in.csv", text).err(),
                read_renames("in.csv", text).err(),
            ].into_iter().flatten() {
                let message = error.to_string();
                prop_assert!(message.contains("in.csv") || message.contains("the tickers of"), "{}", message);
                prop_assert!(message.len() < 1_000, "{}", message);
            }
        }
    }
}
