"""State and timers by key: machines report, and one that is silent for ten seconds of event time is told of.

    python3 silence.py thread
"""

from __future__ import annotations

import sys
from typing import Any, Iterator, Tuple

from clutch.common import Configuration, Duration, Types, WatermarkStrategy
from clutch.common.watermark_strategy import TimestampAssigner
from clutch.datastream import StreamExecutionEnvironment
from clutch.datastream.functions import KeyedProcessFunction, RuntimeContext
from clutch.datastream.state import ListStateDescriptor

Report = Tuple[str, int]  # machine, second

REPORTS = [("press", 1), ("lathe", 2), ("press", 5), ("lathe", 14), ("press", 30), ("lathe", 31), ("lathe", 39)]
SILENCE = 10_000


class Second(TimestampAssigner):
    def extract_timestamp(self, value: Report, record_timestamp: int) -> int:
        return value[1] * 1000


class Watch(KeyedProcessFunction):
    """Keeps the times of reports; a timer behind which no report has come for ten seconds has found a silence."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.times = runtime_context.get_list_state(ListStateDescriptor("times", Types.LONG()))

    def process_element(self, value: Report, ctx: Any) -> None:
        self.times.add(ctx.timestamp())
        ctx.timer_service().register_event_time_timer(ctx.timestamp() + SILENCE)

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[str]:
        since = timestamp - SILENCE
        if not any(since < time <= timestamp for time in self.times):
            yield "%s was silent from second %d on" % (ctx.get_current_key(), since // 1000)


def main(mode: str) -> None:
    configuration = Configuration()
    configuration.set_string("python.execution-mode", mode)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(2)).with_timestamp_assigner(Second())
    (
        env.from_collection(REPORTS, type_info=Types.TUPLE([Types.STRING(), Types.LONG()]))
        .assign_timestamps_and_watermarks(strategy)
        .key_by(lambda report: report[0], key_type=Types.STRING())
        .process(Watch(), output_type=Types.STRING())
        .print()
    )
    env.execute("silence")


if __name__ == "__main__":
    main(sys.argv[1])
