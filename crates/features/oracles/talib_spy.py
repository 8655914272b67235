"""Reference values of features on daily SPY bars, computed with TA-Lib (PyPI `TA-Lib`) and numpy.

Usage: SEXTANT_MARKET_DATA=<folder> python3 talib_spy.py

Reads the raw daily bars of SPY and QQQ below that folder and writes talib_spy.csv beside this script: one row per
selected bar, one column per feature, empty where the feature has no value. Prices are not recorded.

TA-Lib has the formula itself for SMA, EMA, RSI, BBANDS, ROCP, ROC, MAX, MIN, TRANGE, ATR, PLUS_DI, MINUS_DI, ADX, STOCHF,
STOCH and WILLR. Composed of TA-Lib functions: macd (EMA less EMA), macd_signal (EMA of that), obv (OBV less an older
OBV), zscore (SMA, STDDEV), realised_volatility (STDDEV of log returns, turned into the sample deviation),
drawdown (MAX), correlation (CORREL of returns). By numpy: beta (np.cov), volatility_percentile (counting) and mfi (adding
up), because TA-Lib's MFI takes the rounding noise between two equal typical prices for a move.
"""

import csv
import gzip
import os
import pathlib

import numpy as np
import talib

DATA = pathlib.Path(os.environ["SEXTANT_MARKET_DATA"]) / "equities" / "us_daily_raw_lean"
OUTPUT = pathlib.Path(__file__).with_name("talib_spy.csv")


