"""sum, min, max, min_by and max_by of keyed streams, as reduce functions."""

from __future__ import annotations

from typing import Any, Union

from clutch_row import Row

from clutch.datastream._basic_functions import ReduceFunction

Position = Union[int, str]


def check_position(what: str, position: Any) -> Position:
    """TypeError unless it is a number or name of a field."""
    if not isinstance(position, (int, str)) or isinstance(position, bool):
        raise TypeError(
            "the field of %s must be its position, an int, or its name, a str, got %r of type %s"
            % (what, position, type(position).__name__)
        )
    return position


class _FieldReduce(ReduceFunction):
    """Folds one field; elements that are no tuples, lists or Rows are the field themselves."""

    _NAME = ""

    def __init__(self, position: Position) -> None:
        self._position: Any = check_position(self._NAME, position)

    def _field(self, element: Any) -> Any:
        if isinstance(element, (tuple, list, Row)):
            return element[self._position]
        if self._position != 0:
            raise TypeError(
                "%s(%r) is of tuples, lists and Rows; the element %r of type %s has no fields, so only position 0 is "
                "possible" % (self._NAME, self._position, element, type(element).__name__)
            )
        return element

    def _with_field(self, element: Any, value: Any) -> Any:
        """The element with another value in the field. The element itself stays as it was."""
        if isinstance(element, tuple):
            values = list(element)
            values[self._position] = value
            return tuple(values) if type(element) is tuple else type(element)(*values)
        if isinstance(element, list):
            values = list(element)
            values[self._position] = value
            return values
        if isinstance(element, Row):
            row = Row.of_kind(element.get_row_kind(), *element)
            if hasattr(element, "_fields"):
                row.set_field_names(element._fields)
            row[self._position] = value
            return row
        return value


class SumFunction(_FieldReduce):
    _NAME = "sum"

    def reduce(self, value1: Any, value2: Any) -> Any:
        return self._with_field(value1, self._field(value1) + self._field(value2))


class MinFunction(_FieldReduce):
    _NAME = "min"

    def reduce(self, value1: Any, value2: Any) -> Any:
        second = self._field(value2)
        return self._with_field(value1, second) if second < self._field(value1) else value1


class MaxFunction(_FieldReduce):
    _NAME = "max"

    def reduce(self, value1: Any, value2: Any) -> Any:
        second = self._field(value2)
        return self._with_field(value1, second) if second > self._field(value1) else value1


class MinByFunction(_FieldReduce):
    """The whole element with the smallest field; of several, the first."""

    _NAME = "min_by"

    def reduce(self, value1: Any, value2: Any) -> Any:
        return value2 if self._field(value2) < self._field(value1) else value1


class MaxByFunction(_FieldReduce):
    """The whole element with the largest field; of several, the first."""

    _NAME = "max_by"

    def reduce(self, value1: Any, value2: Any) -> Any:
        return value2 if self._field(value2) > self._field(value1) else value1
