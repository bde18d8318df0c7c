"""udf, udtf, udaf, udtaf: forms of declaration, what a declared function says of itself, and refusals."""

from __future__ import annotations

import asyncio
import functools
import inspect
import unittest
from typing import Any, Iterator, List, Optional, Tuple
from unittest import mock

from support import TestCase

# isort: split
from clutch.table import (
    AggregateFunction,
    AsyncScalarFunction,
    DataTypes,
    ScalarFunction,
    TableAggregateFunction,
    TableFunction,
    udaf,
    udf,
    udtaf,
    udtf,
)
from clutch.table.udf import ImperativeAggregateFunction, UserDefinedFunction

D = DataTypes
NOT_CALLABLE = "Invalid function: not a function or callable (__call__ is not defined): "


class Plus(ScalarFunction):
    def eval(self, a: int, b: int) -> int:
        return a + b


class Random(ScalarFunction):
    def is_deterministic(self) -> bool:
        return False

    def eval(self):  # type: ignore[no-untyped-def]
        return 4


class Fetch(AsyncScalarFunction):
    async def eval(self, key: str) -> Optional[str]:
        return key


class Split(TableFunction):
    def eval(self, text):  # type: ignore[no-untyped-def]
        yield from text.split()


class Model:
    """A callable whose eval() and open() have nothing to do with Clutch, like a torch module's."""

    def __call__(self, x: int) -> int:
        return x + 1

    def eval(self) -> None:
        raise AssertionError

    open = close = eval


def plus(a: int, b: int) -> Optional[int]:
    """Add."""
    return a + b


async def later(x: int) -> int:
    return x


class FormTest(TestCase):
    def test_signatures(self) -> None:
        def names(f: Any) -> List[Tuple[str, Any]]:
            return [
                (p.name, p.default) for p in inspect.signature(f).parameters.values() if p.kind is not p.KEYWORD_ONLY
            ]

        common = [("deterministic", None), ("name", None)]
        types = [("f", None), ("input_types", None), ("result_type", None)]
        general = ("func_type", "general")
        self.assertEqual(names(udf), [*types, *common, general])
        self.assertEqual(names(udtf), [*types[:2], ("result_types", None), *common])
        self.assertEqual(names(udaf), [*types, ("accumulator_type", None), *common, general])
        self.assertEqual(names(udtaf), names(udaf))

    def test_declared_directly_and_as_decorator(self) -> None:
        direct = udf(lambda x: x, "INT", "BIGINT", True, "mine", "general")
        self.assertEqual((direct._name, direct._input_types, direct._result_type), ("mine", ["INT"], "BIGINT"))
        self.assertEqual((direct._deterministic, direct._func_type, direct._judf_placeholder), (True, "general", None))
        self.assertIsInstance(udf(result_type="INT"), functools.partial)
        self.assertIsInstance(udtf(), functools.partial)
        self.assertIsInstance(udaf(), functools.partial)
        self.assertIsInstance(udtaf(), functools.partial)

        @udf(result_type=D.INT())
        def one(x):  # type: ignore[no-untyped-def]
            return x

        @udf
        def two(x: int) -> int:
            """Document."""
            return x

        self.assertEqual((one._name, one._result_type), ("one", D.INT()))
        self.assertEqual((two._name, two._result_type, two.__doc__), ("two", D.BIGINT(False), "Document."))

    def test_names(self) -> None:
        self.assertEqual(udf(lambda x: x, result_type="INT")._name, "<lambda>")
        self.assertEqual(udf(plus)._name, "plus")
        self.assertEqual(udf(Plus())._name, "Plus")
        self.assertEqual(udf(functools.partial(plus, 1))._name, "partial")
        self.assertEqual(udf(Model())._name, "Model")
        self.assertEqual(udf(len, result_type="INT")._name, "len")

    def test_input_types(self) -> None:
        def inputs(given: Any) -> Any:
            return udf(plus, given)._input_types

        self.assertIsNone(inputs(None))
        self.assertEqual(inputs(D.INT()), [D.INT()])
        self.assertEqual(inputs("INT"), ["INT"])
        self.assertEqual(inputs([D.INT(), "STRING"]), [D.INT(), "STRING"])
        self.assertEqual(inputs(D.ROW([D.INT(), D.STRING()])), [D.INT(), D.STRING()])

    def test_deterministic(self) -> None:
        self.assertTrue(udf(plus)._deterministic)
        self.assertFalse(udf(plus, deterministic=False)._deterministic)
        self.assertFalse(udf(Random(), result_type="INT")._deterministic)
        self.refused(
            ValueError,
            "Inconsistent deterministic: the declaration says True, is_deterministic() of Random says False",
            lambda: udf(Random(), result_type="INT", deterministic=True),
        )

    def test_expressions(self) -> None:
        declared = udf(plus).alias("a", "b")
        self.assertEqual(str(declared(1, 2)), "plus(1, 2) AS a, b")
        self.assertIs(declared._set_takes_row_as_input(), declared)
        self.assertTrue(declared._takes_row_as_input)


