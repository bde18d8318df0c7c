"""Run a test program once for every interpreter of this machine that Clutch serves.

The program finds the interpreter in CLUTCH_TEST_PYTHON, and one of another version in CLUTCH_TEST_OTHER_PYTHON (empty if
there is only one). Interpreters are this script's own and those of pyenv.
"""

import glob
import os
import subprocess
import sys
from typing import Dict, List

MINIMUM = (3, 8)
FACTS = "import sys, sysconfig; print('%d %d' % sys.version_info[:2], sysconfig.get_config_var('Py_ENABLE_SHARED') or 0)"


def interpreters() -> Dict[str, str]:
    """Return an executable for each minor version that has a shared libpython, this script's own first."""
    root = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    found: Dict[str, str] = {}
    for path in [sys.executable, *sorted(glob.glob(os.path.join(root, "versions", "*", "bin", "python3")))]:
        answer = subprocess.run([path, "-I", "-c", FACTS], capture_output=True, text=True, check=False)
        words = answer.stdout.split()
        if answer.returncode != 0 or len(words) != 3 or (int(words[0]), int(words[1])) < MINIMUM:
            continue
        if path == sys.executable or words[2] == "1":
            found.setdefault(f"{words[0]}.{words[1]}", path)
    return found


def main(command: List[str]) -> int:
    """Run the command for each interpreter and tell which failed."""
    found = interpreters()
    failed = []
    for version, path in found.items():
        others = [other for name, other in found.items() if name != version]
        environment = dict(os.environ, CLUTCH_TEST_PYTHON=path, CLUTCH_TEST_OTHER_PYTHON=others[-1] if others else "")
        print(f"--- Python {version}: {path}", flush=True)
        if subprocess.run(command, env=environment, check=False).returncode != 0:
            failed.append(version)
    print(f"{len(found) - len(failed)} of {len(found)} interpreters passed" + (f"; failed: {failed}" if failed else ""))
    return 1 if failed or not found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
