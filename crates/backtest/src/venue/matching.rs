//! Which order trades next.

use sextant_domain::ports::{AccountSource, BrokerError};
use sextant_domain::{Bar, EndReason, InstrumentId, OrderKind, Side, TimeInForce, Timeframe, UtcNanos};

use super::config::Moment;
use super::intrabar::{Step, Trigger, Waiting, Walk, next_step};
use super::state::is_through;
use super::{OrderKey, SimulatedVenue, Stage, side_of};
use crate::costs::Liquidity;

/// Bars that have not come for longer than this have stopped: thirty days, after which features begin afresh, too.
pub(crate) const SILENCE_NANOS: i64 = 30 * Timeframe::D1.nanos();

/// What a stage does with one order.
enum Act {
    Trade {
        time: UtcNanos,
        price: f64,
        liquidity: Liquidity,
    },
    End(UtcNanos, EndReason),
}

/// What is to be done next.
enum Work {
    /// The end of an order without a market.
    End(usize),
    /// The stage of an instrument, and the first order in it.
    Stage(InstrumentId, usize),
}

impl SimulatedVenue<'_> {
    /// Does the earliest piece of work that a step at `now` may know of; false when there is none.
    pub(super) fn advance(
        &mut self,
        now: UtcNanos,
        account: &dyn AccountSource,
    ) -> Result<bool, BrokerError> {
        if let Some((index, (time, price))) = self.take_at_once() {
            self.trade(index, (time, price, Liquidity::Taker), None, account)?;
            return Ok(true);
        }
        let (instrument, first) = match self.next_work(now) {
            None => return Ok(false),
            Some(Work::End(index)) => {
                self.end(index, now, EndReason::NoMarket);
                return Ok(true);
            }
            Some(Work::Stage(instrument, first)) => (instrument, first),
        };
        match self.slots[instrument.index()].stage {
            Stage::Open => self.work_open(instrument, first, account)?,
            Stage::Inside(walk) => self.work_inside(instrument, walk, account)?,
            Stage::Close => self.work_close(instrument, account)?,
        }
        Ok(true)
    }

    /// The first order that trades at once, with its time and price; it is told so once.
    fn take_at_once(&mut self) -> Option<(usize, (UtcNanos, f64))> {
        if self.at_once == 0 {
            return None;
        }
        self.at_once -= 1;
        let mut states = self.states.iter_mut().enumerate();
        states.find_map(|(index, state)| Some((index, state.at_once.take()?)))
    }

    /// The first order in an instrument whose bars have stopped; without one, the instrument whose next stage is the
    /// earliest that may be known at `now`.
    fn next_work(&self, now: UtcNanos) -> Option<Work> {
        let mut earliest = None;
        for (index, key) in self.keys.iter().enumerate() {
            let instrument = key.instrument;
            if self.has_no_market(key, now) {
                return Some(Work::End(index));
            }
            let due = self.dues[instrument.index()];
            let is_earlier = || earliest.is_none_or(|(other, _)| (due.time, instrument) < other);
            if due.is_known(now) && is_earlier() {
                earliest = Some(((due.time, instrument), index));
            }
        }
        earliest.map(|((_, instrument), first)| Work::Stage(instrument, first))
    }

    /// Whether the bars of an order's instrument have stopped. Whether there will be another one is not asked, because nobody
    /// could know: bars have stopped when none has closed for [`SILENCE_NANOS`] while the order waited.
    fn has_no_market(&self, order: &OrderKey, now: UtcNanos) -> bool {
        let since = now.saturating_add(-SILENCE_NANOS);
        order.decided_at < since && {
            let closes = self.bars(order.instrument).close_time;
            let known = closes.partition_point(|time| *time <= now);
            closes[..known].last().is_none_or(|last| *last < since)
        }
    }

    fn work_open(
        &mut self,
        instrument: InstrumentId,
        first: usize,
        account: &dyn AccountSource,
    ) -> Result<(), BrokerError> {
        let bar = self.slots[instrument.index()].bar;
        for index in first..self.working.len() {
            if self.is_live(index, instrument, bar)
                && let Some(act) = self.at_open(index, bar, account)
            {
                return self.act(index, act, account);
            }
        }
        let values = self.bars(instrument).bar(bar);
        self.follow(instrument, bar, |_| (values.open, values.open), account);
        let walk = Walk::begin(&values);
        self.put_slot(instrument, bar, Stage::Inside(walk));
        Ok(())
    }

    /// Whether an order of the instrument can trade in a bar.
    fn is_live(&self, index: usize, instrument: InstrumentId, bar: usize) -> bool {
        self.keys[index].instrument == instrument
            && self.states[index].first_bar <= bar
            && !self.working[index].is_dormant
    }

    fn at_open(&mut self, index: usize, bar: usize, account: &dyn AccountSource) -> Option<Act> {
        let draft = &self.working[index].order.draft;
        let (terms, instrument) = (draft.terms, draft.instrument);
        let bars = self.bars(instrument);
        let traded = self.market.instruments().get(instrument);
        let series = self.market.execution_series(instrument);
        let open = self.market.open_times(series)[bar];
        let sessions = &self.config.sessions;
        if terms.time_in_force == TimeInForce::Day {
            let ends = &mut self.states[index].day_ends;
            if *ends.get_or_insert_with(|| sessions.day_end(traded, bars, bar)) <= open {
                return Some(Act::End(open, EndReason::Expired));
            }
        }
        if !self.has_room(instrument, bar) {
            return None;
        }
        let trade = |price, liquidity| {
            Some(Act::Trade {
                time: open,
                price,
                liquidity,
            })
        };
        let price = bars.open[bar];
        match self.states[index].kind {
            OrderKind::Market if self.config.fills.moment() == Moment::Open => trade(price, Liquidity::Taker),
            OrderKind::MarketOnOpen if sessions.begin_with(traded, bars, bar) => {
                trade(price, Liquidity::Taker)
            }
            OrderKind::Market | OrderKind::MarketOnOpen | OrderKind::MarketOnClose => None,
            OrderKind::Stop { .. } | OrderKind::TrailingStop { .. } if self.states[index].is_triggered => {
                trade(price, Liquidity::Taker)
            }
            _ => {
                let side = side_of(&self.working[index], account)?;
                let arrives = self.states[index].first_bar == bar;
                match self.triggered(index, side, price)? {
                    Trigger::Stop(_) => trade(price, Liquidity::Taker),
                    // A limit that is through when it comes takes what there is; later the market comes to it.
                    Trigger::Limit(_) if arrives => trade(price, Liquidity::Taker),
                    Trigger::Limit(_) => trade(price, Liquidity::Maker),
                }
            }
        }
    }

    /// What an order is waiting for, if a price is through it. A stop-limit order whose stop is through waits for its limit
    /// from then on.
    fn triggered(&mut self, index: usize, side: Side, price: f64) -> Option<Trigger> {
        let state = &mut self.states[index];
        let trigger = state.trigger(side)?;
        if !is_through(trigger, side, price) {
            return None;
        }
        if matches!(
            (state.kind, trigger),
            (OrderKind::StopLimit { .. }, Trigger::Stop(_))
        ) {
            state.is_triggered = true;
            let limit = state.trigger(side)?;
            return is_through(limit, side, price).then_some(limit);
        }
        Some(trigger)
    }

    fn work_inside(
        &mut self,
        instrument: InstrumentId,
        mut walk: Walk,
        account: &dyn AccountSource,
    ) -> Result<(), BrokerError> {
        let index = self.slots[instrument.index()].bar;
        let bar = self.bars(instrument).bar(index);
        let waiting = self.waiting(instrument, (index, &bar), account);
        let step = next_step(self.config.intrabar, &bar, &mut walk, &waiting);
        self.slots[instrument.index()].stage = Stage::Inside(walk);
        match step {
            Step::Over => {
                let of_the_rest = |is_inside| {
                    if is_inside {
                        (bar.close, bar.close)
                    } else {
                        (bar.high, bar.low)
                    }
                };
                self.follow(instrument, index, of_the_rest, account);
                self.slots[instrument.index()].stage = Stage::Close;
            }
            Step::Turn(price) => self.follow(instrument, index, |_| (price, price), account),
            Step::Reached(reached) => {
                let order = reached.index;
                let kind = self.states[order].kind;
                let is_stop = waiting
                    .iter()
                    .any(|one| one.index == order && !matches!(one.trigger, Trigger::Limit(_)));
                if is_stop && matches!(kind, OrderKind::StopLimit { .. }) {
                    // From here on its limit counts, from the price at which the stop was reached.
                    let state = &mut self.states[order];
                    state.is_triggered = true;
                    state.live_inside = Some((index, reached.price));
                } else {
                    let liquidity = if is_stop {
                        Liquidity::Taker
                    } else {
                        Liquidity::Maker
                    };
                    let act = Act::Trade {
                        time: bar.close_time,
                        price: reached.price,
                        liquidity,
                    };
                    self.act(order, act, account)?;
                }
            }
        }
        Ok(())
    }

    fn waiting(
        &self,
        instrument: InstrumentId,
        (bar, values): (usize, &Bar),
        account: &dyn AccountSource,
    ) -> Vec<Waiting> {
        if !self.has_room(instrument, bar) {
            return Vec::new();
        }
        (0..self.working.len())
            .filter(|index| self.is_live(*index, instrument, bar))
            .filter_map(|index| {
                let working = &self.working[index];
                let side = side_of(working, account)?;
                let draft = (&working.order.draft, side);
                let cap = self.peer_limit(index, (bar, side), account);
                self.states[index].waiting(index, (bar, values), draft, cap)
            })
            .collect()
    }

    /// The limit at which a peer on the same side takes what a trailing stop protects: the price comes by it before it goes
    /// beyond.
    fn peer_limit(
        &self,
        index: usize,
        (bar, side): (usize, Side),
        account: &dyn AccountSource,
    ) -> Option<f64> {
        let draft = &self.working[index].order.draft;
        let (instrument, group) = (draft.instrument, draft.terms.link.group?);
        if !matches!(self.states[index].kind, OrderKind::TrailingStop { .. }) {
            return None;
        }
        let limits = self.working.iter().enumerate().filter_map(|(peer, working)| {
            let terms = working.order.draft.terms;
            match self.states[peer].kind {
                OrderKind::Limit { limit }
                    if terms.link.group == Some(group)
                        && self.is_live(peer, instrument, bar)
                        && side_of(working, account) == Some(side) =>
                {
                    Some(limit.to_f64())
                }
                _ => None,
            }
        });
        limits.reduce(match side {
            Side::Sell => f64::min,
            Side::Buy => f64::max,
        })
    }

    fn work_close(
        &mut self,
        instrument: InstrumentId,
        account: &dyn AccountSource,
    ) -> Result<(), BrokerError> {
        let bar = self.slots[instrument.index()].bar;
        for index in 0..self.working.len() {
            if self.is_live(index, instrument, bar)
                && let Some(act) = self.at_close(index, bar)
            {
                return self.act(index, act, account);
            }
        }
        self.slots[instrument.index()].taken = sextant_domain::Quantity::ZERO;
        self.put_slot(instrument, bar + 1, Stage::Open);
        Ok(())
    }

    /// Lets the trailing stops that were live in a bar follow prices; the caller says which, by whether an order became live
    /// inside the bar.
    fn follow(
        &mut self,
        instrument: InstrumentId,
        bar: usize,
        extremes: impl Fn(bool) -> (f64, f64),
        account: &dyn AccountSource,
    ) {
        for index in 0..self.working.len() {
            let OrderKind::TrailingStop { activation, .. } = self.states[index].kind else {
                continue;
            };
            if !self.is_live(index, instrument, bar) {
                continue;
            }
            if let Some(side) = side_of(&self.working[index], account) {
                let state = &mut self.states[index];
                let is_inside = state.live_inside.is_some_and(|(inside, _)| inside == bar);
                let (high, low) = extremes(is_inside);
                state.follow(activation, side, high, low);
            }
        }
    }

    fn at_close(&self, index: usize, bar: usize) -> Option<Act> {
        let draft = &self.working[index].order.draft;
        let terms = draft.terms;
        let bars = self.bars(draft.instrument);
        let traded = self.market.instruments().get(draft.instrument);
        let values = bars.bar(bar);
        let trade = |price| {
            Some(Act::Trade {
                time: values.close_time,
                price,
                liquidity: Liquidity::Taker,
            })
        };
        if self.has_room(draft.instrument, bar) {
            match self.states[index].kind {
                OrderKind::Market if self.config.fills.moment() == Moment::Close => {
                    return trade(self.config.fills.price(bars, bar));
                }
                OrderKind::MarketOnClose if self.config.sessions.ends_with(traded, bars, bar) => {
                    return trade(values.close);
                }
                _ => {}
            }
        }
        let first_chance_is_over = matches!(
            terms.time_in_force,
            TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill
        );
        if first_chance_is_over {
            return Some(Act::End(values.close_time, EndReason::NotFilled));
        }
        let day_ends = self.states[index].day_ends?;
        (day_ends <= values.close_time).then_some(Act::End(values.close_time, EndReason::Expired))
    }

    fn act(&mut self, index: usize, act: Act, account: &dyn AccountSource) -> Result<(), BrokerError> {
        match act {
            Act::End(time, reason) => {
                self.end(index, time, reason);
                Ok(())
            }
            Act::Trade {
                time,
                price,
                liquidity,
            } => {
                let slot = &self.slots[self.working[index].order.draft.instrument.index()];
                let at = (slot.bar, slot.stage);
                self.trade(index, (time, price, liquidity), Some(at), account)
            }
        }
    }
}
