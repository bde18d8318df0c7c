"""clutch.datastream.state: descriptors and their plain data, the time to live, handles of state."""

from __future__ import annotations

import json
import pickle
import unittest
from typing import Any, Dict, Iterable

from support import TestCase

# isort: split
from clutch.common import Duration, Time, Types
from clutch.datastream.functions import AggregateFunction, ReduceFunction
from clutch.datastream.state import (
    AggregatingStateDescriptor,
    BroadcastState,
    ListState,
    ListStateDescriptor,
    MapState,
    MapStateDescriptor,
    ReadOnlyBroadcastState,
    ReducingStateDescriptor,
    StateTtlConfig,
    ValueState,
    ValueStateDescriptor,
)


class Longest(ReduceFunction):
    def reduce(self, value1: str, value2: str) -> str:
        return max(value1, value2, key=len)


class Mean(AggregateFunction):
    def create_accumulator(self) -> tuple:
        return 0, 0

    def add(self, value: int, accumulator: tuple) -> tuple:
        return accumulator[0] + value, accumulator[1] + 1

    def get_result(self, accumulator: tuple) -> float:
        return accumulator[0] / accumulator[1]

    def merge(self, acc_a: tuple, acc_b: tuple) -> tuple:
        return acc_a[0] + acc_b[0], acc_a[1] + acc_b[1]


class DescriptorTest(TestCase):
    def test_plain(self) -> None:
        accumulator = Types.TUPLE([Types.LONG(), Types.LONG()])
        for descriptor, plain in (
            (ValueStateDescriptor("v", Types.LONG()), {"sort": "value", "value_type": "BIGINT"}),
            (ValueStateDescriptor("v", Types.PICKLED_BYTE_ARRAY()), {"sort": "value", "value_type": None}),
            (ListStateDescriptor("v", Types.STRING()), {"sort": "list", "value_type": "STRING"}),
            (
                MapStateDescriptor("v", Types.STRING(), Types.PICKLED_BYTE_ARRAY()),
                {"sort": "map", "key_type": "STRING", "value_type": None},
            ),
            (ReducingStateDescriptor("v", Longest(), Types.STRING()), {"sort": "reducing", "value_type": "STRING"}),
            (
                AggregatingStateDescriptor("v", Mean(), accumulator),
                {"sort": "aggregating", "value_type": "ROW<f0 BIGINT, f1 BIGINT>"},
            ),
        ):
            with self.subTest(repr(descriptor)):
                expected: Dict[str, Any] = {"name": "v", "ttl": None, **plain}
                self.assertEqual(descriptor.plain(), expected)
                self.assertEqual(json.loads(json.dumps(descriptor.plain())), expected)
                self.assertEqual(pickle.loads(pickle.dumps(descriptor)).plain(), expected)
                self.assertEqual((descriptor.name, descriptor.get_name()), ("v", "v"))

    def test_types(self) -> None:
        self.assertEqual(ListStateDescriptor("v", Types.INT()).type_info, Types.LIST(Types.INT()))
        described = MapStateDescriptor("v", Types.INT(), Types.STRING())
        self.assertEqual(described.type_info, Types.MAP(Types.INT(), Types.STRING()))
        self.assertEqual(repr(described), "MapStateDescriptor('v', MapTypeInfo<Integer, String>)")

    def test_functions(self) -> None:
        self.assertEqual(
            ReducingStateDescriptor("v", Longest(), Types.STRING()).get_reduce_function().reduce("a", "bc"), "bc"
        )
        plain = ReducingStateDescriptor("v", lambda a, b: a + b, Types.LONG()).get_reduce_function()
        self.assertIsInstance(plain, ReduceFunction)
        self.assertEqual(plain.reduce(1, 2), 3)
        mean = AggregatingStateDescriptor("v", Mean(), Types.PICKLED_BYTE_ARRAY()).get_agg_function()
        self.assertEqual(mean.get_result(mean.add(3, mean.add(2, mean.create_accumulator()))), 2.5)

    def test_refusals(self) -> None:
        self.refused(
            ValueError,
            "the name of a state must be a str that is not empty, got ''",
            lambda: ValueStateDescriptor("", Types.INT()),
        )
        self.refused(
            TypeError,
            "the type of state 'v' must be a type such as Types.LONG(), got <class 'int'> of type type",
            lambda: ValueStateDescriptor("v", int),
        )
        self.refused(
            TypeError,
            "the element type of state 'v' must be a type such as Types.LONG(), got None of type NoneType",
            lambda: ListStateDescriptor("v", None),
        )
        self.refused(
            TypeError,
            "the value type of state 'v' must be a type such as Types.LONG(), got 'INT' of type str",
            lambda: MapStateDescriptor("v", Types.INT(), "INT"),
        )
        self.refused(
            TypeError,
            "expected an instance of ReduceFunction or a function, got 'max' of type str",
            lambda: ReducingStateDescriptor("v", "max", Types.INT()),
        )
        self.refused(
            TypeError,
            "the function of aggregating state 'v' must be an instance of a class derived from "
            "clutch.datastream.functions.AggregateFunction, got %r of type builtin_function_or_method" % max,
            lambda: AggregatingStateDescriptor("v", max, Types.INT()),
        )
        self.refused(
            TypeError,
            "enable_time_to_live of state 'v' takes a StateTtlConfig, got Time.milliseconds(1000); make one with "
            "StateTtlConfig.new_builder(Time.hours(1)).build()",
            lambda: ValueStateDescriptor("v", Types.INT()).enable_time_to_live(Time.seconds(1)),
        )


