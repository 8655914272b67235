//! A backtest from configuration and market to rows: what the command runs, without files and printing.

use std::path::Path;

use serde_json::json;
use sextant_backtest::RunOutcome;
use sextant_data::Progress;
use sextant_features::FeatureColumns;
use sextant_risk::KillFlag;
use sextant_store::{Assumption, CodeVersion, Manifest, RunInputs, RunTables};

pub use crate::compose::{LoadedMarket, Source, ensure_synthetic, load_market, synthetic_root};
use crate::compose::{backtest_config, engine_parts, sleeves};
use crate::config::{ConventionConfig, IntrabarConfig, ResolvedConfig};
use crate::figures::{self, FigureSettings};
use crate::recorder::RunRecorder;

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
    let (run, periods) = backtest_config(&config.system)?;
    let sleeves = sleeves(config)?;
    let instruments = market.data.instruments();
    let mut recorder = RunRecorder::new(instruments, &sleeves, run.initial_capital, progress);
    let mut features = FeatureColumns::new();
    let parts = engine_parts(config, instruments, flag)?;
    let outcome = sextant_backtest::run(&market.data, &mut features, parts, &run, &mut recorder)?;
    let (mut tables, activity) = recorder.finish()?;
    let system = &config.system;
    let settings = FigureSettings {
        models: &outcome.models,
        instruments,
        periods,
        risk_free_annual: system.risk_free_annual,
        seed: system.seed,
        start_ns: outcome.funded.nanos(),
    };
    figures::complete(&mut tables, &outcome.ledger, &activity, &settings)?;
    Ok(Computed { tables, outcome })
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
        object.insert("kill_file_present".to_owned(), json!(kill.is_some()));
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

/// What the figures take for granted, for the manifest and the report.
fn assumptions(config: &ResolvedConfig, market: &LoadedMarket) -> Vec<Assumption> {
    let system = &config.system;
    let mut list = Vec::new();
    let mut add = |key: &str, text: String| {
        list.push(Assumption {
            key: key.to_owned(),
            text,
        })
    };
    if market.inputs.iter().any(|input| input.synthetic) {
        add(
            "synthetic_data",
            "Bars are synthetic: generated from a seed. Nothing here speaks of any market.".to_owned(),
        );
    }
    let fills = match system.fills.convention {
        ConventionConfig::NextOpen => "Market orders fill at the open of the next execution bar.",
        ConventionConfig::SameClose => {
            "Market orders fill at the very close they were decided on: optimistic."
        }
        ConventionConfig::NextClose => "Market orders fill at the close of the next execution bar.",
        ConventionConfig::NextTypical => {
            "Market orders fill at the mean of high, low and close of the next execution bar."
        }
    };
    let volume = match system.fills.participation {
        Some(part) => format!("All orders of an instrument together trade at most {part} of a bar's volume."),
        None => "There is no volume limit.".to_owned(),
    };
    let latency = match system.fills.latency_bars {
        0 => String::new(),
        bars => format!(" Orders reach the market {bars} execution bars later than they could."),
    };
    add(
        "fill_convention",
        format!("{fills} Orders do not move the market. {volume}{latency}"),
    );
    let intrabar = match system.fills.intrabar {
        IntrabarConfig::Pessimistic => {
            "of a stop and a limit that a bar reaches, the stop counts (pessimistic bound)"
        }
        IntrabarConfig::Optimistic => {
            "of a stop and a limit that a bar reaches, the limit counts (optimistic bound)"
        }
        IntrabarConfig::HighFirst => "prices go from the open to the high, the low and the close",
        IntrabarConfig::LowFirst => "prices go from the open to the low, the high and the close",
        IntrabarConfig::NearestFirst => {
            "prices go from the open to the nearer extreme, the other one and the close"
        }
    };
    add("intrabar_rule", format!("Inside a bar, {intrabar}."));
    for class in sextant_domain::AssetClass::ALL {
        if let Some(costs) = system
            .costs
            .of(class)
            .filter(|_| system.universe.iter().any(|one| one.class == class))
        {
            let text = format!(
                "{} bp commission and {} bp slippage per side, at any size and time.",
                costs.commission_bps, costs.slippage_bps
            );
            add(&format!("costs_{class}"), text);
        }
    }
    add(
        "not_simulated",
        "Market impact, borrow fees, margin interest, funding and taxes are not simulated.".to_owned(),
    );
    add("cash", "Cash earns no interest.".to_owned());
    add(
        "dividends",
        "Where prices are adjusted, dividends are reinvested in the adjustment; see the data table."
            .to_owned(),
    );
    add(
        "survivorship",
        "The universe is the configured list; it was chosen knowing what still exists.".to_owned(),
    );
    add(
        "sleeves",
        "A model's figures are those of its base budget of portfolio equity; money that moves in or out of it as the \
         portfolio grows or shrinks is no return.".to_owned(),
    );
    for end in &market.ends {
        add("data_ends", end.clone());
    }
    for gap in &market.gaps {
        add("data_gaps", gap.clone());
    }
    for name in &market.missing_macros {
        add(
            "missing_macro",
            format!("The macro series {name} is not there; regimes that need it are `unknown`."),
        );
    }
    list
}
