"""An aggregate with retraction: balances of accounts, kept from batch to batch.

    python3 balance.py
"""

from __future__ import annotations

from typing import List

import clutch
from clutch.common import RowKind
from clutch.table.udf import AggregateFunction, udaf


class Balance(AggregateFunction):
    """Sum and number of bookings. The host owns the accumulator, so a lost worker loses none of them."""

    def create_accumulator(self) -> List[int]:
        return [0, 0]

    def accumulate(self, accumulator: List[int], cents: int) -> None:
        accumulator[0] += cents
        accumulator[1] += 1

    def retract(self, accumulator: List[int], cents: int) -> None:
        accumulator[0] -= cents
        accumulator[1] -= 1

    def get_value(self, accumulator: List[int]) -> str:
        return "%.2f in %d" % (accumulator[0] / 100, accumulator[1])


balance = udaf(
    Balance(),
    input_types=["BIGINT"],
    result_type="STRING",
    accumulator_type="ROW<cents BIGINT, bookings BIGINT>",
    name="balance",
)


def main() -> None:
    for mode in ("thread", "process"):
        with clutch.Host({"python.execution-mode": mode}) as host:
            function = host.function(balance)
            print(mode, function([1250, 800, -300], keys=["ada", "alan", "ada"]))
            # Ada's second booking was wrong: it is taken back, and booked again.
            changes = [RowKind.UPDATE_BEFORE, RowKind.UPDATE_AFTER]
            print(mode, function([-300, -350], keys=["ada", "ada"], kinds=changes))


if __name__ == "__main__":
    main()
