"""What answers tickets for a SourceFunction, and what gives elements to a SinkFunction, without an engine."""

from __future__ import annotations

import pickle
import threading
import traceback
import unittest
from typing import Any, Callable, Iterator, List, Optional, Tuple

from support import TestCase

# isort: split
from clutch.common import Types
from clutch.datastream import SinkFunction, SourceFunction, StreamExecutionEnvironment
from clutch.datastream._basic_functions import SourceFunctionWrapper
from clutch.datastream._sink_server import SinkServer
from clutch.datastream._source_server import SourceServer


class Served:
    """A source with the tickets of an engine."""

    def __init__(self, function: SourceFunction) -> None:
        self.function = function
        self.server = SourceServer(function, "the source Test")
        self.server.open(None)
        self.given = 0
        self.position: Optional[bytes] = None
        self.ended = False

    def ticket(self, most: int = 100) -> List[Tuple[Any, Optional[int]]]:
        """Elements and times of one ticket."""
        answer = self.server.flat_map((most, self.given, self.position))
        value, timestamp, (self.ended, self.position) = answer.pop()
        assert value is None and timestamp is None and all(mark is None for _, _, mark in answer)
        self.given += len(answer)
        return [(value, timestamp) for value, timestamp, _ in answer]

    def some(self, count: int, most: int = 100) -> List[Any]:
        """So many elements at least, in as many tickets as it takes."""
        found: List[Any] = []
        while len(found) < count and not self.ended:
            found += [value for value, _ in self.ticket(most)]
        return found

    def rest(self) -> List[Any]:
        """All that comes until the source ends."""
        return self.some(1 << 60)

    def replaced(self, function: SourceFunction) -> Served:
        """Another instance, which is given the next ticket of this one."""
        other = Served(function)
        other.given, other.position = self.given, self.position
        return other


class Counting(SourceFunction):
    """Counts for ever, from its position."""

    def __init__(self) -> None:
        self.next = 0

    def run(self, ctx: Any) -> Iterator[int]:
        while True:
            self.next += 1
            yield self.next - 1

    def snapshot(self) -> Any:
        return {"next": self.next}

    def restore(self, position: Any) -> None:
        self.next = position["next"]


class Waiting(SourceFunction):
    """Gives an element, then waits until it is cancelled."""

    def open(self, runtime_context: Any) -> None:
        self.calls: List[str] = ["open"]
        self.cancelled = threading.Event()

    def run(self, ctx: Any) -> None:
        ctx.collect("first")
        self.cancelled.wait()
        self.calls.append("left")

    def cancel(self) -> None:
        self.calls.append("cancel")
        self.cancelled.set()

    def close(self) -> None:
        self.calls.append("close")


def source_of(run: Callable[[Any], Any]) -> SourceFunction:
    return type("Made", (SourceFunction,), {"run": lambda self, ctx: run(ctx)})()


