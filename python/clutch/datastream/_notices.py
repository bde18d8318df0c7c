"""What is accepted for jobs of PyFlink and means nothing here is said once, in the log."""

from __future__ import annotations

import logging
from typing import Set


class Notices:
    """Tells of each such setting once."""

    def __init__(self) -> None:
        self._told: Set[str] = set()

    def tell(self, setting: str, reason: str) -> None:
        """Warn that a setting has no effect, and why or what to do."""
        if setting not in self._told:
            self._told.add(setting)
            logging.getLogger("clutch.datastream").warning("%s has no effect: %s", setting, reason)
