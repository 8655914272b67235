//! Statistics of closed trades, and the share of winning days.

use crate::error::{MetricsError, require_all_finite, require_positive};
use crate::numeric::{Dispersion, Z_975, mean, pairwise_sum};
use crate::series::Returns;
use crate::value::{Interval95, MetricValue, Reason};

/// Counts and sums of the net results of closed trades.
///
/// A trade whose result is smaller than one minor unit of the currency either way broke even: it is counted on its own,
/// belongs to the expectancy, and is neither a win nor a loss.
#[derive(Debug, Clone, PartialEq)]
pub struct TradeStatistics {
    net_pnl: Vec<f64>,
    wins: usize,
    losses: usize,
    gross_profit: f64,
    gross_loss: f64,
}

impl TradeStatistics {
    /// Statistics of net results in base currency; `minor_unit` is 0.01 for most currencies.
    ///
    /// # Errors
    /// A result that is not finite, a minor unit that is not above zero.
    pub fn new(net_pnl: &[f64], minor_unit: f64) -> Result<Self, MetricsError> {
        require_all_finite("net result of a trade", net_pnl)?;
        require_positive("minor unit of the currency", minor_unit)?;
        let winning: Vec<f64> = net_pnl.iter().copied().filter(|&pnl| pnl >= minor_unit).collect();
        let losing: Vec<f64> = net_pnl
            .iter()
            .copied()
            .filter(|&pnl| pnl <= -minor_unit)
            .collect();
        Ok(Self {
            net_pnl: net_pnl.to_vec(),
            wins: winning.len(),
            losses: losing.len(),
            gross_profit: pairwise_sum(&winning),
            gross_loss: pairwise_sum(&losing).abs(),
        })
    }

    /// Number of closed trades.
    pub fn count(&self) -> usize {
        self.net_pnl.len()
    }

    /// Number of trades that gained at least one minor unit.
    pub const fn wins(&self) -> usize {
        self.wins
    }

    /// Number of trades that lost at least one minor unit.
    pub const fn losses(&self) -> usize {
        self.losses
    }

    /// Number of trades that did neither.
    pub fn break_even(&self) -> usize {
        self.count() - self.wins - self.losses
    }

    /// Wins over wins plus losses with the Wilson interval. Undefined `no_trades`, `no_decided_trades`.
    pub fn win_rate(&self) -> MetricValue {
        self.any().map_or_else(MetricValue::undefined, |()| {
            proportion(self.wins, self.wins + self.losses, Reason::NoDecidedTrades)
        })
    }

    /// Net profit of the wins over net loss of the losses. Undefined `no_trades`, `no_losses`.
    pub fn profit_factor(&self) -> MetricValue {
        self.any_loss()
            .map(|()| self.gross_profit / self.gross_loss)
            .into()
    }

    /// Mean net result in base currency over all closed trades, with ±1.96 standard errors from two trades on. Undefined
    /// `no_trades`.
    pub fn expectancy(&self) -> MetricValue {
        let value = MetricValue::from(mean(&self.net_pnl).ok_or(Reason::NoTrades));
        match Dispersion::with_sd(&self.net_pnl) {
            Ok((_, sd)) => value.with_margin(Z_975 * sd / (self.count() as f64).sqrt()),
            Err(_) => value,
        }
    }

    /// Average win over average loss. Undefined `no_trades`, `no_losses`, `no_wins`.
    pub fn payoff(&self) -> MetricValue {
        let payoff = || {
            self.any_loss()?;
            if self.wins == 0 {
                return Err(Reason::NoWins);
            }
            Ok((self.gross_profit / self.wins as f64) / (self.gross_loss / self.losses as f64))
        };
        payoff().into()
    }

    fn any(&self) -> Result<(), Reason> {
        if self.net_pnl.is_empty() {
            Err(Reason::NoTrades)
        } else {
            Ok(())
        }
    }

    fn any_loss(&self) -> Result<(), Reason> {
        self.any()?;
        if self.losses == 0 {
            Err(Reason::NoLosses)
        } else {
            Ok(())
        }
    }
}

