"""AsyncDataStream: functions whose results are awaited while other elements go on."""

from __future__ import annotations

from typing import Any, Dict, Optional

from clutch.common.time import Time, to_millis
from clutch.common.typeinfo import type_or_row
from clutch.datastream._adapters import Retrying
from clutch.datastream._async_functions import AsyncBatchFunction, AsyncFunction, AsyncRetryStrategy
from clutch.datastream._code import check_instance
from clutch.datastream._data_stream import DataStream, OutputType
from clutch.datastream._keyed_stream import options_of
from clutch.datastream.async_retry_strategies import NO_RETRY_STRATEGY

__all__ = ["AsyncDataStream"]


class AsyncDataStream:
    """Applies an AsyncFunction to a stream, in order of the elements or of completion."""

    @staticmethod
    def unordered_wait(
        data_stream: DataStream,
        async_function: AsyncFunction[Any, Any],
        timeout: Time,
        capacity: int = 100,
        output_type: OutputType = None,
    ) -> DataStream:
        """Results as they come. At most `capacity` elements wait at a time; 0 as `timeout` is no timeout."""
        return _wait(data_stream, async_function, timeout, capacity, output_type, False)

    @staticmethod
    def ordered_wait(
        data_stream: DataStream,
        async_function: AsyncFunction[Any, Any],
        timeout: Time,
        capacity: int = 100,
        output_type: OutputType = None,
    ) -> DataStream:
        """Results in the order of the elements."""
        return _wait(data_stream, async_function, timeout, capacity, output_type, True)

    @staticmethod
    def unordered_wait_with_retry(
        data_stream: DataStream,
        async_function: AsyncFunction[Any, Any],
        timeout: Time,
        async_retry_strategy: AsyncRetryStrategy[Any],
        capacity: int = 100,
        output_type: OutputType = None,
    ) -> DataStream:
        """Results as they come; calls are tried again within the timeout."""
        return _wait(data_stream, async_function, timeout, capacity, output_type, False, async_retry_strategy)

    @staticmethod
    def ordered_wait_with_retry(
        data_stream: DataStream,
        async_function: AsyncFunction[Any, Any],
        timeout: Time,
        async_retry_strategy: AsyncRetryStrategy[Any],
        capacity: int = 100,
        output_type: OutputType = None,
    ) -> DataStream:
        """Results in the order of the elements; calls are tried again within the timeout."""
        return _wait(data_stream, async_function, timeout, capacity, output_type, True, async_retry_strategy)

    @staticmethod
    def unordered_wait_batch(
        data_stream: DataStream,
        async_function: AsyncBatchFunction[Any, Any],
        timeout: Time,
        batch_size: int,
        batch_timeout: Optional[Time] = None,
        capacity: int = 100,
        output_type: OutputType = None,
    ) -> DataStream:
        """One call for up to `batch_size` elements, or for those that came within `batch_timeout`."""
        batch = _batch_options(batch_size, batch_timeout)
        return _wait(data_stream, async_function, timeout, capacity, output_type, False, None, batch)

    @staticmethod
    def ordered_wait_batch(
        data_stream: DataStream,
        async_function: AsyncBatchFunction[Any, Any],
        timeout: Time,
        batch_size: int,
        batch_timeout: Optional[Time] = None,
        capacity: int = 100,
        output_type: OutputType = None,
    ) -> DataStream:
        """As unordered_wait_batch, with results in the order of the elements."""
        batch = _batch_options(batch_size, batch_timeout)
        return _wait(data_stream, async_function, timeout, capacity, output_type, True, None, batch)


def _above_zero(what: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("the %s of an async operator must be an int of at least 1, got %r" % (what, value))
    return value


def _batch_options(batch_size: int, batch_timeout: Optional[Time]) -> Dict[str, int]:
    options = {"batch_size": _above_zero("batch_size", batch_size)}
    if batch_timeout is not None:
        options["batch_timeout_ms"] = _above_zero("batch_timeout", to_millis("the batch_timeout", batch_timeout))
    return options


def _wait(
    stream: DataStream,
    function: Any,
    timeout: Time,
    capacity: int,
    output_type: OutputType,
    ordered: bool,
    strategy: Optional[AsyncRetryStrategy[Any]] = None,
    batch: Optional[Dict[str, int]] = None,
) -> DataStream:
    from clutch.table._payload import is_async

    check_instance(stream, "an async operator", DataStream)
    check_instance(function, "an async operator", AsyncBatchFunction if batch else AsyncFunction)
    method = "async_invoke_batch" if batch else "async_invoke"
    if not is_async(function, method):
        raise TypeError("%s.%s must be declared with 'async def'" % (type(function).__name__, method))
    timeout_ms = to_millis("the timeout of an async operator", timeout)
    if timeout_ms < 0:
        raise ValueError("the timeout of an async operator must not be negative, got %d ms" % timeout_ms)
    if strategy is not None and strategy is not NO_RETRY_STRATEGY:
        check_instance(strategy, "an async operator with retry", AsyncRetryStrategy)
        if timeout_ms == 0:
            raise ValueError("an async operator with retry needs a timeout above 0, which bounds all of its calls")
        function = Retrying(function, strategy)
    options = {"timeout_ms": timeout_ms, "capacity": _above_zero("capacity", capacity), "ordered": ordered}
    output = type_or_row("the output_type of an async operator", output_type)
    return stream._values()._python(
        "stream.async", "async wait operator", function, output, options_of({**options, **(batch or {})})
    )
