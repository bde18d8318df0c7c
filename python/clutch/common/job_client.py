"""JobClient: a job that was started, from outside."""

from __future__ import annotations

import time
import weakref
from typing import Any, Callable, Dict, List, NoReturn, Optional, Tuple

from clutch.common.completable_future import CompletableFuture
from clutch.common.job_execution_result import JobExecutionResult
from clutch.common.job_id import JobID
from clutch.common.job_status import JobStatus

__all__ = ["JobClient"]

_CANCELLED = "CLUTCH_ERR_CANCELLED"


def _end(job: Any) -> None:
    """Cancel a job that nobody asks for any more, and wait for its end."""
    job.cancel()
    try:
        job.wait(None)
    except RuntimeError:
        return  # that it was cancelled, or how it failed before


class JobClient:
    """Tells how the job is, waits for it and cancels it."""

    def __init__(self, job: Any, keep: Dict[int, Callable[[List[Any]], None]]) -> None:
        """`job` is a clutch._host.Job that was started. `keep` has, for collect sinks that fill a cache, what takes all
        of their elements when the job has ended well."""
        self._job: Any = job  # None once it has ended and nobody takes elements of it any more
        self._reading = False  # somebody does
        self._metrics: List[Dict[str, Any]] = []  # the last ones, of a job that is gone
        self._id = JobID()
        self._began = time.monotonic()
        self._keep = keep
        self._kept: Dict[int, List[Any]] = {node: [] for node in keep}
        self._outcome: Optional[Tuple[JobStatus, Optional[Exception]]] = None
        self._millis = 0
        self._cancelled = False
        # A job has threads that run Python, which must have ended before the interpreter does.
        self._abandon = weakref.finalize(self, _end, job)

    def get_job_id(self) -> JobID:
        return self._id

    def get_job_status(self) -> CompletableFuture[JobStatus]:
        return CompletableFuture(self._status, lambda: True)

    def _status(self) -> JobStatus:
        self._ask(0.0)
        if self._outcome is not None:
            return self._outcome[0]
        return JobStatus.CANCELLING if self._cancelled else JobStatus.RUNNING

    def _ask(self, timeout_s: Optional[float]) -> bool:
        """Wait for the end, at most so long; whether it is there."""
        if self._outcome is not None:
            return True
        job = self._job  # which another thread may let go
        try:
            if job is not None and not job.wait(timeout_s):
                return False
            self._outcome = self._outcome or (JobStatus.FINISHED, None)
        except Exception as error:
            cancelled = self._cancelled and getattr(error, "name", "") == _CANCELLED
            self._outcome = (JobStatus.CANCELED if cancelled else JobStatus.FAILED, error)
        finally:
            del job  # the traceback of the error would keep it
        self._abandon.detach()
        self._millis = int((time.monotonic() - self._began) * 1000)
        return True

    def cancel(self) -> CompletableFuture[None]:
        """Ask the job to end. The result is there when it has ended."""
        self._cancelled = True
        job = self._job
        if job is not None:
            job.cancel()

        def ended() -> None:
            self._ask(None)
            self._release()

        return CompletableFuture(ended, lambda: self._ask(0.0))

    def get_job_execution_result(self) -> CompletableFuture[JobExecutionResult]:
        """The result; waiting for it raises clutch.Error if the job fails or is cancelled."""
        return CompletableFuture(self._finish, lambda: self._ask(0.0))

    def get_accumulators(self) -> CompletableFuture[Dict[str, Any]]:
        return CompletableFuture.of({})

    def get_metrics(self) -> Dict[str, Any]:
        """What each operator has done so far, see docs/jobs.md. PyFlink has no such method."""
        job = self._job
        return {"operators": self._metrics if job is None else job.metrics()}

    def stop_with_savepoint(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: there are no savepoints."""
        raise NotImplementedError("jobs have no savepoints; end this one with cancel()")

    def trigger_savepoint(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: there are no savepoints."""
        raise NotImplementedError("jobs have no savepoints; run the job again instead")

    # For streams and environments

    def _elements(self, node: int) -> Optional[List[Any]]:
        """The next elements of a collect sink; None when the job has ended. Those of caches are put aside."""
        job = self._job
        try:
            while job is not None:
                found = job.collected(None)
                if found is None:
                    return None
                if found[0] == node:
                    return found[1]  # type: ignore[no-any-return]
                if found[0] in self._kept:
                    self._kept[found[0]].extend(found[1])
            return None
        finally:
            del job  # the traceback of an error would keep it

    def _release(self) -> None:
        """Of a job that has ended: let its worker processes and threads go, unless elements of it are still wanted."""
        job = self._job
        if job is not None and not self._reading:
            self._metrics = job.metrics()
            self._job = None

    def _finish(self) -> JobExecutionResult:
        """Wait for the end. Ctrl-C cancels the job, and is raised when it has ended."""
        try:
            while self._keep and self._elements(-1) is not None:
                pass
            self._ask(None)
        except KeyboardInterrupt:
            self._stop()
            raise
        self._release()
        if self._outcome is not None and self._outcome[1] is not None:
            raise self._outcome[1]
        for node, take in self._keep.items():
            take(self._kept[node])
        self._keep = {}
        return JobExecutionResult(self._id, self._millis)

    def _stop(self) -> None:
        """Cancel the job if it runs, and wait for its end, whatever that is."""
        if not self._ask(0.0):
            self.cancel()
            self._ask(None)
        self._release()
