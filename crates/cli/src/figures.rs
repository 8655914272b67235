//! Key figures of a run: computed from its books, and formatted for people.

use anyhow::Context;
use sextant_domain::{Cash, CashKind, InstrumentTable, ModelId, MoneyError, Price, Side};
use sextant_engine::{Ledger, Scope};
use sextant_metrics::{
    BootstrapSettings, ClosedTrade, CostTotals, MetricName, PerformanceInput, PerformanceReport,
    PeriodsPerYear, RiskFree, TradeSide,
};
use sextant_store::{AttributionRow, BillRow, MetricRow, PORTFOLIO_SCOPE, RunTables, TradeRow};

use crate::config::{BorrowConfig, FundingConfig, InterestConfig, SystemConfig};
use crate::recorder::Activity;

/// The decimals of prices in the table `trades`.
const ENTRY_PRICE_DECIMALS: u32 = 8;

/// How the figures of a run are defined.
#[derive(Clone, Copy)]
pub(crate) struct FigureSettings<'a> {
    /// The names of the models, by id.
    pub(crate) models: &'a [String],
    /// The instruments.
    pub(crate) instruments: &'a InstrumentTable,
    /// Sessions per year of the book.
    pub(crate) periods: PeriodsPerYear,
    /// Annual risk-free rate.
    pub(crate) risk_free_annual: f64,
    /// Seed of the bootstrap.
    pub(crate) seed: u64,
    /// The first funding instant, in nanoseconds UTC.
    pub(crate) start_ns: i64,
    /// Which costs the run knows beside commission and slippage.
    pub(crate) recorded: RecordedCosts,
}

/// Which costs a run records beside commission and slippage. What it does not record is missing in the figures, never zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordedCosts {
    impact: bool,
    funding: bool,
    borrow: bool,
}

impl RecordedCosts {
    /// Those of a configuration: nothing that it leaves out. Funding stands for margin interest too.
    pub(crate) fn of(system: &SystemConfig) -> Self {
        let account = &system.account;
        let has_funding = account.funding != FundingConfig::LeftOut;
        Self {
            impact: system.has_impact(),
            funding: has_funding && account.margin_interest != InterestConfig::LeftOut,
            borrow: account.borrow != BorrowConfig::LeftOut,
        }
    }
}

/// Scopes in the order of their first metric: the portfolio, then the models.
pub(crate) fn scopes(metrics: &[MetricRow]) -> Vec<String> {
    let mut scopes: Vec<String> = Vec::new();
    for row in metrics {
        if !scopes.contains(&row.scope) {
            scopes.push(row.scope.clone());
        }
    }
    scopes
}

/// The value in its unit, or the reason why there is none.
pub(crate) fn format_metric(row: &MetricRow) -> String {
    let unit = MetricName::ALL
        .iter()
        .find(|name| name.code() == row.name)
        .map(|name| name.unit());
    let caveat = |text: String| match &row.reason {
        Some(reason) => format!("{text} ({reason})"),
        None => text,
    };
    match (row.value, unit) {
        (Some(value), Some(unit)) => caveat(unit.format(value)),
        (Some(value), None) => caveat(value.to_string()),
        (None, _) => format!("n/a ({})", row.reason.as_deref().unwrap_or("unknown")),
    }
}

/// Sharpe ratio and CAGR of a line of the bill, or the reason why there is none.
pub(crate) fn bill_figures(row: &BillRow) -> [String; 2] {
    let missing = || format!("n/a ({})", row.reason.as_deref().unwrap_or("unknown"));
    [(row.sharpe, MetricName::Sharpe), (row.cagr, MetricName::Cagr)]
        .map(|(value, name)| value.map_or_else(missing, |value| name.unit().format(value)))
}

/// An exact amount, shown to the cent.
pub(crate) fn cents(cash: Cash) -> String {
    format!("{:.2}", cash.decimal())
}

