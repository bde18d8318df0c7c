"""Functions of the tests. In a module, so that they can be pickled where cloudpickle is not installed."""

from __future__ import annotations

import os
import time
from typing import Any, Dict, Iterator, List, Optional, Tuple

from clutch.table import DataTypes
from clutch.table.udf import AggregateFunction, ScalarFunction, TableAggregateFunction, udaf, udf, udtaf, udtf

CALLS: Dict[str, int] = {}


def count(name: str) -> None:
    """Note a call; only meaningful where the function runs in this process."""
    CALLS[name] = CALLS.get(name, 0) + 1


def double(x: int) -> int:
    return 2 * x


def add(x: int, y: int) -> int:
    return x + y


def halve(x: float) -> float:
    return x / 2


def inverse(x: int) -> int:
    return 12 // x


def shout(word: str) -> str:
    return word.upper()


def worker(x: int) -> int:
    return os.getpid()


def slow(x: int) -> int:
    time.sleep(0.02)
    return x


def stuck(x: int) -> int:
    for _ in range(600):
        time.sleep(0.05)
    return x


def untyped(x, y):  # type: ignore[no-untyped-def]
    return x


def many(*values: int) -> int:
    return len(values)


def repeat(word: str, n: int) -> Iterator[Tuple[str, int]]:
    for i in range(n):
        yield word, i


class Fails(ScalarFunction):
    def eval(self, x: int) -> int:
        return x

    def close(self) -> None:
        raise OSError("the disk is full")


bigint = DataTypes.BIGINT()



def _plus_one(x: Any) -> Any:
    count("plus_one")
    return None if x is None else x + 1


def _times(x: Any, factor: Any) -> Any:
    count("times")
    return x * factor


def _label(x: Any, text: Any) -> Any:
    return "%s%s" % (text, x)


def _draw(x: Any) -> Any:
    count("draw")
    return CALLS["draw"]


def _checked(x: Any) -> Any:
    if x == 3:
        raise ValueError("three is not served")
    return x


def _text_of(x: Any) -> Any:
    return str(x)


def plain_show(value: Any) -> Any:
    return repr(value)




plus_one = udf(_plus_one, input_types=[bigint], result_type=bigint, name="plus_one")
times = udf(_times, input_types=[bigint, bigint], result_type=bigint, name="times")
label = udf(_label, input_types=[bigint, DataTypes.STRING()], result_type=DataTypes.STRING(), name="label")
draw = udf(_draw, input_types=[bigint], result_type=bigint, deterministic=False, name="draw")
checked = udf(_checked, input_types=[bigint], result_type=bigint, name="checked")
text_of = udf(_text_of, input_types=[bigint], result_type=bigint, name="text_of")
show = udf(plain_show, input_types=[bigint], result_type=DataTypes.STRING(), name="show")
pairs = udtf(repeat, input_types=[DataTypes.STRING(), bigint], result_types=[DataTypes.STRING(), bigint])




def identity(x: Any) -> Any:
    return x


class Sum(AggregateFunction):
    """Of what is not None; a negative sum cannot be told."""

    def create_accumulator(self) -> List[int]:
        return [0]

    def accumulate(self, accumulator: List[int], x: Optional[int]) -> None:
        accumulator[0] += x or 0

    def retract(self, accumulator: List[int], x: Optional[int]) -> None:
        accumulator[0] -= x or 0

    def get_value(self, accumulator: List[int]) -> int:
        if accumulator[0] < 0:
            raise ValueError("below zero")
        return accumulator[0]


total = udaf(Sum(), result_type="BIGINT", accumulator_type="ROW<total BIGINT>", name="total")


class Top2(TableAggregateFunction):
    """The two largest, with their rank."""

    def create_accumulator(self) -> List[List[int]]:
        return [[]]

    def accumulate(self, accumulator: List[List[int]], x: int) -> None:
        accumulator[0] = sorted([*accumulator[0], x], reverse=True)[:2]

    def emit_value(self, accumulator: List[List[int]]) -> Iterator[Tuple[int, int]]:
        for rank, x in enumerate(accumulator[0], 1):
            yield x, rank


top2 = udtaf(
    Top2(),
    input_types=["BIGINT"],
    result_type="ROW<x BIGINT, rank BIGINT>",
    accumulator_type="ROW<top ARRAY<BIGINT>>",
    name="top2",
)


def span_of(x: Any) -> int:
    return int(x.max() - x.min())


span = udaf(span_of, input_types=["BIGINT"], result_type="BIGINT", func_type="pandas", name="span")
