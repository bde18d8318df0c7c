"""CachedDataStream: a stream whose elements one job computes and later ones read."""

from __future__ import annotations

from clutch.datastream._data_stream import DataStream
from clutch.datastream._refusing import OF_OPERATORS, refusing


@refusing(OF_OPERATORS, "a cache is no operator of its own; say it of the operator before cache()")
class CachedDataStream(DataStream):
    """The first job that needs the stream computes it; its elements stay in this process for those that follow."""

    def __init__(self, stream: DataStream) -> None:
        if len(stream._origins) != 1 or stream._origins[0].partitioning is not None:
            raise ValueError("cache() is of the results of an operator; map a union or partitioning to itself before")
        super().__init__(stream._env, stream._origins, stream._type)
        self._env._cache.add(self._origins[0], self._type)

    def cache(self) -> CachedDataStream:
        return self

    def invalidate(self) -> None:
        """Forget the elements; the next job computes them anew."""
        self._env._cache.forget(self._origins[0])
