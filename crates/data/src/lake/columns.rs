//! Named columns, as they lie in a file: the form between tables in memory and Parquet.

use std::ops::Range;

use sextant_domain::UtcNanos;

/// Columns of equal length: instants first, then numbers. In a number column NaN stands for "no value".
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns {
    pub(super) times: Vec<(String, Vec<i64>)>,
    pub(super) values: Vec<(String, Vec<f64>)>,
}

impl Columns {
    pub(super) fn rows(&self) -> usize {
        let times = self.times.first().map(|(_, column)| column.len());
        times
            .or_else(|| self.values.first().map(|(_, column)| column.len()))
            .unwrap_or(0)
    }

    /// Some of the rows.
    pub(super) fn slice(&self, rows: &Range<usize>) -> Self {
        Self {
            times: part(&self.times, rows),
            values: part(&self.values, rows),
        }
    }

    /// Adds the rows of other columns, which must have the same names in the same order; else it says which they have.
    pub(super) fn append(&mut self, other: &Self) -> Result<(), String> {
        let fits = names(&self.times).eq(names(&other.times)) && names(&self.values).eq(names(&other.values));
        if !fits {
            return Err(names(&other.times)
                .chain(names(&other.values))
                .collect::<Vec<_>>()
                .join(", "));
        }
        extend(&mut self.times, &other.times);
        extend(&mut self.values, &other.values);
        Ok(())
    }

    /// BLAKE3 over the identity, then over name, length and little-endian bytes of every column, in order, in
    /// hexadecimal. It says what the content is, whatever program or version wrote the bytes of the file.
    pub(super) fn digest(&self, identity: &str) -> String {
        let mut hasher = blake3::Hasher::new();
        update_sized(&mut hasher, identity.as_bytes());
        for (name, column) in &self.times {
            update_sized(&mut hasher, name.as_bytes());
            update_column(&mut hasher, column, |time| time.to_le_bytes());
        }
        for (name, column) in &self.values {
            update_sized(&mut hasher, name.as_bytes());
            update_column(&mut hasher, column, |value| canonical(*value).to_le_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Takes a time column out by name.
    pub(super) fn take_times(&mut self, name: &str) -> Option<Vec<UtcNanos>> {
        let column = self.times.iter_mut().find(|(known, _)| known == name)?;
        Some(
            std::mem::take(&mut column.1)
                .into_iter()
                .map(UtcNanos::from_nanos)
                .collect(),
        )
    }

    /// Takes a number column out by name.
    pub(super) fn take_values(&mut self, name: &str) -> Option<Vec<f64>> {
        let column = self.values.iter_mut().find(|(known, _)| known == name)?;
        Some(std::mem::take(&mut column.1))
    }
}

type Named<T> = Vec<(String, Vec<T>)>;

fn names<T>(columns: &Named<T>) -> impl Iterator<Item = &str> {
    columns.iter().map(|(name, _)| name.as_str())
}

fn part<T: Copy>(columns: &Named<T>, rows: &Range<usize>) -> Named<T> {
    let part = |(name, column): &(String, Vec<T>)| (name.clone(), column[rows.clone()].to_vec());
    columns.iter().map(part).collect()
}

fn extend<T: Copy>(columns: &mut Named<T>, others: &Named<T>) {
    for ((_, column), (_, other)) in columns.iter_mut().zip(others) {
        column.extend_from_slice(other);
    }
}

/// Every NaN is the same "no value".
fn canonical(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value }
}

fn update_sized(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
}

fn update_column<T>(hasher: &mut blake3::Hasher, column: &[T], bytes: impl Fn(&T) -> [u8; 8]) {
    hasher.update(&(column.len() as u64).to_le_bytes());
    let mut block = [0_u8; 8 * 1024];
    for part in column.chunks(1024) {
        for (place, value) in block.chunks_exact_mut(8).zip(part) {
            place.copy_from_slice(&bytes(value));
        }
        hasher.update(&block[..8 * part.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Columns {
        let times = (0..3_000_i64).collect();
        let values = (0..3_000).map(|n| f64::from(n) + 0.5).collect();
        Columns {
            times: vec![("open_time".to_owned(), times)],
            values: vec![("close".to_owned(), values)],
        }
    }

    #[test]
    fn the_digest_sees_every_part() {
        let good = columns();
        let digest = good.digest("SPY");
        assert_eq!(digest, columns().digest("SPY"));
        assert_ne!(digest, good.digest("QQQ"));
        let mut changed = vec![columns(); 4];
        changed[0].times[0].1[2_999] += 1;
        changed[1].values[0].1[0] = -0.5;
        changed[2].values[0].0 = "open".to_owned();
        changed[3].values[0].1.pop();
        for columns in changed {
            assert_ne!(digest, columns.digest("SPY"));
        }
    }

    #[test]
    fn parts_make_up_the_whole_and_other_columns_are_refused() {
        let whole = columns();
        let mut made = whole.slice(&(0..0));
        for rows in [0..1, 1..2_000, 2_000..3_000] {
            assert_eq!(made.append(&whole.slice(&rows)), Ok(()));
        }
        assert_eq!(made, whole);
        let mut other = columns();
        other.values[0].0 = "open".to_owned();
        assert_eq!(made.append(&other), Err("open_time, open".to_owned()));
        assert_eq!(made, whole);
    }

    #[test]
    fn the_digest_is_the_same_on_every_machine() {
        // From the PyPI package blake3 over the same bytes; a change means that digests of stored files no longer fit.
        let columns = Columns {
            times: vec![("t".to_owned(), vec![1, -1])],
            values: vec![("v".to_owned(), vec![1.5, f64::NAN])],
        };
        assert_eq!(
            columns.digest("x"),
            "b377ff22e4474061334393348ec62643a203b0a963fae8cbb58202d1999148fb"
        );
    }
}
