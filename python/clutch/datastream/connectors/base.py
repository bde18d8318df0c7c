"""Source and Sink: bases of the connectors."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from clutch.common.typeinfo import TypeInformation

if TYPE_CHECKING:
    from clutch.datastream._data_stream import DataStream
    from clutch.datastream._sinks import DataStreamSink

__all__ = ["DeliveryGuarantee", "Sink", "Source"]


class Source:
    """Base of sources for StreamExecutionEnvironment.from_source."""

    def _type(self) -> TypeInformation:
        """The type of the elements where the program gives none."""
        raise NotImplementedError

    def _attach(self, env: Any, name: str, type_info: TypeInformation) -> DataStream:
        """Add the source to an environment. ValueError for a type that it cannot give."""
        raise NotImplementedError


class Sink:
    """Base of sinks for DataStream.sink_to."""

    def _attach(self, stream: DataStream) -> DataStreamSink:
        """Add the sink behind a stream."""
        raise NotImplementedError


class DeliveryGuarantee(Enum):
    """How often an element is written when a job fails and begins anew."""

    EXACTLY_ONCE = 0
    AT_LEAST_ONCE = 1
    NONE = 2
