"""udaf and udtaf: types of results and accumulators, views, func_type 'pandas', and refusals."""

from __future__ import annotations

import functools
import unittest
from typing import Any, List, Optional

from support import TestCase

# isort: split
from clutch.table import AggregateFunction, DataTypes, TableAggregateFunction, udaf, udtaf

D = DataTypes


class Sum(AggregateFunction):
    def create_accumulator(self):  # type: ignore[no-untyped-def]
        return [0]

    def accumulate(self, accumulator, value):  # type: ignore[no-untyped-def]
        accumulator[0] += value

    def get_value(self, accumulator):  # type: ignore[no-untyped-def]
        return accumulator[0]


class Retracting(Sum):
    def retract(self, accumulator, value):  # type: ignore[no-untyped-def]
        accumulator[0] -= value

    def merge(self, accumulator, accumulators):  # type: ignore[no-untyped-def]
        accumulator[0] += sum(other[0] for other in accumulators)


class Typed(Sum):
    def get_result_type(self) -> Any:
        return D.BIGINT()

    def get_accumulator_type(self) -> Any:
        return D.ARRAY(D.BIGINT())


class Hinted(Sum):
    def create_accumulator(self) -> List[int]:
        return [0]

    def get_value(self, accumulator: Any) -> Optional[int]:
        return accumulator[0]


class Top(TableAggregateFunction):
    def create_accumulator(self):  # type: ignore[no-untyped-def]
        return []

    def accumulate(self, accumulator, value):  # type: ignore[no-untyped-def]
        accumulator.append(value)

    def emit_value(self, accumulator):  # type: ignore[no-untyped-def]
        yield from sorted(accumulator)[:2]


def total(column: Any) -> float:
    return float(sum(column))


