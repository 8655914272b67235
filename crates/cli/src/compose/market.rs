//! Loading the market of a run from the lake, or making the synthetic one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rayon::prelude::*;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use sextant_backtest::{CorporateActionDue, FundingRate};
use sextant_data::synthetic::{SessionTimes, SyntheticConfig as Generator, generate};
use sextant_data::{
    BarKey, BarMeta, Calendar, DataError, FileMeta, Lake, MacroTable, Progress, Provenance, Rule, StoredBars,
    validate_bars,
};
use sextant_domain::{
    AssetClass, BarSeries, Currency, Instrument, InstrumentId, InstrumentTable, MarketData, Series,
    SeriesKey, Timeframe, UtcNanos,
};
use sextant_store::DataInput;

use super::account::load_funding;
use super::actions::{actions_of, prices_of};
use super::renames::joined;
use crate::config::{InstrumentConfig, SyntheticConfig, SystemConfig};

/// Bar files and macro files of the synthetic market.
const SYNTHETIC_FILES: usize = 8 + 3;
/// A tick may be at most this fraction of the lowest price it rounds.
const LARGEST_TICK: f64 = 0.01;
/// Bars that end this long before the run are worth a warning; a long weekend is not.
const USUAL_PAUSE_NANOS: i64 = 7 * 86_400_000_000_000;

/// Which bars a run uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Imported bars.
    Imported,
    /// The embedded synthetic market.
    Synthetic,
}

/// The market of a run.
pub struct LoadedMarket {
    /// Bars and macro series.
    pub data: MarketData,
    /// Dividends and splits of instruments on raw prices, and delistings.
    pub actions: Vec<CorporateActionDue>,
    /// Funding rates of perpetual futures.
    pub funding: BTreeMap<String, Vec<FundingRate>>,
    /// What was loaded, with digests, for the manifest.
    pub inputs: Vec<DataInput>,
    /// Macro series that were asked for and are not there.
    pub missing_macros: Vec<String>,
    /// Instruments whose bars end before the run does, in words.
    pub ends: Vec<String>,
    /// What the calendar expects and the bars do not have, in words.
    pub gaps: Vec<String>,
    /// What is to be known of bars that were joined across renames, in words.
    pub joins: Vec<String>,
    /// The tickers of each instrument, oldest first, by its index.
    pub tickers: Vec<Vec<String>>,
}

impl LoadedMarket {
    /// The inputs that the bars of a series come from: one, or one for each ticker of its instrument.
    pub(crate) fn inputs_of(&self, key: &SeriesKey) -> Vec<&DataInput> {
        let instruments = self.data.instruments();
        let Some(id) = instruments.id(&key.symbol) else {
            return Vec::new();
        };
        let (class, tickers) = (instruments.get(id).class.name(), &self.tickers[id.index()]);
        let is_part = |input: &&DataInput| {
            input.class == class && input.timeframe == key.timeframe.code() && tickers.contains(&input.symbol)
        };
        self.inputs.iter().filter(is_part).collect()
    }
}

/// The lake of the synthetic market: a folder of its own, so that invented and real bars can never mix.
pub fn synthetic_root(data: &Path) -> PathBuf {
    data.join("synthetic")
}

