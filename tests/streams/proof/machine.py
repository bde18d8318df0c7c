"""A function with state of every sort and timers, whose elements say what it does: random elements are a program."""

from __future__ import annotations

from typing import Any, Iterator, List, Optional, Tuple

from clutch.common import Types
from clutch.datastream.functions import AggregateFunction, KeyedCoProcessFunction, KeyedProcessFunction, ProcessFunction
from clutch.datastream.state import (
    AggregatingStateDescriptor,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    ValueStateDescriptor,
)

ACTIONS = 10
CHAIN = 3  # timers that a timer of a key may register


def added(one: int, other: int) -> int:
    return one + other


class Spread(AggregateFunction):
    """The difference of the largest and the smallest value."""

    def create_accumulator(self) -> Optional[Tuple[int, int]]:
        return None

    def add(self, value: int, accumulator: Optional[Tuple[int, int]]) -> Tuple[int, int]:
        low, high = accumulator or (value, value)
        return min(low, value), max(high, value)

    def get_result(self, accumulator: Tuple[int, int]) -> int:
        return accumulator[1] - accumulator[0]

    def merge(self, acc_a: Any, acc_b: Any) -> Any:
        return min(acc_a[0], acc_b[0]), max(acc_a[1], acc_b[1])


FOLDS = {"sum": added, "spread": Spread()}  # for the model


class _Machine:
    """States and actions, for functions of one stream and of two."""

    def open(self, runtime_context: Any) -> None:
        pickled = Types.PICKLED_BYTE_ARRAY()
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))
        self.chain = runtime_context.get_state(ValueStateDescriptor("chain", pickled))
        self.listed = runtime_context.get_list_state(ListStateDescriptor("listed", Types.LONG()))
        self.mapped = runtime_context.get_map_state(MapStateDescriptor("mapped", Types.LONG(), pickled))
        self.sum = runtime_context.get_reducing_state(ReducingStateDescriptor("sum", added, Types.LONG()))
        self.spread = runtime_context.get_aggregating_state(AggregatingStateDescriptor("spread", Spread(), pickled))

    def said(self) -> Tuple[Any, ...]:
        return (
            self.count.value(),
            self.chain.value(),
            list(self.listed.get() or ()),
            sorted(self.mapped.items()),
            self.sum.get(),
            self.spread.get(),
        )

    def act(self, what: str, element: Any, ctx: Any) -> Iterator[Any]:
        time, value = element[1], element[2] or 0
        timers = ctx.timer_service()
        self.count.update((self.count.value() or 0) + 1)
        action = value % ACTIONS
        if action == 0:
            timers.register_event_time_timer(time + value)
        elif action == 1:
            timers.register_event_time_timer(time + 5)
            timers.register_event_time_timer(time + 2)
        elif action == 2:
            timers.delete_event_time_timer(time + 5)
        elif action == 3:
            self.listed.add(value)
        elif action == 4:
            self.mapped.put(value % 3, (time, value))
        elif action == 5:
            self.mapped.remove(0)
        elif action == 6:
            self.sum.add(value)
        elif action == 7:
            self.spread.add(value)
        elif action == 8:
            self.clear(value)
        elif not self.mapped.is_empty() and self.mapped.contains(1):
            self.listed.update([value, time])
        yield what, ctx.get_current_key(), time, timers.current_watermark(), self.said()

    def clear(self, value: int) -> None:
        for number, state in enumerate((self.count, self.listed, self.mapped, self.sum, self.spread)):
            if number == value // ACTIONS % 5:
                state.clear()

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:
        chain = self.chain.value() or 0
        if chain < CHAIN:
            self.chain.update(chain + 1)
            ctx.timer_service().register_event_time_timer(timestamp + 3)
        else:
            self.chain.clear()
        self.listed.add(timestamp)
        yield "timer", ctx.get_current_key(), timestamp, ctx.timer_service().current_watermark(), self.said()


class Machine(_Machine, KeyedProcessFunction):
    """Of one stream."""

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        return self.act("element", value, ctx)


class TwoInputs(_Machine, KeyedCoProcessFunction):
    """Of two streams, whose state is one."""

    def process_element1(self, value: Any, ctx: Any) -> Iterator[Any]:
        return self.act("first", value, ctx)

    def process_element2(self, value: Any, ctx: Any) -> Iterator[Any]:
        return self.act("second", value, ctx)


class Stamped(ProcessFunction):
    """Each element with its time."""

    def process_element(self, value: Any, ctx: Any) -> List[Any]:
        return [(value, ctx.timestamp())]
