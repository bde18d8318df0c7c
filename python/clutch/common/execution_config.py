"""ExecutionConfig: how a job runs, as far as it is no matter of single operators."""

from __future__ import annotations

import re
from typing import Dict, List, Optional

from clutch.common.configuration import Configuration

__all__ = ["ExecutionConfig"]

_TEXT = r"('(?:[^']|'')*'|[^,:']*)"
_PAIR = re.compile(_TEXT + ":" + _TEXT)


class ExecutionConfig:
    """A view of an environment's configuration: what is set here is set there."""

    PARALLELISM_DEFAULT = -1
    PARALLELISM_UNKNOWN = -2

    def __init__(self, configuration: Optional[Configuration] = None) -> None:
        self._configuration = configuration if configuration is not None else Configuration()

    def _number(self, key: str, default: int) -> int:
        text = self._configuration.get_string(key, "")
        return int(text.split()[0]) if text else default

    def _set_millis(self, key: str, what: str, value: int, least: int) -> ExecutionConfig:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError("the %s must be an int of at least %d ms, got %r" % (what, least, value))
        self._configuration.set_string(key, "%d ms" % value)
        return self

    def set_parallelism(self, parallelism: int) -> ExecutionConfig:
        from clutch.datastream._graph import check_parallelism

        self._configuration.set_integer("parallelism.default", check_parallelism("the parallelism", parallelism))
        return self

    def get_parallelism(self) -> int:
        return self._configuration.get_integer("parallelism.default", 1)

    def set_max_parallelism(self, max_parallelism: int) -> ExecutionConfig:
        from clutch.datastream._graph import check_parallelism

        check_parallelism("the max_parallelism", max_parallelism)
        self._configuration.set_integer("pipeline.max-parallelism", max_parallelism)
        return self

    def get_max_parallelism(self) -> int:
        return self._configuration.get_integer("pipeline.max-parallelism", -1)

    def set_auto_watermark_interval(self, interval: int) -> ExecutionConfig:
        """Set how often watermarks are sent, in milliseconds."""
        return self._set_millis("pipeline.auto-watermark-interval", "auto watermark interval", interval, 0)

    def get_auto_watermark_interval(self) -> int:
        return self._number("pipeline.auto-watermark-interval", 200)

    def set_global_job_parameters(self, global_job_parameters_dict: Dict[str, str]) -> ExecutionConfig:
        """Set what RuntimeContext.get_job_parameter() gives."""
        pairs = ["%s:%s" % (_quoted(key), _quoted(value)) for key, value in global_job_parameters_dict.items()]
        self._configuration.set_string("pipeline.global-job-parameters", ",".join(pairs))
        return self

    def get_global_job_parameters(self) -> Dict[str, str]:
        text = self._configuration.get_string("pipeline.global-job-parameters", "")
        return {_unquoted(key): _unquoted(value) for key, value in _PAIR.findall(text)}

    def enable_object_reuse(self) -> ExecutionConfig:
        """Accepted: functions never see an object that another call may change."""
        self._configuration.set_boolean("pipeline.object-reuse", True)
        return self

    def disable_object_reuse(self) -> ExecutionConfig:
        self._configuration.set_boolean("pipeline.object-reuse", False)
        return self

    def is_object_reuse_enabled(self) -> bool:
        return self._configuration.get_boolean("pipeline.object-reuse", False)

    def enable_closure_cleaner(self) -> ExecutionConfig:
        """Accepted: it is a matter of Java."""
        return self

    def disable_closure_cleaner(self) -> ExecutionConfig:
        return self

    def is_closure_cleaner_enabled(self) -> bool:
        return False

    def set_task_cancellation_interval(self, interval: int) -> ExecutionConfig:
        return self._set_millis("task.cancellation.interval", "task cancellation interval", interval, 0)

    def get_task_cancellation_interval(self) -> int:
        return self._number("task.cancellation.interval", 30000)

    def set_task_cancellation_timeout(self, timeout: int) -> ExecutionConfig:
        return self._set_millis("task.cancellation.timeout", "task cancellation timeout", timeout, 0)

    def get_task_cancellation_timeout(self) -> int:
        return self._number("task.cancellation.timeout", 180000)

    # Accepted, kept and without effect: matters of Java's serializers, of checkpoints, and of PyFlink's metrics.

    def _switch(self, key: str, on: bool) -> ExecutionConfig:
        self._configuration.set_boolean(key, on)
        return self

    def enable_generic_types(self) -> ExecutionConfig:
        return self._switch("pipeline.generic-types", True)

    def disable_generic_types(self) -> ExecutionConfig:
        return self._switch("pipeline.generic-types", False)

    def has_generic_types_disabled(self) -> bool:
        return not self._configuration.get_boolean("pipeline.generic-types", True)

    def enable_auto_generated_uids(self) -> ExecutionConfig:
        return self._switch("pipeline.auto-generate-uids", True)

    def disable_auto_generated_uids(self) -> ExecutionConfig:
        return self._switch("pipeline.auto-generate-uids", False)

    def has_auto_generated_uids_enabled(self) -> bool:
        return self._configuration.get_boolean("pipeline.auto-generate-uids", True)

    def enable_force_kryo(self) -> ExecutionConfig:
        return self._switch("pipeline.force-kryo", True)

    def disable_force_kryo(self) -> ExecutionConfig:
        return self._switch("pipeline.force-kryo", False)

    def is_force_kryo_enabled(self) -> bool:
        return self._configuration.get_boolean("pipeline.force-kryo", False)

    def enable_force_avro(self) -> ExecutionConfig:
        return self._switch("pipeline.force-avro", True)

    def disable_force_avro(self) -> ExecutionConfig:
        return self._switch("pipeline.force-avro", False)

    def is_force_avro_enabled(self) -> bool:
        return self._configuration.get_boolean("pipeline.force-avro", False)

    def set_use_snapshot_compression(self, use_snapshot_compression: bool) -> ExecutionConfig:
        return self._switch("execution.checkpointing.snapshot-compression", use_snapshot_compression)

    def is_use_snapshot_compression(self) -> bool:
        return self._configuration.get_boolean("execution.checkpointing.snapshot-compression", False)

    def set_latency_tracking_interval(self, interval: int) -> ExecutionConfig:
        return self._set_millis("metrics.latency.interval", "latency tracking interval", interval, 0)

    def get_latency_tracking_interval(self) -> int:
        return self._number("metrics.latency.interval", 0)

    def get_default_kryo_serializer_classes(self) -> Dict[str, str]:
        return {}

    def get_registered_kryo_types(self) -> List[str]:
        return []

    def get_registered_pojo_types(self) -> List[str]:
        return []

    def __eq__(self, other: object) -> bool:
        return self._configuration == other._configuration if isinstance(other, ExecutionConfig) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._configuration)


def _quoted(value: str) -> str:
    text = str(value)
    return "'%s'" % text.replace("'", "''") if any(char in text for char in ",:'\"") else text


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'") if text.startswith("'") else text
