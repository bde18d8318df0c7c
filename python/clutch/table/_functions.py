"""The classes that user functions derive from, and the context they are opened with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, Iterable, List, Optional, TypeVar, Union

from clutch._interfaces import has_methods
from clutch.metrics import MetricGroup
from clutch.table._datatypes import DataType

T = TypeVar("T")
ACC = TypeVar("ACC")


class FunctionContext(ABC):
    """What open() of a function receives. The runtime has its own class; isinstance tells it by its methods."""

    @abstractmethod
    def get_metric_group(self) -> MetricGroup:
        """The function's metrics. RuntimeError if python.metric.enabled is false."""

    @abstractmethod
    def get_job_parameter(self, key: str, default_value: Optional[str] = None) -> Optional[str]:
        """A value of pipeline.global-job-parameters or of the function's options, else the default."""

    @abstractmethod
    def get_task_name(self) -> str:
        """The name of the task."""

    @abstractmethod
    def get_task_name_with_subtasks(self) -> str:
        """``name (1/4)#0``: the name, this subtask of how many, and the attempt."""

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

    @classmethod
    def __subclasshook__(cls, other: type) -> bool:
        return has_methods(cls, FunctionContext, other)


class UserDefinedFunction(ABC):
    """Base of all function classes.

    An instance is pickled where it is declared. Each parallel instance of the function unpickles it, calls `open` once,
    then the function for its rows, then `close` once, also after a failure.
    """

    def open(self, function_context: FunctionContext) -> None:
        """Called once, before the first row."""

    def close(self) -> None:
        """Called once, after the last row and after a failure."""

    def is_deterministic(self) -> bool:
        """Whether equal arguments always give equal results. Such calls may be merged or evaluated early."""
        return True


class ScalarFunction(UserDefinedFunction):
    """One value for each row."""

    @abstractmethod
    def eval(self, *args: Any) -> Any:
        """The value for these arguments. May be an `async def`, which makes the function asynchronous."""


class AsyncScalarFunction(UserDefinedFunction):
    """One value for each row, of which many are awaited at a time. Results keep the order of the rows."""

    @abstractmethod
    async def eval(self, *args: Any) -> Any:
        """The value for these arguments."""


class TableFunction(UserDefinedFunction):
    """Any number of rows for each row."""

    @abstractmethod
    def eval(self, *args: Any) -> Any:
        """An iterable or generator of rows (tuple, Row, or the value of a single column), one such value, or None."""


class ImperativeAggregateFunction(UserDefinedFunction, Generic[T, ACC]):
    """Base of functions that fold the rows of a group into an accumulator.

    The accumulator is a list, tuple or Row that Clutch keeps in the host's state between batches. It may hold a
    ListView or MapView in each field that the accumulator's type declares as LIST_VIEW or MAP_VIEW.
    """

    @abstractmethod
    def create_accumulator(self) -> ACC:
        """The accumulator of an empty group."""

    @abstractmethod
    def accumulate(self, accumulator: ACC, *args: Any) -> None:
        """Add one row. With func_type 'pandas' the arguments are the whole columns of the group."""

    def retract(self, accumulator: ACC, *args: Any) -> None:
        """Take one row away. Needed where rows of the input may be withdrawn."""
        raise RuntimeError("%s has no retract(); it is needed where rows are withdrawn" % type(self).__name__)

    def merge(self, accumulator: ACC, accumulators: List[ACC]) -> None:
        """Add what the other accumulators hold. Needed for session windows and two-phase aggregation."""
        raise RuntimeError("%s has no merge(); it is needed where groups are joined" % type(self).__name__)

    def get_result_type(self) -> Union[DataType, str]:
        """The result type, where the declaration does not give it."""
        raise RuntimeError("%s has no get_result_type(), and no result_type was given" % type(self).__name__)

    def get_accumulator_type(self) -> Union[DataType, str]:
        """The accumulator's type, where the declaration does not give it."""
        raise RuntimeError("%s has no get_accumulator_type(), and no accumulator_type was given" % type(self).__name__)


class AggregateFunction(ImperativeAggregateFunction[T, ACC]):
    """One value for each group."""

    @abstractmethod
    def get_value(self, accumulator: ACC) -> T:
        """The group's value."""


class TableAggregateFunction(ImperativeAggregateFunction[T, ACC]):
    """Any number of rows for each group."""

    @abstractmethod
    def emit_value(self, accumulator: ACC) -> Iterable[T]:
        """The group's rows: each a Row or tuple, or the value of a single column."""


class DelegatingScalarFunction(ScalarFunction):
    """A function or callable object as a ScalarFunction."""

    def __init__(self, func: Any) -> None:
        self.func = func

    def eval(self, *args: Any) -> Any:
        return self.func(*args)


class DelegatingAsyncScalarFunction(AsyncScalarFunction):
    """An ``async def`` as an AsyncScalarFunction."""

    def __init__(self, func: Any) -> None:
        self.func = func

    async def eval(self, *args: Any) -> Any:
        return await self.func(*args)


class DelegatingTableFunction(TableFunction):
    """A function or generator as a TableFunction."""

    def __init__(self, func: Any) -> None:
        self.func = func

    def eval(self, *args: Any) -> Any:
        return self.func(*args)


class DelegatingPandasAggregateFunction(AggregateFunction[Any, List[Any]]):
    """A function of whole columns as an AggregateFunction: its one call is the accumulate of the group."""

    def __init__(self, func: Any) -> None:
        self.func = func

    def create_accumulator(self) -> List[Any]:
        return []

    def accumulate(self, accumulator: List[Any], *args: Any) -> None:
        accumulator.append(self.func(*args))

    def get_value(self, accumulator: List[Any]) -> Any:
        return accumulator[0]
