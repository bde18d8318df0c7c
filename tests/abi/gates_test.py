"""The gates of this folder catch what they are for: each test seeds one violation."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path
from typing import List
from unittest import mock

import abidiff_gate
import call_tags
import exports
import header_alone
import include_rules
import layout
import quotes
from headers import Headers

REPOSITORY = Path(os.environ.get("CLUTCH_SOURCE_ROOT", Path(__file__).resolve().parents[2]))
COMPILER = os.environ.get("CC_FOR_TESTS", "cc")


class GateTest(unittest.TestCase):
    """A copy of the headers to break."""

    def setUp(self) -> None:
        """Copy the contract."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.include = self.folder / "include"
        shutil.copytree(REPOSITORY / "abi" / "include", self.include)

    def replace(self, header: str, old: str, new: str) -> None:
        """Change a header of the copy once."""
        path = self.include / "clutch" / header
        text = path.read_text(encoding="utf-8")
        self.assertIn(old, text)
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def assert_one(self, problems: List[str], part: str) -> None:
        """Exactly one problem, which says that."""
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(part, problems[0])


class CallTags(GateTest):
    """call_tags.py."""

    def test_the_contract_passes(self) -> None:
        self.assertEqual(call_tags.check(self.include), [])

    def test_a_missing_line(self) -> None:
        self.replace("ext/cancel.h", "   * [thread: any] [state: batch] [blocks: no] [fails: never]\n", "")
        self.assert_one(call_tags.check(self.include), "clutch_host_cancel.is_cancelled: has 0 lines of call tags")

    def test_two_lines(self) -> None:
        line = "   * [thread: any] [state: batch] [blocks: no] [fails: never]\n"
        self.replace("ext/cancel.h", line, line + line)
        self.assert_one(call_tags.check(self.include), "has 2 lines of call tags")

    def test_a_missing_tag(self) -> None:
        self.replace("ext/cancel.h", "[state: batch] ", "")
        self.assert_one(call_tags.check(self.include), "must have thread, state, blocks, fails in this order")

    def test_a_word_that_is_not_legal(self) -> None:
        self.replace("ext/cancel.h", "[blocks: no]", "[blocks: sometimes]")
        self.assert_one(call_tags.check(self.include), "[blocks: sometimes] is none of the words of base.h")

    def test_a_status_that_cannot_be_returned(self) -> None:
        self.replace("ext/memory.h", "[state: none] [blocks: no] [fails: never]",
                     "[state: none] [blocks: no] [fails: status]")
        self.assert_one(call_tags.check(self.include), "[fails: status] needs the result int32_t")

    def test_a_member_that_cannot_be_read(self) -> None:
        self.replace("abi/base.h", "  uint64_t size;\n} clutch_str;", "  uint64_t size : 3;\n} clutch_str;")
        with self.assertRaisesRegex(ValueError, "cannot read the member 'uint64_t size : 3' of struct clutch_str"):
            call_tags.check(self.include)


class Layout(GateTest):
    """layout.py."""

    def problems(self) -> List[str]:
        """Compare the changed copy with the layout of the real headers."""
        real = Headers(REPOSITORY / "abi" / "include")
        headers = Headers(self.include)
        current = layout.measure(headers, COMPILER)
        golden, _ = layout.read(layout.write(layout.measure(real, COMPILER), real.constants))
        return layout.check_form(headers, current) + layout.compare(golden, current)

    def test_the_contract_passes(self) -> None:
        self.assertEqual(self.problems(), [])

    def test_an_appended_member_passes(self) -> None:
        self.replace("abi/negotiate.h", "  const clutch_plugin_api* api;", "  const clutch_plugin_api* api; void* more;")
        self.assertEqual(self.problems(), [])

    def test_an_inserted_member(self) -> None:
        self.replace("abi/negotiate.h", "  uint32_t reserved1;\n", "  uint32_t reserved1;\n  uint64_t inserted;\n")
        problems = self.problems()
        self.assertIn("struct clutch_plugin_answer: member was api at 24", problems[0])

    def test_two_members_of_one_size_that_changed_places(self) -> None:
        self.replace("abi/negotiate.h", "  uint32_t min_level;\n  uint32_t max_level;\n  clutch_str",
                     "  uint32_t max_level;\n  uint32_t min_level;\n  clutch_str")
        self.assertIn("clutch_host_offer: member was min_level at 8", self.problems()[0])

    def test_another_type_of_the_same_size(self) -> None:
        self.replace("ext/metrics.h", "int32_t metric_kind, clutch_str name, double value",
                     "int32_t metric_kind, clutch_str name, int64_t value")
        self.assert_one(self.problems(), "struct clutch_host_metrics: member was record")

    def test_another_promise_of_a_function(self) -> None:
        self.replace("ext/cancel.h", "[thread: any]", "[thread: task]")
        self.assert_one(self.problems(), "{task batch no never}")

    def test_a_frozen_struct_that_grew(self) -> None:
        self.replace("abi/base.h", "  uint64_t size;\n} clutch_bytes;", "  uint64_t size;\n  uint64_t more;\n} clutch_bytes;")
        self.assertTrue(any("struct clutch_bytes is frozen" in problem for problem in self.problems()))

    def test_hidden_padding(self) -> None:
        self.replace("abi/spec.h", "  int32_t on_error;                 /* CLUTCH_ON_ERROR_* */\n  uint32_t reserved1;\n",
                     "  int32_t on_error;\n")
        self.assertTrue(any("4 hidden bytes before options" in problem for problem in self.problems()))

    def test_a_type_without_a_fixed_width(self) -> None:
        self.replace("ext/cancel.h", "  int32_t (*is_cancelled)", "  long (*is_cancelled)")
        self.assertTrue(any("is_cancelled uses long; use a type of fixed width" in one for one in self.problems()))

    def test_a_constant_of_another_value(self) -> None:
        self.replace("abi/status.h", "#define CLUTCH_PENDING 1", "#define CLUTCH_PENDING 2")
        golden = str(REPOSITORY / "tests" / "abi" / "golden" / "layout-1.txt")
        self.assertEqual(layout.main([str(self.include), golden, "--compiler", COMPILER]), 1)


