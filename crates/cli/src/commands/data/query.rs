//! `sextant data query`.

use std::process::ExitCode;

use sextant_data::Lake;
use sextant_query::{Cell, LakeQuery, LakeQueryOptions, SqlTable};

use crate::args::{QueryArgs, ResultFormat};
use crate::out::say;
use crate::table::table;

/// Runs one SELECT over the lake and prints the result.
pub(super) fn run(args: &QueryArgs) -> anyhow::Result<ExitCode> {
    let options = LakeQueryOptions {
        memory_limit_mib: args.memory_limit,
        max_rows: args.max_rows,
        ..LakeQueryOptions::default()
    };
    let result = LakeQuery::new(Lake::new(&args.root.data), options)?.sql(&args.sql)?;
    match args.format {
        ResultFormat::Table => say!("{}\n{} rows", as_table(&result), result.rows.len()),
        ResultFormat::Csv => say!("{}", as_csv(&result)),
    }
    Ok(ExitCode::SUCCESS)
}

fn as_table(result: &SqlTable) -> impl std::fmt::Display {
    let is_number = |column: usize| {
        let mut cells = result.rows.iter().map(|row| &row[column]);
        cells.all(|cell| matches!(cell, Cell::Int(_) | Cell::Float(_) | Cell::Null))
    };
    let headings: Vec<String> = result
        .columns
        .iter()
        .enumerate()
        .map(|(column, name)| {
            if is_number(column) {
                format!("#{name}")
            } else {
                name.clone()
            }
        })
        .collect();
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    table(
        &headings,
        result
            .rows
            .iter()
            .map(|row| row.iter().map(Cell::to_string).collect()),
    )
}

fn as_csv(result: &SqlTable) -> String {
    let quoted = |text: String| {
        if text.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    };
    let header = result.columns.iter().map(|name| quoted(name.clone()));
    let rows = result.rows.iter().map(|row| {
        let cells = row.iter().map(|cell| quoted(cell.to_string()));
        cells.collect::<Vec<_>>().join(",")
    });
    std::iter::once(header.collect::<Vec<_>>().join(","))
        .chain(rows)
        .collect::<Vec<_>>()
        .join("\n")
}
