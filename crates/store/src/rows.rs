//! The rows of a run, one table each.

use sextant_domain::{Cash, OrderId, Price, Quantity, Side, UtcNanos};

use crate::row::table;
use crate::size_kind::SizeKind;

/// The scope of rows that speak of the whole portfolio; every other scope is the id of a model.
pub const PORTFOLIO_SCOPE: &str = "portfolio";

table! {
    /// One figure of one scope. An undefined figure has no value but a reason.
    MetricRow [] in "metrics" {
        /// `portfolio`, or the id of a model.
        scope: String,
        /// The figure's name, such as `sharpe`.
        name: String,
        /// The id of its definition with all parameters, such as `sharpe@v1{P=252,ddof=1,rf=const 0}`.
        definition: String,
        /// The value; null when the figure is undefined.
        value: Option<f64>,
        /// Lower end of the 95 % interval, where there is one.
        lower95: Option<f64>,
        /// Upper end of the 95 % interval, where there is one.
        upper95: Option<f64>,
        /// Why the figure is undefined (`no_variance`, `no_trades`, `too_short`, ...), or the caveat of one that is not.
        reason: Option<String>,
    }
}

table! {
    /// Value of a scope at the end of each step, at the last closes. Research numbers: the exact books are in `marks`.
    EquityRow [] in "equity" {
        /// End of the step.
        time: UtcNanos,
        /// `portfolio`, or the id of a model.
        scope: String,
        /// The portfolio's cash plus positions; for a model the capital it is measured on plus its profit and loss so
        /// far, costs included.
        equity: f64,
        /// Cash of all currencies at their last rates; null where the scope has no cash account of its own.
        cash: Option<f64>,
        /// Sum of absolute notional values; null where it is not recorded for the scope.
        gross: Option<f64>,
        /// Sum of signed notional values; null where it is not recorded for the scope.
        net: Option<f64>,
        /// Equity over its highest value so far, minus one: zero or negative.
        drawdown: f64,
        /// Standing of the risk engine: `normal`, `reduced`, `halted` or `killed`; null for a model.
        risk_status: Option<String>,
    }
}

table! {
    /// Exact state of the books at the end of each trading day.
    MarkRow [] in "marks" {
        /// End of the day: the session close, or midnight UTC where anything trades round the clock.
        time: UtcNanos,
        /// `portfolio`, or the id of a model.
        scope: String,
        /// Exact: for the portfolio cash plus positions, for a model its base budget of the initial capital plus its profit
        /// and loss.
        equity: Cash,
        /// Profit and loss since the start, costs included. The models' add up to the portfolio's.
        pnl: Cash,
    }
}

table! {
    /// An order that passed the risk gate and was sent, in the order of sending.
    OrderRow [] in "orders" {
        /// Unique within the run and increasing in order of creation.
        order_id: OrderId,
        /// When it was decided.
        decided_at: UtcNanos,
        /// Instrument.
        symbol: String,
        /// `buy` or `sell`; null when it is only known at the fill.
        side: Option<Side>,
        /// Signed units: positive buys, negative sells; null when they are only known at the fill.
        quantity: Option<Quantity>,
        /// How the size was given: `units`, `equity_fraction`, `close_position` or `entry_fill`.
        size_kind: SizeKind,
        /// Signed fraction of the model's budget, for `equity_fraction`.
        size_fraction: Option<f64>,
        /// When it trades and at which price: `market`, `limit`, `stop`, `stop_limit`, `market_on_open`, `market_on_close`,
        /// `trailing_stop`, and of a bracket's exits measured from the entry's price `stop_loss`, `take_profit` or
        /// `trailing_stop_from_profit`.
        kind: String,
        /// The worst price it accepts, for limits.
        limit_price: Option<Price>,
        /// The price that triggers it, for stops.
        stop_price: Option<Price>,
        /// The distance of a trailing stop from the best price, where it is a difference of prices.
        trail_distance: Option<Price>,
        /// The distance of a trailing stop, where it is a fraction of the best price.
        trail_fraction: Option<f64>,
        /// The price from which on a trailing stop follows, where it waits for one.
        activation_price: Option<Price>,
        /// The loss or profit measured from the entry's price, where it is a difference of prices.
        offset_distance: Option<Price>,
        /// The loss or profit measured from the entry's price, where it is a fraction of that.
        offset_fraction: Option<f64>,
        /// How long it stays: `day`, `good_til_cancelled`, `immediate_or_cancel` or `fill_or_kill`.
        time_in_force: String,
        /// The entry that must fill before it, for the exits of a bracket.
        entry_order_id: Option<OrderId>,
        /// The first order of its one-cancels-other group.
        oco_group: Option<OrderId>,
        /// The close on which it was decided.
        reference_price: f64,
        /// Why it exists: `target`, `request`, `end_of_run` or `margin_call`.
        origin: String,
        /// The ids of the models it belongs to, comma-separated.
        models: String,
    }
}