class HeaderAlone(GateTest):
    """header_alone.py."""

    def failures(self) -> List[str]:
        """Compile the copy's headers with one compiler."""
        root = self.folder / "abi" / "include"
        root.parent.mkdir()
        shutil.copytree(self.include, root)
        cases = header_alone.cases_of(self.folder, COMPILER, "c++")
        self.assertGreater(len(cases), 60)
        return [failure for failure in map(header_alone.compile_alone, cases) if failure]

    def test_a_header_that_needs_another(self) -> None:
        self.replace("ext/cancel.h", '#include "../abi/base.h"\n', "")
        self.assertTrue(any("clutch/ext/cancel.h as c11" in failure for failure in self.failures()))

    def test_a_new_header_that_is_not_cxx(self) -> None:
        (self.include / "clutch" / "ext" / "fresh.h").write_text("extern int class;\n", encoding="utf-8")
        failures = self.failures()
        self.assertTrue(all("fresh.h as c++" in failure for failure in failures), failures)
        self.assertEqual(len(failures), 2)


class Exports(unittest.TestCase):
    """exports.py."""

    def test_what_is_wrong_is_named(self) -> None:
        self.assertEqual(exports.check(["a", "clutch_x"], ["a", "clutch_*"]), [])
        self.assertEqual(exports.check(["a", "_ZSt4swap"], ["a", "b"]), ["exports _ZSt4swap", "does not export b"])


class Quotes(unittest.TestCase):
    """quotes.py."""

    def test_a_stale_block_is_found(self) -> None:
        page = "text\n```c\nint  x;\n```\n```c\nint y;\n```\n```sh\nz\n```\n"
        self.assertEqual(quotes.stale(page, ["int x;\n", "char y;\n"]), ["int y;\n"])


