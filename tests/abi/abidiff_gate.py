"""Compare binary interfaces with the ones that were released, by libabigail.

Usage: abidiff_gate.py contract INCLUDE_FOLDER GOLDEN [--compiler CC] [--update]
       abidiff_gate.py application INCLUDE_FOLDER CONTRACT_INCLUDE_FOLDER GOLDEN --library LIBRARY [--compiler CC] [--update]

`contract` compiles a witness, a library with an exported function that names every struct of the plugin contract:
extension tables are only reached through `const void *`, so no plugin's own symbols lead to them, and a plugin's private
types are nobody's business. `application` compiles a witness with a pointer to each function of clutch/clutch.h, since
the library's own debug information leads through its handles into all of its C++; and it checks that the library
exports exactly those functions.

abidiff cannot tell a harmless append from a reordering (both exit with 4), so every difference fails: look at it, see
what layout.py says, raise the level or write the change log, then run with --update. A missing tool or golden file is a
failure and never skipped.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List

import exports
from headers import COMMENT, Headers

DUMP = ["abidw", "--no-show-locs", "--no-corpus-path", "--no-comp-dir-path", "--no-elf-needed"]
# Why not --non-reachable-types: libabigail 2.2 crashes on it with a dump, and the witness makes every type reachable.
COMPARE = ["abidiff", "--no-show-locs"]


def build_witness(include: Path, compiler: str, library: Path) -> None:
    """Compile the library that names every struct and function type of the contract."""
    headers = Headers(include)
    names = [f"struct {struct.name} *" for struct in headers.structs] + [typedef.name for typedef in headers.typedefs]
    lines = ['#include "clutch/abi.h"']
    for number, name in enumerate(names):
        lines.append(f"void clutch_witness_{number}({name} value);")
        lines.append(f"void clutch_witness_{number}({name} value) {{ (void)value; }}")
    source = library.with_suffix(".c")
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [compiler, "-std=c11", "-g", "-O0", "-fPIC", "-shared", f"-I{include.resolve()}", source.name, "-o", library.name]
    subprocess.run(command, cwd=library.parent, check=True)


def declared_functions(include: Path) -> List[str]:
    """Return the names of all functions of clutch/clutch.h."""
    text = COMMENT.sub("", (include / "clutch" / "clutch.h").read_text(encoding="utf-8"))
    return re.findall(r"^CLUTCH_API[^;]*?(\w+)\s*\(", text, re.MULTILINE)


def build_application_witness(include: Path, contract: Path, compiler: str, library: Path) -> None:
    """Compile the library that points to every function an application calls."""
    lines = ["#include <clutch/clutch.h>"]
    lines += [f"void witness_of_{name}(__typeof__({name}) *value) {{ (void)value; }}" for name in declared_functions(include)]
    source = library.with_suffix(".c")
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    folders = [f"-I{include.resolve()}", f"-I{contract.resolve()}"]
    command = [compiler, "-std=gnu11", "-g", "-O0", "-fPIC", "-shared", *folders, source.name, "-o", library.name]
    subprocess.run(command, cwd=library.parent, check=True)


def run(command: List[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a tool of libabigail where the library is, so that no path of this machine gets into a dump."""
    if shutil.which(command[0]) is None:
        raise FileNotFoundError(f"{command[0]} is missing; install it (Debian: abigail-tools)")
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def gate(library: Path, golden: Path, update: bool) -> int:
    """Compare a library with a golden file; 1 if they differ."""
    if update:
        dump = run([*DUMP, "--out-file", str(golden.resolve()), library.name], library.parent)
        print(dump.stdout + dump.stderr, end="")
        if dump.returncode != 0:
            return 1
    if not golden.is_file():
        print(f"{golden} is missing; write it with --update and commit it")
        return 1
    done = run([*COMPARE, str(golden.resolve()), library.name], library.parent)
    if done.returncode == 0:
        print(f"{golden.name}: no difference")
        return 0
    print(f"{golden.name}: the binary interface differs (abidiff exit code {done.returncode})")
    print(done.stdout + done.stderr)
    return 1


def main(arguments: List[str]) -> int:
    """Run one of the gates."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    contract = commands.add_parser("contract")
    application = commands.add_parser("application")
    for command in (contract, application):
        command.add_argument("include", type=Path)
        if command is application:
            command.add_argument("contract", type=Path)
            command.add_argument("--library", required=True)
        command.add_argument("golden", type=Path)
        command.add_argument("--compiler", default="cc")
        command.add_argument("--update", action="store_true")
    options = parser.parse_args(arguments)

    try:
        with tempfile.TemporaryDirectory() as folder:
            witness = Path(folder) / "libwitness.so"
            if options.command == "application":
                problems = exports.check(exports.exported(options.library), declared_functions(options.include))
                if problems:
                    print("\n".join(f"{options.library}: {problem}" for problem in problems))
                    return 1
                build_application_witness(options.include, options.contract, options.compiler, witness)
            else:
                build_witness(options.include, options.compiler, witness)
            return gate(witness, options.golden, options.update)
    except FileNotFoundError as missing:
        print(missing)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
