"""Conditions under which an asynchronous call is tried again, for AsyncRetryStrategy."""

from __future__ import annotations

from typing import Any, List, Optional, Type

__all__ = ["empty_result_predicate", "exception_type_predicate", "has_exception_predicate"]


def empty_result_predicate(result: Optional[List[Any]]) -> bool:
    """Whether there is no result."""
    return not result


def has_exception_predicate(error: Optional[BaseException]) -> bool:
    """Whether the call failed."""
    return error is not None


def exception_type_predicate(error: Optional[BaseException], expected_error_type: Type[BaseException]) -> bool:
    """Whether the call failed with an exception of that type."""
    return isinstance(error, expected_error_type)
