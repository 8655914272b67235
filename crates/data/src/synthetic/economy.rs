//! The economy behind the equity regimes, and the macro series that are published about it.

use chrono::Datelike;
use sextant_domain::{MacroError, MacroSeries, Timeframe, UtcNanos};

use super::latent::next_state;
use super::parameters::{
    ACTIVITY, BURN_IN_DAYS, FollowerParameters, PHASES, PMI_SURVEY_SD, SLOPE, VIX_MEMORY, VIX_NOISE_SD,
    VIX_PREMIUM,
};
use super::random::{self, RandomStream};
use super::{SessionTimes, SyntheticConfig};

const SLOPE_DELAY_NANOS: i64 = 2 * Timeframe::H1.nanos();
const VIX_DELAY_NANOS: i64 = Timeframe::M15.nanos();
const PMI_TIME_OF_DAY_NANOS: i64 = 15 * Timeframe::H1.nanos();
/// Sessions before the span, whose activity enters its first PMI.
const MONTH_SESSIONS: usize = 21;

/// Phase of the economy; the index into its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Growing.
    Expansion,
    /// Losing pace.
    Slowdown,
    /// Shrinking.
    Contraction,
}

impl Phase {
    const ALL: [Self; 3] = [Self::Expansion, Self::Slowdown, Self::Contraction];
}

/// The economy at the end of one session.
#[derive(Debug, Clone, Copy)]
pub(super) struct EconomyDay {
    /// Its phase.
    pub(super) phase: Phase,
    /// Yield-curve slope, as a fraction.
    pub(super) slope: f64,
    /// Activity, in PMI points.
    pub(super) activity: f64,
}

/// A value that follows a level.
#[derive(Debug)]
struct Follower {
    parameters: FollowerParameters,
    stream: RandomStream,
    value: f64,
}

impl Follower {
    fn new(seed: u64, parameters: FollowerParameters, value: f64) -> Self {
        Self {
            parameters,
            stream: RandomStream::new(seed, parameters.stream),
            value,
        }
    }

    fn follow(&mut self, level: f64) -> f64 {
        let noise = self.parameters.noise_sd * self.stream.normal();
        self.value += self.parameters.speed * (level - self.value) + noise;
        self.value
    }
}

/// The economy over the burn-in and then each of `sessions` sessions.
pub(super) fn simulate(seed: u64, sessions: usize) -> Vec<EconomyDay> {
    let mut phases = RandomStream::new(seed, random::ECONOMY_PHASE);
    let mut phase = Phase::Expansion;
    let mut slope = Follower::new(seed, SLOPE, PHASES[0].slope_level);
    let mut activity = Follower::new(seed, ACTIVITY, PHASES[0].activity_level);
    let day = |_| {
        phase = Phase::ALL[next_state(&PHASES[phase as usize].next_phase, phases.uniform())];
        let levels = &PHASES[phase as usize];
        EconomyDay {
            phase,
            slope: slope.follow(levels.slope_level),
            activity: activity.follow(levels.activity_level),
        }
    };
    (0..BURN_IN_DAYS + sessions).map(day).collect()
}

/// The macro series as they are published; `vol_annual` is the equity volatility of each session.
pub(super) fn publish(
    config: &SyntheticConfig,
    sessions: &[SessionTimes],
    economy: &[EconomyDay],
    vol_annual: &[f64],
) -> Result<Vec<MacroSeries>, MacroError> {
    let after_close = |delay: i64| {
        sessions
            .iter()
            .map(|session| session.close.saturating_add(delay))
            .collect()
    };
    let slopes = economy[BURN_IN_DAYS..]
        .iter()
        .map(|day| rounded(day.slope, 10_000.0))
        .collect();
    let vix = vix_values(RandomStream::new(config.seed, random::VIX_NOISE), vol_annual);
    Ok(vec![
        MacroSeries::new("yield_curve_10y_3m", after_close(SLOPE_DELAY_NANOS), slopes)?,
        pmi(config, sessions, economy)?,
        MacroSeries::new("vix", after_close(VIX_DELAY_NANOS), vix)?,
    ])
}

fn pmi(
    config: &SyntheticConfig,
    sessions: &[SessionTimes],
    economy: &[EconomyDay],
) -> Result<MacroSeries, MacroError> {
    let mut survey = RandomStream::new(config.seed, random::PMI_SURVEY);
    let (before, within) = economy.split_at(BURN_IN_DAYS);
    let mut month: Vec<f64> = before[BURN_IN_DAYS - MONTH_SESSIONS..]
        .iter()
        .map(|day| day.activity)
        .collect();
    let (mut published, mut values) = (Vec::new(), Vec::new());
    for (index, (session, day)) in sessions.iter().zip(within).enumerate() {
        if begins_month(config, sessions, index) {
            let mean = month.iter().sum::<f64>() / month.len() as f64;
            values.push(rounded(mean + PMI_SURVEY_SD * survey.normal(), 10.0));
            published.push(publication_time(session));
            month.clear();
        }
        month.push(day.activity);
    }
    MacroSeries::new("pmi", published, values)
}

/// Whether a session is the first of its month. Of the first one this is only known when the span begins with a month.
fn begins_month(config: &SyntheticConfig, sessions: &[SessionTimes], index: usize) -> bool {
    let month = |session: &SessionTimes| (session.date.year(), session.date.month());
    match index.checked_sub(1) {
        Some(before) => month(&sessions[before]) != month(&sessions[index]),
        None => config.from.day() == 1 || month(&sessions[0]) != (config.from.year(), config.from.month()),
    }
}

/// 15:00 UTC of the session's date.
fn publication_time(session: &SessionTimes) -> UtcNanos {
    let midnight = session.open.nanos() - session.open.nanos().rem_euclid(Timeframe::D1.nanos());
    UtcNanos::from_nanos(midnight + PMI_TIME_OF_DAY_NANOS)
}

fn vix_values(mut noise: RandomStream, vol_annual: &[f64]) -> Vec<f64> {
    let mut mean = vol_annual.first().map_or(0.0, |vol| libm::log(*vol));
    let value = |vol: &f64| {
        mean = VIX_MEMORY * mean + (1.0 - VIX_MEMORY) * libm::log(*vol);
        rounded(
            100.0 * VIX_PREMIUM * libm::exp(mean + VIX_NOISE_SD * noise.normal()),
            100.0,
        )
    };
    vol_annual.iter().map(value).collect()
}

/// The nearest multiple of `1 / per_unit`.
fn rounded(value: f64, per_unit: f64) -> f64 {
    (value * per_unit).round() / per_unit
}
