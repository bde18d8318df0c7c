"""Row and RowKind under the name of their module."""

from clutch_row import Row, RowKind

__all__ = ["Row", "RowKind"]
