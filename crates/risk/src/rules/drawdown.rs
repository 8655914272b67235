//! `drawdown`: less exposure after a loss, none after a large one.
//!
//! ```text
//!            trigger                halt
//!   normal ----------> reduced ----------> halted
//!     ^ <----------------+   (normal goes to halted, too)
//!     |    recover_at                        |
//!     +--------------------------------------+
//!          after the pause, if there is one; the high-water mark becomes the equity of that moment
//! ```

use sextant_domain::{Intervention, InterventionAction, OrderOrigin, PortfolioState, RiskStatus, UtcNanos};

use super::invalid_equity;
use crate::rule::{Cut, NO_EQUITY, OrderCase, RiskRule, TargetReview, Watch, status_change};
use crate::{AfterHalt, DrawdownLimits};

const NANOS_PER_DAY: i64 = 86_400_000_000_000;
/// A drawdown this little short of a stage has reached it: `1 - 85.0 / 100.0` is not exactly 0.15.
const STAGE_TOLERANCE: f64 = 1e-12;

/// Follows the high-water mark of equity through the stages of [`DrawdownLimits`].
///
/// Equity that is not a positive number is left to the rule `invalid_equity` and changes nothing here.
pub(crate) struct Drawdown {
    limits: DrawdownLimits,
    stage: Stage,
    /// The largest equity observed; 0 before the first.
    peak: f64,
    /// The drawdown when it was last looked at, from 0 to 1.
    depth: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Normal,
    Reduced,
    /// Until then, or for the rest of the run.
    Halted(Option<UtcNanos>),
}

impl Drawdown {
    pub(crate) fn new(limits: DrawdownLimits) -> Self {
        Self {
            limits,
            stage: Stage::Normal,
            peak: 0.0,
            depth: 0.0,
        }
    }

    /// Enters the next stage where there is one to go to. Apart from [`observe`](RiskRule::observe), which mostly ends
    /// before and is short without it.
    #[inline(never)]
    fn go_on(&mut self, state: &PortfolioState<'_>, reasons: &mut Vec<Intervention>) -> bool {
        let Some(stage) = self.next_stage(self.depth, state.as_of) else {
            return false;
        };
        reasons.push(self.enter(stage, state.equity));
        true
    }

    /// The stage to go to at a drawdown, where it is another one.
    fn next_stage(&self, present: f64, now: UtcNanos) -> Option<Stage> {
        let has_reached = |depth: f64| present >= depth - STAGE_TOLERANCE;
        match self.stage {
            Stage::Halted(Some(until)) if now >= until => Some(Stage::Normal),
            Stage::Halted(_) => None,
            Stage::Normal | Stage::Reduced if has_reached(self.limits.halt) => Some(self.halted(now)),
            Stage::Normal if has_reached(self.limits.trigger) => Some(Stage::Reduced),
            Stage::Reduced if present <= self.limits.recover_at + STAGE_TOLERANCE => Some(Stage::Normal),
            Stage::Normal | Stage::Reduced => None,
        }
    }

    fn halted(&self, now: UtcNanos) -> Stage {
        match self.limits.after_halt {
            AfterHalt::StayHalted => Stage::Halted(None),
            AfterHalt::ResumeAfterDays { days } => {
                Stage::Halted(Some(now.saturating_add(i64::from(days) * NANOS_PER_DAY)))
            }
        }
    }

    fn enter(&mut self, stage: Stage, equity: f64) -> Intervention {
        let before = self.status().multiplier();
        let reason = self.change_in_words(stage, equity);
        if matches!(self.stage, Stage::Halted(_)) {
            (self.peak, self.depth) = (equity, 0.0);
        }
        self.stage = stage;
        status_change(self.id(), before, self.status().multiplier(), reason)
    }

    fn change_in_words(&self, to: Stage, equity: f64) -> String {
        let (depth, limits) = (percent(self.depth), &self.limits);
        match (self.stage, to) {
            (Stage::Halted(_), _) => {
                format!("the pause after the halt is over: trading resumes, new high-water mark {equity:.2}")
            }
            (_, Stage::Normal) => {
                format!(
                    "drawdown {depth} is back to {}: full exposure",
                    percent(limits.recover_at)
                )
            }
            (_, Stage::Reduced) => {
                let (trigger, factor) = (percent(limits.trigger), limits.reduced_exposure);
                format!("drawdown {depth} has reached the trigger {trigger}: exposure x {factor:.2}")
            }
            (_, Stage::Halted(until)) => {
                let until = until.map_or("for the rest of the run".to_owned(), |time| {
                    format!("until {time}")
                });
                format!(
                    "drawdown {depth} has reached the halt {}: everything is closed {until}",
                    percent(limits.halt)
                )
            }
        }
    }

