"""A trigger and an evictor of one's own: each time a car has gone another 50 metres, its top speed of the last 10 s.

    python3 top_speed.py thread
"""

from __future__ import annotations

import sys
from typing import Any, Tuple

from clutch.common import Configuration, Time, Types, WatermarkStrategy
from clutch.common.watermark_strategy import TimestampAssigner
from clutch.datastream import StreamExecutionEnvironment
from clutch.datastream.state import ValueStateDescriptor
from clutch.datastream.window import GlobalWindow, GlobalWindows, TimeEvictor, Trigger, TriggerResult

Car = Tuple[str, int, int, int]  # car, speed, metres, second

CARS = [
    ("red", 10, 10, 1), ("blue", 20, 20, 1), ("red", 30, 40, 2), ("blue", 25, 75, 3), ("red", 25, 65, 4),
    ("red", 12, 90, 14), ("red", 11, 118, 16), ("blue", 5, 130, 20),
]  # fmt: skip


class Second(TimestampAssigner):
    def extract_timestamp(self, value: Car, record_timestamp: int) -> int:
        return value[3] * 1000


class Distance(Trigger[Car, GlobalWindow]):
    """Fires when an element is `metres` further than the one of the last firing."""

    def __init__(self, metres: int) -> None:
        self.metres = metres
        self.last = ValueStateDescriptor("last", Types.LONG())

    def on_element(self, element: Car, timestamp: int, window: GlobalWindow, ctx: Any) -> TriggerResult:
        last = ctx.get_partitioned_state(self.last)
        if last.value() is None:
            last.update(element[2])
        elif element[2] - last.value() > self.metres:
            last.update(element[2])
            return TriggerResult.FIRE
        return TriggerResult.CONTINUE

    def on_processing_time(self, time: int, window: GlobalWindow, ctx: Any) -> TriggerResult:
        return TriggerResult.CONTINUE

    def on_event_time(self, time: int, window: GlobalWindow, ctx: Any) -> TriggerResult:
        return TriggerResult.CONTINUE

    def on_merge(self, window: GlobalWindow, ctx: Any) -> None:
        raise NotImplementedError("global windows do not merge")

    def clear(self, window: GlobalWindow, ctx: Any) -> None:
        ctx.get_partitioned_state(self.last).clear()


def main(mode: str) -> None:
    configuration = Configuration()
    configuration.set_string("python.execution-mode", mode)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Second())
    (
        env.from_collection(CARS, type_info=Types.TUPLE([Types.STRING(), Types.INT(), Types.INT(), Types.LONG()]))
        .assign_timestamps_and_watermarks(strategy)
        .key_by(lambda car: car[0], key_type=Types.STRING())
        .window(GlobalWindows.create())
        .evictor(TimeEvictor.of(Time.seconds(10)))
        .trigger(Distance(50))
        .reduce(lambda one, other: one if one[1] >= other[1] else other)
        .map(lambda car: "%s: %d at second %d" % (car[0], car[1], car[3]), output_type=Types.STRING())
        .print()
    )
    env.execute("top speed")


if __name__ == "__main__":
    main(sys.argv[1])
