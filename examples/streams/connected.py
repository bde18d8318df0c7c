"""Two streams of different types in one function, with state that both sides share.

    python3 connected.py thread
"""

from __future__ import annotations

import sys
from typing import Any, Iterator, Tuple

from clutch.common import Configuration, Types
from clutch.datastream import OutputTag, StreamExecutionEnvironment
from clutch.datastream.functions import CoMapFunction, KeyedCoProcessFunction, RuntimeContext
from clutch.datastream.state import ListStateDescriptor, ValueStateDescriptor

UNKNOWN = OutputTag("unknown", Types.STRING())


class Same(CoMapFunction):
    def map1(self, value: int) -> str:
        return "number %d" % value

    def map2(self, value: str) -> str:
        return "text %s" % value


class Names(KeyedCoProcessFunction):
    """Gives each reading the name of its device; readings that come before the name wait for it."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.name = runtime_context.get_state(ValueStateDescriptor("name", Types.STRING()))
        self.waiting = runtime_context.get_list_state(ListStateDescriptor("waiting", Types.DOUBLE()))

    def process_element1(self, value: Tuple[int, float], ctx: Any) -> Iterator[str]:
        ctx.timer_service().register_event_time_timer(1)
        if self.name.value() is None:
            self.waiting.add(value[1])
        else:
            yield "%s %.1f" % (self.name.value(), value[1])

    def process_element2(self, value: Tuple[int, str], ctx: Any) -> Iterator[str]:
        self.name.update(value[1])
        for reading in self.waiting:
            yield "%s %.1f" % (value[1], reading)
        self.waiting.clear()

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:
        for reading in self.waiting:
            yield UNKNOWN, "device %d %.1f" % (ctx.get_current_key(), reading)


def main(mode: str) -> None:
    configuration = Configuration()
    configuration.set_string("python.execution-mode", mode)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    numbers = env.from_collection([1, 2], type_info=Types.LONG())
    numbers.connect(env.from_collection(["a"], type_info=Types.STRING())).map(Same(), Types.STRING()).print()

    readings = env.from_collection(
        [(1, 20.5), (2, 3.0), (1, 21.0), (3, 9.9)], type_info=Types.TUPLE([Types.LONG(), Types.DOUBLE()])
    )
    names = env.from_collection([(1, "oven"), (2, "ice box")], type_info=Types.TUPLE([Types.LONG(), Types.STRING()]))
    named = (
        readings.connect(names)
        .key_by(lambda reading: reading[0], lambda name: name[0], key_type=Types.LONG())
        .process(Names(), output_type=Types.STRING())
    )
    named.print()
    named.get_side_output(UNKNOWN).print()
    env.execute("connected")


if __name__ == "__main__":
    main(sys.argv[1])
