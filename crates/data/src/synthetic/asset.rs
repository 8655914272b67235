//! One instrument: its price on the grid, its volume, and the bars cut from both.

use sextant_domain::{Bar, BarSeries, SeriesError, Timeframe};

use super::SyntheticError;
use super::class::DayFactor;
use super::parameters::{
    AssetParameters, ClassParameters, FLOOR_DIVISOR, VOLUME_LOG_SD, VOLUME_PERSISTENCE, VOLUME_VOL_EXPONENT,
};
use super::random::RandomStream;
use super::schedule::{Block, TradingDay};

/// What all instruments of a class meet on one day.
#[derive(Debug, Clone, Copy)]
pub(super) struct DayConditions {
    /// Mean log growth a year.
    pub(super) drift_annual: f64,
    /// Volatility a year, the day's fat-tail factor included.
    pub(super) vol_annual: f64,
}

/// A simulated instrument.
#[derive(Debug)]
pub(super) struct AssetPath {
    /// Its symbol.
    pub(super) symbol: &'static str,
    /// 4H bars.
    pub(super) h4: BarSeries,
    /// Daily bars.
    pub(super) d1: BarSeries,
}

/// An instrument on its way.
#[derive(Debug)]
pub(super) struct Asset {
    class: &'static ClassParameters,
    parameters: &'static AssetParameters,
    prices: RandomStream,
    volumes: RandomStream,
    /// Years that have gone by, counted in variance of standard days.
    years: f64,
    log_growth: f64,
    log_volume: f64,
    price: f64,
    path: AssetPath,
}

/// One move of the price.
#[derive(Debug, Clone, Copy)]
struct Move {
    /// Part of a standard day's variance.
    variance: f64,
    /// Class factor, a standard normal.
    factor: f64,
}

impl Asset {
    /// At its first price, with the volume level drawn from its stationary distribution.
    pub(super) fn new(
        seed: u64,
        class: &'static ClassParameters,
        parameters: &'static AssetParameters,
    ) -> Self {
        let mut volumes = RandomStream::new(seed, parameters.volume_stream);
        Self {
            class,
            parameters,
            prices: RandomStream::new(seed, parameters.price_stream),
            log_volume: VOLUME_LOG_SD * volumes.normal(),
            volumes,
            years: 0.0,
            log_growth: 0.0,
            price: parameters.initial_price,
            path: AssetPath {
                symbol: parameters.symbol,
                h4: BarSeries::default(),
                d1: BarSeries::default(),
            },
        }
    }

    /// Goes through one trading day and records its bars.
    pub(super) fn trade_day(
        &mut self,
        day: &TradingDay,
        conditions: DayConditions,
        factor: &DayFactor,
    ) -> Result<(), SyntheticError> {
        if let Some(gap) = &day.gap {
            self.advance(
                conditions,
                Move {
                    variance: gap.variance,
                    factor: factor.gap,
                },
            );
        }
        let volume_level = self.next_volume_level(conditions);
        let mut moves = day
            .variances
            .iter()
            .zip(&factor.steps)
            .map(|(&variance, &factor)| Move { variance, factor });
        let mut session: Option<Bar> = None;
        for block in &day.blocks {
            let bar = self.trade_block(block, conditions, volume_level, &mut moves);
            self.path
                .h4
                .push(bar)
                .map_err(|source| self.refused(Timeframe::H4, source))?;
            session = Some(session.map_or(bar, |session| joined(session, bar)));
        }
        let recorded = session.map_or(Ok(()), |session| self.path.d1.push(session));
        recorded.map_err(|source| self.refused(Timeframe::D1, source))
    }

    /// The bars recorded.
    pub(super) fn into_path(self) -> AssetPath {
        self.path
    }

    fn trade_block(
        &mut self,
        block: &Block,
        conditions: DayConditions,
        volume_level: f64,
        moves: &mut impl Iterator<Item = Move>,
    ) -> Bar {
        let Self { price, .. } = *self;
        let (open_time, close_time) = (block.open_time, block.close_time);
        let mut bar = Bar {
            open_time,
            close_time,
            open: price,
            high: price,
            low: price,
            close: price,
            volume: 0.0,
        };
        for step in moves.take(block.steps) {
            let shock = self.advance(conditions, step);
            bar.high = bar.high.max(self.price);
            bar.low = bar.low.min(self.price);
            bar.close = self.price;
            bar.volume += (volume_level * step.variance * (0.4 + 0.75 * shock.abs()))
                .round()
                .max(1.0);
        }
        bar
    }

    /// Moves the price and returns the standardised shock.
    fn advance(&mut self, conditions: DayConditions, step: Move) -> f64 {
        let AssetParameters {
            factor_loading,
            vol_multiple,
            drift_multiple,
            initial_price,
            ..
        } = *self.parameters;
        let ClassParameters {
            pull_annual,
            trend_annual,
            days_per_year,
            ..
        } = *self.class;
        let own = (1.0 - factor_loading * factor_loading).sqrt() * self.prices.normal();
        let shock = factor_loading * step.factor + own;
        let years = step.variance / days_per_year;
        let pull = pull_annual * (self.log_growth - drift_multiple * trend_annual * self.years);
        let drift = drift_multiple * conditions.drift_annual - pull;
        self.log_growth += drift * years + vol_multiple * conditions.vol_annual * years.sqrt() * shock;
        self.years += years;
        let floor = initial_price / FLOOR_DIVISOR;
        self.price = to_cents(floor + (initial_price - floor) * libm::exp(self.log_growth));
        shock
    }

    /// Volume of a standard day at today's level.
    fn next_volume_level(&mut self, conditions: DayConditions) -> f64 {
        let noise = VOLUME_LOG_SD * (1.0 - VOLUME_PERSISTENCE * VOLUME_PERSISTENCE).sqrt();
        self.log_volume = VOLUME_PERSISTENCE * self.log_volume + noise * self.volumes.normal();
        let liveliness = libm::pow(
            conditions.vol_annual / self.class.reference_vol_annual,
            VOLUME_VOL_EXPONENT,
        );
        let trading_variance = 1.0 - self.class.overnight_variance;
        self.parameters.daily_volume * libm::exp(self.log_volume) * liveliness / trading_variance
    }

    fn refused(&self, timeframe: Timeframe, source: SeriesError) -> SyntheticError {
        SyntheticError::Bars {
            symbol: self.parameters.symbol,
            timeframe,
            source,
        }
    }
}

/// The nearest multiple of 0.01.
fn to_cents(price: f64) -> f64 {
    (price * 100.0).round() / 100.0
}

/// Two bars that follow each other, as one.
fn joined(first: Bar, second: Bar) -> Bar {
    Bar {
        open_time: first.open_time,
        close_time: second.close_time,
        open: first.open,
        high: first.high.max(second.high),
        low: first.low.min(second.low),
        close: second.close,
        volume: first.volume + second.volume,
    }
}
