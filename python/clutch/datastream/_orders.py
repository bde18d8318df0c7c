"""What whoever runs a script says of its jobs, from outside: `clutch run` tells it by variables of the environment."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, NamedTuple, Optional

from clutch.common.configuration import Configuration

OPTIONS, PLAN, STATUS = "CLUTCH_JOB_OPTIONS", "CLUTCH_JOB_PLAN", "CLUTCH_JOB_STATUS"
PLAN_FORMS = ("text", "json", "svg", "html")
_WHEN = ("auto", "always", "never")


class PlanOrder(NamedTuple):
    """Jobs are not to run; their plans go to a file, or to standard output."""

    form: str
    output: str  # empty: standard output


def _object(variable: str, members: str) -> Optional[Dict[str, str]]:
    text = os.environ.get(variable, "")
    if not text:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError("%s must be a JSON object with %s, got %r; unset it or mend it" % (variable, members, text))
    return found


def check_form(form: Any, what: str) -> str:
    """The form of a plan. ValueError for one that there is not."""
    if form not in PLAN_FORMS:
        raise ValueError("%s must be one of %s, got %r" % (what, ", ".join(PLAN_FORMS), form))
    return str(form)


def ordered_options() -> Dict[str, str]:
    """Keys and values that no script changes."""
    return _object(OPTIONS, "a text for each key") or {}


def ordered_plan() -> Optional[PlanOrder]:
    """How plans are to be shown; None: jobs run."""
    found = _object(PLAN, "the texts format and output")
    if found is None:
        return None
    return PlanOrder(check_form(found.get("format", "text"), "the format in " + PLAN), found.get("output", ""))


def ordered_status() -> str:
    """When jobs tell how they get on: auto (on a terminal), always or never."""
    when = os.environ.get(STATUS, "") or "auto"
    if when not in _WHEN:
        raise ValueError("%s must be one of %s, got %r" % (STATUS, ", ".join(_WHEN), when))
    return when


class OrderedConfiguration(Configuration):
    """A configuration with keys that keep their values, whatever is set."""

    def __init__(self, other: Optional[Configuration], ordered: Dict[str, str]) -> None:
        super().__init__(other)
        self._ordered = ordered
        self._keep_order()

    def _keep_order(self) -> None:
        self._values.update(self._ordered)

    def _set(self, key: str, value: Any, expected: Any, what: str) -> None:
        super()._set(key, value, expected, what)
        self._keep_order()

    def set_float(self, key: str, value: float) -> Configuration:
        super().set_float(key, value)
        self._keep_order()
        return self

    def set_bytearray(self, key: str, value: bytearray) -> Configuration:
        super().set_bytearray(key, value)
        self._keep_order()
        return self

    def add_all(self, other: Configuration, prefix: Optional[str] = None) -> Configuration:
        super().add_all(other, prefix)
        self._keep_order()
        return self

    def remove_config(self, key: str) -> bool:
        removed = super().remove_config(key)
        self._keep_order()
        return removed and key not in self._ordered
