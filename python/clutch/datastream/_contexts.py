"""What functions are opened with: the task they run in, its metrics, and access to state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Optional

from clutch._interfaces import told_by_methods
from clutch.datastream.state import (
    AggregatingState,
    AggregatingStateDescriptor,
    ListState,
    ListStateDescriptor,
    MapState,
    MapStateDescriptor,
    ReducingState,
    ReducingStateDescriptor,
    ValueState,
    ValueStateDescriptor,
)
from clutch.metrics import MetricGroup


@told_by_methods
class KeyedStateStore(ABC):
    """Gives the state of the current key. A name stands for one state; asking for it as another sort is an error."""

    @abstractmethod
    def get_state(self, state_descriptor: ValueStateDescriptor) -> ValueState[Any]:
        """The value state of that description."""

    @abstractmethod
    def get_list_state(self, state_descriptor: ListStateDescriptor) -> ListState[Any]:
        """The list state of that description."""

    @abstractmethod
    def get_map_state(self, state_descriptor: MapStateDescriptor) -> MapState[Any, Any]:
        """The map state of that description."""

    @abstractmethod
    def get_reducing_state(self, state_descriptor: ReducingStateDescriptor) -> ReducingState[Any]:
        """The reducing state of that description."""

    @abstractmethod
    def get_aggregating_state(self, state_descriptor: AggregatingStateDescriptor) -> AggregatingState[Any, Any]:
        """The aggregating state of that description."""


@told_by_methods
class RuntimeContext(KeyedStateStore):
    """What open() of a function receives. The runtime has its own class; isinstance tells it by its methods."""

    @abstractmethod
    def get_task_name(self) -> str:
        """The name of the task."""

    @abstractmethod
    def get_number_of_parallel_subtasks(self) -> int:
        """How many instances of the function there are."""

    @abstractmethod
    def get_max_number_of_parallel_subtasks(self) -> int:
        """How many there could be."""

    @abstractmethod
    def get_index_of_this_subtask(self) -> int:
        """Which of the instances this is, from 0."""

    @abstractmethod
    def get_attempt_number(self) -> int:
        """How often this subtask was started before."""

    @abstractmethod
    def get_task_name_with_subtasks(self) -> str:
        """The name, and which subtask this is of how many."""

    @abstractmethod
    def get_job_parameter(self, key: str, default_value: str) -> Optional[str]:
        """A value of pipeline.global-job-parameters, else the default."""

    @abstractmethod
    def get_metrics_group(self) -> MetricGroup:
        """The function's metrics."""
