"""Expressions in one crossing, and the options of fused steps that they are made of."""

from __future__ import annotations

import functools
import unittest
from typing import Any, Dict, List, Optional
from unittest import mock

import functions as f
from hosting import HAS_NUMPY, TestCase, host_of

import clutch
from clutch import _host
from clutch.table import DataTypes
from clutch.table.expressions import col, lit
from clutch.table.udf import udf


class Expressions(TestCase):
    def test_nested_calls(self) -> None:
        def check(host: clutch.Host) -> None:
            fused = host.expression(f.times(f.plus_one(col("x")), f.plus_one(col("y"))))
            self.assertEqual(fused([1, 2], [10, 20]), [22, 63])
            self.assertEqual(fused.input_types, {"x": "int64", "y": "int64"})
            self.assertEqual(fused.metrics()["batches_done"], 1)
            chain = host.function(f.plus_one(f.plus_one(f.plus_one(col("x")))))
            self.assertEqual(chain([1, 2]), [4, 5])

        self.in_each_mode(check)

    def test_siblings_give_several_columns(self) -> None:
        def check(host: clutch.Host) -> None:
            inner = f.plus_one(col("x"))
            fused = host.expression([f.label(inner, "n").alias("name"), inner.alias("next"), f.times(inner, inner)])
            rows = fused([1, 2])
            self.assertEqual([row.as_dict() for row in rows], [
                {"name": "n2", "next": 2, "f2": 4},
                {"name": "n3", "next": 3, "f2": 9},
            ])
            self.assertEqual(len(fused.decisions), 1)

        self.in_each_mode(check)

    def test_equal_calls_run_once_a_row(self) -> None:
        with host_of("thread") as host:
            f.CALLS.clear()
            inner = f.plus_one(col("x"))
            product = f.times(inner, f.plus_one(col("x")))
            twice = host.expression([product.alias("a"), inner.alias("b"), inner.alias("c")])
            self.assertEqual([tuple(row) for row in twice([1, 2])], [(4, 2, 2), (9, 3, 3)])
            self.assertEqual(f.CALLS, {"plus_one": 2, "times": 2})

    def test_calls_that_are_not_deterministic_run_each(self) -> None:
        with host_of("thread") as host:
            f.CALLS.clear()
            drawn = host.expression([f.draw(col("x")).alias("a"), f.draw(col("x")).alias("b")])
            self.assertEqual([tuple(row) for row in drawn([0, 0])], [(1, 2), (3, 4)])

    def test_constants(self) -> None:
        def check(host: clutch.Host) -> None:
            self.assertEqual(host.expression(f.times(col("x"), 3))([1, 2]), [3, 6])
            self.assertEqual(host.expression(f.label(col("x"), lit("it's, so: ")))([1]), ["it's, so: 1"])
            for value in (None, True, 1.5, float("inf"), b"\0b", (1, "a"), {"k": [1]}, DataTypes.INT()):
                self.assertEqual(host.expression(f.show(value))._plan.planned[0].inputs, ())
                shown = host.expression(f.label(col("x"), f.show(value)))
                self.assertEqual(shown([7]), [repr(value) + "7"])
            nan = host.expression(f.label(col("x"), f.show(float("nan"))))
            self.assertEqual(nan([7]), ["nan7"])

        self.in_each_mode(check)

    def test_an_error_names_the_step(self) -> None:
        def check(host: clutch.Host) -> None:
            fused = host.expression(f.plus_one(f.checked(f.plus_one(col("x")))))
            with self.assertRaises(clutch.Error) as caught:
                fused([1, 2])
            error = caught.exception
            self.assertEqual(error.message, 'function "checked" row 1: ValueError: three is not served')
            self.assertEqual((error.function, error.row, error.details["step"]), ("checked", 1, "1"))
            self.assertEqual(host.expression(f.plus_one(f.checked(col("x"))), on_error="null")([3, 4]), [None, 5])
            future = host.expression(f.plus_one(f.checked(col("x"))), on_error="dead_letter").submit([3, 4])
            self.assertEqual((future.result(), [row for row, _ in future.dead_letters]), ([5], [0]))

        self.in_each_mode(check)

    def test_a_result_that_does_not_fit_names_step_and_column(self) -> None:
        def check(host: clutch.Host) -> None:
            both = host.expression([f.plus_one(col("x")).alias("a"), f.text_of(col("x")).alias("b")])
            with self.assertRaises(clutch.Error) as caught:
                both([1])
            error = caught.exception
            self.assertEqual(
                error.message,
                'function "text_of" row 0: column "b": result of type str does not fit int64: \'1\'; return an int '
                "or change the result type",
            )
            self.assertEqual(error.function, "text_of")
            with self.assertRaises(clutch.Error) as caught:
                host.expression(f.text_of(f.plus_one(col("x"))))([1])
            self.assertEqual(caught.exception.function, "text_of")

        self.in_each_mode(check)

    def test_registered_functions_and_tables(self) -> None:
        from clutch.table.expressions import call

        with host_of("thread") as host:
            named = host.expression(call("inc", col("x")), {"inc": f.plus_one})
            self.assertEqual(named([1]), [2])
            table = _host.Schema("y: int64, x: int64").rows(
                [_host.Schema("y: int64").from_list(0, [10]), _host.Schema("x: int64").from_list(0, [1])], 1
            )
            both = host.expression(f.times(f.plus_one(col("x")), col("y")))
            self.assertEqual(both(table).tolist()[0].as_dict(), {"result": 20})

    def test_refusals(self) -> None:
        with host_of("thread") as host:
            for error, text, call in (
                (ValueError, "there are no expressions; give at least one", lambda: host.expression([])),
                (
                    ValueError,
                    "the expression x calls no function; take the column or constant as it is",
                    lambda: host.expression(col("x")),
                ),
                (TypeError, "only expressions can be fused, not 3 of type int", lambda: host.expression([3])),
                (
                    TypeError,
                    "the function 'times' takes 2 arguments, and the expression gives it 1",
                    lambda: host.expression(f.times(col("x"))),
                ),
                (
                    TypeError,
                    "the column 'x' is BIGINT for one call and STRING for 'label'; declare one type",
                    lambda: host.expression(f.label(f.plus_one(col("x")), col("x"))),
                ),
                (
                    ValueError,
                    "two expressions are called 'a'; give one an alias of its own",
                    lambda: host.expression([f.plus_one(col("x")).alias("a"), f.draw(col("x")).alias("a")]),
                ),
                (
                    TypeError,
                    "an expression has its types from the functions it calls; give none",
                    lambda: host.function(f.plus_one(col("x")), result_type="INT"),
                ),
            ):
                self.refused(error, text, call)

    def test_a_constant_that_cannot_be_sent(self) -> None:
        import threading

        with host_of("thread") as host, self.assertRaisesRegex(TypeError, "cannot be pickled"):
            host.expression(f.show(threading.Lock()))


