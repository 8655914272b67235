//! A million orders along random paths of prices and fills, each passing the rules first.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use sextant_domain::AssetClass;
use sextant_domain::ports::RiskEngine;

use crate::optional_properties::{Loadings, SYMBOLS, broken};
use crate::properties::{SLACK, closes};
use crate::test_support::{Book, factor, table};
use crate::{
    AdvLimit, AfterHalt, GroupCap, KillFlag, MinimumTrade, RiskLimits, RiskRules, TurnoverLimit,
    UnknownVolume, VolatilityCap,
};

/// Numbers that look random and are the same on every machine (Steele, Lea and Flood, SplitMix, 2014).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).unwrap()
    }
}

const INSTRUMENTS: usize = 4;

/// An account that lives through prices, orders and fills, every order passing the rules first.
struct Walk {
    units: [f64; INSTRUMENTS],
    pending: [f64; INSTRUMENTS],
    prices: [f64; INSTRUMENTS],
    cash: f64,
    book: Book,
    loadings: Loadings,
}

impl Walk {
    fn new(random: &mut SplitMix) -> Self {
        use AssetClass::{Crypto, Equity};
        let row = |random: &mut SplitMix| (0..3).map(|_| random.between(-0.3, 0.5)).collect();
        let loadings = Loadings((0..INSTRUMENTS).map(|_| row(random)).collect());
        let book = Book {
            classes: vec![Equity, Equity, Crypto, Crypto],
            covariance: loadings.covariance(),
            adv: vec![f64::NAN; INSTRUMENTS],
            ..Book::new(&[0.0; INSTRUMENTS])
        };
        let prices = std::array::from_fn(|_| random.between(1.0, 1_000.0));
        Self {
            units: [0.0; INSTRUMENTS],
            pending: [0.0; INSTRUMENTS],
            prices,
            cash: 100_000.0,
            book,
            loadings,
        }
    }

    /// Moves prices, and fills what is pending at the new ones half of the time.
    fn advance(&mut self, random: &mut SplitMix) {
        for price in &mut self.prices {
            *price *= random.between(0.94, 1.062);
        }
        for adv in &mut self.book.adv {
            let is_known = !random.next().is_multiple_of(16);
            *adv = if is_known {
                random.between(0.0, 1_000_000.0)
            } else {
                f64::NAN
            };
        }
        if random.next().is_multiple_of(2) {
            for instrument in 0..INSTRUMENTS {
                self.cash -= self.pending[instrument] * self.prices[instrument];
                self.units[instrument] += self.pending[instrument];
                self.pending[instrument] = 0.0;
            }
        }
        self.mark();
    }

    fn mark(&mut self) {
        let worth: f64 = self
            .units
            .iter()
            .zip(self.prices)
            .map(|(units, price)| units * price)
            .sum();
        self.book.equity = self.cash + worth;
        self.book.as_of = self.book.as_of.saturating_add(4 * 3_600_000_000_000);
        for instrument in 0..INSTRUMENTS {
            let worth = self.prices[instrument] / self.book.equity;
            self.book.weights[instrument] = self.units[instrument] * worth;
            self.book.pending[instrument] = self.pending[instrument] * worth;
        }
    }

    /// Sums of magnitudes: each asset, crypto, everything.
    fn exposures(&self) -> [f64; INSTRUMENTS + 2] {
        let size = |instrument: usize| self.book.position(instrument).abs();
        let mut rows = [0.0; INSTRUMENTS + 2];
        (0..INSTRUMENTS).for_each(|instrument| rows[instrument] = size(instrument));
        rows[INSTRUMENTS] = size(2) + size(3);
        rows[INSTRUMENTS + 1] = (0..INSTRUMENTS).map(size).sum();
        rows
    }

    fn send(&mut self, instrument: usize, weight: f64) {
        self.pending[instrument] += weight * self.book.equity / self.prices[instrument];
        self.book.pending[instrument] += weight;
    }
}

#[derive(Debug, Default, PartialEq)]
struct Tally {
    orders: usize,
    kept: usize,
    shrunk: usize,
    refused: usize,
    statuses: [usize; 4],
    /// How often each rule acted on an order.
    rules: BTreeMap<&'static str, usize>,
}

/// The limits of the mission, with trading again after a halt.
fn mission_limits() -> RiskLimits {
    let mut limits = RiskLimits::mission_defaults();
    limits.drawdown.as_mut().unwrap().after_halt = AfterHalt::ResumeAfterDays { days: 3 };
    limits
}

