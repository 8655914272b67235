//! The closed list of figures with their definitions in plain language, and the ids that figures carry.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::value::{MetricValue, Reason};

/// The unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A fraction of one: 0.12 is 12 %.
    Fraction,
    /// A fraction of one per year.
    FractionPerYear,
    /// A number without unit.
    Ratio,
    /// A probability from 0 to 1.
    Probability,
    /// A number of things.
    Count,
    /// Calendar days of 24 hours.
    Days,
    /// Units of the base currency.
    Currency,
    /// Hundredths of a percent.
    BasisPoints,
    /// Hundredths of a percent per year.
    BasisPointsPerYear,
}

impl Unit {
    /// The value as text in this unit with the digits that make sense for it, without interval.
    pub fn format(self, value: f64) -> String {
        match self {
            Self::Fraction | Self::FractionPerYear => format!("{:.2} %", value * 100.0),
            Self::Ratio => format!("{value:.2}"),
            Self::Probability => format!("{value:.3}"),
            Self::Count => format!("{value:.0}"),
            Self::Days => format!("{value:.1} d"),
            Self::Currency => format!("{value:.2}"),
            Self::BasisPoints | Self::BasisPointsPerYear => format!("{value:.1} bp"),
        }
    }
}

/// What a figure means, in plain language, and where its formula comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Definition {
    /// The figure.
    pub metric: MetricName,
    /// Its stable name in tables and files.
    #[serde(skip)]
    pub name: &'static str,
    /// The id without parameters: a word and a version, `sharpe@v1`.
    pub id: &'static str,
    /// The unit of the value.
    pub unit: Unit,
    /// The definition in plain language.
    pub text: &'static str,
    /// The source of the formula.
    pub source: &'static str,
}

/// The definitions of all figures, in report order.
pub const fn definitions() -> &'static [Definition] {
    TABLE
}

/// The definition a figure was computed by, with every parameter: `sharpe@v1{P=252,ddof=1,rf=const 0}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DefinitionId(String);

impl DefinitionId {
    /// The id of a figure without parameters.
    pub fn of(metric: MetricName) -> Self {
        Self(metric.definition().id.to_owned())
    }

    /// An id that is not one of the figures, for instance that of the interval method.
    pub(crate) fn custom(id: &str) -> Self {
        Self(id.to_owned())
    }

    /// The id with one more parameter. Characters that separate parameters are replaced by `_` in the value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl fmt::Display) -> Self {
        let value = value.to_string().replace([',', '{', '}', '='], "_");
        let separator = if self.0.ends_with('}') {
            self.0.pop();
            ','
        } else {
            '{'
        };
        self.0.push(separator);
        self.0.push_str(&format!("{key}={value}}}"));
        self
    }

    /// The part before the parameters: `sharpe@v1`.
    pub fn base(&self) -> &str {
        self.0.split('{').next().unwrap_or_default()
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DefinitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A named figure with the id of its definition.
///
/// Serialised flat: `{"name", "value", "lower95", "upper95", "reason", "definition"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Which figure.
    pub name: MetricName,
    /// The value, or why there is none.
    #[serde(flatten)]
    pub value: MetricValue,
    /// How it was computed.
    pub definition: DefinitionId,
}

impl Metric {
    /// The value in its unit for a table: `12.34 %`, `-100.00 % (ruined)`, `n/a (no_trades)`.
    pub fn text(&self) -> String {
        match (self.value.value(), self.value.reason()) {
            (Some(value), None) => self.name.unit().format(value),
            (Some(value), Some(caveat)) => format!("{} ({caveat})", self.name.unit().format(value)),
            (None, reason) => format!("n/a ({})", reason.map_or("", Reason::code)),
        }
    }
}

macro_rules! metric_table {
    ($($variant:ident, $name:literal, $id:literal, $unit:ident, $text:literal, $source:literal;)+) => {
        /// The closed list of figures. The serialised form is the stable name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum MetricName {
            $(#[doc = $text] #[serde(rename = $name)] $variant,)+
        }

        impl MetricName {
            /// All figures in report order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
        }

        const TABLE: &[Definition] = &[$(Definition {
            metric: MetricName::$variant,
            name: $name,
            id: $id,
            unit: Unit::$unit,
            text: $text,
            source: $source,
        },)+];
    };
}

impl MetricName {
    /// What the figure means.
    pub const fn definition(self) -> &'static Definition {
        &TABLE[self as usize]
    }

    /// The stable name.
    pub const fn code(self) -> &'static str {
        self.definition().name
    }

    /// The unit of the value.
    pub const fn unit(self) -> Unit {
        self.definition().unit
    }

    /// Whether [`crate::PerformanceReport`] contains it; the rest describe searches and signals, not one book.
    pub const fn is_in_report(self) -> bool {
        !matches!(
            self,
            Self::Pbo | Self::InformationCoefficient | Self::InformationCoefficientT
        )
    }
}

