//! Which prices of the lake an instrument runs on, and what happened to its shares.

use anyhow::Context;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use sextant_backtest::{AccountAction, CorporateActionDue, FinalPrice};
use sextant_data::{ActionKind, RecordedAction, StoredBars, ratio_of, recorded_actions};
use sextant_domain::{BarSeries, Price, SplitRatio};

use crate::config::{DelistingConfig, InstrumentConfig, PricesConfig};

/// Decimals of a dividend per share: the factors of a stored series say no more.
const DIVIDEND_DECIMALS: u32 = 6;

/// The dividends and splits that the stored execution bars of an instrument carry, the stated splits at its renames, and its
/// delisting: nothing unless the configuration asks for raw prices or names a delisting.
///
/// # Errors
/// When raw prices are asked for and the stored bars do not say what happened to the share.
pub(super) fn actions_of(
    one: &InstrumentConfig,
    stored: &StoredBars,
    stated: &[RecordedAction],
) -> anyhow::Result<Vec<CorporateActionDue>> {
    let mut due = Vec::new();
    if one.prices != PricesConfig::Adjusted {
        let mut actions = recorded_actions(stored)
            .with_context(|| format!("universe: {} is to run on raw prices", one.symbol))?;
        actions.extend(stated);
        actions.sort_by_key(|action| action.time);
        for action in actions {
            due.extend(corporate_action(one, action)?);
        }
    }
    if let (Some(delisting), Some(last)) = (one.delisted, stored.bars.close_times().last()) {
        due.push(CorporateActionDue {
            symbol: one.symbol.clone(),
            time: *last,
            action: AccountAction::Delisting(final_price(delisting)?),
        });
    }
    Ok(due)
}

/// The bars to run on.
///
/// # Errors
/// When raw prices are asked for and none are stored.
pub(super) fn prices_of(one: &InstrumentConfig, stored: StoredBars) -> anyhow::Result<BarSeries> {
    if !one.prices.is_raw(stored.meta.timeframe, one.execution) {
        return Ok(stored.bars);
    }
    let raw = stored.raw.with_context(|| {
        format!(
            "universe: {} {} is to run on raw prices, but the lake has none beside it ({}); import it with its factor file, or \
             adjust it with `data adjust`",
            one.symbol, stored.meta.timeframe, stored.meta.adjustment
        )
    })?;
    Ok(raw.bars)
}

/// `None` for a dividend that rounds to nothing.
fn corporate_action(
    one: &InstrumentConfig,
    recorded: RecordedAction,
) -> anyhow::Result<Option<CorporateActionDue>> {
    let action = match recorded.kind {
        ActionKind::CashDividend { amount, .. } => {
            let per_share = Price::new(decimal(one, amount)?.round_dp(DIVIDEND_DECIMALS));
            if per_share.is_zero() {
                return Ok(None);
            }
            AccountAction::Dividend { per_share }
        }
        ActionKind::Split { new_per_old } => {
            let ratio = ratio_of(new_per_old).and_then(|(new, old)| SplitRatio::new(new, old));
            let ratio =
                ratio.with_context(|| format!("{}: {new_per_old} is no ratio of shares", one.symbol))?;
            AccountAction::Split(ratio)
        }
    };
    Ok(Some(CorporateActionDue {
        symbol: one.symbol.clone(),
        time: recorded.time,
        action,
    }))
}

fn final_price(delisting: DelistingConfig) -> anyhow::Result<FinalPrice> {
    let decimal = |value: f64| Decimal::from_f64(value).with_context(|| format!("delisted: {value}"));
    Ok(match delisting {
        DelistingConfig::LastClose => FinalPrice::LastClose,
        DelistingConfig::PartOfLastClose(part) => FinalPrice::PartOfLastClose(decimal(part)?),
        DelistingConfig::Price(price) => FinalPrice::Stated(Price::new(decimal(price)?)),
    })
}

fn decimal(one: &InstrumentConfig, value: f64) -> anyhow::Result<Decimal> {
    Decimal::from_f64(value).with_context(|| format!("{}: {value}", one.symbol))
}
