//! The history driver.

use sextant_domain::ports::{Broker, FeatureSource, ResultSink};
use sextant_domain::{Cash, MarketData, Settlement, StepRecord, UtcNanos};
use sextant_engine::{AccountStart, Engine, EngineError, EngineParts, Ledger, MarketEvent};
use thiserror::Error;

use crate::accounts::{AccountModel, AccountModelError, AccountVenue};
use crate::timeline::Timeline;
use crate::venue::{SimulatedVenue, VenueConfig};

/// What happens to positions that are open when the data end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndOfRun {
    /// They stay open and are marked at the last close.
    MarkToMarket,
    /// They are closed at the last bar's close, with costs.
    CloseAtLastClose,
    /// They are closed at the last bar's *open*, with costs, and the last equity is what is left. A price from before
    /// the last bar's close: only for comparison with engines that finalise this way.
    CloseAtLastOpen,
}

impl EndOfRun {
    /// `mark_to_market`, `close_at_last_close` or `close_at_last_open`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MarkToMarket => "mark_to_market",
            Self::CloseAtLastClose => "close_at_last_close",
            Self::CloseAtLastOpen => "close_at_last_open",
        }
    }
}

/// How a backtest is run. There is no `Default`: each of these decides the result.
pub struct BacktestConfig {
    /// Cash at the start, in the account's currency.
    pub initial_capital: Cash,
    /// Trading begins with the first bar that closes after this instant; earlier bars warm features up.
    pub start: UtcNanos,
    /// The last instant of the run.
    pub end: UtcNanos,
    /// How orders trade and what that costs.
    pub venue: VenueConfig,
    /// What happens to the account without orders: dividends, splits, borrow fees, funding and interest.
    pub account: AccountModel,
    /// What happens to open positions at the end.
    pub at_end: EndOfRun,
    /// Instants at which the books are marked for daily returns, in order: session closes, or midnights UTC where
    /// anything trades round the clock.
    pub daily_marks: Vec<UtcNanos>,
}

/// Why a backtest failed.
#[derive(Debug, Error)]
pub enum BacktestError {
    /// An empty or inverted period.
    #[error("the run starts at {start} but ends at {end}; the start must be before the end")]
    Period {
        /// Start asked for.
        start: UtcNanos,
        /// End asked for.
        end: UtcNanos,
    },
    /// No bar in the period.
    #[error("no bar closes between {start} and {end}; the data cover {covered}")]
    NoBars {
        /// Start asked for.
        start: UtcNanos,
        /// End asked for.
        end: UtcNanos,
        /// What there is.
        covered: String,
    },
    /// Capital that is not positive.
    #[error("initial capital is {0}, but must be above zero")]
    Capital(Cash),
    /// Assumptions about the account that do not fit the run.
    #[error(transparent)]
    Account(#[from] AccountModelError),
    /// The engine stopped.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// What a run leaves beside what its sink has received.
#[derive(Debug, Clone)]
pub struct RunOutcome {
    /// The final books.
    pub ledger: Ledger,
    /// Model names, by id.
    pub models: Vec<String>,
    /// Exact portfolio equity at each daily mark; the last one is the end of the run.
    pub marks: Vec<(UtcNanos, Cash)>,
    /// The instant of funding: the start asked for, or the open of the first execution bar where that comes later.
    pub funded: UtcNanos,
    /// The first and the last step of trading.
    pub span: (UtcNanos, UtcNanos),
    /// Steps of trading.
    pub steps: usize,
}

/// Runs a backtest.
///
/// # Errors
/// [`BacktestError`] for an empty period or when the engine stops.
pub fn run(
    market: &MarketData,
    features: &mut dyn FeatureSource,
    parts: EngineParts,
    config: &BacktestConfig,
    sink: &mut dyn ResultSink,
) -> Result<RunOutcome, BacktestError> {
    check(config)?;
    let parts = Engine::bind(parts, market, features)?;
    let start = AccountStart {
        cash: config.initial_capital,
        currency: config.account.currency,
        margin_call: config.account.margin_call,
    };
    let mut engine = Engine::new(parts, start, market, features)?;
    let models: Vec<String> = engine.model_names().map(str::to_owned).collect();
    let mut timeline = Timeline::new(market, config.end);
    let mut record = StepRecord::new(models.len());
    let funded = funded(market, config);
    let mut marker = Marker::new(config, funded);
    let mut venue = SimulatedVenue::new(market, &config.venue, config.at_end);
    let mut with_account;
    let broker: &mut dyn Broker = if config.account.is_trades_only() && !settles_daily(market) {
        &mut venue
    } else {
        let (marks, span) = (&config.daily_marks, (funded, config.end));
        with_account = AccountVenue::new(venue, market, &config.account, marks, span)?;
        &mut with_account
    };
    let (mut steps, mut first, mut last) = (0, None, None);
    let (total, mut done) = (timeline.len(), 0);
    while let Some(now) = timeline.advance() {
        let trading = now > config.start;
        marker.before(now, &mut engine, sink)?;
        let event = MarketEvent {
            time: now,
            available: timeline.available(),
            closed: timeline.closed(),
            trading,
        };
        engine.step(&event, broker, &mut record)?;
        if trading {
            if timeline.is_at_end() && config.at_end != EndOfRun::MarkToMarket {
                engine.liquidate(broker, &mut record)?;
            }
            sink.record(&record);
            steps += 1;
            first = first.or(Some(now));
            last = Some(now);
        }
        done += 1;
        if done % 1024 == 0 {
            sink.progress(done, total);
        }
    }
    let (Some(first), Some(last)) = (first, last) else {
        return Err(no_bars(market, config));
    };
    marker.finish(last, &mut engine, sink)?;
    sink.progress(total, total);
    Ok(RunOutcome {
        funded,
        ledger: engine.into_ledger(),
        models,
        marks: marker.marks,
        span: (first, last),
        steps,
    })
}

/// Checks what every engine needs of a configuration.
///
/// # Errors
/// [`BacktestError`] for an empty period or capital that is not positive.
pub(crate) fn check(config: &BacktestConfig) -> Result<(), BacktestError> {
    if config.start >= config.end {
        return Err(BacktestError::Period {
            start: config.start,
            end: config.end,
        });
    }
    if config.initial_capital <= Cash::ZERO {
        return Err(BacktestError::Capital(config.initial_capital));
    }
    Ok(())
}

/// The instant of funding: before the first bar there is no market to be in, and no day to be marked.
pub(crate) fn funded(market: &MarketData, config: &BacktestConfig) -> UtcNanos {
    config.start.max(first_open(market).unwrap_or(config.start))
}

/// Marks the books at the end of each day.
struct Marker<'c> {
    due: std::iter::Peekable<std::slice::Iter<'c, UtcNanos>>,
    marks: Vec<(UtcNanos, Cash)>,
}

impl<'c> Marker<'c> {
    fn new(config: &'c BacktestConfig, funded: UtcNanos) -> Self {
        let begin = config.daily_marks.partition_point(|time| *time <= funded);
        Self {
            due: config.daily_marks[begin..].iter().peekable(),
            marks: Vec::new(),
        }
    }

