//! `sextant verify lookahead`.

use anyhow::Context;
use rayon::prelude::*;
use sextant_data::Progress;
use sextant_domain::{MarketData, UtcNanos};
use sextant_proof::{
    Change, FillFault, LookAheadReport, Probe, SplitMix64, Stage, Testimony, cut_points_between,
    premature_fills, probes, raise_what_follows, responses, stale_fills,
};

use super::chain::{Features, System, alone, run_settings, testify, until};
use super::rows::ProofRow;
use crate::args::LookaheadArgs;
use crate::config::ResolvedConfig;
use crate::pipeline::LoadedMarket;

const CHECK: &str = "lookahead";
/// The stages of the chain, in its order.
const STAGES: [Stage; 8] = [
    Stage::Feature,
    Stage::Regime,
    Stage::Intent,
    Stage::Weight,
    Stage::Risk,
    Stage::Order,
    Stage::Fill,
    Stage::Account,
];

/// A configuration and the market that it is about.
type Configured<'a> = (&'a ResolvedConfig, &'a LoadedMarket);

/// Changes the future at every cut point in every way, and compares everything the system said up to the point; then
/// raises all prices after decisions, and looks for fills that do not move.
pub(super) fn prove(
    args: &LookaheadArgs,
    system: &System,
    progress: &dyn Progress,
) -> anyhow::Result<Vec<ProofRow>> {
    let config = match &args.model {
        Some(model) => alone(&system.config, model)?,
        None => system.config.clone(),
    };
    let system = (&config, &system.market);
    let market = &system.1.data;
    let settings = run_settings(&config, system.1)?;
    let span = (settings.start, settings.end);
    let whole = testify(&config, market, &settings, Features::AlsoRegistered)?;
    let points = cut_points_between(market, span, args.cuts.into(), args.seed);
    let report = changed_futures(system, &whole, &probes(&points, args.seed), progress)?;
    let extent = format!("{} cuts x {} changes", args.cuts, Change::ALL.len());
    let mut rows: Vec<ProofRow> = STAGES
        .iter()
        .map(|stage| stage_row(*stage, &extent, &report))
        .collect();
    let instants = chosen(responses(&whole.orders), args.cuts.into(), args.seed);
    let (compared, faults) = raised_prices(system, &whole, &instants, progress)?;
    rows.push(fill_row(&whole, instants.len(), compared, &faults));
    Ok(rows)
}

fn stage_row(stage: Stage, extent: &str, report: &LookAheadReport) -> ProofRow {
    let values = report.compared_by_stage.get(&stage).copied().unwrap_or(0);
    let of_stage = report.violations.iter().filter(|one| one.name.stage == stage);
    let first = of_stage.clone().min_by_key(|one| one.time());
    let complaint =
        first.map(|first| format!("{first} ({} cut points and changes in all)", of_stage.count()));
    ProofRow::compared(CHECK, (stage.name(), extent), values, complaint)
}

fn fill_row(whole: &Testimony, instants: usize, compared: usize, faults: &[FillFault]) -> ProofRow {
    let premature = premature_fills(&whole.orders);
    let first = premature.first().or(faults.first());
    let complaint = first.map(|first| format!("{first} ({} orders in all)", premature.len() + faults.len()));
    let extent = format!("{instants} decisions, prices after them x 10");
    ProofRow::compared(
        CHECK,
        ("prices of fills", &extent),
        compared + premature.len(),
        complaint,
    )
}

fn changed_futures(
    system: Configured<'_>,
    whole: &Testimony,
    probes: &[Probe],
    progress: &dyn Progress,
) -> anyhow::Result<LookAheadReport> {
    progress.start(probes.len() as u64, "changing the future");
    let reports = probes.par_iter().map(|probe| {
        let changed = probe.market(&system.1.data);
        let said = testify_until(system, &changed, probe.cut).with_context(|| {
            let (cut, change) = (probe.cut, probe.change.name());
            format!("with everything after {cut} changed ({change})")
        })?;
        progress.advance(1);
        Ok(probe.judge(&whole.trace, &said.trace))
    });
    let reports = reports.collect::<anyhow::Result<Vec<_>>>()?;
    let mut all = LookAheadReport::default();
    reports.into_iter().for_each(|report| all.merge(report));
    Ok(all)
}

fn testify_until(
    (config, given): Configured<'_>,
    market: &MarketData,
    t: UtcNanos,
) -> anyhow::Result<Testimony> {
    let settings = until(run_settings(config, given)?, t);
    testify(config, market, &settings, Features::AlsoRegistered)
}

/// At most `count` of the instants, chosen by a seed, in order.
fn chosen(mut instants: Vec<UtcNanos>, count: usize, seed: u64) -> Vec<UtcNanos> {
    SplitMix64::new(seed).shuffle(&mut instants);
    instants.truncate(count);
    instants.sort_unstable();
    instants
}

fn raised_prices(
    (config, given): Configured<'_>,
    whole: &Testimony,
    instants: &[UtcNanos],
    progress: &dyn Progress,
) -> anyhow::Result<(usize, Vec<FillFault>)> {
    progress.start(instants.len() as u64, "raising prices after decisions");
    let found = instants.par_iter().map(|t| {
        let raised = raise_what_follows(&given.data, *t);
        let settings = until(run_settings(config, given)?, *t);
        let said = testify(config, &raised, &settings, Features::OfTheSystem)
            .with_context(|| format!("with every price after {t} ten times as high"))?;
        progress.advance(1);
        Ok(stale_fills(&whole.orders, &said.orders, *t))
    });
    let found = found.collect::<anyhow::Result<Vec<_>>>()?;
    let compared = found.iter().map(|(compared, _)| compared).sum();
    Ok((
        compared,
        found.into_iter().flat_map(|(_, faults)| faults).collect(),
    ))
}
