//! Metamorphic relations: how a run must follow when its market is changed in a way whose effect is known.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use sextant_domain::{
    Bar, BarSeries, Instrument, InstrumentError, InstrumentId, InstrumentTable, MacroSeries, MarketData,
    Series, UtcNanos,
};

use crate::trace::{Observed, Output, Stage, Trace, TrackName, Unit};

/// A change of the market, and what must become of the run. Everything from the regime on is compared; features are not,
/// because their units are not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relation {
    /// Every price, tick and the capital doubled a number of times: the same orders and fills in units, at prices that are
    /// as much higher; all money as much more. To the bit.
    ///
    /// Holds without costs: a fee per share does not grow with the price, and what is rounded at the eighth decimal does
    /// not grow exactly. Sizes keep their lots, because prices, ticks and capital move together. Only doubling is exact:
    /// times three, the last bit of every product moves, a comparison that hung on it goes the other way, and from there
    /// on the runs are different ones. No tolerance could say what must hold then.
    ScaledPrices {
        /// How many times.
        doublings: u8,
    },
    /// Other names for all instruments, all in the reverse order: the same run by the new names.
    ///
    /// Units and exact decimals are compared exactly, numbers in `f64` to 1e-12: sums over instruments are added up in
    /// another order.
    Renamed,
    /// Every instant later by whole weeks, the period and the daily marks with it: the same run, bit for bit, later by as
    /// much. Whole weeks, because rules may look at the day of the week; 1,461 of them are 28 years, after which the days of
    /// the month and leap years repeat themselves, too, as long as the year 2100 is not among them. A rule that counts days
    /// from a fixed date in a rhythm that does not divide those weeks is not covered, and departs.
    ShiftedCalendar {
        /// How many weeks.
        weeks: u32,
    },
    /// Two shares for one, long ago: prices of one instrument halved, its volume doubled, its tick halved and its lot
    /// doubled. Twice the units at half the price, everything else bit for bit.
    ///
    /// The lot is doubled because a lot is what can be traded of the old share: with single new shares a size between two
    /// old ones could be traded, and the runs would rightly differ. Holds without costs, as that of scaled prices.
    Split {
        /// The instrument.
        symbol: String,
    },
    /// One more instrument that nobody trades, with the times of another one, a price that never moves, and no volume:
    /// the same run, bit for bit, and nothing said of it.
    Bystander,
    /// An instrument twice, the second under another name; whoever traded the first trades the second. The same run by
    /// the second name, and nothing said of the first. Compared like [`Renamed`](Self::Renamed).
    Substituted {
        /// The instrument.
        symbol: String,
    },
}

/// How far a number in `f64` may be from what is expected: relative to the largest amount of money in the run where it is
/// money, because that is what was added up to it, and otherwise to its own magnitude or to one, whichever is larger. Exact
/// decimals are always compared exactly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance(pub f64);

/// A value that is not what the relation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// Which quantity.
    pub name: TrackName,
    /// When.
    pub time: UtcNanos,
    /// What the relation says; `None` for nothing.
    pub expected: Option<Observed>,
    /// What came out; `None` for nothing.
    pub found: Option<Observed>,
}

const BYSTANDER: &str = "BYSTANDER";
const WEEK_NANOS: i64 = 7 * 86_400_000_000_000;

impl Relation {
    /// The name in tables.
    pub fn name(&self) -> String {
        match self {
            Self::ScaledPrices { .. } => format!("prices x {}", self.money_factor()),
            Self::Renamed => "renamed and permuted".to_owned(),
            Self::ShiftedCalendar { weeks } => format!("{weeks} weeks later"),
            Self::Split { symbol } => format!("{symbol} split 2:1"),
            Self::Bystander => "untraded instrument".to_owned(),
            Self::Substituted { symbol } => format!("{symbol} duplicated"),
        }
    }

