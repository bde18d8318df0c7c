"""Sources and sinks of clutch.datastream in Python, from end to end, in each mode."""

from __future__ import annotations

import functools
import os
import signal
import tempfile
import threading
import time
import unittest
from pathlib import Path
from typing import Any, Callable, Iterator, List

import jobs
from hosting import MODES, TestCase
from jobs import increment, parity

# isort: split
import clutch
from clutch.common import JobStatus, Row, Types
from clutch.datastream import RuntimeExecutionMode, SinkFunction, SourceFunction, StreamExecutionEnvironment
from clutch.datastream.functions import ParallelSourceFunction

LONG, STRING = Types.LONG(), Types.STRING()


# Sources and sinks have one worker all the same.
environment = functools.partial(jobs.environment, options={"python.process.workers": "2"})


def collected(stream: Any) -> List[Any]:
    with stream.execute_and_collect() as elements:
        return list(elements)


def thousands() -> Iterator[int]:
    return iter(range(30000))


def objects() -> List[Any]:
    return [{1}, None, "x"]


def write_text(path: str, value: Any) -> None:
    Path(path).write_text(str(value), encoding="utf-8")


class Yields(SourceFunction):
    def run(self, ctx: Any) -> Iterator[Any]:
        for number in range(5):
            yield Row(number, "n%d" % number)


class Collects(SourceFunction):
    def run(self, ctx: Any) -> None:
        for number in range(5):
            ctx.collect_with_timestamp(number, 1000 * number)


class Divides(SourceFunction):
    def run(self, ctx: Any) -> Iterator[int]:
        for number in (2, 1, 0):
            yield 10 // number


class Numbered(ParallelSourceFunction):
    def open(self, runtime_context: Any) -> None:
        self.index = runtime_context.get_index_of_this_subtask()
        self.count = runtime_context.get_number_of_parallel_subtasks()

    def run(self, ctx: Any) -> List[int]:
        return list(range(self.index, 20, self.count))


class Patient(SourceFunction):
    """Gives its process, and waits for its end."""

    def __init__(self, path: str) -> None:
        self.path = path

    def open(self, runtime_context: Any) -> None:
        self.over = threading.Event()

    def run(self, ctx: Any) -> None:
        ctx.collect(os.getpid())
        self.over.wait()

    def cancel(self) -> None:
        self.over.set()

    def close(self) -> None:
        Path(self.path).write_text("closed, cancelled %s" % self.over.is_set(), encoding="utf-8")


