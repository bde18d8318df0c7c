"""A job's description as the execution plan that PyFlink gives."""

from __future__ import annotations

import json
from typing import Any, Dict, List

_PACTS = {"source": "Data Source", "sink": "Data Sink"}


def _strategy(edge: Dict[str, Any], nodes: Dict[int, Dict[str, Any]], default: int) -> str:
    if "partitioning" in edge:
        return str(edge["partitioning"]).upper()
    sender, receiver = nodes[edge["from"]], nodes[edge["to"]]
    if sender["type"] == "key_by":
        return "HASH"
    equal = sender.get("parallelism", default) == receiver.get("parallelism", default)
    return "FORWARD" if equal else "REBALANCE"


def execution_plan(document: Dict[str, Any]) -> str:
    """JSON: nodes with id, type, pact, contents, parallelism and predecessors."""
    nodes = {node["id"]: node for node in document["nodes"]}
    default = document["parallelism"]
    found: List[Dict[str, Any]] = []
    for node in document["nodes"]:
        label = node.get("description", node["name"])
        planned: Dict[str, Any] = {
            "id": node["id"],
            "type": node["name"],
            "pact": _PACTS.get(node["type"], "Operator"),
            "contents": label,
            "parallelism": node.get("parallelism", default),
        }
        before = [edge for edge in document["edges"] if edge["to"] == node["id"]]
        if before:
            planned["predecessors"] = [
                {"id": edge["from"], "ship_strategy": _strategy(edge, nodes, default), "side": "second"}
                for edge in before
            ]
        found.append(planned)
    return json.dumps({"nodes": found}, indent=2)
