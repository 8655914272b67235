//! The vectorised engine gives what the event engine gives, and names what it cannot.

mod columns;
mod obstacles;
mod random;
mod shipped;

use sextant_backtest::{BacktestConfig, RunOutcome, run, vectorised};
use sextant_domain::ports::{DailyMark, PositionMark, ResultSink};
use sextant_domain::{Cash, MarketData, ModelId, StepRecord, UtcNanos};
use sextant_engine::{EngineParts, Scope};
use sextant_features::FeatureColumns;

/// A daily mark, kept.
#[derive(Debug, PartialEq)]
struct Mark {
    time: UtcNanos,
    equity: Cash,
    model_pnl: Vec<Cash>,
    positions: Vec<PositionMark>,
    model_positions: Vec<(ModelId, PositionMark)>,
}

/// Keeps everything that a sink hears.
#[derive(Default)]
struct Everything {
    steps: Vec<StepRecord>,
    marks: Vec<Mark>,
}

impl ResultSink for Everything {
    fn record(&mut self, step: &StepRecord) {
        let mut told = step.clone();
        // How sizes came about is told by the event engine alone.
        told.sizings.clear();
        told.trails.clear();
        self.steps.push(told);
    }

    fn mark(&mut self, mark: &DailyMark<'_>) {
        self.marks.push(Mark {
            time: mark.time,
            equity: mark.equity,
            model_pnl: mark.model_pnl.to_vec(),
            positions: mark.positions.to_vec(),
            model_positions: mark.model_positions.to_vec(),
        });
    }
}

/// What a comparison has seen, so that a test can ask for enough of it.
#[derive(Debug, Default)]
struct Seen {
    orders: usize,
    interventions: usize,
    statuses: usize,
    ended: usize,
}

/// Runs both engines and compares everything they tell: each step, each mark and the books at the end, to the last digit.
/// Returns how much there was to compare; the words say where they differ first.
fn compare(
    market: &MarketData,
    parts: impl Fn() -> EngineParts,
    config: &BacktestConfig,
) -> Result<Seen, String> {
    let (mut events, mut columns) = (Everything::default(), Everything::default());
    let by_events = run(market, &mut FeatureColumns::new(), parts(), config, &mut events).unwrap();
    let by_columns = vectorised::run(market, &mut FeatureColumns::new(), parts(), config, &mut columns);
    let by_columns = by_columns.map_err(|error| error.to_string())?;
    if events.steps.len() != columns.steps.len() {
        return Err(format!(
            "{} and {} steps",
            events.steps.len(),
            columns.steps.len()
        ));
    }
    for (left, right) in events.steps.iter().zip(&columns.steps) {
        if left != right {
            return Err(format!("events {left:#?}\ncolumns {right:#?}"));
        }
    }
    for (left, right) in events.marks.iter().zip(&columns.marks) {
        if left != right {
            return Err(format!("events {left:#?}\ncolumns {right:#?}"));
        }
    }
    compare_outcomes(&by_events, &by_columns)?;
    let steps = &events.steps;
    Ok(Seen {
        orders: steps.iter().map(|step| step.orders.len()).sum(),
        interventions: steps.iter().map(|step| step.interventions.len()).sum(),
        statuses: steps
            .windows(2)
            .filter(|two| two[0].status != two[1].status)
            .count(),
        ended: steps.iter().map(|step| step.ended.len()).sum(),
    })
}

fn compare_outcomes(events: &RunOutcome, columns: &RunOutcome) -> Result<(), String> {
    let facts = |run: &RunOutcome| {
        (
            run.models.clone(),
            run.marks.clone(),
            run.funded,
            run.span,
            run.steps,
        )
    };
    if facts(events) != facts(columns) {
        return Err(format!(
            "events {:?}\ncolumns {:?}",
            facts(events),
            facts(columns)
        ));
    }
    let scopes = (0..events.models.len()).map(|index| Scope::Model(ModelId::from_index(index)));
    for scope in scopes.chain([Scope::Portfolio]) {
        let (left, right) = (events.ledger.book(scope), columns.ledger.book(scope));
        let pnl = |run: &RunOutcome| run.ledger.pnl(scope).map_err(|error| error.to_string());
        if left.trades() != right.trades() || pnl(events) != pnl(columns) {
            return Err(format!("the books of {scope:?} differ"));
        }
    }
    Ok(())
}
