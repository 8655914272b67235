//! `gross_leverage`: all positions together may not be too large.

use crate::rule::{Cut, ExposureLimit, OrderCase, RiskRule, TargetReview};

/// Caps the sum of weight magnitudes over all instruments.
pub(crate) struct GrossLeverage {
    limit: f64,
}

impl GrossLeverage {
    pub(crate) fn new(limit: f64) -> Self {
        Self { limit }
    }
}

impl RiskRule for GrossLeverage {
    fn id(&self) -> &'static str {
        "gross_leverage"
    }

    fn limit_targets(&self, review: &mut TargetReview<'_>) {
        let limit = ExposureLimit {
            rule: self.id(),
            name: "gross leverage",
            cap: self.limit,
        };
        review.limit_exposure(&limit, |_| true);
    }

    fn limit_order(&self, order: &OrderCase<'_>) -> Option<Cut> {
        let taken = order.standing + order.all_others();
        order.cut_to(self.limit - taken, || {
            format!(
                "gross leverage would be {:.4}, over the limit {:.4}",
                taken + order.added,
                self.limit
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use sextant_domain::Decision;

    use crate::RiskLimits;
    use crate::test_support::{Book, assert_factor, engine, targets, targets_with_unmanaged};

    #[test]
    fn long_and_short_count_alike() {
        let engine = engine(RiskLimits::permissive(1.0));
        let verdict = Book::new(&[0.0; 2]).review_targets(&engine, &targets(&[1.0, -1.0]));
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![0.5, 0.5]));
        let row = &verdict.reasons[0];
        assert_eq!((row.rule, row.before, row.after), ("gross_leverage", 2.0, 1.0));
        assert!(
            row.reason
                .starts_with("gross leverage 2.0000 is over the cap 1.0000: targets x 0.500000")
        );
        let kept = Book::new(&[0.0; 2]).review_targets(&engine, &targets(&[0.5, -0.5]));
        assert_eq!(kept.decision, Decision::Keep);
    }

    #[test]
    fn positions_without_targets_take_room() {
        let engine = engine(RiskLimits::permissive(1.0));
        let proposal = targets_with_unmanaged(&[1.0, -0.5], &[false, true]);
        let verdict = Book::new(&[0.0; 2]).review_targets(&engine, &proposal);
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![0.5, 1.0]));
    }

    #[test]
    fn orders_get_the_room_that_is_left() {
        let engine = engine(RiskLimits::permissive(1.0));
        assert_factor(&Book::new(&[0.0, 0.0]).order(&engine, 0, 2.0), 0.5);
        assert_factor(&Book::new(&[0.0, -0.75]).order(&engine, 0, 0.5), 0.5);
        assert_factor(&Book::new(&[0.5, 0.75]).order(&engine, 0, 0.5), 0.0);
        assert_factor(&Book::new(&[0.5, 0.75]).order(&engine, 0, -0.5), 1.0);
        assert_factor(&Book::new(&[0.5, 0.75]).order(&engine, 0, -1.0), 0.75);
        let words = Book::new(&[0.0, -0.75]).order(&engine, 0, 0.5).reasons[0]
            .reason
            .clone();
        assert_eq!(words, "gross leverage would be 1.2500, over the limit 1.0000");
    }

    #[test]
    fn many_instruments_are_all_counted() {
        let engine = engine(RiskLimits::permissive(1.0));
        for count in 1..12 {
            let book = Book::new(&vec![0.0625; count]);
            let room = 1.0 - 0.0625 * count as f64;
            assert_factor(&book.order(&engine, 0, 2.0), room / 2.0);
        }
    }
}
