"""Check who includes whom, what may not be used where, and how long files are.

Usage: include_rules.py REPOSITORY. The rules are those of ARCHITECTURE.md; ROOMS is their only other copy.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path
from typing import Dict, FrozenSet, List, Optional, Tuple

SOURCES = (".h", ".hpp", ".c", ".cc", ".in")
CODE = (".h", ".hpp", ".c", ".cc", ".py", ".toml", ".capnp", ".build")
GENERATED = ("golden", "seeds", ".git")
MAX_LINES = 800
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)

# Third parties by how their headers begin. What is not here is a header of C, C++ or the system.
THIRD_PARTIES = {
    "python": ("Python.h", "structmember.h", "frameobject.h", "datetime.h"),
    "libuv": ("uv.h", "uv/"),
    "capnp": ("capnp/", "kj/"),
    "boost": ("boost/",),
    "spdlog": ("spdlog/", "fmt/"),
    "toml": ("toml++/",),
    "json": ("nlohmann/",),
    "cli": ("CLI/",),
    "gtest": ("gtest/", "gmock/"),
    "benchmark": ("benchmark/",),
}

# Where an include path may be resolved, beside the folder of the file that includes.
ROOTS = (".", "abi/include", "columnar/include", "host/include", "host/src", "engine", "pyembed/include", "pyembed/src",
         "pyproc", "plugins", "tools", "tests", "tests/unit", "tests/unit/engine", "examples", "bench")


@dataclasses.dataclass(frozen=True)
class Room:
    """What files below a folder may include: headers of other rooms, and third parties."""

    folder: str
    rooms: Tuple[str, ...] = ()
    third_parties: Tuple[str, ...] = ()
    forbidden: Tuple[Tuple[str, str], ...] = ()  # (expression, why)


HOST_PUBLIC = "host/include"
NO_THREADS = ((r"\bstd::(jthread|thread|async)\b(?!::)|\bpthread_create\b", "no thread is created in host"),)

# The longest folder that a file is below decides. A header belongs to the longest folder it is below, too.
ROOMS = (
    Room("abi"),
    Room("columnar", ("abi",)),
    Room("host", ("abi", "columnar", HOST_PUBLIC), ("boost", "spdlog", "toml", "json"), NO_THREADS),
    Room(HOST_PUBLIC, ("abi", "columnar"), (), NO_THREADS),
    Room("rows", ("abi", "columnar"), ("json",)),
    Room("engine", ("abi", "columnar", "rows", HOST_PUBLIC), ("json",)),
    Room("pyembed", ("abi", "columnar", "pyembed/include", "pyembed/src/convert"), ("python",)),
    Room("pyembed/src/convert", ("abi", "columnar", "pyembed"), ("python",)),
    Room("pyembed/include", ("abi",)),
    Room("pyembed/bench", ("abi", "columnar", "pyembed/include")),
    Room("pyproc", ("abi", "columnar"), ("libuv", "capnp")),
    Room("pyproc/worker", ("abi", "columnar", "pyproc", "pyembed/include"), ("capnp",)),
    Room("plugins/interpreter", ("abi", "columnar")),
    Room("plugins/template", ("abi",)),
    Room("plugins/thread", ("abi", "columnar", "plugins/interpreter", "pyembed/include")),
    Room("plugins/process", ("abi", "columnar", "plugins/interpreter", "pyproc")),
    # The extension module converts with the runtime's own code, and runs jobs.
    Room("python", ("abi", "columnar", HOST_PUBLIC, "engine", "pyembed/src/convert"), ("python",)),
    Room("tools", ("abi", "columnar", "rows", HOST_PUBLIC), ("cli", "json", "toml")),
    Room("examples", ("columnar", HOST_PUBLIC)),
    Room("bench", ("abi", "columnar", HOST_PUBLIC, "rows"), ("benchmark", "json")),
    Room("tests", ("abi", "columnar", "rows", HOST_PUBLIC, "tools"), ("gtest", "json", "toml")),
    # A fuzzer reaches what reads bytes from outside, in whichever room it is.
    Room("tests/fuzz", ("abi", "columnar", "host", HOST_PUBLIC, "pyproc"), ("toml", "capnp")),
    # A unit test reaches into its own room and what that may include.
    Room("tests/unit/columnar", ("abi", "columnar"), ("gtest",)),
    Room("tests/unit/host", ("abi", "columnar", "host", HOST_PUBLIC), ("gtest", "boost", "spdlog", "toml", "json")),
    Room("tests/unit/engine", ("abi", "columnar", "rows", "engine", HOST_PUBLIC), ("gtest", "json")),
    Room("tests/unit/pyembed", ("abi", "columnar", "pyembed", "pyembed/src/convert", "pyembed/include"),
         ("gtest", "python")),
    Room("tests/unit/pyproc", ("abi", "columnar", "pyproc", "pyproc/worker", "pyembed/include"),
         ("gtest", "libuv", "capnp")),
    Room("tests/unit/plugins", ("abi", "columnar", "plugins/interpreter", "plugins/template", "plugins/thread",
                                "plugins/process", "pyembed/include"), ("gtest",)),
    Room("tests/unit/rows", ("abi", "columnar", "rows"), ("gtest", "json")),
)


def room_of(path: str) -> Optional[Room]:
    """Return the room with the longest folder that the path is below."""
    inside = [room for room in ROOMS if path.startswith(room.folder + "/")]
    return max(inside, key=lambda room: len(room.folder)) if inside else None


def third_party_of(include: str) -> Optional[str]:
    """Return the third party a header belongs to."""
    for name, prefixes in THIRD_PARTIES.items():
        if any(include == prefix or (prefix.endswith("/") and include.startswith(prefix)) for prefix in prefixes):
            return name
    return None


def uncommented(text: str) -> str:
    """Return C or C++ text with comments and strings blanked, lines kept."""
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
    return re.sub(pattern, lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.DOTALL)


def allowed(room: Room, owner: Optional[Room]) -> bool:
    """Tell if a file of one room may include a header of another."""
    return owner is not None and (owner.folder == room.folder or owner.folder in room.rooms)


class Repository:
    """The files of the tree, and what is wrong with them."""

    def __init__(self, root: Path) -> None:
        """List the files."""
        self.root = root
        self.files: FrozenSet[str] = frozenset(
            str(path.relative_to(root))
            for path in root.rglob("*")
            if path.is_file() and not is_generated(path.relative_to(root).parts)
        )

    def resolve(self, source: str, include: str) -> List[str]:
        """Return the files of the tree that an include line may mean; a name can stand in several rooms."""
        found = []
        for folder in [str(Path(source).parent), *ROOTS]:
            path = (self.root / folder / include).resolve()
            if path.is_relative_to(self.root):
                name = str(path.relative_to(self.root))
                if name in self.files or f"{name}.in" in self.files:
                    found.append(name)
        return found

    def problems_of_file(self, name: str) -> List[str]:
        """Return the broken rules of one source file."""
        room = room_of(name)
        if room is None:
            return [f"{name}: belongs to no room of tests/abi/include_rules.py"]
        text = (self.root / name).read_text(encoding="utf-8")
        problems = []
        for found in INCLUDE.finditer(text):
            place = f"{name}:{text.count(chr(10), 0, found.start()) + 1}"
            problem = self.problem_of_include(name, room, found[2])
            if problem:
                problems.append(f"{place}: {problem}")
        code = uncommented(text)
        for expression, why in room.forbidden:
            for use in re.finditer(expression, code):
                problems.append(f"{name}:{code.count(chr(10), 0, use.start()) + 1}: uses {use[0]}, but {why}")
        return problems

    def problem_of_include(self, source: str, room: Room, include: str) -> Optional[str]:
        """Return what is wrong with one include, or None."""
        party = third_party_of(include)
        if party:
            return None if party in room.third_parties else f"{room.folder} may not include <{include}> ({party})"
        owners = [room_of(target) for target in self.resolve(source, include)]
        if not owners or any(allowed(room, owner) for owner in owners):
            return None
        return f"{room.folder} may not include {include} (of {owners[0].folder if owners[0] else 'no room'})"

    def problems(self) -> List[str]:
        """Return all broken rules."""
        sources = sorted(name for name in self.files if name.endswith(SOURCES) and is_source(name))
        found = [problem for name in sources for problem in self.problems_of_file(name)]
        return found + [f"{name}: has {n} lines, more than {MAX_LINES}; split it" for n, name in self.longest() if
                        n > MAX_LINES]

    def longest(self) -> List[Tuple[int, str]]:
        """Return every file of code with its length, the longest first."""
        lengths: Dict[str, int] = {}
        for name in self.files:
            if name.endswith(CODE):
                lengths[name] = len((self.root / name).read_text(encoding="utf-8").splitlines())
        return sorted(((n, name) for name, n in lengths.items()), reverse=True)


def is_generated(parts: Tuple[str, ...]) -> bool:
    """Tell if a path lies in a folder that is not of the source tree; build folders are named build*."""
    return parts[0].startswith("build") or any(part in GENERATED for part in parts)


def is_source(name: str) -> bool:
    """Tell if a file is C or C++, also as a template."""
    return not name.endswith(".in") or name.endswith((".h.in", ".cc.in", ".c.in"))


def main(arguments: List[str]) -> int:
    """Print the problems and the ten longest files; 1 if there are problems."""
    repository = Repository(Path(arguments[0]).resolve())
    problems = repository.problems()
    print("\n".join(problems) or "every include is allowed")
    print("longest files:")
    for length, name in repository.longest()[:10]:
        print(f"  {length:5} {name}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
