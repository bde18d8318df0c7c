"""An installed copy is enough: to compile the examples by pkg-config, to run them, and to run the command.

usage: install_test.py BUILD SOURCE PYTHON [unittest arguments]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from installed import Installed

BUILD, SOURCE, PYTHON = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3]
EXAMPLES = SOURCE / "examples"


class InstallTest(unittest.TestCase):
    installed: Installed
    environment: dict[str, str]

    @classmethod
    def setUpClass(cls) -> None:
        cls.installed = Installed(BUILD)
        cls.addClassCleanup(cls.installed.close)
        cls.environment = cls.installed.environment(PYTHON)

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_it(self, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
            env=self.environment,
            cwd=self.folder,
        )
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done

    def compiled(self, source: Path, *options: str) -> str:
        """A program made from one file and what pkg-config says, without a warning."""
        program = str(self.folder / source.stem)
        compiler = ["cc", "-std=c11"] if source.suffix == ".c" else ["c++", "-std=c++17"]
        done = self.run_it(
            *compiler,
            "-Wall",
            "-Wextra",
            "-Werror",
            str(source),
            "-o",
            program,
            *options,
            *self.installed.flags(self.environment),
        )
        self.assertEqual(done.stderr, "")
        return program

    def test_the_command_finds_its_library_by_itself(self) -> None:
        moved = {key: value for key, value in self.environment.items() if key != "LD_LIBRARY_PATH"}
        done = subprocess.run(
            [str(self.installed.command), "--version"], env=moved, capture_output=True, text=True, check=False
        )
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_every_mode_is_found_and_serves(self) -> None:
        modes = {
            plugin["mode"]: plugin
            for plugin in json.loads(self.run_it("clutch", "plugins", "--json").stdout)["plugins"]
        }
        self.assertEqual(sorted(modes), ["native", "process", "thread"])
        for plugin in modes.values():
            self.assertIn(str(self.installed.root), json.dumps(plugin))
        report = json.loads(self.run_it("clutch", "doctor", "--json").stdout)
        for mode in ("thread", "process"):
            self.assertTrue(report["modes"][mode]["kinds"]["stream.flat_map"]["served"], report)
            done = self.run_it("clutch", "apply", "builtins:str.upper", "--mode", mode, stdin="to be\n")
            self.assertEqual(done.stdout, "TO BE\n")
            self.assertIn(f"mode {mode}", done.stderr)

    def test_explain_and_conform_need_nothing_else(self) -> None:
        self.assertIn("table.scalar", self.run_it("clutch", "explain").stdout)
        done = self.run_it("clutch", "conform", "process", "--filter", "an exception names function")
        self.assertIn("1 passed, 0 failed", done.stdout)

    def test_a_job_runs_where_nobody_says_where_the_package_is(self) -> None:
        (self.folder / "text.txt").write_text("to be or not to be\n")
        script = str(EXAMPLES / "streams" / "word_count.py")
        plain = {key: self.environment[key] for key in self.environment if key not in ("PYTHONPATH", "LD_LIBRARY_PATH")}
        for mode in ("thread", "process"):
            done = subprocess.run(
                ["clutch", "run", "--python", PYTHON, script, mode, "text.txt"],
                capture_output=True,
                text=True,
                timeout=100,
                check=False,
                env=plain,
                cwd=self.folder,
            )
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("(be,2)\n", done.stdout)

    def test_the_example_in_cpp(self) -> None:
        text = self.folder / "text.txt"
        text.write_text("To be or not to be\n")
        program = self.compiled(
            EXAMPLES / "wordcount" / "wordcount.cc", f'-DWORDS_FILE="{EXAMPLES}/wordcount/words.py"'
        )
        self.assertIn("Both modes gave the same counts.", self.run_it(program, str(text)).stdout)

    def test_the_example_in_c(self) -> None:
        program = self.compiled(EXAMPLES / "lines" / "lines.c")
        done = self.run_it(program, "builtins:str.split", "thread", stdin="to be\nor not\n")
        self.assertEqual(done.stdout, "to\nbe\nor\nnot\n")

    def test_every_header_is_there_and_compiles_alone(self) -> None:
        rooms = (SOURCE / "abi" / "include", SOURCE / "host" / "include")
        names = [str(path.relative_to(room)) for room in rooms for path in sorted(room.rglob("*.h*"))]
        self.assertIn("clutch/batcher.hpp", names)
        for name in names:
            with self.subTest(header=name):
                source = self.folder / ("alone.cc" if name.endswith("hpp") else "alone.c")
                source.write_text(f"#include <{name}>\nint main(void) {{ return 0; }}\n")
                self.compiled(source)

    def test_a_plugin_needs_the_headers_of_the_contract_alone(self) -> None:
        flags = subprocess.run(
            ["pkg-config", "--cflags", "--libs", "clutch-abi"],
            capture_output=True,
            text=True,
            check=True,
            env=self.environment,
        ).stdout.split()
        self.assertEqual([flag for flag in flags if flag.startswith("-l")], [])
        template = SOURCE / "plugins" / "template"
        self.run_it(
            "cc",
            "-std=c11",
            "-shared",
            "-fPIC",
            "-Wall",
            "-Wextra",
            "-Werror",
            str(template / "template.c"),
            "-o",
            str(self.folder / "plugin.so"),
            *flags,
        )


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)
