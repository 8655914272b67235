//! The assumption bill: what a result is worth when an assumption is made pessimistic, and what costs it bears.
//!
//! The run is repeated with one assumption made pessimistic at a time, with all of them at once, and at several multiples of
//! its costs. The repetitions are part of the run's rows, so that a page or table can be made again without computing
//! anything, and so that they are reproduced like every other row.

mod change;
mod curve;
mod run;
mod thinned;

use anyhow::Context;
use rayon::prelude::*;
use sextant_data::Progress;
use sextant_domain::{AssetClass, Cash};
use sextant_features::FeatureColumns;
use sextant_store::{BillRow, CostCurveRow, RunTables};

use crate::config::{FundingConfig, IntrabarConfig, ResolvedConfig};
use crate::pipeline::LoadedMarket;

use change::Change;
pub(crate) use curve::{BreakEven, break_even};
use run::{Base, Stressed};

/// The row of the run as it was configured.
pub(crate) const AS_RUN: &str = "as_run";
/// The row of the other bound inside bars.
pub(crate) const OPTIMISTIC: &str = "intrabar_optimistic";
/// The row of the pessimistic bound inside bars.
pub(crate) const PESSIMISTIC: &str = "intrabar_rule";
/// The row with everything pessimistic at once.
pub(crate) const ALL: &str = "all";

/// How many different sets of bars are left out to find the worst.
const DRAWS: u64 = 3;
/// The multiples of the costs of the curve.
const MULTIPLES: [f64; 8] = [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0];

/// One line of the bill before it is computed.
struct Line {
    assumption: &'static str,
    pessimistic: String,
    /// The worst of these counts.
    changes: Vec<Change>,
}

/// Adds the bill and the cost curve of a run to its tables.
///
/// # Errors
/// When the run itself cannot be repeated. A repetition that fails is a row with its reason.
pub(crate) fn add(
    tables: &mut RunTables,
    (config, market): (&ResolvedConfig, &LoadedMarket),
    kill: Option<&'static str>,
    progress: &dyn Progress,
) -> anyhow::Result<()> {
    let mut base = Base {
        config,
        market,
        kill,
        features: FeatureColumns::new(),
    };
    base.prepare().context("assumption bill")?;
    let lines = lines(config, best_instrument(config, tables)?);
    let curve: Vec<Change> = MULTIPLES
        .iter()
        .map(|multiple| Change::costs(*multiple))
        .collect();
    let changes: Vec<&Change> = lines
        .iter()
        .flat_map(|line| &line.changes)
        .chain(&curve)
        .collect();
    progress.start(changes.len() as u64, "assumption bill");
    // Collected in the order of the list, whichever is finished first.
    let stressed: Vec<Stressed> = changes
        .par_iter()
        .map(|change| {
            let stressed = base.run(change);
            progress.advance(1);
            stressed
        })
        .collect();
    let mut rest = stressed.into_iter();
    for line in lines {
        let worst = rest
            .by_ref()
            .take(line.changes.len())
            .min_by(|left, right| left.rank().total_cmp(&right.rank()))
            .context("a line of the bill has a run")?;
        tables.assumption_bill.push(row(line, worst));
    }
    tables.cost_curve.extend(
        MULTIPLES
            .iter()
            .zip(rest)
            .map(|(multiple, stressed)| CostCurveRow {
                multiple: *multiple,
                cost_bps: stressed.cost_bps,
                total_return: stressed.total_return,
                cagr: stressed.cagr,
                sharpe: stressed.sharpe,
                reason: stressed.reason,
            }),
    );
    Ok(())
}

fn row(line: Line, stressed: Stressed) -> BillRow {
    BillRow {
        assumption: line.assumption.to_owned(),
        pessimistic: line.pessimistic,
        sharpe: stressed.sharpe,
        cagr: stressed.cagr,
        total_return: stressed.total_return,
        reason: stressed.reason,
    }
}

