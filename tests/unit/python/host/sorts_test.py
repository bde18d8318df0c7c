"""numpy arrays, pandas objects and Arrow capsules: the sort that goes in comes back."""

from __future__ import annotations

import ctypes
import datetime
import gc
import unittest
import weakref
from typing import Any, List

import functions
from hosting import HAS_NUMPY, HAS_PANDAS, TestCase, host_of

import clutch
from clutch import _host

if HAS_NUMPY:
    import numpy as np
if HAS_PANDAS:
    import pandas as pd




def column(text: str, values: List[Any]) -> Any:
    return _host.Schema(text).from_list(0, values)


@unittest.skipUnless(HAS_NUMPY, "numpy is not installed")
class Numpy(TestCase):
    def same(self, host: clutch.Host, sql: str, values: Any) -> Any:
        return host.function(functions.identity, sql, sql)(values)

    def test_arrays_give_arrays(self) -> None:
        def check(host: clutch.Host) -> None:
            doubled = host.function(functions.double)(np.arange(5))
            self.assertEqual((doubled.dtype, doubled.tolist()), (np.dtype("int64"), [0, 2, 4, 6, 8]))
            self.assertEqual(host.function(functions.double)(np.empty(0, "int64")).tolist(), [])

        self.in_each_mode(check)

    def test_each_type_comes_back(self) -> None:
        arrays = {
            "TINYINT": np.array([-1, 2], "int8"),
            "SMALLINT": np.array([-1, 2], "int16"),
            "INT": np.array([-1, 2], "int32"),
            "FLOAT": np.array([-1.5, 2], "float32"),
            "DOUBLE": np.array([-1.5, 2], "float64"),
            "BOOLEAN": np.array([True, False, True]),
            "TIMESTAMP(6)": np.array(["2020-01-01T10:00:00.000001", "1969-12-31"], "datetime64[us]"),
            "STRING": np.array(["a", "ü"], dtype=object),
        }
        with host_of("thread") as host:
            for sql, array in arrays.items():
                back = self.same(host, sql, array)
                self.assertEqual((sql, back.dtype, back.tolist()), (sql, array.dtype, array.tolist()))

    def test_memory_is_shared(self) -> None:
        array = np.arange(1000)
        made = clutch.host._arrays.from_numpy(_host.Schema("x: int64"), 0, array)
        self.assertEqual(made.address(), array.__array_interface__["data"][0])
        back = clutch.host._arrays.to_numpy(made)
        self.assertEqual(back.__array_interface__["data"][0], array.__array_interface__["data"][0])
        kept = weakref.ref(array)
        del array, made
        gc.collect()
        self.assertIsNotNone(kept())
        self.assertEqual(back[999], 999)
        del back
        gc.collect()
        _host.Schema("x: int64").from_list(0, [])
        self.assertIsNone(kept())

    def test_layouts_that_differ_are_copied(self) -> None:
        with host_of("thread") as host:
            double = host.function(functions.double)
            self.assertEqual(double(np.arange(6)[::2]).tolist(), [0, 4, 8])
            self.assertEqual(double(np.arange(3, dtype="int16")).tolist(), [0, 2, 4])
            self.assertEqual(double(np.arange(3, dtype=">i8")).tolist(), [0, 2, 4])
            self.assertEqual(host.function(functions.halve)(np.arange(3, dtype="int32")).tolist(), [0, 0.5, 1])

    def test_nulls(self) -> None:
        with host_of("thread") as host:
            masked = np.ma.MaskedArray([1, 2, 3], mask=[False, True, False])
            back = self.same(host, "BIGINT", masked)
            self.assertEqual((back.dtype, back.tolist()), (np.dtype(object), [1, None, 3]))
            back = self.same(host, "DOUBLE", np.ma.MaskedArray([1.0, 2.0], mask=[False, True]))
            self.assertEqual((back.dtype, str(back.tolist())), (np.dtype("float64"), "[1.0, nan]"))
            times = np.array(["NaT", "2020-01-01"], "datetime64[us]")
            self.assertEqual(host.function(functions.plain_show, "TIMESTAMP(6)", "STRING")(times).tolist(),
                             ["None", repr(datetime.datetime(2020, 1, 1))])
            self.assertEqual(str(self.same(host, "TIMESTAMP(6)", times)), str(times))
            self.assertEqual(str(self.same(host, "DOUBLE", np.array([np.nan, 1]))), "[nan  1.]")
            self.assertEqual(self.same(host, "BOOLEAN", np.ma.MaskedArray([True, True], mask=[True, False])).tolist(),
                             [None, True])

    def test_several_result_columns(self) -> None:
        with host_of("thread") as host:
            words, numbers = host.function(functions.pairs)(np.array(["a", "b"], dtype=object), np.array([1, 2]))
            self.assertEqual((words.tolist(), numbers.tolist()), (["a", "b", "b"], [0, 0, 1]))

    def test_refusals(self) -> None:
        with host_of("thread") as host:
            double = host.function(functions.double)
            self.refused(
                TypeError,
                "argument 'x' is an array of 2 dimensions; a column has one",
                lambda: double(np.zeros((2, 2), "int64")),
            )
            self.refused(
                ValueError,
                'argument "x", row 0: 0.5 of type float does not fit int64 not null; pass what fits, or declare '
                "another input type",
                lambda: double(np.array([0.5])),
            )
            self.refused(
                ValueError,
                'argument "x", row 1: it is null, and the function takes int64 not null; pass what fits, or declare '
                "another input type",
                lambda: double(np.ma.MaskedArray([1, 2], mask=[False, True])),
            )


