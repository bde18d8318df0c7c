"""How elements become bytes at sinks, and bytes elements at sources."""

from __future__ import annotations

import codecs
from abc import ABC, abstractmethod
from typing import Any

__all__ = ["ByteArraySchema", "DeserializationSchema", "Encoder", "SerializationSchema", "SimpleStringSchema"]


def _charset(name: Any) -> str:
    try:
        codecs.lookup(name)
    except (LookupError, TypeError):
        raise ValueError("no charset is called %r; use one that Python knows, such as 'UTF-8'" % (name,)) from None
    return str(name)


class SerializationSchema(ABC):
    """Makes bytes of an element."""

    @abstractmethod
    def serialize(self, value: Any) -> bytes:
        """The bytes of one element."""


class DeserializationSchema(ABC):
    """Makes an element of bytes."""

    @abstractmethod
    def deserialize(self, message: bytes) -> Any:
        """The element of one message."""


class SimpleStringSchema(SerializationSchema, DeserializationSchema):
    """Elements are texts, in a charset."""

    def __init__(self, charset: str = "UTF-8") -> None:
        self._charset = _charset(charset)

    def serialize(self, value: Any) -> bytes:
        """TypeError for a value that is no str."""
        if not isinstance(value, str):
            raise TypeError(
                "SimpleStringSchema writes str, got %r of type %s; map the stream to texts before"
                % (value, type(value).__name__)
            )
        return value.encode(self._charset)

    def deserialize(self, message: bytes) -> str:
        return message.decode(self._charset)


class ByteArraySchema(SerializationSchema, DeserializationSchema):
    """Elements are bytes as they are."""

    def serialize(self, value: Any) -> bytes:
        """TypeError for a value that is neither bytes nor a bytearray."""
        if not isinstance(value, (bytes, bytearray)):
            raise TypeError(
                "ByteArraySchema writes bytes, got %r of type %s; map the stream to bytes before"
                % (value, type(value).__name__)
            )
        return bytes(value)

    def deserialize(self, message: bytes) -> bytes:
        return message


class Encoder(ABC):
    """Makes the bytes that an element adds to a file."""

    @abstractmethod
    def encode(self, value: Any) -> bytes:
        """The bytes of one element, with what separates it from the next."""

    @staticmethod
    def simple_string_encoder(charset_name: str = "UTF-8") -> Encoder:
        """One line for each element: its text."""
        return _LineEncoder(charset_name)


class _LineEncoder(Encoder):
    def __init__(self, charset_name: str) -> None:
        self._charset = _charset(charset_name)

    def encode(self, value: Any) -> bytes:
        return (str(value) + "\n").encode(self._charset)
