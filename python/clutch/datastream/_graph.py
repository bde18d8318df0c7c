"""The graph of a program: nodes with their inputs, from which a job's description is written.

Nodes know what they read, not who reads them; a job is what the operators of an environment reach. So a stream that one
job has used can be the input of the next.
"""

from __future__ import annotations

import copy
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from clutch.common.typeinfo import TypeInformation
from clutch.datastream._code import Code
from clutch.datastream._element_types import element_text
from clutch.datastream.output_tag import OutputTag


class Origin(NamedTuple):
    """An output of a node, and how it goes to whoever reads it."""

    node: Node
    side: Optional[str] = None
    partitioning: Optional[str] = None
    code: Optional[Code] = None


class Input(NamedTuple):
    """One edge into a node."""

    origin: Origin
    number: int = 0
    feedback: bool = False


class Node:
    """One operator, source or sink. `members` are those of its type in docs/jobs.md; Code and types stand in them as
    they are. In batch mode `batch_members` win."""

    def __init__(
        self,
        number: int,
        node_type: str,
        name: str,
        members: Dict[str, Any],
        inputs: List[Input],
        parallelism: Optional[int] = None,
    ) -> None:
        self.id = number
        self.type = node_type
        self.name = name
        self.members = members
        self.batch_members: Dict[str, Any] = {}
        self.inputs = inputs
        self.parallelism = parallelism
        self.max_parallelism: Optional[int] = None
        self.only_one = False  # may not be parallel
        self.follows = False  # is as parallel as what it reads
        self.uid: Optional[str] = None
        self.description: Optional[str] = None
        self.chain: Optional[str] = None
        self.bounded = True
        self.late: Optional[Tuple[OutputTag, TypeInformation]] = None
        self._sides: Dict[str, OutputTag] = {}

    def copy(self) -> Node:
        """A node like this, with the same id."""
        return copy.copy(self)

    @property
    def has_sides(self) -> bool:
        """Whether its function can yield a tag and a value."""
        return self.type in ("window", "interval_join") or str(self.members.get("kind", "")).endswith("process")

    def add_side(self, tag: OutputTag) -> None:
        """Declare a side output. ValueError where there can be none, or for a second type under one name."""
        if not self.has_sides:
            raise ValueError(
                "the operator %r has no side outputs, such as %r; functions with process_element() and windows have"
                % (self.name, tag.tag_id)
            )
        known = self._sides.setdefault(tag.tag_id, tag)
        if known != tag:
            raise ValueError(
                "the side output %r of the operator %r is asked for with two types, %s and %s; use one OutputTag"
                % (tag.tag_id, self.name, known.type_info, tag.type_info)
            )

    def side_outputs(self) -> Dict[str, str]:
        """Names and type texts. Late elements have the type of the input, whatever the tag says."""
        found = {tag_id: element_text(tag.type_info) for tag_id, tag in self._sides.items()}
        if self.late is not None:
            found[self.late[0].tag_id] = element_text(self.late[1])
        return found

    def set_parallelism(self, parallelism: int) -> None:
        check_parallelism("the parallelism", parallelism)
        if self.only_one and parallelism != 1:
            raise ValueError("the parallelism of the operator %r can only be 1, got %d" % (self.name, parallelism))
        self.parallelism = parallelism
        self.follows = False


def check_parallelism(what: str, value: Any, most: int = 32768) -> int:
    """ValueError unless the number is one of 1 to `most`."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ValueError("%s must be an int from 1 to %d, got %r" % (what, most, value))
    return value


def reachable(operators: List[Node]) -> List[Node]:
    """The operators and all they read from, directly or not, by id."""
    found: Dict[int, Node] = {}
    waiting = list(operators)
    while waiting:
        node = waiting.pop()
        if node.id not in found:
            found[node.id] = node
            waiting.extend(item.origin.node for item in node.inputs)
    return [found[number] for number in sorted(found)]


def map_values(value: Any, replace: Callable[[Any], Any]) -> Any:
    """A copy of nested dicts and lists, with every leaf replaced."""
    if isinstance(value, dict):
        return {key: map_values(item, replace) for key, item in value.items()}
    if isinstance(value, list):
        return [map_values(item, replace) for item in value]
    return replace(value)
