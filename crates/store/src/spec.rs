//! The generated part of `specs/data-model.md`.

use std::fmt::Write;

use crate::index_rows::index_tables;
use crate::run_tables::run_tables;
use crate::schema::{Column, Table};

/// All tables with their columns as Markdown, made from the descriptions that the code itself works with.
pub fn tables_markdown() -> String {
    let mut text = String::from("### Tables of a run\n");
    run_tables().iter().for_each(|table| describe(table, &mut text));
    text.push_str("\n### Tables that only the database has\n");
    index_tables().iter().for_each(|table| describe(table, &mut text));
    text
}

fn describe(table: &Table, text: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(text, "\n#### `{}`\n\n{}\n\n", table.name, table.doc());
    text.push_str("| column | type | null | meaning |\n|---|---|---|---|\n");
    for column in table.columns {
        let _ = writeln!(text, "{}", line(column));
    }
}

fn line(column: &Column) -> String {
    let nullable = if column.nullable { "yes" } else { "" };
    let doc = column.doc().replace('|', "\\|");
    format!(
        "| `{}` | `{}` | {nullable} | {doc} |",
        column.name,
        column.kind.sql()
    )
}
