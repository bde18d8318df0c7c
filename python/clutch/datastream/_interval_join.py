"""Joins of keyed streams by time. PyFlink has none; the semantics are those of Flink's Java API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

from clutch.common.time import Duration, Time, to_millis
from clutch.common.typeinfo import type_or_row
from clutch.datastream._code import Code, check_instance, name_of
from clutch.datastream._join_functions import ProcessJoinFunction

if TYPE_CHECKING:
    from clutch.datastream._data_stream import DataStream, OutputType
    from clutch.datastream._keyed_stream import KeyedStream


class IntervalJoin:
    """Two keyed streams that wait for their interval."""

    def __init__(self, left: KeyedStream, right: KeyedStream) -> None:
        self._left = left
        self._right = right

    def in_event_time(self) -> IntervalJoin:
        """The default, and the only clock there is for this."""
        return self

    def between(self, lower_bound: Union[Time, Duration], upper_bound: Union[Time, Duration]) -> IntervalJoined:
        """Pairs whose right element is by `lower_bound` to `upper_bound` later than the left one, both inclusive."""
        lower = to_millis("the lower_bound of between", lower_bound)
        upper = to_millis("the upper_bound of between", upper_bound)
        if lower > upper:
            raise ValueError(
                "the lower_bound of between must not be above the upper_bound, got %d ms and %d ms" % (lower, upper)
            )
        return IntervalJoined(self._left, self._right, lower, upper)


class IntervalJoined:
    """Two keyed streams and their interval."""

    def __init__(self, left: KeyedStream, right: KeyedStream, lower: int, upper: int) -> None:
        self._left = left
        self._right = right
        self._members = {"lower_ms": lower, "upper_ms": upper, "lower_exclusive": False, "upper_exclusive": False}

    def lower_bound_exclusive(self) -> IntervalJoined:
        self._members["lower_exclusive"] = True
        return self

    def upper_bound_exclusive(self) -> IntervalJoined:
        self._members["upper_exclusive"] = True
        return self

    def process(self, process_join_function: ProcessJoinFunction, output_type: OutputType = None) -> DataStream:
        """Any number of elements for each pair."""
        function = check_instance(process_join_function, "process of an interval join", ProcessJoinFunction)
        output = type_or_row("the output_type of process", output_type)
        members: Any = {**self._members, "code": Code(function, name_of(function)), "output": output}
        inputs = self._left._inputs(0) + self._right._inputs(1)
        env = self._left._env
        return env._stream(env._operator("interval_join", "Interval Join", members, inputs), output)
