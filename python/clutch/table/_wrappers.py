"""Declared functions: what udf, udtf, udaf and udtaf return. Everything about a function is checked here, before a row.

What a host or runtime needs of a declared function is public: `kind`, `declaration()`, `payload()`, and the object to
run as ``__clutch_function__``. The runtime must look for that attribute, on the class, when an import path leads to a
declared function: calling the declared function itself builds an expression.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple, Type, Union

from clutch.table._datatypes import (
    ArrayType,
    DataType,
    DataViewType,
    ListViewType,
    MapType,
    MultisetType,
    NullType,
    RowField,
    RowType,
)
from clutch.table._functions import (
    AggregateFunction,
    AsyncScalarFunction,
    DelegatingAsyncScalarFunction,
    DelegatingPandasAggregateFunction,
    DelegatingScalarFunction,
    DelegatingTableFunction,
    ImperativeAggregateFunction,
    ScalarFunction,
    TableAggregateFunction,
    TableFunction,
    UserDefinedFunction,
)
from clutch.table._payload import dump_function, entry_point, is_async
from clutch.table._type_text import parse
from clutch.table.expression import Expression
from clutch.table.expressions import call
from clutch.table.typehints import from_hints, row_types_from_hints

TypeOrText = Union[DataType, str]
STYLES = ("pandas", "numpy", "arrow")


def _checked(what: str, value: Any) -> TypeOrText:
    if not isinstance(value, (DataType, str)):
        raise TypeError("Invalid %s: it must be a DataType or a str, got %r" % (what, value))
    _parsed(what, value)
    return value


def _parsed(what: str, value: TypeOrText) -> DataType:
    if isinstance(value, DataType):
        return value
    try:
        return parse(value)
    except ValueError as error:
        raise ValueError("Invalid %s: %s" % (what, error)) from None


def _without_views(what: str, value: TypeOrText) -> TypeOrText:
    data_type = _parsed(what, value)
    if isinstance(data_type, DataViewType) or _holds_view(data_type):
        raise TypeError("Invalid %s: %s; a LIST_VIEW or MAP_VIEW can only be a field of an accumulator" % (what, value))
    return value


def _parts(data_type: DataType) -> List[DataType]:
    if isinstance(data_type, RowType):
        return data_type.field_types()
    if isinstance(data_type, (ArrayType, MultisetType)):
        return [data_type.element_type]
    if isinstance(data_type, MapType):
        return [data_type.key_type, data_type.value_type]
    if isinstance(data_type, DataViewType):
        return list(data_type._arguments())
    return []


def _holds_view(data_type: DataType) -> bool:
    return any(isinstance(part, DataViewType) or _holds_view(part) for part in _parts(data_type))


def _checked_inputs(input_types: Any) -> Optional[List[TypeOrText]]:
    if input_types is None:
        return None
    if isinstance(input_types, RowType):
        input_types = input_types.field_types()
    elif isinstance(input_types, (DataType, str)):
        input_types = [input_types]
    elif not isinstance(input_types, (list, tuple)):
        raise TypeError("Invalid input_types: it must be a DataType, a str or a list of them, got %r" % (input_types,))
    return [_without_views("input_types", _checked("input_types", item)) for item in input_types]


class UserDefinedFunctionWrapper:
    """A declared function. Calling it builds an expression; `alias` names its output columns."""

    _BASES: Tuple[Type[UserDefinedFunction], ...] = ()
    _FACTORY = ""

    def __init__(
        self,
        func: Any,
        input_types: Any,
        func_type: str,
        deterministic: Optional[bool] = None,
        name: Optional[str] = None,
        style: Optional[str] = None,
    ) -> None:
        if isinstance(func, type) or not (isinstance(func, UserDefinedFunction) or callable(func)):
            raise TypeError("Invalid function: not a function or callable (__call__ is not defined): %r" % (func,))
        if isinstance(func, UserDefinedFunctionWrapper):
            raise TypeError("Invalid function: %r is declared already" % func._name)
        if isinstance(func, UserDefinedFunction) and not isinstance(func, self._BASES):
            raise TypeError(
                "%s takes a function, a callable or an instance of %s, got one of %s"
                % (self._FACTORY, " or ".join(base.__name__ for base in self._BASES), type(func).__name__)
            )
        self._func = func
        self._entry: Any = func if isinstance(func, UserDefinedFunction) else entry_point(func)
        self._func_type = func_type
        self._style = _checked_style(style, func_type)
        self._name: str = name or getattr(func, "__name__", None) or type(func).__name__
        self._input_types = _checked_inputs(input_types)
        self._deterministic = _checked_deterministic(func, deterministic)
        self._takes_row_as_input = False
        self._alias_names: Tuple[str, ...] = ()
        self._judf_placeholder = None
        self.__doc__ = getattr(func, "__doc__", None)

    def __call__(self, *args: Any) -> Expression:
        return call(self, *args)

    def __repr__(self) -> str:
        return "<%s %r>" % (self.kind, self._name)

    def alias(self, *alias_names: str) -> "UserDefinedFunctionWrapper":
        """Name the columns that the function gives; returns the function itself."""
        self._alias_names = alias_names
        return self

    def _set_takes_row_as_input(self) -> "UserDefinedFunctionWrapper":
        """Call the function with one Row (or one DataFrame) of all columns, as Table.map and flat_map do."""
        self._takes_row_as_input = True
        return self

    @property
    def kind(self) -> str:
        """The id of the function's kind, such as ``table.scalar``."""
        raise NotImplementedError

    @property
    def __clutch_function__(self) -> Any:
        """The object that a runtime runs: it is called, unless it has the methods of the kind's function class."""
        return self._entry

    def _create_delegate_function(self) -> UserDefinedFunction:
        """The function as an instance of its class, whatever it was declared from."""
        raise NotImplementedError

    def _result_columns(self) -> List[Tuple[Optional[str], DataType]]:
        raise NotImplementedError

    def payload(self) -> bytes:
        """The pickled function, for a spec with the payload 'pickle'. PicklingError says what cannot be pickled."""
        return dump_function(self.__clutch_function__, self._name)

    def declaration(self) -> Dict[str, Any]:
        """Everything but the code, as plain values that json can write.

        Keys: kind, name, deterministic, style (None, or how columns are passed), takes_row, arguments (type texts, or
        None if not declared), results (pairs of a name or None and a type text).
        """
        inputs = self._input_types
        return {
            "kind": self.kind,
            "name": self._name,
            "deterministic": self._deterministic,
            "style": self._style,
            "takes_row": self._takes_row_as_input,
            "arguments": None if inputs is None else [str(_parsed("input_types", item)) for item in inputs],
            "results": [[name, str(data_type)] for name, data_type in self._result_columns()],
        }


