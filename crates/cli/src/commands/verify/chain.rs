//! The configured system as something that can be run over any market and says everything it does.

use std::path::PathBuf;

use anyhow::{Context, bail};
use serde_json::Value;
use sextant_backtest::{BacktestConfig, EndOfRun, vectorised};
use sextant_domain::ports::FeatureSource;
use sextant_domain::{FeatureSpec, MarketData, SeriesId, UtcNanos};
use sextant_features::{FeatureColumns, registry};
use sextant_proof::{Testimony, WatchedFeatures, Witness, watch_regime};
use sextant_risk::KillFlag;

use crate::args::VerifyArgs;
use crate::commands::backtest::choose_market;
use crate::compose::{account_model, backtest_config, engine_parts};
use crate::config::{ConfigSource, EngineConfig, ResolvedConfig, load};
use crate::pipeline::{LoadedMarket, Source, load_market};
use crate::progress::Bars;

/// A configuration and its market.
pub(super) struct System {
    pub(super) config: ResolvedConfig,
    pub(super) market: LoadedMarket,
    /// The lake in use, and which one it is.
    pub(super) root: PathBuf,
    pub(super) source: Source,
}

impl System {
    /// Loads the configuration and its bars, as a backtest does. The kill file is not looked for: a proof of a system that
    /// does nothing proves nothing.
    pub(super) fn open(args: &VerifyArgs, bars: &Bars) -> anyhow::Result<Self> {
        let config = load(&ConfigSource {
            file: args.config.config.clone(),
            overrides: args.config.overrides.clone(),
        })?;
        let asked = args.synthetic.then_some(Source::Synthetic);
        let (root, source) = choose_market(asked, &config, bars)?;
        let market = load_market(&config.system, &root, source, bars)?;
        Ok(Self {
            config,
            market,
            root,
            source,
        })
    }
}

/// The configuration with one of its models alone, its budget and limits as they were.
///
/// # Errors
/// When the configuration has no such model.
pub(super) fn alone(config: &ResolvedConfig, model: &str) -> anyhow::Result<ResolvedConfig> {
    let mut config = config.clone();
    let mut models = serde_json::to_value(&config.models)?;
    let all = models.as_object_mut().context("models are written by name")?;
    if !all.contains_key(model) {
        let known: Vec<&str> = all.keys().map(String::as_str).collect();
        bail!(
            "--model {model}: the configuration runs no such model; it runs {}. A model of your own is proven in a test, by \
             `assert_model_is_causal` of sextant-testkit",
            known.join(", ")
        );
    }
    all.retain(|name, _: &mut Value| name == model);
    config.models = serde_json::from_value(models)?;
    config.budgets.models.retain(|name, _| name == model);
    Ok(config)
}

/// How the system is run in a proof. Positions stay open at the end: that they are closed there is known from the
/// configuration, and the end of a changed market is another one.
pub(super) fn run_settings(config: &ResolvedConfig, market: &LoadedMarket) -> anyhow::Result<BacktestConfig> {
    let account = account_model(&config.system, market)?;
    let (settings, _) = backtest_config(&config.system, account)?;
    Ok(BacktestConfig {
        at_end: EndOfRun::MarkToMarket,
        ..settings
    })
}

/// Features that are looked at beside those the system asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Features {
    /// None.
    OfTheSystem,
    /// Every registered feature with its default parameters, on daily bars or the nearest there are.
    AlsoRegistered,
}

/// Runs the system over a market with the configured engine and writes down everything: feature values, regime, intents,
/// weights, acts of risk, orders, fills and the account.
pub(super) fn testify(
    config: &ResolvedConfig,
    market: &MarketData,
    settings: &BacktestConfig,
    features: Features,
) -> anyhow::Result<Testimony> {
    let mut watched = WatchedFeatures::new(FeatureColumns::new());
    let mut parts = engine_parts(config, market.instruments(), KillFlag::new())?;
    let mut log = None;
    parts.regime = parts.regime.map(|detector| {
        let (detector, kept) = watch_regime(detector);
        log = Some(kept);
        detector
    });
    let models: Vec<String> = parts.models.iter().map(|model| model.id().to_owned()).collect();
    let mut witness = Witness::new(market.instruments(), &models, &settings.daily_marks);
    match config.system.engine {
        EngineConfig::Event => {
            sextant_backtest::run(market, &mut watched, parts, settings, &mut witness)?;
        }
        EngineConfig::Vectorised => {
            vectorised::run(market, &mut watched, parts, settings, &mut witness)?;
        }
    }
    if features == Features::AlsoRegistered {
        prepare_registered(&mut watched, market)?;
    }
    let mut testimony = witness.finish();
    watched.testify(market, &mut testimony.trace);
    if let Some(log) = log {
        log.testify(&mut testimony.trace);
    }
    Ok(testimony)
}

fn prepare_registered(features: &mut dyn FeatureSource, market: &MarketData) -> anyhow::Result<()> {
    let inputs = two_series(market);
    for entry in registry() {
        let spec = FeatureSpec::new(entry.name, &[]);
        features.prepare(&spec, &inputs[..entry.inputs.count()], market)?;
    }
    Ok(())
}

/// The coarsest series of the first two instruments; of the only one twice, where there is no second.
fn two_series(market: &MarketData) -> [SeriesId; 2] {
    let coarsest = |instrument: usize| {
        let series = market.series().iter().enumerate();
        let own = series.filter(|(_, one)| one.instrument.index() == instrument);
        own.max_by_key(|(_, one)| one.timeframe)
            .map(|(index, _)| SeriesId::from_index(index))
    };
    let first = coarsest(0).unwrap_or(SeriesId::from_index(0));
    [first, coarsest(1).unwrap_or(first)]
}

/// The settings of a run that goes on a little past an instant: what comes later is not compared.
pub(super) fn until(settings: BacktestConfig, t: UtcNanos) -> BacktestConfig {
    const LONGEST_PAUSE_NANOS: i64 = 10 * 86_400_000_000_000;
    BacktestConfig {
        end: settings.end.min(t.saturating_add(LONGEST_PAUSE_NANOS)),
        ..settings
    }
}
