//! Bars as arrays of arrow2, handed over through the Arrow C data interface.
//!
//! Both libraries implement the same two C structs, so that one can take over what the other exports. That needs
//! `unsafe`: the layout is guaranteed by the interface's specification and not by the compiler. Nothing of arrow2 but its
//! arrays and its `ffi` module is used.
#![allow(
    unsafe_code,
    reason = "the Arrow C data interface hands structs from one library to the other by their C layout"
)]

use std::mem::{self, ManuallyDrop};

use arrow::array::{Array, RecordBatch, StructArray, make_array};
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow2::array::{Array as _, StructArray as StructArray2};
use arrow2::datatypes::Field as Field2;
use arrow2::ffi::{
    ArrowArray, ArrowSchema, export_array_to_c, export_field_to_c, import_array_from_c, import_field_from_c,
};
use sextant_domain::BarSeries;

use super::{InteropError, TIMES, from_arrow, to_arrow};

/// Bars as a struct array of arrow2 with one field per column. No bars give an array without rows.
///
/// # Errors
/// [`InteropError::Library`] when one of the libraries refuses the columns.
pub fn to_arrow2(bars: &BarSeries) -> Result<StructArray2, InteropError> {
    let rows = StructArray::from(to_arrow(bars)?);
    let (array, schema) = to_ffi(&rows.to_data()).map_err(|error| refused("Arrow", &error))?;
    // SAFETY: both types are the `ArrowArray` and `ArrowSchema` of the Arrow C data interface.
    let (array, schema): (ArrowArray, ArrowSchema) = unsafe { (hand_over(array), hand_over(schema)) };
    // SAFETY: the structs come from `to_ffi` a few lines above, are whole, and describe one another.
    let array =
        unsafe { import_field_from_c(&schema).and_then(|field| import_array_from_c(array, field.data_type)) };
    let array = array.map_err(|error| refused("arrow2", &error))?;
    let rows = array.as_any().downcast_ref::<StructArray2>().cloned();
    rows.ok_or_else(|| refused("arrow2", &"it made no struct array"))
}

/// The bars of a struct array of arrow2, by the names of its fields. An array without rows gives no bars.
///
/// # Errors
/// A missing column, one of another type, a missing value, or rows that are no series of bars.
pub fn from_arrow2(rows: StructArray2) -> Result<BarSeries, InteropError> {
    let field = Field2::new("bars", rows.data_type().clone(), false);
    let (schema, array) = (export_field_to_c(&field), export_array_to_c(rows.boxed()));
    // SAFETY: both types are the `ArrowArray` and `ArrowSchema` of the Arrow C data interface.
    let (array, schema): (FFI_ArrowArray, FFI_ArrowSchema) = unsafe { (hand_over(array), hand_over(schema)) };
    // SAFETY: the structs come from arrow2's exports a few lines above, are whole, and describe one another.
    let data = unsafe { from_ffi(array, &schema) }.map_err(|error| refused("Arrow", &error))?;
    let array = make_array(data);
    let rows = array.as_any().downcast_ref::<StructArray>();
    let rows = rows.ok_or_else(|| refused("Arrow", &"it made no struct array"))?;
    if let Some(row) = (0..rows.len()).find(|row| rows.is_null(*row)) {
        return Err(InteropError::Null {
            column: TIMES[0],
            row,
        });
    }
    from_arrow(&RecordBatch::from(rows))
}

/// The same C struct under the type of the other library, which releases it from now on.
///
/// # Safety
/// `A` and `B` must be the same struct of the Arrow C data interface.
unsafe fn hand_over<A, B>(from: A) -> B {
    const { assert!(mem::size_of::<A>() == mem::size_of::<B>() && mem::align_of::<A>() == mem::align_of::<B>()) };
    let from = ManuallyDrop::new(from);
    // SAFETY: by the caller's word the bytes are a valid `B`; the original is not dropped, so that there is one owner.
    unsafe { mem::transmute_copy::<A, B>(&from) }
}

fn refused(library: &'static str, message: &dyn ToString) -> InteropError {
    InteropError::Library {
        library,
        message: message.to_string(),
    }
}
