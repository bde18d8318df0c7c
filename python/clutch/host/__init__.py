"""The front door from Python: open a Host, open functions, call them with columns.

    with clutch.Host({"python.execution-mode": "process"}) as host:
        double = host.function(lambda x: 2 * x, input_types="BIGINT", result_type="BIGINT")
        print(double([1, 2, 3]))
"""

from __future__ import annotations

try:
    import clutch._host  # noqa: F401
except ImportError as error:
    raise ImportError(
        "clutch.Host needs the extension module clutch._host, which cannot be imported (%s); this copy of the package "
        "was made for functions inside a worker: use the one that is installed with libclutch" % error,
        name="clutch._host",
    ) from error

from clutch.host._function import Decision, Function
from clutch.host._future import Future
from clutch.host._groups import GroupFunction
from clutch.host._host import Host

__all__ = ["Decision", "Function", "Future", "GroupFunction", "Host"]

for _public in (Decision, Function, Future, GroupFunction, Host):
    _public.__module__ = __name__
