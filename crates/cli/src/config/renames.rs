//! The type behind `formerly` of an instrument in `universe`: tickers that a security had before. Doc comments become the
//! configuration reference.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sextant_data::{TickerSpan, ratio_of};
use sextant_domain::Instrument;

use super::account::PricesConfig;
use super::system::{InstrumentConfig, SystemConfig};

/// A ticker that a security had before its present symbol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormerTicker {
    /// The ticker, as the lake has it.
    #[schemars(length(min = 1, max = 32))]
    pub ticker: String,
    /// The first date on which the security traded under it, where the lake has earlier bars of another one; left out, the day
    /// after the ticker before it, or the first bar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub from: Option<NaiveDate>,
    /// The last date on which it traded: of the session in New York for shares, of UTC otherwise.
    #[schemars(with = "String", extend("format" = "date"))]
    pub until: NaiveDate,
    /// How many of its units became one of the ticker after it; 100 for LEND, which became AAVE. A change of units that the
    /// bars are adjusted for by their factor file already is not repeated here.
    #[serde(default = "one")]
    #[schemars(range(min = 0.00000001, max = 1e9))]
    pub units: f64,
}

fn one() -> f64 {
    1.0
}

impl InstrumentConfig {
    /// The tickers of the security and their dates, oldest first, the present symbol last.
    pub fn spans(&self) -> Vec<TickerSpan> {
        let after = self.formerly.iter().map(|one| one.until.succ_opt());
        let firsts = std::iter::once(None).chain(after);
        let former = self
            .formerly
            .iter()
            .map(|one| (&one.ticker, one.from, Some(one.until)));
        let spans = former.chain([(&self.symbol, None, None)]).zip(firsts);
        let spans = spans.map(|((ticker, from, last), first)| TickerSpan {
            ticker: ticker.clone(),
            first: from.or(first),
            last,
            exchange: None,
        });
        spans.collect()
    }

    /// The tickers of the security, each once, oldest first.
    pub fn tickers(&self) -> Vec<&str> {
        let mut tickers: Vec<&str> = Vec::new();
        let former = self.formerly.iter().map(|one| one.ticker.as_str());
        for ticker in former.chain([self.symbol.as_str()]) {
            if !tickers.contains(&ticker) {
                tickers.push(ticker);
            }
        }
        tickers
    }

    /// Former tickers, each with the one after it.
    pub fn renames(&self) -> impl Iterator<Item = (&FormerTicker, &str)> {
        let later = self.formerly.iter().skip(1).map(|one| one.ticker.as_str());
        self.formerly.iter().zip(later.chain([self.symbol.as_str()]))
    }
}

/// Adds every problem with former tickers: names, dates and units that cannot be, and bars that two instruments would share.
pub(super) fn check(system: &SystemConfig, note: &mut dyn FnMut(String)) {
    for (index, one) in system.universe.iter().enumerate() {
        for (at, (former, later)) in one.renames().enumerate() {
            let before = at.checked_sub(1).map(|before| one.formerly[before].until);
            let problems = [
                ("ticker", ticker_problem(system, one, (former, later))),
                ("from", from_problem(former, before)),
                ("until", until_problem(former, before)),
                ("units", units_problem(one, former.units)),
            ];
            for (key, problem) in problems {
                let note_at = |problem| note(format!("universe.{index}.formerly.{at}.{key}: {problem}"));
                problem.into_iter().for_each(note_at);
            }
        }
    }
    for (index, one) in system.universe.iter().enumerate() {
        for other in &system.universe[..index] {
            check_shared(index, one, other, note);
        }
    }
}

fn ticker_problem(
    system: &SystemConfig,
    one: &InstrumentConfig,
    (former, later): (&FormerTicker, &str),
) -> Option<String> {
    let ticker = &former.ticker;
    if let Err(error) = Instrument::validate_symbol(ticker) {
        return Some(error.to_string());
    }
    if ticker == later {
        return Some(format!(
            "found {ticker}, and so is the ticker after it; name the one that was given up, or take the entry out"
        ));
    }
    let of_class = system.universe.iter().filter(|other| other.class == one.class);
    let mut tickers = of_class.flat_map(InstrumentConfig::tickers);
    let other = tickers.find(|other| other.eq_ignore_ascii_case(ticker) && other != ticker)?;
    Some(format!(
        "found {ticker}, but the universe has {other} as well, and the lake knows one of the two; write both as the lake does"
    ))
}

fn from_problem(former: &FormerTicker, before: Option<NaiveDate>) -> Option<String> {
    let (from, until) = (former.from?, former.until);
    if from > until {
        return Some(format!(
            "found {from}, but the ticker was in use until {until}; give its first date, which is not after `until`"
        ));
    }
    let before = before.filter(|before| from <= *before)?;
    Some(format!(
        "found {from}, but the ticker before it was in use until {before}; give a later date, or leave `from` out for the day \
         after"
    ))
}

