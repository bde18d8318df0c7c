"""Streams of all sorts, under the name of PyFlink's module."""

from __future__ import annotations

from clutch.datastream._cached_data_stream import CachedDataStream
from clutch.datastream._closeable_iterator import CloseableIterator
from clutch.datastream._connected_streams import BroadcastConnectedStream, BroadcastStream, ConnectedStreams
from clutch.datastream._data_stream import DataStream
from clutch.datastream._interval_join import IntervalJoin, IntervalJoined
from clutch.datastream._iterative_stream import IterativeStream
from clutch.datastream._joined_streams import CoGroupedStreams, JoinedStreams
from clutch.datastream._keyed_stream import KeyedStream
from clutch.datastream._sinks import DataStreamSink
from clutch.datastream._windowed_streams import AllWindowedStream, WindowedStream

__all__ = [
    "AllWindowedStream",
    "BroadcastConnectedStream",
    "BroadcastStream",
    "CachedDataStream",
    "CloseableIterator",
    "CoGroupedStreams",
    "ConnectedStreams",
    "DataStream",
    "DataStreamSink",
    "IntervalJoin",
    "IntervalJoined",
    "IterativeStream",
    "JoinedStreams",
    "KeyedStream",
    "WindowedStream",
]
