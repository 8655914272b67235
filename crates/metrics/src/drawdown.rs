//! Drawdowns, and growth per drawdown.

use serde::{Deserialize, Serialize};

use crate::calendar::months_before;
use crate::growth::{cagr, flag_ruin};
use crate::series::{NavSeries, elapsed_days};
use crate::value::{MetricValue, Reason};

const CALMAR_WINDOW_MONTHS: i64 = 36;

/// How far the value lies below its running maximum at a mark.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DrawdownPoint {
    /// The time of the mark, UTC nanoseconds.
    pub time_ns: i64,
    /// Value over running maximum minus one: 0 at a maximum, −0.2 for 20 % below; below −1 only for negative values.
    pub drawdown: f64,
}

/// The course of one drawdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawdownEpisode {
    /// The last time at the peak before the fall, UTC nanoseconds.
    pub peak_ns: i64,
    /// The earliest time at the deepest point, UTC nanoseconds.
    pub trough_ns: i64,
    /// The first mark at or above the peak after the trough; `None` while it lasts.
    pub recovery_ns: Option<i64>,
    /// The recovery, or the last mark while it lasts, UTC nanoseconds.
    pub end_ns: i64,
}

impl DrawdownEpisode {
    /// Days of 24 hours from the peak to the recovery, or to the last mark while it lasts.
    pub fn duration_days(&self) -> f64 {
        elapsed_days(self.peak_ns, self.end_ns)
    }
}

/// The deepest drawdown of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MaxDrawdown {
    /// The depth as a negative fraction, 0 when the value never fell below a peak.
    pub depth: f64,
    /// When it happened; `None` without a drawdown.
    pub episode: Option<DrawdownEpisode>,
}

/// The drawdown at every mark. The running maximum begins with the initial capital; external flows are linked away.
pub fn drawdown_series(nav: &NavSeries) -> Vec<DrawdownPoint> {
    let mut peak = nav.initial_capital();
    let points = nav.marks().iter().zip(nav.wealth());
    points
        .map(|(mark, &wealth)| {
            peak = peak.max(wealth);
            DrawdownPoint {
                time_ns: mark.time_ns,
                drawdown: wealth / peak - 1.0,
            }
        })
        .collect()
}

/// The deepest drawdown, its peak, trough and recovery. Of equally deep ones the earliest trough counts.
pub fn max_drawdown(nav: &NavSeries) -> MaxDrawdown {
    let series = drawdown_series(nav);
    let deepest = series
        .iter()
        .enumerate()
        .filter(|(_, point)| point.drawdown < 0.0);
    let deepest = deepest.min_by(|(_, a), (_, b)| a.drawdown.total_cmp(&b.drawdown));
    deepest.map_or(
        MaxDrawdown {
            depth: 0.0,
            episode: None,
        },
        |(trough, point)| MaxDrawdown {
            depth: point.drawdown,
            episode: Some(episode(nav, &series, trough)),
        },
    )
}

/// The depth as a figure, with the caveat `ruined` after ruin.
pub(crate) fn depth_value(nav: &NavSeries, drawdown: &MaxDrawdown) -> MetricValue {
    flag_ruin(MetricValue::defined(drawdown.depth), nav)
}

/// CAGR over |maximum drawdown| of the same window. Undefined as [`cagr`], `no_drawdown`, and `ruined` after ruin.
pub fn calmar(nav: &NavSeries) -> MetricValue {
    let ratio = || {
        if nav.is_ruined() {
            return Err(Reason::Ruined);
        }
        let growth = cagr(nav).known()?;
        calmar_ratio(growth, max_drawdown(nav).depth).ok_or(Reason::NoDrawdown)
    };
    ratio().into()
}

/// [`calmar`] over the last 36 calendar months: from the last mark at or before that instant. Undefined `too_short` when
/// the series does not reach back so far.
pub fn calmar_36m(nav: &NavSeries) -> MetricValue {
    if nav.is_ruined() {
        return MetricValue::undefined(Reason::Ruined);
    }
    let window = nav.since(months_before(nav.end_ns(), CALMAR_WINDOW_MONTHS));
    window.map_or(MetricValue::undefined(Reason::TooShort), |window| calmar(&window))
}

/// `None` without a drawdown.
pub(crate) fn calmar_ratio(growth: f64, depth: f64) -> Option<f64> {
    (depth < 0.0).then(|| growth / depth.abs())
}

