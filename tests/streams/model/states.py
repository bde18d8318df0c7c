"""State by key and timers for functions of users, as plain dicts: the functions themselves run in the model, too."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

from model.times import FIRST, LAST, Element, Timers


class _Handle:
    """State of whichever key is the current one."""

    def __init__(self, model: KeyedModel, name: str) -> None:
        self._model, self._name = model, name

    @property
    def _cells(self) -> Dict[Any, Any]:
        return self._model.cells.setdefault(self._name, {})

    @property
    def _now(self) -> Any:
        return self._cells.get(self._model.key)

    def _set(self, value: Any) -> None:
        self._cells[self._model.key] = value

    def clear(self) -> None:
        self._cells.pop(self._model.key, None)


class _Value(_Handle):
    def value(self) -> Any:
        return self._now

    def update(self, value: Any) -> None:
        self._set(value)


class _List(_Handle):
    def get(self) -> Iterator[Any]:
        return iter(list(self._now or ()))

    __iter__ = get

    def add(self, value: Any) -> None:
        self._set([*(self._now or ()), value])

    def update(self, values: List[Any]) -> None:
        self._set(list(values))


class _Map(_Handle):
    def _items(self) -> Dict[Any, Any]:
        return self._now or {}

    def get(self, key: Any) -> Any:
        return self._items().get(key)

    def put(self, key: Any, value: Any) -> None:
        self._set({**self._items(), key: value})

    def remove(self, key: Any) -> None:
        self._set({one: value for one, value in self._items().items() if one != key})

    def contains(self, key: Any) -> bool:
        return key in self._items()

    def items(self) -> Iterable[Tuple[Any, Any]]:
        return list(self._items().items())

    def is_empty(self) -> bool:
        return not self._items()


class _Folded(_Handle):
    def __init__(self, model: KeyedModel, name: str, fold: Callable[[Any, Any], Any], result: Any) -> None:
        super().__init__(model, name)
        self._fold, self._result = fold, result

    def add(self, value: Any) -> None:
        self._set(self._fold(self._now, value))

    def get(self) -> Any:
        return None if self._now is None else self._result(self._now)


class _Runtime:
    """What open() gets."""

    def __init__(self, model: KeyedModel) -> None:
        self._model = model

    def get_state(self, descriptor: Any) -> Any:
        return _Value(self._model, descriptor.name)

    def get_list_state(self, descriptor: Any) -> Any:
        return _List(self._model, descriptor.name)

    def get_map_state(self, descriptor: Any) -> Any:
        return _Map(self._model, descriptor.name)

    def get_reducing_state(self, descriptor: Any) -> Any:
        reduce = self._model.folds[descriptor.name]
        return _Folded(
            self._model, descriptor.name, lambda so_far, v: v if so_far is None else reduce(so_far, v), _same
        )

    def get_aggregating_state(self, descriptor: Any) -> Any:
        of = self._model.folds[descriptor.name]

        def fold(so_far: Any, value: Any) -> Any:
            return of.add(value, of.create_accumulator() if so_far is None else so_far)

        return _Folded(self._model, descriptor.name, fold, of.get_result)


def _same(value: Any) -> Any:
    return value


class _Context:
    """What process_element() and on_timer() get, and the timer service."""

    def __init__(self, model: KeyedModel, time: Optional[int]) -> None:
        self._model, self._time = model, time

    def timestamp(self) -> Optional[int]:
        return self._time

    def get_current_key(self) -> Any:
        return self._model.key

    def timer_service(self) -> _Context:
        return self

    def current_watermark(self) -> int:
        return self._model.watermark

    def register_event_time_timer(self, time: int) -> None:
        self._model.timers.register(time, self._model.key, "timer")

    def delete_event_time_timer(self, time: int) -> None:
        self._model.timers.delete(time, self._model.key, "timer")

    def get_broadcast_state(self, descriptor: Any) -> Any:
        return _Broadcast(self._model.broadcast.setdefault(descriptor.name, {}))


class _Broadcast:
    """Broadcast state: a dict that all keys see."""

    def __init__(self, items: Dict[Any, Any]) -> None:
        self._items = items
        self.get, self.put, self.items = items.get, items.__setitem__, items.items

    def remove(self, key: Any) -> None:
        self._items.pop(key, None)


class KeyedModel:
    """One function over all keys. `folds` has, by name, what descriptors of reducing and aggregating state hold."""

    def __init__(self, function: Any, folds: Optional[Dict[str, Any]] = None) -> None:
        self.folds = folds or {}
        self.cells: Dict[str, Dict[Any, Any]] = {}
        self.broadcast: Dict[str, Dict[Any, Any]] = {}
        self.key: Any = None
        self.watermark = FIRST
        self.timers = Timers()
        self.given: List[Tuple[Any, int]] = []  # results with their times
        self._function = function
        function.open(_Runtime(self))

    def element(self, element: Element, method: str = "process_element") -> None:
        self.key = element.key
        self._take(getattr(self._function, method)(element, _Context(self, element.time)), element.time)

    def advance(self, watermark: int) -> None:
        if watermark > self.watermark:
            self.watermark = watermark
            self.timers.fire(watermark, self._on_timer)

    def _on_timer(self, time: int, key: Any, _: Any) -> None:
        self.key = key
        self._take(self._function.on_timer(time, _Context(self, time)), time)

    def _take(self, results: Any, time: int) -> None:
        self.given.extend((result, time) for result in results or ())


def run_keyed(
    function: Any, elements: List[Element], watermarks: List[int], folds: Optional[Dict[str, Any]] = None
) -> KeyedModel:
    model = KeyedModel(function, folds)
    for element, watermark in zip(elements, watermarks):
        model.element(element)
        model.advance(watermark)
    model.advance(LAST)
    return model
