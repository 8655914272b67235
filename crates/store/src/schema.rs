//! The description of a table: the one place from which SQL, appends, digests and the documentation are derived.

use std::fmt::Write;

use duckdb::arrow::datatypes::{DataType, TimeUnit};

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// UTF-8 text.
    Text,
    /// An instant in UTC, exact to the nanosecond.
    Time,
    /// A finite double.
    Float,
    /// A signed 64-bit integer.
    Integer,
    /// An unsigned 64-bit integer.
    Unsigned,
    /// True or false.
    Boolean,
    /// An exact decimal.
    Decimal {
        /// All digits.
        digits: u8,
        /// The digits after the decimal point.
        decimals: u8,
    },
}

impl ColumnKind {
    /// The type in SQL, as DuckDB prints it.
    pub fn sql(self) -> String {
        let name = match self {
            Self::Text => "VARCHAR",
            Self::Time => "TIMESTAMP_NS",
            Self::Float => "DOUBLE",
            Self::Integer => "BIGINT",
            Self::Unsigned => "UBIGINT",
            Self::Boolean => "BOOLEAN",
            Self::Decimal { digits, decimals } => return format!("DECIMAL({digits},{decimals})"),
        };
        name.to_owned()
    }

    pub(crate) fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Time => DataType::Timestamp(TimeUnit::Nanosecond, None),
            Self::Float => DataType::Float64,
            Self::Integer => DataType::Int64,
            Self::Unsigned => DataType::UInt64,
            Self::Boolean => DataType::Boolean,
            Self::Decimal { digits, decimals } => DataType::Decimal128(digits, decimals.cast_signed()),
        }
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: ColumnKind,
    /// Whether it may be null.
    pub nullable: bool,
    pub(crate) raw_doc: &'static str,
}

impl Column {
    /// What it holds, in words.
    pub fn doc(&self) -> &'static str {
        self.raw_doc.trim()
    }

    /// Name, type and constraint, as in `CREATE TABLE`.
    fn definition(&self) -> String {
        let constraint = if self.nullable { "" } else { " NOT NULL" };
        format!("\"{}\" {}{constraint}", self.name, self.kind.sql())
    }
}

/// A table: of a run (a Parquet file, and a table of the database with the run's id in front) or of the database only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns, in order.
    pub columns: &'static [Column],
    pub(crate) raw_doc: &'static str,
}

/// The column that every table of the database has in front.
pub(crate) const RUN_ID_COLUMN: Column = Column {
    name: "run_id",
    kind: ColumnKind::Text,
    nullable: false,
    raw_doc: "The run: 16 hexadecimal digits, the name of its folder.",
};

impl Table {
    /// What a row is, in words.
    pub fn doc(&self) -> &'static str {
        self.raw_doc.trim()
    }

    /// The file name in a run folder.
    pub(crate) fn file_name(&self) -> String {
        format!("{}.parquet", self.name)
    }

    /// The columns quoted and comma-separated, as in `SELECT`.
    pub(crate) fn column_list(&self) -> String {
        let names: Vec<_> = self
            .columns
            .iter()
            .map(|column| format!("\"{}\"", column.name))
            .collect();
        names.join(", ")
    }

    /// `CREATE TABLE` with the columns of the Parquet file.
    pub(crate) fn create_sql(&self) -> String {
        create_sql(self.name, self.columns.iter())
    }

    /// The columns in the database: the run's id, then the table's own.
    pub(crate) fn indexed_columns(&self) -> impl Iterator<Item = &Column> {
        std::iter::once(&RUN_ID_COLUMN).chain(self.columns)
    }

    /// `CREATE TABLE` with the run's id in front, and the comments that a user of the database sees.
    pub(crate) fn create_indexed_sql(&self) -> String {
        let mut sql = create_sql(self.name, self.indexed_columns());
        // Writing to a string cannot fail.
        let _ = writeln!(
            sql,
            "COMMENT ON TABLE \"{}\" IS {};",
            self.name,
            text_literal(self.doc())
        );
        for column in self.indexed_columns() {
            let doc = text_literal(column.doc());
            let _ = writeln!(
                sql,
                "COMMENT ON COLUMN \"{}\".\"{}\" IS {doc};",
                self.name, column.name
            );
        }
        sql
    }
}

fn create_sql<'a>(name: &str, columns: impl Iterator<Item = &'a Column>) -> String {
    let definitions: Vec<_> = columns.map(Column::definition).collect();
    format!("CREATE TABLE \"{name}\" ({});\n", definitions.join(", "))
}

/// A text as an SQL literal.
pub(crate) fn text_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
