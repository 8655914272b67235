//! Key figures of a run: computed from its books, and formatted for people.

use anyhow::Context;
use sextant_domain::{Cash, InstrumentTable, ModelId, Side};
use sextant_engine::{Ledger, Scope};
use sextant_metrics::{
    BootstrapSettings, ClosedTrade, CostTotals, MetricName, PerformanceInput, PerformanceReport,
    PeriodsPerYear, RiskFree, TradeSide,
};
use sextant_store::{AttributionRow, MetricRow, PORTFOLIO_SCOPE, RunTables, TradeRow};

use crate::recorder::Activity;

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
    input.costs = costs(ledger, scope)?;
    input.bootstrap = Some(BootstrapSettings {
        seed: settings.seed,
        ..BootstrapSettings::STANDARD
    });
    Ok(PerformanceReport::compute(&input)?)
}

/// Recorded costs of a scope. Impact, funding and borrow are not simulated, which the figures say.
fn costs(ledger: &Ledger, scope: Scope) -> anyhow::Result<CostTotals> {
    let commission = Some(ledger.fees(scope)?.to_f64());
    let slippage = Some(ledger.slippage(scope)?.to_f64());
    Ok(CostTotals {
        commission,
        slippage,
        ..CostTotals::default()
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
        entry_price: trade.entry_price,
        exit_price: trade.exit_price,
        gross_pnl,
        fees,
        net_pnl: gross_pnl.minus(fees)?,
        net_return: (notional > 0.0).then(|| trade.net.to_f64() / notional),
    })
}

/// What each model earned and paid in each instrument it ever traded.
fn attribution(
    ledger: &Ledger,
    models: &[String],
    instruments: &InstrumentTable,
) -> anyhow::Result<Vec<AttributionRow>> {
    let mut rows = Vec::new();
    for (index, model) in models.iter().enumerate() {
        let book = ledger.book(Scope::Model(ModelId::from_index(index)));
        for (id, instrument) in instruments.iter() {
            let one = book.instrument(id);
            let untouched = one.flow().is_zero() && one.quantity().is_zero() && one.fees().is_zero();
            if untouched {
                continue;
            }
            let amount = |cash| ledger.in_account_currency(id, cash);
            let net_pnl = amount(one.pnl(ledger.exact_price(id)?)?)?;
            let (fees, slippage) = (amount(one.fees())?, amount(one.slippage())?);
            rows.push(AttributionRow {
                model: model.clone(),
                symbol: instrument.symbol.clone(),
                gross_pnl: net_pnl.plus(fees)?.plus(slippage)?,
                fees,
                slippage,
                net_pnl,
            });
        }
    }
    Ok(rows)
}
