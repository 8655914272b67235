//! The grid of the simulation and the trading days cut out of it.

use std::f64::consts::TAU;
use std::ops::Range;

use chrono::NaiveDate;
use sextant_domain::{Timeframe, UtcNanos};

use super::parameters::{CLOSED_DAY_VARIANCE, EQUITY};
use super::{SyntheticConfig, SyntheticError};

const STEP_NANOS: i64 = Timeframe::M15.nanos();
const STEPS_PER_DAY: usize = 96;
const STEPS_PER_H4: usize = 16;
/// A full session, 09:30 to 16:00.
const STEPS_PER_SESSION: f64 = 26.0;
/// How much livelier the ends of a session are than its mean.
const SESSION_CURVATURE: f64 = 0.9;
/// Depth of the daily wave of crypto volatility, and the hour (UTC) of its crest.
const CRYPTO_WAVE: (f64, f64) = (0.3, 15.0);

/// The times of one exchange session, all on whole quarters of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTimes {
    /// Its date in New York.
    pub date: NaiveDate,
    /// First instant of trading.
    pub open: UtcNanos,
    /// 12:00 in New York: the boundary between the two 4H bars.
    pub noon: UtcNanos,
    /// End of trading; an early close counts as it is.
    pub close: UtcNanos,
}

impl SessionTimes {
    /// Noon, where it lies inside the session.
    fn boundary(&self) -> Option<UtcNanos> {
        (self.open < self.noon && self.noon < self.close).then_some(self.noon)
    }
}

/// Fifteen-minute steps from the first midnight (UTC) of the span to the one after its last day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    start: UtcNanos,
    end: UtcNanos,
}

impl Grid {
    /// The grid of a span.
    pub(super) fn new(config: &SyntheticConfig) -> Result<Self, SyntheticError> {
        let SyntheticConfig { from, to, .. } = *config;
        let start = UtcNanos::from_date(from);
        let end = to.succ_opt().and_then(UtcNanos::from_date);
        match (start, end) {
            (Some(start), Some(end)) if start < end => Ok(Self { start, end }),
            _ => Err(SyntheticError::Span { from, to }),
        }
    }

    /// Number of steps.
    pub(super) fn steps(&self) -> usize {
        self.step_at(self.end)
    }

    /// Number of UTC days.
    pub(super) fn days(&self) -> usize {
        self.steps() / STEPS_PER_DAY
    }

    /// The step that begins at a time on the grid.
    fn step_at(&self, time: UtcNanos) -> usize {
        ((time.nanos() - self.start.nanos()) / STEP_NANOS) as usize
    }

    fn time_of(&self, step: usize) -> UtcNanos {
        self.start.saturating_add(step as i64 * STEP_NANOS)
    }
}

/// The hours before a session in which nothing trades.
#[derive(Debug)]
pub(super) struct Gap {
    /// Variance, as a fraction of a standard day's.
    pub(super) variance: f64,
    /// Steps of the grid.
    pub(super) steps: Range<usize>,
}

/// The interval of one 4H bar.
#[derive(Debug)]
pub(super) struct Block {
    /// Start.
    pub(super) open_time: UtcNanos,
    /// End.
    pub(super) close_time: UtcNanos,
    /// Number of steps.
    pub(super) steps: usize,
}

/// One trading day of a class.
#[derive(Debug)]
pub(super) struct TradingDay {
    /// Closed hours before it; `None` on the first day and where trading never stops.
    pub(super) gap: Option<Gap>,
    /// Its 4H bars.
    pub(super) blocks: Vec<Block>,
    /// First step of the grid.
    pub(super) first_step: usize,
    /// Variance of each step, as a fraction of a standard day's.
    pub(super) variances: Vec<f64>,
}

/// The sessions of the span, each checked.
pub(super) fn sessions_of_span(
    config: &SyntheticConfig,
    grid: &Grid,
    sessions: &[SessionTimes],
) -> Result<Vec<SessionTimes>, SyntheticError> {
    let SyntheticConfig { from, to, .. } = *config;
    let within: Vec<SessionTimes> = sessions
        .iter()
        .filter(|session| (from..=to).contains(&session.date))
        .copied()
        .collect();
    for (index, session) in within.iter().enumerate() {
        check_session(config, grid, session)?;
        check_order(index.checked_sub(1).map(|before| &within[before]), session)?;
    }
    if within.is_empty() {
        return Err(SyntheticError::NoSession { from, to });
    }
    Ok(within)
}