class KindTest(TestCase):
    def test_scalar(self) -> None:
        for function in (plus, functools.partial(plus, 1), Plus(), Model()):
            self.assertEqual(udf(function).kind, "table.scalar")
        self.assertEqual(
            udf(plus).declaration(),
            {
                "kind": "table.scalar",
                "name": "plus",
                "deterministic": True,
                "style": None,
                "takes_row": False,
                "arguments": None,
                "results": [[None, "BIGINT"]],
            },
        )
        self.assertEqual(
            udf(plus, [D.INT(), "int not null"], "string").declaration()["arguments"], ["INT", "INT NOT NULL"]
        )

    def test_vectorized(self) -> None:
        for style, expected in ((None, "pandas"), ("pandas", "pandas"), ("numpy", "numpy"), ("arrow", "arrow")):
            declared = udf(plus, func_type="pandas", style=style)
            self.assertEqual((declared.kind, declared.declaration()["style"]), ("table.scalar.vectorized", expected))

    def test_async(self) -> None:
        class Call:
            async def __call__(self, x: int) -> int:
                return x

        class AsyncEval(ScalarFunction):
            async def eval(self, x: int) -> int:  # type: ignore[override]
                return x

        for function in (
            later,
            functools.partial(functools.partial(later), 1),
            Fetch(),
            AsyncEval(),
            Call(),
            Call().__call__,
        ):
            self.assertEqual(udf(function).kind, "table.scalar.async")
        delegate = udf(later)._create_delegate_function()
        self.assertIsInstance(delegate, AsyncScalarFunction)
        self.assertEqual(asyncio.run(delegate.eval(3)), 3)

    def test_objects_that_have_every_attribute(self) -> None:
        declared = udf(mock.MagicMock(return_value=3), result_type="INT", name="mock")
        self.assertEqual((declared.kind, declared.__clutch_function__(1)), ("table.scalar", 3))

    def test_what_a_runtime_runs(self) -> None:
        self.assertIs(udf(plus).__clutch_function__, plus)
        instance = Plus()
        self.assertIs(udf(instance).__clutch_function__, instance)
        self.assertIs(udf(instance)._create_delegate_function(), instance)
        self.assertEqual(udf(plus)._create_delegate_function().eval(1, 2), 3)
        model = Model()
        self.assertEqual(udf(model).__clutch_function__(1), 2)
        self.assertFalse(hasattr(udf(model).__clutch_function__, "eval"))
        self.assertIs(udf(model)._func, model)

    def test_refusals(self) -> None:
        self.refused(TypeError, NOT_CALLABLE + repr(Plus), lambda: udf(Plus, result_type="INT"))
        self.refused(TypeError, NOT_CALLABLE + "3", lambda: udf(3, result_type="INT"))
        self.refused(TypeError, "Invalid function: 'plus' is declared already", lambda: udf(udf(plus)))
        self.refused(
            TypeError,
            "udf takes a function, a callable or an instance of ScalarFunction or AsyncScalarFunction, "
            "got one of Split",
            lambda: udf(Split(), result_type="INT"),
        )
        self.refused(
            ValueError,
            "The func_type must be one of 'general, pandas', got arrow.",
            lambda: udf(plus, func_type="arrow"),
        )
        self.refused(
            ValueError,
            "The style must be one of 'pandas, numpy, arrow', got polars.",
            lambda: udf(plus, func_type="pandas", style="polars"),
        )
        self.refused(
            ValueError,
            "style is for func_type 'pandas'; func_type 'general' passes one row at a time",
            lambda: udf(plus, style="numpy"),
        )
        self.refused(
            ValueError,
            "the function 'later' is async, which func_type 'pandas' does not support",
            lambda: udf(later, func_type="pandas"),
        )
        self.refused(
            TypeError,
            "Invalid result_type: it is missing, and '<lambda>' has no type hint for it",
            lambda: udf(lambda x: x),
        )
        self.refused(
            TypeError, "Invalid result_type: it must be a DataType or a str, got 3", lambda: udf(plus, result_type=3)
        )
        self.refused(
            TypeError, "Invalid input_types: it must be a DataType or a str, got 3", lambda: udf(plus, ["INT", 3])
        )
        self.refused(
            TypeError,
            "Invalid input_types: it must be a DataType, a str or a list of them, got 3",
            lambda: udf(plus, 3),
        )
        self.refused(
            ValueError,
            'Invalid result_type: type "BIGNIT", column 1: expected the name of a type, found "BIGNIT"',
            lambda: udf(plus, result_type="BIGNIT"),
        )
        self.refused(
            TypeError,
            "Invalid result_type: ARRAY<LIST_VIEW<INT>>; a LIST_VIEW or MAP_VIEW can only be a field of an accumulator",
            lambda: udf(plus, result_type=D.ARRAY(D.LIST_VIEW(D.INT()))),
        )

        class Sync(AsyncScalarFunction):
            def eval(self):  # type: ignore[no-untyped-def, override]
                return 1

        self.refused(TypeError, "eval() of Sync must be declared 'async def'", lambda: udf(Sync(), result_type="INT"))

    def test_abstract_classes(self) -> None:
        for cls in (
            ScalarFunction,
            AsyncScalarFunction,
            TableFunction,
            ImperativeAggregateFunction,
            AggregateFunction,
            TableAggregateFunction,
        ):
            self.assertTrue(issubclass(cls, UserDefinedFunction))
            with self.assertRaisesRegex(TypeError, "abstract"):
                cls()
        self.assertIsNone(Plus().open(None))
        self.assertIsNone(Plus().close())
        self.assertTrue(Plus().is_deterministic())


