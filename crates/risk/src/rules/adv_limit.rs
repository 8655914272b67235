//! `adv_limit`: no trade is too large for the market it goes to.

use sextant_domain::{InstrumentId, Intervention, InterventionAction, PortfolioState};

use crate::rule::{Cut, OrderCase, RiskRule, TOLERANCE, TargetReview};
use crate::{AdvLimit, UnknownVolume};

/// Caps what is on its way in one instrument, the order under review included, at a fraction of the instrument's average
/// daily traded value. Reductions always pass and take room.
///
/// The average comes with the portfolio state. One that is absent, negative or not a number is unknown; the configuration
/// says what may be traded then.
pub(crate) struct AverageDailyValue {
    limit: AdvLimit,
}

/// The largest trade, as a fraction of equity, and why.
enum Largest {
    OfVolume { weight: f64, adv: f64 },
    OfUnknown { weight: f64 },
}

impl Largest {
    fn weight(&self) -> f64 {
        match self {
            Self::OfVolume { weight, .. } | Self::OfUnknown { weight } => *weight,
        }
    }
}

impl AverageDailyValue {
    pub(crate) fn new(limit: AdvLimit) -> Self {
        Self { limit }
    }

    fn largest(&self, state: &PortfolioState<'_>, instrument: usize) -> Largest {
        let adv = state.statistics.adv.get(instrument).copied();
        match adv.filter(|adv| adv.is_finite() && *adv >= 0.0) {
            Some(adv) => Largest::OfVolume {
                weight: self.limit.fraction * adv / state.equity,
                adv,
            },
            None => Largest::OfUnknown {
                weight: match self.limit.unknown {
                    UnknownVolume::Refuse => 0.0,
                    UnknownVolume::CutTo { weight } => weight,
                },
            },
        }
    }

    fn in_words(&self, trade: f64, largest: &Largest) -> String {
        match largest {
            Largest::OfVolume { weight, adv } => format!(
                "the trade would be {trade:.6} of equity, over {weight:.6}: {:.4} of the average daily value {adv:.2}",
                self.limit.fraction
            ),
            Largest::OfUnknown { weight } => format!(
                "the average daily value is not known: the trade would be {trade:.6} of equity, over {weight:.6}"
            ),
        }
    }
}

impl RiskRule for AverageDailyValue {
    fn id(&self) -> &'static str {
        "adv_limit"
    }

    fn limit_targets(&self, review: &mut TargetReview<'_>) {
        for instrument in 0..review.len() {
            let change = review.change(instrument);
            let largest = self.largest(review.state, instrument);
            let taken = review.state.pending[instrument].abs() + change.reducing;
            // A room that is not a number has no space.
            let room = (largest.weight() - taken).max(0.0);
            if change.added <= room + TOLERANCE || !review.is_managed(instrument) {
                continue;
            }
            let before = review.weight(instrument);
            review.cut_change(instrument, &change, room);
            review.report(Intervention {
                rule: self.id(),
                action: InterventionAction::Shrink,
                instrument: Some(InstrumentId::from_index(instrument)),
                before,
                after: review.weight(instrument),
                reason: self.in_words(change.reducing + change.added, &largest),
            });
        }
    }

    fn limit_order(&self, order: &OrderCase<'_>) -> Option<Cut> {
        let largest = self.largest(order.state, order.instrument);
        let taken = order.state.pending[order.instrument].abs() + order.reducing;
        order.cut_to(largest.weight() - taken, || {
            self.in_words(order.reducing + order.added, &largest)
        })
    }
}

#[cfg(test)]
mod tests {
    use sextant_domain::Decision;

    use crate::test_support::{Book, assert_factor, engine, targets};
    use crate::{AdvLimit, RiskLimits, RiskRules, UnknownVolume};

    fn five_percent(unknown: UnknownVolume) -> RiskRules {
        let limit = AdvLimit {
            fraction: 0.05,
            window_days: 20,
            unknown,
        };
        engine(RiskLimits {
            adv_limit: Some(limit),
            ..RiskLimits::permissive(10.0)
        })
    }

    /// Equity 100: 5 % of 500 is a weight of 0.25, of 200 one of 0.1, and the third is not known.
    fn book(weights: &[f64; 3]) -> Book {
        Book {
            adv: vec![500.0, 200.0, f64::NAN],
            ..Book::new(weights)
        }
    }

    #[test]
    fn a_target_moves_no_further_than_the_market_allows() {
        let verdict = book(&[0.0, 0.4, 0.0])
            .review_targets(&five_percent(UnknownVolume::Refuse), &targets(&[0.5, 0.8, 0.3]));
        let Decision::ShrinkTo(factors) = &verdict.decision else {
            panic!("{verdict:?}")
        };
        for (found, expected) in factors.iter().zip([0.5, 0.5 / 0.8, 0.0]) {
            assert!((found - expected).abs() < 1e-12, "{factors:?}");
        }
        let rows: Vec<_> = verdict
            .reasons
            .iter()
            .map(|row| (row.before, row.after))
            .collect();
        assert_eq!(rows, [(0.5, 0.25), (0.8, 0.5), (0.3, 0.0)]);
        assert_eq!(
            verdict.reasons[0].reason,
            "the trade would be 0.500000 of equity, over 0.250000: 0.0500 of the average daily value 500.00"
        );
        assert!(
            verdict.reasons[2]
                .reason
                .starts_with("the average daily value is not known")
        );
    }

    #[test]
    fn reductions_pass_in_the_thinnest_market() {
        let engine = five_percent(UnknownVolume::Refuse);
        let held = book(&[0.9, 0.9, 0.9]);
        assert_eq!(
            held.review_targets(&engine, &targets(&[0.0, 0.1, 0.0])).decision,
            Decision::Keep
        );
        assert_factor(&held.order(&engine, 2, -0.9), 1.0);
    }

    #[test]
    fn orders_count_what_is_on_its_way_in_the_instrument() {
        let engine = five_percent(UnknownVolume::Refuse);
        let mut book = book(&[0.0, 0.0, 0.0]);
        assert_factor(&book.order(&engine, 0, 0.5), 0.5);
        assert_factor(&book.order(&engine, 2, 0.1), 0.0);
        book.pending[0] = 0.2;
        assert_factor(&book.order(&engine, 0, 0.1), 0.5);
        assert_factor(&book.order(&engine, 1, 0.1), 1.0);
    }

    #[test]
    fn an_unknown_volume_is_cut_as_configured() {
        let engine = five_percent(UnknownVolume::CutTo { weight: 0.0625 });
        assert_factor(&book(&[0.0; 3]).order(&engine, 2, 0.25), 0.25);
        // Nothing was measured at all.
        assert_factor(&Book::new(&[0.0]).order(&engine, 0, 0.125), 0.5);
        let verdict = Book::new(&[0.0]).review_targets(&engine, &targets(&[-0.125]));
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![0.5]));
    }
}
