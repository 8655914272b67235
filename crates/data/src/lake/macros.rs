//! Macro files.

use std::fs;
use std::path::Path;

use sextant_domain::{Instrument, MacroSeries};

use super::columns::Columns;
use super::meta::FORMAT;
use super::{FileDefect, FileMeta, Lake, MacroMeta, MacroTable, Provenance, atomic, parquet};
use crate::{DataError, commands};

const PUBLISHED: &str = "published";

impl Lake {
    /// Loads and checks a whole macro table by the name of its file; `None` where there is no such file.
    ///
    /// # Errors
    /// When the name cannot be a file name, or [`DataError::Damaged`] when the file must not be used.
    pub fn load_macro_table(&self, name: &str) -> Result<Option<(MacroTable, MacroMeta)>, DataError> {
        let path = self.macro_path(name)?;
        path.is_file().then(|| load(&path, name)).transpose()
    }
}

/// Writes a table to a file.
pub(super) fn write(
    path: &Path,
    name: &str,
    table: &MacroTable,
    provenance: &Provenance,
) -> Result<MacroMeta, DataError> {
    check(name, table)?;
    let (Some(first), Some(last)) = (table.published.first(), table.published.last()) else {
        return Err(table_error(name, "there are no rows"));
    };
    let columns = to_columns(table);
    let mut meta = MacroMeta {
        format: FORMAT,
        name: name.to_owned(),
        series: table.series.iter().map(|(series, _)| series.clone()).collect(),
        rows: table.published.len(),
        first: *first,
        last: *last,
        source: provenance.source.clone(),
        synthetic: provenance.synthetic,
        publication: table.publication.clone(),
        digest: String::new(),
    };
    meta.digest = columns.digest(&identity(&meta));
    let json = FileMeta::Macro(meta.clone()).to_json();
    let encoded = parquet::encode(&columns, json);
    let bytes = encoded.map_err(|message| DataError::Encode {
        path: path.to_owned(),
        message,
    })?;
    atomic::replace(path, &bytes)?;
    Ok(meta)
}

/// Reads and checks a file.
pub(super) fn load(path: &Path, name: &str) -> Result<(MacroTable, MacroMeta), DataError> {
    with_bytes(path, name, |bytes| {
        let (json, mut columns) = parquet::decode(bytes)?;
        let meta = own_meta(&json, name)?;
        let found = columns.digest(&identity(&meta));
        if found != meta.digest {
            return Err(FileDefect::Digest {
                stored: meta.digest,
                found,
            });
        }
        Ok((from_columns(&mut columns, &meta)?, meta))
    })
}

/// The series a file holds, by its metadata.
pub(super) fn series_names(path: &Path, name: &str) -> Result<Vec<String>, DataError> {
    with_bytes(path, name, |bytes| {
        Ok(own_meta(&parquet::decode_metadata(bytes)?, name)?.series)
    })
}

/// One series of a table, without the rows in which it has no value.
pub(super) fn series(table: &MacroTable, name: &str) -> Result<MacroSeries, DataError> {
    let column = table.series.iter().find(|(known, _)| known == name);
    let (_, values) = column.ok_or_else(|| table_error(name, "the table has no such series"))?;
    let rows = table
        .published
        .iter()
        .zip(values)
        .filter(|(_, value)| !value.is_nan());
    let (published, values) = rows.map(|(time, value)| (*time, *value)).unzip();
    MacroSeries::new(name, published, values).map_err(|error| table_error(name, &error.to_string()))
}

fn with_bytes<T>(
    path: &Path,
    name: &str,
    read: impl FnOnce(&[u8]) -> Result<T, FileDefect>,
) -> Result<T, DataError> {
    let bytes = fs::read(path).map_err(DataError::io("read", path))?;
    read(&bytes).map_err(|defect| DataError::Damaged {
        path: path.to_owned(),
        defect,
        command: commands::import_macro(name),
    })
}

fn own_meta(json: &str, name: &str) -> Result<MacroMeta, FileDefect> {
    let meta = FileMeta::from_json(json)?;
    let found = meta.title();
    match meta {
        FileMeta::Macro(meta) if meta.name == name => Ok(meta),
        _ => Err(FileDefect::OtherContent {
            expected: format!("the macro table {name}"),
            found,
        }),
    }
}

fn identity(meta: &MacroMeta) -> String {
    let MacroMeta {
        format,
        name,
        synthetic,
        publication,
        ..
    } = meta;
    format!("macro\n{format}\n{name}\nsynthetic {synthetic}\n{publication}")
}

fn check(name: &str, table: &MacroTable) -> Result<(), DataError> {
    if table.series.is_empty() {
        return Err(table_error(name, "there are no series"));
    }
    for (index, (series, values)) in table.series.iter().enumerate() {
        Instrument::validate_symbol(series)?;
        let twice = table.series[..index].iter().any(|(known, _)| known == series);
        if twice || series == PUBLISHED {
            return Err(table_error(name, &format!("the series name `{series}` is taken")));
        }
        if let Some(value) = values.iter().find(|value| value.is_infinite()) {
            return Err(table_error(
                name,
                &format!("{series} has the value {value}; allowed are finite numbers"),
            ));
        }
        // The vocabulary's own check of lengths and order.
        let present: Vec<f64> = values
            .iter()
            .map(|value| if value.is_nan() { 0.0 } else { *value })
            .collect();
        MacroSeries::new(series.as_str(), table.published.clone(), present)
            .map_err(|error| table_error(name, &error.to_string()))?;
    }
    Ok(())
}

fn table_error(name: &str, problem: &str) -> DataError {
    DataError::MacroTable {
        name: name.to_owned(),
        problem: problem.to_owned(),
    }
}

fn to_columns(table: &MacroTable) -> Columns {
    let published = table.published.iter().map(|time| time.nanos()).collect();
    Columns {
        times: vec![(PUBLISHED.to_owned(), published)],
        values: table.series.clone(),
    }
}

fn from_columns(columns: &mut Columns, meta: &MacroMeta) -> Result<MacroTable, FileDefect> {
    let found: Vec<&String> = columns.values.iter().map(|(name, _)| name).collect();
    if columns.times.len() != 1 || found != meta.series.iter().collect::<Vec<_>>() {
        return Err(FileDefect::Columns(format!("{found:?}")));
    }
    let published = columns.take_times(PUBLISHED);
    let published = published.ok_or_else(|| FileDefect::Columns(format!("`{PUBLISHED}` is missing")))?;
    let series = std::mem::take(&mut columns.values);
    Ok(MacroTable {
        published,
        series,
        publication: meta.publication.clone(),
    })
}
