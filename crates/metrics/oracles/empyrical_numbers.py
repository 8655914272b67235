"""Records performance figures of independent implementations on a fixed series.

Needs the PyPI packages empyrical-reloaded, numpy, pandas and scipy. Run in this folder:

    python3 empyrical_numbers.py

It writes empyrical_series.csv (the returns) and empyrical_numbers.json (the figures and the package versions), which
the tests of the crate read. Nothing is downloaded.
"""

import itertools
import json
from importlib.metadata import version

import empyrical
import numpy as np
from scipy import stats

P = 252
N = 1000


def series():
    """Correlated, fat-tailed, skewed daily returns of a book and a benchmark, rounded so that a CSV holds them."""
    generator = np.random.Generator(np.random.PCG64(20240229))
    market = generator.standard_t(5, N) * 0.008 + 0.0003
    own = generator.standard_t(4, N) * 0.006 + 0.0008
    book = 0.7 * market + own - 0.01 * (generator.random(N) < 0.02)
    book[generator.random(N) < 0.05] = 0.0
    return np.round(book, 10), np.round(market, 10)


def newey_west_t(values, lags):
    deviations = values - values.mean()
    n = len(values)
    long_run = deviations @ deviations / n
    for lag in range(1, lags + 1):
        long_run += 2 * (1 - lag / (lags + 1)) * (deviations[lag:] @ deviations[:-lag]) / n
    return values.mean() / np.sqrt(long_run / n)


def rank_figures(book, market):
    """Twenty dates of fifty names made from the two series."""
    sections = [(book[i : i + 50], np.round(market[i : i + 50], 2)) for i in range(0, N, 50)]
    per_date = np.array([stats.spearmanr(scores, outcomes).statistic for scores, outcomes in sections])
    return {
        "ic_first_date": per_date[0],
        "ic_mean": per_date.mean(),
        "ic_t_0": newey_west_t(per_date, 0),
        "ic_t_3": newey_west_t(per_date, 3),
    }


def selection_figures(book):
    sharpe = book.mean() / book.std(ddof=1)
    skew, kurtosis = stats.skew(book), stats.kurtosis(book, fisher=False)
    error = np.sqrt((1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2) / (N - 1))
    gamma, variance, trials = np.euler_gamma, 0.0004, 57
    highest = np.sqrt(variance) * (
        (1 - gamma) * stats.norm.ppf(1 - 1 / trials) + gamma * stats.norm.ppf(1 - 1 / (trials * np.e))
    )
    return {
        "psr_0": stats.norm.cdf(sharpe / error),
        "psr_annual_half": stats.norm.cdf((sharpe - 0.5 / np.sqrt(P)) / error),
        "min_track_record_length": 1 + error**2 * (N - 1) * (stats.norm.ppf(0.95) / sharpe) ** 2,
        "dsr_57_trials_variance_0004": stats.norm.cdf((sharpe - highest) / error),
    }


def effective_trials(book):
    """Ten columns of a hundred days each."""
    correlations = np.corrcoef(book.reshape(10, 100))
    mean = correlations[np.triu_indices(10, 1)].mean()
    return 10 * (1 - max(mean, 0)) + max(mean, 0)


def overfitting(book):
    """Ten columns of a hundred days each, eight blocks of twelve days after the first four days are dropped."""
    columns = book.reshape(10, 100).T[4:]
    blocks = np.split(columns, 8)
    sharpe = lambda rows: rows.mean(axis=0) / rows.std(axis=0, ddof=1)
    inside, outside, lambdas, losses = [], [], [], []
    for chosen in itertools.combinations(range(8), 4):
        first = np.concatenate([blocks[i] for i in chosen])
        second = np.concatenate([blocks[i] for i in range(8) if i not in chosen])
        best = int(np.argmax(sharpe(first)))
        share = stats.rankdata(sharpe(second))[best] / 11
        inside.append(sharpe(first)[best])
        outside.append(sharpe(second)[best])
        lambdas.append(np.log(share / (1 - share)))
        losses.append(second[:, best].mean() < 0)
    return {
        "pbo": np.mean(np.array(lambdas) <= 0),
        "pbo_mean_lambda": np.mean(lambdas),
        "pbo_slope": stats.linregress(inside, outside).slope,
        "pbo_loss_probability": np.mean(losses),
    }


def lo_adjusted_sharpe(book):
    """Six lags, the number that 4 (n/100)^(2/9) gives for a thousand days."""
    deviations = book - book.mean()
    rho = [deviations[k:] @ deviations[:-k] / (deviations @ deviations) for k in range(1, 7)]
    ratio = P + 2 * sum((P - k) * rho[k - 1] for k in range(1, 7))
    return book.mean() / book.std(ddof=1) * P / np.sqrt(ratio)


def regression(book, market):
    line = stats.linregress(market, book)
    return {"beta_stderr": line.stderr, "alpha_stderr_annual": line.intercept_stderr * P}


def main():
    book, market = series()
    rate = 1.04 ** (1 / P) - 1
    numbers = {
        "total_return": empyrical.cum_returns_final(book),
        "annual_return_by_observations": empyrical.annual_return(book, annualization=P),
        "sharpe": empyrical.sharpe_ratio(book, annualization=P),
        "sharpe_rf_4_percent": empyrical.sharpe_ratio(book, risk_free=rate, annualization=P),
        "sortino": empyrical.sortino_ratio(book, annualization=P),
        "sortino_mar_4_percent": empyrical.sortino_ratio(book, required_return=rate, annualization=P),
        "volatility": empyrical.annual_volatility(book, annualization=P),
        "max_drawdown": empyrical.max_drawdown(book),
        "calmar_by_observations": empyrical.calmar_ratio(book, annualization=P),
        "beta": empyrical.beta(book, market),
        "beta_rf_4_percent": empyrical.beta(book, market, risk_free=rate),
        "alpha_geometric": empyrical.alpha(book, market, annualization=P),
        "alpha_geometric_rf_4_percent": empyrical.alpha(book, market, risk_free=rate, annualization=P),
        "information_ratio_daily": empyrical.excess_sharpe(book, market),
        "tracking_error": np.std(book - market, ddof=1) * np.sqrt(P),
        "var_95": -np.percentile(book, 5, method="lower"),
        "var_99": -np.percentile(book, 1, method="lower"),
        "cvar_95": -empyrical.conditional_value_at_risk(book, cutoff=0.05),
        "cvar_99": -empyrical.conditional_value_at_risk(book, cutoff=0.01),
        "skewness": stats.skew(book),
        "kurtosis": stats.kurtosis(book, fisher=False),
        "effective_trials": effective_trials(book),
        "sharpe_lo_adjusted": lo_adjusted_sharpe(book),
    }
    numbers |= selection_figures(book) | rank_figures(book, market) | regression(book, market)
    numbers |= overfitting(book)
    packages = ("empyrical-reloaded", "numpy", "scipy", "pandas")
    record = {
        "script": "empyrical_numbers.py",
        "packages": {package: version(package) for package in packages},
        "numbers": {name: float(value) for name, value in numbers.items()},
    }
    with open("empyrical_numbers.json", "w", encoding="utf-8") as file:
        json.dump(record, file, indent=2)
        file.write("\n")
    with open("empyrical_series.csv", "w", encoding="utf-8") as file:
        file.write("book,market\n")
        file.writelines(f"{float(own)!r},{float(other)!r}\n" for own, other in zip(book, market))


if __name__ == "__main__":
    main()
