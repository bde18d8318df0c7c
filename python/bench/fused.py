"""Three chained scalar functions through clutch.Host against the plain list comprehension, in one run.

    CLUTCH_PLUGIN_PATH=build/plugins PYTHONPATH=build/python python3 python/bench/fused.py [MODE] [ROWS]

Prints the median time of the comprehension, and the ratio of each way to it: lists in and out, Arrow columns in and
out, and Arrow with a second result column.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any, Callable

import clutch
from clutch.table.expressions import col
from clutch.table.udf import udf

ROUNDS = 7


def plus_one(x: int) -> int:
    return x + 1


def twice(x: int) -> int:
    return x * 2


def minus_three(x: int) -> int:
    return x - 3


def seconds(call: Callable[[], Any]) -> float:
    """Time of one call; its result is dropped outside of it."""
    start = time.perf_counter()
    result = call()
    taken = time.perf_counter() - start
    del result
    return taken


def main() -> None:
    mode = sys.argv[1] if len(sys.argv) > 1 else "thread"
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    f, g, h = (udf(item, input_types=["BIGINT"], result_type="BIGINT") for item in (plus_one, twice, minus_three))
    xs = list(range(100_000, 100_000 + rows))
    with clutch.Host({"python.execution-mode": mode}) as host:
        inner = g(f(col("x")))
        chain = host.expression(h(inner))
        both = host.expression([h(inner).alias("a"), inner.alias("b")])
        column = host.function(lambda x: x, "BIGINT", "BIGINT")._plan.schema.from_list(0, xs)
        ways = {
            "plain": lambda: [minus_three(twice(plus_one(x))) for x in xs],
            "lists": lambda: chain(xs),
            "arrow": lambda: chain(column),
            "arrow, two columns": lambda: both(column),
        }
        taken = [{name: seconds(way) for name, way in ways.items()} for _ in range(ROUNDS)]
    median = {name: statistics.median(item[name] for item in taken) for name in ways}
    print("Python %d.%d, mode %s, %d rows" % (*sys.version_info[:2], mode, rows))
    print("plain: %.0f ns a row" % (median["plain"] / rows * 1e9))
    for name in list(ways)[1:]:
        print("%s: %.2f x" % (name, median[name] / median["plain"]))


if __name__ == "__main__":
    main()
