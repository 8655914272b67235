//! What a run said: values by quantity, instrument and time.

use std::collections::BTreeMap;
use std::fmt;

use rust_decimal::Decimal;
use sextant_domain::UtcNanos;

/// Something observed at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed {
    /// The bits of a number: NaN equals NaN, and 0 does not equal -0.
    Bits(u64),
    /// An exact decimal, by its value.
    Exact(Decimal),
    /// An instant.
    Instant(UtcNanos),
    /// Anything else by its text.
    Text(String),
}

/// An output of the thing under test and the time at which it came out.
pub type Output = (UtcNanos, Observed);

impl Observed {
    /// Any value by its debug text, which writes each finite number so that it can be told from every other.
    pub fn debug(value: &impl fmt::Debug) -> Self {
        Self::Text(format!("{value:?}"))
    }
}

impl From<f64> for Observed {
    fn from(value: f64) -> Self {
        Self::Bits(value.to_bits())
    }
}

impl From<Option<f64>> for Observed {
    fn from(value: Option<f64>) -> Self {
        value.map_or_else(|| Self::from("none"), Self::from)
    }
}

impl From<Decimal> for Observed {
    fn from(value: Decimal) -> Self {
        Self::Exact(value)
    }
}

impl From<UtcNanos> for Observed {
    fn from(time: UtcNanos) -> Self {
        Self::Instant(time)
    }
}

impl From<&str> for Observed {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Observed {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bits(bits) => write!(f, "{} (bits {bits:016x})", f64::from_bits(*bits)),
            Self::Exact(value) => value.fmt(f),
            Self::Instant(time) => time.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Where in the chain a quantity comes from, in the order of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Values of features.
    Feature,
    /// Labels of the regime and the numbers behind them.
    Regime,
    /// What models ask for.
    Intent,
    /// Target weights of the portfolio, after budgets and risk.
    Weight,
    /// Acts and standing of the risk rules.
    Risk,
    /// Orders sent, refused, changed and ended.
    Order,
    /// Trades.
    Fill,
    /// Equity, cash, each model's profit and loss, daily marks.
    Account,
    /// Whatever the function under test gives without a name.
    Output,
}

impl Stage {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Feature => "features",
            Self::Regime => "regime",
            Self::Intent => "intents",
            Self::Weight => "target weights",
            Self::Risk => "risk",
            Self::Order => "orders",
            Self::Fill => "fills",
            Self::Account => "account",
            Self::Output => "outputs",
        }
    }
}

/// How a quantity follows a change of prices or of shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// A price per unit of the instrument.
    Price,
    /// Units of the instrument.
    Units,
    /// Cash.
    Money,
    /// A number without a unit, or a label: it must not change.
    Plain,
    /// Words for people, with names and numbers in them; compared in look-ahead proofs alone.
    Words,
}

/// The name of a quantity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrackName {
    /// Where in the chain it comes from.
    pub stage: Stage,
    /// What it is, such as `sma(period=200) on 1D`.
    pub quantity: String,
    /// The instrument it speaks of, where there is one.
    pub instrument: Option<String>,
    /// How it follows a change of the market.
    pub unit: Unit,
}

impl TrackName {
    /// A quantity of no instrument.
    pub fn new(stage: Stage, quantity: impl Into<String>, unit: Unit) -> Self {
        Self {
            stage,
            quantity: quantity.into(),
            instrument: None,
            unit,
        }
    }

    /// The same of an instrument.
    pub fn of(self, symbol: &str) -> Self {
        Self {
            instrument: Some(symbol.to_owned()),
            ..self
        }
    }
}

impl fmt::Display for TrackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.stage.name(), self.quantity)?;
        match &self.instrument {
            Some(symbol) => write!(f, " of {symbol}"),
            None => Ok(()),
        }
    }
}

/// The values of one quantity, in the order in which they came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// What it is.
    pub name: TrackName,
    /// The values.
    pub samples: Vec<Output>,
}

/// Everything that a run said, quantity by quantity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    tracks: Vec<Track>,
    places: BTreeMap<TrackName, usize>,
}

impl Trace {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every quantity, in the order in which each was first spoken of.
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// The quantity of a name, where it was spoken of.
    pub fn track(&self, name: &TrackName) -> Option<&Track> {
        self.places.get(name).map(|place| &self.tracks[*place])
    }

    /// Adds a value to a quantity.
    pub fn record(&mut self, name: TrackName, time: UtcNanos, observed: impl Into<Observed>) {
        let place = self.place(name);
        self.record_at(place, time, observed.into());
    }

    /// Adds many values to a quantity.
    pub fn extend(&mut self, name: TrackName, samples: impl IntoIterator<Item = Output>) {
        let place = self.place(name);
        self.tracks[place].samples.extend(samples);
    }

    /// The place of a quantity, which is made where there is none yet.
    pub(crate) fn place(&mut self, name: TrackName) -> usize {
        if let Some(place) = self.places.get(&name) {
            return *place;
        }
        let place = self.tracks.len();
        self.places.insert(name.clone(), place);
        self.tracks.push(Track {
            name,
            samples: Vec::new(),
        });
        place
    }

    pub(crate) fn record_at(&mut self, place: usize, time: UtcNanos, observed: Observed) {
        self.tracks[place].samples.push((time, observed));
    }

    /// How many values there are in all.
    pub fn len(&self) -> usize {
        self.tracks.iter().map(|track| track.samples.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Vec<Output>> for Trace {
    /// Outputs without a name.
    fn from(outputs: Vec<Output>) -> Self {
        let mut trace = Self::new();
        trace.extend(TrackName::new(Stage::Output, "output", Unit::Plain), outputs);
        trace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_by_their_bits_and_decimals_by_their_value() {
        assert_eq!(Observed::from(f64::NAN), Observed::from(f64::NAN));
        assert_ne!(Observed::from(0.0), Observed::from(-0.0));
        assert_ne!(Observed::from(None), Observed::from(Some(f64::NAN)));
        assert_ne!(Observed::debug(&0.1), Observed::debug(&0.1_f64.next_up()));
        assert_eq!(
            Observed::from(Decimal::new(10, 1)),
            Observed::from(Decimal::new(100, 2))
        );
    }

    #[test]
    fn values_of_one_name_stand_together() {
        let name = |symbol: &str| TrackName::new(Stage::Intent, "weight", Unit::Plain).of(symbol);
        let at = UtcNanos::from_nanos;
        let mut trace = Trace::new();
        trace.record(name("SPY"), at(1), 0.5);
        trace.record(name("QQQ"), at(1), 0.25);
        trace.record(name("SPY"), at(2), 1.0);
        assert_eq!((trace.tracks().len(), trace.len()), (2, 3));
        assert_eq!(
            trace.track(&name("SPY")).map(|track| track.samples.len()),
            Some(2)
        );
        assert_eq!(name("SPY").to_string(), "intents: weight of SPY");
    }
}
