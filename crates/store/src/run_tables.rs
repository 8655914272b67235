//! The tables of a run.

use duckdb::arrow::record_batch::RecordBatch;

use crate::StoreError;
use crate::codec::{decode, encode};
use crate::row::Row;
use crate::rows::{
    AttributionRow, BillRow, CashEventRow, CostCurveRow, EquityRow, FillAllocationRow, FillRow, IntentRow,
    MarkRow, MetricRow, OrderEndRow, OrderRow, PositionRow, RefusalRow, RegimeRow, RiskEventRow, SplitRow,
    TargetRow, TradeRow,
};
use crate::schema::Table;

macro_rules! run_tables {
    ($($(#[doc = $doc:literal])+ $field:ident: $row:ident,)+) => {
        /// All rows of a run. The order of the rows is part of the result.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct RunTables {
            $($(#[doc = $doc])+ pub $field: Vec<$row>,)+
        }

        static RUN_TABLES: &[Table] = &[$($row::TABLE),+];

        impl RunTables {
            /// One batch per table, in the order of [`run_tables`].
            pub(crate) fn encode(&self) -> Result<Vec<RecordBatch>, StoreError> {
                Ok(vec![$(encode(&self.$field)?),+])
            }

            /// Reads every table, in the order of [`run_tables`].
            pub(crate) fn decode(
                mut batches_of: impl FnMut(&'static Table) -> Result<Vec<RecordBatch>, StoreError>,
            ) -> Result<Self, StoreError> {
                let mut tables = RUN_TABLES.iter();
                Ok(Self {
                    $($field: match tables.next() {
                        Some(table) => decode(&batches_of(table)?)?,
                        None => Vec::new(),
                    },)+
                })
            }
        }
    };
}

run_tables! {
    /// Figures by scope.
    metrics: MetricRow,
    /// Value by step and scope.
    equity: EquityRow,
    /// Exact books by day and scope.
    marks: MarkRow,
    /// Orders sent.
    orders: OrderRow,
    /// Trades that happened.
    fills: FillRow,
    /// Fills by model.
    fill_allocations: FillAllocationRow,
    /// Positions by day.
    positions: PositionRow,
    /// What the models asked for.
    intents: IntentRow,
    /// What the portfolio aimed at.
    targets: TargetRow,
    /// Acts of the risk rules.
    risk_events: RiskEventRow,
    /// Regime labels.
    regimes: RegimeRow,
    /// Profit and loss by model and instrument.
    attribution: AttributionRow,
    /// Closed round trips.
    trades: TradeRow,
    /// Orders refused.
    refusals: RefusalRow,
    /// Orders that left the market without trading, or without trading the rest.
    order_ends: OrderEndRow,
    /// Dividends, fees and interest.
    cash_events: CashEventRow,
    /// Splits of positions.
    splits: SplitRow,
    /// The run with one assumption made pessimistic at a time.
    assumption_bill: BillRow,
    /// The run at several multiples of its costs.
    cost_curve: CostCurveRow,
}

/// The tables of a run, in the order of their writing.
pub fn run_tables() -> &'static [Table] {
    RUN_TABLES
}
