"""What a function reads and writes its state with. The runtime has its own classes; isinstance tells by the methods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Dict, Generic, Iterable, Iterator, List, Optional, Tuple, TypeVar

from clutch._interfaces import told_by_methods

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
IN = TypeVar("IN")
OUT = TypeVar("OUT")


class State(ABC):
    """Base of all state. What is read and written belongs to the current key, and in windows to the window."""

    @abstractmethod
    def clear(self) -> None:
        """Remove what the current key has."""


@told_by_methods
class ValueState(State, Generic[T]):
    """One value."""

    @abstractmethod
    def value(self) -> Optional[T]:
        """The value; None if there is none."""

    @abstractmethod
    def update(self, value: Optional[T]) -> None:
        """Set the value; None removes it."""


class AppendingState(State, Generic[IN, OUT]):
    """State that takes elements and gives something made of them."""

    @abstractmethod
    def get(self) -> Optional[OUT]:
        """What was made of the elements."""

    @abstractmethod
    def add(self, value: IN) -> None:
        """Add an element."""


class MergingState(AppendingState[IN, OUT]):
    """Appending state that windows can merge."""


@told_by_methods
class ReducingState(MergingState[T, T]):
    """Elements folded by a ReduceFunction; adding None removes the result."""


@told_by_methods
class AggregatingState(MergingState[IN, OUT]):
    """Elements folded by an AggregateFunction; adding None removes the accumulator."""


@told_by_methods
class ListState(MergingState[T, Iterable[T]]):
    """Elements in the order in which they were added."""

    @abstractmethod
    def add_all(self, values: List[T]) -> None:
        """Add elements behind the last."""

    @abstractmethod
    def update(self, values: List[T]) -> None:
        """Replace all elements."""

    @abstractmethod
    def __iter__(self) -> Iterator[T]:
        """The elements."""


@told_by_methods
class ReadOnlyBroadcastState(State, Generic[K, V]):
    """Broadcast state as the elements of the other stream see it."""

    @abstractmethod
    def get(self, key: K) -> Optional[V]:
        """The value of a key; None if there is none."""

    @abstractmethod
    def contains(self, key: K) -> bool:
        """Whether the key is there."""

    @abstractmethod
    def items(self) -> Iterable[Tuple[K, V]]:
        """Keys and values in any order."""

    @abstractmethod
    def keys(self) -> Iterable[K]:
        """The keys in any order."""

    @abstractmethod
    def values(self) -> Iterable[V]:
        """The values in any order."""

    @abstractmethod
    def is_empty(self) -> bool:
        """Whether there is no key."""

    def __getitem__(self, key: K) -> Optional[V]:
        return self.get(key)

    def __contains__(self, key: K) -> bool:
        return self.contains(key)

    def __iter__(self) -> Iterator[K]:
        return iter(self.keys())


class _WritableMap(ReadOnlyBroadcastState[K, V]):
    @abstractmethod
    def put(self, key: K, value: V) -> None:
        """Set the value of a key."""

    @abstractmethod
    def put_all(self, dict_value: Dict[K, V]) -> None:
        """Set the values of many keys."""

    @abstractmethod
    def remove(self, key: K) -> None:
        """Remove a key. One that is not there is no error."""

    def __setitem__(self, key: K, value: V) -> None:
        self.put(key, value)

    def __delitem__(self, key: K) -> None:
        self.remove(key)


@told_by_methods
class MapState(_WritableMap[K, V]):
    """Values by key, for each key of the stream; with the brackets, ``in`` and ``del`` of a dict."""


@told_by_methods
class BroadcastState(_WritableMap[K, V]):
    """Values by key, the same in all parallel instances; written for elements of the broadcast stream only."""


class OperatorStateStore(ABC):
    """Gives state that belongs to no key."""

    @abstractmethod
    def get_broadcast_state(self, state_descriptor: Any) -> BroadcastState[Any, Any]:
        """The broadcast state of a MapStateDescriptor."""
