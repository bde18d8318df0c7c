"""Watermark strategies as members of a job's description."""

from __future__ import annotations

from typing import Any, Dict

from clutch.common.watermark_strategy import WatermarkStrategy
from clutch.datastream._code import Code, check_instance, name_of


def watermark_members(strategy: WatermarkStrategy) -> Dict[str, Any]:
    """The members of a node of type watermarks."""
    check_instance(strategy, "assign_timestamps_and_watermarks", WatermarkStrategy)
    plain = strategy.plain()
    members: Dict[str, Any] = {}
    if plain["sort"] != "none":
        members["out_of_orderness_ms"] = plain["bound_ms"]
    if plain["idle_ms"] is not None:
        members["idle_after_ms"] = plain["idle_ms"]
    assigner = strategy.timestamp_assigner()
    if assigner is not None:
        members["code"] = Code(assigner, name_of(assigner))
    return members
