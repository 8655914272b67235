//! A backtest from configuration and market to rows: what the command runs, without files and printing.

use std::path::Path;

use serde_json::json;
use sextant_backtest::{RunOutcome, vectorised};
use sextant_data::Progress;
use sextant_features::FeatureColumns;
use sextant_risk::KillFlag;
use sextant_store::{CodeVersion, Manifest, RunInputs, RunTables};

use crate::assumptions::assumptions;
use crate::bill;
pub use crate::compose::{LoadedMarket, Source, ensure_synthetic, load_market, synthetic_root};
use crate::compose::{account_model, backtest_config, engine_parts, sleeves};
use crate::config::{BillConfig, EngineConfig, KILL_FILE_PRESENT, ResolvedConfig};
use crate::figures::{self, FigureSettings, RecordedCosts};
use crate::recorder::RunRecorder;

/// Why the kill switch is on, as the rows of a run have it. Where the kill file lies does not matter to a result and is no
/// part of its manifest, so that no row may name it either.
pub(crate) const KILL_FILE: &str = "the kill file exists, or nobody could tell";

/// Why the kill switch is on, if it is: the file is looked for once, before the run. A file that cannot be looked for
/// counts as there: a switch must not fail in the direction of trading.
pub(crate) fn kill_reason(config: &ResolvedConfig) -> Option<String> {
    let file = config.risk.kill_switch.file.as_ref()?;
    match Path::new(file).try_exists() {
        Ok(false) => None,
        Ok(true) => Some(format!("the kill file {file} exists")),
        Err(error) => Some(format!(
            "whether the kill file {file} exists cannot be found out: {error}"
        )),
    }
}

/// The result of a run.
pub struct Computed {
    /// Every row.
    pub tables: RunTables,
    /// Final books and daily marks.
    pub outcome: RunOutcome,
}

/// Runs the configured models over a market. `kill` is why the kill switch is on from the start, if it is.
///
/// # Errors
/// When a part refuses its parameters, the engine stops, or a figure cannot be computed.
pub fn compute(
    config: &ResolvedConfig,
    market: &LoadedMarket,
    kill: Option<&str>,
    progress: &dyn Progress,
) -> anyhow::Result<Computed> {
    let flag = KillFlag::new();
    if let Some(reason) = kill {
        flag.engage(reason);
    }
    let account = account_model(&config.system, market)?;
    let (run, periods) = backtest_config(&config.system, account)?;
    let sleeves = sleeves(config)?;
    let instruments = market.data.instruments();
    let mut recorder = RunRecorder::new(instruments, &sleeves, run.initial_capital, progress);
    let mut features = FeatureColumns::new();
    let parts = engine_parts(config, instruments, flag)?;
    let outcome = match config.system.engine {
        EngineConfig::Event => {
            sextant_backtest::run(&market.data, &mut features, parts, &run, &mut recorder)?
        }
        EngineConfig::Vectorised => vectorised::run(&market.data, &mut features, parts, &run, &mut recorder)?,
    };
    let (mut tables, activity) = recorder.finish()?;
    let system = &config.system;
    let settings = FigureSettings {
        models: &outcome.models,
        instruments,
        periods,
        risk_free_annual: system.risk_free_annual,
        seed: system.seed,
        start_ns: outcome.funded.nanos(),
        recorded: RecordedCosts::of(system),
    };
    figures::complete(&mut tables, &outcome.ledger, &activity, &settings)?;
    Ok(Computed { tables, outcome })
}

/// [`compute`], and the assumption bill where the configuration asks for one: every row that a run folder holds.
///
/// # Errors
/// As [`compute`].
pub(crate) fn compute_all(
    config: &ResolvedConfig,
    market: &LoadedMarket,
    kill: Option<&'static str>,
    progress: &dyn Progress,
) -> anyhow::Result<Computed> {
    let mut computed = compute(config, market, kill, progress)?;
    match config.system.assumption_bill {
        BillConfig::Full => bill::add(&mut computed.tables, (config, market), kill, progress)?,
        BillConfig::None => {}
    }
    Ok(computed)
}

/// The manifest of a run: what its result depends on, and what it takes for granted.
pub(crate) fn manifest(
    config: &ResolvedConfig,
    market: &LoadedMarket,
    kill: Option<&str>,
    outcome: &RunOutcome,
) -> Manifest {
    let mut identity = config.identity();
    if let Some(object) = identity.as_object_mut() {
        object.insert(KILL_FILE_PRESENT.to_owned(), json!(kill.is_some()));
    }
    let inputs = RunInputs {
        code: CodeVersion {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            digest: env!("SEXTANT_CODE_DIGEST").to_owned(),
        },
        config: identity,
        data: market.inputs.clone(),
        seed: config.system.seed,
        start: outcome.span.0,
        end: outcome.span.1,
        universe: config
            .system
            .universe
            .iter()
            .map(|one| one.symbol.clone())
            .collect(),
    };
    Manifest::new(inputs, assumptions(config, market))
}
