//! The exact state of the books at the end of a day.

use sextant_domain::ports::{DailyMark, PositionMark};
use sextant_domain::{Cash, InstrumentId, ModelId, MoneyError, Price, UtcNanos};

use super::Engine;
use crate::error::EngineError;
use crate::ledger::Scope;

/// Memory for the marks of a day.
#[derive(Default)]
pub(super) struct Day {
    positions: Vec<PositionMark>,
    model_positions: Vec<(ModelId, PositionMark)>,
    model_pnl: Vec<Cash>,
    /// The notional value of each scope's position in each open instrument, the portfolio's first. Those of a single model
    /// are the portfolio's.
    values: Vec<Cash>,
}

impl Day {
    fn clear(&mut self) {
        self.positions.clear();
        self.model_positions.clear();
        self.model_pnl.clear();
        self.values.clear();
    }

    /// The notional value of a scope's position in the open instrument at a place.
    fn value(&self, scope: Scope, place: usize, models: usize) -> Cash {
        match scope {
            _ if models == 1 => self.values[place],
            Scope::Portfolio => self.values[place * (1 + models)],
            Scope::Model(model) => self.values[place * (1 + models) + 1 + model.index()],
        }
    }
}

impl Engine<'_> {
    /// Hands the exact state of the books at the end of a day to `take`.
    ///
    /// # Errors
    /// [`EngineError::Money`] when a value does not fit exactly.
    pub fn daily_mark(
        &mut self,
        time: UtcNanos,
        take: impl FnOnce(&DailyMark<'_>),
    ) -> Result<(), EngineError> {
        let mut day = std::mem::take(&mut self.scratch.day);
        day.clear();
        let equity = self.fill_day(&mut day);
        let equity = equity.map_err(|source| EngineError::Money { time, source })?;
        take(&DailyMark {
            time,
            equity,
            model_pnl: &day.model_pnl,
            positions: &day.positions,
            model_positions: &day.model_positions,
        });
        self.scratch.day = day;
        Ok(())
    }

    /// Marks every position; returns equity.
    fn fill_day(&self, day: &mut Day) -> Result<Cash, MoneyError> {
        let models = self.models.len();
        for index in self.ledger.open() {
            let instrument = InstrumentId::from_index(*index);
            let price = self.ledger.exact_price(instrument)?;
            let (whole, value) = self.position_mark(Scope::Portfolio, instrument, price)?;
            day.positions.push(whole);
            day.values.push(value);
            if models == 1 {
                day.model_positions.push((ModelId::from_index(0), whole));
                continue;
            }
            for model in (0..models).map(ModelId::from_index) {
                let (position, value) = self.model_mark(model, (whole, value))?;
                day.values.push(value);
                if !position.quantity.is_zero() {
                    day.model_positions.push((model, position));
                }
            }
        }
        let value = |scope, place| Ok(day.value(scope, place, models));
        let portfolio = self.ledger.pnl_at(Scope::Portfolio, value)?;
        if models == 1 {
            day.model_pnl.push(portfolio);
        } else {
            for model in (0..models).map(ModelId::from_index) {
                let value = |scope, place| Ok(day.value(scope, place, models));
                let pnl = self.ledger.pnl_at(Scope::Model(model), value)?;
                day.model_pnl.push(pnl);
            }
        }
        self.ledger.initial().plus(portfolio)
    }

    /// A model's position, and its notional value in the instrument's currency: those of the portfolio where it holds all.
    fn model_mark(
        &self,
        model: ModelId,
        (whole, value): (PositionMark, Cash),
    ) -> Result<(PositionMark, Cash), MoneyError> {
        let scope = Scope::Model(model);
        let held = self.ledger.book(scope).instrument(whole.instrument).quantity();
        if held == whole.quantity {
            return Ok((whole, value));
        }
        self.position_mark(scope, whole.instrument, whole.price)
    }

    /// A position, and its notional value in the instrument's currency.
    #[inline]
    fn position_mark(
        &self,
        scope: Scope,
        instrument: InstrumentId,
        price: Price,
    ) -> Result<(PositionMark, Cash), MoneyError> {
        let quantity = self.ledger.book(scope).instrument(instrument).quantity();
        let value = self.ledger.notional(scope, (instrument, quantity), price)?;
        let position = PositionMark {
            instrument,
            quantity,
            price,
            value: self.ledger.in_account_currency(instrument, value)?,
        };
        Ok((position, value))
    }
}
