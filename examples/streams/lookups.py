"""Async I/O in both modes: many slow lookups at a time, with a retry for those that fail at first.

    python3 lookups.py thread
"""

from __future__ import annotations

import asyncio
import sys
from typing import Dict, List

from clutch.common import Configuration, Time, Types
from clutch.datastream import AsyncDataStream, StreamExecutionEnvironment
from clutch.datastream.functions import AsyncFunction, AsyncRetryStrategy, RuntimeContext


class Lookup(AsyncFunction):
    """A service that knows numbers, is slow, and refuses every third number once."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.asked: Dict[int, int] = {}

    async def async_invoke(self, value: int) -> List[str]:
        await asyncio.sleep(0.01)
        self.asked[value] = self.asked.get(value, 0) + 1
        if value % 3 == 0 and self.asked[value] == 1:
            raise ConnectionError("try again")
        return ["number %d, asked %d times" % (value, self.asked[value])]

    def timeout(self, value: int) -> List[str]:
        return ["number %d took too long" % value]


def main(mode: str) -> None:
    configuration = Configuration()
    configuration.set_string("python.execution-mode", mode)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    numbers = env.from_collection(list(range(7)), type_info=Types.LONG())
    twice = AsyncRetryStrategy.fixed_delay(2, 10, None, lambda error: isinstance(error, ConnectionError))
    AsyncDataStream.ordered_wait_with_retry(numbers, Lookup(), Time.seconds(5), twice, 100, Types.STRING()).print()
    env.execute("lookups")


if __name__ == "__main__":
    main(sys.argv[1])
