//! Every number of the model, in one place; [the module above](super) says where each enters.
//!
//! A changed number is another market: the golden hash of the tests changes with it.

use sextant_domain::AssetClass;

/// Days by which economy and regimes run ahead of the span, so that no span begins in a chosen state.
pub(super) const BURN_IN_DAYS: usize = 756;
/// Largest factor on the variance of one day.
pub(super) const MIXING_CAP: f64 = 16.0;
/// The floor of a price is its first value over this.
pub(super) const FLOOR_DIVISOR: f64 = 50.0;
/// Exponent with which volume follows volatility.
pub(super) const VOLUME_VOL_EXPONENT: f64 = 0.6;
/// First-order autocorrelation of the daily log volume level.
pub(super) const VOLUME_PERSISTENCE: f64 = 0.8;
/// Standard deviation of the daily log volume level.
pub(super) const VOLUME_LOG_SD: f64 = 0.2;
/// Additional variance of the overnight step per calendar day beyond the first, relative to a plain night.
pub(super) const CLOSED_DAY_VARIANCE: f64 = 0.15;

/// Probabilities of tomorrow's regime (columns) given today's (rows): bull, chop, bear, crash.
pub(super) type TransitionMatrix = [[f64; 4]; 4];

/// Mean and spread of log growth in one regime.
#[derive(Debug, Clone, Copy)]
pub(super) struct RegimeParameters {
    /// Mean log growth a year.
    pub(super) drift_annual: f64,
    /// Volatility a year, before stochastic volatility and fat tails (both keep the mean variance).
    pub(super) vol_annual: f64,
}

/// Numbers of the random streams of a class.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClassStreams {
    /// Regime chain.
    pub(super) regime: u64,
    /// Stochastic volatility.
    pub(super) volatility: u64,
    /// Fat-tail variance.
    pub(super) mixing: u64,
    /// The class's own part of its factor.
    pub(super) factor: u64,
}

/// What the instruments of a class share.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClassParameters {
    /// The class.
    pub(super) class: AssetClass,
    /// Trading days a year.
    pub(super) days_per_year: f64,
    /// Bull, chop, bear, crash.
    pub(super) regimes: [RegimeParameters; 4],
    /// First-order autocorrelation `phi` of log volatility.
    pub(super) log_vol_persistence: f64,
    /// Stationary standard deviation `s` of log volatility.
    pub(super) log_vol_sd: f64,
    /// Correlation `rho` of the day's shock with the change of log volatility.
    pub(super) leverage: f64,
    /// Loading `a` of the class factor on the world factor.
    pub(super) global_loading: f64,
    /// Part of a standard day's variance that lies in a plain night without trading.
    pub(super) overnight_variance: f64,
    /// Pull `kappa` of log growth towards the trend, a year.
    pub(super) pull_annual: f64,
    /// Trend `m` of log growth a year: the long-run mean of the regimes' drifts.
    pub(super) trend_annual: f64,
    /// Volatility at which volume is at its usual level.
    pub(super) reference_vol_annual: f64,
    /// Random streams.
    pub(super) streams: ClassStreams,
}

/// What one instrument has for itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct AssetParameters {
    /// The symbol.
    pub(super) symbol: &'static str,
    /// The first price.
    pub(super) initial_price: f64,
    /// Loading `l` on the class factor.
    pub(super) factor_loading: f64,
    /// Factor `beta_sigma` on the class volatility.
    pub(super) vol_multiple: f64,
    /// Factor `beta_mu` on the class drift.
    pub(super) drift_multiple: f64,
    /// Usual volume of a full day: shares or coins.
    pub(super) daily_volume: f64,
    /// Random stream of the instrument's own price shocks.
    pub(super) price_stream: u64,
    /// Random stream of its volume level.
    pub(super) volume_stream: u64,
}

/// What the economy aims at in one phase.
#[derive(Debug, Clone, Copy)]
pub(super) struct PhaseParameters {
    /// Level of the yield-curve slope, as a fraction.
    pub(super) slope_level: f64,
    /// Level of activity, in PMI points.
    pub(super) activity_level: f64,
    /// Probabilities of the next session's phase: expansion, slowdown, contraction.
    pub(super) next_phase: [f64; 3],
}

