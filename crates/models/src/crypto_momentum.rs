//! Momentum in crypto assets: long what has risen over a short and a long time, else in cash.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{FeatureRef, InstrumentRef, Intents, MarketView, Requirements, SeriesRef, Timeframe};

use crate::parameters::{Checks, LOOKBACK_BARS, ParameterErrors};
use crate::schedule::Rebalance;
use crate::signal::fresh_close;

const REBALANCE_DAYS: RangeInclusive<u32> = 1..=366;

/// Parameters of `CryptoMomentumModel_v1`. Lookbacks count daily bars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CryptoMomentumParameters {
    /// The symbols it may hold, each once.
    #[schemars(length(min = 1))]
    pub universe: Vec<String>,
    /// How many daily bars back the short momentum looks. Must be below `long_lookback`.
    #[serde(default = "default::short_lookback")]
    #[schemars(range(min = *LOOKBACK_BARS.start(), max = *LOOKBACK_BARS.end()))]
    pub short_lookback: u32,
    /// How many daily bars back the long momentum looks. Must be above `short_lookback`.
    #[serde(default = "default::long_lookback")]
    #[schemars(range(min = *LOOKBACK_BARS.start(), max = *LOOKBACK_BARS.end()))]
    pub long_lookback: u32,
    /// Calendar days from one rebalancing to the next.
    #[serde(default = "default::rebalance_days")]
    #[schemars(range(min = *REBALANCE_DAYS.start(), max = *REBALANCE_DAYS.end()))]
    pub rebalance_days: u32,
    /// At which of its decisions it is asked: `each_bar`, `daily`, `weekly` or `monthly`.
    #[serde(default, skip_serializing_if = "Rebalance::is_each_bar")]
    pub rebalance: Rebalance,
}

mod default {
    pub(super) fn short_lookback() -> u32 {
        30
    }

    pub(super) fn long_lookback() -> u32 {
        60
    }

    pub(super) fn rebalance_days() -> u32 {
        7
    }
}

impl CryptoMomentumParameters {
    /// The default parameters for a universe.
    pub fn new(universe: Vec<String>) -> Self {
        Self {
            universe,
            short_lookback: default::short_lookback(),
            long_lookback: default::long_lookback(),
            rebalance_days: default::rebalance_days(),
            rebalance: Rebalance::EachBar,
        }
    }

    fn check(&self) -> Result<(), ParameterErrors> {
        let mut checks = Checks::of(CryptoMomentumModel::NAME);
        checks.universe(&self.universe);
        checks.range("short_lookback", self.short_lookback, LOOKBACK_BARS);
        checks.range("long_lookback", self.long_lookback, LOOKBACK_BARS);
        if self.short_lookback >= self.long_lookback {
            let allowed = format!("below long_lookback, which is {}", self.long_lookback);
            checks.refuse("short_lookback", self.short_lookback, allowed);
        }
        checks.range("rebalance_days", self.rebalance_days, REBALANCE_DAYS);
        checks.rebalance(self.rebalance);
        checks.finish()
    }
}

/// `CryptoMomentumModel_v1`: every `rebalance_days` it holds, in equal parts, what has risen over both lookbacks.
///
/// The calendar is cut into periods of `rebalance_days` days, counted in UTC from 1970-01-01 (a Thursday, so that with
/// seven days a period begins on Thursday at midnight). It rebalances at its first decision in a period, and at the
/// very first decision of a run. From the first full period on, what it holds depends neither on where the history
/// starts nor on where the run does.
///
/// At a rebalancing, instruments whose short and long momentum are both above zero are eligible. Each gets one part in
/// the number of eligible ones, all others get zero: with none eligible everything is in cash, with one it has the
/// whole budget. Targets are given for every instrument with an opinion, changed or not, so that the parts are equal
/// again.
///
/// An instrument without both momenta, or whose newest daily bar is too old, is not eligible and gets no target. If it
/// is one that is held, the whole rebalancing is left out, because equal parts cannot be named without it; the model
/// then tries again in the next period.
#[derive(Debug)]
pub struct CryptoMomentumModel {
    requirements: Requirements,
    rebalance_days: i64,
    /// The number of the period in which it last looked, counted from the epoch.
    last_period: Option<i64>,
    coins: Vec<Coin>,
}

#[derive(Debug)]
struct Coin {
    instrument: InstrumentRef,
    daily: SeriesRef,
    short_momentum: FeatureRef,
    long_momentum: FeatureRef,
    held: bool,
    opinion: Option<Opinion>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opinion {
    Rising,
    NotRising,
}

impl CryptoMomentumModel {
    /// The name under which it is configured and recorded.
    pub const NAME: &'static str = "CryptoMomentumModel_v1";

    /// Checks the parameters and makes the model.
    ///
    /// # Errors
    /// Every parameter that is out of its range, and a `short_lookback` that is not below `long_lookback`.
    pub fn new(parameters: &CryptoMomentumParameters) -> Result<Self, ParameterErrors> {
        parameters.check()?;
        let mut requirements = Requirements::new();
        let coins = parameters
            .universe
            .iter()
            .map(|symbol| Coin::new(symbol, parameters, &mut requirements));
        let coins = coins.collect();
        let rebalance_days = i64::from(parameters.rebalance_days);
        Ok(Self {
            requirements,
            rebalance_days,
            last_period: None,
            coins,
        })
    }

