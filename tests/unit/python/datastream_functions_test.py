"""clutch.datastream: signatures, abstract classes, interfaces of contexts, asynchronous functions, side outputs."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pickle
import unittest
from typing import Any

from support import TestCase

# isort: split
from clutch.common import Types
from clutch.datastream import AsyncFunction, AsyncRetryStrategy, OutputTag, SinkFunction, SourceFunction
from clutch.datastream import functions as f
from clutch.datastream.async_retry_predicates import (
    empty_result_predicate,
    exception_type_predicate,
    has_exception_predicate,
)
from clutch.datastream.async_retry_strategies import NO_RETRY_STRATEGY, RetryPredicate

# Parameters without self, as PyFlink has them.
SIGNATURES = """
common.configuration.Configuration.__init__ other=None
common.configuration.Configuration.get_string key default_value
common.configuration.Configuration.set_string key value
common.configuration.Configuration.get_integer key default_value
common.configuration.Configuration.set_integer key value
common.configuration.Configuration.get_boolean key default_value
common.configuration.Configuration.set_boolean key value
common.configuration.Configuration.get_float key default_value
common.configuration.Configuration.set_float key value
common.configuration.Configuration.get_bytearray key default_value
common.configuration.Configuration.set_bytearray key value
common.configuration.Configuration.key_set
common.configuration.Configuration.add_all other prefix=None
common.configuration.Configuration.add_all_to_dict target_dict
common.configuration.Configuration.contains_key key
common.configuration.Configuration.remove_config key
common.configuration.Configuration.to_dict
common.time.Time.milliseconds milliseconds
common.time.Time.seconds seconds
common.time.Time.minutes minutes
common.time.Time.hours hours
common.time.Time.days days
common.time.Duration.of_days days
common.time.Duration.of_hours hours
common.time.Duration.of_minutes minutes
common.time.Duration.of_seconds seconds
common.time.Duration.of_millis millis
common.time.Duration.of_nanos nanos
common.time.Instant.__init__ seconds nanos
common.time.Instant.of_epoch_milli epoch_milli
common.watermark_strategy.TimestampAssigner.extract_timestamp value record_timestamp
common.watermark_strategy.WatermarkStrategy.for_monotonous_timestamps
common.watermark_strategy.WatermarkStrategy.for_bounded_out_of_orderness max_out_of_orderness
common.watermark_strategy.WatermarkStrategy.no_watermarks
common.watermark_strategy.WatermarkStrategy.with_timestamp_assigner timestamp_assigner
common.watermark_strategy.WatermarkStrategy.with_idleness idle_timeout
common.watermark_strategy.WatermarkStrategy.with_watermark_alignment watermark_group max_allowed_watermark_drift \
update_interval=None
common.typeinfo.RowTypeInfo.__init__ field_types field_names=None
common.typeinfo.Types.ROW field_types
common.typeinfo.Types.ROW_NAMED field_names field_types
common.typeinfo.Types.TUPLE field_types
common.typeinfo.Types.PRIMITIVE_ARRAY element_type
common.typeinfo.Types.BASIC_ARRAY element_type
common.typeinfo.Types.OBJECT_ARRAY element_type
common.typeinfo.Types.MAP key_type_info value_type_info
common.typeinfo.Types.LIST element_type_info
common.serialization.SimpleStringSchema.__init__ charset='UTF-8'
common.serialization.Encoder.simple_string_encoder charset_name='UTF-8'
common.serializer.TypeSerializer.serialize element stream
common.serializer.TypeSerializer.deserialize stream
datastream.output_tag.OutputTag.__init__ tag_id type_info=None
datastream.functions.Function.open runtime_context
datastream.functions.Function.close
datastream.functions.MapFunction.map value
datastream.functions.CoMapFunction.map1 value
datastream.functions.CoMapFunction.map2 value
datastream.functions.FlatMapFunction.flat_map value
datastream.functions.CoFlatMapFunction.flat_map1 value
datastream.functions.CoFlatMapFunction.flat_map2 value
datastream.functions.FilterFunction.filter value
datastream.functions.ReduceFunction.reduce value1 value2
datastream.functions.KeySelector.get_key value
datastream.functions.Partitioner.partition key num_partitions
datastream.functions.AggregateFunction.create_accumulator
datastream.functions.AggregateFunction.add value accumulator
datastream.functions.AggregateFunction.get_result accumulator
datastream.functions.AggregateFunction.merge acc_a acc_b
datastream.functions.ProcessFunction.process_element value ctx
datastream.functions.KeyedProcessFunction.process_element value ctx
datastream.functions.KeyedProcessFunction.on_timer timestamp ctx
datastream.functions.CoProcessFunction.process_element1 value ctx
datastream.functions.CoProcessFunction.process_element2 value ctx
datastream.functions.KeyedCoProcessFunction.process_element1 value ctx
datastream.functions.KeyedCoProcessFunction.process_element2 value ctx
datastream.functions.KeyedCoProcessFunction.on_timer timestamp ctx
datastream.functions.BroadcastProcessFunction.process_element value ctx
datastream.functions.BroadcastProcessFunction.process_broadcast_element value ctx
datastream.functions.KeyedBroadcastProcessFunction.process_element value ctx
datastream.functions.KeyedBroadcastProcessFunction.process_broadcast_element value ctx
datastream.functions.KeyedBroadcastProcessFunction.on_timer timestamp ctx
datastream.functions.BaseBroadcastProcessFunction.Context.get_broadcast_state state_descriptor
datastream.functions.BaseBroadcastProcessFunction.ReadOnlyContext.get_broadcast_state state_descriptor
datastream.functions.WindowFunction.apply key window inputs
datastream.functions.AllWindowFunction.apply window inputs
datastream.functions.ProcessWindowFunction.process key context elements
datastream.functions.ProcessWindowFunction.clear context
datastream.functions.ProcessAllWindowFunction.process context elements
datastream.functions.ProcessAllWindowFunction.clear context
datastream.functions.AsyncFunction.async_invoke value
datastream.functions.AsyncFunction.timeout value
datastream.functions.AsyncBatchFunction.async_invoke_batch inputs
datastream.functions.AsyncBatchFunction.timeout_batch inputs
datastream.functions.AsyncRetryStrategy.can_retry current_attempts
datastream.functions.AsyncRetryStrategy.get_backoff_time_millis current_attempts
datastream.functions.AsyncRetryStrategy.no_restart
datastream.functions.AsyncRetryStrategy.fixed_delay max_attempts backoff_time_millis result_predicate \
exception_predicate
datastream.functions.AsyncRetryStrategy.exponential_backoff max_attempts initial_delay max_retry_delay multiplier \
result_predicate exception_predicate
datastream.functions.RuntimeContext.get_job_parameter key default_value
datastream.functions.RuntimeContext.get_state state_descriptor
datastream.functions.RuntimeContext.get_list_state state_descriptor
datastream.functions.RuntimeContext.get_map_state state_descriptor
datastream.functions.RuntimeContext.get_reducing_state state_descriptor
datastream.functions.RuntimeContext.get_aggregating_state state_descriptor
datastream.timerservice.TimerService.register_processing_time_timer timestamp
datastream.timerservice.TimerService.register_event_time_timer timestamp
datastream.timerservice.TimerService.delete_processing_time_timer timestamp
datastream.timerservice.TimerService.delete_event_time_timer timestamp
datastream.state.ValueStateDescriptor.__init__ name value_type_info
datastream.state.ListStateDescriptor.__init__ name elem_type_info
datastream.state.MapStateDescriptor.__init__ name key_type_info value_type_info
datastream.state.ReducingStateDescriptor.__init__ name reduce_function type_info
datastream.state.AggregatingStateDescriptor.__init__ name agg_function state_type_info
datastream.state.StateDescriptor.enable_time_to_live ttl_config
datastream.state.StateTtlConfig.new_builder ttl
datastream.state.StateTtlConfig.Builder.cleanup_incrementally cleanup_size run_cleanup_for_every_record
datastream.state.StateTtlConfig.Builder.cleanup_in_rocksdb_compact_filter query_time_after_num_entries \
periodic_compaction_time=Duration.of_millis(2592000000)
datastream.state.MapState.put_all dict_value
datastream.state.ListState.add_all values
datastream.window.TimeWindow.__init__ start end
datastream.window.CountWindow.__init__ id
datastream.window.TimeWindow.get_window_start_with_offset timestamp offset window_size
datastream.window.TimeWindow.merge_windows windows callback
datastream.window.TumblingEventTimeWindows.__init__ size offset
datastream.window.TumblingEventTimeWindows.of size offset=None
datastream.window.TumblingProcessingTimeWindows.of size offset=None
datastream.window.SlidingEventTimeWindows.__init__ size slide offset
datastream.window.SlidingEventTimeWindows.of size slide offset=None
datastream.window.SlidingProcessingTimeWindows.of size slide offset=None
datastream.window.EventTimeSessionWindows.__init__ session_gap
datastream.window.EventTimeSessionWindows.with_gap size
datastream.window.EventTimeSessionWindows.with_dynamic_gap extractor
datastream.window.ProcessingTimeSessionWindows.with_gap size
datastream.window.ProcessingTimeSessionWindows.with_dynamic_gap extractor
datastream.window.DynamicEventTimeSessionWindows.__init__ session_window_time_gap_extractor
datastream.window.DynamicProcessingTimeSessionWindows.with_dynamic_gap extractor
datastream.window.CountTumblingWindowAssigner.of window_size
datastream.window.CountSlidingWindowAssigner.of window_size window_slide
datastream.window.SessionWindowTimeGapExtractor.extract element
datastream.window.WindowAssigner.assign_windows element timestamp context
datastream.window.WindowAssigner.get_default_trigger env
datastream.window.MergingWindowAssigner.merge_windows windows callback
datastream.window.MergingWindowAssigner.MergeCallback.merge to_be_merged merge_result
datastream.window.Trigger.on_element element timestamp window ctx
datastream.window.Trigger.on_processing_time time window ctx
datastream.window.Trigger.on_event_time time window ctx
datastream.window.Trigger.on_merge window ctx
datastream.window.Trigger.clear window ctx
datastream.window.Trigger.TriggerContext.get_partitioned_state state_descriptor
datastream.window.Trigger.OnMergeContext.merge_partitioned_state state_descriptor
datastream.window.ContinuousEventTimeTrigger.of interval
datastream.window.ContinuousProcessingTimeTrigger.of interval
datastream.window.CountTrigger.of window_size
datastream.window.PurgingTrigger.of nested_trigger
"""

# Classes that cannot be instantiated, and what they lack.
ABSTRACT = {
    f.MapFunction: "map",
    f.CoMapFunction: "map1 map2",
    f.FlatMapFunction: "flat_map",
    f.CoFlatMapFunction: "flat_map1 flat_map2",
    f.FilterFunction: "filter",
    f.ReduceFunction: "reduce",
    f.KeySelector: "get_key",
    f.Partitioner: "partition",
    f.AggregateFunction: "add create_accumulator get_result merge",
    f.ProcessFunction: "process_element",
    f.KeyedProcessFunction: "process_element",
    f.CoProcessFunction: "process_element1 process_element2",
    f.KeyedCoProcessFunction: "process_element1 process_element2",
    f.BroadcastProcessFunction: "process_broadcast_element process_element",
    f.KeyedBroadcastProcessFunction: "process_broadcast_element process_element",
    f.WindowFunction: "apply",
    f.AllWindowFunction: "apply",
    f.ProcessWindowFunction: "process",
    f.ProcessAllWindowFunction: "process",
    f.AsyncFunction: "async_invoke",
    f.AsyncBatchFunction: "async_invoke_batch",
    f.JoinFunction: "join",
    f.FlatJoinFunction: "join",
    f.CoGroupFunction: "co_group",
    f.ProcessJoinFunction: "process_element",
    f.ProcessFunction.Context: "timer_service timestamp",
    f.KeyedProcessFunction.Context: "get_current_key timer_service timestamp",
    f.KeyedProcessFunction.OnTimerContext: "get_current_key time_domain timer_service timestamp",
    f.CoProcessFunction.Context: "timer_service timestamp",
    f.KeyedCoProcessFunction.OnTimerContext: "get_current_key time_domain timer_service timestamp",
    f.BroadcastProcessFunction.Context: "current_processing_time current_watermark get_broadcast_state timestamp",
    f.KeyedBroadcastProcessFunction.ReadOnlyContext: "current_processing_time current_watermark get_broadcast_state "
    "get_current_key timer_service timestamp",
    f.KeyedBroadcastProcessFunction.OnTimerContext: "current_processing_time current_watermark get_broadcast_state "
    "get_current_key time_domain timer_service timestamp",
    f.ProcessWindowFunction.Context: "current_processing_time current_watermark global_state window window_state",
    f.ProcessAllWindowFunction.Context: "global_state window window_state",
}


def parameters(path: str) -> str:
    """The parameters of what stands at a path below clutch."""
    parts = path.split(".")
    value: Any = importlib.import_module("clutch." + ".".join(parts[:2]))
    owner = None
    for part in parts[2:]:
        owner, value = value, inspect.getattr_static(value, part) if inspect.isclass(value) else getattr(value, part)
    function = value.__func__ if isinstance(value, staticmethod) else value
    found = list(inspect.signature(function).parameters.values())
    if inspect.isclass(owner) and not isinstance(value, staticmethod):
        found = found[1:]
    return " ".join(p.name if p.default is p.empty else "%s=%r" % (p.name, p.default) for p in found)


class SurfaceTest(TestCase):
    def test_signatures(self) -> None:
        for line in SIGNATURES.split("\n"):
            if line:
                path, _, expected = line.partition(" ")
                with self.subTest(path):
                    # Methods that a class inherits are found on the class that has them.
                    try:
                        found = parameters(path)
                    except AttributeError:
                        self.fail("there is no clutch.%s" % path)
                    self.assertEqual(found, expected)

    def test_abstract_classes(self) -> None:
        for cls, methods in ABSTRACT.items():
            with self.subTest(cls.__qualname__):
                self.assertEqual(sorted(cls.__abstractmethods__), methods.split())
                with self.assertRaisesRegex(TypeError, "abstract"):
                    cls()

    def test_names(self) -> None:
        for name in (
            "async_retry_predicates async_retry_strategies checkpoint_config checkpointing_mode execution_mode "
            "externalized_checkpoint_retention functions output_tag state time_characteristic time_domain timerservice "
            "window"
        ).split():
            module = importlib.import_module("clutch.datastream." + name)
            for exported in module.__all__:
                self.assertTrue(hasattr(module, exported), (name, exported))

    def test_enums(self) -> None:
        import clutch.datastream as d

        members = {
            d.TimeCharacteristic: "ProcessingTime IngestionTime EventTime",
            d.TimeDomain: "EVENT_TIME PROCESSING_TIME",
            d.RuntimeExecutionMode: "STREAMING BATCH AUTOMATIC",
            d.CheckpointingMode: "EXACTLY_ONCE AT_LEAST_ONCE",
            d.ExternalizedCheckpointRetention: "DELETE_ON_CANCELLATION RETAIN_ON_CANCELLATION "
            "NO_EXTERNALIZED_CHECKPOINTS",
        }
        for enum, names in members.items():
            self.assertEqual([(m.name, m.value) for m in enum], [(n, i) for i, n in enumerate(names.split())])
        self.assertIs(d.ExternalizedCheckpointCleanup, d.ExternalizedCheckpointRetention)


class Sum(f.ReduceFunction):
    def reduce(self, value1: int, value2: int) -> int:
        return value1 + value2


class Numbers(SourceFunction):
    def __init__(self, count: int) -> None:
        self.count = count

    def run(self, ctx: SourceFunction.SourceContext) -> None:
        for number in range(self.count):
            ctx.collect(number)

    def cancel(self) -> None:
        self.count = 0


class FunctionTest(TestCase):
    def test_open_and_close_need_not_be_defined(self) -> None:
        function = Sum()
        self.assertIsNone(function.open(None))
        self.assertIsNone(function.close())

    def test_callables(self) -> None:
        for wrapper, function, arguments, method in (
            (f.MapFunctionWrapper, abs, (-1,), "map"),
            (f.FlatMapFunctionWrapper, range, (2,), "flat_map"),
            (f.FilterFunctionWrapper, bool, (3,), "filter"),
            (f.ReduceFunctionWrapper, max, (1, 2), "reduce"),
            (f.KeySelectorFunctionWrapper, len, ("abc",), "get_key"),
            (f.PartitionerFunctionWrapper, divmod, (7, 4), "partition"),
        ):
            if not isinstance(function, type):
                wrapped = wrapper(function)
                self.assertIsInstance(wrapped, wrapper.__bases__[-1])
                self.assertEqual(getattr(wrapped, method)(*arguments), function(*arguments))
        self.assertEqual(f.FlatMapFunctionWrapper(lambda n: range(n)).flat_map(2), range(2))
        self.assertEqual(f.FilterFunctionWrapper(lambda n: n > 2).filter(3), True)

    def test_refused_callables(self) -> None:
        self.refused(
            TypeError,
            "expected an instance of ReduceFunction or a function, got 5 of type int",
            lambda: f.ReduceFunctionWrapper(5),
        )
        self.refused(
            TypeError,
            "expected an instance of ReduceFunction or a function, got %r of type ABCMeta; pass an instance of the "
            "class" % Sum,
            lambda: f.ReduceFunctionWrapper(Sum),
        )

    def test_sources_and_sinks_of_java_are_refused(self) -> None:
        for cls, methods in ((SourceFunction, "run(ctx)"), (SinkFunction, "invoke(value, context)")):
            text = "%s cannot be made of a Java class: Clutch runs no Java; derive a class from it and define %s" % (
                cls.__name__,
                methods,
            )
            self.refused(TypeError, text, lambda cls=cls: cls("org.example.Thing"))

    def test_sources_in_python(self) -> None:
        seen: list = []
        context = type("Context", (), {"collect": staticmethod(seen.append)})()
        pickle.loads(pickle.dumps(Numbers(3))).run(context)
        self.assertEqual(seen, [0, 1, 2])

    def test_contexts_are_told_by_their_methods(self) -> None:
        def make(names: str) -> Any:
            return type("Runtime", (), {name: lambda self: None for name in names.split()})()

        timer = make("get_current_key timer_service timestamp time_domain")
        element = make("get_current_key timer_service timestamp")
        self.assertIsInstance(timer, f.KeyedProcessFunction.OnTimerContext)
        self.assertIsInstance(timer, f.KeyedProcessFunction.Context)
        self.assertIsInstance(element, f.ProcessFunction.Context)
        self.assertNotIsInstance(element, f.KeyedProcessFunction.OnTimerContext)
        self.assertNotIsInstance(object(), f.ProcessFunction.Context)
        names = " ".join(f.RuntimeContext.__abstractmethods__)
        self.assertIsInstance(make(names), f.RuntimeContext)
        self.assertNotIsInstance(make(names.replace("get_metrics_group", "")), f.RuntimeContext)


class Lookup(AsyncFunction):
    async def async_invoke(self, value: int) -> list:
        return [value, value]


class LookupMany(f.AsyncBatchFunction):
    async def async_invoke_batch(self, inputs: list) -> list:
        return inputs


class AsyncTest(TestCase):
    def test_call_and_timeout(self) -> None:
        self.assertEqual(asyncio.run(Lookup().async_invoke(3)), [3, 3])
        self.refused(
            TimeoutError,
            "Lookup took longer than the timeout for the element 'x'; give the operator a longer one, or define "
            "timeout(value) to give results",
            lambda: Lookup().timeout("x"),
        )
        self.refused(
            TimeoutError,
            "LookupMany took longer than the timeout for 2 elements, the first being 'x'; give the operator a longer "
            "one, or define timeout_batch(inputs) to give results",
            lambda: LookupMany().timeout_batch(["x", "y"]),
        )

    def test_never(self) -> None:
        self.assertIs(AsyncRetryStrategy.no_restart(), NO_RETRY_STRATEGY)
        self.assertFalse(NO_RETRY_STRATEGY.can_retry(1))
        self.assertEqual(NO_RETRY_STRATEGY.get_backoff_time_millis(1), -1)
        predicate = NO_RETRY_STRATEGY.get_retry_predicate()
        self.assertEqual((predicate.result_predicate(), predicate.exception_predicate()), (None, None))

    def test_fixed_delay(self) -> None:
        strategy = AsyncRetryStrategy.fixed_delay(2, 100, empty_result_predicate, has_exception_predicate)
        self.assertEqual([strategy.can_retry(n) for n in (1, 2, 3)], [True, True, False])
        self.assertEqual([strategy.get_backoff_time_millis(n) for n in (1, 2)], [100, 100])
        predicate = strategy.get_retry_predicate()
        self.assertIs(predicate.result_predicate(), empty_result_predicate)
        self.assertIs(predicate.exception_predicate(), has_exception_predicate)

    def test_exponential_backoff(self) -> None:
        strategy = AsyncRetryStrategy.exponential_backoff(9, 100, 500, 1.5, None, None)
        self.assertEqual([strategy.get_backoff_time_millis(n) for n in range(1, 7)], [100, 150, 225, 337, 500, 500])
        # Calls that share the strategy do not disturb each other.
        self.assertEqual([strategy.get_backoff_time_millis(n) for n in (3, 1, 3)], [225, 100, 225])
        self.assertEqual(strategy.get_backoff_time_millis(10**9), 500)

    def test_predicates(self) -> None:
        self.assertEqual([empty_result_predicate(r) for r in (None, [], [None])], [True, True, False])
        self.assertEqual([has_exception_predicate(e) for e in (None, ValueError())], [False, True])
        self.assertTrue(exception_type_predicate(KeyError(), LookupError))
        self.assertFalse(exception_type_predicate(KeyError(), ValueError))

    def test_refusals(self) -> None:
        self.refused(
            ValueError,
            "max_attempts of a retry strategy must be a number above 0, got 0",
            lambda: AsyncRetryStrategy.fixed_delay(0, 1, None, None),
        )
        self.refused(
            ValueError,
            "multiplier of a retry strategy must be a number above 0, got nan",
            lambda: AsyncRetryStrategy.exponential_backoff(1, 1, 1, float("nan"), None, None),
        )
        self.refused(
            TypeError,
            "the result_predicate of a retry strategy must be a function or None, got 5",
            lambda: RetryPredicate(5, None),
        )


class OutputTagTest(TestCase):
    def test_types(self) -> None:
        self.assertEqual(OutputTag("a").type_info, Types.PICKLED_BYTE_ARRAY())
        self.assertEqual(OutputTag("a", [Types.INT()]).type_info, Types.ROW([Types.INT()]))
        self.assertEqual(repr(OutputTag("late", Types.INT())), "OutputTag('late', Integer)")

    def test_tags_are_values(self) -> None:
        tags = {OutputTag("a", Types.INT()): 1}
        self.assertIn(pickle.loads(pickle.dumps(OutputTag("a", Types.INT()))), tags)
        self.assertNotIn(OutputTag("a", Types.LONG()), tags)
        self.assertNotEqual(OutputTag("a"), OutputTag("b"))
        self.assertNotEqual(OutputTag("a"), "a")

    def test_refusals(self) -> None:
        for bad in ("", None, 5):
            self.refused(
                ValueError,
                "the tag_id of an OutputTag must be a str that is not empty, got %r" % (bad,),
                lambda bad=bad: OutputTag(bad),
            )
        self.refused(
            TypeError,
            "the type of OutputTag 'a' must be a type such as Types.STRING(), or a list of types for a ROW, got 'INT' "
            "of type str",
            lambda: OutputTag("a", "INT"),
        )


if __name__ == "__main__":
    unittest.main()
