//! What a model or regime detector needs, by name, and how names become dense ids before the first bar.

use std::fmt;

use thiserror::Error;

use crate::ports::FeatureSource;
use crate::{FeatureError, FeatureId, FeatureSpec, InstrumentId, MarketData, SeriesId, Timeframe};

macro_rules! local_ref {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(usize);

        impl $name {
            /// Position within the requirements that handed it out.
            #[inline]
            pub const fn position(self) -> usize {
                self.0
            }
        }
    };
}

local_ref!(
    /// An instrument of one [`Requirements`].
    InstrumentRef
);
local_ref!(
    /// A bar series of one [`Requirements`].
    SeriesRef
);
local_ref!(
    /// A feature of one [`Requirements`].
    FeatureRef
);
local_ref!(
    /// A macro series of one [`Requirements`].
    MacroRef
);

/// A bar series by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesKey {
    /// The instrument's symbol.
    pub symbol: String,
    /// The timeframe.
    pub timeframe: Timeframe,
}

impl fmt::Display for SeriesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.symbol, self.timeframe)
    }
}

/// A feature asked for: the spec and the series it reads, the main one first.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureRequirement {
    /// Name and parameters.
    pub spec: FeatureSpec,
    /// Input series; the feature has one value per bar of the first.
    pub inputs: Vec<SeriesRef>,
}

/// Everything a model or detector will look at. Filled once in its constructor, which keeps the references handed out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Requirements {
    instruments: Vec<String>,
    series: Vec<SeriesKey>,
    features: Vec<FeatureRequirement>,
    macros: Vec<String>,
    decide_on: Vec<SeriesRef>,
}

impl Requirements {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// An instrument to trade. Unless [`decide_on`](Self::decide_on) says otherwise, each close of its execution bars
    /// triggers a decision.
    pub fn trade(&mut self, symbol: &str) -> InstrumentRef {
        InstrumentRef(position_or_push(&mut self.instruments, symbol.to_owned()))
    }

    /// A bar series to read.
    pub fn series(&mut self, symbol: &str, timeframe: Timeframe) -> SeriesRef {
        SeriesRef(position_or_push(
            &mut self.series,
            SeriesKey {
                symbol: symbol.to_owned(),
                timeframe,
            },
        ))
    }

    /// A feature of one series.
    pub fn feature(&mut self, name: &str, parameters: &[(&str, f64)], series: SeriesRef) -> FeatureRef {
        self.feature_of(FeatureSpec::new(name, parameters), vec![series])
    }

    /// A feature of several series (beta: the asset first, then the benchmark).
    pub fn feature_of(&mut self, spec: FeatureSpec, inputs: Vec<SeriesRef>) -> FeatureRef {
        FeatureRef(position_or_push(
            &mut self.features,
            FeatureRequirement { spec, inputs },
        ))
    }

    /// A macro series to read.
    pub fn macro_series(&mut self, name: &str) -> MacroRef {
        MacroRef(position_or_push(&mut self.macros, name.to_owned()))
    }

    /// Decides when a bar of this series closes, instead of on execution bars. May be called for several series.
    pub fn decide_on(&mut self, series: SeriesRef) {
        self.decide_on.push(series);
    }

    /// Symbols traded.
    pub fn instruments(&self) -> &[String] {
        &self.instruments
    }

    /// Series read.
    pub fn series_keys(&self) -> &[SeriesKey] {
        &self.series
    }

    /// Features read.
    pub fn features(&self) -> &[FeatureRequirement] {
        &self.features
    }

    /// Macro series read.
    pub fn macros(&self) -> &[String] {
        &self.macros
    }

    /// The references to the series, in the order of [`series_keys`](Self::series_keys): for those who look at everything
    /// that a model looks at.
    pub fn series_refs(&self) -> impl Iterator<Item = SeriesRef> + use<> {
        (0..self.series.len()).map(SeriesRef)
    }

    /// The references to the features, in the order of [`features`](Self::features).
    pub fn feature_refs(&self) -> impl Iterator<Item = FeatureRef> + use<> {
        (0..self.features.len()).map(FeatureRef)
    }

    /// The references to the macro series, in the order of [`macros`](Self::macros).
    pub fn macro_refs(&self) -> impl Iterator<Item = MacroRef> + use<> {
        (0..self.macros.len()).map(MacroRef)
    }
}

fn position_or_push<T: PartialEq>(list: &mut Vec<T>, value: T) -> usize {
    list.iter().position(|known| *known == value).unwrap_or_else(|| {
        list.push(value);
        list.len() - 1
    })
}

