"""Iterations: results that go back to an earlier operator. PyFlink has none; the semantics are those of Flink's Java
API."""

from __future__ import annotations

from typing import Any

from clutch.common.time import Duration, Time, to_millis
from clutch.datastream._code import check_instance
from clutch.datastream._data_stream import DataStream
from clutch.datastream._element_types import element_text
from clutch.datastream._graph import Input, Node, Origin, reachable


class IterativeStream(DataStream):
    """The elements of a stream, and those that are fed back."""

    _iteration: Node

    def close_with(self, feedback_stream: DataStream) -> DataStream:
        """Feed a stream back that was made of this one; several can be. Gives the stream that is fed back."""
        check_instance(feedback_stream, "close_with", DataStream)
        values = feedback_stream._values()
        if element_text(values._type) != element_text(self._type):
            raise ValueError(
                "what is fed back must have the type of the iteration, %s, and has %s" % (self._type, values._type)
            )
        if self._iteration not in reachable([origin.node for origin in values._origins]):
            raise ValueError("what is fed back must be made of the iteration's elements, and it is not")
        self._iteration.inputs.extend(Input(origin, feedback=True) for origin in values._origins)
        return feedback_stream


def make_iteration(stream: DataStream, max_wait: Any) -> IterativeStream:
    """TypeError or ValueError for a wait that is no length of time."""
    values = stream._values()
    if isinstance(max_wait, (Time, Duration)):
        max_wait = to_millis("the max_wait of iterate", max_wait)
    if not isinstance(max_wait, int) or isinstance(max_wait, bool) or max_wait < 0:
        raise ValueError(
            "the max_wait of iterate must be a Time, a Duration or an int of at least 0 ms, got %r" % (max_wait,)
        )
    members = {"max_wait_ms": max_wait}
    node = stream._env._operator("iteration", "Iteration", members, values._inputs())
    iteration = IterativeStream(stream._env, [Origin(node)], stream._type)
    iteration._iteration = node
    return iteration
