"""From a payload to an object with a method that is called for each row. Every refusal is a Refused with a sentence."""

import sys

_METHODS = {
    "table.scalar": "eval",
    "table.scalar.vectorized": "eval",
    "table.scalar.async": "eval",
    "table.table": "eval",
    "stream.map": "map",
    "stream.flat_map": "flat_map",
    "stream.filter": "filter",
    "stream.key_by": "get_key",
    "stream.timestamps": "extract_timestamp",
    "stream.process": "process_element",
    "stream.keyed_process": "process_element",
    "stream.reduce": "reduce",
    "stream.co_map": "map1",
    "stream.co_flat_map": "flat_map1",
    "stream.co_process": "process_element1",
    "stream.keyed_co_process": "process_element1",
    "stream.broadcast_process": "process_element",
    "stream.keyed_broadcast_process": "process_element",
    "stream.interval_join": "process_element",
    "stream.window.reduce": "reduce",
    "stream.window.apply": "apply",
    "stream.window.process": "process",
    "stream.window.join": "join",
    "stream.window.flat_join": "join",
    "stream.window.co_group": "co_group",
}
_SECOND_METHODS = {
    "stream.co_map": "map2",
    "stream.co_flat_map": "flat_map2",
    "stream.co_process": "process_element2",
    "stream.keyed_co_process": "process_element2",
    "stream.broadcast_process": "process_broadcast_element",
    "stream.keyed_broadcast_process": "process_broadcast_element",
}
_INVOCATIONS = ("async_invoke", "async_invoke_batch")
_CODE_MARKS = (b"CodeType", b"_make_function", b"_make_skel_func", b"_fill_function", b"_builtin_type")
_GENERATED = {"count": 0}
_FILES = {}  # name of a source's file in tracebacks -> name of its module, while it is open


class Refused(Exception):
    """What cannot be served; the text stands alone. __cause__ is the exception behind it, if there is one."""


class _SourceLoader(object):
    """Gives linecache the text of a function that has no file."""

    def __init__(self, text):
        self._text = text

    def get_source(self, _name):
        return self._text


def _new_module(stem):
    # A name of its own, in sys.modules while the function is open: dataclasses, typing and pickle look it up there.
    _GENERATED["count"] += 1
    name = "clutch_function_%d_%s" % (_GENERATED["count"], "".join(c if c.isalnum() else "_" for c in stem))
    module = type(sys)(name)
    sys.modules[name] = module
    return module


def _attribute(owner, path, what):
    found = owner
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError as error:
            names = [name for name in sorted(vars(owner)) if not name.startswith("_")][:12]
            raise Refused(
                "%s has no attribute %r; it has: %s" % (what, path, ", ".join(names) or "nothing public")
            ) from error
    return found


def load_import(text):
    """From "module:attribute" or "path/file.py:attribute": the object, and the name of a module made for it or None."""
    place, colon, path = text.rpartition(":")
    if not colon or not place or not path:
        raise Refused("the import %r is not of the form module:attribute or path/file.py:attribute" % text)
    if place.endswith(".py"):
        return _load_file(place, path)
    try:
        __import__(place)
    except ModuleNotFoundError as error:
        if error.name is not None and (place == error.name or place.startswith(error.name + ".")):
            raise Refused(
                "there is no module %r; put its folder into python.pythonpath or python.files, or install it for %s"
                % (error.name, sys.executable or sys.prefix)
            ) from error
        raise
    return _attribute(sys.modules[place], path, "module %r" % place), None


def _load_file(place, path):
    import os

    try:
        with open(place, "rb") as file:
            text = file.read()
    except OSError as error:
        raise Refused("the file %r cannot be read: %s" % (place, error.strerror or error)) from error
    folder = os.path.dirname(os.path.abspath(place))
    if folder not in sys.path:
        sys.path.append(folder)  # last, so that a neighbour never hides another module
    module = _new_module(os.path.splitext(os.path.basename(place))[0])
    module.__file__ = place
    try:
        exec(compile(text, place, "exec", dont_inherit=True), module.__dict__)
        return _attribute(module, path, "file %r" % place), module.__name__
    except BaseException:
        forget(module.__name__)
        raise


