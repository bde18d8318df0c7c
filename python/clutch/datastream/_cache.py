"""What cached streams have: elements that one job computed and later ones read."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from clutch.common.typeinfo import TypeInformation
from clutch.datastream._description import Collection
from clutch.datastream._graph import Input, Node, Origin, reachable

_Place = Tuple[int, Optional[str]]  # id of a node, and its side output


class _Entry(NamedTuple):
    type_info: TypeInformation
    elements: Optional[List[Any]]  # None until a job has computed them


class Prepared(NamedTuple):
    """The operators of a job after caches have their say, and what takes the elements of sinks that fill them."""

    operators: List[Node]
    keep: Dict[int, Callable[[List[Any]], None]]


class Cache:
    """The caches of an environment."""

    def __init__(self) -> None:
        self._entries: Dict[_Place, _Entry] = {}

    def add(self, origin: Origin, type_info: TypeInformation) -> None:
        self._entries.setdefault((origin.node.id, origin.side), _Entry(type_info, None))

    def forget(self, origin: Origin) -> None:
        """The next job computes the elements anew."""
        place = (origin.node.id, origin.side)
        if place in self._entries:
            self._entries[place] = self._entries[place]._replace(elements=None)

    def prepare(self, operators: List[Node], make: Callable[..., Node]) -> Prepared:
        """Let the operators read what is cached, and add sinks that fill the caches they reach.

        `make` makes a node: type, name, members, inputs.
        """
        if not self._entries:
            return Prepared(operators, {})
        copies: Dict[int, Node] = {}
        sources: Dict[_Place, Node] = {}

        def source(place: _Place, entry: _Entry) -> Node:
            if place not in sources:
                members = {"collection": Collection(entry.elements or [], entry.type_info), "output": entry.type_info}
                sources[place] = make("source", "Source: Cache", members, [])
                sources[place].only_one = True
            return sources[place]

        def read(item: Input) -> Input:
            origin = item.origin
            place = (origin.node.id, origin.side)
            entry = self._entries.get(place)
            if entry is None or entry.elements is None:
                return item._replace(origin=origin._replace(node=copy_of(origin.node)))
            return item._replace(origin=origin._replace(node=source(place, entry), side=None))

        def copy_of(node: Node) -> Node:
            if node.id not in copies:
                copies[node.id] = node.copy()
                copies[node.id].inputs = [read(item) for item in node.inputs]
            return copies[node.id]

        roots = [copy_of(node) for node in operators if not self._is_computed(node)]
        keep: Dict[int, Callable[[List[Any]], None]] = {}
        by_id = {node.id: node for node in reachable(roots)}
        for place, entry in self._entries.items():
            if entry.elements is None and place[0] in by_id:
                sink = make("sink", "Cache", {"sink": {"type": "collect"}}, [Input(Origin(by_id[place[0]], place[1]))])
                keep[sink.id] = self._filler(place)
                roots.append(sink)
        return Prepared(roots, keep)

    def _is_computed(self, node: Node) -> bool:
        """Whether all that the operator gives is in a cache, so that no job needs it."""
        entry = self._entries.get((node.id, None))
        return entry is not None and entry.elements is not None

    def _filler(self, place: _Place) -> Callable[[List[Any]], None]:
        def fill(elements: List[Any]) -> None:
            self._entries[place] = self._entries[place]._replace(elements=elements)

        return fill
