"""Random windows: as specifications for the model, and as streams of a job."""

from __future__ import annotations

import random
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from model.times import Element
from model.windows import Fired, WindowModel, WindowSpec

from clutch.common import Time
from clutch.datastream import DataStream, OutputTag
from clutch.datastream.functions import AggregateFunction, ProcessWindowFunction, WindowFunction
from clutch.datastream.window import (
    ContinuousEventTimeTrigger,
    CountEvictor,
    CountSlidingWindowAssigner,
    CountTrigger,
    CountTumblingWindowAssigner,
    CountWindow,
    DeltaEvictor,
    Evictor,
    EventTimeSessionWindows,
    EventTimeTrigger,
    GlobalWindows,
    NeverTrigger,
    PurgingTrigger,
    SlidingEventTimeWindows,
    TimeEvictor,
    TimeWindow,
    Trigger,
    TumblingEventTimeWindows,
    WindowAssigner,
)

FUNCTIONS = ("reduce", "aggregate", "apply", "process")


class Windows(NamedTuple):
    """What is done with the elements of which windows."""

    spec: WindowSpec
    function: str
    in_python: bool  # a trigger of a user's class, with which the operator itself is Python


class OfUser(EventTimeTrigger):
    """A user's own trigger, which does what EventTimeTrigger does."""


def random_windows(choose: random.Random, fed: bool) -> Windows:
    """Without `fed` what they give does not depend on when watermarks come."""
    size = choose.choice([1, 10, 25])
    assigner: Tuple[Any, ...] = choose.choice(
        [
            ("tumbling", size, choose.randrange(size)),
            ("sliding", size, choose.choice([1, 5, 10, 40]), 0),
            ("session", choose.choice([1, 6, 20])),
            ("count", choose.randint(1, 4), choose.randint(1, 4)),
            ("global",),
        ]
    )
    trigger: Any = None
    if assigner[0] == "global":
        trigger = choose.choice([None, ("count", choose.randint(1, 4))])
    elif assigner[0] != "count":
        often = ("continuous", choose.choice([3, 10])) if fed else ("event",)
        trigger = choose.choice([None, ("event",), ("count", choose.randint(1, 4)), often])
    if trigger is not None and trigger[0] != "never" and choose.random() < 0.3:
        trigger = ("purging", trigger)
    of_time = assigner[0] not in ("count", "global")
    in_python = of_time and trigger in (None, ("event",)) and choose.random() < 0.2
    evictor: Any = None
    if choose.random() < 0.4 and assigner[0] != "session":
        sorts = [("count", choose.randint(0, 3)), ("time", choose.choice([1, 8])), ("delta", choose.choice([1, 8]))]
        evictor = (*choose.choice(sorts), choose.random() < 0.5)
    lateness = choose.choice([0, 0, 5, 30]) if fed and of_time else 0
    return Windows(WindowSpec(assigner, trigger, lateness, evictor), choose.choice(FUNCTIONS), in_python)


def assigner_of(assigner: Tuple[Any, ...]) -> WindowAssigner[Any, Any]:
    sort, numbers = assigner[0], assigner[1:]
    if sort == "count":
        return (
            CountTumblingWindowAssigner(numbers[0])
            if numbers[0] == numbers[1]
            else CountSlidingWindowAssigner(*numbers)
        )
    made: Dict[str, Callable[..., WindowAssigner[Any, Any]]] = {
        "tumbling": TumblingEventTimeWindows.of,
        "sliding": SlidingEventTimeWindows.of,
        "session": EventTimeSessionWindows.with_gap,
        "global": GlobalWindows.create,
    }
    return made[sort](*map(Time.milliseconds, numbers))


def trigger_of(trigger: Tuple[Any, ...]) -> Trigger[Any, Any]:
    if trigger[0] == "purging":
        return PurgingTrigger.of(trigger_of(trigger[1]))
    if trigger[0] == "count":
        return CountTrigger.of(trigger[1])
    if trigger[0] == "continuous":
        return ContinuousEventTimeTrigger.of(Time.milliseconds(trigger[1]))
    return EventTimeTrigger() if trigger[0] == "event" else NeverTrigger()


def distance(one: Any, other: Any) -> float:
    return abs(one[1] - other[1])


