"""An open function: a callable over columns."""

from __future__ import annotations

import json
import threading
import time
from typing import Any, Dict, Iterator, List, Optional, Tuple

import clutch._host as _host
from clutch._error import Error
from clutch.host import _live
from clutch.host._declare import Declared, Options
from clutch.host._future import Batch, Future
from clutch.host._sorts import Given, Result

POLICIES = {"fail": 0, "null": 1, "dead_letter": 2}


class Decision:
    """Which plugin serves a function, and why each other one does not. str() gives the whole story.

    Attributes:
        mode: The execution mode the function runs in.
        plugin: The id of the plugin.
        reason: Why it was chosen.
        reasons: By plugin id, what speaks for or against each.
        fell_back: Whether the mode is not the one that was asked for.
        facts: What the plugin says of its interpreter.
    """

    def __init__(self, native: Any) -> None:
        found = json.loads(native.decision(True))
        self._text: str = native.decision(False).rstrip("\n")
        self.mode: str = found["mode"]
        self.plugin: str = found["plugin"]
        self.reason: str = found["reason"]
        self.reasons: Dict[str, str] = {item["plugin"]: item["reason"] for item in found["candidates"]}
        self.fell_back: bool = found["fell_back"]
        self.facts: Dict[str, str] = {}
        for item in found["candidates"]:
            if item["verdict"] == "chosen":
                self.facts = item["facts"]

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "<Decision: mode %s, plugin %s>" % (self.mode, self.plugin)


class Stage:
    """One function of libclutch, with the batches that are in flight in it."""

    def __init__(self, host: Any, declared: Declared, on_error: str, options: Options) -> None:
        self.name = declared.name
        self.schema = _host.Schema(declared.inputs)
        self.closed = False
        self._kept = declared.kept
        self._lock = threading.Lock()
        self._flying: List[Batch] = []
        try:
            self.native = host.open(
                declared.steps, declared.inputs, declared.outputs, POLICIES[on_error], declared.name, options
            )
        except BaseException:
            self._forget()
            raise
        _, self.mode, self.plugin, self._most = self.native.facts()

    def submit(self, rows: Any, timeout_ms: int, beside: Tuple[Any, ...] = ()) -> Batch:
        """Hand in rows, with keys, key_index and row_kinds; waits while as many are in flight as the plugin takes."""
        self._wait_for_place()
        try:
            number = self.native.submit(rows, timeout_ms, *beside)
        except Error as error:
            raise self.explain(error) from None
        batch = Batch(self, number)
        with self._lock:
            self._flying.append(batch)
        batch.look(time.monotonic())
        return batch

    def _wait_for_place(self) -> None:
        # libclutch would wait as well, but no signal could interrupt it.
        while True:
            with self._lock:
                if len(self._flying) < self._most:
                    return
                oldest = self._flying[0]
            oldest.look(time.monotonic() + 0.05)

    def landed(self, batch: Batch) -> None:
        """A batch is over. One whose future is gone stays in flight until another batch needs its place."""
        with self._lock:
            self._flying.remove(batch)

    def explain(self, error: Error) -> BaseException:
        """The exception of a failed batch: Ctrl-C hits user code where that runs on the caller's own thread."""
        of_user = error.details.get("exception.type") == "KeyboardInterrupt" and self.mode == "thread"
        if of_user and threading.current_thread() is threading.main_thread():
            interrupt = KeyboardInterrupt(error.message)
            interrupt.__cause__ = error
            return interrupt
        return error

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        try:
            while not self.native.close():
                time.sleep(0.005)  # another thread is on its way out of a call
        finally:
            self._forget()

    def _forget(self) -> None:
        for text in self._kept:
            _live.forget(text)


def check_policy(on_error: Any) -> None:
    if on_error not in POLICIES:
        raise ValueError("on_error must be one of %s, got %r" % (", ".join(map(repr, POLICIES)), on_error))


