//! DuckDB queries over the lake.
