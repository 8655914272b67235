//! `minimum_trade`: what is too small to be worth its costs is not traded.

use sextant_domain::{InstrumentId, Intervention, InterventionAction};

use crate::MinimumTrade;
use crate::rule::{Cut, OrderCase, RiskRule, TOLERANCE, TargetReview};

/// Refuses additions when the whole trade, after all other rules, is worth less than the minimum. A trade that only reduces
/// a position always passes, however small.
///
/// The value is judged before the gate rounds a shrunk order to whole lots, so that an order can be less than one lot under
/// the minimum.
pub(crate) struct SmallestTrade {
    notional: f64,
}

impl SmallestTrade {
    pub(crate) fn new(minimum: MinimumTrade) -> Self {
        Self {
            notional: minimum.notional,
        }
    }

    /// The value of a trade where it is too small.
    fn too_small(&self, weight: f64, equity: f64) -> Option<f64> {
        let value = weight * equity;
        (value < self.notional * (1.0 - TOLERANCE)).then_some(value)
    }

    fn in_words(&self, value: f64) -> String {
        format!(
            "the trade is worth {value:.2}, under the minimum {:.2}",
            self.notional
        )
    }
}

impl RiskRule for SmallestTrade {
    fn id(&self) -> &'static str {
        "minimum_trade"
    }

    fn limit_targets(&self, review: &mut TargetReview<'_>) {
        for instrument in 0..review.len() {
            let change = review.change(instrument);
            if change.added <= TOLERANCE || !review.is_managed(instrument) {
                continue;
            }
            let Some(value) = self.too_small(change.added + change.reducing, review.state.equity) else {
                continue;
            };
            let before = review.weight(instrument);
            review.cut_change(instrument, &change, 0.0);
            review.report(Intervention {
                rule: self.id(),
                action: InterventionAction::Shrink,
                instrument: Some(InstrumentId::from_index(instrument)),
                before,
                after: review.weight(instrument),
                reason: self.in_words(value),
            });
        }
    }

    fn limit_order(&self, order: &OrderCase<'_>) -> Option<Cut> {
        let value = self.too_small(order.added + order.reducing, order.state.equity)?;
        Some(Cut {
            added: 0.0,
            reason: self.in_words(value),
        })
    }
}

#[cfg(test)]
mod tests {
    use sextant_domain::Decision;

    use crate::test_support::{Book, assert_factor, engine, targets};
    use crate::{MinimumTrade, RiskLimits, RiskRules};

    /// Equity is 100, so the smallest trade is a weight of 0.125.
    fn engine_from_12_50() -> RiskRules {
        engine(RiskLimits {
            minimum_trade: Some(MinimumTrade { notional: 12.5 }),
            ..RiskLimits::permissive(0.5)
        })
    }

    #[test]
    fn small_additions_leave_the_position_as_it_is() {
        let book = Book::new(&[0.0, 0.25, 0.125, 0.0]);
        let verdict = book.review_targets(&engine_from_12_50(), &targets(&[0.0625, 0.3125, 0.1, 0.0]));
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![0.0, 0.8, 1.0, 1.0]));
        assert_eq!(
            verdict.reasons[0].reason,
            "the trade is worth 6.25, under the minimum 12.50"
        );
        let kept = Book::new(&[0.0]).review_targets(&engine_from_12_50(), &targets(&[0.125]));
        assert_eq!(kept.decision, Decision::Keep);
    }

    #[test]
    fn small_orders_pass_only_when_they_reduce() {
        let engine = engine_from_12_50();
        assert_factor(&Book::new(&[0.0]).order(&engine, 0, 0.1), 0.0);
        assert_factor(&Book::new(&[0.0]).order(&engine, 0, -0.125), 1.0);
        assert_factor(&Book::new(&[0.25]).order(&engine, 0, -0.001), 1.0);
        // Closing 0.05 and opening 0.025 on the other side is small: only the closing part passes.
        assert_factor(&Book::new(&[0.05]).order(&engine, 0, -0.075), 0.05 / 0.075);
    }

    #[test]
    fn what_other_rules_leave_must_be_worth_it() {
        // 0.05 of room is worth 5.
        let verdict = Book::new(&[0.45]).order(&engine_from_12_50(), 0, 0.3);
        assert_factor(&verdict, 0.0);
        assert_eq!(verdict.reasons.last().map(|row| row.rule), Some("minimum_trade"));
    }
}