fn until_problem(former: &FormerTicker, before: Option<NaiveDate>) -> Option<String> {
    let until = former.until;
    let before = before.filter(|before| until <= *before)?;
    Some(format!(
        "found {until}, but the ticker before it was in use until {before}; list former tickers oldest first, each until a \
         later date than the one before"
    ))
}

fn units_problem(one: &InstrumentConfig, units: f64) -> Option<String> {
    let is_whole = one.prices == PricesConfig::Adjusted || ratio_of(units.recip()).is_some();
    (!is_whole).then(|| {
        format!(
            "found {units}, but {} is on raw prices, where positions are split; allowed are ratios of whole numbers with at most \
             1000 old units, such as 100 or 0.5",
            one.symbol
        )
    })
}

/// Two instruments on the same bars would be one position counted twice.
fn check_shared(
    index: usize,
    one: &InstrumentConfig,
    other: &InstrumentConfig,
    note: &mut dyn FnMut(String),
) {
    if one.class != other.class || one.symbol == other.symbol {
        return;
    }
    let (spans, others) = (one.spans(), other.spans());
    let pairs = spans
        .iter()
        .flat_map(|span| others.iter().map(move |other| (span, other)));
    for (span, other_span) in pairs.filter(|(span, other)| span.ticker == other.ticker) {
        if let Some(dates) = common_dates(span, other_span) {
            note(format!(
                "universe.{index}: {} and {} both run on the bars of {}{dates}, which would count one security twice; take one of \
                 them out, or correct the dates of `formerly`",
                other.symbol, one.symbol, span.ticker
            ));
        }
    }
}

