"""A copy of the template plugin, built by an outside author and dropped into a folder, is a mode of a host that was
built before it.

Usage: drop_in_test.py SOURCE_ROOT BUILD_ROOT DROP_IN_PROGRAM SAMPLE_LIBRARY. The copy is built as a project of its own
that knows nothing but the package clutch-abi.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import List

SOURCE_ROOT, BUILD_ROOT, PROGRAM, SAMPLE = (Path(argument).resolve() for argument in sys.argv[1:5])
FILES = ("template.c", "native.h", "plugin.toml.in")


def run(command: List[str], **more: object) -> "subprocess.CompletedProcess[str]":
    """Run a command and keep what it prints."""
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]


class DropIn(unittest.TestCase):
    """Build the copy once, then use it."""

    plugins: Path

    @classmethod
    def setUpClass(cls) -> None:
        """Install the headers into a prefix, and build and install the copy against them."""
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        root = Path(folder.name)
        prefix = root / "prefix"
        cls.plugins = prefix / "plugins"
        shutil.copytree(SOURCE_ROOT / "abi" / "include", prefix / "include")
        package = (BUILD_ROOT / "meson-private" / "clutch-abi.pc").read_text(encoding="utf-8")
        lines = [line for line in package.splitlines() if not line.startswith(("prefix=", "plugindir="))]
        (prefix / "clutch-abi.pc").write_text(f"prefix={prefix}\nplugindir={cls.plugins}\n" + "\n".join(lines) + "\n",
                                              encoding="utf-8")
        author = root / "author"
        author.mkdir()
        template = SOURCE_ROOT / "plugins" / "template"
        for name in FILES:
            shutil.copy(template / name, author)
        for path in (template / "outside").iterdir():
            shutil.copy(path, author)
        environment = dict(os.environ, PKG_CONFIG_PATH=str(prefix))
        options = ["-Dname=copy", "-Did=org.example.copy", "-Dmode=Copied", "-Dsource=."]
        for command in (["meson", "setup", "build", *options], ["meson", "compile", "-C", "build"],
                        ["meson", "install", "-C", "build", "--no-rebuild"]):
            done = run(command, cwd=author, env=environment)
            if done.returncode != 0 or "warning:" in done.stdout + done.stderr:
                raise AssertionError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")

    def host(self, path: str, mode: str) -> "subprocess.CompletedProcess[str]":
        """Run the host on three rows."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("CLUTCH_")}
        return run([str(PROGRAM), path, mode, f"{SAMPLE}:sample_plus_one"], env=environment)

    def test_its_mode_is_selectable_without_regard_to_case(self) -> None:
        done = self.host(str(self.plugins), "copied")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.split("\n")[:3], ["2", "3", "42"])
        self.assertIn("org.example.copy", done.stdout)

    def test_it_stands_beside_the_original(self) -> None:
        path = f"{self.plugins}:{BUILD_ROOT / 'plugins'}"
        for mode, plugin in (("Copied", "org.example.copy"), ("native", "org.clutch.template")):
            done = self.host(path, mode)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout.split("\n")[:3], ["2", "3", "42"])
            self.assertIn(plugin, done.stdout)

    def test_without_it_the_mode_is_refused_with_those_that_exist(self) -> None:
        done = self.host(str(BUILD_ROOT / "plugins"), "copied")
        self.assertEqual(done.returncode, 1)
        self.assertIn("copied", done.stderr)
        self.assertIn("native", done.stderr)

    def test_it_exports_one_symbol(self) -> None:
        library = self.plugins / "copy" / "clutch-copy.so"
        done = run([sys.executable, str(Path(__file__).with_name("exports.py")), str(library),
                    "clutch_plugin_negotiate_v1"])
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
