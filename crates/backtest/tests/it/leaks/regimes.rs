//! Leaks in the regime.

use sextant_backtest::FillConvention;
use sextant_domain::ports::RegimeDetector;
use sextant_domain::{
    EquityRegime, MarketData, MarketView, RegimeEstimate, RegimeInput, Requirements, UtcNanos,
};

use super::chain::{Scripted, at_closes, bar_return, spy, through_the_chain};
use super::{Leak, Run};

pub(super) fn leaks() -> Vec<Leak> {
    vec![Leak {
        name: "smoothed regime",
        planted: with_labels(|count, index| (index.saturating_sub(4), (index + 4).min(count - 1))),
        honest: with_labels(|_, index| (index.saturating_sub(8), index)),
    }]
}

/// Says bull where most bars of a window rose, by the time of the bar.
struct Labelled {
    requirements: Requirements,
    labels: Vec<(UtcNanos, EquityRegime)>,
}

impl RegimeDetector for Labelled {
    fn requirements(&self) -> &Requirements {
        &self.requirements
    }

    fn update(&mut self, view: &MarketView<'_>, _: &mut Vec<RegimeInput>) -> RegimeEstimate {
        let known = self.labels.partition_point(|(time, _)| *time <= view.as_of());
        let newest = self.labels[..known].last();
        RegimeEstimate {
            equity: newest.map_or(EquityRegime::Unknown, |(_, label)| *label),
            ..RegimeEstimate::default()
        }
    }
}

fn labels(
    market: &MarketData,
    window: impl Fn(usize, usize) -> (usize, usize),
) -> Vec<(UtcNanos, EquityRegime)> {
    let bars = spy(market);
    let rises = |index: &usize| bar_return(bars.close, *index).is_some_and(|change| change > 0.0);
    let label = |index: usize| {
        let (first, last) = window(bars.len(), index);
        let rising = (first..=last).filter(rises).count();
        if 2 * rising > last - first {
            EquityRegime::Bull
        } else {
            EquityRegime::Bear
        }
    };
    (0..bars.len())
        .map(|index| (bars.close_time[index], label(index)))
        .collect()
}

fn with_labels(window: impl Fn(usize, usize) -> (usize, usize) + Copy + 'static) -> Run {
    Box::new(move |market| {
        let detector = Labelled {
            requirements: Requirements::new(),
            labels: labels(market, window),
        };
        let script = at_closes(market, |index| Some(f64::from(u8::from(index % 3 == 0))));
        let model = Box::new(Scripted::new(script));
        through_the_chain(market, model, Some(Box::new(detector)), FillConvention::NextOpen)
    })
}