/// The dates that two spans have in common, in words; `None` where there are none.
fn common_dates(one: &TickerSpan, other: &TickerSpan) -> Option<String> {
    let first = one.first.max(other.first);
    let last = match (one.last, other.last) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    match (first, last) {
        (Some(first), Some(last)) => (first <= last).then(|| format!(" from {first} to {last}")),
        (Some(first), None) => Some(format!(" from {first} on")),
        (None, Some(last)) => Some(format!(" until {last}")),
        (None, None) => Some(String::new()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use super::*;
    use crate::config::{ConfigSource, load};

    /// What is said about a universe whose first instrument has these keys, and whose second one is QQQ.
    fn problems(keys: &str) -> Vec<String> {
        let share = |symbol: &str, keys: &str| {
            format!(
                "{{symbol: {symbol}, class: equity, timeframes: [1D, 4H], execution: 4H, price_tick: 0.0001, lot_size: 1{keys}}}"
            )
        };
        let coin = |symbol: &str| {
            format!(
                "{{symbol: {symbol}, class: crypto, timeframes: [1D, 4H], execution: 4H, price_tick: 0.01, lot_size: 0.001}}"
            )
        };
        let universe = [
            share("SPY", keys),
            share("QQQ", ""),
            coin("BTC-USD"),
            coin("ETH-USD"),
        ];
        let loaded = load(&ConfigSource {
            file: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/base/system.yaml"),
            overrides: vec![format!("universe=[{}]", universe.join(", "))],
        });
        loaded.err().map_or(Vec::new(), |error| error.problems)
    }

    fn assert_problem(keys: &str, parts: &[&str]) {
        let found = problems(keys);
        let fits = |problem: &&String| parts.iter().all(|part| problem.contains(part));
        assert_eq!(
            found.iter().filter(fits).count(),
            1,
            "{parts:?} once in {found:#?}"
        );
    }

    #[test]
    fn former_tickers_that_can_be_are_accepted() {
        for keys in [
            "",
            ", formerly: [{ticker: ABC, until: 2015-03-31}]",
            ", formerly: [{ticker: ABC, from: 2015-03-31, until: 2015-03-31}, {ticker: DEF, from: 2015-04-01, until: 2016-03-31}]",
            ", formerly: [{ticker: ABC, until: 2015-03-31, units: 100}, {ticker: DEF, until: 2016-03-31}]",
            // A ticker that was given up and taken again, and one of another class.
            ", formerly: [{ticker: SPY, until: 2015-03-31}, {ticker: BTC-USD, until: 2016-03-31}]",
            ", prices: raw, formerly: [{ticker: ABC, until: 2015-03-31, units: 100}]",
        ] {
            assert_eq!(problems(keys), [""; 0], "{keys}");
        }
    }

    #[test]
    fn former_tickers_that_cannot_be_are_named() {
        let at = "universe.0.formerly.0";
        assert_problem(
            ", formerly: [{ticker: '', until: 2015-03-31}]",
            &[at, "ticker", "\"\""],
        );
        assert_problem(
            ", formerly: [{ticker: a/b, until: 2015-03-31}]",
            &[at, "ticker", "a/b"],
        );
        assert_problem(
            ", formerly: [{ticker: ABC, until: yesterday}]",
            &[at, "until", "yesterday", "2020-12-31"],
        );
        assert_problem(
            ", formerly: [{ticker: SPY, until: 2015-03-31}]",
            &["universe.0.formerly.0.ticker", "found SPY", "the ticker after it"],
        );
        for (found, other) in [("spy", "SPY"), ("Qqq", "QQQ")] {
            assert_problem(
                &format!(", formerly: [{{ticker: {found}, until: 2015-03-31}}]"),
                &[
                    "universe.0.formerly.0.ticker",
                    &format!("found {found}"),
                    other,
                    "as the lake does",
                ],
            );
        }
        assert_problem(
            ", formerly: [{ticker: ABC, from: 2015-04-01, until: 2015-03-31}]",
            &["universe.0.formerly.0.from: found 2015-04-01", "until 2015-03-31"],
        );
        let overlap = "{ticker: ABC, until: 2015-03-31}, {ticker: DEF, from: 2015-03-31, until: 2016-03-31}";
        assert_problem(
            &format!(", formerly: [{overlap}]"),
            &[
                "universe.0.formerly.1.from: found 2015-03-31",
                "the ticker before it was in use until 2015-03-31",
            ],
        );
        let dates = "{ticker: ABC, until: 2015-03-31}, {ticker: DEF, until: 2015-03-31}";
        assert_problem(
            &format!(", formerly: [{dates}]"),
            &[
                "universe.0.formerly.1.until: found 2015-03-31",
                "until 2015-03-31",
                "oldest first",
            ],
        );
        for units in ["0", "-100"] {
            assert_problem(
                &format!(", formerly: [{{ticker: ABC, until: 2015-03-31, units: {units}}}]"),
                &[at, "units", units, "smallest value allowed"],
            );
        }
        assert_problem(
            ", prices: raw, formerly: [{ticker: ABC, until: 2015-03-31, units: 12345.6}]",
            &["universe.0.formerly.0.units: found 12345.6", "raw prices", "1000"],
        );
        assert_problem(", formerly: [{ticker: ABC}]", &[at, "until", "is missing"]);
    }

    #[test]
    fn one_security_is_not_counted_twice() {
        assert_problem(
            ", formerly: [{ticker: QQQ, until: 2015-03-31}]",
            &[
                "SPY and QQQ both run on the bars of QQQ until 2015-03-31",
                "twice",
            ],
        );
        let between = "{ticker: ABC, until: 2014-12-31}, {ticker: QQQ, until: 2015-03-31}";
        assert_problem(
            &format!(", formerly: [{between}]"),
            &["on the bars of QQQ from 2015-01-01 to 2015-03-31"],
        );
    }

    #[test]
    fn a_first_date_leaves_earlier_bars_to_another_security() {
        assert_problem(
            ", formerly: [{ticker: QQQ, from: 2016-01-01, until: 2017-03-31}]",
            &["SPY and QQQ both run on the bars of QQQ from 2016-01-01 to 2017-03-31"],
        );
        let yaml = "{symbol: META, class: equity, timeframes: [1D], execution: 1D, price_tick: 0.01, lot_size: 1, formerly: \
                    [{ticker: FB, from: 2012-05-18, until: 2022-06-08}]}";
        let one: InstrumentConfig = serde_saphyr::from_str(yaml).unwrap();
        let spans: Vec<String> = one.spans().iter().map(TickerSpan::to_string).collect();
        assert_eq!(
            spans,
            ["FB from 2012-05-18 to 2022-06-08", "META from 2022-06-09 on"]
        );
    }

    #[test]
    fn spans_follow_each_other_without_a_day_between() {
        let yaml = "{symbol: C, class: equity, timeframes: [1D], execution: 1D, price_tick: 0.01, lot_size: 1, formerly: \
                    [{ticker: A, until: 2015-03-31}, {ticker: B, until: 2016-03-31}, {ticker: A, until: 2017-03-31}]}";
        let one: InstrumentConfig = serde_saphyr::from_str(yaml).unwrap();
        let spans: Vec<String> = one.spans().iter().map(TickerSpan::to_string).collect();
        assert_eq!(
            spans,
            [
                "A to 2015-03-31",
                "B from 2015-04-01 to 2016-03-31",
                "A from 2016-04-01 to 2017-03-31",
                "C from 2017-04-01 on",
            ]
        );
        assert_eq!(one.tickers(), ["A", "B", "C"]);
        let renames: Vec<(&str, &str)> = one
            .renames()
            .map(|(former, later)| (former.ticker.as_str(), later))
            .collect();
        assert_eq!(renames, [("A", "B"), ("B", "A"), ("A", "C")]);
    }
}
