//! `sextant list-models`.

use std::process::ExitCode;

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
        vec![
            entry.name.to_owned(),
            entry.summary.to_owned(),
            budget.map_or("not configured".to_owned(), |budget| {
                format!("{:.2}", budget.budget)
            }),
            universe.unwrap_or_default(),
            features.unwrap_or_default(),
        ]
    });
    say!("Models there are, and how {} runs them", args.config.display());
    say!(
        "{}",
        table(
            &["model", "what it does", "#budget", "universe", "features"],
            rows
        )
    );
    Ok(ExitCode::SUCCESS)
}