    /// Takes the marks that fall before the step at `now`: the books as the step before left them.
    fn before(
        &mut self,
        now: UtcNanos,
        engine: &mut Engine<'_>,
        sink: &mut dyn ResultSink,
    ) -> Result<(), EngineError> {
        while let Some(time) = self.due.next_if(|time| **time < now) {
            self.mark(*time, engine, sink)?;
        }
        Ok(())
    }

    /// Takes what is due by the last step, and the last step itself.
    fn finish(
        &mut self,
        last: UtcNanos,
        engine: &mut Engine<'_>,
        sink: &mut dyn ResultSink,
    ) -> Result<(), EngineError> {
        self.before(last, engine, sink)?;
        self.mark(last, engine, sink)
    }

    fn mark(
        &mut self,
        time: UtcNanos,
        engine: &mut Engine<'_>,
        sink: &mut dyn ResultSink,
    ) -> Result<(), EngineError> {
        let marks = &mut self.marks;
        engine.daily_mark(time, |mark| {
            marks.push((time, mark.equity));
            sink.mark(mark);
        })
    }
}

/// Whether an instrument pays variation margin.
fn settles_daily(market: &MarketData) -> bool {
    let mut instruments = market.instruments().iter();
    instruments.any(|(_, one)| one.contract.settlement == Settlement::Daily)
}

/// When the first execution bar of any instrument opens.
fn first_open(market: &MarketData) -> Option<UtcNanos> {
    let instruments = market.instruments().iter();
    let opens = instruments.filter_map(|(id, _)| {
        let bars = market.get(market.execution_series(id)).bars.view();
        bars.open_time.first().copied()
    });
    opens.min()
}

pub(crate) fn no_bars(market: &MarketData, config: &BacktestConfig) -> BacktestError {
    let views = market.series().iter().map(|series| series.bars.view().close_time);
    let ends = views.filter_map(|times| Some((*times.first()?, *times.last()?)));
    let span = ends.reduce(|(from, to), (first, last)| (from.min(first), to.max(last)));
    let covered = span.map_or("nothing".to_owned(), |(from, to)| format!("{from} to {to}"));
    BacktestError::NoBars {
        start: config.start,
        end: config.end,
        covered,
    }
}
