//! What DuckDB may use.

use std::path::PathBuf;

use crate::QueryError;

/// The least that DuckDB reads a row group with.
const LEAST_MEMORY_MIB: u32 = 16;

/// What DuckDB may use, and how large a result of SQL may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeQueryOptions {
    /// Memory of DuckDB in MiB, at least 16. Checking a seal and holding a result come on top.
    pub memory_limit_mib: u32,
    /// Threads of DuckDB, at least one. With more than one, sums of numbers may differ in their last bits from run to run.
    pub threads: u32,
    /// Where DuckDB puts what does not fit into memory; `None` makes such a query an error instead.
    pub temp_folder: Option<PathBuf>,
    /// The rows a result of SQL may have.
    pub max_rows: usize,
}

impl Default for LakeQueryOptions {
    /// One GiB, one thread, no temporary files, a million rows.
    fn default() -> Self {
        Self {
            memory_limit_mib: 1_024,
            threads: 1,
            temp_folder: None,
            max_rows: 1_000_000,
        }
    }
}

impl LakeQueryOptions {
    pub(crate) fn check(&self) -> Result<(), QueryError> {
        if self.memory_limit_mib < LEAST_MEMORY_MIB {
            return Err(QueryError::Option {
                option: "memory_limit_mib",
                found: self.memory_limit_mib.to_string(),
                allowed: "16 or more",
            });
        }
        if self.threads == 0 {
            return Err(QueryError::Option {
                option: "threads",
                found: "0".to_owned(),
                allowed: "1 or more",
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn options_that_cannot_work_are_named() {
        LakeQueryOptions::default().check().unwrap();
        let refused = |options: LakeQueryOptions| options.check().unwrap_err().to_string();
        let memory = refused(LakeQueryOptions {
            memory_limit_mib: 15,
            ..LakeQueryOptions::default()
        });
        assert_eq!(memory, "memory_limit_mib: found 15; allowed: 16 or more");
        let threads = refused(LakeQueryOptions {
            threads: 0,
            ..LakeQueryOptions::default()
        });
        assert!(threads.starts_with("threads: found 0"), "{threads}");
    }
}