/// Adds trades, attribution and metrics of every scope to the tables of a finished run.
///
/// # Errors
/// When a value does not fit exactly, or a series is not one that figures can be computed from.
pub(crate) fn complete(
    tables: &mut RunTables,
    ledger: &Ledger,
    activity: &[Activity],
    settings: &FigureSettings<'_>,
) -> anyhow::Result<()> {
    let FigureSettings {
        models, instruments, ..
    } = *settings;
    let names = std::iter::once(PORTFOLIO_SCOPE).chain(models.iter().map(String::as_str));
    for (index, name) in names.enumerate() {
        let scope = match index {
            0 => Scope::Portfolio,
            model => Scope::Model(ModelId::from_index(model - 1)),
        };
        let report = performance(ledger, scope, &activity[index], settings)
            .with_context(|| format!("key figures of {name}"))?;
        tables.metrics.extend(report.metrics.iter().map(|metric| {
            let interval = metric.value.interval();
            MetricRow {
                scope: name.to_owned(),
                name: metric.name.code().to_owned(),
                definition: metric.definition.to_string(),
                value: metric.value.value(),
                lower95: interval.map(|interval| interval.lower()),
                upper95: interval.map(|interval| interval.upper()),
                reason: metric.value.reason().map(|reason| reason.code().to_owned()),
            }
        }));
        for trade in ledger.book(scope).trades() {
            tables.trades.push(trade_row(name, trade, (ledger, instruments))?);
        }
    }
    tables.attribution = attribution(ledger, models, instruments)?;
    Ok(())
}

fn performance(
    ledger: &Ledger,
    scope: Scope,
    activity: &Activity,
    settings: &FigureSettings<'_>,
) -> anyhow::Result<PerformanceReport> {
    let nav = activity.daily.series(settings.start_ns)?;
    let intraday = activity.steps.series(settings.start_ns)?;
    let trades = ledger.book(scope).trades().iter();
    let trades: Vec<ClosedTrade> = trades
        .map(|trade| closed_trade(trade, ledger, settings.instruments))
        .collect();
    let mut input = PerformanceInput::new(&nav, settings.periods);
    input.risk_free = RiskFree::Constant {
        annual_rate: settings.risk_free_annual,
    };
    input.intraday_nav = Some(&intraday);
    input.trades = &trades;
    input.rebalances = Some(&activity.rebalances);
    input.exposures = Some(&activity.exposures);
    input.costs = costs((ledger, scope), activity.impact, settings.recorded)?;
    input.bootstrap = Some(BootstrapSettings {
        seed: settings.seed,
        ..BootstrapSettings::STANDARD
    });
    Ok(PerformanceReport::compute(&input)?)
}

/// Recorded costs of a scope. Where impact is recorded, slippage is what is left of it.
fn costs(
    (ledger, scope): (&Ledger, Scope),
    impact: f64,
    recorded: RecordedCosts,
) -> anyhow::Result<CostTotals> {
    // Not by a sign, which would make a zero a negative one.
    let paid = |kind: CashKind| Ok::<_, MoneyError>(0.0 - ledger.income_of(scope, kind)?.to_f64());
    let impact = recorded.impact.then_some(impact);
    let funding = paid(CashKind::Funding)? + paid(CashKind::MarginInterest)?;
    let borrow = paid(CashKind::BorrowFee)?;
    Ok(CostTotals {
        commission: Some(ledger.fees(scope)?.to_f64()),
        slippage: Some(ledger.slippage(scope)?.to_f64() - impact.unwrap_or(0.0)),
        impact,
        funding: recorded.funding.then_some(funding),
        borrow: recorded.borrow.then_some(borrow),
    })
}

