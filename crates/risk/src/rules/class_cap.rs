//! `class_cap`: no asset class may be too large.

use sextant_domain::AssetClass;

use crate::ClassCaps;
use crate::rule::{Cut, ExposureLimit, OrderCase, RiskRule, TargetReview};

/// Caps the sum of weight magnitudes of each class that has a cap.
pub(crate) struct ClassCap {
    caps: ClassCaps,
}

impl ClassCap {
    pub(crate) fn new(caps: ClassCaps) -> Self {
        Self { caps }
    }
}

impl RiskRule for ClassCap {
    fn id(&self) -> &'static str {
        "class_cap"
    }

    fn limit_targets(&self, review: &mut TargetReview<'_>) {
        let classes = review.state.classes;
        for class in AssetClass::ALL {
            if let Some(cap) = self.caps.of(class) {
                let name = exposure_name(class);
                review.limit_exposure(
                    &ExposureLimit {
                        rule: self.id(),
                        name,
                        cap,
                    },
                    |index| classes[index] == class,
                );
            }
        }
    }

    fn limit_order(&self, order: &OrderCase<'_>) -> Option<Cut> {
        let classes = order.state.classes;
        let class = classes[order.instrument];
        let cap = self.caps.of(class)?;
        if order.fits_with_all(cap) {
            return None;
        }
        let taken = order.standing + order.others(|other| classes[other] == class);
        order.cut_to(cap - taken, || {
            let projected = taken + order.added;
            format!(
                "{} would be {projected:.4} of equity, over the cap {cap:.4}",
                exposure_name(class)
            )
        })
    }
}

const fn exposure_name(class: AssetClass) -> &'static str {
    match class {
        AssetClass::Equity => "equity class exposure",
        AssetClass::Crypto => "crypto class exposure",
        AssetClass::Fx => "fx class exposure",
    }
}

#[cfg(test)]
mod tests {
    use sextant_domain::AssetClass::{Crypto, Equity};
    use sextant_domain::Decision;

    use crate::test_support::{Book, assert_factor, engine, targets, targets_with_unmanaged};
    use crate::{ClassCaps, RiskLimits, RiskRules};

    fn crypto_cap() -> RiskRules {
        let class_caps = ClassCaps {
            crypto: Some(0.25),
            ..ClassCaps::default()
        };
        engine(RiskLimits {
            class_caps,
            ..RiskLimits::permissive(10.0)
        })
    }

    fn book(weights: &[f64; 3]) -> Book {
        Book {
            classes: vec![Equity, Crypto, Crypto],
            ..Book::new(weights)
        }
    }

    #[test]
    fn the_class_is_scaled_as_a_whole_and_others_stay() {
        let verdict = book(&[0.0; 3]).review_targets(&crypto_cap(), &targets(&[0.9, 0.3, -0.2]));
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![1.0, 0.5, 0.5]));
        assert_eq!(verdict.reasons.len(), 1);
        let row = &verdict.reasons[0];
        assert_eq!(
            (row.rule, row.instrument, row.before, row.after),
            ("class_cap", None, 0.5, 0.25)
        );
        let words = "crypto class exposure 0.5000 is over the cap 0.2500: targets x 0.500000,";
        assert!(row.reason.starts_with(words), "{}", row.reason);
    }

    #[test]
    fn positions_without_targets_count_but_stay() {
        let unmanaged = [false, false, true];
        let partly = targets_with_unmanaged(&[0.0, 0.25, 0.125], &unmanaged);
        let verdict = book(&[0.0; 3]).review_targets(&crypto_cap(), &partly);
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![1.0, 0.5, 1.0]));
        let full = targets_with_unmanaged(&[0.0, 0.25, 0.5], &unmanaged);
        let verdict = book(&[0.0; 3]).review_targets(&crypto_cap(), &full);
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![1.0, 0.0, 1.0]));
        let alone = targets_with_unmanaged(&[0.0, 0.0, 0.5], &unmanaged);
        let verdict = book(&[0.0; 3]).review_targets(&crypto_cap(), &alone);
        assert_eq!(verdict.decision, Decision::Keep);
    }

    #[test]
    fn orders_count_the_whole_class_with_what_is_pending() {
        let engine = crypto_cap();
        assert_factor(&book(&[0.0, 0.0, 0.0]).order(&engine, 0, 0.9), 1.0);
        assert_factor(&book(&[0.9, 0.0, -0.125]).order(&engine, 1, 0.25), 0.5);
        assert_factor(&book(&[0.0, 0.0, 0.3]).order(&engine, 1, 0.1), 0.0);
        assert_factor(&book(&[0.0, 0.0, 0.3]).order(&engine, 2, -0.2), 1.0);
        // Closing 0.25 makes the room that the part beyond zero takes.
        assert_factor(&book(&[0.0, 0.0, 0.25]).order(&engine, 2, -1.0), 0.5);
        let mut pending = book(&[0.0, 0.0, 0.25]);
        pending.pending[2] = -0.125;
        assert_factor(&pending.order(&engine, 1, 0.25), 0.5);
        let words = pending.order(&engine, 1, 0.25).reasons[0].reason.clone();
        assert_eq!(
            words,
            "crypto class exposure would be 0.3750 of equity, over the cap 0.2500"
        );
    }
}
