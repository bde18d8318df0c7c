"""Run the conformance table against several plugins, and compare what they gave, case by case. Prints TAP.

usage: run.py CLUTCH CASES [--native-library FILE] [-D KEY=VALUE]... MODE[+store][=KEY=VALUE,...]...

With "+store" the cases with keys run once more, with state and timers in a store of the application.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import Any, NamedTuple


class Mode(NamedTuple):
    name: str
    own_store: bool
    defines: list[str]

    @classmethod
    def parse(cls, text: str) -> Mode:
        name, _, defines = text.partition("=")
        plugin, _, extra = name.partition("+")
        if extra not in ("", "store"):
            raise argparse.ArgumentTypeError(f"{text}: there is no +{extra}, but +store")
        return cls(plugin, bool(extra), defines.split(",") if defines else [])

    def __str__(self) -> str:
        name = self.name + ("+store" if self.own_store else "")
        return name + (f" ({', '.join(self.defines)})" if self.defines else "")


def run(arguments: argparse.Namespace, mode: Mode) -> list[dict[str, Any]]:
    """Results of all cases in one mode."""
    command = [arguments.clutch, "conform", mode.name, "--cases", arguments.cases, "--json"]
    if arguments.native_library:
        command += ["--native-library", arguments.native_library]
    if mode.own_store:
        command.append("--own-store")
    for define in [*arguments.define, *mode.defines]:
        command += ["-D", define]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if not done.stdout:
        sys.exit(f"Bail out! {' '.join(command)} printed nothing and ended with {done.returncode}")
    return json.loads(done.stdout)["cases"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clutch")
    parser.add_argument("cases")
    parser.add_argument("--native-library")
    parser.add_argument("-D", "--define", action="append", default=[])
    parser.add_argument("modes", nargs="+", type=Mode.parse)
    arguments = parser.parse_args()

    number = 0
    failed = 0

    def tell(passed: bool, name: str, skip: str = "", reason: str = "") -> None:
        nonlocal number, failed
        number += 1
        failed += not passed
        print(f"{'ok' if passed else 'not ok'} {number} {name.replace('#', '')}{' # SKIP ' + skip if skip else ''}")
        for line in reason.splitlines():
            print(f"# {line}")

    digests: dict[str, dict[str, str]] = {}
    for mode in arguments.modes:
        for case in run(arguments, mode):
            outcome = case["outcome"]
            skip = case["reason"] if outcome == "skip" else ""
            reason = "" if outcome in ("pass", "skip") else f"{outcome}: {case['reason']}"
            tell(outcome in ("pass", "skip"), f"{mode}: {case['name']}", skip, reason)
            if outcome == "pass":
                digests.setdefault(case["name"], {})[str(mode)] = case["digest"]
    for name, by_mode in digests.items():
        if len(by_mode) > 1:
            tell(len(set(by_mode.values())) == 1, f"same in {', '.join(by_mode)}: {name}", reason="")
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