    /// How exactly it holds.
    pub const fn tolerance(&self) -> Tolerance {
        Tolerance(match self {
            Self::Renamed | Self::Substituted { .. } => 1e-12,
            Self::ScaledPrices { .. }
            | Self::ShiftedCalendar { .. }
            | Self::Split { .. }
            | Self::Bystander => 0.0,
        })
    }

    /// Whether it holds without costs alone.
    pub const fn is_without_costs(&self) -> bool {
        matches!(self, Self::ScaledPrices { .. } | Self::Split { .. })
    }

    /// The factor on all money, the initial capital included.
    ///
    /// # Panics
    /// For more than 31 doublings.
    pub const fn money_factor(&self) -> u32 {
        match self {
            Self::ScaledPrices { doublings } => 1 << *doublings,
            _ => 1,
        }
    }

    /// By how much every instant is later.
    pub const fn later_nanos(&self) -> i64 {
        match self {
            Self::ShiftedCalendar { weeks } => *weeks as i64 * WEEK_NANOS,
            _ => 0,
        }
    }

    /// The names by which models, regime and limits must ask for instruments instead of the old ones.
    pub fn names(&self, instruments: &InstrumentTable) -> BTreeMap<String, String> {
        let symbols = instruments.iter().map(|(_, one)| one.symbol.clone());
        match self {
            Self::Renamed => {
                let count = instruments.len();
                // Names in the reverse order of the old ids, so that no order by name is kept either.
                symbols
                    .enumerate()
                    .map(|(index, old)| (old, format!("N{:04}", count - index)))
                    .collect()
            }
            Self::Substituted { symbol } => BTreeMap::from([(symbol.clone(), copy_of(symbol))]),
            _ => BTreeMap::new(),
        }
    }

    /// The changed market.
    ///
    /// # Errors
    /// When a changed tick, lot or name is not allowed, such as half of the finest tick there is.
    ///
    /// # Panics
    /// When it speaks of an instrument that the market does not have.
    pub fn market(&self, market: &MarketData) -> Result<MarketData, InstrumentError> {
        match self {
            Self::ScaledPrices { .. } => scaled(market, self.money_factor()),
            Self::Renamed => renamed(market, &self.names(market.instruments())),
            Self::ShiftedCalendar { .. } => shifted(market, self.later_nanos()),
            Self::Split { symbol } => split(market, symbol),
            Self::Bystander => {
                let first = InstrumentId::from_index(0);
                with_copy(market, first, BYSTANDER, motionless)
            }
            Self::Substituted { symbol } => {
                let id = known(market, symbol);
                with_copy(market, id, &copy_of(symbol), Clone::clone)
            }
        }
    }

    /// What the run over the changed market must say, from what the run over the market said.
    pub fn expected(&self, trace: &Trace, instruments: &InstrumentTable) -> Trace {
        let names = self.names(instruments);
        let mut expected = Trace::new();
        for track in trace.tracks().iter().filter(|track| is_compared(&track.name)) {
            let mut name = track.name.clone();
            if let Some(new) = name.instrument.as_ref().and_then(|old| names.get(old)) {
                name = name.of(new);
            }
            let samples = track.samples.iter().map(|(time, observed)| {
                let time = time.saturating_add(self.later_nanos());
                (time, self.follow(&track.name, observed))
            });
            expected.extend(name, samples);
        }
        expected
    }

    fn follow(&self, name: &TrackName, observed: &Observed) -> Observed {
        let is_split = matches!(self, Self::Split { symbol } if name.instrument.as_ref() == Some(symbol));
        let [up, down] = match name.unit {
            Unit::Money => [self.money_factor(), 1],
            Unit::Price if is_split => [1, 2],
            Unit::Price => [self.money_factor(), 1],
            Unit::Units if is_split => [2, 1],
            Unit::Units | Unit::Plain | Unit::Words => [1, 1],
        };
        match observed {
            Observed::Bits(bits) => (f64::from_bits(*bits) * f64::from(up) / f64::from(down)).into(),
            Observed::Exact(value) => (*value * Decimal::from(up) / Decimal::from(down)).into(),
            Observed::Instant(time) => time.saturating_add(self.later_nanos()).into(),
            Observed::Text(text) => text.clone().into(),
        }
    }
}

