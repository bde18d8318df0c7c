"""How jobs of clutch.datastream begin, are looked at, and end, in each mode."""

from __future__ import annotations

import _thread
import subprocess
import sys
import unittest
from typing import Any, List

from hosting import MODES
from jobs import Jobs, add, environment, increment, inverse, parity, twice_of

# isort: split
import clutch
from clutch.common import JobStatus, Types
from clutch.datastream import MapFunction, StreamExecutionEnvironment

LONG = Types.LONG()


def interrupt(value: int) -> int:
    """As if Ctrl-C was pressed while the job runs."""
    if value == 1:
        _thread.interrupt_main()
    return value


class JobLife(Jobs):
    def test_what_the_engine_obeys_is_no_news_to_the_host(self) -> None:
        job = (
            "from clutch.common import Configuration, Types\n"
            "from clutch.datastream import StreamExecutionEnvironment\n"
            "configuration = Configuration().set_string('python.operator-chaining.enabled', '%s')\n"
            "env = StreamExecutionEnvironment.get_execution_environment(configuration)\n"
            "env.from_collection([1], Types.LONG()).map(abs, Types.LONG()).print()\n"
            "env.execute()\n"
        )
        ran = subprocess.run([sys.executable, "-c", job % "false"], capture_output=True, text=True, check=True)
        self.assertIn("1", ran.stdout)
        self.assertNotIn("operator-chaining", ran.stderr)
        ran = subprocess.run([sys.executable, "-c", job % "maybe"], capture_output=True, text=True)
        self.assertIn("python.operator-chaining.enabled must be true or false, and is \"maybe\"", ran.stderr)

    def test_limits_end_the_job(self) -> None:
        def test(env: StreamExecutionEnvironment) -> None:
            stream = env.from_sequence(1, 2**62).map(increment, LONG)
            self.assertEqual(stream.execute_and_collect(limit=3), [2, 3, 4])

        self.in_each(test)

    def test_a_client_tells_and_cancels(self) -> None:
        def test(env: StreamExecutionEnvironment) -> None:
            stream = env.from_sequence(1, 2**62).map(increment, LONG)
            elements = stream.execute_and_collect("endless")
            client = elements.get_job_client()
            self.assertEqual(next(elements), 2)
            self.assertIs(client.get_job_status().result(), JobStatus.RUNNING)
            self.assertGreater(sum(of["rows_out"] for of in client.get_metrics()["operators"]), 0)
            client.cancel().result()
            self.assertIs(client.get_job_status().result(), JobStatus.CANCELED)
            error = client.get_job_execution_result().exception()
            self.assertEqual(getattr(error, "name", None), "CLUTCH_ERR_CANCELLED")

        self.in_each(test)

    def test_metrics_tell_what_waits_and_what_is_kept(self) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                env = environment(mode)
                keyed = env.from_sequence(1, 2**62).rebalance().key_by(parity, key_type=LONG)
                elements = keyed.reduce(add).execute_and_collect("endless")
                client = elements.get_job_client()

                def by_name(client: Any = client) -> Any:
                    return {of["name"]: of for of in client.get_metrics()["operators"]}

                next(elements)
                while not by_name()["_stream_key_by_map_operator"]["backlog_bytes"]:
                    next(elements)  # the source does not wait for anybody until the channel is full
                found = by_name()
                self.assertIsNone(found["Source: Sequence Source"]["backlog_bytes"])
                self.assertIsNone(found["Reduce"]["backlog_bytes"], "it has no channel of its own")
                self.assertIsNone(found["_stream_key_by_map_operator"]["kept"])
                self.assertEqual(found["Reduce"]["workers"], {"thread": None, "process": 1}[mode])
                self.assertIsNone(found["Source: Sequence Source"]["workers"])
                client.cancel().result()
                self.assertEqual(by_name()["Reduce"]["kept"], 2, "cells of state, one of each key")

    def test_an_interrupt_ends_the_job(self) -> None:
        env = environment("thread")
        env.from_sequence(1, 2**62).map(interrupt, LONG)._sink("nowhere", {"type": "blackhole"})
        with self.assertRaises(KeyboardInterrupt):
            env.execute()
        numbers = env.from_sequence(1, 3)  # what was interrupted left nothing behind
        self.assertEqual(self.collected(numbers.map(increment, LONG)), [2, 3, 4])

    def test_a_failed_job_is_told_once_and_again(self) -> None:
        env = environment("thread")
        stream = env.from_collection([0], LONG).map(inverse, LONG)
        elements = stream.execute_and_collect()
        client = elements.get_job_client()
        for _ in range(2):
            with self.assertRaises(clutch.Error):
                client.get_job_execution_result().result()
        self.assertIs(client.get_job_status().result(), JobStatus.FAILED)
        elements.close()

    def test_an_environment_runs_several_jobs(self) -> None:
        env = environment("thread")
        numbers = env.from_collection([1, 2], LONG)
        self.assertEqual(self.collected(numbers.map(increment, LONG)), [2, 3])
        self.assertEqual(self.collected(numbers.map(twice_of, LONG)), [2, 4])

    def test_caches_are_filled_once(self) -> None:
        env = environment("thread")
        cached = env.from_collection([1, 2], LONG).map(Counted(), LONG).cache()
        del CALLS[:]
        self.assertEqual(self.collected(cached.map(increment, LONG)), [2, 3])
        self.assertEqual(self.collected(cached), [1, 2])
        self.assertEqual(CALLS, [1, 2])
        cached.invalidate()
        self.assertEqual(self.collected(cached), [1, 2])
        self.assertEqual(CALLS, [1, 2, 1, 2])

    def test_native_jobs_are_checked(self) -> None:
        import clutch._host as native

        self.refused(
            ValueError,
            "the format of a plan is 'text' or 'json', not 'xml'",
            lambda: native.Job(ONE, [], [], None).plan("xml"),
        )
        self.refused(
            ValueError,
            "a timeout is None or seconds from 0 to 1e9, not -1",
            lambda: native.Job(ONE, [], [], None).wait(-1),
        )
        self.assertIn("numbers", native.Job(ONE, [], [], None).plan("text"))
        with self.assertRaises(clutch.Error):
            native.Job("{", [], [], None)


CALLS: List[int] = []
ONE = """{"nodes": [
  {"id": 1, "type": "source", "name": "numbers", "output": "int64",
   "source": {"type": "sequence", "first": 1, "last": 3}},
  {"id": 2, "type": "sink", "name": "out", "sink": {"type": "collect"}}], "edges": [{"from": 1, "to": 2}]}"""


class Counted(MapFunction):
    def map(self, value: int) -> int:
        CALLS.append(value)
        return value


if __name__ == "__main__":
    unittest.main()