/// A round trip with amounts in the account's currency, at the last rate: what it earned in another currency has stayed there.
fn closed_trade(
    trade: &sextant_engine::ClosedTrade,
    ledger: &Ledger,
    instruments: &InstrumentTable,
) -> ClosedTrade {
    let rate = ledger.rate(trade.instrument);
    let factor = instruments.get(trade.instrument).contract.multiplier.to_f64() * rate;
    let quantity = trade.quantity.abs().to_f64();
    let entry_price = trade.entry_price.to_f64();
    ClosedTrade {
        side: if trade.quantity.is_positive() {
            TradeSide::Long
        } else {
            TradeSide::Short
        },
        entry_ns: trade.entry_time.nanos(),
        exit_ns: trade.exit_time.nanos(),
        quantity,
        entry_price,
        exit_price: trade.exit_price.to_f64(),
        entry_notional: quantity * entry_price * factor,
        gross_pnl: trade.gross.to_f64() * rate,
        costs: trade.fees.to_f64() * rate,
        net_pnl: trade.net.to_f64() * rate,
    }
}

fn trade_row(
    scope: &str,
    trade: &sextant_engine::ClosedTrade,
    (ledger, instruments): (&Ledger, &InstrumentTable),
) -> anyhow::Result<TradeRow> {
    let multiplier = instruments.get(trade.instrument).contract.multiplier;
    let notional = multiplier
        .value(trade.entry_price, trade.quantity)?
        .abs()
        .to_f64();
    let amount = |cash| ledger.in_account_currency(trade.instrument, cash);
    let (gross_pnl, fees) = (amount(trade.gross)?, amount(trade.fees)?);
    Ok(TradeRow {
        scope: scope.to_owned(),
        symbol: instruments.get(trade.instrument).symbol.clone(),
        side: if trade.quantity.is_positive() {
            Side::Buy
        } else {
            Side::Sell
        },
        entry_time: trade.entry_time,
        exit_time: trade.exit_time,
        quantity: trade.quantity.abs(),
        // Divided by a split, a price can have more decimals than the table holds.
        entry_price: Price::new(trade.entry_price.decimal().round_dp(ENTRY_PRICE_DECIMALS)),
        exit_price: trade.exit_price,
        gross_pnl,
        fees,
        net_pnl: gross_pnl.minus(fees)?,
        net_return: (notional > 0.0).then(|| trade.net.to_f64() / notional),
    })
}

/// The interest of a model, where there was any.
fn interest(ledger: &Ledger, scope: Scope, model: &str) -> anyhow::Result<Option<AttributionRow>> {
    let income = ledger
        .income_of(scope, CashKind::MarginInterest)?
        .plus(ledger.income_of(scope, CashKind::CashInterest)?)?;
    Ok((!income.is_zero()).then(|| AttributionRow {
        model: model.to_owned(),
        symbol: "(cash)".to_owned(),
        gross_pnl: Cash::ZERO,
        fees: Cash::ZERO,
        slippage: Cash::ZERO,
        income,
        net_pnl: income,
    }))
}

/// What each model earned and paid in each instrument it ever traded, and in interest.
fn attribution(
    ledger: &Ledger,
    models: &[String],
    instruments: &InstrumentTable,
) -> anyhow::Result<Vec<AttributionRow>> {
    let mut rows = Vec::new();
    for (index, model) in models.iter().enumerate() {
        let scope = Scope::Model(ModelId::from_index(index));
        let book = ledger.book(scope);
        for (id, instrument) in instruments.iter() {
            let one = book.instrument(id);
            let untouched = one.flow().is_zero() && one.quantity().is_zero() && one.fees().is_zero();
            if untouched {
                continue;
            }
            let amount = |cash| ledger.in_account_currency(id, cash);
            let net_pnl = amount(one.pnl(ledger.exact_price(id)?)?)?;
            let (fees, slippage, income) = (
                amount(one.fees())?,
                amount(one.slippage())?,
                amount(one.income())?,
            );
            rows.push(AttributionRow {
                model: model.clone(),
                symbol: instrument.symbol.clone(),
                gross_pnl: net_pnl.plus(fees)?.plus(slippage)?.minus(income)?,
                fees,
                slippage,
                income,
                net_pnl,
            });
        }
        rows.extend(interest(ledger, scope, model)?);
    }
    Ok(rows)
}
