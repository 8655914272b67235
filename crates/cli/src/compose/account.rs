//! From a configured account to the model that the backtest charges by.

use std::collections::BTreeMap;

use anyhow::Context;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use sextant_backtest::{
    AccountModel, BorrowModel, BorrowRate, BorrowRates, CorporateActions, FundingModel, FundingRate,
    InterestModel, MarginCall, MissingFunding,
};
use sextant_data::Lake;
use sextant_domain::AssetClass;
use sextant_store::DataInput;

use super::market::LoadedMarket;
use crate::config::{
    AccountConfig, BorrowConfig, BorrowRateConfig, FundingConfig, InterestConfig, MarginCallConfig,
    MissingBorrowConfig, MissingFundingConfig, SystemConfig,
};

const HOUR_NANOS: i64 = 3_600_000_000_000;

/// Funding rates by symbol.
pub(super) type FundingRates = BTreeMap<String, Vec<FundingRate>>;

/// The account of a run.
///
/// # Errors
/// When a rate has no exact decimal.
pub(crate) fn account_model(system: &SystemConfig, market: &LoadedMarket) -> anyhow::Result<AccountModel> {
    let AccountConfig {
        borrow,
        funding,
        margin_interest,
        cash_interest,
        margin_call,
    } = &system.account;
    Ok(AccountModel {
        currency: system.capital.currency,
        // Without margin there is no call; with it the check of the configuration asks for the rule.
        margin_call: match margin_call {
            Some(MarginCallConfig::ReduceToInitial) => MarginCall::ReduceToInitial,
            Some(MarginCallConfig::CloseAll) | None => MarginCall::CloseAll,
        },
        corporate_actions: corporate_actions(system, market),
        borrow: borrow_model(borrow)?,
        funding: funding_model(funding, &market.funding)?,
        margin_interest: interest_model(*margin_interest)?,
        cash_interest: interest_model(*cash_interest)?,
    })
}

/// The actions of shares on adjusted prices are in their prices, so that every symbol is covered.
fn corporate_actions(system: &SystemConfig, market: &LoadedMarket) -> CorporateActions {
    if !system.has_corporate_actions() {
        return CorporateActions::InPrices;
    }
    CorporateActions::Listed {
        covered: system.universe.iter().map(|one| one.symbol.clone()).collect(),
        due: market.actions.clone(),
    }
}

fn borrow_model(config: &BorrowConfig) -> anyhow::Result<BorrowModel> {
    let BorrowConfig::Rates {
        by_class,
        by_symbol,
        otherwise,
    } = config
    else {
        return Ok(BorrowModel::None);
    };
    let of_classes = AssetClass::ALL
        .into_iter()
        .filter_map(|class| Some((class, by_class.of(class)?)));
    let rates = BorrowRates {
        by_symbol: by_symbol
            .iter()
            .map(|(symbol, rate)| Ok((symbol.clone(), borrow_rate(*rate)?)))
            .collect::<anyhow::Result<_>>()?,
        by_class: of_classes
            .map(|(class, rate)| Ok((class, borrow_rate(rate)?)))
            .collect::<anyhow::Result<_>>()?,
    };
    Ok(match otherwise {
        MissingBorrowConfig::Stop => BorrowModel::Required(rates),
        MissingBorrowConfig::Annual(annual) => BorrowModel::Pessimistic {
            rates,
            annual: decimal(*annual)?,
        },
    })
}

fn borrow_rate(config: BorrowRateConfig) -> anyhow::Result<BorrowRate> {
    Ok(match config {
        BorrowRateConfig::NotLent => BorrowRate::NotLent,
        BorrowRateConfig::Annual(annual) => BorrowRate::Annual(decimal(annual)?),
    })
}

fn funding_model(config: &FundingConfig, rates: &FundingRates) -> anyhow::Result<FundingModel> {
    let FundingConfig::Rates {
        interval_hours,
        missing,
        ..
    } = config
    else {
        return Ok(FundingModel::None);
    };
    Ok(FundingModel::Rates {
        by_symbol: rates.clone(),
        interval_nanos: i64::from(*interval_hours) * HOUR_NANOS,
        missing: match missing {
            MissingFundingConfig::Stop => MissingFunding::Stop,
            MissingFundingConfig::Pays(rate) => MissingFunding::Pessimistic(decimal(*rate)?),
        },
    })
}

