"""Windows, and how they become bytes."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, BinaryIO, Iterable, List, Tuple

from clutch.common.constants import MAX_LONG_VALUE
from clutch.common.serializer import TypeSerializer

if TYPE_CHECKING:
    from clutch.datastream._assigners import MergingWindowAssigner

_TWO_LONGS = struct.Struct(">qq")
_LONG = struct.Struct(">q")


class Window(ABC):
    """A group of elements. Windows are equal by value, and hashable."""

    @abstractmethod
    def max_timestamp(self) -> int:
        """The last point in time that belongs to the window."""


class TimeWindow(Window):
    """The time from `start` to before `end`, in milliseconds since 1970. Windows are ordered by start, then end."""

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end

    def max_timestamp(self) -> int:
        return self.end - 1

    def intersects(self, other: TimeWindow) -> bool:
        """Whether the windows overlap or touch."""
        return self.start <= other.end and other.start <= self.end

    def cover(self, other: TimeWindow) -> TimeWindow:
        """The shortest window that holds both."""
        return TimeWindow(min(self.start, other.start), max(self.end, other.end))

    @staticmethod
    def get_window_start_with_offset(timestamp: int, offset: int, window_size: int) -> int:
        """The start of the window of `window_size` that holds `timestamp`, if windows start at `offset`."""
        return timestamp - (timestamp - offset) % window_size

    @staticmethod
    def merge_windows(windows: Iterable[TimeWindow], callback: MergingWindowAssigner.MergeCallback[TimeWindow]) -> None:
        """Call back for each group of windows that overlap or touch one another, with the window that covers them."""
        groups: List[Tuple[TimeWindow, List[TimeWindow]]] = []
        for window in sorted(set(windows)):
            if groups and groups[-1][0].intersects(window):
                whole, members = groups[-1]
                groups[-1] = (whole.cover(window), [*members, window])
            else:
                groups.append((window, [window]))
        for whole, members in groups:
            if len(members) > 1:
                callback.merge(members, whole)

    def _key(self) -> Tuple[int, int]:
        return (self.start, self.end)

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, TimeWindow) else NotImplemented

    def __lt__(self, other: TimeWindow) -> bool:
        return self._key() < other._key() if isinstance(other, TimeWindow) else NotImplemented

    def __le__(self, other: TimeWindow) -> bool:
        return self._key() <= other._key() if isinstance(other, TimeWindow) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return "TimeWindow(start=%s, end=%s)" % self._key()


class CountWindow(Window):
    """A window of a number of elements; `id` counts the windows of a key."""

    def __init__(self, id: int) -> None:
        self.id = id

    def max_timestamp(self) -> int:
        return MAX_LONG_VALUE

    def __eq__(self, other: object) -> bool:
        return self.id == other.id if isinstance(other, CountWindow) else NotImplemented

    def __hash__(self) -> int:
        return hash((CountWindow, self.id))

    def __repr__(self) -> str:
        return "CountWindow(id=%s)" % self.id


class GlobalWindow(Window):
    """The one window of everything."""

    @staticmethod
    def get() -> GlobalWindow:
        return GlobalWindow()

    def max_timestamp(self) -> int:
        return MAX_LONG_VALUE

    def __eq__(self, other: object) -> bool:
        return True if isinstance(other, GlobalWindow) else NotImplemented

    def __hash__(self) -> int:
        return hash(GlobalWindow)

    def __repr__(self) -> str:
        return "GlobalWindow"


def _read(stream: BinaryIO, layout: struct.Struct, what: str) -> Tuple[Any, ...]:
    data = stream.read(layout.size)
    if len(data) != layout.size:
        raise EOFError("a %s has %d bytes, but the stream ends after %d" % (what, layout.size, len(data)))
    return layout.unpack(data)


class TimeWindowSerializer(TypeSerializer[TimeWindow]):
    """16 bytes: start and end, big-endian."""

    def serialize(self, element: TimeWindow, stream: BinaryIO) -> None:
        stream.write(_TWO_LONGS.pack(element.start, element.end))

    def deserialize(self, stream: BinaryIO) -> TimeWindow:
        return TimeWindow(*_read(stream, _TWO_LONGS, "TimeWindow"))


class CountWindowSerializer(TypeSerializer[CountWindow]):
    """8 bytes: the id, big-endian."""

    def serialize(self, element: CountWindow, stream: BinaryIO) -> None:
        stream.write(_LONG.pack(element.id))

    def deserialize(self, stream: BinaryIO) -> CountWindow:
        return CountWindow(*_read(stream, _LONG, "CountWindow"))


class GlobalWindowSerializer(TypeSerializer[GlobalWindow]):
    """One byte, 0."""

    def serialize(self, element: GlobalWindow, stream: BinaryIO) -> None:
        stream.write(b"\0")

    def deserialize(self, stream: BinaryIO) -> GlobalWindow:
        _read(stream, struct.Struct("x"), "GlobalWindow")
        return GlobalWindow()
