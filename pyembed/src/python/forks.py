"""Forks of a host's process. The copy would have the host's memory but none of its other threads, so every lock that one
of them holds stays locked for ever. What execs at once (subprocess, multiprocessing's "spawn") is no such copy."""

_REFUSAL = (
    "%s() would copy the host's process without its threads and hang on their locks; start programs with subprocess, use "
    "multiprocessing.get_context('spawn') with functions of an importable module, or run this function with "
    "python.execution-mode = process"
)


def _refusing(name):
    def fork(*_arguments, **_keywords):
        raise RuntimeError(_REFUSAL % ("os." + name))

    fork.__name__ = fork.__qualname__ = name
    return fork


def refuse_forks():
    import os
    import posix

    for name in ("fork", "forkpty"):
        if hasattr(posix, name):
            setattr(posix, name, _refusing(name))
            setattr(os, name, getattr(posix, name))
