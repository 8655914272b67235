//! Small markets for the tests of the models.

use sextant_domain::{MarketData, Timeframe};
use sextant_testkit::bars::{daily_sessions, half_sessions, instant, round_the_clock};
use sextant_testkit::{Decision, MarketBuilder};

/// The first session: a Monday.
pub(crate) const FIRST_DAY: &str = "2020-01-06";

/// Shares with the given daily closes from Monday 2020-01-06 on, and two 4-hour bars a day with the same close.
pub(crate) fn sessions(table: &[(&str, Vec<f64>)]) -> MarketData {
    let start = instant(FIRST_DAY);
    let each = |market: MarketBuilder, (symbol, closes): &(&str, Vec<f64>)| {
        let halves: Vec<_> = closes.iter().flat_map(|close| [*close, *close]).collect();
        market
            .equity(symbol, Timeframe::H4)
            .closes(
                symbol,
                Timeframe::H4,
                &half_sessions(start, closes.len()),
                &halves,
            )
            .closes(
                symbol,
                Timeframe::D1,
                &daily_sessions(start, closes.len()),
                closes,
            )
    };
    table.iter().fold(MarketBuilder::new(), each).build()
}

/// Crypto assets with bars of one timeframe round the clock from `start` on, all with a close of 100; orders fill on
/// them.
pub(crate) fn coins(symbols: &[&str], timeframe: Timeframe, start: &str, count: usize) -> MarketData {
    let spans = round_the_clock(instant(start), timeframe, count);
    let each = |market: MarketBuilder, symbol: &&str| {
        market
            .crypto(symbol, timeframe)
            .closes(symbol, timeframe, &spans, &vec![100.0; count])
    };
    symbols.iter().fold(MarketBuilder::new(), each).build()
}

/// The symbols with a standing target above zero after each daily bar of the first instrument, separated by blanks and
/// in order of the alphabet.
pub(crate) fn held_books(market: &MarketData, decisions: &[Decision]) -> Vec<String> {
    let (first, _) = market.instruments().iter().next().unwrap();
    let days = &market.get(market.series_id(first, Timeframe::D1).unwrap()).bars;
    let book_at = |time| {
        let said = decisions
            .iter()
            .filter(|one| one.time <= time)
            .flat_map(|one| &one.targets);
        let mut book = std::collections::BTreeMap::new();
        said.for_each(|(symbol, weight)| {
            book.insert(symbol.as_str(), *weight);
        });
        let held: Vec<_> = book
            .into_iter()
            .filter(|(_, weight)| *weight > 0.0)
            .map(|(symbol, _)| symbol)
            .collect();
        held.join(" ")
    };
    days.view().close_time.iter().map(|time| book_at(*time)).collect()
}
