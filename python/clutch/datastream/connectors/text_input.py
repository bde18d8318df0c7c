"""SocketSource and StdinSource: lines of text from a TCP connection and from the standard input. PyFlink has neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict

from clutch.common.typeinfo import TypeInformation, Types
from clutch.datastream.connectors.base import Source

if TYPE_CHECKING:
    from clutch.datastream._data_stream import DataStream

__all__ = ["SocketSource", "StdinSource"]


class _Lines(Source):
    """One instance reads."""

    _members: Dict[str, Any]
    _bounded: bool

    def _type(self) -> TypeInformation:
        return Types.STRING()

    def _attach(self, env: Any, name: str, type_info: TypeInformation) -> DataStream:
        if type_info != Types.STRING():
            raise ValueError("lines have the type %s, and not %s" % (Types.STRING(), type_info))
        return env._source(name, {"source": self._members}, type_info, False, self._bounded)  # type: ignore[no-any-return]


class SocketSource(_Lines):
    """Lines that a server at `hostname` and `port` sends, in UTF-8, each ended by `delimiter`.

    The stream ends with the connection, or when `max_retry` further connections, `retry_ms` apart, have ended or failed
    too; -1: it never does. What was sent while nobody read is lost: such a source cannot go back.
    """

    _bounded = False

    def __init__(
        self, hostname: str, port: int, delimiter: str = "\n", max_retry: int = 0, retry_ms: int = 500
    ) -> None:
        if not isinstance(hostname, str) or not hostname:
            raise ValueError("the hostname of a socket must be a str that is not empty, got %r" % (hostname,))
        if not isinstance(delimiter, str) or not delimiter:
            raise ValueError("the delimiter of a socket must be a str that is not empty, got %r" % (delimiter,))
        for what, number, low, high in (
            ("port", port, 1, 65535),
            ("max_retry", max_retry, -1, 2**31 - 1),
            ("retry_ms", retry_ms, 0, 2**31 - 1),
        ):
            if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
                raise ValueError("the %s of a socket must be an int from %d to %d, got %r" % (what, low, high, number))
        self._members = {
            "type": "socket",
            "host": hostname,
            "port": port,
            "delimiter": delimiter,
            "retries": max_retry,
            "retry_ms": retry_ms,
        }


class StdinSource(_Lines):
    """Lines of this process's standard input, in UTF-8. The stream ends with it."""

    _bounded = True

    def __init__(self) -> None:
        self._members = {"type": "stdin"}