    fn reduce(&self, review: &mut TargetReview<'_>) {
        let factor = self.limits.reduced_exposure;
        let open: Vec<_> = (0..review.len())
            .filter(|&index| review.is_managed(index) && review.is_open(index))
            .collect();
        if open.is_empty() || factor == 1.0 {
            return;
        }
        let before: f64 = open
            .iter()
            .map(|&instrument| review.weight(instrument).abs())
            .sum();
        open.iter()
            .for_each(|&instrument| review.scale(instrument, factor));
        review.report(Intervention {
            rule: self.id(),
            action: InterventionAction::Shrink,
            instrument: None,
            before,
            after: before * factor,
            reason: format!("{}: targets x {factor:.2}", self.standing_in_words()),
        });
    }

    fn standing_in_words(&self) -> String {
        format!("drawdown {} from {:.2}", percent(self.depth), self.peak)
    }
}

impl RiskRule for Drawdown {
    fn id(&self) -> &'static str {
        "drawdown"
    }

    fn watches(&self) -> Watch {
        Watch::Equity
    }

    /// Between the trigger and the high-water mark, while the standing is normal. The drawdown that goes unnoted there is in
    /// no record.
    fn quiet_equity(&self) -> (f64, f64) {
        if self.stage != Stage::Normal {
            return NO_EQUITY;
        }
        // Further from the trigger than rounding can tell.
        (self.peak * (1.0 - self.limits.trigger + 1e-9), self.peak)
    }

    fn observe(&mut self, state: &PortfolioState<'_>, reasons: &mut Vec<Intervention>) -> bool {
        if !invalid_equity::is_valid(state.equity) {
            return false;
        }
        if state.equity > self.peak {
            self.peak = state.equity;
        }
        self.depth = 1.0 - state.equity / self.peak;
        // The next stage of a normal standing is the trigger; the halt lies beyond it.
        if self.stage == Stage::Normal && self.depth < self.limits.trigger - STAGE_TOLERANCE {
            return false;
        }
        self.go_on(state, reasons)
    }

    fn quiet_steps(&self, times: &[UtcNanos], equity: &[f64]) -> usize {
        let mut peak = self.peak;
        let changes = times.iter().zip(equity).position(|(now, equity)| {
            if !invalid_equity::is_valid(*equity) {
                return false;
            }
            peak = peak.max(*equity);
            let depth = 1.0 - equity / peak;
            // As in `observe`: most steps are far from the first stage.
            let is_far = self.stage == Stage::Normal && depth < self.limits.trigger - STAGE_TOLERANCE;
            !is_far && self.next_stage(depth, *now).is_some()
        });
        changes.unwrap_or(times.len())
    }

    fn pass(&mut self, equity: &[f64]) {
        let mut valid = equity
            .iter()
            .copied()
            .filter(|equity| invalid_equity::is_valid(*equity));
        self.peak = valid.clone().fold(self.peak, f64::max);
        if let Some(last) = valid.next_back() {
            self.depth = 1.0 - last / self.peak;
        }
    }

    fn status(&self) -> RiskStatus {
        match self.stage {
            Stage::Normal => RiskStatus::Normal,
            Stage::Reduced => RiskStatus::Reduced {
                multiplier: self.limits.reduced_exposure,
            },
            Stage::Halted(_) => RiskStatus::Halted,
        }
    }

    fn limit_targets(&self, review: &mut TargetReview<'_>) {
        match self.stage {
            Stage::Normal => {}
            Stage::Reduced => self.reduce(review),
            Stage::Halted(_) => review.close_all(self.id(), &format!("halted, {}", self.standing_in_words())),
        }
    }

    fn limit_order(&self, order: &OrderCase<'_>) -> Option<Cut> {
        let factor = self.limits.reduced_exposure;
        match self.stage {
            Stage::Halted(_) => Some(order.cut_all(&format!("halted, {}", self.standing_in_words()))),
            // Orders from targets carry the factor already.
            Stage::Reduced if order.draft.origin == OrderOrigin::Request && factor < 1.0 => Some(Cut {
                added: order.added * factor,
                reason: format!("{}: request x {factor:.2}", self.standing_in_words()),
            }),
            Stage::Normal | Stage::Reduced => None,
        }
    }
}

