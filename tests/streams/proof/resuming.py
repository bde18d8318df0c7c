"""Jobs that are stopped behind a snapshot and go on from it, and functions that move to the other mode meanwhile.

Elements come through a socket one after the other, as proof.feed has it, by a source that goes back to where it was.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
import threading
from typing import Any, Callable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from proof.feed import PATIENCE, Built, Progress, send_all
from proof.running import ELEMENT, Setting, environment, timed, together

from clutch import Error
from clutch.common.job_client import JobClient
from clutch.datastream import DataStream, SourceFunction
from clutch.datastream._jobs import _make


class Resumed(SourceFunction):
    """What a test sends, from the element on that it was not given before."""

    def __init__(self, port: int) -> None:
        self._port = port

    def open(self, runtime_context: Any) -> None:
        self._given = 0
        self._connection: Optional[socket.socket] = None

    def snapshot(self) -> int:
        return self._given

    def restore(self, position: int) -> None:
        self._given = position

    def run(self, ctx: Any) -> Iterator[Tuple[Any, ...]]:
        with socket.create_connection(("127.0.0.1", self._port)) as self._connection:
            self._connection.sendall(b"%d\n" % self._given)
            with self._connection.makefile() as lines:
                for line in lines:
                    self._given += 1
                    yield tuple(json.loads(line))

    def cancel(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):  # it has ended by itself
                self._connection.shutdown(socket.SHUT_RDWR)


class Plan(NamedTuple):
    """What happens to a stream of so many elements."""

    cut: int  # a snapshot is taken in front of this element, and the job is stopped
    after: Setting  # of the job that goes on
    move: int  # in front of this element the functions of the watched operators move to the other mode


def planned(setting: Setting, length: int) -> Plan:
    """A random plan, always the same for the same arguments."""
    choose = random.Random(repr((setting, length)))
    parallelism = choose.choice([many for many in (1, 2, 3, 4) if many != setting.parallelism])
    after = Setting(choose.choice(["thread", "process"]), parallelism, choose.choice([1, 7, 4096]))
    return Plan(choose.randint(0, length), after, choose.randint(0, length))


class Running:
    """A job of the fed stream that runs; close() ends it."""

    def __init__(
        self,
        setting: Setting,
        build: Callable[[DataStream], Built],
        bound: int,
        of: Any = ELEMENT,
        snapshot: bytes = b"",
    ) -> None:
        self.got: List[Any] = []
        self.mode = setting.mode
        self._failures: List[Exception] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self._connection: Optional[socket.socket] = None
        env = environment(setting).set_parallelism(1)
        stream = timed(env.add_source(Resumed(self._server.getsockname()[1]), type_info=of), bound)
        env.set_parallelism(setting.parallelism)
        self._built = build(stream)
        together(self._built.outputs)._sink("Collect Sink", {"type": "collect"})
        made = _make(env, None, env._checked_operators())
        self.job = made.job
        self.job.start(snapshot)
        self._progress = Progress(JobClient(self.job, made.keep), self._built)
        self._collecting = threading.Thread(target=self._collect)
        self._collecting.start()

    def _collect(self) -> None:
        try:
            for _, elements in iter(lambda: self.job.collected(None), None):
                self.got.extend(elements)
        except Error as error:
            if error.name != "CLUTCH_ERR_CANCELLED":
                self._failures.append(error)

    def connect(self) -> int:
        """How many elements the source was given before."""
        self._server.settimeout(PATIENCE)
        self._connection, _ = self._server.accept()
        with self._connection.makefile() as lines:
            return int(lines.readline())

    def send(self, elements: Sequence[Any], bound: int, one_by_one: bool, stops: Any) -> None:
        assert self._connection is not None
        send_all(self._connection, self._progress, elements, bound, one_by_one, stops)

    def move(self) -> None:
        """The functions of the watched operators go to the other mode."""
        self.mode = "thread" if self.mode == "process" else "process"
        for node in self._built.watched:
            self.job.move(node, self.mode, PATIENCE)

    def end(self) -> List[Any]:
        """There are no more elements: all that the job gave."""
        assert self._connection is not None
        self._connection.close()
        return self._joined()

    def stop(self) -> List[Any]:
        """What it gave before; the rest is lost."""
        self.job.cancel()
        return self._joined()

    def _joined(self) -> List[Any]:
        self._collecting.join()
        if self._failures:
            raise self._failures[0]
        return self.got

    def close(self) -> None:
        self.job.cancel()
        self._collecting.join()
        if self._connection is not None:
            self._connection.close()
        self._server.close()


def resumed(
    setting: Setting,
    build: Callable[[DataStream], Built],
    elements: Sequence[Tuple[Any, ...]],
    bound: int,
    one_by_one: bool,
    of: Any = ELEMENT,
    plan: Optional[Plan] = None,
) -> List[Any]:
    """As proof.feed.fed(): what two jobs give together, of which the second goes on from a snapshot of the first."""
    plan = plan or planned(setting, len(elements))
    kept: List[bytes] = []
    with contextlib.closing(Running(setting, build, bound, of)) as first:
        first.connect()
        stops = [(plan.cut, lambda: kept.append(first.job.snapshot(PATIENCE)))]
        if plan.move <= plan.cut:
            stops.insert(0, (plan.move, first.move))
        first.send(elements[: plan.cut], bound, one_by_one, stops)
        got = list(first.stop())
    with contextlib.closing(Running(plan.after, build, bound, of, kept[0])) as second:
        given = second.connect()
        if given != plan.cut:
            raise AssertionError("the source goes on behind %d elements and not %d" % (given, plan.cut))
        stops = [(plan.move - plan.cut, second.move)] if plan.move > plan.cut else []
        second.send(elements[plan.cut :], bound, one_by_one, stops)
        return got + second.end()
