//! Tables for the terminal.

use comfy_table::modifiers::UTF8_ROUND_CORNERS;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

/// A table with headings; columns whose heading begins with `#` are numbers and stand right.
pub(crate) fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table
        .load_preset(UTF8_FULL_CONDENSED)
        .apply_modifier(UTF8_ROUND_CORNERS);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    let align = |heading: &str| {
        if heading.starts_with('#') {
            CellAlignment::Right
        } else {
            CellAlignment::Left
        }
    };
    let header = headings
        .iter()
        .map(|one| Cell::new(one.trim_start_matches('#')).set_alignment(align(one)));
    table.set_header(header.collect::<Vec<_>>());
    for row in rows {
        let cells = row
            .into_iter()
            .zip(headings)
            .map(|(cell, heading)| Cell::new(cell).set_alignment(align(heading)));
        table.add_row(cells.collect::<Vec<_>>());
    }
    table
}
