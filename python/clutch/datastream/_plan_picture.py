"""The plan of a job as a picture: SVG, and a page with the picture and the reasons in full."""

from __future__ import annotations

import html
import unicodedata
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from clutch.datastream._plan_layout import Box, Size, lay_out

_MARGIN = 24.0
_TITLE = 34.0  # height of the picture's title
_HEAD = 28.0  # height of a task's head
_ROW = 58.0  # height of an operator
_GAP = 14.0  # between operators
_PAD = 12.0
_LEAST, _MOST = 190.0, 400.0  # width of an operator
_LANE = 9.0  # width of a line beside the operators
_ASIDE = 14.0  # from a task to a line that goes around it
_BACK = 40.0  # room below for edges that lead back

# Plain rules, which every program that shows pictures knows; the second set is for dark screens. Nothing is outside.
_STYLE = """
.clutch-plan text { font-family: system-ui, sans-serif; font-size: 13px; }
.clutch-plan .name { font-weight: 600; }
.clutch-plan .soft, .clutch-plan .label { font-size: 11px; }
.clutch-plan .title { font-size: 15px; font-weight: 600; }
.clutch-plan .edge { fill: none; stroke-width: 1.5; }
.clutch-plan .label { paint-order: stroke; stroke-width: 4px; }
%s@media (prefers-color-scheme: dark) {
%s}
"""
_COLOURS = """.clutch-plan text { fill: %(text)s; }
.clutch-plan .soft { fill: %(soft)s; }
.clutch-plan .page { fill: %(page)s; }
.clutch-plan .label { stroke: %(page)s; }
.clutch-plan .task { fill: %(task)s; stroke: %(line)s; }
.clutch-plan .operator { fill: %(operator)s; stroke: %(line)s; }
.clutch-plan .python { fill: %(python)s; }
.clutch-plan .wrong { fill: %(wrong)s; }
.clutch-plan .edge { stroke: %(line)s; }
.clutch-plan .tip { fill: %(line)s; }
"""
_LIGHT = {
    "text": "#1c2430", "soft": "#55606e", "line": "#8692a1", "page": "#ffffff", "task": "#f4f5f8",
    "operator": "#ffffff", "python": "#e5eeff", "wrong": "#ffe0dc",
}  # fmt: skip
_DARK = {
    "text": "#e8ecf1", "soft": "#a9b3bf", "line": "#6b7786", "page": "#14181d", "task": "#1d232b",
    "operator": "#262e38", "python": "#1f3454", "wrong": "#5a2620",
}  # fmt: skip

