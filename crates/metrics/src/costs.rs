//! Costs by component, over net asset value and over traded notional.

use serde::{Deserialize, Serialize};

use crate::error::{MetricsError, require_finite};
use crate::numeric::pairwise_sum;
use crate::value::{MetricValue, Reason};

/// One kind of cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CostComponent {
    /// Commissions, exchange and regulatory fees, taxes.
    Commission,
    /// Spread and slippage against the reference price.
    Slippage,
    /// Price moved by own volume.
    Impact,
    /// Perpetual funding and margin interest; negative when received.
    Funding,
    /// Fee for borrowed stock.
    Borrow,
}

impl CostComponent {
    /// All components, in report order.
    pub const ALL: [Self; 5] = [
        Self::Commission,
        Self::Slippage,
        Self::Impact,
        Self::Funding,
        Self::Borrow,
    ];

    /// The stable name, equal to the serialised form.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Commission => "commission",
            Self::Slippage => "slippage",
            Self::Impact => "impact",
            Self::Funding => "funding",
            Self::Borrow => "borrow",
        }
    }
}

/// The costs of a run in base currency, positive when paid. `None` is a component that was not recorded, which is not the
/// same as one that was nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct CostTotals {
    /// Commissions, exchange and regulatory fees, taxes.
    pub commission: Option<f64>,
    /// Spread and slippage against the reference price.
    pub slippage: Option<f64>,
    /// Price moved by own volume.
    pub impact: Option<f64>,
    /// Perpetual funding and margin interest; negative when received.
    pub funding: Option<f64>,
    /// Fee for borrowed stock.
    pub borrow: Option<f64>,
}

impl CostTotals {
    /// One component, `None` when not recorded.
    pub const fn component(&self, component: CostComponent) -> Option<f64> {
        match component {
            CostComponent::Commission => self.commission,
            CostComponent::Slippage => self.slippage,
            CostComponent::Impact => self.impact,
            CostComponent::Funding => self.funding,
            CostComponent::Borrow => self.borrow,
        }
    }

    /// The component as a figure in base currency. Undefined `not_provided`.
    pub fn component_value(&self, component: CostComponent) -> MetricValue {
        self.component(component).ok_or(Reason::NotProvided).into()
    }

    /// The sum of the recorded components in base currency, with the caveat `missing_component` when one is not recorded.
    /// Undefined `not_provided` when none is.
    pub fn total(&self) -> MetricValue {
        let recorded: Vec<f64> = CostComponent::ALL
            .iter()
            .filter_map(|&component| self.component(component))
            .collect();
        match recorded.len() {
            0 => MetricValue::undefined(Reason::NotProvided),
            5 => MetricValue::defined(pairwise_sum(&recorded)),
            _ => MetricValue::defined(pairwise_sum(&recorded)).with_caveat(Reason::MissingComponent),
        }
    }

    /// `Ok` when every recorded component is finite.
    pub(crate) fn validate(&self) -> Result<(), MetricsError> {
        let recorded = CostComponent::ALL.into_iter().enumerate();
        let mut recorded =
            recorded.filter_map(|(index, component)| Some((index, self.component(component)?)));
        recorded.try_for_each(|(index, cost)| require_finite("cost component", index, cost))
    }
}

/// A cost times `factor`, caveat kept.
pub(crate) fn scaled(cost: MetricValue, factor: Result<f64, Reason>) -> MetricValue {
    let product = cost.known().and_then(|cost| Ok(cost * factor?));
    MetricValue::from(product).inheriting_caveat(cost)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_missing_component_is_flagged_never_zero() {
        let mut costs = CostTotals {
            commission: Some(10.0),
            slippage: Some(5.0),
            ..CostTotals::default()
        };
        assert_eq!(
            (costs.total().value(), costs.total().reason()),
            (Some(15.0), Some(Reason::MissingComponent))
        );
        assert_eq!(
            costs.component_value(CostComponent::Borrow),
            MetricValue::undefined(Reason::NotProvided)
        );
        costs.impact = Some(0.0);
        costs.funding = Some(-3.0);
        costs.borrow = Some(0.0);
        assert_eq!(
            (costs.total().value(), costs.total().reason()),
            (Some(12.0), None)
        );
        assert_eq!(
            CostTotals::default().total(),
            MetricValue::undefined(Reason::NotProvided)
        );
        costs.impact = Some(f64::NAN);
        assert!(costs.validate().is_err());
    }

    #[test]
    fn scaling_keeps_the_caveat_and_the_first_reason() {
        let flagged = MetricValue::defined(10.0).with_caveat(Reason::MissingComponent);
        let scaled_value = scaled(flagged, Ok(2.0));
        assert_eq!(
            (scaled_value.value(), scaled_value.reason()),
            (Some(20.0), Some(Reason::MissingComponent))
        );
        assert_eq!(
            scaled(flagged, Err(Reason::NoTrades)),
            MetricValue::undefined(Reason::NoTrades)
        );
    }
}
