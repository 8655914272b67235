//! The seeded **synthetic market**: invented prices for trying the platform out without any real data.
//!
//! Nothing here was ever traded. Every file, table and report made from this market has to carry the word
//! [`SYNTHETIC_LABEL`]. The symbols are those of real instruments so that the shipped configurations run unchanged;
//! prices, volumes and macro values are random numbers. A result on this data says that the machinery works and
//! nothing about any real market. In particular regimes here last for weeks by construction, so a rule that follows
//! trends can find something to follow; how much of that exists in a real market is a question for real data. No
//! parameter was chosen by looking at the result of a strategy.
//!
//! # What comes out
//! | series | bars or values |
//! |---|---|
//! | `SPY`, `QQQ` 4H | `[open, 12:00)` and `[12:00, close)` New York; a session that ends by 12:00 has one bar |
//! | `SPY`, `QQQ` 1D | the session |
//! | `BTC-USD`, `ETH-USD` 4H | UTC grid 00, 04, ... 20, every day |
//! | `BTC-USD`, `ETH-USD` 1D | the UTC day |
//! | `yield_curve_10y_3m` | slope as a fraction (0.012 is 1.2 percentage points), two hours after each close |
//! | `pmi` | index points, for the month before, at 15:00 UTC of the first session of a month |
//! | `vix` | per cent a year, 15 minutes after each close |
//!
//! # Model
//! One path on a 15-minute grid is simulated per instrument, rounded to 0.01, and only then cut into bars: a daily
//! bar is exactly the aggregate of its 4H bars. Volumes are whole numbers, so their sums are exact too. A bar opens
//! at the price where the one before it closed, except after an overnight gap.
//!
//! *Economy* (per session): a Markov chain over expansion, slowdown and contraction. Slope and activity follow
//! `y += k (level(phase) - y) + s e`. Both levels fall as soon as the phase worsens, before the equity regime has had
//! time to answer: that is the lead of the macro series. `pmi` is the month's mean activity plus a survey error.
//!
//! *Regimes* (per session for equities, per UTC day for crypto): Markov chains over bull, chop, bear and crash. The
//! equity chain has one transition matrix per phase of the economy; the crypto chain does not know the economy. Both
//! economy and regimes run for 756 days before the span begins, so that no span begins in a chosen state.
//!
//! *Volatility* of day `d` in regime `r`, with annual `sigma_r`: `sigma_d = sigma_r exp(h_d - s^2)`, where
//! `h_{d+1} = phi h_d + s sqrt(1 - phi^2) (rho F_d + sqrt(1 - rho^2) e)` (log-normal stochastic volatility, Taylor
//! 1986; `E[exp(2h - 2s^2)] = 1`). `F_d` is the day's class shock; `rho < 0` for equities is the leverage effect.
//!
//! *Fat tails*: the variance of day `d` is `sigma_d^2 W_d` with `W_d = 4 / X`, `X` chi-squared with six degrees of
//! freedom, so that a daily return given `sigma_d` is Student-t with six degrees of freedom and unit variance; `W_d`
//! is cut at 16. One `W_d` serves the whole class: large days are large for both.
//!
//! *Steps*: step `k` carries the fraction `b_k` of a standard day's variance (U-shaped over a session, a mild wave
//! over a UTC day). With `N` days a year the log growth `x` of an instrument moves by
//! `dx = (beta_mu mu_r - kappa (x - beta_mu m t)) b_k / N + beta_sigma sigma_d sqrt(W_d b_k / N) u_k`,
//! `u_k = l f_k + sqrt(1 - l^2) e_k`, `f_k = a g_k + sqrt(1 - a^2) e'_k`, where `g` is one factor for the whole world,
//! `f` the class factor and all `e` independent standard normals. `mu_r` is the mean log growth of the regime. The
//! weak pull `kappa` (crypto only, half-life about two years) keeps prices on a plausible scale over decades.
//! Correlation within a class is `l_1 l_2`: 0.90 for equities, 0.80 for crypto. Between the classes that of daily
//! returns comes out near 0.25: they share only `g`, only where both move at the same time, and their volatilities
//! and `W_d` differ.
//!
//! *Overnight*: before every session but the first there is one step with `b = 0.25 (1 + 0.15 (n - 1))`, `n` calendar
//! days after the session before (weekends move a little more, French and Roll 1986). Its `g` is the sum of the world
//! factor over the closed hours.
//!
//! *Price*: `p = c + (p_0 - c) exp(x)` rounded to 0.01, with `c = p_0 / 50`: no price ever falls below a fiftieth of
//! the first. *Volume* of a step: `v_0 exp(v_d) (sigma_d sqrt(W_d) / sigma_ref)^0.6 b_k (0.4 + 0.75 |u_k|)`, at least
//! 1, with a first-order autoregression `v_d`. *VIX*: 112 times an exponential mean of `ln sigma_d`, taken back by
//! `exp`, with a little noise.
//!
//! Every number stands in the file `parameters.rs`. Over many seeds annual volatility comes out near 16 % for SPY,
//! 21 % for QQQ, 64 % for BTC-USD and 79 % for ETH-USD, and mean growth of SPY between 8 and 10 % a year; one seed
//! can give a market that loses money for a decade.
//!
//! # Invariants
//! * The same seed, span and sessions give the same bits on every platform: ChaCha8 streams, Box-Muller over `libm`,
//!   no transcendental function of the platform.
//! * Each instrument and purpose draws from its own stream, so adding one changes no other; a later end of the span
//!   changes nothing before the earlier one.
//!
//! # Deliberately absent
//! Dividends, splits, bid and ask, missing or damaged bars, and any dependence of prices on a strategy's orders.

