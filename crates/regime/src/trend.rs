//! Bull, neutral or bear, from an index against its means and its drawdown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sextant_domain::{
    CryptoRegime, EquityRegime, FeatureRef, MarketView, Requirements, SeriesRef, Timeframe,
};

use crate::config::{AGE_DAYS, Checks, FRACTION, PERIOD};
use crate::inputs::{Recorder, fresh_close};

/// How the equity trend is decided, on the daily bars of an index.
///
/// * `bull`: the close is above the slow mean, the fast mean is above the slow one, and the drawdown is smaller than
///   `bull_max_drawdown`.
/// * `bear`: the close is below the slow mean, and the fast mean is below the slow one or the drawdown is at least
///   `bear_min_drawdown`.
/// * `neutral` otherwise.
///
/// The drawdown is the distance of the close from the highest close of the lookback, as a fraction of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EquityRegimeConfig {
    /// The index: an instrument of the run with daily bars.
    pub symbol: String,
    /// Period of the fast moving average, in daily bars. Must be below `slow_ma_period`.
    #[serde(default = "default::fast_ma_period")]
    #[schemars(range(min = *PERIOD.start(), max = *PERIOD.end()))]
    pub fast_ma_period: u32,
    /// Period of the slow moving average, in daily bars.
    #[serde(default = "default::slow_ma_period")]
    #[schemars(range(min = *PERIOD.start(), max = *PERIOD.end()))]
    pub slow_ma_period: u32,
    /// How many daily bars the drawdown looks back for the highest close.
    #[serde(default = "default::equity_drawdown_lookback_days")]
    #[schemars(range(min = *PERIOD.start(), max = *PERIOD.end()))]
    pub drawdown_lookback_days: u32,
    /// Drawdown, as a positive fraction, from which on the market is no bull market. At most `bear_min_drawdown`.
    #[serde(default = "default::equity_bull_max_drawdown")]
    #[schemars(range(min = *FRACTION.start(), max = *FRACTION.end()))]
    pub bull_max_drawdown: f64,
    /// Drawdown, as a positive fraction, from which on a close below the slow mean makes a bear market.
    #[serde(default = "default::equity_bear_min_drawdown")]
    #[schemars(range(min = *FRACTION.start(), max = *FRACTION.end()))]
    pub bear_min_drawdown: f64,
    /// How many days old the newest daily bar may be; older, and the label is `unknown`.
    #[serde(default = "default::equity_max_age_days")]
    #[schemars(range(min = *AGE_DAYS.start(), max = *AGE_DAYS.end()))]
    pub max_age_days: u32,
}

/// How the crypto trend is decided, on the daily bars of a crypto asset.
///
/// The rule is that of the equity trend; only the default thresholds differ, because crypto assets fall deeper in good
/// times and trade every day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CryptoRegimeConfig {
    /// The crypto asset that stands for the market: an instrument of the run with daily bars.
    pub symbol: String,
    /// Period of the fast moving average, in daily bars. Must be below `slow_ma_period`.
    #[serde(default = "default::fast_ma_period")]
    #[schemars(range(min = *PERIOD.start(), max = *PERIOD.end()))]
    pub fast_ma_period: u32,
    /// Period of the slow moving average, in daily bars.
    #[serde(default = "default::slow_ma_period")]
    #[schemars(range(min = *PERIOD.start(), max = *PERIOD.end()))]
    pub slow_ma_period: u32,
    /// How many daily bars the drawdown looks back for the highest close.
    #[serde(default = "default::crypto_drawdown_lookback_days")]
    #[schemars(range(min = *PERIOD.start(), max = *PERIOD.end()))]
    pub drawdown_lookback_days: u32,
    /// Drawdown, as a positive fraction, from which on the market is no bull market. At most `bear_min_drawdown`.
    #[serde(default = "default::crypto_bull_max_drawdown")]
    #[schemars(range(min = *FRACTION.start(), max = *FRACTION.end()))]
    pub bull_max_drawdown: f64,
    /// Drawdown, as a positive fraction, from which on a close below the slow mean makes a bear market.
    #[serde(default = "default::crypto_bear_min_drawdown")]
    #[schemars(range(min = *FRACTION.start(), max = *FRACTION.end()))]
    pub bear_min_drawdown: f64,
    /// How many days old the newest daily bar may be; older, and the label is `unknown`.
    #[serde(default = "default::crypto_max_age_days")]
    #[schemars(range(min = *AGE_DAYS.start(), max = *AGE_DAYS.end()))]
    pub max_age_days: u32,
}

