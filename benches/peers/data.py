"""Polars, DuckDB and pandas on the works of crates/data/benches/lake.rs, and the ratios to ours.

The input is the synthetic walk of that bench, number for number. Ours are the medians that criterion wrote last; run
`cargo xtask bench --bench lake` in the same session, on the same idle machine.
"""

import argparse
import datetime
import gzip
import os
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl

import common

MINUTES, SYMBOLS, DAYS = 1_000_000, 500, 2_520
PRICES = ["open", "high", "low", "close"]


def minute_walk(count):
    """The walk of `write_minutes` in lake.rs: (open, high, low, close, volume) as the file has them, as text."""
    mask = (1 << 64) - 1
    state, price = 7, 10_000.0
    for _ in range(count):
        state = (state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) & mask
        step = (state >> 40) / (1 << 24) - 0.5
        begin, end = price, max(price + 8.0 * step, 100.0)
        high, low = max(begin, end) + 1.25, min(begin, end) - 1.25
        yield f"{begin:.2f},{high:.2f},{low:.2f},{end:.2f},{3.0 + step:.8f}"
        price = float(f"{end:.2f}")


def write_minutes(path):
    time, minute = datetime.datetime(2018, 1, 1), datetime.timedelta(minutes=1)
    with gzip.open(path, "wt", compresslevel=6, newline="\n") as out:
        out.write("timestamp,open,high,low,close,volume\n")
        for row in minute_walk(MINUTES):
            out.write(f"{time.isoformat()}Z,{row}\n")
            time += minute


def write_days(folder):
    """One file per symbol with the daily bars of `daily_universe` in lake.rs, in the columns that our lake has."""
    n = np.arange(DAYS)
    opens = (n * 86_400 * 10**9).astype("datetime64[ns]")
    closes = ((n + 1) * 86_400 * 10**9).astype("datetime64[ns]")
    frame = pl.DataFrame(
        {
            "open_time": opens,
            "close_time": closes,
            "open": 100.0 + (n % 7) / 7.0,
            "high": np.full(DAYS, 102.0),
            "low": np.full(DAYS, 98.0),
            "close": 100.0 + (n % 11) / 11.0,
            "volume": n.astype(np.float64),
        }
    )
    paths = [folder / f"X{n}_1D.parquet" for n in range(SYMBOLS)]
    for path in paths:
        frame.write_parquet(path, compression="zstd")
    return paths


def resamples(frame):
    """The same 4-hour bars of the UTC grid, by each peer, from what it holds in memory."""
    lazy = frame.lazy()
    polars_aggregates = [
        pl.col("open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
        pl.col("volume").sum(),
    ]

    def by_polars():
        return lazy.group_by_dynamic("timestamp", every="4h").agg(polars_aggregates).collect()

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("source", frame.to_arrow())
    connection.execute("CREATE TABLE bars AS SELECT timestamp::TIMESTAMP AS timestamp, * EXCLUDE timestamp FROM source")

    def by_duckdb():
        return connection.sql(
            """SELECT time_bucket(INTERVAL '4 hours', timestamp) AS bucket, arg_min(open, timestamp) AS open,
                      max(high) AS high, min(low) AS low, arg_max(close, timestamp) AS close, sum(volume) AS volume
               FROM bars GROUP BY bucket ORDER BY bucket"""
        ).to_arrow_table()

    indexed = frame.to_pandas().set_index("timestamp")
    pandas_aggregates = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}

    def by_pandas():
        return indexed.resample("4h").agg(pandas_aggregates)

    return {"polars": by_polars, "duckdb": by_duckdb, "pandas": by_pandas}