def load_source(text, name, attribute):
    """Run the text in a module of its own; the object is the attribute, or the last function or class it defines."""
    module = _new_module(name)
    filename = _source_file(name, module)
    module.__loader__ = _SourceLoader(text)
    try:
        exec(compile(text, filename, "exec", dont_inherit=True), module.__dict__)
        if attribute:
            return _attribute(module, attribute, "the source"), module.__name__
        found = None
        for value in vars(module).values():
            if getattr(value, "__module__", None) == module.__name__ and callable(value):
                if isinstance(value, (type, type(load_source))):
                    found = value
        if found is None:
            raise Refused("the source defines no function and no class; define one, or name it by option 'attribute'")
        return found, module.__name__
    except BaseException:
        forget(module.__name__)
        raise


def _source_file(name, module):
    filename, again = "clutch-source:" + name, 1
    while filename in _FILES:
        again += 1
        filename = "clutch-source:%s#%d" % (name, again)
    _FILES[filename] = module.__name__
    return filename


def load_pickle(payload, stamp):
    """Unpickle. `stamp` is the version of Python that pickled it ("3.11.2"), or empty where it is not known."""
    import pickle

    version = "%d.%d.%d" % sys.version_info[:3]
    other = bool(stamp) and stamp.split(".")[:2] != version.split(".")[:2]
    mixed = (
        "the payload was pickled by Python %s and this is Python %s; code only unpickles in the version it was pickled by"
        % (stamp, version)
    )
    # Some versions take the code of their neighbours without a word, and crash when it runs.
    if other and any(mark in payload for mark in _CODE_MARKS):
        raise Refused(mixed)
    try:
        return pickle.loads(payload), None
    except BaseException as error:
        if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] == "cloudpickle":
            raise Refused(
                "the payload needs the package cloudpickle, which %s does not have; install it there"
                % (sys.executable or sys.prefix)
            ) from error
        if other:
            raise Refused(mixed) from error
        if isinstance(error, (ModuleNotFoundError, AttributeError, MemoryError)):
            raise
        if isinstance(error, Exception):
            raise Refused(
                "the payload does not unpickle in Python %s (%s: %s); pickle it with this version"
                % (version, type(error).__name__, error)
            ) from error
        raise


def load_constant(text, pickled):
    """A constant of a fused step."""
    if pickled:
        import base64
        import pickle

        return pickle.loads(base64.b64decode(text.encode("ascii"), validate=True))
    import ast

    return ast.literal_eval(text)


def forget(module_name):
    """Let go of a module made here, and of the text of its tracebacks."""
    sys.modules.pop(module_name, None)
    for filename, name in list(_FILES.items()):
        if name == module_name:
            del _FILES[filename]
            if "linecache" in sys.modules:
                sys.modules["linecache"].cache.pop(filename, None)


def _code_flags(function):
    for _ in range(8):
        if hasattr(function, "func") and not hasattr(function, "__code__"):
            function = function.func  # functools.partial
        elif hasattr(function, "__func__"):
            function = function.__func__
        else:
            break
    code = getattr(function, "__code__", None)
    if code is None and not isinstance(function, type):
        call = getattr(type(function), "__call__", None)
        code = getattr(call, "__code__", None)
    return getattr(code, "co_flags", 0)


_AGGREGATES = {
    "table.aggregate": ("create_accumulator", "accumulate", "get_value"),
    "table.table_aggregate": ("create_accumulator", "accumulate", "emit_value"),
    "table.aggregate.vectorized": ("create_accumulator", "accumulate", "get_value"),
    "stream.window.aggregate": ("create_accumulator", "add", "get_result"),
}


def _prepare_aggregate(found, kind):
    # A plain function of whole columns is one call a group.
    if kind == "table.aggregate.vectorized" and not hasattr(found, "accumulate") and callable(found):
        if not isinstance(found, type):
            return found, found
    if isinstance(found, type):
        found = found()
    for method in _AGGREGATES[kind]:
        if not callable(getattr(found, method, None)):
            raise Refused(
                "%s has no method %s(); %s needs an object with %s()"
                % (_describe(found), method, kind, "(), ".join(_AGGREGATES[kind]))
            )
        if _code_flags(getattr(found, method)) & 0x280:
            raise Refused("%s() is async, and %s calls plain methods; remove 'async'" % (method, kind))
    return found, getattr(found, _AGGREGATES[kind][1])


