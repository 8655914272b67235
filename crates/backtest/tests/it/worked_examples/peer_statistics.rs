//! Figures as backtesting.py defines them, where its definitions differ from those of `sextant-metrics`.
//!
//! They are computed from the equity at each close and from the closed trades of a run.

/// Days of trading a year.
const SESSIONS_PER_YEAR: f64 = 252.0;

/// Equity at each close, and changes from close to close.
pub(crate) struct EquityCurve {
    equity: Vec<f64>,
    /// Days since the first close.
    days: Vec<i64>,
}

impl EquityCurve {
    /// One equity and one day per close, in order.
    pub(crate) fn new(equity: Vec<f64>, days: Vec<i64>) -> Self {
        assert_eq!(equity.len(), days.len());
        Self { equity, days }
    }

    fn growth(&self) -> f64 {
        self.equity[self.equity.len() - 1] / self.equity[0]
    }

    fn returns(&self) -> Vec<f64> {
        self.equity
            .windows(2)
            .map(|pair| pair[1] / pair[0] - 1.0)
            .collect()
    }

    /// The highest equity at a close.
    pub(crate) fn peak(&self) -> f64 {
        self.equity.iter().copied().fold(f64::MIN, f64::max)
    }

    /// Growth less one.
    pub(crate) fn total_return(&self) -> f64 {
        self.growth() - 1.0
    }

    /// The geometric mean of daily growth, over 252 days, less one.
    pub(crate) fn annual_return(&self) -> f64 {
        self.growth()
            .powf(SESSIONS_PER_YEAR / (self.equity.len() - 1) as f64)
            - 1.0
    }

    /// The standard deviation over 252 days of a product of independent returns with the mean and variance of a day.
    pub(crate) fn annual_volatility(&self) -> f64 {
        let returns = self.returns();
        let count = returns.len() as f64;
        let mean = returns.iter().sum::<f64>() / count;
        let variance = returns.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let square = self.growth().powf(2.0 / count);
        ((variance + square).powf(SESSIONS_PER_YEAR) - square.powf(SESSIONS_PER_YEAR)).sqrt()
    }

    /// Growth by the calendar, in years of 365.25 days, less one.
    pub(crate) fn cagr(&self) -> f64 {
        let years = self.days[self.days.len() - 1] as f64 / 365.25;
        self.growth().powf(1.0 / years) - 1.0
    }

    /// The annual return over the annual volatility.
    pub(crate) fn sharpe(&self) -> f64 {
        self.annual_return() / self.annual_volatility()
    }

    /// The annual return over the root mean square of the losses of a day, times the root of 252.
    pub(crate) fn sortino(&self) -> f64 {
        let returns = self.returns();
        let squares: f64 = returns.iter().map(|value| value.min(0.0).powi(2)).sum();
        self.annual_return() / ((squares / returns.len() as f64).sqrt() * SESSIONS_PER_YEAR.sqrt())
    }

    /// The annual return over the largest drawdown.
    pub(crate) fn calmar(&self) -> f64 {
        self.annual_return() / -self.max_drawdown()
    }

    /// The drawdown of each close from the highest close so far, negative or zero.
    fn drawdowns(&self) -> Vec<f64> {
        let mut highest = f64::MIN;
        let falls = self.equity.iter().map(|value| {
            highest = highest.max(*value);
            value / highest - 1.0
        });
        falls.collect()
    }

    /// The largest drawdown, negative.
    pub(crate) fn max_drawdown(&self) -> f64 {
        self.drawdowns().into_iter().fold(0.0, f64::min)
    }

    /// From one close at a high to the next one with others between, or to the end: its days, and its depth (negative).
    fn drawdown_spells(&self) -> Vec<(i64, f64)> {
        let drawdowns = self.drawdowns();
        let last = drawdowns.len() - 1;
        let mut highs: Vec<usize> = (0..=last).filter(|place| drawdowns[*place] == 0.0).collect();
        if highs.last() != Some(&last) {
            highs.push(last);
        }
        let spells = highs.windows(2).filter(|pair| pair[1] > pair[0] + 1).map(|pair| {
            let depth = drawdowns[pair[0]..=pair[1]].iter().copied().fold(0.0, f64::min);
            (self.days[pair[1]] - self.days[pair[0]], depth)
        });
        spells.collect()
    }

