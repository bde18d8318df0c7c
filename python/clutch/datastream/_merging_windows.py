"""Which windows of a key there are when windows merge, and under which of them the contents are kept."""

from __future__ import annotations

from typing import Any, Callable, Dict, Generic, Iterable, List, Optional, TypeVar

from clutch.datastream._assigners import MergingWindowAssigner

W = TypeVar("W")

# The new window, those it was made of, the window that keeps its contents, and those whose contents it takes.
OnMerge = Callable[[W, List[W], W, List[W]], None]


class _Merges(MergingWindowAssigner.MergeCallback[W]):
    """Collects what an assigner wants to be merged."""

    def __init__(self) -> None:
        self.found: Dict[W, List[W]] = {}

    def merge(self, to_be_merged: Iterable[W], merge_result: W) -> None:
        self.found[merge_result] = list(dict.fromkeys(to_be_merged))


class MergingWindows(Generic[W]):
    """Windows, each with the window under which its contents are kept: so merging moves as little as possible."""

    def __init__(self, assigner: MergingWindowAssigner[Any, W], kept: Dict[W, W]) -> None:
        self._assigner = assigner
        self.kept = kept
        self.changed = False

    def state_window(self, window: W) -> Optional[W]:
        """The window that keeps the contents; None for a window that there is not."""
        return self.kept.get(window)

    def retire(self, window: W) -> None:
        """The window is gone."""
        self.changed = self.kept.pop(window, None) is not None or self.changed

    def add(self, new: W, on_merge: OnMerge[W]) -> W:
        """Add a window; gives the one that it has become a part of, after on_merge was told of each merge."""
        merges: _Merges[W] = _Merges()
        self._assigner.merge_windows([*self.kept, new], merges)
        result = new
        for merged, parts in merges.found.items():
            if new in parts:
                parts.remove(new)
                result = merged
            self._merge(merged, parts, on_merge)
        if result not in self.kept:
            self.kept[result] = result
            self.changed = True
        return result

    def _merge(self, merged: W, parts: List[W], on_merge: OnMerge[W]) -> None:
        if parts == [merged] or not parts:
            return  # an element that changes nothing
        keepers = [self.kept.pop(part) for part in parts if part in self.kept]
        if not keepers:
            return
        self.kept[merged] = keepers[0]
        self.changed = True
        on_merge(merged, parts, keepers[0], keepers[1:])
