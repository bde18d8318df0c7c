"""A source whose elements and watermarks come in an order that a test says.

Watermarks are sent by a clock, so what is late depends on how fast a job runs. Here elements come through a socket, and
the next one is sent only when the operators under test have got the watermark that the one before it lifts.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Tuple, TypeVar

from model.times import watermarks_of
from proof.running import ELEMENT, Setting, environment, timed, together

from clutch.common import JobStatus, WatermarkStrategy
from clutch.datastream import DataStream, StreamExecutionEnvironment
from clutch.datastream.connectors import SocketSource

Sent = TypeVar("Sent")
PATIENCE = 120.0  # seconds for one element, before it is said that it never arrived


class Built(NamedTuple):
    """What a test makes of the fed stream."""

    outputs: List[DataStream]
    watched: List[int]  # nodes that each element must have reached before the next is sent, see node_of
    copies: Callable[[Any], int] = lambda _: 1  # of an element, to each of them


def node_of(stream: DataStream) -> int:
    return int(stream._origins[0].node.id)


def parsed(line: str) -> Any:
    return tuple(json.loads(line))


def lines(env: StreamExecutionEnvironment, port: int, of: Any) -> DataStream:
    none = WatermarkStrategy.no_watermarks()
    return env.from_source(SocketSource("127.0.0.1", port), none, "Feed").map(parsed, of)


class Progress:
    """How far the watched operators have come."""

    def __init__(self, client: Any, built: Built) -> None:
        self._client, self._built = client, built
        self._sent = 0

    def sent(self, element: Any) -> None:
        self._sent += self._built.copies(element)

    def _reached(self, watermark: Optional[int], rows: bool) -> bool:
        found = [of for of in self._client.get_metrics()["operators"] if of["node"] in self._built.watched]
        for node in self._built.watched:
            instances = [of for of in found if of["node"] == node]
            if rows and sum(of["rows_in"] for of in instances) < self._sent:
                return False
            if watermark is not None and min(of["watermark"] for of in instances) < watermark:
                return False
        return True

    def wait(self, watermark: Optional[int], rows: bool) -> bool:
        """False if the job has ended before."""
        until = time.monotonic() + PATIENCE
        while not self._reached(watermark, rows):
            if self._client.get_job_status().result() is not JobStatus.RUNNING:
                return False
            if time.monotonic() > until:
                raise AssertionError("watermark %s did not arrive: %s" % (watermark, self._client.get_metrics()))
            time.sleep(0.0005)
        return True


def collected_while(
    results: Any, server: socket.socket, send: Callable[[socket.socket], Sent]
) -> Tuple[List[Any], Sent]:
    """What a job gives that reads from `server`, and what `send` gives, which writes to its connection meanwhile."""
    got: List[Any] = []
    failures: List[Exception] = []

    def collect() -> None:
        try:
            got.extend(results)
        except Exception as error:
            failures.append(error)

    collecting = threading.Thread(target=collect)
    collecting.start()
    try:
        server.settimeout(PATIENCE)
        connection, _ = server.accept()
        with connection:
            sent = send(connection)
        collecting.join()
    finally:
        results.close()
        collecting.join()
    if failures:
        raise failures[0]
    return got, sent


def fed(
    setting: Setting,
    build: Callable[[DataStream], Built],
    elements: Sequence[Tuple[Any, ...]],
    bound: int,
    one_by_one: bool,
    of: Any = ELEMENT,
) -> List[Any]:
    """What a job gives where the watermark rises behind each element. The second field of an element is its time.

    With `one_by_one` each waits until the one before it has arrived, without it only for watermarks.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        env = environment(setting).set_parallelism(1)
        stream = timed(lines(env, server.getsockname()[1], of), bound)
        env.set_parallelism(setting.parallelism)
        built = build(stream)
        results = together(built.outputs).execute_and_collect()

        def send(connection: socket.socket) -> None:
            send_all(connection, Progress(results.get_job_client(), built), elements, bound, one_by_one)

        return collected_while(results, server, send)[0]


Stops = Sequence[Tuple[int, Callable[[], None]]]


def send_all(
    connection: socket.socket,
    progress: Progress,
    elements: Sequence[Any],
    bound: int,
    one_by_one: bool,
    stops: Stops = (),
) -> None:
    """`stops` are places among the elements, in order, with what is done there: all before it has arrived then."""
    before: Optional[int] = None
    waiting = list(stops)

    def stop(at: int) -> bool:
        """False if the job has ended before."""
        while waiting and waiting[0][0] == at:
            if not progress.wait(before, True):
                return False
            waiting.pop(0)[1]()
        return True

    for at, (element, watermark) in enumerate(zip(elements, watermarks_of(elements, bound))):  # type: ignore[arg-type]
        if not stop(at):
            return
        connection.sendall((json.dumps(list(element)) + "\n").encode())
        progress.sent(element)
        rises = watermark != before
        if (rises or one_by_one) and not progress.wait(watermark if rises else None, one_by_one):
            return
        before = watermark
    stop(len(elements))
