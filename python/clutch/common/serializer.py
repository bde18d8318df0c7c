"""Serializers: how single values, such as windows, become bytes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import BinaryIO, Generic, TypeVar

T = TypeVar("T")

__all__ = ["TypeSerializer", "VoidNamespaceSerializer"]


class TypeSerializer(ABC, Generic[T]):
    """Writes values of one type to a stream and reads them back."""

    @abstractmethod
    def serialize(self, element: T, stream: BinaryIO) -> None:
        """Write a value."""

    @abstractmethod
    def deserialize(self, stream: BinaryIO) -> T:
        """Read the value that starts here."""


class VoidNamespaceSerializer(TypeSerializer[bytes]):
    """The serializer of state that belongs to a key alone and to no window: one byte, 0."""

    def serialize(self, element: bytes, stream: BinaryIO) -> None:
        stream.write(b"\0")

    def deserialize(self, stream: BinaryIO) -> bytes:
        return stream.read(1)