_PAGE_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; }
.picture { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0 2rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem; border-bottom: 1px solid #8884; }
"""


class _Shown(NamedTuple):
    """An operator, in words."""

    name: str
    what: str
    reason: str
    style: str


def _width(text: str) -> int:
    """Columns of the text."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _cut(text: str, room: float, wide: float) -> str:
    """As much of the text as fits, where a column takes `wide`."""
    if _width(text) * wide <= room:
        return text
    while text and (_width(text) + 1) * wide > room:
        text = text[:-1]
    return text + "…"


def _clean(text: object) -> str:
    """Without characters that XML has no place for, and escaped."""
    kept = "".join(char if char.isprintable() else " " for char in str(text))
    return html.escape(kept)


def _number(value: float) -> str:
    return ("%.1f" % value).rstrip("0").rstrip(".")


def plugin_of(operator: Dict[str, Any]) -> str:
    """The plugin that takes the operator's function, "none" where no plugin can; nothing where there is no function."""
    decision = operator.get("decision")
    if decision is None:
        return ""
    return str(decision.get("plugin") or "none") if isinstance(decision, dict) else "none"


def reason_of(operator: Dict[str, Any]) -> str:
    """Why that plugin takes it."""
    decision = operator.get("decision")
    if decision is None:
        return "runs in the engine"
    return str(decision.get("reason", "")) if isinstance(decision, dict) else str(decision)


def mode_of(operator: Dict[str, Any]) -> str:
    """The mode of that plugin."""
    decision = operator.get("decision")
    return str(decision.get("mode", "")) if isinstance(decision, dict) else ""


def edge_text(edge: Dict[str, Any]) -> str:
    """What is said of an edge: how rows are divided, which side output it is, where it leads to and if that is back."""
    side = ', side output "%s"' % edge["side"] if "side" in edge else ""
    back = ", fed back" if edge.get("feedback") else ""
    return str(edge["partitioning"]) + side + (", to input %d" % edge["input"] if edge.get("input") else "") + back


def _shown(operator: Dict[str, Any]) -> _Shown:
    plugin = plugin_of(operator)
    if not plugin:
        return _Shown(operator["name"], operator["type"], reason_of(operator), "")
    served = plugin != "none"
    what = "%s, mode %s, %s" % (operator["type"], mode_of(operator), plugin) if served else "no plugin can run it"
    return _Shown(operator["name"], what, reason_of(operator), " python" if served else " wrong")


def _head(task: Dict[str, Any], number: int) -> str:
    return "task %d, parallelism %d" % (number, task["parallelism"])


def _lanes(task: Dict[str, Any]) -> List[int]:
    """Operators that feed others than the next one below: each has a lane of its own on the left."""
    operators = task["operators"]
    return sorted({of["behind"] for i, of in enumerate(operators) if of.get("behind", i - 1) != i - 1})


def _size(task: Dict[str, Any]) -> Size:
    shown = [_shown(operator) for operator in task["operators"]]
    widest = max([_width(of.name) * 8.0 for of in shown] + [_width(of.what) * 6.2 for of in shown] + [0.0])
    width = min(_MOST, max(_LEAST, widest + 2 * _PAD))
    return Size(width + 2 * _PAD + _LANE * len(_lanes(task)), _HEAD + len(shown) * (_ROW + _GAP))


def _text(x: float, y: float, style: str, text: str, room: float, wide: float) -> str:
    return '<text x="%s" y="%s" class="%s">%s</text>' % (_number(x), _number(y), style, _clean(_cut(text, room, wide)))


def _row_middle(box: Box, operator: int) -> float:
    return box.y + _HEAD + operator * (_ROW + _GAP) + _ROW / 2


def _task(task: Dict[str, Any], number: int, box: Box) -> List[str]:
    out = [
        '<g class="clutch-task"><rect x="%s" y="%s" width="%s" height="%s" rx="8" class="task"/>'
        % tuple(map(_number, box)),
        _text(box.x + _PAD, box.y + 18, "soft", _head(task, number), box.width - 2 * _PAD, 6.2),
    ]
    lanes = _lanes(task)
    left = _LANE * len(lanes)
    width = box.width - 2 * _PAD - left
    for i, operator in enumerate(task["operators"]):
        shown = _shown(operator)
        x, y = box.x + _PAD + left, box.y + _HEAD + i * (_ROW + _GAP)
        feeder: Optional[int] = operator.get("behind")
        if feeder == i - 1 and i > 0:
            out.append(_arrow("M %s %s V %s" % (_number(x + width / 2), _number(y - _GAP), _number(y - 2))))
        elif feeder is not None:
            above = _row_middle(box, feeder)
            out.append(
                _arrow(
                    "M %s %s H %s V %s H %s"
                    % tuple(map(_number, (x, above, x - 9 - _LANE * lanes.index(feeder), y + _ROW / 2, x - 1)))
                )
            )
        out.append("<g><title>%s</title>" % _clean("%s: %s. %s" % (shown.name, shown.what, shown.reason)))
        out.append(
            '<rect x="%s" y="%s" width="%s" height="%s" rx="5" class="operator%s"/>'
            % (_number(x), _number(y), _number(width), _number(_ROW), shown.style)
        )
        out.append(_text(x + 8, y + 19, "name", shown.name, width - 16, 8.0))
        out.append(_text(x + 8, y + 35, "soft", shown.what, width - 16, 6.2))
        out.append(_text(x + 8, y + 50, "soft", shown.reason, width - 16, 6.2) + "</g>")
    return out + ["</g>"]


def _arrow(path: str) -> str:
    return '<path d="%s" class="edge" marker-end="url(#clutch-tip)"/>' % path


def _curve(points: List[Tuple[float, float]]) -> str:
    """A line that leaves and enters each pair of points level."""
    out = "M %s %s" % (_number(points[0][0]), _number(points[0][1]))
    for (x, y), (to_x, to_y) in zip(points, points[1:]):
        middle = (x + to_x) / 2
        out += " C " + " ".join(map(_number, (middle, y, middle, to_y, to_x, to_y)))
    return out


def _edge(edge: Dict[str, Any], sender: Box, receiver: Box, bends: List[Tuple[float, float]], is_back: bool) -> str:
    start = (sender.x + sender.width, _row_middle(sender, int(edge.get("operator", 0))))
    end = (receiver.x - 2, _row_middle(receiver, 0) + 14.0 * int(edge.get("input", 0)))
    if is_back:
        # Out on the right, below both, and in on the left.
        low = max(sender.y + sender.height, receiver.y + receiver.height) + _BACK / 2
        ends = (*start, start[0] + _ASIDE, low, receiver.x - _ASIDE, end[1] + _ASIDE, end[0])
        path = "M %s %s H %s V %s H %s V %s H %s" % tuple(map(_number, ends))
        at = ((start[0] + receiver.x) / 2, low)
    else:
        points = [start, *bends, end]
        path = _curve(points)
        at = ((points[0][0] + points[1][0]) / 2, (points[0][1] + points[1][1]) / 2)
    label = '<text x="%s" y="%s" class="label" text-anchor="middle">%s</text>' % (
        _number(at[0]),
        _number(at[1] - 5),
        _clean(edge_text(edge)),
    )
    return '<g class="clutch-edge">' + _arrow(path) + label + "</g>"


def _heading(plan: Dict[str, Any]) -> str:
    return 'job "%s", %s' % (plan["name"], plan["mode"])


def plan_svg(plan: Dict[str, Any]) -> str:
    """A picture of a plan, as Job.plan("json") gives it."""
    tasks, edges = plan["tasks"], plan["edges"]
    layout = lay_out([_size(task) for task in tasks], [(edge["from"], edge["to"]) for edge in edges])
    boxes = [box._replace(x=box.x + _MARGIN, y=box.y + _MARGIN + _TITLE) for box in layout.boxes]
    width = max(layout.width, 10.0 * _width(_heading(plan))) + 2 * _MARGIN
    height = layout.height + 2 * _MARGIN + _TITLE + (_BACK if any(layout.back) else 0)
    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" class="clutch-plan" role="img" width="%s" height="%s" '
        'viewBox="0 0 %s %s">'
        % ((_number(width), _number(height)) * 2),
        "<title>%s</title>" % _clean(_heading(plan)),
        "<style>%s</style>" % (_STYLE % (_COLOURS % _LIGHT, _COLOURS % _DARK)),
        '<defs><marker id="clutch-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path d="M 0 0 L 8 4 L 0 8 z" class="tip"/></marker></defs>',
        '<rect width="100%" height="100%" class="page"/>',
        _text(_MARGIN, _MARGIN + 10, "title", _heading(plan), width, 1.0),
    ]
    for number, (task, box) in enumerate(zip(tasks, boxes)):
        out += _task(task, number, box)
    for edge, bends, is_back in zip(edges, layout.bends, layout.back):
        moved = [(x + _MARGIN, y + _MARGIN + _TITLE) for x, y in bends]
        out.append(_edge(edge, boxes[edge["from"]], boxes[edge["to"]], moved, is_back))
    return "\n".join(out + ["</svg>"]) + "\n"