/// Makes the synthetic market unless it is there already. Returns whether it was made now.
///
/// # Errors
/// When it cannot be generated or written.
pub fn ensure_synthetic(
    data: &Path,
    config: &SyntheticConfig,
    progress: &dyn Progress,
) -> anyhow::Result<bool> {
    let root = synthetic_root(data);
    let lake = Lake::new(&root);
    let source = format!(
        "synthetic market, seed {}, {} to {}",
        config.seed, config.from, config.to
    );
    if is_complete(&lake, &source)? {
        return Ok(false);
    }
    let sessions: Vec<SessionTimes> = Calendar::for_class(AssetClass::Equity)
        .sessions(config.from, config.to)
        .into_iter()
        .map(|session| SessionTimes {
            date: session.date,
            open: session.open,
            noon: noon(&session),
            close: session.close,
        })
        .collect();
    let generator = Generator {
        seed: config.seed,
        from: config.from,
        to: config.to,
    };
    progress.start(1, "generating the synthetic market");
    let market = generate(&generator, &sessions).context("synthetic market")?;
    progress.advance(1);
    let provenance = Provenance {
        source,
        synthetic: true,
    };
    progress.start(market.bars.len() as u64, "writing the synthetic market");
    for (symbol, class, timeframe, bars) in &market.bars {
        lake.write_bars(&BarKey::new(*class, symbol, *timeframe)?, bars, None, &provenance)?;
        progress.advance(1);
    }
    for series in market.macros {
        let table = MacroTable {
            published: series.published().to_vec(),
            series: vec![(series.name().to_owned(), series.values().to_vec())],
            publication: "times given by the generator".to_owned(),
        };
        lake.write_macro(series.name(), &table, &provenance)?;
    }
    Ok(true)
}

/// Whether every file of the synthetic market is there, undamaged and of this source.
fn is_complete(lake: &Lake, source: &str) -> anyhow::Result<bool> {
    let entries = lake.list()?;
    let good = entries.iter().filter(|entry| match &entry.content {
        Ok(FileMeta::Bars(meta)) => meta.source == source,
        Ok(FileMeta::Macro(meta)) => meta.source == source,
        Err(_) => false,
    });
    Ok(good.count() == SYNTHETIC_FILES)
}

/// Noon in New York: two and a half hours after the open.
fn noon(session: &sextant_data::Session) -> UtcNanos {
    session.open.saturating_add(150 * 60 * 1_000_000_000)
}

/// Loads every series of the universe.
///
/// # Errors
/// When a series is missing or damaged, or the instruments are not usable.
pub fn load_market(
    system: &SystemConfig,
    root: &Path,
    source: Source,
    progress: &dyn Progress,
) -> anyhow::Result<LoadedMarket> {
    let lake = Lake::new(root);
    let instruments = system
        .universe
        .iter()
        .map(|one| instrument(one, system.capital.currency))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let instruments = InstrumentTable::new(instruments)?;
    let loaded = load_bars(system, &lake, source, progress)?;
    let mut inputs = Vec::new();
    let (mut series, mut gaps, mut ends, mut joins) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut actions = Vec::new();
    for (index, timeframe, parts) in loaded {
        let one = &system.universe[index];
        inputs.extend(parts.iter().map(|part| bar_input(one, timeframe, &part.meta)));
        let joined = joined(one, parts)?;
        joins.extend(joined.notes);
        let stored = joined.stored;
        gaps.extend(gap(one, timeframe, &stored.bars));
        if timeframe == one.execution {
            actions.extend(actions_of(one, &stored, &joined.splits)?);
        }
        let bars = prices_of(one, stored)?;
        if timeframe == one.execution {
            check_tick(system, one, &bars)?;
            ends.extend(early_end(system, one, &bars));
        }
        series.push(Series {
            instrument: InstrumentId::from_index(index),
            timeframe,
            bars,
        });
    }
    let (macros, missing_macros) = load_macros(&lake, &system.macro_series, &mut inputs)?;
    let funding = load_funding(&lake, &system.account.funding, &mut inputs)?;
    let synthetic = inputs.iter().filter(|input| input.synthetic).count();
    if synthetic != 0 && synthetic != inputs.len() {
        bail!(
            "{} holds synthetic and imported data side by side; a run uses one or the other",
            root.display()
        );
    }
    let data = MarketData::new(instruments, series, macros)?;
    Ok(LoadedMarket {
        data,
        actions,
        funding,
        inputs,
        missing_macros,
        ends,
        gaps,
        joins,
        tickers: system.universe.iter().map(tickers).collect(),
    })
}

