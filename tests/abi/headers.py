"""Parse the C headers of the plugin contract: structs with members, function pointers with their tags, constants.

The headers are written in a small, regular C, so a few expressions read them; what they cannot read is an error.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

# Fixed by the Arrow specification, not by us.
FOREIGN = {"arrow.h"}

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
STRUCT = re.compile(r"^(?:typedef\s+)?struct\s+(\w+)\s*\{(.*?)^\}\s*\w*;", re.DOTALL | re.MULTILINE)
POINTER = re.compile(r"^(?P<result>.*?)\(\s*\*\s*(?P<name>\w+)\s*\)\s*\((?P<parameters>.*)\)$", re.DOTALL)
MEMBER = re.compile(r"^(?P<type>[\w\s*]*[\s*])(?P<name>[A-Za-z_]\w*)$")
TYPEDEF = re.compile(r"^typedef\s+([^;{]*?\(\s*\*\s*(\w+)\s*\)\s*\([^;]*?\))\s*;", re.DOTALL | re.MULTILINE)
CONSTANT = re.compile(r"^#define\s+(CLUTCH_\w+)[ \t]+(.+?)\s*$", re.MULTILINE)
TAG = re.compile(r"\[(\w+):\s*([^\]]+)\]")
KINDS_OF_TAGS = ("thread", "state", "blocks", "fails")


@dataclasses.dataclass
class Declaration:
    """A member of a struct, or a typedef of a function pointer, with the comment above it."""

    header: str
    line: int
    owner: str
    name: str
    type: str
    comment: str
    is_function: bool

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.header}:{self.line}: {self.owner}{'.' if self.owner else ''}{self.name}"

    @property
    def contract(self) -> str:
        """The type, and for a function pointer the words of its tags."""
        words = " ".join(words for _, words in self.tags)
        return f"{self.type} {{{words}}}" if self.is_function else self.type

    @property
    def tags(self) -> List[Tuple[str, str]]:
        """All tags of the comment, in order."""
        return [(kind, words.strip()) for kind, words in TAG.findall(self.comment) if kind in KINDS_OF_TAGS]


@dataclasses.dataclass
class Struct:
    """A struct whose members are all in the header."""

    header: str
    name: str
    members: List[Declaration]

    @property
    def growing(self) -> bool:
        """Tell if it begins with struct_size, so that members may be appended."""
        return bool(self.members) and self.members[0].name == "struct_size"


def squeeze(text: str) -> str:
    """Return C text on one line, without comments and ownership words, with single blanks."""
    text = COMMENT.sub(" ", text)
    text = re.sub(r"\bCLUTCH_(BORROW|MOVE|OUT)\b", " ", text)
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"\s*([(),])\s*", r"\1", re.sub(r"\s*\*\s*", " *", text)).replace(",", ", ")


def statements(body: str) -> Iterator[Tuple[int, str, str]]:
    """Yield (offset, comment above, text) for each `...;` of a struct's body."""
    position = 0
    comment = ""
    while position < len(body):
        if body[position].isspace():
            position += 1
        elif body.startswith("/*", position):
            end = body.index("*/", position) + 2
            comment = body[position:end]
            position = end
        else:
            end = body.index(";", position)
            text = COMMENT.sub(" ", body[position:end])
            yield position, comment, text
            # A comment on the rest of the line belongs to what stands before it.
            newline = body.find("\n", end)
            rest = body[end + 1 : newline if newline >= 0 else len(body)]
            trailing = re.match(r"[ \t]*/\*", rest)
            position = body.index("*/", end + 1) + 2 if trailing else end + 1
            comment = ""


def parse_member(struct: str, header: str, line: int, comment: str, text: str) -> Declaration:
    """Parse one member of a struct."""
    pointer = POINTER.match(text.strip())
    if pointer:
        signature = squeeze(f"{pointer['result']} (*)({pointer['parameters']})")
        return Declaration(header, line, struct, pointer["name"], signature, comment, True)
    member = MEMBER.match(text.strip())
    if not member:
        raise ValueError(f"{header}:{line}: cannot read the member '{squeeze(text)}' of struct {struct}")
    return Declaration(header, line, struct, member["name"], squeeze(member["type"]), comment, False)


class Headers:
    """All headers below a folder."""

    def __init__(self, root: Path) -> None:
        """Read and parse them."""
        self.root = root
        self.files: List[Path] = sorted(root.rglob("*.h"))
        self.structs: List[Struct] = []
        self.typedefs: List[Declaration] = []
        self.constants: Dict[str, str] = {}
        for path in self.files:
            if path.name not in FOREIGN:
                self._read(path)
        if not self.structs:
            raise ValueError(f"there is no struct in the headers below {root}")

    def _read(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        header = str(path.relative_to(self.root))
        for found in STRUCT.finditer(text):
            members = []
            for offset, comment, statement in statements(found[2]):
                line = text.count("\n", 0, found.start(2) + offset) + 1
                members.append(parse_member(found[1], header, line, comment, statement))
            self.structs.append(Struct(header, found[1], members))
        for found in TYPEDEF.finditer(text):
            above = text[: found.start()].rstrip()
            comment = above[above.rindex("/*") :] if above.endswith("*/") else ""
            line = text.count("\n", 0, found.start()) + 1
            self.typedefs.append(Declaration(header, line, "", found[2], squeeze(found[1]), comment, True))
        for name, value in CONSTANT.findall(text):
            value = squeeze(value)
            if value and "__attribute__" not in value and "__declspec" not in value and not name.endswith("_H"):
                self.constants[name] = value

    @property
    def functions(self) -> List[Declaration]:
        """Every function pointer: members and typedefs."""
        members = [member for struct in self.structs for member in struct.members if member.is_function]
        return members + self.typedefs
