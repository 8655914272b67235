//! Runs with awkward rows.

use rust_decimal::Decimal;
use serde_json::json;
use sextant_domain::{Cash, OrderId, Price, Quantity, Side, UtcNanos};
use sextant_store::*;

/// A small seeded generator, so that a failure can be repeated.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// SplitMix64.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

pub(crate) fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn time(text: &str) -> UtcNanos {
    text.parse().unwrap()
}

/// Instants at the ends of the range, at the epoch, and with nanoseconds.
pub(crate) fn instants() -> [UtcNanos; 6] {
    [
        time("1677-09-22"),
        UtcNanos::from_nanos(-1),
        UtcNanos::from_nanos(0),
        time("2020-03-08T07:00:00.123456789Z"),
        time("2262-04-11T23:47:16.854775806Z"),
        time("2021-11-07T06:00:00Z"),
    ]
}

fn texts() -> [String; 5] {
    [
        "",
        "SPY",
        "it's \"quoted\", \\ and\nbroken",
        "žluťoučký 🐎",
        "a text that is much longer than twelve bytes",
    ]
    .map(str::to_owned)
}

fn prices() -> [Price; 4] {
    ["0.00000001", "99999999999999999999.99999999", "432.10", "1"].map(|text| Price::new(dec(text)))
}

fn quantities() -> [Quantity; 4] {
    [
        "-0.00000001",
        "-99999999999999999999.99999999",
        "100",
        "0.12345678",
    ]
    .map(|text| Quantity::new(dec(text)))
}

fn amounts() -> [Cash; 5] {
    [
        "0.0000000000000001",
        "-0.0000000000000001",
        "123456789012.1234567890123456",
        "-7922816251426433759354.3950335",
        "0",
    ]
    .map(|text| Cash::new(dec(text)))
}

fn floats() -> [f64; 6] {
    [0.1 + 0.2, -1.0 / 3.0, f64::MIN_POSITIVE, f64::MAX, -5e-324, 0.0]
}

fn pick<T: Clone>(list: &[T], index: usize) -> T {
    list[index % list.len()].clone()
}

fn sometimes<T>(value: T, index: usize) -> Option<T> {
    (!index.is_multiple_of(3)).then_some(value)
}

/// `rows` rows in every table, none like another, with every kind of value at its limits.
pub(crate) fn tables(rows: usize) -> RunTables {
    let mut tables = RunTables::default();
    for index in 0..rows {
        add_values(&mut tables, index);
        add_orders(&mut tables, index);
        add_decisions(&mut tables, index);
        add_books(&mut tables, index);
    }
    tables
}

fn scope(index: usize) -> String {
    if index.is_multiple_of(2) {
        PORTFOLIO_SCOPE.to_owned()
    } else {
        format!("Model_v{index}")
    }
}

fn add_values(tables: &mut RunTables, index: usize) {
    tables.metrics.push(MetricRow {
        scope: scope(index),
        name: format!("figure{index}"),
        definition: "sharpe@v1{P=252,ddof=1,rf=const 0}".to_owned(),
        value: sometimes(pick(&floats(), index), index),
        lower95: sometimes(-1.5, index + 1),
        upper95: sometimes(1.5, index + 1),
        reason: sometimes(pick(&texts(), index), index + 2),
    });
    tables.equity.push(EquityRow {
        time: pick(&instants(), index),
        scope: scope(index),
        equity: pick(&floats(), index),
        cash: sometimes(pick(&floats(), index + 1), index),
        gross: sometimes(pick(&floats(), index + 2), index),
        net: sometimes(pick(&floats(), index + 3), index),
        drawdown: -(index as f64) / 1e6,
        risk_status: sometimes("normal".to_owned(), index),
    });
    tables.marks.push(MarkRow {
        time: pick(&instants(), index),
        scope: scope(index),
        equity: pick(&amounts(), index),
        pnl: pick(&amounts(), index + 1),
    });
    tables.positions.push(PositionRow {
        time: pick(&instants(), index),
        scope: scope(index),
        symbol: pick(&texts(), index),
        quantity: pick(&quantities(), index),
        price: pick(&prices(), index),
        value: pick(&amounts(), index),
        weight: sometimes(pick(&floats(), index), index),
    });
}

