//! freqtrade: a pair by five minutes, left by a stop or by a profit that asks for less with time.

use rust_decimal::Decimal;
use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{
    AssetClass, BarSeries, Contract, Currency, FeatureRef, Instrument, InstrumentId, InstrumentRef,
    InstrumentTable, Intents, MarketData, MarketView, NoticeKind, OrderChange, OrderKind, OrderRef,
    OrderRequest, OrderSize, Requirements, Series, SeriesRef, Timeframe, UtcNanos,
};
use sextant_engine::Scope;
use sextant_risk::stops::{FractionStop, Position};
use sextant_risk::targets::{ProfitStep, ProfitTable};

use super::{MINUTE_NANOS, bar, rows};
use crate::fixture::Setup;

/// Parts of a price and of a coin that the venue counts.
fn step() -> Decimal {
    Decimal::new(1, 8)
}

/// The pair from the time that the peer's test cuts its data at.
fn pair() -> Option<MarketData> {
    let mut rows = rows("crypto/unittest_btc_5m_freqtrade.csv.gz")?;
    let start: UtcNanos = "2018-01-29T12:10:00Z".parse().unwrap();
    rows.retain(|row| row.stamp >= start);
    let bars = BarSeries::from_bars(rows.iter().map(|row| bar(row, [0, 5]))).unwrap();
    let instrument = Instrument {
        symbol: "UNITTEST-BTC".to_owned(),
        class: AssetClass::Crypto,
        execution: Timeframe::M5,
        price_tick: step(),
        lot_size: step(),
        // The account counts in bitcoin; its name is only a name.
        contract: Contract::paid_in(Currency::USD),
    };
    let series = Series {
        instrument: InstrumentId::from_index(0),
        timeframe: Timeframe::M5,
        bars,
    };
    let instruments = InstrumentTable::new(vec![instrument]).unwrap();
    Some(MarketData::new(instruments, vec![series], Vec::new()).unwrap())
}

/// A position with the orders that are to close it.
#[derive(Debug, Clone, Copy)]
struct Held {
    entry: OrderRef,
    stop: OrderRef,
    target: OrderRef,
    /// When and at which price it was entered, once that is known.
    filled: Option<(UtcNanos, f64)>,
}

/// In where a strong movement has pulled back; out at the stop or at the profit that is due by then.
struct Pullback {
    needs: Requirements,
    pair: InstrumentRef,
    bars: SeriesRef,
    rsi: FeatureRef,
    fast_d: FeatureRef,
    adx: FeatureRef,
    plus_di: FeatureRef,
    stake: f64,
    stop: FractionStop,
    profits: ProfitTable,
    held: Option<Held>,
}

impl Pullback {
    fn new(symbol: &str, stake: f64, stop: FractionStop, profits: ProfitTable) -> Self {
        let mut needs = Requirements::new();
        let pair = needs.trade(symbol);
        let bars = needs.series(symbol, Timeframe::M5);
        let fast_stochastic = [("period", 5.0), ("smooth", 1.0), ("signal", 3.0)];
        let rsi = needs.feature("rsi", &[("period", 14.0)], bars);
        let fast_d = needs.feature("stochastic_d", &fast_stochastic, bars);
        let adx = needs.feature("adx", &[("period", 14.0)], bars);
        let plus_di = needs.feature("plus_di", &[("period", 14.0)], bars);
        Self {
            needs,
            pair,
            bars,
            rsi,
            fast_d,
            adx,
            plus_di,
            stake,
            stop,
            profits,
            held: None,
        }
    }

    fn is_signal(&self, view: &MarketView<'_>) -> bool {
        let features = [self.rsi, self.fast_d, self.adx, self.plus_di].map(|one| view.feature(one));
        let [Some(rsi), Some(fast_d), Some(adx), Some(plus_di)] = features else {
            return false;
        };
        let is_pullback = rsi < 35.0 && fast_d < 35.0 && adx > 30.0;
        plus_di > 0.5 && (is_pullback || adx > 65.0)
    }

    /// Levels are reckoned from the close until the price of the entry is known.
    fn levels(&self, entry: f64, held_minutes: u32) -> [f64; 2] {
        let stop = self.stop.level(Position::Long, entry);
        let target = self.profits.level(Position::Long, entry, held_minutes);
        [stop, target].map(|level| level.expect("prices are positive and the table begins at once"))
    }