class ForcedStages(TestCase):
    """Stages of scalar calls alone, as if every function were of a kind of its own."""

    def test_values_go_from_stage_to_stage(self) -> None:
        def check(host: clutch.Host) -> None:
            with mock.patch("clutch.table.fusing._group", lambda call: (call.function.kind, call.function._name)):
                next_one = f.plus_one(col("x"))
                staged = host.expression(
                    [f.label(f.times(next_one, col("y")), "n").alias("name"), next_one.alias("next")], name="staged"
                )
            self.assertEqual([stage.name for stage in staged._plan.stages],
                             ["staged, stage 1: plus_one", "staged, stage 2: times", "staged, stage 3: label"])
            rows = staged([1, 2], [10, 20])
            self.assertEqual([tuple(row) for row in rows], [("n20", 2), ("n60", 3)])
            self.assertEqual([staged.metrics()[name]["rows_in"] for name in sorted(staged.metrics())], [2, 2, 2])
            futures = [staged.submit([i], [1]) for i in range(4)]
            self.assertEqual([tuple(item.result()[0]) for item in futures], [("n%d" % i, i) for i in range(1, 5)])

        self.in_each_mode(check)

    def test_an_error_in_a_later_stage(self) -> None:
        def check(host: clutch.Host) -> None:
            with mock.patch("clutch.table.fusing._group", lambda call: (call.function.kind, call.function._name)):
                staged = host.expression(f.checked(f.plus_one(col("x"))))
            with self.assertRaises(clutch.Error) as caught:
                staged([1, 2])
            self.assertEqual((caught.exception.function, caught.exception.row), ("checked", 1))

        self.in_each_mode(check)


