//! `missing_price`: what has no price or no weight cannot be judged, and is refused.

use sextant_domain::{InstrumentId, Intervention, InterventionAction};

use crate::rule::{Cut, OrderCase, RiskRule, TargetReview};

/// Refuses target weights that are not finite numbers, and orders whose weight or position is not known.
///
/// A record holds numbers only, so the unknown weight stands there as 0; the reason says that it was unknown.
pub(crate) struct MissingPrice;

impl RiskRule for MissingPrice {
    fn id(&self) -> &'static str {
        "missing_price"
    }

    fn limit_targets(&self, review: &mut TargetReview<'_>) {
        for instrument in 0..review.len() {
            let weight = review.proposed(instrument);
            if weight.is_finite() {
                continue;
            }
            review.scale(instrument, 0.0);
            review.report(Intervention {
                rule: self.id(),
                action: InterventionAction::Refuse,
                instrument: Some(InstrumentId::from_index(instrument)),
                before: 0.0,
                after: 0.0,
                reason: format!("the target weight is {weight}, but must be a finite number"),
            });
        }
    }

    fn limit_order(&self, order: &OrderCase<'_>) -> Option<Cut> {
        let reason = "the order's price, the equity or the position is missing";
        (!order.is_priced).then(|| Cut {
            added: 0.0,
            reason: reason.to_owned(),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use sextant_domain::Decision;
    use sextant_domain::OrderOrigin::{Request, Target};
    use sextant_domain::OrderSize::{ClosePosition, EquityFraction};

    use crate::RiskLimits;
    use crate::test_support::{Book, engine, targets};

    #[test]
    fn a_target_that_is_no_number_goes_to_zero_alone() {
        let engine = engine(RiskLimits::mission_defaults());
        let verdict = Book::new(&[0.0; 3]).review_targets(&engine, &targets(&[0.1, f64::NAN, f64::INFINITY]));
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![1.0, 0.0, 0.0]));
        assert_eq!(verdict.reasons.len(), 2);
        assert_eq!(verdict.reasons[0].rule, "missing_price");
        assert_eq!(verdict.reasons[0].instrument.unwrap().index(), 1);
        assert!(verdict.reasons[0].reason.contains("NaN"));
        assert!(
            verdict
                .reasons
                .iter()
                .all(|reason| reason.before.is_finite() && reason.after.is_finite())
        );
    }

    #[test]
    fn an_order_without_weight_is_refused_whatever_it_is() {
        let engine = engine(RiskLimits::mission_defaults());
        let book = Book::new(&[0.3]);
        for weight in [None, Some(f64::NAN), Some(f64::NEG_INFINITY)] {
            for (size, origin) in [(EquityFraction(0.1), Request), (ClosePosition, Target)] {
                let verdict = book.review_order(&engine, 0, weight, size, origin);
                assert_eq!(verdict.decision, Decision::Refuse);
                assert_eq!(verdict.reasons.len(), 1);
                assert_eq!(verdict.reasons[0].rule, "missing_price");
            }
        }
    }

    #[test]
    fn an_order_on_a_position_of_unknown_weight_is_refused() {
        let engine = engine(RiskLimits::mission_defaults());
        let book = Book::new(&[f64::NAN, 0.0]);
        assert_eq!(book.order(&engine, 0, -0.1).reasons[0].rule, "missing_price");
        // The unknown position also counts against the sum of all.
        let other = book.order(&engine, 1, 0.1);
        assert_eq!(
            (other.decision, other.reasons[0].rule),
            (Decision::Refuse, "gross_leverage")
        );
    }
}
