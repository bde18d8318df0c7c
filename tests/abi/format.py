"""Check that the C and C++ sources are as clang-format writes them.

    format.py ROOT

Exit code 77, which Meson counts as skipped, where clang-format-14 is missing: other versions write other text.
"""

import pathlib
import shutil
import subprocess
import sys
from typing import List

ROOMS = ("abi", "columnar", "host", "pyembed", "pyproc", "plugins", "tools", "examples", "tests", "engine", "python")
ENDINGS = (".c", ".h", ".cc", ".hpp")


def sources(root: pathlib.Path) -> List[str]:
    """Return the sources of all rooms, sorted."""
    return sorted(str(path) for room in ROOMS for path in (root / room).rglob("*") if path.suffix in ENDINGS)


def main(root: pathlib.Path) -> int:
    """Print what is out of form and how to mend it."""
    tool = shutil.which("clang-format-14")
    if tool is None:
        print("clang-format-14 is not installed")
        return 77
    files = sources(root)
    assert files, f"no sources under {root}"
    result = subprocess.run([tool, "--dry-run", "-Werror", *files], capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return 0
    print(result.stderr)
    bad = sorted({line.split(":", 1)[0] for line in result.stderr.splitlines() if ": error:" in line})
    print("mend with: clang-format-14 -i", *bad)
    return 1


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
