"""vectorbt (numba and rust), backtesting.py and nautilus_trader on W1 and W3, and the ratios to ours.

Each peer runs in a process of its own, so that its peak memory is its own. Inputs are ready before the clock starts, and
the first run, which compiles, is stated apart. Ours is what criterion wrote last; run
`cargo xtask bench --bench engine --bench vectorised` in the same session, on the same idle machine.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import common
import works

# (work, peer, what it needs, runs)
PEERS = [
    ("W1", "vectorbt, numba", "vectorbt", 5),
    ("W1", "vectorbt, rust", "vectorbt", 5),
    ("W1", "vectorbt, numba, kernel alone", "vectorbt", 5),
    ("W1", "vectorbt, rust, kernel alone", "vectorbt", 5),
    ("W1", "backtesting.py", "vectorbt", 5),
    ("W1", "nautilus_trader", "nautilus", 5),
    ("W3", "vectorbt, numba", "vectorbt", 5),
    ("W3", "vectorbt, rust", "vectorbt", 5),
    ("W3", "nautilus_trader", "nautilus", 5),
]
# By events, and by columns as vectorbt works; both know every risk rule and send the same orders.
OURS = {
    "W1": ("engine/sma_cross_5bp_all_rules/1000000", "vectorised/sma_cross_5bp_all_rules_vectorised/1000000"),
    "W3": ("engine/momentum_top_decile_5bp/500x2520", "engine/momentum_top_decile_5bp_vectorised/500x2520"),
}


def prepared(work, peer, series):
    """(what to make anew for each run, the run, what it comes to)."""
    import engine_peers as peers

    nothing = lambda: None
    engine = "rust" if "rust" in peer else "numba"
    if peer.startswith("vectorbt"):
        if "kernel" in peer:
            run, outcome = peers.vectorbt_w1_kernel(series, engine)
        else:
            run, outcome = (peers.vectorbt_w1 if work == "W1" else peers.vectorbt_w3)(series, engine)
        return nothing, lambda _: run(), outcome
    if peer == "backtesting.py":
        run, outcome = peers.backtesting_w1(series)
        return nothing, lambda _: run(), outcome
    return peers.nautilus_w1(series) if work == "W1" else peers.nautilus_w3(series)


def one(work, peer, folder, runs):
    """Runs one peer and prints what it measured as a line of JSON."""
    make, run, outcome = prepared(work, peer, works.load_input(Path(folder), work))
    before, seconds, processors = common.peak_mib(), [], []
    for _ in range(runs + 1):
        made = make()
        start, start_processors = time.perf_counter(), time.process_time()
        result = run(made)
        seconds.append(time.perf_counter() - start)
        processors.append(time.process_time() - start_processors)
        orders, equity = outcome(result)
        # A slow peer is not run for ever: its spread is small beside its time.
        if sum(seconds) > 240.0 and len(seconds) >= 2:
            break
    figures = {"first": seconds[0], "best": min(seconds[1:]), "cpu": min(processors[1:]), "runs": len(seconds) - 1}
    figures |= {"orders": int(orders), "equity": equity, "input_mib": before, "peak_mib": common.peak_mib()}
    print(json.dumps(figures))


def measured(work, peer, python, folder, runs):
    command = [python, __file__, "--one", work, peer, folder, "--runs", str(runs)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def row(work, peer, figures, ours):
    if "error" in figures:
        return [work, peer, f"failed: {figures['error'][:80]}", "", "", "", "", "", "", ""]
    ratios = [f"{figures['best'] / one:.2f}" if one else "ours not run" for one in ours]
    equity = f"{figures['equity']:.6g}" if figures["equity"] is not None else ""
    best = f"{figures['best']:.3f} s (of {figures['runs']})"
    memory = f"{figures['peak_mib']:.0f} MiB (input {figures['input_mib']:.0f})"
    return [work, peer, best, *ratios, f"{figures['cpu']:.3f} s", f"{figures['first']:.2f} s", memory, f"{figures['orders']:,}", equity]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--criterion", default=common.ROOT / "target" / "criterion", type=Path)
    parser.add_argument("--nautilus-python", help="the Python that has requirements-nautilus.txt; without it, none is run")
    parser.add_argument("--only", default="", help="peers whose work and name contain this, such as `W1 vectorbt`")
    parser.add_argument("--runs", type=int, help="measured runs of each, instead of five")
    parser.add_argument("--one", nargs=3, metavar=("WORK", "PEER", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        return one(*arguments.one, arguments.runs)
    before = common.machine()
    with tempfile.TemporaryDirectory() as folder:
        works.save_inputs(Path(folder))
        rows = rows_of("W1", works.w1_reference, folder, arguments) + rows_of("W3", works.w3_reference, folder, arguments)
    rows.append(["W3", "backtesting.py", "cannot: one instrument a run, no shared account", "", "", "", "", "", "", ""])
    header = ["work", "engine", "best", "/ ours by events", "/ ours by columns", "CPU", "first run", "peak memory", "orders", "final equity"]
    print(common.table(header, rows))
    print(f"\nBefore: {before}. After: {common.machine()}.")


def rows_of(work, reference, folder, arguments):
    """The plain loop, ours, and every peer that is asked for."""
    series = works.load_input(Path(folder), work)
    orders, equity = reference(series[0], series[3 if work == "W1" else 1])
    rows = [[work, "plain loop, for the result alone", "", "", "", "", "", "", f"{orders:,}", f"{equity:.6g}"]]
    ours = [common.criterion_best(arguments.criterion, bench) for bench in OURS[work]]
    for name, seconds in zip(["by events", "by columns"], ours):
        if seconds:
            ratios = [f"{seconds / one:.2f}" if one else "" for one in ours]
            rows.append([work, f"ours {name}, best sample of criterion", f"{seconds:.3f} s", *ratios, "", "", "", "", ""])
    for its_work, peer, needs, runs in PEERS:
        if its_work != work or arguments.only not in f"{work} {peer}":
            continue
        python = arguments.nautilus_python if needs == "nautilus" else sys.executable
        if python:
            print(f"{work}, {peer} ...", file=sys.stderr)
            rows.append(row(work, peer, measured(work, peer, python, folder, arguments.runs or runs), ours))
    return rows


if __name__ == "__main__":
    main()
