"""StateTtlConfig: how long state lives, what counts as use, and when it is removed."""

from __future__ import annotations

from enum import Enum
from typing import Any, Dict, Optional, Union

from clutch.common.time import Duration, Time, to_millis


class _UpdateType(Enum):
    """What starts the time to live anew. With Disabled, state does not expire."""

    Disabled = 0
    OnCreateAndWrite = 1
    OnReadAndWrite = 2


class _StateVisibility(Enum):
    """Whether state that expired but still exists is given to the function."""

    ReturnExpiredIfNotCleanedUp = 0
    NeverReturnExpired = 1


class _TtlTimeCharacteristic(Enum):
    """The clock of the time to live: the machine's."""

    ProcessingTime = 0


class _CleanupStrategies:
    """When expired state is removed, apart from a function reading it."""

    class Strategies(Enum):
        FULL_STATE_SCAN_SNAPSHOT = 0
        INCREMENTAL_CLEANUP = 1
        ROCKSDB_COMPACTION_FILTER = 2

    class CleanupStrategy:
        """Base of the strategies."""

    class EmptyCleanupStrategy(CleanupStrategy):
        """A strategy without options."""

    class IncrementalCleanupStrategy(CleanupStrategy):
        """Each access to state looks at some more entries."""

        def __init__(self, cleanup_size: int, run_cleanup_for_every_record: bool) -> None:
            if not isinstance(cleanup_size, int) or isinstance(cleanup_size, bool) or cleanup_size < 1:
                raise ValueError("cleanup_size must be an int of at least 1, got %r" % (cleanup_size,))
            self._cleanup_size = cleanup_size
            self._run_cleanup_for_every_record = bool(run_cleanup_for_every_record)

        def get_cleanup_size(self) -> int:
            return self._cleanup_size

        def run_cleanup_for_every_record(self) -> bool:
            return self._run_cleanup_for_every_record

    class RocksdbCompactFilterCleanupStrategy(CleanupStrategy):
        """RocksDB drops expired entries when it compacts its files."""

        def __init__(
            self,
            query_time_after_num_entries: int,
            periodic_compaction_time: Union[Duration, Time] = Duration.of_days(30),  # noqa: B008 (immutable)
        ) -> None:
            if not isinstance(query_time_after_num_entries, int) or query_time_after_num_entries < 0:
                raise ValueError(
                    "query_time_after_num_entries must be an int of at least 0, got %r"
                    % (query_time_after_num_entries,)
                )
            to_millis("periodic_compaction_time", periodic_compaction_time)
            self._query_time_after_num_entries = query_time_after_num_entries
            self._periodic_compaction_time = periodic_compaction_time

        def get_query_time_after_num_entries(self) -> int:
            return self._query_time_after_num_entries

        def get_periodic_compaction_time(self) -> Union[Duration, Time]:
            return self._periodic_compaction_time

    def __init__(self, strategies: Dict[Strategies, CleanupStrategy], is_cleanup_in_background: bool) -> None:
        self._strategies = dict(strategies)
        self._is_cleanup_in_background = is_cleanup_in_background

    def is_cleanup_in_background(self) -> bool:
        return self._is_cleanup_in_background

    def in_full_snapshot(self) -> bool:
        return self.Strategies.FULL_STATE_SCAN_SNAPSHOT in self._strategies

    def get_incremental_cleanup_strategy(self) -> Optional[IncrementalCleanupStrategy]:
        """The strategy that was set; the default where cleanup happens in the background, else None."""
        default = self.IncrementalCleanupStrategy(5, False) if self._is_cleanup_in_background else None
        return self._strategies.get(self.Strategies.INCREMENTAL_CLEANUP, default)  # type: ignore[return-value]

    def in_rocksdb_compact_filter(self) -> bool:
        return self.get_rocksdb_compact_filter_cleanup_strategy() is not None

    def get_rocksdb_compact_filter_cleanup_strategy(self) -> Optional[RocksdbCompactFilterCleanupStrategy]:
        """The strategy that was set; the default where cleanup happens in the background, else None."""
        default = self.RocksdbCompactFilterCleanupStrategy(1000) if self._is_cleanup_in_background else None
        return self._strategies.get(self.Strategies.ROCKSDB_COMPACTION_FILTER, default)  # type: ignore[return-value]


