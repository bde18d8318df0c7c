"""A source and a sink written in Python: both run where the functions run, in both modes.

    python3 own_ends.py thread FILE
"""

from __future__ import annotations

import sys
from typing import Any, Iterator

from clutch.common import Configuration, Types
from clutch.datastream import StreamExecutionEnvironment
from clutch.datastream.functions import SinkFunction, SourceFunction


class Squares(SourceFunction):
    """Yields elements; the stream ends when it returns."""

    def run(self, ctx: Any) -> Iterator[int]:
        for number in range(5):
            yield number * number


class Lines(SinkFunction):
    def __init__(self, path: str) -> None:
        self.path = path

    def open(self, runtime_context: Any) -> None:
        self.file = open(self.path, "w", encoding="utf-8")

    def invoke(self, value: int, context: Any) -> None:
        self.file.write("%d\n" % value)

    def close(self) -> None:
        self.file.close()


def main(mode: str, path: str) -> None:
    configuration = Configuration()
    configuration.set_string("python.execution-mode", mode)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    squares = env.add_source(Squares(), type_info=Types.LONG())
    squares.map(lambda square: square + 1, output_type=Types.LONG()).add_sink(Lines(path))
    env.execute("own ends")
    with open(path, encoding="utf-8") as file:
        print(file.read().split())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