fn tickers(one: &InstrumentConfig) -> Vec<String> {
    one.tickers().into_iter().map(str::to_owned).collect()
}

/// The series that the lake has of every ticker of every instrument, in the order of the configuration whatever the order
/// of loading.
fn load_bars(
    system: &SystemConfig,
    lake: &Lake,
    source: Source,
    progress: &dyn Progress,
) -> anyhow::Result<Vec<(usize, Timeframe, Vec<StoredBars>)>> {
    let (mut series, mut wanted) = (Vec::new(), Vec::new());
    for (index, one) in system.universe.iter().enumerate() {
        for timeframe in &one.timeframes {
            series.push((index, *timeframe));
            let tickers = one.tickers().into_iter();
            wanted.extend(tickers.map(|ticker| (one, ticker, *timeframe)));
        }
    }
    progress.start(wanted.len() as u64, "loading bars");
    let loaded = wanted
        .par_iter()
        .map(|(one, ticker, timeframe)| {
            let stored = lake.load_bars(one.class, ticker, *timeframe);
            progress.advance(1);
            stored.map_err(|error| Unloaded::new(one, ticker, &error))
        })
        .collect::<Vec<_>>();
    let mut parts = all_or_explained(loaded, source)?.into_iter();
    let grouped = series.into_iter().map(|(index, timeframe)| {
        let count = system.universe[index].tickers().len();
        (index, timeframe, parts.by_ref().take(count).collect())
    });
    Ok(grouped.collect())
}

/// The record of one series of the lake; of a ticker of several, with its dates.
fn bar_input(one: &InstrumentConfig, timeframe: Timeframe, meta: &BarMeta) -> DataInput {
    let is_raw = one.prices.is_raw(timeframe, one.execution);
    let run_on = if is_raw {
        "; run on the raw prices beside it"
    } else {
        ""
    };
    let of_ticker = one.spans().into_iter().filter(|span| span.ticker == meta.symbol);
    let dates: Vec<String> = of_ticker.map(|span| span.to_string()).collect();
    let joined = if one.formerly.is_empty() {
        String::new()
    } else {
        format!("; joined for {}: {}", one.symbol, dates.join(", "))
    };
    DataInput {
        symbol: meta.symbol.clone(),
        timeframe: timeframe.code().to_owned(),
        class: one.class.name().to_owned(),
        digest: meta.digest.clone(),
        source: format!("{}; adjustment: {}{run_on}{joined}", meta.source, meta.adjustment),
        synthetic: meta.synthetic,
    }
}

/// A tick that is coarse against the prices would move every fill.
fn check_tick(system: &SystemConfig, one: &InstrumentConfig, bars: &BarSeries) -> anyhow::Result<()> {
    let start = UtcNanos::from_date(system.period.start).unwrap_or(UtcNanos::MIN);
    let first = bars.close_times().partition_point(|time| *time < start);
    let lowest = bars.closes()[first..]
        .iter()
        .copied()
        .fold(f64::INFINITY, f64::min);
    if one.price_tick > LARGEST_TICK * lowest {
        bail!(
            "universe: {} has a price_tick of {}, but closes go down to {lowest} in the period; a tick may be at most a \
             hundredth of that",
            one.symbol,
            one.price_tick
        );
    }
    Ok(())
}

/// An instrument that leaves the market before the run ends.
fn early_end(system: &SystemConfig, one: &InstrumentConfig, bars: &BarSeries) -> Option<String> {
    let last = *bars.close_times().last()?;
    let end = UtcNanos::from_date(system.period.end)?;
    if one.delisted.is_some() {
        return None;
    }
    (last.saturating_add(USUAL_PAUSE_NANOS) < end).then(|| {
        format!(
            "{} {} bars end {}, before the run does; a position in it stays marked at the last close and cannot be sold.",
            one.symbol,
            one.execution,
            last.date()
        )
    })
}