class TtlTest(TestCase):
    def test_defaults(self) -> None:
        config = StateTtlConfig.new_builder(Time.seconds(5)).build()
        self.assertIs(config.get_update_type(), StateTtlConfig.UpdateType.OnCreateAndWrite)
        self.assertIs(config.get_state_visibility(), StateTtlConfig.StateVisibility.NeverReturnExpired)
        self.assertIs(config.get_ttl_time_characteristic(), StateTtlConfig.TtlTimeCharacteristic.ProcessingTime)
        self.assertEqual((config.get_ttl(), config.is_enabled()), (Time.seconds(5), True))
        self.assertEqual(
            config.plain(),
            {
                "ms": 5000,
                "update": "create_and_write",
                "return_expired": False,
                "full_snapshot": False,
                "incremental": {"size": 5, "every_row": False},
                "compaction": {"entries": 1000, "period_ms": 30 * 86400000},
            },
        )
        self.assertEqual(
            repr(config),
            "StateTtlConfig<OnCreateAndWrite, NeverReturnExpired, ProcessingTime, Time.milliseconds(5000)>",
        )

    def test_all_options(self) -> None:
        config = (
            StateTtlConfig.new_builder(Duration.of_seconds(1))
            .set_ttl(Time.milliseconds(7))
            .update_ttl_on_read_and_write()
            .return_expired_if_not_cleaned_up()
            .use_processing_time()
            .cleanup_full_snapshot()
            .cleanup_incrementally(10, True)
            .cleanup_in_rocksdb_compact_filter(50, Duration.of_days(1))
            .disable_cleanup_in_background()
            .build()
        )
        expected = {
            "ms": 7,
            "update": "read_and_write",
            "return_expired": True,
            "full_snapshot": True,
            "incremental": {"size": 10, "every_row": True},
            "compaction": {"entries": 50, "period_ms": 86400000},
        }
        self.assertEqual(config.plain(), expected)
        self.assertEqual(pickle.loads(pickle.dumps(config)).plain(), expected)
        strategies = config.get_cleanup_strategies()
        self.assertFalse(strategies.is_cleanup_in_background())
        self.assertTrue(strategies.in_full_snapshot())
        self.assertEqual(strategies.get_incremental_cleanup_strategy().get_cleanup_size(), 10)

    def test_nothing_is_removed_in_the_background_where_that_is_disabled(self) -> None:
        config = StateTtlConfig.new_builder(Time(1)).disable_cleanup_in_background().build()
        plain = config.plain()
        self.assertEqual((plain["incremental"], plain["compaction"], plain["full_snapshot"]), (None, None, False))
        self.assertFalse(config.get_cleanup_strategies().in_rocksdb_compact_filter())

    def test_a_builder_goes_on_after_build(self) -> None:
        builder = StateTtlConfig.new_builder(Time(1)).disable_cleanup_in_background()
        first = builder.build()
        second = builder.cleanup_full_snapshot().never_return_expired().update_ttl_on_create_and_write().build()
        self.assertEqual((first.plain()["full_snapshot"], second.plain()["full_snapshot"]), (False, True))

    def test_descriptors_carry_it(self) -> None:
        descriptor = ValueStateDescriptor("v", Types.INT())
        descriptor.enable_time_to_live(StateTtlConfig.new_builder(Time(9)).build())
        self.assertEqual(descriptor.plain()["ttl"]["ms"], 9)
        disabled = StateTtlConfig.new_builder(Time(9)).set_update_type(StateTtlConfig.UpdateType.Disabled).build()
        self.assertFalse(disabled.is_enabled())
        self.assertEqual(disabled.plain()["update"], "disabled")
        descriptor.enable_time_to_live(disabled)
        self.assertIsNone(descriptor.plain()["ttl"])

    def test_enums(self) -> None:
        self.assertEqual(
            [member.name for member in StateTtlConfig.UpdateType], ["Disabled", "OnCreateAndWrite", "OnReadAndWrite"]
        )
        self.assertEqual(
            [member.name for member in StateTtlConfig.StateVisibility],
            ["ReturnExpiredIfNotCleanedUp", "NeverReturnExpired"],
        )
        for member in StateTtlConfig.UpdateType:
            self.assertIs(pickle.loads(pickle.dumps(member)), member)

    def test_refusals(self) -> None:
        self.refused(
            TypeError,
            "the time to live of state must be a Time or a Duration, such as Time.seconds(5), got 5 of type int",
            lambda: StateTtlConfig.new_builder(5),
        )
        self.refused(
            ValueError,
            "the time to live of state must be at least 1 ms, got Time.milliseconds(0)",
            lambda: StateTtlConfig.new_builder(Time(0)),
        )
        builder = StateTtlConfig.new_builder(Time(1))
        self.refused(
            TypeError,
            "the update type must be one of Disabled, OnCreateAndWrite, OnReadAndWrite of StateTtlConfig, got 1",
            lambda: builder.set_update_type(1),
        )
        self.refused(
            ValueError,
            "cleanup_size must be an int of at least 1, got 0",
            lambda: builder.cleanup_incrementally(0, False),
        )
        self.refused(
            ValueError,
            "query_time_after_num_entries must be an int of at least 0, got -1",
            lambda: builder.cleanup_in_rocksdb_compact_filter(-1),
        )


