"""Print what the tests need to know about an interpreter: path, shared libpython, version; nothing if it has none."""

import glob
import os
import subprocess
import sys

ASK = """
import os, sys, sysconfig
library = sysconfig.get_config_var("INSTSONAME") or ""
folder = sysconfig.get_config_var("LIBDIR") or ""
path = os.path.join(folder, library)
if sys.version_info >= (3, 8) and ".so" in library and os.path.exists(path):
    print("%s|%s|%d.%d.%d" % ((sys.executable, path) + tuple(sys.version_info[:3])))
"""


def candidates(configured):
    yield configured
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    for path in sorted(glob.glob(os.path.join(root, "versions", "*", "bin", "python3"))):
        yield path


def main():
    for path in candidates(sys.argv[1]):
        try:
            answer = subprocess.run([path, "-I", "-c", ASK], stdout=subprocess.PIPE, timeout=20, check=True)
        except (OSError, subprocess.SubprocessError):
            continue
        print(answer.stdout.decode().strip(), end="\n" if answer.stdout.strip() else "")


main()