def _checked_style(style: Optional[str], func_type: str) -> Optional[str]:
    if func_type != "pandas":
        if style is not None:
            raise ValueError("style is for func_type 'pandas'; func_type %r passes one row at a time" % func_type)
        return None
    if style is not None and style not in STYLES:
        raise ValueError("The style must be one of '%s', got %s." % (", ".join(STYLES), style))
    return style or "pandas"


def _checked_deterministic(func: Any, deterministic: Optional[bool]) -> bool:
    if not isinstance(func, UserDefinedFunction):
        return True if deterministic is None else deterministic
    own = func.is_deterministic()
    if deterministic is not None and deterministic != own:
        raise ValueError(
            "Inconsistent deterministic: the declaration says %s, is_deterministic() of %s says %s"
            % (deterministic, type(func).__name__, own)
        )
    return own


def _result_or_hint(what: str, given: Any, func: Any, method: str) -> Any:
    if given is not None:
        return given
    found = from_hints(func, method)
    if found is None:
        raise TypeError("Invalid %s: it is missing, and %s has no type hint for it" % (what, _label(func)))
    return found


def _label(func: Any) -> str:
    return "%r" % (getattr(func, "__name__", None) or type(func).__name__)


class UserDefinedScalarFunctionWrapper(UserDefinedFunctionWrapper):
    """What udf returns."""

    _BASES = (ScalarFunction, AsyncScalarFunction)
    _FACTORY = "udf"

    def __init__(
        self,
        func: Any,
        input_types: Any,
        result_type: Optional[TypeOrText],
        func_type: str,
        deterministic: Optional[bool],
        name: Optional[str],
        style: Optional[str] = None,
    ) -> None:
        super().__init__(func, input_types, func_type, deterministic, name, style)
        self._async = is_async(self._entry, "eval")
        if isinstance(func, AsyncScalarFunction) and not self._async:
            raise TypeError("eval() of %s must be declared 'async def'" % type(func).__name__)
        if self._async and func_type == "pandas":
            raise ValueError("the function %r is async, which func_type 'pandas' does not support" % self._name)
        given = _result_or_hint("result_type", result_type, self._entry, "eval")
        self._result_type = _without_views("result_type", _checked("result_type", given))

    @property
    def kind(self) -> str:
        if self._async:
            return "table.scalar.async"
        return "table.scalar.vectorized" if self._func_type == "pandas" else "table.scalar"

    def _create_delegate_function(self) -> UserDefinedFunction:
        if isinstance(self._func, UserDefinedFunction):
            return self._func
        return (DelegatingAsyncScalarFunction if self._async else DelegatingScalarFunction)(self._func)

    def _result_columns(self) -> List[Tuple[Optional[str], DataType]]:
        return [(None, _parsed("result_type", self._result_type))]


