"""Where functions run without other orders: in this interpreter's Python, with the modules that this process finds."""

from __future__ import annotations

import os
import sys
from typing import Callable, List, Tuple


def interpreter_options(mode: str, is_default: Callable[[str], bool]) -> List[Tuple[str, str]]:
    """Options for functions of a mode; `is_default` tells whether a key has no value of its own."""
    options: List[Tuple[str, str]] = []
    if sys.executable and is_default("python.executable"):
        options.append(("python.executable", sys.executable))
    if mode.lower() != "thread" and is_default("python.pythonpath"):
        own = os.path.join(sys.base_prefix, ""), os.path.join(sys.prefix, "")
        folders = [os.path.abspath(folder) for folder in sys.path if isinstance(folder, str)]
        wanted = [item for item in dict.fromkeys(folders) if os.path.isdir(item) and not item.startswith(own)]
        options.append(("python.pythonpath", ":".join(wanted)))
    return options