def milliseconds(timeout: Optional[float]) -> int:
    if timeout is None:
        return 0
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not timeout > 0:
        raise ValueError("a timeout is a number of seconds above 0, got %r" % (timeout,))
    return max(1, int(timeout * 1000))


class Function:
    """A function that clutch.Host opened. Call it with one column an argument, or with one table of all of them.

    What comes back is of the sort of the first argument: lists for lists, numpy arrays for numpy arrays, pandas Series
    with the same index for Series, a DataFrame for a DataFrame, and an object with the Arrow PyCapsule interface for
    such an object. Usable from several threads, and as a context manager.
    """

    def __init__(self, plan: Any, name: str) -> None:
        self._plan = plan
        self._name = name
        self._closed = False

    def __call__(self, *columns: Any, timeout: Optional[float] = None) -> Any:
        """Run the function over columns and wait for the result.

        Args:
            columns: One column for each argument, or one table.
            timeout: Seconds until the batch is given up; None takes the plugin's own limit.

        Raises:
            clutch.Error: The batch failed.
            TypeError, ValueError: A column does not fit the function.
        """
        return self._wait(self.submit(*columns, timeout=timeout))

    def _wait(self, future: Future) -> Any:
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def submit(self, *columns: Any, timeout: Optional[float] = None) -> Future:
        """Start the function over columns. Arrays are not copied: leave them alone until the future is done."""
        limit = milliseconds(timeout)
        return Future(self._run(self._given(columns), limit))

    def _given(self, columns: Tuple[Any, ...]) -> Given:
        if self._closed:
            raise ValueError("the function %r is closed" % self._name)
        return Given(self._plan.schema, columns, self._name)

    def _run(self, given: Given, timeout_ms: int) -> Iterator[Batch]:
        result: Result = yield from self._plan.run(given.rows, timeout_ms)
        return given.sort.give(result)

    @property
    def name(self) -> str:
        """The name in messages, metrics and logs."""
        return self._name

    @property
    def decision(self) -> Decision:
        """Which plugin serves the function, and why. Of a function in several stages: of the first."""
        return Decision(self._plan.stages[0].native)

    @property
    def decisions(self) -> Tuple[Decision, ...]:
        """The decision of each stage; a function that is no expression has one."""
        return tuple(Decision(stage.native) for stage in self._plan.stages)

    @property
    def input_types(self) -> Dict[str, str]:
        """The columns that go in: Arrow types by name."""
        return dict(zip(self._plan.schema.names, self._plan.schema.types))

    def metrics(self) -> Dict[str, Any]:
        """What was counted so far; of a function in several stages by the name of each stage."""
        found = [(stage.name, json.loads(stage.native.metrics())) for stage in self._plan.stages]
        return found[0][1] if len(found) == 1 else dict(found)

    def close(self) -> None:
        """Close the function: batches in flight are cancelled, close() of the user's object runs. Once is enough."""
        if self._closed:
            return
        self._closed = True
        self._plan.close()

    def __enter__(self) -> "Function":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        stages = self._plan.stages
        return "<clutch function %r, %s>" % (self._name, "closed" if self._closed else "mode " + stages[0].mode)


class SinglePlan:
    """One stage takes all columns and gives all results."""

    def __init__(self, stage: Stage) -> None:
        self.stages = [stage]
        self.schema = stage.schema

    def run(self, rows: Any, timeout_ms: int, beside: Tuple[Any, ...] = ()) -> Iterator[Batch]:
        batch = self.stages[0].submit(rows, timeout_ms, beside)
        yield batch  # goes on when it is over
        return take(batch)

    def close(self) -> None:
        self.stages[0].close()


def take(batch: Batch) -> Result:
    """The result of a batch that is over, or its error raised."""
    if batch.error is not None:
        raise batch.error
    assert batch.outcome is not None
    return Result(batch.outcome[0], batch.outcome[1])
