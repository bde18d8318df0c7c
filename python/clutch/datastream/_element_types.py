"""The type text of a stream's elements, as job descriptions have it (docs/jobs.md, Elements)."""

from __future__ import annotations

import re
from typing import Callable, Dict, List, Tuple

from clutch.common.typeinfo import (
    BasicTypeInfo,
    MapTypeInfo,
    PrimitiveArrayTypeInfo,
    RowTypeInfo,
    SqlTimeTypeInfo,
    TupleTypeInfo,
    TypeInformation,
    _CollectionTypeInfo,
)

PICKLE = "pickle"

_BASIC = {
    "STRING": "string",
    "BYTE": "int8",
    "BOOLEAN": "bool",
    "SHORT": "int16",
    "INT": "int32",
    "LONG": "int64",
    "FLOAT": "float32",
    "DOUBLE": "float64",
    "CHAR": "string",
}
_TIMES = {"DATE": "date32", "TIME": "time32[ms]", "TIMESTAMP": "timestamp[us]"}
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*$")


def _quoted(name: str) -> str:
    return name if _PLAIN_NAME.match(name) else "`%s`" % name.replace("`", "``")


def _fields(word: str, pairs: List[Tuple[str, TypeInformation]]) -> str:
    return "%s<%s>" % (word, ", ".join("%s: %s" % (_quoted(name), element_text(part)) for name, part in pairs))


def _row(of: RowTypeInfo) -> str:
    return _fields("struct", list(zip(of.get_field_names(), of.get_field_types())))


def _tuple(of: TupleTypeInfo) -> str:
    return _fields("tuple", [("f%d" % i, part) for i, part in enumerate(of.get_field_types())])


def _map(of: MapTypeInfo) -> str:
    key, value = (element_text(part) for part in of._parts)
    # Equal keys may have different pickles, so such a map is pickled as a whole.
    return PICKLE if PICKLE in key else "map<%s, %s>" % (key, value)


def _collection(of: _CollectionTypeInfo) -> str:
    if isinstance(of, PrimitiveArrayTypeInfo) and of.elem_type == BasicTypeInfo("BYTE"):
        return "binary"
    return "list<%s>" % element_text(of.elem_type)


_TEXTS: Dict[type, Callable[..., str]] = {
    BasicTypeInfo: lambda of: _BASIC.get(of._name, PICKLE),
    SqlTimeTypeInfo: lambda of: _TIMES[of._name],
    RowTypeInfo: _row,
    TupleTypeInfo: _tuple,
    MapTypeInfo: _map,
}


def element_text(type_info: TypeInformation) -> str:
    """The text; `pickle` where no column keeps every value as it is."""
    for cls in type(type_info).__mro__:
        if cls in _TEXTS:
            return _TEXTS[cls](type_info)
    return _collection(type_info) if isinstance(type_info, _CollectionTypeInfo) else PICKLE


def has_pickles(text: str) -> bool:
    """Whether the type is pickled, or a part of it."""
    # A field may be called so: names stand before a colon.
    return re.search(r"\bpickle\b(?!`|:)", text) is not None
