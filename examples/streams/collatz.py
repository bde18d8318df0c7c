"""Iteration: numbers go round until they have come down to one, and their steps are counted. The job ends by itself when
none goes round any more.

    python3 collatz.py thread
"""

from __future__ import annotations

import sys
from typing import Tuple

from clutch.common import Configuration, Types
from clutch.datastream import StreamExecutionEnvironment

Walk = Tuple[int, int, int]  # where it began, where it is, steps


def step(walk: Walk) -> Walk:
    start, at, steps = walk
    return start, at // 2 if at % 2 == 0 else 3 * at + 1, steps + 1


def main(mode: str) -> None:
    configuration = Configuration()
    configuration.set_string("python.execution-mode", mode)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    walk = Types.TUPLE([Types.LONG(), Types.LONG(), Types.LONG()])
    walks = env.from_collection([(n, n, 0) for n in (6, 7, 27)], type_info=walk)
    turning = walks.iterate()
    stepped = turning.map(step, output_type=walk)
    turning.close_with(stepped.filter(lambda walk: walk[1] != 1))
    done = stepped.filter(lambda walk: walk[1] == 1)
    done.map(lambda walk: "%d takes %d steps" % (walk[0], walk[2]), output_type=Types.STRING()).print()
    env.execute("collatz")


if __name__ == "__main__":
    main(sys.argv[1])