    /// Whether this is the first decision in its period; from then on it is not.
    fn begins_period(&mut self, view: &MarketView<'_>) -> bool {
        let period = view.as_of().day_number().div_euclid(self.rebalance_days);
        self.last_period.replace(period) != Some(period)
    }

    fn rebalance(&mut self, out: &mut Intents) {
        if self.coins.iter().any(|coin| coin.held && coin.opinion.is_none()) {
            return;
        }
        let rising = self
            .coins
            .iter()
            .filter(|coin| coin.opinion == Some(Opinion::Rising))
            .count();
        for coin in &mut self.coins {
            coin.held = coin.opinion == Some(Opinion::Rising);
            match coin.opinion {
                Some(Opinion::Rising) => out.target(coin.instrument, 1.0 / rising as f64),
                Some(Opinion::NotRising) => out.target(coin.instrument, 0.0),
                None => {}
            }
        }
    }
}

impl Coin {
    fn new(symbol: &str, parameters: &CryptoMomentumParameters, requirements: &mut Requirements) -> Self {
        let instrument = requirements.trade(symbol);
        let daily = requirements.series(symbol, Timeframe::D1);
        let mut momentum =
            |lookback: u32| requirements.feature("momentum", &[("period", f64::from(lookback))], daily);
        Self {
            instrument,
            daily,
            short_momentum: momentum(parameters.short_lookback),
            long_momentum: momentum(parameters.long_lookback),
            held: false,
            opinion: None,
        }
    }

    fn judged(&self, view: &MarketView<'_>) -> Option<Opinion> {
        fresh_close(view, self.daily)?;
        let (short, long) = (
            view.feature(self.short_momentum)?,
            view.feature(self.long_momentum)?,
        );
        Some(if short > 0.0 && long > 0.0 {
            Opinion::Rising
        } else {
            Opinion::NotRising
        })
    }
}

impl Model for CryptoMomentumModel {
    fn id(&self) -> &str {
        Self::NAME
    }

