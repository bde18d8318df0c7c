"""NumberSequenceSource: whole numbers in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clutch.common.typeinfo import TypeInformation, Types
from clutch.datastream.connectors.base import Source

if TYPE_CHECKING:
    from clutch.datastream._data_stream import DataStream

__all__ = ["NumberSequenceSource"]


class NumberSequenceSource(Source):
    """The numbers from `start` to `end`, both included; each instance has a part of them."""

    def __init__(self, start: int, end: int) -> None:
        for what, number in (("start", start), ("end", end)):
            if not isinstance(number, int) or isinstance(number, bool) or not -(2**63) <= number < 2**63:
                raise ValueError("the %s of a sequence must be an int of 64 bits, got %r" % (what, number))
        if start > end:
            raise ValueError("the start of a sequence must not be above its end, got %d and %d" % (start, end))
        self._start = start
        self._end = end

    def _type(self) -> TypeInformation:
        return Types.LONG()

    def _attach(self, env: Any, name: str, type_info: TypeInformation) -> DataStream:
        if type_info != Types.LONG():
            raise ValueError("a sequence has the type %s, and not %s" % (Types.LONG(), type_info))
        members = {"source": {"type": "sequence", "first": self._start, "last": self._end}}
        return env._source(name, members, type_info, True, True)  # type: ignore[no-any-return]