mod asset;
mod class;
mod economy;
mod error;
mod latent;
mod parameters;
#[cfg(test)]
mod properties;
mod random;
mod schedule;
#[cfg(test)]
mod statistics;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;
use sextant_domain::{AssetClass, BarSeries, MacroSeries, Timeframe};

pub use error::SyntheticError;
pub use schedule::SessionTimes;

use class::ClassPath;
use economy::EconomyDay;
use latent::Regime;
use parameters::{
    BURN_IN_DAYS, CRYPTO, CRYPTO_ASSETS, CRYPTO_TRANSITIONS, EQUITY, EQUITY_ASSETS, EQUITY_TRANSITIONS,
};
use random::RandomStream;
use schedule::Grid;

/// The word that the manifest, and every table and report made from this market, has to carry.
pub const SYNTHETIC_LABEL: &str = "synthetic";

/// What to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyntheticConfig {
    /// The seed of every random stream.
    pub seed: u64,
    /// The first day.
    pub from: NaiveDate,
    /// The last day, included.
    pub to: NaiveDate,
}

impl SyntheticConfig {
    /// The span of the embedded market, 2010-01-01 to 2020-12-31, under a seed.
    pub fn embedded(seed: u64) -> Self {
        let from = NaiveDate::from_ymd_opt(2010, 1, 1).expect("a date of the calendar");
        let to = NaiveDate::from_ymd_opt(2020, 12, 31).expect("a date of the calendar");
        Self { seed, from, to }
    }
}

/// A generated market. All of it is invented: see the [module](self).
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticMarket {
    /// Symbol, class, timeframe and bars; per symbol first 4H, then 1D.
    pub bars: Vec<(&'static str, AssetClass, Timeframe, BarSeries)>,
    /// `yield_curve_10y_3m`, `pmi` and `vix`, each with its publication times.
    pub macros: Vec<MacroSeries>,
}

/// Generates the market of a seed and span; the [module](self) states the model.
///
/// Of `sessions`, in order of time, those dated within the span are used. Times must lie on whole quarters of an
/// hour. Series cover the span without a hole; `pmi` is empty when no month begins in it.
///
/// # Errors
/// When the span is reversed or out of range, has no session, or a session is not usable; see [`SyntheticError`].
pub fn generate(
    config: &SyntheticConfig,
    sessions: &[SessionTimes],
) -> Result<SyntheticMarket, SyntheticError> {
    let grid = Grid::new(config)?;
    let sessions = schedule::sessions_of_span(config, &grid, sessions)?;
    let economy = economy::simulate(config.seed, sessions.len());
    let global = global_factor(config.seed, grid.steps());
    let equity = class::simulate(
        config.seed,
        &EQUITY,
        &EQUITY_ASSETS,
        class::Course {
            days: &schedule::session_days(&grid, &sessions),
            regimes: &equity_regimes(config.seed, &economy),
            global: &global,
        },
    )?;
    let crypto = class::simulate(
        config.seed,
        &CRYPTO,
        &CRYPTO_ASSETS,
        class::Course {
            days: &schedule::round_the_clock_days(&grid),
            regimes: &crypto_regimes(config.seed, grid.days()),
            global: &global,
        },
    )?;
    let macros = economy::publish(config, &sessions, &economy, &equity.vol_annual)?;
    Ok(SyntheticMarket {
        bars: [equity, crypto].into_iter().flat_map(labelled_bars).collect(),
        macros,
    })
}

/// The factor that the whole world shares: one standard normal per step of the grid.
fn global_factor(seed: u64, steps: usize) -> Vec<f64> {
    let mut stream = RandomStream::new(seed, random::GLOBAL_FACTOR);
    (0..steps).map(|_| stream.normal()).collect()
}

fn equity_regimes(seed: u64, economy: &[EconomyDay]) -> Vec<Regime> {
    let matrices = economy.iter().map(|day| &EQUITY_TRANSITIONS[day.phase as usize]);
    latent::regime_path(RandomStream::new(seed, EQUITY.streams.regime), matrices)
}

fn crypto_regimes(seed: u64, days: usize) -> Vec<Regime> {
    let matrices = (0..BURN_IN_DAYS + days).map(|_| &CRYPTO_TRANSITIONS);
    latent::regime_path(RandomStream::new(seed, CRYPTO.streams.regime), matrices)
}

fn labelled_bars(path: ClassPath) -> Vec<(&'static str, AssetClass, Timeframe, BarSeries)> {
    let class = path.class;
    let both = path.assets.into_iter().map(|asset| {
        [
            (asset.symbol, class, Timeframe::H4, asset.h4),
            (asset.symbol, class, Timeframe::D1, asset.d1),
        ]
    });
    both.flatten().collect()
}
