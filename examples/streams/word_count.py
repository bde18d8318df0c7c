"""Words of a text file, counted as they come: the running count of each word, in the mode that is asked for.

    python3 word_count.py thread FILE
"""

from __future__ import annotations

import sys
from typing import Iterator, Tuple

from clutch.common import Configuration, Types
from clutch.datastream import StreamExecutionEnvironment


def words_of(line: str) -> Iterator[Tuple[str, int]]:
    for word in line.lower().split():
        yield word.strip(".,;:"), 1


def main(mode: str, path: str) -> None:
    configuration = Configuration()
    configuration.set_string("python.execution-mode", mode)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    counts = (
        env.read_text_file(path)
        .flat_map(words_of, output_type=Types.TUPLE([Types.STRING(), Types.LONG()]))
        .key_by(lambda pair: pair[0], key_type=Types.STRING())
        .reduce(lambda one, other: (one[0], one[1] + other[1]))
    )
    counts.print()
    env.execute("word count")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
