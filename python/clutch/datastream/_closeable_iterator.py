"""CloseableIterator: the elements of a job that runs."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Deque, Iterator

if TYPE_CHECKING:
    from clutch.common.job_client import JobClient


class CloseableIterator:
    """Elements as they come. close(), or the end of a ``with``, ends the job."""

    def __init__(self, client: JobClient, node: int) -> None:
        self._client = client
        client._reading = True
        self._node = node
        self._waiting: Deque[Any] = deque()
        self._ended = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self.next()

    def next(self) -> Any:
        """The next element; waits for it. StopIteration at the end, and clutch.Error if the job failed."""
        while not self._waiting:
            if self._ended:
                raise StopIteration
            try:
                elements = self._client._elements(self._node)
            except Exception:  # the job failed
                self.close()
                raise
            if elements is None:
                self._ended = True
                self._client._reading = False
                self._client._finish()
            else:
                self._waiting.extend(elements)
        return self._waiting.popleft()

    def get_job_client(self) -> JobClient:
        return self._client

    def close(self) -> None:
        """End the job if it still runs. Once is enough."""
        self._ended = True
        self._client._reading = False
        self._waiting.clear()
        self._client._stop()

    def __enter__(self) -> CloseableIterator:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