class IncludeRules(unittest.TestCase):
    """include_rules.py."""

    def setUp(self) -> None:
        """Make an empty tree."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("abi/include/clutch/abi.h", "\n")
        self.write("columnar/include/clutch/columnar/view.h", "#include <stdint.h>\n")
        self.write("host/include/clutch/clutch.h", '#include "abi.h"\n')
        self.write("host/src/log/log.h", "\n")
        self.write("pyembed/include/clutch/pyembed.h", "\n")
        self.write("pyembed/src/log/log.h", "\n")
        self.write("plugins/interpreter/interpreter.h", "\n")

    def write(self, name: str, text: str) -> None:
        """Make a file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def problems(self, name: str, text: str) -> List[str]:
        """Return what is wrong with the tree once this file is in it."""
        self.write(name, text)
        return include_rules.Repository(self.root).problems()

    def assert_refused(self, name: str, text: str, part: str) -> None:
        """One problem, which says that."""
        problems = self.problems(name, text)
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(part, problems[0])

    def test_legal_includes_pass(self) -> None:
        text = '#include "clutch/columnar/view.h"\n#include <vector>\n#include <boost/dll.hpp>\n#include "log/log.h"\n'
        self.assertEqual(self.problems("host/src/log/log.cc", text), [])

    def test_one_name_in_two_rooms_means_the_legal_one(self) -> None:
        self.assertEqual(self.problems("pyembed/src/log/log.cc", '#include "log/log.h"\n'), [])

    def test_forbidden_rooms(self) -> None:
        self.assert_refused("columnar/src/a.cc", '#include "clutch/clutch.h"\n',
                            "columnar/src/a.cc:1: columnar may not include clutch/clutch.h (of host/include)")

    def test_host_internals_in_a_tool(self) -> None:
        self.assert_refused("tools/clutch/a.cc", '\n#include "log/log.h"\n', "tools/clutch/a.cc:2: tools may not include")

    def test_host_internals_and_python_in_the_engine(self) -> None:
        self.assert_refused("engine/graph/a.cc", '#include "log/log.h"\n', "engine may not include log/log.h (of host)")
        self.write("engine/graph/a.cc", "")
        self.assert_refused("engine/graph/b.cc", "#include <Python.h>\n", "engine may not include <Python.h> (python)")

    def test_pyembed_in_host(self) -> None:
        self.assert_refused("host/src/a.cc", '#include "clutch/pyembed.h"\n', "(of pyembed/include)")

    def test_python_outside_of_pyembed(self) -> None:
        self.assert_refused("plugins/thread/a.cc", "#include <Python.h>\n", "may not include <Python.h> (python)")

    def test_libuv_outside_of_pyproc(self) -> None:
        self.assert_refused("host/src/a.cc", "#include <uv.h>\n", "may not include <uv.h> (libuv)")

    def test_capnp_outside_of_pyproc(self) -> None:
        self.assert_refused("plugins/process/a.cc", "#include <capnp/message.h>\n", "(capnp)")

    def test_a_thread_in_host(self) -> None:
        self.assert_refused("host/src/a.cc", "int x;\nstd::thread worker;\n",
                            "host/src/a.cc:2: uses std::thread, but no thread is created in host")

    def test_a_thread_id_or_a_comment_is_no_thread(self) -> None:
        self.assertEqual(self.problems("host/src/a.cc", "// std::thread\nstd::thread::id owner;\n"), [])

    def test_a_file_in_no_room(self) -> None:
        self.assert_refused("stray/a.cc", "\n", "belongs to no room")

    def test_a_long_file(self) -> None:
        self.assert_refused("host/src/a.cc", "\n" * 801, "host/src/a.cc: has 801 lines, more than 800; split it")


class AbidiffGate(GateTest):
    """abidiff_gate.py."""

    def run_gate(self, golden: Path) -> int:
        """Run the gate on the copy."""
        return abidiff_gate.main(["contract", str(self.include), str(golden), "--compiler", COMPILER])

    @property
    def golden(self) -> Path:
        """The committed dump."""
        return REPOSITORY / "tests" / "abi" / "golden" / "contract-1.abi"

    def test_an_extension_that_no_symbol_reaches(self) -> None:
        self.assertEqual(self.run_gate(self.golden), 0)
        self.replace("ext/log.h", "  int32_t (*enabled)", "  void *inserted;\n  int32_t (*enabled)")
        self.assertEqual(self.run_gate(self.golden), 1)

    def test_a_missing_golden_file_fails(self) -> None:
        self.assertEqual(self.run_gate(self.folder / "none.abi"), 1)

    def test_a_missing_tool_fails(self) -> None:
        with mock.patch.object(abidiff_gate.shutil, "which", return_value=None):
            self.assertEqual(self.run_gate(self.golden), 1)


class ApplicationGate(GateTest):
    """abidiff_gate.py, the side of the applications."""

    def run_gate(self, symbols: List[str]) -> int:
        """Run the gate on a copy of clutch/clutch.h, beside a library with these symbols."""
        golden = REPOSITORY / "tests" / "abi" / "golden" / "application-1.abi"
        with mock.patch.object(exports, "exported", return_value=symbols):
            words = ["application", str(self.include), str(self.include), str(golden), "--library", "libclutch.so"]
            return abidiff_gate.main([*words, "--compiler", COMPILER])

    def setUp(self) -> None:
        """Copy the application's header beside the contract."""
        super().setUp()
        shutil.copytree(REPOSITORY / "host" / "include" / "clutch", self.include / "clutch", dirs_exist_ok=True)
        self.declared = abidiff_gate.declared_functions(self.include)

    def test_a_changed_parameter(self) -> None:
        self.assertEqual(self.run_gate(self.declared), 0)
        self.replace("clutch.h", "clutch_app_set(clutch_app* app, const char* key", "clutch_app_set(clutch_app* app, const void* key")
        self.assertEqual(self.run_gate(self.declared), 1)

    def test_a_function_that_is_only_declared_or_only_exported(self) -> None:
        self.assertEqual(self.run_gate(self.declared[1:]), 1)
        self.assertEqual(self.run_gate([*self.declared, "clutch_app_secret"]), 1)


if __name__ == "__main__":
    sys.exit(unittest.main())
