//! Which options of a run have no columns.

use sextant_domain::{Currency, Instrument, Margin, MarketData, Multiplier, Settlement};

use super::Obstacle;
use crate::accounts::AccountModel;
use crate::driver::BacktestConfig;

/// What to do about any of them.
pub(super) const USE_EVENTS: &str = "use the event engine (`--engine event`)";

/// Every option of the run that the columns cannot express.
pub(super) fn obstacles(market: &MarketData, config: &BacktestConfig) -> Vec<Obstacle> {
    let mut found = Vec::new();
    if let Some(part) = config.venue.participation {
        found.push(Obstacle {
            what: format!("fills.participation is {part}"),
            why: "what a bar's volume leaves of an order trades later, so that a fill depends on the ones before it",
            advice: "set it to null, or use the event engine (`--engine event`)",
        });
    }
    for (_, instrument) in market.instruments().iter() {
        if let Some(part) = config.venue.slippage.volume_limit(instrument) {
            found.push(Obstacle {
                what: format!(
                    "the slippage model limits {} to {part} of a bar's volume",
                    instrument.symbol
                ),
                why: "what a bar's volume leaves of an order trades later, so that a fill depends on the ones before it",
                advice: "choose a model without a volume limit, or use the event engine (`--engine event`)",
            });
        }
    }
    for (_, instrument) in market.instruments().iter() {
        let terms = special_terms(instrument, config.account.currency);
        if !terms.is_empty() {
            found.push(Obstacle {
                what: format!("{} has {}", instrument.symbol, terms.join(", ")),
                why: "the columns count one unit as its price in the account's currency, paid in full and unsecured",
                advice: USE_EVENTS,
            });
        }
    }
    for what in without_orders(&config.account) {
        found.push(Obstacle {
            what: what.to_owned(),
            why: "it moves cash or positions without an order, and the columns know trades only",
            advice: USE_EVENTS,
        });
    }
    found
}

/// What distinguishes an instrument from a share in the account's currency.
fn special_terms(instrument: &Instrument, account: Currency) -> Vec<String> {
    let contract = &instrument.contract;
    let mut terms = Vec::new();
    if contract.currency != account {
        terms.push(format!(
            "prices in {}, while the account is in {account}",
            contract.currency
        ));
    }
    if contract.multiplier != Multiplier::ONE {
        terms.push(format!("a multiplier of {}", contract.multiplier.decimal()));
    }
    if contract.settlement == Settlement::Daily {
        terms.push("daily settlement".to_owned());
    }
    if contract.margin != Margin::None {
        terms.push("margin requirements".to_owned());
    }
    terms
}

/// What the account has beside trades.
fn without_orders(account: &AccountModel) -> Vec<&'static str> {
    let bare = AccountModel::trades_only();
    let parts = [
        (
            account.corporate_actions != bare.corporate_actions,
            "the account has dividends, splits or delistings",
        ),
        (
            account.borrow != bare.borrow,
            "the account pays borrow fees (account.borrow)",
        ),
        (
            account.funding != bare.funding,
            "the account pays funding (account.funding)",
        ),
        (
            account.margin_interest != bare.margin_interest,
            "the account pays interest (account.margin_interest)",
        ),
        (
            account.cash_interest != bare.cash_interest,
            "the account earns interest (account.cash_interest)",
        ),
    ];
    parts
        .into_iter()
        .filter_map(|(is_there, words)| is_there.then_some(words))
        .collect()
}