/// Why requirements cannot be met by the data at hand.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum BindError {
    /// An instrument that the run does not have.
    #[error("{owner} trades {symbol}, which is not in the universe; it has {known}")]
    UnknownInstrument {
        /// The model or detector.
        owner: String,
        /// The symbol.
        symbol: String,
        /// The symbols there are, comma-separated.
        known: String,
    },
    /// A series that the run does not have.
    #[error("{owner} needs {key} bars, which are not loaded; there are {known}")]
    UnknownSeries {
        /// The model or detector.
        owner: String,
        /// The series.
        key: SeriesKey,
        /// The series there are, comma-separated.
        known: String,
    },
    /// A feature that cannot be had.
    #[error("{owner}: {source}")]
    Feature {
        /// The model or detector.
        owner: String,
        /// What is wrong with it.
        source: FeatureError,
    },
}

/// Requirements resolved to dense ids: what a [`MarketView`](crate::MarketView) reads through.
#[derive(Debug, Clone, Default)]
pub struct Binding {
    pub(crate) instruments: Vec<InstrumentId>,
    pub(crate) series: Vec<SeriesId>,
    pub(crate) features: Vec<(FeatureId, SeriesId)>,
    /// Index into the market's macro series; `None` where the run has no such series.
    pub(crate) macros: Vec<Option<usize>>,
    triggers: Vec<SeriesId>,
}

impl Binding {
    /// Resolves requirements against the market, preparing every feature. `owner` names the asker in errors. A macro
    /// series that is not there is not an error: the view answers `None` for it and detectors say `unknown`.
    ///
    /// # Errors
    /// The first name that is not there, with the names that are.
    pub fn resolve(
        owner: &str,
        requirements: &Requirements,
        market: &MarketData,
        features: &mut dyn FeatureSource,
    ) -> Result<Self, BindError> {
        let series = requirements
            .series
            .iter()
            .map(|key| find_series(owner, key, market))
            .collect::<Result<Vec<_>, _>>()?;
        let instruments = requirements
            .instruments
            .iter()
            .map(|symbol| find_instrument(owner, symbol, market))
            .collect::<Result<Vec<_>, _>>()?;
        let features = requirements
            .features
            .iter()
            .map(|wanted| {
                let inputs: Vec<_> = wanted.inputs.iter().map(|input| series[input.0]).collect();
                let main = inputs.first().copied().unwrap_or(SeriesId::from_index(0));
                let prepared = features.prepare(&wanted.spec, &inputs, market);
                prepared
                    .map(|id| (id, main))
                    .map_err(|source| BindError::Feature {
                        owner: owner.to_owned(),
                        source,
                    })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let macros = requirements
            .macros
            .iter()
            .map(|name| market.macros().iter().position(|one| one.name() == name))
            .collect();
        let triggers = match requirements.decide_on.as_slice() {
            [] => instruments
                .iter()
                .map(|id| market.execution_series(*id))
                .collect(),
            chosen => chosen.iter().map(|reference| series[reference.0]).collect(),
        };
        Ok(Self {
            instruments,
            series,
            features,
            macros,
            triggers,
        })
    }

    /// The dense id of a traded instrument.
    #[inline]
    pub fn instrument(&self, reference: InstrumentRef) -> InstrumentId {
        self.instruments[reference.0]
    }

    /// The traded instruments, in the order they were asked for.
    pub fn instruments(&self) -> &[InstrumentId] {
        &self.instruments
    }

    /// The series read, in the order they were asked for.
    pub fn series(&self) -> &[SeriesId] {
        &self.series
    }

    /// The series whose bar closes trigger a decision.
    pub fn triggers(&self) -> &[SeriesId] {
        &self.triggers
    }
}

fn find_instrument(owner: &str, symbol: &str, market: &MarketData) -> Result<InstrumentId, BindError> {
    market
        .instruments()
        .id(symbol)
        .ok_or_else(|| BindError::UnknownInstrument {
            owner: owner.to_owned(),
            symbol: symbol.to_owned(),
            known: join(
                market
                    .instruments()
                    .iter()
                    .map(|(_, instrument)| instrument.symbol.clone()),
            ),
        })
}

fn find_series(owner: &str, key: &SeriesKey, market: &MarketData) -> Result<SeriesId, BindError> {
    let instrument = market.instruments().id(&key.symbol);
    instrument
        .and_then(|id| market.series_id(id, key.timeframe))
        .ok_or_else(|| BindError::UnknownSeries {
            owner: owner.to_owned(),
            key: key.clone(),
            known: join(market.series().iter().map(|one| {
                format!(
                    "{} {}",
                    market.instruments().get(one.instrument).symbol,
                    one.timeframe
                )
            })),
        })
}

fn join(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