mod default {
    pub(super) fn fast_ma_period() -> u32 {
        50
    }

    pub(super) fn slow_ma_period() -> u32 {
        200
    }

    pub(super) fn equity_drawdown_lookback_days() -> u32 {
        252
    }

    pub(super) fn equity_bull_max_drawdown() -> f64 {
        0.10
    }

    pub(super) fn equity_bear_min_drawdown() -> f64 {
        0.20
    }

    pub(super) fn equity_max_age_days() -> u32 {
        10
    }

    pub(super) fn crypto_drawdown_lookback_days() -> u32 {
        365
    }

    pub(super) fn crypto_bull_max_drawdown() -> f64 {
        0.25
    }

    pub(super) fn crypto_bear_min_drawdown() -> f64 {
        0.40
    }

    pub(super) fn crypto_max_age_days() -> u32 {
        3
    }
}

impl EquityRegimeConfig {
    /// The default thresholds for an index.
    pub fn new(symbol: &str) -> Self {
        Self {
            symbol: symbol.to_owned(),
            fast_ma_period: default::fast_ma_period(),
            slow_ma_period: default::slow_ma_period(),
            drawdown_lookback_days: default::equity_drawdown_lookback_days(),
            bull_max_drawdown: default::equity_bull_max_drawdown(),
            bear_min_drawdown: default::equity_bear_min_drawdown(),
            max_age_days: default::equity_max_age_days(),
        }
    }

    pub(crate) fn settings(&self) -> TrendSettings<'_> {
        TrendSettings {
            symbol: &self.symbol,
            fast_ma_period: self.fast_ma_period,
            slow_ma_period: self.slow_ma_period,
            drawdown_lookback_days: self.drawdown_lookback_days,
            bull_max_drawdown: self.bull_max_drawdown,
            bear_min_drawdown: self.bear_min_drawdown,
            max_age_days: self.max_age_days,
        }
    }
}

impl CryptoRegimeConfig {
    /// The default thresholds for a crypto asset.
    pub fn new(symbol: &str) -> Self {
        Self {
            symbol: symbol.to_owned(),
            fast_ma_period: default::fast_ma_period(),
            slow_ma_period: default::slow_ma_period(),
            drawdown_lookback_days: default::crypto_drawdown_lookback_days(),
            bull_max_drawdown: default::crypto_bull_max_drawdown(),
            bear_min_drawdown: default::crypto_bear_min_drawdown(),
            max_age_days: default::crypto_max_age_days(),
        }
    }

    pub(crate) fn settings(&self) -> TrendSettings<'_> {
        TrendSettings {
            symbol: &self.symbol,
            fast_ma_period: self.fast_ma_period,
            slow_ma_period: self.slow_ma_period,
            drawdown_lookback_days: self.drawdown_lookback_days,
            bull_max_drawdown: self.bull_max_drawdown,
            bear_min_drawdown: self.bear_min_drawdown,
            max_age_days: self.max_age_days,
        }
    }
}

/// What both trends have in common: the two configs differ in their defaults alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrendSettings<'a> {
    symbol: &'a str,
    fast_ma_period: u32,
    slow_ma_period: u32,
    drawdown_lookback_days: u32,
    bull_max_drawdown: f64,
    bear_min_drawdown: f64,
    max_age_days: u32,
}