@unittest.skipUnless(HAS_PANDAS, "pandas is not installed")
class Pandas(TestCase):
    def test_series_keep_index_and_name(self) -> None:
        def check(host: clutch.Host) -> None:
            series = pd.Series([1, 2], index=["a", "b"], name="n")
            pd.testing.assert_series_equal(host.function(functions.double)(series), series * 2)

        self.in_each_mode(check)

    def test_missing_values(self) -> None:
        with host_of("thread") as host:
            plus_one = host.function(functions.plus_one)
            pd.testing.assert_series_equal(
                plus_one(pd.Series([1, None], dtype="Int64")), pd.Series([2, None], dtype="Int64")
            )
            show = host.function(functions.plain_show, "STRING", "STRING")
            self.assertEqual(show(pd.Series(["a", None, np.nan])).tolist(), ["'a'", "None", "None"])
            self.assertEqual(show(pd.Series(["a", "b"], dtype="category")).tolist(), ["'a'", "'b'"])
            truth = host.function(functions.identity, "BOOLEAN", "BOOLEAN")
            self.assertEqual(str(truth(pd.Series([True, None], dtype="boolean")).dtype), "boolean")
            number = host.function(functions.plain_show, "DOUBLE", "STRING")
            self.assertEqual(number(pd.Series([1.0, np.nan])).tolist(), ["1.0", "nan"])

    def test_aware_times(self) -> None:
        with host_of("thread") as host:
            series = pd.Series(pd.to_datetime(["2020-01-01 10:00"])).dt.tz_localize("Europe/Berlin")
            shown = host.function(functions.plain_show, "TIMESTAMP_LTZ(6)", "STRING")(series)
            self.assertIn("2020, 1, 1, 9, 0", shown[0])

    def test_frames_give_frames(self) -> None:
        def check(host: clutch.Host) -> None:
            frame = pd.DataFrame({"y": [10, 20], "x": [1, 2], "other": [0, 0]}, index=[7, 8])
            summed = host.function(functions.add)(frame)
            pd.testing.assert_frame_equal(summed, pd.DataFrame({"result": [11, 22]}, index=[7, 8]))
            words = pd.DataFrame({"word": ["a", "b"], "n": [2, 1]}, index=[7, 8])
            repeated = host.function(functions.pairs)(words)
            self.assertEqual(repeated.index.tolist(), [7, 7, 8])
            self.assertEqual(repeated["f1"].tolist(), [0, 1, 0])
            self.refused(
                TypeError,
                "the DataFrame has the columns a, and the function takes x, y; name them alike, or give as many",
                lambda: host.function(functions.add)(pd.DataFrame({"a": [1]})),
            )

        self.in_each_mode(check)


class Foreign:
    """An object of another library, as far as the interface shows."""

    def __init__(self, array: Any) -> None:
        self._array = array

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
        return self._array.__arrow_c_array__(requested_schema)


class CStream(ctypes.Structure):
    """struct ArrowArrayStream"""


_GET = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(CStream), ctypes.c_void_p)
_TEXT = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.POINTER(CStream))
_FREE = ctypes.CFUNCTYPE(None, ctypes.POINTER(CStream))
CStream._fields_ = [
    ("get_schema", _GET),
    ("get_next", _GET),
    ("get_last_error", _TEXT),
    ("release", _FREE),
    ("private_data", ctypes.c_void_p),
]

_SCHEMA_SIZE, _ARRAY_SIZE, _RELEASE_OF_SCHEMA, _RELEASE_OF_ARRAY = 72, 80, 56, 64
_capsule_new = ctypes.pythonapi.PyCapsule_New
_capsule_new.restype, _capsule_new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype, _capsule_pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


