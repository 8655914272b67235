"""The two works of the engine benches: their input, their signals, and what a run of them comes to.

W1: one instrument x 1,000,000 bars. At the close of a bar, be long with everything when SMA(20) is above SMA(60), flat
otherwise; fill at the next open; 5 basis points a side.

W3: 500 instruments x 2,520 days. At the close of every fifth day from day 60 on (counted from 0), hold the 50 with the
highest close / close 60 days before, equally weighted; fill at the next open; 5 basis points a side.
"""

import numpy as np

import common

FEE = 0.0005
CASH = 1e9
W1_BARS, FAST, SLOW = 1_000_000, 20, 60
W3_NAMES, W3_DAYS, LOOKBACK, HELD, EVERY = 500, 2_520, 60, 50, 5


def w1_walk():
    """The bars of crates/backtest/benches/engine.rs: seed 1, steps of 0.05 % from 100."""
    return common.random_walk(W1_BARS, 100.0, 0.0005, 1)


def w3_walks():
    """Opens and closes, days x instruments; instrument n is the walk of seed n + 1 with steps of 2 % from 100."""
    walks = [common.random_walk(W3_DAYS, 100.0, 0.02, seed) for seed in range(1, W3_NAMES + 1)]
    return np.column_stack([walk[0] for walk in walks]), np.column_stack([walk[3] for walk in walks])


def save_inputs(folder):
    """Writes the inputs to files, because making them takes more memory than any engine."""
    common.check_walk()
    np.save(folder / "W1.npy", np.stack(w1_walk()))
    np.save(folder / "W3.npy", np.stack(w3_walks()))


def load_input(folder, work):
    """W1: open, high, low, close and volume; W3: opens and closes."""
    return list(np.load(folder / f"{work}.npy"))


def w3_decision_days():
    """Days at whose close something is decided and that have a next open."""
    return np.arange(LOOKBACK, W3_DAYS - 1, EVERY)


def w3_chosen(closes, day):
    """The instruments held after the close of a day."""
    momentum = closes[day] / closes[day - LOOKBACK]
    return np.argpartition(momentum, W3_NAMES - HELD)[-HELD:]


def w1_reference(opens, closes):
    """(orders, final equity) by a plain loop: what every engine should come to."""
    sums = np.concatenate(([0.0], np.cumsum(closes)))
    average = lambda window: (sums[window:] - sums[:-window]) / window
    above = np.zeros(len(closes), dtype=bool)
    above[SLOW - 1 :] = average(FAST)[SLOW - FAST :] > average(SLOW)
    changes = np.flatnonzero(np.diff(above.astype(np.int8), prepend=0))
    cash, units, orders = CASH, 0.0, 0
    for bar in changes[changes + 1 < len(closes)]:
        price = opens[bar + 1]
        if above[bar]:
            cash, units = 0.0, cash / (price * (1.0 + FEE))
        else:
            cash, units = units * price * (1.0 - FEE), 0.0
        orders += 1
    return orders, cash + units * closes[-1]


def w3_reference(opens, closes):
    """(orders, final equity): targets are parts of the equity at the open; sales come first; buys are cut to the cash."""
    cash, units, orders = CASH, np.zeros(W3_NAMES), 0
    for day in w3_decision_days():
        price = opens[day + 1]
        target = np.zeros(W3_NAMES)
        target[w3_chosen(closes, day)] = 1.0 / HELD
        delta = (cash + units @ price) * target / price - units
        for name in np.argsort(delta * price, kind="stable"):
            if delta[name] < 0.0:
                cash -= delta[name] * price[name] * (1.0 - FEE)
            elif delta[name] > 0.0:
                delta[name] = min(delta[name], cash / (price[name] * (1.0 + FEE)))
                cash -= delta[name] * price[name] * (1.0 + FEE)
            orders += delta[name] != 0.0
        units += delta
    return orders, cash + units @ closes[-1]