class UserDefinedTableFunctionWrapper(UserDefinedFunctionWrapper):
    """What udtf returns."""

    _BASES = (TableFunction,)
    _FACTORY = "udtf"

    def __init__(
        self,
        func: Any,
        input_types: Any,
        result_types: Union[None, TypeOrText, Sequence[TypeOrText]],
        deterministic: Optional[bool] = None,
        name: Optional[str] = None,
    ) -> None:
        super().__init__(func, input_types, "general", deterministic, name)
        if is_async(self._entry, "eval"):
            raise TypeError("the function %r is async, and a table function is a plain one" % self._name)
        given: Any = row_types_from_hints(self._entry) if result_types is None else result_types
        self._names: Optional[List[str]] = None
        if given is None:
            raise TypeError("Invalid result_types: it is missing, and %s has no type hint for it" % _label(func))
        if isinstance(given, str):
            row = _parsed("result_types", given)
            if isinstance(row, RowType):
                self._names = row.names
        if isinstance(given, RowType):
            self._names = given.names
            given = given.field_types()
        elif isinstance(given, (DataType, str)):
            given = [given]
        elif not isinstance(given, (list, tuple)) or not given:
            raise TypeError("Invalid result_types: a DataType, a str or a list of them is needed, got %r" % (given,))
        self._result_types = [_without_views("result_types", _checked("result_types", item)) for item in given]

    @property
    def kind(self) -> str:
        return "table.table"

    def _create_delegate_function(self) -> UserDefinedFunction:
        return self._func if isinstance(self._func, UserDefinedFunction) else DelegatingTableFunction(self._func)

    def _result_columns(self) -> List[Tuple[Optional[str], DataType]]:
        types = [_parsed("result_types", item) for item in self._result_types]
        whole = types[0]
        if self._names is not None and isinstance(self._result_types[0], str) and isinstance(whole, RowType):
            types = whole.field_types()  # the text of a ROW stands for its columns
        names: Sequence[Optional[str]] = self._names or [None] * len(types)
        return list(zip(names, types))


