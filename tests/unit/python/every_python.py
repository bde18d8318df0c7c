"""Run the Python package's tests with one interpreter, or list the interpreters there are.

    every_python.py list                      # a version and an executable in turn, one a line
    every_python.py run /path/to/python3      # all *_test.py beside this file

The list has this script's own interpreter first, then those of pyenv that Clutch serves.
"""

from __future__ import annotations

import glob
import os
import subprocess
import sys
from typing import Dict, List

MINIMUM = (3, 8)
HERE = os.path.dirname(os.path.abspath(__file__))


def interpreters() -> Dict[str, str]:
    """An executable for each minor version from 3.8 on."""
    root = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    found: Dict[str, str] = {}
    for path in [sys.executable, *sorted(glob.glob(os.path.join(root, "versions", "*", "bin", "python3")))]:
        command = [path, "-I", "-c", "import sys; print('%d %d' % sys.version_info[:2])"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        words = answer.stdout.split()
        if answer.returncode == 0 and len(words) == 2 and (int(words[0]), int(words[1])) >= MINIMUM:
            found.setdefault("%s.%s" % tuple(words), path)
    return found


def main(arguments: List[str]) -> int:
    """Do what the command line says; the tests' exit code, or 2 for a wrong command line."""
    if arguments == ["list"]:
        for version, path in interpreters().items():
            print(version, path, sep="\n")
        return 0
    if len(arguments) == 2 and arguments[0] == "run":
        # Compiled files beside the sources would make the next run import what was deleted, so none are written.
        command = [arguments[1], "-B", "-m", "unittest", "discover", "-s", HERE, "-p", "*_test.py"]
        return subprocess.run(command, check=False).returncode
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