impl TrendSettings<'_> {
    pub(crate) fn check(&self, checks: &mut Checks) {
        checks.symbol("symbol", self.symbol);
        checks.range("fast_ma_period", self.fast_ma_period, PERIOD);
        checks.range("slow_ma_period", self.slow_ma_period, PERIOD);
        checks.below(
            ("fast_ma_period", self.fast_ma_period),
            ("slow_ma_period", self.slow_ma_period),
        );
        checks.range("drawdown_lookback_days", self.drawdown_lookback_days, PERIOD);
        checks.range("bull_max_drawdown", self.bull_max_drawdown, FRACTION);
        checks.range("bear_min_drawdown", self.bear_min_drawdown, FRACTION);
        checks.at_most(
            ("bull_max_drawdown", self.bull_max_drawdown),
            ("bear_min_drawdown", self.bear_min_drawdown),
        );
        checks.range("max_age_days", self.max_age_days, AGE_DAYS);
    }
}

/// The direction of a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trend {
    Bull,
    Neutral,
    Bear,
}

pub(crate) fn equity_label(trend: Option<Trend>) -> EquityRegime {
    match trend {
        Some(Trend::Bull) => EquityRegime::Bull,
        Some(Trend::Neutral) => EquityRegime::Neutral,
        Some(Trend::Bear) => EquityRegime::Bear,
        None => EquityRegime::Unknown,
    }
}

pub(crate) fn crypto_label(trend: Option<Trend>) -> CryptoRegime {
    match trend {
        Some(Trend::Bull) => CryptoRegime::Bull,
        Some(Trend::Neutral) => CryptoRegime::Neutral,
        Some(Trend::Bear) => CryptoRegime::Bear,
        None => CryptoRegime::Unknown,
    }
}

/// The rule, bound to the features it reads.
#[derive(Debug)]
pub(crate) struct TrendRule {
    daily: SeriesRef,
    fast_mean: FeatureRef,
    slow_mean: FeatureRef,
    drawdown: FeatureRef,
    bull_max_drawdown: f64,
    bear_min_drawdown: f64,
    max_age_days: u32,
}

impl TrendRule {
    pub(crate) fn new(settings: TrendSettings<'_>, requirements: &mut Requirements) -> Self {
        let daily = requirements.series(settings.symbol, Timeframe::D1);
        let mut feature =
            |name: &str, period: u32| requirements.feature(name, &[("period", f64::from(period))], daily);
        Self {
            daily,
            fast_mean: feature("sma", settings.fast_ma_period),
            slow_mean: feature("sma", settings.slow_ma_period),
            drawdown: feature("drawdown", settings.drawdown_lookback_days),
            bull_max_drawdown: settings.bull_max_drawdown,
            bear_min_drawdown: settings.bear_min_drawdown,
            max_age_days: settings.max_age_days,
        }
    }

    /// The trend; `None` when an input is missing. A close that is too old takes the features of its bar with it.
    pub(crate) fn trend(&self, view: &MarketView<'_>, mut recorder: Recorder<'_>) -> Option<Trend> {
        let close = fresh_close(view, self.daily, self.max_age_days);
        let feature = |reference| close.and_then(|_| view.feature(reference));
        let (fast, slow) = (feature(self.fast_mean), feature(self.slow_mean));
        let drawdown = feature(self.drawdown);
        recorder.note("close", close);
        recorder.note("fast_mean", fast);
        recorder.note("slow_mean", slow);
        recorder.note("drawdown", drawdown);
        Some(self.decide(close?, [fast?, slow?], drawdown?))
    }

    /// `drawdown` is zero or negative, as the feature gives it.
    fn decide(&self, close: f64, [fast, slow]: [f64; 2], drawdown: f64) -> Trend {
        if close > slow && fast > slow && drawdown > -self.bull_max_drawdown {
            return Trend::Bull;
        }
        if close < slow && (fast < slow || drawdown <= -self.bear_min_drawdown) {
            return Trend::Bear;
        }
        Trend::Neutral
    }
}

