"""Run the blocks of the documentation against an installed copy. Prints TAP.

A C or C++ block with a main is compiled by pkg-config and run, a Python block is run, those of docs/streams.md in each
mode. Comments behind output statements are checked: a line `... // text` or `print(...)  # text` promises that the output has that text as a line. A shell
block is run, one page after the other in a folder of its own; `sh not-run` is for what would install packages or run this
test again, and of that the programs must exist.

usage: doc_blocks_test.py BUILD SOURCE PYTHON FILE...
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from installed import Installed

BLOCK = re.compile(r"^```(cpp|c|sh|python)\b([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMISE = re.compile(r"(?:cout|printf).*;\s+// (.+)$", re.MULTILINE)
PRINTED = re.compile(r"print\(.*\)\s+# (.+)$", re.MULTILINE)
WORD = re.compile(r"^(?:[A-Z_]+=\S+ )*([\w./-]+)", re.MULTILINE)

# Pages whose Python blocks run in each of these modes; those of other pages run once, in the mode that they ask for.
EACH_MODE = {"streams.md": ("thread", "process")}

# The same commands with less to do.
SHORTER = {
    "clutch bench ": "clutch bench --rows 64 --repeats 1 ",
    "clutch conform process ": "clutch conform process --filter 'an exception names' ",
}


class Page:
    """What the blocks of one page share: a folder with the files that they name, and where the shell is in it."""

    def __init__(self, source: Path, path: Path, python: str, environment: dict[str, str], flags: list[str]) -> None:
        self.text = path.read_text(encoding="utf-8")
        self.environment = environment
        self.flags = flags
        self.python = python
        self.source = source
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)
        self.shell_folder = self.folder
        for name in ("plugins", "tools"):
            shutil.copytree(source / name, self.folder / name)
        shutil.copy(source / "examples" / "wordcount" / "words.py", self.folder)
        shutil.copy(source / "examples" / "streams" / "word_count.py", self.folder)
        (self.folder / "text.txt").write_text("to be or not\n", encoding="utf-8")
        programs = [code for language, _, code in BLOCK.findall(self.text) if language == "cpp" and "main(" in code]
        for name in ("host.cc", "app.cc"):
            (self.folder / name).write_text(programs[0] if programs else "", encoding="utf-8")

    def close(self) -> None:
        self._folder.cleanup()

    def program(self, language: str, code: str) -> str:
        """What is wrong with a program, or an empty text."""
        text = self.folder / f"program.{'cc' if language == 'cpp' else 'c'}"
        text.write_text(code, encoding="utf-8")
        compiler = ["c++", "-std=c++17"] if language == "cpp" else ["cc", "-std=c11"]
        command = [*compiler, "-Wall", "-Wextra", "-Werror", str(text), "-o", str(self.folder / "program"), *self.flags]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=self.environment)
        if done.returncode != 0:
            return done.stderr
        done = subprocess.run(
            [str(self.folder / "program")],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=self.environment,
        )
        if done.returncode != 0:
            return f"ended with {done.returncode}: {done.stderr}"
        lines = [line.strip() for line in done.stdout.splitlines()]
        missing = [promise for promise in PROMISE.findall(code) if promise.strip() not in lines]
        return "".join(f"the comment promises the line {promise!r}; printed was {lines}\n" for promise in missing)

    def script(self, code: str, mode: str = "") -> str:
        """What is wrong with a block of Python in a mode, or an empty text."""
        (self.folder / "program.py").write_text(code, encoding="utf-8")
        environment = {**self.environment, "CLUTCH_PYTHON_EXECUTION_MODE": mode} if mode else self.environment
        done = subprocess.run(
            [self.python, "-B", "program.py"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=environment,
            cwd=self.folder,
        )
        if done.returncode != 0:
            return f"ended with {done.returncode}: {done.stderr}"
        lines = [line.strip() for line in done.stdout.splitlines()]
        missing = [promise for promise in PRINTED.findall(code) if promise.strip() not in lines]
        return "".join(f"the comment promises the line {promise!r}; printed was {lines}\n" for promise in missing)

    def shell(self, code: str, only_look: bool) -> str:
        """What is wrong with commands, or an empty text."""
        if only_look:
            words = [word for word in WORD.findall(code) if not word.startswith("#")]
            wrong = [word for word in words if shutil.which(word) is None and not (self.source / word).is_file()]
            return "".join(f"there is no program {word}\n" for word in wrong)
        code = code.replace("/path/to/venv/bin/python", self.python)
        for long, short in SHORTER.items():
            code = re.sub(rf"^{long.strip()}\b", short, code, flags=re.MULTILINE)
        where = self.folder / "where"
        script = f"set -euo pipefail\ncd {self.shell_folder}\n{code}\npwd > {where}\n"
        done = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, timeout=200, check=False, env=self.environment
        )
        if done.returncode != 0:
            return f"ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        self.shell_folder = Path(where.read_text(encoding="utf-8").strip())
        return ""


def main() -> int:
    build, source, python = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3]
    installed = Installed(build)
    environment = installed.environment(python)
    flags = installed.flags(environment)
    number = failed = 0
    for path in map(Path, sys.argv[4:]):
        page = Page(source, path, python, environment, flags)
        for language, more, code in BLOCK.findall(page.text):
            if language == "sh":
                only_look = "not-run" in more
                wrong = page.shell(code, only_look)
            elif language == "python":
                only_look = False
                modes = EACH_MODE.get(path.name, ("",))
                wrong = "".join(page.script(code, mode) for mode in modes)
            elif "main(" in code:
                only_look = False
                wrong = page.program(language, code)
            else:
                continue
            number += 1
            failed += bool(wrong)
            verdict = "not ok" if wrong else "ok"
            print(f"{verdict} {number} {path.name}: block {number} in {language}{', looked at' if only_look else ''}")
            for line in wrong.splitlines():
                print(f"# {line}")
        page.close()
    installed.close()
    print(f"1..{number}")
    return 1 if failed or number == 0 else 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
