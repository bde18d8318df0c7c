"""What a function adds to the time that an element takes through a job, at one tenth of full load.

    meson devenv -C build python3 ../python/bench/latency.py [--rows N] [--seconds S]

Lines with the time of their sending go through a socket into a job and are collected: without a function, then through
a map in each mode. Full load is what the job with the map manages when the lines come as fast as they can. Printed are
the percentiles of the time from sending to collecting, and what the function adds to that of the job without one.
"""

from __future__ import annotations

import argparse
import multiprocessing
import socket
import time
from typing import Any, Dict, List, Optional

from clutch.common import Configuration, Types, WatermarkStrategy
from clutch.datastream import StreamExecutionEnvironment
from clutch.datastream.connectors import SocketSource


def send(port_of: Any, rows: int, rate: Optional[float]) -> None:
    """Serve one connection with `rows` lines, at `rate` lines a second in portions of a millisecond."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port_of.put(server.getsockname()[1])
        connection, _ = server.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            begin, sent = time.perf_counter(), 0
            while sent < rows:
                due = rows if rate is None else min(rows, int((time.perf_counter() - begin) * rate) + 1)
                if due == sent:
                    time.sleep(0.0005)
                    continue
                portion = min(due - sent, 1000)
                connection.sendall(b"%d\n" % time.perf_counter_ns() * portion)
                sent += portion


def run(mode: Optional[str], rows: int, rate: Optional[float]) -> List[int]:
    """Nanoseconds that each line took; for no rate, those from the first to the last."""
    ports: Any = multiprocessing.Queue()
    sender = multiprocessing.Process(target=send, args=(ports, rows, rate))
    sender.start()
    configuration = Configuration()
    configuration.set_string("python.execution-mode", mode or "thread")
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    lines: Any = env.from_source(SocketSource("127.0.0.1", ports.get()), WatermarkStrategy.no_watermarks(), "lines")
    if mode is not None:
        lines = lines.map(lambda line: line, Types.STRING())
    took: List[int] = []
    first = 0
    with lines.execute_and_collect() as collected:
        for line in collected:
            now = time.perf_counter_ns()
            first = first or int(line)
            took.append(now - int(line))
    sender.join()
    return took if rate is not None else [time.perf_counter_ns() - first]


def percentile(values: List[int], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description="What a function adds to the time that an element takes.")
    parser.add_argument("--rows", type=int, default=500_000, help="of the run at full load")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each other run")
    arguments = parser.parse_args()
    for mode in ("thread", "process"):
        full = arguments.rows / (run(mode, arguments.rows, None)[0] / 1e9)
        rate = full / 10
        rows = int(rate * arguments.seconds)
        found: Dict[str, List[int]] = {"none": [], mode: []}
        for _ in range(2):
            found["none"] += run(None, rows // 2, rate)
            found[mode] += run(mode, rows // 2, rate)
        print("%s: full load %.0f rows/s, run at %.0f rows/s" % (mode, full, rate))
        for name, values in found.items():
            figures = ", ".join("p%g %.3f ms" % (share * 100, percentile(values, share)) for share in (0.5, 0.99, 0.999))
            print("  %-8s %s" % (name, figures))
        added = percentile(found[mode], 0.99) - percentile(found["none"], 0.99)
        print("  added at p99: %.3f ms" % added, flush=True)


if __name__ == "__main__":
    main()
