//! `sextant list-models`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use sextant_domain::{Requirements, Timeframe};
use sextant_features::history_needed;

use crate::args::ConfigArgs;
use crate::config::{ConfigSource, load};
use crate::out::say;
use crate::table::table;

pub(super) fn list(args: &ConfigArgs) -> anyhow::Result<ExitCode> {
    let config = load(&ConfigSource {
        file: args.config.clone(),
        overrides: args.overrides.clone(),
    })?;
    let built = config.models.build()?;
    let rows = sextant_models::catalogue().iter().map(|entry| {
        let model = built.iter().find(|model| model.id() == entry.name);
        let budget = config.budgets.models.get(entry.name).filter(|_| model.is_some());
        let universe = model.map(|model| model.requirements().instruments().join(", "));
        let features = model.map(|model| {
            let features: Vec<String> = model
                .requirements()
                .features()
                .iter()
                .map(|one| one.spec.to_string())
                .collect();
            let mut distinct: Vec<String> = Vec::new();
            features.into_iter().for_each(|one| {
                if !distinct.contains(&one) {
                    distinct.push(one)
                }
            });
            distinct.join(", ")
        });
        let warm_up = model.map(|model| warm_up(model.requirements())).transpose()?;
        Ok(vec![
            entry.name.to_owned(),
            entry.summary.to_owned(),
            budget.map_or("not configured".to_owned(), |budget| {
                format!("{:.2}", budget.budget)
            }),
            universe.unwrap_or_default(),
            features.unwrap_or_default(),
            warm_up.unwrap_or_default(),
        ])
    });
    let rows = rows.collect::<anyhow::Result<Vec<_>>>()?;
    say!("Models there are, and how {} runs them", args.config.display());
    say!(
        "{}",
        table(
            &[
                "model",
                "what it does",
                "#budget",
                "universe",
                "features",
                "warm-up"
            ],
            rows
        )
    );
    Ok(ExitCode::SUCCESS)
}

/// The bars that must have closed before a decision for which every feature is settled, by timeframe.
fn warm_up(requirements: &Requirements) -> anyhow::Result<String> {
    let mut bars: BTreeMap<Timeframe, usize> = BTreeMap::new();
    for one in history_needed(requirements)? {
        let longest = bars.entry(one.series.timeframe).or_default();
        *longest = one.settled.max(*longest);
    }
    let words = bars
        .iter()
        .map(|(timeframe, bars)| format!("{bars} x {timeframe}"));
    Ok(words.collect::<Vec<_>>().join(", "))
}
