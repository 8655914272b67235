//! The assumptions of a simulated venue.

use rust_decimal::Decimal;
use sextant_domain::{BarsView, Instrument};

use super::intrabar::IntrabarRule;
use super::sessions::SessionEnds;
use crate::costs::{FeeModel, SlippageModel};

/// At which price a market order trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FillConvention {
    /// At the open of the first execution bar that begins at or after the decision. Assumes that the open is tradable
    /// for the whole quantity.
    NextOpen,
    /// At the close on which it was decided (the first execution bar that closes at or after the decision). Assumes that
    /// one can decide on a close and still trade at it: optimistic, and named so in reports.
    SameClose,
    /// At the close of the first execution bar that begins at or after the decision.
    NextClose,
    /// At the mean of high, low and close of that bar: what an order spread over the bar pays about, where the
    /// volume-weighted price is not known. Assumes that volume does not favour one side of the range.
    NextTypical,
}

/// The moment within a bar at which a market order trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Open,
    Close,
}

impl FillConvention {
    /// Every convention.
    pub const ALL: [Self; 4] = [
        Self::NextOpen,
        Self::SameClose,
        Self::NextClose,
        Self::NextTypical,
    ];

    /// `next_open`, `same_close`, `next_close` or `next_typical`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NextOpen => "next_open",
            Self::SameClose => "same_close",
            Self::NextClose => "next_close",
            Self::NextTypical => "next_typical",
        }
    }

    /// Whether an order trades in the bar that has just closed instead of the next one.
    pub(crate) const fn takes_the_bar_seen(self) -> bool {
        matches!(self, Self::SameClose)
    }

    pub(crate) const fn moment(self) -> Moment {
        match self {
            Self::NextOpen => Moment::Open,
            Self::SameClose | Self::NextClose | Self::NextTypical => Moment::Close,
        }
    }

    pub(crate) fn price(self, bars: BarsView<'_>, index: usize) -> f64 {
        match self {
            Self::NextOpen => bars.open[index],
            Self::SameClose | Self::NextClose => bars.close[index],
            Self::NextTypical => (bars.high[index] + bars.low[index] + bars.close[index]) / 3.0,
        }
    }
}

/// When the exits of an entry that fills inside a bar become live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitActivation {
    /// At once: the rest of the bar can reach them, as far as the intrabar rule says.
    AtOnce,
    /// With the next bar, as in backtesting.py.
    NextBar,
}

/// How the venue works. There is no `Default`: each of these decides the result.
pub struct VenueConfig {
    /// At which price market orders trade.
    pub fills: FillConvention,
    /// What happens inside bars.
    pub intrabar: IntrabarRule,
    /// When exits become live whose entry fills inside a bar.
    pub exits: ExitActivation,
    /// Commission.
    pub fees: Box<dyn FeeModel>,
    /// What market orders and stops pay beside the market's price.
    pub slippage: Box<dyn SlippageModel>,
    /// The largest part of a bar's volume that all orders of an instrument together may trade; `None` trades any quantity
    /// that the slippage model's own [limit](SlippageModel::volume_limit) allows. What does not fit waits for the next bar.
    pub participation: Option<Decimal>,
    /// By how many bars each order reaches the market later than it could.
    pub latency_bars: usize,
    /// Where trading days end.
    pub sessions: SessionEnds,
}

impl VenueConfig {
    /// Market orders at a convention's price with costs in proportion to what is traded; any quantity trades, orders arrive
    /// at once, and inside bars the pessimistic rule holds.
    pub fn simple<C>(fills: FillConvention, costs: C) -> Self
    where
        C: FeeModel + SlippageModel + Clone + 'static,
    {
        Self {
            fills,
            intrabar: IntrabarRule::Pessimistic,
            exits: ExitActivation::AtOnce,
            fees: Box::new(costs.clone()),
            slippage: Box::new(costs),
            participation: None,
            latency_bars: 0,
            sessions: SessionEnds::default(),
        }
    }

    /// The smaller of the venue's limit and that of the slippage model.
    pub(super) fn participation_in(&self, instrument: &Instrument) -> Option<Decimal> {
        let of_model = self.slippage.volume_limit(instrument);
        self.participation.into_iter().chain(of_model).min()
    }
}
