"""Check that every function pointer of the plugin contract states its call tags, in one line and in legal words.

Usage: call_tags.py INCLUDE_FOLDER. The legal words are those that clutch/abi/base.h explains.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Dict, List, Set

from headers import KINDS_OF_TAGS, TAG, Declaration, Headers


def legal_words(base: str) -> Dict[str, Set[str]]:
    """Read the words that base.h defines for each kind of tag."""
    words: Dict[str, Set[str]] = {kind: set() for kind in KINDS_OF_TAGS}
    for kind, word in TAG.findall(base):
        if kind in words and word != "WORDS":
            words[kind].add(word)
    states = re.search(r"\[state: WORDS\](.*?)\[blocks:", base, re.DOTALL)
    if states:
        listed = re.sub(r"\([^)]*\)", "", states[1].replace("*", " ").split("exist:")[-1])
        words["state"] = {word.strip(" .\n") for word in listed.split(",")}
    missing = [kind for kind, found in words.items() if not found]
    if missing:
        raise ValueError(f"base.h defines no words for {', '.join(missing)}")
    return words


def problems_of(function: Declaration, legal: Dict[str, Set[str]]) -> List[str]:
    """Return what is wrong with the tags of one function pointer."""
    lines = [line for line in function.comment.splitlines() if any(kind in legal for kind, _ in TAG.findall(line))]
    if len(lines) != 1:
        return [f"{function.place}: has {len(lines)} lines of call tags, must have one"]
    kinds = [kind for kind, _ in function.tags]
    if kinds != list(KINDS_OF_TAGS):
        return [f"{function.place}: has the tags {', '.join(kinds)}, must have {', '.join(KINDS_OF_TAGS)} in this order"]
    problems = []
    for kind, word in function.tags:
        if word not in legal[kind]:
            choices = ", ".join(sorted(legal[kind]))
            problems.append(f"{function.place}: [{kind}: {word}] is none of the words of base.h: {choices}")
    if ("fails", "status") in function.tags and not function.type.startswith(("int32_t", "typedef int32_t")):
        problems.append(f"{function.place}: [fails: status] needs the result int32_t, not '{function.type}'")
    return problems


def check(root: Path) -> List[str]:
    """Return every problem of the headers below root."""
    headers = Headers(root)
    legal = legal_words((root / "clutch" / "abi" / "base.h").read_text(encoding="utf-8"))
    return [problem for function in headers.functions for problem in problems_of(function, legal)]


def main(arguments: List[str]) -> int:
    """Print the problems; 1 if there are any."""
    root = Path(arguments[0])
    problems = check(root)
    print("\n".join(problems) or f"{len(Headers(root).functions)} function pointers have their tags")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