/// Features have units that nobody states, and words have names and numbers in them.
fn is_compared(name: &TrackName) -> bool {
    name.stage > Stage::Feature && name.unit != Unit::Words
}

/// Compares what was expected with what came out. Returns how many values were compared, and the first departure of each
/// quantity.
pub fn departures(expected: &Trace, found: &Trace, tolerance: Tolerance) -> (usize, Vec<Departure>) {
    let most = largest_amount(expected);
    let own = expected.tracks().iter().map(|track| &track.name);
    let new = found.tracks().iter().map(|track| &track.name);
    let new = new.filter(|name| is_compared(name) && expected.track(name).is_none());
    let departures = own.chain(new).filter_map(|name| {
        let (expected, found) = (samples(expected, name), samples(found, name));
        let length = expected.len().max(found.len());
        let differs = |index: &usize| match (expected.get(*index), found.get(*index)) {
            (Some((time, one)), Some((other_time, other))) => {
                time != other_time || !agree(one, other, allowed(name.unit, tolerance, most))
            }
            _ => true,
        };
        let index = (0..length).find(differs)?;
        let (one, other) = (expected.get(index), found.get(index));
        let time = [one, other].into_iter().flatten().map(|(time, _)| *time).min()?;
        Some(Departure {
            name: name.clone(),
            time,
            expected: one.map(|(_, observed)| observed.clone()),
            found: other.map(|(_, observed)| observed.clone()),
        })
    });
    let mut departures: Vec<_> = departures.collect();
    departures.sort_by(|one, other| (one.time, &one.name).cmp(&(other.time, &other.name)));
    (expected.len(), departures)
}

fn samples<'t>(trace: &'t Trace, name: &TrackName) -> &'t [Output] {
    trace.track(name).map_or(&[], |track| &track.samples)
}

/// The largest magnitude of money in `f64`.
fn largest_amount(trace: &Trace) -> f64 {
    let money = trace
        .tracks()
        .iter()
        .filter(|track| track.name.unit == Unit::Money);
    let amounts = money
        .flat_map(|track| &track.samples)
        .map(|(_, observed)| match observed {
            Observed::Bits(bits) => f64::from_bits(*bits).abs(),
            _ => 0.0,
        });
    amounts.fold(0.0, f64::max)
}

/// By how much a number of a magnitude may differ.
fn allowed(unit: Unit, tolerance: Tolerance, most: f64) -> impl Fn(f64) -> f64 {
    let floor = if unit == Unit::Money { most.max(1.0) } else { 1.0 };
    move |magnitude| tolerance.0 * magnitude.max(floor)
}

fn agree(one: &Observed, other: &Observed, allowed: impl Fn(f64) -> f64) -> bool {
    match (one, other) {
        _ if one == other => true,
        (Observed::Bits(one), Observed::Bits(other)) => {
            let (one, other) = (f64::from_bits(*one), f64::from_bits(*other));
            (one - other).abs() <= allowed(one.abs().max(other.abs()))
        }
        _ => false,
    }
}

fn copy_of(symbol: &str) -> String {
    format!("{symbol}_2")
}

fn known(market: &MarketData, symbol: &str) -> InstrumentId {
    market
        .instruments()
        .id(symbol)
        .unwrap_or_else(|| panic!("{symbol} is not in the market"))
}

fn valid(bars: impl Iterator<Item = Bar>) -> BarSeries {
    BarSeries::from_bars(bars).unwrap_or_else(|error| panic!("changed bars stay valid: {error}"))
}

fn priced(bar: Bar, factor: f64) -> Bar {
    Bar {
        open: bar.open * factor,
        high: bar.high * factor,
        low: bar.low * factor,
        close: bar.close * factor,
        ..bar
    }
}

