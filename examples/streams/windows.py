"""Windows of event time: sums by tumbling window, and sessions with what happened in them.

    python3 windows.py thread
"""

from __future__ import annotations

import sys
from typing import Any, Iterable, Iterator, Tuple

from clutch.common import Configuration, Duration, Time, Types, WatermarkStrategy
from clutch.common.watermark_strategy import TimestampAssigner
from clutch.datastream import StreamExecutionEnvironment
from clutch.datastream.functions import ProcessWindowFunction
from clutch.datastream.window import EventTimeSessionWindows, TimeWindow, TumblingEventTimeWindows

Sale = Tuple[str, int, int]  # shop, second, amount

SALES = [
    ("north", 1, 10), ("south", 2, 5), ("north", 4, 3), ("north", 6, 8), ("south", 7, 1),
    ("north", 21, 2), ("south", 6, 100), ("north", 24, 4),
]  # fmt: skip


class Second(TimestampAssigner):
    def extract_timestamp(self, value: Sale, record_timestamp: int) -> int:
        return value[1] * 1000


class Visits(ProcessWindowFunction):
    """Says from when to when a session lasted, and how many sales it had."""

    def process(self, key: str, context: Any, elements: Iterable[Sale]) -> Iterator[str]:
        window: TimeWindow = context.window()
        yield "session %s %d-%d: %d sales" % (key, window.start // 1000, window.end // 1000, len(list(elements)))


def main(mode: str) -> None:
    configuration = Configuration()
    configuration.set_string("python.execution-mode", mode)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(1)).with_timestamp_assigner(Second())
    sales = (
        env.from_collection(SALES, type_info=Types.TUPLE([Types.STRING(), Types.LONG(), Types.LONG()]))
        .assign_timestamps_and_watermarks(strategy)
        .key_by(lambda sale: sale[0], key_type=Types.STRING())
    )
    sums = sales.window(TumblingEventTimeWindows.of(Time.seconds(5))).reduce(
        lambda one, other: (one[0], max(one[1], other[1]), one[2] + other[2])
    )
    sums.map(lambda sale: "sum of %s up to second %d: %d" % sale, output_type=Types.STRING()).print()
    sales.window(EventTimeSessionWindows.with_gap(Time.seconds(8))).process(Visits(), Types.STRING()).print()
    env.execute("windows")


if __name__ == "__main__":
    main(sys.argv[1])