class AggregateTest(TestCase):
    def test_types_by_argument_method_and_hint(self) -> None:
        def types(declared: Any) -> Any:
            found = declared.declaration()
            return found["results"][0][1], found["accumulator"]

        self.assertEqual(types(udaf(Sum(), None, "INT", "ROW<a INT>")), ("INT", "ROW<a INT>"))
        self.assertEqual(types(udaf(Sum(), None, D.INT(), D.ARRAY(D.INT()))), ("INT", "ARRAY<INT>"))
        self.assertEqual(types(udaf(Typed())), ("BIGINT", "ARRAY<BIGINT>"))
        self.assertEqual(types(udaf(Typed(), result_type="INT")), ("INT", "ARRAY<BIGINT>"))
        self.assertEqual(types(udaf(Hinted())), ("BIGINT", "ARRAY<BIGINT NOT NULL> NOT NULL"))
        self.assertEqual(types(udaf(Hinted(), accumulator_type="ARRAY<INT>")), ("BIGINT", "ARRAY<INT>"))

    def test_kinds_and_abilities(self) -> None:
        declared = udaf(Sum(), result_type="INT", accumulator_type="ROW<a INT>")
        self.assertEqual(declared.kind, "table.aggregate")
        found = declared.declaration()
        self.assertEqual((found["retracts"], found["merges"], found["views"]), (False, False, []))
        found = udaf(Retracting(), result_type="INT", accumulator_type="ROW<a INT>").declaration()
        self.assertEqual((found["retracts"], found["merges"]), (True, True))

    def test_views(self) -> None:
        accumulator = D.ROW(
            [
                D.FIELD("n", D.INT()),
                D.FIELD("seen", D.MAP_VIEW(D.STRING(), D.INT())),
                D.FIELD("all", D.LIST_VIEW(D.ARRAY(D.INT()))),
            ]
        )
        for given, result in ((accumulator, D.INT()), (str(accumulator), "INT")):
            found = udaf(Sum(), result_type=result, accumulator_type=given).declaration()
            self.assertEqual(found["accumulator"], "ROW<n INT, seen NULL, all NULL>")
            self.assertEqual(found["views"], [[1, "map", "STRING", "INT"], [2, "list", "ARRAY<INT>"]])

    def test_pandas(self) -> None:
        for function in (total, functools.partial(total), lambda column: total(column)):
            declared = udaf(function, result_type="DOUBLE", func_type="pandas")
            self.assertEqual(declared.kind, "table.aggregate.vectorized")
            wrapped = declared.__clutch_function__
            self.assertIsInstance(wrapped, AggregateFunction)
            accumulator = wrapped.create_accumulator()
            wrapped.accumulate(accumulator, [1, 2])
            self.assertEqual(wrapped.get_value(accumulator), 3.0)
        self.assertEqual(udaf(total, func_type="pandas").declaration()["results"], [[None, "DOUBLE NOT NULL"]])
        instance = Sum()
        declared = udaf(instance, result_type=D.ROW([D.INT()]), func_type="pandas", style="numpy")
        self.assertIs(declared.__clutch_function__, instance)
        found = declared.declaration()
        self.assertEqual(
            (found["style"], found["accumulator"], found["results"]), ("numpy", None, [[None, "ROW<f0 INT>"]])
        )

    def test_table_aggregates(self) -> None:
        declared = udtaf(Top(), result_type="ROW<a INT>", accumulator_type="ARRAY<INT>")
        self.assertEqual((declared.kind, declared._is_table_aggregate), ("table.table_aggregate", True))
        self.assertEqual(declared.declaration()["results"], [["a", "INT"]])
        declared = udtaf(Top(), result_type=D.INT(), accumulator_type=D.ARRAY(D.INT()))
        self.assertEqual(declared.declaration()["results"], [[None, "INT"]])

    def test_refused_functions(self) -> None:
        self.refused(
            TypeError,
            "udaf with func_type 'general' takes an instance of AggregateFunction, got 'total'",
            lambda: udaf(total, result_type="INT"),
        )
        self.refused(
            TypeError,
            "udtaf with func_type 'general' takes an instance of TableAggregateFunction, got 'total'",
            lambda: udtaf(total, result_type="INT"),
        )
        self.refused(
            TypeError,
            "udaf takes a function, a callable or an instance of AggregateFunction, got one of Top",
            lambda: udaf(Top(), result_type="INT", accumulator_type="INT"),
        )
        self.refused(
            TypeError,
            "udtaf takes a function, a callable or an instance of TableAggregateFunction, got one of Sum",
            lambda: udtaf(Sum(), result_type="INT", accumulator_type="INT"),
        )

        class Late(Sum):
            async def accumulate(self, accumulator, value):  # type: ignore[no-untyped-def, override]
                pass

        self.refused(
            TypeError,
            "the function 'Late' is async, and an aggregate is a plain one",
            lambda: udaf(Late(), result_type="INT", accumulator_type="INT"),
        )

    def test_refused_types(self) -> None:
        self.refused(
            RuntimeError,
            "Sum has no get_result_type(), and no result_type was given",
            lambda: udaf(Sum(), accumulator_type="INT"),
        )
        self.refused(
            RuntimeError,
            "Sum has no get_accumulator_type(), and no accumulator_type was given",
            lambda: udaf(Sum(), result_type="INT"),
        )
        self.refused(
            TypeError,
            "result_type and accumulator_type must both be a DataType or both be a str, got 'INT' and IntType(true)",
            lambda: udaf(Sum(), result_type="INT", accumulator_type=D.INT()),
        )
        self.refused(
            TypeError,
            "Invalid accumulator_type: it must be a DataType or a str, got 3",
            lambda: udaf(Sum(), result_type="INT", accumulator_type=3),
        )
        self.refused(
            TypeError,
            "Invalid result_type: an aggregate with func_type 'pandas' cannot give MAP<STRING, INT>",
            lambda: udaf(total, result_type="MAP<STRING, INT>", func_type="pandas"),
        )
        nested = D.ROW([D.FIELD("a", D.ROW([D.FIELD("b", D.LIST_VIEW(D.INT()))]))])
        for accumulator in (nested, D.LIST_VIEW(D.INT()), D.ROW([D.FIELD("a", D.LIST_VIEW(D.LIST_VIEW(D.INT())))])):
            self.refused(
                TypeError,
                "DataView cannot be used in the nested columns of the accumulator: %s" % accumulator,
                lambda a=accumulator: udaf(Sum(), result_type=D.INT(), accumulator_type=a),
            )
        self.refused(
            ValueError,
            "The func_type must be one of 'general, pandas', got x.",
            lambda: udaf(Sum(), func_type="x"),
        )
        self.refused(
            ValueError,
            "The func_type must be 'general' for a table aggregate function, got pandas.",
            lambda: udtaf(Top(), func_type="pandas"),
        )

    def test_methods_that_are_missing(self) -> None:
        self.refused(
            RuntimeError, "Sum has no retract(); it is needed where rows are withdrawn", lambda: Sum().retract([0], 1)
        )
        self.refused(
            RuntimeError, "Sum has no merge(); it is needed where groups are joined", lambda: Sum().merge([0], [[1]])
        )


if __name__ == "__main__":
    unittest.main()
