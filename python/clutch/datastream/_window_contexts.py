"""What the window operator gives to assigners, triggers, evictors and window functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List

from clutch.datastream._window_state import StateStore

if TYPE_CHECKING:
    from clutch.datastream._window_operator import WindowOperator

_TRIGGER, _WINDOW, _GLOBAL = b"t", b"w", b"g"


class _Clocks:
    """The clocks under the names of triggers and evictors."""

    def __init__(self, operator: WindowOperator, ctx: Any) -> None:
        self._operator = operator
        self.ctx = ctx

    def get_current_processing_time(self) -> int:
        return self.ctx.timer_service().current_processing_time()  # type: ignore[no-any-return]

    def get_current_watermark(self) -> int:
        return self.ctx.timer_service().current_watermark()  # type: ignore[no-any-return]

    def get_metric_group(self) -> Any:
        return self._operator.runtime_context.get_metrics_group()


class EvictorContext(_Clocks):
    """An Evictor.EvictorContext."""


class _AssignerRuntime(StateStore):
    """The runtime context, with states that may be asked for at any time."""

    def __init__(self, operator: WindowOperator) -> None:
        super().__init__(operator.entries, _GLOBAL)
        self._runtime_context = operator.runtime_context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime_context, name)


class AssignerContext(_Clocks):
    """A WindowAssigner.WindowAssignerContext."""

    def get_runtime_context(self) -> Any:
        return _AssignerRuntime(self._operator)


class TriggerContext(_Clocks):
    """A Trigger.OnMergeContext for the window at hand."""

    def __init__(self, operator: WindowOperator, ctx: Any) -> None:
        super().__init__(operator, ctx)
        self.window: Any = None
        self.merged: List[Any] = []  # what `window` was made of, while that is merged

    def register_processing_time_timer(self, time: int) -> None:
        self._operator.timer(self.ctx, False, time, self.window, True)

    def register_event_time_timer(self, time: int) -> None:
        self._operator.timer(self.ctx, True, time, self.window, True)

    def delete_processing_time_timer(self, time: int) -> None:
        self._operator.timer(self.ctx, False, time, self.window, False)

    def delete_event_time_timer(self, time: int) -> None:
        self._operator.timer(self.ctx, True, time, self.window, False)

    def _state(self, window: Any, descriptor: Any) -> Any:
        return StateStore(self._operator.entries, self._operator.name(_TRIGGER, window)).of(descriptor)

    def get_partitioned_state(self, state_descriptor: Any) -> Any:
        return self._state(self.window, state_descriptor)

    def merge_partitioned_state(self, state_descriptor: Any) -> None:
        target = self._state(self.window, state_descriptor)
        if not hasattr(target, "take"):
            raise TypeError(
                "state %r cannot be merged, as it is a %s state; use list, reducing or aggregating state"
                % (state_descriptor.name, state_descriptor.sort)
            )
        for part in self.merged:
            target.take(self._state(part, state_descriptor))


class WindowContext:
    """A ProcessWindowFunction.Context."""

    def __init__(self, operator: WindowOperator, ctx: Any, window: Any) -> None:
        self._operator = operator
        self._ctx = ctx
        self._window = window

    def window(self) -> Any:
        return self._window

    def current_processing_time(self) -> int:
        return self._ctx.timer_service().current_processing_time()  # type: ignore[no-any-return]

    def current_watermark(self) -> int:
        return self._ctx.timer_service().current_watermark()  # type: ignore[no-any-return]

    def window_state(self) -> StateStore:
        return StateStore(self._operator.entries, self._operator.name(_WINDOW, self._window))

    def global_state(self) -> StateStore:
        return StateStore(self._operator.entries, _GLOBAL)
