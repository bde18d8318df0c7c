"""Run the cases in every Python from 3.8 on that this machine has with a shared libpython, one process each.

Usage: each_python.py LAUNCHER CASES PYTHON [gtest options]
"""

import glob
import os
import subprocess
import sys

PROBE = (
    "import sys, sysconfig as s; print(sys.version_info[0] * 100 + sys.version_info[1], sys.base_prefix,"
    " s.get_config_var('LIBDIR'), s.get_config_var('INSTSONAME'), sep='|')"
)


def libpython(python):
    """(version, path of libpython) of an interpreter, or None where it cannot serve."""
    try:
        answer = subprocess.run([python, "-I", "-c", PROBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
        version, prefix, folder, name = answer.stdout.decode().strip().split("|")
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    if int(version) < 308 or ".so" not in name:
        return None
    for place in (os.path.join(folder, name), os.path.join(prefix, "lib", name), name):
        if os.path.exists(place) or place == name:
            return int(version), place
    return None


def main():
    launcher, cases, named, options = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    pythons = [named] + sorted(glob.glob(os.path.join(root, "versions", "*", "bin", "python3")))
    failed, ran = [], 0
    for python in pythons:
        found = libpython(python)
        if found is None:
            continue
        ran += 1
        environment = dict(os.environ, CLUTCH_TEST_LIBPYTHON=found[1], CLUTCH_TEST_PYTHON=python)
        environment.pop("PYTHONHOME", None)
        print("== %s: %s" % (python, found[1]), flush=True)
        if subprocess.run([launcher, cases] + options, env=environment).returncode != 0:
            failed.append(python)
    if ran == 0:
        print("no Python from 3.8 on with a shared libpython: install libpython3-dev")
        return 77
    if failed:
        print("failed in: " + ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
