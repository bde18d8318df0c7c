"""A table aggregate: the three best times of each race, in any number of batches.

    python3 podium.py
"""

from __future__ import annotations

from typing import Iterator, List, Tuple

import clutch
from clutch.table.udf import TableAggregateFunction, udtaf


class Podium(TableAggregateFunction):
    """Emits a row for each place that is taken."""

    def create_accumulator(self) -> List[List[float]]:
        return [[]]

    def accumulate(self, accumulator: List[List[float]], seconds: float) -> None:
        accumulator[0] = sorted([*accumulator[0], seconds])[:3]

    def emit_value(self, accumulator: List[List[float]]) -> Iterator[Tuple[int, float]]:
        yield from enumerate(accumulator[0], 1)


podium = udtaf(
    Podium(),
    input_types=["DOUBLE"],
    result_type="ROW<place INT, seconds DOUBLE>",
    accumulator_type="ROW<best ARRAY<DOUBLE>>",
    name="podium",
)


def main() -> None:
    for mode in ("thread", "process"):
        with clutch.Host({"python.execution-mode": mode}) as host:
            function = host.function(podium)
            function([12.5, 11.9, 50.2, 12.0], keys=["100 m", "100 m", "400 m", "100 m"])
            for race, places in function([11.8, 49.9], keys=["100 m", "400 m"]).items():
                print(mode, race, ", ".join("%d. %.1f" % tuple(row) for row in places))


if __name__ == "__main__":
    main()
