"""What the tests of jobs share."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Callable, List, Mapping

from hosting import MODES, TestCase

# isort: split
from clutch.common import Configuration
from clutch.datastream import StreamExecutionEnvironment

NONE: Mapping[str, str] = MappingProxyType({})


def environment(mode: str, parallelism: int = 1, options: Mapping[str, str] = NONE) -> StreamExecutionEnvironment:
    """Of one mode, which takes no other one."""
    configuration = Configuration()
    configuration.set_string("python.execution-mode", mode)
    configuration.set_string("python.execution-mode.fallback", "forbid")
    for key, value in options.items():
        configuration.set_string(key, value)
    return StreamExecutionEnvironment.get_execution_environment(configuration).set_parallelism(parallelism)


class Jobs(TestCase):
    """Runs a test in each mode."""

    def in_each(self, test: Callable[[StreamExecutionEnvironment], None], parallelism: int = 1) -> None:
        for mode in MODES:
            with self.subTest(mode=mode):
                test(environment(mode, parallelism))

    def collected(self, stream: Any) -> List[Any]:
        with stream.execute_and_collect() as elements:
            return list(elements)


def parity(value: int) -> int:
    return value % 2


def add(one: int, other: int) -> int:
    return one + other


def increment(value: int) -> int:
    return value + 1


def twice_of(value: int) -> int:
    return value * 2


def inverse(value: int) -> int:
    return 1 // value
