//! The engine of a run: its parts, resolved against a market, and the state that lies between steps.

mod checks;
mod daily_mark;
mod margin;
mod orders;
mod requests;
mod step;
mod targets;

use sextant_domain::ports::{FeatureSource, Model, PortfolioConstructor, RegimeDetector, RiskEngine};
use sextant_domain::{
    AssetClass, Binding, Cash, Currency, EquityPoint, InstrumentId, Intents, MarketData, ModelId,
    OrderCommand, OrderId, OrderNotice, OrderRef, Quantity, RegimeEstimate, RegimeInput, RiskStatus,
    SeriesId, Side, TargetWeights, UtcNanos,
};

use crate::error::EngineError;
use crate::ledger::Ledger;
use crate::sizing::RankedDraft;
use crate::statistics::Trailing;
use daily_mark::Day;
pub use margin::MarginCall;
use margin::MarginTable;

/// What decides: models, regime, portfolio and risk.
pub struct EngineParts {
    /// The models, in the order of their ids.
    pub models: Vec<Box<dyn Model>>,
    /// The regime detector; without one every label is `unknown`.
    pub regime: Option<Box<dyn RegimeDetector>>,
    /// Turns intents into weights.
    pub portfolio: Box<dyn PortfolioConstructor>,
    /// The limits.
    pub risk: Box<dyn RiskEngine>,
}

/// The account at the start of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountStart {
    /// Its cash.
    pub cash: Cash,
    /// Its currency: that of its cash, of equity, weights and limits.
    pub currency: Currency,
    /// What happens when equity is below the maintenance margin of its positions.
    pub margin_call: MarginCall,
}

/// A model with its requirements resolved.
pub struct BoundModel {
    /// The model.
    pub model: Box<dyn Model>,
    /// Its requirements as dense ids.
    pub binding: Binding,
}

/// Bars have closed.
#[derive(Debug, Clone, Copy)]
pub struct MarketEvent<'a> {
    /// The instant.
    pub time: UtcNanos,
    /// How many bars of each series have closed by now.
    pub available: &'a [usize],
    /// The series of which a bar closed at this instant, in order of id.
    pub closed: &'a [SeriesId],
    /// Whether trading has begun; before that only features and regimes warm up.
    pub trading: bool,
}

/// The engine of one run: books, models and the state that lies between steps.
pub struct Engine<'m> {
    market: &'m MarketData,
    features: &'m dyn FeatureSource,
    models: Vec<BoundModel>,
    regime: Option<(Box<dyn RegimeDetector>, Binding)>,
    portfolio: Box<dyn PortfolioConstructor>,
    risk: Box<dyn RiskEngine>,
    ledger: Ledger,
    /// What risk rules judge by beside the portfolio; `None` where none asks.
    trailing: Option<Trailing>,
    classes: Vec<AssetClass>,
    /// What positions have to be secured with; `None` where no instrument asks for margin.
    margin: Option<MarginTable>,
    /// Per series: the instrument it marks and its closes, if it is an execution series.
    marks: Vec<Option<(InstrumentId, &'m [f64])>>,
    /// Per series: the models that decide when one of its bars closes.
    triggers: Vec<Vec<usize>>,
    model_targets: Vec<f64>,
    /// Approved contributions of the last time targets were computed; NaN before that.
    contributions: Vec<f64>,
    /// The books at the last prices, as [`value_books`](Self::value_books) left them: portfolio, and profit by model.
    point: EquityPoint,
    model_pnl: Vec<f64>,
    estimate: RegimeEstimate,
    status: RiskStatus,
    has_traded: bool,
    next_order: usize,
    /// Per order, in the order of their ids: the model that asked for it and its name for it, where one did.
    owners: Vec<Option<(ModelId, OrderRef)>>,
    /// On which side the exits of brackets trade, in the order of their ids: their size does not always say.
    exit_sides: Vec<(OrderId, Side)>,
    /// Per model and request: the order that came of it.
    requests: Vec<Vec<Option<OrderId>>>,
    /// Per model: news of its orders since its last decision.
    notices: Vec<Vec<OrderNotice>>,
    scratch: Scratch,
}

/// Memory reused from step to step.
#[derive(Default)]
struct Scratch {
    weights: Vec<f64>,
    pending_weights: Vec<f64>,
    /// Instruments whose present or pending weight may differ from zero.
    touched: Vec<usize>,
    /// Spent targets, whose memory the next ones take.
    targets: Option<TargetWeights>,
    drafts: Vec<RankedDraft>,
    pending: Vec<Quantity>,
    due: Vec<bool>,
    given: Vec<bool>,
    proposed: Vec<f64>,
    intents: Intents,
    inputs: Vec<RegimeInput>,
    commands: Vec<(ModelId, OrderCommand)>,
    day: Day,
    /// Resting orders that can add to a position: instrument and weight.
    resting: Vec<(usize, f64)>,
}