def _prepare_pair(found, kind):
    """An object with two methods, one for each input."""
    if isinstance(found, type):
        found = found()
    names = (_METHODS[kind], _SECOND_METHODS[kind])
    for name in names:
        method = getattr(found, name, None)
        if not callable(method):
            raise Refused(
                "%s has no method %s(); %s needs an object with %s()"
                % (_describe(found), name, kind, "() and ".join(names))
            )
        if _code_flags(method) & 0x280:
            raise Refused("%s() is async, and %s calls plain methods; remove 'async'" % (name, kind))
    return found, getattr(found, names[0])


def second_method(found, kind):
    """What is called for rows of the second input; None for kinds that have one."""
    return getattr(found, _SECOND_METHODS[kind]) if kind in _SECOND_METHODS else None


class _Retried(object):
    """An async function with the strategy that came with it."""

    def __init__(self, function, strategy):
        for name in ("open", "close", "timeout", "timeout_batch") + _INVOCATIONS:
            method = getattr(function, name, None)
            if method is not None:
                setattr(self, name, method)
        self.retry_strategy = strategy
        self.__class__ = type(type(function).__name__, (_Retried,), {})  # for messages


def _prepare_async(found, kind):
    if isinstance(found, tuple) and len(found) == 2:
        function, strategy = found
        if isinstance(function, type):
            function = function()
        found = _Retried(function, strategy)
    if isinstance(found, type):
        found = found()
    targets = [getattr(found, name) for name in _INVOCATIONS if callable(getattr(found, name, None))]
    if not targets and isinstance(found, type(prepare)):
        targets = [found]
    if not targets:
        raise Refused(
            "%s has neither of the methods async_invoke() and async_invoke_batch(); %s needs an object with one"
            % (_describe(found), kind)
        )
    if not _code_flags(targets[0]) & 0x80:  # CO_COROUTINE
        raise Refused(
            "%s is no async function, and %s awaits it; write 'async def'"
            % (getattr(targets[0], "__name__", _describe(targets[0])), kind)
        )
    strategy = getattr(found, "retry_strategy", None)
    missing = [
        name
        for name in ("can_retry", "get_backoff_time_millis", "get_retry_predicate")
        if strategy is not None and not callable(getattr(strategy, name, None))
    ]
    if missing:
        raise Refused("the retry strategy %s has no method %s()" % (_describe(strategy), missing[0]))
    return found, targets[0]


def prepare(found, kind):
    """The object to open and close, and what to call for each row."""
    # What clutch.table.udf and its siblings made is called to build expressions; the function is inside.
    if hasattr(type(found), "__clutch_function__"):
        found = found.__clutch_function__
    if kind in _AGGREGATES:
        return _prepare_aggregate(found, kind)
    if kind in _SECOND_METHODS:
        return _prepare_pair(found, kind)
    if kind == "stream.async":
        return _prepare_async(found, kind)
    method = _METHODS[kind]
    if isinstance(found, type):
        own = [base for base in found.__mro__ if base is not object]
        if any(method in vars(base) or "__call__" in vars(base) for base in own):
            found = found()
    target = found
    if not isinstance(found, (type, type(prepare))) and callable(getattr(found, method, None)):
        target = getattr(found, method)
    elif not callable(found):
        raise Refused(
            "%s is not callable and has no method %s(); %s needs a function or an object with one"
            % (_describe(found), method, kind)
        )
    flags = _code_flags(target)
    if kind.endswith(".async"):
        if not flags & 0x80:  # CO_COROUTINE
            raise Refused("it is no async function, and %s awaits one; write 'async def'" % kind)
    elif flags & 0x280:  # CO_COROUTINE | CO_ASYNC_GENERATOR
        raise Refused("it is an async function, and %s calls plain functions; remove 'async'" % kind)
    return found, target


def _describe(value):
    try:
        text = repr(value)
    except Exception:
        text = "<no repr>"
    return "%s of type %s" % (text if len(text) <= 80 else text[:77] + "...", type(value).__name__)
