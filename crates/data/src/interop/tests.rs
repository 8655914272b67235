//! Tables that come back as the same bars, and tables that are refused by the name of what is wrong.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use ::arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use ::arrow::datatypes::Schema;
use ::polars::prelude::{Column, DataFrame, DataType, TimeUnit};

use super::*;

fn bars(count: i64) -> BarSeries {
    let bar = |n: i64| {
        let close = 100.0 + (n as f64 * 0.37).sin();
        Bar {
            open_time: UtcNanos::from_nanos(n * 60_000_000_001 - 500),
            close_time: UtcNanos::from_nanos((n + 1) * 60_000_000_001 - 500),
            open: close + 0.1,
            high: close + 0.5,
            low: close - 0.5,
            close,
            volume: n as f64 / 3.0,
        }
    };
    BarSeries::from_bars((0..count).map(bar)).unwrap()
}

#[test]
fn bars_come_back_from_both_libraries() {
    for count in [0, 1, 1_000] {
        let frame = to_polars(&bars(count)).unwrap();
        assert_eq!(frame.height() as i64, count);
        assert_eq!(from_polars(&frame).unwrap(), bars(count));
        let batch = to_arrow(&bars(count)).unwrap();
        assert_eq!(batch.num_rows() as i64, count);
        assert_eq!(from_arrow(&batch).unwrap(), bars(count));
        let names: Vec<_> = frame
            .columns()
            .iter()
            .map(|column| column.name().to_string())
            .collect();
        let fields: Vec<_> = batch
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        assert_eq!(names, fields);
        assert_eq!(
            names,
            [
                "open_time",
                "close_time",
                "open",
                "high",
                "low",
                "close",
                "volume"
            ]
        );
    }
}

#[test]
fn order_and_further_columns_do_not_matter() {
    let mut columns = to_polars(&bars(5)).unwrap().columns().to_vec();
    columns.reverse();
    columns.push(Column::new("signal".into(), [1_i32, 2, 3, 4, 5]));
    assert_eq!(
        from_polars(&DataFrame::new(5, columns).unwrap()).unwrap(),
        bars(5)
    );
    let batch = to_arrow(&bars(5))
        .unwrap()
        .project(&[6, 5, 4, 3, 2, 1, 0])
        .unwrap();
    assert_eq!(from_arrow(&batch).unwrap(), bars(5));
}

/// A frame with one column replaced.
fn frame_with(column: Column) -> String {
    let mut frame = to_polars(&bars(3)).unwrap();
    frame.with_column(column).unwrap();
    from_polars(&frame).unwrap_err().to_string()
}

#[test]
fn frames_that_are_no_bars_are_refused() {
    let micros = Column::new("open_time".into(), [1_i64, 2, 3])
        .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
        .unwrap();
    let zoneless = Column::new("close_time".into(), [1_i64, 2, 3])
        .cast(&DataType::Datetime(TimeUnit::Nanoseconds, None))
        .unwrap();
    let cases = [
        (frame_with(micros), "`open_time` has the type"),
        (frame_with(zoneless), "nanoseconds in UTC"),
        (
            frame_with(Column::new("close".into(), ["a", "b", "c"])),
            "`close` has the type",
        ),
        (
            frame_with(Column::new("volume".into(), [1.0_f32, 2.0, 3.0])),
            "64-bit",
        ),
        (
            frame_with(Column::new("low".into(), [Some(90.0), None, Some(90.0)])),
            "`low` has no value in row 1",
        ),
        (frame_with(Column::new("high".into(), [90.0; 3])), "no series"),
        (frame_with(Column::new("open".into(), [f64::NAN; 3])), "no series"),
    ];
    for (message, part) in cases {
        assert!(message.contains(part), "{message}");
    }
    let frame = to_polars(&bars(3)).unwrap().drop("volume").unwrap();
    let message = from_polars(&frame).unwrap_err().to_string();
    assert!(
        message.contains("`volume` is missing; there are: open_time, close_time"),
        "{message}"
    );
}

/// A batch with one column replaced.
fn batch_with(column: usize, array: ArrayRef) -> String {
    let batch = to_arrow(&bars(3)).unwrap();
    let mut arrays = batch.columns().to_vec();
    let mut fields: Vec<_> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| field.as_ref().clone())
        .collect();
    fields[column] = fields[column]
        .clone()
        .with_data_type(array.data_type().clone())
        .with_nullable(true);
    arrays[column] = array;
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    from_arrow(&batch).unwrap_err().to_string()
}

#[test]
fn batches_that_are_no_bars_are_refused() {
    let micros = TimestampMicrosecondArray::from(vec![1, 2, 3]).with_timezone("UTC");
    let cases = [
        (batch_with(0, Arc::new(micros)), "`open_time` has the type"),
        (
            batch_with(1, Arc::new(Int64Array::from(vec![1, 2, 3]))),
            "nanoseconds in UTC",
        ),
        (
            batch_with(5, Arc::new(StringArray::from(vec!["a", "b", "c"]))),
            "`close` has the type",
        ),
        (
            batch_with(4, Arc::new(Float64Array::from(vec![Some(90.0), None, None]))),
            "`low` has no value in row 1",
        ),
        (
            batch_with(3, Arc::new(Float64Array::from(vec![90.0; 3]))),
            "no series",
        ),
    ];
    for (message, part) in cases {
        assert!(message.contains(part), "{message}");
    }
    let batch = to_arrow(&bars(3)).unwrap().project(&[0, 1, 2]).unwrap();
    let message = from_arrow(&batch).unwrap_err().to_string();
    assert!(
        message.contains("`high` is missing; there are: open_time, close_time, open"),
        "{message}"
    );
}

#[cfg(feature = "arrow2-interop")]
#[test]
fn bars_come_back_from_arrow2() {
    use ::arrow2::array::Array;

    for count in [0, 1, 1_000] {
        let array = to_arrow2(&bars(count)).unwrap();
        assert_eq!(array.len() as i64, count);
        let names: Vec<_> = array.fields().iter().map(|field| field.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "open_time",
                "close_time",
                "open",
                "high",
                "low",
                "close",
                "volume"
            ]
        );
        assert_eq!(from_arrow2(array).unwrap(), bars(count));
    }
}

#[cfg(feature = "arrow2-interop")]
#[test]
fn values_of_arrow2_are_those_of_the_bars() {
    use ::arrow2::array::{Array, PrimitiveArray, StructArray};
    use ::arrow2::datatypes::{DataType, Field};

    let array = to_arrow2(&bars(9)).unwrap();
    let close = array.values()[5]
        .as_any()
        .downcast_ref::<PrimitiveArray<f64>>()
        .unwrap();
    assert_eq!(close.values().as_slice(), bars(9).closes());
    let sliced = array.clone().sliced(2, 3);
    assert_eq!(from_arrow2(sliced).unwrap().bar(0), bars(9).bar(2));

    let fields = array.data_type().clone();
    let missing = StructArray::new(fields, array.values().to_vec(), Some([false; 9].into()));
    let message = from_arrow2(missing).unwrap_err().to_string();
    assert!(message.contains("no value in row 0"), "{message}");

    let field = Field::new("close", DataType::Float64, false);
    let alone = StructArray::new(DataType::Struct(vec![field]), vec![close.clone().boxed()], None);
    let message = from_arrow2(alone).unwrap_err().to_string();
    assert!(
        message.contains("`open_time` is missing; there are: close"),
        "{message}"
    );
}