fn interest_model(config: InterestConfig) -> anyhow::Result<InterestModel> {
    Ok(match config {
        InterestConfig::LeftOut => InterestModel::None,
        InterestConfig::Annual(rate) => InterestModel::Annual(decimal(rate)?),
    })
}

/// Loads the funding rates that a configuration names, and notes them as inputs.
///
/// # Errors
/// When a series is missing or damaged.
pub(super) fn load_funding(
    lake: &Lake,
    config: &FundingConfig,
    inputs: &mut Vec<DataInput>,
) -> anyhow::Result<FundingRates> {
    let mut rates = FundingRates::new();
    let FundingConfig::Rates { by_symbol, .. } = config else {
        return Ok(rates);
    };
    for (symbol, name) in by_symbol {
        let mut of_symbol = Vec::new();
        if let Some(name) = name {
            let stored = lake
                .load_macro(name)
                .with_context(|| format!("account.funding: the rates of {symbol}"))?;
            for (time, rate) in stored.series.published().iter().zip(stored.series.values()) {
                let (time, rate) = (*time, decimal(*rate)?);
                of_symbol.push(FundingRate { time, rate });
            }
            inputs.push(DataInput {
                symbol: name.clone(),
                timeframe: "series".to_owned(),
                class: "macro".to_owned(),
                digest: stored.meta.digest.clone(),
                source: format!("{}; funding of {symbol}", stored.meta.source),
                synthetic: stored.meta.synthetic,
            });
        }
        rates.insert(symbol.clone(), of_symbol);
    }
    Ok(rates)
}

fn decimal(value: f64) -> anyhow::Result<Decimal> {
    Decimal::from_f64(value).with_context(|| format!("the rate {value} has no exact decimal"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read<T: serde::de::DeserializeOwned>(yaml: &str) -> T {
        serde_saphyr::from_str(yaml).unwrap()
    }

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn borrow_is_what_the_configuration_says() {
        let model = |yaml| borrow_model(&read(yaml)).unwrap();
        assert_eq!(model("left_out"), BorrowModel::None);
        let rates = BorrowRates {
            by_symbol: [("GME".to_owned(), BorrowRate::NotLent)].into(),
            by_class: [(AssetClass::Equity, BorrowRate::Annual(dec("0.003")))].into(),
        };
        let stated = "by_class: {equity: {annual: 0.003}}, by_symbol: {GME: not_lent}";
        assert_eq!(
            borrow_model(&read(&format!("{{rates: {{{stated}, otherwise: stop}}}}"))).unwrap(),
            BorrowModel::Required(rates.clone())
        );
        assert_eq!(
            borrow_model(&read(&format!(
                "{{rates: {{{stated}, otherwise: {{annual: 0.05}}}}}}"
            )))
            .unwrap(),
            BorrowModel::Pessimistic {
                rates,
                annual: dec("0.05")
            }
        );
        // Without any rate, a short position stops the run.
        assert_eq!(
            model("{rates: {otherwise: stop}}"),
            BorrowModel::Required(BorrowRates::default())
        );
    }

    #[test]
    fn funding_and_interest_are_what_the_configuration_says() {
        let rates = FundingRates::from([("PERP".to_owned(), Vec::new())]);
        let model = |yaml| funding_model(&read(yaml), &rates).unwrap();
        assert_eq!(model("no_perpetuals"), FundingModel::None);
        assert_eq!(model("left_out"), FundingModel::None);
        assert_eq!(
            model("{rates: {by_symbol: {PERP: null}, interval_hours: 8, missing: {pays: 0.0003}}}"),
            FundingModel::Rates {
                by_symbol: rates.clone(),
                interval_nanos: 8 * HOUR_NANOS,
                missing: MissingFunding::Pessimistic(dec("0.0003")),
            }
        );
        let interest = |yaml| interest_model(read(yaml)).unwrap();
        assert_eq!(interest("left_out"), InterestModel::None);
        assert_eq!(interest("{annual: 0.06}"), InterestModel::Annual(dec("0.06")));
    }
}
