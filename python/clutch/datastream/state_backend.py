"""State backends, as settings: a job's state is in memory, whichever is set."""

from __future__ import annotations

from abc import ABC
from enum import Enum
from typing import List, Optional

__all__ = [
    "CustomStateBackend",
    "EmbeddedRocksDBStateBackend",
    "HashMapStateBackend",
    "PredefinedOptions",
    "StateBackend",
]


class StateBackend(ABC):
    """Where a job keeps its state."""


class HashMapStateBackend(StateBackend):
    """In memory."""

    def __str__(self) -> str:
        return "HashMapStateBackend"


class CustomStateBackend(StateBackend):
    """A backend that is none of the others."""


class PredefinedOptions(Enum):
    """Sets of options for RocksDB."""

    DEFAULT = 0
    SPINNING_DISK_OPTIMIZED = 1
    SPINNING_DISK_OPTIMIZED_HIGH_MEM = 2
    FLASH_SSD_OPTIMIZED = 3


class EmbeddedRocksDBStateBackend(StateBackend):
    """In files of RocksDB. Its settings are kept and can be read."""

    def __init__(self, enable_incremental_checkpointing: Optional[bool] = None) -> None:
        self._incremental = bool(enable_incremental_checkpointing)
        self._paths: List[str] = []
        self._options = PredefinedOptions.DEFAULT
        self._factory: Optional[str] = None
        self._threads = 4

    def set_db_storage_paths(self, *paths: str) -> None:
        self._paths = list(paths)

    def get_db_storage_paths(self) -> List[str]:
        return list(self._paths)

    def is_incremental_checkpoints_enabled(self) -> bool:
        return self._incremental

    def set_predefined_options(self, options: PredefinedOptions) -> None:
        if not isinstance(options, PredefinedOptions):
            raise TypeError("set_predefined_options takes one of PredefinedOptions, got %r" % (options,))
        self._options = options

    def get_predefined_options(self) -> PredefinedOptions:
        return self._options

    def set_options(self, options_factory_class_name: str) -> None:
        self._factory = options_factory_class_name

    def get_options(self) -> Optional[str]:
        return self._factory

    def set_number_of_transfer_threads(self, number_of_transfering_threads: int) -> None:
        self._threads = number_of_transfering_threads

    def get_number_of_transfer_threads(self) -> int:
        return self._threads

    def __str__(self) -> str:
        return "EmbeddedRocksDBStateBackend"