class TableFunctionTest(TestCase):
    def columns(self, given: Any) -> Any:
        return udtf(Split(), result_types=given).declaration()["results"]

    def test_result_types(self) -> None:
        self.assertEqual(self.columns(D.INT()), [[None, "INT"]])
        self.assertEqual(self.columns("INT"), [[None, "INT"]])
        self.assertEqual(self.columns([D.INT(), D.STRING()]), [[None, "INT"], [None, "STRING"]])
        self.assertEqual(self.columns(["INT", "STRING"]), [[None, "INT"], [None, "STRING"]])
        row = [["a", "INT"], ["b", "STRING"]]
        self.assertEqual(self.columns(D.ROW([D.FIELD("a", D.INT()), D.FIELD("b", D.STRING())])), row)
        self.assertEqual(self.columns("ROW<a INT, b STRING>"), row)
        self.assertEqual(self.columns([D.ROW([D.FIELD("a", D.INT())])]), [[None, "ROW<a INT>"]])
        self.assertEqual(udtf(Split(), None, "INT")._result_types, ["INT"])

    def test_declared_from_a_generator(self) -> None:
        @udtf
        def pairs(x: int) -> Iterator[Tuple[int, Optional[str]]]:
            yield x, None

        self.assertEqual(pairs.kind, "table.table")
        self.assertEqual(pairs.declaration()["results"], [[None, "BIGINT NOT NULL"], [None, "STRING"]])
        self.assertEqual(list(pairs._create_delegate_function().eval(1)), [(1, None)])

    def test_refusals(self) -> None:
        self.refused(
            TypeError, "Invalid result_types: it is missing, and 'Split' has no type hint for it", lambda: udtf(Split())
        )
        for given in (3, []):
            self.refused(
                TypeError,
                "Invalid result_types: a DataType, a str or a list of them is needed, got %r" % given,
                lambda g=given: udtf(Split(), result_types=g),
            )
        self.refused(
            TypeError, "Invalid result_types: it must be a DataType or a str, got 3", lambda: self.columns(["INT", 3])
        )
        self.refused(
            TypeError,
            "the function 'later' is async, and a table function is a plain one",
            lambda: udtf(later, result_types="INT"),
        )
        self.refused(
            TypeError,
            "udtf takes a function, a callable or an instance of TableFunction, got one of Plus",
            lambda: udtf(Plus(), result_types="INT"),
        )


if __name__ == "__main__":
    unittest.main()
