"""What runs a SinkFunction: elements as one input, and as the other what the engine says between them."""

from __future__ import annotations

from typing import Any, Optional

from clutch.datastream._basic_functions import SinkFunction
from clutch.datastream._process_functions import CoProcessFunction


class _Context(SinkFunction.Context):
    """What invoke() gets, of the element at hand."""

    def __init__(self, ctx: Any) -> None:
        self._ctx = ctx
        self._timers = ctx.timer_service()

    def timestamp(self) -> Optional[int]:
        return self._ctx.timestamp()  # type: ignore[no-any-return]

    def current_processing_time(self) -> int:
        return self._timers.current_processing_time()  # type: ignore[no-any-return]

    def current_watermark(self) -> int:
        return self._timers.current_watermark()  # type: ignore[no-any-return]


class SinkServer(CoProcessFunction):
    """A SinkFunction as what the engine gives elements to. Control rows say how many it has given so far."""

    def __init__(self, function: SinkFunction, name: str) -> None:
        self._function = function
        self._name = name

    def open(self, runtime_context: Any) -> None:
        self._invoke = self._function.invoke
        self._of: Any = None  # the ctx that self._context stands for
        self._context: Optional[_Context] = None
        self._given = 0
        self._function.open(runtime_context)

    def process_element1(self, value: Any, ctx: Any) -> None:
        if ctx is not self._of:
            self._of, self._context = ctx, _Context(ctx)
        self._given += 1
        self._invoke(value, self._context)  # type: ignore[arg-type]

    def process_element2(self, control: Any, ctx: Any) -> None:
        flush, given = control
        if given != self._given:
            raise RuntimeError(
                "the worker of %s was lost, which had been given %d of %d elements, and nobody knows what of them it "
                "has written; run the job again" % (self._name, given - self._given, given)
            )
        if flush:
            self._function.flush()

    def close(self) -> None:
        self._function.close()
