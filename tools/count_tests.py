"""Add up the results of one or several `meson test` runs, case by case, into one closing line.

Meson writes one JSON object a test program into testlog.json, and the cases of GoogleTest programs into
testlog.junit.xml. A program without cases counts as one; a program that ended badly counts at least one failure,
whatever its cases say.
"""

from __future__ import annotations

import argparse
import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple


class Count(NamedTuple):
    passed: int
    failed: int
    skipped: int


def cases_by_program(junit: Path) -> dict[str, Count]:
    """Cases of each test program, by its name as Meson prints it."""
    counts: dict[str, Count] = {}
    for suite in ElementTree.parse(junit).getroot().iter("testsuite"):
        cases = list(suite.iter("testcase"))
        failed = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
        skipped = sum(case.find("skipped") is not None or case.get("result") == "skipped" for case in cases)
        name = suite.get("name", "")
        old = counts.get(name, Count(0, 0, 0))
        counts[name] = Count(
            old.passed + len(cases) - failed - skipped, old.failed + failed, old.skipped + skipped
        )
    return counts


def count(logs: Path) -> Count:
    """Results of one run; `logs` is the meson-logs folder of its build directory."""
    junit = logs / "testlog.junit.xml"
    cases = cases_by_program(junit) if junit.exists() else {}
    passed = failed = skipped = 0
    for line in (logs / "testlog.json").read_text(encoding="utf-8").splitlines():
        program = json.loads(line)
        name = program["name"]
        found = next((value for key, value in cases.items() if key.endswith(name.split(" / ")[-1])), None)
        result = program["result"]
        if result in ("OK", "EXPECTEDFAIL"):
            passed += found.passed if found and sum(found) else 1
            skipped += found.skipped if found else 0
        elif result == "SKIP":
            skipped += 1
        else:
            passed += found.passed if found else 0
            failed += max(1, found.failed if found else 0)
    return Count(passed, failed, skipped)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--status", type=int, default=0, help="exit status of meson test")
    parser.add_argument("logs", nargs="+", type=Path, help="meson-logs folders")
    arguments = parser.parse_args()
    counts = [count(folder) for folder in arguments.logs]
    passed, failed, skipped = (sum(column) for column in zip(*counts))
    if arguments.status != 0 and failed == 0:
        failed = 1  # Meson itself failed, for example to build.
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