table! {
    /// An order that left the market without trading, or without trading the rest.
    OrderEndRow [] in "order_ends" {
        /// The order.
        order_id: OrderId,
        /// When.
        time: UtcNanos,
        /// Why: `cancelled`, `expired`, `peer_filled`, `entry_ended`, `not_filled`, `nothing_to_trade` or `no_market`.
        reason: String,
    }
}

table! {
    /// A trade that happened, in the order of posting.
    FillRow [] in "fills" {
        /// Unique within the run and increasing; an order can have several fills.
        fill_id: i64,
        /// The order.
        order_id: OrderId,
        /// When it traded.
        time: UtcNanos,
        /// Instrument.
        symbol: String,
        /// `buy` or `sell`.
        side: Side,
        /// Signed units: positive bought, negative sold.
        quantity: Quantity,
        /// Price paid or received, slippage included.
        price: Price,
        /// Market price before slippage.
        reference_price: Price,
        /// Commission, as a positive cost.
        fee: Cash,
        /// What slippage cost: `(price - reference_price) x quantity x multiplier`, already contained in the price.
        slippage: Cash,
        /// The part of the slippage that the run's own volume caused; zero where the costs do not model it.
        impact: Cash,
        /// The currency of prices and costs.
        currency: String,
    }
}

table! {
    /// The part of a fill that belongs to one model. The parts of a fill add up to it.
    FillAllocationRow [] in "fill_allocations" {
        /// The fill.
        fill_id: i64,
        /// The order.
        order_id: OrderId,
        /// The id of the model.
        model: String,
        /// The model's signed units; models can cross internally, so signs may differ within a fill.
        quantity: Quantity,
        /// The model's part of the commission.
        fee: Cash,
        /// The model's part of the slippage.
        slippage: Cash,
    }
}

table! {
    /// A position at a daily mark.
    PositionRow [] in "positions" {
        /// The daily mark.
        time: UtcNanos,
        /// `portfolio`, or the id of a model.
        scope: String,
        /// Instrument.
        symbol: String,
        /// Signed units.
        quantity: Quantity,
        /// Last price.
        price: Price,
        /// Notional value in the account's currency: quantity times price times multiplier, at the last rate.
        value: Cash,
        /// Value over portfolio equity; for a model over its base budget of portfolio equity; null when that is not positive.
        weight: Option<f64>,
    }
}

table! {
    /// A target weight that a model asked for.
    IntentRow [] in "intents" {
        /// When.
        time: UtcNanos,
        /// The id of the model.
        model: String,
        /// Instrument.
        symbol: String,
        /// Signed fraction of the model's own budget.
        weight: f64,
    }
}

table! {
    /// A target weight of the portfolio, after budgets and risk.
    TargetRow [] in "targets" {
        /// When.
        time: UtcNanos,
        /// Instrument.
        symbol: String,
        /// Signed fraction of portfolio equity.
        weight: f64,
    }
}

table! {
    /// One act of one risk rule.
    RiskEventRow [] in "risk_events" {
        /// When.
        time: UtcNanos,
        /// The rule's stable code, such as `per_asset_cap`.
        rule: String,
        /// `shrink`, `refuse` or `status`.
        action: String,
        /// Instrument, where one is concerned.
        symbol: Option<String>,
        /// The value before: a weight, an exposure or a drawdown, as the rule says.
        before: f64,
        /// The value after.
        after: f64,
        /// Why, in words.
        reason: String,
    }
}

table! {
    /// The label of one regime dimension from this time on, until the next row of the same dimension.
    RegimeRow [] in "regimes" {
        /// When it was known.
        time: UtcNanos,
        /// `equity`, `volatility`, `crypto` or `macro`.
        dimension: String,
        /// The label, such as `bull`; `unknown` where an input is missing.
        label: String,
        /// The numbers it was decided on, as a JSON object; null where one was missing.
        inputs: String,
    }
}

table! {
    /// What one model earned and paid in one instrument over the whole run, in the account's currency. The rows add up to
    /// the portfolio's profit and loss exactly; where there are other currencies, each row is rounded to eight decimals.
    AttributionRow [] in "attribution" {
        /// The id of the model.
        model: String,
        /// Instrument; `(cash)` for interest.
        symbol: String,
        /// Profit and loss of prices, before fees, slippage and income.
        gross_pnl: Cash,
        /// Commissions, as a positive cost.
        fees: Cash,
        /// Slippage, as a positive cost.
        slippage: Cash,
        /// What came without orders less what went: dividends, borrow fees, funding and interest.
        income: Cash,
        /// `gross_pnl - fees - slippage + income`.
        net_pnl: Cash,
    }
}

