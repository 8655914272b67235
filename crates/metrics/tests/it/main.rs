//! Golden vectors, recorded numbers of independent implementations, real data and speed.
#![allow(clippy::unwrap_used)]

mod goldens;
mod oracle;
mod real_data;
mod speed;
mod stationarity;

/// Asserts equality to a relative tolerance and shows both numbers.
#[track_caller]
fn assert_relative(found: f64, wanted: f64, tolerance: f64) {
    let error = (found - wanted).abs() / wanted.abs();
    assert!(
        error <= tolerance,
        "found {found}, wanted {wanted}, relative error {error:e}"
    );
}
