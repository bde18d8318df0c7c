"""Opening functions, calling them with lists, and what is said when that goes wrong."""

from __future__ import annotations

import concurrent.futures
import os
import pickle
import subprocess
import sys
import threading
import unittest
from typing import Dict

import functions
from hosting import TestCase, host_of

import clutch
from clutch.table.expressions import col


def environment() -> Dict[str, str]:
    """The environment of a program that finds the modules of these tests."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), os.environ["PYTHONPATH"]])}


class Calls(TestCase):
    def test_sequences_give_lists(self) -> None:
        def check(host: clutch.Host) -> None:
            double = host.function(functions.double)
            self.assertEqual(double([1, 2, 3]), [2, 4, 6])
            self.assertEqual(double((5,)), [10])
            self.assertEqual(double(range(3)), [0, 2, 4])
            self.assertEqual(double([]), [])

        self.in_each_mode(check)

    def test_several_columns_and_types(self) -> None:
        def check(host: clutch.Host) -> None:
            self.assertEqual(host.function(functions.add)([1, 2], [10, 20]), [11, 22])
            shout = host.function(functions.shout, "STRING", "STRING")
            self.assertEqual(shout(["a", "ü"]), ["A", "Ü"])
            self.assertEqual(host.function(functions.plus_one)([1, None]), [2, None])

        self.in_each_mode(check)

    def test_a_table_function_gives_rows(self) -> None:
        def check(host: clutch.Host) -> None:
            rows = host.function(functions.pairs)(["a", "b"], [2, 1])
            self.assertEqual([tuple(row) for row in rows], [("a", 0), ("a", 1), ("b", 0)])
            self.assertEqual(len(host.function(functions.repeat)(["a"], [3])), 3)

        self.in_each_mode(check)

    def test_the_mode_decides_where_it_runs(self) -> None:
        with host_of("thread") as host:
            self.assertEqual(host.function(functions.worker)([1]), [os.getpid()])
        with host_of("process") as host:
            self.assertNotEqual(host.function(functions.worker)([1]), [os.getpid()])
            self.assertEqual(host.function(functions.worker, mode="thread")([1]), [os.getpid()])

    def test_several_batches_in_flight(self) -> None:
        def check(host: clutch.Host) -> None:
            slow = host.function(functions.slow)
            futures = [slow.submit([i]) for i in range(6)]
            self.assertEqual([future.result(30) for future in reversed(futures)], [[5], [4], [3], [2], [1], [0]])
            self.assertTrue(all(future.done() for future in futures))
            self.assertIsNone(futures[0].exception())
            self.assertFalse(futures[0].cancel())

        self.in_each_mode(check)

    def test_from_several_threads(self) -> None:
        def check(host: clutch.Host) -> None:
            double = host.function(functions.double)
            results = {}

            def run(number: int) -> None:
                results[number] = [double([number, i]) for i in range(20)]

            threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            self.assertEqual(results, {n: [[2 * n, 2 * i] for i in range(20)] for n in range(4)})

        self.in_each_mode(check)

    def test_other_threads_run_while_one_waits(self) -> None:
        with host_of("process") as host:
            stuck = host.function(functions.stuck)
            future = stuck.submit([1])
            seen = []

            def wait() -> None:
                try:
                    future.result(30)
                except concurrent.futures.CancelledError as error:
                    seen.append(error)

            waiting = threading.Thread(target=wait)
            waiting.start()
            while waiting.is_alive():
                future.cancel()
                waiting.join(0.1)
            self.assertEqual(len(seen), 1)
            self.assertTrue(future.cancelled())

    def test_thread_mode_uses_this_interpreter(self) -> None:
        with host_of("thread") as host:
            self.assertEqual(host.function(functions.double).decision.facts["python.executable"], sys.executable)
            functions.CALLS.clear()
            host.function(functions.plus_one)([1, 2])
            self.assertEqual(functions.CALLS, {"plus_one": 2})

    def test_thread_mode_takes_what_cannot_be_pickled(self) -> None:
        lock = threading.Lock()

        def guarded(x: int) -> int:
            with lock:
                return x + 1

        with host_of("thread") as host:
            self.assertEqual(host.function(guarded)([1]), [2])
        with host_of("process") as host, self.assertRaisesRegex(pickle.PicklingError, "'guarded'"):
            host.function(guarded)


class Facts(TestCase):
    def test_decision(self) -> None:
        def check(host: clutch.Host) -> None:
            decision = host.function(functions.double).decision
            self.assertEqual(decision.mode, host.get("python.execution-mode"))
            self.assertEqual(decision.plugin, "org.clutch." + decision.mode)
            self.assertIn("can serve it", decision.reasons[decision.plugin])
            self.assertFalse(decision.fell_back)
            self.assertIn("mode %s, plugin %s" % (decision.mode, decision.plugin), str(decision))

        self.in_each_mode(check)

    def test_metrics(self) -> None:
        def check(host: clutch.Host) -> None:
            double = host.function(functions.double)
            double([1, 2, 3])
            metrics = double.metrics()
            self.assertEqual((metrics["batches_done"], metrics["rows_in"], metrics["rows_out"]), (1, 3, 3))

        self.in_each_mode(check)

    def test_text_and_types(self) -> None:
        with host_of("thread") as host:
            double = host.function(functions.double)
            self.assertEqual(repr(double), "<clutch function 'double', mode thread>")
            self.assertEqual(double.input_types, {"x": "int64"})
            self.assertEqual(host.function(functions.double, name="twice").name, "twice")
            self.assertIn("org.clutch.thread", host.plugins())
            self.assertIn("python.executable", host.describe("thread"))


class Failures(TestCase):
    def test_an_exception_of_the_function(self) -> None:
        def check(host: clutch.Host) -> None:
            with self.assertRaises(clutch.Error) as caught:
                host.function(functions.inverse)([1, 0])
            error = caught.exception
            self.assertIsInstance(error, RuntimeError)
            self.assertEqual(
                error.message, 'function "inverse" row 1: ZeroDivisionError: integer division or modulo by zero'
            )
            self.assertEqual((error.code, error.name, error.row, error.function), (-7, "CLUTCH_ERR_USER", 1, "inverse"))
            self.assertIn("return 12 // x", str(error))
            self.assertIn("return 12 // x", error.traceback or "")
            self.assertEqual(error.details["value"], "0")
            again = pickle.loads(pickle.dumps(error))
            self.assertEqual((str(again), again.row), (str(error), 1))

        self.in_each_mode(check)

    def test_policies(self) -> None:
        def check(host: clutch.Host) -> None:
            null = host.function(functions.checked, on_error="null")
            self.assertEqual(null([1, 3, 5]), [1, None, 5])
            future = host.function(functions.checked, on_error="dead_letter").submit([1, 3, 5])
            self.assertEqual(future.result(), [1, 5])
            self.assertEqual([(row, error.details["value"]) for row, error in future.dead_letters], [(1, "3")])

        self.in_each_mode(check)

    def test_a_deadline(self) -> None:
        def check(host: clutch.Host) -> None:
            with self.assertRaises(clutch.Error) as caught:
                host.function(functions.stuck)([1], timeout=0.3)
            self.assertEqual(caught.exception.name, "CLUTCH_ERR_DEADLINE")

        self.in_each_mode(check)

    def test_a_future_that_is_not_done(self) -> None:
        with host_of("process") as host:
            stuck = host.function(functions.stuck)
            future = stuck.submit([1])
            self.assertFalse(future.done())
            with self.assertRaises(concurrent.futures.TimeoutError):
                future.result(0.05)
            self.assertTrue(future.cancel())
            with self.assertRaises(concurrent.futures.CancelledError):
                future.result(30)

    def test_a_close_that_raises(self) -> None:
        with host_of("thread") as host:
            function = host.function(functions.Fails())
            with self.assertRaisesRegex(clutch.Error, "the disk is full"):
                function.close()
            function.close()

    def test_closing(self) -> None:
        host = clutch.Host({"python.execution-mode": "thread"})
        with host.function(functions.double) as double:
            self.assertEqual(double([1]), [2])
        self.assertEqual(repr(double), "<clutch function 'double', closed>")
        self.refused(ValueError, "the function 'double' is closed", lambda: double([1]))
        host.function(functions.add)
        host.close()
        host.close()
        self.assertTrue(host.closed)
        self.refused(ValueError, "the Host is closed", lambda: host.function(functions.double))

    def test_closing_under_a_batch(self) -> None:
        with host_of("process") as host:
            stuck = host.function(functions.stuck)
            future = stuck.submit([1])
            stuck.close()
            self.refused(clutch.Error, "the function 'stuck' was closed before its batch was over", future.result)


class Misuse(TestCase):
    def test_declarations(self) -> None:
        with host_of("thread") as host:
            for text, call in {
                "the parameter 'x' of the function 'untyped' has no type hint; add one, or give input_types": lambda: (
                    host.function(functions.untyped, result_type="BIGINT")
                ),
                "the function 'many' takes any number of arguments; give input_types": lambda: (
                    host.function(functions.many)
                ),
                "the function 'plus_one' is declared already; give input_types, result_type and kind there": lambda: (
                    host.function(functions.plus_one, result_type="INT")
                ),
                "a function is a callable or what udf, udtf, udaf and udtaf return, not 3 of type int": lambda: host.function(3),
            }.items():
                self.refused(TypeError, text, call)
            self.refused(
                ValueError,
                "on_error must be one of 'fail', 'null', 'dead_letter', got 'skip'",
                lambda: host.function(functions.double, on_error="skip"),
            )
            self.refused(
                ValueError,
                "a function that is not declared is of a kind among table.scalar, table.scalar.vectorized, "
                "table.scalar.async, table.table, not kind='stream.map'",
                lambda: host.function(functions.double, kind="stream.map"),
            )

    def test_an_expression_has_no_aggregates(self) -> None:
        from clutch.table.udf import udaf

        total = udaf(lambda s: s.sum(), input_types=["BIGINT"], result_type="BIGINT", func_type="pandas", name="total")
        with host_of("thread") as host:
            self.refused(
                ValueError,
                "only scalar functions can be fused, and 'total' is of kind table.aggregate.vectorized",
                lambda: host.expression(total(col("x"))),
            )

    def test_columns(self) -> None:
        with host_of("thread") as host:
            add = host.function(functions.add)
            self.refused(
                TypeError, "the function 'add' takes 2 columns (x, y), and 1 was given", lambda: add([1])
            )
            self.refused(ValueError, 'argument "y" has 1 rows, and the first one has 2', lambda: add([1, 2], [3]))
            self.refused(
                TypeError,
                "argument 'y' is of type str; pass a column of values: a list, a numpy array, a pandas Series, or an "
                "object with __arrow_c_array__ or __arrow_c_stream__",
                lambda: add([1], "2"),
            )
            self.refused(
                ValueError,
                'argument "x", row 1: \'b\' of type str does not fit int64 not null; pass what fits, or declare '
                "another input type",
                lambda: add([1, "b"], [1, 2]),
            )
            self.refused(
                ValueError,
                'argument "y", row 0: None of type NoneType does not fit int64 not null; pass what fits, or declare '
                "another input type",
                lambda: add([1], [None]),
            )
            self.refused(
                ValueError, "a timeout is a number of seconds above 0, got -1", lambda: add([1], [1], timeout=-1)
            )
            constant = host.function(lambda: 1, [], "BIGINT", name="constant")
            self.refused(
                TypeError,
                "the function 'constant' takes no columns, so there is no number of rows to call it for",
                constant,
            )

    def test_options(self) -> None:
        self.refused(
            TypeError,
            "options are a mapping of keys to values, got 3 of type int",
            lambda: clutch.Host(3),  # type: ignore
        )
        self.refused(
            TypeError,
            "the option 'python.process.workers' is a str, a number or a bool, got None of type NoneType",
            lambda: clutch.Host({"python.process.workers": None}),  # type: ignore
        )
        self.refused(
            TypeError,
            "the name of an option is a str, got 3 of type int",
            lambda: clutch.Host({3: "x"}),  # type: ignore
        )
        self.refused(
            ValueError,
            "log_level must be one of trace, debug, info, warn, error, off, got 'loud'",
            lambda: clutch.Host(log_level="loud"),
        )
        with self.assertRaisesRegex(clutch.Error, "fibre") as caught:
            with clutch.Host({"python.execution-mode": "fibre"}) as host:
                host.function(functions.double)
        self.assertIn(caught.exception.name, ("CLUTCH_ERR_CONFIG", "CLUTCH_ERR_UNSUPPORTED"))

    def test_objects_of_the_extension_are_not_made_by_hand(self) -> None:
        from clutch import _host

        for made in (_host.Array, _host.Function):
            self.refused(TypeError, "objects of this type are made by clutch.Host", made)


class Processes(TestCase):
    def test_a_forked_child_is_refused(self) -> None:
        with host_of("thread") as host:
            double = host.function(functions.double)
            reading, writing = os.pipe()
            child = os.fork()
            if child == 0:
                text = b"no error"
                try:
                    double([1])
                except RuntimeError as error:
                    text = str(error).encode()
                os.write(writing, text)
                os._exit(0)
            os.close(writing)
            with os.fdopen(reading, "rb") as told:
                text = told.read().decode()
            os.waitpid(child, 0)
            self.assertEqual(
                text,
                "this function was made in process %d and cannot be used in process %d, which was forked off it; make "
                "a Host after the fork" % (os.getpid(), child),
            )
            self.assertEqual(double([1]), [2])

    def test_an_interrupt_ends_the_wait(self) -> None:
        for mode in ("process", "thread"):
            script = (
                "import hosting, functions, signal, threading, os\n"
                "with hosting.host_of(%r) as host:\n"
                "    stuck = host.function(functions.stuck)\n"
                "    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
                "    try:\n"
                "        stuck([1])\n"
                "    except KeyboardInterrupt:\n"
                "        print('interrupted')\n" % mode
            )
            done = subprocess.run(
                [sys.executable, "-B", "-c", script],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
                env=environment(),
            )
            self.assertEqual((done.stdout, done.returncode), ("interrupted\n", 0), done.stderr)

    def test_a_program_that_closes_nothing_ends(self) -> None:
        script = (
            "import clutch, functions\n"
            "host = clutch.Host({'python.execution-mode': 'process'})\n"
            "print(host.function(functions.double)([4]))\n"
        )
        done = subprocess.run(
            [sys.executable, "-B", "-c", script],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=environment(),
        )
        self.assertEqual((done.stdout, done.returncode), ("[8]\n", 0), done.stderr)

    def test_the_package_is_light(self) -> None:
        script = "import sys, clutch; print([name for name in sys.modules if name.startswith('clutch')])"
        done = subprocess.run([sys.executable, "-B", "-c", script], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "['clutch']\n")

    def test_without_the_extension(self) -> None:
        script = (
            "import sys\n"
            "sys.modules['clutch._host'] = None\n"
            "import clutch\n"
            "try:\n"
            "    clutch.Host\n"
            "except ImportError as error:\n"
            "    print(str(error).replace(str(error.__cause__), 'WHY'))\n"
            "print(clutch.Error.__name__)\n"
        )
        done = subprocess.run([sys.executable, "-B", "-c", script], capture_output=True, text=True, check=True)
        self.assertEqual(
            done.stdout,
            "clutch.Host needs the extension module clutch._host, which cannot be imported (WHY); this copy of the "
            "package was made for functions inside a worker: use the one that is installed with libclutch\nError\n",
        )


if __name__ == "__main__":
    unittest.main()
