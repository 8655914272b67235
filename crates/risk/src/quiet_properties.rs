//! Observing many steps at once is observing each of them.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use sextant_domain::ports::RiskEngine;
use sextant_domain::{Intervention, RiskStatus, UtcNanos};

use crate::test_support::Book;
use crate::{AfterHalt, DrawdownLimits, KillFlag, RiskLimits, RiskRules};

const DAY: i64 = 86_400_000_000_000;

/// What an observation led to, by step.
type Observed = Vec<(RiskStatus, Vec<Intervention>)>;

fn limits() -> impl Strategy<Value = RiskLimits> {
    let stages = prop_oneof![
        Just(AfterHalt::StayHalted),
        (1u32..6).prop_map(|days| AfterHalt::ResumeAfterDays { days })
    ];
    (proptest::option::of(stages), any::<bool>()).prop_map(|(after_halt, engaged)| {
        let mut limits = RiskLimits::permissive(1.0);
        limits.drawdown = after_halt.map(|after_halt| DrawdownLimits {
            trigger: 0.05,
            reduced_exposure: 0.5,
            recover_at: 0.02,
            halt: 0.1,
            after_halt,
        });
        limits.kill_switch.engaged = engaged && limits.drawdown.is_none();
        limits
    })
}

/// Equity that wanders by a few per cent a step, and is at times no number or nothing at all.
fn equity() -> impl Strategy<Value = Vec<f64>> {
    let step = prop_oneof![60 => 0.95..1.055f64, 1 => Just(f64::NAN), 1 => Just(0.0)];
    proptest::collection::vec(step, 1..120).prop_map(|steps| {
        let mut last = 100.0;
        let wandering = steps.into_iter().map(|step| {
            if step > 0.0 {
                last *= step;
                last
            } else {
                step
            }
        });
        wandering.collect()
    })
}

fn observe(engine: &mut RiskRules, day: usize, equity: f64) -> (RiskStatus, Vec<Intervention>) {
    let mut book = Book::new(&[0.5]);
    (book.as_of, book.equity) = (UtcNanos::from_nanos(day as i64 * DAY), equity);
    let mut reasons = Vec::new();
    let status = engine.observe(&book.state(), &mut reasons);
    (status, reasons)
}

fn one_by_one(engine: &mut RiskRules, equity: &[f64]) -> Observed {
    let steps = equity.iter().enumerate();
    steps.map(|(day, equity)| observe(engine, day, *equity)).collect()
}

/// In stretches of at most `stretch` steps, each step that is not quiet by itself.
fn in_stretches(engine: &mut RiskRules, equity: &[f64], stretch: usize) -> Observed {
    let days: Vec<_> = (0..equity.len())
        .map(|day| UtcNanos::from_nanos(day as i64 * DAY))
        .collect();
    let (mut observed, mut day, mut status) = (Observed::new(), 0, RiskStatus::Normal);
    while day < equity.len() {
        let end = equity.len().min(day + stretch);
        let quiet = engine.observe_quiet(&days[day..end], &equity[day..end]);
        observed.extend((0..quiet).map(|_| (status, Vec::new())));
        day += quiet;
        if day < end {
            observed.push(observe(engine, day, equity[day]));
            status = observed[day].0;
            day += 1;
        }
    }
    observed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn quiet_steps_are_observed_steps(limits in limits(), equity in equity(), stretch in 1usize..50) {
        let engine = || RiskRules::new(limits.clone(), KillFlag::new()).unwrap();
        let each = one_by_one(&mut engine(), &equity);
        prop_assert_eq!(in_stretches(&mut engine(), &equity, stretch), each);
    }

    #[test]
    fn rules_have_nothing_to_say_where_they_are_not_asked(limits in limits(), equity in equity()) {
        let engine = || RiskRules::new(limits.clone(), KillFlag::new()).unwrap();
        let mut asked = engine();
        let each: Observed = equity
            .iter()
            .enumerate()
            .map(|(day, equity)| {
                asked.forget_quiet();
                observe(&mut asked, day, *equity)
            })
            .collect();
        prop_assert_eq!(one_by_one(&mut engine(), &equity), each);
    }
}

#[test]
fn stretches_without_an_event_are_quiet_to_their_end() {
    let equity: Vec<f64> = (0..50).map(|day| 100.0 + f64::from(day % 3)).collect();
    let days: Vec<_> = (0..50).map(|day| UtcNanos::from_nanos(day * DAY)).collect();
    let mut engine = RiskRules::new(RiskLimits::mission_defaults(), KillFlag::new()).unwrap();
    assert_eq!(engine.observe_quiet(&days, &equity), 50);
    let mut falling = equity;
    falling[20] = 80.0;
    let mut engine = RiskRules::new(RiskLimits::mission_defaults(), KillFlag::new()).unwrap();
    assert_eq!(engine.observe_quiet(&days, &falling), 20);
}
