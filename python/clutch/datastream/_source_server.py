"""What runs a SourceFunction: it answers the engine's tickets with what run() gives, in a thread of its own.

A ticket asks for at most so many elements. The answer has what is there by then, and behind it a mark: whether the
source has ended, and its position behind the last element. So a source may wait for its elements as long as it likes,
and nobody waits for those that it has given.
"""

from __future__ import annotations

import collections
import pickle
import threading
import time
from typing import Any, Callable, Deque, List, NoReturn, Optional, Tuple

from clutch.datastream._basic_functions import FlatMapFunction, SourceFunction

# A ticket that finds nothing is answered after this time, so that every batch is short. In seconds, as all here.
_PATIENCE = 0.1
# Elements that come one by one go on together if they come within this time.
_LINGER = 0.005
# How long run() may take to return after cancel().
_BOUND = 3.0
# Elements that run() may give ahead of the tickets.
_AHEAD = 8192

# Value, time, pickled position behind it.
_Element = Tuple[Any, Optional[int], Optional[bytes]]


class _Stopped(BaseException):
    """Leaves run() by way of collect() when the job has ended. No Exception, so that a source's handlers let it by."""


class _HandOver:
    """The elements that run() has given and no ticket has taken. run() waits when there are many."""

    def __init__(self) -> None:
        self._elements: Deque[_Element] = collections.deque()
        self._lock = threading.Lock()
        self._filled = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._wanted = 1  # elements for which a ticket waits
        self._ended = False
        self._stopped = False
        self._error: Optional[BaseException] = None

    def put(self, element: _Element) -> None:
        with self._lock:
            while len(self._elements) >= _AHEAD and not self._stopped:
                self._room.wait()
            if self._stopped:
                raise _Stopped
            self._elements.append(element)
            if len(self._elements) == self._wanted:
                self._filled.notify()

    def end(self, error: Optional[BaseException]) -> None:
        with self._lock:
            self._ended, self._error = True, error
            self._filled.notify()

    def stop(self) -> bool:
        """Let run() give no more. Whether it had ended by itself."""
        with self._lock:
            self._stopped = True
            self._room.notify_all()
            return self._ended

    def take(self, most: int) -> Tuple[List[_Element], bool]:
        """At most so many elements, and whether they were the last. Raises what run() raised, behind its elements."""
        with self._lock:
            self._wait_for(1, _PATIENCE)
            if self._elements:
                self._wait_for(most, _LINGER)
            taken = [self._elements.popleft() for _ in range(min(most, len(self._elements)))]
            self._room.notify_all()
            ended = self._ended and not self._elements
            if ended and not taken and self._error is not None:
                raise self._error
            return taken, ended and self._error is None

    def _wait_for(self, wanted: int, seconds: float) -> None:
        self._wanted = wanted
        until = time.monotonic() + seconds
        while len(self._elements) < wanted and not self._ended:
            rest = until - time.monotonic()
            if rest <= 0:
                break
            self._filled.wait(rest)


class _Context(SourceFunction.SourceContext):
    """What run() gets. Its methods may be called by any thread of the source."""

    def __init__(self, put: Callable[[_Element], None], position: Callable[[], Optional[bytes]]) -> None:
        self._put = put
        self._position = position

    def collect(self, value: Any) -> None:
        self._put((value, None, self._position()))

    def collect_with_timestamp(self, value: Any, timestamp: int) -> None:
        if not isinstance(timestamp, int) or isinstance(timestamp, bool):
            raise TypeError(
                "the timestamp of collect_with_timestamp must be an int, milliseconds since 1970, got %r of type %s"
                % (timestamp, type(timestamp).__name__)
            )
        self._put((value, timestamp, self._position()))

    def emit_watermark(self, timestamp: int) -> None:
        _refuse("emit_watermark(%r)" % (timestamp,))

    def mark_as_temporarily_idle(self) -> None:
        _refuse("mark_as_temporarily_idle()")


def _refuse(what: str) -> NoReturn:
    raise NotImplementedError(
        "%s: sources in Python send elements alone; make watermarks behind the source, by "
        "assign_timestamps_and_watermarks() with for_bounded_out_of_orderness() and with_idleness()" % what
    )


class SourceServer(FlatMapFunction):
    """A SourceFunction as what the engine asks for elements."""

    def __init__(self, function: SourceFunction, name: str) -> None:
        self._function = function
        self._name = name

    def open(self, runtime_context: Any) -> None:
        self._thread: Optional[threading.Thread] = None
        self._hand_over = _HandOver()
        self._given = 0
        self._position: Optional[bytes] = None
        self._snapshot = getattr(self._function, "snapshot", None)
        self._function.open(runtime_context)

    def flat_map(self, ticket: Any) -> List[Tuple[Any, Optional[int], Any]]:
        most, given, position = ticket
        if self._thread is None:
            if given > 0:
                self._restore(given, position)
            self._start()
        if given != self._given:
            raise RuntimeError(
                "%s was asked for what follows its first %d elements, and this instance has given %d; this is a "
                "mistake of the engine, please report it" % (self._name, given, self._given)
            )
        elements, ended = self._hand_over.take(most)
        if elements:
            self._given += len(elements)
            self._position = elements[-1][2]
        answer: List[Tuple[Any, Optional[int], Any]] = [(value, at, None) for value, at, _ in elements]
        answer.append((None, None, (ended, self._position)))
        return answer

    def _restore(self, given: int, position: Optional[bytes]) -> None:
        """Go on where an instance was that is lost."""
        if position is None:
            raise RuntimeError(
                "the worker of %s was lost after %d elements, and it has no positions to go on from; give it "
                "snapshot() and restore(position)" % (self._name, given)
            )
        self._function.restore(pickle.loads(position))  # type: ignore[attr-defined]
        self._given, self._position = given, position

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # this interpreter has no daemon threads
            self._thread = threading.Thread(target=self._run, name=self._name)
            self._thread.start()

    def _here(self) -> Optional[bytes]:
        return None if self._snapshot is None else pickle.dumps(self._snapshot())

    def _run(self) -> None:
        error: Optional[BaseException] = None
        context = _Context(self._hand_over.put, self._here)
        try:
            given = self._function.run(context)
            if given is not None:
                self._run_through(given, context)
        except _Stopped:
            pass
        except BaseException as raised:  # of whatever kind: the job is told, by the next ticket
            error = raised
        self._hand_over.end(error)

    def _run_through(self, given: Any, context: _Context) -> None:
        try:
            elements = iter(given)
        except TypeError:
            raise TypeError(
                "run() of %s must yield its elements, return an iterable of them, or collect() them and return None; "
                "it returned %r of type %s" % (self._name, given, type(given).__name__)
            ) from None
        try:
            for value in elements:
                context.collect(value)
        finally:
            close = getattr(elements, "close", None)  # of a generator: what it has open is closed in this thread
            if close is not None:
                close()

    def close(self) -> None:
        try:
            if self._thread is not None and not self._hand_over.stop():
                self._function.cancel()
                self._thread.join(_BOUND)
                if self._thread.is_alive():
                    raise RuntimeError(
                        "run() of %s did not return within %d s after cancel(); make cancel() end it"
                        % (self._name, _BOUND)
                    )
        finally:
            self._function.close()