fn size_kind(index: usize) -> SizeKind {
    [SizeKind::Units, SizeKind::EquityFraction, SizeKind::ClosePosition][index % 3]
}

fn side(index: usize) -> Side {
    if index.is_multiple_of(2) {
        Side::Buy
    } else {
        Side::Sell
    }
}

fn add_orders(tables: &mut RunTables, index: usize) {
    let order_id = OrderId::from_index(index);
    tables.orders.push(OrderRow {
        order_id,
        decided_at: pick(&instants(), index),
        symbol: pick(&texts(), index),
        side: sometimes(side(index), index),
        quantity: sometimes(pick(&quantities(), index), index),
        size_kind: size_kind(index),
        size_fraction: sometimes(0.5, index),
        kind: "stop_limit".to_owned(),
        limit_price: sometimes(pick(&prices(), index), index),
        stop_price: sometimes(pick(&prices(), index), index),
        trail_distance: sometimes(pick(&prices(), index), index + 1),
        trail_fraction: sometimes(0.25, index),
        activation_price: sometimes(pick(&prices(), index + 1), index),
        offset_distance: sometimes(pick(&prices(), index), index),
        offset_fraction: sometimes(0.125, index + 1),
        time_in_force: "day".to_owned(),
        entry_order_id: sometimes(order_id, index),
        oco_group: sometimes(order_id, index),
        reference_price: pick(&floats(), index),
        origin: "target".to_owned(),
        models: "A,B".to_owned(),
    });
    tables.order_ends.push(OrderEndRow {
        order_id,
        time: pick(&instants(), index),
        reason: "expired".to_owned(),
    });
    tables.assumption_bill.push(BillRow {
        assumption: pick(&texts(), index),
        pessimistic: pick(&texts(), index + 1),
        sharpe: sometimes(pick(&floats(), index), index),
        cagr: sometimes(pick(&floats(), index), index + 1),
        total_return: sometimes(pick(&floats(), index + 1), index),
        reason: sometimes("no_variance".to_owned(), index + 1),
    });
    tables.cost_curve.push(CostCurveRow {
        multiple: pick(&floats(), index),
        cost_bps: sometimes(pick(&floats(), index + 2), index),
        total_return: sometimes(pick(&floats(), index), index + 1),
        cagr: sometimes(pick(&floats(), index), index),
        sharpe: sometimes(pick(&floats(), index + 1), index),
        reason: sometimes("no_trades".to_owned(), index),
    });
    tables.refusals.push(RefusalRow {
        decided_at: pick(&instants(), index),
        symbol: pick(&texts(), index),
        side: sometimes(side(index), index),
        quantity: sometimes(pick(&quantities(), index), index),
        size_kind: size_kind(index),
        size_fraction: sometimes(0.5, index),
        reference_price: pick(&floats(), index),
        origin: "request".to_owned(),
        models: "A".to_owned(),
        rule: "per_asset_cap".to_owned(),
    });
    tables.fills.push(FillRow {
        fill_id: index as i64,
        order_id,
        time: pick(&instants(), index),
        symbol: pick(&texts(), index),
        side: side(index),
        quantity: pick(&quantities(), index),
        price: pick(&prices(), index),
        reference_price: pick(&prices(), index + 1),
        fee: pick(&amounts(), index),
        slippage: pick(&amounts(), index + 1),
        impact: pick(&amounts(), index + 2),
        currency: pick(&texts(), index),
    });
    tables.fill_allocations.push(FillAllocationRow {
        fill_id: index as i64,
        order_id,
        model: format!("Model_v{}", index % 3),
        quantity: pick(&quantities(), index),
        fee: pick(&amounts(), index),
        slippage: pick(&amounts(), index + 1),
    });
}

