//! What is made pessimistic in a repetition.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use sextant_backtest::{
    BacktestConfig, BorrowModel, BorrowRate, BorrowRates, FundingModel, FundingRate, MissingFunding, Scaled,
};
use sextant_domain::{AssetClass, InstrumentTable};
use sextant_risk::GroupCap;

use crate::config::{ConventionConfig, IntrabarConfig, ResolvedConfig};

/// Special stocks cost 4.3 % a year on average, others less than 1 % (D'Avolio, The Market for Borrowing Stock, Journal of
/// Financial Economics 66, 2002); a twentieth is on the safe side of both.
const BORROW_ANNUAL: Decimal = Decimal::from_parts(5, 0, 0, false, 2);
pub(super) const BORROW_WORDS: &str =
    "short positions pay twice the stated borrow rate, and 5 % a year where none is stated";
/// The interest component of the funding of perpetual futures: 0.01 % every eight hours, 11 % a year, whether the position is
/// long or short.
const FUNDING_RATE: Decimal = Decimal::from_parts(1, 0, 0, false, 4);
const FUNDING_INTERVAL_NANOS: i64 = 8 * 3_600 * 1_000_000_000;
pub(super) const FUNDING_WORDS: &str = "crypto positions pay 0.01 % every eight hours, the base rate of perpetual futures, and twice any stated rate, where that is worse";
/// The group under which the risk limits know the instrument that cannot be bought.
const LEFT_OUT: &str = "left_out_by_the_assumption_bill";

/// What a repetition has otherwise than the run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    later: bool,
    intrabar: Option<IntrabarConfig>,
    commission: f64,
    slippage: f64,
    funding: bool,
    borrow: bool,
    without: Option<String>,
    /// Which bars are missing, where some are.
    pub(super) thinned: Option<u64>,
    /// Whether the Sharpe ratio is annualised with the serial correlation.
    pub(super) serial: bool,
}

impl Change {
    pub(super) const NONE: Self = Self {
        later: false,
        intrabar: None,
        commission: 1.0,
        slippage: 1.0,
        funding: false,
        borrow: false,
        without: None,
        thinned: None,
        serial: false,
    };
    pub(super) const LATER: Self = Self {
        later: true,
        ..Self::NONE
    };
    pub(super) const COMMISSION: Self = Self {
        commission: 2.0,
        ..Self::NONE
    };
    pub(super) const SLIPPAGE: Self = Self {
        slippage: 2.0,
        ..Self::NONE
    };
    pub(super) const FUNDING: Self = Self {
        funding: true,
        ..Self::NONE
    };
    pub(super) const BORROW: Self = Self {
        borrow: true,
        ..Self::NONE
    };
    pub(super) const SERIAL: Self = Self {
        serial: true,
        ..Self::NONE
    };

    pub(super) fn intrabar(rule: IntrabarConfig) -> Self {
        Self {
            intrabar: Some(rule),
            ..Self::NONE
        }
    }

    pub(super) fn without(symbol: &str) -> Self {
        Self {
            without: Some(symbol.to_owned()),
            ..Self::NONE
        }
    }

    pub(super) fn thinned(draw: u64) -> Self {
        Self {
            thinned: Some(draw),
            ..Self::NONE
        }
    }

    pub(super) fn costs(multiple: f64) -> Self {
        Self {
            commission: multiple,
            slippage: multiple,
            ..Self::NONE
        }
    }

    /// Everything that can be changed at once on the same bars.
    pub(super) fn everything(without: Self, funding: bool) -> Self {
        Self {
            later: true,
            intrabar: Some(IntrabarConfig::Pessimistic),
            commission: 2.0,
            slippage: 2.0,
            funding,
            borrow: true,
            thinned: None,
            serial: true,
            ..without
        }
    }

