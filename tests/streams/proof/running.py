"""Jobs of the proofs: their environment, what they gave, and how it is compared and made small."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Sequence, Tuple, TypeVar

from clutch.common import Configuration, Duration, Types, WatermarkStrategy
from clutch.common.watermark_strategy import TimestampAssigner
from clutch.datastream import DataStream, StreamExecutionEnvironment

FOLDER = str(Path(__file__).resolve().parent.parent)
ELEMENT = Types.TUPLE([Types.LONG(), Types.LONG(), Types.LONG()])
T = TypeVar("T")


class Setting(NamedTuple):
    """How a job runs."""

    mode: str
    parallelism: int
    batch_rows: int


def settings(seed: int) -> List[Setting]:
    """Both modes with one and three instances; which of them has which size of batches turns with the seed."""
    sizes = (1, 7, 4096)
    places = [("thread", 1), ("thread", 3), ("process", 1), ("process", 3)]
    return [Setting(mode, many, sizes[(seed + at) % 3]) for at, (mode, many) in enumerate(places)]


def environment(setting: Setting, **options: str) -> StreamExecutionEnvironment:
    configuration = Configuration()
    configuration.set_string("python.execution-mode", setting.mode)
    configuration.set_string("clutch.engine.batch-rows", str(setting.batch_rows))
    configuration.set_string("pipeline.auto-watermark-interval", "1 ms")
    configuration.set_string("python.pythonpath", FOLDER)
    configuration.set_string("python.process.spares", "0")
    for key, value in options.items():
        configuration.set_string(key.replace("__", "-").replace("_", "."), value)
    return StreamExecutionEnvironment.get_execution_environment(configuration)


class TimeOf(TimestampAssigner):
    """The second field."""

    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return value[1]  # type: ignore[no-any-return]


def timed(stream: DataStream, bound: int) -> DataStream:
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(bound))
    return stream.assign_timestamps_and_watermarks(strategy.with_timestamp_assigner(TimeOf()))


def source(
    env: StreamExecutionEnvironment, setting: Setting, elements: Sequence[Any], bound: int, pickled: bool = False
) -> DataStream:
    """Tuples of key, time and value in their order, for operators with as many instances as the setting says."""
    of = Types.PICKLED_BYTE_ARRAY() if pickled else ELEMENT
    env.set_parallelism(1)
    stream = timed(env.from_collection([tuple(element) for element in elements], type_info=of), bound)
    env.set_parallelism(setting.parallelism)
    return stream


def together(streams: Sequence[DataStream]) -> DataStream:
    return streams[0].union(*streams[1:]) if len(streams) > 1 else streams[0]


def collected(stream: DataStream) -> List[Any]:
    with stream.execute_and_collect() as results:
        return list(results)


def in_groups(results: Iterable[T], group: Callable[[T], Any]) -> Dict[Any, List[T]]:
    found: Dict[Any, List[T]] = {}
    for result in results:
        found.setdefault(group(result), []).append(result)
    return found


def difference(expected: Iterable[Any], got: Iterable[Any]) -> str:
    """What is missing and what is too much, of multisets; empty if nothing is."""
    wanted, found = Counter(map(repr, expected)), Counter(map(repr, got))
    missing, surplus = list((wanted - found).elements()), list((found - wanted).elements())
    if not missing and not surplus:
        return ""
    return "%d missing: %s; %d too many: %s" % (len(missing), missing[:3], len(surplus), surplus[:3])


def difference_in_order(expected: Iterable[T], got: Iterable[T], group: Callable[[T], Any]) -> str:
    """The same for results whose order is said within each group, as a key has it."""
    wanted, found = in_groups(expected, group), in_groups(got, group)
    for key in sorted({*wanted, *found}, key=repr):
        if repr(wanted.get(key, [])) != repr(found.get(key, [])):
            what = difference(wanted.get(key, []), found.get(key, [])) or "in another order"
            return "%r: %s; wanted %s, got %s" % (key, what, wanted.get(key, [])[:6], found.get(key, [])[:6])
    return ""


def smallest(elements: List[T], fails: Callable[[List[T]], str], seconds: float = 8.0) -> Tuple[List[T], str]:
    """Drop elements while it still fails, for so long: halves and quarters first, then one by one."""
    until = time.monotonic() + seconds
    said = fails(elements)
    size = max(1, len(elements) // 2)
    while time.monotonic() < until:
        at = 0
        before = len(elements)
        while at < len(elements) and time.monotonic() < until:
            fewer = elements[:at] + elements[at + size :]
            reason = fails(fewer)
            if reason:
                elements, said = fewer, reason
            else:
                at += size
        if size == 1 and len(elements) == before:
            break
        size = max(1, size // 2)
    return elements, said


def proves(case: Callable[[List[T], Setting], str], elements: List[T], setting: Setting, seed: int) -> str:
    """Nothing if the case holds, else what failed, with the smallest stream that was found to fail."""
    said = case(elements, setting)
    if not said:
        return ""
    few, reason = smallest(elements, lambda some: case(some, setting))
    return "STREAM_PROOFS_SEED=%d %s\n%s\nwith %d of %d elements: %s\n%s" % (
        seed, setting, said, len(few), len(elements), few, reason or "which failed only at first"
    )  # fmt: skip
