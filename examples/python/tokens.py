"""A table function: any number of rows for each row.

    python3 tokens.py
"""

from __future__ import annotations

from typing import Iterator, Tuple

import clutch
from clutch.table import DataTypes
from clutch.table.udf import udtf


@udtf(input_types=[DataTypes.STRING()], result_types=[DataTypes.STRING(), DataTypes.INT()])
def tokens(line: str) -> Iterator[Tuple[str, int]]:
    for word in line.split():
        yield word, len(word)


def main() -> None:
    for mode in ("thread", "process"):
        with clutch.Host({"python.execution-mode": mode}) as host:
            rows = host.function(tokens)(["to be or", "", "not"])
            print(mode, " ".join("%s:%d" % tuple(row) for row in rows))


if __name__ == "__main__":
    main()