fn episode(nav: &NavSeries, series: &[DrawdownPoint], trough: usize) -> DrawdownEpisode {
    let at_peak = |point: &DrawdownPoint| point.drawdown >= 0.0;
    let peak = series[..trough].iter().rposition(at_peak);
    let recovery = series[trough..]
        .iter()
        .find(|point| at_peak(point))
        .map(|point| point.time_ns);
    DrawdownEpisode {
        peak_ns: peak.map_or(nav.start_ns(), |index| series[index].time_ns),
        trough_ns: series[trough].time_ns,
        recovery_ns: recovery,
        end_ns: recovery.unwrap_or(nav.end_ns()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::series::{NANOS_PER_DAY, NavMark};

    fn nav(values: &[f64]) -> NavSeries {
        let marks = values
            .iter()
            .zip(1..)
            .map(|(&nav, day)| NavMark {
                time_ns: day * NANOS_PER_DAY,
                nav,
            })
            .collect();
        NavSeries::new(0, 100.0, marks).unwrap()
    }

    fn days(episode: DrawdownEpisode) -> (i64, i64, Option<i64>) {
        let day = |time_ns: i64| time_ns / NANOS_PER_DAY;
        (
            day(episode.peak_ns),
            day(episode.trough_ns),
            episode.recovery_ns.map(day),
        )
    }

    #[test]
    fn drawdown_table() {
        type Case<'a> = (&'a [f64], f64, Option<(i64, i64, Option<i64>)>);
        let cases: [Case<'_>; 7] = [
            (&[100.0, 110.0, 110.0], 0.0, None),
            (&[90.0, 95.0], -0.1, Some((0, 1, None))),
            (
                &[120.0, 120.0, 60.0, 90.0, 120.0, 119.0],
                -0.5,
                Some((2, 3, Some(5))),
            ),
            (&[200.0, 100.0, 200.0, 100.0], -0.5, Some((1, 2, Some(3)))),
            (&[200.0, 100.0, 100.0, 150.0], -0.5, Some((1, 2, None))),
            (&[50.0, 300.0, 240.0], -0.5, Some((0, 1, Some(2)))),
            (&[50.0, -20.0, 10.0], -1.2, Some((0, 2, None))),
        ];
        for (values, depth, episode) in cases {
            let found = max_drawdown(&nav(values));
            assert!((found.depth - depth).abs() < 1e-15, "{values:?}: {found:?}");
            assert_eq!(found.episode.map(days), episode, "{values:?}");
        }
    }

    #[test]
    fn duration_runs_to_the_recovery_or_the_last_mark() {
        let recovered = max_drawdown(&nav(&[120.0, 60.0, 90.0, 130.0, 140.0]))
            .episode
            .unwrap();
        assert_eq!(recovered.duration_days(), 3.0);
        let open = max_drawdown(&nav(&[120.0, 60.0, 90.0, 100.0, 110.0]))
            .episode
            .unwrap();
        assert_eq!(open.duration_days(), 4.0);
    }

    #[test]
    fn calmar_is_undefined_without_drawdown_growth_rate_or_capital() {
        let rising: Vec<f64> = (1..=100).map(|day| 100.0 + f64::from(day)).collect();
        assert_eq!(calmar(&nav(&rising)), MetricValue::undefined(Reason::NoDrawdown));
        assert_eq!(
            calmar(&nav(&[90.0, 120.0])),
            MetricValue::undefined(Reason::TooShort)
        );
        assert_eq!(calmar(&nav(&[90.0, 0.0])), MetricValue::undefined(Reason::Ruined));
        assert_eq!(
            calmar_36m(&nav(&rising)),
            MetricValue::undefined(Reason::TooShort)
        );
    }

    #[test]
    fn calmar_of_36_months_forgets_what_came_before() {
        let mut values = vec![100.0, 40.0];
        values.extend((0..1200).map(|day| 40.0 + f64::from(day % 100)));
        let long = nav(&values);
        let window = calmar_36m(&long).value().unwrap();
        assert_ne!(window, calmar(&long).value().unwrap());
        let tail_start = values.len() - 1096;
        let marks = (tail_start..values.len()).map(|i| NavMark {
            time_ns: i as i64 * NANOS_PER_DAY,
            nav: values[i],
        });
        let by_hand = NavSeries::new(
            (tail_start as i64 - 1) * NANOS_PER_DAY,
            values[tail_start - 1],
            marks.collect(),
        )
        .unwrap();
        assert!((window / calmar(&by_hand).value().unwrap() - 1.0).abs() < 1e-12);
    }
}