#[cfg(test)]
mod tests {
    use sextant_domain::{RegimeDimension, RegimeInput};
    use sextant_testkit::bars::{daily_sessions, instant, round_the_clock};
    use sextant_testkit::{FixedFeatures, MarketBuilder, RegimeStep, Replay};

    use super::*;
    use crate::{RegimeConfig, RuleRegimeDetector};

    const NAN: f64 = f64::NAN;

    /// One daily bar: close, fast mean, slow mean, drawdown.
    type Day = [f64; 4];

    fn columns(mut features: FixedFeatures, symbol: &str, lookback_days: u32, days: &[Day]) -> FixedFeatures {
        let drawdown = format!("drawdown(period={lookback_days})");
        for (name, field) in [
            ("sma(period=50)", 1),
            ("sma(period=200)", 2),
            (drawdown.as_str(), 3),
        ] {
            let column = days.iter().map(|day| day[field]).collect();
            features = features.with(symbol, Timeframe::D1, name, column);
        }
        features
    }

    fn equity_steps(days: &[Day]) -> Vec<RegimeStep> {
        let closes: Vec<_> = days.iter().map(|day| day[0]).collect();
        let spans = daily_sessions(instant("2020-01-06"), days.len());
        let market = MarketBuilder::new()
            .equity("SPY", Timeframe::D1)
            .closes("SPY", Timeframe::D1, &spans, &closes)
            .build();
        let config = RegimeConfig {
            equity: Some(EquityRegimeConfig::new("SPY")),
            ..RegimeConfig::default()
        };
        let mut detector = RuleRegimeDetector::new(&config).unwrap();
        let mut features = columns(FixedFeatures::new(), "SPY", 252, days);
        Replay::new(&market, &mut features).regimes(&mut detector)
    }

    #[test]
    fn the_equity_trend_follows_its_rule() {
        use EquityRegime::{Bear, Bull, Neutral, Unknown};
        let rows: [(&str, Day, EquityRegime); 14] = [
            ("all in favour", [110.0, 105.0, 100.0, -0.05], Bull),
            ("at its high", [110.0, 105.0, 100.0, 0.0], Bull),
            (
                "the drawdown has reached the limit",
                [110.0, 105.0, 100.0, -0.10],
                Neutral,
            ),
            ("the fast mean is below", [110.0, 95.0, 100.0, -0.05], Neutral),
            ("the means are equal", [110.0, 100.0, 100.0, -0.05], Neutral),
            (
                "close and slow mean are equal",
                [100.0, 105.0, 100.0, -0.05],
                Neutral,
            ),
            (
                "below, but the means are not",
                [95.0, 105.0, 100.0, -0.15],
                Neutral,
            ),
            ("below, with a deep drawdown", [95.0, 105.0, 100.0, -0.20], Bear),
            ("below, with the fast mean", [95.0, 99.0, 100.0, -0.05], Bear),
            (
                "a deep drawdown above the mean",
                [110.0, 95.0, 100.0, -0.30],
                Neutral,
            ),
            ("no fast mean", [110.0, NAN, 100.0, -0.05], Unknown),
            ("no slow mean", [110.0, 105.0, NAN, -0.05], Unknown),
            ("no drawdown", [110.0, 105.0, 100.0, NAN], Unknown),
            ("nothing", [110.0, NAN, NAN, NAN], Unknown),
        ];
        for (name, day, label) in rows {
            assert_eq!(equity_steps(&[day])[0].estimate.equity, label, "{name}");
        }
    }

