"""Windows as nodes of a job: native ones where all parts are built in, else the window operator in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, NamedTuple, Optional

from clutch.common.typeinfo import TypeInformation
from clutch.datastream._code import Code, name_of
from clutch.datastream._window_contents import FoldedWindow
from clutch.datastream._window_operator import WindowOperator
from clutch.datastream.output_tag import OutputTag
from clutch.datastream.window import Evictor, Trigger, WindowAssigner

if TYPE_CHECKING:
    from clutch.datastream._data_stream import DataStream
    from clutch.datastream._graph import Node
    from clutch.datastream._keyed_stream import KeyedStream


class WindowParts(NamedTuple):
    """Which windows there are, and when."""

    assigner: WindowAssigner[Any, Any]
    trigger: Trigger[Any, Any]
    evictor: Optional[Evictor[Any, Any]]
    allowed_lateness: int
    late_tag: Optional[OutputTag]


class WindowWork(NamedTuple):
    """What is done with them: `function` is reduce, aggregate, apply or process; the first two may have a
    `window_function`, and keep values of the type `accumulator`."""

    function: str
    code: Any
    window_function: Any
    output: TypeInformation
    accumulator: Optional[TypeInformation]


def native_parts(parts: WindowParts) -> Optional[Dict[str, Any]]:
    """Members of a window node that say the same; None if a part is written in Python."""
    assigner, trigger = _assigner(parts.assigner), _trigger(parts.trigger)
    if assigner is None or trigger is None:
        return None
    members: Dict[str, Any] = {"assigner": assigner, "trigger": trigger}
    if parts.evictor is not None:
        plain = parts.evictor.plain()
        if plain["sort"] == "count":
            members["evictor"] = {"type": "count", "count": plain["count"], "after": plain["after"]}
        elif plain["sort"] == "time":
            members["evictor"] = {"type": "time", "window_ms": plain["size_ms"], "after": plain["after"]}
        else:
            return None
    if parts.allowed_lateness:
        members["allowed_lateness_ms"] = parts.allowed_lateness
    if parts.late_tag is not None:
        members["late_tag"] = parts.late_tag.tag_id
    return members


def _assigner(assigner: Any) -> Optional[Dict[str, Any]]:
    plain = assigner.plain()
    sort = plain.pop("sort")
    domain = "event" if plain.pop("event_time") else "processing"
    if sort in ("custom", "dynamic_session"):
        return None  # a gap of an element's own is for Python to say
    if sort == "count_tumbling":
        return {"type": "count", "size": plain["size"], "slide": plain["size"]}
    if sort == "count_sliding":
        return {"type": "count", "size": plain["size"], "slide": plain["slide"]}
    if sort == "global":
        return {"type": "global"}
    return {"type": sort, "domain": domain, **plain}


def _trigger(trigger: Any) -> Optional[Dict[str, Any]]:
    plain = trigger.plain()
    purging = False
    while plain["sort"] == "purging":
        plain, purging = plain["nested"], True
    if plain["sort"] == "custom":
        return None
    plain = dict(plain)
    return {"type": plain.pop("sort"), "purging": purging, **plain}


def without_folding(work: WindowWork, all_windows: bool) -> WindowWork:
    """The same work on all elements of a window, for windows whose elements may be evicted before."""
    if work.function not in ("reduce", "aggregate"):
        return work
    folded = FoldedWindow(work.function, work.code, work.window_function, all_windows)
    return WindowWork("process", folded, None, work.output, None)


def add_window(stream: KeyedStream, parts: WindowParts, work: WindowWork, all_windows: bool) -> DataStream:
    """The stream of what windows give."""
    if parts.evictor is not None:
        work = without_folding(work, all_windows)
    native = native_parts(parts)
    env = stream._env
    if native is None:
        operator = WindowOperator(parts, work, all_windows, stream.get_type())
        result = stream._keyed("WINDOW", operator, work.output)
        node = result._node("window")
    else:
        members: Dict[str, Any] = {"function": work.function, "code": Code(work.code, name_of(work.code)), **native}
        members["output"] = work.output
        if work.function == "aggregate":
            members["accumulator"] = work.accumulator
        if work.window_function is not None:
            members["window_code"] = Code(work.window_function, name_of(work.window_function))
            members["window_function"] = kind_of(work.window_function)
        if all_windows:
            members["all"] = True
        node = env._operator("window", "WINDOW", members, stream._inputs())
        result = env._stream(node, work.output)
    set_late(node, parts, stream.get_type())
    if all_windows:
        node.only_one = True
    return result


def set_late(node: Node, parts: WindowParts, type_info: TypeInformation) -> None:
    if parts.late_tag is not None:
        node.late = (parts.late_tag, type_info)


def kind_of(function: Any) -> str:
    """apply or process, by what a window function has."""
    return "process" if hasattr(function, "process") else "apply"