/// Days with a positive return over days with a return other than zero, with the Wilson interval. Undefined
/// `no_active_days`.
pub fn day_win_rate(returns: &Returns) -> MetricValue {
    let count =
        |condition: fn(&f64) -> bool| returns.as_slice().iter().filter(|value| condition(value)).count();
    proportion(
        count(|&value| value > 0.0),
        count(|&value| value != 0.0),
        Reason::NoActiveDays,
    )
}

/// A proportion with its Wilson (1927) score interval, undefined for `empty` when there is nothing to count.
fn proportion(successes: usize, total: usize, empty: Reason) -> MetricValue {
    if total == 0 {
        return MetricValue::undefined(empty);
    }
    let n = total as f64;
    let share = successes as f64 / n;
    let z_squared = Z_975 * Z_975;
    let centre = (share + z_squared / (2.0 * n)) / (1.0 + z_squared / n);
    let spread = (share * (1.0 - share) / n + z_squared / (4.0 * n * n)).sqrt();
    let margin = Z_975 * spread / (1.0 + z_squared / n);
    // At 0 and 1 the interval touches the share; rounding must not push it past.
    let interval = Interval95::new(
        (centre - margin).clamp(0.0, share),
        (centre + margin).clamp(share, 1.0),
    );
    MetricValue::defined(share).with_interval(interval)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn statistics(net_pnl: &[f64]) -> TradeStatistics {
        TradeStatistics::new(net_pnl, 0.01).unwrap()
    }

    #[test]
    fn break_even_is_below_one_minor_unit() {
        let found = statistics(&[0.01, -0.01, 0.0099, -0.0099, 0.0]);
        assert_eq!((found.wins(), found.losses(), found.break_even()), (1, 1, 3));
        assert_eq!(found.win_rate().value(), Some(0.5));
    }

    #[test]
    fn undefined_figures_say_why() {
        type Case<'a> = (&'a [f64], [Option<Reason>; 4]);
        let all = |reason| [Some(reason); 4];
        let cases: [Case<'_>; 4] = [
            (&[], all(Reason::NoTrades)),
            (
                &[0.0, 0.001],
                [
                    Some(Reason::NoDecidedTrades),
                    Some(Reason::NoLosses),
                    None,
                    Some(Reason::NoLosses),
                ],
            ),
            (
                &[5.0, 6.0],
                [None, Some(Reason::NoLosses), None, Some(Reason::NoLosses)],
            ),
            (&[-5.0], [None, None, None, Some(Reason::NoWins)]),
        ];
        for (net_pnl, wanted) in cases {
            let found = statistics(net_pnl);
            let figures = [
                found.win_rate(),
                found.profit_factor(),
                found.expectancy(),
                found.payoff(),
            ];
            assert_eq!(figures.map(MetricValue::reason), wanted, "{net_pnl:?}");
        }
        assert_eq!(statistics(&[-5.0]).profit_factor().value(), Some(0.0));
    }

    #[test]
    fn bad_input_is_refused() {
        assert!(TradeStatistics::new(&[1.0, f64::NAN], 0.01).is_err());
        assert!(TradeStatistics::new(&[1.0], 0.0).is_err());
    }

    #[test]
    fn wilson_interval_of_a_textbook_case() {
        // 81 of 263 (Newcombe 1998, Two-sided confidence intervals for the single proportion, table I, method 3).
        let interval = proportion(81, 263, Reason::NoTrades).interval().unwrap();
        assert!(
            (interval.lower() - 0.2553).abs() < 5e-5 && (interval.upper() - 0.3662).abs() < 5e-5,
            "{interval:?}"
        );
        let none = proportion(0, 20, Reason::NoTrades).interval().unwrap();
        assert!(
            none.lower() == 0.0 && (none.upper() - 0.1611).abs() < 5e-5,
            "{none:?}"
        );
    }

    #[test]
    fn days_without_return_do_not_count() {
        let flat = Returns::new(vec![0.0; 5]).unwrap();
        assert_eq!(day_win_rate(&flat), MetricValue::undefined(Reason::NoActiveDays));
        assert_eq!(
            day_win_rate(&Returns::default()).reason(),
            Some(Reason::NoActiveDays)
        );
    }
}
