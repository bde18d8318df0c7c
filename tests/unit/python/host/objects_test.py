"""Elements that are any object or tuples: what the extension module makes of them, and what functions see."""

from __future__ import annotations

import ctypes
import gc
import threading
import unittest
from typing import Any, List

import functions
from hosting import TestCase

import clutch
from clutch import _host
from clutch.common import Row


def column(text: str, values: List[Any]) -> Any:
    return _host.Schema(text).from_list(0, values)


class Columns(TestCase):
    def test_any_object_comes_back(self) -> None:
        values: List[Any] = [1, "a", None, [1, {"b": 2}], (1, (2, None)), 2**70, Row(a=1), float("inf"), {3}, b"x"]
        made = column("value: pickle", values)
        self.assertEqual("pickle", made.type)
        self.assertEqual(values, made.tolist())

    def test_tuples_come_back_as_tuples(self) -> None:
        made = column("value: tuple<f0: int64, f1: list<pickle>>", [(1, ["a"]), [2, []], Row(3, [None]), None])
        self.assertEqual("tuple<f0: int64, f1: list<pickle>>", made.type)
        self.assertEqual([(1, ["a"]), (2, []), (3, [None]), None], made.tolist())
        self.assertEqual([tuple], sorted({type(value) for value in made.tolist() if value is not None}, key=repr))

    def test_what_does_not_fit_is_told_with_its_row(self) -> None:
        with self.assertRaises(ValueError) as caught:
            column("value: pickle", [1, threading.Lock()])
        self.assertRegex(
            str(caught.exception),
            r'argument "value", row 1: <unlocked _thread.lock .*> of type _thread.lock does not fit pickle '
            r"cannot be pickled \(TypeError: c.*\); pass what fits, or declare another input type",
        )
        with self.assertRaises(ValueError) as caught:
            column("value: tuple<a: int64>", [(1, 2)])
        self.assertIn("(1, 2) of type tuple does not fit tuple<a: int64> has 2 values, not 1", str(caught.exception))

    def test_a_batch_of_several_columns(self) -> None:
        schema = _host.Schema("value: pickle, key: tuple<f0: string>, timestamp: int64")
        columns = [schema.from_list(0, [[1], None]), schema.from_list(1, [("a",), ("b",)]), schema.from_list(2, [5, None])]
        rows = schema.rows(columns, 2)
        self.assertEqual([[1], None], rows.child(0).tolist())
        self.assertEqual([("a",), ("b",)], rows.child(1).tolist())
        self.assertEqual([([1], ("a",), 5), (None, ("b",), None)], [tuple(row) for row in rows.tolist()])

    def test_what_a_value_is_crosses_arrow_capsules(self) -> None:
        made = column("value: tuple<a: pickle>", [([1],)])
        back = _host.from_arrow(made)
        self.assertEqual("tuple<a: pickle>", back.type)
        self.assertEqual([([1],)], back.tolist())
        capsule = made.__arrow_c_schema__()
        get = ctypes.pythonapi.PyCapsule_GetPointer
        get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
        # The third pointer of an ArrowSchema is its metadata: one pair, lengths as native int32.
        metadata = ctypes.cast(get(capsule, b"arrow_schema"), ctypes.POINTER(ctypes.c_void_p))[2]
        self.assertEqual(
            b"\x01\x00\x00\x00\x0d\x00\x00\x00clutch.object\x05\x00\x00\x00tuple", ctypes.string_at(metadata, 30)
        )
        del capsule
        gc.collect()

    def test_a_column_of_another_sort_is_refused(self) -> None:
        with self.assertRaises(TypeError) as caught:
            _host.Schema("x: binary").rows([column("x: pickle", [1])], 1)
        self.assertIn('argument "x" is of type pickle, and the function takes binary', str(caught.exception))


class Functions(TestCase):
    def test_objects_and_tuples_cross_in_each_mode(self) -> None:
        def check(host: clutch.Host) -> None:
            values = [[1], None, {"a": (1,)}, 2**80]
            self.assertEqual(values, host.function(functions.identity, "PICKLE", "PICKLE")(values))
            pairs = [(1, "a"), None, (None, None)]
            declared = "tuple<f0: int64, f1: string>"
            self.assertEqual(pairs, host.function(functions.identity, declared, declared)(pairs))

        self.in_each_mode(check)


if __name__ == "__main__":
    unittest.main()