def check_resampled(works):
    """All peers give the same bars; sums of volumes may differ in their last digits."""
    bars = {
        "polars": works["polars"]().to_pandas(),
        "duckdb": works["duckdb"]().to_pandas(),
        "pandas": works["pandas"]().reset_index(),
    }
    first = bars["polars"]
    for peer, other in bars.items():
        assert len(other) == len(first) == -(-MINUTES // 240), (peer, len(other))
        for price in PRICES:
            assert (other[price].to_numpy() == first[price].to_numpy()).all(), (peer, price)
        np.testing.assert_allclose(other["volume"], first["volume"], rtol=1e-12, err_msg=peer)
    return len(first)


def imports(source, folder):
    """CSV.gz to Parquet. None checks rows, seals the file or computes a digest, as our import does."""

    def by_polars():
        pl.read_csv(source, try_parse_dates=True).write_parquet(folder / "polars.parquet")

    def by_duckdb():
        with duckdb.connect() as connection:
            connection.execute(
                f"COPY (SELECT * FROM read_csv('{source}')) TO '{folder / 'duckdb.parquet'}' (FORMAT parquet, COMPRESSION zstd)"
            )

    def by_pandas():
        pd.read_csv(source, parse_dates=["timestamp"]).to_parquet(folder / "pandas.parquet")

    return {"polars": by_polars, "duckdb": by_duckdb, "pandas": by_pandas}


def check_imported(folder):
    frames = [pl.read_parquet(folder / f"{peer}.parquet") for peer in ("polars", "duckdb", "pandas")]
    for frame in frames:
        assert frame.height == MINUTES, frame.height
        assert (frame["close"] == frames[0]["close"]).all()
        assert frame["timestamp"].dtype.is_temporal(), frame.schema


def loads(paths):
    """Every symbol whole: polars and pandas file by file, as our lake does; DuckDB all in one query."""
    pattern = paths[0].parent / "*.parquet"

    def by_polars():
        return sum(pl.read_parquet(path).height for path in paths)

    def by_duckdb():
        with duckdb.connect() as connection:
            query = f"SELECT * FROM read_parquet('{pattern}', filename = true)"
            return connection.sql(query).to_arrow_table().num_rows

    def by_pandas():
        return sum(len(pd.read_parquet(path)) for path in paths)

    return {"polars": by_polars, "duckdb": by_duckdb, "pandas": by_pandas}


def measure(works, runs):
    return {peer: common.timed(work, runs) for peer, work in works.items()}


def cell(figures, ours):
    clock, processors = figures
    ratio = f" ({clock / ours:.2f} x)" if ours else ""
    return f"{common.shown(clock)}{ratio}, CPU {common.shown(processors)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--criterion", default=common.ROOT / "target" / "criterion", type=Path)
    parser.add_argument("--runs", default=7, type=int, help="measured runs after one warm-up; at least 7")
    arguments = parser.parse_args()
    runs = max(arguments.runs, 7)
    before = common.machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "minutes.csv.gz"
        write_minutes(source)
        results = {}
        works = imports(source, folder)
        results["import 1,000,000 minute bars, CSV.gz to Parquet"] = ("million_minutes/import_csv_gz", measure(works, runs))
        check_imported(folder)
        frame = pl.read_parquet(folder / "polars.parquet")
        works = resamples(frame)
        count = check_resampled(works)
        results[f"resample 1,000,000 minute bars to {count:,} of 4 hours"] = (
            "million_minutes/resample_to_4h",
            measure(works, runs),
        )
        days = folder / "days"
        days.mkdir()
        works = loads(write_days(days))
        assert all(work() == SYMBOLS * DAYS for work in works.values())
        results[f"load {SYMBOLS} symbols x {DAYS:,} daily bars, {SYMBOLS} Parquet files"] = (
            "daily_universe/load_500_symbols",
            measure(works, runs),
        )
    rows = []
    for work, (bench, peers) in results.items():
        ours = common.criterion_seconds(arguments.criterion, bench)
        cells = [cell(figures, ours) for figures in peers.values()]
        rows.append([work, common.shown(ours) if ours else "not run", *cells])
    print(common.table(["work", "ours", "polars", "duckdb", "pandas"], rows))
    print(f"\nMedians of {runs} runs; in brackets the time of the peer / ours; CPU is the time of all processors.")
    versions = f"polars {pl.__version__}, duckdb {duckdb.__version__}, pandas {pd.__version__}"
    print(f"{versions}; threads: polars {pl.thread_pool_size()}, duckdb {os.cpu_count()}, pandas 1.")
    print(f"Before: {before}. After: {common.machine()}.")


if __name__ == "__main__":
    main()