fn percent(fraction: f64) -> String {
    format!("{:.2}%", fraction * 100.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use sextant_domain::OrderOrigin::{Request, Target};
    use sextant_domain::OrderSize::{ClosePosition, EquityFraction};
    use sextant_domain::ports::RiskEngine;
    use sextant_domain::{Decision, Verdict};

    use super::*;
    use crate::test_support::{Book, engine, targets, targets_with_unmanaged};
    use crate::{RiskLimits, RiskRules};

    fn limits(after_halt: AfterHalt) -> RiskLimits {
        let drawdown = DrawdownLimits {
            trigger: 0.15,
            reduced_exposure: 0.5,
            recover_at: 0.1,
            halt: 0.2,
            after_halt,
        };
        RiskLimits {
            drawdown: Some(drawdown),
            ..RiskLimits::permissive(2.0)
        }
    }

    /// An engine that has seen the equities, one per day.
    fn after(equities: &[f64], after_halt: AfterHalt) -> (RiskRules, Vec<RiskStatus>, Vec<Intervention>) {
        let mut engine = engine(limits(after_halt));
        let mut reasons = Vec::new();
        let mut book = Book::new(&[0.5, 0.2]);
        let mut statuses = Vec::new();
        for (day, equity) in equities.iter().enumerate() {
            book.as_of = UtcNanos::from_nanos(i64::try_from(day).unwrap() * NANOS_PER_DAY);
            book.equity = *equity;
            statuses.push(engine.observe(&book.state(), &mut reasons));
        }
        (engine, statuses, reasons)
    }

    const NORMAL: RiskStatus = RiskStatus::Normal;
    const REDUCED: RiskStatus = RiskStatus::Reduced { multiplier: 0.5 };
    const HALTED: RiskStatus = RiskStatus::Halted;

    #[test]
    fn the_stages_follow_equity() {
        let stay = AfterHalt::StayHalted;
        let pause = AfterHalt::ResumeAfterDays { days: 2 };
        let cases: [(&str, AfterHalt, &[f64], &[RiskStatus]); 8] = [
            (
                "equality reaches a stage",
                stay,
                &[100.0, 85.0, 80.0],
                &[NORMAL, REDUCED, HALTED],
            ),
            (
                "just above stays",
                stay,
                &[100.0, 85.01, 85.0, 80.01],
                &[NORMAL, NORMAL, REDUCED, REDUCED],
            ),
            (
                "recovery takes recover_at, not the trigger",
                stay,
                &[100.0, 84.0, 86.0, 89.9, 90.0, 86.0],
                &[NORMAL, REDUCED, REDUCED, REDUCED, NORMAL, NORMAL],
            ),
            (
                "a crash skips the middle",
                stay,
                &[100.0, 50.0],
                &[NORMAL, HALTED],
            ),
            (
                "a halt stays",
                stay,
                &[100.0, 80.0, 100.0, 200.0],
                &[NORMAL, HALTED, HALTED, HALTED],
            ),
            (
                "the mark follows gains",
                stay,
                &[100.0, 200.0, 171.0, 170.0],
                &[NORMAL, NORMAL, NORMAL, REDUCED],
            ),
            (
                "the pause ends and the mark is re-based",
                pause,
                &[100.0, 80.0, 80.0, 79.0, 68.0, 67.0, 63.0],
                &[NORMAL, HALTED, HALTED, NORMAL, NORMAL, REDUCED, HALTED],
            ),
            (
                "equity that is no number changes nothing here but halts elsewhere",
                stay,
                &[100.0, f64::NAN, 100.0],
                &[NORMAL, HALTED, HALTED],
            ),
        ];
        for (name, after_halt, equities, expected) in cases {
            assert_eq!(after(equities, after_halt).1, expected, "{name}");
        }
    }

    #[test]
    fn each_change_is_one_row() {
        let pause = AfterHalt::ResumeAfterDays { days: 2 };
        let equities = [100.0, 85.0, 84.0, 91.0, 84.0, 79.0, 79.0, 79.0, 79.0];
        let (_, _, reasons) = after(&equities, pause);
        let rows: Vec<_> = reasons.iter().map(|row| (row.before, row.after)).collect();
        assert_eq!(rows, [(1.0, 0.5), (0.5, 1.0), (1.0, 0.5), (0.5, 0.0), (0.0, 1.0)]);
        assert!(
            reasons
                .iter()
                .all(|row| row.rule == "drawdown" && row.action == InterventionAction::Status)
        );
        let expected = [
            "drawdown 15.00% has reached the trigger 15.00%: exposure x 0.50",
            "drawdown 9.00% is back to 10.00%: full exposure",
            "drawdown 16.00% has reached the trigger 15.00%: exposure x 0.50",
            "drawdown 21.00% has reached the halt 20.00%: everything is closed until 1970-01-08T00:00:00Z",
            "the pause after the halt is over: trading resumes, new high-water mark 79.00",
        ];
        assert_eq!(
            reasons.iter().map(|row| row.reason.as_str()).collect::<Vec<_>>(),
            expected
        );
        let (_, _, for_good) = after(&[100.0, 79.0], AfterHalt::StayHalted);
        assert!(
            for_good[0]
                .reason
                .ends_with("everything is closed for the rest of the run")
        );
    }

    #[test]
    fn reduced_targets_are_multiplied_and_positions_without_targets_stay() {
        let (engine, ..) = after(&[100.0, 84.0], AfterHalt::StayHalted);
        let verdict = Book::new(&[0.0; 3]).review_targets(
            &engine,
            &targets_with_unmanaged(&[0.4, -0.2, 0.3], &[false, false, true]),
        );
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![0.5, 0.5, 1.0]));
        assert_eq!(verdict.reasons.len(), 1);
        let row = &verdict.reasons[0];
        assert_eq!((row.rule, row.instrument), ("drawdown", None));
        assert!((row.before - 0.6).abs() < 1e-12 && (row.after - 0.3).abs() < 1e-12);
        assert_eq!(row.reason, "drawdown 16.00% from 100.00: targets x 0.50");
    }

    #[test]
    fn a_halt_closes_positions_without_targets_too() {
        let (engine, ..) = after(&[100.0, 70.0], AfterHalt::StayHalted);
        let verdict = Book::new(&[0.0; 2])
            .review_targets(&engine, &targets_with_unmanaged(&[0.4, 0.3], &[false, true]));
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![0.0, 0.0]));
        assert_eq!(
            verdict.reasons[0].reason,
            "halted, drawdown 30.00% from 100.00: gross exposure 0.7000 is closed"
        );
    }

    #[test]
    fn orders_while_reduced_and_halted() {
        let book = Book::new(&[0.5, 0.0]);
        let review = |engine: &RiskRules, instrument, weight, size, origin| -> Verdict {
            book.review_order(engine, instrument, Some(weight), size, origin)
        };
        let fraction = EquityFraction(0.2);
        let (reduced, ..) = after(&[100.0, 84.0], AfterHalt::StayHalted);
        let shrunk = |factor: f64| Decision::ShrinkTo(vec![factor]);
        assert_eq!(review(&reduced, 1, 0.2, fraction, Request).decision, shrunk(0.5));
        assert_eq!(
            review(&reduced, 1, 0.2, fraction, Target).decision,
            Decision::Keep
        );
        assert_eq!(
            review(&reduced, 0, -0.2, fraction, Request).decision,
            Decision::Keep
        );
        // 0.5 closes the long position, and half of the 0.5 beyond zero is left.
        assert_eq!(
            review(&reduced, 0, -1.0, fraction, Request).decision,
            shrunk(0.75)
        );
        let (halted, ..) = after(&[100.0, 70.0], AfterHalt::StayHalted);
        assert_eq!(
            review(&halted, 1, 0.2, fraction, Target).decision,
            Decision::Refuse
        );
        assert_eq!(
            review(&halted, 0, -0.5, fraction, Target).decision,
            Decision::Keep
        );
        assert_eq!(review(&halted, 0, -1.0, fraction, Target).decision, shrunk(0.5));
        assert_eq!(
            review(&halted, 0, -0.5, ClosePosition, Request).decision,
            Decision::Keep
        );
    }

    #[test]
    fn a_long_only_book_of_targets_is_kept_while_normal() {
        let (engine, ..) = after(&[100.0, 99.0], AfterHalt::StayHalted);
        let verdict = Book::new(&[0.0; 2]).review_targets(&engine, &targets(&[0.4, 0.3]));
        assert_eq!(verdict, Verdict::keep());
    }
}
