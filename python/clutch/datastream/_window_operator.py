"""The window operator in Python, for windows with an assigner, trigger or evictor of users.

It does what Flink's WindowOperator does, as a function of rows and timers by key. What it keeps stands in one map
state; a timer of the key names no window, so the windows that wait for a point in time stand there, too.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Iterable, Iterator, List, Optional, Tuple

from clutch.common.constants import MAX_LONG_VALUE, MIN_LONG_VALUE
from clutch.common.typeinfo import TypeInformation, Types
from clutch.datastream._assigners import MergingWindowAssigner
from clutch.datastream._basic_functions import Function
from clutch.datastream._evictors import TimestampedValue
from clutch.datastream._merging_windows import MergingWindows
from clutch.datastream._process_functions import KeyedProcessFunction
from clutch.datastream._triggers import TriggerResult
from clutch.datastream._window_contents import call_of, reducer_of
from clutch.datastream._window_contexts import AssignerContext, EvictorContext, TriggerContext, WindowContext
from clutch.datastream._window_state import AggregatingCell, Cell, Elements, Folded, ReducingCell
from clutch.datastream.state import MapStateDescriptor

if TYPE_CHECKING:
    from clutch.datastream._window_lowering import WindowParts, WindowWork

_CONTENTS, _MERGED, _EVENT, _PROCESSING = b"c", b"m", b"e", b"p"


class WindowOperator(KeyedProcessFunction):
    """Windows of a keyed stream."""

    def __init__(self, parts: WindowParts, work: WindowWork, all_windows: bool, input_type: TypeInformation) -> None:
        self._assigner = parts.assigner
        self._trigger = parts.trigger
        self._evictor = parts.evictor
        self._lateness = parts.allowed_lateness
        self._late_tag = parts.late_tag
        self._folds = work.function if work.function in ("reduce", "aggregate") else None
        self._fold = work.code if self._folds else None
        self._function = work.window_function if self._folds else work.code
        self._all_windows = all_windows
        self._event_time = parts.assigner.is_event_time()
        self._serializer = parts.assigner.get_window_serializer()
        self._descriptor = MapStateDescriptor(
            "window-operator", Types.PRIMITIVE_ARRAY(Types.BYTE()), Types.PICKLED_BYTE_ARRAY()
        )

    def open(self, runtime_context: Any) -> None:
        self.runtime_context = runtime_context
        self.entries = runtime_context.get_map_state(self._descriptor)
        self._call = call_of(self._function, self._all_windows)
        self._clear = getattr(self._function, "clear", None)
        if self._folds is None:
            self._contents: Any = Elements(self.entries)
        elif self._folds == "reduce":
            reduce = reducer_of(self._fold)
            self._contents = Folded(self.entries, lambda entries, name: ReducingCell(entries, name, reduce))
        else:
            self._contents = Folded(self.entries, lambda entries, name: AggregatingCell(entries, name, self._fold))
        for function in (self._fold, self._function):
            if isinstance(function, Function):
                function.open(runtime_context)

    def close(self) -> None:
        for function in (self._fold, self._function):
            if isinstance(function, Function):
                function.close()

    # Windows as bytes

    def bytes_of(self, window: Any) -> bytes:
        stream = io.BytesIO()
        self._serializer.serialize(window, stream)
        return stream.getvalue()

    def _window_of(self, data: bytes) -> Any:
        return self._serializer.deserialize(io.BytesIO(data))

    def name(self, prefix: bytes, window: Any) -> bytes:
        """The name of what a window has: no name is the beginning of another window's."""
        data = self.bytes_of(window)
        return prefix + len(data).to_bytes(4, "big") + data

    # Merging

    def _merging(self) -> Optional[MergingWindows[Any]]:
        if not isinstance(self._assigner, MergingWindowAssigner):
            return None
        pairs: List[Tuple[bytes, bytes]] = Cell(self.entries, _MERGED).read() or []
        kept = {self._window_of(window): self._window_of(state) for window, state in pairs}
        return MergingWindows(self._assigner, kept)

    def _persist(self, merging: Optional[MergingWindows[Any]]) -> None:
        if merging is not None and merging.changed:
            pairs = [(self.bytes_of(window), self.bytes_of(state)) for window, state in merging.kept.items()]
            Cell(self.entries, _MERGED).write(pairs or None)

    def _merge(self, trigger: Any, window: Any, parts: List[Any], keeper: Any, taken: List[Any]) -> None:
        ctx = trigger.ctx
        now = ctx.timer_service()
        end = window.max_timestamp()
        if self._event_time and end + self._lateness <= now.current_watermark():
            raise RuntimeError(
                "the event-time windows %s were merged to %r, which ends at or before the watermark %d; an assigner "
                "must not make windows end earlier" % (parts, window, now.current_watermark())
            )
        if not self._event_time and end <= now.current_processing_time():
            raise RuntimeError(
                "the processing-time windows %s were merged to %r, which has ended at %d; an assigner must not make "
                "windows end earlier" % (parts, window, now.current_processing_time())
            )
        trigger.window, trigger.merged = window, [part for part in parts if part != window]
        self._trigger.on_merge(window, trigger)
        for part in trigger.merged:
            trigger.window = part
            self._trigger.clear(part, trigger)
            self._clean_up(trigger, part, False)
        for other in taken:
            self._contents.take(self.name(_CONTENTS, keeper), self.name(_CONTENTS, other))

    # Time

    def timer(self, ctx: Any, event_time: bool, time: int, window: Any, wanted: bool) -> None:
        """Let the trigger be called for the window at a time, or do not any more."""
        cell = Cell(self.entries, (_EVENT if event_time else _PROCESSING) + (time - MIN_LONG_VALUE).to_bytes(8, "big"))
        waiting: List[bytes] = cell.read() or []
        data = self.bytes_of(window)
        if (data in waiting) == wanted:
            return
        waiting = [*waiting, data] if wanted else [other for other in waiting if other != data]
        cell.write(waiting or None)
        service = ctx.timer_service()
        if wanted and len(waiting) == 1:
            (service.register_event_time_timer if event_time else service.register_processing_time_timer)(time)
        elif not waiting:
            (service.delete_event_time_timer if event_time else service.delete_processing_time_timer)(time)

    def _end(self, window: Any) -> int:
        """When the window is given up."""
        end: int = window.max_timestamp()
        return min(end + self._lateness, MAX_LONG_VALUE) if self._event_time else end

    def _clean_up(self, trigger: Any, window: Any, wanted: bool) -> None:
        end = self._end(window)
        if end != MAX_LONG_VALUE:
            self.timer(trigger.ctx, self._event_time, end, window, wanted)

    def _is_late(self, window: Any, ctx: Any) -> bool:
        return self._event_time and self._end(window) <= ctx.timer_service().current_watermark()

    # Elements and timers

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        timestamp = ctx.timestamp()
        if timestamp is None:
            timestamp = MIN_LONG_VALUE
        context: Any = AssignerContext(self, ctx)
        windows = self._assigner.assign_windows(value, timestamp, context)
        merging = self._merging()
        trigger: Any = TriggerContext(self, ctx)
        skipped = True
        for window in windows:
            if merging is not None:
                window = merging.add(window, lambda *merge: self._merge(trigger, *merge))
            if self._is_late(window, ctx):
                if merging is not None:
                    merging.retire(window)
                continue
            skipped = False
            kept = window if merging is None else merging.state_window(window)
            name = self.name(_CONTENTS, kept)
            self._contents.add(name, value if self._evictor is None else (value, timestamp))
            trigger.window, trigger.merged = window, []
            yield from self._act(self._trigger.on_element(value, timestamp, window, trigger), window, name, ctx)
            self._clean_up(trigger, window, True)
        self._persist(merging)
        watermark = ctx.timer_service().current_watermark()
        if skipped and self._event_time and timestamp + self._lateness <= watermark and self._late_tag is not None:
            yield self._late_tag, value

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:
        event_time = ctx.time_domain().name == "EVENT_TIME"
        prefix = _EVENT if event_time else _PROCESSING
        cell = Cell(self.entries, prefix + (timestamp - MIN_LONG_VALUE).to_bytes(8, "big"))
        waiting: List[bytes] = cell.read() or []
        cell.clear()
        for data in waiting:
            yield from self._fire_timer(timestamp, event_time, self._window_of(data), ctx)

    def _fire_timer(self, time: int, event_time: bool, window: Any, ctx: Any) -> Iterator[Any]:
        merging = self._merging()
        kept = window if merging is None else merging.state_window(window)
        if kept is None:
            return  # the window was merged into another
        name = self.name(_CONTENTS, kept)
        trigger: Any = TriggerContext(self, ctx)
        trigger.window = window
        called = self._trigger.on_event_time if event_time else self._trigger.on_processing_time
        yield from self._act(called(time, window, trigger), window, name, ctx)
        if event_time == self._event_time and time == self._end(window):
            self._contents.clear(name)
            self._trigger.clear(window, trigger)
            if self._clear is not None:
                self._clear(WindowContext(self, ctx, window))
            if merging is not None:
                merging.retire(window)
        self._persist(merging)

    def _act(self, result: TriggerResult, window: Any, name: bytes, ctx: Any) -> Iterator[Any]:
        """Do what a trigger decided."""
        if result.is_fire():
            contents = self._contents.get(name)
            if contents is not None:
                yield from self._emit(contents, window, name, ctx)
        if result.is_purge():
            self._contents.clear(name)

    def _emit(self, contents: List[Any], window: Any, name: bytes, ctx: Any) -> Iterable[Any]:
        if self._evictor is None:
            yield from self._given(contents, window, ctx)
            return
        elements = [
            TimestampedValue(value, None if timestamp == MIN_LONG_VALUE else timestamp) for value, timestamp in contents
        ]
        context: Any = EvictorContext(self, ctx)
        self._evictor.evict_before(elements, len(elements), window, context)
        yield from self._given([element.value for element in elements], window, ctx)
        self._evictor.evict_after(elements, len(elements), window, context)
        if len(elements) != len(contents):
            self._contents.set(
                name, [(e.value, MIN_LONG_VALUE if e.timestamp is None else e.timestamp) for e in elements]
            )

    def _given(self, values: List[Any], window: Any, ctx: Any) -> Iterable[Any]:
        context = WindowContext(self, ctx, window)
        return self._call(ctx.get_current_key(), window, context, values) or ()
