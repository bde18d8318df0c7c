"""State: descriptors, which say what a function keeps, the time to live, and the handles that functions work with."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional, Tuple, Union

from clutch.common.time import to_millis
from clutch.common.typeinfo import ListTypeInfo, MapTypeInfo, TypeInformation
from clutch.datastream._element_types import element_text, has_pickles
from clutch.datastream._state_handles import (
    AggregatingState,
    AppendingState,
    BroadcastState,
    ListState,
    MapState,
    MergingState,
    OperatorStateStore,
    ReadOnlyBroadcastState,
    ReducingState,
    State,
    ValueState,
)
from clutch.datastream._state_ttl import StateTtlConfig

if TYPE_CHECKING:
    from clutch.datastream.functions import AggregateFunction, ReduceFunction

__all__ = [
    "AggregatingState",
    "AggregatingStateDescriptor",
    "AppendingState",
    "BroadcastState",
    "ListState",
    "ListStateDescriptor",
    "MapState",
    "MapStateDescriptor",
    "MergingState",
    "OperatorStateStore",
    "ReadOnlyBroadcastState",
    "ReducingState",
    "ReducingStateDescriptor",
    "State",
    "StateDescriptor",
    "StateTtlConfig",
    "ValueState",
    "ValueStateDescriptor",
]


def _checked(name: str, what: str, type_info: Any) -> TypeInformation:
    if not isinstance(type_info, TypeInformation):
        raise TypeError(
            "%s of state %r must be a type such as Types.LONG(), got %r of type %s"
            % (what, name, type_info, type(type_info).__name__)
        )
    return type_info


def _stored(type_info: TypeInformation) -> Optional[str]:
    text = element_text(type_info)
    return None if has_pickles(text) else text


class StateDescriptor(ABC):
    """Base of the descriptors: the name of a state, unique in its function, and the type of what it holds."""

    sort = ""

    def __init__(self, name: str, type_info: TypeInformation) -> None:
        if not isinstance(name, str) or not name:
            raise ValueError("the name of a state must be a str that is not empty, got %r" % (name,))
        self.name = name
        self.type_info = _checked(name, "the type", type_info)
        self._ttl_config: Optional[StateTtlConfig] = None

    def get_name(self) -> str:
        return self.name

    def enable_time_to_live(self, ttl_config: StateTtlConfig) -> None:
        """Let values expire."""
        if not isinstance(ttl_config, StateTtlConfig):
            raise TypeError(
                "enable_time_to_live of state %r takes a StateTtlConfig, got %r; make one with "
                "StateTtlConfig.new_builder(Time.hours(1)).build()" % (self.name, ttl_config)
            )
        self._ttl_config = ttl_config

    def _value_type(self) -> TypeInformation:
        return self.type_info

    # What runtimes read, whatever class a descriptor has (pyembed/src/python/events.py).

    @property
    def clutch_types(self) -> Tuple[Optional[str], ...]:
        """The type texts of what is stored: of maps the key's and the value's; None for what is pickled."""
        return (_stored(self._value_type()),)

    @property
    def clutch_ttl_ms(self) -> int:
        """Milliseconds from the last use until a value is gone; 0 for never."""
        ttl = self._ttl_config
        return to_millis("the time to live of state", ttl.get_ttl()) if ttl is not None and ttl.is_enabled() else 0

    @property
    def clutch_ttl_update(self) -> int:
        """What starts the time to live anew: 0 for writing, 1 for reading, too."""
        return int(self._ttl_config is not None and self._ttl_config.plain()["update"] == "read_and_write")

    @property
    def clutch_ttl_visibility(self) -> int:
        """Whether a value that expired but is still there is given: 0 for no, 1 for yes."""
        return int(self._ttl_config is not None and self._ttl_config.plain()["return_expired"])

    def plain(self) -> Dict[str, Any]:
        """What a runtime needs to know, as texts and numbers.

        ``name``; ``sort``: value, list, map, reducing or aggregating; ``value_type``: the text of the column type of
        values, elements or accumulators, None for pickled ones; for maps, ``key_type`` likewise; ``ttl``: None, or what
        StateTtlConfig.plain() gives.
        """
        ttl = self._ttl_config
        return {
            "name": self.name,
            "sort": self.sort,
            "value_type": self._value_type().type_text(),
            "ttl": ttl.plain() if ttl is not None and ttl.is_enabled() else None,
        }

    def __repr__(self) -> str:
        return "%s(%r, %s)" % (type(self).__name__, self.name, self.type_info)


class ValueStateDescriptor(StateDescriptor):
    """One value for each key."""

    sort = "value"

    def __init__(self, name: str, value_type_info: TypeInformation) -> None:
        super().__init__(name, value_type_info)


class ListStateDescriptor(StateDescriptor):
    """A list for each key."""

    sort = "list"

    def __init__(self, name: str, elem_type_info: TypeInformation) -> None:
        super().__init__(name, ListTypeInfo(_checked(name, "the element type", elem_type_info)))
        self.elem_type_info = elem_type_info

    def _value_type(self) -> TypeInformation:
        return self.elem_type_info


class MapStateDescriptor(StateDescriptor):
    """A map for each key; also describes broadcast state."""

    sort = "map"

    def __init__(self, name: str, key_type_info: TypeInformation, value_type_info: TypeInformation) -> None:
        key_type = _checked(name, "the key type", key_type_info)
        super().__init__(name, MapTypeInfo(key_type, _checked(name, "the value type", value_type_info)))
        self.key_type_info = key_type_info
        self.value_type_info = value_type_info

    @property
    def clutch_types(self) -> Tuple[Optional[str], ...]:
        return (_stored(self.key_type_info), _stored(self.value_type_info))

    def _value_type(self) -> TypeInformation:
        return self.value_type_info

    def plain(self) -> Dict[str, Any]:
        return {**super().plain(), "key_type": self.key_type_info.type_text()}


class ReducingStateDescriptor(StateDescriptor):
    """One value for each key, to which a function folds what is added."""

    sort = "reducing"

    def __init__(
        self,
        name: str,
        reduce_function: Union[ReduceFunction, Callable[[Any, Any], Any]],
        type_info: TypeInformation,
    ) -> None:
        """`reduce_function` is a ReduceFunction or a function of two values. TypeError for anything else."""
        from clutch.datastream.functions import ReduceFunction, ReduceFunctionWrapper

        super().__init__(name, type_info)
        if not isinstance(reduce_function, ReduceFunction):
            reduce_function = ReduceFunctionWrapper(reduce_function)
        self._reduce_function = reduce_function

    @property
    def reduce_function(self) -> ReduceFunction:
        return self._reduce_function

    def get_reduce_function(self) -> ReduceFunction:
        return self._reduce_function


class AggregatingStateDescriptor(StateDescriptor):
    """An accumulator for each key, of the type given; reading it gives the function's result."""

    sort = "aggregating"

    def __init__(self, name: str, agg_function: AggregateFunction, state_type_info: TypeInformation) -> None:
        """TypeError if `agg_function` is no AggregateFunction of clutch.datastream.functions."""
        from clutch.datastream.functions import AggregateFunction

        super().__init__(name, state_type_info)
        if not isinstance(agg_function, AggregateFunction):
            raise TypeError(
                "the function of aggregating state %r must be an instance of a class derived from "
                "clutch.datastream.functions.AggregateFunction, got %r of type %s"
                % (name, agg_function, type(agg_function).__name__)
            )
        self._agg_function = agg_function

    @property
    def aggregate_function(self) -> AggregateFunction:
        return self._agg_function

    def get_agg_function(self) -> AggregateFunction:
        return self._agg_function
