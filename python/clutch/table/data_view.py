"""ListView and MapView: collections in an accumulator that live in state and are read in parts.

A view made by user code is a plain collection in memory. A runtime that keeps accumulators in the host's state puts a
backend of its own behind it, see DataViewBackend.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Dict, Generic, Iterable, Iterator, List, Optional, Tuple, TypeVar

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

__all__ = ["DataView", "DataViewBackend", "ListBackend", "ListView", "MapBackend", "MapView"]


class DataViewBackend(ABC):
    """Where the contents of one view of one accumulator are kept.

    The interface is made for state that the host owns and that crosses in pages:

    * Reads come in pages, lists of at most as many items as the backend finds right. A view never asks for a second
      page before the first is used up, and never for the length.
    * Writes return at once. The backend keeps them until the batch commits, and its own reads see them; what fails
      discards them. A view keeps nothing itself, so a backend that is replaced loses nothing.
    * After a removal while pages are read, the pages to come do not hold what was removed; the page in hand may.
      What is added meanwhile may or may not come.

    A runtime subclasses ListBackend and MapBackend (or registers classes with their methods) and calls
    ``view._bind(backend)`` for each view of an accumulator: for one that create_accumulator() made, what the view holds
    goes into the backend; for one that is read back from state, the view is made with ``ListView()`` and is empty.
    """

    @abstractmethod
    def clear(self) -> None:
        """Remove everything."""


class ListBackend(DataViewBackend):
    """Contents of a ListView."""

    @abstractmethod
    def pages(self) -> Iterator[List[Any]]:
        """The elements in the order in which they were added."""

    @abstractmethod
    def append(self, values: List[Any]) -> None:
        """Add elements behind the last."""


class MapBackend(DataViewBackend):
    """Contents of a MapView."""

    @abstractmethod
    def get(self, key: Any) -> Tuple[bool, Any]:
        """Whether the key is there, and its value."""

    @abstractmethod
    def put(self, items: List[Tuple[Any, Any]]) -> None:
        """Set values by key."""

    @abstractmethod
    def remove(self, key: Any) -> None:
        """Remove a key. One that is not there is no error."""

    @abstractmethod
    def is_empty(self) -> bool:
        """Whether there is no key."""

    @abstractmethod
    def pages(self) -> Iterator[List[Tuple[Any, Any]]]:
        """Keys and values in any order."""


class _MemoryList(ListBackend):
    def __init__(self) -> None:
        self._values: List[Any] = []

    def clear(self) -> None:
        self._values = []

    def pages(self) -> Iterator[List[Any]]:
        yield list(self._values)  # so that a loop may add to the list it reads

    def append(self, values: List[Any]) -> None:
        self._values.extend(values)


class _MemoryMap(MapBackend):
    def __init__(self) -> None:
        self._items: Dict[Any, Any] = {}

    def clear(self) -> None:
        self._items = {}

    def get(self, key: Any) -> Tuple[bool, Any]:
        return (True, self._items[key]) if key in self._items else (False, None)

    def put(self, items: List[Tuple[Any, Any]]) -> None:
        self._items.update(items)

    def remove(self, key: Any) -> None:
        self._items.pop(key, None)

    def is_empty(self) -> bool:
        return not self._items

    def pages(self) -> Iterator[List[Tuple[Any, Any]]]:
        yield list(self._items.items())


class DataView(ABC):
    """Base of the views."""

    _backend: DataViewBackend
    _BACKEND: type = DataViewBackend
    _MEMORY: type = DataViewBackend

    def __init__(self) -> None:
        self._backend = self._MEMORY()

    def clear(self) -> None:
        """Remove everything."""
        self._backend.clear()

    def _contents(self) -> List[Any]:
        return [item for page in self._backend.pages() for item in page]  # type: ignore[attr-defined]

    @abstractmethod
    def _fill(self, contents: List[Any]) -> None:
        """Add what _contents() of another view gave."""

    def _bind(self, backend: DataViewBackend) -> None:
        """Go on with another backend, into which goes what the view holds. TypeError for one of another sort."""
        if not isinstance(backend, self._BACKEND):
            raise TypeError(
                "a %s needs a %s, got %s" % (type(self).__name__, self._BACKEND.__name__, type(backend).__name__)
            )
        contents = self._contents()
        self._backend = backend
        if contents:
            self._fill(contents)

    def __reduce__(self) -> Any:
        # Its contents are the host's, and would be read in full and doubled.
        if not isinstance(self._backend, self._MEMORY):
            raise TypeError(
                "a %s in state cannot be pickled or copied; keep it where the accumulator's type declares it"
                % type(self).__name__
            )
        return _restore, (type(self), self._contents())

    __hash__ = None  # type: ignore[assignment]


def _restore(cls: type, contents: List[Any]) -> DataView:
    view: DataView = cls()
    view._fill(contents)
    return view


class ListView(DataView, Generic[T]):
    """A list of which an accumulator may hold more than fits into memory."""

    _backend: ListBackend
    _BACKEND = ListBackend
    _MEMORY = _MemoryList

    def get(self) -> Iterable[T]:
        """The elements, in the order in which they were added."""
        return iter(self)

    def add(self, value: T) -> None:
        """Add an element at the end."""
        self._backend.append([value])

    def add_all(self, values: Iterable[T]) -> None:
        """Add elements at the end."""
        self._backend.append(list(values))

    def _fill(self, contents: List[Any]) -> None:
        self._backend.append(contents)

    def __iter__(self) -> Iterator[T]:
        for page in self._backend.pages():
            yield from page

    def __eq__(self, other: object) -> bool:
        return self._contents() == other._contents() if isinstance(other, ListView) else NotImplemented

    __hash__ = None

    def __repr__(self) -> str:
        return "ListView(%r)" % (self._contents(),) if isinstance(self._backend, _MemoryList) else "<ListView in state>"


class _Items:
    """An iterator over a map's keys, values or items, whose remove() takes the last one out of the map."""

    def __init__(self, backend: MapBackend, part: Optional[int]) -> None:
        self._backend = backend
        self._part = part
        self._items = (item for page in backend.pages() for item in page)
        self._last: Optional[Tuple[Any, Any]] = None

    def __iter__(self) -> "_Items":
        return self

    def __next__(self) -> Any:
        self._last = None
        self._last = next(self._items)
        return self._last if self._part is None else self._last[self._part]

    def remove(self) -> None:
        """Remove what next() gave last. RuntimeError before the first next() and after a removal."""
        if self._last is None:
            raise RuntimeError("remove() takes out what next() gave, and there is nothing: call next() first")
        self._backend.remove(self._last[0])
        self._last = None


