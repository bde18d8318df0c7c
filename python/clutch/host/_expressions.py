"""Expressions over declared functions, run stage by stage: each stage is one crossing."""

from __future__ import annotations

import base64
import pickle
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import clutch._host as _host
from clutch.host._declare import Declared, Options, Step, arguments_of, columns_text, make_step, results_of
from clutch.host._future import Batch
from clutch.host._function import Stage, take
from clutch.host._sorts import Result
from clutch.table._type_text import parse
from clutch.table.expression import CallExpression, Expression
from clutch.table.fusing import Call, Plan, Reference, fuse, stage_steps

_LITERALS = (int, float, str, bytes, bool, type(None))


class StagePlan(NamedTuple):
    """One function of libclutch: what it is, what it takes, and which calls of the plan it gives."""

    declared: Declared
    inputs: Tuple[Reference, ...]
    outputs: Tuple[int, ...]


def _constant_options(number: int, value: Any) -> Options:
    key = "constant.%d" % number
    if type(value) in _LITERALS and value == value and value not in (float("inf"), float("-inf")):
        return [(key, repr(value))]
    try:
        return [(key + ".pickle", base64.b64encode(pickle.dumps(value, protocol=4)).decode("ascii"))]
    except Exception as error:
        raise TypeError("the constant %r cannot be pickled (%s: %s)" % (value, type(error).__name__, error)) from error


def _step_options(call: Call) -> Options:
    texts: List[str] = []
    options: Options = []
    for sort, value in call.arguments:
        if sort == "constant":
            number = sum(text.startswith("constant") for text in texts)
            options.extend(_constant_options(number, value))
            value = number
        texts.append("%s:%d" % ("column" if sort == "input" else sort, value))
    return [("arguments", ", ".join(texts)), *options]


class _Maker:
    """Makes the stages of a plan."""

    def __init__(self, plan: Plan, name: str, results: Sequence[str], may_keep: bool) -> None:
        self.plan = plan
        self.name = name
        # Errors name columns, so those that are results have the names that the user gave.
        self._results = {output: result for output, result in zip(plan.outputs, results)}
        self.may_keep = may_keep
        self._types: Dict[Reference, str] = {}
        self._arguments = [arguments_of(call.function) for call in plan.calls]
        for call, arguments in zip(plan.calls, self._arguments):
            if len(arguments) != len(call.arguments):
                raise TypeError(
                    "the function %r takes %d arguments, and the expression gives it %d"
                    % (call.function._name, len(arguments), len(call.arguments))
                )
            for reference, (_, text) in zip(call.arguments, arguments):
                if reference[0] == "column":
                    self._set_type(reference, text, call)
        for position, call in enumerate(plan.calls):
            self._types[("call", position)] = results_of(call.function)[0][1]

    def _set_type(self, reference: Reference, text: str, call: Call) -> None:
        there = self._types.setdefault(reference, text)
        if parse(there).not_null() == parse(text).not_null():
            if parse(there) != parse(text):  # where one call takes no nulls there are none
                self._types[reference] = str(parse(text).not_null())
            return
        raise TypeError(
            "the column %r is %s for one call and %s for %r; declare one type"
            % (self.plan.columns[reference[1]], there, text, call.function._name)
        )

    def inputs_text(self, inputs: Sequence[Reference]) -> str:
        names = [self.plan.columns[value] if sort == "column" else "call%d" % value for sort, value in inputs]
        return columns_text([(name, self._types[item]) for name, item in zip(names, inputs)])

    def columns_text(self) -> str:
        return self.inputs_text([("column", i) for i in range(len(self.plan.columns))])

    def stages(self) -> List[StagePlan]:
        found: List[StagePlan] = []
        for stage in self.plan.stages:
            if stage.kind == "table.scalar":
                found.append(self._fused(stage))
            else:
                found.extend(self._alone(position) for position in stage.calls)
        if len(found) == 1:
            return found
        # The same function may be in several stages, so that only a number tells them apart.
        return [
            stage._replace(
                declared=stage.declared._replace(
                    name="%s, stage %d: %s"
                    % (self.name, number, ", ".join(step[0] for step in stage.declared.steps))
                )
            )
            for number, stage in enumerate(found, 1)
        ]

    def _name_of(self, position: int) -> str:
        return self._results.get(("call", position), "call%d" % position)

    def _fused(self, stage: Any) -> StagePlan:
        kept: List[str] = []
        steps: List[Step] = []
        for position, call in zip(stage.calls, stage_steps(self.plan, stage)):
            options = _step_options(call)
            if position in stage.outputs:
                options.append(("output", str(stage.outputs.index(position))))
            steps.append(make_step(call.function, options, kept, self.may_keep))
        outputs = columns_text([(self._name_of(i), self._types[("call", i)]) for i in stage.outputs])
        declared = Declared(self.name, steps, self.inputs_text(stage.inputs), outputs, kept)
        return StagePlan(declared, stage.inputs, stage.outputs)

    def _alone(self, position: int) -> StagePlan:
        """A call whose kind takes whole columns: a crossing of its own."""
        call, arguments = self.plan.calls[position], self._arguments[position]
        function = call.function
        if any(sort == "constant" for sort, _ in call.arguments):
            raise TypeError(
                "the function %r is of kind %s, whose arguments are columns; give it no constants"
                % (function._name, function.kind)
            )
        kept: List[str] = []
        steps = [make_step(function, [], kept, self.may_keep)]
        outputs = columns_text([(self._name_of(position), self._types[("call", position)])])
        texts = [("f%d" % i, text) for i, (_, text) in enumerate(arguments)]
        declared = Declared(self.name, steps, columns_text(texts), outputs, kept)
        return StagePlan(declared, call.arguments, (position,))