class Continued(SourceFunction):
    """Gives its process, and when there is a file the numbers below 20,000."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.position = -1

    def open(self, runtime_context: Any) -> None:
        self.over = threading.Event()

    def run(self, ctx: Any) -> Iterator[int]:
        if self.position < 0:
            self.position = 0
            yield os.getpid()
        while not os.path.exists(self.path):
            if self.over.wait(0.01):
                return
        while self.position < 20000:
            self.position += 1
            yield self.position - 1

    def cancel(self) -> None:
        self.over.set()

    def snapshot(self) -> int:
        return self.position

    def restore(self, position: int) -> None:
        self.position = position


class Written(SinkFunction):
    """Writes what happens to it to a file of its own."""

    def __init__(self, path: str) -> None:
        self.path = path

    def open(self, runtime_context: Any) -> None:
        self.say("open %d" % runtime_context.get_index_of_this_subtask())

    def say(self, text: str) -> None:
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(text + "\n")

    def invoke(self, value: int, context: SinkFunction.Context) -> None:
        if value == 13:
            raise ValueError("no luck")
        assert context.current_processing_time() > 0
        self.say("%d at %s" % (value, context.timestamp()))

    def flush(self) -> None:
        self.say("flush")

    def close(self) -> None:
        self.say("close")


class Mortal(SinkFunction):
    """Ends its process."""

    def invoke(self, value: int, context: SinkFunction.Context) -> None:
        if value == 3:
            os.kill(os.getpid(), signal.SIGKILL)


class Ends(TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def in_each(self, test: Callable[[StreamExecutionEnvironment, str], None]) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                test(environment(mode), os.path.join(self.folder, mode))

    def lines(self, path: str) -> List[str]:
        return Path(path).read_text(encoding="utf-8").splitlines()

    def test_sources(self) -> None:
        def test(env: StreamExecutionEnvironment, path: str) -> None:
            self.assertEqual(collected(env.add_source(thousands, type_info=LONG)), list(range(30000)))
            rows = env.add_source(Yields(), type_info=Types.ROW_NAMED(["n", "s"], [LONG, STRING]))
            self.assertEqual([(row.n, row.s) for row in collected(rows)], [(n, "n%d" % n) for n in range(5)])
            self.assertEqual([tuple(row) for row in collected(env.add_source(Yields()))][3:], [(3, "n3"), (4, "n4")])
            self.assertEqual(collected(env.add_source(objects)), [{1}, None, "x"])

        self.in_each(test)

    def test_a_parallel_source(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                stream = environment(mode, 3).add_source(Numbered(), type_info=LONG).map(increment, LONG)
                self.assertEqual(sorted(collected(stream)), list(range(1, 21)))

    def test_batch_mode(self) -> None:
        def test(env: StreamExecutionEnvironment, path: str) -> None:
            env.set_runtime_mode(RuntimeExecutionMode.BATCH)
            self.assertEqual(len(collected(env.add_source(thousands, type_info=LONG, bounded=True))), 30000)

        self.in_each(test)

    def test_sinks(self) -> None:
        def test(env: StreamExecutionEnvironment, path: str) -> None:
            numbers = env.add_source(Collects(), type_info=LONG)
            numbers.add_sink(Written(path)).name("written")
            numbers.add_sink(functools.partial(write_text, path + "_last"))
            numbers.key_by(parity, LONG).add_sink(Written(path + "_keyed"))
            env.execute("sinks")
            expected = ["open 0", *("%d at %d" % (number, 1000 * number) for number in range(5)), "flush", "close"]
            self.assertEqual(self.lines(path), expected)
            self.assertEqual(self.lines(path + "_keyed"), expected)
            self.assertEqual(self.lines(path + "_last"), ["4"])

        self.in_each(test)

    def test_a_sink_that_fails(self) -> None:
        def test(env: StreamExecutionEnvironment, path: str) -> None:
            env.from_sequence(12, 20).add_sink(Written(path)).name("written")
            with self.assertRaises(clutch.Error) as caught:
                env.execute("fails")
            text = str(caught.exception)
            self.assertIn('operator "written": ', text)
            self.assertIn("row 1", text)
            self.assertIn("ValueError: no luck", text)
            self.assertIn("in invoke", caught.exception.details["traceback"])
            self.assertEqual(self.lines(path), ["open 0", "12 at None", "close"])

        self.in_each(test)

    def test_a_source_that_fails(self) -> None:
        def test(env: StreamExecutionEnvironment, path: str) -> None:
            elements = env.add_source(Divides(), "divided", type_info=LONG).execute_and_collect()
            assert not isinstance(elements, list)
            found = []
            with self.assertRaises(clutch.Error) as caught, elements:
                for element in elements:
                    found.append(element)
            self.assertEqual(found, [5, 10])
            text = str(caught.exception)
            self.assertIn('source "Source: divided": ', text)
            self.assertIn("ZeroDivisionError", text)
            self.assertIn("in run", caught.exception.details["traceback"])

        self.in_each(test)

    def test_a_source_that_waits_is_cancelled(self) -> None:
        def test(env: StreamExecutionEnvironment, path: str) -> None:
            with env.add_source(Patient(path), type_info=LONG).execute_and_collect() as elements:  # type: ignore[union-attr]
                self.assertEqual(elements.next() == os.getpid(), path.endswith("thread"))
                client = elements.get_job_client()
                modes = {of["name"]: of["mode"] for of in client.get_metrics()["operators"]}
                self.assertEqual(modes["Source: Custom Source"], os.path.basename(path))
            self.assertIs(client.get_job_status().result(), JobStatus.CANCELED)
            self.assertEqual(self.lines(path), ["closed, cancelled True"])

        self.in_each(test)

    def test_a_lost_source_goes_on_at_its_position(self) -> None:
        go = os.path.join(self.folder, "go")
        stream = environment("process").add_source(Continued(go), type_info=LONG)
        with stream.execute_and_collect() as elements:  # type: ignore[union-attr]
            os.kill(elements.next(), signal.SIGKILL)
            Path(go).touch()
            self.assertEqual(list(elements), list(range(20000)))

    def test_a_lost_source_without_positions_ends_the_job(self) -> None:
        stream = environment("process").add_source(Patient(os.path.join(self.folder, "closed")), type_info=LONG)
        with self.assertRaises(clutch.Error) as caught:
            with stream.execute_and_collect() as elements:  # type: ignore[union-attr]
                os.kill(elements.next(), signal.SIGKILL)
                elements.next()
        self.assertIn(
            "the worker of the source Patient was lost after 1 elements, and it has no positions to go on from; give "
            "it snapshot() and restore(position)",
            str(caught.exception),
        )

    def test_a_lost_sink_ends_the_job(self) -> None:
        env = environment("process")
        env.from_sequence(1, 5).add_sink(Mortal())
        with self.assertRaises(clutch.Error) as caught:
            env.execute("lost")
        self.assertEqual(caught.exception.name, "CLUTCH_ERR_WORKER_LOST")

    def test_a_sink_that_was_lost_between_batches(self) -> None:
        # A kill that comes before the end of the first batch is told otherwise, so that it is tried again.
        for attempt in range(10):
            told = self.lost_sink(os.path.join(self.folder, str(attempt)))
            if "while it ran batch" not in told:
                break
        self.assertIn("the worker of the sink Process was lost, which had been given 1 of", told)

    def lost_sink(self, name: str) -> str:
        """What a job says whose sink's worker is killed when it has written something."""
        go, path = name + " go", name + " written"
        env = environment("process")
        env.add_source(Continued(go), type_info=LONG).add_sink(Process(path))
        client = env.execute_async("lost")
        until = time.monotonic() + 60
        while not os.path.exists(path) and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(int(self.lines(path)[0]), signal.SIGKILL)
        Path(go).touch()
        with self.assertRaises(clutch.Error) as caught:
            client.get_job_execution_result().result()
        return str(caught.exception)


class Process(SinkFunction):
    """Writes its process to a file at once."""

    def __init__(self, path: str) -> None:
        self.path = path

    def invoke(self, value: int, context: SinkFunction.Context) -> None:
        if not os.path.exists(self.path):
            Path(self.path + "_").write_text(str(os.getpid()), encoding="utf-8")
            os.rename(self.path + "_", self.path)


if __name__ == "__main__":
    unittest.main()
