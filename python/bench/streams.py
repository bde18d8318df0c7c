#!/usr/bin/env python3
"""Jobs against plain Python that calls the same functions: ratios of one run, medians.

    meson devenv -C build python3 ../python/bench/streams.py [--rows N] [--repeats N] [--only NAME]

Each contender runs once in turn, --repeats times; printed are the median time a row, and the ratio to the plain
Python loop, from the medians. A job's time begins when its functions are open and ends with the job; what it took to
open them, in process mode to start workers, stands beside it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple

from clutch.common import Configuration, Time, Types, WatermarkStrategy
from clutch.common.watermark_strategy import TimestampAssigner
from clutch.datastream import StreamExecutionEnvironment
from clutch.datastream.connectors import DiscardingSink
from clutch.datastream.connectors.number_seq import NumberSequenceSource
from clutch.datastream.functions import KeyedProcessFunction, ProcessJoinFunction, RuntimeContext
from clutch.datastream.state import ValueStateDescriptor
from clutch.datastream.window import TumblingEventTimeWindows

MODES = ("thread", "process")


def environment(mode: str, parallelism: int = 1) -> StreamExecutionEnvironment:
    configuration = Configuration()
    configuration.set_string("python.execution-mode", mode)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(parallelism)
    return env


def numbers(env: StreamExecutionEnvironment, rows: int, strategy: Any = None) -> Any:
    source = NumberSequenceSource(0, rows - 1)
    return env.from_source(source, strategy or WatermarkStrategy.no_watermarks(), "numbers", Types.LONG())


def add_one(x: int) -> int:
    return x + 1


class Timed(NamedTuple):
    """Seconds."""

    running: float
    opening: float = 0.0


def timed(env: StreamExecutionEnvironment, name: str) -> Timed:
    begin = time.perf_counter()
    client = env.execute_async(name)
    opened = time.perf_counter()
    client.get_job_execution_result().result()
    return Timed(time.perf_counter() - opened, opened - begin)


class MapBench:
    """map(x + 1) from a sequence to a sink that drops."""

    name = "map"

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def plain(self) -> None:
        out = []
        for x in range(self.rows):
            out.append(add_one(x))

    def job(self, mode: str, parallelism: int = 1) -> Timed:
        env = environment(mode, parallelism)
        numbers(env, self.rows).map(add_one, output_type=Types.LONG()).sink_to(DiscardingSink())
        return timed(env, "map")

    def contenders(self) -> Dict[str, Callable[[], Timed]]:
        found = {mode: (lambda mode=mode: self.job(mode)) for mode in MODES}
        found["process, 2 workers"] = lambda: self.job("process", 2)
        return found


class Count(KeyedProcessFunction):
    def open(self, runtime_context: RuntimeContext) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, value: int, ctx: Any) -> Iterator[int]:
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        yield count


class DictState:
    """Value state over a dict, by the key that the loop sets."""

    def __init__(self) -> None:
        self.values: Dict[Any, Any] = {}
        self.key: Any = None

    def value(self) -> Any:
        return self.values.get(self.key)

    def update(self, value: Any) -> None:
        self.values[self.key] = value

    # The runtime context that open() gets.
    def get_state(self, descriptor: Any) -> "DictState":
        return self


class KeyedBench:
    """Counting by key in a value state, 100 k keys."""

    name = "keyed"
    keys = 100_000

    def __init__(self, rows: int) -> None:
        self.rows = rows

    @staticmethod
    def key_of(x: int) -> int:
        return x % 100_000

    def plain(self) -> None:
        function, state, out = Count(), DictState(), []
        function.open(state)
        key_of = self.key_of
        for x in range(self.rows):
            state.key = key_of(x)
            for given in function.process_element(x, state):
                out.append(given)

    def job(self, mode: str) -> Timed:
        env = environment(mode)
        stream = numbers(env, self.rows).key_by(self.key_of, key_type=Types.LONG())
        stream.process(Count(), output_type=Types.LONG()).sink_to(DiscardingSink())
        return timed(env, "keyed count")

    def contenders(self) -> Dict[str, Callable[[], Timed]]:
        return {mode: (lambda mode=mode: self.job(mode)) for mode in MODES}


class Self(TimestampAssigner):
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return value


def add(a: int, b: int) -> int:
    return a + b


class WindowBench:
    """Sums by tumbling window of event time, 1,000 keys, 10 windows."""

    name = "window"

    def __init__(self, rows: int) -> None:
        self.rows = rows

    @staticmethod
    def key_of(x: int) -> int:
        return x % 1000

    @staticmethod
    def time_of(x: int) -> int:
        return x

    def plain(self) -> None:
        sums: Dict[Tuple[int, int], int] = {}
        size = self.rows // 10
        key_of, time_of = self.key_of, self.time_of
        for x in range(self.rows):
            cell = (key_of(x), time_of(x) // size)
            before = sums.get(cell)
            sums[cell] = x if before is None else add(before, x)

    def job(self, mode: str) -> Timed:
        env = environment(mode)
        strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Self())
        stream = numbers(env, self.rows, strategy).key_by(self.key_of, key_type=Types.LONG())
        sums = stream.window(TumblingEventTimeWindows.of(Time.milliseconds(self.rows // 10))).reduce(add)
        sums.sink_to(DiscardingSink())
        return timed(env, "window sum")

    def contenders(self) -> Dict[str, Callable[[], Timed]]:
        return {mode: (lambda mode=mode: self.job(mode)) for mode in MODES}


class Pair(ProcessJoinFunction):
    def process_element(self, left: int, right: int, ctx: Any) -> Iterator[int]:
        yield left + right


class JoinBench:
    """An interval join of two streams in the order of time, one match a row."""

    name = "join"
    keys = 1000

    def __init__(self, rows: int) -> None:
        self.rows = rows // 2

    @staticmethod
    def key_of(x: int) -> int:
        return x % 1000

    def plain(self) -> None:
        pair, out = Pair(), []
        key_of = self.key_of
        lefts: Dict[int, List[int]] = {}
        for x in range(self.rows):
            lefts.setdefault(key_of(x), []).append(x)
        rights: Dict[int, List[int]] = {}
        for x in range(self.rows):
            rights.setdefault(key_of(x), []).append(x)
        for key, left in lefts.items():
            right, first = rights.get(key, []), 0
            for time_of_left in left:
                while first < len(right) and right[first] < time_of_left - 1:
                    first += 1
                at = first
                while at < len(right) and right[at] <= time_of_left + 1:
                    for given in pair.process_element(time_of_left, right[at], None):
                        out.append(given)
                    at += 1

    def job(self, mode: str) -> Timed:
        env = environment(mode)
        strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Self())
        sides = [numbers(env, self.rows, strategy).key_by(self.key_of, key_type=Types.LONG()) for _ in range(2)]
        joined = sides[0].interval_join(sides[1]).between(Time.milliseconds(-1), Time.milliseconds(1))
        joined.process(Pair(), output_type=Types.LONG()).sink_to(DiscardingSink())
        return timed(env, "interval join")

    def contenders(self) -> Dict[str, Callable[[], Timed]]:
        return {mode: (lambda mode=mode: self.job(mode)) for mode in MODES}


BENCHES = (MapBench, KeyedBench, WindowBench, JoinBench)


def measure(bench: Any, repeats: int) -> None:
    def plain() -> Timed:
        begin = time.perf_counter()
        bench.plain()
        return Timed(time.perf_counter() - begin)

    contenders = {"plain Python": plain, **bench.contenders()}
    times: Dict[str, List[Timed]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, run in contenders.items():
            times[name].append(run())
    base = statistics.median(of.running for of in times["plain Python"])
    print("%s: %s" % (bench.name, (type(bench).__doc__ or "").strip()))
    for name, measured in times.items():
        middle = statistics.median(of.running for of in measured)
        opening = statistics.median(of.opening for of in measured)
        line = "  %-20s %8.1f ns a row   %5.2f x" % (name, middle / bench.rows * 1e9, middle / base)
        print(line + ("   opened in %.0f ms" % (opening * 1e3) if opening else ""))
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description="Jobs against plain Python that calls the same functions.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=[bench.name for bench in BENCHES])
    arguments = parser.parse_args()
    for bench in BENCHES:
        if arguments.only in (None, bench.name):
            measure(bench(arguments.rows), arguments.repeats)


if __name__ == "__main__":
    main()
