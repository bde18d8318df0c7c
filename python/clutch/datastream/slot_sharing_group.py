"""SlotSharingGroup and MemorySize: resources of a cluster's slots, which jobs here accept and do not need."""

from __future__ import annotations

from typing import Dict, Optional, Union

__all__ = ["MemorySize", "SlotSharingGroup"]


class MemorySize:
    """A number of bytes."""

    def __init__(self, bytes_size: int) -> None:
        if not isinstance(bytes_size, int) or isinstance(bytes_size, bool) or bytes_size < 0:
            raise ValueError("a MemorySize must be an int of at least 0 bytes, got %r" % (bytes_size,))
        self._bytes = bytes_size

    @staticmethod
    def of_mebi_bytes(mebi_bytes: int) -> MemorySize:
        return MemorySize(mebi_bytes << 20)

    def get_bytes(self) -> int:
        return self._bytes

    def get_kibi_bytes(self) -> int:
        return self._bytes >> 10

    def get_mebi_bytes(self) -> int:
        return self._bytes >> 20

    def get_gibi_bytes(self) -> int:
        return self._bytes >> 30

    def get_tebi_bytes(self) -> int:
        return self._bytes >> 40

    def __eq__(self, other: object) -> bool:
        return self._bytes == other._bytes if isinstance(other, MemorySize) else NotImplemented

    def __lt__(self, other: MemorySize) -> bool:
        return self._bytes < other._bytes if isinstance(other, MemorySize) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._bytes)

    def __str__(self) -> str:
        return "%d bytes" % self._bytes


class SlotSharingGroup:
    """A name, and the resources that its members ask for. Made by builder()."""

    def __init__(
        self,
        name: str,
        cpu_cores: Optional[float],
        task_heap_memory: Optional[MemorySize],
        task_off_heap_memory: Optional[MemorySize],
        managed_memory: Optional[MemorySize],
        external_resources: Dict[str, float],
    ) -> None:
        self._name = name
        self._cpu_cores = cpu_cores
        self._task_heap_memory = task_heap_memory
        self._task_off_heap_memory = task_off_heap_memory
        self._managed_memory = managed_memory
        self._external_resources = dict(external_resources)

    def get_name(self) -> str:
        return self._name

    def get_managed_memory(self) -> Optional[MemorySize]:
        return self._managed_memory

    def get_task_heap_memory(self) -> Optional[MemorySize]:
        return self._task_heap_memory

    def get_task_off_heap_memory(self) -> Optional[MemorySize]:
        return self._task_off_heap_memory

    def get_cpu_cores(self) -> Optional[float]:
        return self._cpu_cores

    def get_external_resources(self) -> Dict[str, float]:
        return dict(self._external_resources)

    @staticmethod
    def builder(name: str) -> SlotSharingGroup.Builder:
        return SlotSharingGroup.Builder(name)

    class Builder:
        """Collects what build() makes a group of."""

        def __init__(self, name: str) -> None:
            self._name = name
            self._cpu_cores: Optional[float] = None
            self._memory: Dict[str, MemorySize] = {}
            self._external_resources: Dict[str, float] = {}

        def set_cpu_cores(self, cpu_cores: float) -> SlotSharingGroup.Builder:
            self._cpu_cores = cpu_cores
            return self

        def _set(self, what: str, memory: Union[MemorySize, int]) -> SlotSharingGroup.Builder:
            self._memory[what] = memory if isinstance(memory, MemorySize) else MemorySize.of_mebi_bytes(memory)
            return self

        def set_task_heap_memory(self, task_heap_memory: MemorySize) -> SlotSharingGroup.Builder:
            return self._set("heap", task_heap_memory)

        def set_task_heap_memory_mb(self, task_heap_memory_mb: int) -> SlotSharingGroup.Builder:
            return self._set("heap", task_heap_memory_mb)

        def set_task_off_heap_memory(self, task_off_heap_memory: MemorySize) -> SlotSharingGroup.Builder:
            return self._set("off_heap", task_off_heap_memory)

        def set_task_off_heap_memory_mb(self, task_off_heap_memory_mb: int) -> SlotSharingGroup.Builder:
            return self._set("off_heap", task_off_heap_memory_mb)

        def set_managed_memory(self, managed_memory: MemorySize) -> SlotSharingGroup.Builder:
            return self._set("managed", managed_memory)

        def set_managed_memory_mb(self, managed_memory_mb: int) -> SlotSharingGroup.Builder:
            return self._set("managed", managed_memory_mb)

        def set_external_resource(self, name: str, value: float) -> SlotSharingGroup.Builder:
            self._external_resources[name] = value
            return self

        def build(self) -> SlotSharingGroup:
            memory = self._memory
            return SlotSharingGroup(
                self._name,
                self._cpu_cores,
                memory.get("heap"),
                memory.get("off_heap"),
                memory.get("managed"),
                self._external_resources,
            )


def check_group(group: object) -> None:
    """TypeError unless it is a group or the name of one."""
    if not isinstance(group, (str, SlotSharingGroup)):
        raise TypeError(
            "a slot sharing group is a str or a SlotSharingGroup, got %r of type %s" % (group, type(group).__name__)
        )
