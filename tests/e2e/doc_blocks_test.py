"""Compile and run the C and C++ blocks of the documentation that are whole programs. Prints TAP.

A block is a program if it has a main. Comments behind output statements are checked: a line `... // text` that prints
promises that the output has that text as a line.

usage: doc_blocks_test.py BUILD SOURCE FILE...
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

BLOCK = re.compile(r"^```(cpp|c)\b[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMISE = re.compile(r"(?:cout|printf).*;\s+// (.+)$", re.MULTILINE)


def run(build: Path, source: Path, language: str, code: str, folder: Path) -> str:
    """What is wrong with the block, or an empty text."""
    program = folder / "program"
    text = folder / f"program.{'cc' if language == 'cpp' else 'c'}"
    text.write_text(code)
    compiler = ["c++", "-std=c++17"] if language == "cpp" else ["cc", "-std=c11"]
    command = [
        *compiler, "-Wall", "-Wextra", "-Werror", f"-I{source}/abi/include", f"-I{source}/host/include", str(text), "-o",
        str(program), f"-L{build}/host", "-lclutch", f"-Wl,-rpath,{build}/host",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return done.stderr
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        return f"ended with {done.returncode}: {done.stderr}"
    lines = [line.strip() for line in done.stdout.splitlines()]
    missing = [promise for promise in PROMISE.findall(code) if promise.strip() not in lines]
    return "".join(f"the comment promises the line {promise!r}; printed was {lines}\n" for promise in missing)


def main() -> int:
    build, source = Path(sys.argv[1]), Path(sys.argv[2])
    number = failed = 0
    for path in map(Path, sys.argv[3:]):
        for language, code in BLOCK.findall(path.read_text(encoding="utf-8")):
            if "main(" not in code:
                continue
            number += 1
            with tempfile.TemporaryDirectory() as folder:
                wrong = run(build, source, language, code, Path(folder))
            failed += bool(wrong)
            print(f"{'not ok' if wrong else 'ok'} {number} {path.name}: program {number} in {language}")
            for line in wrong.splitlines():
                print(f"# {line}")
    print(f"1..{number}")
    return 1 if failed or number == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
