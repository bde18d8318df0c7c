"""Loops over rows that run inside the interpreter, which calls Python functions cheaper than C can."""

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
_FIRST_CALL = 5  # line of the first row's call


def _compile(text):
    # Code of its own for every function, so that its call sites specialise for that one.
    names = {}
    exec(compile(text, "<clutch driver>", "exec"), names)
    return names["drive"]


def make_one():
    return _compile(_ONE)


def make_generator():
    return _compile(_GENERATOR)


def make_group(width):
    arguments = ["a%d" % i for i in range(width)]
    results = ["r%d" % i for i in range(width)]
    calls = ["        %s = f(%s)" % pair for pair in zip(results, arguments)]
    return _compile(_GROUP % (", ".join(arguments), "\n".join(calls), ", ".join(results)))


def finished(drive, error):
    """Results of the rows of a group that were done when the driver of make_group let `error` pass."""
    tb = error.__traceback__
    if tb is None or tb.tb_frame.f_code is not drive.__code__:
        return []
    count = tb.tb_lineno - _FIRST_CALL
    names = drive.__code__.co_varnames
    if not 0 <= count < sum(name[0] == "r" and name[1:].isdigit() for name in names):
        return []
    found = tb.tb_frame.f_locals
    return [found["r%d" % i] for i in range(count)]
