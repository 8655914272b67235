//! `sextant verify all`.

use sextant_data::{Lake, Progress, ValidationContext, validate_bars_with};

use super::chain::System;
use super::rows::ProofRow;
use super::{determinism, lookahead, metamorphic, run};
use crate::args::{DeterminismArgs, LookaheadArgs, ResultsArgs, RunArgs, VerifyRunArgs};
use crate::progress::Bars;

/// Every proof of the system, the rules for the data in use, and the newest run computed again.
pub(super) fn prove(args: &LookaheadArgs, bars: &Bars) -> anyhow::Result<Vec<ProofRow>> {
    let system = System::open(&args.what, bars)?;
    let mut rows = vec![data(&system, bars)?];
    rows.extend(lookahead::prove(args, &system, bars)?);
    let again = DeterminismArgs {
        what: args.what.clone(),
        seed: args.seed,
    };
    rows.extend(determinism::prove(&again, &system, bars)?);
    rows.extend(metamorphic::prove(&system, bars)?);
    let paths = &system.config.system.paths;
    let newest = VerifyRunArgs {
        run: RunArgs {
            results: ResultsArgs {
                results: paths.results.clone(),
            },
            run: "latest".to_owned(),
        },
        data: paths.data.clone(),
        config: None,
    };
    rows.push(run::newest(&newest, bars)?);
    Ok(rows)
}

/// The rules for data, over every series of the lake in use.
fn data(system: &System, progress: &dyn Progress) -> anyhow::Result<ProofRow> {
    let lake = Lake::new(&system.root);
    let keys = lake.bar_keys()?;
    progress.start(keys.len() as u64, "validating bars");
    let (mut bars, mut complaints) = (0, Vec::new());
    for key in &keys {
        progress.advance(1);
        let stored = match lake.load_bars(key.class(), key.symbol(), key.timeframe()) {
            Ok(stored) => stored,
            Err(error) => {
                complaints.push(format!("{key}: {error}"));
                continue;
            }
        };
        let context = ValidationContext {
            tickers: None,
            events: None,
        };
        let report = validate_bars_with(stored.bars.view(), key, context);
        bars += stored.bars.len();
        if report.has_errors() {
            complaints.push(format!(
                "{key} breaks a rule; `cargo xtask data validate` says which"
            ));
        }
    }
    let extent = format!("{} series of {}", keys.len(), lake.root().display());
    let complaint = (!complaints.is_empty()).then(|| complaints.join("; "));
    Ok(ProofRow::compared(
        "data",
        ("bars by the data rules", &extent),
        bars,
        complaint,
    ))
}
