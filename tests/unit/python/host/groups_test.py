"""Aggregates through clutch.Host: rows with keys."""

from __future__ import annotations

import unittest

import functions
from hosting import HAS_PANDAS, TestCase, host_of

import clutch
from clutch.common import RowKind


class Groups(TestCase):
    """What aggregates give for each key."""

    def test_a_value_for_each_key_in_the_order_of_the_keys(self) -> None:
        def check(host: clutch.Host) -> None:
            total = host.function(functions.total)
            self.assertEqual(total.input_types, {"x": "int64"})
            found = total([1, 10, None, 20], keys=["b", "a", "b", "a"])
            self.assertEqual(list(found.items()), [("b", 1), ("a", 30)])
            self.assertEqual(total([5, 7], keys=["a", "c"]), {"a": 35, "c": 7})
            self.assertEqual(total.submit([1], keys=["b"]).result(), {"b": 2})

        self.in_each_mode(check)

    def test_without_keys_all_rows_are_one_group(self) -> None:
        def check(host: clutch.Host) -> None:
            total = host.function(functions.total)
            self.assertEqual(total([1, 2, 3]), 6)
            self.assertEqual(total([4]), 4)
            self.assertIsNone(total([]))
            self.assertEqual([tuple(row) for row in host.function(functions.top2)([3, 9, 5])], [(9, 1), (5, 2)])

        self.in_each_mode(check)

    def test_rows_are_taken_back(self) -> None:
        def check(host: clutch.Host) -> None:
            total = host.function(functions.total)
            kinds = [RowKind.INSERT, RowKind.INSERT, RowKind.UPDATE_BEFORE, RowKind.UPDATE_AFTER]
            self.assertEqual(total([1, 2, 2, 5], keys=[b"k", b"l", b"l", b"l"], kinds=kinds), {b"k": 1, b"l": 5})
            self.assertEqual(total([1], keys=[b"k"], kinds=[3]), {b"k": 0})

        self.in_each_mode(check)

    def test_a_table_aggregate_gives_a_list_for_each_key(self) -> None:
        def check(host: clutch.Host) -> None:
            top2 = host.function(functions.top2)
            found = top2([3, 9, 5, 1], keys=[7, 7, 7, 8])
            self.assertEqual(
                {key: [tuple(row) for row in rows] for key, rows in found.items()}, {7: [(9, 1), (5, 2)], 8: [(1, 1)]}
            )

        self.in_each_mode(check)

    def test_a_batch_that_fails_leaves_the_accumulators(self) -> None:
        def check(host: clutch.Host) -> None:
            total = host.function(functions.total)
            total([1, 2], keys=["a", "b"])
            with self.assertRaises(clutch.Error) as caught:
                total([5, -9], keys=["a", "b"])
            told = "function \"total\" get_value() of key 'b': ValueError: below zero"
            self.assertEqual(caught.exception.message, told)
            self.assertEqual(total([0, 0], keys=["a", "b"]), {"a": 1, "b": 2})

        self.in_each_mode(check)

    @unittest.skipUnless(HAS_PANDAS, "pandas is not installed")
    def test_pandas_objects_come_back_with_the_keys_as_index(self) -> None:
        import pandas

        def check(host: clutch.Host) -> None:
            frame = pandas.DataFrame({"k": ["b", "a", "b"], "x": [1, 10, 2]})
            found = host.function(functions.total)(frame["x"], keys=frame["k"])
            pandas.testing.assert_series_equal(found, pandas.Series([3, 10], index=["b", "a"], dtype="int64"))
            top = host.function(functions.top2)(frame["x"], keys=frame["k"])
            self.assertEqual(list(top.index), ["b", "b", "a"])
            self.assertEqual(list(top["x"]), [2, 1, 10])
            self.assertEqual(host.function(functions.span)([1, 4, 9], keys=["p", "q", "p"]), {"p": 8, "q": 0})

        self.in_each_mode(check)

    def test_refusals(self) -> None:
        with host_of("thread") as host:
            total = host.function(functions.total)
            cases = {
                "there are 1 keys for 2 rows; give one a row": lambda: total([1, 2], keys=["a"]),
                "there are 3 kinds for 2 rows; give one a row": lambda: total([1, 2], keys=["a", "a"], kinds=[0, 0, 0]),
                "4 is no kind of a row; give RowKind.INSERT, UPDATE_BEFORE, UPDATE_AFTER or DELETE": lambda: total(
                    [1], keys=["a"], kinds=[4]
                ),
            }
            for text, call in cases.items():
                self.refused(ValueError, text, call)
            wrong_types = {
                "the key 1.5 is of type float; a key is str, bytes or int": lambda: total([1], keys=[1.5]),
                "the key None is of type NoneType; a key is str, bytes or int": lambda: total([1], keys=[None]),
                "the keys are of the types int and str; take one": lambda: total([1, 2], keys=["a", 1]),
            }
            for text, call in wrong_types.items():
                self.refused(TypeError, text, call)


if __name__ == "__main__":
    unittest.main()
