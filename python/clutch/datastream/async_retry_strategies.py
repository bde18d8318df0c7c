"""The strategies behind AsyncRetryStrategy's static methods. They keep nothing, so calls may share one."""

from __future__ import annotations

from typing import Any, Callable, List, Optional, TypeVar

from clutch.datastream.functions import AsyncRetryPredicate, AsyncRetryStrategy

__all__ = [
    "NO_RETRY_STRATEGY",
    "ExponentialBackoffDelayRetryStrategy",
    "FixedDelayRetryStrategy",
    "NoRetryStrategy",
    "RetryPredicate",
]

OUT = TypeVar("OUT")
ResultPredicate = Optional[Callable[[List[OUT]], bool]]
ExceptionPredicate = Optional[Callable[[Exception], bool]]


def _above_zero(what: str, value: Any) -> Any:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not value > 0:
        raise ValueError("%s of a retry strategy must be a number above 0, got %r" % (what, value))
    return value


class RetryPredicate(AsyncRetryPredicate[OUT]):
    """Two conditions, each of which may be None."""

    def __init__(self, result_predicate: ResultPredicate[OUT], exception_predicate: ExceptionPredicate) -> None:
        for name, predicate in (("result_predicate", result_predicate), ("exception_predicate", exception_predicate)):
            if predicate is not None and not callable(predicate):
                raise TypeError("the %s of a retry strategy must be a function or None, got %r" % (name, predicate))
        self._result_predicate = result_predicate
        self._exception_predicate = exception_predicate

    def result_predicate(self) -> ResultPredicate[OUT]:
        return self._result_predicate

    def exception_predicate(self) -> ExceptionPredicate:
        return self._exception_predicate


class NoRetryStrategy(AsyncRetryStrategy[OUT]):
    """Never try again."""

    def can_retry(self, current_attempts: int) -> bool:
        return False

    def get_backoff_time_millis(self, current_attempts: int) -> int:
        return -1

    def get_retry_predicate(self) -> AsyncRetryPredicate[OUT]:
        return RetryPredicate(None, None)


class FixedDelayRetryStrategy(AsyncRetryStrategy[OUT]):
    """Always the same pause. ValueError for numbers that are not above 0."""

    def __init__(
        self,
        max_attempts: int,
        backoff_time_millis: int,
        result_predicate: ResultPredicate[OUT],
        exception_predicate: ExceptionPredicate,
    ) -> None:
        self._max_attempts = _above_zero("max_attempts", max_attempts)
        self._backoff_time_millis = _above_zero("backoff_time_millis", backoff_time_millis)
        self._predicate = RetryPredicate(result_predicate, exception_predicate)

    def can_retry(self, current_attempts: int) -> bool:
        return current_attempts <= self._max_attempts  # type: ignore[no-any-return]

    def get_backoff_time_millis(self, current_attempts: int) -> int:
        return self._backoff_time_millis  # type: ignore[no-any-return]

    def get_retry_predicate(self) -> AsyncRetryPredicate[OUT]:
        return self._predicate


class ExponentialBackoffDelayRetryStrategy(AsyncRetryStrategy[OUT]):
    """Each pause is `multiplier` times the one before, up to the longest. ValueError for numbers not above 0."""

    def __init__(
        self,
        max_attempts: int,
        initial_delay: int,
        max_retry_delay: int,
        multiplier: float,
        result_predicate: ResultPredicate[OUT],
        exception_predicate: ExceptionPredicate,
    ) -> None:
        self._max_attempts = _above_zero("max_attempts", max_attempts)
        self._initial_delay = _above_zero("initial_delay", initial_delay)
        self._max_retry_delay = _above_zero("max_retry_delay", max_retry_delay)
        self._multiplier = _above_zero("multiplier", multiplier)
        self._predicate = RetryPredicate(result_predicate, exception_predicate)

    def can_retry(self, current_attempts: int) -> bool:
        return current_attempts <= self._max_attempts  # type: ignore[no-any-return]

    def get_backoff_time_millis(self, current_attempts: int) -> int:
        delay = self._initial_delay
        for _ in range(1, current_attempts):
            delay = min(delay * self._multiplier, self._max_retry_delay)
            if delay == self._max_retry_delay:
                break
        return int(delay)

    def get_retry_predicate(self) -> AsyncRetryPredicate[OUT]:
        return self._predicate


NO_RETRY_STRATEGY: AsyncRetryStrategy[Any] = NoRetryStrategy()
