"""Where the boxes of a plan stand: in layers from left to right, with the edges around the boxes between.

Layers by the longest path, order by barycentre, places by the mean of the neighbours. An edge that leads back is left
out of the layers.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Sequence, Set, Tuple

_SWEEPS = 8
_GAP_X, _GAP_Y = 130.0, 36.0
_LANE = 18.0  # height that a passing edge takes


class Size(NamedTuple):
    width: float
    height: float


class Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float


class Layout(NamedTuple):
    """`bends` has for each edge the points between its boxes, by layer; `back` tells which edges lead back."""

    boxes: List[Box]
    bends: List[List[Tuple[float, float]]]
    back: List[bool]
    width: float
    height: float


def lay_out(sizes: Sequence[Size], edges: Sequence[Tuple[int, int]]) -> Layout:
    """Place boxes of these sizes, which the edges (from, to) join."""
    back = _leading_back(len(sizes), edges)
    forward = [edge for edge, is_back in zip(edges, back) if not is_back]
    layer_of = _layers(len(sizes), forward)
    # Long edges become chains of small boxes of their own, so that they have a lane between the others.
    all_sizes, layers = list(sizes), list(layer_of)
    chains: List[List[int]] = []
    for edge, is_back in zip(edges, back):
        lanes: List[int] = []
        if not is_back:
            for layer in range(layer_of[edge[0]] + 1, layer_of[edge[1]]):
                lanes.append(len(all_sizes))
                all_sizes.append(Size(0.0, _LANE))
                layers.append(layer)
        chains.append(lanes)
    steps: List[Tuple[int, int]] = []
    for edge, lanes, is_back in zip(edges, chains, back):
        if not is_back:
            path = [edge[0], *lanes, edge[1]]
            steps += list(zip(path, path[1:]))
    rows = _order(layers, steps)
    xs, widths, width = _columns(all_sizes, rows)
    ys = _heights(all_sizes, rows, steps)
    top = min(ys, default=0.0)
    boxes = [Box(xs[layers[i]], ys[i] - top, size.width, size.height) for i, size in enumerate(sizes)]
    bends: List[List[Tuple[float, float]]] = []
    for lanes in chains:
        points: List[Tuple[float, float]] = []
        for lane in lanes:
            y = ys[lane] - top + _LANE / 2
            points += [(xs[layers[lane]], y), (xs[layers[lane]] + widths[layers[lane]], y)]
        bends.append(points)
    height = max((ys[i] - top + size.height for i, size in enumerate(all_sizes)), default=0.0)
    return Layout(boxes, bends, back, width, height)


def _leading_back(count: int, edges: Sequence[Tuple[int, int]]) -> List[bool]:
    """Edges into what is still being walked, by a walk in depth."""
    out: Dict[int, List[int]] = {i: [] for i in range(count)}
    for number, (source, _) in enumerate(edges):
        out[source].append(number)
    back = [False] * len(edges)
    done: Set[int] = set()
    for root in range(count):
        if root in done:
            continue
        walking = {root}
        stack = [(root, iter(out[root]))]
        while stack:
            node, numbers = stack[-1]
            for number in numbers:
                target = edges[number][1]
                if target in walking:
                    back[number] = True
                elif target not in done:
                    walking.add(target)
                    stack.append((target, iter(out[target])))
                    break
            else:
                stack.pop()
                walking.discard(node)
                done.add(node)
    return back


def _layers(count: int, edges: Sequence[Tuple[int, int]]) -> List[int]:
    """The length of the longest path to each."""
    layers = [0] * count
    for _ in range(count):
        changed = False
        for source, target in edges:
            if layers[target] < layers[source] + 1:
                layers[target] = layers[source] + 1
                changed = True
        if not changed:
            break
    return layers


def _neighbours(count: int, steps: Sequence[Tuple[int, int]]) -> Tuple[List[List[int]], List[List[int]]]:
    before: List[List[int]] = [[] for _ in range(count)]
    behind: List[List[int]] = [[] for _ in range(count)]
    for source, target in steps:
        before[target].append(source)
        behind[source].append(target)
    return before, behind


def _crossings(rows: Sequence[Sequence[int]], steps: Sequence[Tuple[int, int]]) -> int:
    place = {node: i for row in rows for i, node in enumerate(row)}
    layer = {node: number for number, row in enumerate(rows) for node in row}
    ends = [(layer[source], place[source], place[target]) for source, target in steps]
    found = 0
    for i, (of, a, b) in enumerate(ends):
        for other, c, d in ends[i + 1 :]:
            found += of == other and (a - c) * (b - d) < 0
    return found


def _order(layers: Sequence[int], steps: Sequence[Tuple[int, int]]) -> List[List[int]]:
    """The nodes of each layer from top to bottom, with few crossings."""
    rows: List[List[int]] = [[] for _ in range(max(layers, default=-1) + 1)]
    for node, layer in enumerate(layers):
        rows[layer].append(node)
    before, behind = _neighbours(len(layers), steps)
    best, fewest = [list(row) for row in rows], _crossings(rows, steps)
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        forth = sweep % 2 == 0
        for row in rows[1:] if forth else rows[-2::-1]:
            place = {node: i for other in rows for i, node in enumerate(other)}
            near = before if forth else behind

            def centre(node: int, place: Dict[int, int] = place, near: List[List[int]] = near) -> float:
                places = [place[other] for other in near[node]]
                return sum(places) / len(places) if places else float(place[node])

            row.sort(key=centre)
        crossings = _crossings(rows, steps)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _columns(sizes: Sequence[Size], rows: Sequence[Sequence[int]]) -> Tuple[List[float], List[float], float]:
    """Of each layer the left side and the width; the width of all."""
    widths = [max((sizes[node].width for node in row), default=0.0) for row in rows]
    xs: List[float] = []
    x = 0.0
    for width in widths:
        xs.append(x)
        x += width + _GAP_X
    return xs, widths, max(0.0, x - _GAP_X)


def _heights(sizes: Sequence[Size], rows: Sequence[Sequence[int]], steps: Sequence[Tuple[int, int]]) -> List[float]:
    """The top of each node: near the middle of its neighbours, and below the one above it."""
    ys = [0.0] * len(sizes)
    for row in rows:
        y = 0.0
        for node in row:
            ys[node] = y
            y += sizes[node].height + _GAP_Y
    before, behind = _neighbours(len(sizes), steps)

    def middle(node: int) -> float:
        return ys[node] + sizes[node].height / 2

    for sweep in range(_SWEEPS):
        forth = sweep % 2 == 0
        near = before if forth else behind
        for row in rows if forth else rows[::-1]:
            wanted = []
            for node in row:
                middles = [middle(other) for other in near[node]] or [middle(node)]
                wanted.append(sum(middles) / len(middles) - sizes[node].height / 2)
            placed: List[float] = []
            for node, y in zip(row, wanted):
                above = row[len(placed) - 1] if placed else None
                least = placed[-1] + sizes[above].height + _GAP_Y if above is not None else y
                placed.append(max(y, least))
            shift = sum(y - found for y, found in zip(wanted, placed)) / len(row) if row else 0.0
            for node, y in zip(row, placed):
                ys[node] = y + shift
    return ys