class SourceTest(TestCase):
    def test_yielded_returned_and_collected(self) -> None:
        def collected(ctx: Any) -> None:
            for number in range(3):
                ctx.collect(number)

        def yielded(ctx: Any) -> Iterator[int]:
            yield from range(3)

        for run in (collected, yielded, lambda ctx: range(3), lambda ctx: [0, 1, 2]):
            served = Served(source_of(run))
            self.assertEqual(served.rest(), [0, 1, 2])
            self.assertIsNone(served.position)
            served.server.close()
        self.assertEqual(Served(SourceFunctionWrapper(lambda: iter("ab"))).rest(), ["a", "b"])
        self.assertEqual(Served(SourceFunctionWrapper(lambda: None)).rest(), [])

    def test_a_ticket_gets_no_more_than_it_asks_for(self) -> None:
        served = Served(source_of(lambda ctx: range(25)))
        sizes = []
        while not served.ended:
            sizes.append(len(served.ticket(10)))
        self.assertEqual(served.given, 25)
        self.assertLessEqual(max(sizes), 10)

    def test_timestamps(self) -> None:
        def run(ctx: Any) -> None:
            ctx.collect_with_timestamp("a", 7)
            ctx.collect("b")

        served = Served(source_of(run))
        found: List[Any] = []
        while not served.ended:
            found += served.ticket()
        self.assertEqual(found, [("a", 7), ("b", None)])

    def test_elements_do_not_wait_for_others(self) -> None:
        served = Served(Waiting())
        self.assertEqual(served.some(1), ["first"])
        self.assertEqual(served.ticket(), [])  # answered though the source waits
        self.assertFalse(served.ended)
        served.server.close()
        self.assertEqual(served.function.calls, ["open", "cancel", "left", "close"])  # type: ignore[attr-defined]

    def test_a_source_that_ended_is_not_cancelled(self) -> None:
        function = Waiting()
        served = Served(function)
        function.cancelled.set()
        self.assertEqual(served.rest(), ["first"])
        served.server.close()
        self.assertEqual(function.calls, ["open", "left", "close"])

    def test_closed_before_the_first_ticket(self) -> None:
        served = Served(Waiting())
        served.server.close()
        self.assertEqual(served.function.calls, ["open", "close"])  # type: ignore[attr-defined]

    def test_the_next_element_ends_a_source_without_cancel(self) -> None:
        ends: List[str] = []

        def run(ctx: Any) -> Iterator[int]:
            try:
                number = 0
                while True:
                    yield number
                    number += 1
            finally:
                ends.append(threading.current_thread().name)

        served = Served(source_of(run))
        self.assertEqual(served.some(1000)[:1000], list(range(1000)))
        served.server.close()
        self.assertEqual(ends, ["the source Test"])

    def test_an_error_comes_behind_what_was_given(self) -> None:
        def run(ctx: Any) -> Iterator[int]:
            yield 1
            raise KeyError("two")

        served = Served(source_of(run))
        self.assertEqual(served.some(1), [1])
        text = ""
        try:
            served.rest()
        except KeyError:
            text = traceback.format_exc()
        self.assertIn("in run\n    raise KeyError(\"two\")\n", text)
        served.server.close()

    def test_even_an_exit_is_an_error(self) -> None:
        def run(ctx: Any) -> None:
            raise SystemExit(0)

        served = Served(source_of(run))
        with self.assertRaises(SystemExit):
            served.rest()

    def test_what_is_no_iterable_is_refused(self) -> None:
        served = Served(source_of(lambda ctx: 5))
        self.refused(
            TypeError,
            "run() of the source Test must yield its elements, return an iterable of them, or collect() them and return "
            "None; it returned 5 of type int",
            served.rest,
        )

    def test_what_a_context_refuses(self) -> None:
        refused = (
            ": sources in Python send elements alone; make watermarks behind the source, by "
            "assign_timestamps_and_watermarks() with for_bounded_out_of_orderness() and with_idleness()"
        )
        for run, error, text in (
            (lambda ctx: ctx.emit_watermark(5), NotImplementedError, "emit_watermark(5)" + refused),
            (lambda ctx: ctx.mark_as_temporarily_idle(), NotImplementedError, "mark_as_temporarily_idle()" + refused),
            (
                lambda ctx: ctx.collect_with_timestamp("a", "b"),
                TypeError,
                "the timestamp of collect_with_timestamp must be an int, milliseconds since 1970, got 'b' of type str",
            ),
        ):
            self.refused(error, text, Served(source_of(run)).rest)

    def test_a_position_is_that_behind_the_last_element(self) -> None:
        served = Served(Counting())
        found = served.some(50, most=7)
        for _ in range(3):  # each instance stands in for one that is lost
            self.assertEqual(pickle.loads(served.position or b""), {"next": len(found)})
            lost, served = served, served.replaced(Counting())
            lost.server.close()
            found += served.some(10, most=7)
        self.assertEqual(found, list(range(len(found))))
        served.server.close()

    def test_without_positions_nobody_stands_in(self) -> None:
        served = Served(source_of(lambda ctx: range(25)))
        served.some(1)
        self.refused(
            RuntimeError,
            "the worker of the source Test was lost after %d elements, and it has no positions to go on from; give it "
            "snapshot() and restore(position)" % served.given,
            served.replaced(source_of(lambda ctx: range(25))).ticket,
        )

    def test_tickets_that_do_not_follow_each_other(self) -> None:
        served = Served(source_of(lambda ctx: range(25)))
        served.some(1)
        served.given += 5
        self.refused(
            RuntimeError,
            "the source Test was asked for what follows its first %d elements, and this instance has given %d; this is "
            "a mistake of the engine, please report it" % (served.given, served.given - 5),
            served.ticket,
        )

    def test_a_source_that_does_not_return(self) -> None:
        from clutch.datastream import _source_server

        release = threading.Event()
        served = Served(source_of(lambda ctx: release.wait()))
        self.assertEqual(served.ticket(), [])
        bound = _source_server._BOUND
        _source_server._BOUND = 0.01
        try:
            self.refused(
                RuntimeError,
                "run() of the source Test did not return within 0 s after cancel(); make cancel() end it",
                served.server.close,
            )
        finally:
            _source_server._BOUND = bound
            release.set()

    def test_what_add_source_refuses(self) -> None:
        env = StreamExecutionEnvironment.get_execution_environment()
        self.refused(
            TypeError,
            "add_source takes an instance of SourceFunction or a function, got [1] of type list",
            lambda: env.add_source([1]),  # type: ignore[arg-type]
        )
        self.refused(
            TypeError,
            "bounded of add_source must be a bool, got 1 of type int",
            lambda: env.add_source(Counting(), bounded=1),  # type: ignore[arg-type]
        )
        for missing, name in (("restore", "snapshot"), ("snapshot", "restore")):
            methods = {"run": lambda self, ctx: [], name: lambda self, *_: None}
            half = type("Half", (SourceFunction,), methods)()
            self.assertFalse(hasattr(half, missing))
            self.refused(
                TypeError,
                "Half defines %s() alone; a source with positions has snapshot() and restore(position)" % name,
                lambda half=half: env.add_source(half),
            )
        self.refused(
            ValueError,
            "the parallelism of the operator 'Source: Custom Source' can only be 1, got 2",
            lambda: env.add_source(Counting(), type_info=Types.LONG()).set_parallelism(2),
        )


