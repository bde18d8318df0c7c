"""Functions whose results are awaited, and when they are tried again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Callable, Generic, List, Optional, TypeVar

from clutch._interfaces import told_by_methods
from clutch.datastream._basic_functions import Function

IN = TypeVar("IN")
OUT = TypeVar("OUT")


@told_by_methods
class ResultFuture(ABC, Generic[OUT]):
    """Takes the outcome of one asynchronous call. The runtime has its own class; isinstance tells by the methods."""

    @abstractmethod
    def complete(self, result: List[OUT]) -> None:
        """The call is over with these results."""

    @abstractmethod
    def complete_exceptionally(self, error: Exception) -> None:
        """The call failed."""


class AsyncFunction(Function, Generic[IN, OUT]):
    """A list of results for each element, awaited while other elements go on."""

    @abstractmethod
    async def async_invoke(self, value: IN) -> List[OUT]:
        """The results for an element, as a list."""

    def timeout(self, value: IN) -> List[OUT]:
        """The results for an element that took too long. Raises TimeoutError unless it is overridden."""
        raise TimeoutError(
            "%s took longer than the timeout for the element %r; give the operator a longer one, or define "
            "timeout(value) to give results" % (type(self).__name__, value)
        )


class AsyncBatchFunction(Function, Generic[IN, OUT]):
    """One result for each element, awaited for many elements at once."""

    @abstractmethod
    async def async_invoke_batch(self, inputs: List[IN]) -> List[OUT]:
        """The results, a list as long as the inputs and in their order."""

    def timeout_batch(self, inputs: List[IN]) -> List[OUT]:
        """The results for elements that took too long. Raises TimeoutError unless it is overridden."""
        first: Any = inputs[0] if inputs else None
        raise TimeoutError(
            "%s took longer than the timeout for %d elements, the first being %r; give the operator a longer one, or "
            "define timeout_batch(inputs) to give results" % (type(self).__name__, len(inputs), first)
        )


class AsyncRetryPredicate(ABC, Generic[OUT]):
    """Which outcomes are tried again."""

    @abstractmethod
    def result_predicate(self) -> Optional[Callable[[List[OUT]], bool]]:
        """Tells of a result whether the call is to be repeated; None repeats for no result."""

    @abstractmethod
    def exception_predicate(self) -> Optional[Callable[[Exception], bool]]:
        """Tells of an exception whether the call is to be repeated; None repeats for no exception."""


class AsyncRetryStrategy(ABC, Generic[OUT]):
    """How often, and after which pauses, a call is tried again."""

    @abstractmethod
    def can_retry(self, current_attempts: int) -> bool:
        """Whether the call that was made so often may be made again."""

    @abstractmethod
    def get_backoff_time_millis(self, current_attempts: int) -> int:
        """The pause before the next call."""

    @abstractmethod
    def get_retry_predicate(self) -> AsyncRetryPredicate[OUT]:
        """Which outcomes are tried again."""

    @staticmethod
    def no_restart() -> AsyncRetryStrategy[Any]:
        """Never try again."""
        from clutch.datastream.async_retry_strategies import NO_RETRY_STRATEGY

        return NO_RETRY_STRATEGY

    @staticmethod
    def fixed_delay(
        max_attempts: int,
        backoff_time_millis: int,
        result_predicate: Optional[Callable[[List[OUT]], bool]],
        exception_predicate: Optional[Callable[[Exception], bool]],
    ) -> AsyncRetryStrategy[OUT]:
        """Try again up to `max_attempts` times, always after the same pause."""
        from clutch.datastream.async_retry_strategies import FixedDelayRetryStrategy

        return FixedDelayRetryStrategy(max_attempts, backoff_time_millis, result_predicate, exception_predicate)

    @staticmethod
    def exponential_backoff(
        max_attempts: int,
        initial_delay: int,
        max_retry_delay: int,
        multiplier: float,
        result_predicate: Optional[Callable[[List[OUT]], bool]],
        exception_predicate: Optional[Callable[[Exception], bool]],
    ) -> AsyncRetryStrategy[OUT]:
        """Try again up to `max_attempts` times, after pauses that grow from the first to the longest."""
        from clutch.datastream.async_retry_strategies import ExponentialBackoffDelayRetryStrategy

        return ExponentialBackoffDelayRetryStrategy(
            max_attempts, initial_delay, max_retry_delay, multiplier, result_predicate, exception_predicate
        )
