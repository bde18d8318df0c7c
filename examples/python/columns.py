"""Vectorized functions: whole columns in one call, as pandas Series, numpy arrays or Arrow columns.

    python3 columns.py
"""

from __future__ import annotations

import numpy
import pandas

import clutch
from clutch.table import DataTypes
from clutch.table.udf import udaf, udf

DOUBLE = DataTypes.DOUBLE()


@udf(input_types=[DOUBLE], result_type=DOUBLE, func_type="pandas")
def fahrenheit(celsius: pandas.Series) -> pandas.Series:
    return celsius * 1.8 + 32


@udf(input_types=[DOUBLE, DOUBLE], result_type=DOUBLE, func_type="pandas", style="numpy")
def distance(x: numpy.ndarray, y: numpy.ndarray) -> numpy.ndarray:
    return numpy.hypot(x, y)


@udaf(input_types=[DOUBLE], result_type=DOUBLE, func_type="pandas")
def median(values: pandas.Series) -> float:
    return float(values.median())


def main() -> None:
    weather = pandas.DataFrame({"city": ["Oslo", "Rome", "Oslo"], "celsius": [-5.0, 15.0, 3.0]})
    for mode in ("thread", "process"):
        with clutch.Host({"python.execution-mode": mode}) as host:
            print(mode, list(host.function(fahrenheit)(weather["celsius"])))
            print(mode, host.function(distance)(numpy.array([3.0, 5.0]), numpy.array([4.0, 12.0])))
            print(mode, dict(host.function(median)(weather["celsius"], keys=weather["city"])))


if __name__ == "__main__":
    main()
