//! `turnover_limit`: not too much is traded at a time.

use sextant_domain::{Intervention, InterventionAction};

use crate::TurnoverLimit;
use crate::rule::{Change, Cut, OrderCase, RiskRule, TOLERANCE, TargetReview};

/// Caps the sum of the magnitudes of what is traded in one rebalance: orders on their way, reductions and additions, each as
/// a fraction of equity. Reductions always pass and take room; additions share what is left, each by the same factor.
///
/// Purchases and sales both count, so replacing a whole unlevered portfolio is a turnover of 2.
pub(crate) struct Turnover {
    limit: f64,
}

impl Turnover {
    pub(crate) fn new(limit: TurnoverLimit) -> Self {
        Self {
            limit: limit.per_rebalance,
        }
    }
}

fn on_its_way(pending: &[f64]) -> f64 {
    pending.iter().map(|weight| weight.abs()).sum()
}

impl RiskRule for Turnover {
    fn id(&self) -> &'static str {
        "turnover_limit"
    }

    fn limit_targets(&self, review: &mut TargetReview<'_>) {
        let changes: Vec<(usize, Change)> = (0..review.len())
            .filter(|&instrument| review.is_managed(instrument))
            .map(|instrument| (instrument, review.change(instrument)))
            .collect();
        let added: f64 = changes.iter().map(|(_, change)| change.added).sum();
        let reduced: f64 = changes.iter().map(|(_, change)| change.reducing).sum();
        let taken = on_its_way(review.state.pending) + reduced;
        if taken + added <= self.limit + TOLERANCE || added <= 0.0 {
            return;
        }
        // A sum that is not a number leaves no room.
        let factor = (self.limit - taken).max(0.0) / added;
        for (instrument, change) in changes.iter().filter(|(_, change)| change.added > 0.0) {
            review.cut_change(*instrument, change, change.added * factor);
        }
        if !taken.is_finite() {
            return review.report(unknown(self.id(), added));
        }
        review.report(Intervention {
            rule: self.id(),
            action: InterventionAction::Shrink,
            instrument: None,
            before: taken + added,
            after: taken + added * factor,
            reason: format!(
                "turnover {:.4} is over the limit {:.4}: what adds to positions x {factor:.6}, {taken:.4} of reductions and \
                 orders on their way stays",
                taken + added,
                self.limit
            ),
        });
    }

    fn limit_order(&self, order: &OrderCase<'_>) -> Option<Cut> {
        let taken = on_its_way(order.state.pending) + order.reducing;
        order.cut_to(self.limit - taken, || {
            format!(
                "turnover would be {:.4}, over the limit {:.4}",
                taken + order.added,
                self.limit
            )
        })
    }
}

fn unknown(rule: &'static str, added: f64) -> Intervention {
    Intervention {
        rule,
        action: InterventionAction::Shrink,
        instrument: None,
        before: added,
        after: 0.0,
        reason: "the weight of orders on their way is not known: nothing is added".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use sextant_domain::Decision;

    use crate::test_support::{Book, assert_factor, engine, targets, targets_with_unmanaged};
    use crate::{RiskLimits, RiskRules, TurnoverLimit};

    fn half() -> RiskRules {
        engine(RiskLimits {
            turnover_limit: Some(TurnoverLimit { per_rebalance: 0.5 }),
            ..RiskLimits::permissive(10.0)
        })
    }

    #[test]
    fn additions_share_what_reductions_leave() {
        // Sells 0.25, buys 0.25 and 0.25 more: 0.75 in all. Half of the purchases fit.
        let book = Book::new(&[0.5, 0.25, 0.0]);
        let verdict = book.review_targets(&half(), &targets(&[0.25, 0.5, 0.25]));
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![1.0, 0.75, 0.5]));
        let row = &verdict.reasons[0];
        assert_eq!((row.rule, row.before, row.after), ("turnover_limit", 0.75, 0.5));
        assert!(
            row.reason.starts_with("turnover 0.7500 is over the limit 0.5000"),
            "{}",
            row.reason
        );
    }

    #[test]
    fn a_change_of_side_is_a_reduction_and_an_addition() {
        // From 0.25 to -0.5 reduces 0.25, which leaves 0.25 of the 0.5 that are added.
        let verdict = Book::new(&[0.25]).review_targets(&half(), &targets(&[-0.5]));
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![0.5]));
    }

    #[test]
    fn reductions_pass_however_large() {
        let book = Book::new(&[0.75, 0.75]);
        let verdict = book.review_targets(&half(), &targets(&[0.0, 0.0]));
        assert_eq!(verdict.decision, Decision::Keep);
        let verdict = book.review_targets(&half(), &targets(&[0.0, 1.0]));
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![1.0, 0.75]));
        assert_factor(&book.order(&half(), 0, -0.75), 1.0);
    }

    #[test]
    fn positions_without_targets_are_not_traded() {
        let proposal = targets_with_unmanaged(&[0.5, 2.0], &[false, true]);
        let verdict = Book::new(&[0.0, 2.0]).review_targets(&half(), &proposal);
        assert_eq!(verdict.decision, Decision::Keep);
    }

    #[test]
    fn orders_on_their_way_take_room() {
        let mut book = Book::new(&[0.0, 0.25]);
        book.pending[1] = -0.25;
        assert_factor(&book.order(&half(), 0, 0.5), 0.5);
        let verdict = book.review_targets(&half(), &targets(&[0.5, 0.0]));
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![0.5, 1.0]));
        let words = book.order(&half(), 0, 0.5).reasons[0].reason.clone();
        assert_eq!(words, "turnover would be 0.7500, over the limit 0.5000");
        // Closing 0.25 and opening 0.5 on the other side: the part beyond zero gets what is left.
        assert_factor(&Book::new(&[0.25]).order(&half(), 0, -0.75), 0.5 / 0.75);
    }

    #[test]
    fn what_is_on_its_way_must_be_known() {
        let mut book = Book::new(&[0.0, 0.0]);
        book.pending[1] = f64::NAN;
        let verdict = book.review_targets(&half(), &targets(&[0.25, 0.0]));
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![0.0, 1.0]));
        assert!(verdict.reasons.iter().all(|row| row.before.is_finite()));
    }
}