class Stream:
    """Chunks behind __arrow_c_stream__; fails with an error after them if `failure` is given."""

    def __init__(self, chunks: List[Any], failure: bytes = b"") -> None:
        self._schema = chunks[0].__arrow_c_schema__()
        self._chunks = [chunk.__arrow_c_array__()[1] for chunk in chunks]
        self._failure = ctypes.create_string_buffer(failure)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        def move(capsule: Any, name: bytes, out: int, size: int, release: int) -> int:
            source = _capsule_pointer(capsule, name)
            ctypes.memmove(out, source, size)
            ctypes.memset(source + release, 0, 8)
            return 0

        def get_schema(_: Any, out: int) -> int:
            return move(self._schema, b"arrow_schema", out, _SCHEMA_SIZE, _RELEASE_OF_SCHEMA)

        def get_next(_: Any, out: int) -> int:
            if self._chunks:
                return move(self._chunks.pop(0), b"arrow_array", out, _ARRAY_SIZE, _RELEASE_OF_ARRAY)
            ctypes.memset(out, 0, _ARRAY_SIZE)
            return 5 if self._failure.value else 0

        text = _TEXT(lambda _: ctypes.addressof(self._failure))
        self._kept = CStream(_GET(get_schema), _GET(get_next), text, _FREE(lambda _: None), None)
        return _capsule_new(ctypes.addressof(self._kept), b"arrow_array_stream", None)


class Arrow(TestCase):
    def test_an_object_with_the_interface_comes_back(self) -> None:
        def check(host: clutch.Host) -> None:
            double = host.function(functions.double)
            back = double(Foreign(column("x: int64", [1, 2])))
            self.assertTrue(hasattr(back, "__arrow_c_array__"))
            self.assertEqual((back.type, back.tolist()), ("int64", [2, 4]))
            self.assertEqual(double(back).tolist(), [4, 8])
            self.assertEqual(repr(back), "<clutch array of int64, 2 rows>")

        self.in_each_mode(check)

    def test_a_table_is_taken_by_name(self) -> None:
        with host_of("thread") as host:
            schema = _host.Schema("y: int64, unused: string, x: int64")
            table = schema.rows([schema.from_list(0, [10]), schema.from_list(1, ["-"]), schema.from_list(2, [1])], 1)
            back = host.function(functions.add)(Foreign(table))
            self.assertEqual((back.names, back.child(0).tolist()), (["result"], [11]))

    def test_streams_are_put_together(self) -> None:
        with host_of("thread") as host:
            double = host.function(functions.double)
            stream = Stream([column("x: int64", [1, 2]), column("x: int64", [3])])
            self.assertEqual(double(stream).tolist(), [2, 4, 6])
            self.assertEqual(double(Stream([column("x: int64", [4])])).tolist(), [8])
            self.refused(
                ValueError,
                "the Arrow stream failed with error 5: the line broke",
                lambda: double(Stream([column("x: int64", [1])], b"the line broke")),
            )

    def test_arrays_outlive_what_they_came_from(self) -> None:
        schema = _host.Schema("a: string, b: int64")
        table = schema.rows([schema.from_list(0, ["p", "q"]), schema.from_list(1, [1, None])], 2)
        child = table.child(1)
        capsules = child.__arrow_c_array__()
        del table, schema
        gc.collect()
        self.assertEqual(child.tolist(), [1, None])
        del child
        again = _host.from_arrow(type("T", (), {"__arrow_c_array__": lambda self: capsules})())
        self.assertEqual(again.tolist(), [1, None])
        self.refused(
            ValueError,
            "the Arrow array was consumed before",
            lambda: _host.from_arrow(type("T", (), {"__arrow_c_array__": lambda self: capsules})()),
        )

    def test_refusals(self) -> None:
        with host_of("thread") as host:
            double = host.function(functions.double)
            self.refused(
                TypeError,
                'argument "x" is of type string, and the function takes int64; cast it, or declare its type',
                lambda: double(Foreign(column("x: string", ["a"]))),
            )
            self.refused(
                ValueError,
                'argument "x", row 1: it is null, and the function takes int64 not null; pass what fits, or declare '
                "another input type",
                lambda: double(Foreign(column("x: int64", [1, None]))),
            )
            self.refused(
                TypeError,
                "__arrow_c_array__ must give a tuple of two capsules",
                lambda: double(type("T", (), {"__arrow_c_array__": lambda self: 3})()),
            )
            self.refused(IndexError, "an array of int64 has no column 0", lambda: column("x: int64", []).child(0))


if __name__ == "__main__":
    unittest.main()
