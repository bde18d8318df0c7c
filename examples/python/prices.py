"""Prices with tax and a label, from two functions in one crossing, in each mode.

    python3 prices.py
"""

from __future__ import annotations

from decimal import Decimal

import clutch
from clutch.table import DataTypes
from clutch.table.expressions import col
from clutch.table.udf import udf

MONEY = DataTypes.DECIMAL(10, 2)


@udf(input_types=[MONEY, DataTypes.STRING()], result_type=MONEY)
def with_tax(price: Decimal, rate: str) -> Decimal:
    return price * (1 + Decimal(rate))


@udf(input_types=[DataTypes.STRING(), MONEY], result_type=DataTypes.STRING())
def label(name: str, price: Decimal) -> str:
    return "%s for %.2f" % (name, price)


def main() -> None:
    names = ["tea", "milk"]
    prices = [Decimal("3.20"), Decimal("1.09")]
    for mode in ("thread", "process"):
        with clutch.Host({"python.execution-mode": mode}) as host:
            gross = with_tax(col("price"), "0.19")
            function = host.expression([label(col("name"), gross).alias("label"), gross.alias("gross")])
            for row in function(names, prices):
                print(mode, row.label, row.gross)


if __name__ == "__main__":
    main()
