"""DiscardingSink: for streams of which nobody wants the elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clutch.datastream.connectors.base import Sink

if TYPE_CHECKING:
    from clutch.datastream._data_stream import DataStream
    from clutch.datastream._sinks import DataStreamSink

__all__ = ["DiscardingSink"]


class DiscardingSink(Sink):
    """Drops every element. What is before it runs as ever: for measurements, and for functions that write by
    themselves. PyFlink has it in Java alone."""

    def _attach(self, stream: DataStream) -> DataStreamSink:
        return stream._sink("Sink: Discarding", {"type": "blackhole"})