def _cells(tag: str, *texts: object) -> str:
    return "<tr>" + "".join("<%s>%s</%s>" % (tag, _clean(text), tag) for text in texts) + "</tr>"


def _others(operator: Dict[str, Any]) -> str:
    """Why the other plugins do not take it."""
    decision = operator.get("decision")
    if not isinstance(decision, dict):
        return ""
    lost = [one for one in decision.get("candidates", []) if one.get("verdict") != "chosen"]
    return "; ".join(str(one.get("reason", "")) for one in lost)


def plan_html(plan: Dict[str, Any]) -> str:
    """A page with the picture, and tables of all operators and edges."""
    tasks = plan["tasks"]
    operators = [
        _cells(
            "td",
            _head(task, number),
            operator["name"],
            operator["type"],
            mode_of(operator) or "-",
            plugin_of(operator) or "-",
            reason_of(operator),
            _others(operator) or "-",
        )
        for number, task in enumerate(tasks)
        for operator in task["operators"]
    ]
    edges = [
        _cells("td", "task %d: %s" % (edge["from"], tasks[edge["from"]]["name"]),
               "task %d: %s" % (edge["to"], tasks[edge["to"]]["name"]), edge_text(edge))
        for edge in plan["edges"]
    ]  # fmt: skip
    heading = _clean(_heading(plan))
    out = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        "<title>%s</title>" % heading,
        "<style>%s</style>\n</head>\n<body>" % _PAGE_STYLE,
        "<h1>%s</h1>" % heading,
        '<div class="picture">\n%s</div>' % plan_svg(plan),
        "<h2>Operators</h2>\n<table>",
        _cells("th", "Task", "Operator", "Type", "Mode", "Plugin", "Reason", "The other plugins"),
        *operators,
        "</table>\n<h2>Edges</h2>\n<table>",
        _cells("th", "From", "To", "Partitioning"),
        *edges,
        "</table>\n</body>\n</html>",
    ]
    return "\n".join(out) + "\n"
