"""Functions of two streams whose elements meet: joins of windows and of intervals, and co-groups.

PyFlink has none; these are those of Flink's Java API under names in PyFlink's style.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Iterable

from clutch._interfaces import told_by_methods
from clutch.datastream._basic_functions import Function


class JoinFunction(Function):
    """One result for each pair."""

    @abstractmethod
    def join(self, first: Any, second: Any) -> Any:
        """The result for an element of each stream."""


class FlatJoinFunction(Function):
    """Any number of results for each pair."""

    @abstractmethod
    def join(self, first: Any, second: Any) -> Any:
        """The results for an element of each stream: an iterable, a generator, or None for none."""


class CoGroupFunction(Function):
    """Any number of results for the elements that two streams have in a window of a key."""

    @abstractmethod
    def co_group(self, first: Iterable[Any], second: Iterable[Any]) -> Any:
        """The results: an iterable, a generator, or None for none. One of the sides may be empty."""


class ProcessJoinFunction(Function):
    """Any number of results for each pair of an interval join."""

    @told_by_methods
    class Context(ABC):
        """Valid during the call that gets it."""

        @abstractmethod
        def get_left_timestamp(self) -> int:
            """The time of the left element."""

        @abstractmethod
        def get_right_timestamp(self) -> int:
            """The time of the right element."""

        @abstractmethod
        def get_timestamp(self) -> int:
            """The time of the results: the later of both."""

    @abstractmethod
    def process_element(self, left: Any, right: Any, ctx: ProcessJoinFunction.Context) -> Any:
        """The results for a pair."""
