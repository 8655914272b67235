//! The entries of the registry.

use super::{FeatureEntry, Inputs, Memory, Parameter, ParameterKind, WarmUp};
use crate::operators::{
    Atr, Beta, BollingerBand, Correlation, Drawdown, Ema, Momentum, RateOfChange, RealisedVolatility,
    RollingHigh, RollingLow, RollingMax, RollingMin, Rsi, Sma, TrueRange, VolatilityPercentile, ZScore,
};

const PERIOD: WarmUp = WarmUp {
    parameters: &["period"],
    bars: 0,
};
const PERIOD_AND_ONE: WarmUp = WarmUp {
    parameters: &["period"],
    bars: 1,
};

/// The longest window. A bound keeps a mistyped period from asking for all memory.
const LONGEST: f64 = 100_000.0;

pub(super) static ENTRIES: [FeatureEntry; 20] = [
    FeatureEntry {
        name: "sma",
        formula: "the mean of the last `period` closes",
        inputs: Inputs::Close,
        parameters: &[period(20.0, 1.0, "closes averaged")],
        warm_up: PERIOD,
        memory: Memory::Windowed,
        version: 1,
        source: "TA-Lib SMA",
        build: |values| Box::new(Sma::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "ema",
        formula: "ema[t] = ema[t-1] + 2 / (period + 1) * (close[t] - ema[t-1]), starting with the mean of the first \
                  `period` closes",
        inputs: Inputs::Close,
        parameters: &[period(20.0, 1.0, "closes in the first mean; sets the decay")],
        warm_up: PERIOD,
        memory: Memory::Exponential,
        version: 1,
        source: "TA-Lib EMA",
        build: |values| Box::new(Ema::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "rsi",
        formula: "100 * g / (g + l), where g and l are the Wilder averages of the rises and the falls of the close: \
                  avg[t] = (avg[t-1] * (period - 1) + x[t]) / period, starting with the mean of the first `period`; \
                  0 where no close has ever moved",
        inputs: Inputs::Close,
        parameters: &[period(14.0, 2.0, "changes in the first mean; sets the decay")],
        warm_up: PERIOD_AND_ONE,
        memory: Memory::Wilder,
        version: 1,
        source: "Wilder 1978; TA-Lib RSI",
        build: |values| Box::new(Rsi::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "bollinger_upper",
        formula: "sma(period) + width * s, where s is the population standard deviation of the last `period` closes",
        inputs: Inputs::Close,
        parameters: &[period(20.0, 2.0, "closes in the window"), WIDTH],
        warm_up: PERIOD,
        memory: Memory::Windowed,
        version: 1,
        source: "Bollinger 2001; TA-Lib BBANDS with SMA",
        build: |values| Box::new(BollingerBand::new(whole(values[0]), values[1])),
    },
    FeatureEntry {
        name: "bollinger_middle",
        formula: "sma(period); width does not enter and is taken only so that all bands can be given the same parameters",
        inputs: Inputs::Close,
        parameters: &[period(20.0, 2.0, "closes in the window"), WIDTH],
        warm_up: PERIOD,
        memory: Memory::Windowed,
        version: 1,
        source: "Bollinger 2001; TA-Lib BBANDS with SMA",
        build: |values| Box::new(Sma::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "bollinger_lower",
        formula: "sma(period) - width * s, where s is the population standard deviation of the last `period` closes",
        inputs: Inputs::Close,
        parameters: &[period(20.0, 2.0, "closes in the window"), WIDTH],
        warm_up: PERIOD,
        memory: Memory::Windowed,
        version: 1,
        source: "Bollinger 2001; TA-Lib BBANDS with SMA",
        build: |values| Box::new(BollingerBand::new(whole(values[0]), -values[1])),
    },
    FeatureEntry {
        name: "momentum",
        formula: "close / close[period bars ago] - 1",
        inputs: Inputs::Close,
        parameters: &[period(20.0, 1.0, "bars looked back")],
        warm_up: PERIOD_AND_ONE,
        memory: Memory::Windowed,
        version: 1,
        source: "TA-Lib ROCP",
        build: |values| Box::new(Momentum::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "roc",
        formula: "100 * (close / close[period bars ago] - 1)",
        inputs: Inputs::Close,
        parameters: &[period(20.0, 1.0, "bars looked back")],
        warm_up: PERIOD_AND_ONE,
        memory: Memory::Windowed,
        version: 1,
        source: "TA-Lib ROC",
        build: |values| Box::new(RateOfChange::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "realised_volatility",
        formula: "the sample standard deviation of the last `period` log returns ln(close / last close), times the \
                  square root of periods_per_year",
        inputs: Inputs::Close,
        parameters: &[period(20.0, 2.0, "returns in the window"), PERIODS_PER_YEAR],
        warm_up: PERIOD_AND_ONE,
        memory: Memory::Windowed,
        version: 1,
        source: "Hull, Options, Futures and Other Derivatives, estimating volatility from historical data",
        build: |values| Box::new(RealisedVolatility::new(whole(values[0]), values[1])),
    },
    FeatureEntry {
        name: "volatility_percentile",
        formula: "the share of the last `lookback` values of realised_volatility(period, periods_per_year), the newest \
                  one aside, that lie below the newest, equal ones counting half: 0 is the lowest, 1 the highest; \
                  periods_per_year cancels out and is taken only so that both features can be given the same \
                  parameters",
        inputs: Inputs::Close,
        parameters: &[
            period(20.0, 2.0, "returns in the window of the volatility"),
            LOOKBACK,
            PERIODS_PER_YEAR,
        ],
        warm_up: WarmUp {
            parameters: &["period", "lookback"],
            bars: 0,
        },
        memory: Memory::Windowed,
        version: 1,
        source: "percentile rank with the mean rank for ties",
        build: |values| Box::new(VolatilityPercentile::new(whole(values[0]), whole(values[1]))),
    },
    FeatureEntry {
        name: "rolling_max",
        formula: "the highest of the last `period` closes",
        inputs: Inputs::Close,
        parameters: &[period(20.0, 1.0, "closes in the window")],
        warm_up: PERIOD,
        memory: Memory::Windowed,
        version: 1,
        source: "TA-Lib MAX",
        build: |values| Box::new(RollingMax::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "rolling_min",
        formula: "the lowest of the last `period` closes",
        inputs: Inputs::Close,
        parameters: &[period(20.0, 1.0, "closes in the window")],
        warm_up: PERIOD,
        memory: Memory::Windowed,
        version: 1,
        source: "TA-Lib MIN",
        build: |values| Box::new(RollingMin::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "drawdown",
        formula: "close / rolling_max(period) - 1, at most 0",
        inputs: Inputs::Close,
        parameters: &[period(252.0, 1.0, "closes in the window of the high")],
        warm_up: PERIOD,
        memory: Memory::Windowed,
        version: 1,
        source: "close against TA-Lib MAX",
        build: |values| Box::new(Drawdown::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "zscore",
        formula: "(close - sma(period)) / s, where s is the population standard deviation of the last `period` closes; \
                  undefined where all of them are equal",
        inputs: Inputs::Close,
        parameters: &[period(20.0, 2.0, "closes in the window")],
        warm_up: PERIOD,
        memory: Memory::Windowed,
        version: 1,
        source: "standard score; TA-Lib SMA and STDDEV",
        build: |values| Box::new(ZScore::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "true_range",
        formula: "the largest of high - low, |high - last close| and |low - last close|",
        inputs: Inputs::Bars,
        parameters: &[],
        warm_up: WarmUp {
            parameters: &[],
            bars: 2,
        },
        memory: Memory::Windowed,
        version: 1,
        source: "Wilder 1978; TA-Lib TRANGE",
        build: |_| Box::new(TrueRange::new()),
    },
    FeatureEntry {
        name: "atr",
        formula: "the Wilder average of true_range: atr[t] = (atr[t-1] * (period - 1) + true_range[t]) / period, \
                  starting with the mean of the first `period` ranges",
        inputs: Inputs::Bars,
        parameters: &[period(14.0, 1.0, "ranges in the first mean; sets the decay")],
        warm_up: PERIOD_AND_ONE,
        memory: Memory::Wilder,
        version: 1,
        source: "Wilder 1978; TA-Lib ATR",
        build: |values| Box::new(Atr::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "rolling_high",
        formula: "the highest high of the last `period` bars",
        inputs: Inputs::Bars,
        parameters: &[period(20.0, 1.0, "bars in the window")],
        warm_up: PERIOD,
        memory: Memory::Windowed,
        version: 1,
        source: "TA-Lib MAX of high",
        build: |values| Box::new(RollingHigh::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "rolling_low",
        formula: "the lowest low of the last `period` bars",
        inputs: Inputs::Bars,
        parameters: &[period(20.0, 1.0, "bars in the window")],
        warm_up: PERIOD,
        memory: Memory::Windowed,
        version: 1,
        source: "TA-Lib MIN of low",
        build: |values| Box::new(RollingLow::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "beta",
        formula: "cov(a, b) / var(b) over the last `period` simple returns a of the asset and b of the benchmark \
                  between closes of the asset; undefined where all b are equal",
        inputs: Inputs::AssetAndBenchmark,
        parameters: &[period(60.0, 2.0, "returns in the window")],
        warm_up: PERIOD_AND_ONE,
        memory: Memory::Windowed,
        version: 1,
        source: "Sharpe 1964; ordinary least squares slope",
        build: |values| Box::new(Beta::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "correlation",
        formula: "cov(a, b) / sqrt(var(a) * var(b)) over the last `period` simple returns a of the asset and b of the \
                  benchmark between closes of the asset; undefined where all a or all b are equal",
        inputs: Inputs::AssetAndBenchmark,
        parameters: &[period(60.0, 2.0, "returns in the window")],
        warm_up: PERIOD_AND_ONE,
        memory: Memory::Windowed,
        version: 1,
        source: "Pearson; TA-Lib CORREL of returns",
        build: |values| Box::new(Correlation::new(whole(values[0]))),
    },
];

const WIDTH: Parameter = Parameter {
    name: "width",
    meaning: "standard deviations between the middle and a band",
    kind: ParameterKind::Real,
    default: 2.0,
    min: 0.0,
    max: 100.0,
};

/// At most the minutes of a year.
const PERIODS_PER_YEAR: Parameter = Parameter {
    name: "periods_per_year",
    meaning: "bars in a year",
    kind: ParameterKind::Real,
    default: 252.0,
    min: 1.0,
    max: 527_040.0,
};

/// Bounded because a step moves up to `lookback` numbers in memory.
const LOOKBACK: Parameter = Parameter {
    name: "lookback",
    meaning: "volatilities ranked against each other",
    kind: ParameterKind::Whole,
    default: 252.0,
    min: 2.0,
    max: 10_000.0,
};

const fn period(default: f64, min: f64, meaning: &'static str) -> Parameter {
    Parameter {
        name: "period",
        meaning,
        kind: ParameterKind::Whole,
        default,
        min,
        max: LONGEST,
    }
}

/// A parameter that was checked to be a whole number within its range.
fn whole(value: f64) -> usize {
    value as usize
}