/// Speed and noise of a series that follows its level, per session.
#[derive(Debug, Clone, Copy)]
pub(super) struct FollowerParameters {
    /// Part of the distance to the level that is made up each session.
    pub(super) speed: f64,
    /// Standard deviation of the noise.
    pub(super) noise_sd: f64,
    /// Random stream.
    pub(super) stream: u64,
}

/// The economy: expansion (about two years), slowdown and contraction (about seven months each).
pub(super) const PHASES: [PhaseParameters; 3] = [
    PhaseParameters {
        slope_level: 0.018,
        activity_level: 54.5,
        next_phase: [0.9980, 0.0020, 0.0],
    },
    PhaseParameters {
        slope_level: -0.001,
        activity_level: 50.5,
        next_phase: [0.0035, 0.9930, 0.0035],
    },
    PhaseParameters {
        slope_level: -0.004,
        activity_level: 45.5,
        next_phase: [0.0060, 0.0, 0.9940],
    },
];
/// The yield-curve slope: about four basis points of noise a day.
pub(super) const SLOPE: FollowerParameters = FollowerParameters {
    speed: 1.0 / 50.0,
    noise_sd: 0.000_4,
    stream: super::random::YIELD_CURVE,
};
/// Economic activity.
pub(super) const ACTIVITY: FollowerParameters = FollowerParameters {
    speed: 1.0 / 40.0,
    noise_sd: 0.25,
    stream: super::random::ACTIVITY,
};
/// Survey error of the PMI, in points.
pub(super) const PMI_SURVEY_SD: f64 = 0.5;
/// The VIX over the volatility in per cent: options cost more than what they insure.
pub(super) const VIX_PREMIUM: f64 = 1.12;
/// Weight of the past in the exponential mean under the VIX.
pub(super) const VIX_MEMORY: f64 = 0.85;
/// Standard deviation of the log noise of the VIX.
pub(super) const VIX_NOISE_SD: f64 = 0.04;

/// Equity regimes by phase of the economy: expansion, slowdown, contraction.
pub(super) const EQUITY_TRANSITIONS: [TransitionMatrix; 3] = [
    [
        [0.9950, 0.0042, 0.0006, 0.0002],
        [0.0150, 0.9825, 0.0020, 0.0005],
        [0.0060, 0.0080, 0.9840, 0.0020],
        [0.0250, 0.0200, 0.0150, 0.9400],
    ],
    [
        [0.9887, 0.0090, 0.0020, 0.0003],
        [0.0080, 0.9850, 0.0060, 0.0010],
        [0.0030, 0.0070, 0.9860, 0.0040],
        [0.0100, 0.0200, 0.0300, 0.9400],
    ],
    [
        [0.9845, 0.0100, 0.0050, 0.0005],
        [0.0050, 0.9835, 0.0100, 0.0015],
        [0.0030, 0.0060, 0.9850, 0.0060],
        [0.0100, 0.0150, 0.0350, 0.9400],
    ],
];
/// Crypto regimes.
pub(super) const CRYPTO_TRANSITIONS: TransitionMatrix = [
    [0.9900, 0.0065, 0.0025, 0.0010],
    [0.0090, 0.9845, 0.0055, 0.0010],
    [0.0035, 0.0065, 0.9880, 0.0020],
    [0.0200, 0.0300, 0.0200, 0.9300],
];

const fn regime(drift_annual: f64, vol_annual: f64) -> RegimeParameters {
    RegimeParameters {
        drift_annual,
        vol_annual,
    }
}

