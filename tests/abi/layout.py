"""Compare the layout of the plugin contract with the one that was released.

Usage: layout.py INCLUDE_FOLDER GOLDEN [--compiler CC] [--update]

A golden file has a line for each member (struct, member, offset, size, type; call tags of a function pointer), each
function typedef and each constant. What
stands there must still be true: a growing struct (its first member is struct_size) may have members after them, a frozen
one may not; a constant may not change. --update writes the file anew, for a release of new members.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List, Tuple

from headers import Headers, Struct

# Their size is a matter of the compiler or the platform.
LOOSE_TYPE = re.compile(r"\b(enum|bool|_Bool|short|int|long|unsigned|size_t|ssize_t|time_t|off_t|wchar_t|va_list)\b")

Member = Tuple[str, int, int, str]  # name, offset, size, type
Layout = Dict[str, Tuple[int, List[Member]]]  # struct: size, members


def measure(headers: Headers, compiler: str) -> Layout:
    """Compile and run a program that prints offsets and sizes."""
    lines = ["#include <stdio.h>", '#include "clutch/abi.h"', "int main(void) {"]
    for struct in headers.structs:
        lines.append(f'  printf("{struct.name} %zu\\n", sizeof(struct {struct.name}));')
        for member in struct.members:
            where = f"struct {struct.name}, {member.name}"
            size = f"sizeof(((struct {struct.name} *)0)->{member.name})"
            lines.append(f'  printf("{struct.name}.{member.name} %zu %zu\\n", offsetof({where}), {size});')
    lines.append("  return 0;\n}\n")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "layout.c"
        source.write_text("\n".join(lines), encoding="utf-8")
        program = Path(folder) / "layout"
        command = [compiler, "-std=c11", f"-I{headers.root}", str(source), "-o", str(program)]
        subprocess.run(command, check=True)
        output = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout

    numbers = {line.split()[0]: [int(number) for number in line.split()[1:]] for line in output.splitlines()}
    layout: Layout = {}
    for struct in headers.structs:
        members = [(m.name, *numbers[f"{struct.name}.{m.name}"], m.contract) for m in struct.members]
        layout[struct.name] = (numbers[struct.name][0], members)
    return layout


def write(layout: Layout, constants: Dict[str, str]) -> str:
    """Return the text of a golden file."""
    lines = ["# The plugin contract of level 1, written by tests/abi/layout.py --update. Not to be edited."]
    for name, (size, members) in sorted(layout.items()):
        lines.append(f"struct {name} {size}")
        lines.extend(f"member {name} {member} {offset} {width} {kind}" for member, offset, width, kind in members)
    lines.extend(f"name {name} {value}" for name, value in sorted(constants.items()))
    return "\n".join(lines) + "\n"


def read(text: str) -> Tuple[Layout, Dict[str, str]]:
    """Parse a golden file."""
    layout: Layout = {}
    constants: Dict[str, str] = {}
    for line in text.splitlines():
        words = line.split(" ")
        if words[0] == "struct":
            layout[words[1]] = (int(words[2]), [])
        elif words[0] == "member":
            layout[words[1]][1].append((words[2], int(words[3]), int(words[4]), " ".join(words[5:])))
        elif words[0] == "name":
            constants[words[1]] = " ".join(words[2:])
    return layout, constants


def compare(golden: Layout, current: Layout) -> List[str]:
    """Return what was promised and is no longer so."""
    problems = []
    for name, (size, promised) in golden.items():
        if name not in current:
            problems.append(f"struct {name} is gone")
            continue
        new_size, members = current[name]
        for old, new in zip(promised, members):
            if old != new:
                problems.append(f"struct {name}: member was {describe(old)}, is {describe(new)}")
        for old in promised[len(members) :]:
            problems.append(f"struct {name}: member {old[0]} is gone")
        growing = promised[0][0] == "struct_size"
        if not growing and (new_size != size or len(members) > len(promised)):
            problems.append(f"struct {name} is frozen (it has no struct_size) and was {size} bytes, is {new_size}")
    return problems


def describe(member: Member) -> str:
    """Return a member as a message shows it."""
    return f"{member[0]} at {member[1]}, {member[2]} bytes, '{member[3]}'"


def check_form(headers: Headers, layout: Layout) -> List[str]:
    """Return structs that cannot grow safely."""
    problems = []
    for struct in headers.structs:
        size, members = layout[struct.name]
        if struct.growing and members[0][1:] != (0, 4, "uint32_t"):
            problems.append(f"struct {struct.name}: struct_size must be a uint32_t at offset 0")
        if size % 8 != 0:
            problems.append(f"struct {struct.name} has {size} bytes; pad it to a multiple of 8, so that appending shows")
        problems.extend(hidden_padding(struct, members, size))
        for name, _, _, kind in members:
            loose = LOOSE_TYPE.search(kind)
            if loose:
                problems.append(f"struct {struct.name}: {name} uses {loose[0]}; use a type of fixed width")
    return problems


def hidden_padding(struct: Struct, members: List[Member], size: int) -> List[str]:
    """Return gaps between members."""
    problems = []
    end = 0
    for name, offset, width, _ in members:
        if offset != end:
            problems.append(f"struct {struct.name}: {offset - end} hidden bytes before {name}; name them reserved")
        end = offset + width
    if end != size:
        problems.append(f"struct {struct.name}: {size - end} hidden bytes at the end; name them reserved")
    return problems


def main(arguments: List[str]) -> int:
    """Compare, or update."""
    parser = argparse.ArgumentParser()
    parser.add_argument("include", type=Path)
    parser.add_argument("golden", type=Path)
    parser.add_argument("--compiler", default="cc")
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args(arguments)

    headers = Headers(options.include)
    layout = measure(headers, options.compiler)
    named = {**headers.constants, **{typedef.name: typedef.contract for typedef in headers.typedefs}}
    if options.update:
        options.golden.write_text(write(layout, named), encoding="utf-8")
    golden, constants = read(options.golden.read_text(encoding="utf-8"))
    problems = check_form(headers, layout) + compare(golden, layout)
    for name, value in constants.items():
        if named.get(name) != value:
            problems.append(f"{name} was {value}, is {named.get(name, 'gone')}")
    fresh = [name for name in layout if name not in golden]
    print("\n".join(problems) or f"{len(golden)} structs and {len(constants)} names are as promised")
    if fresh:
        print(f"not promised yet: {', '.join(fresh)}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
