"""The package as a whole: what importing it costs, payloads, and the runtime's objects as instances of interfaces."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import os
import pickle
import subprocess
import sys
import threading
import unittest
from typing import Any
from unittest import mock

from support import PACKAGE, ROOT, TestCase

# isort: split
import clutch
import clutch.metrics
from clutch.table import FunctionContext, ScalarFunction, udf

HEAVY = ("asyncio", "cloudpickle", "dataclasses", "inspect", "numpy", "pandas", "pyarrow", "socket", "subprocess")


def run(code: str) -> str:
    """What a fresh interpreter prints; its errors too."""
    environment = dict(os.environ, PYTHONPATH=PACKAGE)
    command = [sys.executable, "-S", "-c", code]
    return subprocess.run(command, env=environment, stdout=-1, stderr=-2, text=True, check=False).stdout


def lazy_names(tree: ast.Module) -> dict:
    """The names that a package gives to lazy(), and their modules."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "lazy"]
    return ast.literal_eval(calls[0].args[1])


def twice(value: int) -> int:
    return 2 * value


class Twice(ScalarFunction):
    def eval(self, value: int) -> int:
        return 2 * value


class ImportTest(TestCase):
    def test_the_package_alone_imports_nothing(self) -> None:
        code = "import sys; old = set(sys.modules); import clutch; print(sorted(set(sys.modules) - old))"
        self.assertEqual(run(code), "['clutch']\n")

    def test_the_table_package_imports_nothing_heavy(self) -> None:
        code = "import sys; import clutch.table, clutch.table.fusing; print([m for m in %r if m in sys.modules])" % (
            HEAVY,
        )
        self.assertEqual(run(code), "[]\n")

    def test_the_datastream_package_imports_nothing_but_its_helper(self) -> None:
        # typing is there where an interpreter's own start has it; enum comes with Row.
        for package, own in (("datastream", []), ("common", ["clutch_row"])):
            code = (
                "import sys, typing, enum; old = set(sys.modules); import clutch.%s\n"
                "print(sorted(set(sys.modules) - old))" % package
            )
            self.assertEqual(run(code), "%r\n" % ["clutch", "clutch._lazy", "clutch." + package, *own])

    def test_all_of_datastream_imports_nothing_heavy(self) -> None:
        code = (
            "import sys, clutch.common, clutch.datastream\n"
            "from clutch.datastream import functions, state, window, async_retry_strategies\n"
            "for module in (clutch.common, clutch.datastream):\n"
            "    for name in module.__all__: assert name in dir(module) and getattr(module, name)\n"
            "print([m for m in %r if m in sys.modules], 'clutch.table' in sys.modules)" % (HEAVY,)
        )
        self.assertEqual(run(code), "[] False\n")
        code = "import clutch.datastream as d; d.Nope"
        self.assertIn("AttributeError: module 'clutch.datastream' has no attribute 'Nope'", run(code))

    def test_names_for_type_checkers_are_the_lazy_ones(self) -> None:
        for package in ("common", "datastream"):
            with open(os.path.join(PACKAGE, "clutch", package, "__init__.py"), encoding="utf-8") as file:
                tree = ast.parse(file.read())
            block = next(node for node in tree.body if isinstance(node, ast.If))
            listed = {a.name if not a.asname else a.asname: n.module for n in block.body for a in n.names}
            module = importlib.import_module("clutch." + package)
            table = {name: "clutch.%s.%s" % (package, owner) for name, owner in lazy_names(tree).items()}
            self.assertEqual(listed, table)
            self.assertEqual(set(module.__all__) - {"Row", "RowKind"}, set(table))

    def test_the_function_and_the_module_udf(self) -> None:
        code = (
            "import clutch; print(clutch.table.udf.__name__); from clutch.table.udf import udf, ScalarFunction\n"
            "from clutch.table import udf as again\n"
            "print(again is udf, clutch.common.Row.__name__, 'table' in dir(clutch))"
        )
        self.assertEqual(run(code), "udf\nTrue Row True\n")
        with self.assertRaisesRegex(AttributeError, "module 'clutch' has no attribute 'nope'"):
            clutch.nope  # noqa: B018

    def test_names_that_are_exported_exist(self) -> None:
        for name in ("common", "metrics", "table", "table.types", "table.udf", "table.data_view", "table.expressions"):
            module = importlib.import_module("clutch." + name)
            for exported in module.__all__:
                self.assertTrue(hasattr(module, exported), (name, exported))


class PayloadTest(TestCase):
    def test_importable_functions_without_cloudpickle(self) -> None:
        with mock.patch.dict(sys.modules, {"cloudpickle": None}):
            self.assertIs(pickle.loads(udf(twice).payload()), twice)
            self.assertEqual(pickle.loads(udf(Twice()).payload()).eval(3), 6)
            with self.assertRaisesRegex(
                pickle.PicklingError,
                r"the function '<lambda>' cannot be pickled without the package cloudpickle \(.*\); install it, or put "
                "the function into a module under a name of its own",
            ):
                udf(lambda v: v, result_type="INT").payload()

    @unittest.skipIf(importlib.util.find_spec("cloudpickle") is None, "cloudpickle")
    def test_closures_with_cloudpickle(self) -> None:
        factor = 5
        self.assertEqual(pickle.loads(udf(lambda v: v * factor, result_type="INT").payload())(3), 15)
        with self.assertRaisesRegex(
            pickle.PicklingError,
            r"the function 'f' cannot be pickled \(TypeError: .*\); make what it refers to in open\(\)",
        ):
            lock = threading.Lock()
            udf(lambda v: lock, result_type="INT", name="f").payload()

    def test_declared_functions_are_told_by_their_class(self) -> None:
        self.assertTrue(hasattr(type(udf(twice)), "__clutch_function__"))
        self.assertFalse(hasattr(twice, "__clutch_function__"))


class InterfaceTest(TestCase):
    def test_the_runtimes_context_is_one(self) -> None:
        path = os.path.join(ROOT, "pyembed", "src", "python", "context.py")
        names: dict = {}
        with open(path, encoding="utf-8") as file:
            exec(compile(file.read(), path, "exec"), names)
        context = names["FunctionContext"]("f", {"k": "v"}, lambda *values: None)
        self.assertIsInstance(context, FunctionContext)
        group = context.get_metric_group()
        for value, interface in (
            (group, clutch.metrics.MetricGroup),
            (group.add_group("a", "b"), clutch.metrics.MetricGroup),
            (group.counter("c"), clutch.metrics.Counter),
            (group.meter("m"), clutch.metrics.Meter),
            (group.distribution("d"), clutch.metrics.Distribution),
        ):
            self.assertIsInstance(value, interface)
            self.same_signatures(interface, type(value))
        self.same_signatures(FunctionContext, type(context))
        self.assertNotIsInstance(object(), FunctionContext)
        self.assertNotIsInstance(group.meter("m"), clutch.metrics.Counter)

    def same_signatures(self, interface: Any, cls: Any) -> None:
        for name in interface.__abstractmethods__:
            expected, found = (
                [(p.name, p.default) for p in inspect.signature(getattr(owner, name)).parameters.values()]
                for owner in (interface, cls)
            )
            self.assertEqual(found, expected, "%s.%s" % (cls.__name__, name))

    def test_a_subclass_of_an_interface_is_told_by_its_bases(self) -> None:
        class Wider(FunctionContext):
            pass

        self.assertFalse(issubclass(int, Wider))
        with self.assertRaisesRegex(TypeError, "abstract"):
            Wider()


if __name__ == "__main__":
    unittest.main()