    fn requirements(&self) -> &Requirements {
        &self.requirements
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        if self.begins_period(view) {
            for coin in &mut self.coins {
                coin.opinion = coin.judged(view);
            }
            self.rebalance(out);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sextant_domain::MarketData;
    use sextant_testkit::bars::{instant, round_the_clock};
    use sextant_testkit::{Decision, FixedFeatures, MarketBuilder, Replay};

    use super::*;
    use crate::test_market::coins;

    const NAN: f64 = f64::NAN;
    /// A Thursday, on which a period of seven days begins.
    const THURSDAY: &str = "2020-01-02";

    /// One daily bar: short momentum, long momentum.
    type Day = [f64; 2];

    const RISING: Day = [0.1, 0.2];
    const SHORT_ONLY: Day = [0.1, -0.2];
    const LONG_ONLY: Day = [-0.1, 0.2];
    const FLAT: Day = [0.0, 0.2];
    const FALLING: Day = [-0.1, -0.2];
    const NO_LONG: Day = [0.1, NAN];

    fn features_of(table: &[(&str, Vec<Day>)]) -> FixedFeatures {
        let mut features = FixedFeatures::new();
        for (symbol, days) in table {
            for (field, name) in ["momentum(period=30)", "momentum(period=60)"]
                .into_iter()
                .enumerate()
            {
                let column = days.iter().map(|day| day[field]).collect();
                features = features.with(symbol, Timeframe::D1, name, column);
            }
        }
        features
    }

    fn model(symbols: &[&str]) -> CryptoMomentumModel {
        let universe = symbols.iter().map(|symbol| (*symbol).to_owned()).collect();
        CryptoMomentumModel::new(&CryptoMomentumParameters::new(universe)).unwrap()
    }

    fn replayed(market: &MarketData, table: &[(&str, Vec<Day>)], start: &str) -> Vec<Decision> {
        let symbols: Vec<_> = table.iter().map(|(symbol, _)| *symbol).collect();
        let mut features = features_of(table);
        let mut replay = Replay::new(market, &mut features).starting(instant(start));
        replay.decisions(&mut model(&symbols))
    }

    /// Daily bars that close from Thursday 2020-01-02 on.
    fn decisions(table: &[(&str, Vec<Day>)]) -> Vec<Decision> {
        let symbols: Vec<_> = table.iter().map(|(symbol, _)| *symbol).collect();
        let market = coins(&symbols, Timeframe::D1, "2020-01-01", table[0].1.len());
        replayed(&market, table, THURSDAY)
    }

    fn weeks(weeks: &[Day]) -> Vec<Day> {
        weeks.iter().flat_map(|week| [*week; 7]).collect()
    }

    fn weights(decisions: &[Decision]) -> Vec<Vec<f64>> {
        decisions
            .iter()
            .map(|one| one.targets.iter().map(|(_, weight)| *weight).collect())
            .collect()
    }

    #[test]
    fn what_rises_over_both_lookbacks_is_held_in_equal_parts() {
        let rows = [
            ([RISING, RISING], vec![0.5, 0.5]),
            ([RISING, FALLING], vec![1.0, 0.0]),
            ([SHORT_ONLY, RISING], vec![0.0, 1.0]),
            ([LONG_ONLY, RISING], vec![0.0, 1.0]),
            ([FLAT, FALLING], vec![0.0, 0.0]),
        ];
        for ([a, b], expected) in rows {
            let found = decisions(&[("A", weeks(&[a])), ("B", weeks(&[b]))]);
            assert_eq!(weights(&found), [expected], "{a:?} {b:?}");
        }
    }

    #[test]
    fn it_speaks_once_a_period_and_then_of_everything() {
        let found = decisions(&[
            ("A", weeks(&[RISING, RISING, FALLING])),
            ("B", weeks(&[RISING, FALLING, FALLING])),
        ]);
        let times: Vec<_> = found.iter().map(|one| one.time.date().to_string()).collect();
        assert_eq!(times, ["2020-01-02", "2020-01-09", "2020-01-16"]);
        assert_eq!(weights(&found), [[0.5, 0.5], [1.0, 0.0], [0.0, 0.0]]);
    }

    /// A run that begins in the middle of a period trades at once, and from the next period on like every other run.
    #[test]
    fn the_clock_hangs_on_the_calendar_and_not_on_the_start() {
        let days = weeks(&[RISING, FALLING, RISING]);
        let table = [("A", days.clone())];
        let market = coins(&["A"], Timeframe::D1, "2020-01-01", days.len());
        let whole = replayed(&market, &table, THURSDAY);
        let late = replayed(&market, &table, "2020-01-05");
        assert_eq!(late[0].time, instant("2020-01-05"));
        assert_eq!(late[1..], whole[1..]);
        let short_history = [("A", days[3..].to_vec())];
        let short_market = coins(&["A"], Timeframe::D1, "2020-01-04", days.len() - 3);
        assert_eq!(replayed(&short_market, &short_history, "2020-01-05"), late);
    }

    /// Decisions fall on 4-hour bars; the first one of a period is that of midnight, when the daily bar has just closed.
    #[test]
    fn a_daily_signal_is_acted_on_at_the_first_execution_bar_of_the_period() {
        let start = instant("2020-01-01");
        let market = MarketBuilder::new()
            .crypto("A", Timeframe::H4)
            .random("A", Timeframe::H4, &round_the_clock(start, Timeframe::H4, 60), 1)
            .random("A", Timeframe::D1, &round_the_clock(start, Timeframe::D1, 10), 2)
            .build();
        let days = [vec![FALLING; 7], vec![RISING; 3]].concat();
        let found = replayed(&market, &[("A", days)], "2020-01-01");
        let spoken: Vec<_> = found
            .iter()
            .map(|one| (one.time.to_string(), one.targets[0].1))
            .collect();
        let expected = [
            ("2020-01-02T00:00:00Z".to_owned(), 0.0),
            ("2020-01-09T00:00:00Z".to_owned(), 1.0),
        ];
        assert_eq!(spoken, expected);
    }

    #[test]
    fn without_a_momentum_there_is_no_opinion() {
        let found = decisions(&[("A", weeks(&[NO_LONG, RISING])), ("B", weeks(&[RISING, RISING]))]);
        assert_eq!(found[0].targets, [("B".to_owned(), 1.0)]);
        assert_eq!(weights(&found)[1], [0.5, 0.5]);
        assert_eq!(decisions(&[("A", weeks(&[NO_LONG, NO_LONG]))]), []);
    }

    #[test]
    fn a_held_one_without_momentum_stops_the_rebalancing() {
        let found = decisions(&[
            ("A", weeks(&[RISING, NO_LONG, RISING])),
            ("B", weeks(&[FALLING, RISING, RISING])),
        ]);
        let spoken: Vec<_> = found.iter().map(|one| one.time.date().to_string()).collect();
        assert_eq!(spoken, ["2020-01-02", "2020-01-16"]);
        assert_eq!(weights(&found), [[1.0, 0.0], [0.5, 0.5]]);
    }

    #[test]
    fn a_series_that_has_ended_gives_no_opinion() {
        let start = instant("2020-01-01");
        let spans = round_the_clock(start, Timeframe::D1, 28);
        let market = MarketBuilder::new()
            .crypto("A", Timeframe::D1)
            .crypto("B", Timeframe::D1)
            .closes("A", Timeframe::D1, &spans[..7], &[100.0; 7])
            .closes("B", Timeframe::D1, &spans, &[100.0; 28])
            .build();
        let table = [("A", vec![RISING; 7]), ("B", vec![RISING; 28])];
        let found = replayed(&market, &table, "2020-01-20");
        assert_eq!(found[0].targets, [("B".to_owned(), 1.0)]);
    }
}
