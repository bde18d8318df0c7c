"""An async function: many rows wait at a time, results come in order, and a row that fails is tried again.

    python3 lookup.py
"""

from __future__ import annotations

import asyncio

import clutch
from clutch.table import DataTypes
from clutch.table.udf import AsyncScalarFunction, udf

OPTIONS = {
    "table.exec.async-scalar.max-concurrent-operations": 50,
    "table.exec.async-scalar.timeout": "10 s",
    "table.exec.async-scalar.retry-strategy": "FIXED_DELAY",
    "table.exec.async-scalar.retry-delay": "1 ms",
}


class Lookup(AsyncScalarFunction):
    """Asks a service that is slow, and does not answer the first time."""

    def open(self, function_context: object) -> None:
        self._asked = set()
        self._most = self._now = 0

    async def eval(self, number: int) -> str:
        self._now += 1
        self._most = max(self._most, self._now)
        try:
            await asyncio.sleep(0.01)
            if number not in self._asked:
                self._asked.add(number)
                raise ConnectionError("no answer")
            return "row %d, up to %d at a time" % (number, self._most)
        finally:
            self._now -= 1


lookup = udf(Lookup(), input_types=[DataTypes.BIGINT()], result_type=DataTypes.STRING(), name="lookup")


def main() -> None:
    for mode in ("thread", "process"):
        with clutch.Host({"python.execution-mode": mode, **OPTIONS}) as host:
            print(mode, host.function(lookup)(list(range(200)))[-1])


if __name__ == "__main__":
    main()
