"""Compare binary interfaces with the ones that were released, by libabigail.

Usage: abidiff_gate.py contract INCLUDE_FOLDER GOLDEN [--compiler CC] [--update]
       abidiff_gate.py library LIBRARY GOLDEN [--update]

`contract` compiles a witness, a library with an exported function that names every struct of the plugin contract:
extension tables are only reached through `const void *`, so no plugin's own symbols lead to them, and a plugin's private
types are nobody's business. `library` compares the exported functions of a library and the types they lead to.

abidiff cannot tell a harmless append from a reordering (both exit with 4), so every difference fails: look at it, see
what layout.py says, raise the level or write the change log, then run with --update. A missing tool or golden file is a
failure and never skipped.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List

from headers import Headers

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
    library = commands.add_parser("library")
    library.add_argument("library", type=Path)
    contract.add_argument("include", type=Path)
    contract.add_argument("--compiler", default="cc")
    for command in (contract, library):
        command.add_argument("golden", type=Path)
        command.add_argument("--update", action="store_true")
    options = parser.parse_args(arguments)

    try:
        if options.command == "library":
            return gate(options.library.resolve(), options.golden, options.update)
        with tempfile.TemporaryDirectory() as folder:
            witness = Path(folder) / "libwitness.so"
            build_witness(options.include, options.compiler, witness)
            return gate(witness, options.golden, options.update)
    except FileNotFoundError as missing:
        print(missing)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
