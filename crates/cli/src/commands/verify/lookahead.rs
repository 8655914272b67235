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
    let chain = Chain {
        config: &config,
        market: &system.market,
    };
    let settings = run_settings(&config, &system.market)?;
    let span = (settings.start, settings.end);
    let whole = testify(&config, &system.market.data, &settings, Features::AlsoRegistered)?;
    let points = cut_points_between(&system.market.data, span, args.cuts.into(), args.seed);
    let report = changed_futures(chain, &whole, &probes(&points, args.seed), progress)?;
    let extent = format!("{} cuts x {} changes", args.cuts, Change::ALL.len());
    let mut rows: Vec<ProofRow> = STAGES
        .iter()
        .map(|stage| stage_row(*stage, &extent, &report))
        .collect();
    let instants = chosen(responses(&whole.orders), args.cuts.into(), args.seed);
    let (compared, faults) = raised_prices(chain, &whole, &instants, progress)?;
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
    let complaint = if whole.orders.is_empty() {
        Some("nothing was ordered, so nothing is proven; choose another period or configuration".to_owned())
    } else {
        first.map(|first| format!("{first} ({} orders in all)", premature.len() + faults.len()))
    };
    let extent = format!("{instants} decisions, prices after them x 10");
    ProofRow::compared(
        CHECK,
        ("prices of fills", &extent),
        compared + premature.len(),
        complaint,
    )
}

/// What is run again, over changes of its market.
#[derive(Clone, Copy)]
struct Chain<'a> {
    config: &'a ResolvedConfig,
    market: &'a LoadedMarket,
}

impl Chain<'_> {
    /// What the system says over a changed market, up to a little after an instant.
    fn said(self, changed: &MarketData, t: UtcNanos, features: Features) -> anyhow::Result<Testimony> {
        let settings = until(run_settings(self.config, self.market)?, t);
        testify(self.config, changed, &settings, features)
    }
}

fn changed_futures(
    chain: Chain<'_>,
    whole: &Testimony,
    probes: &[Probe],
    progress: &dyn Progress,
) -> anyhow::Result<LookAheadReport> {
    progress.start(probes.len() as u64, "changing the future");
    let reports = probes.par_iter().map(|probe| {
        let changed = probe.market(&chain.market.data);
        let said = chain.said(&changed, probe.cut, Features::AlsoRegistered);
        let said = said.with_context(|| {
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

/// At most `count` of the instants, chosen by a seed, in order.
fn chosen(mut instants: Vec<UtcNanos>, count: usize, seed: u64) -> Vec<UtcNanos> {
    SplitMix64::new(seed).shuffle(&mut instants);
    instants.truncate(count);
    instants.sort_unstable();
    instants
}

fn raised_prices(
    chain: Chain<'_>,
    whole: &Testimony,
    instants: &[UtcNanos],
    progress: &dyn Progress,
) -> anyhow::Result<(usize, Vec<FillFault>)> {
    progress.start(instants.len() as u64, "raising prices after decisions");
    let found = instants.par_iter().map(|t| {
        let raised = raise_what_follows(&chain.market.data, *t);
        let said = chain
            .said(&raised, *t, Features::OfTheSystem)
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