/// The same with every limit that can be left out.
fn all_limits() -> RiskLimits {
    let group = GroupCap {
        cap: 0.35,
        symbols: vec!["A".into(), "C".into()],
    };
    RiskLimits {
        group_caps: [("sector".to_owned(), group)].into(),
        volatility_cap: Some(VolatilityCap {
            annual: 0.20,
            window_days: 60,
        }),
        adv_limit: Some(AdvLimit {
            fraction: 0.05,
            window_days: 20,
            unknown: UnknownVolume::CutTo { weight: 0.02 },
        }),
        turnover_limit: Some(TurnoverLimit { per_rebalance: 0.5 }),
        minimum_trade: Some(MinimumTrade { notional: 1_000.0 }),
        ..mission_limits()
    }
}

/// One path: a fresh account and a number of orders.
fn walk(random: &mut SplitMix, limits: &RiskLimits, orders: usize, tally: &mut Tally) {
    const CAPS: [f64; INSTRUMENTS + 2] = [0.4, 0.4, 0.4, 0.4, 0.2, 1.2];
    let flag = KillFlag::new();
    let instruments = table(&SYMBOLS[..INSTRUMENTS]);
    let mut engine = RiskRules::for_instruments(limits.clone(), flag.clone(), &instruments).unwrap();
    let mut walk = Walk::new(random);
    let kill_at = random.below(1_000);
    let mut reasons = Vec::new();
    for step in 0..orders {
        walk.advance(random);
        if step == kill_at {
            flag.engage("test");
        }
        let status = engine.observe(&walk.book.state(), &mut reasons);
        tally.statuses[["normal", "reduced", "halted", "killed"]
            .iter()
            .position(|name| *name == status.name())
            .unwrap()] += 1;
        let instrument = random.below(INSTRUMENTS);
        let position = walk.book.position(instrument);
        let is_closing = random.next().is_multiple_of(3);
        let weight = if is_closing {
            -position * random.between(0.0, 2.0)
        } else {
            random.between(-0.6, 0.6)
        };
        let before = walk.exposures();
        let verdict = walk.book.order(&engine, instrument, weight);
        let left = factor(&verdict);
        assert!((0.0..=1.0).contains(&left));
        let problem = broken(limits, &walk.loadings, &walk.book, (instrument, left * weight));
        assert!(problem.is_none(), "{problem:?}: {verdict:?}");
        verdict
            .reasons
            .iter()
            .for_each(|row| *tally.rules.entry(row.rule).or_default() += 1);
        walk.send(instrument, left * weight);
        for ((before, after), cap) in before.into_iter().zip(walk.exposures()).zip(CAPS) {
            assert!(
                after <= cap.max(before) + SLACK,
                "{after} over {cap}, was {before}: {verdict:?}"
            );
        }
        if closes(status) {
            let after = walk.book.position(instrument);
            assert!(
                after.abs() <= position.abs() + SLACK && after * position >= -1e-15,
                "{position} to {after}"
            );
        }
        let is_reducing = weight * position < 0.0 && weight.abs() <= position.abs();
        assert!(!is_reducing || left == 1.0, "{verdict:?}");
        tally.orders += 1;
        *(if left == 1.0 {
            &mut tally.kept
        } else if left == 0.0 {
            &mut tally.refused
        } else {
            &mut tally.shrunk
        }) += 1;
    }
}

#[test]
fn a_million_orders_on_random_paths_keep_every_limit() {
    let mut random = SplitMix(20);
    let mut tally = Tally::default();
    for _ in 0..4_000 {
        walk(&mut random, &mission_limits(), 250, &mut tally);
    }
    assert_eq!(tally.orders, 1_000_000);
    // The paths go everywhere: each outcome and each standing is common.
    for count in [tally.kept, tally.shrunk, tally.refused]
        .iter()
        .chain(&tally.statuses)
    {
        assert!(*count > 20_000, "{tally:?}");
    }
}

#[test]
fn a_million_orders_on_random_paths_keep_the_optional_limits_too() {
    let mut random = SplitMix(21);
    let (limits, mut tally) = (all_limits(), Tally::default());
    for _ in 0..4_000 {
        walk(&mut random, &limits, 250, &mut tally);
    }
    assert_eq!(tally.orders, 1_000_000);
    for rule in [
        "group_cap",
        "volatility_cap",
        "adv_limit",
        "turnover_limit",
        "minimum_trade",
    ] {
        assert!(tally.rules[rule] > 5_000, "{tally:?}");
    }
}

/// Short ones, each from a fresh account with prices, loadings and a switch of its own.
#[test]
fn a_million_random_paths_keep_every_limit() {
    let mut random = SplitMix(22);
    let (limits, mut tally) = (mission_limits(), Tally::default());
    for _ in 0..1_000_000 {
        walk(&mut random, &limits, 3, &mut tally);
    }
    assert_eq!(tally.orders, 3_000_000);
    for count in [tally.kept, tally.shrunk, tally.refused] {
        assert!(count > 50_000, "{tally:?}");
    }
}
