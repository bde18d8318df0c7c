"""What the pages list is what the code has: error codes, details, kinds, keys, subcommands, options, links.

usage: doc_facts_test.py SOURCE CLUTCH PYTHON [unittest arguments]
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

SOURCE, CLUTCH, PYTHON = Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3]
PAGES = [*sorted((SOURCE / "docs").glob("*.md")), *sorted(SOURCE.glob("*.md"))]


def page(name: str) -> str:
    return (SOURCE / name).read_text(encoding="utf-8")


def first_cells(text: str) -> list[str]:
    """What stands in quotes of code in the first column of all tables."""
    rows = re.findall(r"^\| (`.+?) \|", text, re.MULTILINE)
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row)]


class DocFacts(unittest.TestCase):
    def clutch(self, *arguments: str) -> str:
        done = subprocess.run([CLUTCH, *arguments], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_errors(self) -> None:
        header = page("abi/include/clutch/abi/status.h")
        text = page("docs/errors.md")
        codes = re.findall(r"^#define (CLUTCH_ERR_\w+)", header, re.MULTILINE)
        details = re.findall(r'^#define CLUTCH_DETAIL_\w+ "([^"]+)"', header, re.MULTILINE)
        self.assertGreater(len(codes), 10)
        self.assertEqual([name for name in first_cells(text) if name.startswith("CLUTCH_")], codes)
        self.assertEqual(sorted(name for name in first_cells(text) if not name.startswith("CLUTCH_")), sorted(details))
        for origin in re.findall(r"^#define CLUTCH_ORIGIN_(\w+)", header, re.MULTILINE):
            if origin != "UNKNOWN":
                self.assertIn(f"`{origin}`", text)
        names = re.findall(r'return "(CLUTCH_ERR_\w+)"', page("host/src/app/api_error.cc"))
        self.assertLessEqual(set(names), set(codes))
        self.assertEqual(set(codes) - set(names), {"CLUTCH_ERR_INTERNAL"}, "what a status that is not known is called")

    def test_kinds(self) -> None:
        named = first_cells(page("docs/kinds.md").split("\n## ")[0])
        documented = sorted(name for name in named if re.match(r"(table|stream)\.", name))
        plugins = json.loads(self.clutch("plugins", "--json"))["plugins"]
        for plugin in plugins:
            if plugin["mode"] in ("thread", "process"):
                self.assertEqual(sorted(capability["kind"] for capability in plugin["capabilities"]), documented)
        self.assertLessEqual(set(documented), set(first_cells(page("README.md"))))

    def test_configuration_keys_of_the_readme(self) -> None:
        pattern = re.compile(r"^\| `((?:python|clutch)\.[\w.-]+)` \|(.*)\|$", re.MULTILINE)
        known = dict(pattern.findall(page("docs/configuration.md")))
        told = pattern.findall(page("README.md"))
        self.assertGreater(len(told), 5)
        for key, rest in told:
            with self.subTest(key=key):
                self.assertIn(key, known)
                default = re.findall(r"`([^`]*)`", known[key].split("|")[1])
                short = rest.split("|")[0].strip().strip("`")
                milliseconds = {"60 s": "60000", "none": ""}
                self.assertEqual(milliseconds.get(short, short), default[0] if default else "")
        for name in [
            name for text in map(Path.read_text, PAGES) for name in re.findall(r"`(python\.[a-z][\w.-]+)`", text)
        ]:
            facts = ("python.stack", "python.version")
            self.assertTrue(name in known or name in facts or name.startswith("python.job-options"), name)

    def test_the_page_of_the_command_has_every_subcommand_and_option(self) -> None:
        text = page("docs/command.md")
        listing = self.clutch("--help").split("Subcommands:")[1].split("\n\n")[0]
        commands = re.findall(r"^  (\w+)", listing, re.MULTILINE)
        self.assertGreater(len(commands), 5)
        self.assertEqual(
            [re.sub(r"clutch (\w+).*", r"\1", name) for name in first_cells(text) if name.startswith("clutch ")],
            commands,
        )
        options = {
            option for command in commands for option in re.findall(r"--[a-z-]+", self.clutch(command, "--help"))
        }
        self.assertGreater(len(options), 20)
        missing = {option for option in options - {"--define"} if f"`{option}" not in text and f"{option} " not in text}
        self.assertEqual(missing, set())
        told = {option for option in re.findall(r"`(--[a-z-]+)", text)}
        self.assertLessEqual(told, options | {"--version"})
        self.assertIn("0 done; 1 failed", self.clutch("--help"))
        self.assertEqual(re.findall(r"^\| (\d) \|", text, re.MULTILINE), ["0", "1", "2"])

    def test_links_lead_somewhere(self) -> None:
        for path in PAGES:
            for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
                with self.subTest(page=path.name, link=target):
                    self.assertTrue(target.startswith("https://") or (path.parent / target).exists())

    def test_files_that_are_named_exist(self) -> None:
        folders = "abi|columnar|host|pyembed|pyproc|plugins|tools|tests|examples|docs"
        for path in PAGES:
            for name in re.findall(rf"`((?:{folders})/[\w./-]+)`", path.read_text(encoding="utf-8")):
                with self.subTest(page=path.name, file=name):
                    self.assertTrue((SOURCE / name).exists() or (SOURCE / "abi" / "include" / "clutch" / name).exists())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)