/// Exchange-traded index funds.
pub(super) static EQUITY: ClassParameters = ClassParameters {
    class: AssetClass::Equity,
    days_per_year: 252.0,
    regimes: [
        regime(0.185, 0.12),
        regime(0.05, 0.17),
        regime(-0.18, 0.25),
        regime(-1.10, 0.50),
    ],
    log_vol_persistence: 0.97,
    log_vol_sd: 0.25,
    leverage: -0.5,
    global_loading: 0.70,
    overnight_variance: 0.25,
    pull_annual: 0.0,
    trend_annual: 0.0,
    reference_vol_annual: 0.16,
    streams: ClassStreams {
        regime: 10,
        volatility: 11,
        mixing: 12,
        factor: 13,
    },
};
/// Crypto assets.
pub(super) static CRYPTO: ClassParameters = ClassParameters {
    class: AssetClass::Crypto,
    days_per_year: 365.0,
    regimes: [
        regime(0.95, 0.62),
        regime(0.05, 0.55),
        regime(-0.60, 0.72),
        regime(-3.50, 1.40),
    ],
    log_vol_persistence: 0.96,
    log_vol_sd: 0.30,
    leverage: 0.0,
    global_loading: 0.70,
    overnight_variance: 0.0,
    pull_annual: 0.35,
    trend_annual: 0.19,
    reference_vol_annual: 0.60,
    streams: ClassStreams {
        regime: 20,
        volatility: 21,
        mixing: 22,
        factor: 23,
    },
};

/// The index funds.
pub(super) static EQUITY_ASSETS: [AssetParameters; 2] = [
    AssetParameters {
        symbol: "SPY",
        initial_price: 120.0,
        factor_loading: 0.98,
        vol_multiple: 1.0,
        drift_multiple: 1.0,
        daily_volume: 100_000_000.0,
        price_stream: 100,
        volume_stream: 101,
    },
    AssetParameters {
        symbol: "QQQ",
        initial_price: 40.0,
        factor_loading: 0.92,
        vol_multiple: 1.28,
        drift_multiple: 1.2,
        daily_volume: 40_000_000.0,
        price_stream: 110,
        volume_stream: 111,
    },
];
/// The crypto pairs.
pub(super) static CRYPTO_ASSETS: [AssetParameters; 2] = [
    AssetParameters {
        symbol: "BTC-USD",
        initial_price: 400.0,
        factor_loading: 0.93,
        vol_multiple: 1.0,
        drift_multiple: 1.0,
        daily_volume: 30_000.0,
        price_stream: 200,
        volume_stream: 201,
    },
    AssetParameters {
        symbol: "ETH-USD",
        initial_price: 10.0,
        factor_loading: 0.86,
        vol_multiple: 1.24,
        drift_multiple: 1.0,
        daily_volume: 300_000.0,
        price_stream: 210,
        volume_stream: 211,
    },
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::random;
    use super::*;

    #[test]
    fn every_row_of_probabilities_adds_up_to_one() {
        let phases = PHASES.iter().map(|phase| phase.next_phase.to_vec());
        let equity = EQUITY_TRANSITIONS.iter().flatten().map(|row| row.to_vec());
        let rows = phases
            .chain(equity)
            .chain(CRYPTO_TRANSITIONS.iter().map(|row| row.to_vec()));
        for row in rows {
            assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{row:?}");
            assert!(
                row.iter().all(|probability| (0.0..=1.0).contains(probability)),
                "{row:?}"
            );
        }
    }

    #[test]
    fn the_crypto_trend_is_the_mean_of_its_regimes() {
        let mut weights = [0.25; 4];
        for _ in 0..5_000 {
            weights = std::array::from_fn(|to| {
                (0..4)
                    .map(|from| weights[from] * CRYPTO_TRANSITIONS[from][to])
                    .sum()
            });
        }
        let mean: f64 = (0..4)
            .map(|index| weights[index] * CRYPTO.regimes[index].drift_annual)
            .sum();
        assert!((mean - CRYPTO.trend_annual).abs() < 0.01, "{mean}");
    }

    #[test]
    fn no_stream_number_is_used_twice() {
        let classes = [EQUITY.streams, CRYPTO.streams];
        let class_numbers = classes
            .iter()
            .flat_map(|s| [s.regime, s.volatility, s.mixing, s.factor]);
        let assets = EQUITY_ASSETS.iter().chain(&CRYPTO_ASSETS);
        let asset_numbers = assets.flat_map(|asset| [asset.price_stream, asset.volume_stream]);
        let world = [
            random::GLOBAL_FACTOR,
            random::ECONOMY_PHASE,
            SLOPE.stream,
            ACTIVITY.stream,
        ];
        let surveys = [random::PMI_SURVEY, random::VIX_NOISE];
        let mut numbers: Vec<u64> = class_numbers
            .chain(asset_numbers)
            .chain(world)
            .chain(surveys)
            .collect();
        let count = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), count);
    }
}