class Kept(SinkFunction):
    def open(self, runtime_context: Any) -> None:
        self.calls: List[Any] = ["open"]

    def invoke(self, value: Any, context: SinkFunction.Context) -> None:
        self.calls.append((value, context.timestamp(), context.current_watermark(), context.current_processing_time()))

    def flush(self) -> None:
        self.calls.append("flush")

    def close(self) -> None:
        self.calls.append("close")


class Timers:
    def current_processing_time(self) -> int:
        return 3

    def current_watermark(self) -> int:
        return 2


class Context:
    def timestamp(self) -> int:
        return 1

    def timer_service(self) -> Timers:
        return Timers()


class SinkTest(TestCase):
    def test_elements_and_flush(self) -> None:
        sink = Kept()
        server = SinkServer(sink, "the sink Test")
        server.open(None)
        for value in ("a", "b"):
            self.assertIsNone(server.process_element1(value, Context()))
        self.assertIsNone(server.process_element2((False, 2), Context()))
        self.assertIsNone(server.process_element2((True, 2), Context()))
        server.close()
        self.assertEqual(sink.calls, ["open", ("a", 1, 2, 3), ("b", 1, 2, 3), "flush", "close"])

    def test_an_instance_notices_that_it_stands_in_for_another(self) -> None:
        server = SinkServer(Kept(), "the sink Test")
        server.open(None)
        server.process_element1("c", Context())
        self.refused(
            RuntimeError,
            "the worker of the sink Test was lost, which had been given 2 of 3 elements, and nobody knows what of them "
            "it has written; run the job again",
            lambda: server.process_element2((False, 3), Context()),
        )


if __name__ == "__main__":
    unittest.main()
