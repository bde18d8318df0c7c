"""Loops over rows that run inside the interpreter, which calls Python functions cheaper than C can."""

import re

# `feed` takes the result of a row and gives the argument of the next one, or `end`.
_ONE = """\
def drive(f, row, end, feed, emit):
    while row is not end:
        row = feed(f(row))
"""

# `emit` takes one of the results of a row.
_GENERATOR = """\
def drive(f, row, end, feed, emit):
    while row is not end:
        for item in f(row):
            emit(item)
        row = feed(None)
"""

# `feed` takes the results of a group of rows, fills `rows` with the next arguments, and says whether there are any.
# Each call has a line of its own, so that a traceback tells which row of the group raised.
_GROUP = """\
def drive(f, rows, feed):
    more = True
    while more:
        %s = rows
%s
        more = feed(%s)
"""
_FIRST_CALL = 5  # line of the first row's first call


_CALL = re.compile(r"f(\d+)\(")


def _compile(text, names=None, sources=None):
    # Code of its own for every function, so that its call sites specialise for that one.
    names = dict(names or ())
    exec(compile(text, "<clutch driver>", "exec"), names)
    if sources is not None:
        sources[names["drive"].__code__] = text
    return names["drive"]


def make_calls(lines, names, columns, sources):
    """A function with these lines, of that many columns, which finds `names` as its globals."""
    arguments = ", ".join("c%d" % i for i in range(columns))
    text = "def drive(%s):\n%s\n" % (arguments, "\n".join("    " + line for line in lines))
    return _compile(text, names, sources)


def failed_step(tb, sources):
    """The number of the step that a traceback went through, or -1. Steps are called f0, f1, ... in the sources."""
    while tb is not None:
        code = tb.tb_frame.f_code
        if code in sources:
            line = sources[code].split("\n")[tb.tb_lineno - 1]
            column = 0
            if hasattr(code, "co_positions"):
                column = list(code.co_positions())[tb.tb_lasti // 2][2] or 0
            found = _CALL.match(line, column) or _CALL.search(line)
            return int(found.group(1)) if found else -1
        tb = tb.tb_next
    return -1


def make_one():
    return _compile(_ONE)


def make_generator():
    return _compile(_GENERATOR)


def make_group(width, lines=None, names=None, sources=None):
    """The loop over groups. `lines`, `names` and `sources`, as of make_calls with one column, are there where a row is
    more than one call."""
    arguments = ["a%d" % i for i in range(width)]
    results = ["r%d" % i for i in range(width)]
    body = []
    for argument, result in zip(arguments, results):
        for line in lines or ["return f(c0)"]:
            line = line.replace("c0", argument)
            body.append("        " + (result + " = " + line[7:] if line.startswith("return ") else line))
    return _compile(_GROUP % (", ".join(arguments), "\n".join(body), ", ".join(results)), names, sources)


def finished(drive, error, lines):
    """Results of the rows of a group that were done when the driver of make_group let `error` pass; `lines` a row."""
    tb = error.__traceback__
    if tb is None or tb.tb_frame.f_code is not drive.__code__:
        return []
    count = (tb.tb_lineno - _FIRST_CALL) // lines
    names = drive.__code__.co_varnames
    if not 0 <= count < sum(name[0] == "r" and name[1:].isdigit() for name in names):
        return []
    found = tb.tb_frame.f_locals
    return [found["r%d" % i] for i in range(count)]
