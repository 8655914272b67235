//! Loading the market of a run from the lake, or making the synthetic one.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rayon::prelude::*;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use sextant_data::synthetic::{SessionTimes, SyntheticConfig as Generator, generate};
use sextant_data::{BarKey, Calendar, Lake, MacroTable, Progress, Provenance, Rule, validate_bars};
use sextant_domain::{
    AssetClass, Instrument, InstrumentId, InstrumentTable, MarketData, Series, Timeframe, UtcNanos,
};
use sextant_store::DataInput;

use crate::config::{InstrumentConfig, SyntheticConfig, SystemConfig};

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
    /// What was loaded, with digests, for the manifest.
    pub inputs: Vec<DataInput>,
    /// Macro series that were asked for and are not there.
    pub missing_macros: Vec<String>,
    /// What the calendar expects and the bars do not have, in words.
    pub gaps: Vec<String>,
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
    let marker = lake
        .load_macro("vix")
        .is_ok_and(|stored| stored.meta.source == source);
    if marker && !lake.bar_keys()?.is_empty() {
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
    // The last file written is the one looked for above, so that an interrupted creation is made again.
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
        .map(instrument)
        .collect::<anyhow::Result<Vec<_>>>()?;
    let instruments = InstrumentTable::new(instruments)?;
    let wanted: Vec<(usize, Timeframe)> = system
        .universe
        .iter()
        .enumerate()
        .flat_map(|(index, one)| one.timeframes.iter().map(move |timeframe| (index, *timeframe)))
        .collect();
    progress.start(wanted.len() as u64, "loading bars");
    // Collected in the order of the configuration, whatever the order of loading.
    let loaded = wanted
        .par_iter()
        .map(|(index, timeframe)| {
            let one = &system.universe[*index];
            let stored = lake.load_bars(one.class, &one.symbol, *timeframe);
            progress.advance(1);
            stored.map(|stored| (*index, *timeframe, stored))
        })
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| hint(source))?;
    let mut inputs = Vec::new();
    let (mut series, mut gaps) = (Vec::new(), Vec::new());
    for (index, timeframe, stored) in loaded {
        let one = &system.universe[index];
        inputs.push(DataInput {
            symbol: one.symbol.clone(),
            timeframe: timeframe.code().to_owned(),
            class: one.class.name().to_owned(),
            digest: stored.meta.digest.clone(),
            source: format!("{}; adjustment: {}", stored.meta.source, stored.meta.adjustment),
            synthetic: stored.meta.synthetic,
        });
        gaps.extend(gap(one, timeframe, &stored.bars));
        series.push(Series {
            instrument: InstrumentId::from_index(index),
            timeframe,
            bars: stored.bars,
        });
    }
    let (macros, missing_macros) = load_macros(&lake, &system.macro_series, &mut inputs)?;
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
        inputs,
        missing_macros,
        gaps,
    })
}

/// Missing bars of one series, where there are any.
fn gap(one: &InstrumentConfig, timeframe: Timeframe, bars: &sextant_domain::BarSeries) -> Option<String> {
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

fn hint(source: Source) -> String {
    match source {
        Source::Imported => {
            "the configuration asks for bars that were not imported (`cargo xtask data status` lists \
                             what there is; `--synthetic` runs on the embedded synthetic market)"
                .to_owned()
        }
        Source::Synthetic => {
            "the synthetic market has only SPY, QQQ, BTC-USD and ETH-USD, daily and 4H".to_owned()
        }
    }
}

fn instrument(one: &InstrumentConfig) -> anyhow::Result<Instrument> {
    let decimal = |value: f64| Decimal::from_f64(value).with_context(|| format!("{}: {value}", one.symbol));
    Ok(Instrument {
        symbol: one.symbol.clone(),
        class: one.class,
        execution: one.execution,
        price_tick: decimal(one.price_tick)?,
        lot_size: decimal(one.lot_size)?,
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
