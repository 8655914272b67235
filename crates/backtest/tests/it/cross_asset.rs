//! What a model reads need not be what it trades; and what risk rules measure on the way.

use sextant_backtest::{Recorder, RunOutcome};
use sextant_domain::ports::Model;
use sextant_domain::{Intents, InterventionAction, MarketData, MarketView, Requirements, Timeframe};
use sextant_risk::{AdvLimit, RiskLimits, UnknownVolume, VolatilityCap};
use sextant_testkit::bars::{Walk, daily_sessions, from_closes, instant, random_walk};
use sextant_testkit::{MarketBuilder, SplitMix64};

use crate::fixture::{Rule, Setup};

/// Bonds that rise and fall in waves of ten days, and shares that wander.
fn market(days: usize) -> MarketData {
    let spans = daily_sessions(instant("2020-01-06"), days);
    let wave = |day: usize| 100.0 + (day % 20).min(20 - day % 20) as f64;
    let bonds: Vec<f64> = (0..days).map(wave).collect();
    let walk = Walk {
        start_price: 50.0,
        step: 0.01,
        seed: 5,
    };
    MarketBuilder::new()
        .equity("SHARES", Timeframe::D1)
        .bars("SHARES", Timeframe::D1, random_walk(&spans, walk))
        .equity("BONDS", Timeframe::D1)
        .bars("BONDS", Timeframe::D1, from_closes(&spans, &bonds))
        .build()
}

/// Shares while bonds are above their mean of five days; decided when a bar of the bonds closes.
fn shares_by_bonds() -> Box<dyn Model> {
    let mut needs = Requirements::new();
    let shares = needs.trade("SHARES");
    let bonds = needs.series("BONDS", Timeframe::D1);
    let mean = needs.feature("sma", &[("period", 5.0)], bonds);
    needs.decide_on(bonds);
    let mut held = None;
    let decide = move |view: &MarketView<'_>, out: &mut Intents| {
        let (Some(close), Some(mean)) = (view.bars(bonds).last_close(), view.feature(mean)) else {
            return;
        };
        if held.replace(close > mean) != Some(close > mean) {
            out.target(shares, if close > mean { 0.9 } else { 0.0 });
        }
    };
    Box::new(Rule {
        name: "SharesByBonds",
        needs,
        decide,
    })
}

fn run_under(limits: RiskLimits, market: &MarketData) -> (RunOutcome, Recorder) {
    let setup = Setup {
        limits,
        ..Setup::plain("100000")
    };
    setup.run(market, vec![shares_by_bonds()]).unwrap()
}

#[test]
fn a_model_trades_by_the_signal_of_another_instrument() {
    let market = market(60);
    let (_, recorder) = run_under(RiskLimits::permissive(2.0), &market);
    // The mean of five days is crossed on the way up and on the way down of each wave.
    let bonds = market.series()[1].bars.closes();
    let mean = |day: usize| bonds[day - 4..=day].iter().sum::<f64>() / 5.0;
    let above: Vec<bool> = (4..60).map(|day| bonds[day] > mean(day)).collect();
    // The last change is filled on a day that there is.
    let turns = above[..above.len() - 1]
        .windows(2)
        .filter(|pair| pair[0] != pair[1])
        .count();
    assert_eq!(recorder.fills.len(), turns + usize::from(above[0]));
    assert!(turns >= 4, "{turns}");
    assert!(recorder.fills.iter().all(|fill| fill.instrument.index() == 0));
}

/// The engine measures on the closes before the day of the decision: the same cut from a market whose future is another.
#[test]
fn a_volatility_cap_cuts_by_what_was_known() {
    let cap = |annual| RiskLimits {
        volatility_cap: Some(VolatilityCap {
            annual,
            window_days: 10,
        }),
        ..RiskLimits::permissive(2.0)
    };
    let whole = market(60);
    let (_, recorder) = run_under(cap(0.05), &whole);
    let acts: Vec<_> = recorder
        .interventions
        .iter()
        .filter(|(_, act)| act.rule == "volatility_cap")
        .collect();
    // The first wish comes before there are eleven days: nothing is added. Later ones are cut to the cap.
    assert_eq!(acts[0].1.action, InterventionAction::Refuse);
    let shrunk: Vec<_> = acts
        .iter()
        .filter(|(_, act)| act.action == InterventionAction::Shrink)
        .collect();
    assert!(!shrunk.is_empty());
    for (time, act) in &shrunk {
        assert!((act.after - 0.05).abs() < 1e-9, "{act:?}");
        // By hand: ten returns of the closes before the day, annualised by the days they span.
        let series = &market(60);
        let shares = &series.series()[0].bars;
        let known = shares.close_times().partition_point(|close| close < time);
        let (closes, times) = (
            &shares.closes()[known - 11..known],
            &shares.close_times()[known - 11..known],
        );
        let returns: Vec<f64> = closes.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
        let mean = returns.iter().sum::<f64>() / 10.0;
        let variance = returns.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / 9.0;
        let days = (times[10].day_number() - times[0].day_number()) as f64;
        let annual = (variance * 10.0 * 365.25 / days).sqrt();
        assert!(
            (act.before - 0.9 * annual).abs() < 1e-9,
            "{} {annual}",
            act.before
        );
    }
    // Another future from the day of the last cut on changes nothing up to it.
    let (last, _) = shrunk[shrunk.len() - 1];
    let mut random = SplitMix64::new(3);
    let spans = daily_sessions(instant("2020-01-06"), 60);
    let closes: Vec<f64> = whole.series()[0]
        .bars
        .iter()
        .map(|bar| {
            if bar.close_time < *last {
                bar.close
            } else {
                bar.close * (1.0 + random.bell().abs())
            }
        })
        .collect();
    let other = MarketBuilder::new()
        .equity("SHARES", Timeframe::D1)
        .bars("SHARES", Timeframe::D1, from_closes(&spans, &closes))
        .equity("BONDS", Timeframe::D1)
        .bars("BONDS", Timeframe::D1, whole.series()[1].bars.clone())
        .build();
    let (_, changed) = run_under(cap(0.05), &other);
    let before = |recorder: &Recorder| -> Vec<(i64, String)> {
        let acts = recorder
            .interventions
            .iter()
            .filter(|(time, act)| time <= last && act.rule == "volatility_cap");
        acts.map(|(time, act)| (time.nanos(), format!("{:.12}", act.before)))
            .collect()
    };
    assert_eq!(before(&changed), before(&recorder));
}

#[test]
fn an_adv_limit_cuts_by_what_was_traded() {
    let limits = RiskLimits {
        adv_limit: Some(AdvLimit {
            fraction: 0.1,
            window_days: 3,
            unknown: UnknownVolume::Refuse,
        }),
        ..RiskLimits::permissive(2.0)
    };
    let market = market(40);
    let (_, recorder) = run_under(limits, &market);
    let bars = market.series()[0].bars.view();
    let buy = recorder
        .fills
        .iter()
        .find(|fill| fill.quantity.is_positive())
        .unwrap();
    let order = &recorder.orders[0];
    let known = bars
        .close_time
        .partition_point(|close| *close < order.draft.decided_at);
    let days = known - 3..known;
    let adv = days.map(|day| bars.close[day] * bars.volume[day]).sum::<f64>() / 3.0;
    let most = 0.1 * adv / bars.close[known];
    assert!(buy.quantity.to_f64() <= most, "{} {most}", buy.quantity);
    assert!(
        buy.quantity.to_f64() > 0.99 * most - 1.0,
        "{} {most}",
        buy.quantity
    );
}
