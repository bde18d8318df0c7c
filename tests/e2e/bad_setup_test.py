"""What a bad mode, plugin, manifest or interpreter does to the clutch command: a sentence, exit code 1, and no output.

usage: bad_setup_test.py CLUTCH PYTHON FAULTY_PLUGINS [unittest arguments]

FAULTY_PLUGINS is the folder of the fault_*.so that tests/unit/host/plugin builds.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CLUTCH, PYTHON, FAULTY_PLUGINS = sys.argv[1:4]
MODES = ("thread", "process")

MANIFEST = """manifest_version = 1
id = "org.test.module"
version = "1"
mode = "module"
[abi]
major = 1
min_level = 1
max_level = 1
[library]
file = "module.so"
[[capability]]
kind = "table.scalar"
payloads = ["import"]
"""

# Runs a real interpreter, and hides its shared library from what Clutch asks it about itself.
WITHOUT_LIBPYTHON = """#!/bin/sh
case "$*" in
  *clutch-probe-1*)
    exec {python} -c 'import re, subprocess, sys
done = subprocess.run(["{python}", *sys.argv[1:]], stdout=subprocess.PIPE)
sys.stdout.buffer.write(re.sub(rb"libpython\\0[^\\0]*\\0", b"", done.stdout))' "$@" ;;
esac
exec {python} "$@"
"""


def script(path: Path, text: str) -> str:
    """Write an executable file and return its name."""
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


class BadSetup(unittest.TestCase):
    """Every case gives one good row; whoever runs it must say 42."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.output = self.folder / "output.txt"

    def apply(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [
            CLUTCH,
            "apply",
            "builtins:abs",
            "--input-format",
            "csv",
            "--input-type",
            "x: int64",
            "--result-type",
            "int64",
            "--output-format",
            "lines",
            "--output",
            str(self.output),
            *arguments,
        ]
        if "--python" not in arguments:
            command += ["--python", PYTHON]
        return subprocess.run(command, input="x\n-42\n", capture_output=True, text=True, timeout=120, check=False)

    def refused(self, *arguments: str) -> str:
        """The sentence of a refusal; nothing was written."""
        done = self.apply(*arguments)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertEqual(list(self.folder.glob("*output*")), [], "nothing is written, not even a file without rows")
        return done.stderr

    def served(self, *arguments: str) -> str:
        """What was logged by a run that gave the right row."""
        done = self.apply(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.output.read_text(), "42\n")
        return done.stderr

    def plugin(self, fault: str = "none", manifest: str = MANIFEST) -> list[str]:
        """Arguments that choose a plugin which is wrong in one way."""
        home = self.folder / "plugins" / "module"
        home.mkdir(parents=True)
        shutil.copy(Path(FAULTY_PLUGINS) / f"fault_{fault}.so", home / "module.so")
        (home / "plugin.toml").write_text(manifest)
        return ["--plugins", str(home.parent), "--mode", "module"]

    def test_an_unknown_mode(self) -> None:
        text = self.refused("--mode", "proces")
        self.assertIn('python.execution-mode = "proces"', text)
        self.assertIn("no plugin has this mode; modes that exist: native, process, thread; did you mean process?", text)

    def test_a_plugin_of_another_abi_level(self) -> None:
        sentence = "it speaks levels 7 to 9 of the contract, this host level 1; use a newer host or an older plugin"
        plugin = self.plugin("wrong_level")
        self.assertIn(sentence, self.refused(*plugin, "-D", "python.execution-mode.fallback=forbid"))
        text = self.served(*plugin)
        self.assertIn("python.execution-mode=module asked, runs in process because plugin org.test.module", text)
        self.assertIn(sentence, text)

    def test_a_plugin_without_the_symbol(self) -> None:
        text = self.refused(*self.plugin("no_symbol"), "-D", "python.execution-mode.fallback=forbid")
        self.assertIn(
            "module.so): it does not export clutch_plugin_negotiate_v1, so it is not a plugin of Clutch", text
        )

    def test_a_plugin_that_misses_a_symbol_itself(self) -> None:
        text = self.refused(*self.plugin("unresolved"), "-D", "python.execution-mode.fallback=forbid")
        self.assertIn("undefined symbol: clutch_test_nobody_defines_this", text)

    def test_a_plugin_with_a_wrong_checksum(self) -> None:
        manifest = MANIFEST.replace('file = "module.so"', 'file = "module.so"\nsha256 = "' + "0" * 64 + '"')
        text = self.refused(*self.plugin(manifest=manifest), "-D", "python.execution-mode.fallback=forbid")
        self.assertRegex(text, r"module.so: has the sha256 [0-9a-f]{64}, but its manifest .*plugin.toml says 0{64}")

    def test_a_plugin_that_everybody_may_write(self) -> None:
        plugin = self.plugin()
        library = self.folder / "plugins" / "module" / "module.so"
        library.chmod(0o757)
        self.assertIn(
            f"plugin org.test.module is not used: {library} can be written by everybody (mode 0757); "
            f"run: chmod go-w {library}",
            self.refused(*plugin),
        )

    def test_a_manifest_that_is_not_toml(self) -> None:
        text = self.refused(*self.plugin(manifest=MANIFEST.replace('"module"', "")))
        self.assertRegex(text, r"a plugin is not used: .*/module/plugin.toml:4:8: ")

    def test_a_manifest_with_an_unknown_key(self) -> None:
        plugin = self.plugin(manifest=MANIFEST.replace("[abi]", 'pubisher = "Test"\n[abi]'))
        done = subprocess.run([CLUTCH, "plugins", *plugin[:2]], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r'plugin.toml:5:12: unknown key "pubisher"; did you mean "publisher"\?')
        self.assertIn("org.test.module", done.stdout)

    def test_a_configuration_file_that_is_not_toml(self) -> None:
        file = self.folder / "clutch.toml"
        file.write_text("[python]\nexecutable = \n")
        self.assertIn(f"{file}:2:", self.refused("--config", str(file)))
        file.write_text("[python.process]\nworkers = 0\n")
        text = self.refused("--config", str(file))
        self.assertIn("python.process.workers", text)
        self.assertIn(f"{file}:2", text)

    def test_an_executable_that_does_not_exist(self) -> None:
        for mode in MODES:
            text = self.refused("--mode", mode, "--python", "/nowhere/python3")
            self.assertIn("python.executable /nowhere/python3 does not exist", text)

    def test_an_executable_that_is_no_python(self) -> None:
        talker = script(self.folder / "talker", "#!/bin/sh\necho hello >&2\nexit 3\n")
        for mode in MODES:
            text = self.refused("--mode", mode, "--python", talker)
            self.assertIn(
                f"{talker} is not a Python interpreter: it did not answer when asked for its version (exit "
                "code 3; it printed: hello); set python.executable to a Python interpreter",
                text,
            )

    def test_interpreters_that_are_too_old(self) -> None:
        root = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
        for version in ("2.7", "3.6", "3.7"):
            found = sorted(glob.glob(f"{root}/versions/{version}.*/bin/python"))
            for mode in MODES:
                with self.subTest(version=version, mode=mode):
                    if not found:
                        self.skipTest(f"there is no CPython {version} under {root}/versions")
                    text = self.refused("--mode", mode, "--python", found[-1])
                    self.assertRegex(text, rf"{found[-1]} is too old: Clutch needs 3.8 or later; set python.executable")

    def test_an_interpreter_without_a_shared_libpython(self) -> None:
        static = script(self.folder / "static-python", WITHOUT_LIBPYTHON.format(python=PYTHON))
        sentence = "has no shared libpython (looked for libpython3."
        text = self.served("--mode", "thread", "--python", static)
        self.assertIn("python.execution-mode=thread asked, runs in process because ", text)
        self.assertIn(f"{static} {sentence}", text)
        self.assertIn("mode process", text.splitlines()[-1])
        decision = subprocess.run(
            [CLUTCH, "explain", "--function", "builtins:abs", "--mode", "thread", "--python", static, "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(json.loads(decision.stdout)["mode"], "process", decision.stdout)
        self.assertIn(sentence, decision.stdout)
        self.output.unlink()
        text = self.refused("--mode", "thread", "--python", static, "-D", "python.execution-mode.fallback=forbid")
        self.assertIn(sentence, text)
        self.assertIn("another mode is not taken, because python.execution-mode.fallback = forbid", text)

    def test_rows_that_do_not_fit_the_columns(self) -> None:
        source = self.folder / "numbers.csv"
        source.write_text("x\n1\n2\nthree\n")
        for mode in MODES:
            text = self.refused("--mode", mode, "--input", str(source))
            self.assertIn("numbers.csv:4: ", text)
            self.assertIn("three", text)
            self.assertIn("int64", text)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)