    /// The mean depth of the spells below a high.
    pub(crate) fn mean_drawdown(&self) -> f64 {
        let spells = self.drawdown_spells();
        spells.iter().map(|(_, depth)| depth).sum::<f64>() / spells.len() as f64
    }

    /// Days of the longest spell below a high, and of the mean one, rounded up.
    pub(crate) fn drawdown_days(&self) -> [i64; 2] {
        let spells = self.drawdown_spells();
        let longest = spells.iter().map(|(days, _)| *days).max().unwrap();
        let mean = spells.iter().map(|(days, _)| *days as f64).sum::<f64>() / spells.len() as f64;
        [longest, mean.ceil() as i64]
    }

    /// The slope of the curve's daily log growth on that of a price, by least squares.
    pub(crate) fn beta(&self, prices: &[f64]) -> f64 {
        let log_growth =
            |values: &[f64]| -> Vec<f64> { values.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect() };
        let (own, market) = (log_growth(&self.equity), log_growth(prices));
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (own_mean, market_mean) = (mean(&own), mean(&market));
        let both = own
            .iter()
            .zip(&market)
            .map(|(x, y)| (x - own_mean) * (y - market_mean));
        let alone = market.iter().map(|y| (y - market_mean).powi(2));
        both.sum::<f64>() / alone.sum::<f64>()
    }
}

/// Closed trades: what each earned, in money and as a fraction of the value of its entry.
pub(crate) struct TradeList {
    money: Vec<f64>,
    returns: Vec<f64>,
}

impl TradeList {
    /// One number of each kind per trade.
    pub(crate) fn new(money: Vec<f64>, returns: Vec<f64>) -> Self {
        assert_eq!(money.len(), returns.len());
        Self { money, returns }
    }

    fn count(&self) -> f64 {
        self.money.len() as f64
    }

    /// Trades that earned, of all.
    pub(crate) fn win_rate(&self) -> f64 {
        self.money.iter().filter(|value| **value > 0.0).count() as f64 / self.count()
    }

    /// The best return and the worst.
    pub(crate) fn best_and_worst(&self) -> [f64; 2] {
        let returns = || self.returns.iter().copied();
        [
            returns().fold(f64::MIN, f64::max),
            returns().fold(f64::MAX, f64::min),
        ]
    }

    /// The geometric mean of the returns.
    pub(crate) fn mean_growth(&self) -> f64 {
        let growth: f64 = self.returns.iter().map(|value| value.ln_1p()).sum();
        (growth / self.count()).exp_m1()
    }

    /// The arithmetic mean of the returns.
    pub(crate) fn expectancy(&self) -> f64 {
        self.returns.iter().sum::<f64>() / self.count()
    }

    /// Returns that were gains over returns that were losses, not money.
    pub(crate) fn profit_factor(&self) -> f64 {
        let sum = |is_wanted: fn(&f64) -> bool| self.returns.iter().copied().filter(is_wanted).sum::<f64>();
        sum(|value| *value > 0.0) / -sum(|value| *value < 0.0)
    }

    /// The system quality number: the root of the count times mean over deviation (divisor n - 1) of the money.
    pub(crate) fn system_quality(&self) -> f64 {
        let mean = self.money.iter().sum::<f64>() / self.count();
        let squares: f64 = self.money.iter().map(|value| (value - mean).powi(2)).sum();
        self.count().sqrt() * mean / (squares / (self.count() - 1.0)).sqrt()
    }

    /// Kelly's fraction: `w - (1 - w) / payoff` with the payoff in money.
    pub(crate) fn kelly(&self) -> f64 {
        let mean = |is_wanted: fn(&f64) -> bool| {
            let wanted: Vec<f64> = self.money.iter().copied().filter(is_wanted).collect();
            wanted.iter().sum::<f64>() / wanted.len() as f64
        };
        let payoff = mean(|value| *value > 0.0) / -mean(|value| *value < 0.0);
        self.win_rate() - (1.0 - self.win_rate()) / payoff
    }
}
