"""Two streams side by side: ConnectedStreams, and a stream with a broadcast one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable, List, Union

from clutch.common.typeinfo import type_or_row
from clutch.datastream import _adapters
from clutch.datastream._basic_functions import CoFlatMapFunction, CoMapFunction, KeySelector
from clutch.datastream._code import check_instance
from clutch.datastream._data_stream import DataStream, OutputType
from clutch.datastream._keyed_stream import KeyedStream
from clutch.datastream._process_functions import (
    BroadcastProcessFunction,
    CoProcessFunction,
    KeyedBroadcastProcessFunction,
    KeyedCoProcessFunction,
)
from clutch.datastream.state import MapStateDescriptor

if TYPE_CHECKING:
    from clutch.datastream.stream_execution_environment import StreamExecutionEnvironment


class ConnectedStreams:
    """Two streams whose elements go to one function, each to a method of its own."""

    def __init__(self, stream1: DataStream, stream2: DataStream) -> None:
        self.stream1 = stream1
        self.stream2 = stream2

    def get_execution_environment(self) -> StreamExecutionEnvironment:
        return self.stream1.get_execution_environment()

    def key_by(
        self,
        key_selector1: Union[Callable[[Any], Any], KeySelector],
        key_selector2: Union[Callable[[Any], Any], KeySelector],
        key_type: OutputType = None,
    ) -> ConnectedStreams:
        """Both streams by key; elements of equal keys meet, and share their state."""
        return ConnectedStreams(
            self.stream1._values().key_by(key_selector1, key_type),
            self.stream2._values().key_by(key_selector2, key_type),
        )

    def _is_keyed_stream(self) -> bool:
        return isinstance(self.stream1, KeyedStream) and isinstance(self.stream2, KeyedStream)

    def _python(self, kind: str, name: str, function: Any, output_type: OutputType) -> DataStream:
        output = type_or_row("the output_type of %s" % name, output_type)
        if kind.startswith("stream.keyed_"):
            return self.stream1._python(kind, name, function, output, None, self.stream2)
        return self.stream1._values()._python(kind, name, function, output, None, self.stream2._values())

    def map(self, func: CoMapFunction, output_type: OutputType = None) -> DataStream:
        """At most one element for each; None is none."""
        check_instance(func, "map of connected streams", CoMapFunction)
        if self._is_keyed_stream():
            return self._python("stream.keyed_co_process", "Co-Map", _adapters.KeyedCoMap(func), output_type)
        return self._python("stream.co_map", "Co-Map", func, output_type)

    def flat_map(self, func: CoFlatMapFunction, output_type: OutputType = None) -> DataStream:
        """Any number of elements for each."""
        check_instance(func, "flat_map of connected streams", CoFlatMapFunction)
        if self._is_keyed_stream():
            return self._python("stream.keyed_co_process", "Co-Flat Map", _adapters.KeyedCoFlatMap(func), output_type)
        return self._python("stream.co_flat_map", "Co-Flat Map", func, output_type)

    def process(
        self, func: Union[CoProcessFunction, KeyedCoProcessFunction], output_type: OutputType = None
    ) -> DataStream:
        """Any number of elements for each, with access to time; with keys also to state and timers."""
        check_instance(func, "process of connected streams", CoProcessFunction, KeyedCoProcessFunction)
        if self._is_keyed_stream():
            return self._python("stream.keyed_co_process", "Keyed Co-Process", func, output_type)
        return self._python("stream.co_process", "Co-Process", func, output_type)


class BroadcastStream:
    """A stream of which all instances of a function get every element, to keep it in broadcast state."""

    def __init__(self, input_stream: DataStream, broadcast_state_descriptors: List[MapStateDescriptor]) -> None:
        self.input_stream = input_stream
        self.broadcast_state_descriptors = broadcast_state_descriptors


class BroadcastConnectedStream:
    """A stream, keyed or not, and a broadcast one."""

    def __init__(self, non_broadcast_stream: DataStream, broadcast_stream: BroadcastStream) -> None:
        self.non_broadcast_stream = non_broadcast_stream
        self.broadcast_stream = broadcast_stream
        self.broadcast_state_descriptors = broadcast_stream.broadcast_state_descriptors

    def process(
        self, func: Union[BroadcastProcessFunction, KeyedBroadcastProcessFunction], output_type: OutputType = None
    ) -> DataStream:
        """Any number of elements for each element of both streams."""
        keyed = isinstance(self.non_broadcast_stream, KeyedStream)
        wanted = KeyedBroadcastProcessFunction if keyed else BroadcastProcessFunction
        check_instance(func, "process of a %s broadcast stream" % ("keyed" if keyed else "non-keyed"), wanted)
        options = {
            "broadcast_states": json.dumps({d.name: list(d.clutch_types) for d in self.broadcast_state_descriptors})
        }
        output = type_or_row("the output_type of process", output_type)
        second = self.broadcast_stream.input_stream._partitioned("broadcast")
        if keyed:
            kind, name = "stream.keyed_broadcast_process", "Keyed-Co-Process-Broadcast"
        else:
            kind, name = "stream.broadcast_process", "Co-Process-Broadcast"
        return self.non_broadcast_stream._python(kind, name, func, output, options, second)


def make_broadcast(stream: DataStream, descriptors: List[Any]) -> BroadcastStream:
    """TypeError for a descriptor of another sort, ValueError for two of one name."""
    for descriptor in descriptors:
        check_instance(descriptor, "broadcast", MapStateDescriptor)
    names = [descriptor.name for descriptor in descriptors]
    for name in names:
        if names.count(name) > 1:
            raise ValueError("two broadcast states are called %r; give each a name of its own" % name)
    return BroadcastStream(stream._values(), descriptors)
