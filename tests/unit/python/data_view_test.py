"""ListView and MapView: in memory, and with a backend as a runtime binds one."""

from __future__ import annotations

import copy
import pickle
import unittest
from typing import Any, Dict, Iterator, List, Tuple

from support import TestCase

# isort: split
from clutch.table.data_view import ListBackend, ListView, MapBackend, MapView


class PagedList(ListBackend):
    """A list in pages of two that counts how many were read."""

    def __init__(self) -> None:
        self.values: List[Any] = []
        self.read = 0

    def clear(self) -> None:
        self.values = []

    def append(self, values: List[Any]) -> None:
        self.values.extend(values)

    def pages(self) -> Iterator[List[Any]]:
        for at in range(0, len(self.values), 2):
            self.read += 1
            yield self.values[at : at + 2]


class PagedMap(MapBackend):
    """A map in pages of two that counts how many were read."""

    def __init__(self) -> None:
        self.values: Dict[Any, Any] = {}
        self.read = 0

    def clear(self) -> None:
        self.values = {}

    def get(self, key: Any) -> Tuple[bool, Any]:
        return key in self.values, self.values.get(key)

    def put(self, items: List[Tuple[Any, Any]]) -> None:
        self.values.update(items)

    def remove(self, key: Any) -> None:
        self.values.pop(key, None)

    def is_empty(self) -> bool:
        return not self.values

    def pages(self) -> Iterator[List[Tuple[Any, Any]]]:
        keys = list(self.values)
        for at in range(0, len(keys), 2):
            self.read += 1
            yield [(key, self.values[key]) for key in keys[at : at + 2] if key in self.values]


def views(cls: Any, backend: Any) -> List[Any]:
    """One view in memory and one over the backend."""
    bound = cls()
    bound._bind(backend())
    return [cls(), bound]


class ListViewTest(TestCase):
    def test_api(self) -> None:
        for view in views(ListView, PagedList):
            self.assertEqual(list(view), [])
            view.add(1)
            view.add_all([2, None, 4])
            view.add_all(iter([5]))
            self.assertEqual(list(view), [1, 2, None, 4, 5])
            self.assertEqual(list(view.get()), [1, 2, None, 4, 5])
            view.clear()
            self.assertEqual(list(view), [])

    def test_a_loop_may_add_to_what_it_reads(self) -> None:
        view = ListView()
        view.add_all([1, 2])
        for value in view:
            view.add(value)
        self.assertEqual(list(view), [1, 2, 1, 2])

    def test_pages_are_read_on_demand(self) -> None:
        view, backend = ListView(), PagedList()
        view.add_all([1, 2, 3, 4, 5])
        view._bind(backend)
        elements = iter(view)
        self.assertEqual([next(elements), next(elements)], [1, 2])
        self.assertEqual(backend.read, 1)
        self.assertEqual(next(elements), 3)
        self.assertEqual(backend.read, 2)

    def test_compares_by_contents(self) -> None:
        memory, bound = views(ListView, PagedList)
        self.assertEqual(memory, bound)
        memory.add(1)
        self.assertNotEqual(memory, bound)
        self.assertNotEqual(memory, [1])
        self.refused(TypeError, "unhashable type: 'ListView'", lambda: hash(memory))
        self.assertEqual((repr(memory), repr(bound)), ("ListView([1])", "<ListView in state>"))


class MapViewTest(TestCase):
    def test_api(self) -> None:
        for view in views(MapView, PagedMap):
            self.assertTrue(view.is_empty())
            view.put("a", 1)
            view.put_all({"b": 2, "c": None})
            self.assertEqual(
                (view.get("a"), view.get("x"), view.contains("c"), view.contains("x")), (1, None, True, False)
            )
            self.assertEqual(dict(view.items()), {"a": 1, "b": 2, "c": None})
            self.assertEqual((sorted(view.keys()), list(view.values())), (["a", "b", "c"], [1, 2, None]))
            view.remove("a")
            view.remove("a")
            self.assertFalse(view.is_empty())
            view.clear()
            self.assertTrue(view.is_empty())

    def test_dict_protocol(self) -> None:
        for view in views(MapView, PagedMap):
            view["a"] = 1
            self.assertEqual(
                (view["a"], view["x"], "a" in view, "x" in view, list(view)), (1, None, True, False, ["a"])
            )
            del view["a"]
            self.assertNotIn("a", view)

    def test_iterators_remove_what_they_gave(self) -> None:
        for method in ("keys", "items", "values", "__iter__"):
            for view in views(MapView, PagedMap):
                view.put_all({key: key for key in range(6)})
                iterator = getattr(view, method)()
                for item in iterator:
                    if (item[0] if method == "items" else item) % 2:
                        iterator.remove()
                self.assertEqual(sorted(view), [0, 2, 4])
        text = "remove() takes out what next() gave, and there is nothing: call next() first"
        self.refused(RuntimeError, text, lambda: view.keys().remove())
        keys = view.keys()
        next(keys)
        keys.remove()
        self.refused(RuntimeError, text, keys.remove)

    def test_pages_are_read_on_demand(self) -> None:
        view, backend = MapView(), PagedMap()
        view.put_all({key: key for key in range(6)})
        view._bind(backend)
        keys = view.keys()
        self.assertEqual([next(keys), next(keys), backend.read], [0, 1, 1])

    def test_compares_by_contents(self) -> None:
        memory, bound = views(MapView, PagedMap)
        self.assertEqual(memory, bound)
        bound["a"] = 1
        self.assertNotEqual(memory, bound)
        self.refused(TypeError, "unhashable type: 'MapView'", lambda: hash(memory))
        self.assertEqual((repr(memory), repr(bound)), ("MapView({})", "<MapView in state>"))


class BindTest(TestCase):
    def test_contents_go_into_the_backend(self) -> None:
        view, backend = ListView(), PagedList()
        view.add(1)
        view._bind(backend)
        view.add(2)
        self.assertEqual(backend.values, [1, 2])

    def test_wrong_backend(self) -> None:
        self.refused(TypeError, "a ListView needs a ListBackend, got PagedMap", lambda: ListView()._bind(PagedMap()))
        self.refused(TypeError, "a MapView needs a MapBackend, got PagedList", lambda: MapView()._bind(PagedList()))

    def test_pickles_and_copies_in_memory_only(self) -> None:
        numbers, names = ListView(), MapView()
        numbers.add_all([1, 2])
        names.put("a", 1)
        for view in (numbers, names):
            self.assertEqual(pickle.loads(pickle.dumps(view)), view)
            self.assertEqual(copy.deepcopy(view), view)
        numbers._bind(PagedList())
        text = "a ListView in state cannot be pickled or copied; keep it where the accumulator's type declares it"
        self.refused(TypeError, text, lambda: pickle.dumps(numbers))


if __name__ == "__main__":
    unittest.main()