    #[test]
    fn labels_have_no_memory() {
        let (bull, bear): (Day, Day) = ([110.0, 105.0, 100.0, -0.05], [95.0, 99.0, 100.0, -0.05]);
        let labels: Vec<_> = equity_steps(&[bull, bear, bull])
            .iter()
            .map(|step| step.estimate.equity)
            .collect();
        assert_eq!(
            labels,
            [EquityRegime::Bull, EquityRegime::Bear, EquityRegime::Bull]
        );
    }

    #[test]
    fn every_input_is_recorded_and_missing_ones_as_missing() {
        let steps = equity_steps(&[[110.0, NAN, 100.0, -0.05]]);
        let input = |name, value| RegimeInput {
            dimension: RegimeDimension::Equity,
            name,
            value,
        };
        let expected = [
            input("close", Some(110.0)),
            input("fast_mean", None),
            input("slow_mean", Some(100.0)),
            input("drawdown", Some(-0.05)),
        ];
        assert_eq!(steps[0].inputs, expected);
    }

    #[test]
    fn the_crypto_trend_has_its_own_thresholds() {
        use CryptoRegime::{Bear, Bull, Neutral};
        let days: [Day; 4] = [
            [110.0, 105.0, 100.0, -0.24],
            [110.0, 105.0, 100.0, -0.25],
            [95.0, 105.0, 100.0, -0.39],
            [95.0, 105.0, 100.0, -0.40],
        ];
        let spans = round_the_clock(instant("2020-01-01"), Timeframe::D1, days.len());
        let closes = days.map(|day| day[0]);
        let market = MarketBuilder::new()
            .crypto("BTC-USD", Timeframe::D1)
            .closes("BTC-USD", Timeframe::D1, &spans, &closes)
            .build();
        let config = RegimeConfig {
            crypto: Some(CryptoRegimeConfig::new("BTC-USD")),
            ..RegimeConfig::default()
        };
        let mut features = columns(FixedFeatures::new(), "BTC-USD", 365, &days);
        let mut detector = RuleRegimeDetector::new(&config).unwrap();
        let steps = Replay::new(&market, &mut features).regimes(&mut detector);
        let labels: Vec<_> = steps.iter().map(|step| step.estimate.crypto).collect();
        assert_eq!(labels, [Bull, Neutral, Neutral, Bear]);
        assert!(
            steps[0]
                .inputs
                .iter()
                .all(|input| input.dimension == RegimeDimension::Crypto)
        );
    }

    /// The index ends on a Monday; another instrument goes on. Ten days later the label is no longer known.
    #[test]
    fn an_index_that_has_ended_is_unknown() {
        let bull: Day = [110.0, 105.0, 100.0, -0.05];
        let market = MarketBuilder::new()
            .equity("SPY", Timeframe::D1)
            .closes(
                "SPY",
                Timeframe::D1,
                &daily_sessions(instant("2020-01-06"), 1),
                &[110.0],
            )
            .equity("QQQ", Timeframe::D1)
            .closes(
                "QQQ",
                Timeframe::D1,
                &daily_sessions(instant("2020-01-06"), 10),
                &[100.0; 10],
            )
            .build();
        let config = RegimeConfig {
            equity: Some(EquityRegimeConfig::new("SPY")),
            ..RegimeConfig::default()
        };
        let mut detector = RuleRegimeDetector::new(&config).unwrap();
        let mut features = columns(FixedFeatures::new(), "SPY", 252, &[bull]);
        let steps = Replay::new(&market, &mut features).regimes(&mut detector);
        let label = |date: &str| {
            steps
                .iter()
                .find(|step| step.time.date().to_string() == date)
                .map(|step| step.estimate.equity)
        };
        assert_eq!(
            label("2020-01-16"),
            Some(EquityRegime::Bull),
            "ten days to the nanosecond"
        );
        assert_eq!(label("2020-01-17"), Some(EquityRegime::Unknown));
        assert!(
            steps
                .last()
                .unwrap()
                .inputs
                .iter()
                .all(|input| input.value.is_none())
        );
    }
}
