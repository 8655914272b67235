//! Exact holdings, with the floating-point mirror that weights and equity are computed from.

use sextant_domain::{Cash, Fill, InstrumentId, ModelId, MoneyError, Multiplier, Price, Quantity};

/// Cash flow before fees, and fees.
#[derive(Debug, Clone, Copy, Default)]
struct Account {
    flow: Cash,
    fees: Cash,
}

impl Account {
    fn post(&mut self, price: Price, quantity: Quantity, fee: Cash) -> Result<(), MoneyError> {
        self.flow = self.flow.minus(price.times(quantity)?)?;
        self.fees = self.fees.plus(fee)?;
        Ok(())
    }

    fn cash(&self) -> Result<Cash, MoneyError> {
        self.flow.minus(self.fees)
    }
}

/// Cash and positions of the portfolio and of each model.
///
/// Cash and quantities are exact, as in the ledger: an error in the last bit of equity could size an order by another lot.
/// There are few fills against many rows, so that columns lose nothing by it.
#[derive(Debug)]
pub(super) struct Book {
    initial: Cash,
    portfolio: Account,
    models: Vec<Account>,
    /// By model and instrument, model by model.
    held: Vec<Quantity>,
    net: Vec<Quantity>,
    cash: f64,
    units: Vec<f64>,
    /// Instruments with a position in any model, in order of opening: sums of values keep this order.
    open: Vec<usize>,
}

impl Book {
    pub(super) fn new(initial: Cash, models: usize, instruments: usize) -> Self {
        Self {
            initial,
            portfolio: Account::default(),
            models: vec![Account::default(); models],
            held: vec![Quantity::ZERO; models * instruments],
            net: vec![Quantity::ZERO; instruments],
            cash: initial.to_f64(),
            units: vec![0.0; instruments],
            open: Vec::new(),
        }
    }

    fn place(&self, model: ModelId, instrument: InstrumentId) -> usize {
        model.index() * self.net.len() + instrument.index()
    }

    /// Posts a fill.
    pub(super) fn post(&mut self, fill: &Fill) -> Result<(), MoneyError> {
        self.portfolio.post(fill.price, fill.quantity, fill.fee)?;
        match fill.allocations.as_slice() {
            [only] => self.post_part(fill, only.model, only.quantity, fill.fee)?,
            _ => {
                for part in fill.parts(Multiplier::ONE)? {
                    self.post_part(fill, part.model, part.quantity, part.fee)?;
                }
            }
        }
        let index = fill.instrument.index();
        self.net[index] = self.net[index].plus(fill.quantity)?;
        self.units[index] = self.net[index].to_f64();
        self.cash = self.exact_cash()?.to_f64();
        self.update_open(index);
        Ok(())
    }

    fn post_part(
        &mut self,
        fill: &Fill,
        model: ModelId,
        quantity: Quantity,
        fee: Cash,
    ) -> Result<(), MoneyError> {
        self.models[model.index()].post(fill.price, quantity, fee)?;
        let place = self.place(model, fill.instrument);
        self.held[place] = self.held[place].plus(quantity)?;
        Ok(())
    }

    fn update_open(&mut self, index: usize) {
        let mut models = self.held[index..].iter().step_by(self.net.len());
        let is_held = models.any(|quantity| !quantity.is_zero());
        match self.open.iter().position(|open| *open == index) {
            None if is_held => self.open.push(index),
            Some(place) if !is_held => {
                self.open.remove(place);
            }
            _ => {}
        }
    }

    fn exact_cash(&self) -> Result<Cash, MoneyError> {
        self.initial.plus(self.portfolio.cash()?)
    }

    /// Cash in the research world.
    #[inline]
    pub(super) fn cash(&self) -> f64 {
        self.cash
    }

    /// A model's exact position.
    pub(super) fn held(&self, model: ModelId, instrument: InstrumentId) -> Quantity {
        self.held[self.place(model, instrument)]
    }

    /// Positions of all models together in the research world, by instrument.
    #[inline]
    pub(super) fn units(&self) -> &[f64] {
        &self.units
    }

    /// Instruments with a position, in order of opening.
    #[inline]
    pub(super) fn open(&self) -> &[usize] {
        &self.open
    }

    /// The number of models.
    pub(super) fn models(&self) -> usize {
        self.models.len()
    }
}