    fn enter(&mut self, view: &MarketView<'_>, out: &mut Intents) {
        let Some(close) = view.bars(self.bars).last_close() else {
            return;
        };
        let [stop, target] = self.levels(close, 0);
        let buy = OrderRequest::market(self.pair, OrderSize::EquityFraction(self.stake));
        let exits = [
            OrderRequest::stop(self.pair, OrderSize::EntryFill, stop),
            OrderRequest::limit(self.pair, OrderSize::EntryFill, target),
        ];
        let (entry, exits) = out.bracket(buy, &exits);
        self.held = Some(Held {
            entry,
            stop: exits[0],
            target: exits[1],
            filled: None,
        });
    }

    fn hear(&mut self, view: &MarketView<'_>) {
        for notice in view.notices() {
            let Some(held) = &mut self.held else { continue };
            match notice.kind {
                NoticeKind::Filled { price, .. } if notice.order == held.entry => {
                    held.filled = Some((notice.time, price));
                }
                NoticeKind::Filled { .. } => self.held = None,
                NoticeKind::Ended(_) => {}
                NoticeKind::Refused(code) => panic!("{code} must not be refused"),
            }
        }
    }

    /// Moves the exits to where they belong in the bar that opens now.
    fn follow(&self, held: Held, now: UtcNanos, out: &mut Intents) {
        let Some((since, entry)) = held.filled else { return };
        let minutes = (now.nanos() - since.nanos()) / MINUTE_NANOS;
        let [stop, target] = self.levels(entry, u32::try_from(minutes).unwrap());
        for (order, kind) in [
            (held.stop, OrderKind::Stop { stop }),
            (held.target, OrderKind::Limit { limit: target }),
        ] {
            let kind = Some(kind);
            out.modify(order, OrderChange { size: None, kind });
        }
    }
}

impl Model for Pullback {
    fn id(&self) -> &str {
        "Pullback"
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        self.hear(view);
        match self.held {
            Some(held) => self.follow(held, view.as_of(), out),
            None if self.is_signal(view) => self.enter(view, out),
            None => {}
        }
        Ok(())
    }
}

/// `test_backtest_one`: a stop ten percent below the entry, and four percent of profit at once, two after twenty minutes,
/// one after thirty, none after forty; a quarter percent of fees a side.
#[test]
fn x01_a_pullback_left_by_a_profit_that_asks_for_less_with_time() {
    let Some(market) = pair() else { return };
    let steps = [(0, 0.04), (20, 0.02), (30, 0.01), (40, 0.0)];
    let steps = steps.map(|(after_minutes, fraction)| ProfitStep {
        after_minutes,
        fraction,
    });
    let profits = ProfitTable::new(steps.to_vec(), 0.0025).unwrap();
    let model = Pullback::new("UNITTEST-BTC", 0.001, FractionStop { fraction: 0.1 }, profits);
    let setup = Setup {
        commission_bps: "25",
        ..Setup::plain("1")
    };
    let (outcome, recorder) = setup.run(&market, vec![Box::new(model)]).unwrap();

    let bars = market.series()[0].bars.view();
    let fills = recorder.fills.iter().map(|fill| {
        // The peer names bars by their open. A fill at the open has that time, one inside the bar that of its close.
        let place = if fill.quantity.is_positive() {
            bars.open_time.partition_point(|open| *open < fill.time)
        } else {
            bars.close_time.partition_point(|close| *close < fill.time)
        };
        (bars.open_time[place].to_string(), fill.price.to_f64())
    });
    let fills: Vec<_> = fills.collect();
    let times: Vec<&str> = fills.iter().map(|(time, _)| time.as_str()).collect();
    assert_eq!(
        times,
        [
            "2018-01-29T18:40:00Z",
            "2018-01-29T22:35:00Z",
            "2018-01-30T03:30:00Z",
            "2018-01-30T04:10:00Z"
        ]
    );
    let trades = outcome.ledger.book(Scope::Portfolio).trades();
    assert_eq!(trades.len(), 2);
    assert_eq!([fills[0].1, fills[2].1], [0.104_445, 0.103_024_85], "open rates");
    let close_rates = [fills[1].1, fills[3].1].map(|price| format!("{price:.6}"));
    assert_eq!(close_rates, ["0.104969", "0.103541"]);
    // The profit that was left to ask for is none.
    for trade in trades {
        assert!(trade.net.to_f64().abs() < 1e-8, "{:?}", trade.net);
        assert!((trade.quantity.to_f64() * trade.entry_price.to_f64() - 0.001).abs() < 1e-8);
    }
}
