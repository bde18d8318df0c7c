"""Jobs whose workers are killed while elements come."""

from __future__ import annotations

import json
import random
import socket
import time
from typing import Any, Callable, List, NamedTuple, Tuple

from proof.feed import PATIENCE, collected_while, lines
from proof.processes import kill_one
from proof.running import ELEMENT, Setting, environment, timed

from clutch.common import JobStatus
from clutch.datastream import DataStream

KILLS = 20  # a job
SETTING = Setting("process", 2, 64)
GROUP = 250  # elements between two kills
KEYS = 7


class Job(NamedTuple):
    """What is made of a stream of (key, time, value); times rise by one."""

    build: Callable[[DataStream], DataStream]


def _element(number: int) -> bytes:
    return (json.dumps([number * 31 % KEYS, number, number * 17 % 101]) + "\n").encode()


def run(job: Job, choose: random.Random, kills: int) -> Tuple[List[Any], int]:
    """What the job gives, and how many workers were killed; with none the elements just pass.

    Between two kills some elements come, and the job gets on with those before.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        # A batch may meet more than one kill.
        options = {"python_process_retries": "50", "python_process_spares": "1", "clutch_log_level": "error"}
        env = environment(SETTING, **options).set_parallelism(1)
        stream = timed(lines(env, server.getsockname()[1], ELEMENT), 0)
        env.set_parallelism(SETTING.parallelism)
        results = job.build(stream).execute_and_collect()
        client = results.get_job_client()
        return collected_while(results, server, lambda connection: _send(connection, client, choose, kills))


def without_kills(job: Job) -> List[Any]:
    return run(job, random.Random(0), 0)[0]


def _rows(client: Any) -> int:
    """How many elements the slowest operator has taken in."""
    by_node: dict = {}
    for of in client.get_metrics()["operators"]:
        by_node[of["node"]] = by_node.get(of["node"], 0) + of["rows_in"]
    return min(by_node[node] for node in sorted(by_node)[1:3])


def _send(connection: socket.socket, client: Any, choose: random.Random, kills: int) -> int:
    killed = 0
    for group in range(KILLS + 2):
        for number in range(group * GROUP, (group + 1) * GROUP):
            try:
                connection.sendall(_element(number))
            except (BrokenPipeError, ConnectionResetError):
                return killed  # the job has ended
            if number % GROUP == GROUP // 2 and killed < kills:
                time.sleep(choose.random() * 0.01)  # anywhere in the work on a batch
                if not kill_one(choose, lambda: client.get_job_status().result() is JobStatus.RUNNING):
                    return killed
                killed += 1
        _wait(client, group * GROUP)
    return killed


def _wait(client: Any, rows: int) -> None:
    """Until so many elements are read by the first operators, or the job has ended."""
    until = time.monotonic() + PATIENCE
    while client.get_job_status().result() is JobStatus.RUNNING and _rows(client) < rows:
        if time.monotonic() > until:
            raise AssertionError("the job does not get on: %s" % client.get_metrics())
        time.sleep(0.001)
