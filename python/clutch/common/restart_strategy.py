"""Restart strategies. A job here runs in one process and ends when it fails; they are accepted and kept."""

from __future__ import annotations

from typing import Any

__all__ = ["RestartStrategies", "RestartStrategyConfiguration"]


def _whole(what: str, value: Any, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError("%s of a restart strategy must be an int of at least %d, got %r" % (what, least, value))
    return value


class RestartStrategyConfiguration:
    """A strategy by its description."""

    def __init__(self, description: str) -> None:
        self._description = description

    def get_description(self) -> str:
        return self._description

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RestartStrategyConfiguration):
            return NotImplemented
        return self._description == other._description

    def __hash__(self) -> int:
        return hash(self._description)


class RestartStrategies:
    """Makes strategies."""

    @staticmethod
    def no_restart() -> RestartStrategyConfiguration:
        return RestartStrategyConfiguration("Restart deactivated.")

    @staticmethod
    def fall_back_restart() -> RestartStrategyConfiguration:
        return RestartStrategyConfiguration("Cluster level default restart strategy")

    @staticmethod
    def fixed_delay_restart(restart_attempts: int, delay_between_attempts: int) -> RestartStrategyConfiguration:
        attempts = _whole("restart_attempts", restart_attempts, 0)
        delay = _whole("delay_between_attempts", delay_between_attempts, 0)
        return RestartStrategyConfiguration(
            "Restart with fixed delay (%d ms). #%d restart attempts." % (delay, attempts)
        )

    @staticmethod
    def failure_rate_restart(
        failure_rate: int, failure_interval: int, delay_interval: int
    ) -> RestartStrategyConfiguration:
        rate = _whole("failure_rate", failure_rate, 1)
        interval = _whole("failure_interval", failure_interval, 1)
        delay = _whole("delay_interval", delay_interval, 0)
        return RestartStrategyConfiguration(
            "Failure rate restart with maximum of %d failures within interval %d ms and fixed delay %d ms."
            % (rate, interval, delay)
        )
