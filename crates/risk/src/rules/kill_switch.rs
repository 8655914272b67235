//! `kill_switch`: once it is on, everything is closed and nothing is opened for the rest of the run.

use sextant_domain::{Intervention, PortfolioState, RiskStatus, UtcNanos};

use crate::KillSwitchConfig;
use crate::kill_signal::KillSignal;
use crate::rule::{Cut, OrderCase, RiskRule, TargetReview, Watch, status_change};

const ID: &str = "kill_switch";

/// Latches the first reason that config or signal gives.
pub(crate) struct KillSwitch<S> {
    signal: S,
    latched: Option<String>,
    is_reported: bool,
}

impl<S> KillSwitch<S> {
    pub(crate) fn new(config: &KillSwitchConfig, signal: S) -> Self {
        let latched = config
            .engaged
            .then(|| "kill switch engaged in the config".to_owned());
        Self {
            signal,
            latched,
            is_reported: false,
        }
    }

    #[cold]
    #[inline(never)]
    fn latch(&mut self, reason: &str) {
        self.latched = Some(format!("kill switch engaged: {reason}"));
    }

    #[cold]
    #[inline(never)]
    fn report(&mut self, reasons: &mut Vec<Intervention>) {
        let reason = self.latched.clone().unwrap_or_default();
        reasons.push(status_change(ID, 1.0, 0.0, reason));
        self.is_reported = true;
    }
}

impl<S: KillSignal> RiskRule for KillSwitch<S> {
    fn id(&self) -> &'static str {
        ID
    }

    fn watches(&self) -> Watch {
        Watch::EveryStep
    }

    fn observe(&mut self, _state: &PortfolioState<'_>, reasons: &mut Vec<Intervention>) -> bool {
        if self.is_reported {
            return false;
        }
        if self.latched.is_none() {
            match self.signal.engaged() {
                None => return false,
                Some(reason) => self.latch(&reason),
            }
        }
        self.report(reasons);
        true
    }

    fn quiet_steps(&self, times: &[UtcNanos], _equity: &[f64]) -> usize {
        let is_quiet = self.is_reported || (self.latched.is_none() && self.signal.engaged().is_none());
        if is_quiet { times.len() } else { 0 }
    }

    fn status(&self) -> RiskStatus {
        if self.latched.is_some() {
            RiskStatus::Killed
        } else {
            RiskStatus::Normal
        }
    }

    fn limit_targets(&self, review: &mut TargetReview<'_>) {
        if let Some(reason) = &self.latched {
            review.close_all(self.id(), reason);
        }
    }

    fn limit_order(&self, order: &OrderCase<'_>) -> Option<Cut> {
        self.latched.as_ref().map(|reason| order.cut_all(reason))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use sextant_domain::ports::RiskEngine;
    use sextant_domain::{Decision, InstrumentId, ModelId, RiskStatus, TargetWeights};

    use crate::test_support::{Book, targets};
    use crate::{KillFlag, RiskLimits, RiskRules};

    #[test]
    fn the_signal_latches_and_is_reported_once() {
        let flag = KillFlag::new();
        let mut engine = RiskRules::new(RiskLimits::mission_defaults(), flag.clone()).unwrap();
        let book = Book::new(&[0.3, 0.1]);
        let mut reasons = Vec::new();
        assert_eq!(engine.observe(&book.state(), &mut reasons), RiskStatus::Normal);
        flag.engage("operator said so");
        assert_eq!(engine.observe(&book.state(), &mut reasons), RiskStatus::Killed);
        assert_eq!(engine.observe(&book.state(), &mut reasons), RiskStatus::Killed);
        assert_eq!(reasons.len(), 1);
        assert_eq!(
            (reasons[0].rule, reasons[0].before, reasons[0].after),
            ("kill_switch", 1.0, 0.0)
        );
        assert!(reasons[0].reason.contains("operator said so"));
    }

    #[test]
    fn a_switch_that_went_off_again_stays_latched() {
        struct Blink(std::sync::Mutex<bool>);
        impl crate::KillSignal for Blink {
            fn engaged(&self) -> Option<String> {
                let mut is_on = self.0.lock().unwrap();
                std::mem::take(&mut *is_on).then(|| "blink".to_owned())
            }
        }
        let mut engine =
            RiskRules::new(RiskLimits::mission_defaults(), Blink(std::sync::Mutex::new(true))).unwrap();
        let book = Book::new(&[0.3]);
        for _ in 0..3 {
            assert_eq!(engine.observe(&book.state(), &mut Vec::new()), RiskStatus::Killed);
        }
    }

    #[test]
    fn config_kills_before_the_first_observation() {
        let mut limits = RiskLimits::permissive(1.0);
        limits.kill_switch.engaged = true;
        let mut engine = RiskRules::new(limits, KillFlag::new()).unwrap();
        let book = Book::new(&[0.3, 0.0]);
        let verdict = book.review_targets(&engine, &targets(&[0.3, 0.2]));
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![0.0, 0.0]));
        assert_eq!(
            (verdict.reasons[0].rule, verdict.reasons[0].before),
            ("kill_switch", 0.5)
        );
        assert_eq!(book.order(&engine, 1, 0.1).decision, Decision::Refuse);
        assert_eq!(book.order(&engine, 0, -0.3).decision, Decision::Keep);
        assert_eq!(engine.observe(&book.state(), &mut Vec::new()), RiskStatus::Killed);
    }

    #[test]
    fn models_that_cancel_out_are_closed_too() {
        let mut limits = RiskLimits::permissive(1.0);
        limits.kill_switch.engaged = true;
        let engine = RiskRules::new(limits, KillFlag::new()).unwrap();
        let mut targets = TargetWeights::new(2, 1);
        let instrument = InstrumentId::from_index(0);
        targets.add_target(ModelId::from_index(0), instrument, 0.25);
        targets.add_target(ModelId::from_index(1), instrument, -0.25);
        assert_eq!(targets.net(), [0.0]);
        let verdict = Book::new(&[0.0]).review_targets(&engine, &targets);
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![0.0]));
    }

    #[test]
    fn closed_targets_need_no_more_words() {
        let mut limits = RiskLimits::permissive(1.0);
        limits.kill_switch.engaged = true;
        let engine = RiskRules::new(limits, KillFlag::new()).unwrap();
        let verdict = Book::new(&[0.0; 2]).review_targets(&engine, &targets(&[0.0, 0.0]));
        assert_eq!((verdict.decision, verdict.reasons.len()), (Decision::Keep, 0));
    }
}