/// The instrument that earned most, over all models; `None` where nothing was earned.
fn best_instrument(config: &ResolvedConfig, tables: &RunTables) -> anyhow::Result<Option<String>> {
    let mut sums: Vec<(String, Cash)> = Vec::new();
    // Interest has a row of its own, without an instrument.
    let is_traded = |symbol: &str| config.system.universe.iter().any(|one| one.symbol == symbol);
    for row in tables.attribution.iter().filter(|row| is_traded(&row.symbol)) {
        match sums.iter_mut().find(|(symbol, _)| *symbol == row.symbol) {
            Some((_, sum)) => *sum = sum.plus(row.net_pnl)?,
            None => sums.push((row.symbol.clone(), row.net_pnl)),
        }
    }
    // The first of equal ones, in the order of the table.
    let best = sums
        .into_iter()
        .reduce(|best, one| if one.1 > best.1 { one } else { best });
    Ok(best
        .filter(|(_, sum)| *sum > Cash::ZERO)
        .map(|(symbol, _)| symbol))
}

/// Whether anything may be a perpetual future: the configuration can say that nothing is.
fn pays_funding(config: &ResolvedConfig) -> bool {
    let mut universe = config.system.universe.iter();
    config.system.account.funding != FundingConfig::NoPerpetuals
        && universe.any(|one| one.class == AssetClass::Crypto)
}

/// The lines of the bill, in the order of the report.
fn lines(config: &ResolvedConfig, best: Option<String>) -> Vec<Line> {
    let line = |assumption, pessimistic: String, changes| Line {
        assumption,
        pessimistic,
        changes,
    };
    let pays_funding = pays_funding(config);
    let (survivorship, without) = match best {
        Some(best) => (
            format!("{best}, which earned most, could not have been bought"),
            Change::without(&best),
        ),
        None => ("no instrument earned anything".to_owned(), Change::NONE),
    };
    let has_rates = matches!(config.system.account.funding, FundingConfig::Rates { .. });
    let (funding, funded) = match (pays_funding, has_rates) {
        // Twice a rate is twice as much for those who receive it, too.
        (true, true) => (change::FUNDING_WORDS, vec![Change::NONE, Change::FUNDING]),
        (true, false) => (change::FUNDING_WORDS, vec![Change::FUNDING]),
        (false, _) => (
            "as configured: the universe holds no perpetual futures",
            vec![Change::NONE],
        ),
    };
    let everything = Change::everything(without.clone(), pays_funding);
    let draws = (0..DRAWS).map(Change::thinned).collect();
    vec![
        line(AS_RUN, "as configured".to_owned(), vec![Change::NONE]),
        line(
            "fill_convention",
            "orders reach the market one execution bar later, never at the close they were decided on"
                .to_owned(),
            vec![Change::LATER],
        ),
        line(
            PESSIMISTIC,
            "of a stop and a limit inside a bar the stop counts".to_owned(),
            vec![Change::intrabar(IntrabarConfig::Pessimistic)],
        ),
        line(
            OPTIMISTIC,
            "of a stop and a limit inside a bar the limit counts: the other bound".to_owned(),
            vec![Change::intrabar(IntrabarConfig::Optimistic)],
        ),
        line(
            "commission",
            "twice the commission".to_owned(),
            vec![Change::COMMISSION],
        ),
        line(
            "slippage",
            "twice the slippage".to_owned(),
            vec![Change::SLIPPAGE],
        ),
        line("funding", funding.to_owned(), funded),
        line("borrow", change::BORROW_WORDS.to_owned(), vec![Change::BORROW]),
        line("survivorship", survivorship, vec![without]),
        line(
            "data",
            format!(
                "{} of the bars of every series are missing; the worst of {DRAWS} draws",
                thinned::WORDS
            ),
            draws,
        ),
        line(
            "annualisation",
            "the Sharpe ratio is annualised with the serial correlation of daily returns, where that is less"
                .to_owned(),
            vec![Change::SERIAL],
        ),
        line(
            ALL,
            "all of the above at once, on the bars of the run".to_owned(),
            vec![everything],
        ),
    ]
}

#[cfg(test)]
mod tests;
