//! `initial_margin`: equity must secure what is opened.

use sextant_domain::{InstrumentId, Intervention, InterventionAction};

use crate::rule::{Cut, OrderCase, RiskRule, TOLERANCE, TargetReview};

/// Keeps the initial margin of all positions together within equity.
///
/// Margin is a property of the instruments: the rule has no limit of its own, and says nothing where no instrument asks for
/// margin. What reduces a position always passes.
pub(crate) struct InitialMargin;

/// What a weight needs, as a fraction of equity.
fn needed(weight: f64, fraction: f64) -> f64 {
    // Nothing held needs nothing, even where the margin is not known yet.
    if weight == 0.0 || fraction == 0.0 {
        0.0
    } else {
        weight.abs() * fraction
    }
}

impl RiskRule for InitialMargin {
    fn id(&self) -> &'static str {
        "initial_margin"
    }

    /// Scales targets that need margin by one factor; positions that no target governs count but stay.
    fn limit_targets(&self, review: &mut TargetReview<'_>) {
        let fractions = review.state.margin.initial;
        if fractions.is_empty() {
            return;
        }
        self.drop_unknown(review, fractions);
        let (mut managed, mut unmanaged) = (0.0, 0.0);
        for (instrument, fraction) in fractions.iter().enumerate() {
            let needed = needed(review.weight(instrument), *fraction);
            if review.is_managed(instrument) {
                managed += needed;
            } else {
                unmanaged += needed;
            }
        }
        let before = managed + unmanaged;
        if before <= 1.0 + TOLERANCE || managed == 0.0 {
            return;
        }
        let factor = (1.0 - unmanaged).max(0.0) / managed;
        for (instrument, fraction) in fractions.iter().enumerate() {
            if review.is_managed(instrument) && *fraction > 0.0 {
                review.scale(instrument, factor);
            }
        }
        review.report(Intervention {
            rule: self.id(),
            action: InterventionAction::Shrink,
            instrument: None,
            before,
            after: unmanaged + managed * factor,
            reason: format!(
                "initial margin of {before:.4} of equity is more than there is: targets x {factor:.6}"
            ),
        });
    }

    fn limit_order(&self, order: &OrderCase<'_>) -> Option<Cut> {
        let fractions = order.state.margin.initial;
        let fraction = *fractions.get(order.instrument)?;
        if fraction == 0.0 {
            return None;
        }
        let others = fractions.iter().enumerate();
        let others = others.filter(|(index, _)| *index != order.instrument);
        let others: f64 = others
            .map(|(index, fraction)| {
                needed(order.state.weights[index] + order.state.pending[index], *fraction)
            })
            .sum();
        let room = (1.0 - others) / fraction - order.standing;
        order.cut_to(room, || {
            format!(
                "initial margin would be {:.4} of equity; there is {:.4} for this instrument",
                others + (order.standing + order.added) * fraction,
                (1.0 - others).max(0.0)
            )
        })
    }
}

impl InitialMargin {
    /// Takes back targets whose margin is not known.
    fn drop_unknown(&self, review: &mut TargetReview<'_>, fractions: &[f64]) {
        for (instrument, fraction) in fractions.iter().enumerate() {
            let before = review.weight(instrument);
            if fraction.is_finite() || before == 0.0 || !review.is_managed(instrument) {
                continue;
            }
            review.scale(instrument, 0.0);
            review.report(Intervention {
                rule: self.id(),
                action: InterventionAction::Shrink,
                instrument: Some(InstrumentId::from_index(instrument)),
                before,
                after: 0.0,
                reason: "its margin is not known before its first price".to_owned(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use sextant_domain::Decision;

    use crate::RiskLimits;
    use crate::test_support::{Book, assert_factor, engine, targets, targets_with_unmanaged};

    fn book(weights: &[f64], initial_margin: &[f64]) -> Book {
        Book {
            initial_margin: initial_margin.to_vec(),
            ..Book::new(weights)
        }
    }

    #[test]
    fn targets_share_what_equity_secures() {
        let engine = engine(RiskLimits::permissive(100.0));
        let book = book(&[0.0; 3], &[0.25, 0.5, 0.0]);
        // 4 x 0.25 + 2 x 0.5 is twice the equity; the third needs nothing.
        let verdict = book.review_targets(&engine, &targets(&[4.0, -2.0, 3.0]));
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![0.5, 0.5, 1.0]));
        let row = &verdict.reasons[0];
        assert_eq!((row.rule, row.before, row.after), ("initial_margin", 2.0, 1.0));
        let kept = book.review_targets(&engine, &targets(&[2.0, -1.0, 3.0]));
        assert_eq!(kept.decision, Decision::Keep);
        let unmanaged = targets_with_unmanaged(&[2.0, 2.0, 0.0], &[true, false, false]);
        let verdict = book.review_targets(&engine, &unmanaged);
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![1.0, 0.5, 1.0]));
    }

    #[test]
    fn orders_get_the_margin_that_is_free_and_reductions_pass() {
        let engine = engine(RiskLimits::permissive(100.0));
        assert_factor(&book(&[0.0, 0.0], &[0.25, 0.5]).order(&engine, 0, 8.0), 0.5);
        // The other position takes half; 2 are there already and take the rest.
        assert_factor(&book(&[2.0, -1.0], &[0.25, 0.5]).order(&engine, 0, 1.0), 0.0);
        assert_factor(&book(&[2.0, -1.0], &[0.25, 0.5]).order(&engine, 0, -2.0), 1.0);
        // From 2 long to at most 2 short.
        assert_factor(&book(&[2.0, -1.0], &[0.25, 0.5]).order(&engine, 0, -8.0), 0.5);
        // Over the limit already: reductions only.
        assert_factor(&book(&[9.0, -1.0], &[0.25, 0.5]).order(&engine, 0, -1.0), 1.0);
        assert_factor(&book(&[0.0, 0.0], &[0.0, 0.5]).order(&engine, 0, 8.0), 1.0);
        let words = &book(&[0.0, 0.0], &[0.25, 0.5]).order(&engine, 0, 8.0).reasons[0].reason;
        assert_eq!(
            words,
            "initial margin would be 2.0000 of equity; there is 1.0000 for this instrument"
        );
    }

    #[test]
    fn margin_that_is_not_known_is_no_margin_to_trade_on() {
        let engine = engine(RiskLimits::permissive(100.0));
        let book = book(&[0.0, 0.0], &[f64::NAN, 0.5]);
        assert_factor(&book.order(&engine, 0, 0.1), 0.0);
        let verdict = book.review_targets(&engine, &targets(&[0.1, 0.1]));
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![0.0, 1.0]));
    }
}
