"""DataGeneratorSource: elements that a function makes of numbers. PyFlink has none; it is that of Flink's Java API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from clutch.common.typeinfo import TypeInformation, Types, type_or_row
from clutch.datastream._basic_functions import MapFunction
from clutch.datastream._code import check_function, check_instance
from clutch.datastream.connectors.base import Source
from clutch.datastream.connectors.number_seq import NumberSequenceSource

if TYPE_CHECKING:
    from clutch.datastream._data_stream import DataStream, OutputType

__all__ = ["DataGeneratorSource", "RateLimiterStrategy"]


class RateLimiterStrategy:
    """How many elements come a second."""

    def __init__(self, records_per_second: Optional[float]) -> None:
        self._records_per_second = records_per_second

    @staticmethod
    def per_second(records_per_second: float) -> RateLimiterStrategy:
        """So many, of all instances together."""
        number = records_per_second
        if not isinstance(number, (int, float)) or isinstance(number, bool) or not 0 < number < float("inf"):
            raise ValueError("records_per_second must be a number above 0, got %r" % (number,))
        return RateLimiterStrategy(number)

    @staticmethod
    def no_op() -> RateLimiterStrategy:
        """As many as can be made."""
        return RateLimiterStrategy(None)

    def records_per_second(self) -> Optional[float]:
        return self._records_per_second


class DataGeneratorSource(Source):
    """The function's results for the numbers from 0 to below `count`."""

    def __init__(
        self,
        generator_function: Union[Callable[[int], Any], MapFunction],
        count: int,
        rate_limiter_strategy: Optional[RateLimiterStrategy] = None,
        type_info: OutputType = None,
    ) -> None:
        self._function = check_function(generator_function, MapFunction, "DataGeneratorSource")
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise ValueError("the count of DataGeneratorSource must be an int of at least 1, got %r" % (count,))
        self._numbers = NumberSequenceSource(0, count - 1)
        strategy = RateLimiterStrategy.no_op() if rate_limiter_strategy is None else rate_limiter_strategy
        self._rate = check_instance(strategy, "DataGeneratorSource", RateLimiterStrategy).records_per_second()
        self._count = count
        self._type_info = type_or_row("the type_info of DataGeneratorSource", type_info)

    def _type(self) -> TypeInformation:
        return self._type_info

    def _attach(self, env: Any, name: str, type_info: TypeInformation) -> DataStream:
        if self._rate is None:
            numbers = self._numbers._attach(env, name, Types.LONG())
        else:
            fields = [{"name": "number", "kind": "sequence", "start": 0, "end": self._count - 1}]
            source = {"type": "datagen", "fields": fields, "rows": self._count, "rows_per_second": self._rate}
            row = Types.ROW_NAMED(["number"], [Types.LONG()])
            numbers = env._source(name, {"source": source}, row, True, True).map(_first, Types.LONG())
        return numbers.map(self._function, type_info).name("Data Generator")


def _first(row: Any) -> Any:
    return row[0]
