//! The macro that makes a row struct, its table description and its encoding from one definition.

use crate::cell::{CellProblem, CellValue};
use crate::codec::{ColumnBuilder, ColumnReader};
use crate::schema::Table;

/// A row struct that is a table.
pub(crate) trait Row: Sized {
    /// The table.
    const TABLE: Table;

    /// Adds the row to the columns; on failure says which column refused it.
    fn append(&self, columns: &mut [ColumnBuilder]) -> Result<(), (usize, CellProblem)>;

    /// Reads a row; on failure says which column could not be read.
    fn read(columns: &[ColumnReader<'_>], row: usize) -> Result<Self, (usize, CellProblem)>;
}

/// Puts one value into one column.
pub(crate) fn push(
    columns: &mut [ColumnBuilder],
    index: usize,
    value: Result<CellValue<'_>, CellProblem>,
) -> Result<(), (usize, CellProblem)> {
    value
        .and_then(|value| columns[index].push(value))
        .map_err(|problem| (index, problem))
}

/// Defines a row struct with `/// docs`, extra derives in brackets, and the name of its table. The docs of the struct
/// and of its fields become the docs of the table and its columns.
macro_rules! table {
    (
        $(#[doc = $table_doc:literal])+
        $row:ident [$($derive:ident),*] in $name:literal {
            $($(#[doc = $doc:literal])+ $field:ident: $type:ty,)+
        }
    ) => {
        $(#[doc = $table_doc])+
        #[derive(Debug, Clone, PartialEq, $($derive),*)]
        pub struct $row {
            $($(#[doc = $doc])+ pub $field: $type,)+
        }

        impl $crate::row::Row for $row {
            const TABLE: $crate::schema::Table = $crate::schema::Table {
                name: $name,
                raw_doc: concat!($($table_doc),+),
                columns: &[$($crate::schema::Column {
                    name: stringify!($field),
                    kind: <$type as $crate::cell::Cell>::KIND,
                    nullable: <$type as $crate::cell::Cell>::NULLABLE,
                    raw_doc: concat!($($doc),+),
                }),+],
            };

            fn append(
                &self,
                columns: &mut [$crate::codec::ColumnBuilder],
            ) -> Result<(), (usize, $crate::cell::CellProblem)> {
                let mut indices = 0..;
                $($crate::row::push(
                    columns,
                    indices.next().unwrap_or(usize::MAX),
                    $crate::cell::Cell::to_value(&self.$field),
                )?;)+
                Ok(())
            }

            fn read(
                columns: &[$crate::codec::ColumnReader<'_>],
                row: usize,
            ) -> Result<Self, (usize, $crate::cell::CellProblem)> {
                let mut cells = columns.iter().enumerate().map(|(index, column)| (index, column.get(row)));
                Ok(Self {
                    $($field: {
                        let (index, value) = cells.next().unwrap_or((0, $crate::cell::CellValue::Null));
                        $crate::cell::Cell::from_value(value).map_err(|problem| (index, problem))?
                    },)+
                })
            }
        }
    };
}

pub(crate) use table;
