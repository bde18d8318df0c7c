"""Jobs that are cancelled in the middle leave no process and no thread, in both modes."""

from __future__ import annotations

import threading
import time
import unittest
from typing import Any, Iterator, List

from proof.processes import descendants, threads
from proof.running import Setting, environment, timed

from clutch import Error
from clutch.common import JobStatus, Time, Types
from clutch.datastream import DataStream, StreamExecutionEnvironment
from clutch.datastream.functions import KeyedProcessFunction
from clutch.datastream.state import ValueStateDescriptor
from clutch.datastream.window import SlidingEventTimeWindows

LAST = 2**40  # more than anybody waits for


class Counts(KeyedProcessFunction):
    def open(self, runtime_context: Any) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        self.count.update((self.count.value() or 0) + 1)
        ctx.timer_service().register_event_time_timer(value[1] + 100)
        yield value[0], self.count.value(), value[1]

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:
        yield ctx.get_current_key(), -1, timestamp


def counted(env: StreamExecutionEnvironment) -> DataStream:
    """Something of everything, without end."""
    three = Types.TUPLE([Types.LONG(), Types.LONG(), Types.LONG()])
    numbers = env.from_sequence(0, LAST).map(lambda number: (number % 50, number, 1), three)
    keyed = timed(numbers, 10).key_by(lambda element: element[0], Types.LONG())
    sums = keyed.window(SlidingEventTimeWindows.of(Time.milliseconds(50), Time.milliseconds(10)))
    added = sums.reduce(lambda one, other: (one[0], other[1], one[2] + other[2]))
    return keyed.process(Counts(), three).union(added).map(lambda value: value)


def own_threads() -> List[str]:
    """Without the watchdog of thread mode, which is one for the process and all its jobs, and stays."""
    return sorted(name for name in threads().values() if name != "clutch-watchdog")


class Cancelled(unittest.TestCase):
    def nothing_is_left(self, before: List[str]) -> None:
        self.assertEqual(descendants(), {})
        # The kernel lists a thread for a moment after it could be joined.
        until = time.monotonic() + 20
        while own_threads() != before and time.monotonic() < until:
            time.sleep(0.001)
        self.assertEqual(own_threads(), before)

    def each(self, cancels: Any) -> None:
        for setting in (Setting("thread", 1, 64), Setting("thread", 3, 4096), Setting("process", 2, 64)):
            with self.subTest(setting=setting):
                before = own_threads()
                cancels(setting)
                self.nothing_is_left(before)

    def test_an_iterator_that_is_closed(self) -> None:
        def cancels(setting: Setting) -> None:
            env = environment(setting).set_parallelism(setting.parallelism)
            with counted(env).execute_and_collect() as results:
                for _ in range(500):
                    next(results)

        self.each(cancels)

    def test_a_client_that_cancels_from_another_thread(self) -> None:
        def cancels(setting: Setting) -> None:
            env = environment(setting).set_parallelism(setting.parallelism)
            results = counted(env).execute_and_collect()
            client = results.get_job_client()
            next(results)
            cancelling = threading.Timer(0.2, client.cancel)
            cancelling.start()
            with self.assertRaises(Error) as caught:
                list(results)
            self.assertEqual(caught.exception.name, "CLUTCH_ERR_CANCELLED")
            cancelling.join()
            self.assertIs(client.get_job_status().result(), JobStatus.CANCELED)

        self.each(cancels)

    def test_a_job_whose_elements_nobody_takes(self) -> None:
        def cancels(setting: Setting) -> None:
            env = environment(setting, clutch_engine_channel__bytes="64 kb").set_parallelism(setting.parallelism)
            results = counted(env).execute_and_collect()
            next(results)
            time.sleep(0.2)  # until all channels are full; with less time some are not, which is as good
            results.get_job_client().cancel().result()
            results.close()

        self.each(cancels)

    def test_a_client_without_an_iterator(self) -> None:
        def cancels(setting: Setting) -> None:
            env = environment(setting).set_parallelism(setting.parallelism)
            counted(env)._sink("Sink: Nothing", {"type": "blackhole"})
            client = env.execute_async()
            client.cancel().result()

        self.each(cancels)


if __name__ == "__main__":
    unittest.main()
