"""CompletableFuture: a result that is there, or is waited for."""

from __future__ import annotations

from typing import Any, Callable, Generic, Optional, TypeVar

T = TypeVar("T")

__all__ = ["CompletableFuture"]


class CompletableFuture(Generic[T]):
    """Made of a function that waits for the result, gives it, or raises why there is none."""

    def __init__(self, wait: Callable[[], T], is_done: Callable[[], bool]) -> None:
        self._wait = wait
        self._is_done = is_done

    def result(self) -> T:
        """The result; waits for it. Raises what the work raised."""
        return self._wait()

    def exception(self) -> Optional[Exception]:
        """What the work raised, or None; waits for its end."""
        try:
            self._wait()
        except Exception as error:
            return error
        return None

    def done(self) -> bool:
        return self._is_done()

    def cancel(self) -> bool:
        """False: the work is not cancelled through its result; JobClient.cancel() cancels a job."""
        return False

    def cancelled(self) -> bool:
        return False

    @staticmethod
    def of(value: Any) -> CompletableFuture[Any]:
        """A future whose result is there."""
        return CompletableFuture(lambda: value, lambda: True)
