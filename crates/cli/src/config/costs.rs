//! The types behind `costs` of `system.yaml`. Doc comments become the configuration reference.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sextant_backtest::{
    CostError, Costs, FeeModel, FeeTier, MakerTakerFee, PerShareFee, ProportionalCosts, SlippageModel,
    SpreadSlippage, SquareRootImpact, SumOfSlippage, VolumeShareSlippage,
};
use sextant_domain::AssetClass;

/// Costs by asset class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CostsConfig {
    /// Shares and funds.
    pub equity: Option<ClassCosts>,
    /// Crypto assets.
    pub crypto: Option<ClassCosts>,
    /// Currency pairs.
    pub fx: Option<ClassCosts>,
}

impl CostsConfig {
    /// The entry of a class.
    pub fn of(&self, class: AssetClass) -> Option<&ClassCosts> {
        match class {
            AssetClass::Equity => self.equity.as_ref(),
            AssetClass::Crypto => self.crypto.as_ref(),
            AssetClass::Fx => self.fx.as_ref(),
        }
    }
}

/// What trading costs in one asset class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassCosts {
    /// Commission.
    pub fees: FeeConfig,
    /// What an order that takes liquidity pays beside the market's price: the sum of these parts. The smallest volume limit
    /// of any holds for all.
    #[schemars(length(min = 1))]
    pub slippage: Vec<SlippageConfig>,
}

/// A commission, charged on each fill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FeeConfig {
    /// Basis points of the traded value.
    Bps(#[schemars(range(min = 0.0, max = 1000.0))] f64),
    /// `min(maximum_fraction_of_value x value, max(minimum, per_share x shares))`, as on the price lists of brokers for shares.
    PerShare {
        /// Money per share.
        #[schemars(range(min = 0.0, max = 1000.0))]
        per_share: f64,
        /// The least money per fill.
        #[schemars(range(min = 0.0, max = 1_000_000.0))]
        minimum: f64,
        /// The most, as a fraction of the traded value: 0.01 is one per cent.
        #[schemars(range(min = 0.000_001, max = 1.0))]
        maximum_fraction_of_value: f64,
    },
    /// Rates for makers and takers by the value traded on the 30 UTC days before, as on the price lists of crypto exchanges.
    MakerTaker {
        /// The price list, lowest value first; the first line begins at 0.
        #[schemars(length(min = 1))]
        tiers: Vec<FeeTierConfig>,
    },
}

/// One line of a price list.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeeTierConfig {
    /// The value traded on the 30 days before from which the line counts.
    #[schemars(range(min = 0.0, max = 1_000_000_000_000_000.0))]
    pub from_value_30d: f64,
    /// Rate of trades that waited in the market, in basis points; below zero it is a rebate.
    #[schemars(range(min = -1000.0, max = 1000.0))]
    pub maker_bps: f64,
    /// Rate of trades that took what there was, in basis points.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub taker_bps: f64,
}

/// One part of slippage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SlippageConfig {
    /// Basis points of the price, at any size.
    Bps(#[schemars(range(min = 0.0, max = 1000.0))] f64),
    /// Half the quoted spread.
    Spread {
        /// Half spread in basis points of the price.
        #[schemars(range(min = 0.0, max = 1000.0))]
        half_spread_bps: f64,
        /// Other half spreads, by symbol.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        by_symbol: BTreeMap<String, f64>,
    },
    /// `price_impact x share^2` of the price, where the share is what the run trades of the bar's volume (zipline).
    VolumeShare {
        /// The part of the price that trading a whole bar would cost.
        #[schemars(range(min = 0.0, max = 10.0))]
        price_impact: f64,
        /// The largest part of a bar's volume that may trade.
        #[schemars(range(min = 0.000_001, max = 1.0))]
        volume_limit: f64,
    },
    /// `coefficient x sigma x sqrt(quantity / volume)` of the price, with volatility and mean volume of the bars before.
    SquareRootImpact {
        /// The coefficient, about one in the literature.
        #[schemars(range(min = 0.01, max = 10.0))]
        coefficient: f64,
        /// Execution bars for volatility and volume.
        #[schemars(range(min = 3, max = 100_000))]
        window_bars: u32,
        /// What is paid where volatility or volume cannot be told, in basis points; meant to be pessimistic.
        #[schemars(range(min = 0.01, max = 1000.0))]
        without_history_bps: f64,
    },
}

impl ClassCosts {
    /// The sum of the parts of slippage.
    ///
    /// # Errors
    /// [`CostError`] for the first part that is refused, and without any.
    pub fn slippage_model(&self) -> Result<Box<dyn SlippageModel>, CostError> {
        let mut parts = self
            .slippage
            .iter()
            .map(SlippageConfig::model)
            .collect::<Result<Vec<_>, _>>()?;
        match parts.len() {
            1 => Ok(parts.remove(0)),
            _ => Ok(Box::new(SumOfSlippage::new(parts)?)),
        }
    }
}

impl FeeConfig {
    /// The model.
    ///
    /// # Errors
    /// [`CostError`] for a parameter out of its range, or a price list that is not in order.
    pub fn model(&self) -> Result<Box<dyn FeeModel>, CostError> {
        Ok(match self {
            Self::Bps(bps) => Box::new(Costs::uniform(ProportionalCosts {
                commission_bps: decimal(*bps),
                slippage_bps: Decimal::ZERO,
            })?),
            Self::PerShare {
                per_share,
                minimum,
                maximum_fraction_of_value,
            } => Box::new(PerShareFee::new(
                decimal(*per_share),
                decimal(*minimum),
                decimal(*maximum_fraction_of_value),
            )?),
            Self::MakerTaker { tiers } => {
                let tier = |one: &FeeTierConfig| FeeTier {
                    from_value_30d: one.from_value_30d,
                    maker_bps: decimal(one.maker_bps),
                    taker_bps: decimal(one.taker_bps),
                };
                Box::new(MakerTakerFee::new(tiers.iter().map(tier).collect())?)
            }
        })
    }
}

impl SlippageConfig {
    /// The model.
    ///
    /// # Errors
    /// [`CostError`] for a parameter out of its range.
    pub fn model(&self) -> Result<Box<dyn SlippageModel>, CostError> {
        Ok(match self {
            Self::Bps(bps) => Box::new(Costs::uniform(ProportionalCosts {
                commission_bps: Decimal::ZERO,
                slippage_bps: decimal(*bps),
            })?),
            Self::Spread {
                half_spread_bps,
                by_symbol,
            } => {
                let spread = SpreadSlippage::by_class(|_| decimal(*half_spread_bps))?;
                let with = |spread: SpreadSlippage, (symbol, own): (&String, &f64)| {
                    spread.with(symbol, decimal(*own))
                };
                Box::new(by_symbol.iter().try_fold(spread, with)?)
            }
            Self::VolumeShare {
                price_impact,
                volume_limit,
            } => Box::new(VolumeShareSlippage::new(
                decimal(*price_impact),
                decimal(*volume_limit),
            )?),
            Self::SquareRootImpact {
                coefficient,
                window_bars,
                without_history_bps,
            } => Box::new(SquareRootImpact::new(
                *coefficient,
                *window_bars as usize,
                decimal(*without_history_bps),
            )?),
        })
    }

    /// Whether it grows with the run's own volume.
    pub const fn is_impact(&self) -> bool {
        matches!(self, Self::VolumeShare { .. } | Self::SquareRootImpact { .. })
    }
}

/// The decimal with the digits of a number; one that has none is out of every range.
fn decimal(value: f64) -> Decimal {
    Decimal::from_f64(value).unwrap_or(Decimal::MAX)
}