class MapView(DataView, Generic[K, V]):
    """A map of which an accumulator may hold more than fits into memory. Missing keys read as None."""

    _backend: MapBackend
    _BACKEND = MapBackend
    _MEMORY = _MemoryMap

    def get(self, key: K) -> Optional[V]:
        """The value of the key; None if it is not there."""
        value: Optional[V] = self._backend.get(key)[1]
        return value

    def put(self, key: K, value: V) -> None:
        """Set the value of the key."""
        self._backend.put([(key, value)])

    def put_all(self, dict_value: Dict[K, V]) -> None:
        """Set the values of all keys of a dict."""
        self._backend.put(list(dict_value.items()))

    def remove(self, key: K) -> None:
        """Remove the key; one that is not there is no error."""
        self._backend.remove(key)

    def contains(self, key: K) -> bool:
        """Whether the key is there."""
        return self._backend.get(key)[0]

    def items(self) -> Iterator[Tuple[K, V]]:
        """Pairs of key and value. The iterator's remove() takes out the pair it gave last."""
        return _Items(self._backend, None)

    def keys(self) -> Iterator[K]:
        """The keys, by an iterator with remove()."""
        return _Items(self._backend, 0)

    def values(self) -> Iterator[V]:
        """The values, by an iterator with remove()."""
        return _Items(self._backend, 1)

    def is_empty(self) -> bool:
        """Whether there is no key."""
        return self._backend.is_empty()

    def _fill(self, contents: List[Any]) -> None:
        self._backend.put(contents)

    def __getitem__(self, key: K) -> Optional[V]:
        return self.get(key)

    def __setitem__(self, key: K, value: V) -> None:
        self.put(key, value)

    def __delitem__(self, key: K) -> None:
        self.remove(key)

    def __contains__(self, key: K) -> bool:
        return self.contains(key)

    def __iter__(self) -> Iterator[K]:
        return self.keys()

    def __eq__(self, other: object) -> bool:
        return dict(self._contents()) == dict(other._contents()) if isinstance(other, MapView) else NotImplemented

    __hash__ = None

    def __repr__(self) -> str:
        if isinstance(self._backend, _MemoryMap):
            return "MapView(%r)" % (dict(self._contents()),)
        return "<MapView in state>"