/// Everything that decides, resolved against a market.
pub struct BoundParts {
    /// The models, in the order of their ids.
    pub models: Vec<BoundModel>,
    /// The regime detector, where there is one.
    pub regime: Option<(Box<dyn RegimeDetector>, Binding)>,
    /// Turns intents into weights; it knows the models.
    pub portfolio: Box<dyn PortfolioConstructor>,
    /// The limits.
    pub risk: Box<dyn RiskEngine>,
}

impl<'m> Engine<'m> {
    /// Resolves every requirement, preparing features on the way.
    ///
    /// # Errors
    /// [`EngineError`] when a model is added twice, a name cannot be resolved, or the portfolio constructor does not
    /// know the models.
    pub fn bind(
        parts: EngineParts,
        market: &MarketData,
        features: &mut dyn FeatureSource,
    ) -> Result<BoundParts, EngineError> {
        let EngineParts {
            models,
            regime,
            mut portfolio,
            risk,
        } = parts;
        let names: Vec<String> = models.iter().map(|model| model.id().to_owned()).collect();
        if let Some(twice) = names
            .iter()
            .enumerate()
            .find(|(index, name)| names[..*index].contains(name))
        {
            return Err(EngineError::DuplicateModel(twice.1.clone()));
        }
        portfolio
            .bind(&names.iter().map(String::as_str).collect::<Vec<_>>())
            .map_err(EngineError::Portfolio)?;
        let models = models
            .into_iter()
            .map(|model| {
                let binding = Binding::resolve(model.id(), model.requirements(), market, features)?;
                Ok(BoundModel { model, binding })
            })
            .collect::<Result<Vec<_>, EngineError>>()?;
        let regime = regime
            .map(|detector| {
                let binding =
                    Binding::resolve("the regime detector", detector.requirements(), market, features)?;
                Ok::<_, EngineError>((detector, binding))
            })
            .transpose()?;
        Ok(BoundParts {
            models,
            regime,
            portfolio,
            risk,
        })
    }

    /// An engine with empty books.
    ///
    /// # Errors
    /// [`EngineError::Currency`] when an instrument is quoted in a currency that no pair of the market converts.
    pub fn new(
        parts: BoundParts,
        account: AccountStart,
        market: &'m MarketData,
        features: &'m dyn FeatureSource,
    ) -> Result<Self, EngineError> {
        let instruments = market.instruments();
        let (count, models) = (instruments.len(), parts.models.len());
        let mut marks = vec![None; market.series().len()];
        for (id, _) in instruments.iter() {
            let series = market.execution_series(id);
            marks[series.index()] = Some((id, market.get(series).bars.closes()));
        }
        let mut triggers = vec![Vec::new(); market.series().len()];
        for (index, model) in parts.models.iter().enumerate() {
            for series in model.binding.triggers() {
                triggers[series.index()].push(index);
            }
        }
        let ledger = Ledger::new(account.cash, account.currency, models, instruments)?;
        Ok(Self {
            market,
            features,
            models: parts.models,
            regime: parts.regime,
            portfolio: parts.portfolio,
            trailing: Trailing::new(parts.risk.trailing_windows()),
            risk: parts.risk,
            point: ledger.equity_point(),
            ledger,
            margin: MarginTable::new(instruments, account.margin_call),
            classes: instruments
                .iter()
                .map(|(_, instrument)| instrument.class)
                .collect(),
            marks,
            triggers,
            model_targets: vec![f64::NAN; models * count],
            contributions: vec![f64::NAN; models * count],
            model_pnl: vec![0.0; models],
            estimate: RegimeEstimate::default(),
            status: RiskStatus::Normal,
            has_traded: false,
            next_order: 1,
            owners: Vec::new(),
            exit_sides: Vec::new(),
            requests: vec![Vec::new(); models],
            notices: vec![Vec::new(); models],
            scratch: Scratch {
                weights: vec![0.0; count],
                pending_weights: vec![0.0; count],
                due: vec![false; models],
                given: vec![false; models * count],
                ..Scratch::default()
            },
        })
    }

    /// The books.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The names of the models, by id.
    pub fn model_names(&self) -> impl Iterator<Item = &str> {
        self.models.iter().map(|bound| bound.model.id())
    }

    /// The books, once the run is over.
    pub fn into_ledger(self) -> Ledger {
        self.ledger
    }
}
