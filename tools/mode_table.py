#!/usr/bin/env python3
"""Write the table of kinds and modes into README.md, as the capability registry has it.

usage: mode_table.py [--check] CLUTCH README

It replaces the lines between the two comments named `modes`. With --check nothing is written, and the exit code is 1 if
the page is stale. CLUTCH is the built command, with CLUTCH_PLUGIN_PATH set to the plugins (`meson devenv` does both).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

MODES = ("thread", "process")
BEGIN, END = "<!-- modes: written by tools/mode_table.py -->\n", "<!-- end of modes -->\n"


def registry(clutch: str) -> dict[str, dict[str, dict]]:
    """For each kind that a Python mode serves, what the registry says of it by mode."""
    told = subprocess.run([clutch, "explain", "--json"], capture_output=True, text=True, check=True, timeout=60).stdout
    kinds: dict[str, dict[str, dict]] = {}
    for entry in json.loads(told):
        if entry["mode"] in MODES:
            kinds.setdefault(entry["kind"], {})[entry["mode"]] = entry
    return {kind: modes for kind, modes in sorted(kinds.items()) if any(entry["able"] for entry in modes.values())}


def answer(entry: dict | None) -> str:
    if entry is None or not entry["able"]:
        return "no"
    extras = {"chain": "chains", "fused": "fused calls"}
    return ", ".join(["yes", *(name for feature, name in extras.items() if feature in entry["features"])])


def render(clutch: str) -> str:
    lines = ["| kind | " + " | ".join(f"`{mode}`" for mode in MODES) + " |", "| --- |" + " --- |" * len(MODES)]
    for kind, modes in registry(clutch).items():
        lines.append(f"| `{kind}` | " + " | ".join(answer(modes.get(mode)) for mode in MODES) + " |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    check = arguments[:1] == ["--check"]
    if len(arguments) != 2 + check:
        print(__doc__, file=sys.stderr)
        return 2
    clutch, path = arguments[check], Path(arguments[check + 1])
    text = path.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        print(f"{path}: the lines {BEGIN.strip()} and {END.strip()} must stand in it once", file=sys.stderr)
        return 1
    table = render(clutch)
    wanted = re.sub(f"(?s){re.escape(BEGIN)}.*{re.escape(END)}", lambda _: BEGIN + "\n" + table + "\n" + END, text)
    if wanted == text:
        return 0
    if check:
        print(f"{path}: the table of kinds and modes is not what the registry says; run tools/mode_table.py. It has to "
              f"be\n{table}", file=sys.stderr)
        return 1
    path.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
