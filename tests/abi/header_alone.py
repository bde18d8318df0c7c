"""Compile every public C header alone, as C and as C++.

Usage: header_alone.py REPOSITORY --family gcc|clang [--c COMPILER --cxx COMPILER]. The headers are found by looking, so a
new one is checked without being named anywhere. Exit code 77 (skipped) if the compiler is not installed.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List, NamedTuple, Optional

SKIPPED = 77
ROOTS = ("abi/include", "host/include", "pyembed/include", "plugins/template")
STANDARDS = ("c11", "c17", "c++17", "c++20")
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wundef", "-Werror")


class Case(NamedTuple):
    """One header compiled in one way."""

    root: Path
    header: Path
    compiler: str
    standard: str
    include_paths: List[str]


def headers(root: Path) -> List[Path]:
    """Return the public C headers below a folder; where not all are public, those that are also made for C++."""
    every = sorted(root.rglob("*.h"))
    return [path for path in every if root.name == "include" or 'extern "C"' in path.read_text(encoding="utf-8")]


def compile_alone(case: Case) -> Optional[str]:
    """Compile a file that includes nothing but the header; the compiler's words if it fails."""
    name = case.header.relative_to(case.root)
    language = "c++" if "++" in case.standard else "c"
    command = [case.compiler, f"-std={case.standard}", "-x", language, "-fsyntax-only", *WARNINGS, *case.include_paths]
    if case.root.parts[-2:] == ("abi", "include"):
        command.append("-Wpadded")
    # Twice, so that a missing guard shows; ISO C wants at least one declaration.
    source = f'#include "{name}"\n#include "{name}"\nextern int declaration;\n'
    done = subprocess.run([*command, "-"], input=source, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"{name} as {case.standard} by {case.compiler}:\n{done.stderr}"


def cases_of(repository: Path, c_compiler: str, cxx_compiler: str) -> List[Case]:
    """Return every header with every standard."""
    roots = [repository / root for root in ROOTS if (repository / root).is_dir()]
    include_paths = [f"-I{root}" for root in roots]
    return [
        Case(root, header, cxx_compiler if "++" in standard else c_compiler, standard, include_paths)
        for root in roots
        for header in headers(root)
        for standard in STANDARDS
    ]


def find(names: List[str]) -> Optional[str]:
    """Return the first of these programs that is installed."""
    return next((name for name in names if shutil.which(name)), None)


def main(arguments: List[str]) -> int:
    """Compile all; 1 if one fails."""
    parser = argparse.ArgumentParser()
    parser.add_argument("repository", type=Path)
    parser.add_argument("--family", choices=("gcc", "clang"), default="gcc")
    options = parser.parse_args(arguments)

    versions = [f"clang-{version}" for version in range(21, 13, -1)]
    c_compiler = find(["gcc"] if options.family == "gcc" else ["clang", *versions])
    cxx_compiler = find(["g++"] if options.family == "gcc" else ["clang++", *(v.replace("g-", "g++-") for v in versions)])
    if c_compiler is None or cxx_compiler is None:
        print(f"{options.family} is not installed")
        return SKIPPED
    cases = cases_of(options.repository, c_compiler, cxx_compiler)
    if not cases:
        print(f"there are no headers below {options.repository}")
        return 1
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        failures = [failure for failure in pool.map(compile_alone, cases) if failure]
    print("\n".join(failures) or f"{len(cases)} compilations, {len(cases) // len(STANDARDS)} headers")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
