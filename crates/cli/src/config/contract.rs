//! The types behind the terms of an instrument in `universe`: currency, multiplier, settlement and margin. Doc comments
//! become the configuration reference.

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sextant_domain::{
    AssetClass, Cash, Contract, ContractError, Currency, FxPath, Instrument, InstrumentTable, Margin,
    Multiplier, Settlement,
};
use sextant_engine::NoFxPath;

use super::system::{InstrumentConfig, SystemConfig};

/// How a position is paid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettlementConfig {
    /// In full with the trade.
    #[default]
    InFull,
    /// A future: a trade costs its fee, and gains and losses are paid in cash at each daily mark.
    Daily,
}

/// What the amounts of a margin are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarginBasis {
    /// Fractions of the position's notional value.
    OfNotional,
    /// Amounts per unit (contract), in the instrument's currency.
    PerUnit,
}

/// What equity has to secure a position with, long or short.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarginConfig {
    /// `of_notional` for fractions of notional value, `per_unit` for amounts per contract.
    pub basis: MarginBasis,
    /// Needed before a position is opened or grown; as a fraction at most 1.
    #[schemars(range(min = 0.00000001, max = 1e9))]
    pub initial: f64,
    /// Needed for as long as it is held; at most `initial`. Below it the account's `margin_call` closes positions.
    #[schemars(range(min = 0.00000001, max = 1e9))]
    pub maintenance: f64,
}

/// What happens when equity is below the maintenance margin of the positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarginCallConfig {
    /// Every position that needs margin is closed.
    CloseAll,
    /// Every position that needs margin is cut by one factor, until equity covers initial margin.
    ReduceToInitial,
}

/// A decimal with the digits that were written; none for numbers that have no exact decimal.
fn decimal(value: f64) -> Decimal {
    Decimal::from_f64(value).unwrap_or(Decimal::ZERO)
}

impl MarginConfig {
    fn margin(self) -> Margin {
        let (initial, maintenance) = (decimal(self.initial), decimal(self.maintenance));
        match self.basis {
            MarginBasis::OfNotional => Margin::OfNotional { initial, maintenance },
            MarginBasis::PerUnit => Margin::PerUnit {
                initial: Cash::new(initial),
                maintenance: Cash::new(maintenance),
            },
        }
    }
}

impl InstrumentConfig {
    /// The terms, for an account of a currency.
    ///
    /// # Errors
    /// [`ContractError`] when the multiplier or the margin makes no sense.
    pub fn contract(&self, account: Currency) -> Result<Contract, ContractError> {
        let margin = self.margin.map_or(Margin::None, MarginConfig::margin);
        margin.validate()?;
        Ok(Contract {
            currency: self.currency.unwrap_or(account),
            multiplier: Multiplier::new(self.multiplier.map_or(Decimal::ONE, decimal))?,
            settlement: match self.settlement {
                SettlementConfig::InFull => Settlement::InFull,
                SettlementConfig::Daily => Settlement::Daily,
            },
            margin,
        })
    }

    /// The instrument with any ticks and lots, for what only terms decide.
    fn outline(&self, contract: Contract) -> Instrument {
        Instrument {
            symbol: self.symbol.clone(),
            class: self.class,
            execution: self.execution,
            price_tick: Decimal::ONE,
            lot_size: Decimal::ONE,
            contract,
        }
    }
}

/// Adds every problem with the terms of the universe: amounts, pairs whose names say another currency, currencies that no
/// pair converts, and margin without a rule for what happens when it is gone.
pub(super) fn check(system: &SystemConfig, note: &mut dyn FnMut(String)) {
    let account = system.capital.currency;
    let mut listed = Vec::new();
    for (index, one) in system.universe.iter().enumerate() {
        match one.contract(account) {
            Ok(contract) => listed.push(one.outline(contract)),
            Err(error) => note(format!("universe.{index}: {}: {error}", one.symbol)),
        }
        if one.margin.is_some() && system.account.margin_call.is_none() {
            note(format!(
                "account.margin_call: the key is missing, and {} asks for margin; allowed are close_all, reduce_to_initial",
                one.symbol
            ));
        }
    }
    // Symbols that are not allowed or listed twice have been noted already.
    let Ok(table) = InstrumentTable::new(listed) else {
        return;
    };
    for (index, one) in system.universe.iter().enumerate() {
        if let Some(instrument) = table.id(&one.symbol).map(|id| table.get(id)) {
            check_currency(index, one, (instrument, &table, account), note);
        }
    }
}

fn check_currency(
    index: usize,
    one: &InstrumentConfig,
    (instrument, table, account): (&Instrument, &InstrumentTable, Currency),
    note: &mut dyn FnMut(String),
) {
    let (symbol, currency) = (&one.symbol, instrument.contract.currency);
    if one.class == AssetClass::Fx && one.currency.is_none() && instrument.pair().is_none() {
        note(format!(
            "universe.{index}.currency: {symbol} is a currency pair, but its name does not end in the account's {currency}; \
             name the currency of its prices, such as JPY for USDJPY"
        ));
    }
    if currency != account && FxPath::find(table, currency, account).is_none() {
        let problem = NoFxPath {
            symbol: symbol.clone(),
            currency,
            account,
        };
        note(format!("universe.{index}.currency: {problem}"));
    }
}
