//! `sextant verify metamorphic`.

use anyhow::Context;
use rust_decimal::Decimal;
use sextant_backtest::{AccountModel, BacktestConfig, Costs, ProportionalCosts, SessionEnds};
use sextant_data::{Calendar, Progress};
use sextant_domain::{AssetClass, Cash, UtcNanos};
use sextant_proof::{Departure, Observed, Relation, Testimony, departures};

use super::chain::{Features, System, run_settings, testify};
use super::rows::{ProofRow, Verdict};
use super::variants::renamed;

const CHECK: &str = "metamorphic";
/// After 28 years weekdays, days of the month and leap years repeat themselves.
const WEEKS_OF_28_YEARS: u32 = 1_461;

/// Runs the system over its market and over markets whose effect is known, and compares.
pub(super) fn prove(system: &System, progress: &dyn Progress) -> anyhow::Result<Vec<ProofRow>> {
    let relations = relations(system);
    progress.start(relations.len() as u64, "changing the market");
    let (config, market) = (&system.config, &system.market.data);
    let given = |costs| testify(config, market, &settings(system, costs)?, Features::OfTheSystem);
    let (given, given_free) = (given(CostsUsed::AsConfigured)?, given(CostsUsed::None)?);
    let rows = relations.iter().map(|relation| {
        let given = if relation.is_without_costs() {
            &given_free
        } else {
            &given
        };
        let row = hold(system, relation, given).with_context(|| relation.name());
        progress.advance(1);
        row
    });
    rows.collect()
}

/// Which costs a run has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CostsUsed {
    AsConfigured,
    None,
}

/// The settings of a run whose account knows trades alone: dividends and rates belong to names and instants that a
/// relation changes.
fn settings(system: &System, costs: CostsUsed) -> anyhow::Result<BacktestConfig> {
    let mut settings = run_settings(&system.config, &system.market)?;
    settings.account = AccountModel {
        currency: settings.account.currency,
        margin_call: settings.account.margin_call,
        ..AccountModel::trades_only()
    };
    if costs == CostsUsed::None {
        let free = Costs::uniform(ProportionalCosts {
            commission_bps: Decimal::ZERO,
            slippage_bps: Decimal::ZERO,
        })?;
        settings.venue.fees = Box::new(free.clone());
        settings.venue.slippage = Box::new(free);
    }
    Ok(settings)
}

/// Every relation; those of one instrument for the first of each asset class.
fn relations(system: &System) -> Vec<Relation> {
    let mut relations = vec![
        Relation::ScaledPrices { doublings: 1 },
        Relation::ScaledPrices { doublings: 4 },
        Relation::Renamed,
        Relation::ShiftedCalendar {
            weeks: WEEKS_OF_28_YEARS,
        },
        Relation::Bystander,
    ];
    let universe = &system.config.system.universe;
    for class in AssetClass::ALL {
        if let Some(one) = universe.iter().find(|one| one.class == class) {
            let symbol = one.symbol.clone();
            relations.push(Relation::Split {
                symbol: symbol.clone(),
            });
            relations.push(Relation::Substituted { symbol });
        }
    }
    relations
}

fn hold(system: &System, relation: &Relation, given: &Testimony) -> anyhow::Result<ProofRow> {
    let market = &system.market.data;
    let instruments = market.instruments();
    if let Some(reason) = inapplicable(system, relation) {
        return Ok(skipped(relation, reason));
    }
    if !is_traded(given, relation) {
        return Ok(skipped(
            relation,
            "nothing was traded that it speaks of".to_owned(),
        ));
    }
    let changed = match relation.market(market) {
        Ok(changed) => changed,
        // Such as half of the finest tick there is.
        Err(error) => return Ok(skipped(relation, error.to_string())),
    };
    let names = relation.names(instruments);
    let config = if names.is_empty() {
        system.config.clone()
    } else {
        renamed(&system.config, &names)?
    };
    let settings = followed(system, relation)?;
    let found = testify(&config, &changed, &settings, Features::OfTheSystem)?;
    let expected = relation.expected(&given.trace, instruments);
    let (compared, departures) = departures(&expected, &found.trace, relation.tolerance());
    let complaint = departures.first().map(|first| words(first, departures.len()));
    let exact = match relation.tolerance().0 {
        0.0 => "to the bit".to_owned(),
        relative => format!("decimals exactly, floats to {relative:e}"),
    };
    let costs = if relation.is_without_costs() {
        ", without costs"
    } else {
        ""
    };
    let extent = format!("{exact}{costs}");
    Ok(ProofRow::compared(
        CHECK,
        (&relation.name(), &extent),
        compared,
        complaint,
    ))
}

/// Why a relation says nothing of this system, if so.
fn inapplicable(system: &System, relation: &Relation) -> Option<String> {
    let account = system.config.system.capital.currency;
    let mut instruments = system.market.data.instruments().iter();
    let has_rates = instruments.any(|(_, one)| one.contract.currency != account);
    let is_about_time = matches!(relation, Relation::ShiftedCalendar { .. } | Relation::Bystander);
    (has_rates && !is_about_time).then(|| {
        "instruments are quoted in several currencies: a rate is a price of a named pair, and neither may change".to_owned()
    })
}

/// Whether anything was traded that a relation speaks of: two accounts that do nothing are equal on every market.
fn is_traded(given: &Testimony, relation: &Relation) -> bool {
    let about = match relation {
        Relation::Split { symbol } | Relation::Substituted { symbol } => Some(symbol),
        _ => None,
    };
    let mut stories = given.orders.values();
    stories.any(|one| one.first_fill.is_some() && about.is_none_or(|symbol| *symbol == one.symbol))
}

fn skipped(relation: &Relation, reason: String) -> ProofRow {
    ProofRow {
        verdict: Verdict::Skip(reason),
        ..ProofRow::compared(CHECK, (&relation.name(), ""), 0, None)
    }
}

/// The settings of the run with capital and instants as the relation has them.
fn followed(system: &System, relation: &Relation) -> anyhow::Result<BacktestConfig> {
    let costs = if relation.is_without_costs() {
        CostsUsed::None
    } else {
        CostsUsed::AsConfigured
    };
    let mut settings = settings(system, costs)?;
    let capital = settings.initial_capital.decimal() * Decimal::from(relation.money_factor());
    settings.initial_capital = Cash::new(capital);
    let later = |time: UtcNanos| time.saturating_add(relation.later_nanos());
    let (start, end) = (settings.start, settings.end);
    let later_marks = |class| {
        let marks = Calendar::for_class(class).daily_marks(start, end);
        marks.into_iter().map(later).collect()
    };
    settings.venue.sessions = SessionEnds::new(later_marks);
    settings
        .daily_marks
        .iter_mut()
        .for_each(|mark| *mark = later(*mark));
    (settings.start, settings.end) = (later(start), later(end));
    Ok(settings)
}

fn words(first: &Departure, count: usize) -> String {
    let show = |observed: &Option<_>| {
        observed
            .as_ref()
            .map_or("nothing".to_owned(), |observed: &Observed| observed.to_string())
    };
    format!(
        "{} at {}: expected {}, found {} ({count} quantities differ)",
        first.name,
        first.time,
        show(&first.expected),
        show(&first.found)
    )
}
