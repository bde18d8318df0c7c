"""The result of a batch that may still be running."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from typing import TYPE_CHECKING, Any, List, Optional, Tuple

from clutch._error import Error

if TYPE_CHECKING:
    from clutch.host._function import Stage

# How long libclutch waits at a time. Between two waits Python sees signals, and a close of the function gets through.
SLICE_MS = 50
_CANCELLED = -11
_CLOSED = -16


def closed_error(name: str) -> Error:
    """What a batch ends with that was not over when its function was closed."""
    text = "the function %r was closed before its batch was over" % name
    return Error(_CLOSED, "CLUTCH_ERR_CLOSED", text, {"function": name})


class Batch:
    """One batch of one stage. It is over when `outcome` or `error` is there."""

    def __init__(self, stage: Stage, number: int) -> None:
        self._stage = stage
        self._number = number
        self._lock = threading.Lock()
        self.outcome: Optional[Tuple[Any, Optional[bytes], List[Tuple[int, Error]]]] = None
        self.error: Optional[BaseException] = None

    @property
    def over(self) -> bool:
        return self.outcome is not None or self.error is not None

    def look(self, deadline: Optional[float]) -> bool:
        """Wait until the batch is over, or the deadline of time.monotonic() has passed; whether it is over."""
        while not self.over:
            left = SLICE_MS / 1000 if deadline is None else min(max(deadline - time.monotonic(), 0), SLICE_MS / 1000)
            # Another thread may be waiting for the same batch; its turn ends soon.
            if self._lock.acquire(timeout=left):
                try:
                    if not self.over:
                        self._take(int(left * 1000))
                finally:
                    self._lock.release()
            if deadline is not None and time.monotonic() >= deadline:
                break
        return self.over

    def _take(self, timeout_ms: int) -> None:
        try:
            self.outcome = self._stage.native.wait(self._number, timeout_ms)
        except Error as error:
            self.error = self._stage.explain(error)
        except ValueError:
            if not self._stage.closed:
                raise
            self.error = closed_error(self._stage.name)
        if self.over:
            self._stage.landed(self)

    def cancel(self) -> None:
        try:
            self._stage.native.cancel(self._number)
        except ValueError:  # closed meanwhile, which cancels as well
            pass

    def abandon(self) -> None:
        """Nobody will ask for the result any more."""
        if not self.over:
            self.cancel()


class Future:
    """A call that may still be running, as a concurrent.futures.Future; the call's own thread lends itself to it."""

    def __init__(self, run: Any) -> None:
        self._run = run  # a generator: yields the batches it waits for, returns the Result
        self._lock = threading.RLock()
        self._batch: Optional[Batch] = None
        self._cancelled = False
        self._over = False
        self._result: Any = None
        self._error: Optional[BaseException] = None
        self._dead_letters: List[Tuple[int, Error]] = []
        self._advance()

    def _advance(self) -> None:
        """Go on to the next batch that is not over, or to the end."""
        try:
            while self._batch is None or self._batch.over:
                if self._batch is not None and self._batch.outcome is not None:
                    self._dead_letters.extend(self._batch.outcome[2])
                self._batch = next(self._run)
        except StopIteration as end:
            self._finish(end.value, None)
        except BaseException as error:
            self._finish(None, error)
            if not isinstance(error, Exception):
                raise

    def _finish(self, result: Any, error: Optional[BaseException]) -> None:
        self._result, self._error, self._batch, self._over = result, error, None, True

    def _look(self, timeout: Optional[float]) -> bool:
        deadline = None if timeout is None else time.monotonic() + timeout
        if not self._lock.acquire(timeout=-1 if timeout is None else max(timeout, 0)):
            return self._over
        try:
            while not self._over:
                assert self._batch is not None
                if not self._batch.look(deadline):
                    return False
                self._advance()
            return True
        finally:
            self._lock.release()

    def done(self) -> bool:
        """Whether the call is over, with a result or an error. Does not wait."""
        return self._over or self._look(0)

    def running(self) -> bool:
        """Whether the call is not over."""
        return not self.done()

    def cancel(self) -> bool:
        """Ask that the call end soon; False if it is over. A batch that runs is interrupted between two rows."""
        if self.done():
            return False
        self._cancelled = True
        batch = self._batch
        if batch is not None:
            batch.cancel()
        return True

    def cancelled(self) -> bool:
        """Whether the call ended because it was cancelled."""
        return self.done() and self._was_cancelled()

    def _was_cancelled(self) -> bool:
        return self._cancelled and isinstance(self._error, Error) and self._error.code == _CANCELLED

    def exception(self, timeout: Optional[float] = None) -> Optional[BaseException]:
        """The error of the call, or None if it gave a result. Waits, and raises, as result()."""
        if not self._look(timeout):
            raise concurrent.futures.TimeoutError("the batch was not over after %g s" % (timeout or 0))
        if self._was_cancelled():
            raise concurrent.futures.CancelledError from self._error
        return self._error

    def result(self, timeout: Optional[float] = None) -> Any:
        """Wait for the result.

        Raises:
            concurrent.futures.TimeoutError: It was not there after `timeout` seconds; the call goes on.
            concurrent.futures.CancelledError: It was cancelled.
            clutch.Error: It failed.
        """
        error = self.exception(timeout)
        if error is not None:
            raise error
        return self._result

    @property
    def dead_letters(self) -> List[Tuple[int, Error]]:
        """With on_error='dead_letter': the number of each row that was put aside, and why. Waits for the result."""
        self.result()
        return self._dead_letters

    def __del__(self) -> None:
        batch = getattr(self, "_batch", None)
        if batch is not None:
            batch.abandon()
