"""INTERVAL types and the resolutions they are made of.

A plugin stores year-month intervals as months and day-time intervals as a duration of milliseconds.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Dict, Optional, Tuple

from clutch.table._datatypes import AtomicType, _within


class IntervalUnit(Enum):
    """Units from coarse to fine."""

    YEAR = 0
    MONTH = 1
    DAY = 2
    HOUR = 3
    MINUTE = 4
    SECOND = 5


# Units with a number of digits: lowest, highest, default.
_DIGITS: Dict[IntervalUnit, Tuple[int, int, int]] = {
    IntervalUnit.YEAR: (1, 4, 2),
    IntervalUnit.DAY: (1, 6, 2),
    IntervalUnit.SECOND: (0, 9, 6),
}


class Resolution:
    """One end of an interval: a unit, and the number of digits where it has one."""

    def __init__(self, unit: IntervalUnit, precision: int = -1) -> None:
        self.unit = unit
        self.precision = precision
        if unit in _DIGITS:
            low, high, _ = _DIGITS[unit]
            _within("the precision of %s in an INTERVAL" % unit.name, precision, low, high)
        elif precision != -1:
            raise ValueError("%s in an INTERVAL has no precision, got %r" % (unit.name, precision))

    @classmethod
    def default(cls, unit: IntervalUnit) -> "Resolution":
        """The unit with its default number of digits: YEAR(2), DAY(2), SECOND(6)."""
        return cls(unit, _DIGITS[unit][2] if unit in _DIGITS else -1)

    def __str__(self) -> str:
        return self.unit.name if self.precision == -1 else "%s(%d)" % (self.unit.name, self.precision)

    def __repr__(self) -> str:
        return "Resolution(%s)" % self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Resolution):
            return NotImplemented
        return (self.unit, self.precision) == (other.unit, other.precision)

    def __hash__(self) -> int:
        return hash((self.unit, self.precision))


class IntervalType(AtomicType):
    """An interval from a coarse unit to a fine one; `lower` is None where there is one unit only."""

    def __init__(self, upper: Resolution, lower: Optional[Resolution] = None, nullable: bool = True) -> None:
        super().__init__(nullable)
        self.upper = upper
        self.lower = lower

    def _arguments(self) -> Tuple[Any, ...]:
        return (self.upper,) if self.lower is None else (self.upper, self.lower)

    def _text(self) -> str:
        return "INTERVAL %s" % self.upper if self.lower is None else "INTERVAL %s TO %s" % (self.upper, self.lower)


class YearMonthIntervalType(IntervalType):
    DEFAULT_PRECISION = 2


class DayTimeIntervalType(IntervalType):
    DEFAULT_DAY_PRECISION = 2
    DEFAULT_FRACTIONAL_PRECISION = 6


def interval(upper: Resolution, lower: Optional[Resolution] = None, nullable: bool = True) -> IntervalType:
    """Make the interval type of these resolutions. ValueError where they cannot stand together."""
    for end in (upper,) if lower is None else (upper, lower):
        if not isinstance(end, Resolution):
            raise TypeError("INTERVAL takes resolutions such as DataTypes.DAY(), got %r" % (end,))
    months = upper.unit in (IntervalUnit.YEAR, IntervalUnit.MONTH)
    if lower is not None:
        low_months = lower.unit in (IntervalUnit.YEAR, IntervalUnit.MONTH)
        if months != low_months or lower.unit.value <= upper.unit.value:
            raise ValueError(
                "there is no INTERVAL %s TO %s; the second unit is a finer one, and YEAR and MONTH stand alone"
                % (upper, lower)
            )
    return (YearMonthIntervalType if months else DayTimeIntervalType)(upper, lower, nullable)