impl fmt::Display for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

metric_table! {
    TotalReturn, "total_return", "total_return@v1", Fraction,
        "Last net asset value over the initial capital, minus one, external cash flows removed by time-weighted linking.",
        "GIPS standards 2020, time-weighted return";
    Cagr, "cagr", "cagr@v1", FractionPerYear,
        "Compound annual growth rate: (end value / start value)^(365.25 / calendar days) - 1 from the first funding instant to the last mark; undefined below 90 days, -100 % once the value ends at zero or less.",
        "compound interest; 365.25-day year";
    Sharpe, "sharpe", "sharpe@v1", Ratio,
        "Mean excess return over its sample standard deviation (n - 1), times the square root of the periods per year. The interval is 1.96 standard errors sqrt((1 - skew SR + (kurtosis - 1)/4 SR^2)/(n - 1)). Below 20 observations it is shown but not ranked.",
        "Sharpe (1994); standard error: Mertens (2002), Bailey & Lopez de Prado (2012)";
    SharpeBootstrap, "sharpe_bootstrap", "sharpe_bootstrap@v1", Ratio,
        "The Sharpe ratio with a 95 % percentile interval of the stationary bootstrap, which keeps serial dependence.",
        "Politis & Romano (1994)";
    SharpeLoAdjusted, "sharpe_lo_adjusted", "sharpe_lo@v1", Ratio,
        "Sharpe ratio annualised with the autocorrelations of the excess returns: q / sqrt(q + 2 sum (q - k) rho_k) instead of sqrt(q), over the stated number of lags.",
        "Lo (2002), The Statistics of Sharpe Ratios, eq. 20";
    Sortino, "sortino", "sortino@v1", Ratio,
        "Mean return above the minimum acceptable return over the root mean square of the shortfalls (all observations count), times the square root of the periods per year.",
        "Sortino & van der Meer (1991)";
    Volatility, "volatility", "volatility@v1", FractionPerYear,
        "Sample standard deviation (n - 1) of the returns times the square root of the periods per year.",
        "standard";
    MaxDrawdown, "max_drawdown", "max_drawdown@v1", Fraction,
        "Deepest fall of the net asset value below its running maximum, the initial capital included, on the daily marks; zero or negative. Limits compare its absolute value.",
        "standard";
    MaxDrawdownIntraday, "max_drawdown_intraday", "max_drawdown@v1", Fraction,
        "The same on the intraday marks.",
        "standard";
    MaxDrawdownDuration, "max_drawdown_duration", "max_drawdown_duration@v1", Days,
        "Calendar days from the peak before the deepest drawdown to the first mark at or above that peak, or to the last mark when it was never recovered.",
        "standard";
    Calmar, "calmar", "calmar@v1", Ratio,
        "CAGR over the absolute maximum drawdown of the same window.",
        "Young (1991), here over the whole window";
    Calmar36m, "calmar_36m", "calmar_36m@v1", Ratio,
        "CAGR over the absolute maximum drawdown, both over the last 36 calendar months.",
        "Young (1991)";
    Bps, "bps", "bps@v1", Ratio,
        "0.4 Sharpe + 0.3 CAGR + 0.2 trade win rate - 0.1 |maximum drawdown|, the last three as fractions; undefined when a part is.",
        "the default objective of this platform";
    BpsLower95, "bps_v2", "bps@v2", Ratio,
        "As bps@v1 with the lower end of the 95 % interval of the Sharpe ratio in place of the Sharpe ratio.",
        "the default objective of this platform";
    Skewness, "skewness", "skewness@v1", Ratio,
        "Third standardised population moment of the excess returns.",
        "standard";
    Kurtosis, "kurtosis", "kurtosis@v1", Ratio,
        "Fourth standardised population moment of the excess returns, raw: 3 for a normal distribution.",
        "standard";
    DayWinRate, "day_win_rate", "day_win_rate@v1", Fraction,
        "Days with a positive return over days with a return other than zero, with the Wilson interval.",
        "standard; interval: Wilson (1927)";
    Var95, "var_95", "var@v1", Fraction,
        "Historical one-day value at risk at 95 %: the negated return at sorted position floor((n - 1) 5 %); a positive number is a loss.",
        "historical simulation, lower interpolation (Hyndman & Fan 1996)";
    Var99, "var_99", "var@v1", Fraction,
        "Historical one-day value at risk at 99 %; undefined below 100 observations.",
        "historical simulation, lower interpolation (Hyndman & Fan 1996)";
    Cvar95, "cvar_95", "cvar@v1", Fraction,
        "Negated mean of the returns up to and including the one of the 95 % value at risk.",
        "Rockafellar & Uryasev (2000), historical";
    Cvar99, "cvar_99", "cvar@v1", Fraction,
        "Negated mean of the returns up to and including the one of the 99 % value at risk; undefined below 100 observations.",
        "Rockafellar & Uryasev (2000), historical";
    Psr, "psr", "psr@v1", Probability,
        "Probability that the true Sharpe ratio exceeds the benchmark one, from population skewness and raw kurtosis.",
        "Bailey & Lopez de Prado (2012)";
    MinTrackRecordLength, "min_track_record_length", "min_trl@v1", Count,
        "Observations needed until the Sharpe ratio exceeds the benchmark one at 95 % confidence; undefined when it does not exceed it.",
        "Bailey & Lopez de Prado (2012)";
    Dsr, "dsr", "dsr@v1", Probability,
        "Probability that the true Sharpe ratio exceeds the highest one expected from as many independent trials without skill.",
        "Bailey & Lopez de Prado (2014)";
    Trades, "trades", "trades@v1", Count,
        "Closed round trips: first-in-first-out lots, net of costs, base currency; open positions are not counted.",
        "standard";
    WinningTrades, "winning_trades", "winning_trades@v1", Count,
        "Closed round trips that gained at least one minor unit.",
        "standard";
    LosingTrades, "losing_trades", "losing_trades@v1", Count,
        "Closed round trips that lost at least one minor unit.",
        "standard";
    BreakEvenTrades, "break_even_trades", "break_even_trades@v1", Count,
        "Closed round trips with a net result of less than one minor unit either way.",
        "standard";
    WinRate, "win_rate", "win_rate@v1", Fraction,
        "Winning over winning plus losing round trips, with the Wilson interval; break-even ones are left out.",
        "standard; interval: Wilson (1927)";
    ProfitFactor, "profit_factor", "profit_factor@v1", Ratio,
        "Net profit of the winning over the absolute net loss of the losing round trips.",
        "standard";
    Expectancy, "expectancy", "expectancy@v1", Currency,
        "Mean net result per closed round trip, break-even ones included; interval of 1.96 standard errors.",
        "standard";
    Payoff, "payoff", "payoff@v1", Ratio,
        "Average win over average loss.",
        "standard";
    BestTradeReturn, "best_trade_return", "best_trade_return@v1", Fraction,
        "Highest net return of a closed round trip on its entry notional.",
        "standard";
    WorstTradeReturn, "worst_trade_return", "worst_trade_return@v1", Fraction,
        "Lowest net return of a closed round trip on its entry notional.",
        "standard";
    MeanTradeReturn, "mean_trade_return", "mean_trade_return@v1", Fraction,
        "Arithmetic mean of the net returns of the closed round trips on their entry notional.",
        "standard";
    MeanHoldingPeriod, "mean_holding_period", "mean_holding_period@v1", Days,
        "Mean calendar days from entry to exit of the closed round trips.",
        "standard";
    Turnover, "turnover", "turnover@v1", FractionPerYear,
        "One-sided turnover: half the sum of absolute weight changes by trading (price drift and deposits excluded) of all rebalances, per year.",
        "standard";
    TradedNotionalRatio, "traded_notional_ratio", "traded_notional_ratio@v1", FractionPerYear,
        "Traded notional over average net asset value, per year.",
        "standard";
    GrossExposure, "gross_exposure", "gross_exposure@v1", Fraction,
        "Average over sessions of gross position value over net asset value.",
        "standard";
    NetExposure, "net_exposure", "net_exposure@v1", Fraction,
        "Average over sessions of net position value over net asset value.",
        "standard";
    TimeInMarket, "time_in_market", "time_in_market@v1", Fraction,
        "Share of sessions with any position.",
        "standard";
    CostTotal, "cost_total", "cost_total@v1", Currency,
        "All recorded costs over the run; flagged when a component was not recorded.",
        "standard";
    CostNav, "cost_nav", "cost_nav@v1", BasisPointsPerYear,
        "All recorded costs over average net asset value, per year.",
        "standard";
    CostNavCommission, "cost_nav_commission", "cost_nav@v1", BasisPointsPerYear,
        "Commissions and fees over average net asset value, per year.",
        "standard";
    CostNavSlippage, "cost_nav_slippage", "cost_nav@v1", BasisPointsPerYear,
        "Spread and slippage over average net asset value, per year.",
        "standard";
    CostNavImpact, "cost_nav_impact", "cost_nav@v1", BasisPointsPerYear,
        "Market impact over average net asset value, per year.",
        "standard";
    CostNavFunding, "cost_nav_funding", "cost_nav@v1", BasisPointsPerYear,
        "Funding and margin interest over average net asset value, per year.",
        "standard";
    CostNavBorrow, "cost_nav_borrow", "cost_nav@v1", BasisPointsPerYear,
        "Stock borrow cost over average net asset value, per year.",
        "standard";
    CostTraded, "cost_traded", "cost_traded@v1", BasisPoints,
        "All recorded costs over traded notional.",
        "standard";
    CostTradedCommission, "cost_traded_commission", "cost_traded@v1", BasisPoints,
        "Commissions and fees over traded notional.",
        "standard";
    CostTradedSlippage, "cost_traded_slippage", "cost_traded@v1", BasisPoints,
        "Spread and slippage over traded notional.",
        "standard";
    CostTradedImpact, "cost_traded_impact", "cost_traded@v1", BasisPoints,
        "Market impact over traded notional.",
        "standard";
    CostTradedFunding, "cost_traded_funding", "cost_traded@v1", BasisPoints,
        "Funding and margin interest over traded notional.",
        "standard";
    CostTradedBorrow, "cost_traded_borrow", "cost_traded@v1", BasisPoints,
        "Stock borrow cost over traded notional.",
        "standard";
    InformationRatio, "information_ratio", "information_ratio@v1", Ratio,
        "Mean of the return minus the benchmark's over the sample standard deviation of the difference, times the square root of the periods per year.",
        "Grinold & Kahn (1999)";
    TrackingError, "tracking_error", "tracking_error@v1", FractionPerYear,
        "Sample standard deviation of the return minus the benchmark's, times the square root of the periods per year.",
        "standard";
    Beta, "beta", "beta@v1", Ratio,
        "Slope of the least-squares line of excess returns on the benchmark's excess returns; ordinary standard error.",
        "Sharpe (1964)";
    Alpha, "alpha", "alpha@v1", FractionPerYear,
        "Intercept of that line times the periods per year; ordinary standard error.",
        "Jensen (1968)";
    Pbo, "pbo", "pbo@v1", Probability,
        "Probability of backtest overfitting: share of the symmetric splits in which the trial that is best in one half ranks at or below the median of the other half (lambda <= 0).",
        "Bailey, Borwein, Lopez de Prado & Zhu (2017)";
    InformationCoefficient, "information_coefficient", "information_coefficient@v1", Ratio,
        "Mean over dates of the Spearman rank correlation of scores and later returns, average ranks for ties.",
        "Grinold & Kahn (1999)";
    InformationCoefficientT, "information_coefficient_t", "information_coefficient_t@v1", Ratio,
        "Mean rank correlation over its Newey-West standard error with as many lags as the horizon.",
        "Newey & West (1987)";
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ids_carry_their_parameters() {
        let id = DefinitionId::of(MetricName::Sharpe)
            .with("P", 252.0)
            .with("ddof", 1)
            .with("rf", "const 0");
        assert_eq!(id.as_str(), "sharpe@v1{P=252,ddof=1,rf=const 0}");
        assert_eq!(id.base(), "sharpe@v1");
        let hostile = DefinitionId::of(MetricName::Beta).with("benchmark", "A,B={x}");
        assert_eq!(hostile.as_str(), "beta@v1{benchmark=A_B__x_}");
    }

    #[test]
    fn the_table_is_indexed_by_the_enum_and_its_names_are_unique() {
        for (definition, &name) in definitions().iter().zip(MetricName::ALL) {
            assert_eq!(definition.metric, name);
            assert_eq!(name.definition(), definition);
            assert_eq!(
                serde_json::to_string(&name).unwrap(),
                format!("\"{}\"", name.code())
            );
            assert!(definition.id.contains("@v") && definition.text.ends_with('.'));
        }
        let mut names: Vec<_> = definitions().iter().map(|definition| definition.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), MetricName::ALL.len());
    }

    #[test]
    fn text_shows_value_caveat_or_reason() {
        let metric = |value| Metric {
            name: MetricName::Cagr,
            value,
            definition: DefinitionId::of(MetricName::Cagr),
        };
        assert_eq!(metric(MetricValue::defined(0.12345)).text(), "12.35 %");
        assert_eq!(
            metric(MetricValue::defined(-1.0).with_caveat(Reason::Ruined)).text(),
            "-100.00 % (ruined)"
        );
        assert_eq!(
            metric(MetricValue::undefined(Reason::TooShort)).text(),
            "n/a (too_short)"
        );
    }

    #[test]
    fn a_metric_is_flat_in_json() {
        let metric = Metric {
            name: MetricName::Sharpe,
            value: MetricValue::defined(1.25),
            definition: DefinitionId::of(MetricName::Sharpe).with("P", 365),
        };
        let text = serde_json::to_string(&metric).unwrap();
        assert_eq!(
            text,
            r#"{"name":"sharpe","value":1.25,"lower95":null,"upper95":null,"reason":null,"definition":"sharpe@v1{P=365}"}"#
        );
        assert_eq!(serde_json::from_str::<Metric>(&text).unwrap(), metric);
    }
}
