//! The exact state of the books at the end of a day.

use sextant_domain::ports::{DailyMark, PositionMark};
use sextant_domain::{Cash, InstrumentId, ModelId, MoneyError, Price, UtcNanos};

use super::Engine;
use crate::error::EngineError;
use crate::ledger::Scope;

/// The notional value of each scope's position in each open instrument, the portfolio's first. Those of a single model are
/// the portfolio's.
struct Values {
    values: Vec<Cash>,
    scopes: usize,
}

impl Values {
    fn get(&self, scope: Scope, place: usize) -> Cash {
        let first = place * self.scopes;
        match scope {
            Scope::Model(model) if self.scopes > 1 => self.values[first + 1 + model.index()],
            _ => self.values[first],
        }
    }
}

impl Engine<'_> {
    /// Hands the exact state of the books at the end of a day to `take`.
    ///
    /// # Errors
    /// [`EngineError::Money`] when a value does not fit exactly.
    pub fn daily_mark(&self, time: UtcNanos, take: impl FnOnce(&DailyMark<'_>)) -> Result<(), EngineError> {
        self.try_daily_mark(time, take)
            .map_err(|source| EngineError::Money { time, source })
    }

    fn try_daily_mark(&self, time: UtcNanos, take: impl FnOnce(&DailyMark<'_>)) -> Result<(), MoneyError> {
        let models = self.models.len();
        let open = self.ledger.open();
        let scopes = if models == 1 { 1 } else { 1 + models };
        let mut values = Vec::with_capacity(open.len() * scopes);
        let (mut positions, mut model_positions) = (
            Vec::with_capacity(open.len()),
            Vec::with_capacity(open.len() * models),
        );
        for index in open {
            let instrument = InstrumentId::from_index(*index);
            let price = self.ledger.exact_price(instrument)?;
            let (whole, value) = self.position_mark(Scope::Portfolio, instrument, price)?;
            positions.push(whole);
            values.push(value);
            if models == 1 {
                model_positions.push((ModelId::from_index(0), whole));
                continue;
            }
            for model in (0..models).map(ModelId::from_index) {
                let (position, value) = self.model_mark(model, (whole, value))?;
                values.push(value);
                if !position.quantity.is_zero() {
                    model_positions.push((model, position));
                }
            }
        }
        let values = Values { values, scopes };
        let pnl = |scope| {
            self.ledger
                .pnl_at(scope, |scope, place| Ok(values.get(scope, place)))
        };
        let portfolio_pnl = pnl(Scope::Portfolio)?;
        let model_pnl = match models {
            1 => vec![portfolio_pnl],
            _ => (0..models)
                .map(|index| pnl(Scope::Model(ModelId::from_index(index))))
                .collect::<Result<_, _>>()?,
        };
        take(&DailyMark {
            time,
            equity: self.ledger.initial().plus(portfolio_pnl)?,
            model_pnl: &model_pnl,
            positions: &positions,
            model_positions: &model_positions,
        });
        Ok(())
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
