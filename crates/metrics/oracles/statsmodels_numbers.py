"""Records stationarity tests of statsmodels on the consumer prices of its own data set `macrodata`.

Needs the PyPI packages statsmodels and numpy. Run in this folder:

    python3 statsmodels_numbers.py

It writes statsmodels_cpi.csv (203 quarterly consumer prices, 1959 to 2009, which the Federal Reserve Bank of St. Louis
publishes and statsmodels places in the public domain) and statsmodels_numbers.json (the figures and the package versions),
which the tests of the crate read. Nothing is downloaded.
"""

import json
import warnings
from importlib.metadata import version

import numpy as np
from statsmodels.datasets import macrodata
from statsmodels.tsa.stattools import adfuller, kpss

TERMS = {"none": "n", "constant": "c", "trend": "ct"}
NULLS = {"level": "c", "trend": "ct"}


def record_adf(numbers, name, result):
    statistic, p_value, lags, observations, critical = result[:5]
    numbers[f"adf {name} statistic"] = statistic
    numbers[f"adf {name} p"] = p_value
    numbers[f"adf {name} lags"] = lags
    numbers[f"adf {name} observations"] = observations
    for level in ("1%", "5%", "10%"):
        numbers[f"adf {name} {level}"] = critical[level]


def main():
    warnings.simplefilter("ignore")
    cpi = macrodata.load_pandas().data["cpi"].to_numpy()
    with open("statsmodels_cpi.csv", "w") as file:
        file.write("\n".join(["cpi", *(repr(float(value)) for value in cpi)]) + "\n")
    numbers = {}
    for series, values in (("levels", np.log(cpi)), ("changes", np.diff(np.log(cpi)))):
        for terms, regression in TERMS.items():
            for lags in (0, 1, 10):
                result = adfuller(values, maxlag=lags, autolag=None, regression=regression)
                record_adf(numbers, f"{series} {terms} {lags}", result)
            record_adf(numbers, f"{series} {terms} aic", adfuller(values, autolag="AIC", regression=regression))
        for null, regression in NULLS.items():
            for lags in (0, 12, "auto"):
                statistic, p_value, used, _ = kpss(values, regression, lags)
                numbers[f"kpss {series} {null} {lags} statistic"] = statistic
                numbers[f"kpss {series} {null} {lags} p"] = p_value
                numbers[f"kpss {series} {null} {lags} lags"] = used
    record = {
        "versions": {name: version(name) for name in ("numpy", "scipy", "statsmodels")},
        "numbers": {name: float(value) for name, value in numbers.items()},
    }
    with open("statsmodels_numbers.json", "w") as file:
        json.dump(record, file, indent=1)
        file.write("\n")


main()
