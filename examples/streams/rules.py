"""Broadcast state: rules reach every subtask, and each transaction is held against those that are known.

    python3 rules.py thread
"""

from __future__ import annotations

import sys
from typing import Any, Iterator, Tuple

from clutch.common import Configuration, Types
from clutch.datastream import StreamExecutionEnvironment
from clutch.datastream.functions import KeyedBroadcastProcessFunction, RuntimeContext
from clutch.datastream.state import MapStateDescriptor, ValueStateDescriptor

RULES = MapStateDescriptor("rules", Types.STRING(), Types.LONG())
PAYMENTS = [("ada", 40), ("alan", 10), ("ada", 70), ("alan", 15), ("ada", 5)]


class Limits(KeyedBroadcastProcessFunction):
    """Tells of everyone whose payments have passed the limit of a rule; payments wait for the first rule."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.spent = runtime_context.get_state(ValueStateDescriptor("spent", Types.LONG()))

    def process_element(self, value: Tuple[str, int], ctx: Any) -> Iterator[str]:
        spent = (self.spent.value() or 0) + value[1]
        self.spent.update(spent)
        rules = ctx.get_broadcast_state(RULES)
        ctx.timer_service().register_event_time_timer(1)
        for name, limit in sorted(rules.items()):
            if spent > limit >= spent - value[1]:
                yield "%s passed the limit %s" % (value[0], name)

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[str]:
        over = [name for name, limit in ctx.get_broadcast_state(RULES).items() if self.spent.value() > limit]
        yield "%s ends with %d, over %s" % (ctx.get_current_key(), self.spent.value(), sorted(over) or "nothing")

    def process_broadcast_element(self, value: Tuple[str, int], ctx: Any) -> None:
        ctx.get_broadcast_state(RULES).put(value[0], value[1])


def main(mode: str) -> None:
    configuration = Configuration()
    configuration.set_string("python.execution-mode", mode)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    pair = Types.TUPLE([Types.STRING(), Types.LONG()])
    rules = env.from_collection([("high", 100), ("low", 30)], type_info=pair).broadcast(RULES)
    payments = env.from_collection(PAYMENTS, type_info=pair).key_by(lambda payment: payment[0], key_type=Types.STRING())
    told = payments.connect(rules).process(Limits(), output_type=Types.STRING())
    # Which stream comes first is nobody's promise, so only what holds at the end is printed.
    told.filter(lambda text: " ends with " in text).print()
    env.execute("rules")


if __name__ == "__main__":
    main(sys.argv[1])