/// Missing bars of one series, where there are any.
fn gap(one: &InstrumentConfig, timeframe: Timeframe, bars: &BarSeries) -> Option<String> {
    let report = validate_bars(bars.view(), one.class, timeframe);
    let finding = report
        .findings
        .iter()
        .find(|finding| finding.rule == Rule::Gaps)?;
    let first = finding
        .examples
        .first()
        .map_or(String::new(), |example| format!("; first at {example}"));
    Some(format!(
        "{} {timeframe} lacks {} bars that its calendar has{first}.",
        one.symbol, finding.count
    ))
}

/// Why a series cannot be loaded.
struct Unloaded {
    is_missing: bool,
    words: String,
}

impl Unloaded {
    fn new(one: &InstrumentConfig, ticker: &str, error: &DataError) -> Self {
        let words = if ticker == one.symbol {
            error.to_string()
        } else {
            format!("{ticker}, which {} is `formerly`: {error}", one.symbol)
        };
        Self {
            is_missing: matches!(error, DataError::Missing { .. }),
            words,
        }
    }
}

/// Every series, or all that is wrong with any of them at once.
fn all_or_explained<T>(loaded: Vec<Result<T, Unloaded>>, source: Source) -> anyhow::Result<Vec<T>> {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for one in loaded {
        match one {
            Ok(one) => good.push(one),
            Err(error) => bad.push(error),
        }
    }
    let missing = bad.iter().all(|one| one.is_missing);
    let problems: Vec<String> = bad.into_iter().map(|one| one.words).collect();
    if problems.is_empty() {
        Ok(good)
    } else {
        Err(explain(&problems, missing, source))
    }
}

/// Adds what to do, which depends on which lake it is and whether anything is damaged.
fn explain(problems: &[String], missing: bool, source: Source) -> anyhow::Error {
    let hint = match (source, missing) {
        (Source::Imported, true) => {
            "the configuration asks for bars that were not imported (`cargo xtask data status` lists what there is; \
             `configs/examples/real_data.yaml` is a configuration for other universes; `--synthetic` runs on the embedded \
             synthetic market)"
        }
        (Source::Synthetic, true) => {
            "the synthetic market has only SPY, QQQ, BTC-USD and ETH-USD, daily and 4H"
        }
        (Source::Imported, false) => "bars cannot be loaded",
        (Source::Synthetic, false) => {
            "the synthetic market cannot be loaded; `cargo xtask data synthesize` makes it again"
        }
    };
    anyhow::anyhow!("{hint}:\n  - {}", problems.join("\n  - "))
}

fn instrument(one: &InstrumentConfig, account: Currency) -> anyhow::Result<Instrument> {
    let decimal = |value: f64| Decimal::from_f64(value).with_context(|| format!("{}: {value}", one.symbol));
    Ok(Instrument {
        symbol: one.symbol.clone(),
        class: one.class,
        execution: one.execution,
        price_tick: decimal(one.price_tick)?,
        lot_size: decimal(one.lot_size)?,
        contract: one.contract(account).with_context(|| one.symbol.clone())?,
    })
}

fn load_macros(
    lake: &Lake,
    names: &[String],
    inputs: &mut Vec<DataInput>,
) -> anyhow::Result<(Vec<sextant_domain::MacroSeries>, Vec<String>)> {
    let (mut macros, mut missing) = (Vec::new(), Vec::new());
    for name in names {
        match lake.load_macro(name) {
            Ok(stored) => {
                inputs.push(DataInput {
                    symbol: name.clone(),
                    timeframe: "series".to_owned(),
                    class: "macro".to_owned(),
                    digest: stored.meta.digest.clone(),
                    source: format!("{}; published: {}", stored.meta.source, stored.meta.publication),
                    synthetic: stored.meta.synthetic,
                });
                macros.push(stored.series);
            }
            Err(sextant_data::DataError::Missing { .. }) => missing.push(name.clone()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok((macros, missing))
}
