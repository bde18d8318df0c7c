"""Functions, types and expressions of the Table API.

The names are imported here and now, not on demand: `udf` is a module of this package and a function of it, and the
function must win.
"""

from __future__ import annotations

from clutch_row import Row, RowKind

from clutch.table.data_view import DataView, ListView, MapView
from clutch.table.expression import Expression
from clutch.table.types import DataType, DataTypes
from clutch.table.udf import (
    AggregateFunction,
    AsyncScalarFunction,
    FunctionContext,
    ScalarFunction,
    TableAggregateFunction,
    TableFunction,
    udaf,
    udf,
    udtaf,
    udtf,
)

__all__ = [
    "AggregateFunction",
    "AsyncScalarFunction",
    "DataType",
    "DataTypes",
    "DataView",
    "Expression",
    "FunctionContext",
    "ListView",
    "MapView",
    "Row",
    "RowKind",
    "ScalarFunction",
    "TableAggregateFunction",
    "TableFunction",
    "udaf",
    "udf",
    "udtaf",
    "udtf",
]