    /// The configuration of the repetition.
    pub(super) fn config(&self, run: &ResolvedConfig) -> ResolvedConfig {
        let mut config = run.clone();
        let fills = &mut config.system.fills;
        if self.later {
            fills.latency_bars = fills.latency_bars.saturating_add(1);
            if fills.convention == ConventionConfig::SameClose {
                fills.convention = ConventionConfig::NextOpen;
            }
        }
        fills.intrabar = self.intrabar.unwrap_or(fills.intrabar);
        if let Some(symbol) = &self.without {
            let nothing = GroupCap {
                cap: 0.0,
                symbols: vec![symbol.clone()],
            };
            config.risk.group_caps.insert(LEFT_OUT.to_owned(), nothing);
        }
        config
    }

    /// The venue and the account of the repetition.
    ///
    /// # Errors
    /// When a multiple of the costs is out of range.
    pub(super) fn apply(
        &self,
        mut run: BacktestConfig,
        instruments: &InstrumentTable,
    ) -> anyhow::Result<BacktestConfig> {
        let decimal = |multiple: f64| Decimal::from_f64(multiple).unwrap_or(Decimal::MAX);
        if self.commission != 1.0 {
            run.venue.fees = Box::new(Scaled::new(run.venue.fees, decimal(self.commission))?);
        }
        if self.slippage != 1.0 {
            run.venue.slippage = Box::new(Scaled::new(run.venue.slippage, decimal(self.slippage))?);
        }
        if self.borrow {
            run.account.borrow = dearer_borrow(run.account.borrow);
        }
        if self.funding {
            run.account.funding = dearer_funding(run.account.funding, instruments);
        }
        Ok(run)
    }
}

fn dearer_borrow(borrow: BorrowModel) -> BorrowModel {
    let (rates, annual) = match borrow {
        BorrowModel::None => (BorrowRates::default(), BORROW_ANNUAL),
        BorrowModel::Required(rates) => (rates, BORROW_ANNUAL),
        BorrowModel::Pessimistic { rates, annual } => (rates, (annual * Decimal::TWO).max(BORROW_ANNUAL)),
    };
    let doubled = |rate: BorrowRate| match rate {
        BorrowRate::Annual(rate) => BorrowRate::Annual(rate * Decimal::TWO),
        BorrowRate::NotLent => BorrowRate::NotLent,
    };
    BorrowModel::Pessimistic {
        rates: BorrowRates {
            by_symbol: rates
                .by_symbol
                .into_iter()
                .map(|(symbol, rate)| (symbol, doubled(rate)))
                .collect(),
            by_class: rates
                .by_class
                .into_iter()
                .map(|(class, rate)| (class, doubled(rate)))
                .collect(),
        },
        annual,
    }
}

/// Stated rates twice; else every crypto position, long or short, pays the base rate: that of a missing rate is charged to
/// either side.
fn dearer_funding(funding: FundingModel, instruments: &InstrumentTable) -> FundingModel {
    if let FundingModel::Rates {
        mut by_symbol,
        interval_nanos,
        missing,
    } = funding
    {
        let rates = by_symbol.values_mut().flatten();
        rates.for_each(|one| one.rate *= Decimal::TWO);
        let missing = match missing {
            MissingFunding::Stop => MissingFunding::Stop,
            MissingFunding::Pessimistic(rate) => MissingFunding::Pessimistic(rate * Decimal::TWO),
        };
        return FundingModel::Rates {
            by_symbol,
            interval_nanos,
            missing,
        };
    }
    let crypto = instruments
        .iter()
        .filter(|(_, instrument)| instrument.class == AssetClass::Crypto);
    let by_symbol: BTreeMap<String, Vec<FundingRate>> = crypto
        .map(|(_, instrument)| (instrument.symbol.clone(), Vec::new()))
        .collect();
    FundingModel::Rates {
        by_symbol,
        interval_nanos: FUNDING_INTERVAL_NANOS,
        missing: MissingFunding::Pessimistic(FUNDING_RATE),
    }
}
