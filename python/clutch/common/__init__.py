"""What Table and DataStream functions share: rows and their kinds."""

# One class for the client and the runtime: a runtime has put its own clutch_row into sys.modules by now.
from clutch_row import Row, RowKind

__all__ = ["Row", "RowKind"]
