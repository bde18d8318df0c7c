"""Functions for programs of clutch.datastream, and what the programs are described as, for several tests."""

from __future__ import annotations

import json
import pickle
from typing import Any, Dict, List

from support import TestCase

# isort: split
from clutch.common import Types
from clutch.datastream import (
    AsyncFunction,
    BroadcastProcessFunction,
    CoFlatMapFunction,
    CoGroupFunction,
    CoMapFunction,
    CoProcessFunction,
    KeyedBroadcastProcessFunction,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    KeySelector,
    MapFunction,
    Partitioner,
    ProcessFunction,
    ProcessJoinFunction,
    SinkFunction,
    SourceFunction,
    StreamExecutionEnvironment,
)
from clutch.datastream.functions import ParallelSourceFunction

LONG, STRING = Types.LONG(), Types.STRING()


def increment(value: int) -> int:
    return value + 1


def parity(value: int) -> int:
    return value % 2


def add(left: int, right: int) -> int:
    return left + right


def listed(value: Any) -> List[Any]:
    return [value]


class Opening(MapFunction):
    def open(self, runtime_context: Any) -> None:
        self.opened = True

    def map(self, value: Any) -> Any:
        return value


class Process(ProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        return [value]


class Keyed(KeyedProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        return [value]


class CoMap(CoMapFunction):
    def map1(self, value: Any) -> Any:
        return value

    def map2(self, value: Any) -> Any:
        return None


class CoFlat(CoFlatMapFunction):
    def flat_map1(self, value: Any) -> Any:
        return [value]

    def flat_map2(self, value: Any) -> Any:
        return None


class Co(CoProcessFunction):
    def process_element1(self, value: Any, ctx: Any) -> Any:
        return [value]

    process_element2 = process_element1


class KeyedCo(KeyedCoProcessFunction):
    def process_element1(self, value: Any, ctx: Any) -> Any:
        return [value]

    process_element2 = process_element1


class Broadcast(BroadcastProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        return [value]

    process_broadcast_element = process_element


class KeyedBroadcast(KeyedBroadcastProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        return [value]

    process_broadcast_element = process_element


class Parity(KeySelector):
    def get_key(self, value: Any) -> Any:
        return value % 2


class Modulo(Partitioner):
    def partition(self, key: Any, num_partitions: int) -> int:
        return int(key % num_partitions)


class Pairs(ProcessJoinFunction):
    def process_element(self, left: Any, right: Any, ctx: Any) -> Any:
        return [(left, right)]


class Groups(CoGroupFunction):
    def co_group(self, first: Any, second: Any) -> Any:
        return [len(list(first))]


class Numbers(SourceFunction):
    def run(self, ctx: Any) -> None:
        ctx.collect(1)

    def cancel(self) -> None:
        pass


def one() -> List[int]:
    return [1]


class Shared(ParallelSourceFunction):
    def run(self, ctx: Any) -> List[int]:
        return [1]


class Written(SinkFunction):
    def invoke(self, value: Any, context: Any) -> None:
        pass


class Later(AsyncFunction):
    async def async_invoke(self, value: Any) -> List[Any]:
        return [value]


class NotAsync(AsyncFunction):
    def async_invoke(self, value: Any) -> List[Any]:  # type: ignore[override]
        return [value]


class Stamp:
    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return int(value)


class Described:
    """The description of what an environment has so far."""

    def __init__(self, env: StreamExecutionEnvironment) -> None:
        description = env._description(None, env._operators)
        json.dumps(description.document)  # all of it is plain
        self.document = description.document
        self.blobs = description.blobs
        self.collections = description.collections
        self.nodes: List[Dict[str, Any]] = self.document["nodes"]
        self.edges: List[Dict[str, Any]] = self.document["edges"]

    def last(self) -> Dict[str, Any]:
        """The last node, without its id."""
        return {key: value for key, value in self.nodes[-1].items() if key != "id"}

    def of(self, stream: Any) -> Dict[str, Any]:
        """The node that made a stream, without its id."""
        number = stream._origins[0].node.id
        return {key: value for node in self.nodes if node["id"] == number for key, value in node.items() if key != "id"}

    def code(self, code: Dict[str, Any]) -> Any:
        return pickle.loads(self.blobs[code["blob"]])


class Base(TestCase):
    def setUp(self) -> None:
        self.env = StreamExecutionEnvironment.get_execution_environment()
        self.numbers = self.env.from_collection([1, 2, 3], LONG)

    def described(self) -> Described:
        return Described(self.env)

    def without_code(self, node: Dict[str, Any]) -> Dict[str, Any]:
        return {key: value for key, value in node.items() if key not in ("code", "name")}