@unittest.skipUnless(HAS_NUMPY, "numpy is not installed")
class Stages(TestCase):
    """A function of another kind between scalar ones makes stages, which follow each other in one call."""

    def setUp(self) -> None:
        self.negate = udf(
            _negate, input_types=["BIGINT"], result_type="BIGINT", func_type="pandas", name="negate", style="numpy"
        )

    def test_stages_follow_each_other(self) -> None:
        def check(host: clutch.Host) -> None:
            staged = host.expression(f.plus_one(self.negate(f.plus_one(col("x")))), name="e")
            self.assertEqual(staged([1, 2]), [-1, -2])
            self.assertEqual(len(staged.decisions), 3)
            self.assertEqual(
                list(staged.metrics()), ["e, stage 1: plus_one", "e, stage 2: negate", "e, stage 3: plus_one"]
            )

        self.in_each_mode(check)

    def test_refusals(self) -> None:
        with host_of("thread") as host:
            self.refused(
                ValueError,
                "on_error='dead_letter' is for expressions in one stage, and this one has 2: rows that are put aside "
                "in one would be missing in another",
                lambda: host.expression(f.plus_one(self.negate(col("x"))), on_error="dead_letter"),
            )
            self.refused(
                TypeError,
                "the function 'negate' is of kind table.scalar.vectorized, whose arguments are columns; give it no "
                "constants",
                lambda: host.expression(self.negate(lit(3))),
            )


def _negate(values: Any) -> Any:
    return -values


class Options(TestCase):
    """What the runtime says of the options of fused steps, whoever wrote them."""

    def open(
        self, host: clutch.Host, *steps: Dict[str, str], output: str = "r: int64", kind: str = "table.scalar"
    ) -> Any:
        listed = [("s%d" % i, kind, "import", b"functions:_times", list(step.items())) for i, step in enumerate(steps)]
        return host._native.open(listed, "x: int64, y: int64", output, 0, "fused", host._options(None))

    def test_what_is_refused(self) -> None:
        first = {"arguments": "column:0, column:1"}
        cases = {
            'step 0 "s0" has the argument "column:2", but there are 2 input columns, counted from 0': [
                {"arguments": "column:2, column:0"}
            ],
            'step 1 "s1" has the argument "step:1"; a step takes results of the steps before it only': [
                first, {"arguments": "step:1, column:0"}
            ],
            'step 0 "s0" has the argument "row:1"; write column:N, step:N or constant:N, separated by commas': [
                {"arguments": "row:1"}
            ],
            'step 0 "s0" has the argument "column:-1"; write column:N, step:N or constant:N, separated by commas': [
                {"arguments": "column:-1"}
            ],
            'step 0 "s0" has the argument "column"; write column:N, step:N or constant:N, separated by commas': [
                {"arguments": "column"}
            ],
            'step 0 "s0" has the argument "constant:4", but neither the option "constant.4" nor "constant.4.pickle"': [
                {"arguments": "constant:4"}
            ],
            'step 0 "s0" has both options "constant.0" and "constant.0.pickle"; give one': [
                {"arguments": "constant:0", "constant.0": "1", "constant.0.pickle": "gAQu"}
            ],
            'step 0 "s0" has output "1"; give the number of a result column from 0 on, there is 1 result column': [
                {**first, "output": "1"}
            ],
            'result column 0 "r" is the output of several steps; it must be that of one': [
                {**first, "output": "0"}, {"arguments": "step:0, step:0", "output": "0"}
            ],
        }
        with host_of("thread") as host:
            for text, steps in cases.items():
                opening = functools.partial(self.open, host, *steps)
                error = self.refused(clutch.Error, 'function "fused": ' + text, opening)
                self.assertEqual(error.name, "CLUTCH_ERR_ARGUMENT")
            self.refused(
                clutch.Error,
                'function "fused": result column 1 "b" is the output of no step; it must be that of one',
                lambda: self.open(host, {**first, "output": "0"}, output="a: int64, b: int64"),
            )

    def test_a_constant_that_cannot_be_made(self) -> None:
        with host_of("thread") as host, self.assertRaises(clutch.Error) as caught:
            self.open(host, {"arguments": "column:0, constant:0", "constant.0": "open('x')"})
        self.assertEqual(caught.exception.name, "CLUTCH_ERR_FUNCTION")
        self.assertIn('function "s0": constant 0 of step 0 cannot be made: ValueError: ', caught.exception.message)

    def test_kinds_that_do_not_run_fused(self) -> None:
        with host_of("thread") as host, self.assertRaises(clutch.Error) as caught:
            self.open(host, {"arguments": "column:0"}, kind="stream.map")
        self.assertIn(
            'plugin org.clutch.thread (mode thread) does not run stream.map with the option "arguments" or "output"',
            caught.exception.message,
        )

    def test_defaults(self) -> None:
        """The first step takes all columns, the last one gives the result."""
        with host_of("thread") as host:
            native = self.open(host, {"output": "0"})
            schema = _host.Schema("x: int64, y: int64")
            rows = schema.rows([schema.from_list(0, [2]), schema.from_list(1, [5])], 1)
            found: Optional[List[Any]] = native.wait(native.submit(rows, 0), 5000)
            assert found is not None
            self.assertEqual(found[0].child(0).tolist(), [10])
            native.close()


if __name__ == "__main__":
    unittest.main()
