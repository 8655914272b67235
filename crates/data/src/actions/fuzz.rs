//! What fuzzers call: pure functions that read arbitrary bytes as files of corporate actions and check what must hold of
//! the result.
//!
//! Each returns when the bytes are refused, and panics when something that was accepted is not as it must be.

use std::fmt::Write;

use sextant_domain::{AssetClass, Bar, BarSeries};

use super::{
    ActionError, ActionKind, AdjustmentEngine, AdjustmentMode, EventList, FactorFile, SecurityHistory,
    SecurityId, TickerMapper, read_listings, read_renames,
};
use crate::calendar::Calendar;

/// A Lean factor file or a list of events, by the first byte. What is accepted adjusts a few sessions around its rows to
/// bars, or says why it cannot; a factor file is read again as the same when it is written.
///
/// # Panics
/// When this does not hold.
pub fn fuzz_factor_file(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    let calendar = || Calendar::for_class(AssetClass::Equity);
    if choice % 2 == 0 {
        let Ok(factors) = FactorFile::read("fuzz", bytes) else {
            return;
        };
        check_factors(&factors);
        if let Ok(engine) = AdjustmentEngine::from_factors(&factors, calendar()) {
            check_adjusted(&engine);
        }
    } else if let Ok(events) = EventList::read("fuzz", bytes) {
        let again = EventList::new("fuzz", events.actions()).expect("events that were read are a list");
        assert!(again.actions().eq(events.actions()), "the events have changed");
        check_adjusted(&AdjustmentEngine::from_events(events, calendar()));
    }
}

/// A Lean map file, a list of listings or a list of renames, by the first byte. Spans follow each other, and every span
/// resolves to its security, or to several by name.
///
/// # Panics
/// When this does not hold.
pub fn fuzz_ticker_map(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    let id = SecurityId::new("FUZZ").expect("a name");
    let mapper = match choice % 3 {
        0 => SecurityHistory::read_lean_map(id, "fuzz", bytes)
            .and_then(|history| TickerMapper::new(AssetClass::Equity, vec![history])),
        1 => read_listings("fuzz", bytes)
            .and_then(|histories| TickerMapper::new(AssetClass::Equity, histories)),
        _ => read_renames("fuzz", bytes).and_then(|renames| {
            let class = renames.first().map_or(AssetClass::Equity, |rename| rename.class);
            TickerMapper::new(class, Vec::new())?.with_renames(&renames)
        }),
    };
    if let Ok(mapper) = mapper {
        mapper
            .securities()
            .iter()
            .for_each(|security| check_spans(&mapper, security));
    }
}

fn check_factors(factors: &FactorFile) {
    let rows: Vec<_> = factors.rows().collect();
    assert!(
        rows.windows(2)
            .all(|pair| pair[0].date < pair[1].date && pair[0].price_factor <= pair[1].price_factor),
        "rows are not in order"
    );
    let mut text = String::new();
    for row in &rows {
        let date = row.date.format("%Y%m%d");
        let (price, split, close) = (row.price_factor, row.split_factor, row.reference_close);
        writeln!(text, "{date},{price:?},{split:?},{close:?}").expect("a string takes all");
        assert_eq!(factors.on(row.date), Some(*row), "the row of its own date");
    }
    let again =
        FactorFile::read("fuzz", text.as_bytes()).expect("rows that were read can be written and read");
    assert!(again.rows().eq(rows), "the rows have changed");
}

/// Bars of the session before each of the first events and of the event itself.
fn check_adjusted(engine: &AdjustmentEngine) {
    let calendar = Calendar::for_class(AssetClass::Equity);
    let mut raw = BarSeries::with_capacity(0);
    for action in engine.events().take(50) {
        let before = action.ex_date.pred_opt().unwrap_or(action.ex_date);
        for session in [before, action.ex_date]
            .into_iter()
            .filter_map(|date| calendar.session(date))
        {
            let bar = Bar {
                open_time: session.open,
                close_time: session.close,
                open: 100.0,
                high: 110.0,
                low: 90.0,
                close: 105.0,
                volume: 1_000.0,
            };
            // A session that is there already.
            let _ = raw.push(bar);
        }
        if let ActionKind::CashDividend { amount, .. } = action.kind {
            assert!(amount.is_finite() && amount >= 0.0, "a dividend of {amount}");
        }
    }
    for mode in [AdjustmentMode::Splits, AdjustmentMode::SplitsAndDividends] {
        let Ok(adjusted) = engine.adjusted(&raw, mode, chrono::NaiveDate::MAX) else {
            continue;
        };
        assert_eq!(adjusted.bars.len(), raw.len(), "bars are lost");
        assert_eq!(adjusted.adjustment_factor.len(), raw.len(), "factors are lost");
        assert!(
            adjusted.bars.iter().all(|bar| bar.defect().is_none()),
            "a bad bar"
        );
    }
}

fn check_spans(mapper: &TickerMapper, security: &SecurityHistory) {
    let spans = security.spans();
    let apart = |pair: &[super::TickerSpan]| pair[0].last < pair[1].first;
    assert!(!spans.is_empty() && spans.windows(2).all(apart), "{spans:?}");
    for span in spans {
        let Some(date) = span.last.or(span.first) else {
            continue;
        };
        match mapper.resolve(&span.ticker, date) {
            Ok(found) => assert_eq!(found, security.id(), "{span}"),
            Err(error) => assert!(matches!(error, ActionError::AmbiguousTicker { .. }), "{error}"),
        }
        assert_eq!(security.ticker_on(date), Some(span.ticker.as_str()));
    }
}