fn made(
    rows: Vec<Instrument>,
    series: Vec<Series>,
    macros: Vec<MacroSeries>,
) -> Result<MarketData, InstrumentError> {
    let table = InstrumentTable::new(rows)?;
    Ok(MarketData::new(table, series, macros)
        .unwrap_or_else(|error| panic!("a changed market stays valid: {error}")))
}

fn rows(market: &MarketData) -> Vec<Instrument> {
    market.instruments().iter().map(|(_, one)| one.clone()).collect()
}

fn scaled(market: &MarketData, factor: u32) -> Result<MarketData, InstrumentError> {
    let rows = rows(market).into_iter().map(|one| Instrument {
        price_tick: one.price_tick * Decimal::from(factor),
        ..one
    });
    let series = market.series().iter().map(|one| Series {
        bars: valid(one.bars.iter().map(|bar| priced(bar, factor.into()))),
        ..*one
    });
    made(rows.collect(), series.collect(), market.macros().to_vec())
}

fn renamed(market: &MarketData, names: &BTreeMap<String, String>) -> Result<MarketData, InstrumentError> {
    let count = market.instruments().len();
    let rows = rows(market).into_iter().rev().map(|one| Instrument {
        symbol: names[&one.symbol].clone(),
        ..one
    });
    let series = market.series().iter().rev().map(|one| Series {
        instrument: InstrumentId::from_index(count - 1 - one.instrument.index()),
        ..one.clone()
    });
    let macros = market.macros().iter().rev().cloned();
    made(rows.collect(), series.collect(), macros.collect())
}

fn shifted(market: &MarketData, nanos: i64) -> Result<MarketData, InstrumentError> {
    let later = |time: UtcNanos| time.saturating_add(nanos);
    let series = market.series().iter().map(|one| Series {
        bars: valid(one.bars.iter().map(|bar| Bar {
            open_time: later(bar.open_time),
            close_time: later(bar.close_time),
            ..bar
        })),
        ..*one
    });
    let macros = market.macros().iter().map(|one| {
        let published = one.published().iter().map(|time| later(*time)).collect();
        MacroSeries::new(one.name(), published, one.values().to_vec())
            .unwrap_or_else(|error| panic!("a shifted macro series stays valid: {error}"))
    });
    made(rows(market), series.collect(), macros.collect())
}

fn split(market: &MarketData, symbol: &str) -> Result<MarketData, InstrumentError> {
    let id = known(market, symbol);
    let two = Decimal::TWO;
    let mut rows = rows(market);
    rows[id.index()].price_tick /= two;
    rows[id.index()].lot_size *= two;
    let series = market.series().iter().map(|one| {
        let halved = |bar: Bar| Bar {
            volume: 2.0 * bar.volume,
            ..priced(bar, 0.5)
        };
        let bars = if one.instrument == id {
            valid(one.bars.iter().map(halved))
        } else {
            one.bars.clone()
        };
        Series { bars, ..*one }
    });
    made(rows, series.collect(), market.macros().to_vec())
}

fn with_copy(
    market: &MarketData,
    id: InstrumentId,
    symbol: &str,
    bars: impl Fn(&BarSeries) -> BarSeries,
) -> Result<MarketData, InstrumentError> {
    let mut rows = rows(market);
    let copy = InstrumentId::from_index(rows.len());
    rows.push(Instrument {
        symbol: symbol.to_owned(),
        ..market.instruments().get(id).clone()
    });
    let copies = market.series().iter().filter(|one| one.instrument == id);
    let copies = copies.map(|one| Series {
        instrument: copy,
        timeframe: one.timeframe,
        bars: bars(&one.bars),
    });
    let series = market.series().iter().cloned().chain(copies);
    made(rows, series.collect(), market.macros().to_vec())
}

/// The same times with one price for ever, and no volume.
fn motionless(bars: &BarSeries) -> BarSeries {
    let price = bars.closes().first().copied().unwrap_or(1.0);
    valid(bars.iter().map(|bar| Bar {
        open: price,
        high: price,
        low: price,
        close: price,
        volume: 0.0,
        ..bar
    }))
}
