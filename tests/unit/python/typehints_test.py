"""Type hints to data types: the mapping, named fields, table functions, and what has no type."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import functools
import sys
import typing
import unittest
from typing import Any, Awaitable, Coroutine, Dict, Generator, Iterator, List, NamedTuple, Optional, Tuple, Union

from support import TestCase

# isort: split
from clutch.table.typehints import from_hint, from_hints, row_types_from_hints

TypedDict = getattr(typing, "TypedDict")  # noqa: B009  (a name that mypy accepts for every version)


class Point(TypedDict):
    x: float
    y: Optional[float]


class Loose(TypedDict, total=False):
    a: int


class Tree(TypedDict):
    children: List["Tree"]


class Pair(NamedTuple):
    left: int
    right: str


@dataclasses.dataclass
class Person:
    name: str
    age: "Optional[int]" = None


class Scorer:
    def eval(self, text: str) -> int:
        return len(text)


class CallableObject:
    def __call__(self, text: str) -> "List[int]":
        return [len(text)]


class HintTest(TestCase):
    def test_simple(self) -> None:
        for hint, text in (
            (bool, "BOOLEAN NOT NULL"),
            (int, "BIGINT NOT NULL"),
            (float, "DOUBLE NOT NULL"),
            (str, "STRING NOT NULL"),
            (bytes, "BYTES NOT NULL"),
            (bytearray, "BYTES NOT NULL"),
            (decimal.Decimal, "DECIMAL(38, 18) NOT NULL"),
            (datetime.date, "DATE NOT NULL"),
            (datetime.time, "TIME(3) NOT NULL"),
            (datetime.datetime, "TIMESTAMP(6) NOT NULL"),
            (Any, "STRING"),
            (Optional[int], "BIGINT"),
            (Union[None, str], "STRING"),
            (List[int], "ARRAY<BIGINT NOT NULL> NOT NULL"),
            (Optional[List[Optional[int]]], "ARRAY<BIGINT>"),
            (Dict[str, List[float]], "MAP<STRING NOT NULL, ARRAY<DOUBLE NOT NULL> NOT NULL> NOT NULL"),
            (Awaitable[int], "BIGINT NOT NULL"),
            (Coroutine[Any, Any, Optional[str]], "STRING"),
        ):
            self.assertEqual(from_hint(hint).to_sql(), text)

    def test_classes_with_named_fields(self) -> None:
        self.assertEqual(from_hint(Point).to_sql(), "ROW<x DOUBLE NOT NULL, y DOUBLE> NOT NULL")
        self.assertEqual(from_hint(Loose).to_sql(), "ROW<a BIGINT> NOT NULL")
        self.assertEqual(from_hint(Pair).to_sql(), "ROW<left BIGINT NOT NULL, right STRING NOT NULL> NOT NULL")
        self.assertEqual(from_hint(Optional[Person]).to_sql(), "ROW<name STRING NOT NULL, age BIGINT>")

    @unittest.skipIf(sys.version_info < (3, 11), "typing.NotRequired")
    def test_fields_that_may_be_missing(self) -> None:
        names = {"NotRequired": typing.NotRequired, "Required": typing.Required}
        partly = TypedDict("partly", {"a": int, "b": names["NotRequired"][int]})
        mostly = TypedDict("mostly", {"a": int, "b": names["Required"][int]}, total=False)
        self.assertEqual(from_hint(partly).to_sql(), "ROW<a BIGINT NOT NULL, b BIGINT> NOT NULL")
        self.assertEqual(from_hint(mostly).to_sql(), "ROW<a BIGINT, b BIGINT NOT NULL> NOT NULL")

    @unittest.skipIf(sys.version_info < (3, 10), "X | None, list[int], Annotated")
    def test_newer_spellings(self) -> None:
        self.assertEqual(from_hint(int | None).to_sql(), "BIGINT")
        self.assertEqual(from_hint(list[dict[str, int]]).to_sql(), from_hint(List[Dict[str, int]]).to_sql())
        self.assertEqual(from_hint(typing.Annotated[int, "of rows"]).to_sql(), "BIGINT NOT NULL")

    def test_of_functions(self) -> None:
        def function(x: int) -> Optional[int]:
            return x

        async def later(x: int) -> str:
            return str(x)

        def bare(x: int):  # type: ignore[no-untyped-def]
            return x

        self.assertEqual(str(from_hints(function)), "BIGINT")
        self.assertEqual(str(from_hints(functools.partial(function, 1))), "BIGINT")
        self.assertEqual(str(from_hints(later)), "STRING NOT NULL")
        self.assertEqual(str(from_hints(Scorer())), "BIGINT NOT NULL")
        self.assertEqual(str(from_hints(CallableObject())), "ARRAY<BIGINT NOT NULL> NOT NULL")
        self.assertIsNone(from_hints(bare))
        self.assertIsNone(from_hints(lambda x: x))
        self.assertIsNone(from_hints(len))

    def test_of_table_functions(self) -> None:
        def pairs(x: int) -> Iterator[Tuple[int, Optional[str]]]:
            yield x, None

        def numbers(x: int) -> Generator[int, None, None]:
            yield x

        def people(x: int) -> List[Person]:
            return []

        self.assertEqual(list(map(str, row_types_from_hints(pairs))), ["BIGINT NOT NULL", "STRING"])
        self.assertEqual(list(map(str, row_types_from_hints(numbers))), ["BIGINT NOT NULL"])
        self.assertEqual(row_types_from_hints(people).field_names(), ["name", "age"])
        self.assertIsNone(row_types_from_hints(lambda x: x))

    def test_refusals(self) -> None:
        for hint, name, reason in (
            (Union[int, str], "typing.Union[int, str]", "a Union may be of one type and None only"),
            (list, "list", "it does not say what is in it, as List[int] and Dict[str, int] do"),
            (dict, "dict", "it does not say what is in it, as List[int] and Dict[str, int] do"),
            (complex, "complex", "there is no rule for it"),
            (set, "set", "there is no rule for it"),
            (object, "object", "there is no rule for it"),
            (tuple, "tuple", "there is no rule for it"),
            (Tree, "Tree", "it contains itself"),
        ):
            if name.startswith("typing.Union"):
                name = str(hint)
            text = "the type hint %s has no data type: %s; give the type in the declaration" % (name, reason)
            self.refused(TypeError, text, lambda h=hint: from_hint(h))
        with self.assertRaisesRegex(TypeError, "does not say what is in it"):
            from_hint(List)

        def unbound(x: int) -> "Missing":  # noqa: F821
            return x

        with self.assertRaisesRegex(
            TypeError,
            r"the type hints of .*unbound cannot be evaluated \(NameError: .*'Missing' is not defined\); give ",
        ):
            from_hints(unbound)

        def single(x: int) -> int:
            return x

        def endless(x: int) -> Iterator[Tuple[int, ...]]:
            yield (x,)

        with self.assertRaisesRegex(
            TypeError, r"hint int .*: a table function gives Iterator\[\.\.\.\] or another iter"
        ):
            row_types_from_hints(single)
        with self.assertRaisesRegex(
            TypeError, r"it does not say how many columns there are, as Tuple\[int, str\] does"
        ):
            row_types_from_hints(endless)


if __name__ == "__main__":
    unittest.main()
