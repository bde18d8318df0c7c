"""Storage of checkpoints, as settings: jobs make no checkpoints."""

from __future__ import annotations

from abc import ABC
from typing import Optional

__all__ = [
    "CheckpointStorage",
    "CustomCheckpointStorage",
    "FileSystemCheckpointStorage",
    "JobManagerCheckpointStorage",
]


class CheckpointStorage(ABC):
    """Where checkpoints are kept."""


class CustomCheckpointStorage(CheckpointStorage):
    """A storage that is none of the others."""


class JobManagerCheckpointStorage(CheckpointStorage):
    """In the memory of what runs the job."""

    DEFAULT_MAX_STATE_SIZE = 5 * 1024 * 1024

    def __init__(self, checkpoint_path: Optional[str] = None, max_state_size: Optional[int] = None) -> None:
        self._path = checkpoint_path
        self._max_state_size = self.DEFAULT_MAX_STATE_SIZE if max_state_size is None else max_state_size

    def get_checkpoint_path(self) -> Optional[str]:
        return self._path

    def get_savepoint_path(self) -> Optional[str]:
        return None

    def get_max_state_size(self) -> int:
        return self._max_state_size


class FileSystemCheckpointStorage(CheckpointStorage):
    """Files below a folder."""

    MAX_FILE_STATE_THRESHOLD = 1024 * 1024

    def __init__(
        self,
        checkpoint_path: Optional[str] = None,
        file_state_size_threshold: Optional[int] = None,
        write_buffer_size: int = -1,
    ) -> None:
        if checkpoint_path is None:
            raise ValueError("FileSystemCheckpointStorage needs the checkpoint_path of a folder")
        self._path = checkpoint_path
        self._threshold = 20 * 1024 if file_state_size_threshold is None else file_state_size_threshold
        self._buffer_size = 4096 if write_buffer_size < 0 else write_buffer_size

    def get_checkpoint_path(self) -> str:
        return self._path

    def get_savepoint_path(self) -> Optional[str]:
        return None

    def get_min_file_size_threshold(self) -> int:
        return self._threshold

    def get_write_buffer_size(self) -> int:
        return max(self._threshold, self._buffer_size)