def evictor_of(evictor: Tuple[Any, ...]) -> Evictor[Any, Any]:
    sort, number, after = evictor
    if sort == "delta":
        return DeltaEvictor.of(number, distance, after)
    return CountEvictor.of(number, after) if sort == "count" else TimeEvictor.of(Time.milliseconds(number), after)


def larger(one: Any, other: Any) -> Any:
    """Of two elements the larger value, and the sum of their times. None is below every number."""
    values = [value for value in (one[2], other[2]) if value is not None]
    return one[0], one[1] + other[1], max(values) if values else None


class Values(AggregateFunction):
    """All times and values, sorted by time."""

    def create_accumulator(self) -> List[Any]:
        return []

    def add(self, value: Any, accumulator: List[Any]) -> List[Any]:
        return [*accumulator, (value[1], value[2])]

    def get_result(self, accumulator: List[Any]) -> Any:
        return tuple(sorted(accumulator, key=repr))

    def merge(self, acc_a: List[Any], acc_b: List[Any]) -> List[Any]:
        return acc_a + acc_b


def place_of(window: Any) -> Tuple[Any, ...]:
    if isinstance(window, TimeWindow):
        return window.start, window.end
    return (window.id,) if isinstance(window, CountWindow) else ()


class Told(ProcessWindowFunction):
    """Number of the windows, key, window and contents."""

    def __init__(self, number: int) -> None:
        self._number = number

    def process(self, key: Any, context: Any, elements: Iterable[Any]) -> Iterator[Any]:
        yield self._number, key, place_of(context.window()), [tuple(e) if e is not None else e for e in elements]


class Applied(WindowFunction):
    """The same."""

    def __init__(self, number: int) -> None:
        self._number = number

    def apply(self, key: Any, window: Any, inputs: Iterable[Any]) -> Iterator[Any]:
        yield self._number, key, place_of(window), [tuple(e) if e is not None else e for e in inputs]


def stream_of(keyed: Any, windows: Windows, number: int, late: Optional[OutputTag] = None) -> DataStream:
    """What Told says of each firing."""
    spec = windows.spec
    stream = keyed.window(assigner_of(spec.assigner))
    if windows.in_python:
        stream.trigger(PurgingTrigger.of(OfUser()) if spec.trigger and spec.trigger[0] == "purging" else OfUser())
    elif spec.trigger is not None:
        stream.trigger(trigger_of(spec.trigger))
    if spec.lateness:
        stream.allowed_lateness(spec.lateness)
    if spec.evictor is not None:
        stream.evictor(evictor_of(spec.evictor))
    if late is not None:
        stream.side_output_late_data(late)
    if windows.function == "reduce":
        return stream.reduce(larger, Told(number))  # type: ignore[no-any-return]
    if windows.function == "aggregate":
        return stream.aggregate(Values(), Applied(number))  # type: ignore[no-any-return]
    function = stream.apply(Applied(number)) if windows.function == "apply" else stream.process(Told(number))
    return function  # type: ignore[no-any-return]


def said_of(model: WindowModel, windows: Windows, number: int) -> List[Tuple[Any, ...]]:
    """What Told must say of each firing, in a normal form that takes no notice of orders that nobody promises."""
    return [
        normal(_said(fired, windows, number), windows)
        for fired in model.fired
        if fired.contents or windows.function != "reduce"  # nothing, all of it evicted, has no reduction
    ]


def _said(fired: Fired, windows: Windows, number: int) -> Tuple[Any, ...]:
    contents: List[Any] = [tuple(element) for element in fired.contents]
    if windows.function == "reduce":
        contents = [_folded(fired.contents)]
    elif windows.function == "aggregate":
        contents = [tuple(sorted([(e.time, e.value) for e in fired.contents], key=repr))]
    place = {"global": (), "count": fired.window[:1]}.get(windows.spec.assigner[0], tuple(fired.window))
    return number, fired.key, place, contents


def normal(said: Tuple[Any, ...], windows: Windows) -> Tuple[Any, ...]:
    """Sessions that merge have their contents in any order."""
    if windows.spec.assigner[0] != "session":
        return said
    return (*said[:3], sorted(said[3], key=repr))


def _folded(elements: List[Element]) -> Tuple[Any, ...]:
    values = [element.value for element in elements if element.value is not None]
    return elements[0].key, sum(element.time for element in elements), max(values) if values else None
