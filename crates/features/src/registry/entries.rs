//! The entries of the registry.

use super::{FeatureEntry, Inputs, Memory, Parameter, ParameterKind, WarmUp};
use crate::operators::{
    Adx, Atr, Beta, BollingerBand, Correlation, Drawdown, Ema, Macd, MacdSignal, Mfi, MinusDi, Momentum, Obv,
    PlusDi, RateOfChange, RealisedVolatility, RollingHigh, RollingLow, RollingMax, RollingMin, Rsi, Sma,
    StochasticD, StochasticK, TrueRange, VolatilityPercentile, WilliamsR, ZScore,
};

const PERIOD: WarmUp = sum(&["period"], 0);
const PERIOD_AND_ONE: WarmUp = sum(&["period"], 1);

const fn sum(parameters: &'static [&'static str], bars: isize) -> WarmUp {
    WarmUp {
        largest: &[],
        parameters,
        bars,
    }
}

const NO_AVERAGE: &[&[&str]] = &[];
const ONE_AVERAGE: &[&[&str]] = &[&["period"]];

/// The longest window. A bound keeps a mistyped period from asking for all memory.
const LONGEST: f64 = 100_000.0;

pub(super) static ENTRIES: [FeatureEntry; 30] = [
    FeatureEntry {
        name: "sma",
        formula: "the mean of the last `period` closes",
        inputs: Inputs::Close,
        parameters: &[period(20.0, 1.0, "closes averaged")],
        warm_up: PERIOD,
        memory: Memory::Windowed,
        averages: NO_AVERAGE,
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
        averages: ONE_AVERAGE,
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
        averages: ONE_AVERAGE,
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
        averages: NO_AVERAGE,
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
        averages: NO_AVERAGE,
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
        averages: NO_AVERAGE,
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
        averages: NO_AVERAGE,
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
        averages: NO_AVERAGE,
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
        averages: NO_AVERAGE,
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
        warm_up: sum(&["period", "lookback"], 0),
        memory: Memory::Windowed,
        averages: NO_AVERAGE,
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
        averages: NO_AVERAGE,
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
        averages: NO_AVERAGE,
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
        averages: NO_AVERAGE,
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
        averages: NO_AVERAGE,
        version: 1,
        source: "standard score; TA-Lib SMA and STDDEV",
        build: |values| Box::new(ZScore::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "true_range",
        formula: "the largest of high - low, |high - last close| and |low - last close|",
        inputs: Inputs::Bars,
        parameters: &[],
        warm_up: sum(&[], 2),
        memory: Memory::Windowed,
        averages: NO_AVERAGE,
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
        averages: ONE_AVERAGE,
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
        averages: NO_AVERAGE,
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
        averages: NO_AVERAGE,
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
        averages: NO_AVERAGE,
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
        averages: NO_AVERAGE,
        version: 1,
        source: "Pearson; TA-Lib CORREL of returns",
        build: |values| Box::new(Correlation::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "macd",
        formula: "ema(fast) - ema(slow)",
        inputs: Inputs::Close,
        parameters: &[FAST, SLOW],
        warm_up: WarmUp {
            largest: &["fast", "slow"],
            parameters: &[],
            bars: 0,
        },
        memory: Memory::Exponential,
        averages: &[&["fast", "slow"]],
        version: 1,
        source: "Appel 2005; differences of TA-Lib EMA",
        build: |values| Box::new(Macd::new(whole(values[0]), whole(values[1]))),
    },
    FeatureEntry {
        name: "macd_signal",
        formula: "the exponential average of macd(fast, slow) over `signal` values, as ema averages closes",
        inputs: Inputs::Close,
        parameters: &[
            FAST,
            SLOW,
            count(
                "signal",
                9.0,
                "values in the first mean of the signal; sets its decay",
            ),
        ],
        warm_up: WarmUp {
            largest: &["fast", "slow"],
            parameters: &["signal"],
            bars: -1,
        },
        memory: Memory::Exponential,
        averages: &[&["fast", "slow"], &["signal"]],
        version: 1,
        source: "Appel 2005; TA-Lib EMA of differences of EMA",
        build: |values| {
            Box::new(MacdSignal::new(
                whole(values[0]),
                whole(values[1]),
                whole(values[2]),
            ))
        },
    },
    FeatureEntry {
        name: "plus_di",
        formula: "100 * u / r, where u and r are Wilder sums of the rise of the high (where it is above 0 and above the \
                  fall of the low, else 0) and of true_range: s[t] = s[t-1] - s[t-1] / period + x[t], starting with the \
                  sum of the first `period` - 1; undefined where no bar has ever had a range",
        inputs: Inputs::Bars,
        parameters: &[period(14.0, 2.0, "sets the decay of the sums")],
        warm_up: PERIOD_AND_ONE,
        memory: Memory::Wilder,
        averages: ONE_AVERAGE,
        version: 1,
        source: "Wilder 1978; TA-Lib PLUS_DI",
        build: |values| Box::new(PlusDi::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "minus_di",
        formula: "100 * d / r, where d and r are Wilder sums, as in plus_di, of the fall of the low (where it is above 0 \
                  and above the rise of the high, else 0) and of true_range; undefined where no bar has ever had a range",
        inputs: Inputs::Bars,
        parameters: &[period(14.0, 2.0, "sets the decay of the sums")],
        warm_up: PERIOD_AND_ONE,
        memory: Memory::Wilder,
        averages: ONE_AVERAGE,
        version: 1,
        source: "Wilder 1978; TA-Lib MINUS_DI",
        build: |values| Box::new(MinusDi::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "adx",
        formula: "the Wilder average, as in rsi, of 100 * |u - d| / (u + d) with the sums u and d of plus_di and minus_di; \
                  bars before which nothing has moved count as 0",
        inputs: Inputs::Bars,
        parameters: &[period(14.0, 2.0, "sets the decay of the sums and of the average")],
        warm_up: sum(&["period", "period"], 0),
        memory: Memory::Wilder,
        averages: &[&["period"], &["period"]],
        version: 1,
        source: "Wilder 1978; TA-Lib ADX",
        build: |values| Box::new(Adx::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "stochastic_k",
        formula: "the mean of the last `smooth` values of 100 * (close - low) / (high - low), where high is the highest \
                  high and low the lowest low of the last `period` bars; undefined where they are equal",
        inputs: Inputs::Bars,
        parameters: &[period(14.0, 1.0, "bars in the window of the range"), SMOOTH],
        warm_up: sum(&["period", "smooth"], -1),
        memory: Memory::Windowed,
        averages: NO_AVERAGE,
        version: 1,
        source: "Lane; TA-Lib STOCHF and STOCH with simple averages",
        build: |values| Box::new(StochasticK::new(whole(values[0]), whole(values[1]))),
    },
    FeatureEntry {
        name: "stochastic_d",
        formula: "the mean of the last `signal` values of stochastic_k(period, smooth); undefined where one of them is",
        inputs: Inputs::Bars,
        parameters: &[
            period(14.0, 1.0, "bars in the window of the range"),
            SMOOTH,
            count("signal", 3.0, "values of stochastic_k averaged"),
        ],
        warm_up: sum(&["period", "smooth", "signal"], -2),
        memory: Memory::Windowed,
        averages: NO_AVERAGE,
        version: 1,
        source: "Lane; TA-Lib STOCHF and STOCH with simple averages",
        build: |values| {
            Box::new(StochasticD::new(
                whole(values[0]),
                whole(values[1]),
                whole(values[2]),
            ))
        },
    },
    FeatureEntry {
        name: "williams_r",
        formula: "-100 * (high - close) / (high - low), where high is the highest high and low the lowest low of the last \
                  `period` bars; undefined where they are equal",
        inputs: Inputs::Bars,
        parameters: &[period(14.0, 1.0, "bars in the window of the range")],
        warm_up: PERIOD,
        memory: Memory::Windowed,
        averages: NO_AVERAGE,
        version: 1,
        source: "Williams 1973; TA-Lib WILLR",
        build: |values| Box::new(WilliamsR::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "obv",
        formula: "the sum over the last `period` bars of the volume, positive where the close rose, negative where it fell, \
                  0 where it did not move",
        inputs: Inputs::BarsAndVolume,
        parameters: &[period(20.0, 1.0, "changes of the close in the window")],
        warm_up: PERIOD_AND_ONE,
        memory: Memory::Windowed,
        averages: NO_AVERAGE,
        version: 1,
        source: "Granville 1963; differences of TA-Lib OBV",
        build: |values| Box::new(Obv::new(whole(values[0]))),
    },
    FeatureEntry {
        name: "mfi",
        formula: "100 * u / (u + d), where u and d are the sums over the last `period` bars of p * volume on bars whose \
                  typical price p = (high + low + close) / 3 rose and fell by more than 1e-12 of it; undefined where both \
                  are 0",
        inputs: Inputs::BarsAndVolume,
        parameters: &[period(14.0, 2.0, "changes of the typical price in the window")],
        warm_up: PERIOD_AND_ONE,
        memory: Memory::Windowed,
        averages: NO_AVERAGE,
        version: 1,
        source: "Quong and Soudack 1989; TA-Lib MFI but for the noise",
        build: |values| Box::new(Mfi::new(whole(values[0]))),
    },
];

const FAST: Parameter = count(
    "fast",
    12.0,
    "closes in the first mean of the fast average; sets its decay",
);
const SLOW: Parameter = Parameter {
    min: 2.0,
    ..count(
        "slow",
        26.0,
        "closes in the first mean of the slow average; sets its decay",
    )
};
const SMOOTH: Parameter = count(
    "smooth",
    1.0,
    "places in the range averaged; 1 is the fast oscillator, 3 the slow one",
);

/// A period that is not the main one.
const fn count(name: &'static str, default: f64, meaning: &'static str) -> Parameter {
    Parameter {
        name,
        meaning,
        kind: ParameterKind::Whole,
        default,
        min: 1.0,
        max: LONGEST,
    }
}

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