class UserDefinedAggregateFunctionWrapper(UserDefinedFunctionWrapper):
    """What udaf and udtaf return."""

    _BASES: Tuple[Type[UserDefinedFunction], ...] = (AggregateFunction,)
    _FACTORY = "udaf"

    def __init__(
        self,
        func: Any,
        input_types: Any,
        result_type: Optional[TypeOrText],
        accumulator_type: Optional[TypeOrText],
        func_type: str,
        deterministic: Optional[bool],
        name: Optional[str],
        is_table_aggregate: bool = False,
        style: Optional[str] = None,
    ) -> None:
        self._is_table_aggregate = is_table_aggregate
        if is_table_aggregate:
            self._BASES, self._FACTORY = (TableAggregateFunction,), "udtaf"
        super().__init__(func, input_types, func_type, deterministic, name, style)
        base = self._BASES[0].__name__
        if func_type == "general" and not isinstance(func, UserDefinedFunction):
            raise TypeError(
                "%s with func_type 'general' takes an instance of %s, got %s" % (self._FACTORY, base, _label(func))
            )
        for method in ("accumulate", "get_value", "emit_value", "retract", "merge"):
            if is_async(self._entry, method):
                raise TypeError("the function %r is async, and an aggregate is a plain one" % self._name)
        self._result_type = self._checked_result(result_type)
        self._accumulator_type = self._checked_accumulator(accumulator_type)
        if result_type is None and isinstance(self._accumulator_type, str):
            self._result_type = str(self._result_type)  # in the form that the user chose
        if accumulator_type is None and isinstance(self._result_type, str) and self._accumulator_type is not None:
            self._accumulator_type = str(self._accumulator_type)
        if func_type == "general" and isinstance(self._accumulator_type, str) != isinstance(self._result_type, str):
            raise TypeError(
                "result_type and accumulator_type must both be a DataType or both be a str, got %r and %r"
                % (self._result_type, self._accumulator_type)
            )

    def _checked_result(self, given: Any) -> TypeOrText:
        func: Any = self._func
        if given is None and isinstance(func, ImperativeAggregateFunction):
            if not _overrides(func, "get_result_type") and not self._is_table_aggregate:
                given = from_hints(func, "get_value")
            if given is None:
                given = func.get_result_type()
        result = _checked("result_type", _result_or_hint("result_type", given, self._entry, "get_value"))
        if self._func_type == "pandas" and isinstance(_parsed("result_type", result), MapType):
            raise TypeError("Invalid result_type: an aggregate with func_type 'pandas' cannot give %s" % result)
        return _without_views("result_type", result)

    def _checked_accumulator(self, given: Any) -> Optional[TypeOrText]:
        func: Any = self._func
        if given is None and self._func_type == "general":
            if not _overrides(func, "get_accumulator_type"):
                given = from_hints(func, "create_accumulator")
            if given is None:
                given = func.get_accumulator_type()
        if given is None:
            return None
        accumulator = _checked("accumulator_type", given)
        data_type = _parsed("accumulator_type", accumulator)
        fields = data_type.field_types() if isinstance(data_type, RowType) else [data_type]
        if isinstance(data_type, DataViewType) or any(map(_holds_view, fields)):
            raise TypeError("DataView cannot be used in the nested columns of the accumulator: %s" % data_type)
        return accumulator

    @property
    def kind(self) -> str:
        if self._is_table_aggregate:
            return "table.table_aggregate"
        return "table.aggregate.vectorized" if self._func_type == "pandas" else "table.aggregate"

    @property
    def __clutch_function__(self) -> Any:
        return self._create_delegate_function()

    def _create_delegate_function(self) -> UserDefinedFunction:
        if isinstance(self._func, UserDefinedFunction):
            return self._func
        return DelegatingPandasAggregateFunction(self._func)

    def _result_columns(self) -> List[Tuple[Optional[str], DataType]]:
        result = _parsed("result_type", self._result_type)
        if self._is_table_aggregate and isinstance(result, RowType):
            return list(zip(result.names, result.field_types()))
        return [(None, result)]

    def declaration(self) -> Dict[str, Any]:
        """As for every function, and: accumulator, views, retracts, merges.

        `accumulator` is the type text with NULL in place of each view, or None where there is no accumulator between
        batches (func_type 'pandas'). `views` has for each view its position in the accumulator, 'list' or 'map', and
        the type texts of its elements, or of keys and values. `retracts` and `merges` say whether the class has them.
        """
        result = super().declaration()
        accumulator: Optional[str] = None
        views: List[List[Any]] = []
        if self._accumulator_type is not None and self._func_type == "general":
            accumulator, views = _split_views(_parsed("accumulator_type", self._accumulator_type))
        function = self.__clutch_function__
        result["accumulator"] = accumulator
        result["views"] = views
        result["retracts"] = _overrides(function, "retract")
        result["merges"] = _overrides(function, "merge")
        return result


def _overrides(func: Any, method: str) -> bool:
    return getattr(type(func), method, None) is not getattr(ImperativeAggregateFunction, method)


def _split_views(accumulator: DataType) -> Tuple[str, List[List[Any]]]:
    if not isinstance(accumulator, RowType):
        return str(accumulator), []
    fields, views = [], []
    for position, field in enumerate(accumulator.fields):
        if isinstance(field.data_type, DataViewType):
            sort = "list" if isinstance(field.data_type, ListViewType) else "map"
            views.append([position, sort, *map(str, field.data_type._arguments())])
            field = RowField(field.name, NullType())
        fields.append(field)
    return str(RowType(fields, accumulator._nullable)), views
