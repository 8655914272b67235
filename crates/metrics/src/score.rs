//! The composite score BPS.

use crate::value::{Interval95, MetricValue, Reason};

/// 0.4·Sharpe + 0.3·CAGR + 0.2·win rate − 0.1·|max drawdown|, the last three as fractions (0.12, not 12).
///
/// The win rate is that of closed trades. Undefined with the first reason among its parts in this order; a caveat of a
/// part (a Sharpe ratio of few days) carries over. The Sharpe ratio is most of the score, drawdown hardly matters, and
/// the win rate rewards selling insurance: read it beside the deflated Sharpe ratio.
pub fn bps_v1(
    sharpe: MetricValue,
    cagr: MetricValue,
    win_rate: MetricValue,
    max_drawdown: MetricValue,
) -> MetricValue {
    let score = || {
        let (sharpe, cagr) = (sharpe.known()?, cagr.known()?);
        Ok(0.4 * sharpe + 0.3 * cagr + 0.2 * win_rate.known()? - 0.1 * max_drawdown.known()?.abs())
    };
    let parts = [sharpe, cagr, win_rate, max_drawdown];
    parts
        .into_iter()
        .fold(score().into(), MetricValue::inheriting_caveat)
}

/// [`bps_v1`] with the lower end of the 95 % interval of the Sharpe ratio; `too_short` when there is no interval.
pub fn bps_v2(
    sharpe: MetricValue,
    cagr: MetricValue,
    win_rate: MetricValue,
    max_drawdown: MetricValue,
) -> MetricValue {
    let lower = sharpe
        .known()
        .and_then(|_| sharpe.interval().map(Interval95::lower).ok_or(Reason::TooShort));
    let lower = MetricValue::from(lower).inheriting_caveat(sharpe);
    bps_v1(lower, cagr, win_rate, max_drawdown)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn documented_examples() {
        for (wanted, sharpe) in [(0.8, 1.67), (1.0, 2.17), (1.2, 2.67)] {
            let parts = [0.12, 0.55, -0.15].map(MetricValue::defined);
            let score = bps_v1(MetricValue::defined(sharpe), parts[0], parts[1], parts[2])
                .value()
                .unwrap();
            assert!((score - wanted).abs() < 0.002, "{score}");
        }
    }

    #[test]
    fn undefined_parts_make_it_undefined_and_caveats_carry_over() {
        let one = MetricValue::defined(1.0);
        let none = MetricValue::undefined(Reason::NoTrades);
        assert_eq!(bps_v1(one, one, none, one), none);
        assert_eq!(
            bps_v1(MetricValue::undefined(Reason::NoVariance), one, none, one).reason(),
            Some(Reason::NoVariance)
        );
        let short = bps_v1(one.with_caveat(Reason::TooShort), one, one, one);
        assert!(short.value().is_some() && short.rank_value().is_none());
    }

    #[test]
    fn version_two_takes_the_lower_end() {
        let parts = [0.12, 0.55, -0.15].map(MetricValue::defined);
        let sharpe = MetricValue::defined(2.0).with_margin(0.5);
        let difference = bps_v1(sharpe, parts[0], parts[1], parts[2]).value().unwrap()
            - bps_v2(sharpe, parts[0], parts[1], parts[2]).value().unwrap();
        assert!((difference - 0.2).abs() < 1e-14);
        let bare = bps_v2(MetricValue::defined(2.0), parts[0], parts[1], parts[2]);
        assert_eq!(bare, MetricValue::undefined(Reason::TooShort));
    }
}