fn add_decisions(tables: &mut RunTables, index: usize) {
    let time = pick(&instants(), index);
    let symbol = pick(&texts(), index);
    tables.intents.push(IntentRow {
        time,
        model: scope(index),
        symbol: symbol.clone(),
        weight: pick(&floats(), index),
    });
    tables.targets.push(TargetRow {
        time,
        symbol: symbol.clone(),
        weight: pick(&floats(), index + 1),
    });
    tables.risk_events.push(RiskEventRow {
        time,
        rule: "drawdown_halt".to_owned(),
        action: "status".to_owned(),
        symbol: sometimes(symbol, index),
        before: pick(&floats(), index),
        after: pick(&floats(), index + 1),
        reason: pick(&texts(), index + 1),
    });
    tables.regimes.push(RegimeRow {
        time,
        dimension: "equity".to_owned(),
        label: "bull".to_owned(),
        inputs: r#"{"drawdown":-0.1,"vix":null}"#.to_owned(),
    });
}

fn add_books(tables: &mut RunTables, index: usize) {
    tables.attribution.push(AttributionRow {
        model: scope(index),
        symbol: pick(&texts(), index),
        gross_pnl: pick(&amounts(), index),
        fees: pick(&amounts(), index + 1),
        slippage: pick(&amounts(), index + 2),
        income: pick(&amounts(), index + 1),
        net_pnl: pick(&amounts(), index + 3),
    });
    tables.cash_events.push(CashEventRow {
        time: pick(&instants(), index),
        symbol: sometimes(pick(&texts(), index), index),
        model: scope(index),
        kind: "dividend".to_owned(),
        amount: pick(&amounts(), index),
        currency: pick(&texts(), index),
    });
    tables.splits.push(SplitRow {
        time: pick(&instants(), index),
        symbol: pick(&texts(), index),
        model: scope(index),
        new_shares: 7,
        old_shares: 1,
        quantity: pick(&quantities(), index),
        cash_in_lieu: pick(&amounts(), index),
    });
    tables.trades.push(TradeRow {
        scope: scope(index),
        symbol: pick(&texts(), index),
        side: side(index),
        entry_time: pick(&instants(), index),
        exit_time: pick(&instants(), index + 1),
        quantity: pick(&quantities(), index),
        entry_price: pick(&prices(), index),
        exit_price: pick(&prices(), index + 1),
        gross_pnl: pick(&amounts(), index),
        fees: pick(&amounts(), index + 1),
        net_pnl: pick(&amounts(), index + 2),
        net_return: sometimes(pick(&floats(), index), index),
    });
}

/// A manifest that differs from others by its seed.
pub(crate) fn manifest(seed: u64) -> Manifest {
    let series = |symbol: &str, synthetic| DataInput {
        symbol: symbol.to_owned(),
        timeframe: "1D".to_owned(),
        class: "equity".to_owned(),
        digest: blake3::hash(symbol.as_bytes()).to_hex().to_string(),
        source: "a file's \"name\"".to_owned(),
        synthetic,
    };
    let inputs = RunInputs {
        code: CodeVersion {
            version: "0.1.0".to_owned(),
            digest: "c0de".to_owned(),
        },
        config: json!({"portfolio": {"capital": "100000.00"}, "costs": {"fee_bps": 0.1}}),
        data: vec![series("SPY", false), series("QQQ", true)],
        seed,
        start: time("2005-01-03"),
        end: time("2020-12-31T21:00:00Z"),
        universe: vec!["SPY".to_owned(), "QQQ".to_owned()],
    };
    let assumption = Assumption {
        key: "fill_convention".to_owned(),
        text: "next open".to_owned(),
    };
    Manifest::new(inputs, vec![assumption])
}

pub(crate) fn info() -> RunInfo {
    RunInfo {
        created_at: time("2021-01-01T12:00:00.000000001Z"),
        duration_seconds: 1.25,
    }
}