def _member(what: str, enum: Any, value: Any) -> Any:
    if not isinstance(value, enum):
        names = ", ".join(member.name for member in enum)
        raise TypeError("%s must be one of %s of StateTtlConfig, got %r" % (what, names, value))
    return value


class StateTtlConfig:
    """How long state lives. Made by ``StateTtlConfig.new_builder(Time.hours(1))...build()``."""

    UpdateType = _UpdateType
    StateVisibility = _StateVisibility
    TtlTimeCharacteristic = _TtlTimeCharacteristic
    CleanupStrategies = _CleanupStrategies

    class Builder:
        """Collects the options. Each method returns the builder."""

        def __init__(self, ttl: Union[Time, Duration]) -> None:
            self._update_type = _UpdateType.OnCreateAndWrite
            self._state_visibility = _StateVisibility.NeverReturnExpired
            self._ttl_time_characteristic = _TtlTimeCharacteristic.ProcessingTime
            self._is_cleanup_in_background = True
            self._strategies: Dict[_CleanupStrategies.Strategies, _CleanupStrategies.CleanupStrategy] = {}
            self.set_ttl(ttl)

        def set_ttl(self, ttl: Union[Time, Duration]) -> StateTtlConfig.Builder:
            """TypeError for what is no length of time, ValueError for one below 1 ms."""
            if to_millis("the time to live of state", ttl) < 1:
                raise ValueError("the time to live of state must be at least 1 ms, got %r" % (ttl,))
            self._ttl = ttl
            return self

        def set_update_type(self, update_type: _UpdateType) -> StateTtlConfig.Builder:
            self._update_type = _member("the update type", _UpdateType, update_type)
            return self

        def update_ttl_on_create_and_write(self) -> StateTtlConfig.Builder:
            return self.set_update_type(_UpdateType.OnCreateAndWrite)

        def update_ttl_on_read_and_write(self) -> StateTtlConfig.Builder:
            return self.set_update_type(_UpdateType.OnReadAndWrite)

        def set_state_visibility(self, state_visibility: _StateVisibility) -> StateTtlConfig.Builder:
            self._state_visibility = _member("the state visibility", _StateVisibility, state_visibility)
            return self

        def return_expired_if_not_cleaned_up(self) -> StateTtlConfig.Builder:
            return self.set_state_visibility(_StateVisibility.ReturnExpiredIfNotCleanedUp)

        def never_return_expired(self) -> StateTtlConfig.Builder:
            return self.set_state_visibility(_StateVisibility.NeverReturnExpired)

        def set_ttl_time_characteristic(
            self, ttl_time_characteristic: _TtlTimeCharacteristic
        ) -> StateTtlConfig.Builder:
            self._ttl_time_characteristic = _member(
                "the time characteristic", _TtlTimeCharacteristic, ttl_time_characteristic
            )
            return self

        def use_processing_time(self) -> StateTtlConfig.Builder:
            return self.set_ttl_time_characteristic(_TtlTimeCharacteristic.ProcessingTime)

        def cleanup_full_snapshot(self) -> StateTtlConfig.Builder:
            """Leave expired state out of snapshots."""
            key = _CleanupStrategies.Strategies.FULL_STATE_SCAN_SNAPSHOT
            self._strategies[key] = _CleanupStrategies.EmptyCleanupStrategy()
            return self

        def cleanup_incrementally(
            self, cleanup_size: int, run_cleanup_for_every_record: bool
        ) -> StateTtlConfig.Builder:
            """Look at `cleanup_size` entries with each access to state, or with each row."""
            key = _CleanupStrategies.Strategies.INCREMENTAL_CLEANUP
            self._strategies[key] = _CleanupStrategies.IncrementalCleanupStrategy(
                cleanup_size, run_cleanup_for_every_record
            )
            return self

        def cleanup_in_rocksdb_compact_filter(
            self,
            query_time_after_num_entries: int,
            periodic_compaction_time: Union[Duration, Time] = Duration.of_days(30),  # noqa: B008 (immutable)
        ) -> StateTtlConfig.Builder:
            """Drop expired entries when RocksDB compacts; the clock is read again after so many entries."""
            key = _CleanupStrategies.Strategies.ROCKSDB_COMPACTION_FILTER
            self._strategies[key] = _CleanupStrategies.RocksdbCompactFilterCleanupStrategy(
                query_time_after_num_entries, periodic_compaction_time
            )
            return self

        def disable_cleanup_in_background(self) -> StateTtlConfig.Builder:
            """Remove nothing but what a strategy that was set, or a read, removes."""
            self._is_cleanup_in_background = False
            return self

        def build(self) -> StateTtlConfig:
            return StateTtlConfig(
                self._update_type,
                self._state_visibility,
                self._ttl_time_characteristic,
                self._ttl,
                _CleanupStrategies(self._strategies, self._is_cleanup_in_background),
            )

    def __init__(
        self,
        update_type: _UpdateType,
        state_visibility: _StateVisibility,
        ttl_time_characteristic: _TtlTimeCharacteristic,
        ttl: Union[Time, Duration],
        cleanup_strategies: _CleanupStrategies,
    ) -> None:
        self._update_type = update_type
        self._state_visibility = state_visibility
        self._ttl_time_characteristic = ttl_time_characteristic
        self._ttl = ttl
        self._cleanup_strategies = cleanup_strategies

    @staticmethod
    def new_builder(ttl: Union[Time, Duration]) -> StateTtlConfig.Builder:
        return StateTtlConfig.Builder(ttl)

    def get_update_type(self) -> _UpdateType:
        return self._update_type

    def get_state_visibility(self) -> _StateVisibility:
        return self._state_visibility

    def get_ttl(self) -> Union[Time, Duration]:
        return self._ttl

    def get_ttl_time_characteristic(self) -> _TtlTimeCharacteristic:
        return self._ttl_time_characteristic

    def is_enabled(self) -> bool:
        return self._update_type is not _UpdateType.Disabled

    def get_cleanup_strategies(self) -> _CleanupStrategies:
        return self._cleanup_strategies

    def plain(self) -> Dict[str, Any]:
        """What a runtime needs to know, as numbers, texts and booleans."""
        strategies = self._cleanup_strategies
        incremental = strategies.get_incremental_cleanup_strategy()
        compaction = strategies.get_rocksdb_compact_filter_cleanup_strategy()
        return {
            "ms": to_millis("the time to live of state", self._ttl),
            "update": ("disabled", "create_and_write", "read_and_write")[self._update_type.value],
            "return_expired": self._state_visibility is _StateVisibility.ReturnExpiredIfNotCleanedUp,
            "full_snapshot": strategies.in_full_snapshot(),
            "incremental": incremental
            and {"size": incremental.get_cleanup_size(), "every_row": incremental.run_cleanup_for_every_record()},
            "compaction": compaction
            and {
                "entries": compaction.get_query_time_after_num_entries(),
                "period_ms": to_millis("the period", compaction.get_periodic_compaction_time()),
            },
        }

    def __repr__(self) -> str:
        return "StateTtlConfig<%s, %s, %s, %r>" % (
            self._update_type.name,
            self._state_visibility.name,
            self._ttl_time_characteristic.name,
            self._ttl,
        )


# They are members of StateTtlConfig: so they are printed, and pickled.
for _part in (_UpdateType, _StateVisibility, _TtlTimeCharacteristic, _CleanupStrategies):
    _part.__name__ = _part.__name__[1:]
    _part.__qualname__ = "StateTtlConfig." + _part.__name__
