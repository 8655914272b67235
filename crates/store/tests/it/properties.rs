//! Random rows through files and database.

use proptest::prelude::*;
use rust_decimal::Decimal;
use sextant_domain::{Cash, OrderId, Price, Quantity, Side, UtcNanos};
use sextant_store::*;

use crate::sample::{info, manifest};

fn instant() -> impl Strategy<Value = UtcNanos> {
    (-9_223_286_400_000_000_000..i64::MAX).prop_map(UtcNanos::from_nanos)
}

fn decimal(decimals: u32) -> impl Strategy<Value = Decimal> {
    (any::<i64>(), 0..=decimals).prop_map(|(digits, scale)| Decimal::new(digits, scale))
}

fn finite() -> impl Strategy<Value = f64> {
    use prop::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

prop_compose! {
    fn fill()(
        ids in (any::<i64>(), 0_usize..1 << 62),
        time in instant(),
        symbol in any::<String>(),
        side in side(),
        prices in (decimal(8), decimal(8), decimal(8)),
        costs in (decimal(16), decimal(16)),
    ) -> FillRow {
        FillRow {
            fill_id: ids.0,
            order_id: OrderId::from_index(ids.1),
            time,
            symbol,
            side,
            quantity: Quantity::new(prices.0),
            price: Price::new(prices.1),
            reference_price: Price::new(prices.2),
            fee: Cash::new(costs.0),
            slippage: Cash::new(costs.1),
            impact: Cash::new(costs.1),
            currency: "USD".to_owned(),
        }
    }
}

prop_compose! {
    fn metric()(
        texts in (any::<String>(), any::<String>(), any::<String>()),
        value in prop::option::of(finite()),
        interval in prop::option::of((finite(), finite())),
        reason in prop::option::of(any::<String>()),
    ) -> MetricRow {
        MetricRow {
            scope: texts.0,
            name: texts.1,
            definition: texts.2,
            value,
            lower95: interval.map(|ends| ends.0),
            upper95: interval.map(|ends| ends.1),
            reason,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn any_rows_come_back_from_folder_and_database(
        fills in prop::collection::vec(fill(), 0..150),
        metrics in prop::collection::vec(metric(), 0..150),
    ) {
        let results = tempfile::tempdir().unwrap();
        let folders = RunFolders::new(results.path());
        let rows = RunTables { fills, metrics, ..RunTables::default() };
        let written = folders.write(&manifest(1), &info(), &rows).unwrap();
        prop_assert_eq!(&folders.load_run(manifest(1).run_id()).unwrap().tables, &rows);
        let mut store = Store::open(results.path()).unwrap();
        store.index_run(&written.folder).unwrap();
        store.verify_run(&written.folder).unwrap();
    }
}
