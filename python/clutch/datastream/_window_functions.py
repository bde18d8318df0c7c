"""Functions of whole windows. Each returns or yields the results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, Iterable, TypeVar

from clutch._interfaces import told_by_methods
from clutch.datastream._basic_functions import Function
from clutch.datastream._contexts import KeyedStateStore

IN = TypeVar("IN")
OUT = TypeVar("OUT")
KEY = TypeVar("KEY")
W = TypeVar("W")
W2 = TypeVar("W2")


@told_by_methods
class _WindowContext(ABC, Generic[W2]):
    """Valid during the call that gets it."""

    @abstractmethod
    def window(self) -> W2:
        """The window."""

    @abstractmethod
    def window_state(self) -> KeyedStateStore:
        """State of this window; remove it in clear()."""

    @abstractmethod
    def global_state(self) -> KeyedStateStore:
        """State that all windows of the key share."""


class WindowFunction(Function, Generic[IN, OUT, KEY, W]):
    """Results for each window of a key."""

    @abstractmethod
    def apply(self, key: KEY, window: W, inputs: Iterable[IN]) -> Iterable[OUT]:
        """The results for the elements of a window."""


class AllWindowFunction(Function, Generic[IN, OUT, W]):
    """Results for each window of a stream without keys."""

    @abstractmethod
    def apply(self, window: W, inputs: Iterable[IN]) -> Iterable[OUT]:
        """The results for the elements of a window."""


class ProcessWindowFunction(Function, Generic[IN, OUT, KEY, W]):
    """Results for each window of a key, with access to time and state."""

    @told_by_methods
    class Context(_WindowContext[W2]):
        """What process() and clear() can ask for."""

        @abstractmethod
        def current_processing_time(self) -> int:
            """The machine's clock."""

        @abstractmethod
        def current_watermark(self) -> int:
            """How far event time has come."""

    @abstractmethod
    def process(self, key: KEY, context: ProcessWindowFunction.Context[W], elements: Iterable[IN]) -> Iterable[OUT]:
        """The results for the elements of a window."""

    def clear(self, context: ProcessWindowFunction.Context[W]) -> None:
        """Called when the window is gone: remove its state."""


class ProcessAllWindowFunction(Function, Generic[IN, OUT, W]):
    """Results for each window of a stream without keys, with access to state."""

    @told_by_methods
    class Context(_WindowContext[W2]):
        """What process() and clear() can ask for."""

    @abstractmethod
    def process(self, context: ProcessAllWindowFunction.Context[W], elements: Iterable[IN]) -> Iterable[OUT]:
        """The results for the elements of a window."""

    def clear(self, context: ProcessAllWindowFunction.Context[W]) -> None:
        """Called when the window is gone: remove its state."""
