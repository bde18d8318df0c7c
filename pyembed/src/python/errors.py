"""Exceptions of user code as text. Loaded at the first exception, so that a start does not pay for traceback."""

_OWN = "<clutch"  # file names of the runtime's own frames begin with this
_FRAMES = 64
_TEXT = 4096
_TRACEBACK = 65536


def _clean(text):
    # What crosses is UTF-8, which has no lone surrogates.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _cut(text, limit):
    return text if len(text) <= limit else text[: limit - 3] + "..."


def type_name(kind):
    name = getattr(kind, "__qualname__", None) or kind.__name__
    module = getattr(kind, "__module__", None)
    return name if module in (None, "builtins") else "%s.%s" % (module, name)


def _text(exc):
    try:
        return str(exc)
    except BaseException as error:
        return "<its text is not available: __str__ raised %s>" % type_name(type(error))


def _frames(tb):
    lines = []
    while tb is not None:
        code = tb.tb_frame.f_code
        if not code.co_filename.startswith(_OWN):
            lines.append("%s:%d:%s" % (code.co_filename, tb.tb_lineno or 0, code.co_name))
        tb = tb.tb_next
    return "\n".join(lines[-_FRAMES:])


def _drop_own_frames(report, seen):
    if report is None or id(report) in seen:
        return
    seen.add(id(report))
    stack = report.stack
    if stack is not None:
        stack[:] = [frame for frame in stack if not frame.filename.startswith(_OWN)]
    _drop_own_frames(report.__cause__, seen)
    _drop_own_frames(report.__context__, seen)
    for inner in getattr(report, "exceptions", None) or ():
        _drop_own_frames(inner, seen)


def _traceback(exc):
    import traceback

    report = traceback.TracebackException(type(exc), exc, exc.__traceback__)
    _drop_own_frames(report, set())
    return "".join(report.format())


def describe(exc, with_traceback):
    """Type, text, traceback and frames of an exception. Only MemoryError and the like leave it."""
    name = type_name(type(exc))
    formatted = ""
    if with_traceback:
        try:
            formatted = _traceback(exc)
        except Exception as error:
            formatted = "(the traceback cannot be shown: %s)" % type_name(type(error))
        if len(formatted) > _TRACEBACK:
            formatted = formatted[: _TRACEBACK // 2] + "\n  ...\n" + formatted[-_TRACEBACK // 2 :]
    return (
        _clean(name),
        _clean(_cut(_text(exc), _TEXT)),
        _clean(formatted),
        _clean(_frames(exc.__traceback__)),
    )
