"""Processes and threads of this program, from /proc."""

from __future__ import annotations

import os
import random
import signal
import time
from typing import Callable, Dict, List, Optional


def _stat(pid: int) -> Optional[List[str]]:
    """State, parent and more; None if the process is gone."""
    try:
        with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _command(pid: int) -> str:
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            return file.read().replace(b"\0", b" ").decode("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def descendants() -> Dict[int, str]:
    """Processes that this one or one of its children started, with their commands."""
    parents: Dict[int, int] = {}
    for name in os.listdir("/proc"):
        stat = _stat(int(name)) if name.isdigit() else None
        if stat is not None and stat[0] != "Z":
            parents[int(name)] = int(stat[1])
    found = {os.getpid()}
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            return {pid: _command(pid) for pid in found - {os.getpid()}}
        found |= more


def workers() -> List[int]:
    """Descendants that run functions: those without children of their own."""
    return sorted(pid for pid, command in descendants().items() if "clutch_worker" in command)


def threads() -> Dict[int, str]:
    """Threads of this process with their names."""
    found: Dict[int, str] = {}
    for name in os.listdir("/proc/self/task"):
        try:
            with open("/proc/self/task/%s/comm" % name, encoding="utf-8") as file:
                found[int(name)] = file.read().strip()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
    return found


def kill_one(choose: random.Random, going: Callable[[], bool]) -> bool:
    """SIGKILL for one worker; waits until there is one. False if the job, which `going` tells of, ended before."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if not going():
            return False
        there = workers()
        if there:
            chosen = choose.choice(there)
            try:
                os.kill(chosen, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it ended between the look and the kill
            return True
        time.sleep(0.001)
    raise AssertionError("no worker was found to kill; there are %s" % descendants())