class Memory(MapState):
    """Map state on a dict, which defines only what the interface asks for."""

    def __init__(self) -> None:
        self.held: dict = {}

    def clear(self) -> None:
        self.held.clear()

    def get(self, key: Any) -> Any:
        return self.held.get(key)

    def put(self, key: Any, value: Any) -> None:
        self.held[key] = value

    def put_all(self, dict_value: dict) -> None:
        self.held.update(dict_value)

    def remove(self, key: Any) -> None:
        self.held.pop(key, None)

    def contains(self, key: Any) -> bool:
        return key in self.held

    def items(self) -> Iterable[Any]:
        return self.held.items()

    def keys(self) -> Iterable[Any]:
        return self.held.keys()

    def values(self) -> Iterable[Any]:
        return self.held.values()

    def is_empty(self) -> bool:
        return not self.held


class HandleTest(TestCase):
    def test_a_map_has_the_signs_of_a_dict(self) -> None:
        state = Memory()
        state["a"] = 1
        state.put_all({"b": 2, "c": 3})
        del state["c"]
        del state["never there"]
        self.assertEqual((state["a"], state["nothing"], "b" in state, "c" in state), (1, None, True, False))
        self.assertEqual(sorted(state), ["a", "b"])

    def test_handles_are_told_by_their_methods(self) -> None:
        names = "clear get contains items keys values is_empty"
        read_only = type("ReadOnly", (), {name: lambda self: None for name in names.split()})()
        self.assertIsInstance(read_only, ReadOnlyBroadcastState)
        self.assertNotIsInstance(read_only, BroadcastState)
        self.assertIsInstance(Memory(), BroadcastState)
        value = type("Value", (), {name: lambda self: None for name in ("value", "update", "clear")})()
        self.assertIsInstance(value, ValueState)
        self.assertNotIsInstance(value, ListState)
        self.assertNotIsInstance({}, MapState)
        self.assertNotIsInstance([], ListState)


class RuntimeFactsTest(TestCase):
    """What runtimes read of descriptors."""

    def test_types(self) -> None:
        pair = Types.TUPLE([Types.LONG(), Types.STRING()])
        for descriptor, types in (
            (ValueStateDescriptor("a", Types.LONG()), ("int64",)),
            (ValueStateDescriptor("a", pair), ("tuple<f0: int64, f1: string>",)),
            (ValueStateDescriptor("a", Types.PICKLED_BYTE_ARRAY()), (None,)),
            (ValueStateDescriptor("a", Types.ROW([Types.BIG_INT()])), (None,)),
            (ListStateDescriptor("a", Types.STRING()), ("string",)),
            (MapStateDescriptor("a", Types.STRING(), Types.PICKLED_BYTE_ARRAY()), ("string", None)),
            (ReducingStateDescriptor("a", Longest(), Types.STRING()), ("string",)),
        ):
            self.assertEqual((descriptor.name, descriptor.clutch_types), ("a", types))
        self.assertIsInstance(ReducingStateDescriptor("a", max, Types.LONG()).reduce_function, ReduceFunction)

    def test_time_to_live(self) -> None:
        descriptor = ValueStateDescriptor("a", Types.LONG())
        facts = (descriptor.clutch_ttl_ms, descriptor.clutch_ttl_update, descriptor.clutch_ttl_visibility)
        self.assertEqual(facts, (0, 0, 0))
        builder = StateTtlConfig.new_builder(Time.seconds(2)).update_ttl_on_read_and_write()
        descriptor.enable_time_to_live(builder.return_expired_if_not_cleaned_up().build())
        facts = (descriptor.clutch_ttl_ms, descriptor.clutch_ttl_update, descriptor.clutch_ttl_visibility)
        self.assertEqual(facts, (2000, 1, 1))
        disabled = StateTtlConfig.new_builder(Time.seconds(2)).set_update_type(StateTtlConfig.UpdateType.Disabled)
        descriptor.enable_time_to_live(disabled.build())
        self.assertEqual(descriptor.clutch_ttl_ms, 0)


if __name__ == "__main__":
    unittest.main()
