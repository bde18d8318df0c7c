"""numpy arrays and pandas Series to columns and back. Memory is shared wherever both lay values out alike."""

from __future__ import annotations

import re
import sys
from typing import Any, Dict, Optional

# Arrow types whose values numpy lays out alike.
_NUMBERS: Dict[str, str] = {
    "int8": "i1",
    "int16": "i2",
    "int32": "i4",
    "int64": "i8",
    "uint8": "u1",
    "uint16": "u2",
    "uint32": "u4",
    "uint64": "u8",
    "float16": "f2",
    "float32": "f4",
    "float64": "f8",
}
_TIMES = {"timestamp": "M8", "duration": "m8"}
_TIME = re.compile(r"(timestamp|duration)\[(s|ms|us|ns)\]$")
_NULLABLE = {"i1": "Int8", "i2": "Int16", "i4": "Int32", "i8": "Int64"}
_NULLABLE.update({name.replace("i", "u"): "U" + dtype for name, dtype in _NULLABLE.items()})


def _dtype(text: str) -> Optional[str]:
    """The numpy type that has the layout of an Arrow type, or None."""
    found = _TIME.match(text)
    return "%s[%s]" % (_TIMES[found.group(1)], found.group(2)) if found else _NUMBERS.get(text)


def _validity(numpy: Any, mask: Any) -> bytes:
    bits: bytes = numpy.packbits(~mask, bitorder="little").tobytes()
    return bits


def _buffer(schema: Any, i: int, values: Any, mask: Any) -> Any:
    """A column over the memory of contiguous values. `mask` is true where they are null, or None."""
    numpy = sys.modules["numpy"]
    values = numpy.require(values, requirements=["C", "A"])
    nulls = 0 if mask is None else int(numpy.count_nonzero(mask))
    validity = _validity(numpy, mask) if nulls else None
    address = values.__array_interface__["data"][0]
    return schema.from_buffer(i, address, len(mask) if mask is not None else len(values), values, validity, nulls)


def _same_values(source: Any, wanted: Any) -> bool:
    """Whether every value of one numpy type is exactly a value of the other, and means the same there."""
    if source.kind == wanted.kind:
        return bool(source.itemsize <= wanted.itemsize) or source.kind in "mM" and source == wanted
    if source.kind == "u" and wanted.kind == "i":
        return bool(source.itemsize < wanted.itemsize)
    exact = {2: 1, 4: 2, 8: 4}.get(wanted.itemsize, 0)  # bytes of the widest int that a float holds exactly
    return source.kind in "iu" and wanted.kind == "f" and source.itemsize <= exact


def _objects(values: Any, mask: Any) -> Any:
    """A list of the Python objects, with None where the mask is true."""
    listed = values.tolist()
    if mask is None or not mask.any():
        return listed
    return [None if null else value for value, null in zip(listed, mask)]


def from_numpy(schema: Any, i: int, array: Any, mask: Any = None) -> Any:
    """A column of an array; of a masked array, what is masked is null. NaN is a value, NaT is null."""
    numpy = sys.modules["numpy"]
    name = schema.names[i]
    if array.ndim != 1:
        raise TypeError("argument %r is an array of %d dimensions; a column has one" % (name, array.ndim))
    if isinstance(array, numpy.ma.MaskedArray):
        mask, array = numpy.ma.getmaskarray(array), array.data
    text = schema.types[i]
    if text == "bool" and array.dtype == numpy.bool_:
        packed = numpy.packbits(array, bitorder="little")
        address = packed.__array_interface__["data"][0]
        nulls = 0 if mask is None else int(numpy.count_nonzero(mask))
        validity = _validity(numpy, mask) if nulls else None
        return schema.from_buffer(i, address, len(array), packed, validity, nulls)
    wanted = _dtype(text)
    if wanted is None:
        if array.dtype.kind in "mM":
            return _from_times(schema, i, array, mask)
        return schema.from_list(i, _objects(array, mask))
    if array.dtype.kind in "mM":
        if array.dtype != numpy.dtype(wanted):
            return _from_times(schema, i, array, mask)
        missing = numpy.isnat(array)
        mask = missing if mask is None else mask | missing
        return _buffer(schema, i, array, mask)
    if not _same_values(array.dtype, numpy.dtype(wanted)):
        return schema.from_list(i, _objects(array, mask))
    return _buffer(schema, i, array.astype(wanted, copy=False), mask)


def _from_times(schema: Any, i: int, array: Any, mask: Any) -> Any:
    """Times of another unit, or for a type that numpy has not: value by value, which keeps nanoseconds."""
    listed = list(array)
    if mask is not None:
        listed = [None if null else value for value, null in zip(listed, mask)]
    return schema.from_list(i, listed)


def from_series(schema: Any, i: int, series: Any) -> Any:
    """A column of a Series. Missing values are null, but NaN in a Series of plain floats is a value."""
    numpy = sys.modules["numpy"]
    if isinstance(series.dtype, numpy.dtype) and series.dtype != numpy.object_:
        return from_numpy(schema, i, series.to_numpy())
    mask = series.isna().to_numpy()
    wanted = _dtype(schema.types[i])
    if wanted is not None and str(series.dtype) in _NULLABLE.values():
        own = numpy.dtype(str(series.dtype).lower())
        return from_numpy(schema, i, series.to_numpy(dtype=own, na_value=0), mask)
    return schema.from_list(i, [None if null else value for value, null in zip(series, mask)])


class _Memory:
    """Lets numpy see the values of a column, which lives as long as the array."""

    def __init__(self, column: Any, dtype: Any) -> None:
        self._column = column
        self.__array_interface__ = {
            "version": 3,
            "shape": (len(column),),
            "typestr": dtype.str,
            "data": (column.address(), False),
        }


def _values(column: Any) -> Any:
    """The values of a column without a look at nulls, sharing memory; None for types that numpy has not."""
    numpy = sys.modules["numpy"]
    if column.type == "bool":
        return numpy.frombuffer(bytearray(column.booleans()), dtype=numpy.bool_)
    wanted = _dtype(column.type)
    if wanted is None:
        return None
    dtype = numpy.dtype(wanted)
    return numpy.asarray(_Memory(column, dtype)) if len(column) else numpy.empty(0, dtype)


def _mask(column: Any) -> Any:
    nulls = column.nulls()
    return None if nulls is None else sys.modules["numpy"].frombuffer(nulls, dtype="?")


def _as_objects(column: Any) -> Any:
    array = sys.modules["numpy"].empty(len(column), dtype=object)
    array[:] = column.tolist()
    return array


def to_numpy(column: Any) -> Any:
    """An array of a column. A null is NaN or NaT; where a type has neither, the array is one of objects with None."""
    values, mask = _values(column), _mask(column)
    if values is None:
        return _as_objects(column)
    if mask is None:
        return values
    numpy = sys.modules["numpy"]
    if values.dtype.kind not in "fmM":
        return _as_objects(column)
    values = values.copy()
    values[mask] = numpy.nan if values.dtype.kind == "f" else values.dtype.type("NaT")
    return values


def to_pandas(column: Any) -> Any:
    """What a Series is made of: as to_numpy, but ints and bools with nulls are of pandas' nullable types."""
    values, mask = _values(column), _mask(column)
    if values is None or mask is None or values.dtype.kind not in "iub":
        return to_numpy(column)
    pandas = sys.modules["pandas"]
    if values.dtype.kind == "b":
        return pandas.arrays.BooleanArray(values, mask.copy())
    return pandas.arrays.IntegerArray(values.copy(), mask.copy())
