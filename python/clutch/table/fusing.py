"""From expressions over scalar functions to the calls that a runtime makes: each once, in order, in few crossings.

``f(g(x), y)`` becomes two calls over two columns, and one stage: both run on live objects inside the runtime, without
conversion between them. Equal deterministic calls become one call; a call that is not deterministic is never merged,
not even with itself in another place. Functions of different kinds cannot share a stage, because one works on rows and
the other on columns: they follow each other.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple, Union

from clutch.table._wrappers import UserDefinedFunctionWrapper, UserDefinedScalarFunctionWrapper
from clutch.table.expression import CallExpression, ColumnExpression, Expression, LiteralExpression

__all__ = ["Call", "Plan", "Reference", "Stage", "fuse", "stage_steps"]

# ('column', position in Plan.columns), ('call', position in Plan.calls) or ('constant', the value itself).
# Within a stage, see stage_steps: ('input', position), ('step', position) or ('constant', value).
Reference = Tuple[str, Any]


class Call(NamedTuple):
    """One call of a function. Its arguments are columns, constants, and calls that stand before it."""

    function: UserDefinedScalarFunctionWrapper
    arguments: Tuple[Reference, ...]


class Stage(NamedTuple):
    """Calls of one kind that run in one crossing."""

    kind: str
    style: Optional[str]
    inputs: Tuple[Reference, ...]  # columns and calls of earlier stages, each once
    calls: Tuple[int, ...]  # positions in Plan.calls, in an order in which they can run
    outputs: Tuple[int, ...]  # those of them that a later stage or the result needs


class Plan(NamedTuple):
    """What to run for a list of expressions."""

    columns: Tuple[str, ...]  # the columns that are read, in the order in which they occur
    calls: Tuple[Call, ...]  # arguments stand before the calls that take them
    stages: Tuple[Stage, ...]
    outputs: Tuple[Reference, ...]  # one for each expression


# Constants of these types are equal if type and text are: 1, True and 1.0 are three, NaN is one, -0.0 is not 0.0.
_PLAIN = (bool, int, float, str, bytes, type(None))


class _Graph:
    def __init__(self, functions: Mapping[str, UserDefinedFunctionWrapper]) -> None:
        self._functions = functions
        self._seen: Dict[Any, int] = {}
        self.columns: Dict[str, int] = {}
        self.calls: List[Call] = []

    def reference(self, expression: Any) -> Reference:
        if isinstance(expression, ColumnExpression):
            return ("column", self.columns.setdefault(expression.name, len(self.columns)))
        if isinstance(expression, LiteralExpression):
            return ("constant", expression.value)
        if isinstance(expression, CallExpression):
            return ("call", self._call(expression))
        raise TypeError("only expressions can be fused, not %r of type %s" % (expression, type(expression).__name__))

    def _call(self, expression: CallExpression) -> int:
        function = self._function(expression)
        call = Call(function, tuple(self.reference(argument) for argument in expression.arguments))
        if not function._deterministic:
            self.calls.append(call)
            return len(self.calls) - 1
        key = (_identity(function), tuple(map(_key, call.arguments)))
        position = self._seen.setdefault(key, len(self.calls))
        if position == len(self.calls):
            self.calls.append(call)
        return position

    def _function(self, expression: CallExpression) -> UserDefinedScalarFunctionWrapper:
        function = expression.function
        if isinstance(function, str):
            if function not in self._functions:
                raise ValueError(
                    "there is no function %r; there are: %s" % (function, ", ".join(sorted(self._functions)) or "none")
                )
            function = self._functions[function]
        if not isinstance(function, UserDefinedScalarFunctionWrapper):
            raise ValueError(
                "only scalar functions can be fused, and %r is of kind %s" % (function._name, function.kind)
            )
        return function


def _identity(function: UserDefinedScalarFunctionWrapper) -> Any:
    # Two declarations of one function are one function if what they say of the call and its result is the same.
    return (
        id(function._func),
        function.kind,
        function._style,
        function._takes_row_as_input,
        tuple(map(str, function._input_types or ())),
        str(function._result_type),
    )


def _key(reference: Reference) -> Any:
    sort, value = reference
    if sort != "constant":
        return reference
    # Anything else could change or compare in a way of its own, so only the same object is the same constant.
    return (sort, type(value), repr(value) if type(value) in _PLAIN else id(value))


def fuse(
    expressions: Union[Expression, Sequence[Expression]],
    functions: Optional[Mapping[str, UserDefinedFunctionWrapper]] = None,
) -> Plan:
    """Make the plan of one or several expressions over scalar functions.

    Args:
        expressions: Trees of calls, columns and constants. An alias has no influence.
        functions: Registered functions, for calls by name.

    Raises:
        TypeError: Something is no expression.
        ValueError: A function is not scalar, or a name is not registered.
    """
    graph = _Graph(functions or {})
    trees = [expressions] if isinstance(expressions, Expression) else expressions
    outputs = tuple(graph.reference(tree) for tree in trees)
    calls = tuple(graph.calls)
    return Plan(tuple(graph.columns), calls, _stages(calls, outputs), outputs)


def _group(call: Call) -> Tuple[str, Optional[str]]:
    return (call.function.kind, call.function._style)


def _stages(calls: Sequence[Call], outputs: Sequence[Reference]) -> Tuple[Stage, ...]:
    groups = list(dict.fromkeys(map(_group, calls)))
    # Taking whatever runs most calls may begin with the wrong kind; beginning with each one makes up for that.
    orders = [_order(calls, groups, first) for first in groups]
    order = min(orders, key=len, default=[])
    return tuple(_stage(calls, members, outputs) for members in order)


def _order(calls: Sequence[Call], groups: Sequence[Any], first: Any) -> List[List[int]]:
    done: Set[int] = set()
    order: List[List[int]] = []
    while len(done) < len(calls):
        choices = [_ready(calls, done, group) for group in groups]
        best = choices[groups.index(first)] if not order else []
        best = best or max(choices, key=len)
        order.append(best)
        done.update(best)
    return order


def _ready(calls: Sequence[Call], done: Set[int], group: Any) -> List[int]:
    """The calls of a group that can run now, in order. Arguments stand before their calls, so one pass does."""
    found: List[int] = []
    for position, call in enumerate(calls):
        if position in done or _group(call) != group:
            continue
        needs = [value for sort, value in call.arguments if sort == "call"]
        if all(need in done or need in found for need in needs):
            found.append(position)
    return found


def _stage(calls: Sequence[Call], members: Sequence[int], outputs: Sequence[Reference]) -> Stage:
    inside = set(members)
    inputs: Dict[Reference, None] = {}
    for position in members:
        for reference in calls[position].arguments:
            if reference[0] == "column" or (reference[0] == "call" and reference[1] not in inside):
                inputs[reference] = None
    needed = {value for sort, value in outputs if sort == "call"}
    for position, call in enumerate(calls):
        if position not in inside:
            needed.update(value for sort, value in call.arguments if sort == "call")
    kind, style = _group(calls[members[0]])
    wanted = tuple(position for position in members if position in needed)
    return Stage(kind, style, tuple(inputs), tuple(members), wanted)


def stage_steps(plan: Plan, stage: Stage) -> List[Call]:
    """The calls of a stage with references of its own, as one crossing has them.

    Arguments are ('input', position in stage.inputs), ('step', position in this list) or ('constant', value).
    """
    places: Dict[Reference, Reference] = {item: ("input", at) for at, item in enumerate(stage.inputs)}
    places.update({("call", position): ("step", at) for at, position in enumerate(stage.calls)})
    steps = []
    for position in stage.calls:
        call = plan.calls[position]
        arguments = tuple(item if item[0] == "constant" else places[item] for item in call.arguments)
        steps.append(Call(call.function, arguments))
    return steps
