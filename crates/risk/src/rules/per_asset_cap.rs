//! `per_asset_cap`: no instrument alone may be too large.

use sextant_domain::{InstrumentId, Intervention, InterventionAction};

use crate::rule::{Cut, OrderCase, RiskRule, TOLERANCE, TargetReview};

/// Caps the magnitude of each instrument's net weight. Positions that no target governs are left to the order review.
pub(crate) struct PerAssetCap {
    cap: f64,
}

impl PerAssetCap {
    pub(crate) fn new(cap: f64) -> Self {
        Self { cap }
    }
}

impl RiskRule for PerAssetCap {
    fn id(&self) -> &'static str {
        "per_asset_cap"
    }

    fn limit_targets(&self, review: &mut TargetReview<'_>) {
        for instrument in 0..review.len() {
            let before = review.weight(instrument);
            if before.abs() <= self.cap + TOLERANCE || !review.is_managed(instrument) {
                continue;
            }
            review.scale(instrument, self.cap / before.abs());
            review.report(Intervention {
                rule: self.id(),
                action: InterventionAction::Shrink,
                instrument: Some(InstrumentId::from_index(instrument)),
                before,
                after: self.cap.copysign(before),
                reason: format!("target {before:.4} is over the cap {:.4}", self.cap),
            });
        }
    }

    fn limit_order(&self, order: &OrderCase<'_>) -> Option<Cut> {
        order.cut_to(self.cap - order.standing, || {
            let projected = order.standing + order.added;
            format!(
                "the position would be {projected:.4} of equity, over the cap {:.4}",
                self.cap
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use sextant_domain::{Decision, InterventionAction};

    use crate::RiskLimits;
    use crate::test_support::{Book, assert_factor, engine, targets, targets_with_unmanaged};

    fn limits() -> RiskLimits {
        RiskLimits {
            per_asset_cap: 0.4,
            ..RiskLimits::permissive(10.0)
        }
    }

    #[test]
    fn targets_over_the_cap_are_brought_to_it_by_side() {
        let engine = engine(limits());
        let verdict = Book::new(&[0.0; 4]).review_targets(&engine, &targets(&[0.8, -0.5, 0.4, 0.1]));
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![0.5, 0.8, 1.0, 1.0]));
        let rows: Vec<_> = verdict
            .reasons
            .iter()
            .map(|row| (row.rule, row.before, row.after))
            .collect();
        assert_eq!(rows, [("per_asset_cap", 0.8, 0.4), ("per_asset_cap", -0.5, -0.4)]);
        assert_eq!(verdict.reasons[0].reason, "target 0.8000 is over the cap 0.4000");
    }

    #[test]
    fn positions_without_targets_are_not_forced() {
        let engine = engine(limits());
        let verdict = Book::new(&[0.8]).review_targets(&engine, &targets_with_unmanaged(&[0.8], &[true]));
        assert_eq!(verdict.decision, Decision::Keep);
    }

    #[test]
    fn orders_are_judged_on_the_position_they_lead_to() {
        let engine = engine(limits());
        // present, pending, order, what is left of the order
        let cases = [
            (0.0, 0.0, 0.4, 0.4),
            (0.0, 0.0, 0.4 + 5e-10, 0.4 + 5e-10),
            (0.0, 0.0, 0.8, 0.4),
            (0.3, 0.0, 0.2, 0.1),
            (0.1, 0.2, 0.2, 0.1),
            (0.3, -0.3, 0.5, 0.4),
            (-0.3, 0.0, -0.2, -0.1),
            (0.5, 0.0, 0.1, 0.0),
            (0.5, 0.0, -0.1, -0.1),
            (0.3, 0.0, -0.9, -0.7),
            (-0.6, 0.0, 0.9, 0.9),
            (0.0, 0.9, -0.9, -0.9),
        ];
        for (present, pending, order, left) in cases {
            let mut book = Book::new(&[present]);
            book.pending[0] = pending;
            assert_factor(&book.order(&engine, 0, order), left / order);
        }
    }

    #[test]
    fn a_refused_order_says_so() {
        let engine = engine(limits());
        let verdict = Book::new(&[0.5]).order(&engine, 0, 0.1);
        assert_eq!(verdict.decision, Decision::Refuse);
        let row = &verdict.reasons[0];
        assert_eq!(
            (row.rule, row.action, row.after),
            ("per_asset_cap", InterventionAction::Refuse, 0.0)
        );
        assert_eq!(
            row.reason,
            "the position would be 0.6000 of equity, over the cap 0.4000"
        );
    }
}
