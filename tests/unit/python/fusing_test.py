"""Expressions and their plans: nesting, siblings, repeated calls, constants, kinds that do not mix."""

from __future__ import annotations

import unittest
from typing import Any

from support import TestCase

# isort: split
from clutch.table import DataTypes, udaf, udf
from clutch.table.expressions import call, col, lit
from clutch.table.fusing import fuse, stage_steps

f = udf(lambda x, y: x + y, result_type="INT", name="f")
g = udf(lambda x: x, result_type="INT", name="g")
h = udf(lambda x: x, result_type="INT", name="h")
zero = udf(lambda: 1, result_type="INT", name="zero")
dice = udf(lambda: 4, result_type="INT", name="dice", deterministic=False)
p = udf(lambda s: s, result_type="INT", name="p", func_type="pandas")
n = udf(lambda s: s, result_type="INT", name="n", func_type="pandas", style="numpy")
x, y = col("x"), col("y")


def calls(plan: Any) -> Any:
    return [(item.function._name, *item.arguments) for item in plan.calls]


def stages(plan: Any) -> Any:
    return [(stage.kind.replace("table.scalar", "") or "row", stage.calls, stage.outputs) for stage in plan.stages]


class ExpressionTest(TestCase):
    def test_trees(self) -> None:
        tree = f(g(x), 3).alias("a")
        self.assertEqual(str(tree), "f(g(x), 3) AS a")
        self.assertEqual(repr(tree), "<CallExpression f(g(x), 3) AS a>")
        self.assertEqual(str(call("name", lit("text"), x).alias("a", "b")), "name('text', x) AS a, b")
        self.assertEqual(x.alias("a")._alias_names, ("a",))
        self.assertEqual(x._alias_names, ())
        self.assertEqual(lit(1, DataTypes.TINYINT()).alias("one").data_type, DataTypes.TINYINT())

    def test_refusals(self) -> None:
        self.refused(TypeError, "the name of a column is a str, got 3 of type int", lambda: col(3))
        self.refused(TypeError, "an alias is a str, got 3 of type int", lambda: x.alias("a", 3))
        self.refused(TypeError, "the type of a literal is a DataType, got 'INT'", lambda: lit(1, "INT"))
        self.refused(
            TypeError,
            "call() takes a function declared with udf, udtf, udaf or udtaf, or a name, not 3 of type int",
            lambda: call(3),
        )


