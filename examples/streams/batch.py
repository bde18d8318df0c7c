"""The same program as stream and as batch: a stream tells every new maximum, a batch the last one of each key.

    python3 batch.py thread
"""

from __future__ import annotations

import sys

from clutch.common import Configuration, Row, Types
from clutch.datastream import RuntimeExecutionMode, StreamExecutionEnvironment

ROWS = [Row("a", 3), Row("b", 1), Row("a", 5), Row("a", 4), Row("b", 2)]


def main(mode: str) -> None:
    for runtime_mode in (RuntimeExecutionMode.STREAMING, RuntimeExecutionMode.BATCH):
        configuration = Configuration()
        configuration.set_string("python.execution-mode", mode)
        env = StreamExecutionEnvironment.get_execution_environment(configuration)
        env.set_runtime_mode(runtime_mode)
        rows = env.from_collection(ROWS, type_info=Types.ROW_NAMED(["key", "n"], [Types.STRING(), Types.LONG()]))
        highest = rows.key_by(lambda row: row[0], key_type=Types.STRING()).max("n")
        with highest.execute_and_collect("batch") as results:
            print(runtime_mode.name, sorted("%s%d" % (row[0], row[1]) for row in results))


if __name__ == "__main__":
    main(sys.argv[1])
