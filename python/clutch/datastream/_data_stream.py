"""DataStream: elements of one type, and what can be done with them one by one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Union, overload

from clutch.common.typeinfo import RowTypeInfo, TupleTypeInfo, TypeInformation, Types, type_or_row
from clutch.datastream import _adapters
from clutch.datastream._basic_functions import (
    FilterFunction,
    FlatMapFunction,
    KeySelector,
    MapFunction,
    NullByteKeySelector,
    Partitioner,
    SinkFunction,
    SinkFunctionWrapper,
)
from clutch.datastream._code import Code, check_function, check_instance, name_of
from clutch.datastream._element_types import element_text, has_pickles
from clutch.datastream._graph import Input, Node, Origin
from clutch.datastream._process_functions import ProcessFunction
from clutch.datastream._sinks import DataStreamSink, check_text
from clutch.datastream._watermarks import watermark_members

if TYPE_CHECKING:
    from clutch.common.execution_config import ExecutionConfig
    from clutch.common.time import Duration, Time
    from clutch.common.watermark_strategy import WatermarkStrategy
    from clutch.datastream._cached_data_stream import CachedDataStream
    from clutch.datastream._closeable_iterator import CloseableIterator
    from clutch.datastream._connected_streams import BroadcastConnectedStream, BroadcastStream, ConnectedStreams
    from clutch.datastream._iterative_stream import IterativeStream
    from clutch.datastream._joined_streams import CoGroupedStreams, JoinedStreams
    from clutch.datastream._keyed_stream import KeyedStream
    from clutch.datastream._windowed_streams import AllWindowedStream
    from clutch.datastream.connectors.base import Sink
    from clutch.datastream.output_tag import OutputTag
    from clutch.datastream.slot_sharing_group import SlotSharingGroup
    from clutch.datastream.state import MapStateDescriptor
    from clutch.datastream.stream_execution_environment import StreamExecutionEnvironment
    from clutch.datastream.window import WindowAssigner

OutputType = Optional[Union[TypeInformation, List[TypeInformation]]]


class DataStream:
    """Elements of one type. Each operation gives a new stream; nothing runs before the environment executes."""

    def __init__(self, env: StreamExecutionEnvironment, origins: List[Origin], type_info: TypeInformation) -> None:
        self._env = env
        self._origins = origins
        self._type = type_info

    def _node(self, what: str) -> Node:
        """The operator that made this stream. ValueError where none or several did."""
        if len(self._origins) != 1 or self._origins[0].side is not None or self._origins[0].partitioning is not None:
            raise ValueError("%s is of an operator, and this stream is a union, a side output or a partitioning" % what)
        return self._origins[0].node

    def _inputs(self, number: int = 0) -> List[Input]:
        return [Input(origin, number) for origin in self._origins]

    def _python(
        self,
        kind: str,
        name: str,
        function: Any,
        output: TypeInformation,
        options: Optional[Dict[str, str]] = None,
        second: Optional[DataStream] = None,
    ) -> DataStream:
        """The stream that a function makes of this one, and of a second."""
        members: Dict[str, Any] = {"kind": kind, "code": Code(function, name_of(function)), "output": output}
        if options:
            members["options"] = options
        inputs = self._inputs() + (second._inputs(1) if second is not None else [])
        return self._env._stream(self._env._operator("python", name, members, inputs), output)

    # Names and places

    def get_name(self) -> str:
        return self._node("get_name()").name

    def name(self, name: str) -> DataStream:
        self._node("name()").name = check_text("the name of an operator", name)
        return self

    def uid(self, uid: str) -> DataStream:
        """Set the id by which state is found again in another run."""
        self._node("uid()").uid = check_text("the uid of an operator", uid)
        return self

    def set_uid_hash(self, uid_hash: str) -> DataStream:
        self._node("set_uid_hash()").uid = check_text("the uid hash of an operator", uid_hash)
        return self

    def set_parallelism(self, parallelism: int) -> DataStream:
        self._node("set_parallelism()").set_parallelism(parallelism)
        return self

    def set_max_parallelism(self, max_parallelism: int) -> DataStream:
        """Accepted; key groups are those of the job, see StreamExecutionEnvironment.set_max_parallelism."""
        from clutch.datastream._graph import check_parallelism

        self._node("set_max_parallelism()").max_parallelism = check_parallelism("max_parallelism", max_parallelism)
        return self

    def get_type(self) -> TypeInformation:
        return self._type

    def get_execution_environment(self) -> StreamExecutionEnvironment:
        return self._env

    def get_execution_config(self) -> ExecutionConfig:
        return self._env.get_config()

    def force_non_parallel(self) -> DataStream:
        node = self._node("force_non_parallel()")
        node.only_one = True
        node.parallelism = 1
        return self

    def set_buffer_timeout(self, timeout_millis: int) -> DataStream:
        """Accepted; the timeout is that of the job, see StreamExecutionEnvironment.set_buffer_timeout."""
        self._node("set_buffer_timeout()")
        self._env._notices.tell("set_buffer_timeout of one operator", "set it on the environment")
        return self

    def start_new_chain(self) -> DataStream:
        self._node("start_new_chain()").chain = "head"
        return self

    def disable_chaining(self) -> DataStream:
        self._node("disable_chaining()").chain = "never"
        return self

    def slot_sharing_group(self, slot_sharing_group: Union[str, SlotSharingGroup]) -> DataStream:
        """Accepted: all of a job runs in one process, so there are no slots to share."""
        from clutch.datastream.slot_sharing_group import check_group

        self._node("slot_sharing_group()")
        check_group(slot_sharing_group)
        return self

    def set_description(self, description: str) -> DataStream:
        self._node("set_description()").description = check_text("the description of an operator", description)
        return self

    # Elements one by one

    def map(self, func: Union[Callable[[Any], Any], MapFunction], output_type: OutputType = None) -> DataStream:
        """One element for each. Without output_type, results are pickled."""
        check_function(func, MapFunction, "map")
        return self._python("stream.map", "Map", func, type_or_row("the output_type of map", output_type))

    def flat_map(
        self, func: Union[Callable[[Any], Any], FlatMapFunction], output_type: OutputType = None
    ) -> DataStream:
        """Any number of elements for each."""
        check_function(func, FlatMapFunction, "flat_map")
        return self._python("stream.flat_map", "FlatMap", func, type_or_row("the output_type of flat_map", output_type))

    def filter(self, func: Union[Callable[[Any], bool], FilterFunction]) -> DataStream:
        """The elements for which the function is true."""
        check_function(func, FilterFunction, "filter")
        return self._python("stream.filter", "Filter", func, self._type)

    def process(self, func: ProcessFunction, output_type: OutputType = None) -> DataStream:
        """Any number of elements for each, with access to time and side outputs."""
        check_instance(func, "process of a stream without keys", ProcessFunction)
        return self._python("stream.process", "PROCESS", func, type_or_row("the output_type of process", output_type))

    def project(self, *field_indexes: int) -> DataStream:
        """Some fields of tuples."""
        if not isinstance(self._type, TupleTypeInfo):
            raise TypeError("only streams of tuples can be projected, and this one has the type %s" % self._type)
        types = self._type.get_field_types()
        for index in field_indexes:
            if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(types):
                raise ValueError("project takes positions from 0 to %d, got %r" % (len(types) - 1, index))
        if not field_indexes:
            raise ValueError("project takes at least one position of a field")
        output = TupleTypeInfo([types[index] for index in field_indexes])
        return self._python("stream.map", "Projection", _adapters.Project(field_indexes), output)

    def assign_timestamps_and_watermarks(self, watermark_strategy: WatermarkStrategy) -> DataStream:
        """Elements with timestamps, followed by watermarks."""
        members = watermark_members(watermark_strategy)
        node = self._env._operator("watermarks", "Timestamps/Watermarks", members, self._inputs())
        return self._env._stream(node, self._type)

    # Keys and windows

    def key_by(
        self, key_selector: Union[Callable[[Any], Any], KeySelector], key_type: OutputType = None
    ) -> KeyedStream:
        """The same elements by key. Without key_type, keys are pickled: equal keys must then have equal pickles."""
        from clutch.datastream._keyed_stream import KeyedStream

        check_function(key_selector, KeySelector, "key_by")
        key = type_or_row("the key_type of key_by", key_type)
        node = self._key_node(key_selector, key)
        return KeyedStream(self._env, node, self, key)

    def _key_node(self, selector: Any, key: TypeInformation) -> Node:
        selects = _adapters.KeyOf(selector) if isinstance(selector, KeySelector) else selector
        members = {"code": Code(selects, name_of(selector)), "key": key}
        node = self._env._node("key_by", "_stream_key_by_map_operator", members, self._inputs())
        node.follows = True
        return node

    def window_all(self, window_assigner: WindowAssigner[Any, Any]) -> AllWindowedStream:
        """Windows of all elements, without keys; one instance makes them."""
        from clutch.datastream._windowed_streams import AllWindowedStream

        return AllWindowedStream(self.key_by(NullByteKeySelector(), Types.BYTE()), window_assigner)

    def count_window_all(self, size: int, slide: int = 0) -> AllWindowedStream:
        """Windows of `size` elements, one every `slide` elements."""
        from clutch.datastream._windowed_streams import count_assigner

        return self.window_all(count_assigner(size, slide))

    # Several streams

    def union(self, *streams: DataStream) -> DataStream:
        """The elements of this and other streams of the same type."""
        origins = list(self._origins)
        for stream in streams:
            check_instance(stream, "union", DataStream)
            values = stream._values()
            if element_text(values._type) != element_text(self._type):
                raise ValueError(
                    "the streams of a union must have one type, and these have %s and %s" % (self._type, values._type)
                )
            origins.extend(values._origins)
        return DataStream(self._env, origins, self._type)

    def _values(self) -> DataStream:
        """The elements without keys."""
        return self

    @overload
    def connect(self, ds: DataStream) -> ConnectedStreams: ...

    @overload
    def connect(self, ds: BroadcastStream) -> BroadcastConnectedStream: ...

    def connect(self, ds: Any) -> Any:
        """This and another stream side by side, for functions of both."""
        from clutch.datastream._connected_streams import BroadcastConnectedStream, BroadcastStream, ConnectedStreams

        check_instance(ds, "connect", DataStream, BroadcastStream)
        if isinstance(ds, BroadcastStream):
            return BroadcastConnectedStream(self, ds)
        return ConnectedStreams(self, ds)

    def join(self, other_stream: DataStream) -> JoinedStreams:
        """Pairs of elements of two streams in windows: ``a.join(b).where(k).equal_to(k).window(w).apply(f)``."""
        from clutch.datastream._joined_streams import JoinedStreams

        return JoinedStreams(self._values(), check_instance(other_stream, "join", DataStream)._values())

    def co_group(self, other_stream: DataStream) -> CoGroupedStreams:
        """Groups of elements of two streams in windows: ``a.co_group(b).where(k).equal_to(k).window(w).apply(f)``."""
        from clutch.datastream._joined_streams import CoGroupedStreams

        return CoGroupedStreams(self._values(), check_instance(other_stream, "co_group", DataStream)._values())

    def iterate(self, max_wait: Union[int, Time, Duration] = 0) -> IterativeStream:
        """A stream whose later results can be fed back by close_with().

        The loop ends when the input has ended and nothing goes round any more. `max_wait`, a Time, a Duration or
        milliseconds: nothing must have moved for so long besides; for loops in which timers of processing time feed
        back. (Flink goes by the time alone, and without one never ends.)
        """
        from clutch.datastream._iterative_stream import make_iteration

        return make_iteration(self, max_wait)

    def get_side_output(self, output_tag: OutputTag) -> DataStream:
        """The elements that the operator's function gave under the tag."""
        from clutch.datastream.output_tag import OutputTag

        check_instance(output_tag, "get_side_output", OutputTag)
        node = self._node("get_side_output()")
        late = node.late
        if late is None or late[0].tag_id != output_tag.tag_id:
            node.add_side(output_tag)
            return DataStream(self._env, [Origin(node, output_tag.tag_id)], output_tag.type_info)
        stream = DataStream(self._env, [Origin(node, output_tag.tag_id)], late[1])
        if element_text(late[1]) == element_text(output_tag.type_info):
            return stream
        return stream._python("stream.map", "Late Data", _adapters.identity, output_tag.type_info)

    # Partitioning

    def _partitioned(self, partitioning: str, code: Optional[Code] = None) -> DataStream:
        origins = [Origin(origin.node, origin.side, partitioning, code) for origin in self._origins]
        return DataStream(self._env, origins, self._type)

    def shuffle(self) -> DataStream:
        """Each element goes to any instance of the next operator."""
        return self._partitioned("shuffle")

    def rebalance(self) -> DataStream:
        """Elements go to the instances of the next operator in turn."""
        return self._partitioned("rebalance")

    def rescale(self) -> DataStream:
        """Elements go to some instances of the next operator in turn, each instance having its own."""
        return self._partitioned("rescale")

    def forward(self) -> DataStream:
        """Elements stay at the instance of the same number."""
        return self._partitioned("forward")

    @overload
    def broadcast(self) -> DataStream: ...

    @overload
    def broadcast(
        self, broadcast_state_descriptor: MapStateDescriptor, *other_broadcast_state_descriptors: MapStateDescriptor
    ) -> BroadcastStream: ...

    def broadcast(self, broadcast_state_descriptor: Any = None, *other_broadcast_state_descriptors: Any) -> Any:
        """Every element goes to all instances; with descriptors, for functions that keep it in broadcast state."""
        from clutch.datastream._connected_streams import make_broadcast

        if broadcast_state_descriptor is None:
            return self._partitioned("broadcast")
        return make_broadcast(self, [broadcast_state_descriptor, *other_broadcast_state_descriptors])

    def partition_custom(
        self,
        partitioner: Union[Callable[[Any, int], int], Partitioner],
        key_selector: Union[Callable[[Any], Any], KeySelector],
    ) -> DataStream:
        """Elements go to the instance that the partitioner gives for their key."""
        check_function(partitioner, Partitioner, "the partitioner of partition_custom")
        check_function(key_selector, KeySelector, "the key_selector of partition_custom")
        node = self._key_node(key_selector, Types.PICKLED_BYTE_ARRAY())
        node.name = "_partition_custom_map_operator"
        chooses = _adapters.PartitionOf(partitioner) if isinstance(partitioner, Partitioner) else partitioner
        origin = Origin(node, None, "custom", Code(chooses, name_of(partitioner)))
        return DataStream(self._env, [origin], self._type)

    # Ends

    def _sink(self, name: str, sink: Dict[str, Any]) -> DataStreamSink:
        return DataStreamSink(self._env._operator("sink", name, {"sink": sink}, self._inputs()))

    def _as_text(self) -> DataStream:
        """Texts of elements that the engine does not write as PyFlink does; others stay."""
        text = element_text(self._type)
        if isinstance(self._type, RowTypeInfo):
            function: Callable[[Any], str] = _adapters.TextOfRow(self._type.get_field_names())
        elif text.startswith("tuple<") and has_pickles(text):
            function = _adapters.text_of_tuple
        elif has_pickles(text):
            function = _adapters.text_of
        else:
            return self
        return self._python("stream.map", "Map", function, Types.STRING())

    def add_sink(self, sink_func: Union[Callable[[Any], Any], SinkFunction]) -> DataStreamSink:
        """Give each element to a SinkFunction, or to a function."""
        from clutch.datastream._sink_server import SinkServer
        from clutch.datastream.connectors.file_system import StreamingFileSink

        name = name_of(check_function(sink_func, SinkFunction, "add_sink"))
        if isinstance(sink_func, StreamingFileSink):
            return self.sink_to(sink_func._file_sink)
        sink = sink_func if isinstance(sink_func, SinkFunction) else SinkFunctionWrapper(sink_func)
        server = SinkServer(sink, "the sink %s" % name)
        return self._sink("Sink: Unnamed", {"type": "python", "code": Code(server, name)})

    def sink_to(self, sink: Sink) -> DataStreamSink:
        """Give each element to a sink of clutch.datastream.connectors."""
        from clutch.datastream.connectors.base import Sink

        return check_instance(sink, "sink_to", Sink)._attach(self)  # type: ignore[no-any-return]

    def print(self, sink_identifier: Optional[str] = None) -> DataStreamSink:
        """Write each element to the standard output, a line each, behind `sink_identifier` where there is one."""
        members: Dict[str, Any] = {"type": "print"}
        if sink_identifier is not None:
            members["prefix"] = check_text("the sink_identifier of print", sink_identifier)
        return self._as_text()._sink("Sink: Print to Std. Out", members)

    def execute_and_collect(
        self, job_execution_name: Optional[str] = None, limit: Optional[int] = None
    ) -> Union[CloseableIterator, List[Any]]:
        """Run the job; its elements as they come, or a list of the first `limit` ones.

        Close the iterator, or use it in a ``with``: that ends the job.
        """
        if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
            raise ValueError("the limit of execute_and_collect must be an int of at least 1, got %r" % (limit,))
        elements = self._collected(job_execution_name)
        if limit is None:
            return elements
        with elements:
            return list(itertools.islice(elements, limit))

    def _collected(self, job_name: Optional[str]) -> CloseableIterator:
        from clutch.datastream._closeable_iterator import CloseableIterator

        sink = self._sink("Collect Sink", {"type": "collect"})._node
        return CloseableIterator(self._env.execute_async(job_name), sink.id)

    def cache(self) -> CachedDataStream:
        """The same stream; what it has is kept for later jobs of the environment."""
        from clutch.datastream._cached_data_stream import CachedDataStream

        return CachedDataStream(self)
