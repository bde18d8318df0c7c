"""CheckpointConfig, and ExternalizedCheckpointCleanup, the older name of ExternalizedCheckpointRetention."""

from __future__ import annotations

from typing import Any, Dict

from clutch.datastream._notices import Notices
from clutch.datastream.checkpointing_mode import CheckpointingMode
from clutch.datastream.externalized_checkpoint_retention import (
    ExternalizedCheckpointRetention as ExternalizedCheckpointCleanup,
)

__all__ = ["CheckpointConfig", "ExternalizedCheckpointCleanup"]


def _whole(what: str, value: Any, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError("the %s must be an int of at least %d, got %r" % (what, least, value))
    return value


class CheckpointConfig:
    """Settings of checkpoints. They are kept and can be read; jobs make no checkpoints, and a notice says so."""

    DEFAULT_MODE = CheckpointingMode.EXACTLY_ONCE
    DEFAULT_TIMEOUT = 10 * 60 * 1000
    DEFAULT_MIN_PAUSE_BETWEEN_CHECKPOINTS = 0
    DEFAULT_MAX_CONCURRENT_CHECKPOINTS = 1

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self._values: Dict[str, Any] = {
            "mode": self.DEFAULT_MODE,
            "interval": -1,
            "timeout": self.DEFAULT_TIMEOUT,
            "min_pause": self.DEFAULT_MIN_PAUSE_BETWEEN_CHECKPOINTS,
            "max_concurrent": self.DEFAULT_MAX_CONCURRENT_CHECKPOINTS,
            "tolerable_failures": 0,
            "retention": None,
            "unaligned": False,
            "alignment_timeout": 0,
            "fail_on_errors": True,
        }

    def _set(self, name: str, value: Any) -> CheckpointConfig:
        self._notices.tell("checkpointing", "jobs make no checkpoints yet, and begin anew after a failure")
        self._values[name] = value
        return self

    def is_checkpointing_enabled(self) -> bool:
        return self._values["interval"] > 0  # type: ignore[no-any-return]

    def get_checkpointing_mode(self) -> CheckpointingMode:
        return self._values["mode"]  # type: ignore[no-any-return]

    def set_checkpointing_mode(self, checkpointing_mode: CheckpointingMode) -> CheckpointConfig:
        if not isinstance(checkpointing_mode, CheckpointingMode):
            raise TypeError("the checkpointing mode must be a CheckpointingMode, got %r" % (checkpointing_mode,))
        return self._set("mode", checkpointing_mode)

    def get_checkpoint_interval(self) -> int:
        """Milliseconds; -1 for no checkpoints."""
        return self._values["interval"]  # type: ignore[no-any-return]

    def set_checkpoint_interval(self, checkpoint_interval: int) -> CheckpointConfig:
        return self._set("interval", _whole("checkpoint interval", checkpoint_interval, 10))

    def get_checkpoint_timeout(self) -> int:
        return self._values["timeout"]  # type: ignore[no-any-return]

    def set_checkpoint_timeout(self, checkpoint_timeout: int) -> CheckpointConfig:
        return self._set("timeout", _whole("checkpoint timeout", checkpoint_timeout, 10))

    def get_min_pause_between_checkpoints(self) -> int:
        return self._values["min_pause"]  # type: ignore[no-any-return]

    def set_min_pause_between_checkpoints(self, min_pause_between_checkpoints: int) -> CheckpointConfig:
        return self._set("min_pause", _whole("pause between checkpoints", min_pause_between_checkpoints, 0))

    def get_max_concurrent_checkpoints(self) -> int:
        return self._values["max_concurrent"]  # type: ignore[no-any-return]

    def set_max_concurrent_checkpoints(self, max_concurrent_checkpoints: int) -> CheckpointConfig:
        return self._set("max_concurrent", _whole("number of concurrent checkpoints", max_concurrent_checkpoints, 1))

    def is_fail_on_checkpointing_errors(self) -> bool:
        return self._values["fail_on_errors"]  # type: ignore[no-any-return]

    def set_fail_on_checkpointing_errors(self, fail_on_checkpointing_errors: bool) -> CheckpointConfig:
        return self._set("fail_on_errors", bool(fail_on_checkpointing_errors))

    def get_tolerable_checkpoint_failure_number(self) -> int:
        return self._values["tolerable_failures"]  # type: ignore[no-any-return]

    def set_tolerable_checkpoint_failure_number(self, tolerable_checkpoint_failure_number: int) -> CheckpointConfig:
        number = _whole("tolerable number of failed checkpoints", tolerable_checkpoint_failure_number, 0)
        return self._set("tolerable_failures", number)

    def enable_externalized_checkpoints(self, cleanup_mode: ExternalizedCheckpointCleanup) -> CheckpointConfig:
        return self._set("retention", cleanup_mode)

    def set_externalized_checkpoint_retention(self, retention_mode: ExternalizedCheckpointCleanup) -> CheckpointConfig:
        return self._set("retention", retention_mode)

    def set_externalized_checkpoint_cleanup(self, cleanup_mode: ExternalizedCheckpointCleanup) -> CheckpointConfig:
        return self._set("retention", cleanup_mode)

    def is_externalized_checkpoints_enabled(self) -> bool:
        return self._values["retention"] not in (None, ExternalizedCheckpointCleanup.NO_EXTERNALIZED_CHECKPOINTS)

    def get_externalized_checkpoint_cleanup(self) -> Any:
        return self._values["retention"]

    get_externalized_checkpoint_retention = get_externalized_checkpoint_cleanup

    def is_unaligned_checkpoints_enabled(self) -> bool:
        return self._values["unaligned"]  # type: ignore[no-any-return]

    def enable_unaligned_checkpoints(self, enabled: bool = True) -> CheckpointConfig:
        return self._set("unaligned", bool(enabled))

    def disable_unaligned_checkpoints(self) -> CheckpointConfig:
        return self.enable_unaligned_checkpoints(False)

    def set_alignment_timeout(self, alignment_timeout: Any) -> CheckpointConfig:
        return self._set("alignment_timeout", alignment_timeout)

    def get_alignment_timeout(self) -> Any:
        return self._values["alignment_timeout"]

    # The newer names.
    set_aligned_checkpoint_timeout = set_alignment_timeout
    get_aligned_checkpoint_timeout = get_alignment_timeout

    def set_force_unaligned_checkpoints(self, force_unaligned_checkpoints: bool = True) -> CheckpointConfig:
        return self._set("force_unaligned", bool(force_unaligned_checkpoints))

    def is_force_unaligned_checkpoints(self) -> bool:
        return self._values.get("force_unaligned", False)  # type: ignore[no-any-return]

    def set_checkpoint_storage(self, storage: Any) -> CheckpointConfig:
        return self._set("storage", storage)

    def set_checkpoint_storage_dir(self, checkpoint_path: str) -> CheckpointConfig:
        return self._set("storage", checkpoint_path)

    def get_checkpoint_storage(self) -> Any:
        return self._values.get("storage")