def read_bars(name):
    with gzip.open(DATA / f"{name}.csv.gz", "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {key: np.array([float(row[key]) for row in rows]) for key in ("high", "low", "close", "volume")}
    return [row["timestamp"] for row in rows], columns


def log_returns(close):
    return np.concatenate(([np.nan], np.log(close[1:] / close[:-1])))


def simple_returns(close):
    return np.concatenate(([np.nan], close[1:] / close[:-1] - 1.0))


def realised_volatility(close, period, periods_per_year):
    population = talib.STDDEV(log_returns(close), period, 1.0)
    return population * np.sqrt(period / (period - 1.0)) * np.sqrt(periods_per_year)


def volatility_percentile(close, period, lookback):
    volatility = realised_volatility(close, period, 1.0)
    out = np.full(len(close), np.nan)
    for i in range(period + lookback - 1, len(close)):
        window, newest = volatility[i - lookback + 1 : i + 1], volatility[i]
        equal = np.sum(window == newest) - 1
        out[i] = (np.sum(window < newest) + 0.5 * equal) / (lookback - 1)
    return out


def newest_known(times, other_times, other_close):
    """The newest close of the other series at or before each time; NaN before its first."""
    places = np.searchsorted(np.array(other_times), np.array(times), side="right") - 1
    return np.where(places >= 0, other_close[np.maximum(places, 0)], np.nan)


def beta(asset, benchmark, period):
    a, b = simple_returns(asset), simple_returns(benchmark)
    out = np.full(len(a), np.nan)
    for i in range(period, len(a)):
        window = slice(i - period + 1, i + 1)
        covariance = np.cov(a[window], b[window])
        if covariance[1, 1] > 0.0:
            out[i] = covariance[0, 1] / covariance[1, 1]
    return out


def correlation(asset, benchmark, period):
    """TA-Lib says 0 where the benchmark does not move (QQQ has no bars from 2004 to 2011); there it is undefined."""
    moves = talib.STDDEV(simple_returns(benchmark), period, 1.0) > 0.0
    return np.where(moves, talib.CORREL(simple_returns(asset), simple_returns(benchmark), period), np.nan)


def macd(close, fast, slow):
    return talib.EMA(close, fast) - talib.EMA(close, slow)


def macd_signal(close, fast, slow, signal):
    line = macd(close, fast, slow)
    out = np.full(len(close), np.nan)
    first = max(fast, slow) - 1
    out[first:] = talib.EMA(line[first:], signal)
    return out


def obv(close, volume, period):
    balance = talib.OBV(close, volume)
    return np.concatenate((np.full(period, np.nan), balance[period:] - balance[:-period]))


def mfi(high, low, close, volume, period):
    price = (high + low + close) / 3.0
    change = np.concatenate(([0.0], np.diff(price)))
    flow = np.where(np.abs(change) > 1e-12 * price, np.sign(change) * price * volume, 0.0)
    out = np.full(len(close), np.nan)
    for i in range(period, len(close)):
        window = flow[i - period + 1 : i + 1]
        up, total = np.sum(window[window > 0]), np.sum(np.abs(window))
        if total > 0.0:
            out[i] = 100.0 * (up / total)
    return out


def features():
    times, bars = read_bars("spy_1d")
    high, low, close = bars["high"], bars["low"], bars["close"]
    qqq_times, qqq = read_bars("qqq_1d")
    benchmark = newest_known(times, qqq_times, qqq["close"])

    for period in (2, 5, 20, 50, 200):
        yield f"sma(period={period})", talib.SMA(close, period)
    for period in (2, 12, 20, 50, 200):
        yield f"ema(period={period})", talib.EMA(close, period)
    for period in (2, 14, 50):
        yield f"rsi(period={period})", talib.RSI(close, period)
    for period, width in ((5, 1.5), (20, 2), (100, 2.5)):
        upper, middle, lower = talib.BBANDS(close, period, float(width), float(width), 0)
        yield f"bollinger_upper(period={period}, width={width})", upper
        yield f"bollinger_middle(period={period})", middle
        yield f"bollinger_lower(period={period}, width={width})", lower
    for period in (5, 20, 60):
        yield f"zscore(period={period})", (close - talib.SMA(close, period)) / talib.STDDEV(close, period, 1.0)
    for period in (1, 20, 60, 252):
        yield f"momentum(period={period})", talib.ROCP(close, period)
    yield "roc(period=10)", talib.ROC(close, 10)
    for period, year in ((10, 365), (20, 252), (60, 252)):
        volatility = realised_volatility(close, period, float(year))
        yield f"realised_volatility(period={period}, periods_per_year={year})", volatility
    for period, lookback in ((20, 252), (10, 60)):
        rank = volatility_percentile(close, period, lookback)
        yield f"volatility_percentile(period={period}, lookback={lookback})", rank
    for period in (20, 252):
        yield f"rolling_max(period={period})", talib.MAX(close, period)
        yield f"rolling_min(period={period})", talib.MIN(close, period)
        yield f"drawdown(period={period})", close / talib.MAX(close, period) - 1.0
        yield f"rolling_high(period={period})", talib.MAX(high, period)
        yield f"rolling_low(period={period})", talib.MIN(low, period)
    yield "true_range()", talib.TRANGE(high, low, close)
    for period in (1, 2, 14, 50):
        yield f"atr(period={period})", talib.ATR(high, low, close, period)
    for period in (20, 60, 252):
        yield f"beta(period={period})", beta(close, benchmark, period)
        yield f"correlation(period={period})", correlation(close, benchmark, period)
    for fast, slow, signal in ((12, 26, 9), (5, 35, 5)):
        yield f"macd(fast={fast}, slow={slow})", macd(close, fast, slow)
        yield f"macd_signal(fast={fast}, slow={slow}, signal={signal})", macd_signal(close, fast, slow, signal)
    for period in (2, 14, 50):
        yield f"plus_di(period={period})", talib.PLUS_DI(high, low, close, period)
        yield f"minus_di(period={period})", talib.MINUS_DI(high, low, close, period)
        yield f"adx(period={period})", talib.ADX(high, low, close, period)
    for period, signal in ((5, 3), (14, 3)):
        fast_k, fast_d = talib.STOCHF(high, low, close, period, 1, 0)[0], talib.STOCHF(high, low, close, period, signal, 0)[1]
        yield f"stochastic_k(period={period}, smooth=1)", fast_k
        yield f"stochastic_d(period={period}, smooth=1, signal={signal})", fast_d
        yield f"stochastic_k(period={period}, smooth=3)", talib.STOCH(high, low, close, period, 3, 0, 1, 0)[0]
        yield f"stochastic_d(period={period}, smooth=3, signal={signal})", talib.STOCH(high, low, close, period, 3, 0, signal, 0)[1]
    for period in (2, 14, 60):
        yield f"williams_r(period={period})", talib.WILLR(high, low, close, period)
    for period in (1, 20, 250):
        yield f"obv(period={period})", obv(close, bars["volume"], period)
    for period in (2, 14, 60):
        yield f"mfi(period={period})", mfi(high, low, close, bars["volume"], period)


def main():
    columns = dict(features())
    count = len(next(iter(columns.values())))
    edges = [0, 1, 2, 3, 4, 5, 10, 11, 13, 14, 15, 19, 20, 21, 49, 50, 59, 60, 69, 70, 99, 199, 200, 251, 252, 270, 271]
    rows = sorted({*edges, *range(300, count, 160), count - 1})
    with open(OUTPUT, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["row", *columns])
        for row in rows:
            values = (column[row] for column in columns.values())
            writer.writerow([row, *("" if np.isnan(value) else repr(float(value)) for value in values)])


main()
