"""Calls of window functions, whichever sort they are of."""

from __future__ import annotations

from typing import Any, Callable, Iterable, List, Optional

from clutch.datastream._basic_functions import Function, ReduceFunction


def call_of(function: Any, all_windows: bool) -> Callable[[Any, Any, Any, List[Any]], Optional[Iterable[Any]]]:
    """``f(key, window, context, elements)`` of a window function; without one, the elements themselves."""
    if function is None:
        return lambda key, window, context, elements: elements
    if hasattr(function, "process"):
        process = function.process
        if all_windows:
            return lambda key, window, context, elements: process(context, elements)
        return lambda key, window, context, elements: process(key, context, elements)
    apply = function.apply
    if all_windows:
        return lambda key, window, context, elements: apply(window, elements)
    return lambda key, window, context, elements: apply(key, window, elements)


def reducer_of(function: Any) -> Callable[[Any, Any], Any]:
    """``f(a, b)`` of a ReduceFunction or a callable."""
    return function.reduce if isinstance(function, ReduceFunction) else function


class FoldedWindow(Function):
    """Reduces or aggregates the elements of a whole window, then calls the window function with the result."""

    def __init__(self, sort: str, function: Any, window_function: Any, all_windows: bool) -> None:
        self._sort = sort
        self._function = function
        self._window_function = window_function
        self._all_windows = all_windows
        # As the instance says it, since the runtime calls what fits windows with keys or without.
        self.process = self._process_all if all_windows else self._process_key

    def open(self, runtime_context: Any) -> None:
        for function in (self._function, self._window_function):
            if isinstance(function, Function):
                function.open(runtime_context)

    def close(self) -> None:
        for function in (self._function, self._window_function):
            if isinstance(function, Function):
                function.close()

    def clear(self, context: Any) -> None:
        clear = getattr(self._window_function, "clear", None)
        if clear is not None:
            clear(context)

    def _fold(self, elements: Iterable[Any]) -> Any:
        if self._sort == "aggregate":
            accumulator = self._function.create_accumulator()
            for element in elements:
                accumulator = self._function.add(element, accumulator)
            return self._function.get_result(accumulator)
        reduce = reducer_of(self._function)
        remaining = iter(elements)
        result = next(remaining)
        for element in remaining:
            result = reduce(result, element)
        return result

    def _process_key(self, key: Any, context: Any, elements: Iterable[Any]) -> Any:
        listed = list(elements)
        if not listed and self._sort == "reduce":  # all were evicted; an aggregate of nothing has a result
            return ()
        call = call_of(self._window_function, self._all_windows)
        return call(key, context.window(), context, [self._fold(listed)])

    def _process_all(self, context: Any, elements: Iterable[Any]) -> Any:
        return self._process_key(None, context, elements)