def _names(trees: Sequence[Expression]) -> List[str]:
    aliases = [tree._alias_names for tree in trees]
    if len(trees) == 1:
        return [aliases[0][0] if aliases[0] else "result"]
    names = [alias[0] if alias else "f%d" % i for i, alias in enumerate(aliases)]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise ValueError("two expressions are called %r; give one an alias of its own" % name)
    return names


class ExpressionPlan:
    """The stages of an expression, run one after the other; columns between them stay as they are."""

    def __init__(
        self,
        trees: Sequence[Expression],
        functions: Optional[Mapping[str, Any]],
        name: Optional[str],
        may_keep: bool,
    ) -> None:
        if not trees:
            raise ValueError("there are no expressions; give at least one")
        for tree in trees:
            if isinstance(tree, Expression) and not isinstance(tree, CallExpression):
                raise ValueError("the expression %s calls no function; take the column or constant as it is" % tree)
        plan = fuse(trees, functions)
        self.name = name or ", ".join(map(str, trees))
        names = _names(trees)
        maker = _Maker(plan, self.name, names, may_keep)
        self.schema = _host.Schema(maker.columns_text())
        self.planned = maker.stages()
        self.stages: List[Stage] = []
        types = [maker._types[output] for output in plan.outputs]
        self._results = _host.Schema(columns_text(list(zip(names, types))))
        self._outputs = plan.outputs

    def open(self, native: Any, on_error: str, options: Options) -> None:
        if on_error == "dead_letter" and len(self.planned) > 1:
            raise ValueError(
                "on_error='dead_letter' is for expressions in one stage, and this one has %d: rows that are put aside "
                "in one would be missing in another" % len(self.planned)
            )
        try:
            for planned in self.planned:
                self.stages.append(Stage(native, planned.declared, on_error, options))
        except BaseException:
            self.close()
            raise

    def run(self, rows: Any, timeout_ms: int) -> Iterator[Batch]:
        there: Dict[Reference, Any] = {("column", i): rows.child(i) for i in range(len(self.schema.names))}
        origin: Optional[bytes] = None
        for planned, stage in zip(self.planned, self.stages):
            columns = [there[reference] for reference in planned.inputs]
            batch = stage.submit(stage.schema.rows(columns, len(rows)), timeout_ms)
            yield batch  # goes on when it is over
            result = take(batch)
            origin = result.origin
            there.update((("call", position), result.rows.child(i)) for i, position in enumerate(planned.outputs))
        columns = [there[output] for output in self._outputs]
        return Result(self._results.rows(columns, len(columns[0])), origin)

    def close(self) -> None:
        for stage in self.stages:
            stage.close()
