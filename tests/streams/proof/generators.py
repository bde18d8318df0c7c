"""Random streams by seed."""

from __future__ import annotations

import os
import random
from typing import Any, List, NamedTuple

from model.times import Element


def seeds(count: int) -> List[int]:
    """As many seeds; STREAM_PROOFS_SEEDS says how many others, and STREAM_PROOFS_SEED which one alone."""
    alone = os.environ.get("STREAM_PROOFS_SEED")
    if alone is not None:
        return [int(alone)]
    return list(range(int(os.environ.get("STREAM_PROOFS_SEEDS", count))))


class Shape(NamedTuple):
    """What a random stream is like."""

    length: int
    keys: int
    first: int  # about the earliest time
    step: int  # between neighbours, at most
    disorder: int  # how far an element may be behind the newest before it
    duplicates: float
    nulls: float


def shape_of(choose: random.Random, longest: int) -> Shape:
    return Shape(
        length=choose.choice([0, 1, 2, longest // 3, longest, longest]),
        keys=choose.choice([1, 2, 5, 40]),
        first=choose.choice([0, 0, -60, -(10**6), 1_700_000_000_000]),
        step=choose.choice([0, 1, 5, 20]),
        disorder=choose.choice([0, 0, 3, 15, 60]),
        duplicates=choose.choice([0.0, 0.3]),
        nulls=choose.choice([0.0, 0.2]),
    )


def stream_of(choose: random.Random, shape: Shape) -> List[Element]:
    """Elements whose times run on with some disorder; some are the same as one before."""
    elements: List[Element] = []
    newest = shape.first
    for _ in range(shape.length):
        if elements and choose.random() < shape.duplicates:
            elements.append(choose.choice(elements[-5:]))
            continue
        newest += choose.randint(0, shape.step)
        value: Any = None if choose.random() < shape.nulls else choose.randint(-20, 20)
        elements.append(Element(choose.randrange(shape.keys), newest - choose.randint(0, shape.disorder), value))
    return elements


def behind(elements: List[Element]) -> int:
    """How far an element is behind the newest before it, at most: with this bound none is late."""
    most, newest = 0, None
    for element in elements:
        newest = element.time if newest is None else max(newest, element.time)
        most = max(most, newest - element.time)
    return most