table! {
    /// A closed round trip: units bought and sold, matched first in, first out. One row per matched lot.
    TradeRow [] in "trades" {
        /// `portfolio`, or the id of a model.
        scope: String,
        /// Instrument.
        symbol: String,
        /// Side of the entry: `buy` is a long trade, `sell` a short one.
        side: Side,
        /// When it was opened.
        entry_time: UtcNanos,
        /// When it was closed.
        exit_time: UtcNanos,
        /// Units, positive.
        quantity: Quantity,
        /// Price at the entry, slippage included.
        entry_price: Price,
        /// Price at the exit, slippage included.
        exit_price: Price,
        /// Profit and loss before fees.
        gross_pnl: Cash,
        /// Its part of the commissions of entry and exit, as a positive cost.
        fees: Cash,
        /// `gross_pnl - fees`.
        net_pnl: Cash,
        /// Net profit and loss over the value at the entry; null when that is zero.
        net_return: Option<f64>,
    }
}

table! {
    /// An order that risk refused.
    RefusalRow [] in "refusals" {
        /// When it was decided.
        decided_at: UtcNanos,
        /// Instrument.
        symbol: String,
        /// `buy` or `sell`; null when it would only be known at the fill.
        side: Option<Side>,
        /// Signed units; null when they would only be known at the fill.
        quantity: Option<Quantity>,
        /// How the size was given: `units`, `equity_fraction` or `close_position`.
        size_kind: SizeKind,
        /// Signed fraction of the model's budget, for `equity_fraction`.
        size_fraction: Option<f64>,
        /// The close on which it was decided.
        reference_price: f64,
        /// Why it exists: `target`, `request`, `end_of_run` or `margin_call`.
        origin: String,
        /// The ids of the models it belongs to, comma-separated.
        models: String,
        /// The code of the rule that refused it.
        rule: String,
    }
}

table! {
    /// Cash that came or went without an order.
    CashEventRow [] in "cash_events" {
        /// When it fell due.
        time: UtcNanos,
        /// Instrument; null for interest.
        symbol: Option<String>,
        /// The id of the model it falls on.
        model: String,
        /// `dividend`, `borrow_fee`, `funding`, `margin_interest`, `cash_interest` or `variation_margin`.
        kind: String,
        /// The amount, positive when received.
        amount: Cash,
        /// Its currency.
        currency: String,
    }
}

table! {
    /// What a split made of one model's position.
    SplitRow [] in "splits" {
        /// When it took effect.
        time: UtcNanos,
        /// Instrument.
        symbol: String,
        /// The id of the model.
        model: String,
        /// New shares for `old_shares`, in lowest terms.
        new_shares: u64,
        /// Old shares.
        old_shares: u64,
        /// Signed units afterwards.
        quantity: Quantity,
        /// Cash for the fraction of a lot that was left over.
        cash_in_lieu: Cash,
    }
}

table! {
    /// What the run is worth when one of its assumptions is made pessimistic: a repetition of the whole run for each. No rows
    /// where the configuration asks for no bill.
    BillRow [] in "assumption_bill" {
        /// `as_run`, `fill_convention`, `intrabar_rule`, `intrabar_optimistic` (the other bound), `commission`, `slippage`,
        /// `funding`, `borrow`, `survivorship`, `data`, `annualisation`, or `all`.
        assumption: String,
        /// What the repetition assumed instead, in words.
        pessimistic: String,
        /// Its annual Sharpe ratio.
        sharpe: Option<f64>,
        /// Its compound annual growth, as a fraction.
        cagr: Option<f64>,
        /// Its total return, as a fraction.
        total_return: Option<f64>,
        /// Why a figure is undefined, or why the repetition failed.
        reason: Option<String>,
    }
}

table! {
    /// What the run is worth at a multiple of its costs, commission and slippage alike: a repetition of the whole run for each.
    CostCurveRow [] in "cost_curve" {
        /// Times the configured costs.
        multiple: f64,
        /// Commission and slippage that were paid, in basis points of the traded value; null where nothing was traded.
        cost_bps: Option<f64>,
        /// Total return, as a fraction.
        total_return: Option<f64>,
        /// Compound annual growth, as a fraction.
        cagr: Option<f64>,
        /// Annual Sharpe ratio.
        sharpe: Option<f64>,
        /// Why a figure is undefined, or why the repetition failed.
        reason: Option<String>,
    }
}
