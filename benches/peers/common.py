"""What the peer benches share: timing, memory, criterion's figures, tables, and the generator of the engine benches."""

import gc
import json
import os
import resource
import statistics
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def timed(work, runs):
    """Medians of the seconds on the clock and of the seconds of all processors, of the runs after one warm-up."""
    clock, processors = [], []
    for _ in range(runs + 1):
        gc.collect()
        start, start_processors = time.perf_counter(), time.process_time()
        work()
        clock.append(time.perf_counter() - start)
        processors.append(time.process_time() - start_processors)
    return statistics.median(clock[1:]), statistics.median(processors[1:])


def peak_mib():
    """Peak resident set of this process in MiB (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def criterion_seconds(folder, bench, figure="median"):
    """A figure of a bench as criterion wrote it last, in seconds; None when it was not run."""
    path = Path(folder) / bench / "new" / "estimates.json"
    if not path.exists():
        return None
    return json.loads(path.read_text())[figure]["point_estimate"] / 1e9


def criterion_best(folder, bench):
    """The best sample of a bench as criterion wrote it last, in seconds a run; None when it was not run."""
    path = Path(folder) / bench / "new" / "sample.json"
    if not path.exists():
        return None
    sample = json.loads(path.read_text())
    return min(time / runs for time, runs in zip(sample["times"], sample["iters"])) / 1e9


def machine():
    """How busy the machine is; a figure of a busy machine is no figure."""
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, load average of the last minute {load:.1f}"


def table(header, rows):
    """A Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def shown(seconds):
    """Seconds, or milliseconds below a tenth of a second."""
    return f"{1e3 * seconds:.1f} ms" if seconds < 0.1 else f"{seconds:.2f} s"


def splitmix64(seed, count):
    """The first numbers of SplitMix64, as `SplitMix64::next_u64` of crates/testkit gives them."""
    with np.errstate(over="ignore"):
        steps = np.arange(1, count + 1, dtype=np.uint64)
        mixed = np.uint64(seed) + steps * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))


# The bar 999 of the walk from 100 by steps of 0.05 % with seed 1; a test of crates/testkit holds the same numbers.
KNOWN_BAR = [96.4904965246344, 96.52690193494615, 96.46843685008085, 96.50150581798836, 3619.878243947177]


def random_walk(count, start_price, step, seed):
    """Open, high, low, close and volume, bit for bit those of `bars::random_walk` of crates/testkit.

    Each bar takes eleven numbers: four for the gap, four for the body, one each for the upper wick, the lower wick and
    the volume.
    """
    uniform = (splitmix64(seed, 11 * count) >> np.uint64(11)).astype(np.float64) * (1.0 / (1 << 53))
    draws = uniform.reshape(count, 11)

    def bell(first):
        total = ((draws[:, first] + draws[:, first + 1]) + draws[:, first + 2]) + draws[:, first + 3]
        return (total - 2.0) * np.sqrt(3.0)

    # `cumprod` multiplies in order, as the walk does: last close x gap = open, open x body = close.
    factors = np.empty(2 * count + 1)
    factors[0] = start_price
    factors[1::2] = 1.0 + (0.2 * step) * bell(0)
    factors[2::2] = 1.0 + step * bell(4)
    prices = np.cumprod(factors)
    opens, closes = prices[1::2].copy(), prices[2::2].copy()
    highs = np.maximum(opens, closes) * (1.0 + step * draws[:, 8])
    lows = np.minimum(opens, closes) * (1.0 - step * draws[:, 9])
    return opens, highs, lows, closes, 1_000.0 + (10_000.0 - 1_000.0) * draws[:, 10]


def check_walk():
    """Fails when the walk is not that of crates/testkit any more."""
    found = [float(values[-1]) for values in random_walk(1_000, 100.0, 0.0005, 1)]
    assert found == KNOWN_BAR, found