fn check_session(
    config: &SyntheticConfig,
    grid: &Grid,
    session: &SessionTimes,
) -> Result<(), SyntheticError> {
    let SessionTimes {
        date, open, close, ..
    } = *session;
    if close <= open {
        return Err(SyntheticError::EmptySession { date, open, close });
    }
    if open < grid.start || close > grid.end {
        let SyntheticConfig { from, to, .. } = *config;
        return Err(SyntheticError::OutsideSpan {
            date,
            open,
            close,
            from,
            to,
        });
    }
    let times = [Some(open), session.boundary(), Some(close)];
    let off_grid = times
        .into_iter()
        .flatten()
        .find(|time| time.nanos().rem_euclid(STEP_NANOS) != 0);
    off_grid.map_or(Ok(()), |time| Err(SyntheticError::OffGrid { date, time }))
}

fn check_order(before: Option<&SessionTimes>, session: &SessionTimes) -> Result<(), SyntheticError> {
    match before {
        Some(before) if before.close > session.open || before.date >= session.date => {
            Err(SyntheticError::SessionOrder {
                date: session.date,
                open: session.open,
                before: before.date,
                close: before.close,
            })
        }
        _ => Ok(()),
    }
}

/// Exchange sessions with the nights between them.
pub(super) fn session_days(grid: &Grid, sessions: &[SessionTimes]) -> Vec<TradingDay> {
    let gap = |index: usize| {
        Some(gap_between(
            grid,
            &sessions[index.checked_sub(1)?],
            &sessions[index],
        ))
    };
    (0..sessions.len())
        .map(|index| session_day(grid, &sessions[index], gap(index)))
        .collect()
}

fn gap_between(grid: &Grid, before: &SessionTimes, session: &SessionTimes) -> Gap {
    let closed_days = (session.date - before.date).num_days() - 1;
    let variance = EQUITY.overnight_variance * (1.0 + CLOSED_DAY_VARIANCE * closed_days as f64);
    Gap {
        variance,
        steps: grid.step_at(before.close)..grid.step_at(session.open),
    }
}

fn session_day(grid: &Grid, session: &SessionTimes, gap: Option<Gap>) -> TradingDay {
    let first_step = grid.step_at(session.open);
    let count = grid.step_at(session.close) - first_step;
    let boundary = session
        .boundary()
        .map_or(count, |noon| grid.step_at(noon) - first_step);
    let cuts = [0, boundary, count];
    let blocks = cuts.windows(2).filter(|cut| cut[0] < cut[1]);
    TradingDay {
        gap,
        blocks: blocks
            .map(|cut| block(grid, first_step + cut[0]..first_step + cut[1]))
            .collect(),
        first_step,
        variances: (0..count).map(|step| session_variance(step, count)).collect(),
    }
}

/// U-shaped: lively after the open and before the close, quiet around the middle; its mean is that of a flat session.
fn session_variance(step: usize, count: usize) -> f64 {
    let position = 2.0 * (step as f64 + 0.5) / count as f64 - 1.0;
    let shape = 1.0 + SESSION_CURVATURE * (position * position - 1.0 / 3.0);
    (1.0 - EQUITY.overnight_variance) / STEPS_PER_SESSION * shape
}

/// UTC days without a pause.
pub(super) fn round_the_clock_days(grid: &Grid) -> Vec<TradingDay> {
    let variances: Vec<f64> = (0..STEPS_PER_DAY).map(wave_variance).collect();
    let day = |day: usize| {
        let first_step = day * STEPS_PER_DAY;
        let starts = (first_step..first_step + STEPS_PER_DAY).step_by(STEPS_PER_H4);
        let blocks = starts
            .map(|start| block(grid, start..start + STEPS_PER_H4))
            .collect();
        TradingDay {
            gap: None,
            blocks,
            first_step,
            variances: variances.clone(),
        }
    };
    (0..grid.days()).map(day).collect()
}

fn wave_variance(step: usize) -> f64 {
    let (depth, crest_hour) = CRYPTO_WAVE;
    let hour = (step as f64 + 0.5) / 4.0;
    (1.0 + depth * libm::cos(TAU * (hour - crest_hour) / 24.0)) / STEPS_PER_DAY as f64
}

fn block(grid: &Grid, steps: Range<usize>) -> Block {
    Block {
        open_time: grid.time_of(steps.start),
        close_time: grid.time_of(steps.end),
        steps: steps.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_day_has_unit_variance() {
        let session: f64 = (0..26).map(|step| session_variance(step, 26)).sum();
        assert!(
            (session + EQUITY.overnight_variance - 1.0).abs() < 1e-3,
            "{session}"
        );
        let day: f64 = (0..STEPS_PER_DAY).map(wave_variance).sum();
        assert!((day - 1.0).abs() < 1e-12, "{day}");
        assert!((0..26).all(|step| session_variance(step, 26) > 0.0));
    }
}