class FuseTest(TestCase):
    def test_nested(self) -> None:
        plan = fuse(f(g(x), y))
        self.assertEqual(plan.columns, ("x", "y"))
        self.assertEqual(calls(plan), [("g", ("column", 0)), ("f", ("call", 0), ("column", 1))])
        self.assertEqual(plan.outputs, (("call", 1),))
        self.assertEqual(stages(plan), [("row", (0, 1), (1,))])
        self.assertEqual(plan.stages[0].inputs, (("column", 0), ("column", 1)))

    def test_siblings(self) -> None:
        plan = fuse([g(y), x, f(x, y), lit(7)])
        self.assertEqual(plan.columns, ("y", "x"))
        self.assertEqual(calls(plan), [("g", ("column", 0)), ("f", ("column", 1), ("column", 0))])
        self.assertEqual(plan.outputs, (("call", 0), ("column", 1), ("call", 1), ("constant", 7)))
        self.assertEqual(stages(plan), [("row", (0, 1), (0, 1))])

    def test_equal_calls_run_once(self) -> None:
        plan = fuse([f(g(x), g(x)), g(x), f(g(x), g(x)).alias("again")])
        self.assertEqual(calls(plan), [("g", ("column", 0)), ("f", ("call", 0), ("call", 0))])
        self.assertEqual(plan.outputs, (("call", 1), ("call", 0), ("call", 1)))

    def test_two_declarations_of_one_function(self) -> None:
        one, same, other = (udf(len, result_type=t) for t in ("INT", "INT", "BIGINT"))
        self.assertEqual(len(fuse([one(x), same(x)]).calls), 1)
        self.assertEqual(len(fuse([one(x), other(x)]).calls), 2)

    def test_calls_that_are_not_deterministic_run_each(self) -> None:
        once = dice()
        plan = fuse([once, once, g(dice()), g(dice())])
        self.assertEqual([item[0] for item in calls(plan)], ["dice", "dice", "dice", "g", "dice", "g"])

    def test_constants(self) -> None:
        plan = fuse([f(1, x), f(1, x), f(True, x), f(1.0, x), f("1", x), f(lit(None), x)])
        self.assertEqual(len(plan.calls), 5)
        self.assertEqual(plan.calls[0].arguments, (("constant", 1), ("column", 0)))
        self.assertEqual(len(fuse([g(float("nan")), g(float("nan")), g(0.0), g(-0.0)]).calls), 3)
        shared = [1]
        self.assertEqual(len(fuse([g(shared), g(shared)]).calls), 1)
        self.assertEqual(len(fuse([g([1]), g([1])]).calls), 2)

    def test_no_arguments_and_no_calls(self) -> None:
        plan = fuse([zero(), zero()])
        self.assertEqual((plan.columns, calls(plan), stages(plan)), ((), [("zero",)], [("row", (0,), (0,))]))
        self.assertEqual(plan.stages[0].inputs, ())
        self.assertEqual(fuse([x, x]).outputs, (("column", 0), ("column", 0)))
        self.assertEqual(fuse([]), ((), (), (), ()))

    def test_names(self) -> None:
        self.assertEqual(calls(fuse(call("twice", x), {"twice": g})), [("g", ("column", 0))])
        self.refused(
            ValueError, "there is no function 'nope'; there are: a, b", lambda: fuse(call("nope"), {"b": g, "a": g})
        )
        self.refused(ValueError, "there is no function 'nope'; there are: none", lambda: fuse(call("nope")))

    def test_refusals(self) -> None:
        mean = udaf(lambda s: 1.0, result_type="DOUBLE", func_type="pandas", name="mean")
        self.refused(
            ValueError,
            "only scalar functions can be fused, and 'mean' is of kind table.aggregate.vectorized",
            lambda: fuse(g(mean(x))),
        )
        self.refused(TypeError, "only expressions can be fused, not 'x' of type str", lambda: fuse(["x"]))


class StageTest(TestCase):
    def test_kinds_split(self) -> None:
        plan = fuse(g(p(g(x))))
        self.assertEqual(stages(plan), [("row", (0,), (0,)), (".vectorized", (1,), (1,)), ("row", (2,), (2,))])
        self.assertEqual([stage.inputs for stage in plan.stages], [(("column", 0),), (("call", 0),), (("call", 1),)])

    def test_as_few_as_possible(self) -> None:
        # Beginning with the two row functions would need a third stage.
        plan = fuse([g(x), h(x), g(p(x)), h(p(x))])
        self.assertEqual([stage.kind for stage in plan.stages], ["table.scalar.vectorized", "table.scalar"])
        plan = fuse([p(g(x)), g(y)])
        self.assertEqual(stages(plan), [("row", (0, 2), (0, 2)), (".vectorized", (1,), (1,))])

    def test_styles_and_async_split(self) -> None:
        async def later(value: int) -> int:
            return value

        plan = fuse([p(n(x)), udf(later)(g(y))])
        self.assertEqual(sorted((stage.kind, stage.style) for stage in plan.stages), sorted_groups())
        self.assertEqual(len(plan.stages), 4)

    def test_an_output_is_what_is_needed_outside(self) -> None:
        plan = fuse([p(g(x)), h(g(x))])
        self.assertEqual(stages(plan)[0], ("row", (0, 2), (0, 2)))
        self.assertEqual(stages(fuse(f(g(x), h(x))))[0][2], (2,))

    def test_steps_of_a_stage(self) -> None:
        plan = fuse([f(p(g(x)), y), f(h(p(g(x))), 5)])
        last = plan.stages[-1]
        self.assertEqual(last.inputs, (("call", 1), ("column", 1)))
        steps = [(step.function._name, *step.arguments) for step in stage_steps(plan, last)]
        self.assertEqual(
            steps, [("f", ("input", 0), ("input", 1)), ("h", ("input", 0)), ("f", ("step", 1), ("constant", 5))]
        )


def sorted_groups() -> Any:
    vectorized = "table.scalar.vectorized"
    return [("table.scalar", None), ("table.scalar.async", None), (vectorized, "numpy"), (vectorized, "pandas")]


if __name__ == "__main__":
    unittest.main()
