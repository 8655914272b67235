//! The proof that a model says the same by columns and bar by bar.

use sextant_domain::ports::{FeatureSource, Model};
use sextant_domain::{Binding, ColumnTargets, ColumnView, MarketData, UtcNanos};

use crate::{Decision, Replay};

/// At how many places of the history the comparison begins.
const STARTS: usize = 5;

/// Holds a model's rule [by columns](sextant_domain::ports::SignalColumns) against its `decide`, beginning at several bars
/// of the market, and returns how many decisions were compared. `make` gives a fresh model.
///
/// # Panics
/// When the two differ, when the model offers no columns, or when the series it reads differ in their calendars.
pub fn assert_columns_decide(
    make: impl Fn() -> Box<dyn Model>,
    market: &MarketData,
    features: &mut dyn FeatureSource,
) -> usize {
    let mut compared = 0;
    for part in 0..STARTS {
        let binding = bind(&*make(), market, features);
        let calendar = calendar(&binding, market);
        let start = part * calendar.len() / STARTS;
        let by_bar = Replay::new(market, features)
            .starting(calendar[start])
            .decisions(&mut *make());
        let model = make();
        let columns = decisions_by_columns(&*model, market, features, (&binding, start));
        assert_eq!(columns, by_bar, "{} says something else by columns", model.id());
        compared += by_bar.len();
    }
    compared
}

fn bind(model: &dyn Model, market: &MarketData, features: &mut dyn FeatureSource) -> Binding {
    Binding::resolve(model.id(), model.requirements(), market, features)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn calendar<'m>(binding: &Binding, market: &'m MarketData) -> &'m [UtcNanos] {
    let trigger = binding.triggers().first();
    let trigger = trigger.unwrap_or_else(|| panic!("the model decides on nothing"));
    market.get(*trigger).bars.close_times()
}

fn decisions_by_columns(
    model: &dyn Model,
    market: &MarketData,
    features: &dyn FeatureSource,
    (binding, start): (&Binding, usize),
) -> Vec<Decision> {
    let rule = model.by_columns();
    let rule = rule.unwrap_or_else(|| panic!("{} offers no columns", model.id()));
    let calendar = calendar(binding, market);
    let mut targets = ColumnTargets::default();
    rule.signals(
        &ColumnView::new(market, features, binding, start..calendar.len()),
        &mut targets,
    );
    let symbols = model.requirements().instruments();
    let bars = targets.targets().chunk_by(|left, right| left.0 == right.0);
    bars.map(|of_bar| Decision {
        time: calendar[of_bar[0].0],
        targets: of_bar
            .iter()
            .map(|(_, instrument, weight)| (symbols[instrument.position()].clone(), *weight))
            .collect(),
        orders: Vec::new(),
    })
    .collect()
}
