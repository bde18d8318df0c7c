"""From a graph to the description of a job, as docs/jobs.md has it."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from clutch.common.typeinfo import TypeInformation
from clutch.datastream._code import Blobs, Code
from clutch.datastream._element_types import element_text
from clutch.datastream._graph import Input, Node, map_values, reachable


class Collection(NamedTuple):
    """Objects of the client that a source is to emit."""

    values: List[Any]
    type_info: TypeInformation


class Description(NamedTuple):
    """What an engine is given: the document, and the blobs it refers to by number; behind them those that are still to
    be made of collections."""

    document: Dict[str, Any]
    blobs: List[bytes]
    collections: List[Collection]


class _Later(NamedTuple):
    """A list in the document that is filled when the rest is written."""

    numbers: List[int]


class Settings(NamedTuple):
    """What is said of the job as a whole."""

    name: str
    mode: str  # streaming, batch or automatic
    parallelism: int
    max_parallelism: int
    configuration: Dict[str, str]


def mode_of(mode: str, nodes: List[Node]) -> str:
    """streaming or batch."""
    if mode != "automatic":
        return mode
    return "batch" if all(node.bounded for node in nodes if node.type == "source") else "streaming"


def describe(settings: Settings, operators: List[Node]) -> Description:
    """The description of the job that these operators, and all they read from, make."""
    nodes = reachable(operators)
    mode = mode_of(settings.mode, nodes)
    unbounded = [node.name for node in nodes if node.type == "source" and not node.bounded]
    if mode == "batch" and unbounded:
        raise ValueError(
            "the source %r never ends, so the job cannot run in batch mode; set the runtime mode to STREAMING or "
            "AUTOMATIC" % unbounded[0]
        )
    blobs = Blobs()
    collections: List[Tuple[List[int], Collection]] = []

    def leaf(value: Any) -> Any:
        if isinstance(value, Code):
            return value.describe(blobs)
        if isinstance(value, TypeInformation):
            return element_text(value)
        return value.numbers if isinstance(value, _Later) else value

    def written(node: Node) -> Dict[str, Any]:
        members = {**node.members, **(node.batch_members if mode == "batch" else {})}
        if "collection" in members:
            numbers: List[int] = []  # of its blobs, when all others are known
            collections.append((numbers, members.pop("collection")))
            members["source"] = {"type": "collection", "blobs": _Later(numbers)}
        if node.has_sides and node.side_outputs():
            members["side_outputs"] = node.side_outputs()
        found = {"id": node.id, "type": node.type, "name": node.name}
        return {**found, **map_values(members, leaf), **placement(node)}

    def placement(node: Node) -> Dict[str, Any]:
        parallelism = parallelism_of(node, settings.parallelism)
        found: Dict[str, Any] = {"uid": node.uid, "description": node.description, "chain": node.chain}
        found["parallelism"] = parallelism if parallelism != settings.parallelism else None
        return {name: value for name, value in found.items() if value is not None}

    def edge(item: Input, node: Node) -> Dict[str, Any]:
        origin = item.origin
        optional = {
            "input": item.number or None,
            "side": origin.side,
            "partitioning": origin.partitioning,
            "code": origin.code and origin.code.describe(blobs),
            "feedback": item.feedback or None,
        }
        found = {"from": origin.node.id, "to": node.id}
        return {**found, **{name: value for name, value in optional.items() if value is not None}}

    document = {
        "name": settings.name,
        "mode": mode,
        "parallelism": settings.parallelism,
        "max_parallelism": settings.max_parallelism,
        "configuration": settings.configuration,
        "nodes": [written(node) for node in nodes],
        "edges": [edge(item, node) for node in nodes for item in node.inputs],
    }
    for i, (numbers, _) in enumerate(collections):
        numbers.append(len(blobs.items) + i)
    return Description(document, blobs.items, [collection for _, collection in collections])


def parallelism_of(node: Node, default: int) -> int:
    """How many instances a node has. One that only adds something to elements has as many as what it reads."""
    if node.only_one:
        return 1
    if node.follows and len(node.inputs) == 1 and node.inputs[0].origin.partitioning is None:
        return parallelism_of(node.inputs[0].origin.node, default)
    found: Optional[int] = node.parallelism
    return default if found is None else found
