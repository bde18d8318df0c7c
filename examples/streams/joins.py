"""What PyFlink has not got: interval join, window join and co-group, here of orders with their payments.

    python3 joins.py thread
"""

from __future__ import annotations

import sys
from typing import Any, Iterable, Iterator, Tuple

from clutch.common import Configuration, Time, Types, WatermarkStrategy
from clutch.common.watermark_strategy import TimestampAssigner
from clutch.datastream import DataStream, StreamExecutionEnvironment
from clutch.datastream.functions import CoGroupFunction, JoinFunction, ProcessJoinFunction
from clutch.datastream.window import TumblingEventTimeWindows

Event = Tuple[str, int]  # order, second

ORDERS = [("a", 1), ("b", 2), ("c", 11), ("d", 12)]
PAYMENTS = [("a", 3), ("b", 9), ("c", 12), ("x", 14)]
EVENT = Types.TUPLE([Types.STRING(), Types.LONG()])


class Second(TimestampAssigner):
    def extract_timestamp(self, value: Event, record_timestamp: int) -> int:
        return value[1] * 1000


class Delay(ProcessJoinFunction):
    def process_element(self, left: Event, right: Event, ctx: Any) -> Iterator[str]:
        yield "%s paid after %d s" % (left[0], (ctx.get_right_timestamp() - ctx.get_left_timestamp()) // 1000)


class Pair(JoinFunction):
    def join(self, first: Event, second: Event) -> str:
        return "%s joined in one window" % first[0]


class Open(CoGroupFunction):
    """Has the orders of a window without a payment, which no join shows."""

    def co_group(self, first: Iterable[Event], second: Iterable[Event]) -> Iterator[str]:
        orders = [order for order, _ in first]
        if orders and not list(second):
            yield "%s not paid in its window" % orders[0]


def events(env: StreamExecutionEnvironment, rows: Any) -> DataStream:
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Second())
    return env.from_collection(rows, type_info=EVENT).assign_timestamps_and_watermarks(strategy)


def order_of(event: Event) -> str:
    return event[0]


def main(mode: str) -> None:
    configuration = Configuration()
    configuration.set_string("python.execution-mode", mode)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    orders, payments = events(env, ORDERS), events(env, PAYMENTS)

    by_order = orders.key_by(order_of, key_type=Types.STRING())
    paid = by_order.interval_join(payments.key_by(order_of, key_type=Types.STRING()))
    paid.between(Time.seconds(0), Time.seconds(5)).process(Delay(), output_type=Types.STRING()).print()

    windows = TumblingEventTimeWindows.of(Time.seconds(10))
    joined = orders.join(payments).where(order_of, Types.STRING()).equal_to(order_of)
    joined.window(windows).apply(Pair(), output_type=Types.STRING()).print()

    grouped = orders.co_group(payments).where(order_of, Types.STRING()).equal_to(order_of)
    grouped.window(windows).apply(Open(), output_type=Types.STRING()).print()
    env.execute("joins")


if __name__ == "__main__":
    main(sys.argv[1])
