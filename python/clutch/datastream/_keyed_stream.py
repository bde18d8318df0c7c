"""KeyedStream: elements by key, for functions with state and timers, reductions and windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Union

from clutch.common.typeinfo import RowTypeInfo, TypeInformation, type_or_row
from clutch.datastream import _adapters
from clutch.datastream import _aggregations as aggregations
from clutch.datastream._basic_functions import (
    FilterFunction,
    FlatMapFunction,
    KeySelector,
    MapFunction,
    ReduceFunction,
    SinkFunction,
)
from clutch.datastream._code import Code, check_function, check_instance, name_of, opens
from clutch.datastream._data_stream import DataStream, OutputType
from clutch.datastream._element_types import element_text
from clutch.datastream._graph import Node, Origin
from clutch.datastream._process_functions import KeyedProcessFunction
from clutch.datastream._refusing import OF_OPERATORS, refusing
from clutch.datastream._sinks import DataStreamSink

if TYPE_CHECKING:
    from clutch.common.watermark_strategy import WatermarkStrategy
    from clutch.datastream._closeable_iterator import CloseableIterator
    from clutch.datastream._interval_join import IntervalJoin
    from clutch.datastream._windowed_streams import WindowedStream
    from clutch.datastream.connectors.base import Sink
    from clutch.datastream.output_tag import OutputTag
    from clutch.datastream.stream_execution_environment import StreamExecutionEnvironment
    from clutch.datastream.window import WindowAssigner

_PARTITIONS = ("shuffle", "rescale", "rebalance", "forward", "broadcast", "partition_custom")


@refusing(dict.fromkeys(_PARTITIONS, "Cannot override partitioning for %s"), "do so before key_by, or behind it")
@refusing(OF_OPERATORS, "key_by is no operator of its own; name the operators before and behind it")
class KeyedStream(DataStream):
    """The elements of a stream, with a key each. Elements of equal keys meet in one instance of the next operator."""

    def __init__(
        self, env: StreamExecutionEnvironment, node: Node, origin_stream: DataStream, key_type: TypeInformation
    ) -> None:
        super().__init__(env, [Origin(node)], origin_stream._type)
        self._origin_stream = origin_stream
        self._key_type = key_type

    def _values(self) -> DataStream:
        return self._origin_stream

    def _keyed(self, name: str, function: Any, output: TypeInformation) -> DataStream:
        return self._python("stream.keyed_process", name, function, output)

    def get_side_output(self, output_tag: OutputTag) -> DataStream:
        """The side output of the operator before key_by."""
        return self._origin_stream.get_side_output(output_tag)

    # Functions that ask for state in open() see that of the key; others need no keys.

    def map(self, func: Union[Callable[[Any], Any], MapFunction], output_type: OutputType = None) -> DataStream:
        if not isinstance(func, MapFunction) or not opens(func):
            return self._origin_stream.map(func, output_type)
        return self._keyed("Map", _adapters.KeyedMap(func), type_or_row("the output_type of map", output_type))

    def flat_map(
        self, func: Union[Callable[[Any], Any], FlatMapFunction], output_type: OutputType = None
    ) -> DataStream:
        if not isinstance(func, FlatMapFunction) or not opens(func):
            return self._origin_stream.flat_map(func, output_type)
        output = type_or_row("the output_type of flat_map", output_type)
        return self._keyed("FlatMap", _adapters.KeyedFlatMap(func), output)

    def filter(self, func: Union[Callable[[Any], bool], FilterFunction]) -> DataStream:
        if not isinstance(func, FilterFunction) or not opens(func):
            return self._origin_stream.filter(func)
        return self._keyed("Filter", _adapters.KeyedFilter(func), self._type)

    def process(self, func: KeyedProcessFunction, output_type: OutputType = None) -> DataStream:  # type: ignore[override]
        """Any number of elements for each element and timer, with the state of the key."""
        check_instance(func, "process of a KeyedStream", KeyedProcessFunction)
        return self._keyed("KEYED PROCESS", func, type_or_row("the output_type of process", output_type))

    def reduce(self, func: Union[Callable[[Any, Any], Any], ReduceFunction]) -> DataStream:
        """What the elements of each key so far are folded to, for each element; in batch mode once, at the end."""
        check_function(func, ReduceFunction, "reduce")
        options = {"state": element_text(self._type)}
        stream = self._python("stream.reduce", "Reduce", func, self._type, options)
        in_batch = Code(_adapters.BatchReduce(func, self._type), name_of(func))
        stream._node("reduce").batch_members = {"kind": "stream.keyed_process", "code": in_batch, "options": {}}
        return stream

    def sum(self, position_to_sum: Union[int, str] = 0) -> DataStream:
        """The sum of a field for each key so far; other fields are those of the first element."""
        return self.reduce(aggregations.SumFunction(position_to_sum))

    def min(self, position_to_min: Union[int, str] = 0) -> DataStream:
        """The smallest value of a field for each key so far; other fields are those of the first element."""
        return self.reduce(aggregations.MinFunction(position_to_min))

    def max(self, position_to_max: Union[int, str] = 0) -> DataStream:
        """The largest value of a field for each key so far; other fields are those of the first element."""
        return self.reduce(aggregations.MaxFunction(position_to_max))

    def min_by(self, position_to_min_by: Union[int, str] = 0) -> DataStream:
        """For each key, the first element with the smallest value of a field so far."""
        return self.reduce(aggregations.MinByFunction(position_to_min_by))

    def max_by(self, position_to_max_by: Union[int, str] = 0) -> DataStream:
        """For each key, the first element with the largest value of a field so far."""
        return self.reduce(aggregations.MaxByFunction(position_to_max_by))

    def key_by(
        self, key_selector: Union[Callable[[Any], Any], KeySelector], key_type: OutputType = None
    ) -> KeyedStream:
        return self._origin_stream.key_by(key_selector, key_type)

    def window(self, window_assigner: WindowAssigner[Any, Any]) -> WindowedStream:
        """Windows for each key."""
        from clutch.datastream._windowed_streams import WindowedStream

        return WindowedStream(self, window_assigner)

    def count_window(self, size: int, slide: int = 0) -> WindowedStream:
        """Windows of `size` elements of a key, one every `slide` elements."""
        from clutch.datastream._windowed_streams import count_assigner

        return self.window(count_assigner(size, slide))

    def interval_join(self, other_stream: KeyedStream) -> IntervalJoin:
        """Pairs of elements of one key whose times are near: ``a.interval_join(b).between(lo, hi).process(f)``."""
        from clutch.datastream._interval_join import IntervalJoin

        return IntervalJoin(self, check_instance(other_stream, "interval_join", KeyedStream))

    # What has no use for keys

    def union(self, *streams: DataStream) -> DataStream:
        return self._origin_stream.union(*streams)

    def project(self, *field_indexes: int) -> DataStream:
        return self._origin_stream.project(*field_indexes)

    def assign_timestamps_and_watermarks(self, watermark_strategy: WatermarkStrategy) -> DataStream:
        return self._origin_stream.assign_timestamps_and_watermarks(watermark_strategy)

    def add_sink(self, sink_func: Union[Callable[[Any], Any], SinkFunction]) -> DataStreamSink:
        return self._origin_stream.add_sink(sink_func)

    def sink_to(self, sink: Sink) -> DataStreamSink:
        return self._origin_stream.sink_to(sink)

    def print(self, sink_identifier: Optional[str] = None) -> DataStreamSink:
        return self._origin_stream.print(sink_identifier)

    def cache(self) -> Any:
        raise TypeError("Cache for KeyedStream is not supported; call cache() before key_by")

    def execute_and_collect(
        self, job_execution_name: Optional[str] = None, limit: Optional[int] = None
    ) -> Union[CloseableIterator, List[Any]]:
        """Run the job; rows of key and element."""
        pairs = self._keyed("_keyed_stream_rows", _adapters.KeyAndValue(), RowTypeInfo([self._key_type, self._type]))
        return pairs.execute_and_collect(job_execution_name, limit)


def options_of(values: Dict[str, Any]) -> Dict[str, str]:
    """Options of a step, which are texts."""
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in values.items()}
