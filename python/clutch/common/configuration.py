"""Configuration: keys and values of a job, as PyFlink's jobs write them."""

from __future__ import annotations

import binascii
from typing import Any, Callable, Dict, MutableMapping, Optional, Set, TypeVar

__all__ = ["Configuration"]

T = TypeVar("T")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError("a configuration key must be a str, got %r of type %s" % (key, type(key).__name__))
    return key


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return binascii.b2a_base64(value, newline=False).decode()
    return str(value)


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _bytes(text: str) -> bytes:
    return binascii.a2b_base64(text.encode())


class Configuration:
    """Values by key. A value is read as any type that its text is one of: ``set_string("k", "5")``, ``get_integer``."""

    def __init__(self, other: Optional[Configuration] = None) -> None:
        """Make an empty configuration, or a copy of `other`."""
        self._values: Dict[str, Any] = dict(other._values) if other is not None else {}

    def _get(self, key: str, default: T, expected: type, read: Callable[[str], Any], what: str) -> T:
        value = self._values.get(_key(key))
        if value is None:
            return default
        if type(value) is expected:
            return value  # type: ignore[return-value]
        try:
            return read(_text(value))  # type: ignore[no-any-return]
        except (ValueError, KeyError):
            raise ValueError(
                "the configuration key %r is %r, which is no %s; set it to one" % (key, _text(value), what)
            ) from None

    def _set(self, key: str, value: Any, expected: Any, what: str) -> None:
        if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
            raise TypeError(
                "the value of configuration key %r must be %s, got %r of type %s"
                % (_key(key), what, value, type(value).__name__)
            )
        self._values[_key(key)] = value

    def get_string(self, key: str, default_value: str) -> str:
        return self._get(key, default_value, str, str, "text")

    def set_string(self, key: str, value: str) -> Configuration:
        self._set(key, value, str, "a str")
        return self

    def get_integer(self, key: str, default_value: int) -> int:
        """ValueError for a value that is no whole number."""
        return self._get(key, default_value, int, int, "whole number")

    def set_integer(self, key: str, value: int) -> Configuration:
        self._set(key, value, int, "an int")
        return self

    def get_boolean(self, key: str, default_value: bool) -> bool:
        """ValueError for a value that is neither true nor false."""
        return self._get(key, default_value, bool, _boolean, "boolean (true or false)")

    def set_boolean(self, key: str, value: bool) -> Configuration:
        self._set(key, value, bool, "a bool")
        return self

    def get_float(self, key: str, default_value: float) -> float:
        """ValueError for a value that is no number."""
        return self._get(key, default_value, float, float, "number")

    def set_float(self, key: str, value: float) -> Configuration:
        self._set(key, value, (float, int), "a float")
        self._values[key] = float(value)
        return self

    def get_bytearray(self, key: str, default_value: bytearray) -> bytearray:
        """ValueError for a value that was not set as bytes and is no base64."""
        return bytearray(self._get(key, bytes(default_value), bytes, _bytes, "bytes in base64"))

    def set_bytearray(self, key: str, value: bytearray) -> Configuration:
        self._set(key, value, (bytes, bytearray), "a bytearray")
        self._values[key] = bytes(value)
        return self

    def key_set(self) -> Set[str]:
        return set(self._values)

    def add_all_to_dict(self, target_dict: MutableMapping[str, str]) -> None:
        """Add all values as texts to a dict."""
        target_dict.update(self.to_dict())

    def add_all(self, other: Configuration, prefix: Optional[str] = None) -> Configuration:
        """Take over all values of `other`; with `prefix`, under keys that start with it."""
        if not isinstance(other, Configuration):
            raise TypeError("add_all takes a Configuration, got %r of type %s" % (other, type(other).__name__))
        self._values.update({(prefix or "") + key: value for key, value in other._values.items()})
        return self

    def contains_key(self, key: str) -> bool:
        return _key(key) in self._values

    def to_dict(self) -> Dict[str, str]:
        """The values as texts: booleans as true and false, bytes in base64."""
        return {key: _text(value) for key, value in self._values.items()}

    def remove_config(self, key: str) -> bool:
        """Remove a key; whether it was there."""
        return self._values.pop(_key(key), None) is not None

    def __deepcopy__(self, memodict: Any = None) -> Configuration:
        return Configuration(self)

    def __eq__(self, other: object) -> bool:
        return self._values == other._values if isinstance(other, Configuration) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __str__(self) -> str:
        return "{%s}" % ", ".join("%s=%s" % item for item in sorted(self.to_dict().items()))
